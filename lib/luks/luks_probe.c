/* SPDX-License-Identifier: MIT */
/*
 * luks_probe: both ways end in the same few values of blkid, from which one
 * function says what lies there. A device is empty only if blkid looked and
 * found nothing; that it is a partition of something (PART_ENTRY_*) says
 * nothing about what is in it.
 */
#include "luks/luks_probe.h"

#include <blkid/blkid.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include "base/file.h"
#include "luks/luks.h"
#include "luks/luks_rules.h"

enum { BLKID_FOUND = 0, BLKID_NOTHING = 2, BLKID_AMBIVALENT = 8 };

/* The values that matter; empty where blkid gave none. */
struct tags {
	struct str type, version, usage, table;
};

static void
tags_done(struct tags *t)
{
	str_done(&t->type);
	str_done(&t->version);
	str_done(&t->usage);
	str_done(&t->table);
}

static void
describe(const struct tags *t, struct str *out)
{
	static const struct { const char *type, *words; } known[] = {
		{ "LVM2_member", "LVM physical volume" },
		{ "LVM1_member", "LVM physical volume" },
		{ "linux_raid_member", "RAID member" },
		{ "swap", "swap space" },
		{ "BitLocker", "BitLocker volume" },
	};
	const char *type = str_text(&t->type);

	if (t->type.len == 0) {
		str_addf(out, "%s partition table", str_text(&t->table));
		return;
	}
	for (size_t i = 0; i < COUNT(known); i++) {
		if (strcmp(type, known[i].type) == 0) {
			str_add(out, known[i].words);
			return;
		}
	}
	if (strcmp(type, "crypto_LUKS") == 0)
		str_addf(out, "LUKS%s", str_text(&t->version));
	else if (strcmp(str_text(&t->usage), "filesystem") == 0)
		str_addf(out, "%s filesystem", type);
	else
		str_addf(out, "%s signature", type);
}

static void
conclude(const struct tags *t, struct luks_probe *out)
{
	AUTO(str_done) struct str words = { 0 };
	struct luks_probe p = { .empty = t->type.len == 0 && t->table.len == 0 };

	if (!p.empty)
		describe(t, &words);
	luks_rules_escape(str_bytes(&words), p.what, sizeof(p.what));
	p.is_luks = strcmp(str_text(&t->type), "crypto_LUKS") == 0;
	*out = p;
}

static bool
ambivalent(struct luks_probe *out)
{
	*out = (struct luks_probe){ .what = "signatures of several things" };
	return true;
}

/* NAME=VALUE; false for anything else: then it is no answer but a complaint. */
static bool
take_line(const char *p, size_t len, struct tags *t)
{
	const struct { const char *name; struct str *value; } wanted[] = {
		{ "TYPE", &t->type }, { "VERSION", &t->version },
		{ "USAGE", &t->usage }, { "PTTYPE", &t->table },
	};
	const char *equals = memchr(p, '=', len);
	size_t n = equals ? (size_t)(equals - p) : 0;

	if (n == 0 || strspn(p, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != n)
		return false;
	for (size_t i = 0; i < COUNT(wanted); i++) {
		if (n != strlen(wanted[i].name) || memcmp(p, wanted[i].name, n) != 0)
			continue;
		if (wanted[i].value->len > 0)
			return false;
		str_add_bytes(wanted[i].value, (struct bytes){ equals + 1, len - n - 1 });
	}
	return true;
}

static bool
complaint(int status, struct bytes text, struct err *e)
{
	AUTO(str_done) struct str words = { 0 };

	if (status == 127)
		return err_set(e, ERR_DISK, "there is no blkid (package util-linux)");
	str_add_escaped(&words, text, 200);
	while (words.len > 0 && str_ends(words.ptr, "\\x0a")) {
		words.len -= 4;
		words.ptr[words.len] = '\0';
	}
	return err_set(e, ERR_DISK, "blkid could not look at it: %s",
	    words.len ? str_text(&words) : "it gave no reason");
}

bool
luks_probe_parse(int status, struct bytes text, struct luks_probe *out, struct err *e)
{
	AUTO(tags_done) struct tags tags = { 0 };
	AUTO(str_done) struct str copy = { 0 };
	char *line, *rest;

	str_add_bytes(&copy, text);
	rest = copy.ptr;
	if (status == BLKID_AMBIVALENT)
		return ambivalent(out);
	if ((status != BLKID_FOUND && status != BLKID_NOTHING) ||
	    (copy.ptr && strlen(copy.ptr) != copy.len))
		return complaint(status, text, e);
	while ((line = strsep(&rest, "\n")) != NULL)
		if (*line && (status == BLKID_NOTHING || !take_line(line, strlen(line), &tags)))
			return complaint(status, text, e);
	conclude(&tags, out);
	return true;
}

static void
drop_probe(blkid_probe *p)
{
	if (*p)
		blkid_free_probe(*p);
}

static void
take_value(blkid_probe p, const char *name, struct str *out)
{
	const char *value;
	size_t len;	/* with a NUL behind it */

	if (blkid_probe_lookup_value(p, name, &value, &len) == 0 && len > 0)
		str_add_bytes(out, (struct bytes){ value, strnlen(value, len) });
}

bool
luks_probe_ask(const char *device, struct luks_probe *out, struct err *e)
{
	AUTO(tags_done) struct tags tags = { 0 };
	AUTO(drop_probe) blkid_probe p = blkid_new_probe_from_filename(device);
	int r;

	if (!p)
		return err_errno(e, ERR_DISK, errno, "%s cannot be opened", device);
	blkid_probe_enable_superblocks(p, 1);
	blkid_probe_set_superblocks_flags(p,
	    BLKID_SUBLKS_TYPE | BLKID_SUBLKS_VERSION | BLKID_SUBLKS_USAGE);
	blkid_probe_enable_partitions(p, 1);
	errno = 0;
	r = blkid_do_safeprobe(p);
	if (r == -2)
		return ambivalent(out);
	if (r < 0)
		return err_errno(e, ERR_DISK, errno, "%s cannot be looked at", device);
	take_value(p, "TYPE", &tags.type);
	take_value(p, "VERSION", &tags.version);
	take_value(p, "USAGE", &tags.usage);
	take_value(p, "PTTYPE", &tags.table);
	conclude(&tags, out);
	return true;
}

/* O_EXCL: not under a mounted file system or a mapping. */
bool
luks_probe_wipe(const char *device, struct err *e)
{
	AUTO(fd_drop) int fd = open(device, O_RDWR | O_EXCL | O_CLOEXEC);
	AUTO(drop_probe) blkid_probe p = blkid_new_probe();
	int r;

	if (fd < 0)
		return err_errno(e, ERR_DISK, errno, "%s cannot be written", device);
	if (!p || blkid_probe_set_device(p, fd, 0, 0) != 0)
		return err_errno(e, ERR_DISK, errno, "%s cannot be looked at", device);
	blkid_probe_enable_superblocks(p, 1);
	blkid_probe_set_superblocks_flags(p, BLKID_SUBLKS_MAGIC | BLKID_SUBLKS_BADCSUM);
	blkid_probe_enable_partitions(p, 1);
	blkid_probe_set_partitions_flags(p, BLKID_PARTS_MAGIC);
	while ((r = blkid_do_probe(p)) == 0)
		if (blkid_do_wipe(p, 0) != 0)
			return err_errno(e, ERR_DISK, errno, "%s cannot be wiped", device);
	return r == 1 || err_errno(e, ERR_DISK, errno, "%s cannot be looked at", device);
}
