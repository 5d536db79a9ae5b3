/* SPDX-License-Identifier: MIT */
/*
 * secret: the only type that may hold a passphrase or a key file's plaintext.
 * Its bytes lie in an arena of our own that is locked into memory, left out
 * of core dumps, not inherited by children, fenced by guard pages, and wiped
 * when freed. Capacity is fixed: it never moves or grows. Any thread may
 * create and free secrets; one secret is written by one thread at a time.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include "base/str.h"

struct secret;

/* Capacity in bytes, at most SECRET_MAX; never NULL. */
struct secret *secret_new(size_t capacity);
#define SECRET_MAX ((size_t)64 << 20)
void secret_free(struct secret *s); /* wipes; NULL is fine */
DROP(secret, struct secret)

/* The whole capacity, to be filled; then say how much of it counts. */
struct span secret_space(struct secret *s);
bool secret_set_len(struct secret *s, size_t len); /* true, always */
/* Borrow what is in it: for one call, never kept, never printed. */
struct bytes secret_bytes(const struct secret *s);

/* A fresh secret holding these bytes. */
struct secret *secret_from(struct bytes b);
/* Equal length and bytes; time does not depend on where they differ. */
bool secret_equal(const struct secret *a, const struct secret *b);

/* Which comes first in some order of them all, as qsort wants it; 0 if equal. The same of its time. */
int secret_order(const struct secret *a, const struct secret *b);

/*
 * A fresh secret: the base64 text (RFC 4648, no line break) of `n` bytes of the
 * kernel's randomness; n is a multiple of 3, so that there is no padding.
 * arver's passphrases are secret_random_base64(192): 256 characters.
 */
struct secret *secret_random_base64(size_t n);

/*
 * False once some secret could not be locked (RLIMIT_MEMLOCK): it is kept all
 * the same. The program warns once.
 */
bool secret_all_locked(void);

/*
 * Lock the pages on which this memory of a library's lies and leave them out of core dumps: for what
 * it copies out of a secret meanwhile. They stay so, since what else lies there is not known. Where
 * they cannot be locked, secret_all_locked() says so.
 */
void secret_lock_pages(const void *p, size_t len);

/*
 * Overwrite every secret there is, for a process that is about to end: with
 * noise, so that a thread still at work gives no disk a key anyone could guess.
 */
void secret_wipe_all(void);

/*
 * Turn off core dumps and ptrace for this process, and allow it to lock as
 * much memory as it may; main calls it first.
 */
void secret_harden_process(void);

#endif
