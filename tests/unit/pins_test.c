/* SPDX-License-Identifier: MIT */
/* pins: what is remembered is read back to the byte, differences are found, damage is told by its line. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/file.h"
#include "base/mem.h"
#include "state/pins.h"
#include "tests/unit/temp_dir.h"

#define HEAD "arver-pins 1\n"
#define PIN HEAD "host /colo/web1\nsince 5\n"

static ino_t
inode_of_pins(void)
{
	AUTO(mem_free_drop) char *path = mem_printf("%s/pins", temp_dir);
	struct stat st;

	return stat(path, &st) == 0 ? st.st_ino : 0;
}

/* --- pins --- */

static void
put(struct pins *l, const char *host, int64_t since, const char *address)
{
	argv_add(pin_field(pins_put(l, PIN_HOST, host, since), "address"), address);
}

/* One of everything. */
static void
fill(struct pins *l)
{
	struct pin *p = pins_put(l, PIN_HOST, "/colo/web 1", 7);
	struct argv *words = pin_field(p, "data/post_open");

	argv_add(words, "/usr/local/sbin/mount it");
	argv_add(words, "");
	argv_add(words, "\\-");
	argv_add(words, "g\xc3\xbcnter\x7f\xff");
	argv_add(pin_field(p, "address"), "web1");
	pin_field(p, "none");
	argv_add(pin_field(pins_put(l, PIN_ADMIN, "/colo/web 1", 0), "fingerprint"), "AB");
	pins_put(l, PIN_HOST, "/a", INT64_MAX);
}

static void
assert_text(const struct pins *l, const char *want)
{
	AUTO(str_done) struct str got = { 0 };

	pins_format(l, &got);
	assert_string_equal(str_text(&got), want);
}

static void
assert_file(const char *want)
{
	AUTO(pins_done) struct pins l = { 0 };
	struct err e = { 0 };

	if (!pins_read(temp_dir, &l, &e))
		fail_msg("%s", e.text);
	assert_text(&l, want);
}

/* --- text --- */

static void
pins_format_then_parse_gives_the_same_pins(void **state)
{
	AUTO(pins_done) struct pins l = { 0 }, back = { 0 };
	AUTO(str_done) struct str text = { 0 };
	struct err e = { 0 };
	static const char want[] = HEAD
	    "admin /colo/web\\x201\nsince 0\nis fingerprint AB\nend\n"
	    "host /a\nsince 9223372036854775807\nend\n"
	    "host /colo/web\\x201\nsince 7\nis address web1\n"
	    "is data/post_open /usr/local/sbin/mount\\x20it \\- \\x5c- g\xc3\xbcnter\\x7f\\xff\n"
	    "is none\nend\n";

	(void)state;
	fill(&l);
	assert_text(&l, want);
	pins_format(&l, &text);
	assert_true(pins_parse(str_bytes(&text), &back, &e));
	assert_text(&back, want);
	assert_string_equal(back.at[2].fields[1].words.at[3], "g\xc3\xbcnter\x7f\xff");
	assert_int_equal(back.at[2].fields[2].words.n, 0);
	assert_ptr_equal(pin_words(&back.at[2], "address"), &back.at[2].fields[0].words);
	assert_null(pin_words(&back.at[2], "addres"));
	assert_null(pin_words(NULL, "address"));
}

static void
pins_of_every_byte_come_back_and_stay_on_their_lines(void **state)
{
	(void)state;
	for (int a = 1; a < 256; a++) {
		AUTO(pins_done) struct pins l = { 0 }, back = { 0 };
		AUTO(str_done) struct str text = { 0 };
		const char word[] = { 'x', (char)a, (char)(a ^ 0x55 ? a ^ 0x55 : 1), '\0' };
		struct err e = { 0 };
		size_t lines = 0;

		put(&l, word, 1, word + 1);
		argv_add(pin_field(&l.at[0], word), word);
		pins_format(&l, &text);
		for (size_t i = 0; i < text.len; i++)
			lines += text.ptr[i] == '\n';
		assert_int_equal(lines, 6);
		assert_true(pins_parse(str_bytes(&text), &back, &e));
		const struct pin *p = pins_find(&back, PIN_HOST, word);

		assert_non_null(p);
		assert_string_equal(p->fields[0].words.at[0], word + 1);
		assert_string_equal(p->fields[1].name, word);
		assert_string_equal(p->fields[1].words.at[0], word);
	}
}

static void
pins_parse_damaged_text_names_the_line(void **state)
{
#define TEXT(s) { s, sizeof(s) - 1 }
#define LINE(n) "line " #n " is not understood"
	static const struct { struct bytes text; const char *want; } cases[] = {
		{ TEXT(""), LINE(1) },
		{ TEXT("arver-journal 1\n"), LINE(1) },
		{ TEXT("arver-pins\n"), LINE(1) },
		{ TEXT("arver-pins 2\n" "what ever\n"),
		    "it was written by another version of arver (arver-pins 2): use that one, or a newer one" },
		{ TEXT(HEAD "\n"), LINE(2) },
		{ TEXT(HEAD "end\n"), LINE(2) },
		{ TEXT(HEAD "host\n"), LINE(2) },
		{ TEXT(HEAD "host \n"), LINE(2) },
		{ TEXT(HEAD "host \\-\n"), LINE(2) },
		{ TEXT(HEAD "host a b\n"), LINE(2) },
		{ TEXT(HEAD "disk a\n"), LINE(2) },
		{ TEXT(HEAD "host /a\nend\n"), LINE(3) },
		{ TEXT(HEAD "host /a\nis address a\n"), LINE(3) },
		{ TEXT(HEAD "host /a\nsince\n"), LINE(3) },
		{ TEXT(HEAD "host /a\nsince -1\n"), LINE(3) },
		{ TEXT(HEAD "host /a\nsince 01\n"), LINE(3) },
		{ TEXT(HEAD "host /a\nsince 1x\n"), LINE(3) },
		{ TEXT(HEAD "host /a\nsince 9223372036854775808\n"), LINE(3) },
		{ TEXT(HEAD "host /b\nsince 1\nend\nhost /a\n"), LINE(5) },
		{ TEXT(HEAD "host /b\nsince 1\nend\nhost /b\n"), LINE(5) },
		{ TEXT(HEAD "host /b\nsince 1\nend\nadmin bob\n"), LINE(5) },
		{ TEXT(PIN "since 6\n"), LINE(4) },
		{ TEXT(PIN "is\n"), LINE(4) },
		{ TEXT(PIN "is \n"), LINE(4) },
		{ TEXT(PIN "is \\- a\n"), LINE(4) },
		{ TEXT(PIN "is a  b\n"), LINE(4) },
		{ TEXT(PIN "is a b \n"), LINE(4) },
		{ TEXT(PIN "is a\nis a\n"), LINE(5) },
		{ TEXT(PIN "is b\nis a\n"), LINE(5) },
		{ TEXT(PIN "is a \\x\n"), LINE(4) },
		{ TEXT(PIN "is a \\x2\n"), LINE(4) },
		{ TEXT(PIN "is a \\x2G\n"), LINE(4) },
		{ TEXT(PIN "is a \\xFF\n"), LINE(4) },
		{ TEXT(PIN "is a \\x61\n"), LINE(4) },
		{ TEXT(PIN "is a \\x00\n"), LINE(4) },
		{ TEXT(PIN "is a \\\\\n"), LINE(4) },
		{ TEXT(PIN "is a b\\-\n"), LINE(4) },
		{ TEXT(PIN "is a \xff\n"), LINE(4) },
		{ TEXT(PIN "is a \t\n"), LINE(4) },
		{ TEXT(PIN "end \n"), LINE(4) },
		{ TEXT(PIN "end now\n"), LINE(4) },
		{ TEXT(PIN "end\n\n"), LINE(5) },
		{ TEXT(PIN "end\r\n"), LINE(4) },
		{ TEXT(PIN), "the last pin has no end" },
		{ TEXT(HEAD "host /a"), "the last pin has no end" },
		{ TEXT(PIN "end\n\0\0"), "there are zero bytes in it" },
	};
#undef LINE
#undef TEXT

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(pins_done) struct pins l = { 0 };
		struct err e = { 0 };

		if (pins_parse(cases[i].text, &l, &e))
			fail_msg("case %zu is taken", i);
		assert_int_equal(e.kind, ERR_DATA);
		if (strcmp(e.text, cases[i].want) != 0)
			fail_msg("case %zu: %s", i, e.text);
		assert_int_equal(l.n, 0);
	}
}

static void
pins_parse_cut_anywhere_is_damage_or_whole_pins(void **state)
{
	AUTO(pins_done) struct pins l = { 0 };
	AUTO(str_done) struct str text = { 0 };

	(void)state;
	fill(&l);
	pins_format(&l, &text);
	for (size_t len = 0; len < text.len; len++) {
		AUTO(pins_done) struct pins cut = { 0 };
		struct err e = { 0 };

		if (!pins_parse((struct bytes){ text.ptr, len }, &cut, &e))
			continue;
		for (size_t i = 0; i < cut.n; i++)
			assert_int_equal(cut.at[i].n, l.at[i].n);
	}
}

/* --- comparing --- */

/* Every field that differs, as "NAME:WORDS-BEFORE:WORDS-NOW ", with "." for what is not there. */
static void
assert_changes(const struct pin *was, const struct pin *is, const char *want)
{
	AUTO(pin_changes_done) struct pin_changes c = { 0 };
	AUTO(str_done) struct str got = { 0 };

	pin_compare(was, is, &c);
	for (size_t i = 0; i < c.n; i++) {
		const struct argv *sides[] = { c.at[i].was, c.at[i].is };

		str_add(&got, c.at[i].field);
		for (size_t k = 0; k < COUNT(sides); k++) {
			str_add_char(&got, ':');
			if (!sides[k])
				str_add_char(&got, '.');
			for (size_t w = 0; sides[k] && w < sides[k]->n; w++)
				str_addf(&got, "[%s]", sides[k]->at[w]);
		}
		str_add_char(&got, ' ');
	}
	assert_string_equal(str_text(&got), want);
}

static void
pin_compare_finds_what_came_went_and_differs(void **state)
{
	AUTO(pins_done) struct pins a = { 0 }, b = { 0 };

	(void)state;
	struct pin *was = pins_put(&a, PIN_HOST, "/h", 1), *is = pins_put(&b, PIN_HOST, "/h", 2);

	argv_add(pin_field(was, "address"), "a");
	argv_add(pin_field(was, "same"), "s");
	argv_add(pin_field(was, "gone"), "g");
	argv_add(pin_field(was, "words"), "a b");
	argv_add(pin_field(is, "address"), "b");
	argv_add(pin_field(is, "same"), "s");
	argv_add(pin_field(is, "zone"), "z");
	argv_add(pin_field(is, "words"), "a");
	argv_add(pin_field(is, "words"), "b");
	assert_changes(was, is, "address:[a]:[b] gone:[g]:. words:[a b]:[a][b] zone:.:[z] ");
	assert_changes(was, was, "");
	assert_changes(NULL, was, "address:.:[a] gone:.:[g] same:.:[s] words:.:[a b] ");
}

static void
pins_put_in_any_order_are_found(void **state)
{
	AUTO(pins_done) struct pins l = { 0 };

	(void)state;
	for (int i = 0; i < 100; i++) {
		AUTO(mem_free_drop) char *name = mem_printf("/%d", i * 37 % 100);

		put(&l, name, i, name);
	}
	put(&l, "/5", 1000, "again");
	assert_int_equal(l.n, 100);
	for (int i = 0; i < 100; i++) {
		AUTO(mem_free_drop) char *name = mem_printf("/%d", i);
		const struct pin *p = pins_find(&l, PIN_HOST, name);

		assert_string_equal(p->fields[0].words.at[0], i == 5 ? "again" : name);
	}
	assert_null(pins_find(&l, PIN_ADMIN, "/5"));
	assert_null(pins_find(&l, PIN_HOST, "/100"));
}

/* --- the file --- */

static void
pins_read_where_nothing_is_makes_nothing(void **state)
{
	AUTO(mem_free_drop) char *deep = mem_printf("%s/state/arver", temp_dir);
	AUTO(pins_done) struct pins l = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_true(pins_read(deep, &l, &e));
	assert_int_equal(l.n, 0);
	assert_int_equal(access(deep, F_OK), -1);
	assert_file(HEAD);
	assert_int_equal(inode_of_pins(), 0);
}

static void
pins_write_adds_what_is_new_and_replaces_only_if_asked(void **state)
{
	AUTO(pins_done) struct pins first = { 0 }, second = { 0 };
	struct err e = { 0 };

	(void)state;
	put(&first, "/a", 1, "one");
	assert_true(pins_write(temp_dir, &first, false, &e));
	put(&second, "/a", 2, "two");
	put(&second, "/b", 2, "two");
	assert_true(pins_write(temp_dir, &second, false, &e));
	assert_file(HEAD "host /a\nsince 1\nis address one\nend\nhost /b\nsince 2\nis address two\nend\n");
	assert_true(pins_write(temp_dir, &second, true, &e));
	assert_file(HEAD "host /a\nsince 2\nis address two\nend\nhost /b\nsince 2\nis address two\nend\n");
}

static void
pins_write_of_what_is_there_writes_nothing(void **state)
{
	AUTO(pins_done) struct pins l = { 0 };
	struct err e = { 0 };

	(void)state;
	put(&l, "/a", 1, "one");
	assert_true(pins_write(temp_dir, &l, false, &e));
	ino_t inode = inode_of_pins();

	assert_int_not_equal(inode, 0);
	put(&l, "/a", 1, "two");
	assert_true(pins_write(temp_dir, &l, false, &e));
	assert_int_equal(inode_of_pins(), inode);
	assert_true(pins_write(temp_dir, &l, true, &e));
	assert_int_not_equal(inode_of_pins(), inode);
}

static void
pins_write_is_for_the_owner_alone(void **state)
{
	AUTO(mem_free_drop) char *deep = mem_printf("%s/state", temp_dir);
	AUTO(mem_free_drop) char *path = mem_printf("%s/state/pins", temp_dir);
	AUTO(pins_done) struct pins l = { 0 };
	struct err e = { 0 };
	struct stat st;

	(void)state;
	put(&l, "/a", 1, "one");
	assert_true(pins_write(deep, &l, false, &e));
	assert_int_equal(stat(deep, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void
pins_of_a_damaged_file_are_told_and_left_alone(void **state)
{
	static const char damaged[] = PIN "is a \\q\nend\n";
	AUTO(mem_free_drop) char *path = mem_printf("%s/pins", temp_dir);
	AUTO(mem_free_drop) char *want = mem_printf("%s: line 4 is not understood", path);
	AUTO(pins_done) struct pins l = { 0 }, mine = { 0 };
	AUTO(str_done) struct str still = { 0 };
	struct err e = { 0 };

	(void)state;
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(damaged, f);
	fclose(f);
	assert_false(pins_read(temp_dir, &l, &e));
	assert_int_equal(e.kind, ERR_DATA);
	assert_string_equal(e.text, want);
	put(&mine, "/a", 1, "one");
	assert_false(pins_write(temp_dir, &mine, true, &e));
	assert_string_equal(e.text, want);
	assert_true(file_read_at(AT_FDCWD, path, 4096, &still, &e));
	assert_string_equal(str_text(&still), damaged);
}

static void
pins_in_something_that_is_no_directory_cannot_be_read(void **state)
{
	AUTO(mem_free_drop) char *path = mem_printf("%s/file", temp_dir);
	AUTO(pins_done) struct pins l = { 0 };
	struct err e = { 0 };

	(void)state;
	fclose(fopen(path, "w"));
	assert_false(pins_read(path, &l, &e));
	assert_int_equal(e.kind, ERR_SYSTEM);
	assert_non_null(strstr(e.text, "the state directory"));
}

/* --- two at once --- */

#define ROUNDS 20

static int
be_busy(const char *who)
{
	for (int i = 0; i < ROUNDS; i++) {
		AUTO(pins_done) struct pins l = { 0 };
		AUTO(mem_free_drop) char *name = mem_printf("/%s/%d", who, i);
		struct err e = { 0 };

		put(&l, name, i, who);
		put(&l, "/both", i, who);
		if (!pins_write(temp_dir, &l, false, &e))
			return 1;
	}
	return 0;
}

static void
pins_used_by_two_processes_lose_none_and_the_first_word_stays(void **state)
{
	static const char *const names[] = { "bob", "eve" };
	AUTO(pins_done) struct pins l = { 0 };
	pid_t pids[COUNT(names)];
	struct err e = { 0 };
	int status;

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0)
			_exit(be_busy(names[i]));
	}
	for (size_t i = 0; i < COUNT(names); i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	assert_true(pins_read(temp_dir, &l, &e));
	assert_int_equal(l.n, 1 + COUNT(names) * ROUNDS);
	assert_int_equal(pins_find(&l, PIN_HOST, "/both")->since, 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, temp_dir_begin, temp_dir_end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pins_format_then_parse_gives_the_same_pins),
		cmocka_unit_test(pins_of_every_byte_come_back_and_stay_on_their_lines),
		cmocka_unit_test(pins_parse_damaged_text_names_the_line),
		cmocka_unit_test(pins_parse_cut_anywhere_is_damage_or_whole_pins),
		cmocka_unit_test(pin_compare_finds_what_came_went_and_differs),
		cmocka_unit_test(pins_put_in_any_order_are_found),
		CASE(pins_read_where_nothing_is_makes_nothing),
		CASE(pins_write_adds_what_is_new_and_replaces_only_if_asked),
		CASE(pins_write_of_what_is_there_writes_nothing),
		CASE(pins_write_is_for_the_owner_alone),
		CASE(pins_of_a_damaged_file_are_told_and_left_alone),
		CASE(pins_in_something_that_is_no_directory_cannot_be_read),
		CASE(pins_used_by_two_processes_lose_none_and_the_first_word_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
