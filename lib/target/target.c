/* SPDX-License-Identifier: MIT */
/*
 * target: every pattern of the list is held against every path; what matches
 * marks its disks, and the marks become the set. Names hold no slash, comma,
 * star or question mark (inventory sees to that), so nothing needs quoting.
 */
#include "target/target.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/str.h"
#include "inventory/inventory.h"
#include "inventory/nearest.h"

#define LISTED_BYTES 200 /* of paths in an error, and one more: struct err holds 512 */

/* What one pattern of the list has found so far. */
struct search {
	const struct inventory *inv;
	const char *pattern;
	bool *marks; /* by disk, for all patterns of the list */
	size_t n_found, n_disks;
	const char *paths[8]; /* the first of what was found, for an error */
};

void
target_set_free(struct target_set *set)
{
	if (!set)
		return;
	free((void *)set->at);
	free(set);
}

/* The start of the character behind the one at p. */
static const char *
next_char(const char *p)
{
	do
		p++;
	while (((unsigned char)*p & 0xc0) == 0x80);
	return p;
}

/* The last n components of a path, without the slash before them; NULL if it has fewer. */
static const char *
tail(const char *path, size_t n)
{
	const char *p = path + strlen(path);

	while (n > 0 && p > path)
		n -= *--p == '/';
	return n == 0 && *p == '/' ? p + 1 : NULL;
}

/* Component by component: '*' is any run of characters without a slash, '?' any one of them. */
static bool
match(const char *pattern, const char *path)
{
	const char *star = NULL, *retry = NULL;

	while (*path) {
		if (*pattern == '*') {
			star = ++pattern;
			retry = path;
		} else if (*pattern == '?' && *path != '/') {
			pattern++;
			path = next_char(path);
		} else if (*pattern == *path) {
			if (*path == '/')
				star = NULL; /* it does not reach into the next component */
			pattern++;
			path++;
		} else if (star && *retry != '/') {
			pattern = star;
			path = retry = next_char(retry);
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

static size_t
count_components(const char *pattern)
{
	size_t n = 1;

	for (; *pattern; pattern++)
		n += *pattern == '/';
	return n;
}

bool
target_match(const char *pattern, const char *path)
{
	const char *from;

	if (pattern[0] == '/')
		return match(pattern, path);
	from = tail(path, count_components(pattern));
	return from && match(pattern, from);
}

/* Something bears the name; its disks are marked by mark_disks. */
static void
found(struct search *s, const char *path)
{
	if (s->n_found < COUNT(s->paths))
		s->paths[s->n_found] = path;
	s->n_found++;
}

static void
mark_disks(struct search *s, struct disk *const *disks, size_t n)
{
	s->n_disks += n;
	for (size_t i = 0; i < n; i++)
		s->marks[disks[i]->index] = true;
}

static void
search_host(struct search *s, const struct host *h)
{
	if (target_match(s->pattern, h->path)) {
		found(s, h->path);
		mark_disks(s, h->disks, h->n_disks);
	}
	for (size_t i = 0; i < h->n_disks; i++) {
		if (!target_match(s->pattern, h->disks[i]->path))
			continue;
		found(s, h->disks[i]->path);
		mark_disks(s, &h->disks[i], 1);
	}
}

static void
search_group(struct search *s, const struct group *g)
{
	bool whole = target_match(s->pattern, g->path);

	if (whole)
		found(s, g->path);
	for (size_t i = 0; i < g->n_hosts; i++) {
		if (whole)
			mark_disks(s, g->hosts[i]->disks, g->hosts[i]->n_disks);
		search_host(s, g->hosts[i]);
	}
}

/* Like `pattern`, with as many components: the end of a path, or a whole one. */
static void
try_path(struct nearest *near, const char *path)
{
	const char *from = near->word[0] == '/' ? path : tail(path, count_components(near->word));

	if (from)
		nearest_try(near, from);
}

static bool
tell_unknown(const struct search *s, struct err *e)
{
	struct nearest near = nearest_to(s->pattern);

	if (strcasecmp(s->pattern, "ALL") == 0)
		near = (struct nearest){ .best = "ALL" };
	for (size_t g = 0; near.distance > 1 && g < inventory_n_groups(s->inv); g++)
		try_path(&near, inventory_group(s->inv, g)->path);
	for (size_t h = 0; near.distance > 1 && h < inventory_n_hosts(s->inv); h++)
		try_path(&near, inventory_host(s->inv, h)->path);
	for (size_t d = 0; near.distance > 1 && d < inventory_n_disks(s->inv); d++)
		try_path(&near, inventory_disk(s->inv, d)->path);
	AUTO(mem_free_drop) char *hint = nearest_hint(&near);

	return err_set(
	    e, ERR_USAGE, "no group, host or disk is called '%.80s'%s", s->pattern, hint);
}

/* A path that means only this: with a slash in front where it would be what was typed again. */
static bool
tell_ambiguous(const struct search *s, struct err *e)
{
	AUTO(str_done) struct str list = { 0 };
	size_t n = 0;

	while (n < s->n_found && n < COUNT(s->paths) && list.len < LISTED_BYTES) {
		const char *shown = path_shown(s->paths[n]);

		str_addf(&list, "%s%.120s", n > 0 ? ", " : "",
		    strcmp(shown, s->pattern) == 0 ? s->paths[n] : shown);
		n++;
	}
	if (n < s->n_found)
		str_addf(&list, " and %zu more", s->n_found - n);
	return err_set(e, ERR_USAGE, "'%.80s' may be any of %s", s->pattern, str_text(&list));
}

static bool
search_all(struct search *s, struct err *e)
{
	s->n_found = 1;
	s->n_disks = inventory_n_disks(s->inv);
	for (size_t i = 0; i < s->n_disks; i++)
		s->marks[i] = true;
	return s->n_disks > 0 || err_set(e, ERR_USAGE, "the inventory holds no disk yet");
}

/* One pattern of the list, which is not empty. */
static bool
search(struct search *s, struct err *e)
{
	if (strcmp(s->pattern, "ALL") == 0)
		return search_all(s, e);
	for (size_t g = 0; g < inventory_n_groups(s->inv); g++)
		search_group(s, inventory_group(s->inv, g));
	if (s->n_found == 0 && strpbrk(s->pattern, "*?"))
		return err_set(e, ERR_USAGE, "nothing matches '%.80s'", s->pattern);
	if (s->n_found == 0)
		return tell_unknown(s, e);
	if (s->n_found > 1 && !strpbrk(s->pattern, "*?"))
		return tell_ambiguous(s, e);
	return s->n_disks > 0 || err_set(e, ERR_USAGE, "'%.80s' holds no disk", s->pattern);
}

/* Cut blanks around it and one slash behind it, as completion leaves one. */
static char *
trim(char *part)
{
	size_t len;

	part += strspn(part, " ");
	len = strlen(part);
	while (len > 0 && part[len - 1] == ' ')
		len--;
	if (len > 1 && part[len - 1] == '/')
		len--;
	part[len] = '\0';
	return part;
}

static bool
select_part(const struct inventory *inv, char *part, bool *marks, struct err *e)
{
	struct search s = { .inv = inv, .pattern = trim(part), .marks = marks };

	if (!*s.pattern)
		return err_set(
		    e, ERR_USAGE, "a target is empty: write a,b,c, or ALL for everything");
	if (strstr(s.pattern, "//") || str_ends(s.pattern, "/"))
		return err_set(e, ERR_USAGE,
		    "target '%.80s' has an empty part between slashes: write group/host/disk",
		    s.pattern);
	return search(&s, e);
}

static struct target_set *
new_set(const struct inventory *inv, const bool *marks)
{
	struct target_set *set = mem_alloc(1, sizeof(*set));
	size_t n = inventory_n_disks(inv);

	set->at = mem_alloc(n, sizeof(const struct disk *));
	for (size_t i = 0; i < n; i++)
		if (marks[i])
			set->at[set->n++] = inventory_disk(inv, i);
	set->all = set->n == n;
	return set;
}

bool
target_select(const struct inventory *inv, const char *list, struct target_set **out, struct err *e)
{
	AUTO(mem_free_drop) bool *marks = mem_alloc(inventory_n_disks(inv), sizeof(*marks));
	AUTO(mem_free_drop) char *copy = mem_strdup(list);
	char *rest = copy, *part;

	while ((part = strsep(&rest, ",")))
		if (!select_part(inv, part, marks, e))
			return false;
	*out = new_set(inv, marks);
	return true;
}
