/* SPDX-License-Identifier: MIT */
/* What verify and info mean: a look at each disk that changes nothing. */
#include "plan/plan.h"
#include "target/target.h"

void
plan_verify(struct plan *p, const struct target_set *set, struct work *const *works)
{
	p->between[1] = "note in the key store which key was proven, and when";
	for (size_t i = 0; i < set->n; i++)
		plan_step(p, set->at[i]->host, (struct step){ .kind = STEP_VERIFY,
		    .disk = set->at[i], .work = works[i], .when = "if you hold a key" });
}

void
plan_info(struct plan *p, const struct target_set *set, struct work *const *works)
{
	for (size_t i = 0; i < set->n; i++) {
		const struct host *host = set->at[i]->host;

		if (i == 0 || set->at[i - 1]->host != host)
			plan_step(p, host, (struct step){ .kind = STEP_STATUS });
		plan_step(p, host, (struct step){ .kind = STEP_INFO, .disk = set->at[i],
		    .work = works[i] });
	}
}
