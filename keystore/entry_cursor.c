/* SPDX-License-Identifier: MIT */
/*
 * entry_cursor: no call reads behind the end, whatever the text: all of them
 * look through cursor_peek or compare with `end` first.
 */
#include "keystore/entry_cursor.h"

#include <string.h>

struct cursor
cursor_at_start(struct bytes text)
{
	const char *start = text.len > 0 ? text.ptr : "";

	return (struct cursor){ start, start + text.len, start, 1 };
}

char
cursor_peek(const struct cursor *c, size_t ahead)
{
	return (size_t)(c->end - c->at) > ahead ? c->at[ahead] : '\0';
}

int
cursor_column(const struct cursor *c)
{
	return (int)(c->at - c->line_start);
}

bool
cursor_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\0';
}

bool
cursor_is_one_of(char c, const char *set)
{
	return c && strchr(set, c);
}

bool
cursor_is_indicator(const struct cursor *c, char indicator)
{
	return cursor_peek(c, 0) == indicator && cursor_is_blank(cursor_peek(c, 1));
}

bool
cursor_is_marker(const struct cursor *c, const char *marker)
{
	return c->at == c->line_start && c->end - c->at >= 3 && memcmp(c->at, marker, 3) == 0 &&
	    cursor_is_blank(cursor_peek(c, 3));
}

bool
cursor_at_end(const struct cursor *c)
{
	return c->at == c->end || cursor_is_marker(c, "---") || cursor_is_marker(c, "...");
}

bool
cursor_at_comment(const struct cursor *c)
{
	return cursor_peek(c, 0) == '#' && (c->at == c->line_start || cursor_is_blank(c->at[-1]));
}

void
cursor_step(struct cursor *c)
{
	if (*c->at++ == '\n') {
		c->line++;
		c->line_start = c->at;
	}
}

void
cursor_skip_blanks(struct cursor *c)
{
	while (cursor_peek(c, 0) == ' ' || cursor_peek(c, 0) == '\t')
		c->at++;
}

void
cursor_skip_line(struct cursor *c)
{
	while (c->at < c->end && *c->at != '\n')
		c->at++;
}

void
cursor_next_token(struct cursor *c)
{
	for (;;) {
		bool indent = c->at == c->line_start;

		while (cursor_peek(c, 0) == ' ' || (!indent && cursor_peek(c, 0) == '\t'))
			c->at++;
		if (cursor_at_comment(c))
			cursor_skip_line(c);
		if (cursor_peek(c, 0) != '\n')
			return;
		cursor_step(c);
	}
}
