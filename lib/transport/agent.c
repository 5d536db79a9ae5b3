/* SPDX-License-Identifier: MIT */
/*
 * agent: the protocol of ssh-agent (draft-miller-ssh-agent), as far as listing
 * and signing go. Each question gets a connection of its own to the real agent.
 * The lent agent is a thread, since libssh waits for it without end: it answers
 * in time or closes the socket.
 */
#include "transport/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/file.h"
#include "base/thread.h"

#define MESSAGE_CAP ((size_t)256 << 10)
#define STRING_CAP ((size_t)64 << 10)
#define KEYS_CAP 1000
#define THREAD_STACK ((size_t)256 << 10)

enum {
	AGENT_FAILURE = 5,
	AGENT_REQUEST_IDENTITIES = 11,
	AGENT_IDENTITIES_ANSWER = 12,
	AGENT_SIGN_REQUEST = 13,
	AGENT_SIGN_RESPONSE = 14,
};

void
agent_keys_done(struct agent_keys *k)
{
	for (size_t i = 0; i < k->n; i++) {
		str_done(&k->at[i].blob);
		free(k->at[i].comment);
	}
	free(k->at);
	*k = (struct agent_keys){ 0 };
}

static void
add_number(struct str *out, size_t n)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		str_add_char(out, (char)(n >> shift & 0xff));
}

static size_t
number_at(const unsigned char *p)
{
	return (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
}

static bool
take_number(struct bytes *from, size_t *out)
{
	if (from->len < 4)
		return false;
	*out = number_at(from->ptr);
	from->ptr = (const char *)from->ptr + 4;
	from->len -= 4;
	return true;
}

static void
add_string(struct str *out, struct bytes b)
{
	add_number(out, b.len);
	str_add_bytes(out, b);
}

bool
agent_take_string(struct bytes *from, struct bytes *out)
{
	size_t len;

	if (!take_number(from, &len) || len > from->len || len > STRING_CAP)
		return false;
	*out = (struct bytes){ from->ptr, len };
	from->ptr = (const char *)from->ptr + len;
	from->len -= len;
	return true;
}

/* Until the socket has something to read, or room; false when time is over. */
static bool
wait_for(int fd, short events, int64_t until)
{
	struct pollfd p = { .fd = fd, .events = events };
	int n;

	do
		n = poll(&p, 1, clock_left(until));
	while (n < 0 && errno == EINTR);
	return n > 0;
}

static bool
send_message(int fd, struct bytes body, int64_t until)
{
	AUTO(str_done) struct str all = { 0 };
	size_t sent = 0;

	add_string(&all, body);
	while (sent < all.len) {
		ssize_t n;

		if (!wait_for(fd, POLLOUT, until))
			return false;
		n = send(fd, all.ptr + sent, all.len - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return false;
		sent += n > 0 ? (size_t)n : 0;
	}
	return true;
}

/* *out becomes the next message, without its length. */
static bool
take_message(int fd, struct str *out, int64_t until)
{
	AUTO(str_done) struct str all = { 0 };
	size_t want = 4;

	while (all.len < want) {
		char buf[4096];
		size_t most = want - all.len < sizeof(buf) ? want - all.len : sizeof(buf);
		ssize_t n;

		if (!wait_for(fd, POLLIN, until))
			return false;
		n = recv(fd, buf, most, MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
			return false;
		str_add_bytes(&all, (struct bytes){ buf, n > 0 ? (size_t)n : 0 });
		if (all.len == 4) {
			want = 4 + number_at((const unsigned char *)all.ptr);
			if (want == 4 || want > MESSAGE_CAP)
				return false;
		}
	}
	str_clear(out);
	str_add_bytes(out, (struct bytes){ all.ptr + 4, all.len - 4 });
	return true;
}

/* One that hangs leaves as much time for what comes without it: the key files. */
static int64_t
half_until(int64_t until)
{
	return clock_ms() + clock_left(until) / 2;
}

/* One question to the real agent. */
static bool
ask(const char *path, struct bytes question, struct str *answer, int64_t until)
{
	AUTO(fd_drop) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	if (fd < 0 || strlen(path) >= sizeof(at.sun_path))
		return false;
	memcpy(at.sun_path, path, strlen(path));
	while (connect(fd, (const struct sockaddr *)&at, sizeof(at)) != 0) {
		if (errno != EAGAIN || clock_left(until) == 0)
			return false;
		poll(NULL, 0, 20); /* many of us at once: its queue is full */
	}
	return send_message(fd, question, until) && take_message(fd, answer, until);
}

static bool
read_keys(struct bytes from, struct agent_keys *out)
{
	size_t n;

	if (!take_number(&from, &n) || n > KEYS_CAP)
		return false;
	for (size_t i = 0; i < n; i++) {
		struct bytes blob, comment;
		struct agent_key *key;

		if (!agent_take_string(&from, &blob) || !agent_take_string(&from, &comment))
			return false;
		key = mem_push(&out->at, &out->n, sizeof(*key));
		str_add_bytes(&key->blob, blob);
		key->comment = mem_strndup(comment.ptr, comment.len);
	}
	return true;
}

bool
agent_list(const char *path, int64_t until, struct agent_keys *out)
{
	const char question = AGENT_REQUEST_IDENTITIES;
	AUTO(str_done) struct str answer = { 0 };
	struct bytes rest;

	if (!ask(path, (struct bytes){ &question, 1 }, &answer, half_until(until)) ||
	    answer.ptr[0] != AGENT_IDENTITIES_ANSWER)
		return false;
	rest = (struct bytes){ answer.ptr + 1, answer.len - 1 };
	return read_keys(rest, out);
}

struct agent_lent {
	pthread_t thread;
	const char *path;
	int64_t until;
	int fd;	  /* the thread's end */
	int hold; /* a twin of libssh's end, to shut it down by */
	pthread_mutex_t lock; /* for what follows */
	struct str *offers, *signs; /* n each */
	size_t n;
	long refused;
};

static void
answer_identities(struct agent_lent *l, struct str *answer)
{
	HOLD(&l->lock);

	str_add_char(answer, AGENT_IDENTITIES_ANSWER);
	add_number(answer, l->n);
	for (size_t i = 0; i < l->n; i++) {
		add_string(answer, str_bytes(&l->offers[i]));
		add_string(answer, bytes_of("arver"));
	}
}

/* Which of its keys this is; n: none. */
static size_t
find_offer(const struct agent_lent *l, struct bytes blob)
{
	size_t i = 0;

	while (i < l->n && (l->offers[i].len != blob.len ||
			       memcmp(str_text(&l->offers[i]), blob.ptr, blob.len) != 0))
		i++;
	return i;
}

/* The question as the real agent is asked: its own key in place of the one that was shown. */
static bool
rewrite_question(struct agent_lent *l, struct bytes rest, struct str *out, size_t *out_which)
{
	HOLD(&l->lock);
	struct bytes blob;

	if (!agent_take_string(&rest, &blob))
		return false;
	*out_which = find_offer(l, blob);
	if (*out_which == l->n)
		return false;
	str_add_char(out, AGENT_SIGN_REQUEST);
	add_string(out, str_bytes(&l->signs[*out_which]));
	str_add_bytes(out, rest);
	return true;
}

static void
answer_sign(struct agent_lent *l, struct bytes rest, struct str *answer)
{
	AUTO(str_done) struct str question = { 0 };
	size_t which = SIZE_MAX;

	if (!rewrite_question(l, rest, &question, &which) ||
	    !ask(l->path, str_bytes(&question), answer, half_until(l->until)) ||
	    answer->ptr[0] != AGENT_SIGN_RESPONSE) {
		HOLD(&l->lock);

		if (which < l->n)
			l->refused = (long)which;
		str_clear(answer);
		str_add_char(answer, AGENT_FAILURE);
	}
}

static void *
lent_main(void *arg)
{
	struct agent_lent *l = arg;
	AUTO(str_done) struct str question = { 0 };

	while (take_message(l->fd, &question, l->until)) {
		struct bytes rest = { question.ptr + 1, question.len - 1 };
		AUTO(str_done) struct str answer = { 0 };

		if (question.ptr[0] == AGENT_REQUEST_IDENTITIES)
			answer_identities(l, &answer);
		else if (question.ptr[0] == AGENT_SIGN_REQUEST)
			answer_sign(l, rest, &answer);
		else
			str_add_char(&answer, AGENT_FAILURE);
		if (!send_message(l->fd, str_bytes(&answer), clock_ms() + 1000))
			break;
	}
	shutdown(l->fd, SHUT_RDWR);
	return NULL;
}

struct agent_lent *
agent_lend(const char *path, int64_t until, int *out_fd)
{
	struct agent_lent *l;
	int ends[2], hold;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		return NULL;
	hold = fcntl(ends[1], F_DUPFD_CLOEXEC, 0);
	l = mem_alloc(1, sizeof(*l));
	*l = (struct agent_lent){ .path = path, .until = until, .fd = ends[0], .hold = hold };
	pthread_mutex_init(&l->lock, NULL);
	if (hold < 0 || thread_start(&l->thread, THREAD_STACK, lent_main, l) != 0) {
		for (int i = 0; i < 2; i++)
			close(ends[i]);
		fd_drop(&hold);
		pthread_mutex_destroy(&l->lock);
		free(l);
		return NULL;
	}
	*out_fd = ends[1];
	return l;
}

static void
forget_offers(struct agent_lent *l)
{
	for (size_t i = 0; i < l->n; i++) {
		str_done(&l->offers[i]);
		str_done(&l->signs[i]);
	}
	free(l->offers);
	free(l->signs);
}

void
agent_lent_show(struct agent_lent *l, const struct agent_offer *offers, size_t n)
{
	HOLD(&l->lock);

	forget_offers(l);
	l->offers = mem_alloc(n, sizeof(*l->offers));
	l->signs = mem_alloc(n, sizeof(*l->signs));
	l->n = n;
	l->refused = -1;
	for (size_t i = 0; i < n; i++) {
		str_add_bytes(&l->offers[i], offers[i].offer);
		str_add_bytes(&l->signs[i], offers[i].sign);
	}
}

long
agent_lent_refused(struct agent_lent *l)
{
	HOLD(&l->lock);

	return l->refused;
}

void
agent_lent_free(struct agent_lent *l)
{
	if (!l)
		return;
	shutdown(l->hold, SHUT_RDWR);
	pthread_join(l->thread, NULL);
	close(l->hold);
	close(l->fd);
	pthread_mutex_destroy(&l->lock);
	forget_offers(l);
	free(l);
}
