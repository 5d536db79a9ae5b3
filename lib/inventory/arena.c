/* SPDX-License-Identifier: MIT */
/*
 * arena: a chain of zeroed blocks, filled from the front. What is larger than
 * a quarter of a block gets one of its own, so that little is wasted.
 */
#include "inventory/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE ((size_t)64 << 10)

struct arena_block {
	struct arena_block *next;
	max_align_t room[];
};

/* A fresh block with `size` bytes of room, owned by the arena. */
static char *
new_block(struct arena *a, size_t size)
{
	struct arena_block *block = mem_alloc(1, sizeof(*block) + size);

	block->next = a->blocks;
	a->blocks = block;
	return (char *)block->room;
}

static void *
take(struct arena *a, size_t size, size_t align)
{
	size_t gap = (align - ((uintptr_t)a->at & (align - 1))) & (align - 1);

	if (size > BLOCK_SIZE / 4)
		return new_block(a, size);
	if (!a->at || a->left < gap + size) {
		a->at = new_block(a, BLOCK_SIZE);
		a->left = BLOCK_SIZE;
		gap = 0;
	}
	void *start = a->at + gap;

	a->at += gap + size;
	a->left -= gap + size;
	return start;
}

void *
arena_alloc(struct arena *a, size_t n, size_t size)
{
	size_t bytes = 0;

	if (__builtin_mul_overflow(n, size, &bytes) || bytes > SIZE_MAX / 2)
		mem_exhausted();
	return take(a, bytes, alignof(max_align_t));
}

char *
arena_text(struct arena *a, struct bytes b)
{
	char *copy = take(a, b.len + 1, 1);

	if (b.len > 0)
		memcpy(copy, b.ptr, b.len);
	return copy;
}

char *
arena_path(struct arena *a, const char *parent, const char *name)
{
	char *path = take(a, strlen(parent) + 1 + strlen(name) + 1, 1);

	stpcpy(stpcpy(stpcpy(path, parent), "/"), name);
	return path;
}

void
arena_done(struct arena *a)
{
	while (a->blocks) {
		struct arena_block *next = a->blocks->next;

		free(a->blocks);
		a->blocks = next;
	}
	*a = (struct arena){ 0 };
}
