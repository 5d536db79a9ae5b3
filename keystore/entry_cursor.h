/* SPDX-License-Identifier: MIT */
/*
 * entry_cursor: a place in YAML text, with its line and column, and the few
 * questions that are asked of it. The text must hold no NUL. Bytes are
 * borrowed, nothing is copied. For the parser (entry_parser.h) only.
 */
#ifndef KEYSTORE_ENTRY_CURSOR_H
#define KEYSTORE_ENTRY_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include "base/str.h"

struct cursor {
	const char *at, *end, *line_start;
	unsigned line; /* from 1 */
};

struct cursor cursor_at_start(struct bytes text);

/* The character so many ahead; 0 behind the end. */
char cursor_peek(const struct cursor *c, size_t ahead);
int cursor_column(const struct cursor *c);
/* Blank, tab, line break or end. */
bool cursor_is_blank(char c);
bool cursor_is_one_of(char c, const char *set);

/* This character and a blank behind it: "- ", ": ", "? ". */
bool cursor_is_indicator(const struct cursor *c, char indicator);
/* "---" or "..." at the beginning of a line. */
bool cursor_is_marker(const struct cursor *c, const char *marker);
/* The end of the text or of the document. */
bool cursor_at_end(const struct cursor *c);
/* '#' behind a blank. */
bool cursor_at_comment(const struct cursor *c);

/* One character on; not at the end. */
void cursor_step(struct cursor *c);
/* Blanks and tabs of this line. */
void cursor_skip_blanks(struct cursor *c);
/* To the break that ends this line. */
void cursor_skip_line(struct cursor *c);
/* To what is no blank, break or comment. A tab does not indent: it is where this stops. */
void cursor_next_token(struct cursor *c);

#endif
