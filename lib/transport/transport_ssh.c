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
#include "transport/dial.h"
#include "transport/link.h"

#define CONNECT_MS 10000

struct transport_ssh {
	struct transport base;
	struct transport_spec spec;
	struct ssh_config config; /* asked for once; hostname NULL: not yet */
	struct link link;
};

static const struct transport_ops ssh_ops;

static struct transport_ssh *
self(struct transport *t)
{
	assert(t->ops == &ssh_ops);
	return (struct transport_ssh *)t;
}

static bool
read_settings(struct transport_ssh *t, struct err *e)
{
	AUTO(str_done) struct str names = { 0 };
	const struct argv *unsupported = &t->config.unsupported;

	if (!t->config.hostname && !ssh_config_ask(&t->spec, &t->config, e))
		return false;
	for (size_t i = 0; i < unsupported->n; i++)
		str_addf(&names, "%s%s", i > 0 ? ", " : "", unsupported->at[i]);
	if (names.len == 0)
		return true;
	return err_set(e, ERR_HOST, "ssh_config for %s has what this transport cannot do: %s",
	    t->spec.address, str_text(&names));
}

static int64_t
connect_ms(const struct transport_ssh *t)
{
	if (t->spec.connect_ms > 0)
		return t->spec.connect_ms;
	return t->config.connect_ms > 0 ? t->config.connect_ms : CONNECT_MS;
}

/* A socket to the server, whichever way leads there. */
static bool
reach(const struct attempt *a, int *out_fd, struct err *e)
{
	const struct ssh_config *c = a->config;
	const struct dial dial = { c->hostname, c->port, c->family, a->until };

	if (c->proxy_jump || c->proxy_command)
		return proxy_start(c, a->address, clock_left(a->until), &a->link->proxy, out_fd, e);
	return dial_connect(&dial, out_fd, e);
}

static bool
set_text(const struct attempt *a, enum ssh_options_e option, const char *value, const char *name,
    struct err *e)
{
	if (!value || ssh_options_set(a->link->session, option, value) == 0)
		return true;
	return err_set(e, ERR_HOST, "none of ssh_config's %s can be used here: %s", name, value);
}

static bool
set_options(const struct attempt *a, struct err *e)
{
	const struct ssh_config *c = a->config;
	ssh_session s = a->link->session;
	const int yes = 1;
	const bool no = false;

	ssh_options_set(s, SSH_OPTIONS_PROCESS_CONFIG, &no);
	ssh_options_set(s, SSH_OPTIONS_HOST, "localhost"); /* it is never looked up */
	ssh_options_set(s, SSH_OPTIONS_FD, &a->link->lent);
	ssh_options_set(s, SSH_OPTIONS_STRICTHOSTKEYCHECK, &yes);
	ssh_options_set(s, SSH_OPTIONS_KNOWNHOSTS, "/dev/null"); /* read by us */
	ssh_options_set(s, SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null");
	return set_text(a, SSH_OPTIONS_KEY_EXCHANGE, c->kex_algorithms, "KexAlgorithms", e) &&
	    set_text(a, SSH_OPTIONS_CIPHERS_C_S, c->ciphers, "Ciphers", e) &&
	    set_text(a, SSH_OPTIONS_CIPHERS_S_C, c->ciphers, "Ciphers", e) &&
	    set_text(a, SSH_OPTIONS_HMAC_C_S, c->macs, "MACs", e) &&
	    set_text(a, SSH_OPTIONS_HMAC_S_C, c->macs, "MACs", e) &&
	    set_text(a, SSH_OPTIONS_PUBLICKEY_ACCEPTED_TYPES, c->pubkey_algorithms,
		"PubkeyAcceptedAlgorithms", e) &&
	    trust_order_algorithms(a, e);
}

static bool
fail_handshake(const struct attempt *a, bool late, struct err *e)
{
	AUTO(str_done) struct str more = { 0 };
	const char *banner = ssh_get_serverbanner(a->link->session);

	proxy_quote(&a->link->proxy, &more);
	if (late && !banner)
		return err_set(e, ERR_AWAY, "nothing at %s, port %u, speaks SSH in time%s",
		    a->config->hostname, a->config->port, str_text(&more));
	if (late)
		return err_set(e, ERR_AWAY, "%s began to speak SSH and fell silent%s", a->address,
		    str_text(&more));
	return err_set(e, banner ? ERR_HOST : ERR_AWAY, "no SSH connection to %s: %s%s", a->address,
	    ssh_get_error(a->link->session), str_text(&more));
}

static bool
shake_hands(const struct attempt *a, struct err *e)
{
	for (;;) {
		int rc = ssh_connect(a->link->session);

		if (rc == SSH_OK)
			return true;
		if (rc != SSH_AGAIN)
			return fail_handshake(a, false, e);
		if (!link_wait(a->link, a->until))
			return fail_handshake(a, true, e);
	}
}

static bool
connect_now(struct transport_ssh *t, struct err *e)
{
	struct attempt a = {
		.link = &t->link,
		.config = &t->config,
		.address = t->spec.address,
		.user = t->spec.user,
		.port = t->spec.port,
	};
	int64_t start = clock_ms();
	int fd;

	if (!read_settings(t, e))
		return false;
	a.until = start + connect_ms(t);
	return reach(&a, &fd, e) && link_begin(&t->link, fd, e) && set_options(&a, e) &&
	    shake_hands(&a, e) && trust_check(&a, e) && auth_login(&a, e);
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
	enum channel_end end = CHANNEL_DEAD;

	str_add(&line, "exec"); /* else some shells stay, and make a status of a signal */
	for (const char *const *word = c->argv; *word; word++) {
		str_add_char(&line, ' ');
		transport_quote(&line, *word);
	}
	for (int tries = 0; end == CHANNEL_DEAD && tries < 2; tries++) {
		if (!do_connect(base, e))
			return false;
		end = channel_run(&t->link, str_text(&line), c, clock_ms() + connect_ms(t), out, e);
		if (end == CHANNEL_DEAD)
			link_end(&t->link);
	}
	if (end == CHANNEL_DEAD)
		return err_set(e, ERR_HOST, "connection to %s lost before the command was sent",
		    t->spec.address);
	if (end == CHANNEL_RAN && (out->end == PROC_LOST || out->end == PROC_DEADLINE))
		link_end(&t->link);
	return end == CHANNEL_RAN;
}

static void
do_free(struct transport *base)
{
	struct transport_ssh *t = self(base);

	link_end(&t->link);
	ssh_config_done(&t->config);
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
	t->base.sudo = !str_equal(t->spec.user, "root");
	t->link.fd = t->link.lent = -1;
	return &t->base;
}
