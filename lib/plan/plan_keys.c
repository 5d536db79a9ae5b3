/* SPDX-License-Identifier: MIT */
/*
 * What create, add-user and del-user mean: the visits to the hosts. The first
 * phase of each only looks; staging and promoting happen here, between the phases.
 */
#include "plan/plan.h"
#include "target/target.h"

void
plan_create(struct plan *p, const struct target_set *set, struct work *const *works, int slot)
{
	p->between[1] = "make a key and a header UUID for each disk, encrypt them to yourself, "
			"write them to the key store (staged)";
	p->between[2] = "write the keys that were proven with their time (promoted)";
	for (size_t i = 0; i < set->n; i++) {
		const struct disk *d = set->at[i];

		plan_step(p, d->host, (struct step){ .kind = STEP_PROBE, .disk = d, .work = works[i] });
		plan_step(p, d->host, (struct step){ .kind = STEP_FORMAT, .phase = 1, .disk = d,
		    .slot = slot, .work = works[i], .when = "if the device is empty" });
	}
}

void
plan_add_user(struct plan *p, const struct target_set *set, struct work *const *works, int slot)
{
	static const char leftover[] = "if the slot held a leftover, or with --force";

	p->between[1] = "make a key for each disk, encrypt them to the admin, "
			"write them to the key store (staged)";
	p->between[2] = "write the keys that were proven with their time (promoted)";
	for (size_t i = 0; i < set->n; i++) {
		const struct disk *d = set->at[i];
		struct step s = { .disk = d, .slot = slot, .work = works[i] };

		s.kind = STEP_SURVEY;
		plan_step(p, d->host, s);
		s.kind = STEP_ADD, s.phase = 1, s.when = "if you hold a key and the slot is free";
		plan_step(p, d->host, s);
		s.phase = 2, s.when = leftover;
		s.kind = STEP_KILL;
		plan_step(p, d->host, s);
		s.kind = STEP_ADD;
		plan_step(p, d->host, s);
		s.kind = STEP_KILL, s.phase = 3, s.slot = -1;
		plan_step(p, d->host, s);
	}
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
