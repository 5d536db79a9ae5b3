/* SPDX-License-Identifier: MIT */
/*
 * Lanes to threads. Workers take the next lane whose predecessors have
 * succeeded, do its steps of this phase, and post each finished row; the main thread hands the
 * rows on until every lane has ended. What a worker may not start any more is
 * left "not begun", with the reason.
 */
#include "run/run.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/log.h"
#include "run/run_internal.h"

/* A worker's frames are small; libssh and getaddrinfo want the rest. */
#define WORKER_STACK ((size_t)512 << 10)

enum lane_state { LANE_WAITING, LANE_RUNNING, LANE_OK, LANE_FAILED };

struct run {
	struct run_options o;
	const struct plan *plan;
	struct report *rep;
	struct lane_run *lanes;
	size_t *lane_of_host;		/* by host->index: lane + 1, or 0 */
	size_t n_hosts;

	pthread_mutex_t lock;		/* for all below */
	pthread_cond_t changed;
	enum lane_state *states;
	const struct row **events;	/* finished rows that the main thread has not seen */
	size_t n_events;
	unsigned phase;
	unsigned n_working;		/* workers that have not returned */
	bool stop;			/* --fail-fast */
};

static struct transport *
new_transport(const struct run *r, const struct host *h)
{
	struct transport_spec spec = {
		.name = path_shown(h->path),
		.address = h->address,
		.port = h->port,
		.user = host_login(h, r->o.arver_user),
		.connect_ms = h->connect_ms ? h->connect_ms : r->o.connect_ms,
	};

	return h->transport == TRANSPORT_LOCAL ? transport_local_new(&spec)
					       : transport_ssh_new(&spec);
}

static void
lane_init(struct run *r, size_t i)
{
	struct lane_run *l = &r->lanes[i];
	const struct lane *lane = &r->plan->lanes[i];
	const struct host *h = lane->host;
	int64_t limit = h->command_ms ? h->command_ms : r->o.command_ms;

	*l = (struct lane_run){ .o = &r->o, .lane = lane, .rows = report_row(r->rep, i, 0) };
	l->transport = new_transport(r, h);
	l->luks = h->transport == TRANSPORT_LOCAL && geteuid() == 0
		      ? luks_native_new(limit)
		      : luks_remote_new(l->transport, limit);
	for (size_t k = 0; k < lane->n; k++) {
		const struct disk *d = lane->steps[k].disk;

		if (!d || lane_disk(l, d))
			continue;
		struct disk_state *s = mem_push(&l->disks, &l->n_disks, sizeof(*s));

		s->disk = d;
	}
	if (h->index >= r->n_hosts)
		r->n_hosts = h->index + 1;
}

static void
lane_done(struct lane_run *l)
{
	luks_free(l->luks);
	transport_free(l->transport);
	free(l->disks);
}

static void
set_defaults(struct run_options *o)
{
	o->jobs = o->jobs ? o->jobs : RUN_JOBS;
	o->connect_ms = o->connect_ms ? o->connect_ms : RUN_CONNECT_MS;
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
	r->lanes = mem_alloc(plan->n, sizeof(*r->lanes));
	r->states = mem_alloc(plan->n, sizeof(*r->states));
	r->events = mem_alloc(rep->n, sizeof(const struct row *));
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->changed, NULL);
	for (size_t i = 0; i < plan->n; i++)
		lane_init(r, i);
	r->lane_of_host = mem_alloc(r->n_hosts, sizeof(*r->lane_of_host));
	for (size_t i = 0; i < plan->n; i++)
		r->lane_of_host[plan->lanes[i].host->index] = i + 1;
	return r;
}

void
run_end(struct run *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->plan->n; i++)
		lane_done(&r->lanes[i]);
	pthread_cond_destroy(&r->changed);
	pthread_mutex_destroy(&r->lock);
	free(r->lane_of_host);
	free(r->events);
	free(r->states);
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

/* The row is final: tell the main thread. */
static void
post(struct run *r, struct row *row)
{
	log_row(row);
	HOLD(&r->lock);
	row->reached = true;
	r->events[r->n_events++] = row;
	if (r->o.fail_fast && row->outcome != OUTCOME_DONE && row->outcome != OUTCOME_NEEDLESS)
		r->stop = true;
	pthread_cond_broadcast(&r->changed);
}

static bool
is_stopped(struct run *r, struct err *e)
{
	HOLD(&r->lock);
	if (r->o.cancel && atomic_load(r->o.cancel))
		return !err_set(e, ERR_CANCELLED, "not started: interrupted");
	if (r->stop)
		return !err_set(e, ERR_HOST, "not started: something else failed (--fail-fast)");
	return false;
}

static bool
is_good(enum outcome o)
{
	return o == OUTCOME_DONE || o == OUTCOME_NEEDLESS;
}

/* What a step's outcome means for the steps behind it. */
static void
draw_consequences(struct lane_run *l, const struct row *row)
{
	const struct step *step = row->step;

	if (is_good(row->outcome))
		return;
	if (step->disk) {
		lane_disk(l, step->disk)->ended = true;
	} else if (step->kind == STEP_STATUS ||
		   (step->kind == STEP_HOOK &&
		       (step->hook == HOOK_PRE_OPEN || step->hook == HOOK_PRE_CLOSE))) {
		l->ended = true;
		l->why = row->err;
	}
}

/* How many rows from k on are done in one go: opens that follow each other. */
static size_t
batch_at(const struct lane_run *l, size_t k)
{
	size_t n = 1;

	if (l->rows[k].step->kind != STEP_OPEN)
		return 1;
	while (n < RUN_OPEN_BATCH && k + n < l->lane->n && l->rows[k + n].step->kind == STEP_OPEN)
		n++;
	return n;
}

/* Why nothing can be started here, if so. */
static bool
is_held_up(struct run *r, struct lane_run *l, struct err *e)
{
	if (!l->ended && is_stopped(r, e))
		return true;
	if (!l->ended && !transport_connect(l->transport, &l->why))
		l->ended = true;
	if (l->ended)
		*e = l->why;
	return l->ended;
}

/* Steps that are done in one go, unless something before them has ended their disk, lane or run. */
static void
do_steps(struct run *r, struct lane_run *l, struct row *rows, size_t n)
{
	const struct disk *d = rows[0].step->disk;
	struct err why = { 0 };

	if (n == 1 && d && lane_disk(l, d)->ended)
		return; /* its failure was told */
	if (is_held_up(r, l, &why)) {
		for (size_t i = 0; i < n; i++)
			if (!d || !lane_disk(l, rows[i].step->disk)->ended)
				rows[i].err = why;
	} else if (n > 1) {
		step_open_all(l, rows, n);
	} else {
		step_run(l, &rows[0]);
	}
	for (size_t i = 0; i < n; i++)
		draw_consequences(l, &rows[i]);
}

/* All steps of this phase; did every one go well? */
static bool
run_lane(struct run *r, size_t i)
{
	struct lane_run *l = &r->lanes[i];
	bool ok = true;

	for (size_t k = 0, n; k < l->lane->n; k += n) {
		n = batch_at(l, k);
		if (l->rows[k].step->phase != r->phase)
			continue;
		do_steps(r, l, &l->rows[k], n);
		for (size_t j = k; j < k + n; j++) {
			ok = ok && is_good(l->rows[j].outcome);
			post(r, &l->rows[j]);
		}
	}
	return ok;
}

/* The state of the lane of `h`, LANE_OK where it is not part of this run. */
static enum lane_state
state_of(const struct run *r, const struct host *h)
{
	size_t lane = h->index < r->n_hosts ? r->lane_of_host[h->index] : 0;

	return lane ? r->states[lane - 1] : LANE_OK;
}

static bool
is_after(const struct host *h, const struct host *first)
{
	for (size_t i = 0; i < h->n_after; i++)
		if (h->after[i] == first)
			return true;
	return false;
}

/* The worst state of those that lane i waits for, and whose it is. */
static enum lane_state
predecessors(const struct run *r, size_t i, const struct host **who)
{
	const struct host *h = r->plan->lanes[i].host;
	enum lane_state worst = LANE_OK;

	for (size_t k = 0; r->plan->order != PLAN_UNORDERED && k < r->plan->n; k++) {
		const struct host *other = r->plan->lanes[k].host;
		bool first = r->plan->order == PLAN_AFTER ? is_after(h, other) : is_after(other, h);

		if (!first || state_of(r, other) == LANE_OK)
			continue;
		if (worst != LANE_FAILED) {
			worst = state_of(r, other) == LANE_FAILED ? LANE_FAILED : LANE_WAITING;
			*who = other;
		}
	}
	return worst;
}

/*
 * The next lane that may run, waiting until there is one; SIZE_MAX when none is left.
 * A lane whose predecessor failed ends here, unless its turn is only to say so.
 */
static size_t
next_lane(struct run *r)
{
	HOLD(&r->lock);
	for (;;) {
		bool waiting = false;

		for (size_t i = 0; i < r->plan->n; i++) {
			const struct host *who = NULL;

			if (r->states[i] != LANE_WAITING)
				continue;
			waiting = true;
			enum lane_state before = predecessors(r, i, &who);

			if (before == LANE_WAITING)
				continue;
			if (before == LANE_FAILED) {
				r->lanes[i].ended = true;
				err_set(&r->lanes[i].why, ERR_HOST,
				    "not started, because %s comes first and failed",
				    path_shown(who->path));
			}
			r->states[i] = LANE_RUNNING;
			return i;
		}
		if (!waiting)
			return SIZE_MAX;
		pthread_cond_wait(&r->changed, &r->lock);
	}
}

static void
set_state(struct run *r, size_t i, enum lane_state state)
{
	HOLD(&r->lock);
	r->states[i] = state;
	pthread_cond_broadcast(&r->changed);
}

static void *
worker(void *arg)
{
	struct run *r = arg;

	for (size_t i; (i = next_lane(r)) != SIZE_MAX;) {
		bool ok = run_lane(r, i);

		set_state(r, i, ok ? LANE_OK : LANE_FAILED);
	}
	HOLD(&r->lock);
	r->n_working--;
	pthread_cond_broadcast(&r->changed);
	return NULL;
}

/* Hand finished rows to the verb until no worker is left. Main thread. */
static void
drain(struct run *r)
{
	size_t seen = 0;

	pthread_mutex_lock(&r->lock);
	while (seen < r->n_events || r->n_working > 0) {
		if (seen == r->n_events) {
			pthread_cond_wait(&r->changed, &r->lock);
			continue;
		}
		const struct row *row = r->events[seen++];

		pthread_mutex_unlock(&r->lock);
		if (r->o.on_row)
			r->o.on_row(r->o.arg, row);
		pthread_mutex_lock(&r->lock);
	}
	r->n_events = 0;
	pthread_mutex_unlock(&r->lock);
}

/* Start up to `n` workers; returns how many there are. */
static size_t
start_workers(struct run *r, pthread_t *threads, size_t n)
{
	pthread_attr_t attr;
	size_t started = 0;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, WORKER_STACK);
	r->n_working = (unsigned)n;
	while (started < n && pthread_create(&threads[started], &attr, worker, r) == 0)
		started++;
	pthread_attr_destroy(&attr);
	HOLD(&r->lock);
	r->n_working -= (unsigned)(n - started);
	return started;
}

/* Is there anything to do for lane i in this phase? */
static bool
has_steps(const struct run *r, size_t i)
{
	const struct lane *lane = &r->plan->lanes[i];

	for (size_t k = 0; k < lane->n; k++) {
		const struct disk *d = lane->steps[k].disk;

		if (lane->steps[k].phase == r->phase && !(d && lane_disk(&r->lanes[i], d)->ended))
			return true;
	}
	return false;
}

void
run_phase(struct run *r, unsigned phase)
{
	size_t n = 0, started;

	r->phase = phase;
	for (size_t i = 0; i < r->plan->n; i++) {
		bool due = has_steps(r, i);

		r->states[i] = due ? LANE_WAITING : LANE_OK;
		n += due;
	}
	if (n > r->o.jobs)
		n = r->o.jobs;
	if (n == 0)
		return;
	AUTO(mem_free_drop) pthread_t *threads = mem_alloc(n, sizeof(*threads));

	started = start_workers(r, threads, n);
	if (started == 0) { /* no thread to be had: do it all on this one */
		r->n_working = 1;
		worker(r);
	}
	drain(r);
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
}
