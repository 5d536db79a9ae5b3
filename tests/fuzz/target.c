/* SPDX-License-Identifier: MIT */
/*
 * target: what may be typed for targets, over an inventory that stays; against a matcher that
 * tries everything.
 */
#include "target/target.h"

#include <stdlib.h>
#include <string.h>
#include "fuzz.h"
#include "fuzz_inventory.h"
#include "inventory/inventory.h"

static const char disks[] =
	"colo:\n  web1: { root: { device: a1 }, data: { device: a2 } }\n"
	"  web2: { root: { device: b1 }, colo: { device: b2 } }\n"
	"  empty: {}\n"
	"office:\n  web1: { data: { device: c1 }, data-2: { device: c2 } }\n"
	"  \"h\xc3\xa9l\xc3\xa8ne\": { x: { device: d1 } }\n"
	"  office: { office: { device: e1 } }\n"
	"spare: {}\n";

static const struct inventory *
inventory(void)
{
	static struct inventory *inv; /* for as long as the process lives */

	if (inv)
		return inv;
	fuzz_write("users", bytes_of(""));
	fuzz_write("disks", bytes_of(disks));
	EXPECT(fuzz_load_inventory(&inv));
	return inv;
}

static size_t
char_len(const char *p)
{
	size_t n = 1;

	while (((unsigned char)p[n] & 0xc0) == 0x80)
		n++;
	return n;
}

/* Every way to go on from here; seen[] says which were tried: a row for each place in the pattern. */
static bool
matches(const char *pattern, const char *path, bool *seen, size_t width)
{
	if (*seen)
		return false;
	*seen = true;
	if (!*pattern)
		return !*path;
	if (*pattern == '*')
		return matches(pattern + 1, path, seen + width, width) ||
		    (*path && *path != '/' &&
			matches(pattern, path + char_len(path), seen + char_len(path), width));
	if (!*path)
		return false;
	if (*pattern == '?' && *path != '/')
		return matches(pattern + 1, path + char_len(path), seen + width + char_len(path), width);
	return *pattern == *path && matches(pattern + 1, path + 1, seen + width + 1, width);
}

/* The same from the root or, without a slash in front, from any component that leaves as many. */
static bool
model_match(const char *pattern, const char *path)
{
	size_t width = strlen(path) + 5, rows = strlen(pattern) + 1;

	for (const char *from = path; from; from = strchr(from + 1, '/')) {
		AUTO(mem_free_drop) bool *seen = mem_alloc(width * rows, sizeof(*seen));
		bool anchored = pattern[0] == '/';

		if (matches(pattern, from + !anchored, seen, width))
			return true;
		if (anchored)
			break;
	}
	return false;
}

static bool
compared_match(const char *pattern, const char *path)
{
	bool match = target_match(pattern, path);

	EXPECT(match == model_match(pattern, path));
	return match;
}

/* The disks of one part of the list, by the rules of target.h; false if it is to be refused. */
static bool
model_part(const char *pattern, bool *marks)
{
	const struct inventory *inv = inventory();
	size_t n_found = 0, n_disks = 0;

	for (size_t i = 0; i < inventory_n_groups(inv); i++)
		n_found += compared_match(pattern, inventory_group(inv, i)->path);
	for (size_t i = 0; i < inventory_n_hosts(inv); i++)
		n_found += compared_match(pattern, inventory_host(inv, i)->path);
	for (size_t i = 0; i < inventory_n_disks(inv); i++) {
		const struct disk *d = inventory_disk(inv, i);
		bool itself = compared_match(pattern, d->path);

		n_found += itself;
		if (itself || target_match(pattern, d->host->path) ||
		    target_match(pattern, d->host->group->path) || strcmp(pattern, "ALL") == 0) {
			marks[i] = true;
			n_disks++;
		}
	}
	return n_disks > 0 && (n_found <= 1 || strpbrk(pattern, "*?"));
}

static bool
model(const char *list, bool *marks)
{
	AUTO(mem_free_drop) char *copy = mem_strdup(list);
	char *rest = copy, *part;
	bool ok = true;

	while (ok && (part = strsep(&rest, ","))) {
		size_t len;

		part += strspn(part, " ");
		len = strlen(part);
		while (len > 0 && part[len - 1] == ' ')
			len--;
		if (len > 1 && part[len - 1] == '/')
			len--;
		part[len] = '\0';
		ok = *part && !strstr(part, "//") && part[len - 1] != '/' && model_part(part, marks);
	}
	return ok;
}

/* The set, typed as paths, is the set. */
static void
expect_names_itself(const struct target_set *set)
{
	AUTO(target_set_drop) struct target_set *again = NULL;
	AUTO(str_done) struct str list = { 0 };
	struct err e = { 0 };

	for (size_t i = 0; i < set->n; i++)
		str_addf(&list, "%s%s", i > 0 ? "," : "", set->at[i]->path);
	EXPECT(target_select(inventory(), str_text(&list), &again, &e));
	EXPECT(again->n == set->n && again->all == set->all);
	for (size_t i = 0; i < set->n; i++)
		EXPECT(again->at[i] == set->at[i]);
}

void
fuzz_one(struct bytes in)
{
	AUTO(target_set_drop) struct target_set *set = NULL;
	AUTO(mem_free_drop) char *list = fuzz_text(in);
	size_t n = inventory_n_disks(inventory()), n_marked = 0;
	AUTO(mem_free_drop) bool *marks = mem_alloc(n, sizeof(*marks));
	struct err e = { 0 };
	bool ok = target_select(inventory(), list, &set, &e);

	EXPECT(ok == model(list, marks));
	if (!ok) {
		EXPECT(!set && e.kind == ERR_USAGE);
		fuzz_expect_error(&e);
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (marks[i])
			EXPECT(n_marked < set->n && set->at[n_marked++] == inventory_disk(inventory(), i));
	EXPECT(n_marked == set->n && set->n > 0 && set->all == (set->n == n));
	expect_names_itself(set);
}
