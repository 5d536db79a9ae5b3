/* SPDX-License-Identifier: MIT */
/*
 * nearest: edit distance of at most a third of the word, and never above 3; or
 * the word is the beginning of the other, as user is of username.
 */
#include "inventory/nearest.h"

#include <stddef.h>
#include <string.h>
#include "base/mem.h"
#include "base/str.h"

#define MOST_EDITS 3
#define LEAST_START 3 /* bytes that are enough as the beginning of a word */

struct nearest
nearest_to(const char *word)
{
	size_t edits = (strlen(word) + 2) / 3;

	return (struct nearest){
		.word = word,
		.distance = (unsigned)(edits < MOST_EDITS ? edits : MOST_EDITS) + 1,
	};
}

/* Distance of the candidate, or n->distance if it is not nearer than the best so far. */
static unsigned
distance_of(const struct nearest *n, const char *candidate)
{
	size_t have = strlen(n->word), want = strlen(candidate);
	size_t longer = have > want ? have - want : want - have;

	if (n->distance <= 1)
		return n->distance;
	if (have >= LEAST_START && str_starts(candidate, n->word))
		return 1;
	return longer < n->distance ? str_distance(n->word, candidate, n->distance - 1)
				    : n->distance;
}

void
nearest_try(struct nearest *n, const char *candidate)
{
	unsigned d = distance_of(n, candidate);

	if (d < n->distance) {
		n->best = candidate;
		n->distance = d;
	}
}

char *
nearest_hint(const struct nearest *n)
{
	return n->best ? mem_printf(": did you mean '%.80s'?", n->best) : mem_strdup("");
}
