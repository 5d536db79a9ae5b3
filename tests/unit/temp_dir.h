/* SPDX-License-Identifier: MIT */
/* temp_dir: a directory of a test's own below /tmp, removed with all that is in it. */
#ifndef TESTS_UNIT_TEMP_DIR_H
#define TESTS_UNIT_TEMP_DIR_H

#define TEMP_DIR_BYTES 64

/* Its path comes into `path`. Both return 0, or -1 with errno: what cmocka wants of a set-up. */
int temp_dir_make(char path[TEMP_DIR_BYTES]);
int temp_dir_remove(const char *path);

/* The set-up and tear-down of a test that has one in temp_dir. */
extern char temp_dir[TEMP_DIR_BYTES];
int temp_dir_begin(void **state);
int temp_dir_end(void **state);

#endif
