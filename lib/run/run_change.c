/* SPDX-License-Identifier: MIT */
/*
 * Steps that change a header. Each is told by the verb's decision (work->go)
 * what to do, proves it in the same command, and, when it was cut off, looks
 * again under the lock: what can be settled now is not left unknown.
 */
#include "run/run_internal.h"

#include <stdio.h>
#include <string.h>
#include "run/work.h"

/* The verb decided that nothing, or nothing good, is to be done here. */
static bool
is_decided_against(struct row *row)
{
	const struct work *w = row->step->work;

	if (w->go == WORK_DIRECT || w->go == WORK_SPARE)
		return false;
	row->outcome = w->go == WORK_REFUSED ? OUTCOME_FAILED : OUTCOME_NEEDLESS;
	row->err = w->err;
	snprintf(row->note, sizeof(row->note), "%s", w->note);
	return true;
}

static void
needless(struct row *row)
{
	row->outcome = OUTCOME_NEEDLESS;
}

/*
 * Was the new key's change done, now that its command was cut off? Looking
 * under the lock waits for a command that is still at work.
 */
static void
look_again(struct lane_run *l, struct row *row, int slot)
{
	struct work *w = row->step->work;
	struct luks_try try = { .key = w->new_key, .slot = slot };
	struct luks_header now;
	struct err e = { 0 };
	bool fits = false;

	row->outcome = OUTCOME_UNKNOWN;
	if (!transport_connect(l->transport, &e) || !luks_look(l->luks, w->disk, true, &now, &e) ||
	    strcmp(now.uuid, w->uuid) != 0)
		return;
	if (!now.slots[slot].active && row->step->kind == STEP_FORMAT)
		return; /* a format holds another lock: it may still be at work */
	if (!now.slots[slot].active) {
		row->outcome = OUTCOME_FAILED;
		row->err.kind = ERR_DISK;
		err_wrap(&row->err, "not changed, as seen when looked at again");
		return;
	}
	if (!luks_test(l->luks, w->disk, &try, 1, false, &fits, &e) || !fits)
		return;
	w->header = now;
	row->outcome = OUTCOME_DONE;
	snprintf(row->note, sizeof(row->note), "seen after the connection was lost");
}

/* The new key was to be put into this slot: what came of it? */
static void
key_result(struct lane_run *l, struct row *row, bool ok, int slot)
{
	struct work *w = row->step->work;

	if (ok)
		row->outcome = OUTCOME_DONE;
	else if (row->err.kind == ERR_LOST)
		look_again(l, row, slot);
	else
		row->outcome = outcome_of(&row->err);
	if (row->outcome != OUTCOME_DONE)
		return;
	if (slot == w->slot) {
		w->in_slot = true;
		return;
	}
	w->in_spare = true;
	memcpy(w->spare_salt, w->header.slots[slot].salt, sizeof(w->spare_salt));
}

void
step_format(struct lane_run *l, struct row *row)
{
	struct work *w = row->step->work;
	const struct luks_settings *s = &w->disk->luks;

	if (w->in_slot) { /* an interrupted create got this far: proven by the probe */
		row->outcome = OUTCOME_DONE;
		return;
	}
	if (is_decided_against(row))
		return;
	bool ok = luks_format(l->luks, w->disk,
	    &(struct luks_format){ .uuid = w->uuid, .type = s->type, .cipher = s->cipher,
		.key_size = s->key_size, .sector_size = s->sector_size, .pbkdf = s->pbkdf,
		.key = w->new_key, .slot = w->slot, .overwrite = w->violence },
	    &w->header, &row->err);

	key_result(l, row, ok, w->slot);
}

/* Would an add without priority stretch a key of somebody else's? */
static bool
has_costly_slot(const struct work *w, int auth)
{
	for (int s = 0; s < LUKS_MAX_SLOTS; s++)
		if (w->header.slots[s].active && s != auth &&
		    !luks_slot_is_cheap(&w->header.slots[s]))
			return true;
	return false;
}

void
step_add(struct lane_run *l, struct row *row)
{
	struct work *w = row->step->work;
	bool second = row->step->phase > 1;
	int slot = !second && w->go == WORK_SPARE ? w->spare : w->slot;
	struct luks_try auth = second ? (struct luks_try){ .key = w->new_key, .slot = w->spare }
				      : w->auth;

	/* The spare comes first; a key that an earlier run has put there, or in both, is there. */
	if (second ? w->go != WORK_SPARE || !w->in_spare || w->in_slot : w->in_spare) {
		needless(row);
		return;
	}
	if (is_decided_against(row))
		return;
	bool ok = luks_add(l->luks, w->disk,
	    &(struct luks_add){ .uuid = w->uuid, .auth = auth, .key = w->new_key, .slot = slot,
		.pbkdf = w->disk->luks.pbkdf,
		.prefer = w->header.version == 2 && has_costly_slot(w, auth.slot) },
	    &w->header, &row->err);

	key_result(l, row, ok, slot);
}

/* The kill was cut off, or its proof failed: is the slot empty now, and does the successor open? */
static void
look_at_kill(struct lane_run *l, struct row *row, const struct luks_kill *k)
{
	struct work *w = row->step->work;
	struct luks_header now;
	struct err e = { 0 };
	bool fits = true;

	row->outcome = OUTCOME_UNKNOWN;
	if (!transport_connect(l->transport, &e) || !luks_look(l->luks, w->disk, true, &now, &e) ||
	    strcmp(now.uuid, w->uuid) != 0 ||
	    (k->auth.slot != k->slot && !luks_test(l->luks, w->disk, &k->auth, 1, false, &fits, &e)))
		return;
	w->header = now;
	row->outcome = now.slots[k->slot].active || !fits ? OUTCOME_FAILED : OUTCOME_DONE;
}

/* `salt`: what the slot held when it was decided that it goes. */
static bool
kill_slot(struct lane_run *l, struct row *row, struct luks_kill k)
{
	struct work *w = row->step->work;

	k.uuid = w->uuid;
	k.violence = w->violence;
	if (luks_kill(l->luks, w->disk, &k, &w->header, &row->err))
		row->outcome = OUTCOME_DONE;
	else if (row->err.kind == ERR_LOST)
		look_at_kill(l, row, &k);
	else
		row->outcome = outcome_of(&row->err);
	if (row->outcome != OUTCOME_DONE)
		return false;
	w->killed |= 1u << k.slot;
	return true;
}

/* Slots that are to go besides: leftovers of earlier runs, or what nobody claims. */
static void
kill_tidy(struct lane_run *l, struct row *row, struct luks_try auth)
{
	struct work *w = row->step->work;

	for (int s = 0; s < LUKS_MAX_SLOTS; s++) {
		if (!(w->tidy >> s & 1) || !w->header.slots[s].active)
			continue;
		if (!kill_slot(l, row, (struct luks_kill){ .auth = auth, .slot = s,
			.salt = w->surveyed.slots[s].salt, .filled = w->filled,
			.known = w->fits[s] != NULL }))
			return;
		w->tidy &= ~(1u << s);
	}
}

/* What is in the admin's slot goes, now that its successor sits in the spare. */
static void
kill_replaced(struct lane_run *l, struct row *row)
{
	struct work *w = row->step->work;

	if (w->go == WORK_SPARE && w->in_spare && !w->in_slot && w->header.slots[w->slot].active)
		kill_slot(l, row, (struct luks_kill){ .auth = { w->new_key, w->spare },
		    .slot = w->slot, .salt = w->surveyed.slots[w->slot].salt,
		    .known = w->fits[w->slot] != NULL });
}

/* The spare goes, now that its key sits in the admin's slot. */
static void
kill_spare(struct lane_run *l, struct row *row)
{
	struct work *w = row->step->work;
	struct luks_try auth = w->in_slot ? (struct luks_try){ .key = w->new_key, .slot = w->slot }
					  : w->auth;

	if (w->in_slot && w->in_spare) {
		w->in_spare = !kill_slot(l, row, (struct luks_kill){ .auth = auth,
		    .slot = w->spare, .salt = w->spare_salt, .known = true });
		if (w->in_spare)
			return;
	}
	if (w->in_slot || w->go == WORK_TIDY)
		kill_tidy(l, row, auth);
}

/* del-user: may the admin's slot be killed? */
static bool
may_kill(struct row *row)
{
	struct work *w = row->step->work;
	uint32_t bit = 1u << w->slot;

	if (!(luks_active(&w->header) & bit)) {
		row->outcome = OUTCOME_NEEDLESS;
		snprintf(w->note, sizeof(w->note), "not present");
		return false;
	}
	row->outcome = OUTCOME_FAILED;
	if (w->violence)
		return true;
	if (luks_active(&w->header) == bit)
		return err_set(&row->err, ERR_REFUSED,
		    "slot %d is its last one in use: --violence empties it", w->slot);
	if (w->mine & bit)
		return err_set(&row->err, ERR_REFUSED,
		    "your own key opens slot %d: --violence empties it", w->slot);
	return true;
}

void
step_kill(struct lane_run *l, struct row *row)
{
	struct work *w = row->step->work;

	needless(row);
	switch (row->step->phase) {
	case 0: /* del-user: the leaver's slot */
		if (may_kill(row))
			kill_slot(l, row, (struct luks_kill){ .auth = w->auth, .slot = w->slot,
			    .salt = w->surveyed.slots[w->slot].salt });
		break;
	case 1: /* del-user --force */
		kill_tidy(l, row, w->auth);
		break;
	case 2: /* add-user and refresh, through a spare */
		kill_replaced(l, row);
		break;
	default:
		kill_spare(l, row);
	}
}
