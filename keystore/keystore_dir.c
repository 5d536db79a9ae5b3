/* SPDX-License-Identifier: MIT */
/*
 * keystore_dir: keys/, keys/ADMIN and the lock. A directory is opened once and
 * then used by its descriptor, so what is checked is what is used. Every name that
 * is made or moved is synced in its parent before anyone relies on it.
 */
#include "keystore/keystore_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/file.h"

#define LOCK_WAIT_MS 30000

/* A line break in a name would make two lines of it in a journal. */
static bool
has_controls(const char *name)
{
	for (; *name; name++)
		if ((unsigned char)*name < 0x20 || *name == 0x7f)
			return true;
	return false;
}

bool
keystore_dir_file_ok(const char *name)
{
	return name[0] && name[0] != '.' && !strchr(name, '/') && !has_controls(name);
}

bool
keystore_dir_admin_ok(const char *name)
{
	return keystore_dir_file_ok(name) && name[0] != '-' && !str_equal(name, "public") &&
	    !str_ends(name, ".bak");
}

bool
keystore_dir_lock(const struct keystore_options *o, bool exclusive, int *out_fd, struct err *e)
{
	AUTO(fd_drop) int fd = -1;

	if (!file_open_dir_at(o->dir, ".", &fd, e) ||
	    !file_lock(fd, exclusive, LOCK_WAIT_MS, e))
		return err_wrap(e, "the data directory");
	*out_fd = fd;
	fd = -1;
	return true;
}

/* Open a directory that may be missing: *out_fd is -1 then. */
static bool
open_if_there(int at, const char *name, int *out_fd, struct err *e)
{
	if (file_open_dir_at(at, name, out_fd, e))
		return true;
	*out_fd = -1;
	return errno == ENOENT;
}

static bool
open_admin(int keys, const char *name, int *out_fd, struct err *e)
{
	if (open_if_there(keys, name, out_fd, e))
		return true;
	if (errno != ENOTDIR)
		return err_wrap(e, "keys");
	return err_set(e, ERR_DATA, "keys/%s is not a directory itself: look who put it there "
	    "(`git log keys`), and remove it", name);
}

static bool
open_keys(const struct keystore_options *o, int *out_fd, struct err *e)
{
	return open_if_there(o->dir, "keys", out_fd, e);
}

bool
keystore_dir_open(const struct keystore_options *o, const char *admin, int *out_fd, struct err *e)
{
	AUTO(mem_free_drop) char *backup = mem_printf("%s.bak", admin);
	AUTO(fd_drop) int keys = -1;

	*out_fd = -1;
	if (!open_keys(o, &keys, e))
		return false;
	if (keys < 0)
		return true;
	if (!open_admin(keys, admin, out_fd, e))
		return false;
	if (*out_fd >= 0)
		return true;
	if (!open_admin(keys, backup, out_fd, e))
		return false;
	if (*out_fd >= 0)
		keystore_warn(o, "keys/%s is missing (did a Ruby Arver crash?): keys/%s is read "
		    "instead", admin, backup);
	return true;
}

static bool
sync_fd(int fd, const char *name, struct err *e)
{
	return file_sync_dir(fd) ||
	    err_errno(e, ERR_SYSTEM, errno, "cannot sync the directory of %s", name);
}

bool
keystore_dir_make(int at, const char *name, mode_t mode, int *out_fd, struct err *e)
{
	if (mkdirat(at, name, mode) == 0) {
		if (!sync_fd(at, name, e))
			return false;
	} else if (errno != EEXIST) {
		return err_errno(e, ERR_SYSTEM, errno, "cannot make directory %s", name);
	}
	return file_open_dir_at(at, name, out_fd, e);
}

/* Give a lone ADMIN.bak its name back: Ruby Arver would remove it next to an ADMIN. */
static bool
restore(int keys, const char *admin, struct err *e)
{
	AUTO(mem_free_drop) char *backup = mem_printf("%s.bak", admin);

	if (file_exists_at(keys, admin) || !file_exists_at(keys, backup))
		return true;
	if (renameat(keys, backup, keys, admin) != 0)
		return err_errno(e, ERR_SYSTEM, errno, "cannot rename keys/%s", backup);
	return sync_fd(keys, admin, e);
}

bool
keystore_dir_open_to_change(const struct keystore_options *o, const char *admin, bool create,
    int *out_fd, struct err *e)
{
	AUTO(fd_drop) int keys = -1;

	*out_fd = -1;
	if (create ? !keystore_dir_make(o->dir, "keys", 0777, &keys, e) : !open_keys(o, &keys, e))
		return false;
	if (keys < 0)
		return true;
	if (!restore(keys, admin, e))
		return false;
	return create ? keystore_dir_make(keys, admin, 0777, out_fd, e) || err_wrap(e, "keys")
		      : open_admin(keys, admin, out_fd, e);
}

static void
warn_passed_over(const struct keystore_options *o, const char *admin, const char *name)
{
	AUTO(str_done) struct str safe = { 0 };

	str_add_escaped(&safe, bytes_of(name), NAME_MAX);
	keystore_warn(o, "keys/%s/%s is no key file and was passed over", admin, str_text(&safe));
}

bool
keystore_dir_list(const struct keystore_options *o, const char *admin, int dir, bool tell,
    struct argv *out, struct err *e)
{
	AUTO(argv_done) struct argv names = { 0 };
	size_t n_passed_over = 0;

	if (!file_list_dir(dir, &names, e))
		return err_wrap(e, "keys/%s", admin);
	for (size_t i = 0; i < names.n; i++) {
		struct stat st;

		if (fstatat(dir, names.at[i], &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue; /* gone meanwhile */
		if (keystore_dir_file_ok(names.at[i]) && S_ISREG(st.st_mode))
			argv_add(out, names.at[i]);
		else if ((tell || has_controls(names.at[i])) && n_passed_over++ < KEYSTORE_TOLD)
			warn_passed_over(o, admin, names.at[i]);
	}
	if (n_passed_over > KEYSTORE_TOLD)
		keystore_warn(o, "keys/%s: %zu more are no key files and were passed over", admin,
		    n_passed_over - KEYSTORE_TOLD);
	return true;
}
