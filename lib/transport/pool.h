/* SPDX-License-Identifier: MIT */
/*
 * pool: what the SSH connections of one run share: the settings of each host, asked for
 * once, the keys that were unlocked before it, whose turn it is to log in, and the logins at jump
 * hosts. Any thread.
 */
#ifndef TRANSPORT_POOL_H
#define TRANSPORT_POOL_H

#include "base/err.h"
#include "base/mem.h"

struct argv;
struct gates;
struct jumps;
struct pool;
struct secret;
struct ssh_config;
struct ssh_key_struct;
struct transport_spec;

struct pool *pool_new(void);
/* When every transport of it is freed; NULL is fine. */
void pool_free(struct pool *p);
DROP(pool, struct pool)

/*
 * Before the first transport connects, on one thread (unlock.c):
 *
 * Append the key files with a passphrase that these hosts, and the jump hosts on the way, will
 * want: those of their ssh_config that no agent holds; those that ssh tries by itself
 * (~/.ssh/id_*) only where there is no other key at all. What cannot be found out wants none. It
 * contacts no host, only the agent.
 */
void pool_locked_keys(struct pool *p, const struct transport_spec *specs, size_t n,
    struct argv *out);
/* Keep the key of this file, for all logins. ERR_KEY: it is not this passphrase, or no key. */
MUST_CHECK bool pool_unlock(struct pool *p, const char *file, const struct secret *passphrase,
    struct err *e);

/* An interrupt: from now on nobody waits until others have logged in. Any thread. */
void pool_shut(struct pool *p);

/* For this room: */

/* The key of this file, if it was unlocked, borrowed and only to be read; NULL. */
struct ssh_key_struct *pool_key(const struct pool *p, const char *file);
/* Keep it; it is the pool's from now on. */
void pool_add_key(struct pool *p, const char *file, struct ssh_key_struct *key);

/* pool_settings() for all of them, several at once. */
void pool_ask_all(struct pool *p, const struct transport_spec *specs, size_t n);

/*
 * What `ssh -G` says of this address, user and port; it is run once for all that are alike,
 * and what went wrong is kept as well. The pool's; NULL: ERR_HOST.
 */
MUST_CHECK const struct ssh_config *pool_settings(struct pool *p, const struct transport_spec *spec,
    struct err *e);

/* Who may log in now (gate.h). */
struct gates *pool_gates(struct pool *p);

/* The jump hosts in use (jump.h). */
struct jumps *pool_jumps(struct pool *p);

#endif
