/* SPDX-License-Identifier: MIT */
/*
 * --verify: prove that my key opens disks, without opening them. What was proven is kept in the
 * key store with its date; where that cannot be written, the proof counts all the same.
 */
#include <stdio.h>
#include "arver/app.h"
#include "arver/command.h"
#include "arver/logins.h"
#include "arver/merge.h"
#include "arver/pinned.h"
#include "arver/progress.h"
#include "arver/show.h"
#include "arver/works.h"
#include "base/clock.h"
#include "base/log.h"
#include "inventory/inventory.h"
#include "plan/plan.h"
#include "state/journal.h"
#include "target/target.h"

static void
on_row(void *arg, const struct row *row)
{
	struct show *show = arg;
	const struct disk *d = row->step->disk;

	if (row->outcome == OUTCOME_DONE)
		show_good(show, d, "your key opens it", row->note);
	else
		show_bad(show, d, show_word(row->outcome, "not verified"), &row->err);
}

/*
 * Write down which keys were proven just now. Not beside staged keys: whoever staged them, and was
 * cut off, tells by my files that nobody came in between.
 */
static bool
keep(struct app *app, const struct works *works, double when, struct err *e)
{
	AUTO(journal_notes_done) struct journal_notes notes = { 0 };
	AUTO(merge_done) struct merge m = { 0 };
	AUTO(argv_done) struct argv left = { 0 };

	if (!app_open_journal(app, e) || !journal_read(app->journal, &notes, e))
		return false;
	merge_begin(&m, app, &notes);
	for (size_t i = 0; i < works->n; i++)
		if (works->at[i]->has_auth)
			merge_proven(&m, works->at[i]->auth.key, when);
	merge_left(&m, &left);
	return m.edits.n == 0 || left.n > 0 || merge_write(&m, e);
}

static bool
verify_run(struct app *app, int *status, struct err *e)
{
	AUTO(target_set_drop) struct target_set *set = NULL;
	AUTO(plan_drop) struct plan *plan = plan_new("verify");
	AUTO(works_drop) struct works *works = NULL;
	struct err why = { 0 };

	if (!app_load_me(app, e) || !target_select(app->inventory, app->options.args[0], &set, e))
		return false;
	works = works_new(set, app->me->slot);
	plan_verify(plan, set, works->at);
	show_begin(app, set);
	if (!pinned_check(app, plan, NULL, e))
		return false;
	if (!show_go(app, plan))
		return true;
	if (!app_load_keys(app, e) || !app_check_set_key(app, set, e) ||
	    !logins_unlock(app, plan, e))
		return false;
	AUTO(report_drop) struct report *rep = report_new(plan);
	struct run_options o = app_run_options(app, on_row, &app->show);
	AUTO(run_drop) struct run *run = run_begin(&o, plan, rep);

	double when = clock_unix(); /* no later than any of the proofs */

	progress_phase(run, 0);
	if (!keep(app, works, when, &why))
		log_line(LOG_WARNING, "the date of this proof is not kept: %s", why.text);
	*status = show_summary(&app->show, "not proven");
	return true;
}

const struct command command_verify = {
	.verb = VERB_VERIFY,
	.name = "verify",
	.args = { "TARGETS" },
	.help = "prove that your key opens disks, without opening them",
	.run = verify_run,
};
