/* SPDX-License-Identifier: MIT */
/*
 * The journal's side of settling: what an earlier run noted, whether a slot holds what that run
 * left there, and which notes are struck at the end.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "arver/app.h"
#include "arver/settle.h"
#include "base/mem.h"
#include "inventory/inventory.h"
#include "keystore/keystore.h"
#include "run/work.h"

bool
settle_begin(struct settling *s, struct err *e)
{
	if (!app_open_journal(s->app, e) || !journal_read(s->app->journal, &s->before, e))
		return false;
	if (settle_is_mine(s))
		merge_begin(&s->merge, s->app, &s->before);
	return true;
}

bool
settle_is_mine(const struct settling *s)
{
	return s->owner == s->app->me;
}

const struct journal_note *
settle_earlier(const struct settling *s, const struct work *w)
{
	const struct journal_note *n = journal_notes_find(&s->before, w->disk->path,
	    s->owner->name);

	return n && w->uuid[0] && strcmp(n->uuid, w->uuid) != 0 ? NULL : n;
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
		bool ours = argv_has(&note->staged, files.at[i]) || argv_has(&note->mixed, files.at[i]);

		staged_lies_there = staged_lies_there || ours;
		all_known = all_known && (ours || argv_has(&note->had, files.at[i]));
	}
	*out = staged_lies_there && all_known;
	return true;
}

static bool
has_any_word(const struct argv *a, const struct argv *words)
{
	for (size_t i = 0; i < words->n; i++)
		if (argv_has(a, words->at[i]))
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

struct journal_note *
settle_note(const struct settling *s, const struct work *w)
{
	return journal_notes_find(&s->notes, w->disk->path, s->owner->name);
}

static char *
name_of_slot(const struct work *w, int slot)
{
	return mem_printf("%d %s", slot, w->header.slots[slot].salt);
}

uint32_t
settle_known_slots(const struct settling *s, const struct work *w)
{
	const struct journal_note *n = settle_earlier(s, w);
	uint32_t slots = 0;

	for (int slot = 0; n && slot < LUKS_MAX_SLOTS; slot++) {
		const char *salt = w->header.slots[slot].salt;
		AUTO(mem_free_drop) char *name = name_of_slot(w, slot);
		bool known = argv_has(&n->opened, name) ||
			     (slot == n->spare.slot && str_equal(n->spare.salt, salt)) ||
			     (slot == n->own.slot && str_equal(n->own.salt, salt));

		if (known && w->header.slots[slot].active && !(w->mine >> slot & 1))
			slots |= 1u << slot;
	}
	return slots;
}

uint32_t
settle_doubted_slots(const struct settling *s, const struct work *w)
{
	const struct journal_note *n = settle_earlier(s, w);
	uint32_t slots = 0;

	for (int slot = 0; n && slot < LUKS_MAX_SLOTS; slot++) {
		AUTO(mem_free_drop) char *name = name_of_slot(w, slot);

		if (w->header.slots[slot].active && argv_has(&n->doubted, name))
			slots |= 1u << slot;
	}
	return slots;
}

/* A spare that the earlier run had no time to note the salt of, and that is to be emptied now. */
static void
note_doubted(const struct work *w, const struct journal_note *earlier, struct journal_note *n)
{
	const struct journal_slot *spare = &earlier->spare;

	argv_add_all(&n->doubted, &earlier->doubted);
	if (spare->slot != JOURNAL_NO_SLOT && !spare->salt && w->tidy >> spare->slot & 1) {
		AUTO(mem_free_drop) char *name = name_of_slot(w, spare->slot);

		argv_add(&n->doubted, name);
	}
}

/*
 * The slots that this run is to empty, by their salts: those that keys of mine opened, and what
 * an earlier run had left.
 */
static void
note_opened(const struct settling *s, const struct work *w, struct journal_note *n)
{
	uint32_t going = w->tidy | 1u << w->slot | (w->in_spare ? 1u << w->spare : 0);
	uint32_t slots = settle_known_slots(s, w) & w->tidy;

	if (settle_is_mine(s))
		slots |= going & w->mine & luks_active(&w->header);
	for (int slot = 0; slot < LUKS_MAX_SLOTS; slot++) {
		AUTO(mem_free_drop) char *name = name_of_slot(w, slot);

		if ((slots >> slot & 1) && !argv_has(&n->opened, name))
			argv_add(&n->opened, name);
	}
}

bool
settle_new_note(struct settling *s, const struct work *w, struct err *e)
{
	const struct journal_note *earlier = settle_earlier(s, w);

	assert(w->uuid[0]); /* the journal could not be read again */
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
	if (earlier) {
		argv_add_all(&n->staged, &earlier->staged);
		argv_add_all(&n->opened, &earlier->opened);
		argv_add_all(&n->dead, &earlier->dead);
		note_doubted(w, earlier, n);
	}
	note_opened(s, w, n);
	return keystore_files(s->app->keystore, s->owner->name, &n->had, e);
}

/* Does a note, whoever it is for, name this slot of this header? Then it may be in use soon. */
static bool
is_noted(const struct settling *s, const struct work *w, int slot)
{
	const struct journal_notes *l = &s->before;

	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->at[i].uuid, w->uuid) == 0 &&
		    (l->at[i].own.slot == slot || l->at[i].spare.slot == slot))
			return true;
	return false;
}

int
settle_find_spare(const struct settling *s, const struct work *w)
{
	for (int slot = (int)w->header.n_slots - 1; slot >= 0; slot--)
		if (!w->header.slots[slot].active &&
		    !inventory_slot_owner(s->app->inventory, slot) &&
		    !(w->disk->rescue_slots >> slot & 1) && !is_noted(s, w, slot))
			return slot;
	return -1;
}

/* May this file go: no note that stays names it? */
static bool
remove_if_unnamed(struct settling *s, const struct journal_notes *stay, const char *file,
    struct err *e)
{
	for (size_t i = 0; i < stay->n; i++)
		if (argv_has(&stay->at[i].staged, file) || argv_has(&stay->at[i].mixed, file))
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

/* May the key that an earlier run had made be in its spare, which it could not see? */
static bool
may_fill_spare(const struct journal_note *earlier, const struct work *w)
{
	const struct journal_slot *spare = &earlier->spare;

	return spare->slot != JOURNAL_NO_SLOT && !spare->salt && w->header.slots[spare->slot].active;
}

/* What is to become of the note of this work: struck, put back as it was, or kept. */
static void
sort_note(const struct settling *s, const struct work *w, struct journal_notes *closed,
    struct journal_notes *back)
{
	const struct journal_note *n = w->new_key ? settle_note(s, w) : NULL;
	const struct journal_note *earlier = settle_earlier(s, w);

	if (n && n->promoted) {
		if (!w->in_spare && w->tidy == 0)
			journal_notes_copy(closed, n);
	} else if (n && !w->unsettled) {
		/* Its slot was seen empty under the lock: what was noted of it is disproved. */
		bool gone = !earlier || (w->go == WORK_DIRECT && w->tidy == 0 && !may_fill_spare(earlier, w));

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
