/* SPDX-License-Identifier: MIT */
/*
 * journal: what this machine has set out to change and not yet settled, one
 * note per disk and admin, outside the shared directory, mode 0700. It tells
 * an interrupted run's own leftovers from other people's keys. It never holds
 * a key. Every change is durable when the call returns; two processes may use
 * it at once.
 */
#ifndef STATE_JOURNAL_H
#define STATE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

/* A slot that was to be filled. */
struct journal_slot {
	int slot;
	char *salt; /* hex, once the new key was proven there; NULL before */
};

#define JOURNAL_NO_SLOT (-1)

struct journal_note {
	char *disk;		   /* path */
	char *admin;		   /* whose key */
	char *uuid;		   /* of the header */
	struct journal_slot own;   /* the admin's slot */
	struct journal_slot spare; /* slot JOURNAL_NO_SLOT where none was needed */
	struct argv staged;	   /* key files that hold the new key, and staged keys only */
	struct argv mixed;	   /* key files that hold it beside promoted ones: never removed for it */
	struct argv had;	   /* key files that the admin had at staging */
	struct argv opened;	   /* slots that are known and to be emptied, as "SLOT SALT": one
				    * may be found half wiped */
	struct argv doubted;	   /* slots, in the same words, that a run may have filled before it
				    * could note so: to be emptied where nobody else can need them */
	struct argv dead;	   /* keys that it replaced, the slots of which were emptied: since
				    * when, and which, as merge.c names them */
	bool promoted;		   /* the new key is the admin's: granted */
};

/* Owns its notes. Zero-initialize. */
struct journal_notes {
	struct journal_note *at;
	size_t n;
};

void journal_notes_done(struct journal_notes *l);
/* A fresh note without slots at the end of the list. */
struct journal_note *journal_notes_add(struct journal_notes *l);
/* A deep copy of `note` at the end of the list. */
void journal_notes_copy(struct journal_notes *l, const struct journal_note *note);
struct journal_note *journal_notes_find(const struct journal_notes *l, const char *disk,
    const char *admin);

struct journal;

/* `dir` is made if missing (0700). Free with journal_free. */
MUST_CHECK bool journal_open(const char *dir, struct journal **out, struct err *e);
void journal_free(struct journal *j);
DROP(journal, struct journal)

/* Every note there is. ERR_DATA, naming file and line, where the file is damaged. */
MUST_CHECK bool journal_read(struct journal *j, struct journal_notes *out, struct err *e);

/* Write these notes, each in place of the one of the same disk and admin. */
MUST_CHECK bool journal_write(struct journal *j, const struct journal_notes *notes, struct err *e);

/* Strike the notes of these disks and admins; one that is not there is fine. */
MUST_CHECK bool journal_strike(struct journal *j, const struct journal_notes *notes, struct err *e);

/* The text form; pure, for the journal itself and its tests. */
void journal_format(const struct journal_notes *l, struct str *out);
MUST_CHECK bool journal_parse(struct bytes text, struct journal_notes *out, struct err *e);

#endif
