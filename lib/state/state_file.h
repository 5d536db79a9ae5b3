/* SPDX-License-Identifier: MIT */
/*
 * state_file: a file of the state directory (mode 0700, outside the shared one): lines of text
 * below a head that tells its kind and version. It is read, changed and replaced as a whole under a
 * lock on its directory, atomically and durably, so that two processes lose nothing of each other's.
 */
#ifndef STATE_STATE_FILE_H
#define STATE_STATE_FILE_H

#include <stdbool.h>
#include "base/err.h"
#include "base/str.h"

struct state_file {
	int dir;
	char *path;	  /* of the directory */
	const char *name; /* borrowed */
};

/*
 * `make`: the directory is made where it is missing. ERR_SYSTEM, errno kept, whatever is wrong with
 * it. End with state_file_done, also where this failed.
 */
MUST_CHECK bool state_file_open(const char *dir, const char *name, bool make,
    struct state_file *out, struct err *e);
void state_file_done(struct state_file *f);

/* Shared to read; exclusive from before reading until after replacing. ERR_SYSTEM after 30 s. */
MUST_CHECK bool state_file_lock(struct state_file *f, bool exclusive, struct err *e);
void state_file_unlock(struct state_file *f);

/* *there: false, and nothing appended, where there is no such file. */
MUST_CHECK bool state_file_read(const struct state_file *f, bool *there, struct str *out,
    struct err *e);
/* ERR_SYSTEM, the file as it was, also for a text that is too large (64 MiB) to be read again. */
MUST_CHECK bool state_file_replace(const struct state_file *f, struct bytes text, struct err *e);

/* "DIR/NAME: " in front of the sentence. Returns false. */
bool state_file_blame(const struct state_file *f, struct err *e);

/*
 * The lines of a text behind its head ("arver-journal 1"), one by one, without their ends; `take`
 * may write into them. ERR_DATA names the line that it refuses; a head of another version is told as
 * that. Pure.
 */
MUST_CHECK bool state_file_lines(struct bytes text, const char *head,
    bool (*take)(void *arg, char *line), void *arg, struct err *e);

#endif
