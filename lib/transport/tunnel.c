/* SPDX-License-Identifier: MIT */
/*
 * tunnel: data that its reader does not take stays with libssh, which then
 * opens the window no further, so that the server stops sending for this channel and for no
 * other. The other way round, nothing is read from the socket before the last piece is with libssh.
 */
#include "transport/tunnel.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include "base/file.h"
#include "base/mem.h"
#include "transport/packet_size.h"

#define ROUNDS 16 /* pieces in one go: then it is the others' turn */

static int
on_data(ssh_session session, ssh_channel channel, void *data, uint32_t len, int is_err, void *arg)
{
	struct tunnel *t = arg;

	(void)session;
	(void)channel;
	(void)data;
	(void)len;
	(void)is_err;
	t->news = true;
	return 0; /* it is read later, as there is room */
}

static void
on_end(ssh_session session, ssh_channel channel, void *arg)
{
	struct tunnel *t = arg;

	(void)session;
	(void)channel;
	t->news = true;
}

struct tunnel *
tunnel_new(const char *host, unsigned port, int fd)
{
	struct tunnel *t = mem_alloc(1, sizeof(*t));

	t->host = mem_strdup(host);
	t->port = port;
	t->fd = fd;
	t->callbacks.userdata = t;
	t->callbacks.channel_data_function = on_data;
	t->callbacks.channel_eof_function = on_end;
	t->callbacks.channel_close_function = on_end;
	return t;
}

void
tunnel_free(struct tunnel *t)
{
	if (t->channel) {
		ssh_remove_channel_callbacks(t->channel, &t->callbacks);
		ssh_channel_free(t->channel);
	}
	fd_drop(&t->fd);
	free(t->host);
	free(t);
}

int
tunnel_open(struct tunnel *t, ssh_session session)
{
	int rc;

	if (!t->channel) {
		t->channel = ssh_channel_new(session);
		if (!t->channel)
			return SSH_ERROR;
		ssh_callbacks_init(&t->callbacks);
		ssh_set_channel_callbacks(t->channel, &t->callbacks);
	}
	rc = ssh_channel_open_forward(t->channel, t->host, (int)t->port, "127.0.0.1", 0);
	t->is_open = rc == SSH_OK && packet_size_is_enough();
	return rc == SSH_OK && !t->is_open ? SSH_ERROR : rc;
}

static bool
is_empty(const struct tunnel_piece *p)
{
	return p->from == p->len;
}

/* The next piece from the server; false if there is none now. */
static bool
take_down(struct tunnel *t)
{
	struct tunnel_piece *p = &t->down;
	int n = ssh_channel_read_nonblocking(t->channel, p->bytes, sizeof(p->bytes), 0);

	p->from = 0;
	p->len = n > 0 ? (size_t)n : 0;
	t->news = n > 0;
	t->over = t->over || (n <= 0 && (ssh_channel_is_eof(t->channel) ||
					    ssh_channel_is_closed(t->channel)));
	return n > 0;
}

/* False if the socket takes no more now. */
static bool
put_down(struct tunnel *t)
{
	struct tunnel_piece *p = &t->down;
	ssize_t n = send(t->fd, p->bytes + p->from, p->len - p->from, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0) {
		t->over = t->over || (errno != EAGAIN && errno != EINTR);
		return false;
	}
	p->from += (size_t)n;
	return is_empty(p);
}

static void
carry_down(struct tunnel *t)
{
	for (int i = 0; i < ROUNDS && !t->over; i++) {
		if (is_empty(&t->down) && !(t->news && take_down(t)))
			return;
		if (!put_down(t))
			return;
	}
}

/* The next piece from the socket, no more than the server takes; false if there is none now. */
static bool
take_up(struct tunnel *t, size_t most)
{
	struct tunnel_piece *p = &t->up;
	ssize_t n;

	if (most > ssh_channel_window_size(t->channel))
		most = ssh_channel_window_size(t->channel);
	if (most > sizeof(p->bytes))
		most = sizeof(p->bytes);
	if (most == 0)
		return false;
	n = recv(t->fd, p->bytes, most, MSG_DONTWAIT);
	t->over = t->over || n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
	p->from = 0;
	p->len = n > 0 ? (size_t)n : 0;
	return n > 0;
}

/* False if libssh takes no more now. */
static bool
put_up(struct tunnel *t)
{
	struct tunnel_piece *p = &t->up;
	int n = ssh_channel_write(t->channel, p->bytes + p->from, (uint32_t)(p->len - p->from));

	t->over = t->over || n < 0;
	p->from += n > 0 ? (size_t)n : 0;
	return is_empty(p);
}

static void
carry_up(struct tunnel *t, size_t *budget)
{
	while (!t->over && *budget > 0) {
		size_t had;

		if (is_empty(&t->up) && !take_up(t, *budget))
			return;
		had = t->up.len - t->up.from;
		if (!put_up(t))
			return;
		*budget -= had < *budget ? had : *budget;
	}
}

void
tunnel_carry(struct tunnel *t, size_t *budget)
{
	carry_down(t);
	carry_up(t, budget);
}

short
tunnel_events(const struct tunnel *t, bool may_send)
{
	short events = 0;

	if (may_send && is_empty(&t->up) && ssh_channel_window_size(t->channel) > 0)
		events |= POLLIN;
	if (t->news || !is_empty(&t->down))
		events |= POLLOUT;
	return events;
}
