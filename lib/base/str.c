/* SPDX-License-Identifier: MIT */
/*
 * str: the capacity is not stored but follows from the length: the next power
 * of two above len + 1, at least 16. A string may have more than that (after
 * str_clear), never less. Nothing grows above STR_MAX.
 */
#include "base/str.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STR_MAX ((size_t)1 << 30)
#define NAME_MAX_DISTANCE 64 /* longest name str_distance looks at */
#define WORD_KEPT 60	     /* bytes of a word that is cut, at least */
#define WORDS_CUT 4	     /* in one sentence */

static size_t
capacity(size_t len)
{
	size_t cap = 16;

	while (cap <= len)
		cap *= 2;
	return cap;
}

/* Make room for `more` bytes and a NUL behind what is there; return the place. */
static char *
room(struct str *s, size_t more)
{
	if (more > STR_MAX - s->len)
		mem_exhausted();
	if (!s->ptr || capacity(s->len + more) > capacity(s->len))
		s->ptr = mem_resize(s->ptr, capacity(s->len + more), 1);
	return s->ptr + s->len;
}

void
str_done(struct str *s)
{
	free(s->ptr);
	*s = (struct str){ 0 };
}

void
str_clear(struct str *s)
{
	s->len = 0;
	if (s->ptr)
		s->ptr[0] = '\0';
}

void
str_add(struct str *s, const char *text)
{
	str_add_bytes(s, bytes_of(text));
}

void
str_add_bytes(struct str *s, struct bytes b)
{
	char *at = room(s, b.len);

	if (b.len > 0)
		memcpy(at, b.ptr, b.len);
	at[b.len] = '\0';
	s->len += b.len;
}

void
str_add_char(struct str *s, char c)
{
	str_add_bytes(s, (struct bytes){ &c, 1 });
}

void
str_addv(struct str *s, const char *fmt, va_list args)
{
	va_list again;
	int n;

	va_copy(again, args);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0)
		mem_exhausted();
	vsnprintf(room(s, (size_t)n), (size_t)n + 1, fmt, args);
	s->len += (size_t)n;
}

void
str_addf(struct str *s, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	str_addv(s, fmt, args);
	va_end(args);
}

const char *
str_text(const struct str *s)
{
	return s->ptr ? s->ptr : "";
}

struct bytes
str_bytes(const struct str *s)
{
	return (struct bytes){ str_text(s), s->len };
}

char *
str_take(struct str *s)
{
	char *text = s->ptr ? s->ptr : mem_strdup("");

	*s = (struct str){ 0 };
	return text;
}

bool
str_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool
str_ends(const char *s, const char *suffix)
{
	size_t len = strlen(s), tail = strlen(suffix);

	return len >= tail && memcmp(s + len - tail, suffix, tail) == 0;
}

bool
str_equal(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

char *
str_copy(const char *s)
{
	return s ? mem_strdup(s) : NULL;
}

struct bytes
bytes_of(const char *s)
{
	return (struct bytes){ s, strlen(s) };
}

static unsigned
least(unsigned a, unsigned b, unsigned c)
{
	unsigned ab = a < b ? a : b;

	return ab < c ? ab : c;
}

unsigned
str_distance(const char *a, const char *b, unsigned limit)
{
	/* row[i % 3][j]: distance of the first i bytes of a and the first j of b */
	unsigned row[3][NAME_MAX_DISTANCE + 1];
	size_t n = strlen(a), m = strlen(b);

	if (n > NAME_MAX_DISTANCE || m > NAME_MAX_DISTANCE)
		return limit + 1;
	for (size_t i = 0; i <= n; i++) {
		unsigned *now = row[i % 3], *up = row[(i + 2) % 3], *up2 = row[(i + 1) % 3];

		now[0] = (unsigned)i;
		for (size_t j = 1; j <= m; j++) {
			unsigned other = i > 0 && a[i - 1] != b[j - 1];

			if (i == 0) {
				now[j] = (unsigned)j;
				continue;
			}
			now[j] = least(up[j] + 1, now[j - 1] + 1, up[j - 1] + other);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = least(now[j], up2[j - 2] + 1, now[j]);
		}
	}
	return row[n % 3][m] <= limit ? row[n % 3][m] : limit + 1;
}

/* Length of the UTF-8 sequence that byte `c` begins, 0 if none does. */
static size_t
sequence_length(unsigned char c)
{
	if (c < 0x80)
		return 1;
	if (c < 0xc2) /* 0x80..: in the middle of one; 0xc0, 0xc1: overlong */
		return 0;
	if (c < 0xe0)
		return 2;
	if (c < 0xf0)
		return 3;
	return c < 0xf5 ? 4 : 0;
}

/*
 * A code point that moves the cursor, ends the line, turns its direction or is not seen at all: the
 * categories Cc, Cf, Zl and Zp of Unicode 15, with what may yet be assigned between those of the tags.
 */
static bool
is_control(uint32_t c)
{
	static const uint32_t ranges[][2] = { { 0, 0x1f }, { 0x7f, 0x9f }, { 0xad, 0xad },
		{ 0x600, 0x605 }, { 0x61c, 0x61c }, { 0x6dd, 0x6dd }, { 0x70f, 0x70f },
		{ 0x890, 0x891 }, { 0x8e2, 0x8e2 }, { 0x180e, 0x180e }, { 0x200b, 0x200f },
		{ 0x2028, 0x202e }, { 0x2060, 0x206f }, { 0xfeff, 0xfeff }, { 0xfff9, 0xfffb },
		{ 0x110bd, 0x110bd }, { 0x110cd, 0x110cd }, { 0x13430, 0x1343f },
		{ 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a }, { 0xe0000, 0xe007f } };

	for (size_t i = 0; i < COUNT(ranges) && c >= ranges[i][0]; i++)
		if (c <= ranges[i][1])
			return true;
	return false;
}

size_t
str_printable(const char *p, size_t len)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = len > 0 ? sequence_length((unsigned char)*p) : 0;
	uint32_t c;

	if (n == 0 || n > len)
		return 0;
	c = n == 1 ? (unsigned char)*p : (unsigned char)*p & (0x7fU >> n);
	for (size_t i = 1; i < n; i++) {
		if (((unsigned char)p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | ((unsigned char)p[i] & 0x3f);
	}
	if (c < smallest[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) || is_control(c))
		return 0;
	return n;
}

void
str_add_escaped(struct str *out, struct bytes foreign, size_t cap)
{
	const char *p = foreign.ptr;
	size_t left = foreign.len, i = 0;

	while (i < left) {
		size_t len = str_printable(p + i, left - i);

		if (i + (len ? len : 1) > cap) {
			str_add(out, "...");
			return;
		}
		if (len == 0)
			str_addf(out, "\\x%02x", (unsigned char)p[i]);
		else if (p[i] == '\\')
			str_add(out, "\\\\");
		else
			str_add_bytes(out, (struct bytes){ p + i, len });
		i += len ? len : 1;
	}
}

static bool
is_inside_character(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* Of the n bytes from `at` on the first third and the last two of `keep` stay, less what would be half a character. */
static void
cut_middle(struct str *s, size_t at, size_t n, size_t keep)
{
	size_t head = at + keep / 3, tail = at + n - (keep - keep / 3 - 3);

	while (head > at && is_inside_character(s->ptr[head]))
		head--;
	while (tail < at + n && is_inside_character(s->ptr[tail]))
		tail++;
	memcpy(s->ptr + head, "...", 3);
	memmove(s->ptr + head + 3, s->ptr + tail, s->len - tail + 1);
	s->len -= tail - head - 3;
}

/* The longest run of bytes without a blank; returns how many. */
static size_t
longest_word(const char *text, size_t *out_at)
{
	size_t longest = 0;

	for (const char *p = text; *p; p += *p == ' ') {
		size_t len = strcspn(p, " ");

		if (len > longest) {
			longest = len;
			*out_at = (size_t)(p - text);
		}
		p += len;
	}
	return longest;
}

void
str_shorten(struct str *s, size_t max)
{
	for (int i = 0; s->len > max; i++) {
		size_t at = 0, n = longest_word(s->ptr, &at), over = s->len - max;

		if (i < WORDS_CUT && n > WORD_KEPT)
			cut_middle(s, at, n, n > WORD_KEPT + over ? n - over : WORD_KEPT);
		else
			cut_middle(s, 0, s->len, max);
	}
}

void
argv_done(struct argv *a)
{
	for (size_t i = 0; i < a->n; i++)
		free(a->at[i]);
	free(a->at);
	*a = (struct argv){ 0 };
}

/* Append a word that the list owns from here on. */
static void
argv_give(struct argv *a, char *word)
{
	size_t slots = a->at ? a->n + 1 : 0; /* the NULL at the end is one */

	if (slots == 0)
		mem_push(&a->at, &slots, sizeof(*a->at));
	mem_push(&a->at, &slots, sizeof(*a->at));
	a->at[a->n++] = word;
}

void
argv_add(struct argv *a, const char *word)
{
	argv_give(a, mem_strdup(word));
}

void
argv_add_all(struct argv *to, const struct argv *from)
{
	for (size_t i = 0; i < from->n; i++)
		argv_add(to, from->at[i]);
}

bool
argv_has(const struct argv *a, const char *word)
{
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->at[i], word) == 0)
			return true;
	return false;
}

void
argv_addf(struct argv *a, const char *fmt, ...)
{
	struct str word = { 0 };
	va_list args;

	va_start(args, fmt);
	str_addv(&word, fmt, args);
	va_end(args);
	argv_give(a, str_take(&word));
}

const char *const *
argv_words(const struct argv *a)
{
	static const char *const none[] = { NULL };

	return a->at ? (const char *const *)a->at : none;
}
