/* SPDX-License-Identifier: MIT */
/*
 * transport_ssh_auth: log in with a key, one after the other, in the order of
 * identity.h. libssh sees of the agent only the few keys that it is to try, and
 * within our deadline: by itself it would try all until the server hangs up, and then
 * wait for ever. Never asks for anything: a key file with a passphrase that was not unlocked
 * before (pool.h) is told as such, with ssh-add as the way out.
 */
#include "transport/link.h"

#include <stdlib.h>
#include <string.h>
#include <libssh/libssh.h>
#include "base/clock.h"
#include "transport/agent.h"
#include "transport/identity.h"
#include "transport/openssh_says.h"
#include "transport/pool.h"

#define LATE (-100) /* beside libssh's SSH_AUTH_ values */

struct login {
	const struct attempt *a;
	struct identities all;
	struct agent_lent *lent;
	struct str tried, refused, locked, unusable; /* labels, for the error */
};

static void
login_done(struct login *l)
{
	identities_done(&l->all);
	agent_lent_free(l->lent);
	str_done(&l->tried);
	str_done(&l->refused);
	str_done(&l->locked);
	str_done(&l->unusable);
}

static void
note(struct str *list, const char *label)
{
	if (list->len > 0)
		str_add(list, ", ");
	str_add(list, label);
}

/* To the end of one try: an SSH_AUTH_ value, never AGAIN, or LATE. */
static int
try_key(struct login *l, ssh_key key)
{
	const struct attempt *a = l->a;
	ssh_session session = a->link->session;

	for (;;) {
		int rc = key ? ssh_userauth_publickey(session, a->config->user, key) :
			       ssh_userauth_agent(session, a->config->user);

		if (rc != SSH_AUTH_AGAIN)
			return rc;
		if (link_is_dead(a->link))
			return SSH_AUTH_ERROR;
		if (!link_wait(a->link, a->until))
			return LATE;
	}
}

static bool
lend_agent(struct login *l)
{
	int fd;

	if (l->lent)
		return true;
	l->lent = agent_lend(l->all.agent, l->a->until, &fd);
	if (!l->lent)
		return false;
	ssh_set_agent_socket(l->a->link->session, fd);
	return true;
}

/*
 * All in one go, since each new list of keys leaks the last one in libssh 0.10;
 * a key that the agent does not sign with makes a second go necessary. libssh may ask for
 * one that it was not shown (it encodes anew what it was): then none of them is of use.
 */
static int
try_agent(struct login *l, const struct identity *ids, size_t n)
{
	struct agent_offer *offers = mem_alloc(n, sizeof(*offers));
	long refused;
	int rc;

	for (size_t i = 0; i < n; i++) {
		offers[i].offer = str_bytes(&ids[i].offer);
		offers[i].sign = str_bytes(&ids[i].sign);
	}
	agent_lent_show(l->lent, offers, n);
	free(offers);
	rc = try_key(l, NULL);
	refused = agent_lent_refused(l->lent);
	if (rc != SSH_AUTH_ERROR || link_is_dead(l->a->link))
		return rc;
	if (refused < 0 || (size_t)refused >= n)
		return SSH_AUTH_DENIED;
	note(&l->refused, ids[refused].label);
	if (clock_left(l->a->until) == 0)
		return LATE;
	refused++;
	return (size_t)refused < n ? try_agent(l, ids + refused, n - (size_t)refused) :
				     SSH_AUTH_DENIED;
}

static bool
attach_certificate(ssh_key key, const char *path)
{
	ssh_key certificate = NULL;
	bool ok = ssh_pki_import_cert_file(path, &certificate) == SSH_OK &&
	    ssh_pki_copy_cert_to_privkey(certificate, key) == SSH_OK;

	ssh_key_free(certificate);
	return ok;
}

static int
try_file(struct login *l, const struct identity *id)
{
	ssh_key shared = pool_key(l->a->pool, id->file);
	ssh_key key = shared ? ssh_key_dup(shared) : NULL; /* it may get a certificate */
	bool locked = false;
	int rc = key ? SSH_OK :
		       ssh_pki_import_privkey_file(id->file, NULL, identity_no_passphrase, &locked, &key);

	if (rc != SSH_OK || (id->certificate && !attach_certificate(key, id->certificate))) {
		note(locked ? &l->locked : &l->unusable, id->file);
		rc = SSH_AUTH_DENIED;
	} else {
		note(&l->tried, id->label);
		rc = try_key(l, key);
	}
	ssh_key_free(key);
	return rc;
}

/* What the server would take instead; nothing if it does not say. */
static void
add_methods(const struct attempt *a, struct str *out)
{
	static const struct {
		int bit;
		const char *name;
	} methods[] = {
		{ SSH_AUTH_METHOD_PUBLICKEY, "publickey" },
		{ SSH_AUTH_METHOD_PASSWORD, "password" },
		{ SSH_AUTH_METHOD_INTERACTIVE, "keyboard-interactive" },
		{ SSH_AUTH_METHOD_HOSTBASED, "hostbased" },
		{ SSH_AUTH_METHOD_GSSAPI_MIC, "gssapi" },
	};
	ssh_session s = a->link->session;
	int allowed = ssh_userauth_list(s, NULL);

	while (allowed == 0 && ssh_userauth_none(s, NULL) == SSH_AUTH_AGAIN &&
	    !link_is_dead(a->link) && link_wait(a->link, a->until))
		; /* no key was tried, so nobody has asked yet */
	allowed = ssh_userauth_list(s, NULL);
	for (size_t i = 0; i < COUNT(methods); i++)
		if (allowed & methods[i].bit)
			note(out, methods[i].name);
}

static bool
fail(const struct login *l, enum err_kind kind, const char *why, struct err *e)
{
	const struct attempt *a = l->a;
	AUTO(str_done) struct str more = { 0 };
	AUTO(str_done) struct str methods = { 0 };

	if (l->refused.len > 0)
		str_addf(&more, "; the agent does not sign with: %s", str_text(&l->refused));
	if (l->locked.len > 0)
		str_addf(&more, "; passphrase needed, so first: ssh-add %s", str_text(&l->locked));
	if (l->unusable.len > 0)
		str_addf(&more, "; cannot be used: %s (ssh may, with " BY_OPENSSH ")",
		    str_text(&l->unusable));
	if (!l->all.agent)
		str_add(&more, "; no ssh-agent");
	if (l->all.agent_shows_none)
		str_add(&more, "; the ssh-agent shows no key: it has none, or is locked (ssh-add -X)");
	add_methods(a, &methods);
	if (methods.len > 0)
		str_addf(&more, "; the server allows: %s", str_text(&methods));
	if (a->config->gssapi && strstr(str_text(&methods), "gssapi"))
		str_add(&more, " (GSSAPIAuthentication needs " BY_OPENSSH ")");
	return err_set(e, kind, "login as %s at %s %s; tried: %s%s", a->config->user,
	    a->address, why, l->tried.len > 0 ? str_text(&l->tried) : "no key at all",
	    str_text(&more));
}

/*
 * Who has seen enough keys says so before he ends the connection. Who just ends it goes down or
 * comes up: its PAM lets in only root till it has booted, and its banner says that.
 */
static bool
fail_cut_off(const struct login *l, struct err *e)
{
	ssh_session s = l->a->link->session;
	char *banner;
	AUTO(str_done) struct str why = { 0 };

	if (!link_is_dead(l->a->link) || strstr(ssh_get_error(s), "SSH_MSG_DISCONNECT"))
		return fail(l, ERR_HOST, "was cut off (too many keys? see IdentitiesOnly)", e);
	banner = ssh_get_issue_banner(s);
	str_add(&why, "was cut off");
	openssh_says_quote(&why, " by a server that says: ", banner ? banner : "");
	ssh_string_free_char(banner);
	return fail(l, ERR_AWAY, str_text(&why), e);
}

/* The next identity, or all of the agent's that follow each other; counts them off in *i. */
static int
try_next(struct login *l, size_t *i)
{
	const struct identity *id = &l->all.at[*i];
	size_t n = 0;

	if (id->file) {
		++*i;
		return try_file(l, id);
	}
	for (; *i < l->all.n && !l->all.at[*i].file; ++*i, n++)
		note(&l->tried, l->all.at[*i].label);
	return lend_agent(l) ? try_agent(l, id, n) : SSH_AUTH_DENIED;
}

bool
auth_login(const struct attempt *a, struct err *e)
{
	AUTO(login_done) struct login l = { .a = a };
	size_t i = 0;

	identities_gather(a->config, a->until, &l.all);
	while (i < l.all.n) {
		int rc = try_next(&l, &i);

		if (rc == SSH_AUTH_SUCCESS)
			return true;
		if (rc == LATE)
			return fail(&l, ERR_AWAY, "was not answered in time", e);
		if (rc == SSH_AUTH_PARTIAL)
			return fail(&l, ERR_HOST, "wants a second proof that arver cannot give", e);
		if (rc != SSH_AUTH_DENIED || link_is_dead(a->link))
			return fail_cut_off(&l, e);
	}
	return fail(&l, ERR_HOST, "was refused", e);
}
