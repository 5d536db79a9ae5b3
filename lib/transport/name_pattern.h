/* SPDX-License-Identifier: MIT */
/* name_pattern: lists of patterns for names of hosts, as ssh_config and known_hosts have them. Pure. */
#ifndef TRANSPORT_NAME_PATTERN_H
#define TRANSPORT_NAME_PATTERN_H

#include <stdbool.h>

/* Is `name` that of a pattern as it stands, or in lower case, where the name is so already? */
enum name_case { NAME_CASE_COUNTS, NAME_CASE_FOLDED };

/*
 * Does the list hold the name: by a pattern of `*` and `?` that fits it, and by none behind a `!`?
 * Patterns stand between characters of `separators`.
 */
bool name_pattern_holds(const char *list, const char *separators, enum name_case how,
    const char *name);

#endif
