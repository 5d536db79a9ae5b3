/* SPDX-License-Identifier: MIT */
/* err: kinds stay, sentences grow in front, and no text can upset a terminal. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "base/err.h"
#include "base/mem.h"

static void
err_set_returns_false_and_keeps_kind_and_text(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_false(err_set(&e, ERR_KEY, "no slot of %s takes it, %d tried", "/dev/sda", 3));
	assert_int_equal(e.kind, ERR_KEY);
	assert_string_equal(e.text, "no slot of /dev/sda takes it, 3 tried");
}

static void
err_set_without_an_err_returns_false(void **state)
{
	(void)state;
	assert_false(err_set(NULL, ERR_KEY, "%s", "x"));
	assert_false(err_errno(NULL, ERR_KEY, ENOENT, "%s", "x"));
	assert_false(err_wrap(NULL, "%s", "x"));
}

static void
err_set_text_becomes_harmless(void **state)
{
	static const struct {
		const char *in, *want;
	} cases[] = {
		{ "a\nb\tc\x1b[31m\x7f", "a?b?c?[31m?" },
		{ "Köln \xe2\x82\xac \xf0\x9f\x94\x91", "Köln \xe2\x82\xac \xf0\x9f\x94\x91" },
		{ "\xff\xc3x", "??x" },
		{ "a\xc2\x9b"
		  "31mb",
		    "a??31mb" },
		{ "a\xe2\x80\xae"
		  "b",
		    "a???b" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct err e = { 0 };

		err_set(&e, ERR_DATA, "%s", cases[i].in);
		assert_string_equal(e.text, cases[i].want);
	}
}

static void
err_set_long_text_is_cut_between_characters(void **state)
{
	char in[2000];
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i + 2 < sizeof(in); i += 2)
		memcpy(in + i, "ö", 3);
	err_set(&e, ERR_DATA, "%s", in);
	assert_in_range(strlen(e.text), sizeof(e.text) - 3, sizeof(e.text) - 1);
	assert_memory_equal(e.text, "öö", 4);
	for (const char *p = e.text; *p; p += *p == '.' ? 1 : 2)
		assert_true(*p == '.' || memcmp(p, "ö", 2) == 0);
}

/* However long what is quoted is, one reads what is wrong with it. */
static void
err_set_long_quotation_leaves_the_reason(void **state)
{
	static const char fills[] = "/ \x1b"; /* without a blank, of blanks, to be replaced */
	char in[5000];

	(void)state;
	for (size_t i = 0; i < sizeof(fills) - 1; i++) {
		struct err e = { 0 };

		memset(in, fills[i], sizeof(in) - 1);
		in[sizeof(in) - 1] = '\0';
		err_set(&e, ERR_DATA, "keys/bob/%s: a text that is too long", in);
		assert_memory_equal(e.text, "keys/bob/", 9);
		assert_non_null(strstr(e.text, ": a text that is too long"));
		err_errno(&e, ERR_SYSTEM, ENOENT, "cannot open %s", in);
		assert_memory_equal(e.text, "cannot open ", 12);
		assert_non_null(strstr(e.text, ": No such file or directory"));
		err_set(&e, ERR_DATA, "it is damaged");
		err_wrap(&e, "keys/%s", in);
		assert_memory_equal(e.text, "keys/", 5);
		assert_non_null(strstr(e.text, ": it is damaged"));
	}
}

static void
err_set_own_text_as_argument_is_read_first(void **state)
{
	struct err e = { 0 };

	(void)state;
	err_set(&e, ERR_DISK, "inner");
	err_set(&e, ERR_LOST, "outer (%s)", e.text);
	assert_string_equal(e.text, "outer (inner)");
	assert_int_equal(e.kind, ERR_LOST);
}

static void
err_errno_adds_what_the_code_means(void **state)
{
	struct err e = { 0 };

	(void)state;
	errno = EPERM;
	assert_false(err_errno(&e, ERR_SYSTEM, ENOENT, "cannot open %s", "users"));
	assert_string_equal(e.text, "cannot open users: No such file or directory");
	assert_int_equal(e.kind, ERR_SYSTEM);
}

static void
err_wrap_puts_context_in_front_and_keeps_kind(void **state)
{
	struct err e = { 0 };

	(void)state;
	err_set(&e, ERR_DISK, "no header");
	assert_false(err_wrap(&e, "%s/%s", "web1", "data"));
	assert_false(err_wrap(&e, "colo"));
	assert_string_equal(e.text, "colo: web1/data: no header");
	assert_int_equal(e.kind, ERR_DISK);
}

static void
err_wrap_full_text_keeps_the_context(void **state)
{
	struct err e = { 0 };
	char in[1000];

	(void)state;
	memset(in, 'x', sizeof(in) - 1);
	in[sizeof(in) - 1] = '\0';
	err_set(&e, ERR_DISK, "%s", in);
	err_wrap(&e, "web1");
	assert_int_equal(strncmp(e.text, "web1: xxx", 9), 0);
	assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(err_set_returns_false_and_keeps_kind_and_text),
		cmocka_unit_test(err_set_without_an_err_returns_false),
		cmocka_unit_test(err_set_text_becomes_harmless),
		cmocka_unit_test(err_set_long_text_is_cut_between_characters),
		cmocka_unit_test(err_set_long_quotation_leaves_the_reason),
		cmocka_unit_test(err_set_own_text_as_argument_is_read_first),
		cmocka_unit_test(err_errno_adds_what_the_code_means),
		cmocka_unit_test(err_wrap_puts_context_in_front_and_keeps_kind),
		cmocka_unit_test(err_wrap_full_text_keeps_the_context),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
