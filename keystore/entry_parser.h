/* SPDX-License-Identifier: MIT */
/*
 * entry_parser: what entry_yaml.c (indentation) and entry_inline.c (what stands within a line, or
 * in brackets) share while a text is parsed. Nobody else includes it.
 */
#ifndef KEYSTORE_ENTRY_PARSER_H
#define KEYSTORE_ENTRY_PARSER_H

#include "keystore/entry_cursor.h"
#include "keystore/entry_yaml.h"

#define ENTRY_MAX_LEVELS 32
#define ENTRY_MAX_ANCHORS 256
#define ENTRY_MAX_NODES ((size_t)1 << 20) /* twice what 16 MiB of keys have */

struct anchor {
	struct bytes name;
	size_t node;
};

struct parser {
	struct cursor c;
	unsigned level;
	struct entry_tree *tree;
	struct anchor anchors[ENTRY_MAX_ANCHORS];
	size_t n_anchors;
	bool full; /* a node was not added: the tree is not to be used */
	struct err *e;
};

/* What may stand before a node: an anchor, a tag. */
struct properties {
	struct bytes anchor;
	size_t n_before; /* anchors that were there before it */
	bool any, tagged;
};

/* Children of a parent, as they come. */
struct family {
	size_t parent, last;
};

/* "line 3: what"; false, always. */
bool entry_parser_fail(const struct parser *p, const char *what);
/* An empty node of this kind that begins at the cursor; its index, or any other once it is full. */
size_t entry_parser_add(struct parser *p, enum entry_kind kind);
void entry_parser_add_child(struct parser *p, struct family *f, size_t child);

/* Read the properties at the cursor, if any, and the blanks behind them. */
MUST_CHECK bool entry_inline_properties(struct parser *p, struct properties *out);
/* The node they belong to is done: note its tag, and its anchor for later aliases. */
MUST_CHECK bool entry_inline_give(struct parser *p, const struct properties *props, size_t node);
/*
 * A quoted or plain scalar, an alias, a list or mapping in brackets. `parent` is the column that
 * further lines of a plain scalar must stand right of.
 */
MUST_CHECK bool entry_inline_parse(struct parser *p, int parent, size_t *out);

#endif
