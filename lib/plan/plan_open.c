/* SPDX-License-Identifier: MIT */
/*
 * What opening and closing mean: hooks of the host around hooks of each disk around the
 * mapping itself. Closing is opening backwards.
 */
#include "plan/plan.h"
#include "target/target.h"

/* The disks of one host are neighbours in a set: [first, end). */
static size_t
host_end(const struct target_set *set, size_t first)
{
	size_t end = first;

	while (end < set->n && set->at[end]->host == set->at[first]->host)
		end++;
	return end;
}

static void
open_disk(struct plan *p, const struct disk *d)
{
	plan_hook(p, d->host, d, HOOK_PRE_OPEN);
	plan_step(p, d->host, (struct step){ .kind = STEP_OPEN, .disk = d,
	    .when = "if closed, and if you hold a key" });
	plan_hook(p, d->host, d, HOOK_POST_OPEN);
}

void
plan_open(struct plan *p, const struct target_set *set)
{
	p->order = PLAN_AFTER;
	for (size_t i = 0, end; i < set->n; i = end) {
		const struct host *host = set->at[i]->host;

		end = host_end(set, i);
		plan_step(p, host, (struct step){ .kind = STEP_STATUS });
		plan_hook(p, host, NULL, HOOK_PRE_OPEN);
		for (size_t k = i; k < end; k++)
			open_disk(p, set->at[k]);
		plan_hook(p, host, NULL, HOOK_POST_OPEN);
	}
}

static void
close_disk(struct plan *p, const struct disk *d)
{
	plan_hook(p, d->host, d, HOOK_PRE_CLOSE);
	plan_step(p, d->host, (struct step){ .kind = STEP_CLOSE, .disk = d, .when = "if open" });
	plan_hook(p, d->host, d, HOOK_POST_CLOSE);
}

void
plan_close(struct plan *p, const struct target_set *set)
{
	p->order = PLAN_BEFORE;
	for (size_t i = 0, end; i < set->n; i = end) {
		const struct host *host = set->at[i]->host;

		end = host_end(set, i);
		plan_step(p, host, (struct step){ .kind = STEP_STATUS });
		plan_hook(p, host, NULL, HOOK_PRE_CLOSE);
		for (size_t k = end; k-- > i;)
			close_disk(p, set->at[k]);
		plan_hook(p, host, NULL, HOOK_POST_CLOSE);
	}
}
