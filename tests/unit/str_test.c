/* SPDX-License-Identifier: MIT */
/* str: growth by any step, what a terminal can stand, and names that are near. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/str.h"

static void
str_empty_has_a_text_and_no_bytes(void **state)
{
	AUTO(str_done) struct str s = { 0 };

	(void)state;
	assert_string_equal(str_text(&s), "");
	assert_int_equal(str_bytes(&s).len, 0);
	assert_non_null(str_bytes(&s).ptr);
	str_clear(&s);
	str_add(&s, "");
	str_add_bytes(&s, (struct bytes){ NULL, 0 });
	assert_string_equal(str_text(&s), "");
}

static void
str_add_many_steps_of_every_length_keep_all(void **state)
{
	AUTO(str_done) struct str s = { 0 };
	size_t want = 0;

	(void)state;
	for (size_t step = 0; step < 300; step++) {
		for (size_t i = 0; i < step; i++)
			str_add_char(&s, (char)('a' + step % 26));
		want += step;
		assert_int_equal(s.len, want);
		assert_int_equal(s.ptr ? s.ptr[s.len] : 0, 0);
	}
	for (size_t step = 0, at = 0; step < 300; at += step++)
		for (size_t i = 0; i < step; i++)
			assert_int_equal(s.ptr[at + i], 'a' + step % 26);
}

static void
str_add_bytes_keeps_nul(void **state)
{
	AUTO(str_done) struct str s = { 0 };

	(void)state;
	str_add_bytes(&s, (struct bytes){ "a\0b", 3 });
	str_add(&s, "c");
	assert_int_equal(s.len, 4);
	assert_memory_equal(s.ptr, "a\0bc", 5);
}

static void
str_clear_string_can_grow_again(void **state)
{
	AUTO(str_done) struct str s = { 0 };

	(void)state;
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 500; i++)
			str_addf(&s, "%d,", i);
		assert_int_equal(s.len, 10 * 2 + 90 * 3 + 400 * 4);
		str_clear(&s);
		assert_string_equal(str_text(&s), "");
	}
}

static void
str_addf_appends_behind_what_is_there(void **state)
{
	AUTO(str_done) struct str s = { 0 };
	char longest[5000];

	(void)state;
	memset(longest, 'y', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	str_add(&s, "x");
	str_addf(&s, "%s%c%s", "", '-', longest);
	assert_int_equal(s.len, 2 + sizeof(longest) - 1);
	assert_int_equal(strncmp(s.ptr, "x-yy", 4), 0);
	assert_string_equal(s.ptr + 2, longest);
}

static void
str_take_hands_over_and_empties(void **state)
{
	struct str s = { 0 };
	char *none = str_take(&s), *some;

	(void)state;
	str_add(&s, "colo");
	some = str_take(&s);
	assert_string_equal(none, "");
	assert_string_equal(some, "colo");
	assert_null(s.ptr);
	assert_int_equal(s.len, 0);
	free(none);
	free(some);
}

static void
str_starts_ends_and_equal_as_said(void **state)
{
	static const struct {
		const char *s, *part;
		bool starts, ends, equal;
	} cases[] = {
		{ "web1", "web", true, false, false },
		{ "web1", "b1", false, true, false },
		{ "web1", "web1", true, true, true },
		{ "web1", "", true, true, false },
		{ "b1", "web1", false, false, false },
		{ "", "", true, true, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(str_starts(cases[i].s, cases[i].part), cases[i].starts);
		assert_int_equal(str_ends(cases[i].s, cases[i].part), cases[i].ends);
		assert_int_equal(str_equal(cases[i].s, cases[i].part), cases[i].equal);
	}
	assert_true(str_equal(NULL, NULL));
	assert_false(str_equal(NULL, ""));
	assert_false(str_equal("", NULL));
	assert_null(str_copy(NULL));
}

static void
str_distance_counts_edits_up_to_the_limit(void **state)
{
	static const char a65[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	static const struct {
		const char *a, *b;
		unsigned limit, want;
	} cases[] = {
		{ "web1", "web1", 2, 0 },
		{ "web1", "web2", 2, 1 },
		{ "web1", "wbe1", 2, 1 },
		{ "web1", "ewb1", 2, 1 },
		{ "web1", "web11", 2, 1 },
		{ "web1", "eb1", 2, 1 },
		{ "address", "adress", 2, 1 },
		{ "", "ab", 5, 2 },
		{ "ab", "", 5, 2 },
		{ "", "", 0, 0 },
		{ "kitten", "sitting", 5, 3 },
		{ "kitten", "sitting", 2, 3 },
		{ "abc", "xyz", 1, 2 },
		{ a65, a65, 2, 3 },
		{ a65 + 1, a65 + 2, 2, 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(
		    str_distance(cases[i].a, cases[i].b, cases[i].limit), cases[i].want);
}

static void
str_printable_measures_one_character(void **state)
{
	static const struct {
		const char *p;
		size_t len, want;
	} cases[] = {
		{ "a", 1, 1 }, { "", 0, 0 }, { "\0", 1, 0 }, { "\x1b", 1, 0 }, { "\x7f", 1, 0 },
		{ "ö", 2, 2 }, { "ö", 1, 0 }, { "\xe2\x82\xac", 3, 3 }, { "\xe2\x82\xac", 2, 0 },
		{ "\xf0\x9f\x94\x91", 4, 4 }, { "\xc0\xaf", 2, 0 }, { "\xe0\x80\xaf", 3, 0 },
		{ "\xed\xa0\x80", 3, 0 }, { "\xf4\x90\x80\x80", 4, 0 }, { "\xf5\x80\x80\x80", 4, 0 },
		{ "\xc2\x85", 2, 0 }, { "\xc2\xa0", 2, 2 }, { "\xe2\x80\xa8", 3, 0 },
		{ "\xe2\x80\xae", 3, 0 }, { "\xe2\x81\xa6", 3, 0 }, { "\xef\xbb\xbf", 3, 0 },
		{ "\x80", 1, 0 }, { "\xc3(", 2, 0 }, { "\xdc\x8f", 2, 0 }, { "\xe2\x80\x8b", 3, 0 },
		{ "\xef\xbf\xbd", 3, 3 }, { "\xf3\xa0\x81\xbf", 4, 0 }, { "\xf3\xa0\x84\x80", 4, 4 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(str_printable(cases[i].p, cases[i].len), cases[i].want);
}

static void
str_add_escaped_foreign_text_is_harmless_and_capped(void **state)
{
	static const struct {
		struct bytes in;
		size_t cap;
		const char *want;
	} cases[] = {
		{ { "plain text", 10 }, 10, "plain text" },
		{ { "a\nb\r\t", 5 }, 99, "a\\x0ab\\x0d\\x09" },
		{ { "\x1b[2J", 4 }, 99, "\\x1b[2J" },
		{ { "a\0b", 3 }, 99, "a\\x00b" },
		{ { "back\\slash", 10 }, 99, "back\\\\slash" },
		{ { "Köln", 5 }, 99, "Köln" },
		{ { "K\xf6ln", 4 }, 99, "K\\xf6ln" },
		{ { "\xe2\x80\xae", 3 }, 99, "\\xe2\\x80\\xae" },
		{ { "abcdef", 6 }, 5, "abcde..." },
		{ { "abcdef", 6 }, 0, "..." },
		{ { "aöb", 4 }, 2, "a..." },
		{ { "", 0 }, 0, "" },
		{ { NULL, 0 }, 9, "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(str_done) struct str out = { 0 };

		str_add(&out, ">");
		str_add_escaped(&out, cases[i].in, cases[i].cap);
		assert_string_equal(out.ptr + 1, cases[i].want);
	}
}

static void
argv_words_end_with_null_at_every_length(void **state)
{
	AUTO(argv_done) struct argv a = { 0 };

	(void)state;
	assert_null(argv_words(&a)[0]);
	for (size_t i = 0; i < 100; i++) {
		if (i % 2)
			argv_addf(&a, "word %zu", i);
		else
			argv_add(&a, "");
		assert_int_equal(a.n, i + 1);
		assert_null(argv_words(&a)[i + 1]);
	}
	assert_string_equal(a.at[98], "");
	assert_string_equal(a.at[99], "word 99");
}

/* The text: words of so many x with one blank before each but the first, then the end. */
static void
str_shorten_longest_words_lose_their_middle(void **state)
{
	static const struct {
		size_t words[8];
		const char *end;
	} cases[] = {
		{ { 5 }, ": it" },/* it fits */
		{ { 3, 400 }, ": it is" },/* one word is long */
		{ { 150, 150 }, " is that of" }, /* two are */
		{ { 90, 90, 90, 90, 90, 90 }, " end" }, /* and more than are cut */
		{ { 40, 40, 40, 40, 40, 40, 40 }, " end" }, /* none is */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(str_done) struct str s = { 0 };
		size_t before;

		for (size_t k = 0; k < 8 && cases[i].words[k] > 0; k++) {
			str_add(&s, k > 0 ? " " : "");
			for (size_t n = cases[i].words[k]; n > 0; n--)
				str_add_char(&s, 'x');
		}
		str_add(&s, cases[i].end);
		before = s.len;
		str_shorten(&s, 200);
		assert_int_equal(s.len, strlen(s.ptr));
		assert_int_equal(strstr(s.ptr, "...") != NULL, before > 200);
		assert_in_range(s.len, before < 150 ? before : 150, 200);
		assert_memory_equal(s.ptr, "xxx", 3);
		assert_true(str_ends(s.ptr, cases[i].end));
		str_add(&s, "and more");
		assert_true(str_ends(s.ptr, "and more"));
	}
}

static void
argv_done_list_can_be_filled_again(void **state)
{
	AUTO(argv_done) struct argv a = { 0 };

	(void)state;
	argv_done(&a);
	argv_add(&a, "one");
	argv_done(&a);
	assert_null(argv_words(&a)[0]);
	argv_addf(&a, "%s", "");
	assert_string_equal(argv_words(&a)[0], "");
	assert_null(argv_words(&a)[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(str_empty_has_a_text_and_no_bytes),
		cmocka_unit_test(str_add_many_steps_of_every_length_keep_all),
		cmocka_unit_test(str_add_bytes_keeps_nul),
		cmocka_unit_test(str_clear_string_can_grow_again),
		cmocka_unit_test(str_addf_appends_behind_what_is_there),
		cmocka_unit_test(str_take_hands_over_and_empties),
		cmocka_unit_test(str_starts_ends_and_equal_as_said),
		cmocka_unit_test(str_distance_counts_edits_up_to_the_limit),
		cmocka_unit_test(str_printable_measures_one_character),
		cmocka_unit_test(str_add_escaped_foreign_text_is_harmless_and_capped),
		cmocka_unit_test(str_shorten_longest_words_lose_their_middle),
		cmocka_unit_test(argv_words_end_with_null_at_every_length),
		cmocka_unit_test(argv_done_list_can_be_filled_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
