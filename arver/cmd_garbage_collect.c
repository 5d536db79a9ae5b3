/* SPDX-License-Identifier: MIT */
/*
 * --garbage-collect: my key files as one, without the keys that are proven dead. Contacts nobody,
 * and keeps whatever it cannot read and whatever is not settled.
 */
#include <stdio.h>
#include "arver/app.h"
#include "arver/command.h"
#include "arver/merge.h"
#include "arver/pinned.h"
#include "base/log.h"
#include "inventory/inventory.h"
#include "keystore/keystore.h"
#include "plan/plan.h"
#include "state/journal.h"

static const char *
plural(size_t n)
{
	return n == 1 ? "" : "s";
}

static bool
collect(struct app *app, struct merge *m, struct err *e)
{
	AUTO(journal_notes_done) struct journal_notes notes = { 0 };
	AUTO(argv_done) struct argv left = { 0 };

	if (!app_open_journal(app, e) || !journal_read(app->journal, &notes, e))
		return false;
	merge_begin(m, app, &notes);
	merge_left(m, &left);
	size_t n_dead = merge_drop_dead(m), n_files = keystore_read_files(app->keystore)->n - left.n;

	if (n_files == 0 || (n_files == 1 && n_dead == 0)) {
		if (!app->options.quiet)
			printf("nothing to do: %s\n",
			    n_files ? "one key file, and no dead key in it"
				    : left.n ? "a run is not finished" : "no key file");
		return true;
	}
	if (!merge_write(m, e))
		return false;
	if (!app->options.quiet && n_files > 1)
		printf("%zu key files made one, ", n_files);
	if (!app->options.quiet)
		printf("%zu dead key%s dropped\n", n_dead, plural(n_dead));
	if (left.n > 0)
		log_line(LOG_INFO, "%zu file%s of runs that are not finished left as they are", left.n,
		    plural(left.n));
	return true;
}

static bool
garbage_collect_run(struct app *app, int *status, struct err *e)
{
	AUTO(merge_done) struct merge m = { 0 };

	(void)status;
	if (!app_load_me(app, e) || !pinned_check(app, NULL, app->me, e))
		return false;
	if (app->options.dry_run) {
		printf("here\n    decrypt your key files\n    write what is in them, without dead "
		       "keys, as one file, and remove the others (if there are several, or dead "
		       "keys)\n");
		return true;
	}
	return app_open_keystore(app, e) &&
	       keystore_check_recipient(app->keystore, app->me, e) && app_load_keys(app, e) &&
	       collect(app, &m, e);
}

const struct command command_garbage_collect = {
	.verb = VERB_GARBAGE_COLLECT,
	.name = "garbage-collect",
	.letter = 'g',
	.help = "make your key files one, without dead keys",
	.run = garbage_collect_run,
};
