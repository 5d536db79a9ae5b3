/* SPDX-License-Identifier: MIT */
/* temp_dir: links are removed, not followed. */
#include "tests/unit/temp_dir.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int
temp_dir_make(char path[TEMP_DIR_BYTES])
{
	strcpy(path, "/tmp/arver-test.XXXXXX");
	return mkdtemp(path) ? 0 : -1;
}

static int
remove_entry(const char *path, const struct stat *st, int flag, struct FTW *at)
{
	(void)st, (void)flag, (void)at;
	return remove(path);
}

int
temp_dir_remove(const char *path)
{
	chmod(path, 0700); /* a test may have made it read-only */
	return nftw(path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

char temp_dir[TEMP_DIR_BYTES];

int
temp_dir_begin(void **state)
{
	(void)state;
	return temp_dir_make(temp_dir);
}

int
temp_dir_end(void **state)
{
	(void)state;
	return temp_dir_remove(temp_dir);
}
