/* SPDX-License-Identifier: MIT */
/*
 * entry_inline: scalars, aliases and what stands in brackets. A scalar is only
 * measured here, its text stays where it is. An alias can name nothing that is not
 * complete, so no node holds itself.
 */
#include <string.h>
#include "base/mem.h"
#include "keystore/entry_parser.h"

static bool parse_flow(struct parser *p, size_t *out);
static bool parse_inline(struct parser *p, int parent, bool flow, size_t *out);

bool
entry_parser_fail(const struct parser *p, const char *what)
{
	return err_set(p->e, ERR_DATA, "line %u: %s", p->c.line, what);
}

static char
peek(const struct parser *p)
{
	return cursor_peek(&p->c, 0);
}

static size_t
add_node(struct parser *p, struct entry_node node)
{
	struct entry_node *n;

	p->full = p->tree->n == ENTRY_MAX_NODES;
	if (!p->full) {
		n = mem_push(&p->tree->at, &p->tree->n, sizeof(*n));
		*n = node;
	}
	return p->tree->n - 1;
}

size_t
entry_parser_add(struct parser *p, enum entry_kind kind)
{
	return add_node(p, (struct entry_node){ .kind = kind, .line = p->c.line });
}

void
entry_parser_add_child(struct parser *p, struct family *f, size_t child)
{
	if (f->last)
		p->tree->at[f->last].next = child;
	else
		p->tree->at[f->parent].child = child;
	f->last = child;
}

static struct bytes
take_word(struct parser *p)
{
	const char *start = p->c.at;

	while (!cursor_is_blank(peek(p)) && !cursor_is_one_of(peek(p), ",[]{}"))
		p->c.at++;
	return (struct bytes){ start, (size_t)(p->c.at - start) };
}

static bool
is_same(struct bytes a, struct bytes b)
{
	return a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0;
}

static bool
is_word(struct bytes word, const char *text)
{
	return is_same(word, bytes_of(text));
}

/* Letters, digits, - and _: before anything else libyaml lets a name end, even without a blank. */
static bool
is_name(struct bytes word)
{
	static const char letters[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

	for (size_t i = 0; i < word.len; i++)
		if (!memchr(letters, ((const char *)word.ptr)[i], sizeof(letters) - 1))
			return false;
	return word.len > 0;
}

/* "!" and the tag of strings say nothing that the quotes do not. */
static bool
tag_matters(struct bytes tag)
{
	return !is_word(tag, "!") && !is_word(tag, "!str") && !is_word(tag, "!!str");
}

bool
entry_inline_properties(struct parser *p, struct properties *out)
{
	while (peek(p) == '!' || peek(p) == '&') {
		bool anchor = peek(p) == '&';
		struct bytes word;

		if (anchor)
			p->c.at++;
		word = take_word(p);
		if (word.len == 0 || !cursor_is_blank(peek(p)) ||
		    (anchor && (out->anchor.ptr || !is_name(word))))
			return entry_parser_fail(p, "an anchor or a tag of unknown form");
		if (anchor) {
			out->anchor = word;
			out->n_before = p->n_anchors;
		} else {
			out->tagged = tag_matters(word);
		}
		out->any = true;
		cursor_skip_blanks(&p->c);
	}
	return true;
}

bool
entry_inline_give(struct parser *p, const struct properties *props, size_t node)
{
	p->tree->at[node].tagged = p->tree->at[node].tagged || props->tagged;
	if (!props->anchor.ptr)
		return true;
	for (size_t i = props->n_before; i < p->n_anchors; i++) /* which is the later one? */
		if (is_same(p->anchors[i].name, props->anchor))
			return entry_parser_fail(p, "an anchor inside of its own node");
	if (p->n_anchors == ENTRY_MAX_ANCHORS)
		return entry_parser_fail(p, "too many anchors");
	p->anchors[p->n_anchors++] = (struct anchor){ props->anchor, node };
	return true;
}

static bool
parse_alias(struct parser *p, size_t *out)
{
	struct bytes name;

	p->c.at++;
	name = take_word(p);
	for (size_t i = p->n_anchors; i > 0; i--) {
		const struct anchor *a = &p->anchors[i - 1];
		struct entry_node copy;

		if (!is_same(a->name, name))
			continue;
		copy = p->tree->at[a->node];
		copy.next = 0;
		*out = add_node(p, copy);
		return true;
	}
	return entry_parser_fail(p, "an alias without its anchor");
}

static bool
parse_quoted(struct parser *p, size_t *out)
{
	char quote = *p->c.at++;
	struct entry_node node = { .line = p->c.line };
	const char *start = p->c.at;

	node.kind = quote == '"' ? ENTRY_DOUBLE : ENTRY_SINGLE;
	for (; !cursor_at_end(&p->c); cursor_step(&p->c)) {
		bool pair = quote == '"' ? peek(p) == '\\'
					 : peek(p) == quote && cursor_peek(&p->c, 1) == quote;

		if (pair && p->c.end - p->c.at > 1) {
			cursor_step(&p->c);
		} else if (peek(p) == quote) {
			node.text = (struct bytes){ start, (size_t)(p->c.at++ - start) };
			*out = add_node(p, node);
			return true;
		}
	}
	return entry_parser_fail(p, "the text ends inside quotes");
}

static bool
may_begin_plain(const struct parser *p, bool flow)
{
	char c = peek(p), next = cursor_peek(&p->c, 1);

	if (cursor_is_one_of(c, "-?:"))
		return !cursor_is_blank(next) &&
		    !(flow && (c == '?' || cursor_is_one_of(next, ",[]{}")));
	return !cursor_is_blank(c) && !cursor_is_one_of(c, ",[]{}#&*!|>'\"%@`");
}

/* Does no plain scalar in brackets go over this character? ":x" is text to it. */
static bool
ends_plain_in_flow(const struct cursor *c)
{
	char here = cursor_peek(c, 0), next = cursor_peek(c, 1);

	return cursor_is_one_of(here, ",[]{}") ||
	    (here == ':' && (cursor_is_blank(next) || cursor_is_one_of(next, ",[]{}")));
}

/* Over what a plain scalar has on this line; where that ends, without blanks. */
static const char *
scan_plain(struct cursor *c, bool flow)
{
	const char *last = c->at;

	while (c->at < c->end && *c->at != '\n' && !cursor_at_comment(c)) {
		if (flow ? ends_plain_in_flow(c) : cursor_is_indicator(c, ':'))
			break;
		if (!cursor_is_blank(*c->at++))
			last = c->at;
	}
	return last;
}

/* Does a plain scalar that reached the end of a line go on further down? Then go there. */
static bool
continues(struct cursor *c, int parent, bool flow)
{
	struct cursor ahead = *c;

	if (cursor_peek(c, 0) != '\n')
		return false;
	while (cursor_is_one_of(cursor_peek(&ahead, 0), " \n"))
		cursor_step(&ahead);
	if (cursor_at_end(&ahead) || cursor_is_one_of(cursor_peek(&ahead, 0), "#\t"))
		return false;
	if (flow ? ends_plain_in_flow(&ahead) : cursor_column(&ahead) <= parent)
		return false;
	*c = ahead;
	return true;
}

static bool
parse_plain(struct parser *p, int parent, bool flow, size_t *out)
{
	struct entry_node node = { .kind = ENTRY_PLAIN, .line = p->c.line };
	const char *start = p->c.at, *last;

	if (!may_begin_plain(p, flow))
		return entry_parser_fail(p, "a character that no value begins with");
	last = scan_plain(&p->c, flow);
	while (continues(&p->c, parent, flow))
		last = scan_plain(&p->c, flow);
	node.text = (struct bytes){ start, (size_t)(last - start) };
	*out = add_node(p, node);
	return true;
}

/* A quoted or plain scalar, an alias, a list or mapping in brackets. */
static bool
parse_inline(struct parser *p, int parent, bool flow, size_t *out)
{
	switch (peek(p)) {
	case '"':
	case '\'':
		return parse_quoted(p, out);
	case '*':
		return parse_alias(p, out);
	case '[':
	case '{':
		return parse_flow(p, out);
	default:
		return parse_plain(p, parent, flow, out);
	}
}

static bool
parse_flow_value(struct parser *p, size_t *out)
{
	struct properties props = { 0 };

	if (!entry_inline_properties(p, &props))
		return false;
	if (props.any && peek(p) == ':') /* libyaml's node would be the nothing before it */
		return entry_parser_fail(p, "a colon behind an anchor or a tag");
	return parse_inline(p, -1, true, out) && entry_inline_give(p, &props, *out);
}

/* An item of a list, or a key with its value, which may be missing. */
static bool
parse_flow_item(struct parser *p, struct family *f, bool map)
{
	size_t node = 0;

	if (!parse_flow_value(p, &node))
		return false;
	entry_parser_add_child(p, f, node);
	if (!map)
		return true;
	cursor_next_token(&p->c);
	if (peek(p) == ':') {
		p->c.at++;
		cursor_next_token(&p->c);
	}
	if (peek(p) == ',' || peek(p) == '}')
		node = entry_parser_add(p, ENTRY_PLAIN);
	else if (!parse_flow_value(p, &node))
		return false;
	entry_parser_add_child(p, f, node);
	return true;
}

static bool
parse_flow_items(struct parser *p, struct family *f, bool map)
{
	char close = map ? '}' : ']';

	for (;;) {
		cursor_next_token(&p->c);
		if (cursor_at_end(&p->c))
			return entry_parser_fail(p, "the text ends inside brackets");
		if (peek(p) == close)
			break;
		if (!parse_flow_item(p, f, map))
			return false;
		cursor_next_token(&p->c);
		if (peek(p) == ',')
			p->c.at++;
		else if (peek(p) != close)
			return entry_parser_fail(p, "neither a comma nor the closing bracket");
	}
	p->c.at++;
	return true;
}

static bool
parse_flow(struct parser *p, size_t *out)
{
	bool map = *p->c.at++ == '{', ok;

	if (p->level == ENTRY_MAX_LEVELS)
		return entry_parser_fail(p, "too many levels");
	*out = entry_parser_add(p, map ? ENTRY_MAP : ENTRY_LIST);
	p->level++;
	ok = parse_flow_items(p, &(struct family){ *out, 0 }, map);
	p->level--;
	return ok;
}

bool
entry_inline_parse(struct parser *p, int parent, size_t *out)
{
	return parse_inline(p, parent, false, out);
}
