/* SPDX-License-Identifier: MIT */
/*
 * entry: what the tree of a key file means. Keys go from the text into secrets of
 * their own; of everything else only what is known is taken, and what is
 * known must have its proper form. As with Psych, the last of two equal keys counts.
 */
#include "keystore/entry.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "keystore/entry_yaml.h"

#define MAX_ENTRIES 65536 /* an alias costs three bytes, what it stands for may be large */
#define MAX_NUMBER 64	  /* characters */
#define MAX_NAME 16	  /* bytes as written; a field with a longer name is none of ours */
#define MAX_TEXT ((size_t)4 << 10)
#define MAX_KEY ((size_t)64 << 10)
#define MAX_ESCAPE 4 /* bytes as written for one that is meant: \x7f */
#define MAX_WORK ((size_t)16 << 20) /* as much as the whole text of a file may have */

/* A tree being read, and how many bytes of it may still be: aliases are read anew each time. */
struct reading {
	struct entry_tree tree;
	size_t left;
	struct err *e;
};

static void
reading_done(struct reading *r)
{
	entry_tree_done(&r->tree);
}

void
entry_list_done(struct entry_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->at[i].path);
		secret_free(l->at[i].key);
		free(l->at[i].uuid);
		free(l->at[i].by);
	}
	free(l->at);
	*l = (struct entry_list){ 0 };
}

struct entry *
entry_list_add(struct entry_list *l)
{
	return mem_push(&l->at, &l->n, sizeof(*l->at));
}

static bool
fail(const struct reading *r, const struct entry_node *node, const char *what)
{
	err_set(r->e, ERR_DATA, "line %u: %s", node->line, what);
	return false;
}

static bool
is_null(const struct entry_node *node)
{
	static const char *const words[] = { "", "~", "null", "Null", "NULL" };

	for (size_t i = 0; i < COUNT(words); i++)
		if (node->kind == ENTRY_PLAIN && node->text.len == strlen(words[i]) &&
		    (node->text.len == 0 || memcmp(node->text.ptr, words[i], node->text.len) == 0))
			return true;
	return false;
}

/* Account for so many bytes, and one for the look at them. */
static bool
spend(struct reading *r, const struct entry_node *node, size_t bytes)
{
	if (bytes >= r->left)
		return fail(r, node, "more text, by way of aliases, than a file can have");
	r->left -= bytes + 1;
	return true;
}

/* A scalar of at most so many bytes, however it is written: what entry_format makes of it fits again. */
static bool
decode(struct reading *r, const struct entry_node *node, size_t max, struct secret **out)
{
	AUTO(secret_drop) struct secret *s = NULL;

	if (node->tagged)
		return fail(r, node, "a tag where none may be");
	if (node->text.len > max * MAX_ESCAPE)
		return fail(r, node, "a text that is too long");
	if (!spend(r, node, node->text.len) || !entry_yaml_decode(node, &s, r->e))
		return false;
	if (secret_bytes(s).len > max)
		return fail(r, node, "a text that is too long");
	*out = TAKE(s);
	return true;
}

static bool
has_control(struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		if (((const unsigned char *)b.ptr)[i] < 0x20)
			return true;
	return false;
}

/* A text that is no key, on one line: paths come to stand in the journal. */
static bool
read_text(struct reading *r, const struct entry_node *node, char **out)
{
	AUTO(secret_drop) struct secret *s = NULL;
	struct bytes b;

	if (!decode(r, node, MAX_TEXT, &s))
		return false;
	b = secret_bytes(s);
	if (b.len == 0 || has_control(b))
		return fail(r, node, "an empty text, or one with control characters");
	free(*out);
	*out = mem_strndup(b.ptr, b.len);
	return true;
}

/* A passphrase as it goes to LUKS: one line, and not nothing. */
static bool
read_key(struct reading *r, const struct entry_node *node, struct secret **out)
{
	AUTO(secret_drop) struct secret *s = NULL;
	struct bytes b;

	if (is_null(node))
		return fail(r, node, "a key is missing");
	if (!decode(r, node, MAX_KEY, &s))
		return false;
	b = secret_bytes(s);
	if (has_control(b))
		return fail(r, node, "a key with control characters");
	if (b.len == 0)
		return fail(r, node, "an empty key");
	secret_free(*out);
	*out = secret_from(b); /* no larger than it is */
	return true;
}

/* strtod, with a point whatever the locale says. */
static double
number_of(const char *text, char **end)
{
	static locale_t c_locale;

	if (!c_locale)
		c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	return c_locale ? strtod_l(text, end, c_locale) : strtod(text, end);
}

static bool
read_number(struct reading *r, const struct entry_node *node, double *out)
{
	AUTO(mem_free_drop) char *text = NULL;
	char *end;
	double number;

	if (!read_text(r, node, &text))
		return false;
	if (strlen(text) > MAX_NUMBER || text[strspn(text, "0123456789+-.eE")])
		return fail(r, node, "a time that is no number");
	number = number_of(text, &end);
	if (*end || end == text || !isfinite(number))
		return fail(r, node, "a time that is no number");
	*out = number;
	return true;
}

/* The fields of an entry, where they are; NULL for what is absent. */
struct fields {
	const struct entry_node *key, *time, *made, *proven, *dead, *vouched, *uuid, *by, *also;
};

/* Is it the symbol :NAME, or quoted as :"NAME"? */
static bool
is_symbol(struct bytes b, const char *name)
{
	const char *p = b.ptr;
	size_t len = strlen(name);

	if (b.len == len + 3 && (p[1] == '"' || p[1] == '\'') && p[1] == p[b.len - 1])
		return p[0] == ':' && memcmp(p + 2, name, len) == 0;
	return b.len == len + 1 && p[0] == ':' && memcmp(p + 1, name, len) == 0;
}

static bool
note_field(struct reading *r, struct fields *f, const struct entry_node *name,
    const struct entry_node *value)
{
	const struct {
		const char *name;
		const struct entry_node **at;
	} table[] = {
		{ "key", &f->key }, { "time", &f->time }, { "made", &f->made },
		{ "proven", &f->proven }, { "dead", &f->dead }, { "vouched", &f->vouched },
		{ "uuid", &f->uuid }, { "by", &f->by }, { "also", &f->also },
	};
	AUTO(secret_drop) struct secret *s = NULL;

	if (!name->tagged && name->kind <= ENTRY_DOUBLE && name->text.len > MAX_NAME)
		return spend(r, name, 0);
	if (!decode(r, name, MAX_NAME, &s))
		return false;
	if (name->kind == ENTRY_PLAIN && name->text.len == 2 &&
	    memcmp(name->text.ptr, "<<", 2) == 0)
		return fail(r, name, "a merge key, which is not followed");
	for (size_t i = 0; i < COUNT(table); i++)
		if (is_symbol(secret_bytes(s), table[i].name))
			*table[i].at = value;
	return true;
}

static bool
find_fields(struct reading *r, const struct entry_node *map, struct fields *out)
{
	const struct entry_node *at = r->tree.at;

	for (size_t i = map->child; i; i = at[at[i].next].next)
		if (!note_field(r, out, &at[i], &at[at[i].next]))
			return false;
	return out->key || fail(r, map, "an entry without a key");
}

/* NULL if there are too many. */
static struct entry *
add_entry(struct reading *r, struct entry_list *out, const char *path,
    const struct entry_node *node)
{
	struct entry *entry = NULL;

	if (out->n == MAX_ENTRIES) {
		fail(r, node, "more keys than a file can have");
	} else if (spend(r, node, strlen(path))) {
		entry = entry_list_add(out);
		entry->path = mem_strdup(path);
	}
	return entry;
}

/* One entry from its fields, but for :also. */
static bool
read_fields(struct reading *r, const struct fields *f, const char *path, struct entry_list *out)
{
	struct entry *entry = add_entry(r, out, path, f->key);

	return entry && read_key(r, f->key, &entry->key) &&
	    (!f->time || read_number(r, f->time, &entry->time)) &&
	    (!f->made || read_number(r, f->made, &entry->made)) &&
	    (!f->proven || read_number(r, f->proven, &entry->proven)) &&
	    (!f->dead || read_number(r, f->dead, &entry->dead)) &&
	    (!f->vouched || read_number(r, f->vouched, &entry->vouched)) &&
	    (!f->uuid || is_null(f->uuid) || read_text(r, f->uuid, &entry->uuid)) &&
	    (!f->by || is_null(f->by) || read_text(r, f->by, &entry->by));
}

/* Further keys of the same disk. */
static bool
read_also(struct reading *r, const struct entry_node *list, const char *path,
    struct entry_list *out)
{
	const struct entry_node *at = r->tree.at;

	if (list->kind != ENTRY_LIST || list->tagged)
		return fail(r, list, ":also is no list");
	for (size_t i = list->child; i; i = at[i].next) {
		struct fields f = { 0 };

		if (at[i].kind != ENTRY_MAP || at[i].tagged)
			return fail(r, &at[i], "an item of :also is no mapping");
		if (!find_fields(r, &at[i], &f))
			return false;
		if (f.also)
			return fail(r, f.also, ":also inside :also");
		if (!read_fields(r, &f, path, out))
			return false;
	}
	return true;
}

static bool
read_entry(struct reading *r, const struct entry_node *value, const char *path,
    struct entry_list *out)
{
	struct fields f = { 0 };

	if (value->kind != ENTRY_MAP) { /* the oldest form */
		struct entry *entry = add_entry(r, out, path, value);

		return entry && read_key(r, value, &entry->key);
	}
	if (value->tagged)
		return fail(r, value, "a tag where none may be");
	return find_fields(r, value, &f) && read_fields(r, &f, path, out) &&
	    (!f.also || is_null(f.also) || read_also(r, f.also, path, out));
}

/* A path and what stands for it. */
struct pair {
	char *path;
	size_t value, order;
	bool replaced; /* there is a later one of the same path */
};

struct pairs {
	struct pair *at;
	size_t n;
};

static void
pairs_done(struct pairs *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->at[i].path);
	free(p->at);
}

static int
by_path(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	int order = strcmp(x->path, y->path);

	return order ? order : (x->order > y->order) - (x->order < y->order);
}

static int
by_order(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	return (x->order > y->order) - (x->order < y->order);
}

static void
mark_replaced(struct pairs *p)
{
	if (p->n == 0)
		return;
	qsort(p->at, p->n, sizeof(*p->at), by_path);
	for (size_t i = 0; i + 1 < p->n; i++)
		p->at[i].replaced = strcmp(p->at[i].path, p->at[i + 1].path) == 0;
	qsort(p->at, p->n, sizeof(*p->at), by_order);
}

static bool
read_pairs(struct reading *r, struct pairs *out)
{
	const struct entry_node *at = r->tree.at;

	if (at[0].kind != ENTRY_MAP || at[0].tagged)
		return fail(r, &at[0], "no mapping of disks to keys");
	for (size_t i = at[0].child; i; i = at[at[i].next].next) {
		struct pair *pair = mem_push(&out->at, &out->n, sizeof(*pair));

		pair->value = at[i].next;
		pair->order = out->n;
		if (!read_text(r, &at[i], &pair->path))
			return false;
		if (at[i].kind == ENTRY_PLAIN &&
		    (str_equal(pair->path, "<<") || pair->path[0] == ':'))
			return fail(r, &at[i], "a merge key or a symbol in place of a disk");
	}
	mark_replaced(out);
	return true;
}

static void
append(struct entry_list *to, struct entry_list *from)
{
	for (size_t i = 0; i < from->n; i++)
		*entry_list_add(to) = from->at[i];
	free(from->at);
	*from = (struct entry_list){ 0 };
}

bool
entry_parse(struct bytes yaml, struct entry_list *out, struct err *e)
{
	AUTO(reading_done) struct reading r = { .left = MAX_WORK, .e = e };
	AUTO(pairs_done) struct pairs pairs = { 0 };
	AUTO(entry_list_done) struct entry_list list = { 0 };

	if (!entry_yaml_parse(yaml, &r.tree, e) || !read_pairs(&r, &pairs))
		return false;
	for (size_t i = 0; i < pairs.n; i++) {
		const struct pair *p = &pairs.at[i];

		if (!p->replaced && !read_entry(&r, &r.tree.at[p->value], p->path, &list))
			return false;
	}
	append(out, &list);
	return true;
}
