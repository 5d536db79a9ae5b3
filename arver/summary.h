/* SPDX-License-Identifier: MIT */
/* summary: what went wrong on many hosts, by reason: how many, which, and what to do next. Pure. */
#ifndef ARVER_SUMMARY_H
#define ARVER_SUMMARY_H

#include <stddef.h>
#include "base/err.h"
#include "base/str.h"

struct disk;

/* Zero-initialize; disks are borrowed. */
struct summary {
	struct failure {
		const struct disk *disk;
		enum err_kind kind;
	} *at;
	size_t n;
	size_t *places; /* by index of the disk: where it is, and 1; 0: nowhere */
	size_t n_places;
};

void summary_done(struct summary *s);

/* A disk that is not as asked, or its hook. What was added first counts, and is returned. */
enum err_kind summary_add(struct summary *s, const struct disk *d, enum err_kind kind);

/*
 * A line for each reason: "2 hosts do not answer: colo/web7, colo/web9: run the same
 * command again", names in the inventory's order. None where all of it happened on one host: that can be seen at a glance.
 */
void summary_lines(struct summary *s, struct argv *out);

/* What a person can do about such a failure. */
const char *summary_next(enum err_kind kind);

#endif
