/* SPDX-License-Identifier: MIT */
/*
 * Whose turn it is: order between lanes (`after`), and hosts that do not answer yet. Such a lane
 * goes back among those that wait, so that its worker is free for others, and is tried again
 * at growing, uneven distances: a site that comes up is not hit by all at once.
 */
#include "run/run_internal.h"

#include <stdlib.h>
#include "base/clock.h"

#define FIRST_PAUSE_MS 500
#define LONGEST_PAUSE_MS 8000

/* --- order --- */

static void
comes_first(struct run *r, size_t lane, size_t first)
{
	struct lane_run *l = &r->lanes[lane];

	*(size_t *)mem_push(&l->first, &l->n_first, sizeof(size_t)) = first;
}

void
run_order(struct run *r)
{
	const struct plan *p = r->plan;
	size_t n_hosts = 0;

	for (size_t i = 0; i < p->n; i++)
		if (p->lanes[i].host->index >= n_hosts)
			n_hosts = p->lanes[i].host->index + 1;
	AUTO(mem_free_drop) size_t *lane_of = mem_alloc(n_hosts, sizeof(*lane_of)); /* + 1 */

	for (size_t i = 0; i < p->n; i++)
		lane_of[p->lanes[i].host->index] = i + 1;
	for (size_t i = 0; p->order != PLAN_UNORDERED && i < p->n; i++) {
		const struct host *h = p->lanes[i].host;

		for (size_t k = 0; k < h->n_after; k++) {
			size_t other = h->after[k]->index < n_hosts ? lane_of[h->after[k]->index] : 0;

			if (other && p->order == PLAN_AFTER)
				comes_first(r, i, other - 1);
			else if (other)
				comes_first(r, other - 1, i);
		}
	}
}

/* The worst state of those that lane i waits for, and whose it is. */
static enum lane_state
predecessors(const struct run *r, size_t i, const struct host **who)
{
	enum lane_state worst = LANE_OK;

	for (size_t k = 0; k < r->lanes[i].n_first; k++) {
		size_t first = r->lanes[i].first[k];
		enum lane_state state = r->places[first].state;

		if (state == LANE_OK || worst == LANE_FAILED)
			continue;
		worst = state == LANE_FAILED ? LANE_FAILED : LANE_WAITING;
		*who = r->plan->lanes[first].host;
	}
	return worst;
}

/* Is it lane i's turn, its predecessors being over? */
static bool
is_free(struct run *r, size_t i)
{
	const struct host *who = NULL;
	enum lane_state before = predecessors(r, i, &who);

	if (before == LANE_FAILED && !r->lanes[i].ended) {
		r->lanes[i].ended = true;
		err_set(&r->lanes[i].why, ERR_HOST, "not started, because %s comes first and failed",
		    path_shown(who->path));
	}
	return before != LANE_WAITING;
}

/* --- hosts that do not answer yet --- */

static bool
is_cancelled(const struct run *r)
{
	return r->stop || (r->o.cancel && atomic_load(r->o.cancel));
}

bool
run_may_wait(struct run *r, size_t i)
{
	struct lane_place *p = &r->places[i];
	int64_t pause = FIRST_PAUSE_MS << (p->tries < 8 ? p->tries : 8);
	bool first;

	if (clock_left(r->wait_until) == 0)
		return false;
	pause = clock_uneven(pause < LONGEST_PAUSE_MS ? pause : LONGEST_PAUSE_MS);
	pthread_mutex_lock(&r->lock);
	first = p->tries++ == 0;
	/* The last try is when the time is over. */
	p->not_before = clock_ms() + pause;
	if (p->not_before > r->wait_until)
		p->not_before = r->wait_until;
	pthread_mutex_unlock(&r->lock);
	if (first)
		run_post_away(r, i);
	return true;
}

/* --- turns --- */

/* Of two lanes that may run, the one that was tried less often; then the first. */
static bool
is_better(const struct run *r, size_t i, size_t than)
{
	return than == SIZE_MAX || r->places[i].tries < r->places[than].tries;
}

size_t
run_next_lane(struct run *r)
{
	HOLD(&r->lock);
	for (;;) {
		int64_t next = INT64_MAX;
		bool waiting = false;
		size_t best = SIZE_MAX;

		while (r->first_waiting < r->plan->n && r->places[r->first_waiting].state != LANE_WAITING)
			r->first_waiting++;
		for (size_t i = r->first_waiting; i < r->plan->n; i++) {
			struct lane_place *p = &r->places[i];

			if (best != SIZE_MAX && r->places[best].tries == 0)
				break; /* there is no better one */
			if (p->state != LANE_WAITING)
				continue;
			waiting = true;
			if (!is_better(r, i, best) || !is_free(r, i))
				continue;
			if (clock_left(p->not_before) == 0 || is_cancelled(r))
				best = i;
			else if (p->not_before < next)
				next = p->not_before;
		}
		if (best != SIZE_MAX) {
			r->places[best].state = LANE_RUNNING;
			r->places[best].doing = NULL;
			r->places[best].since = clock_ms();
			return best;
		}
		if (!waiting)
			return SIZE_MAX;
		run_wait_change(r, next);
	}
}

void
run_doing(struct run *r, size_t i, const struct step *step)
{
	HOLD(&r->lock);
	r->places[i].doing = step;
	r->places[i].since = clock_ms();
}

void
run_end_turn(struct run *r, size_t i, enum lane_end end)
{
	static const enum lane_state states[] = {
		[LANE_WENT_WELL] = LANE_OK,
		[LANE_WENT_BADLY] = LANE_FAILED,
		[LANE_AWAY] = LANE_WAITING,
	};

	HOLD(&r->lock);
	r->places[i].state = states[end];
	if (end == LANE_AWAY && i < r->first_waiting)
		r->first_waiting = i;
	pthread_cond_broadcast(&r->changed);
}
