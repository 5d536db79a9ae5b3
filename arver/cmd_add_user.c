/* SPDX-License-Identifier: MIT */
/*
 * --add-user: a key of the colleague's own, into his own slot of each disk. The walk is
 * check, make, stage, change, prove, promote, settle; a slot that holds what an
 * interrupted run of mine left is refilled by way of a spare, so that at no instant the admin has less
 * than before.
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
#include "base/log.h"
#include "base/secret.h"
#include "inventory/inventory.h"
#include "keystore/entry.h"
#include "keystore/keystore.h"
#include "plan/plan.h"
#include "target/target.h"

struct granting {
	struct app *app;
	const struct admin *to;
	struct works *works;
	struct settling settling;
};

/* Nothing more is to be done here: say so. */
static bool
decide_none(struct work *w, enum work_go go, const char *note)
{
	w->go = go;
	snprintf(w->note, sizeof(w->note), "%s", note);
	return true;
}

static bool
has_salt(const struct work *w, const struct journal_slot *s)
{
	return s->slot != JOURNAL_NO_SLOT && s->salt && w->header.slots[s->slot].active &&
	       strcmp(w->header.slots[s->slot].salt, s->salt) == 0;
}

/*
 * An earlier run promoted the key: it is granted, and only the spare may be
 * left. False where its key is gone from the disk again: then the note means nothing.
 */
static bool
decide_granted(struct work *w, const struct journal_note *note)
{
	bool own = has_salt(w, &note->own), spare = has_salt(w, &note->spare);

	if (own && spare)
		w->tidy = 1u << note->spare.slot;
	w->unsettled = spare && !own;
	if (own || !spare)
		return own && decide_none(w, WORK_TIDY, "granted already");
	decide_none(w, WORK_NONE, "");
	snprintf(w->note, sizeof(w->note),
	    "granted already, in spare slot %d: --force makes a new key in slot %d",
	    note->spare.slot, w->slot);
	return true;
}

/* The slots of the other admins: is one of them empty, then a spare may hold that admin's key. */
static uint32_t
slots_of_others(const struct granting *g)
{
	uint32_t slots = 0;

	for (size_t i = 0; i < inventory_n_admins(g->app->inventory); i++) {
		const struct admin *a = inventory_admin(g->app->inventory, i);

		if (a != g->to && !a->revoked)
			slots |= 1u << a->slot;
	}
	return slots;
}

static void
tell_kept(const struct work *w, int slot)
{
	log_line(LOG_WARNING, "%s: slot %d may hold what an interrupted run left, and is kept (see --info)",
	    path_shown(w->disk->path), slot);
}

/*
 * Spares that earlier runs may have filled, noted without a salt: there may be another admin's key by
 * now, on his way through a spare or since the slot was given to him. They go only if nobody owns
 * them and nobody else can need them.
 */
static void
tidy_doubted(struct granting *g, struct work *w, uint32_t slots)
{
	uint32_t others = slots_of_others(g) & luks_all_slots(&w->header);
	uint32_t may = slots & ~(w->disk->rescue_slots | 1u << w->slot | 1u << w->auth.slot);

	if (others & ~luks_active(&w->header))
		may = 0;
	for (int slot = 0; slot < LUKS_MAX_SLOTS; slot++)
		if (inventory_slot_owner(g->app->inventory, slot))
			may &= ~(1u << slot);
	if (may)
		w->filled = others;
	w->tidy |= may;
	for (int slot = 0; slot < LUKS_MAX_SLOTS; slot++)
		if (slots & ~may & 1u << slot)
			tell_kept(w, slot);
}

/* What I left in spare slots goes, once the key is in its own. By its salt it is surely mine. */
static bool
tidy_spares(struct granting *g, struct work *w, const struct journal_note *note, struct err *e)
{
	const struct journal_slot *spare = &note->spare;
	uint32_t doubted = settle_doubted_slots(&g->settling, w);
	bool mine = false;

	if (spare->slot != JOURNAL_NO_SLOT && w->header.slots[spare->slot].active) {
		if (!settle_is_leftover(&g->settling, note, spare,
			w->header.slots[spare->slot].salt, &mine, e))
			return false;
		if (!mine)
			tell_kept(w, spare->slot);
		else if (spare->salt)
			w->tidy |= 1u << spare->slot;
		else
			doubted |= 1u << spare->slot;
	}
	tidy_doubted(g, w, doubted);
	return true;
}

static bool
decide_occupied(struct granting *g, struct work *w, const struct journal_note *note, struct err *e)
{
	bool mine = g->app->options.force;

	if (!mine && note &&
	    !settle_is_leftover(&g->settling, note, &note->own, w->header.slots[w->slot].salt,
		&mine, e))
		return false;
	w->go = WORK_REFUSED;
	w->spare = settle_find_spare(&g->settling, w);
	if (!mine)
		err_set(&w->err, ERR_REFUSED,
		    "slot %d, which is %s's, is filled already: where that key is known to work "
		    "nothing is to be done, otherwise --force replaces it", w->slot,
		    g->to->name);
	else if (w->auth.slot == w->slot)
		err_set(&w->err, ERR_REFUSED, "slot %d, which is %s's, is the one that your key opens",
		    w->slot, g->to->name);
	else if (w->spare < 0)
		err_set(&w->err, ERR_DISK, "no slot is free to replace slot %d through", w->slot);
	else
		w->go = WORK_SPARE;
	return true;
}

/* Other slots that earlier runs had noted as leftovers, by their salts. */
static uint32_t
known_leftovers(const struct granting *g, const struct work *w)
{
	return settle_known_slots(&g->settling, w) & ~(1u << w->slot | 1u << w->auth.slot);
}

/* What is to be done with this disk, now that its header was seen? */
static bool
decide(struct granting *g, struct work *w, struct err *e)
{
	const struct journal_note *note = settle_earlier(&g->settling, w);
	bool placed = false;

	if (!w->looked || !w->has_auth)
		return true;
	if (w->slot >= (int)w->header.n_slots) {
		w->go = WORK_REFUSED;
		err_set(&w->err, ERR_DISK, "LUKS%u has slots 0 to %u, and %s's is %d",
		    w->header.version, w->header.n_slots - 1, g->to->name, w->slot);
		return true;
	}
	if (g->to == g->app->me && w->auth.slot == w->slot && w->auth.key != g->app->asked)
		return decide_none(w, WORK_NONE, "granted already");
	if (note && note->promoted && !settle_is_placed(&g->settling, note, &placed, e))
		return false;
	if (placed && !g->app->options.force && decide_granted(w, note)) {
		if (w->go == WORK_TIDY) {
			w->tidy |= known_leftovers(g, w);
			tidy_doubted(g, w, settle_doubted_slots(&g->settling, w));
		}
		return true;
	}
	if (note && !tidy_spares(g, w, note, e))
		return false;
	w->tidy |= known_leftovers(g, w);
	if (w->header.slots[w->slot].active)
		return decide_occupied(g, w, note, e);
	w->go = WORK_DIRECT;
	return true;
}

static bool
decide_all(struct granting *g, struct err *e)
{
	for (size_t i = 0; i < g->works->n; i++) {
		struct work *w = g->works->at[i];

		if (!decide(g, w, e))
			return false;
		if (w->go == WORK_DIRECT || w->go == WORK_SPARE)
			w->new_key = secret_random_base64(ENTRY_KEY_BYTES);
	}
	return true;
}

/* The walk, once everything on this side is known to be good. */
static bool
grant(struct granting *g, struct run *run, struct report *rep, struct err *e)
{
	struct settling *s = &g->settling;

	s->looked = clock_unix();
	progress_phase(run, 0);
	return settle_begin(s, e) && decide_all(g, e) && settle_run(s, run, rep, e);
}

static void
show_result(const struct granting *g, const struct report *rep, struct show *show)
{
	works_judge(g->works, rep);
	for (size_t i = 0; i < g->works->n; i++) {
		const struct work *w = g->works->at[i];
		const struct row *bad = w->bad;
		bool granted = w->in_slot || w->in_spare;

		if (bad && granted)
			show_bad(show, w->disk, "granted, but a slot is left to be emptied", &bad->err);
		else if (bad)
			show_bad(show, w->disk,
			    bad->outcome == OUTCOME_UNKNOWN ? "unknown, run it again" : "not granted",
			    &bad->err);
		else if (granted || w->note[0])
			show_good(show, w->disk, w->note[0] ? w->note : "granted", "");
		else
			show_bad(show, w->disk, "not granted", &(struct err){ 0 });
	}
}

/* Faults on this side stop everything, before any host is contacted. */
static bool
check(struct granting *g, const struct target_set *set, struct err *e)
{
	struct app *app = g->app;
	AUTO(argv_done) struct argv files = { 0 };

	if (g->to->revoked)
		return err_set(e, ERR_REFUSED, "%s was revoked on %s: no new grants", g->to->name,
		    g->to->revoked);
	if (!app_open_keystore(app, e) || !keystore_check_recipient(app->keystore, g->to, e) ||
	    !keystore_files(app->keystore, g->to->name, &files, e) ||
	    !app_load_keys(app, e) || !app_check_set_key(app, set, e) ||
	    !keystore_publish(app->keystore, app->me, e))
		return false;
	return !app->options.ask_password ||
	       ask_passphrase("Passphrase that opens the disks: ", &app->asked, e);
}

static bool
add_user_run(struct app *app, int *status, struct err *e)
{
	AUTO(target_set_drop) struct target_set *set = NULL;
	AUTO(plan_drop) struct plan *plan = plan_new("add-user");
	AUTO(works_drop) struct works *works = NULL;
	struct granting g = { .app = app };

	if (!app_load_me(app, e) || !target_select(app->inventory, app->options.args[1], &set, e))
		return false;
	g.to = inventory_find_admin(app->inventory, app->options.args[0]);
	if (!g.to)
		return err_set(e, ERR_USAGE, "users knows no admin named %s", app->options.args[0]);
	g.works = works = works_new(set, g.to->slot);
	plan_add_user(plan, set, works->at, g.to->slot);
	show_begin(app, set);
	if (!pinned_check(app, plan, g.to, e) ||
	    !pinned_check_slot(app, g.to, app->options.force, e))
		return false;
	if (!show_go(app, plan))
		return true;
	if (!check(&g, set, e) || !logins_unlock(app, plan, e))
		return false;
	g.settling = (struct settling){ .app = app, .owner = g.to, .works = works->at,
		.n = works->n };
	AUTO(report_drop) struct report *rep = report_new(plan);
	struct run_options o = app_run_options(app, settle_on_row, &g.settling);
	AUTO(run_drop) struct run *run = run_begin(&o, plan, rep);

	bool ok = grant(&g, run, rep, e);

	settle_done(&g.settling);
	show_result(&g, rep, &app->show);
	*status = show_summary(&app->show, "not granted as asked");
	return ok;
}

const struct command command_add_user = {
	.verb = VERB_ADD_USER,
	.name = "add-user",
	.letter = 'a',
	.args = { "USER", "TARGETS" },
	.help = "grant an admin access to disks",
	.run = add_user_run,
};
