/* SPDX-License-Identifier: MIT */
/* clock: time goes on, and poll() gets a value that it can take. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <time.h>
#include <cmocka.h>
#include "base/clock.h"

static void
clock_ms_never_goes_back(void **state)
{
	int64_t before = clock_ms();

	(void)state;
	for (int i = 0; i < 1000; i++) {
		int64_t now = clock_ms();

		assert_true(now >= before);
		before = now;
	}
}

static void
clock_unix_agrees_with_time(void **state)
{
	double before = (double)time(NULL) - 1, now = clock_unix();

	(void)state;
	assert_true(now >= before && now <= before + 10);
}

static void
clock_left_stays_between_zero_and_int_max(void **state)
{
	(void)state;
	assert_int_equal(clock_left(0), 0);
	assert_int_equal(clock_left(clock_ms()), 0);
	assert_int_equal(clock_left(INT64_MAX), INT_MAX);
	assert_in_range(clock_left(clock_ms() + 60000), 50000, 60000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clock_ms_never_goes_back),
		cmocka_unit_test(clock_unix_agrees_with_time),
		cmocka_unit_test(clock_left_stays_between_zero_and_int_max),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
