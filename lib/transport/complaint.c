/* SPDX-License-Identifier: MIT */
/*
 * complaint: a pipe, not a file in memory, which would grow with all that is said while nobody
 * reads. That something was lost is seen by the pipe: it stays full until it is read.
 */
#include "transport/complaint.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>
#include "base/file.h"

int
complaint_open(struct complaint *c)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0)
		return errno;
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	*c = (struct complaint){ .from = ends[0], .to = ends[1] };
	return 0;
}

void
complaint_let_go(struct complaint *c)
{
	fcntl(c->to, F_SETFL, O_NONBLOCK);
	c->is_free = true;
}

static bool
is_full(const struct complaint *c)
{
	struct pollfd p = { .fd = c->to, .events = POLLOUT };

	return poll(&p, 1, 0) == 0;
}

bool
complaint_read(struct complaint *c)
{
	char buf[4096];
	ssize_t n = 1;

	if (c->is_free && is_full(c))
		c->lost = true;
	while (n > 0 && c->said.len < COMPLAINT_CAP) {
		n = file_read_some(c->from, buf, sizeof(buf));
		if (n > 0)
			str_add_bytes(&c->said, (struct bytes){ buf, (size_t)n });
	}
	return !c->lost && c->said.len < COMPLAINT_CAP;
}

void
complaint_done(struct complaint *c)
{
	fd_drop(&c->from);
	fd_drop(&c->to);
	str_done(&c->said);
}
