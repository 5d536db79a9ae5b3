/* SPDX-License-Identifier: MIT */
/* --open and --close: the same walk, there and back. */
#include <stdio.h>
#include "arver/app.h"
#include "arver/command.h"
#include "arver/logins.h"
#include "arver/pinned.h"
#include "arver/progress.h"
#include "arver/show.h"
#include "plan/plan.h"
#include "report/report.h"
#include "target/target.h"

/* How one verb of this kind differs from the others. */
struct walk {
	void (*plan)(struct plan *p, const struct target_set *set);
	enum step_kind kind;
	const char *done, *not_done, *summary;
};

/* What on_row needs. */
struct telling {
	struct show *show;
	const struct walk *walk;
	bool hook_failed; /* or some other step beside the disks' own */
};

static bool
is_bad(enum outcome o)
{
	return o != OUTCOME_DONE && o != OUTCOME_NEEDLESS;
}

static void
on_row(void *arg, const struct row *row)
{
	struct telling *t = arg;

	if (row->step->kind != t->walk->kind) {
		t->hook_failed = t->hook_failed || is_bad(row->outcome);
		show_host_row(t->show, row);
	} else if (row->outcome == OUTCOME_DONE) {
		show_good(t->show, row->step->disk, t->walk->done, row->note);
	} else if (row->outcome == OUTCOME_NEEDLESS) {
		show_good(t->show, row->step->disk, row->note, "");
	} else {
		show_bad(t->show, row->step->disk, show_word(row->outcome, t->walk->not_done), &row->err);
	}
}

static bool
walk_run(struct app *app, const struct walk *w, int *status, struct err *e)
{
	AUTO(target_set_drop) struct target_set *set = NULL;
	AUTO(plan_drop) struct plan *plan = plan_new(app->options.command->name);
	struct telling t = { .walk = w, .show = &app->show };

	if (!app_load_me(app, e) || !target_select(app->inventory, app->options.args[0], &set, e))
		return false;
	w->plan(plan, set);
	show_begin(app, set);
	if (!pinned_check(app, plan, NULL, e))
		return false;
	if (!show_go(app, plan))
		return true;
	if (plan_needs_keys(plan) &&
	    (!app_load_keys(app, e) || !app_check_set_key(app, set, e)))
		return false;
	if (!logins_unlock(app, plan, e))
		return false;
	AUTO(report_drop) struct report *rep = report_new(plan);
	struct run_options o = app_run_options(app, on_row, &t);
	AUTO(run_drop) struct run *run = run_begin(&o, plan, rep);

	progress_phase(run, 0);
	*status = show_summary(&app->show, w->summary);
	if (*status == 0 && t.hook_failed)
		*status = 1;
	return true;
}

static bool
open_run(struct app *app, int *status, struct err *e)
{
	static const struct walk walk = { plan_open, STEP_OPEN, "opened", "not opened",
		"not open as asked" };

	return walk_run(app, &walk, status, e);
}

static bool
close_run(struct app *app, int *status, struct err *e)
{
	static const struct walk walk = { plan_close, STEP_CLOSE, "closed", "not closed",
		"not closed as asked" };

	return walk_run(app, &walk, status, e);
}

const struct command command_open = {
	.verb = VERB_OPEN,
	.name = "open",
	.letter = 'o',
	.args = { "TARGETS" },
	.help = "open disks, with their hooks",
	.run = open_run,
};

const struct command command_close = {
	.verb = VERB_CLOSE,
	.name = "close",
	.args = { "TARGETS" },
	.help = "close disks, with their hooks",
	.run = close_run,
};
