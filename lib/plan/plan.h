/* SPDX-License-Identifier: MIT */
/*
 * plan: what will be done, as data: per host one lane of steps, in order,
 * in one or more phases (a verb that changes keys needs GPG between two visits to the
 * hosts). Building it is pure. What --dry-run prints is this very plan; what only a
 * host or the key store can tell stands in a step as a condition.
 */
#ifndef PLAN_PLAN_H
#define PLAN_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include "base/mem.h"
#include "inventory/inventory.h"

struct target_set;
struct work; /* what a key-changing step is told and finds out: run/work.h */

enum step_kind {
	STEP_STATUS, /* host: which disks of the lane are open */
	STEP_HOOK,
	STEP_OPEN,
	STEP_CLOSE,
	STEP_VERIFY, /* test-open with my keys */
	STEP_INFO,   /* read the header */
	STEP_SURVEY, /* read the header under the lock, find which slots my keys open */
	STEP_PROBE,  /* what lies on a device that is to be formatted */
	STEP_FORMAT,
	STEP_ADD,  /* add a key to a slot and prove it */
	STEP_KILL, /* empty a slot and see it empty */
};

struct step {
	enum step_kind kind;
	unsigned phase;		/* from 0 */
	const struct disk *disk; /* NULL: a step of the host */
	enum hook_kind hook;	/* STEP_HOOK */
	int slot;		/* STEP_ADD, STEP_KILL, STEP_FORMAT: -1 if the host decides */
	const char *when;	/* the condition, for people; NULL: always */
	struct work *work;	/* borrowed; NULL where the step needs none */
};

struct lane {
	const struct host *host;
	struct step *steps;
	size_t n;
};

/* How lanes wait for each other, by the hosts' `after`. */
enum plan_order { PLAN_UNORDERED, PLAN_AFTER, PLAN_BEFORE };

struct plan {
	const char *verb;	/* "open" */
	enum plan_order order;
	unsigned n_phases;
	const char *between[5];	/* what happens here before phase i, for people; or NULL */
	struct lane *lanes;	/* in inventory order */
	size_t n;
};

struct plan *plan_new(const char *verb);
void plan_free(struct plan *p);
DROP(plan, struct plan)

/* Append a step to the lane of this host, made at its first step. */
void plan_step(struct plan *p, const struct host *host, struct step step);

/* Append the hook step if there is such a hook (disk NULL: the host's). */
void plan_hook(struct plan *p, const struct host *host, const struct disk *disk, enum hook_kind hook);

/* Status, then hooks around host and disks, in the inventory's order. */
void plan_open(struct plan *p, const struct target_set *set);
/* The same in reverse, with the close hooks. */
void plan_close(struct plan *p, const struct target_set *set);
/* `works`: one per disk of the set, here and below; they outlive the plan. */
void plan_verify(struct plan *p, const struct target_set *set, struct work *const *works);
void plan_info(struct plan *p, const struct target_set *set, struct work *const *works);
/* Probe; then format with a key in my slot. */
void plan_create(struct plan *p, const struct target_set *set, struct work *const *works, int slot);
/*
 * Survey; add the key to the admin's slot, or to a spare where the slot holds what an
 * interrupted run left (or --force replaces); from the spare to the slot.
 */
void plan_add_user(struct plan *p, const struct target_set *set, struct work *const *works, int slot);
/* The same with my own key: survey; a new key to a spare; mine out of my slot, the new one in. */
void plan_refresh(struct plan *p, const struct target_set *set, struct work *const *works, int slot);
/* Survey, then kill the admin's slot; with `unclaimed` (--force) those that nobody claims too. */
void plan_del_user(struct plan *p, const struct target_set *set, struct work *const *works,
    int slot, bool unclaimed);

/* Does any step need my keys? */
bool plan_needs_keys(const struct plan *p);

#endif
