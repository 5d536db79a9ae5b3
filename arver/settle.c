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
#include "base/clock.h"
#include "base/mem.h"
#include "base/secret.h"
#include "inventory/inventory.h"
#include "keystore/keystore.h"
#include "report/report.h"
#include "run/work.h"

/* What became of a new key. */
enum fate { FATE_UNCHANGED, FATE_UNKNOWN, FATE_PROVEN };

void
settle_done(struct settling *s)
{
	journal_notes_done(&s->before);
	journal_notes_done(&s->notes);
}

bool
settle_begin(struct settling *s, struct err *e)
{
	return app_open_journal(s->app, e) && journal_read(s->app->journal, &s->before, e);
}

const struct journal_note *
settle_earlier(const struct settling *s, const struct work *w)
{
	const struct journal_note *n = journal_notes_find(&s->before, w->disk->path,
	    s->owner->name);

	return n && w->uuid[0] && strcmp(n->uuid, w->uuid) != 0 ? NULL : n;
}

static bool
has_word(const struct argv *a, const char *word)
{
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->at[i], word) == 0)
			return true;
	return false;
}

bool
settle_is_leftover(const struct settling *s, const struct journal_note *note,
    const struct journal_slot *was, const char *now, bool *out, struct err *e)
{
	AUTO(argv_done) struct argv files = { 0 };
	bool staged_lies_there = false, all_known = true;

	*out = false;
	if (was->slot == JOURNAL_NO_SLOT)
		return true;
	if (was->salt) {
		*out = strcmp(was->salt, now) == 0;
		return true;
	}
	if (!keystore_files(s->app->keystore, s->owner->name, &files, e))
		return false;
	for (size_t i = 0; i < files.n; i++) {
		bool ours = has_word(&note->staged, files.at[i]) || has_word(&note->mixed, files.at[i]);

		staged_lies_there = staged_lies_there || ours;
		all_known = all_known && (ours || has_word(&note->had, files.at[i]));
	}
	*out = staged_lies_there && all_known;
	return true;
}

static bool
has_any_word(const struct argv *a, const struct argv *words)
{
	for (size_t i = 0; i < words->n; i++)
		if (has_word(a, words->at[i]))
			return true;
	return false;
}

bool
settle_is_placed(const struct settling *s, const struct journal_note *note, bool *out,
    struct err *e)
{
	AUTO(argv_done) struct argv files = { 0 };

	if (!keystore_files(s->app->keystore, s->owner->name, &files, e))
		return false;
	/* Neither is there: the owner has merged his files since. */
	*out = has_any_word(&files, &note->mixed) || !has_any_word(&files, &note->staged);
	return true;
}

static struct journal_note *
note_of(const struct settling *s, const struct work *w)
{
	return journal_notes_find(&s->notes, w->disk->path, s->owner->name);
}

static bool
new_note(struct settling *s, const struct work *w, struct err *e)
{
	const struct journal_note *earlier = settle_earlier(s, w);
	struct journal_note *n = journal_notes_add(&s->notes);

	n->disk = mem_strdup(w->disk->path);
	n->admin = mem_strdup(s->owner->name);
	n->uuid = mem_strdup(w->uuid);
	n->own.slot = w->slot;
	if (w->go == WORK_SPARE) {
		n->spare.slot = w->spare;
		if (earlier && earlier->own.salt)
			n->own.salt = mem_strdup(earlier->own.salt);
	} else if (earlier && earlier->spare.salt && w->tidy >> earlier->spare.slot & 1) {
		n->spare.slot = earlier->spare.slot;
		n->spare.salt = mem_strdup(earlier->spare.salt);
	}
	for (size_t i = 0; earlier && i < earlier->staged.n; i++)
		argv_add(&n->staged, earlier->staged.at[i]);
	return keystore_files(s->app->keystore, s->owner->name, &n->had, e);
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

	if (!keystore_seal(s->app->keystore, s->owner, entries, &sealed, e))
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
		if (!new_note(s, s->works[i], e))
			return false;
		add_entry(&entries, s, s->works[i]);
	}
	return entries.n == 0 || place(s, &entries, false, e);
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
	struct journal_note *n = w->new_key ? note_of(s, w) : NULL;

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

bool
settle_note_salt(struct settling *s, const struct work *w, struct err *e)
{
	copy_salt(s, w);
	return journal_write(s->app->journal, &s->notes, e);
}

bool
settle_note_salts(struct settling *s, struct err *e)
{
	copy_salts(s);
	return journal_write(s->app->journal, &s->notes, e);
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

/* The entries of the file that takes the staged one's place. */
static size_t
collect(struct settling *s, struct report *rep, struct entry_list *out)
{
	size_t n_proven = 0;

	for (size_t i = 0; i < s->n; i++) {
		struct work *w = s->works[i];
		enum fate fate = w->new_key ? fate_of(rep, w) : FATE_UNCHANGED;

		if (fate == FATE_UNCHANGED)
			continue;
		struct entry *entry = add_entry(out, s, w);

		w->unsettled = fate == FATE_UNKNOWN;
		if (fate != FATE_PROVEN)
			continue;
		n_proven++;
		promote_note(note_of(s, w), w);
		entry->time = keystore_new_time(s->app->keys, w->disk->path);
		entry->proven = clock_unix();
	}
	return n_proven;
}

bool
settle_promote(struct settling *s, struct report *rep, struct err *e)
{
	AUTO(entry_list_done) struct entry_list entries = { 0 };
	char before[65];
	size_t n_proven;

	if (s->notes.n == 0)
		return true;
	memcpy(before, s->staged, sizeof(before));
	n_proven = collect(s, rep, &entries);
	copy_salts(s);
	if (entries.n == s->notes.n && n_proven == 0)
		return true; /* all unknown: the staged file stays as it is */
	if (entries.n > 0 && !place(s, &entries, n_proven > 0, e))
		return false;
	return keystore_remove(s->app->keystore, s->owner->name, before, e);
}

/* May this file go: no note that stays names it? */
static bool
remove_if_unnamed(struct settling *s, const struct journal_notes *stay, const char *file,
    struct err *e)
{
	for (size_t i = 0; i < stay->n; i++)
		if (has_word(&stay->at[i].staged, file) || has_word(&stay->at[i].mixed, file))
			return true;
	return keystore_remove(s->app->keystore, s->owner->name, file, e);
}

/* Files of staged keys only, of notes that are about to be struck. */
static bool
remove_stale(struct settling *s, const struct journal_notes *closed, struct err *e)
{
	AUTO(journal_notes_done) struct journal_notes all = { 0 }, stay = { 0 };

	if (!journal_read(s->app->journal, &all, e))
		return false;
	for (size_t i = 0; i < all.n; i++)
		if (!journal_notes_find(closed, all.at[i].disk, all.at[i].admin))
			journal_notes_copy(&stay, &all.at[i]);
	for (size_t i = 0; i < closed->n; i++) {
		const struct journal_note *n = &closed->at[i];
		bool placed = true;

		if (n->promoted && !settle_is_placed(s, n, &placed, e))
			return false;
		for (size_t k = 0; placed && k < n->staged.n; k++)
			if (!remove_if_unnamed(s, &stay, n->staged.at[k], e))
				return false;
	}
	return true;
}

/* What is to become of the note of this work: struck, put back as it was, or kept. */
static void
sort_note(const struct settling *s, const struct work *w, struct journal_notes *closed,
    struct journal_notes *back)
{
	const struct journal_note *n = w->new_key ? note_of(s, w) : NULL;
	const struct journal_note *earlier = settle_earlier(s, w);

	if (n && n->promoted) {
		if (!w->in_spare && w->tidy == 0)
			journal_notes_copy(closed, n);
	} else if (n && !w->unsettled) {
		/* Its slot was seen empty under the lock: what was noted of it is disproved. */
		bool gone = !earlier || (w->go == WORK_DIRECT && w->tidy == 0);

		journal_notes_copy(gone ? closed : back, earlier ? earlier : n);
	} else if (!n && earlier && earlier->promoted && w->looked && w->tidy == 0 &&
		   w->go == WORK_TIDY && !w->unsettled) {
		journal_notes_copy(closed, earlier);
	}
}

bool
settle_close(struct settling *s, struct err *e)
{
	AUTO(journal_notes_done) struct journal_notes closed = { 0 }, back = { 0 };

	for (size_t i = 0; i < s->n; i++)
		sort_note(s, s->works[i], &closed, &back);
	return journal_write(s->app->journal, &back, e) && remove_stale(s, &closed, e) &&
	       journal_strike(s->app->journal, &closed, e);
}
