/* SPDX-License-Identifier: MIT */
/*
 * progress: the live line on a terminal, below everything else that is printed: how far a phase
 * has come. It is drawn in one write, stands only while a phase runs that takes
 * longer than PROGRESS_AFTER_MS, and is gone before any line is printed. One for the process.
 */
#ifndef ARVER_PROGRESS_H
#define ARVER_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include "run/run.h"

struct options;
struct str;

/* A phase that is over by then shows no line: it would only flicker. */
#define PROGRESS_AFTER_MS 500

/*
 * There will be a line if stderr is a terminal that knows how to erase one, and neither -q, --vv
 * nor --json is given. Log lines erase it from now on. Before threads start.
 */
void progress_init(const struct options *o);

/* run_phase(), with the line while it takes. */
void progress_phase(struct run *r, unsigned phase);

/* Draw it anew, on the main thread, in a phase. */
void progress_show(const struct run_progress *p);

/* Draw it again as it was, if it was erased by a line that is printed now. */
void progress_show_again(void);

/* Away with it, before something is printed. Any thread, signal handlers too. */
void progress_erase(void);

/* What it says: "hosts 12/20 (1 failed), disks 40/64, colo/web1/data: opening, 12 s". Pure. */
void progress_text(const struct run_progress *p, struct str *out);

/* Cut UTF-8 text to at most `columns` of a terminal, the last three then "...". Pure. */
void progress_cut(struct str *text, unsigned columns);

#endif
