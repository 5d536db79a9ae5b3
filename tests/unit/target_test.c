/* SPDX-License-Identifier: MIT */
/* target: which disks a list means, and what is said of a list that means none or too many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "inventory/inventory.h"
#include "target/target.h"
#include "tests/unit/data_dir.h"

#define DISKS                                                                                      \
	"colo:\n"                                                                                  \
	"  web1: {data: {device: a}, root: {device: b}}\n"                                         \
	"  web2: {data: {device: a}, swap: {device: b}}\n"                                         \
	"  nas: {pool-1: {device: a}}\n"                                                           \
	"  bare: {}\n"                                                                             \
	"berlin:\n"                                                                                \
	"  web1: {logs: {device: a}}\n"                                                            \
	"  colo: {web2: {device: a}, berlin: {device: b}}\n"                                       \
	"attic: {}\n"                                                                              \
	"b\xc3\xbcro:\n"                                                                           \
	"  pc 1: {address: x, home: {device: a}}\n"

static struct inventory *
load(const char *disks)
{
	struct err e = { 0 };
	struct inventory *inv = data_dir_inventory("", disks, NULL, &e);

	if (!inv)
		fail_msg("%s", e.text);
	return inv;
}

static void
target_match_whole_components_from_the_tail(void **state)
{
	static const struct {
		const char *pattern, *path;
		bool want;
	} cases[] = {
		{ "data", "/colo/web1/data", true },
		{ "dat", "/colo/web1/data", false },
		{ "ata", "/colo/web1/data", false },
		{ "data1", "/colo/web1/data", false },
		{ "web1/data", "/colo/web1/data", true },
		{ "eb1/data", "/colo/web1/data", false },
		{ "colo/web1/data", "/colo/web1/data", true },
		{ "x/colo/web1/data", "/colo/web1/data", false },
		{ "/colo/web1/data", "/colo/web1/data", true },
		{ "/web1/data", "/colo/web1/data", false },
		{ "/data", "/colo/web1/data", false },
		{ "/colo", "/colo/web1/data", false },
		{ "/colo", "/colo", true },
		{ "colo", "/colo", true },
		{ "colo/web1", "/colo/web1/data", false },
		{ "web1", "/colo/web1/data", false },
		{ "Data", "/colo/web1/data", false },
		{ "*", "/colo/web1/data", true },
		{ "*", "/colo", true },
		{ "/*", "/colo", true },
		{ "/*", "/colo/web1", false },
		{ "/*/*", "/colo/web1", true },
		{ "/*/*", "/colo/web1/data", false },
		{ "d*", "/colo/web1/data", true },
		{ "*a", "/colo/web1/data", true },
		{ "d*t*a", "/colo/web1/data", true },
		{ "d**a", "/colo/web1/data", true },
		{ "data*", "/colo/web1/data", true },
		{ "data?", "/colo/web1/data", false },
		{ "d?ta", "/colo/web1/data", true },
		{ "????", "/colo/web1/data", true },
		{ "???", "/colo/web1/data", false },
		{ "web?/data", "/colo/web1/data", true },
		{ "web*/data", "/colo/web1/data", true },
		{ "/colo*data", "/colo/web1/data", false },
		{ "/colo?web1", "/colo/web1", false },
		{ "c*/data", "/colo/web1/data", false },
		{ "/c*/*/d*", "/colo/web1/data", true },
		{ "*b*/d*a", "/colo/web1/data", true },
		{ "b?ro", "/b\xc3\xbcro", true },
		{ "b??ro", "/b\xc3\xbcro", false },
		{ "b*ro", "/b\xc3\xbcro", true },
		{ "*a*a*a*a*a*a*a*a*b", "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		    false },
		{ "[w]eb1", "/colo/web1", false },
		{ "", "/colo", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (target_match(cases[i].pattern, cases[i].path) != cases[i].want)
			fail_msg("%s, %s", cases[i].pattern, cases[i].path);
}

static void
target_select_list_gives_each_disk_once_in_inventory_order(void **state)
{
	static const struct {
		const char *list, *want;
	} cases[] = {
		{ "root", "colo/web1/root" },
		{ "colo/web1/data", "colo/web1/data" },
		{ "/colo/web1", "colo/web1/data colo/web1/root" },
		{ "web2/data", "colo/web2/data" },
		{ "nas", "colo/nas/pool-1" },
		{ "nas/", "colo/nas/pool-1" },
		{ " nas ", "colo/nas/pool-1" },
		{ "/berlin", "berlin/web1/logs berlin/colo/web2 berlin/colo/berlin" },
		{ "swap,root", "colo/web1/root colo/web2/swap" },
		{ "swap, root", "colo/web1/root colo/web2/swap" },
		{ "root,root,/colo/web1", "colo/web1/data colo/web1/root" },
		{ "web*/data", "colo/web1/data colo/web2/data" },
		{ "*/web1", "colo/web1/data colo/web1/root berlin/web1/logs" },
		{ "web?", "colo/web1/data colo/web1/root colo/web2/data colo/web2/swap "
			  "berlin/web1/logs berlin/colo/web2" },
		{ "c?lo", "colo/web1/data colo/web1/root colo/web2/data colo/web2/swap "
			  "colo/nas/pool-1 berlin/colo/web2 berlin/colo/berlin" },
		{ "*lo*",
		    "colo/web1/data colo/web1/root colo/web2/data colo/web2/swap colo/nas/pool-1 "
			  "berlin/web1/logs berlin/colo/web2 berlin/colo/berlin" },
		{ "/*/nas", "colo/nas/pool-1" },
		{ "pc 1", "b\xc3\xbcro/pc 1/home" },
		{ "b\xc3\xbcro", "b\xc3\xbcro/pc 1/home" },
		{ "home,nas", "colo/nas/pool-1 b\xc3\xbcro/pc 1/home" },
	};
	AUTO(inventory_drop) struct inventory *inv = load(DISKS);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(target_set_drop) struct target_set *set = NULL;
		AUTO(str_done) struct str got = { 0 };
		struct err e = { 0 };

		if (!target_select(inv, cases[i].list, &set, &e))
			fail_msg("%s: %s", cases[i].list, e.text);
		for (size_t k = 0; k < set->n; k++)
			str_addf(&got, "%s%s", k > 0 ? " " : "", path_shown(set->at[k]->path));
		assert_string_equal(str_text(&got), cases[i].want);
		assert_false(set->all);
	}
}

static void
target_select_everything_says_so(void **state)
{
	static const char *const lists[] = { "ALL", "*", "root,ALL", "ALL,ALL", "/*",
		"/colo,/berlin,b\xc3\xbcro" };
	AUTO(inventory_drop) struct inventory *inv = load(DISKS);

	(void)state;
	for (size_t i = 0; i < COUNT(lists); i++) {
		AUTO(target_set_drop) struct target_set *set = NULL;
		struct err e = { 0 };

		assert_true(target_select(inv, lists[i], &set, &e));
		assert_true(set->all);
		assert_int_equal(set->n, inventory_n_disks(inv));
		for (size_t k = 0; k < set->n; k++)
			assert_ptr_equal(set->at[k], inventory_disk(inv, k));
	}
}

static void
expect_refused(const struct inventory *inv, const char *list, const char *want)
{
	struct target_set *set = NULL;
	struct err e = { 0 };

	if (target_select(inv, list, &set, &e))
		fail_msg("taken: %s", list);
	assert_null(set);
	assert_int_equal(e.kind, ERR_USAGE);
	assert_string_equal(e.text, want);
}

static void
target_select_bad_list_is_refused_whole(void **state)
{
	static const struct {
		const char *list, *want;
	} cases[] = {
		{ "", "a target is empty: write a,b,c, or ALL for everything" },
		{ " ", "a target is empty: write a,b,c, or ALL for everything" },
		{ ",", "a target is empty: write a,b,c, or ALL for everything" },
		{ "root,", "a target is empty: write a,b,c, or ALL for everything" },
		{ "root,,swap", "a target is empty: write a,b,c, or ALL for everything" },
		{ "/", "target '/' has an empty part between slashes: write group/host/disk" },
		{ "//", "target '/' has an empty part between slashes: write group/host/disk" },
		{ "colo//web1", "target 'colo//web1' has an empty part between slashes: write "
				"group/host/disk" },
		{ "nas//",
		    "target 'nas/' has an empty part between slashes: write group/host/disk" },
		{ "wbe1", "no group, host or disk is called 'wbe1': did you mean 'web1'?" },
		{ "logz", "no group, host or disk is called 'logz': did you mean 'logs'?" },
		{ "berlni", "no group, host or disk is called 'berlni': did you mean 'berlin'?" },
		{ "web1/dtaa",
		    "no group, host or disk is called 'web1/dtaa': did you mean 'web1/data'?" },
		{ "/colo/web1/roto",
		    "no group, host or disk is called '/colo/web1/roto': did you mean "
		    "'/colo/web1/root'?" },
		{ "/web1", "no group, host or disk is called '/web1'" },
		{ "all", "no group, host or disk is called 'all': did you mean 'ALL'?" },
		{ "ALL/data", "no group, host or disk is called 'ALL/data'" },
		{ "zzz", "no group, host or disk is called 'zzz'" },
		{ "a/b/c/d", "no group, host or disk is called 'a/b/c/d'" },
		{ "root,zzz", "no group, host or disk is called 'zzz'" },
		{ "ALL,zzz", "no group, host or disk is called 'zzz'" },
		{ "zzz,ALL", "no group, host or disk is called 'zzz'" },
		{ "zz*", "nothing matches 'zz*'" },
		{ "/c*/d*", "nothing matches '/c*/d*'" },
		{ "root zzz", "no group, host or disk is called 'root zzz'" },
		{ "x\x1b[2J", "no group, host or disk is called 'x?[2J'" },
		{ "attic", "'attic' holds no disk" },
		{ "colo/bare", "'colo/bare' holds no disk" },
		{ "ba*", "'ba*' holds no disk" },
		{ "ba*,logs", "'ba*' holds no disk" },
		{ "data", "'data' may be any of colo/web1/data, colo/web2/data" },
		{ "web1", "'web1' may be any of colo/web1, berlin/web1" },
		{ "colo", "'colo' may be any of /colo, berlin/colo" },
		{ "berlin", "'berlin' may be any of /berlin, berlin/colo/berlin" },
		{ "colo/web2", "'colo/web2' may be any of /colo/web2, berlin/colo/web2" },
		{ "root,web1", "'web1' may be any of colo/web1, berlin/web1" },
	};
	AUTO(inventory_drop) struct inventory *inv = load(DISKS);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		expect_refused(inv, cases[i].list, cases[i].want);
}

static void
target_select_ambiguous_among_many_lists_some(void **state)
{
	AUTO(str_done) struct str disks = { 0 };
	AUTO(inventory_drop) struct inventory *inv = NULL;

	(void)state;
	str_add(&disks, "g:\n");
	for (int i = 0; i < 5000; i++)
		str_addf(&disks, "  h%d: {data: {device: a}}\n", i);
	inv = load(str_text(&disks));
	expect_refused(inv, "data",
	    "'data' may be any of g/h0/data, g/h1/data, g/h2/data, g/h3/data, "
				    "g/h4/data, g/h5/data, g/h6/data, g/h7/data and 4992 more");
}

static void
target_select_ambiguous_with_long_names_still_counts_them(void **state)
{
	AUTO(str_done) struct str disks = { 0 };
	AUTO(inventory_drop) struct inventory *inv = NULL;
	struct target_set *set = NULL;
	struct err e = { 0 };

	(void)state;
	for (int i = 0; i < 9; i++)
		str_addf(&disks, "group%0200d:\n  host: {data: {device: a}}\n", i);
	inv = load(str_text(&disks));
	assert_false(target_select(inv, "data", &set, &e));
	assert_true(str_ends(e.text, " and 7 more"));
}

static void
target_select_without_any_disk_is_refused(void **state)
{
	AUTO(inventory_drop) struct inventory *inv = load("");

	(void)state;
	expect_refused(inv, "ALL", "the inventory holds no disk yet");
	expect_refused(inv, "data", "no group, host or disk is called 'data'");
	expect_refused(inv, "*", "nothing matches '*'");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(target_match_whole_components_from_the_tail),
		cmocka_unit_test(target_select_list_gives_each_disk_once_in_inventory_order),
		cmocka_unit_test(target_select_everything_says_so),
		cmocka_unit_test(target_select_bad_list_is_refused_whole),
		cmocka_unit_test(target_select_ambiguous_among_many_lists_some),
		cmocka_unit_test(target_select_ambiguous_with_long_names_still_counts_them),
		cmocka_unit_test(target_select_without_any_disk_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
