/* SPDX-License-Identifier: MIT */
/* What differs from what is remembered: a line a field, "colo/web1: address was 'a', is 'b'". */
#include "arver/show.h"

#include <string.h>
#include "arver/json.h"
#include "base/log.h"
#include "inventory/inventory.h"
#include "state/pins.h"

#define LONG_BYTES 1000 /* of a value: both must find room in a line */
#define BEFORE_BYTES 40 /* of what is the same, where a long value is cut */

/* 'word' 'word', where a quote or backslash in a word cannot be mistaken for one around it. */
static void
add_words(struct str *out, const struct argv *words)
{
	for (size_t i = 0; i < words->n; i++) {
		const char *p = words->at[i];

		str_add(out, i > 0 ? " '" : "'");
		for (size_t len; *p; p += len) {
			len = strcspn(p, "'");
			str_add_escaped(out, (struct bytes){ p, len }, SIZE_MAX);
			if (p[len] == '\'')
				str_add(out, "\\x27");
			len += p[len] == '\'';
		}
		str_add_char(out, '\'');
	}
}

static const char *
value(struct str *text, const struct argv *words)
{
	if (!words)
		return "not set";
	if (words->n == 0)
		return "empty";
	add_words(text, words);
	return str_text(text);
}

/* How much of two long values is the same and need not be shown: the difference may be far behind. */
static size_t
common(const char *a, const char *b)
{
	size_t n = 0;

	while (a[n] && a[n] == b[n])
		n++;
	return (strlen(a) > LONG_BYTES || strlen(b) > LONG_BYTES) && n > BEFORE_BYTES
		   ? n - BEFORE_BYTES : 0;
}

static char *
excerpt(const char *text, size_t skip)
{
	return mem_printf("%s%.*s%s", skip > 0 ? "..." : "", LONG_BYTES, text + skip,
	    strlen(text + skip) > LONG_BYTES ? "..." : "");
}

/* `is_new`: nothing was known of it before. */
static void
show_change(enum log_level level, const char *path, const char *field, const struct pin_change *c,
    bool is_new)
{
	AUTO(str_done) struct str was = { 0 }, is = { 0 };
	const char *a = value(&was, c->was), *b = value(&is, c->is);
	size_t skip = common(a, b);
	AUTO(mem_free_drop) char *before = excerpt(a, skip), *now = excerpt(b, skip);

	if (is_new)
		log_line(level, "%s: %s is %s", path, field, now);
	else
		log_line(level, "%s: %s was %s, is %s", path, field, before, now);
}

void
show_changes(struct show *s, const struct pin *was, const struct pin *is,
    const struct pin_changes *changes, bool accepted)
{
	const char *name = is->kind == PIN_HOST ? path_shown(is->name) : is->name;

	if (s->json)
		json_changed(s->json, was, is, changes, accepted);
	for (size_t i = 0; i < changes->n; i++) {
		const struct pin_change *c = &changes->at[i];
		const char *slash = strrchr(c->field, '/');
		AUTO(mem_free_drop) char *path = mem_printf("%s%s%.*s", name, slash ? "/" : "",
		    slash ? (int)(slash - c->field) : 0, c->field);

		show_change(accepted ? LOG_INFO : LOG_ERROR, path, slash ? slash + 1 : c->field, c,
		    !was);
	}
}
