/* SPDX-License-Identifier: MIT */
/* works: one struct work per disk of a set, for the verbs that look at headers. */
#ifndef ARVER_WORKS_H
#define ARVER_WORKS_H

#include "arver/show.h"
#include "base/mem.h"
#include "run/work.h"

struct target_set;

/* Same order as the set. */
struct works {
	struct work **at;
	size_t n;
};

struct works *works_new(const struct target_set *set, int slot);
void works_free(struct works *w); /* wipes new keys */
DROP(works, struct works)

/* After the run: `bad` of each work becomes the first row of its disk that ended badly, or NULL. */
void works_judge(struct works *w, const struct report *rep);

/* The slots of a mask as text: "5, 6". */
const char *works_slots(uint32_t mask, char out[128]);

#endif
