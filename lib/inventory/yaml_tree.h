/* SPDX-License-Identifier: MIT */
/*
 * yaml_tree: one strict YAML file as a tree of nodes, each with its line.
 * Strict: one document, no aliases, anchors or tags, no duplicate or merge keys,
 * at most 32 levels, 16 MiB and a million values; keys are scalars; no control
 * characters, so no line breaks. A plain scalar is text, whatever it looks like
 * (yes, 0, 1e3). An empty file is an empty mapping.
 */
#ifndef INVENTORY_YAML_TREE_H
#define INVENTORY_YAML_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

#define YAML_TREE_MAX_BYTES ((size_t)16 << 20)
#define YAML_TREE_MAX_LEVELS 32

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml_node {
	enum yaml_kind kind;
	unsigned line;		     /* from 1 */
	bool null;		     /* a plain scalar that is empty, ~ or null */
	char *text;		     /* YAML_SCALAR: UTF-8, no NUL */
	struct yaml_pair *pairs;     /* YAML_MAP, in file order */
	struct yaml_node **items;    /* YAML_LIST */
	size_t n;		     /* pairs or items */
};

struct yaml_pair {
	char *key;
	unsigned line;
	struct yaml_node *value;
};

/*
 * ERR_DATA "<name>:<line>: ..." on whatever is not strict. Free the root, and
 * only the root, with yaml_tree_free.
 */
MUST_CHECK bool yaml_tree_parse(const char *name, struct bytes text, struct yaml_node **out,
    struct err *e);
void yaml_tree_free(struct yaml_node *root);
DROP(yaml_tree, struct yaml_node)

/* The value of a key of a mapping, or NULL. */
const struct yaml_node *yaml_tree_get(const struct yaml_node *map, const char *key);

#endif
