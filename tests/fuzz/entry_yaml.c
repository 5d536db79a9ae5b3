/* SPDX-License-Identifier: MIT */
/*
 * keystore/entry_yaml and entry: our reader beside libyaml. What both accept they must
 * understand as the same tree; a file that is read wrongly is not noticed. What entry takes
 * from it is written and read again.
 */
#include "keystore/entry_yaml.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>
#include "base/secret.h"
#include "fuzz.h"
#include "fuzz_entries.h"

#define MAX_TREE ((size_t)64 << 10) /* bytes of its text; aliases may ask for any number */
#define MAX_ANCHORS 64

/* A scalar in the text of a tree: a letter for its kind, its length, itself. */
static void
add_scalar(struct str *out, char kind, struct bytes text)
{
	str_addf(out, "%c%zu:", kind, text.len);
	if (text.len > 0)
		str_add_bytes(out, text);
}

/* ---- ours ---- */

/* False where a scalar stands for nothing, or there is too much. */
static bool
add_ours(struct str *out, const struct entry_tree *t, size_t i)
{
	static const char kinds[] = { [ENTRY_PLAIN] = 'p', [ENTRY_SINGLE] = 's', [ENTRY_DOUBLE] = 'd' };
	AUTO(secret_drop) struct secret *text = NULL;
	const struct entry_node *n = &t->at[i];
	struct err e = { 0 };

	if (n->tagged)
		str_add_char(out, '!');
	if (n->kind == ENTRY_BLOCK) {
		str_add_char(out, 'b');
	} else if (n->kind < ENTRY_BLOCK) {
		if (!entry_yaml_decode(n, &text, &e))
			return false;
		add_scalar(out, kinds[n->kind], secret_bytes(text));
	} else {
		str_add_char(out, n->kind == ENTRY_LIST ? '[' : '{');
		for (size_t k = n->child; k; k = t->at[k].next)
			if (out->len > MAX_TREE || !add_ours(out, t, k))
				return false;
		str_add_char(out, n->kind == ENTRY_LIST ? ']' : '}');
	}
	return true;
}

/* ---- libyaml's ---- */

struct theirs {
	struct str *out;
	struct {
		char *name;
		size_t from, to; /* where in *out the node stands; to is 0 while it is not whole */
		size_t depth;
	} anchors[MAX_ANCHORS];
	size_t n_anchors, depth, n_documents;
	bool unclear; /* an alias of something that is not whole; too much */
};

static void
theirs_done(struct theirs *t)
{
	for (size_t i = 0; i < t->n_anchors; i++)
		free(t->anchors[i].name);
}

static void
begin_node(struct theirs *t, const yaml_char_t *anchor, const yaml_char_t *tag)
{
	const char *name = (const char *)anchor, *type = (const char *)tag;

	if (name && t->n_anchors == MAX_ANCHORS) {
		t->unclear = true;
	} else if (name) {
		t->anchors[t->n_anchors].name = mem_strdup(name);
		t->anchors[t->n_anchors].from = t->out->len;
		t->anchors[t->n_anchors].to = 0;
		t->anchors[t->n_anchors++].depth = t->depth;
	}
	if (type && strcmp(type, "!") != 0 && strcmp(type, "!str") != 0 &&
	    strcmp(type, "tag:yaml.org,2002:str") != 0)
		str_add_char(t->out, '!');
}

static void
end_node(struct theirs *t)
{
	for (size_t i = t->n_anchors; i > 0; i--)
		if (t->anchors[i - 1].to == 0 && t->anchors[i - 1].depth == t->depth)
			t->anchors[i - 1].to = t->out->len;
}

static void
add_alias(struct theirs *t, const char *name)
{
	for (size_t i = t->n_anchors; i > 0; i--) {
		size_t from = t->anchors[i - 1].from, to = t->anchors[i - 1].to;

		if (strcmp(t->anchors[i - 1].name, name) != 0)
			continue;
		t->unclear = t->unclear || to == 0;
		if (!t->unclear) {
			AUTO(mem_free_drop) char *copy = mem_strndup(t->out->ptr + from, to - from);

			str_add_bytes(t->out, (struct bytes){ copy, to - from });
		}
		return;
	}
	t->unclear = true;
}

static void
on_scalar(struct theirs *t, const yaml_event_t *v)
{
	struct bytes text = { v->data.scalar.value, v->data.scalar.length };

	begin_node(t, v->data.scalar.anchor, v->data.scalar.tag);
	switch (v->data.scalar.style) {
	case YAML_SINGLE_QUOTED_SCALAR_STYLE: add_scalar(t->out, 's', text); break;
	case YAML_DOUBLE_QUOTED_SCALAR_STYLE: add_scalar(t->out, 'd', text); break;
	case YAML_PLAIN_SCALAR_STYLE: add_scalar(t->out, 'p', text); break;
	default: str_add_char(t->out, 'b');
	}
	end_node(t);
}

static void
on_event(struct theirs *t, const yaml_event_t *v)
{
	switch (v->type) {
	case YAML_DOCUMENT_START_EVENT:
		t->n_documents++;
		break;
	case YAML_SCALAR_EVENT:
		on_scalar(t, v);
		break;
	case YAML_ALIAS_EVENT:
		add_alias(t, (const char *)v->data.alias.anchor);
		break;
	case YAML_SEQUENCE_START_EVENT:
		begin_node(t, v->data.sequence_start.anchor, v->data.sequence_start.tag);
		str_add_char(t->out, '[');
		t->depth++;
		break;
	case YAML_MAPPING_START_EVENT:
		begin_node(t, v->data.mapping_start.anchor, v->data.mapping_start.tag);
		str_add_char(t->out, '{');
		t->depth++;
		break;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		t->depth--;
		str_add_char(t->out, v->type == YAML_SEQUENCE_END_EVENT ? ']' : '}');
		end_node(t);
		break;
	default:
		break;
	}
}

/* The same text as libyaml has it; false if it refuses it, or if nothing can be said. */
static bool
add_theirs(struct str *out, struct bytes text)
{
	AUTO(theirs_done) struct theirs t = { .out = out };
	yaml_parser_t parser;
	yaml_event_t event;
	yaml_event_type_t type = YAML_NO_EVENT;

	EXPECT(yaml_parser_initialize(&parser));
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, text.ptr, text.len);
	while (type != YAML_STREAM_END_EVENT && !t.unclear && yaml_parser_parse(&parser, &event)) {
		type = event.type;
		on_event(&t, &event);
		yaml_event_delete(&event);
		t.unclear = t.unclear || out->len > MAX_TREE;
	}
	yaml_parser_delete(&parser);
	return type == YAML_STREAM_END_EVENT && !t.unclear && t.n_documents == 1;
}

static void
expect_same_tree(struct bytes text, const struct entry_tree *tree)
{
	AUTO(str_done) struct str ours = { 0 }, theirs = { 0 };

	if (!add_ours(&ours, tree, 0) || !add_theirs(&theirs, text))
		return;
	if (!fuzz_equal(str_bytes(&ours), str_bytes(&theirs)))
		fprintf(stderr, "ours:   %s\ntheirs: %s\n", str_text(&ours), str_text(&theirs));
	EXPECT(fuzz_equal(str_bytes(&ours), str_bytes(&theirs)));
}

static void
expect_comes_back(const struct entry_list *l)
{
	AUTO(entry_list_done) struct entry_list again = { 0 };
	AUTO(secret_drop) struct secret *text = entry_format(l);
	AUTO(str_done) struct str theirs = { 0 };
	struct err e = { 0 };

	EXPECT(entry_parse(secret_bytes(text), &again, &e));
	fuzz_expect_came_back(l, &again);
	EXPECT(add_theirs(&theirs, secret_bytes(text)) || theirs.len > MAX_TREE);
}

void
fuzz_one(struct bytes in)
{
	AUTO(entry_tree_done) struct entry_tree tree = { 0 };
	AUTO(entry_list_done) struct entry_list l = { 0 };
	struct err e = { 0 };

	if (entry_yaml_parse(in, &tree, &e)) {
		EXPECT(tree.n > 0);
		expect_same_tree(in, &tree);
	} else {
		EXPECT(!tree.at);
		EXPECT(e.kind == ERR_DATA);
		fuzz_expect_error(&e);
	}
	e = (struct err){ 0 };
	if (entry_parse(in, &l, &e)) {
		EXPECT(tree.at);
		fuzz_expect_entries(&l);
		expect_comes_back(&l);
	} else {
		EXPECT(!l.at);
		fuzz_expect_error(&e);
	}
}
