/* SPDX-License-Identifier: MIT */
/*
 * One lane: a host's connection, its steps in their order, its rows. A failed step ends its disk,
 * one that all others stand on (status, a pre hook of the host) ends the lane. What is not started
 * any more is left "not begun", with the reason. A host that goes away before anything was done
 * there may be waited for; the lane then goes on at the step it had come to.
 */
#include "run/run_internal.h"

#include <stdlib.h>
#include <unistd.h>

static void
on_note(void *arg, const char *text)
{
	struct lane_run *l = arg;

	run_post_note(l->run, l->lane->host, text);
}

struct transport_spec
run_spec(const struct run_options *o, const struct host *h)
{
	return (struct transport_spec){
		.name = path_shown(h->path),
		.address = h->address,
		.port = h->port,
		.user = host_login(h, o->arver_user),
		.connect_ms = h->connect_ms ? h->connect_ms : o->connect_ms,
		.pool = o->pool,
		.accept_new = o->accept_new,
	};
}

static struct transport *
new_transport(struct lane_run *l)
{
	const struct host *h = l->lane->host;
	struct transport_spec spec = run_spec(l->o, h);

	spec.note = on_note;
	spec.note_arg = l;
	switch (h->transport) {
	case TRANSPORT_LOCAL:
		return transport_local_new(&spec);
	case TRANSPORT_OPENSSH:
		return transport_openssh_new(&spec);
	default:
		return transport_ssh_new(&spec);
	}
}

void
lane_init(struct run *r, size_t i)
{
	struct lane_run *l = &r->lanes[i];
	const struct lane *lane = &r->plan->lanes[i];
	const struct host *h = lane->host;
	int64_t limit = h->command_ms ? h->command_ms : r->o.command_ms;

	*l = (struct lane_run){ .run = r, .o = &r->o, .lane = lane,
		.rows = report_row(r->rep, i, 0) };
	l->ended = r->o.is_held && r->o.is_held(r->o.arg, h, &l->why);
	l->transport = new_transport(l);
	l->luks = h->transport == TRANSPORT_LOCAL && geteuid() == 0
		      ? luks_native_new(limit)
		      : luks_remote_new(l->transport, limit);
	l->places = mem_alloc(h->n_disks, sizeof(*l->places));
	for (size_t k = 0; k < lane->n; k++) {
		const struct disk *d = lane->steps[k].disk;

		if (!d || lane_disk(l, d))
			continue;
		struct disk_state *s = mem_push(&l->disks, &l->n_disks, sizeof(*s));

		s->disk = d;
		l->places[d->index - h->disks[0]->index] = l->n_disks;
	}
}

void
lane_done(struct lane_run *l)
{
	luks_free(l->luks);
	transport_free(l->transport);
	free(l->disks);
	free(l->places);
	free(l->first);
}

/* What a step's outcome means for the steps behind it. */
static void
draw_consequences(struct lane_run *l, const struct row *row)
{
	const struct step *step = row->step;

	if (outcome_is_good(row->outcome))
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
	if (!l->ended && run_is_stopped(r, e))
		return true;
	if (!l->ended && !(transport_connect(l->transport, &l->why) && lane_look_again(l, &l->why)))
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
}

/* Could not one of these rows be begun, as the host is away, and is nothing done by the others? */
static const struct row *
row_away(const struct row *rows, size_t n)
{
	const struct row *away = NULL;

	for (size_t i = 0; i < n; i++) {
		if (rows[i].outcome == OUTCOME_NOT_BEGUN && rows[i].err.kind == ERR_AWAY)
			away = &rows[i];
		else if (rows[i].outcome == OUTCOME_DONE || rows[i].outcome == OUTCOME_FAILED ||
			 rows[i].outcome == OUTCOME_UNKNOWN)
			return NULL;
	}
	return away;
}

/*
 * It did answer, and went away before anything was done: a machine that restarts once more while it
 * comes up. Then these rows are as they were, and the lane may be tried again. Steps with work may
 * have found out the half of it, and are not.
 */
static bool
waits_after_all(struct run *r, size_t i, struct row *rows, size_t n)
{
	struct lane_run *l = &r->lanes[i];
	const struct row *away = row_away(rows, n);

	if (l->touched || !away || (!l->ended && away->step->work))
		return false;
	l->why = away->err;
	if (!run_may_wait(r, i))
		return false;
	for (size_t k = 0; k < n; k++) {
		str_done(&rows[k].output);
		rows[k] = (struct row){ .host = rows[k].host, .step = rows[k].step };
	}
	l->ended = false;
	return true;
}

/* What was told, and what follows from it. */
static void
finish(struct run *r, struct lane_run *l, struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		draw_consequences(l, &rows[i]);
		/* a look leaves no trace, and is made again where another connection is */
		if (rows[i].step->kind != STEP_STATUS && rows[i].outcome != OUTCOME_NOT_BEGUN)
			l->touched = true;
		if (!outcome_is_good(rows[i].outcome))
			l->went_badly = true;
		run_post(r, &rows[i]);
	}
}

bool
lane_has_steps(struct lane_run *l, unsigned phase)
{
	for (size_t k = 0; k < l->lane->n; k++) {
		const struct disk *d = l->lane->steps[k].disk;

		if (l->lane->steps[k].phase == phase && !(d && lane_disk(l, d)->ended))
			return true;
	}
	return false;
}

/* Its connection is given back as soon as no later phase can want it. */
static void
hang_up(struct run *r, struct lane_run *l)
{
	for (unsigned phase = r->phase + 1; phase < r->plan->n_phases; phase++)
		if (lane_has_steps(l, phase))
			return;
	luks_drop(&l->luks);
	transport_drop(&l->transport);
}

/* The first thing in a phase. False: it does not answer, and may be tried again. */
static bool
arrive(struct run *r, size_t i)
{
	struct lane_run *l = &r->lanes[i];
	struct err e = { 0 };

	if (l->ended || run_is_stopped(r, &e) || transport_connect(l->transport, &l->why))
		return true;
	if (l->why.kind == ERR_AWAY && run_may_wait(r, i))
		return false;
	if (l->why.kind == ERR_AWAY && r->places[i].tries > 0)
		err_wrap(&l->why, "it did not come up in time");
	l->ended = true;
	return true;
}

enum lane_end
lane_do(struct run *r, size_t i)
{
	struct lane_run *l = &r->lanes[i];
	struct row *rows;
	bool over;
	size_t n;

	if (!arrive(r, i))
		return LANE_AWAY;
	for (; l->next < l->lane->n; l->next += n) {
		rows = &l->rows[l->next];
		n = batch_at(l, l->next);
		if (rows->step->phase != r->phase)
			continue;
		run_doing(r, i, rows->step);
		over = l->ended;
		do_steps(r, l, rows, n);
		if (!over && waits_after_all(r, i, rows, n))
			return LANE_AWAY;
		finish(r, l, rows, n);
	}
	hang_up(r, l);
	return l->went_badly ? LANE_WENT_BADLY : LANE_WENT_WELL;
}

void
lane_begin_phase(struct lane_run *l)
{
	l->next = 0;
	l->touched = l->went_badly = false;
}
