/* SPDX-License-Identifier: MIT */
/*
 * settle: new keys on their way into disks: staged in the key store before a
 * disk hears of them, promoted once proven, dropped only where nothing was
 * begun; what is unknown stays staged and in the journal. The same for a key
 * of mine (create) and for one that I grant (add-user). Each call is durable when it returns.
 */
#ifndef ARVER_SETTLE_H
#define ARVER_SETTLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/err.h"
#include "arver/merge.h"
#include "state/journal.h"

struct admin;
struct app;
struct report;
struct row;
struct run;
struct work;

/* Zero-initialize but for the first four, then settle_begin; settle_done frees. */
struct settling {
	struct app *app;
	const struct admin *owner;
	struct work **works; /* borrowed: one per disk; those with a new_key take part */
	size_t n;
	struct journal_notes before; /* notes of earlier runs, as settle_begin read them */
	struct journal_notes notes; /* of the works that take part, in their order */
	struct merge merge;	    /* all my keys, where they are mine */
	char staged[65];	    /* the key file, "" when there is none */
	double looked; /* when the verb began to look at the disks, for settle_run */
	double made;
};

void settle_done(struct settling *s);

/* Open the journal and read what earlier runs left in it. */
MUST_CHECK bool settle_begin(struct settling *s, struct err *e);

/* Are these keys my own? Then all my key files become one when they are promoted. */
bool settle_is_mine(const struct settling *s);

/* The note of this work in this run, or NULL; and a new one for a work with a new_key. */
struct journal_note *settle_note(const struct settling *s, const struct work *w);
MUST_CHECK bool settle_new_note(struct settling *s, const struct work *w, struct err *e);

/*
 * Slots of this header that an earlier run of mine has noted with the salts that they have now, as
 * filled by it or as about to be emptied, and that none of my keys was seen to open: a spare that
 * it left, or one in which it was cut off while it was emptying it.
 */
uint32_t settle_known_slots(const struct settling *s, const struct work *w);
/* The same for those that are noted with a doubt: a run may have filled them, or somebody else since. */
uint32_t settle_doubted_slots(const struct settling *s, const struct work *w);

/* The highest free slot that nobody owns and no note names, and that is no rescue slot; or -1. */
int settle_find_spare(const struct settling *s, const struct work *w);

/* What an earlier run noted about this disk (with this header) and owner, or NULL. */
const struct journal_note *settle_earlier(const struct settling *s, const struct work *w);

/*
 * Is the key in this slot (salt `now`) that earlier run's own leftover? `was` is the
 * note's slot: with the noted salt it is; where none was noted, only while a staged file
 * lies there and the owner has no key file that was not there at staging.
 */
MUST_CHECK bool settle_is_leftover(const struct settling *s, const struct journal_note *note,
    const struct journal_slot *was, const char *now, bool *out, struct err *e);

/*
 * Did the file of a promoted note come into place? A cut may have come between; then the
 * staged file is all there is, and the grant is not finished.
 */
MUST_CHECK bool settle_is_placed(const struct settling *s, const struct journal_note *note,
    bool *out, struct err *e);

/*
 * The whole walk behind the decision, for keys that may go through a spare slot: stage, change,
 * promote, remove what was replaced, settle. With settle_on_row as the run's on_row.
 */
MUST_CHECK bool settle_run(struct settling *s, struct run *run, struct report *rep, struct err *e);

/* A key that sits in a spare is known by its salt alone: it is noted at once. `arg`: the settling. */
void settle_on_row(void *arg, const struct row *row);

/*
 * Note every disk, slot and file in the journal, then put the staged key file
 * in place. Works without a new_key are left out; none at all is fine.
 */
MUST_CHECK bool settle_stage(struct settling *s, struct err *e);

/*
 * Draw from the report what became of each key: note salts of what is proven,
 * write the promoted file (proven keys with their time, unknown ones staged), remove the staged one.
 * Keys of mine go into one file with all the others that I have.
 */
MUST_CHECK bool settle_promote(struct settling *s, struct report *rep, struct err *e);

/* Write what has come to be known of my keys since they were promoted. */
MUST_CHECK bool settle_finish(struct settling *s, struct err *e);

/*
 * Strike the notes of every disk of which nothing is unknown, and remove key
 * files that held staged keys only and that no note names any more. A
 * disk that this run left unchanged gets the note of the earlier run back.
 */
MUST_CHECK bool settle_close(struct settling *s, struct err *e);

#endif
