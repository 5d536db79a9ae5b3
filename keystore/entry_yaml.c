/* SPDX-License-Identifier: MIT */
/*
 * entry_yaml: a recursive descent over indentation, after libyaml's rules.
 * Where a rule is in doubt it refuses: a file set aside is told of, a file
 * read wrongly is not noticed. Depth, nodes (by the size of the text) and anchors are bounded.
 */
#include "keystore/entry_yaml.h"

#include <stdlib.h>
#include "base/mem.h"
#include "keystore/entry_parser.h"

/* Where a node stands. */
struct place {
	int parent;   /* column of what it belongs to; it stands to the right of it */
	bool compact; /* a mapping or a list may begin on this very line */
	bool value;   /* of a mapping: a list may stand in the mapping's own column */
};

static bool parse_node(struct parser *p, struct place where, size_t *out);

void
entry_tree_done(struct entry_tree *t)
{
	free(t->at);
	*t = (struct entry_tree){ 0 };
}

static char
peek(const struct parser *p)
{
	return cursor_peek(&p->c, 0);
}

static bool
expect_line_end(struct parser *p)
{
	cursor_skip_blanks(&p->c);
	return peek(p) == '\n' || p->c.at == p->c.end || cursor_at_comment(&p->c) ||
	    entry_parser_fail(p, "something stands behind a value");
}

/* Behind | or >; *indent stays 0 where the text itself shows it. */
static bool
take_block_header(struct parser *p, int parent, int *indent)
{
	for (p->c.at++; cursor_is_one_of(peek(p), "+-123456789"); p->c.at++)
		if (peek(p) >= '1')
			*indent = peek(p) - '0' + (parent < 0 ? 0 : parent);
	return expect_line_end(p);
}

/* To the break before the first line that is not of it. */
static bool
parse_block_scalar(struct parser *p, int parent, size_t *out)
{
	int least = parent < 0 ? 1 : parent + 1, indent = 0;

	*out = entry_parser_add(p, ENTRY_BLOCK);
	if (!take_block_header(p, parent, &indent))
		return false;
	cursor_skip_line(&p->c);
	while (p->c.at < p->c.end) {
		struct cursor ahead = p->c;

		cursor_step(&ahead);
		while (cursor_peek(&ahead, 0) == ' ' && (!indent || cursor_column(&ahead) < indent))
			ahead.at++;
		if (cursor_peek(&ahead, 0) != '\n') {
			int col = cursor_column(&ahead);

			if (!indent)
				indent = col > least ? col : least;
			if (col < indent)
				return true;
		}
		p->c = ahead;
		cursor_skip_line(&p->c);
	}
	return true;
}

/* A key on one line, up to its colon. */
static bool
parse_key(struct parser *p, int col, size_t *out)
{
	struct properties props = { 0 };
	unsigned line = p->c.line;

	if (!entry_inline_properties(p, &props) || !entry_inline_parse(p, col, out) ||
	    !entry_inline_give(p, &props, *out))
		return false;
	cursor_skip_blanks(&p->c);
	return (p->c.line == line && cursor_is_indicator(&p->c, ':')) ||
	    entry_parser_fail(p, "a key without its colon");
}

/* "? key" and, on a line of its own, ": value". */
static bool
parse_long_pair(struct parser *p, int col, size_t *key, size_t *value)
{
	const struct place where = { .parent = col, .compact = true };

	p->c.at++;
	if (!parse_node(p, where, key))
		return false;
	cursor_next_token(&p->c);
	if (cursor_column(&p->c) != col || !cursor_is_indicator(&p->c, ':')) {
		*value = entry_parser_add(p, ENTRY_PLAIN);
		return true;
	}
	p->c.at++;
	return parse_node(p, where, value);
}

/* `key`, if not 0, is the first pair's, read already. */
static bool
parse_pair(struct parser *p, int col, size_t key, struct family *f)
{
	const struct place where = { .parent = col, .value = true };
	size_t value = 0;

	if (!key && cursor_is_indicator(&p->c, '?')) {
		if (!parse_long_pair(p, col, &key, &value))
			return false;
	} else {
		if (!key && !parse_key(p, col, &key))
			return false;
		p->c.at++; /* the colon */
		if (!parse_node(p, where, &value))
			return false;
	}
	entry_parser_add_child(p, f, key);
	entry_parser_add_child(p, f, value);
	return true;
}

static bool
parse_map(struct parser *p, int col, size_t first_key, size_t *out)
{
	struct family f = { entry_parser_add(p, ENTRY_MAP), 0 };

	*out = f.parent;
	for (;; first_key = 0) {
		if (!parse_pair(p, col, first_key, &f))
			return false;
		cursor_next_token(&p->c);
		if (cursor_at_end(&p->c) || cursor_column(&p->c) < col)
			return true;
		if (cursor_column(&p->c) > col)
			return entry_parser_fail(p, "wrong indentation");
	}
}

static bool
parse_list(struct parser *p, int col, size_t *out)
{
	const struct place where = { .parent = col, .compact = true };
	struct family f = { entry_parser_add(p, ENTRY_LIST), 0 };
	size_t item = 0;

	*out = f.parent;
	for (;;) {
		p->c.at++; /* the dash */
		if (!parse_node(p, where, &item))
			return false;
		entry_parser_add_child(p, &f, item);
		cursor_next_token(&p->c);
		if (cursor_at_end(&p->c) || cursor_column(&p->c) < col)
			return true;
		if (cursor_column(&p->c) > col)
			return entry_parser_fail(p, "wrong indentation");
		if (!cursor_is_indicator(&p->c, '-'))
			return true; /* the next key of the mapping around it */
	}
}

/* What begins in this column, its properties read; `fresh`: a mapping or list may begin here. */
static bool
parse_content(struct parser *p, int parent, int col, bool fresh, size_t *out)
{
	struct properties props = { 0 };
	unsigned line = p->c.line;
	size_t node = 0;

	if (!entry_inline_properties(p, &props))
		return false;
	if (fresh && !props.any && cursor_is_indicator(&p->c, '-'))
		return parse_list(p, col, out);
	if (fresh && !props.any && cursor_is_indicator(&p->c, '?'))
		return parse_map(p, col, 0, out);
	if (peek(p) == '|' || peek(p) == '>')
		return parse_block_scalar(p, parent, out) && entry_inline_give(p, &props, *out);
	if (!entry_inline_parse(p, parent, &node) || !entry_inline_give(p, &props, node))
		return false;
	cursor_skip_blanks(&p->c);
	if (fresh && p->c.line == line && cursor_is_indicator(&p->c, ':'))
		return parse_map(p, col, node, out);
	*out = node;
	return expect_line_end(p);
}

/* Is there a node at the cursor for this place, or nothing? */
static bool
is_there(const struct parser *p, struct place where, unsigned line)
{
	int col = cursor_column(&p->c);

	if (cursor_at_end(&p->c))
		return false;
	return col > where.parent || (where.value && col == where.parent && p->c.line != line &&
	    cursor_is_indicator(&p->c, '-'));
}

/* Properties alone on their line belong to all of what follows. */
static bool
take_leading(struct parser *p, struct properties *out)
{
	struct cursor start = p->c;

	if (!entry_inline_properties(p, out))
		return false;
	if (out->any && (peek(p) == '\n' || p->c.at == p->c.end || cursor_at_comment(&p->c)))
		return true;
	p->c = start;
	*out = (struct properties){ 0 };
	return true;
}

static bool
parse_here(struct parser *p, struct place where, size_t *out)
{
	unsigned line = p->c.line;
	struct properties props = { 0 };
	bool ok;

	cursor_next_token(&p->c);
	if (is_there(p, where, line) && !take_leading(p, &props))
		return false;
	if (props.any)
		cursor_next_token(&p->c);
	if (is_there(p, where, line))
		ok = parse_content(p, where.parent, cursor_column(&p->c),
		    where.compact || p->c.line != line, out);
	else
		ok = (*out = entry_parser_add(p, ENTRY_PLAIN)) != 0;
	return ok && entry_inline_give(p, &props, *out);
}

static bool
parse_node(struct parser *p, struct place where, size_t *out)
{
	bool ok;

	if (p->level == ENTRY_MAX_LEVELS)
		return entry_parser_fail(p, "too many levels");
	p->level++;
	ok = parse_here(p, where, out);
	p->level--;
	return ok;
}

static bool
parse_document(struct parser *p, size_t *out)
{
	cursor_next_token(&p->c);
	if (cursor_is_marker(&p->c, "---"))
		p->c.at += 3;
	if (!parse_node(p, (struct place){ .parent = -1, .compact = true }, out))
		return false;
	cursor_next_token(&p->c);
	if (cursor_is_marker(&p->c, "...")) {
		p->c.at += 3;
		cursor_next_token(&p->c);
	}
	if (p->full)
		return entry_parser_fail(p, "more than any key file holds");
	return p->c.at == p->c.end || entry_parser_fail(p, "something stands behind the document");
}

/* UTF-8, and nothing that moves a cursor but the line feed. */
static bool
check_characters(struct bytes text, struct err *e)
{
	const char *p = text.ptr;
	unsigned line = 1;

	for (size_t i = 0; i < text.len;) {
		uint32_t code = 0;
		size_t n = entry_yaml_character(p + i, text.len - i, &code);

		if (n == 0 || (!entry_yaml_printable(code) && code != '\n' && code != '\t'))
			return err_set(e, ERR_DATA, "line %u: a byte that is no text", line);
		line += code == '\n';
		i += n;
	}
	return true;
}

bool
entry_yaml_parse(struct bytes text, struct entry_tree *out, struct err *e)
{
	AUTO(entry_tree_done) struct entry_tree tree = { 0 };
	struct parser p = { .c = cursor_at_start(text), .tree = &tree, .e = e };
	size_t root = 0;

	entry_parser_add(&p, ENTRY_PLAIN); /* makes 0 no index of a child; becomes the root */
	if (!check_characters(text, e) || !parse_document(&p, &root))
		return false;
	tree.at[0] = tree.at[root];
	*out = tree;
	tree = (struct entry_tree){ 0 };
	return true;
}
