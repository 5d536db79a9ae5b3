/* SPDX-License-Identifier: MIT */
/*
 * proxy: a program that carries the connection: `ssh -W` for ProxyJump, the
 * user's shell for ProxyCommand. It gets one end of a socket pair as stdin and
 * stdout; what it says on stderr is kept for the error text.
 */
#ifndef TRANSPORT_PROXY_H
#define TRANSPORT_PROXY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/err.h"
#include "base/str.h"
#include "transport/complaint.h"

struct ssh_config;

/* The last host of a ProxyJump list, and the list before it. */
struct proxy_hop {
	char *user, *host, *before; /* user, before: NULL if there is none */
	unsigned port;		    /* 0: none */
};

/* "[user@]host[:port]", also as "ssh://...", behind a comma or not. */
void proxy_hop_parse(const char *list, struct proxy_hop *out);
void proxy_hop_done(struct proxy_hop *hop);

/* Where to, and how. */
struct proxy_way {
	const struct ssh_config *config; /* of the host behind it */
	const char *address;
	const char *jump; /* go by `ssh -W` through this ProxyJump list; NULL: by ProxyCommand */
	int64_t wait_ms;
	bool accept_new;
};

struct proxy {
	pid_t pid;     /* 0: none */
	struct complaint complaint;
};

/* Start it; *out_fd is our end. ERR_HOST. */
MUST_CHECK bool proxy_start(const struct proxy_way *way, struct proxy *out, int *out_fd,
    struct err *e);

/* Append what it said last, escaped, behind "; the way there says: ", or that it was too much. */
void proxy_quote(struct proxy *p, struct str *out);

/* Has it ended for what will be so again: it cannot be run, or a ssh in it was refused? */
bool proxy_is_refused(struct proxy *p);

/* End it and reap it, within a second at most. */
void proxy_stop(struct proxy *p);

#endif
