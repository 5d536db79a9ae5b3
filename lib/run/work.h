/* SPDX-License-Identifier: MIT */
/*
 * work: what a step on a disk's header is told by the verb, and what the
 * worker finds out. The main thread writes it between phases, the worker of the disk's
 * lane during one; never both at once.
 */
#ifndef RUN_WORK_H
#define RUN_WORK_H

#include <stdbool.h>
#include <stdint.h>
#include "base/secret.h"
#include "luks/luks.h"

struct disk;
struct row;

/* What a change is, or is not, to be made of in the coming phases. */
enum work_go {
	WORK_UNDECIDED,
	WORK_DIRECT,	/* into the slot itself */
	WORK_SPARE,	/* through the spare: the slot holds what is to be replaced */
	WORK_TIDY,	/* done by an earlier run, but for the slots in `tidy`; `note` tells */
	WORK_NONE,	/* nothing to do; `note` tells */
	WORK_REFUSED,	/* not possible; `err` tells */
};

struct work {
	const struct disk *disk;

	/* told by the verb */
	int slot;		  /* the slot that this is about */
	uint32_t suspects;	  /* survey: slots that my keys are tried in although they are not mine */
	uint32_t noted;		  /* survey: those of them that are tried however long it takes */
	bool survey_all;	  /* survey: test my keys in `slot` and the suspects too */
	bool violence;
	enum work_go go;
	int spare;		  /* WORK_SPARE: through this one */
	uint32_t tidy;		  /* slots to kill in the last phase: leftovers of earlier runs,
				   * or what nobody claims (del-user --force) */
	uint32_t filled;	  /* slots that must be in use when those in `tidy` are killed */
	struct secret *new_key;	  /* owned */
	const struct secret *stored; /* the same, where the key store has it for this disk already */
	char uuid[LUKS_UUID_LEN + 1]; /* STEP_FORMAT: of the new header; else what survey saw */
	struct err err;		  /* WORK_REFUSED */
	char note[96];		  /* why there was nothing to do, or how it was done */
	bool unsettled;		  /* the outcome of its change is not known */
	double promoted;	  /* the time under which new_key is the one that counts; 0: it does not */

	/* found out */
	bool looked;		  /* header (or probe) is filled */
	struct luks_header surveyed; /* as it was when the verb decided */
	struct luks_header header; /* as last seen */
	char spare_salt[sizeof(((struct luks_slot *)0)->salt)]; /* of new_key in the spare */
	struct luks_probe probe;
	bool open;		  /* STEP_INFO: the mapping is there */
	bool has_auth;
	struct luks_try auth;	  /* a key of mine and the slot it opens; borrows from the keyring */
	uint32_t mine;		  /* slots that a key of mine was seen to open */
	const struct secret *fits[LUKS_MAX_SLOTS]; /* ... and which one, borrowed from the keyring */
	uint32_t killed;	  /* slots that were emptied and proven to be */
	bool in_spare, in_slot;	  /* where new_key was proven */

	const struct row *bad;	  /* of a verb: the row to tell of */
};

void work_init(struct work *w, const struct disk *d);
void work_done(struct work *w);

#endif
