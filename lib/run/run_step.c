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

/* The keys stored under this path; with a UUID only those made for that header. */
static void
add_path(struct tries *t, const struct keyring *keys, const char *path, const char *uuid, int slot)
{
	size_t n = 0;
	const struct key *key = keyring_get(keys, path, &n);

	for (size_t i = 0; i < n; i++)
		if (!uuid || (key[i].uuid && strcasecmp(key[i].uuid, uuid) == 0))
			tries_add(t, key[i].passphrase, slot);
}

/*
 * Keys stored under other paths: where settings pin the UUID, those that were made for it (the
 * header is compared with it before a key goes out); and what --set-key names.
 */
static void
add_others(struct tries *t, const struct lane_run *l, const struct disk *d, int slot)
{
	const char *path = NULL;

	while (d->uuid && (path = keyring_path_of_uuid(l->o->keys, d->uuid, path)))
		if (strcmp(path, d->path) != 0)
			add_path(t, l->o->keys, path, d->uuid, slot);
	if (l->o->set_key)
		add_path(t, l->o->keys, l->o->set_key, NULL, slot);
}

void
tries_add_mine(struct tries *t, const struct lane_run *l, const struct disk *d, int slot)
{
	if (l->o->keys) {
		add_path(t, l->o->keys, d->path, NULL, slot);
		add_others(t, l, d, slot);
	}
	if (l->o->asked)
		tries_add(t, l->o->asked, slot);
}
