/* SPDX-License-Identifier: MIT */
/* file: each test works in a fresh directory, removed with all that is in it. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/clock.h"
#include "base/file.h"

struct place {
	char path[32]; /* "/tmp/arver-file-XXXXXX" */
	int dir;
};

static int
setup(void **state)
{
	struct place *at = mem_alloc(1, sizeof(*at));

	strcpy(at->path, "/tmp/arver-file-XXXXXX");
	*state = at;
	return mkdtemp(at->path) && file_open_dir(at->path, &at->dir, NULL) ? 0 : -1;
}

/* Remove what is in `dir`. */
static void
empty(int dir)
{
	AUTO(argv_done) struct argv names = { 0 };

	assert_true(file_list_dir(dir, &names, NULL));
	for (size_t i = 0; i < names.n; i++) {
		AUTO(fd_drop) int sub = -1;

		if (file_open_dir_at(dir, names.at[i], &sub, NULL))
			empty(sub);
		unlinkat(dir, names.at[i], sub >= 0 ? AT_REMOVEDIR : 0);
	}
}

static int
teardown(void **state)
{
	struct place *at = *state;

	empty(at->dir);
	close(at->dir);
	rmdir(at->path);
	free(at);
	return 0;
}

static int
place_of(void **state)
{
	return ((struct place *)*state)->dir;
}

static void
put(int dir, const char *name, const char *content)
{
	struct file_place at = { .tmp_dir = dir, .dir = dir, .name = name, .mode = 0600 };

	assert_true(file_replace(&at, bytes_of(content), NULL));
}

static void
assert_content(int dir, const char *name, const char *want)
{
	AUTO(str_done) struct str text = { 0 };

	assert_true(file_read_at(dir, name, 1 << 20, &text, NULL));
	assert_string_equal(str_text(&text), want);
}

static size_t
n_names(int dir)
{
	AUTO(argv_done) struct argv names = { 0 };

	assert_true(file_list_dir(dir, &names, NULL));
	return names.n;
}

static void
file_read_at_appends_up_to_the_cap(void **state)
{
	static const struct {
		const char *content;
		size_t cap;
		bool want;
	} cases[] = {
		{ "", 0, true },
		{ "12345", 5, true },
		{ "12345", 4, false },
		{ "12345", 0, false },
	};
	int dir = place_of(state);

	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(str_done) struct str text = { 0 };
		struct err e = { 0 };

		str_add(&text, ">");
		put(dir, "f", cases[i].content);
		assert_int_equal(file_read_at(dir, "f", cases[i].cap, &text, &e), cases[i].want);
		assert_string_equal(text.ptr + 1, cases[i].want ? cases[i].content : "");
		assert_int_equal(e.kind, cases[i].want ? ERR_NONE : ERR_DATA);
	}
}

static void
file_read_at_large_file_is_read_whole(void **state)
{
	AUTO(mem_free_drop) char *in = mem_alloc(300001, 1);
	AUTO(str_done) struct str text = { 0 };

	memset(in, 'x', 300000);
	in[123456] = 'y';
	put(place_of(state), "f", in);
	assert_true(file_read_at(place_of(state), "f", 300000, &text, NULL));
	assert_int_equal(text.len, 300000);
	assert_string_equal(text.ptr, in);
}

static void
file_read_at_missing_file_keeps_errno_and_names_it(void **state)
{
	AUTO(str_done) struct str text = { 0 };
	struct err e = { 0 };

	assert_false(file_read_at(place_of(state), "users", 100, &text, &e));
	assert_int_equal(errno, ENOENT);
	assert_int_equal(e.kind, ERR_SYSTEM);
	assert_string_equal(e.text, "cannot open users: No such file or directory");
	assert_null(text.ptr);
}

static void
file_read_at_other_than_a_regular_file_is_refused(void **state)
{
	static const struct {
		const char *name, *want;
	} cases[] = {
		{ "link", "link is a symbolic link" },
		{ "fifo", "fifo is not a regular file" },
		{ "socket", "socket is not a regular file" },
		{ "directory", "directory is not a regular file" },
		{ "/dev/zero", "/dev/zero is not a regular file" },
	};
	int dir = place_of(state);

	put(dir, "file", "x");
	assert_int_equal(symlinkat("file", dir, "link"), 0);
	assert_int_equal(mkfifoat(dir, "fifo", 0600), 0);
	assert_int_equal(mkdirat(dir, "directory", 0700), 0);
	assert_int_equal(mknodat(dir, "socket", S_IFSOCK | 0600, 0), 0);
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(str_done) struct str text = { 0 };
		struct err e = { 0 };

		assert_false(file_read_at(dir, cases[i].name, 100, &text, &e));
		assert_int_equal(e.kind, ERR_DATA);
		assert_non_null(strstr(e.text, cases[i].want));
	}
}

static void
file_replace_content_and_mode_are_as_given_whatever_the_umask(void **state)
{
	static const mode_t modes[] = { 0600, 0644, 0660, 0400 };
	int dir = place_of(state);
	mode_t kept = umask(077);

	for (size_t i = 0; i < COUNT(modes); i++) {
		struct file_place at = {
			.tmp_dir = dir, .dir = dir, .name = "keys", .mode = modes[i]
		};
		AUTO(mem_free_drop) char *content = mem_printf("content %zu", i);
		struct stat st;

		assert_true(file_replace(&at, bytes_of(content), NULL));
		assert_int_equal(fstatat(dir, "keys", &st, 0), 0);
		assert_int_equal(st.st_mode & 07777, modes[i]);
		assert_content(dir, "keys", content);
	}
	umask(kept);
	assert_int_equal(n_names(dir), 1);
}

static void
file_replace_through_a_directory_of_its_own_leaves_nothing_there(void **state)
{
	AUTO(fd_drop) int tmp = -1;
	struct file_place at = { .dir = place_of(state), .name = "f", .mode = 0600 };

	assert_int_equal(mkdirat(at.dir, "tmp", 0700), 0);
	assert_true(file_open_dir_at(at.dir, "tmp", &tmp, NULL));
	at.tmp_dir = tmp;
	assert_true(file_replace(&at, bytes_of("new"), NULL));
	assert_content(at.dir, "f", "new");
	assert_int_equal(n_names(tmp), 0);
}

static void
file_sweep_removes_what_a_killed_replace_left_and_nothing_else(void **state)
{
	static const char *const stay[] = { "NAME", ".arver", ".other-0123", "x.arver-0123" };
	int dir = place_of(state);

	put(dir, ".arver-0123456789ab", "half of");
	put(dir, ".arver-ba9876543210", "");
	for (size_t i = 0; i < COUNT(stay); i++)
		put(dir, stay[i], "kept");
	file_sweep(dir);
	assert_int_equal(n_names(dir), COUNT(stay));
	for (size_t i = 0; i < COUNT(stay); i++)
		assert_content(dir, stay[i], "kept");
}

static void
file_replace_that_fails_leaves_all_as_it_was(void **state)
{
	static const char *const names[] = { "taken", "missing/f", "" };
	int dir = place_of(state);

	assert_int_equal(mkdirat(dir, "taken", 0700), 0);
	for (size_t i = 0; i < COUNT(names); i++) {
		struct file_place at = {
			.tmp_dir = dir, .dir = dir, .name = names[i], .mode = 0600
		};
		struct err e = { 0 };

		assert_false(file_replace(&at, bytes_of("new"), &e));
		assert_int_equal(e.kind, ERR_SYSTEM);
		assert_int_equal(n_names(dir), 1);
	}
}

static void
file_replace_of_a_link_replaces_the_link(void **state)
{
	int dir = place_of(state);

	put(dir, "target", "old");
	assert_int_equal(symlinkat("target", dir, "link"), 0);
	put(dir, "link", "new");
	assert_content(dir, "target", "old");
	assert_content(dir, "link", "new");
}

static void
file_remove_at_missing_file_is_fine_a_directory_is_not(void **state)
{
	int dir = place_of(state);
	struct err e = { 0 };

	put(dir, "f", "x");
	assert_true(file_exists_at(dir, "f"));
	assert_true(file_remove_at(dir, "f", &e));
	assert_false(file_exists_at(dir, "f"));
	assert_true(file_remove_at(dir, "f", &e));
	assert_int_equal(mkdirat(dir, "d", 0700), 0);
	assert_false(file_remove_at(dir, "d", &e));
	assert_int_equal(e.kind, ERR_SYSTEM);
}

static void
file_exists_at_sees_a_link_that_leads_nowhere(void **state)
{
	assert_int_equal(symlinkat("nowhere", place_of(state), "link"), 0);
	assert_true(file_exists_at(place_of(state), "link"));
}

static void
file_list_dir_names_are_sorted_by_bytes(void **state)
{
	static const char *const want[] = { ".hidden", "B", "a", "a b", "a1", "a10", "a2", "ö" };
	AUTO(argv_done) struct argv names = { 0 };
	int dir = place_of(state);

	for (size_t i = COUNT(want); i > 0; i--)
		put(dir, want[i - 1], "");
	for (int round = 0; round < 2; round++) {
		assert_true(file_list_dir(dir, &names, NULL));
		assert_int_equal(names.n, COUNT(want));
		for (size_t i = 0; i < names.n; i++)
			assert_string_equal(names.at[i], want[i]);
	}
}

static void
file_list_dir_of_no_directory_fails(void **state)
{
	AUTO(argv_done) struct argv names = { 0 };
	AUTO(fd_drop) int fd = -1;
	struct err e = { 0 };

	put(place_of(state), "f", "");
	fd = openat(place_of(state), "f", O_RDONLY | O_CLOEXEC);
	assert_false(file_list_dir(fd, &names, &e));
	assert_int_equal(e.kind, ERR_SYSTEM);
}

static void
file_open_dir_at_follows_no_link_file_open_dir_does(void **state)
{
	struct place *at = *state;
	AUTO(mem_free_drop) char *path = mem_printf("%s/link", at->path);
	AUTO(fd_drop) int fd = -1;
	struct err e = { 0 };

	assert_int_equal(mkdirat(at->dir, "d", 0700), 0);
	assert_int_equal(symlinkat("d", at->dir, "link"), 0);
	assert_false(file_open_dir_at(at->dir, "link", &fd, &e));
	assert_int_equal(e.kind, ERR_DATA);
	assert_int_equal(fd, -1);
	assert_true(file_open_dir(path, &fd, &e));
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

static void
file_make_dirs_makes_what_is_missing(void **state)
{
	static const char *const tails[] = { "", "/", "/a", "/a/b/c", "/a/b/c/", "//a//d", "/link/e" };
	struct place *at = *state;
	struct stat st;

	assert_int_equal(symlinkat("a", at->dir, "link"), 0);
	for (size_t i = 0; i < COUNT(tails); i++) {
		AUTO(mem_free_drop) char *path = mem_printf("%s%s", at->path, tails[i]);

		assert_true(file_make_dirs(path, 0700, NULL));
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0700);
	}
	assert_int_equal(fstatat(at->dir, "a/e", &st, 0), 0);
	assert_true(file_make_dirs("/", 0700, NULL));
}

static void
file_make_dirs_relative_path_begins_here(void **state)
{
	AUTO(fd_drop) int kept = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(fchdir(place_of(state)), 0);
	assert_true(file_make_dirs("x/y", 0700, NULL));
	assert_int_equal(fchdir(kept), 0);
	assert_true(file_exists_at(place_of(state), "x/y"));
}

static void
file_make_dirs_file_in_the_way_is_named(void **state)
{
	struct place *at = *state;
	AUTO(mem_free_drop) char *path = mem_printf("%s/f/d", at->path);
	struct err e = { 0 };

	put(at->dir, "f", "");
	assert_false(file_make_dirs(path, 0700, &e));
	assert_int_equal(e.kind, ERR_SYSTEM);
	assert_non_null(strstr(e.text, "/f: File exists"));
}

static void
file_lock_shared_goes_with_shared_exclusive_with_none(void **state)
{
	static const struct {
		bool first, second, want;
	} cases[] = {
		{ false, false, true },
		{ false, true, false },
		{ true, false, false },
		{ true, true, false },
	};
	struct place *at = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(fd_drop) int other = -1;
		struct err e = { 0 };

		assert_true(file_open_dir(at->path, &other, NULL));
		assert_true(file_lock(at->dir, cases[i].first, 0, &e));
		assert_int_equal(file_lock(other, cases[i].second, 0, &e), cases[i].want);
		assert_int_equal(e.kind, cases[i].want ? ERR_NONE : ERR_SYSTEM);
		file_unlock(at->dir);
		assert_true(file_lock(other, true, 0, &e));
	}
}

static void
file_lock_waits_as_long_as_told(void **state)
{
	struct place *at = *state;
	AUTO(fd_drop) int other = -1;
	int64_t begin = clock_ms();

	assert_true(file_open_dir(at->path, &other, NULL));
	assert_true(file_lock(at->dir, true, 0, NULL));
	assert_false(file_lock(other, true, 100, NULL));
	assert_in_range(clock_ms() - begin, 100, 5000);
}

static void *
unlock_soon(void *arg)
{
	poll(NULL, 0, 50);
	file_unlock(*(int *)arg);
	return NULL;
}

static void
file_lock_is_given_once_the_other_is_done(void **state)
{
	struct place *at = *state;
	AUTO(fd_drop) int other = -1;
	pthread_t thread;

	assert_true(file_open_dir(at->path, &other, NULL));
	assert_true(file_lock(at->dir, true, 0, NULL));
	assert_int_equal(pthread_create(&thread, NULL, unlock_soon, &at->dir), 0);
	assert_true(file_lock(other, true, 10000, NULL));
	pthread_join(thread, NULL);
}

static void *
drain(void *arg)
{
	AUTO(mem_free_drop) char *buf = mem_alloc(1, 65536);
	size_t *sum = mem_alloc(1, sizeof(*sum));
	ssize_t n;

	while ((n = file_read_some(*(int *)arg, buf, 65536)) > 0)
		*sum += (size_t)n;
	return sum;
}

static void
file_write_all_non_blocking_pipe_gets_every_byte(void **state)
{
	AUTO(mem_free_drop) char *in = mem_alloc(1, 1 << 20);
	pthread_t thread;
	void *sum = NULL;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(pthread_create(&thread, NULL, drain, &ends[0]), 0);
	assert_true(file_write_all(ends[1], (struct bytes){ in, 1 << 20 }));
	close(ends[1]);
	pthread_join(thread, &sum);
	assert_int_equal(*(size_t *)sum, 1 << 20);
	free(sum);
	close(ends[0]);
}

static void
file_write_all_nobody_reads_is_false_with_errno(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	close(ends[0]);
	assert_false(file_write_all(ends[1], bytes_of("x")));
	assert_int_equal(errno, EPIPE);
	fd_drop(&ends[1]);
	assert_int_equal(ends[1], -1);
	fd_drop(&ends[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(file_read_at_appends_up_to_the_cap),
		TEST(file_read_at_large_file_is_read_whole),
		TEST(file_read_at_missing_file_keeps_errno_and_names_it),
		TEST(file_read_at_other_than_a_regular_file_is_refused),
		TEST(file_replace_content_and_mode_are_as_given_whatever_the_umask),
		TEST(file_replace_through_a_directory_of_its_own_leaves_nothing_there),
		TEST(file_sweep_removes_what_a_killed_replace_left_and_nothing_else),
		TEST(file_replace_that_fails_leaves_all_as_it_was),
		TEST(file_replace_of_a_link_replaces_the_link),
		TEST(file_remove_at_missing_file_is_fine_a_directory_is_not),
		TEST(file_exists_at_sees_a_link_that_leads_nowhere),
		TEST(file_list_dir_names_are_sorted_by_bytes),
		TEST(file_list_dir_of_no_directory_fails),
		TEST(file_open_dir_at_follows_no_link_file_open_dir_does),
		TEST(file_make_dirs_makes_what_is_missing),
		TEST(file_make_dirs_relative_path_begins_here),
		TEST(file_make_dirs_file_in_the_way_is_named),
		TEST(file_lock_shared_goes_with_shared_exclusive_with_none),
		TEST(file_lock_waits_as_long_as_told),
		TEST(file_lock_is_given_once_the_other_is_done),
		TEST(file_write_all_non_blocking_pipe_gets_every_byte),
		TEST(file_write_all_nobody_reads_is_false_with_errno),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
