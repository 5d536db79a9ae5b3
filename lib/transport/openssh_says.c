/* SPDX-License-Identifier: MIT */
/*
 * openssh_says: ssh's words are looked for, never trusted: they choose the sentence and are quoted
 * in it. Servers and jump hosts can put any line between them, and hang up before ssh says a word of
 * its own: so no sentence names a host key or a line of known_hosts by them; it says how ssh shows
 * those itself. What is said of this host's key and login counts only behind the line in which ssh
 * shows the key, which keeps apart what is honestly said of a jump host.
 */
#include "transport/openssh_says.h"

#include <stdlib.h>
#include <string.h>
#include "base/proc.h"
#include "transport/transport.h"

#define DEBUG "debug1: "
#define SHOWN "debug1: Server host " /* "key: ssh-rsa SHA256:x", "certificate: TYPE SHA256:x, ..." */
#define OFFERED "debug1: Offering public key: "
#define TAKEN "debug1: Server accepts key: "
#define QUOTE_CAP 250
#define TRIED_CAP 200
#define KEY_CAP 120 /* the longest type has 40, the fingerprint 50 */

/* The text from `p` to the end of its line, at most; owned. */
static char *
rest_of_line(const char *p)
{
	return mem_strndup(p, strcspn(p, "\r\n"));
}

/*
 * "ssh-ed25519 SHA256:...": the key in every line that shows one; NULL if they are not alike, or
 * there is none. No more of it than keys have. Owned.
 */
static char *
only_key(const char *said)
{
	AUTO(mem_free_drop) char *only = NULL;
	const char *key;
	size_t len;

	for (const char *at = strstr(said, SHOWN); at; at = strstr(at, SHOWN)) {
		AUTO(mem_free_drop) char *line = rest_of_line(at += strlen(SHOWN));

		if (only && !str_equal(only, line))
			return NULL;
		if (!only)
			only = TAKE(line);
	}
	key = only ? strstr(only, ": ") : NULL;
	if (!key)
		return NULL;
	key += strlen(": ");
	len = strcspn(key, ",");
	return mem_strndup(key, len < KEY_CAP ? len : KEY_CAP);
}

/* What stands between two texts in one line; NULL if it does not. Owned. */
static char *
between(const char *said, const char *before, const char *behind)
{
	for (const char *at = strstr(said, before); at; at = strstr(at, before)) {
		AUTO(mem_free_drop) char *line = rest_of_line(at += strlen(before));
		const char *end = strstr(line, behind);

		if (end)
			return mem_strndup(line, (size_t)(end - line));
	}
	return NULL;
}

void
openssh_says_quote(struct str *out, const char *before, const char *said)
{
	AUTO(proc_result_done) struct proc_result r = { 0 };

	for (const char *p = said; *p;) {
		size_t len = strcspn(p, "\n");

		len += p[len] == '\n';
		if (!str_starts(p, DEBUG))
			str_add_bytes(&r.err, (struct bytes){ p, len });
		p += len;
	}
	if (r.err.len == 0)
		return;
	str_add(out, before);
	proc_quote_output(out, &r, QUOTE_CAP);
}

/* "ssh -p 2222 root@web1", to be typed. */
static char *
command(const struct transport_spec *spec)
{
	AUTO(str_done) struct str line = { 0 };
	AUTO(mem_free_drop) char *who =
	    spec->user ? mem_printf("%s@%s", spec->user, spec->address) : mem_strdup(spec->address);

	str_add(&line, "ssh ");
	if (spec->port)
		str_addf(&line, "-p %u ", spec->port);
	transport_quote(&line, who);
	return str_take(&line);
}

static bool
fail_unknown(const struct transport_spec *spec, struct err *e)
{
	AUTO(mem_free_drop) char *line = command(spec);

	return err_set(e, ERR_HOST,
	    "host key of %s is not known; ssh shows its fingerprint: compare that, then accept it "
	    "with: %s, or with --accept-new",
	    spec->address, line);
}

static bool
fail_changed(const struct transport_spec *spec, struct err *e)
{
	AUTO(mem_free_drop) char *line = command(spec);

	return err_set(e, ERR_HOST,
	    "host key of %s HAS CHANGED, or somebody is in between; ssh shows its fingerprint, and "
	    "the line of known_hosts to remove only if you know why: %s",
	    spec->address, line);
}

/* "/home/x/.ssh/id ED25519 SHA256:... agent": the part before the fingerprint. */
static void
add_tried(struct str *out, const char *said)
{
	for (const char *at = strstr(said, OFFERED); at; at = strstr(at, OFFERED)) {
		AUTO(mem_free_drop) char *line = rest_of_line(at += strlen(OFFERED));
		char *hash = strstr(line, " SHA256:");

		if (hash)
			*hash = '\0';
		str_add(out, out->len > 0 ? ", " : "");
		str_add_escaped(out, bytes_of(line), TRIED_CAP);
	}
}

/* A key of the agent has a comment for a name; no word of ssh's is an option to be typed. */
static void
add_unsigned(struct str *out, const char *taken)
{
	AUTO(str_done) struct str name = { 0 }, word = { 0 };

	str_add_escaped(&name, bytes_of(taken), TRIED_CAP);
	transport_quote(&word, str_text(&name));
	str_addf(out, "; the server takes %s, but nobody signs with it", str_text(&name));
	if (*taken == '/')
		str_addf(out, ": is its passphrase needed? Then first: ssh-add %s", str_text(&word));
}

/* What must be typed to sign cannot be asked for: where the key is that needs it. */
static void
add_locked(struct str *out, const char *said, const char *shown)
{
	AUTO(mem_free_drop) char *taken = between(shown, TAKEN, " SHA256:");
	char *type = taken ? strrchr(taken, ' ') : NULL;

	if (type)
		*type = '\0';
	if (strstr(said, "pin required") || strstr(said, "need pin entry"))
		str_add(out,
		    "; ssh needs the PIN of a token: first give that to your agent, by "
		    "ssh-add -s and the module that PKCS11Provider names");
	else if (taken)
		add_unsigned(out, taken);
}

/* said: all of it; shown: from this host's key on */
static bool
fail_login(const struct transport_spec *spec, const char *said, const char *shown, struct err *e)
{
	AUTO(mem_free_drop) char *methods = between(shown, "Permission denied (", ")");
	AUTO(str_done) struct str tried = { 0 }, more = { 0 };

	add_tried(&tried, shown);
	add_locked(&more, said, shown);
	if (methods)
		str_addf(&more, "; the server allows: %s", methods);
	return err_set(e, ERR_HOST, "login as %s at %s was refused; tried: %s%s",
	    spec->user ? spec->user : "you", spec->address,
	    tried.len > 0 ? str_text(&tried) : "no key at all", str_text(&more));
}

bool
openssh_says_refused(const char *said)
{
	return strstr(said, "Host key verification failed") || strstr(said, ": Permission denied (");
}

/* It is nobody's fault but the server's, which does not answer; on the way there, too. */
static enum err_kind
kind_without_key(const char *said)
{
	bool tried = strstr(said, "debug1: Connecting to ") ||
		     strstr(said, "debug1: Executing proxy command") ||
		     strstr(said, "Could not resolve hostname");
	/* The greeting came, and then it was hung up on, by a server that goes down or comes up. */
	bool cut = (strstr(said, "Connection closed by ") || strstr(said, "Connection reset by ")) &&
		   !strstr(said, "Received disconnect from ");

	if (openssh_says_refused(said) || (strstr(said, "debug1: Remote protocol version") && !cut))
		return ERR_HOST;
	return tried ? ERR_AWAY : ERR_HOST;
}

/* What the last line of debugging says it was at. */
static bool
fail_late(const struct transport_spec *spec, const char *said, struct err *e)
{
	AUTO(mem_free_drop) char *last = NULL;
	AUTO(str_done) struct str more = { 0 };

	for (const char *at = strstr(said, DEBUG); at; at = strstr(at, DEBUG)) {
		free(last);
		last = rest_of_line(at += strlen(DEBUG));
	}
	if (last) {
		str_add(&more, "; it was at: ");
		str_add_escaped(&more, bytes_of(last), QUOTE_CAP);
	}
	openssh_says_quote(&more, "; ssh says: ", said);
	return err_set(e, ERR_AWAY, "%s does not let ssh in within the time for connecting%s",
	    spec->address, str_text(&more));
}

/* The other reasons, in ssh's own words. */
static bool
fail_quoting(const struct transport_spec *spec, const char *said, struct err *e)
{
	AUTO(str_done) struct str more = { 0 };

	openssh_says_quote(&more, "; ssh says: ", said);
	return err_set(
	    e, kind_without_key(said), "no SSH connection to %s%s", spec->address, str_text(&more));
}

bool
openssh_says(const struct transport_spec *spec, struct bytes said, bool late, struct err *e)
{
	AUTO(mem_free_drop) char *text = mem_strndup(said.ptr ? said.ptr : "", said.len);
	const char *shown = strstr(text, SHOWN);

	if (late)
		return fail_late(spec, text, e);
	if (!shown)
		return fail_quoting(spec, text, e);
	if (strstr(shown, "REVOKED HOST KEY"))
		return err_set(e, ERR_HOST, "host key of %s is revoked", spec->address);
	if (strstr(shown, "IDENTIFICATION HAS CHANGED"))
		return fail_changed(spec, e);
	if (strstr(shown, "host key is known for"))
		return fail_unknown(spec, e);
	if (strstr(shown, ": Permission denied ("))
		return fail_login(spec, text, shown, e);
	return fail_quoting(spec, text, e);
}

/* ssh shows each key that it logs in by: another line beside that one is forged, or of a jump host. */
char *
openssh_says_stored(struct bytes said, bool all)
{
	AUTO(mem_free_drop) char *text = mem_strndup(said.ptr ? said.ptr : "", said.len);
	AUTO(mem_free_drop) char *key = only_key(text);

	if (!strstr(text, SHOWN) || !strstr(text, "Warning: Permanently added "))
		return NULL;
	if (!all || strlen(text) < said.len)
		return mem_strdup("ssh says that it stored a new host key in known_hosts; see its "
				  "fingerprint there: ssh-keygen -lF NAME");
	if (!key)
		return mem_strdup("new host key stored by ssh in known_hosts; SOMEBODY FORGES WHAT "
				  "ssh SAYS OF IT: do not trust it before you have compared its "
				  "fingerprint there: ssh-keygen -lF NAME");
	return mem_printf("new host key %s stored by ssh in known_hosts", key);
}

/*
 * Where the way there could not be opened, nobody was there to turn it away; nor was it where the way
 * was refused to us, which would be so again.
 */
bool
openssh_says_turned_away(struct bytes said)
{
	AUTO(mem_free_drop) char *text = mem_strndup(said.ptr ? said.ptr : "", said.len);

	return kind_without_key(text) == ERR_AWAY &&
	       strstr(text, "kex_exchange_identification: ") && !strstr(text, "open failed: ") &&
	       !strstr(text, "connect to host ");
}
