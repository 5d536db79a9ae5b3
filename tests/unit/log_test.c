/* SPDX-License-Identifier: MIT */
/* log: what reaches stderr, read back through a pipe put in its place. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/log.h"
#include "base/mem.h"

#define PIPE_SIZE 65536 /* more than any line; a test must not block */

/* Log one line of foreign text; what came out of stderr goes to `out`. */
static void
capture(enum log_level level, const char *text, char out[PIPE_SIZE])
{
	int ends[2], kept = dup(STDERR_FILENO);
	ssize_t n;

	assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
	dup2(ends[1], STDERR_FILENO);
	log_line(level, "%s", text);
	dup2(kept, STDERR_FILENO);
	close(kept);
	n = read(ends[0], out, PIPE_SIZE - 1);
	out[n > 0 ? n : 0] = '\0';
	close(ends[0]);
	close(ends[1]);
}

static void
log_line_each_level_has_its_prefix(void **state)
{
	static const struct {
		enum log_level level;
		const char *want;
	} cases[] = {
		{ LOG_ERROR, "error: web1/data: it\n" },
		{ LOG_WARNING, "warning: web1/data: it\n" },
		{ LOG_INFO, "web1/data: it\n" },
		{ LOG_DEBUG, "debug: web1/data: it\n" },
	};
	char out[PIPE_SIZE];

	(void)state;
	log_set_level(LOG_DEBUG);
	for (size_t i = 0; i < COUNT(cases); i++) {
		capture(cases[i].level, "web1/data: it", out);
		assert_string_equal(out, cases[i].want);
	}
}

static void
log_line_with_colour_has_it_on_the_first_word(void **state)
{
	char out[PIPE_SIZE];

	(void)state;
	log_set_level(LOG_INFO);
	log_set_colour(true);
	capture(LOG_ERROR, "it", out);
	assert_string_equal(out, "\033[31merror:\033[0m it\n");
	capture(LOG_WARNING, "it", out);
	assert_string_equal(out, "\033[33mwarning:\033[0m it\n");
	capture(LOG_INFO, "error: \033[31m", out);
	assert_string_equal(out, "error: \\x1b[31m\n");
	log_set_colour(false);
}

static void
before(void)
{
	assert_int_equal(write(STDERR_FILENO, "<", 1), 1);
}

static void
log_line_calls_what_comes_before_each_line_that_is_written(void **state)
{
	char out[PIPE_SIZE];

	(void)state;
	log_set_level(LOG_INFO);
	log_set_before(before);
	capture(LOG_INFO, "it", out);
	assert_string_equal(out, "<it\n");
	capture(LOG_DEBUG, "it", out);
	assert_string_equal(out, "");
	log_set_before(NULL);
}

static void
log_line_above_the_level_is_not_written(void **state)
{
	char out[PIPE_SIZE];

	(void)state;
	for (int most = LOG_ERROR; most <= LOG_DEBUG; most++) {
		log_set_level((enum log_level)most);
		assert_int_equal(log_get_level(), most);
		for (int level = LOG_ERROR; level <= LOG_DEBUG; level++) {
			capture((enum log_level)level, "x", out);
			assert_int_equal(strlen(out) > 0, level <= most);
		}
	}
}

static void
log_line_foreign_text_stays_on_one_harmless_line(void **state)
{
	static const struct {
		const char *in, *want;
	} cases[] = {
		{ "a\nerror: b", "a\\x0aerror: b\n" },
		{ "\x1b]0;title\x07", "\\x1b]0;title\\x07\n" },
		{ "Köln", "Köln\n" },
		{ "K\xf6ln", "K\\xf6ln\n" },
		{ "one\\x0a", "one\\x0a\n" },
		{ "", "\n" },
	};
	char out[PIPE_SIZE];

	(void)state;
	log_set_level(LOG_INFO);
	for (size_t i = 0; i < COUNT(cases); i++) {
		capture(LOG_INFO, cases[i].in, out);
		assert_string_equal(out, cases[i].want);
	}
}

static void
log_line_long_text_is_cut_to_one_atomic_write(void **state)
{
	static const char fill[] = { 'a', '\n' }; /* as it is, and four times as long */
	char in[10000], out[PIPE_SIZE];

	(void)state;
	log_set_level(LOG_DEBUG);
	for (size_t i = 0; i < COUNT(fill); i++) {
		memset(in, fill[i], sizeof(in) - 1);
		strcpy(in + sizeof(in) - 9, ": reason");
		capture(LOG_WARNING, in, out);
		assert_in_range(strlen(out), 4000, 4096);
		assert_non_null(strstr(out, "..."));
		assert_string_equal(out + strlen(out) - 9, ": reason\n");
	}
}

static void
log_line_that_cannot_be_written_leaves_errno_alone(void **state)
{
	int kept = dup(STDERR_FILENO), code;

	(void)state;
	log_set_level(LOG_INFO);
	close(STDERR_FILENO);
	errno = EDOM;
	log_line(LOG_ERROR, "x");
	code = errno;
	dup2(kept, STDERR_FILENO);
	close(kept);
	assert_int_equal(code, EDOM);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(log_line_each_level_has_its_prefix),
		cmocka_unit_test(log_line_with_colour_has_it_on_the_first_word),
		cmocka_unit_test(log_line_calls_what_comes_before_each_line_that_is_written),
		cmocka_unit_test(log_line_above_the_level_is_not_written),
		cmocka_unit_test(log_line_foreign_text_stays_on_one_harmless_line),
		cmocka_unit_test(log_line_long_text_is_cut_to_one_atomic_write),
		cmocka_unit_test(log_line_that_cannot_be_written_leaves_errno_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
