/* SPDX-License-Identifier: MIT */
/* Pins in memory, compared, and their file: read, added to and replaced under one lock. */
#include "state/pins.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "state/state_file.h"

#define PINS_NAME "pins"

static void
field_done(struct pin_field *f)
{
	free(f->name);
	argv_done(&f->words);
}

static void
pin_done(struct pin *p)
{
	for (size_t i = 0; i < p->n; i++)
		field_done(&p->fields[i]);
	free(p->fields);
	free(p->name);
}

void
pins_done(struct pins *l)
{
	for (size_t i = 0; i < l->n; i++)
		pin_done(&l->at[i]);
	free(l->at);
	*l = (struct pins){ 0 };
}

/* Where it is, or where it belongs. */
static size_t
place_of(const struct pins *l, enum pin_kind kind, const char *name, bool *there)
{
	size_t low = 0, high = l->n;

	*there = false;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct pin *p = &l->at[mid];
		int order = kind != p->kind ? (kind < p->kind ? -1 : 1) : strcmp(name, p->name);

		if (order == 0)
			*there = true;
		if (order <= 0)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

const struct pin *
pins_find(const struct pins *l, enum pin_kind kind, const char *name)
{
	bool there;
	size_t i = place_of(l, kind, name, &there);

	return there ? &l->at[i] : NULL;
}

struct pin *
pins_put(struct pins *l, enum pin_kind kind, const char *name, int64_t since)
{
	bool there;
	size_t i = place_of(l, kind, name, &there);
	char *own = mem_strdup(name);

	if (there) {
		pin_done(&l->at[i]);
	} else {
		mem_push(&l->at, &l->n, sizeof(*l->at));
		memmove(&l->at[i + 1], &l->at[i], (l->n - 1 - i) * sizeof(*l->at));
	}
	struct pin *p = &l->at[i];

	p->kind = kind;
	p->name = own;
	p->since = since;
	p->fields = NULL;
	p->n = 0;
	return p;
}

static size_t
place_of_field(const struct pin *p, const char *name, bool *there)
{
	size_t low = 0, high = p->n;

	*there = false;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = strcmp(p->fields[mid].name, name);

		if (order == 0)
			*there = true;
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct argv *
pin_field(struct pin *p, const char *name)
{
	bool there;
	size_t i = place_of_field(p, name, &there);

	if (!there) {
		mem_push(&p->fields, &p->n, sizeof(*p->fields));
		memmove(&p->fields[i + 1], &p->fields[i], (p->n - 1 - i) * sizeof(*p->fields));
		p->fields[i] = (struct pin_field){ .name = mem_strdup(name) };
	}
	return &p->fields[i].words;
}

const struct argv *
pin_words(const struct pin *p, const char *name)
{
	bool there = false;
	size_t i = p ? place_of_field(p, name, &there) : 0;

	return there ? &p->fields[i].words : NULL;
}

struct pin *
pins_copy(struct pins *to, const struct pin *from)
{
	struct pin *p = pins_put(to, from->kind, from->name, from->since);

	for (size_t i = 0; i < from->n; i++)
		argv_add_all(pin_field(p, from->fields[i].name), &from->fields[i].words);
	return p;
}

/* --- comparing --- */

void
pin_changes_done(struct pin_changes *c)
{
	free(c->at);
	*c = (struct pin_changes){ 0 };
}

static void
add_change(struct pin_changes *out, const struct pin_field *was, const struct pin_field *is)
{
	assert(was || is);
	*(struct pin_change *)mem_push(&out->at, &out->n, sizeof(*out->at)) = (struct pin_change){
		.field = is ? is->name : was->name,
		.was = was ? &was->words : NULL,
		.is = is ? &is->words : NULL,
	};
}

static bool
same_words(const struct argv *a, const struct argv *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->at[i], b->at[i]) != 0)
			return false;
	return true;
}

void
pin_compare(const struct pin *was, const struct pin *is, struct pin_changes *out)
{
	size_t i = 0, k = 0, n = was ? was->n : 0;

	while (i < n || k < is->n) {
		const struct pin_field *a = i < n ? &was->fields[i] : NULL;
		const struct pin_field *b = k < is->n ? &is->fields[k] : NULL;
		int order = !a ? 1 : !b ? -1 : strcmp(a->name, b->name);

		if (order != 0 || !same_words(&a->words, &b->words))
			add_change(out, order <= 0 ? a : NULL, order >= 0 ? b : NULL);
		i += order <= 0;
		k += order >= 0;
	}
}

/* --- the file --- */

static bool
read_locked(const struct state_file *f, struct pins *out, struct err *e)
{
	AUTO(str_done) struct str text = { 0 };
	bool there = false;

	if (!state_file_read(f, &there, &text, e))
		return false;
	return !there || pins_parse(str_bytes(&text), out, e) || state_file_blame(f, e);
}

bool
pins_read(const char *dir, struct pins *out, struct err *e)
{
	AUTO(state_file_done) struct state_file f = { .dir = -1 };
	struct err why = { 0 };

	if (!state_file_open(dir, PINS_NAME, false, &f, &why)) {
		if (errno == ENOENT)
			return true;
		*e = why;
		return false;
	}
	if (!state_file_lock(&f, false, e))
		return false;
	bool ok = read_locked(&f, out, e);

	state_file_unlock(&f);
	return ok;
}

static bool
write_locked(const struct state_file *f, const struct pins *pins, bool replace, struct err *e)
{
	AUTO(pins_done) struct pins all = { 0 };
	AUTO(str_done) struct str before = { 0 }, after = { 0 };

	if (!read_locked(f, &all, e))
		return false;
	pins_format(&all, &before);
	for (size_t i = 0; i < pins->n; i++)
		if (replace || !pins_find(&all, pins->at[i].kind, pins->at[i].name))
			pins_copy(&all, &pins->at[i]);
	pins_format(&all, &after);
	return strcmp(str_text(&before), str_text(&after)) == 0 ||
	       state_file_replace(f, str_bytes(&after), e);
}

bool
pins_write(const char *dir, const struct pins *pins, bool replace, struct err *e)
{
	AUTO(state_file_done) struct state_file f = { .dir = -1 };

	if (!state_file_open(dir, PINS_NAME, true, &f, e) || !state_file_lock(&f, true, e))
		return false;
	bool ok = write_locked(&f, pins, replace, e);

	state_file_unlock(&f);
	return ok;
}
