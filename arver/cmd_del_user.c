/* SPDX-License-Identifier: MIT */
/*
 * --del-user: empty an admin's slot on each disk, and say of each what is the case now:
 * gone, not present, pending, impossible, or slots left that may be his.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "arver/app.h"
#include "arver/command.h"
#include "arver/logins.h"
#include "arver/pinned.h"
#include "arver/progress.h"
#include "arver/show.h"
#include "arver/works.h"
#include "base/log.h"
#include "inventory/inventory.h"
#include "keyring/keyring.h"
#include "keystore/keystore.h"
#include "plan/plan.h"
#include "state/journal.h"
#include "target/target.h"

struct revoking {
	struct app *app;
	const struct admin *who;
	const struct target_set *set;
	struct works *works;
	uint32_t keyless;  /* slots of admins without a key file */
	uint32_t others;   /* slots of admins with key files, the leaver's not among them */
	uint32_t staying;  /* slots of admins who are neither the leaver nor revoked */
	uint32_t moved;	   /* other slots that were another admin's when they were first seen here */
};

/* Which slots' owners have key files? */
static bool
find_owners(struct revoking *r, struct err *e)
{
	r->keyless = r->others = r->staying = r->moved = 0;
	for (size_t i = 0; i < inventory_n_admins(r->app->inventory); i++) {
		const struct admin *a = inventory_admin(r->app->inventory, i);
		AUTO(argv_done) struct argv files = { 0 };

		if (!keystore_files(r->app->keystore, a->name, &files, e))
			return false;
		if (a != r->who && !a->revoked)
			r->staying |= 1u << a->slot;
		if (files.n == 0)
			r->keyless |= 1u << a->slot;
		else if (a != r->who)
			r->others |= 1u << a->slot;
	}
	for (int s = 0; s < LUKS_MAX_SLOTS; s++)
		if (pinned_other_owner(r->app, r->who, s))
			r->moved |= 1u << s;
	r->moved &= ~r->staying;
	return true;
}

/* Slots that nobody claims: owned by nobody, or by somebody without key files. */
static uint32_t
unclaimed_slots(const struct revoking *r, const struct work *w)
{
	uint32_t mask = 0;

	for (int s = 0; s < LUKS_MAX_SLOTS; s++)
		if (!inventory_slot_owner(r->app->inventory, s))
			mask |= 1u << s;
	mask |= r->keyless;
	return mask & ~w->disk->rescue_slots & ~(1u << r->who->slot);
}

static void
tell(struct revoking *r)
{
	for (size_t i = 0; i < r->works->n; i++) {
		struct work *w = r->works->at[i];

		w->suspects = unclaimed_slots(r, w);
		w->survey_all = true;
		w->violence = r->app->options.violence;
	}
}

/* What is left in this disk's header that nobody claims, as last seen. */
static uint32_t
left(const struct work *w)
{
	return w->looked && w->has_auth ? luks_active(&w->header) & w->suspects & ~w->mine : 0;
}

/*
 * Slots that nobody owns and that a key of mine opens: whoever leaves may have filled them and given
 * me that key. Not the one that a passphrase opens which was asked for: somebody knows it by heart.
 */
static uint32_t
shared(const struct revoking *r, const struct work *w)
{
	uint32_t asked = w->auth.key == r->app->asked ? 1u << w->auth.slot : 0;

	return w->looked && w->has_auth ? luks_active(&w->header) & w->suspects & w->mine & ~asked : 0;
}

/*
 * --force: all of it goes, but not where another admin has key files and an
 * empty slot (what nobody claims may be his, from a refresh that was cut), and
 * not a slot whose owner stays (his key files may be in a commit that is not here yet), or had it
 * when it was first seen here: the leaver may have taken him out of users.
 */
static void
choose_unclaimed(struct revoking *r)
{
	for (size_t i = 0; i < r->works->n; i++) {
		struct work *w = r->works->at[i];

		w->filled = r->others & luks_all_slots(&w->header);
		if (!(w->filled & ~luks_active(&w->header)))
			w->tidy = left(w) & ~(r->staying | r->moved);
	}
}

/* Who has key files may have changed while the hosts were looked at: a grant is staged first. */
static bool
look_at_owners_again(struct revoking *r, struct err *e)
{
	if (!find_owners(r, e))
		return false;
	for (size_t i = 0; i < r->works->n; i++)
		r->works->at[i]->suspects &= unclaimed_slots(r, r->works->at[i]);
	return true;
}

/* Has the leaver perhaps another way in? */
static bool
is_doubtful(const struct revoking *r, const struct work *w, struct err *why)
{
	uint32_t unclaimed = left(w), known = shared(r, w);
	int moved = ffs((int)((unclaimed | known) & r->moved)) - 1;
	char slots[128];

	if (moved >= 0)
		err_set(why, ERR_DISK,
		    "but nobody claims slot %d, which was %s's when it was first seen here: look at `git log -p "
		    "users`; --force empties it only with --accept-changes", moved,
		    pinned_other_owner(r->app, r->who, moved));
	else if (unclaimed)
		err_set(why, ERR_DISK,
		    "but nobody claims slot %s: possibly %s's (%s)", works_slots(unclaimed, slots),
		    r->who->name,
		    r->app->options.force
			? "kept: it may be the key of another admin, whose files are not here or whose own slot is empty"
			: "--force empties it");
	else if (known)
		err_set(why, ERR_DISK,
		    "but slot %s, which nobody owns, is opened by a key of yours that %s may know: --refresh "
		    "empties it", works_slots(known, slots), r->who->name);
	return unclaimed || known;
}

static const char *
bad_word(const struct row *bad)
{
	if (bad->outcome == OUTCOME_SKIPPED ||
	    (bad->err.kind == ERR_KEY && bad->step->kind == STEP_SURVEY))
		return "impossible";
	return bad->outcome == OUTCOME_FAILED ? "not gone" : "pending";
}

/* What settings say is somebody's rescue key is nobody else's business, but it opens the disk. */
static void
show_gone(struct show *show, const struct work *w, const char *word)
{
	uint32_t rescue = w->looked ? luks_active(&w->header) & w->disk->rescue_slots : 0;
	AUTO(mem_free_drop) char *note = NULL;
	char slots[128];

	if (rescue)
		note = mem_printf("rescue slot %s is left", works_slots(rescue, slots));
	show_good(show, w->disk, word, note ? note : "");
}

/* One disk's line; true where the admin is gone from it, or was never there. */
static bool
show_disk(const struct revoking *r, struct show *show, const struct work *w)
{
	const struct row *bad = w->bad;
	const char *word = w->note[0] ? w->note : "gone";
	struct err why = { 0 };

	if (bad)
		show_bad(show, w->disk, bad_word(bad), &bad->err);
	else if (is_doubtful(r, w, &why))
		show_bad(show, w->disk, word, &why);
	else
		show_gone(show, w, word);
	return !bad;
}

/* Whoever may take a disk out of disks may do so to keep his slot on it. */
static void
tell_missing(const struct revoking *r)
{
	size_t n_paths, n = 0;
	const char *const *paths = keyring_paths(r->app->keys, &n_paths), *first = NULL;

	for (size_t i = 0; i < n_paths; i++) {
		if (inventory_find_disk(r->app->inventory, paths[i]) ||
		    !keyring_has_live(r->app->keys, paths[i]))
			continue;
		first = n++ == 0 ? paths[i] : first;
	}
	if (n > 0)
		log_line(LOG_WARNING,
		    "disks does not know %s%s, which you hold a key for (see --keys ALL): if there is such a "
		    "disk, it was not looked at", path_shown(first), n > 1 ? " and others" : "");
}

/* Whoever grants a disk makes the key. */
static void
tell_granted(const struct revoking *r)
{
	const char *first = NULL;
	size_t n = 0;

	for (size_t i = 0; i < r->works->n; i++) {
		const struct work *w = r->works->at[i];
		const struct key *key = w->has_auth ? keyring_key_of(r->app->keys, w->auth.key) : NULL;

		if (key && str_equal(key->by, r->who->name))
			first = n++ == 0 ? w->disk->path : first;
	}
	if (n > 0)
		log_line(LOG_WARNING,
		    "your key for %s%s was made by %s, who granted it to you and may have kept it: --refresh "
		    "makes another", path_shown(first), n > 1 ? " and other disks" : "", r->who->name);
}

/* What was killed is no longer pending in the journal. */
static bool
strike_notes(const struct revoking *r, const struct journal_notes *gone, struct err *e)
{
	return app_open_journal(r->app, e) && journal_strike(r->app->journal, gone, e);
}

static bool
finish(struct revoking *r, const struct report *rep, int *status, struct err *e)
{
	AUTO(journal_notes_done) struct journal_notes gone = { 0 };
	struct show *show = &r->app->show;

	works_judge(r->works, rep);
	for (size_t i = 0; i < r->works->n; i++) {
		if (!show_disk(r, show, r->works->at[i]))
			continue;
		struct journal_note *n = journal_notes_add(&gone);

		n->disk = mem_strdup(r->works->at[i]->disk->path);
		n->admin = mem_strdup(r->who->name);
	}
	if (r->set->all)
		tell_missing(r);
	tell_granted(r);
	*status = show_summary(show, "still to be done");
	if (!strike_notes(r, &gone, e))
		return false;
	if (*status != 0 || !r->set->all || r->who == r->app->me)
		return true;
	if (!keystore_remove_admin(r->app->keystore, r->who->name, e))
		return false;
	log_line(LOG_INFO, "%s is gone from every disk: the key files of %s are removed",
	    r->who->name, r->who->name);
	return true;
}

static bool
del_user_run(struct app *app, int *status, struct err *e)
{
	AUTO(target_set_drop) struct target_set *set = NULL;
	AUTO(plan_drop) struct plan *plan = plan_new("del-user");
	AUTO(works_drop) struct works *works = NULL;
	struct revoking r = { .app = app };

	if (!app_load_me(app, e) || !target_select(app->inventory, app->options.args[1], &set, e))
		return false;
	r.who = inventory_find_admin(app->inventory, app->options.args[0]);
	if (!r.who)
		return err_set(e, ERR_USAGE,
		    "users knows no admin named %s: his slot number is needed, so keep him there, "
		    "with revoked: DATE",
		    app->options.args[0]);
	r.set = set;
	r.works = works = works_new(set, r.who->slot);
	plan_del_user(plan, set, works->at, r.who->slot, app->options.force);
	show_begin(app, set);
	if (!pinned_check(app, plan, NULL, e) || !pinned_check_slot(app, r.who, true, e))
		return false;
	if (!show_go(app, plan))
		return true;
	if (!app_load_keys(app, e) || !app_check_set_key(app, set, e) || !find_owners(&r, e) ||
	    !logins_unlock(app, plan, e))
		return false;
	AUTO(report_drop) struct report *rep = report_new(plan);
	struct run_options o = app_run_options(app, NULL, NULL);
	AUTO(run_drop) struct run *run = run_begin(&o, plan, rep);

	tell(&r);
	progress_phase(run, 0);
	if (!look_at_owners_again(&r, e))
		return false;
	choose_unclaimed(&r);
	progress_phase(run, 1);
	return finish(&r, rep, status, e);
}

const struct command command_del_user = {
	.verb = VERB_DEL_USER,
	.name = "del-user",
	.letter = 'd',
	.args = { "USER", "TARGETS" },
	.help = "take an admin's access away",
	.run = del_user_run,
};
