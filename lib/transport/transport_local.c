/* SPDX-License-Identifier: MIT */
/*
 * transport_local: this machine, through base/proc. There is nothing to
 * connect to. A program that is not there ends as it does in a shell, and so
 * as it does over ssh: exit status 127, the reason on stderr.
 */
#include "transport/transport.h"

#include <stdlib.h>
#include <unistd.h>

#define NOT_FOUND 127

static bool
local_connect(struct transport *t, struct err *e)
{
	(void)t;
	(void)e;
	return true;
}

static bool
local_run(struct transport *t, const struct proc_command *c, struct proc_result *out, struct err *e)
{
	struct err why = { 0 };

	(void)t;
	(void)e;
	if (proc_run(c, out, &why))
		return true;
	proc_result_done(out);
	out->end = PROC_EXITED;
	out->code = NOT_FOUND;
	str_addf(&out->err, "%s\n", why.text);
	return true;
}

static void
local_free(struct transport *t)
{
	free(t);
}

static const struct transport_ops local_ops = {
	.connect = local_connect,
	.run = local_run,
	.free = local_free,
};

struct transport *
transport_local_new(const struct transport_spec *spec)
{
	struct transport *t = mem_alloc(1, sizeof(*t));

	t->ops = &local_ops;
	t->name = spec->name;
	t->sudo = geteuid() != 0;
	return t;
}
