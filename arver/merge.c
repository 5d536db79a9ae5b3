/* SPDX-License-Identifier: MIT */
/* A dead key is known to the journal by its dates, which are no secret and which it keeps. */
#include "arver/merge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "arver/app.h"
#include "base/clock.h"
#include "inventory/inventory.h"
#include "keyring/keyring.h"
#include "run/work.h"
#include "state/journal.h"

#define A_BIT 0.001 /* seconds */

void
merge_done(struct merge *m)
{
	key_edits_done(&m->edits);
	argv_done(&m->noted);
}

static double
later(double a, double b)
{
	return a > b ? a : b;
}

/* Which key it is: its dates and its path. */
static char *
name_of(const struct key *key, double time)
{
	return mem_printf("%.6f %.6f %s", time, key->made, key->path);
}

/* The one key of this name; two of the same dates are none. */
static const struct key *
key_of_name(const struct keyring *kr, const char *name)
{
	const char *path = strchr(name, '/');
	const struct key *found = NULL;
	size_t n = 0;
	const struct key *keys = path ? keyring_get(kr, path, &n) : NULL;

	for (size_t i = 0; i < n; i++) {
		AUTO(mem_free_drop) char *own = name_of(&keys[i], keys[i].time);

		if (strcmp(name, own) != 0)
			continue;
		if (found)
			return NULL;
		found = &keys[i];
	}
	return found;
}

/* Is this path that of a disk in the inventory, but not of this one? */
static bool
is_another_disk(const struct merge *m, const char *path, const char *disk_path)
{
	return strcmp(path, disk_path) != 0 && inventory_find_disk(m->app->inventory, path);
}

/* "WHEN NAME": from then on it was dead, unless it has opened its disk since. */
static void
take_word(struct merge *m, const struct journal_note *note, const char *word)
{
	char *name;
	double when = strtod(word, &name);
	const struct key *key = *name == ' ' ? key_of_name(m->app->keys, name + 1) : NULL;
	const char *path = strchr(name, '/');

	if (key && path && key->state != KEY_DEAD && key->proven < when &&
	    !is_another_disk(m, path, note->disk))
		key_edits_of(&m->edits, key)->dead = when;
}

void
merge_begin(struct merge *m, struct app *app, const struct journal_notes *notes)
{
	m->app = app;
	for (size_t i = 0; i < notes->n; i++) {
		const struct journal_note *n = &notes->at[i];

		if (strcmp(n->admin, app->me->name) != 0)
			continue;
		for (size_t k = 0; k < n->dead.n; k++)
			take_word(m, n, n->dead.at[k]);
		argv_add_all(&m->noted, &n->staged);
	}
}

static bool
is_promoted(const struct merge *m, const struct key *key)
{
	const struct key_edit *edit = key_edits_find(&m->edits, key);

	return edit && edit->time > 0;
}

void
merge_proven(struct merge *m, const struct secret *passphrase, double when)
{
	const struct key *key = keyring_key_of(m->app->keys, passphrase);

	if (!key || (key->state == KEY_STAGED && !is_promoted(m, key)))
		return;
	struct key_edit *edit = key_edits_of(&m->edits, key);

	edit->proven = when;
	edit->dead = 0;
}

void
merge_promoted(struct merge *m, const char *disk_path, const struct secret *stored, double time)
{
	size_t n;
	const struct key *keys = keyring_get(m->app->keys, disk_path, &n);

	for (size_t i = 0; i < n; i++) {
		if (keys[i].passphrase == stored)
			key_edits_of(&m->edits, &keys[i])->time = time;
		else if (keys[i].time >= time)
			key_edits_of(&m->edits, &keys[i])->time = time - A_BIT;
	}
}

void
merge_dead(struct merge *m, const struct secret *passphrase, const struct work *w,
    struct argv *words)
{
	const struct key *key = keyring_key_of(m->app->keys, passphrase);

	if (!key || (key->uuid && strcasecmp(key->uuid, w->uuid) != 0) ||
	    is_another_disk(m, key->path, w->disk->path))
		return;
	struct key_edit *edit = key_edits_of(&m->edits, key);
	AUTO(mem_free_drop) char *name = name_of(key, edit->time > 0 ? edit->time : key->time);

	/* later than any proof of it, whatever the clocks said */
	edit->dead = later(clock_unix(), later(key->proven, edit->proven) + A_BIT);
	argv_addf(words, "%.6f %s", edit->dead, name);
}

/* Call `see` for every key of the keyring, with its edit or NULL. */
static void
each_key(const struct merge *m,
    void (*see)(void *arg, const struct key *key, const struct key_edit *edit), void *arg)
{
	size_t n;
	const struct key *keys = keyring_all(m->app->keys, &n);

	for (size_t i = 0; i < n; i++)
		see(arg, &keys[i], key_edits_find(&m->edits, &keys[i]));
}

static bool
is_dead(const struct key *key, const struct key_edit *edit)
{
	return edit && (edit->dead > 0 || edit->proven > 0) ? edit->dead > 0
							     : key->state == KEY_DEAD;
}

/* What takes the dead keys together, and what it makes of them. */
struct dropping {
	const struct merge *m;
	struct key_edits dead;
	const char **live; /* UUIDs that keys of disks have which have one that is not dead, in order */
	size_t n_live;
};

static int
compare_uuids(const void *a, const void *b)
{
	return strcasecmp(*(const char *const *)a, *(const char *const *)b);
}

static void
find_live(struct dropping *d)
{
	size_t n;
	const struct key *keys = keyring_all(d->m->app->keys, &n);

	d->live = mem_alloc(n, sizeof(*d->live));
	for (size_t i = 0; i < n; i++)
		if (keys[i].uuid && keyring_has_live(d->m->app->keys, keys[i].path))
			d->live[d->n_live++] = keys[i].uuid;
	qsort((void *)d->live, d->n_live, sizeof(*d->live), compare_uuids);
}

/* Is there a key that is not dead, for this disk or, where it has another path by now, for its header? */
static bool
has_successor(const struct dropping *d, const struct key *key)
{
	return keyring_has_live(d->m->app->keys, key->path) ||
	       (key->uuid && bsearch(&key->uuid, d->live, d->n_live, sizeof(*d->live), compare_uuids));
}

/* Nobody need believe what says that the only key of a disk is dead. */
static void
collect_dead(void *arg, const struct key *key, const struct key_edit *edit)
{
	struct dropping *d = arg;

	if (is_dead(key, edit) && has_successor(d, key))
		key_edits_of(&d->dead, key)->drop = true;
}

size_t
merge_drop_dead(struct merge *m)
{
	struct dropping d = { .m = m };
	size_t n;

	find_live(&d);
	each_key(m, collect_dead, &d);
	for (size_t i = 0; i < d.dead.n; i++)
		key_edits_of(&m->edits, d.dead.at[i].key)->drop = true;
	n = d.dead.n;
	key_edits_done(&d.dead);
	free((void *)d.live);
	return n;
}

struct leaving {
	const struct merge *m;
	struct argv *files;
};

static void
collect_left(void *arg, const struct key *key, const struct key_edit *edit)
{
	struct leaving *l = arg;

	if (key->state == KEY_STAGED && !edit && key->file && !argv_has(l->files, key->file) &&
	    (key->by || argv_has(&l->m->noted, key->file)))
		argv_add(l->files, key->file);
}

void
merge_left(const struct merge *m, struct argv *out)
{
	each_key(m, collect_left, &(struct leaving){ m, out });
}

bool
merge_is_due(const struct merge *m)
{
	for (size_t i = 0; i < m->edits.n; i++)
		if (m->edits.at[i].dead > 0 || m->edits.at[i].drop ||
		    (m->edits.at[i].proven > 0 && m->edits.at[i].key->state == KEY_DEAD))
			return true;
	return false;
}

void
merge_collect(const struct merge *m, struct entry_list *out)
{
	AUTO(argv_done) struct argv left = { 0 };

	merge_left(m, &left);
	keystore_collect(m->app->keys, &m->edits, &left, out);
}

bool
merge_retire(const struct merge *m, const char *name, struct err *e)
{
	AUTO(argv_done) struct argv left = { 0 };

	merge_left(m, &left);
	return keystore_retire(m->app->keystore, name, &left, e);
}

bool
merge_write(const struct merge *m, struct err *e)
{
	struct keystore *ks = m->app->keystore;
	AUTO(entry_list_done) struct entry_list entries = { 0 };
	AUTO(sealed_done) struct sealed sealed = { 0 };

	merge_collect(m, &entries);
	return app_seal(m->app, m->app->me, &entries, &sealed, e) &&
	       keystore_place(ks, &sealed, e) && merge_retire(m, sealed.name, e);
}
