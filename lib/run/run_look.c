/* SPDX-License-Identifier: MIT */
/*
 * Steps that read a header and try keys, and change nothing: verify, info,
 * survey, probe. Slots are named one by one, cheap ones first, so that nobody's argon2 is
 * stretched while another slot would have done.
 */
#include "run/run_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "run/work.h"

static void
no_key(struct row *row)
{
	row->outcome = OUTCOME_SKIPPED;
	err_set(&row->err, ERR_KEY, "you hold no key for it");
}

void
step_verify(struct lane_run *l, struct row *row)
{
	AUTO(tries_done) struct tries t = { 0 };
	size_t own, i = 0;

	if (l->o->my_slot >= 0)
		tries_add_mine(&t, l, row->step->disk, l->o->my_slot);
	own = t.n;
	tries_add_mine(&t, l, row->step->disk, LUKS_ANY_SLOT);
	if (t.n == 0) {
		no_key(row);
		return;
	}
	AUTO(mem_free_drop) bool *fits = mem_alloc(t.n, sizeof(*fits));

	if (!luks_test(l->luks, row->step->disk, t.at, t.n, false, fits, &row->err)) {
		row->outcome = outcome_of(&row->err);
		return;
	}
	while (i < t.n && !fits[i])
		i++;
	row->outcome = i < t.n ? OUTCOME_DONE : OUTCOME_FAILED;
	if (i == t.n)
		err_set(&row->err, ERR_KEY, "none of your keys opens it");
	else if (i < own)
		snprintf(row->note, sizeof(row->note), "slot %d", l->o->my_slot);
	else
		snprintf(row->note, sizeof(row->note), "in a slot that is not yours");
}

void
step_info(struct lane_run *l, struct row *row)
{
	struct work *w = row->step->work;

	w->looked = luks_look(l->luks, row->step->disk, false, &w->header, &row->err);
	w->open = lane_disk(l, row->step->disk)->status.state == LUKS_OPEN;
	row->outcome = w->looked ? OUTCOME_DONE : outcome_of(&row->err);
}

/* Try these; the first that fits becomes `auth`, all that fit are `mine`. */
static bool
survey_try(struct lane_run *l, struct work *w, const struct tries *t, bool all, struct err *e)
{
	AUTO(mem_free_drop) bool *fits = mem_alloc(t->n, sizeof(*fits));

	if (t->n == 0)
		return true;
	if (!luks_test(l->luks, w->disk, t->at, t->n, all, fits, e))
		return false;
	for (size_t i = 0; i < t->n; i++) {
		if (!fits[i])
			continue;
		w->mine |= 1u << t->at[i].slot;
		if (!w->has_auth)
			w->auth = t->at[i];
		w->has_auth = true;
	}
	return true;
}

static bool
is_cheap(const struct luks_slot *s)
{
	return strcmp(s->kdf, "pbkdf2") == 0;
}

/* My keys in each of these slots, cheap slots first. */
static void
add_slots(struct tries *t, struct lane_run *l, const struct work *w, uint32_t slots)
{
	for (int cheap = 1; cheap >= 0; cheap--)
		for (int s = 0; s < LUKS_MAX_SLOTS; s++)
			if ((slots >> s & 1) && is_cheap(&w->header.slots[s]) == cheap)
				tries_add_mine(t, l, w->disk, s);
}

/* Where do my keys fit? My own slot first, then, only if need be, the others. */
static bool
survey_auth(struct lane_run *l, struct work *w, struct err *e)
{
	AUTO(tries_done) struct tries own = { 0 }, others = { 0 };
	uint32_t active = luks_active(&w->header);
	uint32_t mine = l->o->my_slot >= 0 ? 1u << l->o->my_slot : 0;

	add_slots(&own, l, w, active & mine);
	if (!survey_try(l, w, &own, false, e))
		return false;
	if (w->has_auth)
		return true;
	add_slots(&others, l, w, active & ~mine);
	return survey_try(l, w, &others, false, e);
}

/* Which of the slots in question do my keys open? */
static bool
survey_suspects(struct lane_run *l, struct work *w, struct err *e)
{
	AUTO(tries_done) struct tries t = { 0 };
	uint32_t slots = w->suspects | (w->slot >= 0 ? 1u << w->slot : 0);

	add_slots(&t, l, w, slots & luks_active(&w->header) & ~w->mine);
	return survey_try(l, w, &t, true, e);
}

void
step_survey(struct lane_run *l, struct row *row)
{
	AUTO(tries_done) struct tries any = { 0 };
	struct work *w = row->step->work;

	tries_add_mine(&any, l, w->disk, LUKS_ANY_SLOT);
	if (any.n == 0) {
		no_key(row);
		return;
	}
	w->looked = luks_look(l->luks, w->disk, true, &w->header, &row->err);
	if (!w->looked || !survey_auth(l, w, &row->err) ||
	    (w->survey_all && w->has_auth && !survey_suspects(l, w, &row->err))) {
		row->outcome = outcome_of(&row->err);
		return;
	}
	snprintf(w->uuid, sizeof(w->uuid), "%s", w->header.uuid);
	w->surveyed = w->header;
	row->outcome = w->has_auth ? OUTCOME_DONE : OUTCOME_FAILED;
	if (!w->has_auth)
		err_set(&row->err, ERR_KEY, "none of your keys opens it");
}

/* A header that is there already may be what an interrupted create of mine left. */
void
step_probe(struct lane_run *l, struct row *row)
{
	struct work *w = row->step->work;

	w->looked = luks_probe(l->luks, w->disk, &w->probe, &row->err);
	if (w->looked && w->probe.is_luks) {
		w->header = w->probe.header;
		if (strcmp(w->uuid, w->header.uuid) == 0)
			w->looked = survey_auth(l, w, &row->err);
	}
	row->outcome = w->looked ? OUTCOME_DONE : outcome_of(&row->err);
}
