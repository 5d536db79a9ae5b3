/* SPDX-License-Identifier: MIT */
/*
 * Lanes to threads. Workers take the next lane (run_wait.c), do its steps of this phase
 * (run_lane.c), and post each finished row; the main thread hands the rows on until every
 * worker has returned.
 */
#include "run/run.h"

#include <stdlib.h>
#include "base/clock.h"
#include "base/log.h"
#include "run/run_internal.h"
#include "transport/pool.h"

/* A worker's frames are small; libssh and getaddrinfo want the rest. */
#define WORKER_STACK ((size_t)512 << 10)
#define DOOR_MS 1000 /* a login takes less, even at the other end of the world */

static void
set_defaults(struct run_options *o)
{
	o->jobs = o->jobs ? o->jobs : RUN_JOBS;
	o->command_ms = o->command_ms ? o->command_ms : RUN_COMMAND_MS;
	o->hook_ms = o->hook_ms ? o->hook_ms : RUN_HOOK_MS;
}

struct run *
run_begin(const struct run_options *o, const struct plan *plan, struct report *rep)
{
	struct run *r = mem_alloc(1, sizeof(*r));

	r->o = *o;
	set_defaults(&r->o);
	r->plan = plan;
	r->rep = rep;
	if (!r->o.pool)
		r->o.pool = r->own_pool = pool_new();
	r->lanes = mem_alloc(plan->n, sizeof(*r->lanes));
	r->places = mem_alloc(plan->n, sizeof(*r->places));
	r->wait_until = o->wait_ms > 0 ? clock_ms() + o->wait_ms : 0;
	pthread_mutex_init(&r->lock, NULL);
	clock_cond_init(&r->changed);
	for (size_t i = 0; i < plan->n; i++)
		lane_init(r, i);
	run_order(r);
	return r;
}

void
run_end(struct run *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->plan->n; i++)
		lane_done(&r->lanes[i]);
	pool_free(r->own_pool);
	pthread_cond_destroy(&r->changed);
	pthread_mutex_destroy(&r->lock);
	free(r->events);
	free(r->threads);
	free(r->places);
	free(r->lanes);
	free(r);
}

static void
log_row(const struct row *row)
{
	static const char *const kinds[] = {
		[STEP_STATUS] = "status", [STEP_HOOK] = "hook",	[STEP_OPEN] = "open",
		[STEP_CLOSE] = "close",	  [STEP_VERIFY] = "verify", [STEP_INFO] = "info",
		[STEP_SURVEY] = "survey", [STEP_PROBE] = "probe",   [STEP_FORMAT] = "format",
		[STEP_ADD] = "add",	  [STEP_KILL] = "kill",
	};
	static const char *const outcomes[] = { "not begun", "done", "nothing to do", "skipped",
		"failed", "unknown" };
	const struct step *s = row->step;

	log_debug("%s: %s, phase %u: %s%s%s", path_shown(s->disk ? s->disk->path : row->host->path),
	    kinds[s->kind], s->phase, outcomes[row->outcome], row->err.text[0] ? ": " : "",
	    row->err.text);
}

/* Under the lock. */
static void
tell(struct run *r, struct run_event event)
{
	struct run_event *e = mem_push(&r->events, &r->n_events, sizeof(*e));

	*e = event;
	pthread_cond_broadcast(&r->changed);
}

void
run_post(struct run *r, struct row *row)
{
	log_row(row);
	HOLD(&r->lock);
	row->reached = true;
	if (r->o.fail_fast && !outcome_is_good(row->outcome))
		r->stop = true;
	tell(r, (struct run_event){ .row = row });
}

void
run_post_away(struct run *r, size_t i)
{
	const struct lane_run *l = &r->lanes[i];
	struct err *why = mem_alloc(1, sizeof(*why));

	*why = l->why;
	HOLD(&r->lock);
	tell(r, (struct run_event){ .away = l->lane->host, .why = why });
}

void
run_post_note(struct run *r, const struct host *h, const char *text)
{
	HOLD(&r->lock);
	tell(r, (struct run_event){ .noted = h, .note = mem_strdup(text) });
}

bool
run_is_stopped(struct run *r, struct err *e)
{
	HOLD(&r->lock);
	if (r->o.cancel && atomic_load(r->o.cancel))
		return !err_set(e, ERR_CANCELLED, "not started: interrupted");
	if (r->stop)
		return !err_set(e, ERR_HOST, "not started: something else failed (--fail-fast)");
	return false;
}

void
run_wait_change(struct run *r, int64_t until)
{
	/* An interrupt wakes nobody: it is looked for this often. */
	int64_t soon = clock_ms() + RUN_PROGRESS_MS;

	clock_cond_wait(&r->changed, &r->lock, until < soon ? until : soon);
}

/* Lanes that have stood at a door for so long take nobody's place. Under the lock. */
static unsigned
at_doors(const struct run *r)
{
	unsigned n = 0;

	for (size_t i = 0; i < r->plan->n; i++) {
		const struct lane_place *p = &r->places[i];

		n += p->state == LANE_RUNNING && !p->doing && clock_ms() - p->since >= DOOR_MS;
	}
	return n;
}

/* This worker does nothing more but give the lock back. Under the lock. */
static void
leave(struct run *r)
{
	for (size_t i = 0; i < r->n_threads; i++)
		if (pthread_equal(r->threads[i].thread, pthread_self()))
			r->threads[i].ended = true;
	r->n_working--;
	pthread_cond_broadcast(&r->changed);
}

/* More workers than there may be: one was started while another's lane stood at a door. */
static bool
is_too_many(struct run *r)
{
	HOLD(&r->lock);
	if (r->n_working <= r->o.jobs || r->n_working <= r->o.jobs + at_doors(r))
		return false;
	leave(r);
	return true;
}

static void *
worker(void *arg)
{
	struct run *r = arg;

	for (size_t i; (i = run_next_lane(r)) != SIZE_MAX;) {
		run_end_turn(r, i, lane_do(r, i));
		if (is_too_many(r))
			return NULL;
	}
	HOLD(&r->lock);
	leave(r);
	return NULL;
}

/* Tell the verb of one event; the lock is not held meanwhile. */
static void
hand_on(struct run *r, struct run_event event)
{
	pthread_mutex_unlock(&r->lock);
	if (event.row && r->o.on_row)
		r->o.on_row(r->o.arg, event.row);
	if (event.away && r->o.on_away)
		r->o.on_away(r->o.arg, event.away, event.why);
	if (event.noted && r->o.on_note)
		r->o.on_note(r->o.arg, event.noted, event.note);
	free(event.why);
	free(event.note);
	pthread_mutex_lock(&r->lock);
}

static void
hand_on_progress(struct run *r)
{
	struct run_progress now;

	if (!r->o.on_progress)
		return;
	run_count(r, &now);
	pthread_mutex_unlock(&r->lock);
	r->o.on_progress(r->o.arg, &now);
	pthread_mutex_lock(&r->lock);
}

/* One more, or false. The lock is held, or no worker is there yet. */
static bool
start_worker(struct run *r)
{
	pthread_attr_t attr;
	struct worker *w = mem_push(&r->threads, &r->n_threads, sizeof(*w));
	bool ok;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, WORKER_STACK);
	ok = pthread_create(&w->thread, &attr, worker, r) == 0;
	pthread_attr_destroy(&attr);
	r->n_threads -= !ok;
	r->n_working += ok;
	return ok;
}

/* Under the lock: as many as may be, if there is something for them to do. */
static void
start_workers(struct run *r)
{
	size_t waiting = 0, idle = r->n_working;

	for (size_t i = 0; i < r->plan->n; i++) {
		waiting += r->places[i].state == LANE_WAITING;
		idle -= r->places[i].state == LANE_RUNNING;
	}
	while (waiting > idle && r->n_working < r->o.jobs + at_doors(r) && start_worker(r))
		idle++;
}

/* Under the lock, which those that have ended want no more: a long wait starts many in turn. */
static void
join_ended(struct run *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n_threads; i++) {
		if (r->threads[i].ended)
			pthread_join(r->threads[i].thread, NULL);
		else
			r->threads[n++] = r->threads[i];
	}
	r->n_threads = n;
}

/* Hand events to the verb until no worker is left. Main thread. */
static void
drain(struct run *r)
{
	int64_t next = clock_ms() + RUN_PROGRESS_MS;
	size_t seen = 0;

	pthread_mutex_lock(&r->lock);
	while (seen < r->n_events || r->n_working > 0) {
		if (clock_left(next) == 0) {
			if (r->o.cancel && atomic_load(r->o.cancel))
				pool_shut(r->o.pool);
			join_ended(r);
			start_workers(r);
			hand_on_progress(r);
			next = clock_ms() + RUN_PROGRESS_MS;
		} else if (seen < r->n_events) {
			hand_on(r, r->events[seen++]);
		} else {
			run_wait_change(r, next);
		}
	}
	r->n_events = 0;
	join_ended(r); /* that is all */
	pthread_mutex_unlock(&r->lock);
}

void
run_phase(struct run *r, unsigned phase)
{
	r->phase = phase;
	r->first_waiting = 0;
	for (size_t i = 0; i < r->plan->n; i++) {
		bool due = lane_has_steps(&r->lanes[i], phase);

		lane_begin_phase(&r->lanes[i]);
		r->places[i] = (struct lane_place){ .state = due ? LANE_WAITING : LANE_OK,
			.due = due };
	}
	pthread_mutex_lock(&r->lock);
	start_workers(r);
	pthread_mutex_unlock(&r->lock);
	if (r->n_threads == 0) { /* nothing to do, or no thread to be had: do it all on this one */
		r->n_working = 1;
		worker(r);
	}
	drain(r);
}
