/* SPDX-License-Identifier: MIT */
/* How far a phase has come: its lanes by their places, its disks by their rows. */
#include "base/clock.h"
#include "run/run_internal.h"

static void
count_host(const struct run *r, size_t i, struct run_progress *out)
{
	const struct lane_place *p = &r->places[i];
	int64_t ms = clock_ms() - p->since;

	switch (p->state) {
	case LANE_WAITING:
		out->away += p->tries > 0;
		out->waiting += p->tries == 0;
		break;
	case LANE_OK:
		out->done++;
		break;
	case LANE_FAILED:
		out->failed++;
		break;
	case LANE_RUNNING:
		out->running++;
		if (!out->slowest || ms > out->doing_ms) {
			out->slowest = r->plan->lanes[i].host;
			out->doing = p->doing;
			out->doing_ms = ms;
		}
	}
}

/* The steps of one disk in one phase are neighbours. */
static void
count_disks(const struct run *r, size_t i, struct run_progress *out)
{
	const struct lane_run *l = &r->lanes[i];
	const struct disk *counted = NULL;
	bool bad = false, over = true;

	for (size_t k = 0; k <= l->lane->n; k++) {
		const struct row *row = &l->rows[k];
		const struct step *s = k < l->lane->n ? &l->lane->steps[k] : NULL;
		const struct disk *d = s && s->phase == r->phase ? s->disk : NULL;

		if (counted && d != counted) {
			out->disks++;
			out->disks_failed += bad;
			out->disks_done += over && !bad;
		}
		if (d != counted)
			bad = false, over = true;
		counted = d;
		if (!d)
			continue;
		bad = bad || (row->reached && !outcome_is_good(row->outcome));
		over = over && row->reached;
	}
}

void
run_count(struct run *r, struct run_progress *out)
{
	*out = (struct run_progress){ 0 };
	for (size_t i = 0; i < r->plan->n; i++) {
		if (!r->places[i].due)
			continue;
		count_host(r, i, out);
		count_disks(r, i, out);
	}
}
