/* SPDX-License-Identifier: MIT */
/*
 * transport_ssh_trust: whose host key it is. Every known_hosts file that ssh
 * names is read here and nothing but a key that stands in one of them and is
 * revoked in none will do, whatever StrictHostKeyChecking says. Nothing is
 * ever written, nobody is asked: the error says what to do.
 */
#include "transport/link.h"

#include <errno.h>
#include <fcntl.h>
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
	char *fingerprint; /* "ED25519 SHA256:..." */
	char *line;	   /* "ssh-ed25519 AAAA...", for ssh-keygen */
};

static void
host_key_done(struct host_key *k)
{
	str_done(&k->blob);
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

/* Where nothing is known of [host]:port, ssh takes what is known of the host. */
static bool
read_known(const struct attempt *a, struct known_hosts *out, struct err *e)
{
	const struct argv *files = &a->config->known_hosts_files;
	AUTO(mem_free_drop) char *name = lookup_name(a->config, true);
	AUTO(mem_free_drop) char *bare = lookup_name(a->config, false);

	if (!read_files(files, name, out, e))
		return false;
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

	if (!list)
		list = "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,"
		       "rsa-sha2-512,rsa-sha2-256";
	if (!read_known(a, &known, e))
		return false;
	add_algorithms(&order, list, &known, true);
	add_algorithms(&order, list, &known, false);
	if (ssh_options_set(a->link->session, SSH_OPTIONS_HOSTKEYS, str_text(&order)) == 0)
		return true;
	*a->beyond = true;
	return err_set(e, ERR_HOST, "none of ssh_config's HostKeyAlgorithms can be used here");
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
		out->fingerprint = mem_printf("%s %s", type, fingerprint ? fingerprint : "?");
		out->line = mem_printf("%s %s\n", type, base64);
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
	const struct bytes input = bytes_of(key->line);
	const struct proc_command c = { .argv = words, .input = &input, .n_input = 1,
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
fail_unknown(const struct attempt *a, const struct host_key *key, bool authority, struct err *e)
{
	AUTO(mem_free_drop) char *command = ssh_command(a);
	const char *why = authority	 ? " (@cert-authority needs " BY_OPENSSH ")" :
	    a->config->verify_by_dns ? " (VerifyHostKeyDNS needs " BY_OPENSSH ")" :
					   "";

	return err_set(e, ERR_HOST,
	    "host key of %s is not known: %s%s; compare the fingerprint, then accept it with: %s",
	    a->address, key->fingerprint, why, command);
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

static bool
judge(const struct attempt *a, const struct host_key *key, const struct known_hosts *known,
    struct err *e)
{
	const struct known_hosts_entry *same = NULL, *other = NULL;
	bool authority = false;

	for (size_t i = 0; i < known->n; i++) {
		const struct known_hosts_entry *entry = &known->at[i];

		if (entry->mark == KNOWN_HOSTS_REVOKED && is_entry_for(entry, key))
			return err_set(e, ERR_HOST, "host key %s of %s is revoked in %s line %u",
			    key->fingerprint, a->address, entry->file, entry->line);
		authority |= entry->mark == KNOWN_HOSTS_AUTHORITY;
		if (entry->mark == KNOWN_HOSTS_KEY && is_entry_for(entry, key))
			same = entry;
		else if (entry->mark == KNOWN_HOSTS_KEY && !other)
			other = entry;
	}
	if (same)
		return check_revoked_files(a, key, e);
	return other ? fail_changed(a, key, other, e) : fail_unknown(a, key, authority, e);
}

bool
trust_check(const struct attempt *a, struct err *e)
{
	AUTO(known_hosts_done) struct known_hosts known = { 0 };
	AUTO(host_key_done) struct host_key key = { 0 };

	if (!read_host_key(a->link->session, &key))
		return err_set(e, ERR_HOST, "%s shows no host key that can be read", a->address);
	return read_known(a, &known, e) && judge(a, &key, &known, e);
}
