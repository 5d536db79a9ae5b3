/* SPDX-License-Identifier: MIT */
/*
 * --refresh: a new key of my own in my slot, by way of a spare slot and never in place: at every
 * instant a key in my key files opens, also for a program that takes the newest only. What is
 * done is decided by what the disk and the key store hold together, so that a run that was cut
 * anywhere is finished by the same command.
 */
#include <stdio.h>
#include <string.h>
#include "arver/app.h"
#include "arver/ask.h"
#include "arver/command.h"
#include "arver/logins.h"
#include "arver/pinned.h"
#include "arver/progress.h"
#include "arver/settle.h"
#include "arver/show.h"
#include "arver/works.h"
#include "base/clock.h"
#include "base/secret.h"
#include "inventory/inventory.h"
#include "keyring/keyring.h"
#include "keystore/entry.h"
#include "keystore/keystore.h"
#include "plan/plan.h"
#include "target/target.h"

struct refreshing {
	struct app *app;
	struct works *works;
	struct settling settling;
	uint32_t others; /* slots that were somebody else's when they were first seen here */
};

/* Those of them that no run of mine has noted as its own. */
static uint32_t
others(const struct refreshing *r, const struct work *w)
{
	return r->others & ~w->noted;
}

/*
 * Slots that may be spares of mine. Whoever can write my directory can put a colleague's passphrase
 * there: what opens a slot that users give to somebody else, or gave him once, is not mine to keep or
 * to empty.
 */
static uint32_t
possible_spares(const struct refreshing *r, const struct work *w)
{
	uint32_t slots = ~(w->disk->rescue_slots | others(r, w));

	for (int s = 0; s < LUKS_MAX_SLOTS; s++)
		if (inventory_slot_owner(r->app->inventory, s))
			slots &= ~(1u << s);
	return slots;
}

/* Which slots to try my keys in, and those that were noted in any case. */
static void
tell(struct refreshing *r)
{
	for (int s = 0; s < LUKS_MAX_SLOTS; s++)
		if (pinned_other_owner(r->app, r->app->me, s))
			r->others |= 1u << s;
	for (size_t i = 0; i < r->works->n; i++) {
		struct work *w = r->works->at[i];
		const struct journal_note *note = settle_earlier(&r->settling, w);

		w->survey_all = true;
		if (note && note->own.slot != JOURNAL_NO_SLOT)
			w->noted |= 1u << note->own.slot;
		if (note && note->spare.slot != JOURNAL_NO_SLOT)
			w->noted |= 1u << note->spare.slot;
		w->suspects = possible_spares(r, w);
	}
}

/*
 * Spares with stored keys of mine in them. A passphrase that was asked for is mine
 * to replace in my own slot only.
 */
static uint32_t
my_spares(const struct refreshing *r, const struct work *w)
{
	uint32_t spares = w->mine & possible_spares(r, w);

	for (int s = 0; s < LUKS_MAX_SLOTS; s++)
		if (w->fits[s] == r->app->asked)
			spares &= ~(1u << s);
	return spares;
}

/* Where among the stored keys of this disk it stands, newest first; behind them if it is elsewhere. */
static size_t
age_of(const struct refreshing *r, const struct work *w, const struct secret *key)
{
	size_t n, i = 0;
	const struct key *keys = keyring_get(r->app->keys, w->disk->path, &n);

	while (i < n && keys[i].passphrase != key)
		i++;
	return i;
}

/* The one of these slots that holds the newest key. */
static int
newest(const struct refreshing *r, const struct work *w, uint32_t slots)
{
	int best = -1;

	for (int s = 0; s < LUKS_MAX_SLOTS; s++)
		if ((slots >> s & 1) &&
		    (best < 0 || age_of(r, w, w->fits[s]) < age_of(r, w, w->fits[best])))
			best = s;
	return best;
}

/* A key of mine sits in a spare, as a cut leaves it: it is the new one. */
static void
resume(const struct refreshing *r, struct work *w, int spare)
{
	const struct secret *key = w->fits[spare];
	const struct key *stored = keyring_key_of(r->app->keys, key);

	w->go = WORK_SPARE;
	w->spare = spare;
	w->new_key = secret_from(secret_bytes(key));
	if (stored && strcmp(stored->path, w->disk->path) == 0)
		w->stored = key;
	w->in_spare = true;
	memcpy(w->spare_salt, w->header.slots[w->spare].salt, sizeof(w->spare_salt));
	w->in_slot = (w->mine >> w->slot & 1) && secret_equal(w->fits[w->slot], key);
	w->tidy &= ~(1u << w->spare);
	snprintf(w->note, sizeof(w->note), "with the key that an earlier run had put in slot %d",
	    w->spare);
}

static void
refuse(struct work *w, enum err_kind kind, const char *text)
{
	w->go = WORK_REFUSED;
	err_set(&w->err, kind, "%s", text);
}

/*
 * Which spare to go on from, or -1: the one that a run of mine noted when it was cut. Without a
 * note a new key is made, and what opens a spare goes, whoever put it among my keys; but where no
 * other slot is free, it has to do.
 */
static int
spare_to_resume(const struct refreshing *r, const struct work *w, uint32_t spares, bool filled)
{
	const struct journal_note *note = settle_earlier(&r->settling, w);
	bool is_noted = note && note->spare.slot != JOURNAL_NO_SLOT &&
			(spares >> note->spare.slot & 1);

	if (is_noted)
		return note->spare.slot;
	return filled && settle_find_spare(&r->settling, w) < 0 ? newest(r, w, spares) : -1;
}

static void
begin_anew(const struct refreshing *r, struct work *w, bool filled)
{
	w->go = filled ? WORK_SPARE : WORK_DIRECT;
	w->spare = filled ? settle_find_spare(&r->settling, w) : LUKS_ANY_SLOT;
	if (filled && w->spare < 0)
		refuse(w, ERR_DISK, "no slot is free to put the new key in before the old one goes");
	else
		w->new_key = secret_random_base64(ENTRY_KEY_BYTES);
}

static void
decide(const struct refreshing *r, struct work *w)
{
	if (!w->looked || !w->has_auth)
		return;
	if (w->slot >= (int)w->header.n_slots) {
		refuse(w, ERR_DISK, "LUKS1 has slots 0 to 7, and yours is not one of them");
		return;
	}
	bool filled = w->header.slots[w->slot].active;
	uint32_t spares = my_spares(r, w), wiped = settle_known_slots(&r->settling, w);
	int spare;

	if (filled && !(((w->mine & ~others(r, w)) | wiped) >> w->slot & 1)) {
		w->go = WORK_REFUSED;
		err_set(&w->err, ERR_REFUSED,
		    "slot %d, which is yours, holds a key that is not: see --info, and "
		    "--force --add-user %s, which replaces it", w->slot, r->app->me->name);
		return;
	}
	w->tidy = (spares | wiped) & possible_spares(r, w);
	spare = spare_to_resume(r, w, spares, filled);
	if (spare >= 0)
		resume(r, w, spare);
	else
		begin_anew(r, w, filled);
}

/*
 * Keys that a cut run of this machine staged for this header, and that are in none of the slots
 * it had set out to fill: nothing of them was begun.
 */
static void
drop_unused(struct refreshing *r, const struct work *w)
{
	const struct journal_note *note = settle_earlier(&r->settling, w);
	size_t n;
	const struct key *keys = keyring_get(r->app->keys, w->disk->path, &n);

	for (size_t i = 0; note && w->has_auth && i < n; i++) {
		bool used = keys[i].state != KEY_STAGED || !keys[i].file ||
			    !(argv_has(&note->staged, keys[i].file) ||
				argv_has(&note->mixed, keys[i].file));

		for (int s = 0; s < LUKS_MAX_SLOTS; s++)
			used = used || w->fits[s] == keys[i].passphrase;
		if (!used)
			key_edits_of(&r->settling.merge.edits, &keys[i])->drop = true;
	}
}

static bool
refresh(struct refreshing *r, struct run *run, struct report *rep, struct err *e)
{
	tell(r);
	r->settling.looked = clock_unix();
	progress_phase(run, 0);
	for (size_t i = 0; i < r->works->n; i++) {
		decide(r, r->works->at[i]);
		drop_unused(r, r->works->at[i]);
	}
	return settle_run(&r->settling, run, rep, e);
}

static void
show_result(const struct refreshing *r, const struct report *rep, struct show *show)
{
	works_judge(r->works, rep);
	for (size_t i = 0; i < r->works->n; i++) {
		const struct work *w = r->works->at[i];
		const struct row *bad = w->bad;
		const char *word = show_word(bad ? bad->outcome : OUTCOME_FAILED, "not refreshed");

		if (w->in_slot)
			word = "refreshed, but a slot is left to be emptied: run it again";
		else if (w->in_spare)
			word = "half refreshed, run it again";
		else if (bad && bad->outcome == OUTCOME_UNKNOWN)
			word = "unknown, run it again";
		if (bad)
			show_bad(show, w->disk, word, &bad->err);
		else if (w->in_slot)
			show_good(show, w->disk, "refreshed", w->note);
		else
			show_bad(show, w->disk, word, &(struct err){ 0 });
	}
}

/* Faults on this side stop everything, before any host is contacted. */
static bool
check(struct refreshing *r, const struct target_set *set, struct err *e)
{
	struct app *app = r->app;

	if (!app_open_keystore(app, e) || !keystore_check_recipient(app->keystore, app->me, e) ||
	    !app_load_keys(app, e) || !app_check_set_key(app, set, e) ||
	    !keystore_publish(app->keystore, app->me, e) || !settle_begin(&r->settling, e))
		return false;
	return !app->options.ask_password ||
	       ask_passphrase("Passphrase that opens the disks: ", &app->asked, e);
}

static bool
refresh_run(struct app *app, int *status, struct err *e)
{
	AUTO(target_set_drop) struct target_set *set = NULL;
	AUTO(plan_drop) struct plan *plan = plan_new("refresh");
	AUTO(works_drop) struct works *works = NULL;
	struct refreshing r = { .app = app };

	if (!app_load_me(app, e) || !target_select(app->inventory, app->options.args[0], &set, e))
		return false;
	r.works = works = works_new(set, app->me->slot);
	plan_refresh(plan, set, works->at, app->me->slot);
	show_begin(app, set);
	if (!pinned_check(app, plan, app->me, e))
		return false;
	if (!show_go(app, plan))
		return true;
	r.settling = (struct settling){ .app = app, .owner = app->me, .works = works->at,
		.n = works->n };
	bool ok = check(&r, set, e) && logins_unlock(app, plan, e);

	if (ok) {
		AUTO(report_drop) struct report *rep = report_new(plan);
		struct run_options o = app_run_options(app, settle_on_row, &r.settling);
		AUTO(run_drop) struct run *run = run_begin(&o, plan, rep);

		ok = refresh(&r, run, rep, e);
		show_result(&r, rep, &app->show);
		*status = show_summary(&app->show, "not refreshed as asked");
	}
	settle_done(&r.settling);
	return ok;
}

const struct command command_refresh = {
	.verb = VERB_REFRESH,
	.name = "refresh",
	.letter = 'r',
	.args = { "TARGETS" },
	.help = "replace your own key of disks by a new one",
	.run = refresh_run,
};
