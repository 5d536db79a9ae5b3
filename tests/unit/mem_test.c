/* SPDX-License-Identifier: MIT */
/* mem: never NULL, never overflown, one owner; the one exit in lib/. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/mem.h"

static void
mem_alloc_memory_is_zeroed_even_for_nothing(void **state)
{
	static const struct {
		size_t n, size;
	} cases[] = { { 3, 5 }, { 0, 8 }, { 8, 0 }, { 1, 100000 } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(mem_free_drop) char *p = mem_alloc(cases[i].n, cases[i].size);

		assert_non_null(p);
		for (size_t at = 0; at < cases[i].n * cases[i].size; at++)
			assert_int_equal(p[at], 0);
	}
}

static void
mem_resize_keeps_what_was_there(void **state)
{
	AUTO(mem_free_drop) char *p = mem_strdup("arver");

	(void)state;
	p = mem_resize(p, 1000, 100);
	assert_string_equal(p, "arver");
	p = mem_resize(p, 0, 100);
	assert_non_null(p);
}

static void
mem_strndup_ends_at_nul_or_length(void **state)
{
	AUTO(mem_free_drop) char *whole = mem_strndup("disk", 10);
	AUTO(mem_free_drop) char *part = mem_strndup("disk", 2);
	AUTO(mem_free_drop) char *none = mem_strndup("disk", 0);

	(void)state;
	assert_string_equal(whole, "disk");
	assert_string_equal(part, "di");
	assert_string_equal(none, "");
}

static void
mem_printf_formats_into_fresh_memory(void **state)
{
	AUTO(mem_free_drop) char *s = mem_printf("%s-%04d", "slot", 7);

	(void)state;
	assert_string_equal(s, "slot-0007");
}

static void
mem_push_every_element_begins_zeroed_and_stays(void **state)
{
	struct item {
		size_t number;
		char dirt[24];
	};
	AUTO(mem_free_drop) struct item *list = NULL;
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < 1000; i++) {
		static const char zeros[sizeof(list->dirt)];
		struct item *item = mem_push(&list, &n, sizeof(*list));

		assert_int_equal(n, i + 1);
		assert_ptr_equal(item, &list[i]);
		assert_int_equal(item->number, 0);
		assert_memory_equal(item->dirt, zeros, sizeof(zeros));
		item->number = i;
		memset(item->dirt, 0xee, sizeof(item->dirt));
	}
	for (size_t i = 0; i < n; i++)
		assert_int_equal(list[i].number, i);
}

static void
mem_push_after_removing_the_last_reuses_its_place(void **state)
{
	AUTO(mem_free_drop) int *list = NULL;
	size_t n = 0;

	(void)state;
	for (int i = 0; i < 20; i++)
		*(int *)mem_push(&list, &n, sizeof(*list)) = i;
	n = 7;
	for (int i = 7; i < 40; i++)
		*(int *)mem_push(&list, &n, sizeof(*list)) = i;
	for (int i = 0; i < 40; i++)
		assert_int_equal(list[i], i);
}

static void
mem_take_leaves_null_behind(void **state)
{
	AUTO(mem_free_drop) char *from = mem_strdup("x");
	AUTO(mem_free_drop) char *to = TAKE(from);

	(void)state;
	assert_null(from);
	assert_string_equal(to, "x");
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int
try_while_held(void)
{
	HOLD(&lock);
	return pthread_mutex_trylock(&lock);
}

static void
mem_hold_locks_until_the_function_returns(void **state)
{
	(void)state;
	assert_int_not_equal(try_while_held(), 0);
	assert_int_equal(pthread_mutex_trylock(&lock), 0);
	pthread_mutex_unlock(&lock);
}

/* Run `act` in a child; returns its exit status, and its stderr in text. */
static int
status_of(void (*act)(void), char *text, size_t size)
{
	int ends[2], status = -1;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		dup2(ends[1], STDERR_FILENO);
		act();
		_exit(42);
	}
	close(ends[1]);
	n = read(ends[0], text, size - 1);
	text[n > 0 ? n : 0] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
overflow(void)
{
	free(mem_resize(NULL, SIZE_MAX / 2, 3));
}

static void
mem_exhausted_says_one_line_and_exits_with_1(void **state)
{
	char text[200];

	(void)state;
	assert_int_equal(status_of(mem_exhausted, text, sizeof(text)), 1);
	assert_string_equal(text, "arver: out of memory\n");
}

static void
mem_resize_product_that_overflows_is_exhaustion(void **state)
{
	char text[200];

	(void)state;
	assert_int_equal(status_of(overflow, text, sizeof(text)), 1);
	assert_string_equal(text, "arver: out of memory\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mem_alloc_memory_is_zeroed_even_for_nothing),
		cmocka_unit_test(mem_resize_keeps_what_was_there),
		cmocka_unit_test(mem_strndup_ends_at_nul_or_length),
		cmocka_unit_test(mem_printf_formats_into_fresh_memory),
		cmocka_unit_test(mem_push_every_element_begins_zeroed_and_stays),
		cmocka_unit_test(mem_push_after_removing_the_last_reuses_its_place),
		cmocka_unit_test(mem_take_leaves_null_behind),
		cmocka_unit_test(mem_hold_locks_until_the_function_returns),
		cmocka_unit_test(mem_exhausted_says_one_line_and_exits_with_1),
		cmocka_unit_test(mem_resize_product_that_overflows_is_exhaustion),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
