/* SPDX-License-Identifier: MIT */
/*
 * keyring: one list of keys, by path, those of a path in the order to try. Keys come in once, at the
 * start, and anybody who can write the directory may send very many: so they are sorted when all are
 * there, once to find equal ones and once more as they are to be tried.
 * Strings and secrets in struct key are owned here, whatever their const says.
 */
#include "keyring/keyring.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/secret.h"
#include "base/str.h"

struct keyring {
	struct key *keys;   /* once sorted by path and in the order to try */
	const char **paths; /* each once, borrowed from the keys */
	size_t n, n_paths, n_added;
};

struct keyring *
keyring_new(void)
{
	return mem_alloc(1, sizeof(struct keyring));
}

static void
key_done(struct key *k)
{
	free((char *)k->path);
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
	for (size_t i = 0; i < kr->n; i++)
		key_done(&kr->keys[i]);
	free(kr->keys);
	free((void *)kr->paths);
	free(kr);
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

	k.added = a.added > b.added ? a.added : b.added;
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
		const char *by = k.by;

		k.by = rest->by;
		rest->by = by;
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
	struct key *k = mem_push(&kr->keys, &kr->n, sizeof(*k));

	*k = *key;
	k->path = mem_strdup(disk_path);
	k->added = kr->n_added++;
	k->passphrase = passphrase;
	k->uuid = str_copy(key->uuid);
	k->by = str_copy(key->by);
	k->file = str_copy(key->file);
}

static int
by_turn(const struct key *a, const struct key *b)
{
	return (a->added > b->added) - (a->added < b->added);
}

/* Equal passphrases of a disk side by side, as they came. */
static int
by_passphrase(const void *a, const void *b)
{
	const struct key *x = a, *y = b;
	int order = strcmp(x->path, y->path);

	if (order == 0)
		order = secret_order(x->passphrase, y->passphrase);
	return order ? order : by_turn(x, y);
}

/* As they are to be tried. */
static int
by_order(const void *a, const void *b)
{
	const struct key *x = a, *y = b;
	int order = strcmp(x->path, y->path);

	if (order)
		return order;
	if (comes_first(x, y) != comes_first(y, x))
		return comes_first(x, y) ? -1 : 1;
	return by_turn(y, x);
}

static void
merge_all(struct keyring *kr)
{
	size_t n = 0;

	for (size_t i = 0; i < kr->n; i++) {
		struct key *last = n > 0 ? &kr->keys[n - 1] : NULL, *k = &kr->keys[i];

		if (last && strcmp(last->path, k->path) == 0 &&
		    secret_equal(last->passphrase, k->passphrase))
			*last = merge(*k, *last);
		else
			kr->keys[n++] = *k;
	}
	kr->n = n;
}

static void
list_paths(struct keyring *kr)
{
	free((void *)kr->paths);
	kr->paths = mem_alloc(kr->n, sizeof(*kr->paths));
	kr->n_paths = 0;
	for (size_t i = 0; i < kr->n; i++)
		if (i == 0 || strcmp(kr->keys[i].path, kr->keys[i - 1].path) != 0)
			kr->paths[kr->n_paths++] = kr->keys[i].path;
}

void
keyring_sort(struct keyring *kr)
{
	if (kr->n == 0)
		return;
	qsort(kr->keys, kr->n, sizeof(*kr->keys), by_passphrase);
	merge_all(kr);
	qsort(kr->keys, kr->n, sizeof(*kr->keys), by_order);
	list_paths(kr);
}

/* How many keys stand before those of this path, or with them. */
static size_t
count_before(const struct keyring *kr, const char *path, bool with_them)
{
	size_t low = 0, high = kr->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(kr->keys[middle].path, path) < with_them)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct key *
keyring_get(const struct keyring *kr, const char *disk_path, size_t *n)
{
	size_t first = count_before(kr, disk_path, false);

	*n = count_before(kr, disk_path, true) - first;
	return *n > 0 ? &kr->keys[first] : NULL;
}

bool
keyring_has_live(const struct keyring *kr, const char *disk_path)
{
	size_t n;
	const struct key *keys = keyring_get(kr, disk_path, &n);

	for (size_t i = 0; i < n && keys[i].state != KEY_DEAD; i++)
		if (keys[i].state != KEY_STAGED)
			return true;
	return false;
}

const struct key *
keyring_key_of(const struct keyring *kr, const struct secret *passphrase)
{
	for (size_t i = 0; i < kr->n; i++)
		if (kr->keys[i].passphrase == passphrase)
			return &kr->keys[i];
	return NULL;
}

const char *
keyring_path_of_uuid(const struct keyring *kr, const char *uuid, const char *after)
{
	for (size_t i = after ? count_before(kr, after, true) : 0; i < kr->n; i++)
		if (kr->keys[i].uuid && strcasecmp(kr->keys[i].uuid, uuid) == 0)
			return kr->keys[i].path;
	return NULL;
}

const struct key *
keyring_all(const struct keyring *kr, size_t *n)
{
	*n = kr->n;
	return kr->keys;
}

const char *const *
keyring_paths(const struct keyring *kr, size_t *n)
{
	*n = kr->n_paths;
	return kr->paths;
}
