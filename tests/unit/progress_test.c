/* SPDX-License-Identifier: MIT */
/* progress: what the live line says, and how it is cut; tests/cli has it on a terminal. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "arver/progress.h"
#include "base/str.h"
#include "site.h"

static void
assert_says(const struct run_progress *p, const char *want)
{
	AUTO(str_done) struct str text = { 0 };

	progress_text(p, &text);
	assert_string_equal(str_text(&text), want);
}

static void
progress_text_names_what_there_is_and_the_slowest(void **state)
{
	AUTO(site_drop) struct site *s = site_new(1, 1);
	struct step opening = { .kind = STEP_OPEN, .disk = site_disk(s, 0, 0) };
	struct step hook = { .kind = STEP_HOOK, .hook = HOOK_PRE_OPEN };

	(void)state;
	assert_says(&(struct run_progress){ .done = 2, .disks = 3, .disks_done = 3 },
	    "hosts 2/2, disks 3/3");
	assert_says(&(struct run_progress){ .done = 1, .failed = 2, .running = 3, .waiting = 4,
			.away = 5, .disks = 60, .disks_done = 7, .disks_failed = 8 },
	    "hosts 1/15 (3 running, 2 failed, 4 waiting, 5 away), disks 7/60 (8 failed)");
	assert_says(&(struct run_progress){ .running = 1, .disks = 1, .slowest = site_host(s, 0),
			.doing_ms = 1999 },
	    "hosts 0/1 (1 running), disks 0/1, colo/h1: connecting, 1 s");
	assert_says(&(struct run_progress){ .running = 1, .disks = 1, .slowest = site_host(s, 0),
			.doing = &opening, .doing_ms = 12000 },
	    "hosts 0/1 (1 running), disks 0/1, colo/h1/d1: opening, 12 s");
	assert_says(&(struct run_progress){ .running = 1, .disks = 1, .slowest = site_host(s, 0),
			.doing = &hook, .doing_ms = 601000 },
	    "hosts 0/1 (1 running), disks 0/1, colo/h1: pre_open, 601 s");
}

static void
progress_cut_fits_the_columns(void **state)
{
	static const struct { const char *in; unsigned columns; const char *want; } cases[] = {
		{ "", 0, "" },
		{ "", 10, "" },
		{ "abcdef", 7, "abcdef" },
		{ "abcdef", 6, "abcdef" },
		{ "abcdef", 5, "ab..." },
		{ "abcdef", 3, "..." },
		{ "abcdef", 2, ".." },
		{ "abcdef", 0, "" },
		{ "Köln", 4, "Köln" },
		{ "Kölner", 5, "Kö..." },
		{ "早く来て", 8, "早く来て" },
		{ "早く来て", 7, "早く..." },
		{ "早く来て", 6, "早..." },
		{ "e\xcc\x81" "e\xcc\x81" "ef", 4, "e\xcc\x81" "e\xcc\x81" "ef" },
	};

	(void)state;
	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		skip();
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(str_done) struct str text = { 0 };

		str_add(&text, cases[i].in);
		progress_cut(&text, cases[i].columns);
		assert_string_equal(str_text(&text), cases[i].want);
		assert_int_equal(text.len, strlen(cases[i].want));
	}
}

static void
progress_cut_without_a_locale_takes_characters_for_wide(void **state)
{
	AUTO(str_done) struct str text = { 0 };

	(void)state;
	setlocale(LC_CTYPE, "C");
	str_add(&text, "Köln");
	progress_cut(&text, 4);
	assert_string_equal(str_text(&text), "K...");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(progress_text_names_what_there_is_and_the_slowest),
		cmocka_unit_test(progress_cut_fits_the_columns),
		cmocka_unit_test(progress_cut_without_a_locale_takes_characters_for_wide),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
