/* SPDX-License-Identifier: MIT */
/*
 * ssh_rules: what differs from host to host in ssh_config(5) are Host and Match, the tokens with %, and
 * what makes names canonical. Host is followed; a % is harmless
 * in what `ssh -G` leaves as it is or nobody here asks for. A host whose name stands in a ProxyJump may be
 * a jump host of its own, which ssh refuses.
 */
#include "transport/ssh_rules.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "transport/name_pattern.h"

#define SPACE " \t\f\r"

void
ssh_rules_done(struct ssh_rules *r)
{
	argv_done(&r->hosts);
	argv_done(&r->names);
}

static bool
is_one_of(const char *key, const char *const *keys, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcasecmp(key, keys[i]) == 0)
			return true;
	return false;
}

static void
take_setting(struct ssh_rules *r, const char *key, const char *value)
{
	static const char *const beyond[] = { "match", "canonicalizehostname", "canonicaldomains" };
	static const char *const with_tokens[] = { "controlpath", "proxycommand", "localcommand",
		"remotecommand", "setenv" };
	static const char *const naming[] = { "hostname", "proxyjump" };
	bool host = strcasecmp(key, "host") == 0, name = is_one_of(key, naming, COUNT(naming));

	if (is_one_of(key, beyond, COUNT(beyond)) ||
	    (strchr(value, '%') && !is_one_of(key, with_tokens, COUNT(with_tokens))) ||
	    ((host || name) && strpbrk(value, "\"'\\#=")))
		r->opaque = true;
	else if (host)
		argv_add(&r->hosts, value);
	else if (name)
		argv_add(&r->names, value);
}

/* "Key value", "Key=value", "Key = value"; ssh takes quotes around the key, too. */
static void
take_line(struct ssh_rules *r, char *line)
{
	size_t len;
	char *value;

	line += strspn(line, SPACE);
	for (len = strlen(line); len > 0 && strchr(SPACE, line[len - 1]); len--)
		line[len - 1] = '\0';
	if (!*line || *line == '#')
		return;
	value = line + strcspn(line, SPACE "=");
	if (*value) {
		bool equals = *value == '=';

		*value++ = '\0';
		value += strspn(value, SPACE);
		if (*value == '=' && !equals)
			value += 1 + strspn(value + 1, SPACE);
	}
	r->opaque = r->opaque || strpbrk(line, "\"'\\");
	take_setting(r, line, value);
}

void
ssh_rules_read(struct ssh_rules *r, struct bytes file)
{
	AUTO(mem_free_drop) char *text = mem_strndup(file.ptr ? file.ptr : "", file.len);
	char *rest = NULL;

	r->opaque = r->opaque || strlen(text) != file.len;
	for (char *l = strtok_r(text, "\n", &rest); l; l = strtok_r(NULL, "\n", &rest))
		take_line(r, l);
}

/* One that ssh takes as it is typed: no user@, no URL, no number that it would write in another way. */
static bool
is_plain(const char *name)
{
	struct in_addr a;

	if (!*name || *name == '-' ||
	    name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789"
			      "ABCDEFGHIJKLMNOPQRSTUVWXYZ._-")])
		return false;
	return inet_aton(name, &a) == 0 || inet_pton(AF_INET, name, &a) == 1;
}

char *
ssh_rules_kind(const struct ssh_rules *r, const char *name)
{
	AUTO(str_done) struct str kind = { 0 };

	if (r->opaque || !is_plain(name))
		return NULL;
	for (size_t i = 0; i < r->names.n; i++)
		if (strcasestr(r->names.at[i], name))
			return NULL;
	str_add(&kind, "hosts ");
	for (size_t i = 0; i < r->hosts.n; i++)
		str_add_char(&kind,
		    name_pattern_holds(r->hosts.at[i], SPACE, NAME_CASE_COUNTS, name) ? 'y' : 'n');
	return str_take(&kind);
}
