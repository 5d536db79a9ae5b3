/* SPDX-License-Identifier: MIT */
/*
 * transport_quote: what is quoted must come back from real shells as it was,
 * every byte and every pair of bytes that could meet badly.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "base/proc.h"
#include "transport/transport.h"

static void
transport_quote_leaves_plain_words_and_wraps_others(void **state)
{
	static const struct {
		const char *word, *want;
	} cases[] = {
		{ "", "''" },
		{ "cryptsetup", "cryptsetup" },
		{ "/dev/mapper/a-b_c.d:1,2@3+4", "/dev/mapper/a-b_c.d:1,2@3+4" },
		{ "--key-slot", "--key-slot" },
		{ "LC_ALL=C", "'LC_ALL=C'" },
		{ "a b", "'a b'" },
		{ "it's", "'it'\\''s'" },
		{ "'", "\\'" },
		{ "a\\b", "'a'\\\\'b'" },
		{ "!x", "\\!'x'" },
		{ "$(rm -rf /)", "'$(rm -rf /)'" },
		{ "~", "'~'" },
		{ "%1", "'%1'" },
		{ "\n", "'\n'" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(str_done) struct str out = { 0 };

		transport_quote(&out, cases[i].word);
		assert_string_equal(str_text(&out), cases[i].want);
	}
}

/* What a shell makes of `printf %s` and the quoted words, each ended by NUL. */
static bool
ask_shell(const char *shell, const char *const *words, struct proc_result *r)
{
	AUTO(str_done) struct str line = { 0 };
	const char *const argv[] = { shell, "-c", "eval \"$(cat)\"", NULL };
	struct proc_command c = { .argv = argv, .n_input = 1 };
	struct bytes input;
	struct err e = { 0 };

	str_add(&line, "printf '%s\\0'");
	for (; *words; words++) {
		str_add_char(&line, ' ');
		transport_quote(&line, *words);
	}
	input = str_bytes(&line);
	c.input = &input;
	if (!proc_run(&c, r, &e)) /* a shell that is not installed */
		return false;
	assert_int_equal(r->end, PROC_EXITED);
	assert_int_equal(r->code, 0);
	return true;
}

static void
assert_round_trip(const char *shell, const char *const *words)
{
	AUTO(proc_result_done) struct proc_result r = { 0 };
	const char *p;

	if (!ask_shell(shell, words, &r))
		return;
	p = str_text(&r.out);
	for (; *words; words++) {
		assert_true((size_t)(p - str_text(&r.out)) < r.out.len);
		assert_string_equal(p, *words);
		p += strlen(p) + 1;
	}
	assert_int_equal(p - str_text(&r.out), r.out.len);
}

static const char *const shells[] = { "sh", "dash", "bash", "busybox-sh", "mksh", "zsh" };

static void
transport_quote_every_byte_comes_back(void **state)
{
	AUTO(argv_done) struct argv words = { 0 };

	(void)state;
	for (int c = 1; c < 256; c++) {
		const char alone[] = { (char)c, '\0' };
		const char inside[] = { 'a', (char)c, 'b', '\0' };
		const char twice[] = { (char)c, (char)c, '\0' };

		argv_add(&words, alone);
		argv_add(&words, inside);
		argv_add(&words, twice);
	}
	for (size_t i = 0; i < COUNT(shells); i++)
		assert_round_trip(shells[i], argv_words(&words));
}

static void
transport_quote_every_pair_of_special_bytes_comes_back(void **state)
{
	static const char special[] = "'\"\\!$`*?[]{}()<>|&;#~%^=- \t\n\r\x01\x7f\x80\xff" "a";
	AUTO(argv_done) struct argv words = { 0 };

	(void)state;
	for (const char *a = special; *a; a++) {
		for (const char *b = special; *b; b++) {
			const char word[] = { *a, *b, *a, '\0' };

			argv_add(&words, word);
		}
	}
	argv_add(&words, "");
	argv_add(&words, "sch\xc3\xb6n \xe2\x82\xac");
	for (size_t i = 0; i < COUNT(shells); i++)
		assert_round_trip(shells[i], argv_words(&words));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(transport_quote_leaves_plain_words_and_wraps_others),
		cmocka_unit_test(transport_quote_every_byte_comes_back),
		cmocka_unit_test(transport_quote_every_pair_of_special_bytes_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
