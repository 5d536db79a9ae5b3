/* SPDX-License-Identifier: MIT */
/*
 * transport: dispatch to the implementation, and the one quoting function.
 * What is run passes through here, so that every implementation sees the same
 * clean slate: no old result, no old error.
 */
#include "transport/transport.h"

#include <string.h>

bool
transport_connect(struct transport *t, struct err *e)
{
	return t->ops->connect(t, e);
}

bool
transport_run(struct transport *t, const struct proc_command *c, struct proc_result *out,
    struct err *e)
{
	return t->ops->run(t, c, out, e);
}

void
transport_free(struct transport *t)
{
	if (t)
		t->ops->free(t);
}

/* Means itself in every shell, wherever in a command it stands. */
static bool
is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	    (c != '\0' && strchr("_-./:,+@", c));
}

static bool
is_plain_word(const char *word)
{
	const char *p = word;

	while (is_plain(*p))
		p++;
	return p > word && *p == '\0';
}

/*
 * Within '...' a POSIX shell leaves all alone, but fish still reads \\ and \',
 * and csh still expands '!': these three stand outside, behind a backslash.
 */
void
transport_quote(struct str *out, const char *word)
{
	bool inside = false;

	if (is_plain_word(word)) {
		str_add(out, word);
		return;
	}
	if (*word == '\0')
		str_add(out, "''");
	for (const char *p = word; *p; p++) {
		bool special = *p == '\'' || *p == '\\' || *p == '!';

		if (inside == special) {
			str_add_char(out, '\'');
			inside = !inside;
		}
		if (special)
			str_add_char(out, '\\');
		str_add_char(out, *p);
	}
	if (inside)
		str_add_char(out, '\'');
}

void
transport_line(struct str *out, const char *const *argv)
{
	str_add(out, "exec"); /* else some shells stay, and make a status of a signal */
	for (const char *const *word = argv; *word; word++) {
		str_add_char(out, ' ');
		transport_quote(out, *word);
	}
}
