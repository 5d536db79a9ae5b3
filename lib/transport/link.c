/* SPDX-License-Identifier: MIT */
/*
 * link: libssh closes the socket it was given in some of its ways to end and
 * not in others. So it gets a twin of ours: we wait on our own, and close the
 * twin only if it still is the same socket; its number may be another's by then.
 */
#include "transport/link.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>
#include <libssh/server.h>
#include "base/clock.h"
#include "base/file.h"
#include "transport/jump.h"

#define MAX_WAIT_MS 1000 /* a guard: no wake-up that libssh swallows costs more */

static void
init_library(void)
{
	ssh_init();
}

bool
link_begin(struct link *l, int fd, struct err *e)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, init_library);
	l->fd = fd;
	l->lent = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (l->lent < 0)
		return err_errno(e, ERR_HOST, errno, "no second descriptor for the connection");
	l->session = ssh_new();
	if (!l->session)
		mem_exhausted();
	ssh_set_blocking(l->session, 0);
	return true;
}

static bool
is_same_socket(int a, int b)
{
	struct stat sa, sb;

	return fstat(a, &sa) == 0 && fstat(b, &sb) == 0 && sa.st_dev == sb.st_dev &&
	    sa.st_ino == sb.st_ino;
}

void
link_end(struct link *l)
{
	if (l->session) {
		ssh_disconnect(l->session);
		ssh_free(l->session);
	}
	if (l->lent >= 0 && is_same_socket(l->lent, l->fd))
		close(l->lent);
	fd_drop(&l->fd);
	proxy_stop(&l->proxy);
	l->session = NULL;
	l->lent = -1;
}

void
link_done(struct link *l)
{
	link_end(l);
	jump_release(l->jump);
	l->jump = NULL;
}

bool
link_is_dead(const struct link *l)
{
	return !l->session || !ssh_is_connected(l->session) ||
	    (ssh_get_status(l->session) & (SSH_CLOSED | SSH_CLOSED_ERROR));
}

void
link_pump(const struct link *l)
{
	ssh_execute_message_callbacks(l->session);
}

void
link_unblock(const struct link *l)
{
	fcntl(l->fd, F_SETFL, O_NONBLOCK);
}

bool
link_wait(const struct link *l, int64_t until)
{
	struct pollfd p = { .fd = l->fd, .events = POLLIN };
	int left = clock_left(until);

	link_unblock(l);
	if (left == 0)
		return false;
	if (ssh_get_poll_flags(l->session) & SSH_WRITE_PENDING)
		p.events |= POLLOUT;
	poll(&p, 1, left < MAX_WAIT_MS ? left : MAX_WAIT_MS);
	return true;
}
