/* SPDX-License-Identifier: MIT */
/*
 * entry_format: entries to YAML that Psych reads as the same. Written twice,
 * first into nothing to learn the length, so that the secret has room for
 * exactly it. Every text is double-quoted on one line; a path stands once.
 */
#include "keystore/entry.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "keystore/entry_yaml.h"

#define LONG_KEY 120	 /* bytes of a path from which on "? path" is written */
#define TIME_LIMIT 1e12 /* later than any real date; keeps microseconds inside 64 bits */

struct writer {
	char *out; /* NULL: only count */
	size_t len;
};

static void
put_bytes(struct writer *w, struct bytes b)
{
	if (w->out && b.len > 0)
		memcpy(w->out + w->len, b.ptr, b.len);
	w->len += b.len;
}

static void
put(struct writer *w, const char *text)
{
	put_bytes(w, bytes_of(text));
}

/* One character that cannot stand as it is. */
static void
put_escaped(struct writer *w, uint32_t code)
{
	char text[16]; /* \U0010ffff */

	if (code == '"' || code == '\\')
		snprintf(text, sizeof(text), "\\%c", (char)code);
	else if (code < 0x100)
		snprintf(text, sizeof(text), "\\x%02x", code);
	else
		snprintf(text, sizeof(text), "\\u%04x", code); /* none of these is larger */
	put(w, text);
}

static void
put_quoted(struct writer *w, struct bytes b)
{
	const char *p = b.ptr;

	put(w, "\"");
	for (size_t i = 0; i < b.len;) {
		uint32_t code = 0;
		size_t n = entry_yaml_character(p + i, b.len - i, &code);

		if (n == 0)
			put_escaped(w, (unsigned char)p[i]);
		else if (code == '"' || code == '\\' || !entry_yaml_printable(code))
			put_escaped(w, code);
		else
			put_bytes(w, (struct bytes){ p + i, n });
		i += n ? n : 1;
	}
	put(w, "\"");
}

/* Not by printf's %f: its point is the locale's. */
static void
put_time(struct writer *w, double time)
{
	double size = time < 0 ? -time : time;
	long long us = (long long)((size < TIME_LIMIT ? size : TIME_LIMIT) * 1e6 + 0.5);
	char text[40]; /* a sign, 13 digits, the point, 6 digits */

	snprintf(text, sizeof(text), "%s%lld.%06lld", time < 0 ? "-" : "", us / 1000000,
	    us % 1000000);
	put(w, text);
}

static void
put_time_field(struct writer *w, const char *indent, const char *name, double time)
{
	if (time == 0.0)
		return;
	put(w, indent);
	put(w, name);
	put_time(w, time);
	put(w, "\n");
}

static void
put_text_field(struct writer *w, const char *indent, const char *name, const char *text)
{
	if (!text)
		return;
	put(w, indent);
	put(w, name);
	put_quoted(w, bytes_of(text));
	put(w, "\n");
}

/* `first` stands before the first line, `indent` before the others. */
static void
put_fields(struct writer *w, const struct entry *entry, const char *first, const char *indent)
{
	put(w, first);
	put(w, ":key: ");
	put_quoted(w, secret_bytes(entry->key));
	put(w, "\n");
	put(w, indent);
	put(w, ":time: ");
	put_time(w, entry->time);
	put(w, "\n");
	put_time_field(w, indent, ":made: ", entry->made);
	put_time_field(w, indent, ":proven: ", entry->proven);
	put_time_field(w, indent, ":dead: ", entry->dead);
	put_time_field(w, indent, ":vouched: ", entry->vouched);
	put_text_field(w, indent, ":uuid: ", entry->uuid);
	put_text_field(w, indent, ":by: ", entry->by);
}

/* All entries of one path; the first is the main one. */
static void
put_path(struct writer *w, const struct entry *const *at, size_t n)
{
	bool is_long = strlen(at[0]->path) > LONG_KEY;

	put(w, is_long ? "? " : "");
	put_quoted(w, bytes_of(at[0]->path));
	put(w, is_long ? "\n" : ":\n");
	put_fields(w, at[0], is_long ? ": " : "  ", "  ");
	if (n > 1)
		put(w, "  :also:\n");
	for (size_t i = 1; i < n; i++)
		put_fields(w, at[i], "  - ", "    ");
}

static void
put_all(struct writer *w, const struct entry *const *sorted, size_t n)
{
	put(w, n > 0 ? "---\n" : "--- {}\n");
	for (size_t i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n && str_equal(sorted[i]->path, sorted[end]->path); end++)
			;
		put_path(w, sorted + i, end - i);
	}
}

/* By path; in one path the latest first, among equals the one that stood first. */
static int
by_path_and_time(const void *a, const void *b)
{
	const struct entry *x = *(const struct entry *const *)a;
	const struct entry *y = *(const struct entry *const *)b;
	int order = strcmp(x->path, y->path);

	if (order)
		return order;
	if (x->time != y->time)
		return x->time > y->time ? -1 : 1;
	return (x > y) - (x < y);
}

struct secret *
entry_format(const struct entry_list *l)
{
	AUTO(mem_free_drop) const struct entry **sorted =
	    mem_alloc(l->n, sizeof(const struct entry *));
	struct writer w = { 0 };
	struct secret *s;

	for (size_t i = 0; i < l->n; i++)
		sorted[i] = &l->at[i];
	qsort((void *)sorted, l->n, sizeof(const struct entry *), by_path_and_time);
	put_all(&w, sorted, l->n);
	s = secret_new(w.len);
	w = (struct writer){ .out = secret_space(s).ptr };
	put_all(&w, sorted, l->n);
	secret_set_len(s, w.len);
	return s;
}
