/* SPDX-License-Identifier: MIT */
/*
 * yaml_tree: libyaml's events become nodes, bottom up. What is under way lies on
 * a stack of levels, whose children wait on one shared list until their list
 * or mapping ends. Nodes and text live in one arena, freed at once. Events, not
 * libyaml's own documents: those follow aliases and cannot be capped.
 */
#include "inventory/yaml_tree.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>
#include "inventory/arena.h"
#include "inventory/yaml_check.h"

#define MAX_NODES ((size_t)1 << 20)

/* What yaml_tree_free gets is the root, which is the first member. */
struct document {
	struct yaml_node root;
	struct arena arena;
};

/* A list or mapping that has begun. */
struct level {
	struct yaml_node *node;
	size_t first;	   /* its first child in builder.children */
	char *key;	   /* mapping: the key that waits for its value */
	unsigned key_line;
};

struct builder {
	const char *name;
	struct bytes text;
	struct document *doc;
	struct yaml_node *root;
	struct level levels[YAML_TREE_MAX_LEVELS];
	size_t depth;
	struct yaml_pair *children; /* keys are NULL where they belong to a list */
	size_t n_children, n_nodes;
};

void
yaml_tree_free(struct yaml_node *root)
{
	struct document *doc = (struct document *)root;

	if (!doc)
		return;
	arena_done(&doc->arena);
	free(doc);
}

static bool
bad(const struct builder *b, unsigned line, const char *what, struct err *e)
{
	err_set(e, ERR_DATA, "%s:%u: %s", b->name, line, what);
	return false;
}

static unsigned
line_of(const yaml_event_t *event)
{
	return (unsigned)event->start_mark.line + 1;
}

/* There is one inside of a list or mapping: where depth is not 0. */
static struct level *
top(struct builder *b)
{
	return &b->levels[b->depth - 1];
}

/* Is the next thing to come the key of a mapping? */
static bool
key_comes(struct builder *b)
{
	return b->depth > 0 && top(b)->node->kind == YAML_MAP && !top(b)->key;
}

static bool
new_node(struct builder *b, enum yaml_kind kind, unsigned line, struct yaml_node **out,
    struct err *e)
{
	if (++b->n_nodes > MAX_NODES)
		return bad(b, line, "more than a million values", e);
	*out = arena_alloc(&b->doc->arena, 1, sizeof(**out));
	(*out)->kind = kind;
	(*out)->line = line;
	return true;
}

/* A value is whole: it goes to the level above, or is the root. */
static void
place(struct builder *b, struct yaml_node *node)
{
	struct level *l;

	if (b->depth == 0) {
		b->root = node;
		return;
	}
	l = top(b);
	struct yaml_pair *child = mem_push(&b->children, &b->n_children, sizeof(*b->children));

	*child = (struct yaml_pair){ l->key, l->key ? l->key_line : node->line, node };
	l->key = NULL;
}

static bool
check_plain_yaml(const struct builder *b, const yaml_event_t *event, const yaml_char_t *anchor,
    const yaml_char_t *tag, struct err *e)
{
	if (anchor)
		return bad(b, line_of(event), "anchors (&) are not allowed", e);
	if (tag)
		return bad(b, line_of(event), "tags (!) are not allowed", e);
	return true;
}

static bool
check_text(const struct builder *b, const yaml_event_t *event, struct err *e)
{
	const char *text = (const char *)event->data.scalar.value;
	const char *control = yaml_check_control(text, event->data.scalar.length);
	AUTO(str_done) struct str shown = { 0 };
	size_t len = 1;

	if (!control)
		return true;
	if (*control == '\n')
		return bad(b, line_of(event), "a value may not go over several lines", e);
	while (((unsigned char)control[len] & 0xc0) == 0x80)
		len++;
	str_add_escaped(&shown, (struct bytes){ control, len }, len);
	return err_set(e, ERR_DATA, "%s:%u: a value holds the control character %s", b->name,
	    line_of(event), str_text(&shown));
}

static bool
on_scalar(struct builder *b, const yaml_event_t *event, struct err *e)
{
	const char *value = (const char *)event->data.scalar.value;
	bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	unsigned line = line_of(event);
	struct yaml_node *node = NULL;

	if (!check_plain_yaml(b, event, event->data.scalar.anchor, event->data.scalar.tag, e) ||
	    !check_text(b, event, e))
		return false;
	char *text =
	    arena_text(&b->doc->arena, (struct bytes){ value, event->data.scalar.length });

	if (key_comes(b)) {
		if (plain && yaml_check_null(text))
			return bad(b, line, "a key is missing", e);
		if (plain && strcmp(text, "<<") == 0)
			return bad(b, line, "merge keys (<<) are not allowed", e);
		top(b)->key = text;
		top(b)->key_line = line;
		return true;
	}
	if (!new_node(b, YAML_SCALAR, line, &node, e))
		return false;
	node->text = text;
	node->null = plain && yaml_check_null(text);
	place(b, node);
	return true;
}

static bool
begin(struct builder *b, enum yaml_kind kind, unsigned line, struct err *e)
{
	struct yaml_node *node = NULL;

	if (key_comes(b))
		return bad(b, line, "a key must be a single word", e);
	if (b->depth == COUNT(b->levels))
		return err_set(e, ERR_DATA, "%s:%u: nested more than %d levels deep", b->name, line,
		    YAML_TREE_MAX_LEVELS);
	if (!new_node(b, kind, line, &node, e))
		return false;
	b->levels[b->depth++] = (struct level){ .node = node, .first = b->n_children };
	return true;
}

static bool
on_list(struct builder *b, const yaml_event_t *event, struct err *e)
{
	return check_plain_yaml(b, event, event->data.sequence_start.anchor,
		   event->data.sequence_start.tag, e) &&
	       begin(b, YAML_LIST, line_of(event), e);
}

static bool
on_map(struct builder *b, const yaml_event_t *event, struct err *e)
{
	return check_plain_yaml(b, event, event->data.mapping_start.anchor,
		   event->data.mapping_start.tag, e) &&
	       begin(b, YAML_MAP, line_of(event), e);
}

/* The children of the level become the node's own. */
static void
adopt(struct builder *b, struct level *l)
{
	struct yaml_node *node = l->node;
	const struct yaml_pair *from;

	node->n = b->n_children - l->first;
	if (node->n == 0)
		return; /* and b->children may be NULL */
	from = b->children + l->first;
	if (node->kind == YAML_MAP) {
		node->pairs = arena_alloc(&b->doc->arena, node->n, sizeof(*node->pairs));
		memcpy(node->pairs, from, node->n * sizeof(*from));
	} else {
		node->items = arena_alloc(&b->doc->arena, node->n, sizeof(struct yaml_node *));
		for (size_t i = 0; i < node->n; i++)
			node->items[i] = from[i].value;
	}
	b->n_children = l->first;
}

static bool
on_end(struct builder *b, const yaml_event_t *event, struct err *e)
{
	struct level *l = top(b);
	const struct yaml_pair *twin, *first = NULL;

	(void)event;
	adopt(b, l);
	twin = l->node->kind == YAML_MAP ? yaml_check_twin(l->node, &first) : NULL;
	if (twin)
		return err_set(e, ERR_DATA,
		    "%s:%u: '%.80s' stands here a second time (first in line %u)", b->name,
		    twin->line, twin->key, first->line);
	b->depth--;
	place(b, l->node);
	return true;
}

static bool
on_document(struct builder *b, const yaml_event_t *event, struct err *e)
{
	if (b->root)
		return bad(b, line_of(event), "a second document begins: a file is one", e);
	if (event->data.document_start.tag_directives.start !=
	    event->data.document_start.tag_directives.end)
		return bad(b, line_of(event), "tags (%TAG) are not allowed", e);
	return true;
}

static bool
on_alias(struct builder *b, const yaml_event_t *event, struct err *e)
{
	return bad(b, line_of(event), "aliases (*) are not allowed: put a '*' in quotes", e);
}

/* By yaml_event_type_t; the others say nothing that matters here. */
static bool (*const handlers[])(struct builder *, const yaml_event_t *, struct err *) = {
	[YAML_DOCUMENT_START_EVENT] = on_document,
	[YAML_ALIAS_EVENT] = on_alias,
	[YAML_SCALAR_EVENT] = on_scalar,
	[YAML_SEQUENCE_START_EVENT] = on_list,
	[YAML_SEQUENCE_END_EVENT] = on_end,
	[YAML_MAPPING_START_EVENT] = on_map,
	[YAML_MAPPING_END_EVENT] = on_end,
};

static bool
not_yaml(const struct builder *b, const yaml_parser_t *parser, struct err *e)
{
	unsigned line = (unsigned)parser->problem_mark.line + 1;
	const char *problem = parser->problem ? parser->problem : "not to be read";

	if (parser->error == YAML_MEMORY_ERROR)
		mem_exhausted();
	if (parser->error == YAML_READER_ERROR)
		return bad(b, yaml_check_line_at(b->text, parser->problem_offset), problem, e);
	if (yaml_check_tab(b->text, line))
		return bad(b, line, "YAML is indented with spaces, never with tabs", e);
	if (!parser->context)
		return bad(b, line, problem, e);
	return err_set(e, ERR_DATA, "%s:%u: %s %s", b->name, line, problem, parser->context);
}

/* All events until the end of the file. */
static bool
build(struct builder *b, yaml_parser_t *parser, struct err *e)
{
	yaml_event_t event;
	yaml_event_type_t type;
	bool ok = true;

	do {
		if (!yaml_parser_parse(parser, &event))
			return not_yaml(b, parser, e);
		type = event.type;
		if ((size_t)type < COUNT(handlers) && handlers[type])
			ok = handlers[type](b, &event, e);
		yaml_event_delete(&event);
	} while (ok && type != YAML_STREAM_END_EVENT);
	return ok;
}

/* No document at all, or one of nothing but "null", is an empty mapping. */
static void
set_root(struct builder *b)
{
	if (b->root && !b->root->null)
		b->doc->root = *b->root;
	else
		b->doc->root = (struct yaml_node){ .kind = YAML_MAP, .line = 1 };
}

bool
yaml_tree_parse(const char *name, struct bytes text, struct yaml_node **out, struct err *e)
{
	struct builder b = { .name = name, .text = text };
	yaml_parser_t parser;
	bool ok;

	if (text.len > YAML_TREE_MAX_BYTES)
		return err_set(e, ERR_DATA, "%s is larger than %zu bytes", name,
		    YAML_TREE_MAX_BYTES);
	if (!yaml_parser_initialize(&parser))
		mem_exhausted();
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, text.ptr ? text.ptr : (const void *)"", text.len);
	b.doc = mem_alloc(1, sizeof(*b.doc));
	ok = build(&b, &parser, e);
	yaml_parser_delete(&parser);
	free(b.children);
	if (!ok) {
		yaml_tree_free(&b.doc->root);
		return false;
	}
	set_root(&b);
	*out = &b.doc->root;
	return true;
}
