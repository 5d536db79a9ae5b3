/* SPDX-License-Identifier: MIT */
/*
 * luks_command_test: the contract of lib/luks, kept by the cryptsetup program over
 * transport_local.
 */
#include "luks/luks.h"
#include "tests/contract/luks_contract.h"
#include "transport/transport.h"

/* A transport in between, which remembers whether a key was sent. */
struct watched {
	struct transport base;
	struct transport *inner;
};

static struct watched watched;
static bool was_fed;

static bool
watched_run(struct transport *t, const struct proc_command *c, struct proc_result *out,
    struct err *e)
{
	bool ok = transport_run(watched.inner, c, out, e);

	(void)t;
	was_fed = false;
	for (size_t i = 1; ok && out->fed && i < c->n_input; i++)	/* behind the go line */
		was_fed = was_fed || c->input[i].len > 0;
	return ok;
}

static void
watched_free(struct transport *t)
{
	(void)t;
	transport_free(watched.inner);
}

static struct luks *
make(int64_t limit_ms)
{
	static const struct transport_ops ops = { .run = watched_run, .free = watched_free };
	static const struct transport_spec spec = { .name = "colo/web1", .user = "root" };

	watched.inner = transport_local_new(&spec);
	watched.base = *watched.inner;
	watched.base.ops = &ops;
	return luks_remote_new(&watched.base, limit_ms);
}

static void
drop(struct luks *l)
{
	luks_free(l);
	transport_free(&watched.base);
}

static bool
fed(void)
{
	return was_fed;
}

int
main(void)
{
	const struct luks_contract c = { .name = "luks_command", .make = make, .drop = drop,
		.fed = fed };

	return luks_contract_run(&c);
}
