/* SPDX-License-Identifier: MIT */
/*
 * table: from a name to what bears it, in constant time. Filled once, up to
 * the size said at the start, then only read, by any thread.
 */
#ifndef INVENTORY_TABLE_H
#define INVENTORY_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct arena;

struct table {
	struct table_slot *slots;
	size_t mask; /* number of slots, a power of two, less one */
	uint64_t seed;
};

/* Room for `n` names; memory comes from the arena. */
void table_init(struct table *t, struct arena *a, size_t n);
/* `name` is borrowed and not in the table yet. */
void table_add(struct table *t, const char *name, void *value);
/* NULL if nobody bears that name. */
void *table_get(const struct table *t, const char *name);

#endif
