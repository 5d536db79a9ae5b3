/* SPDX-License-Identifier: MIT */
/*
 * The order is the promise: journal, then staged file, then the disk, then
 * proof, then journal, then promoted file. At every instant in between some
 * key file names the key of whatever slot there is.
 */
#include "arver/settle.h"

#include <stdlib.h>
#include <string.h>
#include "arver/app.h"
#include "arver/progress.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "inventory/inventory.h"
#include "keystore/keystore.h"
#include "report/report.h"
#include "run/run.h"
#include "run/work.h"

/* What became of a new key. */
enum fate { FATE_UNCHANGED, FATE_UNKNOWN, FATE_PROVEN };

void
settle_done(struct settling *s)
{
	merge_done(&s->merge);
	journal_notes_done(&s->before);
	journal_notes_done(&s->notes);
}

static struct entry *
add_entry(struct entry_list *l, const struct settling *s, const struct work *w)
{
	struct entry *entry = entry_list_add(l);

	entry->path = mem_strdup(w->disk->path);
	entry->key = secret_from(secret_bytes(w->new_key));
	entry->made = s->made;
	entry->uuid = mem_strdup(w->uuid);
	if (s->owner != s->app->me)
		entry->by = mem_strdup(s->app->me->name);
	return entry;
}

/* Note the file's name for every disk, make that durable, put the file in place. */
static bool
place(struct settling *s, const struct entry_list *entries, bool mixed, struct err *e)
{
	AUTO(sealed_done) struct sealed sealed = { 0 };

	if (!app_seal(s->app, s->owner, entries, &sealed, e))
		return false;
	for (size_t i = 0; i < s->notes.n; i++)
		argv_add(mixed ? &s->notes.at[i].mixed : &s->notes.at[i].staged, sealed.name);
	if (!journal_write(s->app->journal, &s->notes, e) ||
	    !keystore_place(s->app->keystore, &sealed, e))
		return false;
	memcpy(s->staged, sealed.name, sizeof(s->staged));
	return true;
}

bool
settle_stage(struct settling *s, struct err *e)
{
	AUTO(entry_list_done) struct entry_list entries = { 0 };

	s->made = clock_unix();
	for (size_t i = 0; i < s->n; i++) {
		if (!s->works[i]->new_key)
			continue;
		if (!settle_new_note(s, s->works[i], e))
			return false;
		if (!s->works[i]->stored)
			add_entry(&entries, s, s->works[i]);
	}
	return entries.n > 0 ? place(s, &entries, false, e)
			     : journal_write(s->app->journal, &s->notes, e);
}

static enum fate
fate_of(struct report *rep, const struct work *w)
{
	const struct row *row;

	if (w->in_slot || w->in_spare)
		return FATE_PROVEN;
	/* The change of the first phase: a later one depends on its success. */
	for (size_t i = 0; i < rep->n; i++) {
		row = &rep->rows[i];
		if (row->step->work == w && row->step->phase == 1 &&
		    row->outcome == OUTCOME_UNKNOWN)
			return FATE_UNKNOWN;
	}
	return FATE_UNCHANGED;
}

static void
set_salt(struct journal_slot *to, const struct work *w, bool proven)
{
	if (!proven || to->slot == JOURNAL_NO_SLOT)
		return;
	free(to->salt);
	to->salt = mem_strdup(w->header.slots[to->slot].salt);
}

static void
copy_salt(struct settling *s, const struct work *w)
{
	struct journal_note *n = w->new_key ? settle_note(s, w) : NULL;

	if (!n)
		return;
	set_salt(&n->own, w, w->in_slot);
	set_salt(&n->spare, w, w->in_spare);
}

static void
copy_salts(struct settling *s)
{
	for (size_t i = 0; i < s->n; i++)
		copy_salt(s, s->works[i]);
}

void
settle_on_row(void *arg, const struct row *row)
{
	struct settling *s = arg;
	const struct work *w = row->step->work;
	struct err e = { 0 };

	if (row->step->kind != STEP_ADD || row->step->phase != 1 || !w->in_spare)
		return;
	copy_salt(s, w);
	if (!journal_write(s->app->journal, &s->notes, &e))
		log_line(LOG_WARNING, "%s: %s", path_shown(w->disk->path), e.text);
}

/* From now on the note's salts are those of the promoted key, and of no leftover. */
static void
promote_note(struct journal_note *n, const struct work *w)
{
	n->promoted = true;
	if (!w->in_slot)
		mem_free_drop(&n->own.salt);
	if (!w->in_slot)
		n->own.salt = NULL;
}

/* Keys of mine that were opened and then killed, with a proven successor, in this run. */
static void
note_dead(struct settling *s, const struct work *w)
{
	struct journal_note *n = w->new_key ? settle_note(s, w) : NULL;

	if (!n || !settle_is_mine(s) || !(w->in_slot || w->in_spare))
		return;
	for (int slot = 0; slot < LUKS_MAX_SLOTS; slot++) {
		const struct secret *key = w->killed >> slot & 1 ? w->fits[slot] : NULL;
		bool elsewhere = !key || secret_equal(key, w->new_key);

		for (int other = 0; other < LUKS_MAX_SLOTS && !elsewhere; other++)
			elsewhere = !(w->killed >> other & 1) && w->fits[other] == key;
		if (!elsewhere)
			merge_dead(&s->merge, key, w, &n->dead);
	}
}

/* Phases that moved keys between slots are over: note their salts, and which keys are dead. */
static bool
note_changes(struct settling *s, struct err *e)
{
	copy_salts(s);
	for (size_t i = 0; i < s->n; i++)
		note_dead(s, s->works[i]);
	return journal_write(s->app->journal, &s->notes, e);
}

/* A key is proven: from now on it is the one that counts. */
static void
promote(struct settling *s, struct work *w)
{
	promote_note(settle_note(s, w), w);
	w->promoted = keystore_new_time(s->app->keys, w->disk->path);
	if (!settle_is_mine(s))
		return;
	merge_promoted(&s->merge, w->disk->path, w->stored, w->promoted);
	if (w->stored)
		merge_proven(&s->merge, w->stored, s->made);
}

/* What became of each key? How many are proven, and how many are not known? */
static void
draw(struct settling *s, struct report *rep, size_t *n_proven, size_t *n_unknown)
{
	for (size_t i = 0; i < s->n; i++) {
		struct work *w = s->works[i];
		enum fate fate = w->new_key ? fate_of(rep, w) : FATE_UNCHANGED;

		if (w->new_key)
			w->unsettled = fate == FATE_UNKNOWN;
		*n_unknown += fate == FATE_UNKNOWN;
		*n_proven += fate == FATE_PROVEN;
		if (fate == FATE_PROVEN)
			promote(s, w);
	}
}

/* The entries of the file that takes the staged one's place; if it is mine, of all my files'. */
static void
collect(const struct settling *s, bool all_of_mine, struct entry_list *out)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct work *w = s->works[i];

		if (!(w->promoted > 0 || w->unsettled) || (w->stored && all_of_mine))
			continue;
		struct entry *entry = add_entry(out, s, w);

		entry->time = w->promoted;
		entry->proven = w->promoted > 0 ? clock_unix() : 0;
	}
	if (all_of_mine)
		merge_collect(&s->merge, out);
}

/* Put a file in place of `before` (or of none, ""), and of all those that it was made from. */
static bool
replace(struct settling *s, bool promoted, const char *before, struct err *e)
{
	AUTO(entry_list_done) struct entry_list entries = { 0 };
	bool all_of_mine = promoted && settle_is_mine(s);

	collect(s, all_of_mine, &entries);
	if (entries.n > 0 && !place(s, &entries, promoted, e))
		return false;
	if (all_of_mine && !merge_retire(&s->merge, s->staged, e))
		return false;
	return !before[0] || keystore_remove(s->app->keystore, s->owner->name, before, e);
}

bool
settle_promote(struct settling *s, struct report *rep, struct err *e)
{
	char before[65];
	size_t n_proven = 0, n_unknown = 0;

	if (s->notes.n == 0)
		return true;
	memcpy(before, s->staged, sizeof(before));
	draw(s, rep, &n_proven, &n_unknown);
	copy_salts(s);
	if (n_unknown == s->notes.n)
		return true; /* the staged file stays as it is */
	return replace(s, n_proven > 0, before, e);
}

bool
settle_finish(struct settling *s, struct err *e)
{
	if (!settle_is_mine(s) || !merge_is_due(&s->merge))
		return true;
	for (size_t i = 0; i < s->n; i++)
		if (s->works[i]->promoted > 0)
			return replace(s, true, "", e);
	return merge_write(&s->merge, e);
}

/* What was seen to open a slot is alive, whatever was noted of it before. */
static void
note_seen(struct settling *s)
{
	for (size_t i = 0; settle_is_mine(s) && i < s->n; i++)
		for (int slot = 0; slot < LUKS_MAX_SLOTS; slot++)
			if (s->works[i]->fits[slot])
				merge_proven(&s->merge, s->works[i]->fits[slot], s->looked);
}

bool
settle_run(struct settling *s, struct run *run, struct report *rep, struct err *e)
{
	note_seen(s);
	if (!settle_stage(s, e))
		return false;
	progress_phase(run, 1);
	if (!settle_promote(s, rep, e))
		return false;
	progress_phase(run, 2);
	if (!note_changes(s, e))
		return false;
	progress_phase(run, 3);
	return note_changes(s, e) && settle_finish(s, e) && settle_close(s, e);
}
