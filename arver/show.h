/* SPDX-License-Identifier: MIT */
/*
 * show: plans and results. What was asked for goes to stdout, as text or, with --json, as events
 * (json.h); what went wrong to stderr, with the name of its object. One line per disk, aligned.
 */
#ifndef ARVER_SHOW_H
#define ARVER_SHOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "arver/summary.h"
#include "report/report.h"

struct app;
struct disk;
struct err;
struct host;
struct options;
struct pin;
struct pin_changes;
struct plan;
struct target_set;

/* How results of one command are shown. */
struct show {
	FILE *json;		 /* where events go; NULL: text is printed */
	bool quiet, verbose, colour;
	int width;		 /* of the longest path */
	struct err **told;	 /* of each host, by its index, the error that was told last, or NULL */
	size_t n_told;
	size_t n_bad, n_all;	 /* disks */
	bool only_refused;	 /* everything bad was refused for safety */
	struct summary summary;
};

/* From the command line; before anything is shown. */
void show_init(struct show *s, const struct options *o);
void show_done(struct show *s);

/* --dry-run: host by host, step by step. */
void show_plan(FILE *json, const struct plan *p);

/* What it is about; then what will be done. False with --dry-run: the plan was all there is to show. */
void show_begin(struct app *app, const struct target_set *set);
MUST_CHECK bool show_go(struct app *app, const struct plan *p);

/*
 * A host or an admin is not as remembered, a line for each field; notes if that is accepted, else
 * errors. `was` is NULL for what was never seen here. (show_changes.c)
 */
void show_changes(struct show *s, const struct pin *was, const struct pin *is,
    const struct pin_changes *changes, bool accepted);

/* May there be colours on this descriptor? A terminal, and NO_COLOR empty. */
bool show_may_colour(int fd);

/* A host that does not answer yet, and is tried again for `wait_ms` in all. */
void show_away(struct show *s, const struct host *h, const struct err *why, int64_t wait_ms);

/* What a person must hear of a host, a sentence: its key was stored. */
void show_note(struct show *s, const struct host *h, const char *text);

/* A finished row; for events only. */
void show_row(struct show *s, const struct row *row);

/* "colo/web1/data  opened (slot 3)"; `note` may be "". Counts a disk as good. */
void show_good(struct show *s, const struct disk *d, const char *word, const char *note);

/* What a disk is that did not end well: skipped, unknown, not begun, or `failed`. */
const char *show_word(enum outcome o, const char *failed);

/*
 * "error: colo/web1/data: not opened: ..."; what ended all of a
 * host is told once for it. Counts a disk as bad.
 */
void show_bad(struct show *s, const struct disk *d, const char *word, const struct err *e);

/* A finished step of the host itself, or a hook, that a person should hear of. */
void show_host_row(struct show *s, const struct row *row);

/* The last lines, where something went wrong, and the exit status. */
int show_summary(struct show *s, const char *not_as_asked);

/* What stopped everything, and the exit status that follows. */
void show_error(struct show *s, const struct err *e, int status);

/* Nothing comes behind it. */
void show_end(struct show *s, int status);

#endif
