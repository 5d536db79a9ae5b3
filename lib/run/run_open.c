/* SPDX-License-Identifier: MIT */
/*
 * Steps of open and close: status of a host's disks, hooks, the mapping. What was cut off in the middle
 * is looked at again and told as what it turned out to be.
 */
#include "run/run_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "base/clock.h"
#include "hook/hook.h"

#define LOOK_MS 1500 /* deadlines promise two seconds */
#define LOOK_PAUSE_MS 300

/* The status of all disks of the lane, in one command. */
static bool
read_status(struct lane_run *l, struct err *e)
{
	AUTO(mem_free_drop) const struct disk **disks = mem_alloc(l->n_disks, sizeof(struct disk *));
	AUTO(mem_free_drop) struct luks_status *status = mem_alloc(l->n_disks, sizeof(*status));

	for (size_t i = 0; i < l->n_disks; i++)
		disks[i] = l->disks[i].disk;
	if (!luks_status(l->luks, disks, l->n_disks, status, e))
		return false;
	for (size_t i = 0; i < l->n_disks; i++)
		l->disks[i].status = status[i];
	l->looked = true;
	l->logins = l->transport->logins;
	return true;
}

static bool
has_keys(const struct lane_run *l, const struct disk *d)
{
	AUTO(tries_done) struct tries t = { 0 };

	tries_add_mine(&t, l, d, LUKS_ANY_SLOT);
	return t.n > 0;
}

/*
 * Is one command that opens all disks of the lane everything that is to come? It looks before it asks
 * for keys, and a look before that would tell nothing more.
 */
static bool
is_one_command(const struct lane_run *l)
{
	size_t n = 0;

	for (size_t k = 0; k < l->lane->n; k++) {
		const struct step *step = &l->lane->steps[k];

		if (step->kind == STEP_STATUS)
			continue;
		if (step->kind != STEP_OPEN || ++n > RUN_OPEN_BATCH || !has_keys(l, step->disk))
			return false;
	}
	return n > 0;
}

void
step_status(struct lane_run *l, struct row *row)
{
	if (is_one_command(l))
		row->outcome = OUTCOME_DONE;
	else
		row->outcome = read_status(l, &row->err) ? OUTCOME_DONE : outcome_of(&row->err);
}

bool
lane_look_again(struct lane_run *l, struct err *e)
{
	if (!l->looked || l->logins == l->transport->logins)
		return true;
	if (!read_status(l, e))
		return false;
	for (size_t i = 0; i < l->n_disks; i++) {
		const struct disk_state *s = &l->disks[i];

		if (s->as_asked && s->status.state != s->asked)
			return err_set(e, ERR_DISK, "%s is not %s any more: was the host restarted in "
			    "between? Run the same command again", path_shown(s->disk->path),
			    s->asked == LUKS_OPEN ? "open" : "closed");
	}
	return true;
}

/* Is every disk of the lane that was attempted as asked, and was there one? */
static bool
all_as_asked(const struct lane_run *l, struct err *e)
{
	bool any = false;

	for (size_t i = 0; i < l->n_disks; i++) {
		const struct disk_state *s = &l->disks[i];

		if (s->attempted && !s->as_asked)
			return err_set(e, ERR_HOOK, "hook not run, because %s is not as asked",
			    path_shown(s->disk->path));
		any = any || s->attempted;
	}
	return any || err_set(e, ERR_HOOK, "hook not run, because no disk was tried here");
}

/* Does the moment for this hook come? If not, the row says why. */
static bool
hook_is_due(struct lane_run *l, struct row *row)
{
	const struct disk *d = row->step->disk;
	const struct disk_state *s = d ? lane_disk(l, d) : NULL;
	bool due = true;

	switch (row->step->hook) {
	case HOOK_PRE_OPEN:
		due = !s || (s->status.state == LUKS_CLOSED && has_keys(l, d));
		break;
	case HOOK_PRE_CLOSE:
		due = !s || s->status.state == LUKS_OPEN;
		break;
	case HOOK_POST_OPEN:
	case HOOK_POST_CLOSE:
		if (!s && !all_as_asked(l, &row->err)) {
			row->outcome = OUTCOME_SKIPPED;
			return false;
		}
		due = !s || s->changed;
		break;
	case HOOK_KINDS:
		break;
	}
	if (!due)
		row->outcome = OUTCOME_NEEDLESS;
	return due;
}

void
step_hook(struct lane_run *l, struct row *row)
{
	const struct step *step = row->step;
	int64_t limit = row->host->hook_ms ? row->host->hook_ms : l->o->hook_ms;

	if (!hook_is_due(l, row))
		return;
	if (hook_run(l->transport, row->host, step->disk, step->hook, limit, &row->output,
		&row->err)) {
		row->outcome = OUTCOME_DONE;
		return;
	}
	row->outcome = outcome_of(&row->err);
	if (step->disk && (step->hook == HOOK_PRE_OPEN || step->hook == HOOK_PRE_CLOSE))
		lane_disk(l, step->disk)->attempted = true;
}

/*
 * What are these mappings now? A command that lost its connection may still be at it: wait a moment, for
 * all of them together. A connection is tried once, whose time that may cost.
 */
static bool
see_mappings(struct lane_run *l, const struct disk *const *disks, size_t n, enum luks_state wanted,
    struct luks_status *out)
{
	const struct timespec pause = { .tv_nsec = LOOK_PAUSE_MS * 1000000L };
	int64_t until = clock_ms() + LOOK_MS;
	struct err e = { 0 };
	size_t as_wanted;

	if (!transport_connect(l->transport, &e))
		return false;
	for (;;) {
		if (!luks_status(l->luks, disks, n, out, &e))
			return false;
		as_wanted = 0;
		for (size_t i = 0; i < n; i++)
			as_wanted += out[i].state == wanted;
		if (as_wanted == n || clock_left(until) == 0)
			return true;
		nanosleep(&pause, NULL);
	}
}

/* These steps were cut off. */
static void
look_again(struct lane_run *l, struct row *const *rows, size_t n, enum luks_state wanted)
{
	const struct disk *disks[RUN_OPEN_BATCH];
	struct luks_status now[RUN_OPEN_BATCH];

	for (size_t i = 0; i < n; i++) {
		disks[i] = rows[i]->step->disk;
		rows[i]->outcome = OUTCOME_UNKNOWN;
	}
	if (n == 0 || !see_mappings(l, disks, n, wanted, now))
		return;
	for (size_t i = 0; i < n; i++) {
		struct row *row = rows[i];

		if (now[i].state == wanted) {
			row->outcome = OUTCOME_DONE;
			snprintf(row->note, sizeof(row->note), "seen after the connection was lost");
		} else {
			row->outcome = OUTCOME_FAILED;
			err_wrap(&row->err, "not %s when looked at again",
			    wanted == LUKS_OPEN ? "open" : "closed");
		}
	}
}

/* What became of steps that were done in one go: their rows have an error, or none. */
static void
mapping_results(struct lane_run *l, struct row *const *rows, size_t n, enum luks_state wanted)
{
	struct row *lost[RUN_OPEN_BATCH] = { 0 };
	size_t n_lost = 0;

	for (size_t i = 0; i < n; i++) {
		if (rows[i]->err.kind == ERR_LOST)
			lost[n_lost++] = rows[i];
		else
			rows[i]->outcome = rows[i]->err.kind == ERR_NONE ? OUTCOME_DONE
									 : outcome_of(&rows[i]->err);
	}
	look_again(l, lost, n_lost, wanted);
	for (size_t i = 0; i < n; i++) {
		struct disk_state *s = lane_disk(l, rows[i]->step->disk);

		s->attempted = true;
		s->asked = wanted;
		s->as_asked = s->changed = rows[i]->outcome == OUTCOME_DONE;
	}
}

static void
already_open(struct lane_run *l, struct row *row)
{
	struct disk_state *s = lane_disk(l, row->step->disk);

	row->outcome = OUTCOME_NEEDLESS;
	s->attempted = s->as_asked = true;
	s->asked = LUKS_OPEN;
	snprintf(row->note, sizeof(row->note), "already open");
}

/* Is this disk to be opened? Its tries then; otherwise the row is finished. */
static bool
prepare_open(struct lane_run *l, struct row *row, struct tries *t)
{
	const struct disk *d = row->step->disk;
	struct disk_state *s = lane_disk(l, d);

	if (s->ended)
		return false;
	if (s->status.state == LUKS_OPEN) {
		already_open(l, row);
		return false;
	}
	if (l->o->my_slot >= 0)
		tries_add_mine(t, l, d, l->o->my_slot);
	tries_add_mine(t, l, d, LUKS_ANY_SLOT);
	if (t->n == 0) {
		row->outcome = OUTCOME_SKIPPED;
		err_set(&row->err, ERR_KEY, "you hold no key for it");
		return false;
	}
	if (s->status.state == LUKS_CLOSED)
		return true;
	err_set(&row->err, ERR_DISK, "a mapping named %s exists and lies on %s, not on %s", d->name,
	    s->status.detail, d->device);
	mapping_results(l, &row, 1, LUKS_OPEN);
	return false;
}

void
step_open_all(struct lane_run *l, struct row *rows, size_t n)
{
	struct luks_opening at[RUN_OPEN_BATCH];
	struct tries tries[RUN_OPEN_BATCH] = { 0 };
	struct row *of[RUN_OPEN_BATCH], *tried[RUN_OPEN_BATCH] = { 0 };
	size_t m = 0, n_tried = 0;

	for (size_t i = 0; i < n; i++) {
		if (!prepare_open(l, &rows[i], &tries[i]))
			continue;
		at[m] = (struct luks_opening){ .disk = rows[i].step->disk, .tries = tries[i].at,
			.n_tries = tries[i].n };
		of[m++] = &rows[i];
	}
	if (m > 0)
		luks_open_all(l->luks, at, m);
	for (size_t i = 0; i < m; i++) {
		if (at[i].was_open) {
			already_open(l, of[i]);
			continue;
		}
		of[i]->err = at[i].err;
		if (at[i].opened)
			of[i]->err = (struct err){ 0 };
		tried[n_tried++] = of[i];
	}
	mapping_results(l, tried, n_tried, LUKS_OPEN);
	for (size_t i = 0; i < n; i++)
		tries_done(&tries[i]);
}

void
step_open(struct lane_run *l, struct row *row)
{
	step_open_all(l, row, 1);
}

void
step_close(struct lane_run *l, struct row *row)
{
	const struct disk *d = row->step->disk;
	struct disk_state *s = lane_disk(l, d);

	if (s->status.state == LUKS_CLOSED) {
		row->outcome = OUTCOME_NEEDLESS;
		s->attempted = s->as_asked = true;
		s->asked = LUKS_CLOSED;
		snprintf(row->note, sizeof(row->note), "already closed");
		return;
	}
	if (s->status.state != LUKS_OPEN)
		err_set(&row->err, ERR_DISK, "the mapping named %s lies on %s, not on %s: not closed",
		    d->name, s->status.detail, d->device);
	else if (luks_close(l->luks, d, &row->err))
		row->err = (struct err){ 0 };
	mapping_results(l, &row, 1, LUKS_CLOSED);
}
