/* SPDX-License-Identifier: MIT */
/* One step to the one function that does it, and what they share. */
#include "run/run_internal.h"

#include <stdlib.h>
#include "keyring/keyring.h"

void
step_run(struct lane_run *l, struct row *row)
{
	static void (*const steps[])(struct lane_run *, struct row *) = {
		[STEP_STATUS] = step_status,
		[STEP_HOOK] = step_hook,
		[STEP_OPEN] = step_open,
		[STEP_CLOSE] = step_close,
		[STEP_VERIFY] = step_verify,
		[STEP_INFO] = step_info,
		[STEP_SURVEY] = step_survey,
		[STEP_PROBE] = step_probe,
		[STEP_FORMAT] = step_format,
		[STEP_ADD] = step_add,
		[STEP_KILL] = step_kill,
	};

	steps[row->step->kind](l, row);
}

enum outcome
outcome_of(const struct err *e)
{
	switch (e->kind) {
	case ERR_HOST:
		return OUTCOME_NOT_BEGUN;
	case ERR_LOST:
		return OUTCOME_UNKNOWN;
	default:
		return OUTCOME_FAILED;
	}
}

struct disk_state *
lane_disk(struct lane_run *l, const struct disk *d)
{
	for (size_t i = 0; i < l->n_disks; i++)
		if (l->disks[i].disk == d)
			return &l->disks[i];
	return NULL;
}

void
tries_done(struct tries *t)
{
	free(t->at);
	*t = (struct tries){ 0 };
}

void
tries_add(struct tries *t, const struct secret *key, int slot)
{
	struct luks_try *try = mem_push(&t->at, &t->n, sizeof(*try));

	*try = (struct luks_try){ .key = key, .slot = slot };
}

void
tries_add_mine(struct tries *t, const struct lane_run *l, const struct disk *d, int slot)
{
	size_t n = 0;
	const struct key *keys = l->o->keys ? keyring_get(l->o->keys, d->path, &n) : NULL;

	for (size_t i = 0; i < n; i++)
		tries_add(t, keys[i].passphrase, slot);
	if (l->o->asked)
		tries_add(t, l->o->asked, slot);
}
