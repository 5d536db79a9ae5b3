/* SPDX-License-Identifier: MIT */
/*
 * table: open addressing, at most half full. The hash begins with a random
 * seed, so that nobody can choose names that all fall on one slot.
 */
#include "inventory/table.h"

#include <string.h>
#include <sys/random.h>
#include "inventory/arena.h"

struct table_slot {
	const char *name; /* NULL: free */
	void *value;
};

/* FNV-1a, with the high bits, which it mixes best, folded into the low ones. */
static size_t
hash(const struct table *t, const char *name)
{
	uint64_t h = 0xcbf29ce484222325U ^ t->seed;

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 0x100000001b3U;
	return (size_t)(h ^ h >> 32);
}

void
table_init(struct table *t, struct arena *a, size_t n)
{
	size_t slots = 8;

	while (slots < 2 * n)
		slots *= 2;
	t->slots = arena_alloc(a, slots, sizeof(*t->slots));
	t->mask = slots - 1;
	if (getrandom(&t->seed, sizeof(t->seed), GRND_NONBLOCK) != (ssize_t)sizeof(t->seed))
		t->seed = (uintptr_t)t->slots;
}

/* Where the name is, or the free slot where it would be. */
static struct table_slot *
find(const struct table *t, const char *name)
{
	size_t i = hash(t, name) & t->mask;

	while (t->slots[i].name && strcmp(t->slots[i].name, name) != 0)
		i = (i + 1) & t->mask;
	return &t->slots[i];
}

void
table_add(struct table *t, const char *name, void *value)
{
	*find(t, name) = (struct table_slot){ name, value };
}

void *
table_get(const struct table *t, const char *name)
{
	return t->slots ? find(t, name)->value : NULL;
}
