/* SPDX-License-Identifier: MIT */
/*
 * mux: the greeting in the words of PROTOCOL.mux, then packets of RFC 4254 behind a length and an
 * empty padding. Data may be a passphrase: it goes from where it lies into the socket, so it
 * has its place in the order of what is to be sent, and no copy.
 */
#include "transport/mux.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "base/clock.h"
#include "base/file.h"

#define HELLO 0x00000001
#define VERSION 4
#define ASK_PROXY 0x1000000f
#define IS_PROXY 0x8000000f
#define CHANNEL_DATA 94
#define PACKET_CAP ((size_t)256 << 10) /* as ssh has it */

void
mux_add_u32(struct str *to, uint32_t n)
{
	const char b[] = { (char)(n >> 24), (char)(n >> 16), (char)(n >> 8), (char)n };

	str_add_bytes(to, (struct bytes){ b, sizeof(b) });
}

void
mux_add_string(struct str *to, struct bytes b)
{
	mux_add_u32(to, (uint32_t)b.len);
	str_add_bytes(to, b);
}

bool
mux_take_u32(struct bytes *from, uint32_t *out)
{
	const unsigned char *p = from->ptr;

	if (from->len < 4)
		return false;
	*out = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
	*from = (struct bytes){ p + 4, from->len - 4 };
	return true;
}

bool
mux_take_string(struct bytes *from, struct bytes *out)
{
	struct bytes rest = *from;
	uint32_t len;

	if (!mux_take_u32(&rest, &len) || rest.len < len)
		return false;
	*out = (struct bytes){ rest.ptr, len };
	*from = (struct bytes){ (const char *)rest.ptr + len, rest.len - len };
	return true;
}

void
mux_close(struct mux *m)
{
	fd_drop(&m->fd);
	str_done(&m->in);
	str_done(&m->out);
	str_done(&m->later);
	m->taken = m->sent = 0;
	m->body = (struct bytes){ 0 };
}

bool
mux_is_sent(const struct mux *m)
{
	return m->sent == m->out.len && m->body.len == 0 && m->later.len == 0;
}

/* What is written next: where it ends depends on whether data is on its way. */
static struct str *
queue(struct mux *m)
{
	return m->body.len > 0 ? &m->later : &m->out;
}

void
mux_put(struct mux *m, unsigned char type, struct bytes body)
{
	struct str *to = queue(m);

	mux_add_u32(to, (uint32_t)body.len + 2);
	str_add_char(to, '\0');
	str_add_char(to, (char)type);
	str_add_bytes(to, body);
}

void
mux_put_data(struct mux *m, uint32_t channel, struct bytes data)
{
	mux_add_u32(&m->out, (uint32_t)data.len + 10);
	str_add_char(&m->out, '\0');
	str_add_char(&m->out, CHANNEL_DATA);
	mux_add_u32(&m->out, channel);
	mux_add_u32(&m->out, (uint32_t)data.len);
	m->body = data;
}

/* How much of it the socket takes. If the master is gone, it is reading that tells. */
static size_t
send_some(const struct mux *m, const char *p, size_t len)
{
	ssize_t n = len > 0 && m->fd >= 0 ? send(m->fd, p, len, MSG_NOSIGNAL | MSG_DONTWAIT) : 0;

	return n > 0 ? (size_t)n : 0;
}

void
mux_send(struct mux *m)
{
	size_t n;

	do {
		n = send_some(m, str_text(&m->out) + m->sent, m->out.len - m->sent);
		m->sent += n;
		if (m->sent < m->out.len)
			continue;
		str_clear(&m->out);
		m->sent = 0;
		if (m->body.len > 0) {
			size_t some = send_some(m, m->body.ptr, m->body.len);

			m->body.ptr = (const char *)m->body.ptr + some;
			m->body.len -= some;
			n += some;
		}
		if (m->body.len == 0 && m->later.len > 0) {
			struct str empty = m->out;

			m->out = m->later;
			m->later = empty;
			n++; /* there is more to send */
		}
	} while (n > 0 && m->fd >= 0);
}

static void
receive(struct mux *m)
{
	char buf[65536];
	ssize_t n;

	if (m->fd < 0)
		return;
	if (m->taken > 0) {
		memmove(m->in.ptr, m->in.ptr + m->taken, m->in.len - m->taken);
		m->in.len -= m->taken;
		m->taken = 0;
	}
	n = recv(m->fd, buf, sizeof(buf), MSG_DONTWAIT);
	if (n > 0)
		str_add_bytes(&m->in, (struct bytes){ buf, (size_t)n });
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		fd_drop(&m->fd);
}

void
mux_pump(struct mux *m)
{
	mux_send(m);
	receive(m);
}

/* One length and what it counts, of the bytes that are here. */
static bool
take(struct mux *m, struct bytes *out)
{
	struct bytes rest = { str_text(&m->in) + m->taken, m->in.len - m->taken };
	struct bytes peek = rest;
	uint32_t len;

	if (mux_take_u32(&peek, &len) && len > PACKET_CAP)
		fd_drop(&m->fd); /* no master says that */
	else if (mux_take_string(&rest, out)) {
		m->taken += 4 + out->len;
		return true;
	}
	return false;
}

bool
mux_take(struct mux *m, struct mux_packet *out)
{
	struct bytes b;

	if (!take(m, &b))
		return false;
	out->type = b.len < 2 ? 0 : ((const unsigned char *)b.ptr)[1];
	out->body = b.len < 2 ? (struct bytes){ "", 0 }
			      : (struct bytes){ (const char *)b.ptr + 2, b.len - 2 };
	return true;
}

bool
mux_wait(const struct mux *m, int64_t until)
{
	struct pollfd p = { .fd = m->fd, .events = POLLIN };
	int left = clock_left(until);

	if (!mux_is_sent(m))
		p.events |= POLLOUT;
	if (left > 0)
		poll(&p, 1, left);
	return left > 0;
}

/* Wait for a message of the greeting; false unless it is this one. */
static bool
expect(struct mux *m, uint32_t want, int64_t until)
{
	struct bytes b;
	uint32_t type;

	for (;;) {
		mux_pump(m);
		if (take(m, &b))
			return mux_take_u32(&b, &type) && type == want;
		if (m->fd < 0 || !mux_wait(m, until))
			return false;
	}
}

static void
add_message(struct mux *m, uint32_t type, uint32_t value)
{
	mux_add_u32(&m->out, 8);
	mux_add_u32(&m->out, type);
	mux_add_u32(&m->out, value);
}

static bool
greet(struct mux *m, int64_t until)
{
	add_message(m, HELLO, VERSION);
	if (!expect(m, HELLO, until))
		return false;
	add_message(m, ASK_PROXY, 0);
	return expect(m, IS_PROXY, until);
}

enum mux_connected
mux_connect(struct mux *m, const char *path, int64_t until)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(at.sun_path))
		return MUX_REFUSED;
	memcpy(at.sun_path, path, strlen(path));
	m->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (m->fd < 0)
		return MUX_REFUSED;
	if (connect(m->fd, (struct sockaddr *)&at, sizeof(at)) != 0) {
		mux_close(m);
		return MUX_NOT_YET;
	}
	if (greet(m, until))
		return MUX_CONNECTED;
	mux_close(m);
	return MUX_REFUSED;
}
