/* SPDX-License-Identifier: MIT */
/*
 * keyring: paths sorted by bytes, each with its keys kept in the order to try.
 * Keys come in once, at the start, and are looked up often, so the order is
 * made when adding. Strings and secrets in struct key are owned here, whatever their const says.
 */
#include "keyring/keyring.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/secret.h"
#include "base/str.h"

struct ring {
	struct key *keys;
	size_t n;
};

struct keyring {
	const char **paths; /* owned; paths[i] is the path of rings[i] */
	struct ring *rings;
	size_t n_paths, n_rings; /* always equal */
};

struct keyring *
keyring_new(void)
{
	return mem_alloc(1, sizeof(struct keyring));
}

static void
key_done(struct key *k)
{
	secret_free((struct secret *)k->passphrase);
	free((char *)k->uuid);
	free((char *)k->by);
	free((char *)k->file);
	*k = (struct key){ 0 };
}

void
keyring_free(struct keyring *kr)
{
	if (!kr)
		return;
	for (size_t i = 0; i < kr->n_paths; i++) {
		for (size_t j = 0; j < kr->rings[i].n; j++)
			key_done(&kr->rings[i].keys[j]);
		free(kr->rings[i].keys);
		free((char *)kr->paths[i]);
	}
	free(kr->rings);
	free((void *)kr->paths);
	free(kr);
}

/* Where the path stands, or would stand; true if it is there. */
static bool
find(const struct keyring *kr, const char *path, size_t *out)
{
	size_t low = 0, high = kr->n_paths;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(kr->paths[middle], path);

		if (order == 0) {
			*out = middle;
			return true;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*out = low;
	return false;
}

static struct ring *
ring_of(struct keyring *kr, const char *path)
{
	size_t i, last = kr->n_paths;

	if (find(kr, path, &i))
		return &kr->rings[i];
	mem_push(&kr->paths, &kr->n_paths, sizeof(*kr->paths));
	mem_push(&kr->rings, &kr->n_rings, sizeof(*kr->rings));
	memmove(kr->paths + i + 1, kr->paths + i, (last - i) * sizeof(*kr->paths));
	memmove(kr->rings + i + 1, kr->rings + i, (last - i) * sizeof(*kr->rings));
	kr->paths[i] = mem_strdup(path);
	kr->rings[i] = (struct ring){ 0 };
	return &kr->rings[i];
}

bool
key_is_vouched(const struct key *k)
{
	return k->proven > 0 || k->vouched > 0;
}

/* Is a tried before b? Among equals the one added later is (a), as Ruby Arver has it. */
static bool
comes_first(const struct key *a, const struct key *b)
{
	if (a->state != b->state)
		return a->state < b->state;
	if (a->state == KEY_STAGED)
		return a->made >= b->made;
	if (key_is_vouched(a) != key_is_vouched(b))
		return key_is_vouched(a);
	return a->time >= b->time;
}

static void
insert(struct ring *r, struct key k)
{
	size_t i = r->n;

	mem_push(&r->keys, &r->n, sizeof(*r->keys));
	for (; i > 0 && comes_first(&k, &r->keys[i - 1]); i--)
		r->keys[i] = r->keys[i - 1];
	r->keys[i] = k;
}

static char *
copy(const char *s)
{
	return s ? mem_strdup(s) : NULL;
}

static void
fill_in(const char **into, const char **from)
{
	if (!*into)
		*into = TAKE(*from);
}

static double
later(double a, double b)
{
	return a > b ? a : b;
}

/*
 * When a key is replaced, a time that was too late is set back: what knows that it is dead, or has
 * a time that can be, knows more.
 */
static double
time_of_both(const struct key *a, const struct key *b)
{
	bool a_is_dead = a->dead > a->proven, b_is_dead = b->dead > b->proven;

	if (a_is_dead != b_is_dead)
		return a_is_dead ? a->time : b->time;
	if ((a->state == KEY_FUTURE) != (b->state == KEY_FUTURE))
		return a->state == KEY_FUTURE ? b->time : a->time;
	return later(a->time, b->time);
}

/* Two entries of one passphrase: the one tried first, completed by the other, which is freed. */
static struct key
merge(struct key a, struct key b)
{
	struct key k = comes_first(&a, &b) ? a : b;
	struct key *rest = comes_first(&a, &b) ? &b : &a;

	k.time = time_of_both(&k, rest);
	k.made = later(k.made, rest->made);
	k.proven = later(k.proven, rest->proven);
	k.dead = later(k.dead, rest->dead);
	if (k.dead > k.proven)
		k.state = KEY_DEAD;
	else if (k.state == KEY_DEAD)
		k.state = KEY_PROMOTED;
	fill_in(&k.uuid, &rest->uuid);
	if (rest->vouched > k.vouched && rest->by) {
		free((char *)k.by);
		k.by = NULL;
	}
	fill_in(&k.by, &rest->by);
	k.vouched = later(k.vouched, rest->vouched);
	fill_in(&k.file, &rest->file);
	key_done(rest);
	return k;
}

void
keyring_add(struct keyring *kr, const char *disk_path, const struct key *key,
    struct secret *passphrase)
{
	struct ring *r = ring_of(kr, disk_path);
	struct key k = *key;

	k.passphrase = passphrase;
	k.uuid = copy(key->uuid);
	k.by = copy(key->by);
	k.file = copy(key->file);
	for (size_t i = 0; i < r->n; i++) {
		if (!secret_equal(r->keys[i].passphrase, passphrase))
			continue;
		k = merge(k, r->keys[i]);
		r->n--;
		memmove(r->keys + i, r->keys + i + 1, (r->n - i) * sizeof(*r->keys));
		break;
	}
	insert(r, k);
}

const struct key *
keyring_get(const struct keyring *kr, const char *disk_path, size_t *n)
{
	size_t i;

	if (!find(kr, disk_path, &i)) {
		*n = 0;
		return NULL;
	}
	*n = kr->rings[i].n;
	return kr->rings[i].keys;
}

bool
keyring_has_live(const struct keyring *kr, const char *disk_path)
{
	size_t n;
	const struct key *keys = keyring_get(kr, disk_path, &n);

	for (size_t i = 0; i < n; i++)
		if (keys[i].state == KEY_PROMOTED || keys[i].state == KEY_FUTURE)
			return true;
	return false;
}

const struct key *
keyring_key_of(const struct keyring *kr, const struct secret *passphrase, const char **out_path)
{
	for (size_t i = 0; i < kr->n_paths; i++)
		for (size_t k = 0; k < kr->rings[i].n; k++)
			if (kr->rings[i].keys[k].passphrase == passphrase) {
				*out_path = kr->paths[i];
				return &kr->rings[i].keys[k];
			}
	return NULL;
}

static bool
has_uuid(const struct ring *r, const char *uuid)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->keys[i].uuid && strcasecmp(r->keys[i].uuid, uuid) == 0)
			return true;
	return false;
}

const char *
keyring_path_of_uuid(const struct keyring *kr, const char *uuid, const char *after)
{
	for (size_t i = 0; i < kr->n_paths; i++)
		if ((!after || strcmp(kr->paths[i], after) > 0) && has_uuid(&kr->rings[i], uuid))
			return kr->paths[i];
	return NULL;
}

const char *const *
keyring_paths(const struct keyring *kr, size_t *n)
{
	*n = kr->n_paths;
	return (const char *const *)kr->paths;
}
