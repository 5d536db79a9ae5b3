/* SPDX-License-Identifier: MIT */
/*
 * link: one SSH connection as the files of this room share it: the libssh
 * session, the socket below it and what carries that: a jump host's login, or
 * a program. Used by one thread at a time; private to transport_ssh and its helpers.
 */
#ifndef TRANSPORT_LINK_H
#define TRANSPORT_LINK_H

#include <stdbool.h>
#include <stdint.h>
#include <libssh/libssh.h>
#include "transport/proxy.h"
#include "transport/ssh_config.h"

struct jump;
struct pool;

struct link {
	ssh_session session; /* NULL: not connected */
	int fd;		     /* ours, to wait on and to keep count by; -1: none */
	int lent;	     /* its twin, which libssh holds and may have closed; -1: none */
	struct proxy proxy;
	struct jump *jump; /* held: what it went through last, so that that stays; NULL: none */
};

/* The way out, for the errors that tell what libssh cannot do. */
#define BY_OPENSSH "\"transport: openssh\" in settings"

/* One try to connect: what its steps share. */
struct attempt {
	struct link *link;
	struct pool *pool;
	const struct ssh_config *config;
	const char *address, *user; /* as in the inventory or in ProxyJump; user may be NULL */
	unsigned port;		    /* 0: not given */
	const char *jump; /* the ProxyJump that counts: a list, the nearest host last; NULL: none */
	int64_t until; /* of clock_ms: dialling, key exchange and login are over by then, or so much
			* later as they waited for their turn (gate.h) */
	bool accept_new;
	struct argv *notes; /* what the person must hear of, however it ends */
	bool *beyond; /* set where it failed for what ssh can do and libssh cannot */
};

/* Take the connected socket (owned from now on) and make a session for it, not yet begun. */
MUST_CHECK bool link_begin(struct link *l, int fd, struct err *e);
/*
 * Reach the server, shake hands, judge its key, log in. ERR_AWAY, ERR_HOST with what to do; the link is to
 * be ended then. ERR_CANCELLED: its turn did not come. (link_connect.c)
 */
MUST_CHECK bool link_connect(const struct attempt *a, struct err *e);
/* Disconnect without waiting for the other side; back to "not connected". */
void link_end(struct link *l);
/* The same for good: gives the jump host back, too. */
void link_done(struct link *l);

/* The other side, or the way to it, is gone. */
bool link_is_dead(const struct link *l);
/* libssh makes the socket blocking when it begins; then a write may hang for ever. */
void link_unblock(const struct link *l);
/* Let libssh read and write what it can at once. */
void link_pump(const struct link *l);
/* Sleep until the socket has news, or for a second; false when `until` is over. */
bool link_wait(const struct link *l, int64_t until);

/*
 * Known, not changed, not revoked, or new and to be accepted: else ERR_HOST with the fingerprint and
 * what to do.
 */
MUST_CHECK bool trust_order_algorithms(const struct attempt *a, struct err *e); /* before */
MUST_CHECK bool trust_check(const struct attempt *a, struct err *e); /* after key exchange */

/* Log in with the keys of agent and files. ERR_HOST names those that were tried. */
MUST_CHECK bool auth_login(const struct attempt *a, struct err *e);

#endif
