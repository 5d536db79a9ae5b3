/* SPDX-License-Identifier: MIT */
/* journal: what is written is read back, damage is told by its line, two processes lose nothing. */
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
#include "state/journal.h"
#include "tests/unit/temp_dir.h"

#define HEAD "arver-journal 1\n"
#define NOTE "disk /colo/web1/data\nadmin bob\nuuid 6b1e\n"

static void
put_file(const char *name, const void *text, size_t len)
{
	AUTO(mem_free_drop) char *path = mem_printf("%s/%s", temp_dir, name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	fclose(f);
}

static struct journal *
open_journal(void)
{
	struct journal *j = NULL;
	struct err e = { 0 };

	if (!journal_open(temp_dir, &j, &e))
		fail_msg("%s", e.text);
	return j;
}

/* --- notes --- */

static struct journal_note *
add_note(struct journal_notes *l, const char *disk, const char *admin)
{
	struct journal_note *n = journal_notes_add(l);

	n->disk = mem_strdup(disk);
	n->admin = mem_strdup(admin);
	n->uuid = mem_strdup("6b1e0000-0000-4000-8000-000000000000");
	return n;
}

/* One of everything. */
static void
fill_note(struct journal_note *n)
{
	n->own = (struct journal_slot){ 3, mem_strdup("00ff") };
	n->spare = (struct journal_slot){ 31, NULL };
	argv_add(&n->staged, "aa");
	argv_add(&n->staged, "bb");
	argv_add(&n->mixed, "cc");
	argv_add(&n->had, "dd");
	argv_add(&n->opened, "0 00aa");
	argv_add(&n->doubted, "30 00bb");
	argv_add(&n->dead, "1.500000 1.000000 /old web/x");
	n->promoted = true;
}

static void
assert_text(const struct journal_notes *l, const char *want)
{
	AUTO(str_done) struct str got = { 0 };

	journal_format(l, &got);
	assert_string_equal(str_text(&got), want);
}

static void
assert_journal(struct journal *j, const char *want)
{
	AUTO(journal_notes_done) struct journal_notes l = { 0 };
	struct err e = { 0 };

	if (!journal_read(j, &l, &e))
		fail_msg("%s", e.text);
	assert_text(&l, want);
}

/* --- text --- */

static void
journal_format_then_parse_gives_the_same_notes(void **state)
{
	AUTO(journal_notes_done) struct journal_notes l = { 0 }, copy = { 0 }, back = { 0 };
	AUTO(str_done) struct str text = { 0 };
	struct err e = { 0 };
	static const char want[] = HEAD
	    "disk /colo/web 1/data\nadmin bob\nuuid 6b1e0000-0000-4000-8000-000000000000\nend\n"
	    "disk /colo/web1/x\nadmin eve\nuuid 6b1e0000-0000-4000-8000-000000000000\n"
	    "own 3 00ff\nspare 31 -\nstaged aa\nstaged bb\nmixed cc\nhad dd\n"
	    "opened 0 00aa\ndoubted 30 00bb\ndead 1.500000 1.000000 /old web/x\npromoted\nend\n";

	(void)state;
	add_note(&l, "/colo/web 1/data", "bob");
	fill_note(add_note(&l, "/colo/web1/x", "eve"));
	assert_text(&l, want);
	for (size_t i = 0; i < l.n; i++)
		journal_notes_copy(&copy, &l.at[i]);
	assert_text(&copy, want);
	journal_format(&copy, &text);
	assert_true(journal_parse(str_bytes(&text), &back, &e));
	assert_text(&back, want);
	assert_null(back.at[1].spare.salt);
	assert_int_equal(back.at[0].own.slot, JOURNAL_NO_SLOT);
}

static void
journal_notes_find_needs_disk_and_admin(void **state)
{
	AUTO(journal_notes_done) struct journal_notes l = { 0 };

	(void)state;
	assert_null(journal_notes_find(&l, "/a", "bob"));
	add_note(&l, "/a", "bob");
	add_note(&l, "/a", "eve");
	assert_ptr_equal(journal_notes_find(&l, "/a", "eve"), &l.at[1]);
	assert_null(journal_notes_find(&l, "/b", "bob"));
	assert_null(journal_notes_find(&l, "/a", "al"));
}

static void
journal_parse_damaged_text_names_the_line(void **state)
{
#define TEXT(s) { s, sizeof(s) - 1 }
	static const struct { struct bytes text; const char *want; } cases[] = {
		{ TEXT(""), "line 1 is not understood" },
		{ TEXT("\n"), "line 1 is not understood" },
		{ TEXT("arver-journal 2\n"), "it was written by another version of arver (arver-journal 2): "
		    "use that one, or a newer one" },
		{ TEXT("arver-journal 2x\n"), "line 1 is not understood" },
		{ TEXT("arver-journal 1 \n"), "line 1 is not understood" },
		{ TEXT(HEAD "\n"), "line 2 is not understood" },
		{ TEXT(HEAD "admin bob\n"), "line 2 is not understood" },
		{ TEXT(HEAD "disk\n"), "line 2 is not understood" },
		{ TEXT(HEAD "disk \n"), "line 2 is not understood" },
		{ TEXT(HEAD "end\n"), "line 2 is not understood" },
		{ TEXT(HEAD "disk /a\nend\n"), "line 3 is not understood" },
		{ TEXT(HEAD "disk /a\nadmin bob\nend\n"), "line 4 is not understood" },
		{ TEXT(HEAD "disk /a\nuuid 6b1e\nend\n"), "line 4 is not understood" },
		{ TEXT(HEAD "disk /a\ndisk /b\n"), "line 3 is not understood" },
		{ TEXT(HEAD "disk /a\nadmin bob\nadmin eve\n"), "line 4 is not understood" },
		{ TEXT(HEAD NOTE "own 3\n"), "line 5 is not understood" },
		{ TEXT(HEAD NOTE "own 3 \n"), "line 5 is not understood" },
		{ TEXT(HEAD NOTE "own x -\n"), "line 5 is not understood" },
		{ TEXT(HEAD NOTE "own -1 -\n"), "line 5 is not understood" },
		{ TEXT(HEAD NOTE "own 32 -\n"), "line 5 is not understood" },
		{ TEXT(HEAD NOTE "spare 99999999999999999999 -\n"), "line 5 is not understood" },
		{ TEXT(HEAD NOTE "own 3 -\nown 4 -\n"), "line 6 is not understood" },
		{ TEXT(HEAD NOTE "staged\n"), "line 5 is not understood" },
		{ TEXT(HEAD NOTE "mixed \n"), "line 5 is not understood" },
		{ TEXT(HEAD NOTE "promoted yes\n"), "line 5 is not understood" },
		{ TEXT(HEAD NOTE "end now\n"), "line 5 is not understood" },
		{ TEXT(HEAD NOTE "mystery 1\n"), "line 5 is not understood" },
		{ TEXT(HEAD NOTE "\nend\n"), "line 5 is not understood" },
		{ TEXT(HEAD NOTE "end\n\n"), "line 6 is not understood" },
		{ TEXT(HEAD NOTE "end\r\n"), "line 5 is not understood" },
		{ TEXT(HEAD NOTE), "the last note has no end" },
		{ TEXT(HEAD NOTE "own 3 -"), "the last note has no end" },
		{ TEXT(HEAD "\0" NOTE "end\n"), "there are zero bytes in it" },
		{ TEXT(HEAD NOTE "end\n\0\0\0"), "there are zero bytes in it" },
		{ TEXT(HEAD NOTE "own 3 a\0b\nend\n"), "there are zero bytes in it" },
		{ TEXT("\0\0\0\0"), "there are zero bytes in it" },
	};
#undef TEXT

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(journal_notes_done) struct journal_notes l = { 0 };
		struct err e = { 0 };

		if (journal_parse(cases[i].text, &l, &e))
			fail_msg("case %zu is taken", i);
		assert_int_equal(e.kind, ERR_DATA);
		assert_string_equal(e.text, cases[i].want);
		assert_int_equal(l.n, 0);
	}
}

static void
journal_parse_cut_anywhere_is_damage_or_whole_notes(void **state)
{
	AUTO(journal_notes_done) struct journal_notes l = { 0 };
	AUTO(str_done) struct str text = { 0 };

	(void)state;
	fill_note(add_note(&l, "/a", "bob"));
	fill_note(add_note(&l, "/b", "bob"));
	journal_format(&l, &text);
	for (size_t len = 0; len < text.len; len++) {
		AUTO(journal_notes_done) struct journal_notes cut = { 0 };
		struct err e = { 0 };

		if (!journal_parse((struct bytes){ text.ptr, len }, &cut, &e))
			continue;
		for (size_t i = 0; i < cut.n; i++)
			assert_true(cut.at[i].promoted && cut.at[i].had.n == 1);
	}
}

/* --- the file --- */

static void
journal_open_makes_its_directory_for_the_owner_alone(void **state)
{
	AUTO(mem_free_drop) char *deep = mem_printf("%s/state/arver/0123", temp_dir);
	AUTO(journal_drop) struct journal *j = NULL;
	struct err e = { 0 };
	struct stat st;

	(void)state;
	assert_true(journal_open(deep, &j, &e));
	assert_int_equal(stat(deep, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_journal(j, HEAD);
	journal_free(NULL);
}

static void
journal_open_where_a_file_lies_is_told(void **state)
{
	AUTO(mem_free_drop) char *path = mem_printf("%s/file", temp_dir);
	struct journal *j = NULL;
	struct err e = { 0 };

	(void)state;
	put_file("file", "x", 1);
	assert_false(journal_open(path, &j, &e));
	assert_int_equal(e.kind, ERR_SYSTEM);
	assert_non_null(strstr(e.text, "the state directory"));
	assert_null(j);
}

static void
journal_write_replaces_and_strike_removes_by_disk_and_admin(void **state)
{
	static const char bob_a[] = "disk /a\nadmin bob\n"
				    "uuid 6b1e0000-0000-4000-8000-000000000000\n";
	static const char eve_a[] = "disk /a\nadmin eve\n"
				    "uuid 6b1e0000-0000-4000-8000-000000000000\n";
	AUTO(journal_drop) struct journal *j = open_journal();
	AUTO(journal_notes_done) struct journal_notes both = { 0 }, bob = { 0 }, other = { 0 };
	struct err e = { 0 };
	char want[512];

	(void)state;
	add_note(&both, "/a", "bob");
	add_note(&both, "/a", "eve");
	assert_true(journal_write(j, &both, &e));
	snprintf(want, sizeof(want), HEAD "%send\n%send\n", bob_a, eve_a);
	assert_journal(j, want);

	add_note(&bob, "/a", "bob")->own = (struct journal_slot){ 1, mem_strdup("ab") };
	assert_true(journal_write(j, &bob, &e));
	snprintf(want, sizeof(want), HEAD "%send\n%sown 1 ab\nend\n", eve_a, bob_a);
	assert_journal(j, want);

	add_note(&other, "/b", "bob"); /* not there: fine */
	assert_true(journal_strike(j, &other, &e));
	assert_journal(j, want);
	assert_true(journal_strike(j, &bob, &e));
	snprintf(want, sizeof(want), HEAD "%send\n", eve_a);
	assert_journal(j, want);
	assert_true(journal_strike(j, &both, &e));
	assert_journal(j, HEAD);
}

static void
journal_write_of_nothing_writes_nothing(void **state)
{
	AUTO(journal_drop) struct journal *j = open_journal();
	AUTO(mem_free_drop) char *path = mem_printf("%s/journal", temp_dir);
	struct journal_notes none = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_true(journal_write(j, &none, &e) && journal_strike(j, &none, &e));
	assert_int_equal(access(path, F_OK), -1);
}

static void
journal_of_a_damaged_file_is_told_and_left_alone(void **state)
{
	static const char damaged[] = HEAD NOTE "own 99 -\nend\n";
	AUTO(journal_drop) struct journal *j = open_journal();
	AUTO(journal_notes_done) struct journal_notes l = { 0 }, mine = { 0 };
	AUTO(mem_free_drop) char *want = mem_printf("%s/journal: line 5 is not understood", temp_dir);
	AUTO(str_done) struct str still = { 0 };
	AUTO(fd_drop) int fd = -1;
	struct err e = { 0 };

	(void)state;
	put_file("journal", damaged, sizeof(damaged) - 1);
	assert_false(journal_read(j, &l, &e));
	assert_int_equal(e.kind, ERR_DATA);
	assert_string_equal(e.text, want);
	add_note(&mine, "/a", "bob");
	assert_false(journal_write(j, &mine, &e));
	assert_string_equal(e.text, want);
	assert_false(journal_strike(j, &mine, &e));
	assert_true(file_open_dir(temp_dir, &fd, &e));
	assert_true(file_read_at(fd, "journal", 4096, &still, &e));
	assert_string_equal(str_text(&still), damaged);
}

static void
journal_write_leaves_one_private_file_and_no_other(void **state)
{
	AUTO(journal_drop) struct journal *j = open_journal();
	AUTO(journal_notes_done) struct journal_notes l = { 0 };
	AUTO(mem_free_drop) char *path = mem_printf("%s/journal", temp_dir);
	AUTO(argv_done) struct argv names = { 0 };
	AUTO(fd_drop) int fd = -1;
	struct err e = { 0 };
	struct stat before, after;

	(void)state;
	add_note(&l, "/a", "bob");
	assert_true(journal_write(j, &l, &e));
	assert_int_equal(stat(path, &before), 0);
	assert_int_equal(before.st_mode & 07777, 0600);
	/* A reader of the old file keeps it whole: a new one is put in its place. */
	assert_true(file_open_dir(temp_dir, &fd, &e));
	AUTO(fd_drop) int old = openat(fd, "journal", O_RDONLY | O_CLOEXEC);

	assert_true(journal_strike(j, &l, &e));
	assert_int_equal(stat(path, &after), 0);
	assert_int_not_equal(before.st_ino, after.st_ino);
	assert_true(file_list_dir(fd, &names, &e));
	assert_int_equal(names.n, 1);
}

/* --- two at once --- */

#define ROUNDS 20

/* Write a note of its own, again and again, and strike every other one. */
static int
be_busy(const char *who)
{
	AUTO(journal_drop) struct journal *j = open_journal();

	for (int i = 0; i < ROUNDS; i++) {
		AUTO(journal_notes_done) struct journal_notes l = { 0 };
		AUTO(mem_free_drop) char *disk = mem_printf("/%s/%d", who, i);
		struct err e = { 0 };

		add_note(&l, disk, who);
		if (!journal_write(j, &l, &e) || (i % 2 && !journal_strike(j, &l, &e)))
			return 1;
	}
	return 0;
}

static void
journal_used_by_two_processes_loses_no_note(void **state)
{
	static const char *const names[] = { "bob", "eve" };
	AUTO(journal_notes_done) struct journal_notes l = { 0 };
	AUTO(journal_drop) struct journal *j = open_journal();
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
	assert_true(journal_read(j, &l, &e));
	assert_int_equal(l.n, COUNT(names) * ROUNDS / 2);
	for (size_t i = 0; i < COUNT(names); i++)
		for (int k = 0; k < ROUNDS; k++) {
			AUTO(mem_free_drop) char *disk = mem_printf("/%s/%d", names[i], k);

			assert_int_equal(!journal_notes_find(&l, disk, names[i]), k % 2);
		}
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, temp_dir_begin, temp_dir_end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(journal_format_then_parse_gives_the_same_notes),
		cmocka_unit_test(journal_notes_find_needs_disk_and_admin),
		cmocka_unit_test(journal_parse_damaged_text_names_the_line),
		cmocka_unit_test(journal_parse_cut_anywhere_is_damage_or_whole_notes),
		CASE(journal_open_makes_its_directory_for_the_owner_alone),
		CASE(journal_open_where_a_file_lies_is_told),
		CASE(journal_write_replaces_and_strike_removes_by_disk_and_admin),
		CASE(journal_write_of_nothing_writes_nothing),
		CASE(journal_of_a_damaged_file_is_told_and_left_alone),
		CASE(journal_write_leaves_one_private_file_and_no_other),
		CASE(journal_used_by_two_processes_loses_no_note),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
