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
#include "keyring/keyring.h"
#include "run/work.h"

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
		w->fits[t->at[i].slot] = t->at[i].key;
		if (!w->has_auth)
			w->auth = t->at[i];
		w->has_auth = true;
	}
	return true;
}

typedef void add_keys(struct tries *t, const struct lane_run *l, const struct disk *d, int slot);

/* My keys in each of these slots, cheap slots first. */
static void
add_slots(struct tries *t, struct lane_run *l, const struct work *w, uint32_t slots, add_keys *add)
{
	for (int cheap = 1; cheap >= 0; cheap--)
		for (int s = 0; s < LUKS_MAX_SLOTS; s++)
			if ((slots >> s & 1) && luks_slot_is_cheap(&w->header.slots[s]) == cheap)
				add(t, l, w->disk, s);
}

/* Where do my keys fit? My own slot first, then, only if need be, the others. */
static bool
survey_auth(struct lane_run *l, struct work *w, struct err *e)
{
	AUTO(tries_done) struct tries own = { 0 }, others = { 0 };
	uint32_t active = luks_active(&w->header);
	uint32_t mine = l->o->my_slot >= 0 ? 1u << l->o->my_slot : 0;

	add_slots(&own, l, w, active & mine, tries_add_mine);
	if (!survey_try(l, w, &own, false, e))
		return false;
	if (w->has_auth)
		return true;
	add_slots(&others, l, w, active & ~mine, tries_add_mine);
	return survey_try(l, w, &others, false, e);
}

/*
 * May a key of mine be in there? Arver fills slots without stretching, unless settings want it: a
 * stretched one that it has not noted is a person's, and seconds are not spent on it.
 */
static bool
is_worth_a_try(const struct work *w, int slot)
{
	const char *pbkdf = w->disk->luks.pbkdf;

	return luks_slot_is_cheap(&w->header.slots[slot]) || (w->noted >> slot & 1) ||
	       (pbkdf && strcmp(pbkdf, "pbkdf2") != 0);
}

/* Which of the slots in question do my keys open? */
static bool
survey_suspects(struct lane_run *l, struct work *w, struct err *e)
{
	AUTO(tries_done) struct tries t = { 0 };
	uint32_t own = w->slot >= 0 ? 1u << w->slot : 0;
	uint32_t slots = 0;

	if (w->slot == l->o->my_slot)
		own = 0; /* survey_auth has tried it */
	for (int s = 0; s < LUKS_MAX_SLOTS; s++)
		if ((w->suspects >> s & 1) && is_worth_a_try(w, s))
			slots |= 1u << s;
	add_slots(&t, l, w, (slots | own) & luks_active(&w->header) & ~w->mine, tries_add_live);
	return survey_try(l, w, &t, true, e);
}

/*
 * Where the inventory does not say so itself, it is only the server's word that this is a disk
 * of another path: no key of that one goes out, but the person is told.
 */
static void
hint(const struct lane_run *l, const struct disk *d, const char *uuid, struct err *e)
{
	const char *path = NULL;

	do
		path = l->o->keys ? keyring_path_of_uuid(l->o->keys, uuid, path) : NULL;
	while (path && strcmp(path, d->path) == 0);
	if (!path || d->uuid)
		return;
	AUTO(mem_free_drop) char *before = mem_strdup(e->text);

	err_set(e, e->kind, "%s; you hold one for %s, which had this header's UUID: if this is that disk, "
	    "--set-key %s uses it here", before, path_shown(path), path);
}

/* Read the header for its UUID, to tell the person more. */
static void
look_and_hint(struct lane_run *l, struct row *row)
{
	struct luks_header h;
	struct err e = { 0 };
	size_t n = 0;

	if (l->o->keys)
		(void)keyring_paths(l->o->keys, &n);
	if (n > 0 && luks_look(l->luks, row->step->disk, false, &h, &e))
		hint(l, row->step->disk, h.uuid, &row->err);
}

static void
no_key(struct lane_run *l, struct row *row)
{
	row->outcome = OUTCOME_SKIPPED;
	err_set(&row->err, ERR_KEY, "you hold no key for it");
	look_and_hint(l, row);
}

static void
none_opens(struct lane_run *l, struct row *row)
{
	err_set(&row->err, ERR_KEY, "none of your keys opens it");
	look_and_hint(l, row);
}

void
step_verify(struct lane_run *l, struct row *row)
{
	AUTO(tries_done) struct tries t = { 0 };
	struct work *w = row->step->work;
	size_t own, i = 0;

	if (l->o->my_slot >= 0)
		tries_add_mine(&t, l, row->step->disk, l->o->my_slot);
	own = t.n;
	tries_add_mine(&t, l, row->step->disk, LUKS_ANY_SLOT);
	if (t.n == 0) {
		no_key(l, row);
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
	w->has_auth = i < t.n;
	if (w->has_auth)
		w->auth = t.at[i];
	if (i == t.n)
		none_opens(l, row);
	else if (i < own)
		snprintf(row->note, sizeof(row->note), "slot %d", l->o->my_slot);
	else
		snprintf(row->note, sizeof(row->note), "in a slot that is not yours");
}

void
step_survey(struct lane_run *l, struct row *row)
{
	AUTO(tries_done) struct tries any = { 0 };
	struct work *w = row->step->work;

	tries_add_mine(&any, l, w->disk, LUKS_ANY_SLOT);
	if (any.n == 0) {
		no_key(l, row);
		return;
	}
	w->looked = luks_look(l->luks, w->disk, true, &w->header, &row->err);
	if (!w->looked || !survey_auth(l, w, &row->err) ||
	    (w->survey_all && w->has_auth && !survey_suspects(l, w, &row->err))) {
		row->outcome = outcome_of(&row->err);
		w->looked = w->has_auth = false; /* half of it is nothing to decide by */
		return;
	}
	snprintf(w->uuid, sizeof(w->uuid), "%s", w->header.uuid);
	w->surveyed = w->header;
	row->outcome = w->has_auth ? OUTCOME_DONE : OUTCOME_FAILED;
	if (!w->has_auth) {
		err_set(&row->err, ERR_KEY, "none of your keys opens it");
		hint(l, w->disk, w->uuid, &row->err);
	}
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
