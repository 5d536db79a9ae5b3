/* SPDX-License-Identifier: MIT */
/* One step to the one function that does it, and what they share. */
#include "run/run_internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
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
	case ERR_AWAY:
	case ERR_CANCELLED:
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
	size_t place = l->places[d->index - d->host->disks[0]->index];

	return place ? &l->disks[place - 1] : NULL;
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

/* Which keys are tried, and where. */
struct trying {
	struct tries *t;
	const struct keyring *keys;
	int slot;
	bool dead; /* dead ones, too */
};

/* The keys stored under this path; with a UUID only those made for that header. */
static void
add_path(const struct trying *y, const char *path, const char *uuid)
{
	size_t n = 0;
	const struct key *key = keyring_get(y->keys, path, &n);

	for (size_t i = 0; i < n; i++)
		if ((!uuid || (key[i].uuid && strcasecmp(key[i].uuid, uuid) == 0)) &&
		    (y->dead || key[i].state != KEY_DEAD))
			tries_add(y->t, key[i].passphrase, y->slot);
}

/*
 * Keys stored under other paths: where settings pin the UUID, those that were made for it (the
 * header is compared with it before a key goes out); and what --set-key names.
 */
static void
add_others(const struct trying *y, const struct lane_run *l, const struct disk *d)
{
	const char *path = NULL;

	while (d->uuid && (path = keyring_path_of_uuid(y->keys, d->uuid, path)))
		if (strcmp(path, d->path) != 0)
			add_path(y, path, d->uuid);
	if (l->o->set_key)
		add_path(y, l->o->set_key, NULL);
}

static void
add_mine(const struct trying *y, const struct lane_run *l, const struct disk *d)
{
	if (y->keys) {
		add_path(y, d->path, NULL);
		add_others(y, l, d);
	}
	if (l->o->asked)
		tries_add(y->t, l->o->asked, y->slot);
}

void
tries_add_mine(struct tries *t, const struct lane_run *l, const struct disk *d, int slot)
{
	add_mine(&(struct trying){ t, l->o->keys, slot, .dead = true }, l, d);
}

void
tries_add_live(struct tries *t, const struct lane_run *l, const struct disk *d, int slot)
{
	add_mine(&(struct trying){ t, l->o->keys, slot, .dead = false }, l, d);
}
