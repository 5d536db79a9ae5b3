/* SPDX-License-Identifier: MIT */
/*
 * The plan itself: lanes by host, steps appended in the order in which they
 * will be done. No verb's knowledge lives here: plan_<verb>.c has that.
 */
#include "plan/plan.h"

#include <stdlib.h>

struct plan *
plan_new(const char *verb)
{
	struct plan *p = mem_alloc(1, sizeof(*p));

	p->verb = verb;
	p->n_phases = 1;
	return p;
}

void
plan_free(struct plan *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n; i++)
		free(p->lanes[i].steps);
	free(p->lanes);
	free(p);
}

/* Disks come host by host: the lane is the last one, or new. */
static struct lane *
lane_of(struct plan *p, const struct host *host)
{
	if (p->n > 0 && p->lanes[p->n - 1].host == host)
		return &p->lanes[p->n - 1];
	struct lane *lane = mem_push(&p->lanes, &p->n, sizeof(*lane));

	lane->host = host;
	return lane;
}

void
plan_step(struct plan *p, const struct host *host, struct step step)
{
	struct lane *lane = lane_of(p, host);
	struct step *s = mem_push(&lane->steps, &lane->n, sizeof(*s));

	*s = step;
	if (step.phase >= p->n_phases)
		p->n_phases = step.phase + 1;
}

void
plan_hook(struct plan *p, const struct host *host, const struct disk *disk, enum hook_kind hook)
{
	static const char *const when[HOOK_KINDS] = {
		[HOOK_PRE_OPEN] = "if closed, and if you hold a key",
		[HOOK_POST_OPEN] = "if opened now",
		[HOOK_PRE_CLOSE] = "if open",
		[HOOK_POST_CLOSE] = "if closed now",
	};
	static const char *const host_when[HOOK_KINDS] = {
		[HOOK_POST_OPEN] = "if every disk tried here is open",
		[HOOK_POST_CLOSE] = "if every disk tried here is closed",
	};
	const struct hook *h = disk ? &disk->hooks[hook] : &host->hooks[hook];

	if (h->words.n > 0)
		plan_step(p, host, (struct step){ .kind = STEP_HOOK, .disk = disk, .hook = hook,
		    .when = disk ? when[hook] : host_when[hook] });
}

bool
plan_needs_keys(const struct plan *p)
{
	for (size_t i = 0; i < p->n; i++)
		for (size_t k = 0; k < p->lanes[i].n; k++)
			switch (p->lanes[i].steps[k].kind) {
			case STEP_OPEN:
			case STEP_VERIFY:
			case STEP_SURVEY:
			case STEP_PROBE:
				return true;
			default:
				break;
			}
	return false;
}
