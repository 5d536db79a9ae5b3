/* SPDX-License-Identifier: MIT */
/* number: what is a number or a time, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "base/mem.h"
#include "base/number.h"
#include "base/str.h"

static void
number_plain_takes_digits_up_to_the_limit(void **state)
{
	static const char *const bad[] = { "", "a", "1a", " 1", "1 ", "+1", "-1", "01", "0x1", "1000",
		"4294967297", "99999999999999999999" };
	unsigned n = 7;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (number_plain(bad[i], 999, &n) || n != 7)
			fail_msg("'%s' is taken for %u", bad[i], n);
	assert_true(number_plain("0", 0, &n) && n == 0);
	assert_true(number_plain("999", 999, &n) && n == 999);
	assert_true(number_plain("999999999", UINT32_MAX, &n) && n == 999999999);
}

static void
number_duration_takes_a_second_to_a_day(void **state)
{
	static const struct { const char *text; int64_t ms; } good[] = {
		{ "1", 1000 }, { "90", 90000 }, { "90s", 90000 }, { "15m", 900000 },
		{ "1h", 3600000 }, { "24h", 86400000 }, { "1440m", 86400000 }, { "86400", 86400000 },
	};
	static const char *const bad[] = { "", "0", "0s", "s", "25h", "1441m", "86401", "1d", "5ms",
		"5 m", " 5m", "-5m", "1.5h", "05m", "100000000000h", "5m ", "1h30m" };
	int64_t ms = 7;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (number_duration(bad[i], &ms) || ms != 7)
			fail_msg("'%s' is taken for %lld ms", bad[i], (long long)ms);
	for (size_t i = 0; i < COUNT(good); i++)
		if (!number_duration(good[i].text, &ms) || ms != good[i].ms)
			fail_msg("'%s' is taken for %lld ms", good[i].text, (long long)ms);
}

static void
number_add_duration_is_short_and_read_back_the_same(void **state)
{
	static const struct { int64_t ms; const char *want; } cases[] = {
		{ 1000, "1s" }, { 90000, "90s" }, { 60000, "1m" }, { 900000, "15m" },
		{ 5400000, "90m" }, { 3600000, "1h" }, { 86400000, "24h" }, { 0, "0s" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(str_done) struct str text = { 0 };
		int64_t ms = 0;

		number_add_duration(cases[i].ms, &text);
		assert_string_equal(str_text(&text), cases[i].want);
		assert_int_equal(number_duration(str_text(&text), &ms), cases[i].ms > 0);
		assert_true(ms == cases[i].ms);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(number_plain_takes_digits_up_to_the_limit),
		cmocka_unit_test(number_duration_takes_a_second_to_a_day),
		cmocka_unit_test(number_add_duration_is_short_and_read_back_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
