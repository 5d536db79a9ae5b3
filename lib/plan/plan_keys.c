/* SPDX-License-Identifier: MIT */
/*
 * What create, add-user, refresh and del-user mean: the visits to the hosts. The first
 * phase of each only looks; staging and promoting happen here, between the phases.
 */
#include "plan/plan.h"
#include "target/target.h"

static const char promoting[] = "write the keys that were proven with their time (promoted)";

void
plan_create(struct plan *p, const struct target_set *set, struct work *const *works, int slot)
{
	p->between[1] = "make a key and a header UUID for each disk, encrypt them to yourself, "
			"write them to the key store (staged)";
	p->between[2] = promoting;
	for (size_t i = 0; i < set->n; i++) {
		const struct disk *d = set->at[i];

		plan_step(p, d->host, (struct step){ .kind = STEP_PROBE, .disk = d, .work = works[i] });
		plan_step(p, d->host, (struct step){ .kind = STEP_FORMAT, .phase = 1, .disk = d,
		    .slot = slot, .work = works[i], .when = "if the device is empty" });
	}
}

/* A key into a slot, through a spare one if need be. */
struct replacing {
	int slot, first_slot; /* where the first step puts it: -1 if the host decides */
	const char *first, *rest; /* conditions, for people */
};

static void
replace_steps(struct plan *p, const struct disk *d, struct work *w, struct replacing r)
{
	struct step s = { .disk = d, .slot = r.slot, .work = w };

	s.kind = STEP_SURVEY;
	plan_step(p, d->host, s);
	s.kind = STEP_ADD, s.phase = 1, s.slot = r.first_slot, s.when = r.first;
	plan_step(p, d->host, s);
	s.phase = 2, s.slot = r.slot, s.when = r.rest;
	s.kind = STEP_KILL;
	plan_step(p, d->host, s);
	s.kind = STEP_ADD;
	plan_step(p, d->host, s);
	s.kind = STEP_KILL, s.phase = 3, s.slot = -1;
	plan_step(p, d->host, s);
}

void
plan_add_user(struct plan *p, const struct target_set *set, struct work *const *works, int slot)
{
	p->between[1] = "make a key for each disk, encrypt them to the admin, "
			"write them to the key store (staged)";
	p->between[2] = promoting;
	for (size_t i = 0; i < set->n; i++) {
		const struct disk *d = set->at[i];

		replace_steps(p, d, works[i], (struct replacing){ .slot = slot,
		    .first_slot = slot, .first = "if you hold a key and the slot is free",
		    .rest = "if the slot held a leftover, or with --force" });
	}
}

void
plan_refresh(struct plan *p, const struct target_set *set, struct work *const *works, int slot)
{
	p->between[1] = "make a key for each disk, encrypt them to yourself, "
			"write them to the key store (staged)";
	p->between[2] = "write the keys that were proven with their time (promoted), "
			"all of yours in one file";
	p->between[4] = "mark the keys that were replaced as dead";
	for (size_t i = 0; i < set->n; i++)
		replace_steps(p, set->at[i], works[i], (struct replacing){ .slot = slot,
		    .first_slot = -1, .first = "if a key of yours opens it",
		    .rest = "once the new key was proven" });
}

void
plan_del_user(struct plan *p, const struct target_set *set, struct work *const *works, int slot,
    bool unclaimed)
{
	if (set->all)
		p->between[unclaimed ? 2 : 1] = "remove the admin's key files (if gone from every disk)";
	for (size_t i = 0; i < set->n; i++) {
		const struct disk *d = set->at[i];
		struct step s = { .disk = d, .slot = slot, .work = works[i] };

		s.kind = STEP_SURVEY;
		plan_step(p, d->host, s);
		s.kind = STEP_KILL, s.when = "if in use, and if you hold a key";
		plan_step(p, d->host, s);
		if (!unclaimed)
			continue;
		s.phase = 1, s.slot = -1, s.when = "slots that nobody claims";
		plan_step(p, d->host, s);
	}
}
