/* SPDX-License-Identifier: MIT */
/* Rows of a plan: made with it, one per step, all of them "not begun" at first. */
#include "report/report.h"

#include <stdlib.h>

struct report *
report_new(const struct plan *p)
{
	struct report *r = mem_alloc(1, sizeof(*r));

	r->first = mem_alloc(p->n + 1, sizeof(*r->first));
	for (size_t i = 0; i < p->n; i++)
		r->first[i + 1] = r->first[i] + p->lanes[i].n;
	r->n = r->first[p->n];
	r->rows = mem_alloc(r->n, sizeof(*r->rows));
	for (size_t i = 0; i < p->n; i++)
		for (size_t k = 0; k < p->lanes[i].n; k++) {
			struct row *row = report_row(r, i, k);

			row->host = p->lanes[i].host;
			row->step = &p->lanes[i].steps[k];
		}
	return r;
}

void
report_free(struct report *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n; i++)
		str_done(&r->rows[i].output);
	free(r->rows);
	free(r->first);
	free(r);
}

struct row *
report_row(struct report *r, size_t lane, size_t k)
{
	return &r->rows[r->first[lane] + k];
}

struct row *
report_find(struct report *r, enum step_kind kind, const struct disk *d)
{
	for (size_t i = r->n; i-- > 0;)
		if (r->rows[i].step->kind == kind && r->rows[i].step->disk == d)
			return &r->rows[i];
	return NULL;
}

bool
report_all_done(const struct report *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->rows[i].outcome != OUTCOME_DONE && r->rows[i].outcome != OUTCOME_NEEDLESS)
			return false;
	return true;
}
