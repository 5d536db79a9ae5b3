/* SPDX-License-Identifier: MIT */
/*
 * transport_openssh: the ssh program makes the connection, with all that it can and ssh_config says
 * (master); our commands go over its control socket (mux, mux_channel). A connection that died
 * while nobody used it is made anew once, as long as no byte of a command was sent.
 */
#include "transport/transport.h"

#include <assert.h>
#include <stdlib.h>
#include "base/clock.h"
#include "transport/gate.h"
#include "transport/master.h"
#include "transport/mux.h"
#include "transport/mux_channel.h"
#include "transport/openssh_says.h"
#include "transport/pool.h"
#include "transport/ssh_config.h"

#define CONNECT_MS 10000

struct transport_openssh {
	struct transport base;
	struct transport_spec spec;
	struct master master;
	struct mux mux;
};

static const struct transport_ops openssh_ops;

static struct transport_openssh *
self(struct transport *t)
{
	assert(t->ops == &openssh_ops);
	return (struct transport_openssh *)t;
}

static void
disconnect(struct transport_openssh *t)
{
	mux_close(&t->mux);
	master_stop(&t->master);
}

/* See whether it has ended while nobody looked; what comes is of commands that are over. */
static bool
is_alive(struct transport_openssh *t)
{
	struct mux_packet p;

	if (t->mux.fd < 0)
		return false;
	mux_pump(&t->mux);
	while (mux_take(&t->mux, &p))
		;
	return t->mux.fd >= 0;
}

/* Where others may log in at the same time; NULL: nothing is known of it. */
static char *
door_of(const struct transport_openssh *t)
{
	const struct ssh_config *c = t->spec.pool ? pool_settings(t->spec.pool, &t->spec, NULL) : NULL;

	if (!c)
		return NULL;
	if (c->proxy_jump || c->proxy_command)
		return mem_strdup(c->proxy_jump ? c->proxy_jump : c->proxy_command);
	return mem_printf("%s:%u", c->hostname, c->port);
}

static bool
connect_once(struct transport_openssh *t, int64_t until, bool *turned_away, struct err *e)
{
	enum master_end end = master_connect(&t->master, &t->spec, until, &t->mux, e);
	struct bytes said = master_says(&t->master);
	AUTO(mem_free_drop) char *stored = openssh_says_stored(said, end == MASTER_CONNECTED);

	if (stored && t->spec.note) /* whatever came of the login */
		t->spec.note(t->spec.note_arg, stored);
	if (end == MASTER_CONNECTED)
		return true;
	*turned_away = end == MASTER_ENDED && openssh_says_turned_away(said);
	if (end == MASTER_FLOODED)
		err_set(e, ERR_HOST,
		    "no SSH connection to %s: there, or on the way, somebody makes ssh say more than "
		    "%zu KiB before it is let in",
		    t->spec.address, COMPLAINT_CAP >> 10);
	else if (end != MASTER_FAILED)
		openssh_says(&t->spec, said, end == MASTER_LATE, e);
	disconnect(t);
	return false;
}

static bool
do_connect(struct transport *base, struct err *e)
{
	struct transport_openssh *t = self(base);
	AUTO(mem_free_drop) char *door = NULL;
	int64_t until, since = 0;
	bool turned_away = false, ok;

	if (is_alive(t))
		return true;
	disconnect(t);
	door = door_of(t);
	if (door && !gate_enter(pool_gates(t->spec.pool), door, &since))
		return err_set(e, ERR_CANCELLED, "not started: interrupted");
	until = clock_ms() + t->spec.connect_ms;
	for (unsigned tries = 0; !(ok = connect_once(t, until, &turned_away, e)); tries++)
		if (!turned_away || !gate_come_again(tries, until))
			break;
	if (door)
		gate_leave(pool_gates(t->spec.pool), door, since);
	base->logins += ok;
	return ok;
}

static bool
do_run(struct transport *base, const struct proc_command *c, struct proc_result *out, struct err *e)
{
	struct transport_openssh *t = self(base);
	AUTO(str_done) struct str line = { 0 };
	enum channel_end end = CHANNEL_DEAD;

	transport_line(&line, c->argv);
	for (int tries = 0; end == CHANNEL_DEAD && tries < 2; tries++) {
		if (!do_connect(base, e))
			return false;
		end = mux_channel_run(
		    &t->mux, str_text(&line), c, clock_ms() + t->spec.connect_ms, out, e);
		if (end == CHANNEL_DEAD)
			disconnect(t);
	}
	if (end == CHANNEL_DEAD)
		return err_set(e, ERR_AWAY, "connection to %s lost before the command was sent",
		    t->spec.address);
	if (end == CHANNEL_RAN && (out->end == PROC_LOST || out->end == PROC_DEADLINE))
		disconnect(t);
	return end == CHANNEL_RAN;
}

static void
do_free(struct transport *base)
{
	struct transport_openssh *t = self(base);

	disconnect(t);
	free(t);
}

static const struct transport_ops openssh_ops = {
	.connect = do_connect,
	.run = do_run,
	.free = do_free,
};

struct transport *
transport_openssh_new(const struct transport_spec *spec)
{
	struct transport_openssh *t = mem_alloc(1, sizeof(*t));

	t->base.ops = &openssh_ops;
	t->base.name = spec->name;
	t->spec = *spec;
	if (!t->spec.user)
		t->spec.user = "root";
	if (t->spec.connect_ms <= 0)
		t->spec.connect_ms = CONNECT_MS;
	t->base.sudo = !str_equal(t->spec.user, "root");
	t->mux.fd = -1;
	t->master = (struct master){ .pidfd = -1, .guard = -1,
		.complaint = { .from = -1, .to = -1 } };
	return &t->base;
}
