/* SPDX-License-Identifier: MIT */
/*
 * tunnel: one connection through a jump host: a channel of its session on one side, a socket on
 * the other. All is done by the thread that pumps that session, nothing waits, and what one of
 * them holds is bounded: a piece each way, and the channel's window in libssh.
 */
#ifndef TRANSPORT_TUNNEL_H
#define TRANSPORT_TUNNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <libssh/callbacks.h>
#include <libssh/libssh.h>

#define TUNNEL_PIECE ((size_t)16 << 10)

/* What was read on one side, and how much of that is written on the other. */
struct tunnel_piece {
	char bytes[TUNNEL_PIECE];
	size_t from, len;
};

struct tunnel {
	char *host; /* where it ends, as the jump host is to look it up */
	unsigned port;
	int fd; /* our end of the socket pair, non-blocking; -1: closed */
	ssh_channel channel;
	struct ssh_channel_callbacks_struct callbacks;
	bool is_open;
	bool over; /* the other side, or ours, has ended it */
	bool news; /* libssh may have data for it */
	struct tunnel_piece up, down;
	void *asker; /* the owner's: who waits for it to be open */
};

/* Takes the descriptor. */
struct tunnel *tunnel_new(const char *host, unsigned port, int fd);
/* While its session is there. */
void tunnel_free(struct tunnel *t);

/* SSH_OK, SSH_AGAIN: call again, or SSH_ERROR: ssh_get_error() may know why. */
int tunnel_open(struct tunnel *t, ssh_session session);

/* Carry what can be carried at once; up to *budget bytes to the server, counted down. */
void tunnel_carry(struct tunnel *t, size_t *budget);

/* What to poll its socket for. */
short tunnel_events(const struct tunnel *t, bool may_send);

#endif
