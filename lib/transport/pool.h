/* SPDX-License-Identifier: MIT */
/*
 * pool: what the SSH connections of one run share: the settings of each host, asked for
 * once, whose turn it is to log in, and the logins at jump hosts. Any thread.
 */
#ifndef TRANSPORT_POOL_H
#define TRANSPORT_POOL_H

#include "base/err.h"
#include "base/mem.h"

struct gates;
struct jumps;
struct pool;
struct ssh_config;
struct transport_spec;

struct pool *pool_new(void);
/* When every transport of it is freed; NULL is fine. */
void pool_free(struct pool *p);
DROP(pool, struct pool)

/* For this room: */

/*
 * What `ssh -G` says of this address, user and port; it is run when they are asked for the first
 * time, or after it failed. The pool's; NULL: ERR_HOST.
 */
MUST_CHECK const struct ssh_config *pool_settings(struct pool *p, const struct transport_spec *spec,
    struct err *e);

/* Who may log in now (gate.h). */
struct gates *pool_gates(struct pool *p);

/* The jump hosts in use (jump.h). */
struct jumps *pool_jumps(struct pool *p);

#endif
