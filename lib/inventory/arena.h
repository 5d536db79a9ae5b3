/* SPDX-License-Identifier: MIT */
/*
 * arena: memory for many small things that all live equally long and are
 * freed in one go. Zero-initialize; never fails; one thread.
 */
#ifndef INVENTORY_ARENA_H
#define INVENTORY_ARENA_H

#include <stddef.h>
#include "base/str.h"

struct arena {
	struct arena_block *blocks;
	char *at;    /* the room that is left in the newest block */
	size_t left;
};

/* Zeroed, aligned memory of n * size bytes, valid until arena_done. */
void *arena_alloc(struct arena *a, size_t n, size_t size) __attribute__((returns_nonnull));
/* The bytes, with a NUL behind them. */
char *arena_text(struct arena *a, struct bytes b) __attribute__((returns_nonnull));
/* "parent/name" */
char *arena_path(struct arena *a, const char *parent, const char *name)
    __attribute__((returns_nonnull));
void arena_done(struct arena *a);

#endif
