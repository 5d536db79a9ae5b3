/* SPDX-License-Identifier: MIT */
/* yaml_check: what yaml_tree asks of text and nodes. For yaml_tree.c alone. */
#ifndef INVENTORY_YAML_CHECK_H
#define INVENTORY_YAML_CHECK_H

#include "inventory/yaml_tree.h"

/* The first byte that no value may hold, or NULL. */
const char *yaml_check_control(const char *p, size_t len);
/* Does this plain scalar stand for "nothing"? As YAML 1.1 has it. */
bool yaml_check_null(const char *text);
/* The earliest pair whose key stood before, and in *first that earlier one; or NULL. */
const struct yaml_pair *yaml_check_twin(const struct yaml_node *map,
    const struct yaml_pair **first);
/* Counted from 1. */
unsigned yaml_check_line_at(struct bytes text, size_t offset);
/* Is this line indented with a tab? */
bool yaml_check_tab(struct bytes text, unsigned line);

#endif
