/* SPDX-License-Identifier: MIT */
/*
 * base/secret.h on the heap, each secret in a block of exactly its size: AddressSanitizer guards
 * it byte by byte, where the real arena has rooms of 64 bytes. Randomness is cheap, and
 * the same each time.
 */
#include "base/secret.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "fuzz.h"

struct secret {
	unsigned char *ptr;
	size_t len, capacity;
};

struct secret *
secret_new(size_t capacity)
{
	struct secret *s = mem_alloc(1, sizeof(*s));

	EXPECT(capacity <= SECRET_MAX);
	s->ptr = malloc(capacity > 0 ? capacity : 1); /* what is in it is nobody's business */
	EXPECT(s->ptr);
	s->capacity = capacity;
	return s;
}

void
secret_free(struct secret *s)
{
	if (!s)
		return;
	free(s->ptr);
	free(s);
}

struct span
secret_space(struct secret *s)
{
	return (struct span){ s->ptr, s->capacity };
}

bool
secret_set_len(struct secret *s, size_t len)
{
	EXPECT(len <= s->capacity);
	s->len = len;
	return true;
}

struct bytes
secret_bytes(const struct secret *s)
{
	return (struct bytes){ s->ptr, s->len };
}

struct secret *
secret_from(struct bytes b)
{
	struct secret *s = secret_new(b.len);

	if (b.len > 0)
		memcpy(s->ptr, b.ptr, b.len);
	s->len = b.len;
	return s;
}

bool
secret_equal(const struct secret *a, const struct secret *b)
{
	return fuzz_equal(secret_bytes(a), secret_bytes(b));
}

int
secret_order(const struct secret *a, const struct secret *b)
{
	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	return a->len > 0 ? memcmp(a->ptr, b->ptr, a->len) : 0;
}

struct secret *
secret_random_base64(size_t n)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	struct secret *s = secret_new(n / 3 * 4);
	uint32_t state = 1;

	EXPECT(n % 3 == 0);
	for (s->len = 0; s->len < s->capacity; s->len++) {
		state = state * 1664525 + 1013904223;
		s->ptr[s->len] = (unsigned char)digits[state >> 26];
	}
	return s;
}

bool
secret_all_locked(void)
{
	return true;
}

void
secret_lock_pages(const void *p, size_t len)
{
	(void)p;
	(void)len;
}

void
secret_wipe_all(void)
{
}

void
secret_harden_process(void)
{
}
