/* SPDX-License-Identifier: MIT */
/* name_pattern: as match_pattern_list of OpenSSH does it, but in time that no pattern makes long. */
#include "transport/name_pattern.h"

#include <stddef.h>
#include <string.h>

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool
same(char pattern, enum name_case how, char c)
{
	return (how == NAME_CASE_FOLDED ? lower(pattern) : pattern) == c;
}

/* After a star only the last one is tried again. */
static bool
fits(const char *pattern, size_t len, enum name_case how, const char *name)
{
	const char *end = pattern + len, *star = NULL, *retry = name;

	while (*name) {
		if (pattern < end && *pattern == '*') {
			star = ++pattern;
			retry = name;
		} else if (pattern < end && (*pattern == '?' || same(*pattern, how, *name))) {
			pattern++;
			name++;
		} else if (star) {
			pattern = star;
			name = ++retry;
		} else {
			return false;
		}
	}
	while (pattern < end && *pattern == '*')
		pattern++;
	return pattern == end;
}

/* One match makes it, one negated match breaks it. */
bool
name_pattern_holds(const char *list, const char *separators, enum name_case how, const char *name)
{
	bool match = false;

	for (list += strspn(list, separators); *list; list += strspn(list, separators)) {
		size_t len = strcspn(list, separators);
		bool negated = *list == '!';

		if (fits(list + negated, len - negated, how, name)) {
			if (negated)
				return false;
			match = true;
		}
		list += len;
	}
	return match;
}
