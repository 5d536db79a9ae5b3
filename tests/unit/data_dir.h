/* SPDX-License-Identifier: MIT */
/* data_dir: a data directory of a test, written from strings and gone with it. */
#ifndef TESTS_UNIT_DATA_DIR_H
#define TESTS_UNIT_DATA_DIR_H

#include "base/err.h"

struct inventory;

struct data_dir {
	char path[64]; /* below /tmp */
	int fd;
};

struct data_dir data_dir_make(void);
/* NULL as text removes the file. */
void data_dir_write(const struct data_dir *d, const char *name, const char *text);
void data_dir_done(struct data_dir *d); /* AUTO(data_dir_done) struct data_dir d = ... */

/* The inventory of these three files (NULL: no such file), or NULL and an error. */
struct inventory *data_dir_inventory(const char *users, const char *disks, const char *settings,
    struct err *e);
/* The test fails unless they are refused with ERR_DATA and this sentence. */
void data_dir_refused(const char *users, const char *disks, const char *settings, const char *want);

#endif
