/* SPDX-License-Identifier: MIT */
/* pinned_internal: what pinned.c, pinned_slots.c and pinned_takes.c share; nobody else includes it. */
#ifndef ARVER_PINNED_INTERNAL_H
#define ARVER_PINNED_INTERNAL_H

#include "arver/pinned.h"
#include "state/pins.h"

#define DAY_SIZE 40 /* "2026-11-27"; years may be longer */

/* What is known of a host that the run is to contact. */
struct seen {
	bool planned; /* it is to be contacted */
	bool is_new;  /* it was never used here */
	char *held;   /* why nothing is to be sent to it, or NULL */
};

struct pinned {
	char *dir;
	bool usable; /* it could be read, and written whenever that was tried */
	bool begins; /* nothing was in it: the directory is used for the first time, ... */
	bool noted;  /* ... and its hosts are among those that are to be remembered */
	struct pins known;
	struct pins fresh; /* used for the first time in this run ... */
	size_t n_kept;	   /* ... so many of them are written down */
	int64_t again;	   /* of clock_ms: not before that, while the run goes on */
	struct seen *hosts; /* by their index in the inventory */
	size_t n_hosts;
};

/* The day as a person reads it. */
const char *pinned_day(int64_t when, char out[DAY_SIZE]);

/* Nothing is to be sent to this host, for this reason, a sentence without its end. */
void pinned_hold(struct app *app, const struct host *h, const char *why);

/* Without my keys it is not to be seen whether its uuids claim one of another path. */
bool pinned_may_claim_keys(const struct app *app, const struct host *h);

/* Write these down; where that cannot be, it is a warning. */
void pinned_write(struct pinned *p, const struct pins *pins, bool replace);

/* Tell who has come since the directory was first used: a slot of theirs is no leftover of somebody else. */
void pinned_tell_admins(const struct app *app);

/* Remember the slots of those in users whose slots are seen for the first time. */
void pinned_note_slots(struct app *app);

#endif
