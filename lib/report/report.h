/* SPDX-License-Identifier: MIT */
/*
 * report: what became of a plan, one row per step in the plan's order, and
 * the worst of it. A row is written by the worker of its lane, and read by others
 * once it is finished.
 */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include "base/err.h"
#include "base/str.h"
#include "plan/plan.h"

enum outcome {
	OUTCOME_NOT_BEGUN, /* no byte of it was sent */
	OUTCOME_DONE,	   /* done, and proven */
	OUTCOME_NEEDLESS,  /* there was nothing to do */
	OUTCOME_SKIPPED,   /* left out: no key of mine, or what it depends on is missing */
	OUTCOME_FAILED,	   /* tried, and not done */
	OUTCOME_UNKNOWN,   /* connection lost or deadline over in the middle */
};

struct row {
	const struct host *host;
	const struct step *step;
	enum outcome outcome;
	bool reached;	 /* the run has come to it: outcome is final */
	char note[128];	 /* a few words on how: "already open", "slot 3" */
	struct err err;	 /* why, unless done or needless */
	struct str output; /* STEP_HOOK: what it printed, escaped */
};

struct report {
	struct row *rows;
	size_t n;
	size_t *first; /* first[i]: row of the first step of lane i; first[plan->n] == n */
};

struct report *report_new(const struct plan *p);
void report_free(struct report *r);
DROP(report, struct report)

/* Row of step k of lane i. */
struct row *report_row(struct report *r, size_t lane, size_t k);

/* The last row of this kind and disk, or NULL. */
struct row *report_find(struct report *r, enum step_kind kind, const struct disk *d);

/* Is everything done or needless? */
bool report_all_done(const struct report *r);

#endif
