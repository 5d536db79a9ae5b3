/* SPDX-License-Identifier: MIT */
/*
 * merge: my own keys on their way into one key file: what the keyring holds, with what this run
 * has found out, and what interrupted runs of this machine had found out and not written yet.
 */
#ifndef ARVER_MERGE_H
#define ARVER_MERGE_H

#include <stdbool.h>
#include "base/err.h"
#include "keystore/keystore.h"

struct app;
struct journal_notes;
struct secret;
struct work;

/* Zero-initialize; `app` has its keys loaded. */
struct merge {
	struct app *app;
	struct key_edits edits;
	struct argv noted; /* key files of mine that the journal's notes name */
};

void merge_done(struct merge *m);

/* Take in what the journal's notes say: which keys of mine are dead, which files are noted. */
void merge_begin(struct merge *m, struct app *app, const struct journal_notes *notes);

/*
 * This key of mine opened its disk at that time. Passed over are keys that are not from the keyring,
 * and staged ones that are not promoted: who staged them tells them by their file.
 */
void merge_proven(struct merge *m, const struct secret *passphrase, double when);

/*
 * A key of this disk was promoted at `time`; `stored` is its passphrase if the keyring has it, or
 * NULL. Keys of that disk with a later time, from a clock that was wrong, are set back: Ruby
 * Arver would go on preferring them.
 */
void merge_promoted(struct merge *m, const char *disk_path, const struct secret *stored, double time);

/*
 * The slot that this key was proven in, on this disk (with this UUID), is empty, and its successor
 * proven: it is dead. Appends the word for the journal to *words. Passed over are keys that are not
 * from the keyring, and, since a disk may have been cloned, those that were made for another header
 * and those of a path that is another disk of the inventory.
 */
void merge_dead(struct merge *m, const struct secret *passphrase, const struct work *w,
    struct argv *words);

/*
 * Keys that are dead, by now or from before, are left out of what is collected from now on, if the disk
 * has another one that is not. How many those are.
 */
size_t merge_drop_dead(struct merge *m);

/* Was anything found out that the files do not say yet, but for what is proven or promoted? */
bool merge_is_due(const struct merge *m);

/*
 * Files with staged keys that this run settles neither way and that somebody may look for: the
 * colleague who grants me a disk, or a run that is noted. They stay as they are. Added to *out.
 */
void merge_left(const struct merge *m, struct argv *out);

/* The entries of the one file, added to *out. */
void merge_collect(const struct merge *m, struct entry_list *out);

/* The one file is in place under this name: remove those that it stands for. Durable. */
MUST_CHECK bool merge_retire(const struct merge *m, const char *name, struct err *e);

/* Write the one file, and remove those that it stands for. Durable. */
MUST_CHECK bool merge_write(const struct merge *m, struct err *e);

#endif
