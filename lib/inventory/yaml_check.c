/* SPDX-License-Identifier: MIT */
/* yaml_check: rules on text and nodes that need no parser; nothing here allocates a node. */
#include "inventory/yaml_check.h"

#include <stdlib.h>
#include <string.h>

#define FEW 8 /* up to here comparing all pairs is faster than sorting */

const char *
yaml_check_control(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)p[i];

		if (c >= 0x20 && c < 0x7f)
			continue;
		size_t n = str_printable(p + i, len - i);

		if (n == 0)
			return p + i;
		i += n - 1;
	}
	return NULL;
}

bool
yaml_check_null(const char *text)
{
	static const char *const words[] = { "", "~", "null", "Null", "NULL" };

	for (size_t i = 0; i < COUNT(words); i++)
		if (strcmp(text, words[i]) == 0)
			return true;
	return false;
}

/* By key; equal ones in file order, which is that of their addresses. */
static int
by_key(const void *a, const void *b)
{
	const struct yaml_pair *const *x = a, *const *y = b;
	int order = strcmp((*x)->key, (*y)->key);

	return order != 0 ? order : (*x > *y) - (*x < *y);
}

static const struct yaml_pair *
find_twin_of_few(const struct yaml_node *map, const struct yaml_pair **first)
{
	for (size_t i = 1; i < map->n; i++)
		for (size_t k = 0; k < i; k++)
			if (strcmp(map->pairs[i].key, map->pairs[k].key) == 0) {
				*first = &map->pairs[k];
				return &map->pairs[i];
			}
	return NULL;
}

const struct yaml_pair *
yaml_check_twin(const struct yaml_node *map, const struct yaml_pair **first)
{
	const struct yaml_pair *twin = NULL;

	if (map->n <= FEW)
		return find_twin_of_few(map, first);
	AUTO(mem_free_drop)
	const struct yaml_pair **sorted = mem_alloc(map->n, sizeof(const struct yaml_pair *));

	for (size_t i = 0; i < map->n; i++)
		sorted[i] = &map->pairs[i];
	qsort(sorted, map->n, sizeof(const struct yaml_pair *), by_key);
	for (size_t i = 1; i < map->n; i++) {
		if (strcmp(sorted[i]->key, sorted[i - 1]->key) != 0 || (twin && sorted[i] > twin))
			continue;
		twin = sorted[i];
		*first = sorted[i - 1];
	}
	return twin;
}

unsigned
yaml_check_line_at(struct bytes text, size_t offset)
{
	const char *p = text.ptr;
	unsigned line = 1;

	for (size_t i = 0; i < offset && i < text.len; i++)
		line += p[i] == '\n';
	return line;
}

bool
yaml_check_tab(struct bytes text, unsigned line)
{
	const char *p = text.ptr, *end = p + text.len;

	for (unsigned at = 1; p && at < line; at++) {
		p = memchr(p, '\n', (size_t)(end - p));
		p = p ? p + 1 : NULL;
	}
	while (p && p < end && *p == ' ')
		p++;
	return p && p < end && *p == '\t';
}

const struct yaml_node *
yaml_tree_get(const struct yaml_node *map, const char *key)
{
	for (size_t i = 0; map->kind == YAML_MAP && i < map->n; i++)
		if (strcmp(map->pairs[i].key, key) == 0)
			return map->pairs[i].value;
	return NULL;
}
