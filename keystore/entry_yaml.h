/* SPDX-License-Identifier: MIT */
/*
 * entry_yaml: the YAML that Ruby writes for key files, as a tree whose scalars
 * still lie where they were read: the text stays in the caller's locked memory and the
 * tree holds no byte of it. Pure. For entry.c only.
 */
#ifndef KEYSTORE_ENTRY_YAML_H
#define KEYSTORE_ENTRY_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/err.h"
#include "base/str.h"

struct secret;

enum entry_kind {
	ENTRY_PLAIN, /* nothing at all is a plain scalar of no length */
	ENTRY_SINGLE,
	ENTRY_DOUBLE,
	ENTRY_BLOCK, /* | and >: passed over, never decoded */
	ENTRY_LIST,
	ENTRY_MAP,
};

struct entry_node {
	enum entry_kind kind;
	bool tagged;	   /* a tag makes it something else than it looks like */
	struct bytes text; /* scalars: as written, without the quotes; borrowed */
	unsigned line;
	size_t child;	   /* the first item, or the first key; 0: none */
	size_t next;	   /* of the same parent; a key's is its value; 0: none */
};

/* at[0] is the root. An alias is a copy of its node, children shared; there are no cycles. */
struct entry_tree {
	struct entry_node *at;
	size_t n;
};

void entry_tree_done(struct entry_tree *t);

/*
 * One document, at most 32 levels deep. ERR_DATA "line 3: ..." for what is not YAML as
 * Psych, libyaml or Syck write it: directives, tabs as indentation, several documents, bytes
 * that are not UTF-8.
 */
MUST_CHECK bool entry_yaml_parse(struct bytes text, struct entry_tree *out, struct err *e);

/* The text that a plain or quoted scalar stands for; ERR_DATA for anything else. */
MUST_CHECK bool entry_yaml_decode(const struct entry_node *node, struct secret **out,
    struct err *e);

/* Length of the one character at p (1 to 4 bytes, at most len), and its code; 0 if not UTF-8. */
size_t entry_yaml_character(const char *p, size_t len, uint32_t *out);
/* May it stand in YAML as it is, on a line? */
bool entry_yaml_printable(uint32_t code);

#endif
