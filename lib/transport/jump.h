/* SPDX-License-Identifier: MIT */
/*
 * jump: many hosts behind one jump host cost one login there. Its session is owned by a thread
 * of its own, the pump, which opens a channel for each host behind it and carries its bytes
 * to and from a socket pair; the other end is that host's to use like any socket. This is
 * the one exception to "a session stays in its lane". A jump host's own ProxyJump is followed the same way.
 */
#ifndef TRANSPORT_JUMP_H
#define TRANSPORT_JUMP_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include "base/err.h"
#include "base/str.h"

struct attempt;
struct jump;

/* All of a run. They stay to its end, also when nobody uses them for a while, unless they are lost. */
struct jumps {
	pthread_mutex_t lock;
	struct jump **at;
	size_t n;
};

void jumps_init(struct jumps *all);
void jumps_done(struct jumps *all); /* ends the logins; all are released */

/*
 * A socket to where the attempt's settings say, through the last host of its ProxyJump list, in
 * its time. Who is first there begins the login; the others wait for it, each in its own time.
 * The attempt's link holds the jump host from then on. Any thread.
 * ERR_HOST, ERR_AWAY "jump host NAME: ...". *beyond: libssh cannot do what the jump host's settings ask
 * for, but the ssh program may.
 */
MUST_CHECK bool jump_reach(const struct attempt *a, bool *beyond, int *out_fd, struct err *e);

/* It is not needed any more, by this link. NULL is fine. */
void jump_release(struct jump *j);

/* Has it been lost? Then append "jump host NAME: ...". NULL is not. */
bool jump_is_lost(struct jump *j, struct str *out);

#endif
