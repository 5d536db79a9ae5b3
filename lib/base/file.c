/* SPDX-License-Identifier: MIT */
/*
 * file: every open is close-on-exec, every call goes on after EINTR, and an
 * error names the file and what the kernel said. The order of file_replace,
 * content before name and name before success, is what makes it durable.
 */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/clock.h"

#define TEMPORARY ".arver-" /* and random digits */
#define LOCK_TICK_MS 20

/* err_errno() with the current errno, which it leaves as it was. */
static bool
failed(struct err *e, const char *what, const char *name)
{
	int code = errno;

	err_errno(e, ERR_SYSTEM, code, "%s %s", what, name);
	errno = code;
	return false;
}

/* The same for what could not be opened: what it is may be the fault, whoever put it there. */
static bool
not_opened(const char *what, const char *name, struct err *e)
{
	int code = errno;

	if (code == ELOOP)
		err_set(e, ERR_DATA, "%s is a symbolic link, and none is followed", name);
	else if (code == ENOTDIR)
		err_set(e, ERR_DATA, "%s is not a directory itself", name); /* perhaps a link */
	else if (code == ENXIO) /* a socket, or a device without a driver */
		err_set(e, ERR_DATA, "%s is not a regular file", name);
	else
		failed(e, what, name);
	errno = code;
	return false;
}

void
fd_drop(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}

ssize_t
file_read_some(int fd, void *buf, size_t len)
{
	ssize_t n;

	do {
		n = read(fd, buf, len);
	} while (n < 0 && errno == EINTR);
	return n;
}

bool
file_write_all(int fd, struct bytes b)
{
	const char *p = b.ptr;
	size_t left = b.len;

	while (left > 0) {
		ssize_t n = write(fd, p, left);

		if (n >= 0) {
			p += n;
			left -= (size_t)n;
		} else if (errno == EAGAIN) { /* an inherited stdout may be non-blocking */
			poll(&(struct pollfd){ .fd = fd, .events = POLLOUT }, 1, -1);
		} else if (errno != EINTR) {
			return false;
		}
	}
	return true;
}

static bool
open_dir(int dir, const char *name, int flags, int *out_fd, struct err *e)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags);

	if (fd < 0)
		return not_opened("cannot open directory", name, e);
	*out_fd = fd;
	return true;
}

bool
file_open_dir(const char *path, int *out_fd, struct err *e)
{
	return open_dir(AT_FDCWD, path, 0, out_fd, e);
}

bool
file_open_dir_at(int dir, const char *name, int *out_fd, struct err *e)
{
	return open_dir(dir, name, O_NOFOLLOW, out_fd, e);
}

/* Append what fd yields to *out; errno is 0 if it fails for being over the cap. */
static bool
read_all(int fd, size_t cap, struct str *out)
{
	char buf[16384];
	size_t left = cap;
	ssize_t n;

	while ((n = file_read_some(fd, buf, sizeof(buf))) > 0) {
		if ((size_t)n > left) {
			errno = 0;
			return false;
		}
		str_add_bytes(out, (struct bytes){ buf, (size_t)n });
		left -= (size_t)n;
	}
	return n == 0;
}

bool
file_read_at(int dir, const char *name, size_t cap, struct str *out, struct err *e)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	AUTO(fd_drop) int fd = openat(dir, name, flags);
	AUTO(str_done) struct str text = { 0 };
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0)
		return not_opened("cannot open", name, e);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_DATA, "%s is not a regular file", name);
	if (!read_all(fd, cap, &text)) {
		if (errno != 0)
			return failed(e, "cannot read", name);
		return err_set(e, ERR_DATA, "%s is larger than %zu bytes", name, cap);
	}
	str_add_bytes(out, str_bytes(&text));
	return true;
}

bool
file_exists_at(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool
sync_file(int fd)
{
	return TEMP_FAILURE_RETRY(fsync(fd)) == 0;
}

bool
file_sync_dir(int dir)
{
	return sync_file(dir) || errno == EINVAL;
}

static bool
temporary_name(struct str *out)
{
	unsigned char random[12];

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return false;
	str_add(out, TEMPORARY);
	for (size_t i = 0; i < sizeof(random); i++)
		str_addf(out, "%02x", random[i]);
	return true;
}

/* Write and sync a file of that name, which must not exist yet. */
static bool
write_new(const struct file_place *at, const char *tmp, struct bytes content)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	AUTO(fd_drop) int fd = openat(at->tmp_dir, tmp, flags, 0600);

	return fd >= 0 && file_write_all(fd, content) && fchmod(fd, at->mode) == 0 &&
	    sync_file(fd);
}

bool
file_replace(const struct file_place *at, struct bytes content, struct err *e)
{
	AUTO(str_done) struct str tmp = { 0 };

	if (!temporary_name(&tmp))
		return failed(e, "no random name for", at->name);
	if (!write_new(at, tmp.ptr, content) ||
	    renameat(at->tmp_dir, tmp.ptr, at->dir, at->name) != 0) {
		failed(e, "cannot write", at->name);
		unlinkat(at->tmp_dir, tmp.ptr, 0);
		return false;
	}
	return file_sync_dir(at->dir) || failed(e, "cannot sync the directory of", at->name);
}

void
file_sweep(int tmp_dir)
{
	AUTO(argv_done) struct argv names = { 0 };
	struct err ignored;

	if (!file_list_dir(tmp_dir, &names, &ignored))
		return;
	for (size_t i = 0; i < names.n; i++)
		if (str_starts(names.at[i], TEMPORARY))
			unlinkat(tmp_dir, names.at[i], 0);
}

bool
file_remove_at(int dir, const char *name, struct err *e)
{
	if (unlinkat(dir, name, 0) != 0 && errno != ENOENT)
		return failed(e, "cannot remove", name);
	return file_sync_dir(dir) || failed(e, "cannot sync the directory of", name);
}

static int
compare_words(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Add every name but "." and ".."; false with errno. */
static bool
read_names(DIR *stream, struct argv *names)
{
	for (;;) {
		const struct dirent *entry;

		errno = 0;
		entry = readdir(stream);
		if (!entry)
			return errno == 0;
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			argv_add(names, entry->d_name);
	}
}

static void
stream_drop(DIR **stream)
{
	if (*stream)
		closedir(*stream);
}

bool
file_list_dir(int dir, struct argv *out, struct err *e)
{
	/* a descriptor of its own: the caller's keeps its position */
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO(stream_drop) DIR *stream = fd >= 0 ? fdopendir(fd) : NULL; /* takes fd */
	AUTO(argv_done) struct argv names = { 0 };

	if (!stream) {
		fd_drop(&fd);
		return failed(e, "cannot list", "directory");
	}
	if (!read_names(stream, &names))
		return failed(e, "cannot list", "directory");
	if (names.n > 0)
		qsort(names.at, names.n, sizeof(*names.at), compare_words);
	argv_done(out);
	*out = names;
	names = (struct argv){ 0 };
	return true;
}

/* The directory that holds `path`, which does not end in a slash. */
static char *
parent_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return mem_strdup(".");
	return slash == path ? mem_strdup("/") : mem_strndup(path, (size_t)(slash - path));
}

/* Make a new name durable; fine if we may write its directory but not read it. */
static bool
sync_parent(const char *path)
{
	AUTO(mem_free_drop) char *parent = parent_of(path);
	AUTO(fd_drop) int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 ? file_sync_dir(fd) : errno == EACCES;
}

/* mkdir, durable; fine if there is a directory already (or a link to one). */
static bool
make_dir(const char *path, mode_t mode)
{
	struct stat st;
	int code;

	if (mkdir(path, mode) == 0)
		return sync_parent(path);
	code = errno;
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return true;
	errno = code;
	return false;
}

bool
file_make_dirs(const char *path, mode_t mode, struct err *e)
{
	AUTO(mem_free_drop) char *copy = mem_strdup(path);

	for (char *p = copy + strspn(copy, "/"); *p;) {
		char *end = p + strcspn(p, "/");
		char kept = *end;

		*end = '\0';
		if (!make_dir(copy, mode))
			return failed(e, "cannot make directory", copy);
		*end = kept;
		p = end + strspn(end, "/");
	}
	return true;
}

bool
file_lock(int fd, bool exclusive, int64_t wait_ms, struct err *e)
{
	int64_t deadline = clock_ms() + wait_ms;

	while (flock(fd, (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) != 0) {
		int left = clock_left(deadline);

		if (errno == EWOULDBLOCK && left == 0)
			return err_set(e, ERR_SYSTEM, "locked by another process");
		if (errno == EWOULDBLOCK)
			poll(NULL, 0, left < LOCK_TICK_MS ? left : LOCK_TICK_MS);
		else if (errno != EINTR)
			return failed(e, "cannot lock", "it");
	}
	return true;
}

void
file_unlock(int fd)
{
	flock(fd, LOCK_UN);
}
