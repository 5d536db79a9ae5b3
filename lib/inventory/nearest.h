/* SPDX-License-Identifier: MIT */
/*
 * nearest: of all the words that could have been meant, the one that is most
 * like what was written, for "did you mean". A short word must be nearer than
 * a long one; among equals the first one tried is kept.
 */
#ifndef INVENTORY_NEAREST_H
#define INVENTORY_NEAREST_H

struct nearest {
	const char *word;  /* what was written */
	const char *best;  /* borrowed; NULL while nothing is like it */
	unsigned distance; /* of the best; before, one more than would do */
};

struct nearest nearest_to(const char *word);
void nearest_try(struct nearest *n, const char *candidate);
/* ": did you mean 'BEST'?" or "", for the end of a sentence; free(). */
char *nearest_hint(const struct nearest *n);

#endif
