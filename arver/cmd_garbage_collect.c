/* SPDX-License-Identifier: MIT */
/*
 * --garbage-collect: my key files as one, without the keys that are proven dead. Contacts nobody,
 * and keeps whatever it cannot read and whatever is not settled.
 */
#include <stdio.h>
#include "arver/app.h"
#include "arver/command.h"
#include "arver/merge.h"
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

/* How many of the files that were read are to become one? */
static size_t
count_files(const struct app *app, const struct merge *m)
{
	const struct argv *files = keystore_read_files(app->keystore);
	size_t n = 0;

	for (size_t i = 0; i < files->n; i++)
		n += !argv_has(&m->leave, files->at[i]);
	return n;
}

static bool
collect(struct app *app, struct merge *m, struct err *e)
{
	AUTO(journal_notes_done) struct journal_notes notes = { 0 };

	if (!app_open_journal(app, e) || !journal_read(app->journal, &notes, e))
		return false;
	merge_begin(m, app, &notes);
	size_t n_files = count_files(app, m), n_dead = merge_n_dead(m);

	merge_drop_dead(m);
	if (n_files == 0 || (n_files == 1 && n_dead == 0)) {
		if (!app->options.quiet)
			printf("nothing to do: %s\n", n_files ? "one key file, and no dead key in it"
							      : "no key file");
		return true;
	}
	if (!merge_write(m, e))
		return false;
	if (!app->options.quiet)
		printf("%zu key file%s made one, %zu dead key%s dropped\n", n_files, plural(n_files),
		    n_dead, plural(n_dead));
	if (m->leave.n > 0)
		log_line(LOG_INFO, "files of a run that is not finished are left as they are");
	return true;
}

static bool
garbage_collect_run(struct app *app, int *status, struct err *e)
{
	AUTO(merge_done) struct merge m = { 0 };

	(void)status;
	if (!app_load_me(app, e))
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
