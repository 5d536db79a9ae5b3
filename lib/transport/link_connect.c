/* SPDX-License-Identifier: MIT */
/*
 * link_connect: from a name to a session that is logged in, one deadline for
 * all of it. libssh is told everything and decides nothing.
 */
#include "transport/link.h"

#include <string.h>
#include <libssh/libssh.h>
#include "base/clock.h"
#include "transport/dial.h"
#include "transport/gate.h"
#include "transport/jump.h"
#include "transport/pool.h"

/* A socket to the server, whichever way leads there. */
static bool
reach(const struct attempt *a, int *out_fd, struct err *e)
{
	const struct ssh_config *c = a->config;
	const struct dial dial = { c->hostname, c->port, c->family, a->until };
	const struct proxy_way way = { c, a->address, a->jump, clock_left(a->until),
		a->accept_new };
	bool beyond = false;

	if (a->jump && (jump_reach(a, &beyond, out_fd, e) || !beyond))
		return *out_fd >= 0;
	if (a->jump || c->proxy_command)
		return proxy_start(&way, &a->link->proxy, out_fd, e);
	return dial_connect(&dial, out_fd, e);
}

static bool
set_text(const struct attempt *a, enum ssh_options_e option, const char *value, const char *name,
    struct err *e)
{
	if (!value || ssh_options_set(a->link->session, option, value) == 0)
		return true;
	*a->beyond = true;
	return err_set(e, ERR_HOST, "none of ssh_config's %s can be used without " BY_OPENSSH ": %s",
	    name, value);
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

/* Did the connection end, and not what was said on it, so that it may be another time? */
static bool
was_cut_off(const char *said)
{
	return strstr(said, "Socket error: ") || strstr(said, "error on socket");
}

static bool
fail_handshake(const struct attempt *a, bool late, struct err *e)
{
	AUTO(str_done) struct str more = { 0 };
	const char *banner = ssh_get_serverbanner(a->link->session), *said;
	bool stays;

	proxy_quote(&a->link->proxy, &more);
	if (late && !banner)
		return err_set(e, ERR_AWAY, "nothing at %s, port %u, speaks SSH in time%s",
		    a->config->hostname, a->config->port, str_text(&more));
	if (late)
		return err_set(e, ERR_AWAY, "%s began to speak SSH and fell silent%s", a->address,
		    str_text(&more));
	said = ssh_get_error(a->link->session);
	if (strstr(said, "no match for method")) { /* it goes on with long lists */
		*a->beyond = true;
		return err_set(e, ERR_HOST,
		    "libssh and %s have no method in common, ssh may have, with " BY_OPENSSH ": %s",
		    a->address, said);
	}
	stays = (banner && !was_cut_off(said)) || proxy_is_refused(&a->link->proxy);
	return err_set(e, stays ? ERR_HOST : ERR_AWAY, "no SSH connection to %s: %s%s", a->address,
	    said, str_text(&more));
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

/* Settings that would make ssh do what libssh does not. */
static bool
can_follow(const struct attempt *a, struct err *e)
{
	const struct argv *unsupported = &a->config->unsupported;
	AUTO(str_done) struct str names = { 0 };

	for (size_t i = 0; i < unsupported->n; i++)
		str_addf(&names, "%s%s", i > 0 ? ", " : "", unsupported->at[i]);
	if (names.len == 0)
		return true;
	*a->beyond = true;
	return err_set(e, ERR_HOST, "ssh_config for %s has what needs " BY_OPENSSH ": %s",
	    a->address, str_text(&names));
}

static bool
connect_once(const struct attempt *a, struct err *e)
{
	AUTO(str_done) struct str why = { 0 };
	int fd = -1;

	if (!can_follow(a, e) || !reach(a, &fd, e))
		return false;
	if (link_begin(a->link, fd, e) && set_options(a, e) && shake_hands(a, e) &&
	    trust_check(a, e) && auth_login(a, e))
		return true;
	if (!jump_is_lost(a->link->jump, &why))
		return false;
	return err_set(e, ERR_AWAY, "%s, on the way to %s", str_text(&why), a->address);
}

/*
 * Did it hang up before its greeting, as a sshd does that has too many logins to do? Behind a
 * program that carries the connection, only that can say so.
 */
static bool
was_turned_away(const struct attempt *a)
{
	AUTO(str_done) struct str said = { 0 };

	if (!a->link->session || ssh_get_serverbanner(a->link->session) || !link_is_dead(a->link) ||
	    jump_is_lost(a->link->jump, &said))
		return false;
	if (a->link->proxy.pid == 0)
		return true;
	proxy_quote(&a->link->proxy, &said);
	return strstr(str_text(&said), "kex_exchange_identification") != NULL;
}

/* Where it is not the only one at once: a server, or the first jump host of a program. */
static char *
door_of(const struct attempt *a)
{
	const struct ssh_config *c = a->config;

	if (a->jump)
		return NULL; /* one login there is all */
	return c->proxy_command ? mem_strdup(c->proxy_command)
				: mem_printf("%s:%u", c->hostname, c->port);
}

static bool
connect_inside(const struct attempt *a, struct err *e)
{
	for (unsigned tries = 0; !connect_once(a, e); tries++) {
		if (!was_turned_away(a) || !gate_come_again(tries, a->until))
			return false;
		link_end(a->link);
	}
	return true;
}

bool
link_connect(const struct attempt *a, struct err *e)
{
	AUTO(mem_free_drop) char *door = door_of(a);
	struct gates *gates = pool_gates(a->pool);
	struct attempt inside = *a;
	int64_t came = clock_ms(), since;
	bool ok;

	if (!door)
		return connect_inside(a, e);
	if (!gate_enter(gates, door, &since))
		return err_set(e, ERR_CANCELLED, "not started: interrupted");
	inside.until += since - came; /* its time begins behind the door */
	ok = connect_inside(&inside, e);
	gate_leave(gates, door, since);
	return ok;
}
