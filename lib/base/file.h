/* SPDX-License-Identifier: MIT */
/*
 * file: files read whole and written whole. Reading follows no symbolic link
 * in the last component, takes regular files only and has a cap; writing is
 * atomic and durable: temporary file, fsync, rename, fsync of the directory.
 * Every descriptor is close-on-exec; EINTR is never seen above.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/err.h"
#include "base/str.h"

/* close() what is >= 0 and leave -1: AUTO(fd_drop) int fd = -1; */
void fd_drop(int *fd);

/* read()/write() that go on after EINTR; file_write_all writes every byte. */
ssize_t file_read_some(int fd, void *buf, size_t len);
bool file_write_all(int fd, struct bytes b); /* false: see errno */

/*
 * Open a directory for *at() calls. `path` may be a link; below the data
 * directory nothing is: file_open_dir_at follows none. errno is kept; ERR_DATA if
 * something else is there, else ERR_SYSTEM.
 */
MUST_CHECK bool file_open_dir(const char *path, int *out_fd, struct err *e);
MUST_CHECK bool file_open_dir_at(int dir, const char *name, int *out_fd, struct err *e);

/*
 * Append the file's whole content to *out. `name` is opened relative to `dir`
 * (AT_FDCWD works), without following a link, without blocking on a FIFO.
 * ERR_SYSTEM, with errno kept, if it cannot be opened or read; ERR_DATA if it is
 * a link, or no regular file, or has more than `cap` bytes.
 */
MUST_CHECK bool file_read_at(int dir, const char *name, size_t cap, struct str *out, struct err *e);

bool file_exists_at(int dir, const char *name);

/*
 * Put `content` in place as `name` in `dir`, atomically: a temporary file
 * ".arver-<random>" in `tmp_dir` (the same file system; may equal `dir`), mode
 * as given, fsync, rename, fsync of `dir`. On failure nothing stands
 * in `dir` that was not there before and the temporary file is gone; only if
 * that last fsync fails does the content stand there, but may not last.
 */
struct file_place {
	int tmp_dir, dir;
	const char *name;
	mode_t mode;
};
MUST_CHECK bool file_replace(const struct file_place *at, struct bytes content, struct err *e);

/* fsync of a directory; fine on file systems that cannot do that. False with errno. */
MUST_CHECK bool file_sync_dir(int dir);

/*
 * Remove what file_replace of a process that was killed has left in its temporary directory. For
 * whoever holds the lock under which it is used: nobody else's file is there then.
 */
void file_sweep(int tmp_dir);

/* unlink, then fsync of `dir`; a file that is not there is fine. */
MUST_CHECK bool file_remove_at(int dir, const char *name, struct err *e);

/* *out becomes the names in a directory, sorted by bytes, without "." and "..". */
MUST_CHECK bool file_list_dir(int dir, struct argv *out, struct err *e);

/* mkdir -p with `mode` (less the umask) for what is new; durable. */
MUST_CHECK bool file_make_dirs(const char *path, mode_t mode, struct err *e);

/*
 * flock() the open descriptor, waiting at most wait_ms for another process;
 * released when the descriptor is closed or by file_unlock. ERR_SYSTEM when
 * the time is over.
 */
MUST_CHECK bool file_lock(int fd, bool exclusive, int64_t wait_ms, struct err *e);
void file_unlock(int fd);

#endif
