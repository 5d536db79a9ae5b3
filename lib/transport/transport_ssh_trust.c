/* SPDX-License-Identifier: MIT */
/*
 * transport_ssh_trust: whose host key it is. Every known_hosts file that ssh
 * names is read here and nothing but a key that stands in one of them and is
 * revoked in none will do, whatever StrictHostKeyChecking says. Nobody is asked:
 * the error says what to do. Only where keys of new hosts are to be accepted, they are
 * written to the user's first file, by one thread at a time that has looked again just before.
 */
#include "transport/link.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/file.h"
#include "base/proc.h"
#include "transport/known_hosts.h"
#include "transport/transport.h"

#define FILE_CAP ((size_t)16 << 20)
#define SPACE " \t\r\n"

/* The server's key, in the forms that are needed. */
struct host_key {
	struct str blob;
	enum ssh_keytypes_e type;
	char *hash;	   /* "SHA256:..." */
	char *fingerprint; /* "ssh-ed25519 SHA256:..." */
	char *line;	   /* "ssh-ed25519 AAAA..." */
};

static void
host_key_done(struct host_key *k)
{
	str_done(&k->blob);
	free(k->hash);
	free(k->fingerprint);
	free(k->line);
}

/* What known_hosts calls the host: as ssh makes it of HostKeyAlias, or name and port. */
static char *
lookup_name(const struct ssh_config *c, bool with_port)
{
	char *name = c->host_key_alias ? mem_strdup(c->host_key_alias) :
	    with_port && c->port != 22 ? mem_printf("[%s]:%u", c->hostname, c->port) :
					 mem_strdup(c->hostname);

	for (char *p = name; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	return name;
}

/* The file may be a link; one that is not there, or /dev/null, says nothing. */
static bool
read_file(const char *path, struct str *out, struct err *e)
{
	AUTO(mem_free_drop) char *real = realpath(path, NULL);

	if (!real) {
		if (errno == ENOENT || errno == ENOTDIR)
			return true;
		return err_errno(e, ERR_HOST, errno, "cannot read %s", path);
	}
	if (str_equal(real, "/dev/null") || file_read_at(AT_FDCWD, real, FILE_CAP, out, e))
		return true;
	if (e)
		e->kind = ERR_HOST;
	return false;
}

static bool
read_files(const struct argv *files, const char *name, struct known_hosts *out, struct err *e)
{
	for (size_t i = 0; i < files->n; i++) {
		AUTO(str_done) struct str text = { 0 };

		if (!read_file(files->at[i], &text, e))
			return false;
		known_hosts_read(out, str_bytes(&text), files->at[i], name);
	}
	return true;
}

static bool
has_key(const struct known_hosts *known)
{
	for (size_t i = 0; i < known->n; i++)
		if (known->at[i].mark == KNOWN_HOSTS_KEY)
			return true;
	return false;
}

/*
 * Where nothing is known of [host]:port, ssh takes what is known of the host: behind the first
 * *out_exact entries. Another key there says nothing of this port.
 */
static bool
read_known(const struct attempt *a, struct known_hosts *out, size_t *out_exact, struct err *e)
{
	const struct argv *files = &a->config->known_hosts_files;
	AUTO(mem_free_drop) char *name = lookup_name(a->config, true);
	AUTO(mem_free_drop) char *bare = lookup_name(a->config, false);

	if (!read_files(files, name, out, e))
		return false;
	*out_exact = out->n;
	return has_key(out) || str_equal(name, bare) || read_files(files, bare, out, e);
}

static bool
is_known_type(const struct known_hosts *known, const char *algorithm)
{
	/* rsa-sha2-512 and rsa-sha2-256 are ways to use a key of type ssh-rsa */
	const char *type = str_starts(algorithm, "rsa-sha2-") ? "ssh-rsa" : algorithm;

	for (size_t i = 0; i < known->n; i++)
		if (known->at[i].mark == KNOWN_HOSTS_KEY && str_equal(known->at[i].type, type))
			return true;
	return false;
}

/* Add those algorithms of a comma list that are for known types, or those that are not. */
static void
add_algorithms(struct str *out, const char *list, const struct known_hosts *known, bool want)
{
	AUTO(mem_free_drop) char *copy = mem_strdup(list);
	char *rest = NULL;

	for (char *w = strtok_r(copy, ",", &rest); w; w = strtok_r(NULL, ",", &rest)) {
		if (strstr(w, "-cert-v01@") || is_known_type(known, w) != want)
			continue;
		if (out->len > 0)
			str_add_char(out, ',');
		str_add(out, w);
	}
}

bool
trust_order_algorithms(const struct attempt *a, struct err *e)
{
	const char *list = a->config->host_key_algorithms;
	AUTO(known_hosts_done) struct known_hosts known = { 0 };
	AUTO(str_done) struct str order = { 0 };
	size_t exact;

	if (!list)
		list = "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,"
		       "rsa-sha2-512,rsa-sha2-256";
	if (!read_known(a, &known, &exact, e))
		return false;
	add_algorithms(&order, list, &known, true);
	add_algorithms(&order, list, &known, false);
	if (ssh_options_set(a->link->session, SSH_OPTIONS_HOSTKEYS, str_text(&order)) == 0)
		return true;
	*a->beyond = true;
	return err_set(e, ERR_HOST,
	    "none of ssh_config's HostKeyAlgorithms can be used without " BY_OPENSSH);
}

static bool
read_host_key(ssh_session session, struct host_key *out)
{
	ssh_key key = NULL;
	unsigned char *hash = NULL;
	char *base64 = NULL, *fingerprint = NULL;
	size_t len;
	bool ok = ssh_get_server_publickey(session, &key) == SSH_OK &&
	    ssh_pki_export_pubkey_base64(key, &base64) == SSH_OK &&
	    ssh_get_publickey_hash(key, SSH_PUBLICKEY_HASH_SHA256, &hash, &len) == 0;

	if (ok) {
		const char *type = ssh_key_type_to_char(ssh_key_type(key));

		fingerprint = ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, len);
		out->type = ssh_key_type(key);
		out->hash = mem_strdup(fingerprint ? fingerprint : "?");
		out->fingerprint = mem_printf("%s %s", type, out->hash);
		out->line = mem_printf("%s %s", type, base64);
		ok = known_hosts_decode(base64, &out->blob);
	}
	ssh_string_free_char(fingerprint);
	ssh_string_free_char(base64);
	ssh_clean_pubkey_hash(&hash);
	ssh_key_free(key);
	return ok;
}

static bool
is_entry_for(const struct known_hosts_entry *entry, const struct host_key *key)
{
	return entry->blob.len == key->blob.len &&
	    memcmp(str_text(&entry->blob), str_text(&key->blob), key->blob.len) == 0;
}

/* A list of keys, one a line, wherever in it the key stands. */
static bool
is_in_list(char *text, const struct host_key *key)
{
	char *rest = NULL;

	for (char *w = strtok_r(text, SPACE, &rest); w; w = strtok_r(NULL, SPACE, &rest)) {
		AUTO(str_done) struct str blob = { 0 };

		if (known_hosts_decode(w, &blob) && blob.len == key->blob.len &&
		    memcmp(str_text(&blob), str_text(&key->blob), blob.len) == 0)
			return true;
	}
	return false;
}

/* A revocation list of ssh-keygen's; only it can read that. No answer is a yes. */
static bool
is_in_krl(const struct attempt *a, const char *path, const struct host_key *key)
{
	const char *const words[] = { "ssh-keygen", "-Q", "-f", path, "/dev/stdin", NULL };
	const struct bytes input[] = { bytes_of(key->line), bytes_of("\n") };
	const struct proc_command c = { .argv = words, .input = input, .n_input = COUNT(input),
		.limit_ms = clock_left(a->until) + 1 };
	AUTO(proc_result_done) struct proc_result r = { 0 };

	return !proc_run(&c, &r, NULL) || r.end != PROC_EXITED || r.code != 0;
}

/* RevokedHostKeys; what cannot be read revokes everything, as with ssh. */
static bool
check_revoked_files(const struct attempt *a, const struct host_key *key, struct err *e)
{
	const struct argv *files = &a->config->revoked_host_keys;

	for (size_t i = 0; i < files->n; i++) {
		const char *path = files->at[i];
		AUTO(str_done) struct str text = { 0 };
		bool revoked;

		if (access(path, R_OK) != 0)
			return err_errno(e, ERR_HOST, errno, "cannot read RevokedHostKeys %s",
			    path);
		if (!read_file(path, &text, e))
			return false;
		revoked = str_starts(str_text(&text), "SSHKRL\n") ?
		    is_in_krl(a, path, key) :
		    text.ptr && is_in_list(text.ptr, key);
		if (revoked)
			return err_set(e, ERR_HOST, "host key %s of %s is revoked in %s",
			    key->fingerprint, a->address, path);
	}
	return true;
}

/* "ssh -p 2222 root@web1", to be typed. */
static char *
ssh_command(const struct attempt *a)
{
	AUTO(str_done) struct str line = { 0 };
	AUTO(mem_free_drop) char *who = mem_printf("%s%s%s", a->user ? a->user : "",
	    a->user ? "@" : "", a->address);

	str_add(&line, "ssh ");
	if (a->port)
		str_addf(&line, "-p %u ", a->port);
	transport_quote(&line, who);
	return str_take(&line);
}

static bool
fail_unknown(const struct attempt *a, const struct host_key *key, struct err *e)
{
	AUTO(mem_free_drop) char *command = ssh_command(a);
	const char *why = a->config->verify_by_dns ? " (VerifyHostKeyDNS needs " BY_OPENSSH ")" : "";

	return err_set(e, ERR_HOST,
	    "host key of %s is not known: %s%s; compare the fingerprint, then accept it with: %s, or "
	    "with --accept-new", a->address, key->fingerprint, why, command);
}

/* ssh would look for a certificate of the host key, by one of these authorities. */
static bool
fail_authority(const struct attempt *a, const struct host_key *key, struct err *e)
{
	*a->beyond = true;
	return err_set(e, ERR_HOST,
	    "host key of %s is not known: %s; a certificate of it by a @cert-authority needs "
	    BY_OPENSSH,
	    a->address, key->fingerprint);
}

static bool
fail_changed(const struct attempt *a, const struct host_key *key,
    const struct known_hosts_entry *other, struct err *e)
{
	AUTO(mem_free_drop) char *command = ssh_command(a);
	AUTO(mem_free_drop) char *name = lookup_name(a->config, true);
	AUTO(str_done) struct str remove = { 0 };

	str_add(&remove, "ssh-keygen -R ");
	transport_quote(&remove, name);
	str_add(&remove, " -f ");
	transport_quote(&remove, other->file);
	return err_set(e, ERR_HOST,
	    "host key of %s HAS CHANGED, or somebody is in between: it shows %s, %s line %u has "
	    "another; only if you know why: %s && %s",
	    a->address, key->fingerprint, other->file, other->line, str_text(&remove), command);
}

/* *out_new: nothing at all is known of it, nor is anything said against the key. */
static bool
judge(const struct attempt *a, const struct host_key *key, bool *out_new, struct err *e)
{
	AUTO(known_hosts_done) struct known_hosts known = { 0 };
	const struct known_hosts_entry *same = NULL, *other = NULL;
	bool authority = false;
	size_t exact;

	if (!read_known(a, &known, &exact, e))
		return false;
	for (size_t i = 0; i < known.n; i++) {
		const struct known_hosts_entry *entry = &known.at[i];

		if (entry->mark == KNOWN_HOSTS_REVOKED && is_entry_for(entry, key))
			return err_set(e, ERR_HOST, "host key %s of %s is revoked in %s line %u",
			    key->fingerprint, a->address, entry->file, entry->line);
		authority |= entry->mark == KNOWN_HOSTS_AUTHORITY;
		if (entry->mark == KNOWN_HOSTS_KEY && is_entry_for(entry, key))
			same = entry;
		else if (entry->mark == KNOWN_HOSTS_KEY && !other && i < exact)
			other = entry;
	}
	if (!same && other)
		return fail_changed(a, key, other, e);
	if (!check_revoked_files(a, key, e))
		return false;
	if (same)
		return true;
	if (authority)
		return fail_authority(a, key, e);
	*out_new = true;
	return fail_unknown(a, key, e);
}

/* "ED25519", as ssh says it. */
static const char *
type_word(enum ssh_keytypes_e type)
{
	switch (type) {
	case SSH_KEYTYPE_ED25519:
		return "ED25519";
	case SSH_KEYTYPE_RSA:
		return "RSA";
	case SSH_KEYTYPE_ECDSA_P256:
	case SSH_KEYTYPE_ECDSA_P384:
	case SSH_KEYTYPE_ECDSA_P521:
		return "ECDSA";
	default:
		return ssh_key_type_to_char(type);
	}
}

/* "~/.ssh/known_hosts" */
static char *
shown_path(const char *path)
{
	const char *home = getenv("HOME");
	size_t len = home ? strlen(home) : 0;

	if (len > 1 && str_starts(path, home) && path[len] == '/')
		return mem_printf("~%s", path + len);
	return mem_strdup(path);
}

/* Put a host that is new into the user's file. */
static bool
store_key(const struct attempt *a, const struct host_key *key, struct err *e)
{
	const struct ssh_config *c = a->config;
	AUTO(mem_free_drop) char *name = lookup_name(c, true);
	AUTO(mem_free_drop) char *shown = NULL;

	if (c->n_user_known_hosts == 0)
		return err_set(e, ERR_HOST,
		    "ssh_config for %s names no UserKnownHostsFile to store its host key in",
		    a->address);
	if (!known_hosts_add(c->known_hosts_files.at[0], name, key->line, c->hash_known_hosts, e))
		return false;
	shown = shown_path(c->known_hosts_files.at[0]);
	argv_addf(a->notes, "new host key %s %s stored in %s", type_word(key->type), key->hash,
	    shown);
	return true;
}

/* What another thread has stored meanwhile counts. */
static bool
accept_key(const struct attempt *a, const struct host_key *key, struct err *e)
{
	static pthread_mutex_t storing = PTHREAD_MUTEX_INITIALIZER;
	struct err why = { 0 };
	bool is_new = false;

	HOLD(&storing);
	if (judge(a, key, &is_new, &why) || (is_new && store_key(a, key, &why)))
		return true;
	return err_set(e, ERR_HOST, "%s", why.text);
}

bool
trust_check(const struct attempt *a, struct err *e)
{
	AUTO(host_key_done) struct host_key key = { 0 };
	struct err why = { 0 };
	bool is_new = false;

	if (!read_host_key(a->link->session, &key))
		return err_set(e, ERR_HOST, "%s shows no host key that can be read", a->address);
	if (judge(a, &key, &is_new, &why))
		return true;
	if (is_new && a->accept_new)
		return accept_key(a, &key, e);
	return err_set(e, ERR_HOST, "%s", why.text);
}
