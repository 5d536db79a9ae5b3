/* SPDX-License-Identifier: MIT */
/*
 * entry_scalar: from a scalar as written to the text it stands for. Lines are
 * folded (one break is a blank, n breaks are n - 1), quotes and escapes undone.
 * The result may be a key, so it is made in locked memory.
 */
#include "keystore/entry_yaml.h"

#include <string.h>
#include "base/secret.h"

size_t
entry_yaml_character(const char *p, size_t len, uint32_t *out)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char first = len > 0 ? (unsigned char)*p : 0xff;
	size_t n = first < 0x80 ? 1 : first < 0xc0 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	uint32_t code = n == 1 ? first : first & (0x7fU >> n);

	if (n == 0 || n > len || first >= 0xf8)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if (((unsigned char)p[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | ((unsigned char)p[i] & 0x3f);
	}
	if (code < smallest[n] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	*out = code;
	return n;
}

bool
entry_yaml_printable(uint32_t code)
{
	if (code < 0xa0)
		return code >= 0x20 && code < 0x7f;
	return code != 0x2028 && code != 0x2029 && code != 0xfeff && code != 0xfffe &&
	    code != 0xffff;
}

/* A scalar being decoded. */
struct decoder {
	const char *at, *end;
	char *out;   /* where the next byte goes; there is always room */
	char *floor; /* blanks before this were escaped, and stay at the end of a line */
	unsigned line;
	struct err *e;
};

static bool
fail(const struct decoder *d, const char *what)
{
	return err_set(d->e, ERR_DATA, "line %u: %s", d->line, what);
}

static void
skip_blanks(struct decoder *d)
{
	while (d->at < d->end && (*d->at == ' ' || *d->at == '\t'))
		d->at++;
}

/* Past one or more line breaks and the blanks around them. */
static size_t
skip_breaks(struct decoder *d)
{
	size_t n = 0;

	while (d->at < d->end && *d->at == '\n') {
		d->at++;
		n++;
		skip_blanks(d);
	}
	return n;
}

static void
fold(struct decoder *d)
{
	size_t breaks;

	while (d->out > d->floor && (d->out[-1] == ' ' || d->out[-1] == '\t'))
		d->out--;
	breaks = skip_breaks(d);
	if (breaks == 1)
		*d->out++ = ' ';
	for (; breaks > 1; breaks--)
		*d->out++ = '\n';
	d->floor = d->out;
}

static void
put_code(struct decoder *d, uint32_t code)
{
	if (code < 0x80) {
		*d->out++ = (char)code;
	} else if (code < 0x800) {
		*d->out++ = (char)(0xc0 | code >> 6);
		*d->out++ = (char)(0x80 | (code & 0x3f));
	} else if (code < 0x10000) {
		*d->out++ = (char)(0xe0 | code >> 12);
		*d->out++ = (char)(0x80 | (code >> 6 & 0x3f));
		*d->out++ = (char)(0x80 | (code & 0x3f));
	} else {
		*d->out++ = (char)(0xf0 | code >> 18);
		*d->out++ = (char)(0x80 | (code >> 12 & 0x3f));
		*d->out++ = (char)(0x80 | (code >> 6 & 0x3f));
		*d->out++ = (char)(0x80 | (code & 0x3f));
	}
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* \x41, \u00e9, \U0001f511 */
static bool
put_hex(struct decoder *d, size_t digits)
{
	uint32_t code = 0;

	for (; digits > 0; digits--, d->at++) {
		if (d->at == d->end || hex_value(*d->at) < 0)
			return fail(d, "an escape with a wrong number");
		code = code << 4 | (uint32_t)hex_value(*d->at);
	}
	if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return fail(d, "an escape for no character");
	put_code(d, code);
	return true;
}

/* What stands behind a backslash, which is passed. */
static bool
put_escape(struct decoder *d)
{
	static const struct { char name; uint32_t code; } table[] = {
		{ '0', 0 }, { 'a', 7 }, { 'b', 8 }, { 't', 9 }, { '\t', 9 }, { 'n', 10 },
		{ 'v', 11 }, { 'f', 12 }, { 'r', 13 }, { 'e', 27 }, { ' ', ' ' }, { '"', '"' },
		{ '/', '/' }, { '\\', '\\' }, { '\'', '\'' }, { 'N', 0x85 }, { '_', 0xa0 },
		{ 'L', 0x2028 }, { 'P', 0x2029 },
	};
	char name = *d->at++; /* never the end: the parser went over it */

	if (name == 'x' || name == 'u' || name == 'U')
		return put_hex(d, name == 'x' ? 2 : name == 'u' ? 4 : 8);
	if (name == '\n') { /* the next line follows without a blank */
		skip_blanks(d);
		for (size_t n = skip_breaks(d); n > 0; n--)
			*d->out++ = '\n';
		return true;
	}
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].name == name) {
			put_code(d, table[i].code);
			return true;
		}
	}
	return fail(d, "an unknown escape");
}

static bool
decode(struct decoder *d, enum entry_kind kind)
{
	while (d->at < d->end) {
		char c = *d->at;

		if (c == '\n') {
			fold(d);
			continue;
		}
		d->at++;
		if (kind == ENTRY_DOUBLE && c == '\\') {
			if (!put_escape(d))
				return false;
			d->floor = d->out;
			continue;
		}
		if (kind == ENTRY_SINGLE && c == '\'')
			d->at++; /* the second of two */
		*d->out++ = c;
	}
	return true;
}

bool
entry_yaml_decode(const struct entry_node *node, struct secret **out, struct err *e)
{
	/* no escape gives more bytes than twice its own: \L is three */
	AUTO(secret_drop) struct secret *s = secret_new(2 * node->text.len + 1);
	char *start = secret_space(s).ptr;
	const char *text = node->text.len > 0 ? node->text.ptr : "";
	struct decoder d = { text, text + node->text.len, start, start, node->line, e };

	if (node->kind > ENTRY_DOUBLE)
		return fail(&d, "a plain or quoted text must be here");
	if (!decode(&d, node->kind))
		return false;
	secret_set_len(s, (size_t)(d.out - start));
	*out = TAKE(s);
	return true;
}
