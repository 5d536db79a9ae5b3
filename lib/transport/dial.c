/* SPDX-License-Identifier: MIT */
/*
 * dial: each address gets its share of the time that is left, the last one all
 * of it. getaddrinfo() knows no deadline: it runs in a thread of its own, which
 * is left behind when it is too late, with what it works on; the last of the
 * two to be done with that frees it.
 */
#include "transport/dial.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/thread.h"

#define LOOKUP_STACK ((size_t)256 << 10)
#define KEEP_IDLE_S 15
#define KEEP_INTERVAL_S 5
#define KEEP_COUNT 3
#define UNACKNOWLEDGED_MS 30000 /* as long as keepalive takes to find out */

struct lookup {
	pthread_mutex_t lock;
	pthread_cond_t answered;
	char *host, service[8]; /* "65535" */
	struct addrinfo hints;
	bool done, abandoned;
	int code, system_code;
	struct addrinfo *found;
};

static void
lookup_free(struct lookup *l)
{
	if (l->found)
		freeaddrinfo(l->found);
	pthread_mutex_destroy(&l->lock);
	pthread_cond_destroy(&l->answered);
	free(l->host);
	free(l);
}

static struct lookup *
lookup_new(const struct dial *d)
{
	struct lookup *l = mem_alloc(1, sizeof(*l));

	pthread_mutex_init(&l->lock, NULL);
	clock_cond_init(&l->answered);
	l->host = mem_strdup(d->host);
	snprintf(l->service, sizeof(l->service), "%u", d->port);
	l->hints = (struct addrinfo){
		.ai_family = d->family,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICSERV,
	};
	return l;
}

static void *
lookup_main(void *arg)
{
	struct lookup *l = arg;
	struct addrinfo *found = NULL;
	int code = getaddrinfo(l->host, l->service, &l->hints, &found), system_code = errno;
	bool abandoned;

	pthread_mutex_lock(&l->lock);
	l->code = code;
	l->system_code = system_code;
	l->found = found;
	l->done = true;
	abandoned = l->abandoned;
	pthread_cond_signal(&l->answered);
	pthread_mutex_unlock(&l->lock);
	if (abandoned)
		lookup_free(l);
	return NULL;
}

/* Detached. Returns an errno value. */
static int
lookup_start(struct lookup *l)
{
	pthread_t thread;
	int code = thread_start(&thread, LOOKUP_STACK, lookup_main, l);

	if (code == 0)
		pthread_detach(thread);
	return code;
}

/* Wait for the answer; false if it is too late, then `l` is no longer ours. */
static bool
lookup_wait(struct lookup *l, int64_t until)
{
	bool done;

	pthread_mutex_lock(&l->lock);
	while (!l->done && clock_left(until) > 0)
		clock_cond_wait(&l->answered, &l->lock, until);
	done = l->done;
	l->abandoned = !done;
	pthread_mutex_unlock(&l->lock);
	return done;
}

static bool
lookup_answer(const struct dial *d, const struct lookup *l, struct err *e)
{
	if (l->code == 0)
		return true;
	if (l->code == EAI_SYSTEM)
		return err_errno(e, ERR_AWAY, l->system_code, "cannot look up %s", d->host);
	return err_set(e, ERR_AWAY, "cannot look up %s: %s%s", d->host, gai_strerror(l->code),
	    l->code == EAI_NONAME ? "; is it spelt right?" : "");
}

/* Wait for a connection that is under way. Returns an errno value. */
static int
finish_connect(int fd, int64_t until)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	int code = 0, n;
	socklen_t len = sizeof(code);

	do
		n = poll(&p, 1, clock_left(until));
	while (n < 0 && errno == EINTR);
	if (n == 0)
		return ETIMEDOUT;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &len) == 0 ? code : errno;
}

/* One address. Returns an errno value. */
static int
dial_address(const struct addrinfo *ai, int64_t until, int *out_fd)
{
	int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
	int code = 0;

	if (fd < 0)
		return errno;
	if (connect(fd, ai->ai_addr, ai->ai_addrlen) != 0)
		code = errno == EINPROGRESS ? finish_connect(fd, until) : errno;
	if (code == 0)
		*out_fd = fd;
	else
		close(fd);
	return code;
}

/* A host that lost its power is noticed within half a minute, also while a command is silent. */
static void
watch_over(int fd)
{
	const struct {
		int level, name, value;
	} options[] = {
		{ IPPROTO_TCP, TCP_NODELAY, 1 },
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, KEEP_IDLE_S },
		{ IPPROTO_TCP, TCP_KEEPINTVL, KEEP_INTERVAL_S },
		{ IPPROTO_TCP, TCP_KEEPCNT, KEEP_COUNT },
		{ IPPROTO_TCP, TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS },
	};

	for (size_t i = 0; i < COUNT(options); i++)
		setsockopt(fd, options[i].level, options[i].name, &options[i].value,
		    sizeof(options[i].value));
}

static bool
dial_each(const struct dial *d, const struct addrinfo *found, int *out_fd, struct err *e)
{
	int left = 0, code = EHOSTUNREACH;

	for (const struct addrinfo *ai = found; ai; ai = ai->ai_next)
		left++;
	for (const struct addrinfo *ai = found; ai; ai = ai->ai_next, left--) {
		code = dial_address(ai, clock_ms() + clock_left(d->until) / left, out_fd);
		if (code == 0) {
			watch_over(*out_fd);
			return true;
		}
	}
	return err_errno(e, ERR_AWAY, code, "cannot connect to %s, port %u", d->host, d->port);
}

bool
dial_connect(const struct dial *d, int *out_fd, struct err *e)
{
	struct lookup *l = lookup_new(d);
	int code = lookup_start(l);
	bool ok;

	if (code != 0) {
		lookup_free(l);
		return err_errno(e, code == EAGAIN || code == ENOMEM ? ERR_AWAY : ERR_HOST, code,
		    "no thread to look up %s", d->host);
	}
	if (!lookup_wait(l, d->until))
		return err_set(e, ERR_AWAY, "cannot look up %s: no answer in time", d->host);
	ok = lookup_answer(d, l, e) && dial_each(d, l->found, out_fd, e);
	lookup_free(l);
	return ok;
}
