/* SPDX-License-Identifier: MIT */
/*
 * str: byte strings and argument lists that grow up to a cap. For anything
 * that is no secret: a passphrase lives in struct secret (base/secret.h) only.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include "base/err.h"
#include "base/mem.h"

/* Borrowed bytes; may hold NUL. */
struct bytes {
	const void *ptr;
	size_t len;
};

/* Borrowed room to write into. */
struct span {
	void *ptr;
	size_t len;
};

/* Zero-initialize; `ptr` is NULL or NUL-terminated behind `len` bytes. */
struct str {
	char *ptr;
	size_t len;
};

void str_done(struct str *s); /* frees and zeroes: AUTO(str_done) struct str s = { 0 }; */
void str_clear(struct str *s);
void str_add(struct str *s, const char *text);
void str_add_bytes(struct str *s, struct bytes b);
void str_add_char(struct str *s, char c);
void str_addf(struct str *s, const char *fmt, ...) PRINTF(2, 3);
void str_addv(struct str *s, const char *fmt, va_list args) PRINTF(2, 0);
const char *str_text(const struct str *s); /* never NULL: "" when empty */
struct bytes str_bytes(const struct str *s);
/* The string as owned memory (never NULL, free()); *s becomes empty. */
char *str_take(struct str *s);

bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);
bool str_equal(const char *a, const char *b); /* NULL equals only NULL */
char *str_copy(const char *s); /* owned memory; NULL stays NULL */
struct bytes bytes_of(const char *s);

/*
 * Edit distance of two names, for "did you mean": bytes, substitutions,
 * insertions, deletions and swaps of neighbours count 1 each. Names over 64
 * bytes are told as `limit + 1`, as is any distance above `limit`.
 */
unsigned str_distance(const char *a, const char *b, unsigned limit);

/*
 * Length of the one UTF-8 character that begins at p (1 to 4, at most `len`),
 * or 0 if there is none or it is not fit for a terminal: a control character
 * (C0, DEL, C1), a line separator, or a format character, which is not seen or
 * turns the writing direction.
 */
size_t str_printable(const char *p, size_t len);

/*
 * Append `foreign` to *out so that it can stand on a terminal or in a log
 * line: what str_printable refuses becomes \xNN, byte by byte, a backslash is
 * doubled, and what is over `cap` source bytes is cut and marked with "...".
 */
void str_add_escaped(struct str *out, struct bytes foreign, size_t cap);

/*
 * Cut to at most `max` bytes (200 or more), so that a sentence can still be read: "..." takes the place
 * of the middle of its longest words, which are paths and the like, or where that is not enough, of all of it.
 */
void str_shorten(struct str *s, size_t max);

/* A NULL-terminated list of words that it owns. Zero-initialize. */
struct argv {
	char **at;
	size_t n;
};

void argv_done(struct argv *a);
void argv_add(struct argv *a, const char *word);
void argv_add_all(struct argv *to, const struct argv *from);
bool argv_has(const struct argv *a, const char *word);
void argv_addf(struct argv *a, const char *fmt, ...) PRINTF(2, 3);
const char *const *argv_words(const struct argv *a); /* NULL-terminated, never NULL */

#endif
