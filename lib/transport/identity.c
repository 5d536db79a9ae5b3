/* SPDX-License-Identifier: MIT */
/*
 * identity: public halves only, from the agent, from KEY.pub, or from the
 * private file where its format shows them. No private key is read here, no
 * file is written, and what is not there is passed over, as ssh does.
 */
#include "transport/identity.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <libssh/libssh.h>
#include "base/file.h"
#include "transport/agent.h"
#include "transport/known_hosts.h"
#include "transport/ssh_config.h"

#define AGENT_TRIES 5 /* of the six that sshd allows by default */
#define FILE_CAP ((size_t)64 << 10)

void
identities_done(struct identities *all)
{
	for (size_t i = 0; i < all->n; i++) {
		str_done(&all->at[i].offer);
		str_done(&all->at[i].sign);
		free(all->at[i].file);
		free(all->at[i].certificate);
		free(all->at[i].label);
	}
	free(all->at);
	free(all->agent);
	*all = (struct identities){ 0 };
}

/* A key that a file or the agent holds. */
struct held_key {
	struct str blob;
	const char *file, *comment; /* borrowed; file NULL: the agent's alone */
	bool in_agent;
};

struct gathering {
	struct agent_keys agent;
	struct held_key *held; /* files in their order, then what else the agent has */
	size_t n_held, n_files;
	struct identities *out;
	unsigned agent_tries;
};

static void
gathering_done(struct gathering *g)
{
	for (size_t i = 0; i < g->n_held; i++)
		str_done(&g->held[i].blob);
	free(g->held);
	agent_keys_done(&g->agent);
}

static bool
same(const struct str *a, const struct str *b)
{
	return a->len == b->len && memcmp(str_text(a), str_text(b), a->len) == 0;
}

/* "type base64 comment" of a .pub file. */
static bool
read_public_file(const char *path, struct str *blob)
{
	AUTO(mem_free_drop) char *real = realpath(path, NULL);
	AUTO(str_done) struct str text = { 0 };
	char *rest = NULL, *key;

	if (!real || !file_read_at(AT_FDCWD, real, FILE_CAP, &text, NULL) || !text.ptr)
		return false;
	if (!strtok_r(text.ptr, " \t\r\n", &rest))
		return false;
	key = strtok_r(NULL, " \t\r\n", &rest);
	return key && known_hosts_decode(key, blob);
}

/* The public half that OpenSSH's own format shows without a passphrase. */
static bool
read_public_half(const char *path, struct str *blob)
{
	ssh_key key = NULL;
	char *base64 = NULL;
	bool ok = ssh_pki_import_pubkey_file(path, &key) == SSH_OK &&
	    ssh_pki_export_pubkey_base64(key, &base64) == SSH_OK &&
	    known_hosts_decode(base64, blob);

	ssh_string_free_char(base64);
	ssh_key_free(key);
	return ok;
}

static bool
is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static void
hold_file(struct gathering *g, const char *path)
{
	AUTO(mem_free_drop) char *public = mem_printf("%s.pub", path);
	AUTO(str_done) struct str blob = { 0 };
	struct held_key *held;
	bool here = is_file(path);

	if (!read_public_file(public, &blob) && !(here && read_public_half(path, &blob)) && !here)
		return;
	held = mem_push(&g->held, &g->n_held, sizeof(*held));
	*held = (struct held_key){ .blob = blob, .file = path };
	blob = (struct str){ 0 };
}

/* libssh stops at the first key of an agent that it does not know. */
static bool
is_known_type(const struct str *blob)
{
	struct bytes rest = str_bytes(blob), type;
	AUTO(mem_free_drop) char *name = NULL;

	if (!agent_take_string(&rest, &type))
		return false;
	name = mem_strndup(type.ptr, type.len);
	return ssh_key_type_from_name(name) != SSH_KEYTYPE_UNKNOWN;
}

static void
hold_agent_key(struct gathering *g, const struct agent_key *key)
{
	struct held_key *held;

	for (size_t i = 0; i < g->n_held; i++) {
		if (!same(&g->held[i].blob, &key->blob))
			continue;
		g->held[i].in_agent = true;
		g->held[i].comment = key->comment;
		return;
	}
	held = mem_push(&g->held, &g->n_held, sizeof(*held));
	*held = (struct held_key){ .comment = key->comment, .in_agent = true };
	str_add_bytes(&held->blob, str_bytes(&key->blob));
}

/* A certificate repeats the fields of its key behind its own type and a nonce. */
static bool
certifies(const struct str *certificate, const struct str *key)
{
	struct bytes c = str_bytes(certificate), k = str_bytes(key), c_type, k_type, nonce;

	return agent_take_string(&c, &c_type) && agent_take_string(&c, &nonce) &&
	    agent_take_string(&k, &k_type) && c_type.len > k_type.len &&
	    memcmp(c_type.ptr, k_type.ptr, k_type.len) == 0 && k.len > 0 && c.len >= k.len &&
	    memcmp(c.ptr, k.ptr, k.len) == 0;
}

static void
add(struct gathering *g, const struct held_key *held, const struct str *certificate,
    const char *certificate_file)
{
	const struct str *offer = certificate ? certificate : &held->blob;
	struct identity *id;

	if (held->in_agent && g->agent_tries++ >= AGENT_TRIES)
		return;
	id = mem_push(&g->out->at, &g->out->n, sizeof(*id));
	str_add_bytes(&id->offer, str_bytes(offer));
	str_add_bytes(&id->sign, str_bytes(&held->blob));
	id->file = held->in_agent ? NULL : mem_strdup(held->file);
	id->certificate = certificate ? mem_strdup(certificate_file) : NULL;
	if (certificate)
		id->label = mem_strdup(certificate_file);
	else if (held->in_agent)
		id->label = mem_printf("%s (agent)", held->file ? held->file : held->comment);
	else
		id->label = mem_strdup(held->file);
}

static void
add_certificate(struct gathering *g, const char *path)
{
	AUTO(str_done) struct str certificate = { 0 };

	if (!read_public_file(path, &certificate))
		return;
	for (size_t i = 0; i < g->n_held; i++) {
		if (certifies(&certificate, &g->held[i].blob)) {
			add(g, &g->held[i], &certificate, path);
			return;
		}
	}
}

static void
add_certificates(struct gathering *g, const struct ssh_config *config)
{
	for (size_t i = 0; i < config->certificate_files.n; i++)
		add_certificate(g, config->certificate_files.at[i]);
	for (size_t i = 0; i < config->identity_files.n; i++) {
		AUTO(mem_free_drop)
		char *path = mem_printf("%s-cert.pub", config->identity_files.at[i]);

		add_certificate(g, path);
	}
}

/* Of the configured files, or of the rest; what the agent holds, or what it does not. */
static void
add_keys(struct gathering *g, size_t from, size_t to, bool in_agent)
{
	for (size_t i = from; i < to; i++)
		if (g->held[i].in_agent == in_agent)
			add(g, &g->held[i], NULL, NULL);
}

static char *
agent_path(const struct ssh_config *config)
{
	const char *setting = config->identity_agent ? config->identity_agent : "SSH_AUTH_SOCK";
	const char *path = setting;

	if (str_equal(setting, "none"))
		return NULL;
	if (str_equal(setting, "SSH_AUTH_SOCK"))
		path = getenv("SSH_AUTH_SOCK");
	else if (*setting == '$')
		path = getenv(setting + 1);
	return path && *path ? mem_strdup(path) : NULL;
}

void
identities_gather(const struct ssh_config *config, int64_t until, struct identities *out)
{
	AUTO(gathering_done) struct gathering g = { .out = out };

	out->agent = agent_path(config);
	if (out->agent && !agent_list(out->agent, until, &g.agent)) {
		free(out->agent);
		out->agent = NULL;
	}
	out->agent_shows_none = out->agent && g.agent.n == 0;
	for (size_t i = 0; i < config->identity_files.n; i++)
		hold_file(&g, config->identity_files.at[i]);
	g.n_files = g.n_held;
	for (size_t i = 0; out->agent && i < g.agent.n; i++)
		if (is_known_type(&g.agent.at[i].blob))
			hold_agent_key(&g, &g.agent.at[i]);
	add_certificates(&g, config);
	add_keys(&g, 0, g.n_files, true);
	if (!config->identities_only)
		add_keys(&g, g.n_files, g.n_held, true);
	add_keys(&g, 0, g.n_files, false);
}

int
identity_no_passphrase(const char *prompt, char *buf, size_t len, int echo, int verify, void *asked)
{
	(void)prompt;
	(void)buf;
	(void)len;
	(void)echo;
	(void)verify;
	*(bool *)asked = true;
	return -1;
}
