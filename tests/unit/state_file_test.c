/* SPDX-License-Identifier: MIT */
/* state_file: lines one by one behind a head; what is missing is told from what cannot be read. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/mem.h"
#include "state/state_file.h"
#include "tests/unit/temp_dir.h"

#define HEAD "arver-thing 2"

/* Lines as "[a][b]"; "no" is refused. */
static bool
take(void *arg, char *line)
{
	str_addf(arg, "[%s]", line);
	line[0] = '\0'; /* it may be written into */
	return strcmp(line + 1, "o") != 0;
}

static void
state_file_lines_takes_each_line_or_names_the_one(void **state)
{
#define TEXT(s) { s, sizeof(s) - 1 }
	static const struct { struct bytes text; const char *lines, *error; } cases[] = {
		{ TEXT(HEAD "\n"), "", NULL },
		{ TEXT(HEAD), "", NULL },
		{ TEXT(HEAD "\na\nb b\n"), "[a][b b]", NULL },
		{ TEXT(HEAD "\na\nb"), "[a][b]", NULL },
		{ TEXT(HEAD "\n\n"), "[]", NULL },
		{ TEXT(HEAD "\na\nno\nb\n"), "[a][no]", "line 3 is not understood" },
		{ TEXT(""), "", "line 1 is not understood" },
		{ { NULL, 0 }, "", "line 1 is not understood" },
		{ TEXT("arver-thin 2\n"), "", "line 1 is not understood" },
		{ TEXT("arver-thing \n"), "", "line 1 is not understood" },
		{ TEXT("arver-thing 22a\n"), "", "line 1 is not understood" },
		{ TEXT("arver-thing 22\nno\n"), "", "it was written by another version of arver "
						  "(arver-thing 22): use that one, or a newer one" },
		{ TEXT(HEAD "\na\0\n"), "", "there are zero bytes in it" },
	};
#undef TEXT

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(str_done) struct str lines = { 0 };
		struct err e = { 0 };

		assert_int_equal(state_file_lines(cases[i].text, HEAD, take, &lines, &e), !cases[i].error);
		assert_string_equal(str_text(&lines), cases[i].lines);
		assert_string_equal(e.text, cases[i].error ? cases[i].error : "");
		assert_int_equal(e.kind, cases[i].error ? ERR_DATA : ERR_NONE);
	}
}

static void
state_file_read_tells_what_is_not_there(void **state)
{
	char dir[TEMP_DIR_BYTES];
	AUTO(state_file_done) struct state_file f = { .dir = -1 }, none = { .dir = -1 };
	AUTO(str_done) struct str text = { 0 };
	AUTO(mem_free_drop) char *path = NULL, *missing = NULL, *large = NULL;
	struct err e = { 0 };
	bool there = true;

	(void)state;
	assert_int_equal(temp_dir_make(dir), 0);
	missing = mem_printf("%s/none", dir);
	path = mem_printf("%s/thing", dir);
	assert_false(state_file_open(missing, "thing", false, &none, &e));
	assert_int_equal(errno, ENOENT);
	assert_int_equal(access(missing, F_OK), -1);
	e = (struct err){ 0 };
	assert_true(state_file_open(dir, "thing", true, &f, &e));
	assert_true(state_file_read(&f, &there, &text, &e));
	assert_false(there);
	assert_int_equal(e.kind, ERR_NONE);
	assert_true(state_file_replace(&f, bytes_of("a\n"), &e));
	large = mem_alloc(((size_t)64 << 20) + 1, 1);
	assert_false(state_file_replace(&f, (struct bytes){ large, ((size_t)64 << 20) + 1 }, &e));
	assert_int_equal(e.kind, ERR_SYSTEM);
	assert_true(str_starts(e.text, path));
	e = (struct err){ 0 };
	assert_true(state_file_read(&f, &there, &text, &e));
	assert_true(there);
	assert_string_equal(str_text(&text), "a\n");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/dev/null", path), 0);
	assert_false(state_file_read(&f, &there, &text, &e));
	assert_int_equal(e.kind, ERR_DATA);
	assert_true(str_starts(e.text, path));
	assert_int_equal(temp_dir_remove(dir), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(state_file_lines_takes_each_line_or_names_the_one),
		cmocka_unit_test(state_file_read_tells_what_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
