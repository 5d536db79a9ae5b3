/* SPDX-License-Identifier: MIT */
/*
 * known_hosts: our own reader, since libssh's passes over @revoked and negated
 * patterns and stops at long lines. Only the hash of a hashed name is left to
 * libssh, one name at a time: HMAC-SHA1 is not worth a home here.
 */
#include "transport/known_hosts.h"

#include <stdlib.h>
#include <string.h>
#include <libssh/libssh.h>
#include "transport/name_pattern.h"

void
known_hosts_done(struct known_hosts *k)
{
	for (size_t i = 0; i < k->n; i++) {
		free(k->at[i].type);
		str_done(&k->at[i].blob);
	}
	free(k->at);
	*k = (struct known_hosts){ 0 };
}

static int
base64_value(char c)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *p = c ? strchr(digits, c) : NULL;

	return p ? (int)(p - digits) : -1;
}

bool
known_hosts_decode(const char *base64, struct str *out)
{
	size_t len = strcspn(base64, "="), padding = strlen(base64 + len);
	unsigned bits = 0;

	if (len == 0 || len % 4 == 1 || padding > 2 || strspn(base64 + len, "=") != padding)
		return false;
	for (size_t i = 0; i < len; i++) {
		int value = base64_value(base64[i]);

		if (value < 0)
			return false;
		bits = bits << 6 | (unsigned)value;
		if (i % 4 == 1)
			str_add_char(out, (char)(bits >> 4 & 0xff));
		else if (i % 4 == 2)
			str_add_char(out, (char)(bits >> 2 & 0xff));
		else if (i % 4 == 3)
			str_add_char(out, (char)(bits & 0xff));
	}
	return true;
}

/*
 * libssh compares the names of a whole line: give it one with a key of its
 * liking. It takes a hash for a pattern as well, which a name with '|' could fit.
 */
static bool
matches_hash(const char *name, const char *hashed)
{
	struct ssh_knownhosts_entry *entry = NULL;
	AUTO(mem_free_drop)
	char *line = mem_printf("%s ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI"
				"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	    hashed);
	bool match = *name != '|' && !strchr(hashed, ',') &&
	    ssh_known_hosts_parse_line(name, line, &entry) == SSH_OK;

	if (entry)
		ssh_knownhosts_entry_free(entry);
	return match;
}

static bool
matches(const char *name, const char *hosts)
{
	return *hosts == '|' ? matches_hash(name, hosts) :
			       name_pattern_holds(hosts, ",", NAME_CASE_FOLDED, name);
}

/* The next word of the line, cut off in place; NULL if there is none. */
static char *
next_word(char **line)
{
	char *word = *line + strspn(*line, " \t"), *end = word + strcspn(word, " \t");

	if (*word == '\0')
		return NULL;
	*line = *end ? end + 1 : end;
	*end = '\0';
	return word;
}

/* A marker that is not known makes the line one that means nothing. */
static bool
read_mark(const char *word, enum known_hosts_mark *out)
{
	if (str_equal(word, "@revoked"))
		*out = KNOWN_HOSTS_REVOKED;
	else if (str_equal(word, "@cert-authority"))
		*out = KNOWN_HOSTS_AUTHORITY;
	else
		return false;
	return true;
}

static void
read_line(struct known_hosts *k, char *line, const struct known_hosts_entry *at, const char *name)
{
	enum known_hosts_mark mark = KNOWN_HOSTS_KEY;
	AUTO(str_done) struct str blob = { 0 };
	struct known_hosts_entry *entry;
	char *hosts = next_word(&line), *type, *key;

	if (!hosts || *hosts == '#')
		return;
	if (*hosts == '@') {
		if (!read_mark(hosts, &mark))
			return;
		hosts = next_word(&line);
	}
	type = next_word(&line);
	key = next_word(&line);
	if (!hosts || !type || !key || !matches(name, hosts) || !known_hosts_decode(key, &blob))
		return;
	entry = mem_push(&k->at, &k->n, sizeof(*entry));
	*entry = *at;
	entry->mark = mark;
	entry->type = mem_strdup(type);
	entry->blob = blob;
	blob = (struct str){ 0 };
}

void
known_hosts_read(struct known_hosts *k, struct bytes text, const char *file, const char *name)
{
	struct known_hosts_entry at = { .file = file };
	const char *p = text.ptr, *end = p + text.len;

	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((nl ? nl : end) - p);
		bool cr = len > 0 && p[len - 1] == '\r';
		AUTO(mem_free_drop) char *line = mem_strndup(p, len - cr);

		at.line++;
		read_line(k, line, &at, name);
		p += len + (nl != NULL);
	}
}
