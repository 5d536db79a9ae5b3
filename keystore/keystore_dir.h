/* SPDX-License-Identifier: MIT */
/*
 * keystore_dir: the directories of key files, below keystore*.c: what may be
 * opened, listed, written and removed there. No GPG, no secrets. Never
 * follows a link below the data directory.
 */
#ifndef KEYSTORE_KEYSTORE_DIR_H
#define KEYSTORE_KEYSTORE_DIR_H

#include <sys/types.h>
#include "keystore/keystore.h"

/*
 * A sentence to the person, where there is somebody to tell it: keystore_warn(o, "format", ...).
 * struct err has the rule of what may stand in one.
 */
#define keystore_warn(o, ...)                                                                      \
	do {                                                                                       \
		struct err said_ = { 0 };                                                          \
		err_set(&said_, ERR_NONE, __VA_ARGS__);                                            \
		if ((o)->warn)                                                                     \
			(o)->warn((o)->warn_arg, said_.text);                                      \
	} while (0)

/*
 * So many files of one kind are told one by one, the others by their number: whoever can write the
 * directory could hide with a flood of them what else is said.
 */
#define KEYSTORE_TOLD 10

/* May this be the name of an admin's directory, or of a key file in it? */
bool keystore_dir_admin_ok(const char *name);
bool keystore_dir_file_ok(const char *name);

/* flock the data directory, through a descriptor of its own: closing it unlocks. */
MUST_CHECK bool keystore_dir_lock(const struct keystore_options *o, bool exclusive, int *out_fd,
    struct err *e);

/* keys/ADMIN or, where only that is there, keys/ADMIN.bak with a warning; -1 if neither. */
MUST_CHECK bool keystore_dir_open(const struct keystore_options *o, const char *admin, int *out_fd,
    struct err *e);

/*
 * keys/ADMIN to change it, exclusively locked: a lone keys/ADMIN.bak gets its name back first.
 * With `create` it is made where it is missing, else *out_fd is -1 then.
 */
MUST_CHECK bool keystore_dir_open_to_change(const struct keystore_options *o, const char *admin,
    bool create, int *out_fd, struct err *e);

/* The directory of that name below `at`, made and made durable where it is missing. */
MUST_CHECK bool keystore_dir_make(int at, const char *name, mode_t mode, int *out_fd,
    struct err *e);

/*
 * Names of the key files in an open keys/ADMIN, sorted. What does not belong there (a name with
 * a dot in front, a directory, a link) is left out and, with `tell`, warned of; of names with
 * control characters always.
 */
MUST_CHECK bool keystore_dir_list(const struct keystore_options *o, const char *admin, int dir,
    bool tell, struct argv *out, struct err *e);

#endif
