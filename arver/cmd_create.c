/* SPDX-License-Identifier: MIT */
/*
 * --create: a new LUKS header with a key of mine in my slot. The header's
 * UUID is chosen here and staged with the key, so that what a cut left on the
 * device is told from anybody else's header and taken up again.
 */
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include "arver/app.h"
#include "arver/command.h"
#include "arver/logins.h"
#include "arver/pinned.h"
#include "arver/progress.h"
#include "arver/settle.h"
#include "arver/show.h"
#include "arver/works.h"
#include "base/mem.h"
#include "base/secret.h"
#include "inventory/inventory.h"
#include "keyring/keyring.h"
#include "keystore/entry.h"
#include "keystore/keystore.h"
#include "plan/plan.h"
#include "target/target.h"

/* A random UUID (RFC 4122, version 4), as cryptsetup writes it. */
static void
make_uuid(char out[LUKS_UUID_LEN + 1])
{
	unsigned char b[16];
	size_t n = 0;

	while (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b))
		;
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	for (size_t i = 0; i < sizeof(b); i++)
		n += (size_t)snprintf(out + n, LUKS_UUID_LEN + 1 - n,
		    i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", b[i]);
}

/*
 * The key and UUID that an interrupted create staged, newest first; or NULL. Only what the journal knows:
 * whoever can write the directory could put a key there that he knows, for a disk that is not made yet.
 */
static const struct key *
staged_key(const struct settling *s, const struct work *w)
{
	const struct journal_note *note = settle_earlier(s, w);
	size_t n;
	const struct key *keys = keyring_get(s->app->keys, w->disk->path, &n);

	for (size_t i = 0; note && i < n; i++)
		if (keys[i].state == KEY_STAGED && keys[i].uuid &&
		    strcmp(keys[i].uuid, note->uuid) == 0 &&
		    (argv_has(&note->staged, keys[i].file) || argv_has(&note->mixed, keys[i].file)))
			return &keys[i];
	return NULL;
}

/* The note of a create that was cut between promoting its key and striking the note; or NULL. */
static const struct journal_note *
promoted_note(const struct settling *s, const struct work *w)
{
	const struct journal_note *n = settle_earlier(s, w);

	return n && n->promoted && n->spare.slot == JOURNAL_NO_SLOT ? n : NULL;
}

/* What this side can know stops everything: no host is contacted. */
static bool
check(struct app *app, const struct works *works, struct settling *s, struct err *e)
{
	if (!app_open_keystore(app, e) || !keystore_check_recipient(app->keystore, app->me, e) ||
	    !app_load_keys(app, e) || !keystore_publish(app->keystore, app->me, e) ||
	    !settle_begin(s, e))
		return false;
	for (size_t i = 0; i < works->n; i++) {
		struct work *w = works->at[i];
		const struct key *staged = staged_key(s, w);
		const struct journal_note *done =
		    app->options.violence ? NULL : promoted_note(s, w);

		if (keyring_has_live(app->keys, w->disk->path) && !app->options.force && !done)
			return err_set(e, ERR_REFUSED,
			    "%s: you hold a key for it already: --force makes a new one all the same",
			    path_shown(w->disk->path));
		if (str_equal(w->disk->luks.type, "luks1") && app->me->slot > 7)
			return err_set(e, ERR_DATA, "%s: LUKS1 has slots 0 to 7, and yours is %d",
			    path_shown(w->disk->path), app->me->slot);
		if (w->disk->uuid)
			snprintf(w->uuid, sizeof(w->uuid), "%s", w->disk->uuid);
		else if (staged)
			snprintf(w->uuid, sizeof(w->uuid), "%s", staged->uuid);
		else if (done)
			snprintf(w->uuid, sizeof(w->uuid), "%s", done->uuid);
	}
	return true;
}

/* Take up what an interrupted run began, or begin anew. */
static void
choose_key(const struct settling *s, struct work *w)
{
	const struct key *staged = staged_key(s, w);

	if (staged && strcmp(staged->uuid, w->uuid) == 0) {
		w->new_key = secret_from(secret_bytes(staged->passphrase));
		return;
	}
	w->new_key = secret_random_base64(ENTRY_KEY_BYTES);
	if (!w->disk->uuid)
		make_uuid(w->uuid);
}

/* The header of an interrupted create, with a slot: is it mine, and in my slot? */
static void
decide_resume(const struct settling *s, struct work *w)
{
	const struct key *staged = staged_key(s, w);

	if (staged && w->has_auth && w->auth.slot == w->slot &&
	    secret_equal(w->auth.key, staged->passphrase)) {
		choose_key(s, w);
		w->in_slot = true;
		w->go = WORK_DIRECT;
		return;
	}
	w->go = WORK_REFUSED;
	err_set(&w->err, ERR_REFUSED, "it holds LUKS%u, which your staged key does not open: "
				      "--violence overwrites it", w->header.version);
}

static void
decide(const struct app *app, const struct settling *s, struct work *w)
{
	const struct key *staged = staged_key(s, w);
	bool mine = staged && w->probe.is_luks && strcmp(w->uuid, w->header.uuid) == 0 &&
		    strcmp(w->uuid, staged->uuid) == 0;

	if (!w->looked)
		return;
	if (promoted_note(s, w) && keyring_has_live(app->keys, w->disk->path) && w->has_auth &&
	    w->auth.slot == w->slot && !app->options.violence) {
		w->go = WORK_TIDY; /* only the note is left */
		snprintf(w->note, sizeof(w->note), "created already");
		return;
	}
	if (mine && luks_active(&w->header)) {
		decide_resume(s, w);
		if (w->go == WORK_DIRECT || !app->options.violence)
			return;
	}
	w->violence = app->options.violence;
	if (!w->probe.empty && !mine && !w->violence) {
		w->go = WORK_REFUSED;
		err_set(&w->err, ERR_REFUSED, "%s holds %s: --violence overwrites it",
		    w->disk->device, w->probe.what);
		return;
	}
	w->go = WORK_DIRECT;
	choose_key(s, w);
}

static bool
create(struct app *app, const struct works *works, struct settling *s, struct run *run,
    struct report *rep, struct err *e)
{
	progress_phase(run, 0);
	for (size_t i = 0; i < works->n; i++)
		decide(app, s, works->at[i]);
	if (!settle_stage(s, e))
		return false;
	progress_phase(run, 1);
	return settle_promote(s, rep, e) && settle_finish(s, e) && settle_close(s, e);
}

static void
show_result(struct works *works, const struct report *rep, struct show *show)
{
	works_judge(works, rep);
	for (size_t i = 0; i < works->n; i++) {
		const struct work *w = works->at[i];
		const struct row *bad = w->bad;

		if (bad)
			show_bad(show, w->disk,
			    bad->outcome == OUTCOME_UNKNOWN ? "unknown, run it again" : "not created",
			    &bad->err);
		else if (w->in_slot || w->note[0])
			show_good(show, w->disk, w->note[0] ? w->note : "created", "");
		else
			show_bad(show, w->disk, "not created", &(struct err){ 0 });
	}
}

static bool
create_run(struct app *app, int *status, struct err *e)
{
	AUTO(target_set_drop) struct target_set *set = NULL;
	AUTO(plan_drop) struct plan *plan = plan_new("create");
	AUTO(works_drop) struct works *works = NULL;
	AUTO(settle_done) struct settling settling = { .app = app };

	if (!app_load_me(app, e) || !target_select(app->inventory, app->options.args[0], &set, e))
		return false;
	works = works_new(set, app->me->slot);
	plan_create(plan, set, works->at, app->me->slot);
	show_begin(app, set);
	if (!pinned_check(app, plan, app->me, e))
		return false;
	if (!show_go(app, plan))
		return true;
	settling.owner = app->me;
	settling.works = works->at;
	settling.n = works->n;
	if (!check(app, works, &settling, e) || !logins_unlock(app, plan, e))
		return false;
	AUTO(report_drop) struct report *rep = report_new(plan);
	struct run_options o = app_run_options(app, NULL, NULL);
	AUTO(run_drop) struct run *run = run_begin(&o, plan, rep);

	bool ok = create(app, works, &settling, run, rep, e);

	show_result(works, rep, &app->show);
	*status = show_summary(&app->show, "not created as asked");
	return ok;
}

const struct command command_create = {
	.verb = VERB_CREATE,
	.name = "create",
	.args = { "TARGETS" },
	.help = "make devices LUKS disks, with a key of yours",
	.run = create_run,
};
