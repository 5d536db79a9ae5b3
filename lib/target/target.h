/* SPDX-License-Identifier: MIT */
/*
 * target: from what was typed to an ordered set of disks. A pattern names a
 * group, a host or a disk by its name or the tail of its path, on whole
 * components: data, web1/data, /colo/web1/data, colo. A leading slash anchors at the
 * root. Commas make a list, ALL is everything, * and ? work inside a component and may match
 * many. A plain name that matches several things is an error that lists them.
 */
#ifndef TARGET_TARGET_H
#define TARGET_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include "base/err.h"
#include "base/mem.h"

struct inventory;
struct disk;

/* Disks in inventory order, each once; `at` borrows from the inventory. */
struct target_set {
	const struct disk **at;
	size_t n;
	bool all; /* every disk of the inventory is in it */
};

/*
 * Resolve a list such as "colo,web1/data". ERR_USAGE if any part of it matches
 * nothing (the nearest name is offered) or is ambiguous (full paths are listed), or if
 * what it names holds no disk. Free with target_set_free. Any thread.
 */
MUST_CHECK bool target_select(const struct inventory *inv, const char *list,
    struct target_set **out, struct err *e);
void target_set_free(struct target_set *set);
DROP(target_set, struct target_set)

/* Does a pattern ("colo/w*", "/colo/web1") match this path, by its tail or anchored? Pure. */
bool target_match(const char *pattern, const char *path);

#endif
