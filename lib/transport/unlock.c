/* SPDX-License-Identifier: MIT */
/*
 * unlock: which key files have a passphrase that must be asked for before many hosts are
 * contacted, since nobody is asked later. Whether a host will take a key is not known then;
 * so this asks for what ssh_config names, and for ssh's own default files where nothing else is there.
 */
#include "transport/pool.h"

#include <stdlib.h>
#include <string.h>
#include <libssh/libssh.h>
#include "base/clock.h"
#include "base/secret.h"
#include "transport/identity.h"
#include "transport/proxy.h"
#include "transport/ssh_config.h"
#include "transport/transport.h"

#define AGENT_MS 5000 /* for an agent to tell its keys */
#define HOPS 16	      /* jump hosts one behind the other: more is a circle */

enum lock { LOCK_NONE, LOCK_PASSPHRASE, LOCK_USELESS };

static enum lock
lock_of(const char *file)
{
	bool asked = false;
	ssh_key key = NULL;
	int rc = ssh_pki_import_privkey_file(file, NULL, identity_no_passphrase, &asked, &key);

	ssh_key_free(key);
	return rc == SSH_OK ? LOCK_NONE : asked ? LOCK_PASSPHRASE : LOCK_USELESS;
}

/* ~/.ssh/id_*: ssh tries them without being told to. */
static bool
is_default(const char *file)
{
	const char *name = strrchr(file, '/');

	return name && str_starts(name, "/id_") && name - file > 5 && str_starts(name - 5, "/.ssh/");
}

/* Those of one host. */
static void
add_locked(const struct ssh_config *config, struct argv *out)
{
	AUTO(identities_done) struct identities ids = { 0 };
	AUTO(argv_done) struct argv locked = { 0 };
	bool another = false;

	identities_gather(config, clock_ms() + AGENT_MS, &ids);
	for (size_t i = 0; i < ids.n; i++) {
		enum lock lock = ids.at[i].file ? lock_of(ids.at[i].file) : LOCK_NONE;

		if (lock == LOCK_PASSPHRASE)
			argv_add(&locked, ids.at[i].file);
		another = another || lock == LOCK_NONE;
	}
	for (size_t i = 0; i < locked.n; i++)
		if (!(another && is_default(locked.at[i])) && !argv_has(out, locked.at[i]))
			argv_add(out, locked.at[i]);
}

static bool
same_list(const struct argv *a, const struct argv *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!str_equal(a->at[i], b->at[i]))
			return false;
	return true;
}

static bool
same_keys(const struct ssh_config *a, const struct ssh_config *b)
{
	return a->identities_only == b->identities_only &&
	    str_equal(a->identity_agent, b->identity_agent) &&
	    same_list(&a->identity_files, &b->identity_files) &&
	    same_list(&a->certificate_files, &b->certificate_files);
}

/* Settings that differ in what concerns keys, one of each. */
struct kinds {
	const struct ssh_config **at;
	size_t n;
};

static void
add_kind(struct kinds *kinds, const struct ssh_config *config)
{
	const struct ssh_config **place;

	for (size_t i = 0; i < kinds->n; i++)
		if (same_keys(kinds->at[i], config))
			return;
	place = mem_push(&kinds->at, &kinds->n, sizeof(const struct ssh_config *));
	*place = config;
}

/* The jump hosts of a ProxyJump list, the nearest first, then that one's own. */
static void
add_jumps(struct pool *p, const char *list, struct kinds *kinds)
{
	AUTO(mem_free_drop) char *rest = mem_strdup(list);

	for (int i = 0; rest && i < HOPS; i++) {
		AUTO(proxy_hop_done) struct proxy_hop hop = { 0 };
		struct transport_spec spec = { 0 };
		const struct ssh_config *config;
		const char *next;

		proxy_hop_parse(rest, &hop);
		spec.address = hop.host;
		spec.user = hop.user;
		spec.port = hop.port;
		config = pool_settings(p, &spec, NULL);
		if (!config)
			return;
		add_kind(kinds, config);
		next = hop.before ? hop.before : config->proxy_jump;
		free(rest);
		rest = str_copy(next);
	}
}

void
pool_locked_keys(struct pool *p, const struct transport_spec *specs, size_t n, struct argv *out)
{
	struct kinds kinds = { 0 };

	pool_ask_all(p, specs, n);
	for (size_t i = 0; i < n; i++) {
		const struct ssh_config *config = pool_settings(p, &specs[i], NULL);

		if (!config)
			continue;
		add_kind(&kinds, config);
		if (config->proxy_jump)
			add_jumps(p, config->proxy_jump, &kinds);
	}
	for (size_t i = 0; i < kinds.n; i++)
		add_locked(kinds.at[i], out);
	free(kinds.at);
}

bool
pool_unlock(struct pool *p, const char *file, const struct secret *passphrase, struct err *e)
{
	struct bytes b = secret_bytes(passphrase);
	AUTO(secret_drop) struct secret *text = secret_new(b.len + 1); /* with a NUL behind it */
	char *at = secret_space(text).ptr;
	ssh_key key = NULL;

	memcpy(at, b.ptr, b.len);
	at[b.len] = '\0';
	if (ssh_pki_import_privkey_file(file, at, NULL, NULL, &key) != SSH_OK)
		return err_set(e, ERR_KEY, "this passphrase does not open %s", file);
	pool_add_key(p, file, key);
	return true;
}
