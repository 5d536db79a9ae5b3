/* SPDX-License-Identifier: MIT */
/*
 * ssh_config: a table of the settings of `ssh -G` that matter here, and where
 * each goes. A setting that would change what ssh does, and that libssh cannot
 * follow, is named in `unsupported` rather than passed over. ssh leaves ~ and %
 * in the paths of identities: they are expanded here.
 */
#include "transport/ssh_config.h"

#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void
ssh_config_done(struct ssh_config *c)
{
	char *const texts[] = { c->hostname, c->user, c->host_key_alias, c->proxy_jump,
		c->proxy_command, c->identity_agent, c->ciphers, c->macs, c->kex_algorithms,
		c->host_key_algorithms, c->pubkey_algorithms };
	struct argv *const lists[] = { &c->identity_files, &c->certificate_files,
		&c->known_hosts_files, &c->revoked_host_keys, &c->unsupported };

	for (size_t i = 0; i < COUNT(texts); i++)
		free(texts[i]);
	for (size_t i = 0; i < COUNT(lists); i++)
		argv_done(lists[i]);
	*c = (struct ssh_config){ 0 };
}

/* What is read, while it is read. */
struct reading {
	struct ssh_config config;
	struct argv global_files; /* they stand before the user's in the output */
	const char *home;
};

static void
reading_done(struct reading *r)
{
	ssh_config_done(&r->config);
	argv_done(&r->global_files);
}

static void
add_words(struct argv *to, const char *value)
{
	AUTO(mem_free_drop) char *copy = mem_strdup(value);
	char *rest = NULL;

	for (char *w = strtok_r(copy, " ", &rest); w; w = strtok_r(NULL, " ", &rest))
		argv_add(to, w);
}

static bool
set_text(struct reading *r, const char *key, const char *value)
{
	const struct {
		const char *key;
		char **to;
	} texts[] = {
		{ "hostname", &r->config.hostname },
		{ "user", &r->config.user },
		{ "hostkeyalias", &r->config.host_key_alias },
		{ "proxyjump", &r->config.proxy_jump },
		{ "proxycommand", &r->config.proxy_command },
		{ "identityagent", &r->config.identity_agent },
		{ "ciphers", &r->config.ciphers },
		{ "macs", &r->config.macs },
		{ "kexalgorithms", &r->config.kex_algorithms },
		{ "hostkeyalgorithms", &r->config.host_key_algorithms },
		{ "pubkeyacceptedalgorithms", &r->config.pubkey_algorithms },
		{ "pubkeyacceptedkeytypes", &r->config.pubkey_algorithms }, /* OpenSSH < 8.5 */
	};

	for (size_t i = 0; i < COUNT(texts); i++) {
		if (!str_equal(key, texts[i].key))
			continue;
		free(*texts[i].to);
		*texts[i].to = mem_strdup(value);
		return true;
	}
	return false;
}

static bool
set_list(struct reading *r, const char *key, const char *value)
{
	if (str_equal(key, "identityfile"))
		argv_add(&r->config.identity_files, value);
	else if (str_equal(key, "certificatefile"))
		argv_add(&r->config.certificate_files, value);
	else if (str_equal(key, "revokedhostkeys"))
		argv_add(&r->config.revoked_host_keys, value);
	else if (str_equal(key, "userknownhostsfile"))
		add_words(&r->config.known_hosts_files, value);
	else if (str_equal(key, "globalknownhostsfile"))
		add_words(&r->global_files, value);
	else
		return false;
	return true;
}

/* 1 to most, or 0. */
static unsigned
number(const char *value, unsigned most)
{
	char *end = NULL;
	unsigned long n = *value >= '0' && *value <= '9' ? strtoul(value, &end, 10) : 0;

	return end && *end == '\0' && n <= most ? (unsigned)n : 0;
}

static bool
set_other(struct reading *r, const char *key, const char *value)
{
	struct ssh_config *c = &r->config;

	if (str_equal(key, "port"))
		c->port = number(value, 65535);
	else if (str_equal(key, "connecttimeout"))
		c->connect_ms = (int64_t)number(value, INT_MAX) * 1000;
	else if (str_equal(key, "identitiesonly"))
		c->identities_only = str_equal(value, "yes");
	else if (str_equal(key, "verifyhostkeydns"))
		c->verify_by_dns = str_equal(value, "true") || str_equal(value, "ask");
	else if (str_equal(key, "gssapiauthentication"))
		c->gssapi = str_equal(value, "yes");
	else if (str_equal(key, "hashknownhosts"))
		c->hash_known_hosts = str_equal(value, "yes");
	else if (str_equal(key, "addressfamily"))
		c->family = str_equal(value, "inet") ? AF_INET :
		    str_equal(value, "inet6")	     ? AF_INET6 :
						       AF_UNSPEC;
	else
		return false;
	return true;
}

/* Settings that this transport cannot follow, and the value that is harmless. */
static void
note_unsupported(struct reading *r, const char *key, const char *value)
{
	static const struct {
		const char *key, *name, *harmless;
	} settings[] = {
		{ "pkcs11provider", "PKCS11Provider", NULL },
		{ "knownhostscommand", "KnownHostsCommand", NULL },
		{ "bindaddress", "BindAddress", NULL },
		{ "bindinterface", "BindInterface", NULL },
		{ "proxyusefdpass", "ProxyUseFdpass", "no" },
		{ "pubkeyauthentication", "PubkeyAuthentication no", "true" },
	};

	for (size_t i = 0; i < COUNT(settings); i++)
		if (str_equal(key, settings[i].key) && !str_equal(value, settings[i].harmless))
			argv_add(&r->config.unsupported, settings[i].name);
}

static void
read_line(struct reading *r, char *line)
{
	char *value = strchr(line, ' ');

	if (!value)
		return;
	*value++ = '\0';
	if (str_equal(value, "none") && !str_equal(line, "identityagent"))
		return;
	if (!set_text(r, line, value) && !set_list(r, line, value) && !set_other(r, line, value))
		note_unsupported(r, line, value);
}

static void
add_local_user(struct str *out)
{
	char buf[4096]; /* a line of passwd; longer ones have no such user */
	struct passwd pw, *found = NULL;

	if (getpwuid_r(getuid(), &pw, buf, sizeof(buf), &found) == 0 && found)
		str_add(out, found->pw_name);
}

/* What %c stands for; false for one that is not known here. */
static bool
expand_percent(const struct reading *r, char c, struct str *out)
{
	const struct ssh_config *config = &r->config;

	switch (c) {
	case '%':
		str_add_char(out, '%');
		return true;
	case 'd':
		str_add(out, r->home);
		return true;
	case 'h':
		str_add(out, config->hostname);
		return true;
	case 'i':
		str_addf(out, "%u", (unsigned)getuid());
		return true;
	case 'p':
		str_addf(out, "%u", config->port);
		return true;
	case 'r':
		str_add(out, config->user ? config->user : "");
		return true;
	case 'u':
		add_local_user(out);
		return true;
	default:
		return false;
	}
}

/* ${NAME} at p: add its value; returns what is behind it, or NULL if it has none. */
static const char *
expand_variable(const char *p, struct str *out)
{
	const char *end = strchr(p, '}');
	AUTO(mem_free_drop) char *name = end ? mem_strndup(p + 2, (size_t)(end - p - 2)) : NULL;
	const char *value = name ? getenv(name) : NULL;

	if (!value)
		return NULL;
	str_add(out, value);
	return end + 1;
}

static bool
expand(const struct reading *r, const char *path, struct str *out)
{
	if (str_starts(path, "~/")) {
		str_add(out, r->home);
		path++;
	}
	while (*path) {
		if (str_starts(path, "${")) {
			path = expand_variable(path, out);
			if (!path)
				return false;
		} else if (*path == '%') {
			if (!expand_percent(r, path[1], out))
				return false;
			path += 2;
		} else {
			str_add_char(out, *path++);
		}
	}
	return true;
}

static void
expand_all(struct reading *r, struct argv *paths, const char *setting)
{
	for (size_t i = 0; i < paths->n; i++) {
		AUTO(str_done) struct str path = { 0 };

		if (!expand(r, paths->at[i], &path)) {
			argv_addf(&r->config.unsupported, "%s %s", setting, paths->at[i]);
			continue;
		}
		free(paths->at[i]);
		paths->at[i] = str_take(&path);
	}
}

bool
ssh_config_parse(struct bytes output, const char *home, struct ssh_config *out, struct err *e)
{
	AUTO(reading_done) struct reading r = { .home = home };
	AUTO(mem_free_drop) char *text = mem_strndup(output.ptr ? output.ptr : "", output.len);
	char *rest = NULL;

	for (char *l = strtok_r(text, "\r\n", &rest); l; l = strtok_r(NULL, "\r\n", &rest))
		read_line(&r, l);
	if (!r.config.hostname || !*r.config.hostname || r.config.port == 0)
		return err_set(e, ERR_HOST, "ssh -G tells no host name or no port");
	expand_all(&r, &r.config.identity_files, "IdentityFile");
	expand_all(&r, &r.config.certificate_files, "CertificateFile");
	r.config.n_user_known_hosts = r.config.known_hosts_files.n;
	argv_add_all(&r.config.known_hosts_files, &r.global_files);
	ssh_config_done(out);
	*out = r.config;
	r.config = (struct ssh_config){ 0 };
	return true;
}
