/* SPDX-License-Identifier: MIT */
/*
 * luks_lock: the file is made only where it is missing and then opened for
 * reading: in a sticky directory the kernel refuses O_CREAT on another user's file, to
 * root too. It is never removed: whoever waits for it would hold a file that nobody sees.
 */
#include "luks/luks_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "base/file.h"

#define LOCK_DIR "/run/lock"

/* Ours to make, readable by all whatever the umask; somebody else may be faster. */
static void
make_file(const char *path)
{
	AUTO(fd_drop) int fd = -1;

	if (mkdir(LOCK_DIR, 01777) == 0)
		(void)chmod(LOCK_DIR, 01777);
	fd = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd >= 0)
		(void)fchmod(fd, 0644);
}

static bool
hold(int fd, const char *path, int64_t wait_ms, struct err *e)
{
	struct stat st;
	struct err why;

	if (fd < 0 || fstat(fd, &st) != 0)
		return err_errno(e, ERR_DISK, errno, "%s cannot be made or read", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_DISK, "%s is not a file", path);
	return file_lock(fd, true, wait_ms, &why) ||
	    err_set(e, ERR_HOST,
		"another arver is changing this disk and does not end; nothing was begun");
}

bool
luks_lock(const char *name, int64_t wait_ms, int *out_fd, struct err *e)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	AUTO(mem_free_drop) char *path = mem_printf(LOCK_DIR "/arver-%s", name);
	int fd = open(path, flags);

	if (fd < 0 && errno == ENOENT) {
		make_file(path);
		fd = open(path, flags);
	}
	if (!hold(fd, path, wait_ms, e)) {
		fd_drop(&fd);
		return false;
	}
	*out_fd = fd;
	return true;
}

bool
luks_lock_name(const char *device, struct str *out, struct err *e)
{
	struct stat st;

	if (stat(device, &st) != 0)
		return err_errno(e, ERR_DISK, errno, "%s cannot be seen", device);
	if (S_ISBLK(st.st_mode))
		str_addf(out, "%u:%u", major(st.st_rdev), minor(st.st_rdev));
	else
		str_addf(out, "%llu:%llu", (unsigned long long)st.st_dev,
		    (unsigned long long)st.st_ino);
	return true;
}
