/* SPDX-License-Identifier: MIT */
/* luks_probe_test: what blkid printed, and when it must not be believed. */
#include "luks/luks_probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "luks/luks.h"
#include "luks/luks_rules.h"

static void
luks_probe_parse_tells_what_lies_there(void **state)
{
	static const struct { int status; const char *text, *what; bool is_luks; } cases[] = {
		{ 0, "DEVNAME=/dev/sdb\nUUID=c3f6\nVERSION=1.0\nBLOCK_SIZE=1024\nTYPE=ext4\nUSAGE=filesystem\n",
		    "ext4 filesystem", false },
		{ 0, "DEVNAME=/dev/sdb\nUUID=335f\nVERSION=1\nTYPE=swap\nUSAGE=other\n", "swap space",
		    false },
		{ 0, "DEVNAME=/dev/sdb\nUUID=x\nVERSION=LVM2 001\nTYPE=LVM2_member\nUSAGE=raid\n",
		    "LVM physical volume", false },
		{ 0, "DEVNAME=/dev/sdb\nVERSION=1.2\nTYPE=linux_raid_member\nUSAGE=raid\n", "RAID member",
		    false },
		{ 0, "DEVNAME=/dev/sdb\nVERSION=2\nTYPE=crypto_LUKS\nUSAGE=crypto\n", "LUKS2", true },
		{ 0, "DEVNAME=/dev/sdb\nPTUUID=1\nPTTYPE=gpt\n", "gpt partition table", false },
		{ 0, "DEVNAME=/dev/sdb\nTYPE=drbd\nUSAGE=raid\n", "drbd signature", false },
		{ 0, "DEVNAME=/dev/sdb\nTYPE=x\033[2J\nUSAGE=other\n", "x\\x1b[2J signature", false },
		{ 8, "", "signatures of several things", false },
		{ 8, "blkid: ambivalent\n", "signatures of several things", false },
		/* nothing at all, and an empty partition */
		{ 2, "", "", false },
		{ 0, "DEVNAME=/dev/sda1\nPART_ENTRY_SCHEME=gpt\nPART_ENTRY_TYPE=0fc6\n", "", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct luks_probe p = { 0 };
		struct err e = { 0 };

		if (!luks_probe_parse(cases[i].status, bytes_of(cases[i].text), &p, &e))
			fail_msg("%s: %s", cases[i].text, e.text);
		assert_string_equal(p.what, cases[i].what);
		assert_int_equal(p.empty, cases[i].what[0] == '\0');
		assert_int_equal(p.is_luks, cases[i].is_luks);
	}
}

/* A device that cannot be read looks like an empty one to those who see the status only. */
static void
luks_probe_parse_takes_no_complaint_for_emptiness(void **state)
{
	static const struct { int status; const char *text, *words; } cases[] = {
		{ 2, "blkid: error: /dev/sdb: Permission denied\n", "Permission denied" },
		{ 0, "blkid: error: /dev/sdb: Permission denied\n", "Permission denied" },
		{ 0, "DEVNAME=/dev/sdb\nTYPE=ext4\nTYPE=xfs\n", "could not look" },
		{ 0, "DEVNAME=/dev/sdb\nnonsense\n", "nonsense" },
		{ 0, "DEVNAME=/dev/sdb\n=x\n", "could not look" },
		{ 1, "sudo: a password is required\n", "sudo: a password is required" },
		{ 4, "blkid: invalid option -- 'p'\n", "invalid option" },
		{ 127, "sh: blkid: not found\n", "there is no blkid" },
		{ 1, "", "no reason" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct luks_probe p = { 0 };
		struct err e = { 0 };

		assert_false(luks_probe_parse(cases[i].status, bytes_of(cases[i].text), &p, &e));
		assert_int_equal(e.kind, ERR_DISK);
		assert_non_null(strstr(e.text, cases[i].words));
	}
}

static void
luks_probe_parse_refuses_a_nul(void **state)
{
	static const char text[] = "DEVNAME=/dev/sdb\n\0TYPE=ext4\n";
	struct luks_probe p;
	struct err e = { 0 };

	(void)state;
	assert_false(luks_probe_parse(0, (struct bytes){ text, sizeof(text) - 1 }, &p, &e));
}

static void
luks_probe_parse_cuts_what_is_too_long(void **state)
{
	AUTO(str_done) struct str text = { 0 };
	struct luks_probe p = { 0 };
	struct err e = { 0 };

	(void)state;
	str_add(&text, "TYPE=");
	for (int i = 0; i < 10000; i++)
		str_add(&text, i % 2 ? "\x01" : "y");
	str_add(&text, "\nUSAGE=filesystem\n");
	assert_true(luks_probe_parse(0, str_bytes(&text), &p, &e));
	assert_true(strlen(p.what) > sizeof(p.what) - 12 && strlen(p.what) < sizeof(p.what));
	assert_true(str_ends(p.what, "..."));
}

/* What blkid cannot reach it may call empty; the header that cryptsetup reads says otherwise. */
static void
luks_probe_with_a_header_is_never_empty(void **state)
{
	const struct luks_header h = { .version = 2, .uuid = "6b1e" };
	struct luks_probe empty = { .empty = true }, ext4 = { .what = "ext4 filesystem" };
	struct luks_probe damaged = { .is_luks = true, .what = "LUKS2" }, nothing = empty;

	(void)state;
	luks_rules_second_opinion(&empty, &h);
	assert_true(empty.is_luks && !empty.empty);
	assert_string_equal(empty.what, "LUKS2");
	assert_string_equal(empty.header.uuid, "6b1e");
	luks_rules_second_opinion(&ext4, &h);
	assert_false(ext4.is_luks || ext4.empty);
	luks_rules_second_opinion(&damaged, NULL);
	assert_false(damaged.is_luks || damaged.empty);
	luks_rules_second_opinion(&nothing, NULL);
	assert_true(nothing.empty && !nothing.is_luks);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(luks_probe_parse_tells_what_lies_there),
		cmocka_unit_test(luks_probe_parse_takes_no_complaint_for_emptiness),
		cmocka_unit_test(luks_probe_parse_refuses_a_nul),
		cmocka_unit_test(luks_probe_parse_cuts_what_is_too_long),
		cmocka_unit_test(luks_probe_with_a_header_is_never_empty),
	};

	return cmocka_run_group_tests_name("luks_probe", tests, NULL, NULL);
}
