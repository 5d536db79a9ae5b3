/* SPDX-License-Identifier: MIT */
/*
 * luks_mapping: the same rules as the scripts for servers (luks_script.c),
 * shared as rules only: a mapping is found by its name under /sys/block/dm-N; it
 * is a disk's if it is dm-crypt and a slave of it has the device's number or,
 * for an image file, is a loop device made of that file.
 */
#include "luks/luks_mapping.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include "base/file.h"
#include "inventory/inventory.h"
#include "luks/luks.h"
#include "luks/luks_rules.h"

#define SYS_MAX ((size_t)1 << 20)
#define PROCESSES_SHOWN 5

/* Append a small file, without its last line end; false if it cannot be read. */
static bool
read_line(struct str *out, const char *dir, const char *name, const char *file)
{
	AUTO(mem_free_drop) char *path = mem_printf("%s/%s/%s", dir, name, file);
	struct err ignored;

	if (!file_read_at(AT_FDCWD, path, SYS_MAX, out, &ignored))
		return false;
	if (out->len > 0 && out->ptr[out->len - 1] == '\n')
		out->ptr[--out->len] = '\0';
	return true;
}

static void
list(const char *path, struct argv *out)
{
	AUTO(fd_drop) int fd = -1;
	struct err ignored;

	if (file_open_dir(path, &fd, &ignored))
		(void)!file_list_dir(fd, out, &ignored);
}

/* "dm-3", owned; NULL if there is no mapping of that name. */
static char *
find(const char *name)
{
	AUTO(argv_done) struct argv blocks = { 0 };

	list("/sys/block", &blocks);
	for (size_t i = 0; i < blocks.n; i++) {
		AUTO(str_done) struct str line = { 0 };

		if (str_starts(blocks.at[i], "dm-") &&
		    read_line(&line, "/sys/block", blocks.at[i], "dm/name") &&
		    strcmp(str_text(&line), name) == 0)
			return mem_strdup(blocks.at[i]);
	}
	return NULL;
}

/* What identifies a device: its number, and its path with all links followed. */
struct device {
	char number[32];	/* "253:4294967295" is the longest; empty for no block device */
	char *path;
};

static void
device_done(struct device *d)
{
	free(d->path);
}

static struct device
device_of(const char *path)
{
	struct device d = { .path = realpath(path, NULL) };
	struct stat st;

	if (!d.path)
		d.path = mem_strdup(path);
	if (stat(d.path, &st) == 0 && S_ISBLK(st.st_mode))
		snprintf(d.number, sizeof(d.number), "%u:%u", major(st.st_rdev), minor(st.st_rdev));
	return d;
}

/* Is this slave of a mapping the device? *below is appended what it is. */
static bool
is_slave(const struct device *d, const char *slaves, const char *name, struct str *below)
{
	AUTO(str_done) struct str number = { 0 }, file = { 0 };

	(void)read_line(&number, slaves, name, "dev");
	(void)read_line(&file, slaves, name, "loop/backing_file");
	if (below->len > 0)
		str_add(below, ", ");
	str_add(below, file.len ? str_text(&file) : name);
	return (number.len > 0 && strcmp(number.ptr, d->number) == 0) ||
	    (file.len > 0 && strcmp(file.ptr, d->path) == 0);
}

static bool
lies_on(const char *dm, const char *device, struct str *below)
{
	AUTO(device_done) struct device d = device_of(device);
	AUTO(mem_free_drop) char *slaves = mem_printf("/sys/block/%s/slaves", dm);
	AUTO(argv_done) struct argv names = { 0 };
	AUTO(str_done) struct str kind = { 0 };
	bool found = false;

	(void)read_line(&kind, "/sys/block", dm, "dm/uuid");
	list(slaves, &names);
	for (size_t i = 0; i < names.n && !found; i++)
		found = is_slave(&d, slaves, names.at[i], below);
	return found && str_starts(str_text(&kind), "CRYPT-");
}

void
luks_mapping_status(const struct disk *d, struct luks_status *out)
{
	AUTO(mem_free_drop) char *dm = find(d->name);
	AUTO(str_done) struct str below = { 0 };
	struct stat st;
	struct luks_status s = {
		.state = LUKS_CLOSED,
		.device_there = stat(d->device, &st) == 0 &&
		    (S_ISBLK(st.st_mode) || S_ISREG(st.st_mode)),
	};

	if (dm)
		s.state = lies_on(dm, d->device, &below) ? LUKS_OPEN : LUKS_FOREIGN;
	if (s.state == LUKS_FOREIGN)
		luks_rules_escape(str_bytes(&below), s.detail, sizeof(s.detail));
	*out = s;
}

static void
add(struct str *out, const char *what, const char *which)
{
	if (out->len > 0)
		str_add(out, ", ");
	str_addf(out, "%s%s", what, which);
}

/* "36 35 253:0 / /srv rw - ext4 /dev/mapper/data rw"; btrfs has numbers of its own. */
static void
add_mounts(const char *number, const char *node, struct str *out)
{
	AUTO(str_done) struct str text = { 0 };
	char *line, *rest;

	(void)read_line(&text, "/proc", "self", "mountinfo");
	rest = text.ptr;
	while ((line = strsep(&rest, "\n")) != NULL) {
		char *field[5] = { 0 };
		bool same;

		for (size_t i = 0; i < COUNT(field); i++)
			field[i] = line ? strsep(&line, " ") : NULL;
		if (!field[4])
			continue;
		same = strcmp(field[2], number) == 0;
		for (char *word; !same && line && (word = strsep(&line, " ")) != NULL;)
			same = strcmp(word, node) == 0;
		if (same)
			add(out, "mounted on ", field[4]);
	}
}

static void
add_mappings(const char *dm, struct str *out)
{
	AUTO(mem_free_drop) char *holders = mem_printf("/sys/block/%s/holders", dm);
	AUTO(argv_done) struct argv names = { 0 };

	list(holders, &names);
	for (size_t i = 0; i < names.n; i++) {
		AUTO(str_done) struct str line = { 0 };

		(void)read_line(&line, holders, names.at[i], "dm/name");
		add(out, "used by ", line.len ? line.ptr : names.at[i]);
	}
}

static bool
is_swap(const char *dm, const char *node)
{
	AUTO(mem_free_drop) char *mapper = mem_printf("%s ", node);
	AUTO(mem_free_drop) char *block = mem_printf("/dev/%s ", dm);
	AUTO(str_done) struct str text = { 0 };

	return read_line(&text, "/proc", ".", "swaps") &&
	    (strstr(str_text(&text), mapper) || strstr(str_text(&text), block));
}

/* Has this process the device open? */
static bool
has_open(const char *pid, const char *number)
{
	AUTO(mem_free_drop) char *fds = mem_printf("/proc/%s/fd", pid);
	AUTO(fd_drop) int dir = -1;
	AUTO(argv_done) struct argv names = { 0 };
	struct err ignored;
	char text[32];		/* as struct device's */
	struct stat st;

	if (!file_open_dir(fds, &dir, &ignored) || !file_list_dir(dir, &names, &ignored))
		return false;
	for (size_t i = 0; i < names.n; i++) {
		if (fstatat(dir, names.at[i], &st, 0) != 0 || !S_ISBLK(st.st_mode))
			continue;
		snprintf(text, sizeof(text), "%u:%u", major(st.st_rdev), minor(st.st_rdev));
		if (strcmp(text, number) == 0)
			return true;
	}
	return false;
}

/* Has this process, in a mount namespace that is not ours, it mounted? */
static bool
has_mounted(const char *pid, const char *number)
{
	AUTO(mem_free_drop) char *ns = mem_printf("/proc/%s/ns/mnt", pid);
	AUTO(mem_free_drop) char *needle = mem_printf(" %s ", number);
	AUTO(str_done) struct str text = { 0 };
	struct stat theirs, ours;

	if (stat(ns, &theirs) != 0 || stat("/proc/self/ns/mnt", &ours) != 0 ||
	    (theirs.st_ino == ours.st_ino && theirs.st_dev == ours.st_dev))
		return false;
	return read_line(&text, "/proc", pid, "mountinfo") && strstr(str_text(&text), needle);
}

static void
add_processes(const char *number, struct str *out)
{
	AUTO(argv_done) struct argv pids = { 0 };
	size_t shown = 0;

	list("/proc", &pids);
	for (size_t i = 0; i < pids.n && shown < PROCESSES_SHOWN; i++) {
		AUTO(str_done) struct str comm = { 0 };
		bool opened = isdigit((unsigned char)pids.at[i][0]) && has_open(pids.at[i], number);

		if (!isdigit((unsigned char)pids.at[i][0]) ||
		    (!opened && !has_mounted(pids.at[i], number)))
			continue;
		(void)read_line(&comm, "/proc", pids.at[i], "comm");
		str_addf(&comm, " (%s)", pids.at[i]);
		add(out, opened ? "open in " : "mounted for ", str_text(&comm));
		shown++;
	}
}

void
luks_mapping_holders(const char *name, struct str *out)
{
	AUTO(mem_free_drop) char *dm = find(name);
	AUTO(mem_free_drop) char *node = mem_printf("/dev/mapper/%s", name);
	AUTO(str_done) struct str number = { 0 }, found = { 0 };

	if (!dm || !read_line(&number, "/sys/block", dm, "dev"))
		return;
	add_mounts(str_text(&number), node, &found);
	add_mappings(dm, &found);
	if (is_swap(dm, node))
		add(&found, "used as swap", "");
	add_processes(str_text(&number), &found);
	str_add_escaped(out, str_bytes(&found), 300);
}
