/* SPDX-License-Identifier: MIT */
/*
 * transport_ssh: a session of libssh, which is told everything: settings come
 * from `ssh -G`, the socket from our own dialling, and its own reading of
 * configuration and known_hosts is off. A connection that died while nobody used it is
 * made anew once, as long as no byte of a command was sent.
 */
#include "transport/transport.h"

#include <assert.h>
#include <stdlib.h>
#include "base/clock.h"
#include "transport/channel.h"
#include "transport/jump.h"
#include "transport/link.h"
#include "transport/pool.h"

#define CONNECT_MS 10000

struct transport_ssh {
	struct transport base;
	struct transport_spec spec;
	struct pool *own; /* where the spec names none */
	const struct ssh_config *config; /* of the pool; NULL: not asked for yet */
	struct link link;
};

static const struct transport_ops ssh_ops;

static struct transport_ssh *
self(struct transport *t)
{
	assert(t->ops == &ssh_ops);
	return (struct transport_ssh *)t;
}

static int64_t
connect_ms(const struct transport_ssh *t)
{
	if (t->spec.connect_ms > 0)
		return t->spec.connect_ms;
	return t->config && t->config->connect_ms > 0 ? t->config->connect_ms : CONNECT_MS;
}

static bool
connect_now(struct transport_ssh *t, struct err *e)
{
	AUTO(argv_done) struct argv notes = { 0 };
	bool beyond = false, ok;
	struct attempt a = {
		.link = &t->link,
		.pool = t->spec.pool,
		.address = t->spec.address,
		.user = t->spec.user,
		.port = t->spec.port,
		.accept_new = t->spec.accept_new,
		.notes = &notes,
		.beyond = &beyond,
	};
	int64_t start = clock_ms();

	if (!t->config)
		t->config = pool_settings(t->spec.pool, &t->spec, e);
	if (!t->config)
		return false;
	a.config = t->config;
	a.jump = t->config->proxy_jump;
	a.until = start + connect_ms(t);
	ok = link_connect(&a, e);
	for (size_t i = 0; t->spec.note && i < notes.n; i++)
		t->spec.note(t->spec.note_arg, notes.at[i]);
	return ok;
}

static bool
do_connect(struct transport *base, struct err *e)
{
	struct transport_ssh *t = self(base);

	if (t->link.session)
		link_pump(&t->link); /* it may have ended while nobody looked */
	if (!link_is_dead(&t->link))
		return true;
	link_end(&t->link);
	if (connect_now(t, e)) {
		base->logins++;
		return true;
	}
	link_end(&t->link);
	return false;
}

static bool
do_run(struct transport *base, const struct proc_command *c, struct proc_result *out, struct err *e)
{
	struct transport_ssh *t = self(base);
	AUTO(str_done) struct str line = { 0 };
	AUTO(str_done) struct str why = { 0 };
	enum channel_end end = CHANNEL_DEAD;

	transport_line(&line, c->argv);
	for (int tries = 0; end == CHANNEL_DEAD && tries < 2; tries++) {
		if (!do_connect(base, e))
			return false;
		end = channel_run(&t->link, str_text(&line), c, clock_ms() + connect_ms(t), out, e);
		if (end == CHANNEL_DEAD)
			link_end(&t->link);
	}
	if (end == CHANNEL_DEAD && jump_is_lost(t->link.jump, &why))
		return err_set(e, ERR_AWAY, "%s, before the command was sent to %s",
		    str_text(&why), t->spec.address);
	if (end == CHANNEL_DEAD)
		return err_set(e, ERR_AWAY, "connection to %s lost before the command was sent",
		    t->spec.address);
	if (end == CHANNEL_RAN && out->end == PROC_LOST)
		(void)jump_is_lost(t->link.jump, &out->lost);
	if (end == CHANNEL_RAN && (out->end == PROC_LOST || out->end == PROC_DEADLINE))
		link_end(&t->link);
	return end == CHANNEL_RAN;
}

static void
do_free(struct transport *base)
{
	struct transport_ssh *t = self(base);

	link_done(&t->link);
	pool_free(t->own);
	free(t);
}

static const struct transport_ops ssh_ops = {
	.connect = do_connect,
	.run = do_run,
	.free = do_free,
};

struct transport *
transport_ssh_new(const struct transport_spec *spec)
{
	struct transport_ssh *t = mem_alloc(1, sizeof(*t));

	t->base.ops = &ssh_ops;
	t->base.name = spec->name;
	t->spec = *spec;
	if (!t->spec.user)
		t->spec.user = "root";
	if (!t->spec.pool)
		t->spec.pool = t->own = pool_new();
	t->base.sudo = !str_equal(t->spec.user, "root");
	t->link.fd = t->link.lent = -1;
	return &t->base;
}
