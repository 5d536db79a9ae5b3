/* SPDX-License-Identifier: MIT */
/*
 * dial: a TCP connection to a host by name, over all its addresses in turn,
 * within a deadline that also bounds the name lookup.
 */
#ifndef TRANSPORT_DIAL_H
#define TRANSPORT_DIAL_H

#include <stdbool.h>
#include <stdint.h>
#include "base/err.h"

struct dial {
	const char *host;
	unsigned port;
	int family;    /* AF_UNSPEC, AF_INET, AF_INET6 */
	int64_t until; /* of clock_ms */
};

/*
 * *out_fd becomes a connected socket: non-blocking, close-on-exec, no delay,
 * keepalive. ERR_AWAY: no such name, nobody listens, nobody answers; no thread to be had now.
 * Any thread.
 */
MUST_CHECK bool dial_connect(const struct dial *d, int *out_fd, struct err *e);

#endif
