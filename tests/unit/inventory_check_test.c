/* SPDX-License-Identifier: MIT */
/* inventory_check: what is wrong only when several lines are looked at together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "inventory/inventory.h"
#include "tests/unit/data_dir.h"

/* Four hosts, all but one with a disk. */
#define HOSTS                                                                                      \
	"g:\n"                                                                                     \
	"  a: {x: {device: x}}\n"                                                                  \
	"  b: {x: {device: x}, y: {device: y}}\n"                                                  \
	"h:\n"                                                                                     \
	"  a: {x: {device: x}}\n"                                                                  \
	"  c: {}\n"

/* NULL as `want`: it is taken. */
static void
expect(const char *disks, const char *settings, const char *want)
{
	struct err e = { 0 };
	AUTO(inventory_drop) struct inventory *inv = NULL;

	if (want) {
		data_dir_refused("", disks, settings, want);
		return;
	}
	inv = data_dir_inventory("", disks, settings, &e);
	if (!inv)
		fail_msg("refused: %s", e.text);
}

static void
inventory_check_one_device_for_two_disks_is_refused(void **state)
{
	static const struct {
		const char *disks, *want;
	} cases[] = {
		{ "g:\n  a:\n    x: {device: sda}\n    y: {device: sdb}\n    z: {device: sda}\n",
		    "disks:5: disk 'z' has the device of 'x' (line 3): /dev/sda" },
		{ "g:\n  a:\n    x: {device: sda}\n    y: {device: /dev/sda}\n",
		    "disks:4: disk 'y' has the device of 'x' (line 3): /dev/sda" },
		{ "g:\n  a:\n    x: {device: vg/a}\n    y: {device: /dev//vg///a}\n",
		    "disks:4: disk 'y' has the device of 'x' (line 3): /dev/vg/a" },
		{ "g:\n  a: {x: {device: sda}}\n  b: {x: {device: sda}}\n", NULL },
		{ "g:\n  a: {x: {device: sda}, y: {device: sda1}}\n", NULL },
		{ "g:\n  a: {x: {device: sda}}\nh:\n  a: {x: {device: sda}}\n", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		expect(cases[i].disks, NULL, cases[i].want);
}

#define UUID "11111111-2222-3333-4444-55555555555a"
#define UUID_UPPER "11111111-2222-3333-4444-55555555555A"

static void
inventory_check_one_uuid_for_two_disks_of_a_host_is_refused(void **state)
{
	(void)state;
	expect(HOSTS, "/g/b/x: {uuid: " UUID "}\n/g/b/y: {uuid: " UUID_UPPER "}\n",
	    "settings:2: the uuid of '/g/b/y' is that of '/g/b/x' already");
	expect(HOSTS, "/g/b/y: {uuid: " UUID "}\n/g/b/x: {uuid: " UUID_UPPER "}\n",
	    "settings:1: the uuid of '/g/b/y' is that of '/g/b/x' already");
	expect(HOSTS, "/g/b/x: {uuid: " UUID "}\n/g/a/x: {uuid: " UUID "}\n", NULL);
}

static void
inventory_check_after_in_a_circle_is_refused_and_shown(void **state)
{
	static const struct {
		const char *settings, *want;
	} cases[] = {
		{ "/g/a: {after: [/g/b]}\n/g/b: {after: [/g/a]}\n",
		    "settings:1: 'after' goes in a circle: g/a, after g/b, after g/a" },
		{ "/g/a: {after: [/g/b, /h/c]}\n/g/b: {after: [/h/c, /h/a]}\n/h/a: {after: "
		    "[/g/a]}\n",
		    "settings:2: 'after' goes in a circle: g/b, after h/a, after g/a, after g/b" },
		{ "/h/c: {after: [/g/a]}\n/g/a: {after: [/g/b]}\n/g/b: {after: [/g/a]}\n",
		    "settings:2: 'after' goes in a circle: g/a, after g/b, after g/a" },
		{ "/g: {after: [/g/a]}\n/g/a: {after: [/g/b]}\n",
		    "settings:2: 'after' goes in a circle: g/a, after g/b, after g/a" },
		{ "/g: {after: [/g/a, /g/b]}\n",
		    "settings:1: 'after' goes in a circle: g/a, after g/b, after g/a" },
		{ "/g: {after: [/h/a]}\n/h/a: {after: [/h/c]}\n/h/c: {after: [/g/b]}\n",
		    "settings:2: 'after' goes in a circle: h/a, after h/c, after g/b, after h/a" },
		{ "/g: {after: [/g/a]}\n", NULL },
		{ "/g: {after: [/g/b]}\n/g/b: {after: []}\n", NULL },
		{ "/g/a: {after: [/g/b]}\n/g/b: {after: [/h/a, /h/c]}\n/h/a: {after: [/h/c]}\n",
		    NULL },
		{ "/g: {after: [/h/a, /h/c]}\n/h/a: {after: [/h/c]}\n", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		expect(HOSTS, cases[i].settings, cases[i].want);
}

static void
inventory_check_long_circle_is_told_in_part(void **state)
{
	AUTO(str_done) struct str disks = { 0 };
	AUTO(str_done) struct str settings = { 0 };
	struct err e = { 0 };

	(void)state;
	str_add(&disks, "group:\n");
	for (int i = 0; i < 5000; i++) {
		str_addf(&disks, "  host%d: {}\n", i);
		str_addf(&settings, "/group/host%d: {after: [/group/host%d]}\n", i, (i + 1) % 5000);
	}
	assert_null(data_dir_inventory("", str_text(&disks), str_text(&settings), &e));
	assert_non_null(strstr(e.text, "'after' goes in a circle: group/host"));
	assert_true(str_ends(e.text, ", after ..."));
	assert_true(strlen(e.text) < 400);
}

static void
inventory_check_after_list_is_capped(void **state)
{
	AUTO(str_done) struct str disks = { 0 };
	AUTO(str_done) struct str settings = { 0 };

	(void)state;
	str_add(&disks, "g:\n");
	str_add(&settings, "/g: {after: [/g/h0");
	for (int i = 0; i < 65; i++)
		str_addf(&disks, "  h%d: {}\n", i);
	for (int i = 1; i < 65; i++)
		str_addf(&settings, ", /g/h%d", i);
	str_add(&settings, "]}\n");
	expect(str_text(&disks), str_text(&settings),
	    "settings:1: 'after' may list 64 hosts at most");
}

static void
inventory_check_luks_from_several_levels_must_go_together(void **state)
{
	static const struct {
		const char *settings, *want;
	} cases[] = {
		{ "/g/a/x: {luks: {type: luks1, pbkdf: argon2id}}\n",
		    "settings:1: luks of '/g/a/x': luks1 knows no pbkdf but pbkdf2" },
		{ "/g: {luks: {pbkdf: argon2i}}\n/g/b/y: {luks: {type: luks1}}\n",
		    "settings:2: luks of '/g/b/y': luks1 knows no pbkdf but pbkdf2" },
		{ "/g/b: {luks: {sector_size: 4096}}\n/g: {luks: {type: luks1}}\n",
		    "settings:1: luks of '/g/b/x': luks1 knows no sector_size but 512" },
		{ "/g: {luks: {type: luks1, sector_size: 512, pbkdf: pbkdf2}}\n", NULL },
		{ "/g: {luks: {type: luks1}}\n/g/a: {luks: {type: luks2, pbkdf: argon2id}}\n",
		    NULL },
		{ "/g: {luks: {type: luks1, pbkdf: argon2id}}\n/g/b: {luks: {pbkdf: pbkdf2}}\n"
		  "/g/a: {luks: {type: luks2}}\n",
		    NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		expect(HOSTS, cases[i].settings, cases[i].want);
}

static void
inventory_check_name_that_is_no_address_needs_one(void **state)
{
	(void)state;
	expect("g:\n  web 1:\n    x: {device: x}\n", NULL,
	    "disks:2: host 'web 1' needs an address, its name cannot be one: an address has "
	    "letters, "
	    "digits and . : _ - % [ ] only");
	expect("g:\n  root@web:\n    x: {device: x}\n", NULL,
	    "disks:2: host 'root@web' needs an address, its name cannot be one: the login belongs "
	    "in "
	    "username");
	expect("g:\n  web 1:\n    address: 10.0.0.1\n", NULL, NULL);
	expect("g:\n  web 1:\n    address: '[fe80::1%eth0]'\n", NULL, NULL);
	expect("g:\n  b\xc3\xbcro.example.org: {}\n", NULL, NULL);
	expect("g:\n  web 1: {}\n", "/g: {transport: local}\n", NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inventory_check_one_device_for_two_disks_is_refused),
		cmocka_unit_test(inventory_check_one_uuid_for_two_disks_of_a_host_is_refused),
		cmocka_unit_test(inventory_check_after_in_a_circle_is_refused_and_shown),
		cmocka_unit_test(inventory_check_long_circle_is_told_in_part),
		cmocka_unit_test(inventory_check_after_list_is_capped),
		cmocka_unit_test(inventory_check_luks_from_several_levels_must_go_together),
		cmocka_unit_test(inventory_check_name_that_is_no_address_needs_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
