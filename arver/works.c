/* SPDX-License-Identifier: MIT */
/* One work per disk. */
#include "arver/works.h"

#include <stdio.h>
#include <stdlib.h>
#include "report/report.h"
#include "target/target.h"

struct works *
works_new(const struct target_set *set, int slot)
{
	struct works *w = mem_alloc(1, sizeof(*w));

	w->at = mem_alloc(set->n, sizeof(struct work *));
	w->n = set->n;
	for (size_t i = 0; i < set->n; i++) {
		w->at[i] = mem_alloc(1, sizeof(*w->at[i]));
		work_init(w->at[i], set->at[i]);
		w->at[i]->slot = slot;
	}
	return w;
}

void
works_free(struct works *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < w->n; i++) {
		work_done(w->at[i]);
		free(w->at[i]);
	}
	free(w->at);
	free(w);
}

void
works_judge(struct works *w, const struct report *rep)
{
	for (size_t i = 0; i < w->n; i++)
		w->at[i]->bad = NULL;
	for (size_t i = rep->n; i-- > 0;) {
		const struct row *row = &rep->rows[i];

		if (row->step->work && row->reached && row->outcome != OUTCOME_DONE &&
		    row->outcome != OUTCOME_NEEDLESS)
			row->step->work->bad = row;
	}
}

/* 32 slots of two digits with ", " between them are 126 bytes. */
const char *
works_slots(uint32_t mask, char out[128])
{
	size_t n = 0;

	out[0] = '\0';
	for (int s = 0; s < LUKS_MAX_SLOTS; s++)
		if (mask >> s & 1)
			n += (size_t)snprintf(out + n, 128 - n, "%s%d", n ? ", " : "", s);
	return out;
}
