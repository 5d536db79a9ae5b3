/* SPDX-License-Identifier: MIT */
/*
 * secret: what the kernel says of the pages (/proc/self/smaps), what is left
 * after a free, and that many secrets of all sizes do not get in each other's
 * way. A byte is probed with write(), which says EFAULT where a load would crash.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/file.h"
#include "base/secret.h"

static const unsigned char *fixed_random; /* what getrandom() gives, if set */

/* Stands in for libc's: the program's own symbol goes first. */
ssize_t
getrandom(void *buf, size_t len, unsigned flags)
{
	if (!fixed_random)
		return syscall(SYS_getrandom, buf, len, flags);
	memcpy(buf, fixed_random, len);
	return (ssize_t)len;
}

static bool
readable(const void *p)
{
	int ends[2];
	bool ok;

	assert_int_equal(pipe(ends), 0);
	ok = write(ends[1], p, 1) == 1 || errno != EFAULT;
	close(ends[0]);
	close(ends[1]);
	return ok;
}

/* A number from /proc/self/status, in kB. */
static long
status_kb(const char *field)
{
	AUTO(str_done) struct str text = { 0 };
	const char *at;

	assert_true(file_read_at(AT_FDCWD, "/proc/self/status", 1 << 16, &text, NULL));
	at = strstr(text.ptr, field);
	return at ? strtol(at + strlen(field), NULL, 10) : -1;
}

/* Copy the VmFlags line of the mapping that p lies in. */
static void
page_flags(const void *p, char out[256])
{
	AUTO(str_done) struct str text = { 0 };
	bool inside = false;

	out[0] = '\0';
	assert_true(file_read_at(AT_FDCWD, "/proc/self/smaps", 64 << 20, &text, NULL));
	for (char *rest = text.ptr, *line; (line = strsep(&rest, "\n"));) {
		unsigned long from, to;

		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			inside = (uintptr_t)p >= from && (uintptr_t)p < to;
		else if (inside && str_starts(line, "VmFlags:"))
			snprintf(out, 256, "%s ", line);
	}
}

/* Run `act` in a child; returns its exit status. */
static int
status_of(int (*act)(const void *arg), const void *arg)
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0)
		_exit(act(arg));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static const size_t some_sizes[] = { 0, 1, 32, 63, 64, 65, 256, 4096, 65536, 65537, 300000 };

static void
secret_new_pages_are_locked_undumped_and_wiped_on_fork(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(some_sizes); i++) {
		AUTO(secret_drop) struct secret *s = secret_new(some_sizes[i]);
		char flags[256];

		page_flags(secret_space(s).ptr, flags);
		assert_non_null(strstr(flags, " lo "));
		assert_non_null(strstr(flags, " dd "));
		assert_non_null(strstr(flags, " wf "));
	}
	assert_true(secret_all_locked());
}

static void
secret_new_chunk_has_a_guard_page_on_either_side(void **state)
{
	AUTO(secret_drop) struct secret *s = secret_new((size_t)80 << 12);
	const unsigned char *p = secret_space(s).ptr;

	(void)state;
	assert_true(readable(p));
	assert_true(readable(p + secret_space(s).len - 1));
	assert_false(readable(p - 1));
	assert_false(readable(p + secret_space(s).len));
}

static int
is_zero_in_child(const void *arg)
{
	struct span room = secret_space((struct secret *)(uintptr_t)arg);
	const char *p = room.ptr;

	for (size_t i = 0; i < room.len; i++)
		if (p[i] != 0)
			return 1;
	return 0;
}

static void
secret_forked_child_finds_zeros(void **state)
{
	AUTO(secret_drop) struct secret *s = secret_from(bytes_of("passphrase"));

	(void)state;
	assert_int_equal(status_of(is_zero_in_child, s), 0);
	assert_memory_equal(secret_bytes(s).ptr, "passphrase", 10);
}

static void
secret_free_wipes_and_gives_the_place_to_the_next(void **state)
{
	static const char zeros[256];
	struct secret *s = secret_new(sizeof(zeros));
	unsigned char *p = secret_space(s).ptr;

	(void)state;
	memset(p, 0xee, sizeof(zeros)); /* more than what counts: all of it is wiped */
	secret_set_len(s, 3);
	secret_free(s);
	assert_memory_equal(p, zeros, sizeof(zeros));
	s = secret_new(sizeof(zeros));
	assert_ptr_equal(secret_space(s).ptr, p);
	secret_free(s);
	secret_free(NULL);
}

#ifdef __x86_64__
/* Are there eight of these bytes in a row in some vector register? */
static bool
in_registers(unsigned char byte)
{
	unsigned char registers[4][16], row[8];

	__asm__ volatile("movdqu %%xmm0, 0(%0)\n\tmovdqu %%xmm1, 16(%0)\n\t"
			 "movdqu %%xmm2, 32(%0)\n\tmovdqu %%xmm3, 48(%0)"
			 : : "r"(registers) : "memory");
	memset(row, byte, sizeof(row));
	return memmem(registers, sizeof(registers), row, sizeof(row)) != NULL;
}

static void
secret_from_and_free_leave_nothing_in_the_registers(void **state)
{
	static unsigned char many[256];
	struct secret *s;

	(void)state;
	memset(many, 0xa5, sizeof(many));
	s = secret_from((struct bytes){ many, sizeof(many) });
	assert_false(in_registers(0xa5));
	__asm__ volatile("movdqu (%0), %%xmm1" : : "r"(many) : "xmm1");
	secret_free(s);
	assert_false(in_registers(0xa5));
}
#endif

static void
secret_lock_pages_locks_and_keeps_out_of_dumps(void **state)
{
	char *p = mem_alloc(3, 4096);
	char flags[256];

	(void)state;
	secret_lock_pages(p + 100, 8000);
	for (size_t at = 100; at < 8100; at += 3999) {
		page_flags(p + at, flags);
		assert_non_null(strstr(flags, " lo "));
		assert_non_null(strstr(flags, " dd "));
	}
	free(p);
	assert_true(secret_all_locked());
}

static void
secret_new_a_thousand_keys_fit_in_little_memory(void **state)
{
	enum { N = 1000 };
	struct secret *list[N];
	long before = status_kb("VmLck:");

	(void)state;
	for (size_t i = 0; i < N; i++) {
		list[i] = secret_new(256);
		memset(secret_space(list[i]).ptr, (int)(i % 251), 256);
		secret_set_len(list[i], 256);
	}
	assert_true(status_kb("VmLck:") - before <= 1024);
	for (size_t i = 0; i < N; i++) {
		const unsigned char *p = secret_bytes(list[i]).ptr;

		for (size_t at = 0; at < 256; at++)
			assert_int_equal(p[at], i % 251);
		secret_free(list[i]);
	}
	before = status_kb("VmLck:");
	for (size_t i = 0; i < N; i++)
		secret_free(secret_new(256));
	assert_int_equal(status_kb("VmLck:"), before);
}

static void
secret_free_of_a_large_one_gives_its_memory_back(void **state)
{
	long before = status_kb("VmLck:");
	struct secret *list[4];

	(void)state;
	for (size_t i = 0; i < COUNT(list); i++) {
		list[i] = secret_new(300000);
		memset(secret_space(list[i]).ptr, (int)i, 300000);
	}
	assert_in_range(status_kb("VmLck:") - before, 1172, 1300);
	secret_free(list[1]); /* from the middle of the list, its front, its end */
	secret_free(list[3]);
	secret_free(list[0]);
	secret_free(list[2]);
	assert_int_equal(status_kb("VmLck:"), before);
}

/* Free and make secrets in no order; each one must keep its bytes. */
static void *
churn(void *arg)
{
	enum { N = 64, ROUNDS = 4000 };
	struct secret *list[N] = { NULL };
	unsigned seed = *(unsigned *)arg;
	bool *ok = mem_alloc(1, sizeof(*ok));

	*ok = true;
	for (unsigned i = 0; i < ROUNDS + N; i++) {
		struct secret **s = &list[i < ROUNDS ? (unsigned)rand_r(&seed) % N : i - ROUNDS];
		unsigned char *p = *s ? secret_space(*s).ptr : NULL;
		unsigned size = (unsigned)rand_r(&seed);

		for (size_t at = 0; *s && at < secret_space(*s).len; at++)
			*ok = *ok && p[at] == p[0];
		secret_free(TAKE(*s));
		if (i >= ROUNDS)
			continue;
		*s = secret_new(size % 50 == 0 ? 70000 : size % 3000 + 1);
		memset(secret_space(*s).ptr, (int)(size >> 8) & 0xff, secret_space(*s).len);
	}
	return ok;
}

static void
secret_new_and_free_on_many_threads_keep_apart(void **state)
{
	pthread_t threads[4];
	unsigned seeds[COUNT(threads)];

	(void)state;
	for (size_t i = 0; i < COUNT(threads); i++) {
		seeds[i] = (unsigned)i + 1;
		assert_int_equal(pthread_create(&threads[i], NULL, churn, &seeds[i]), 0);
	}
	for (size_t i = 0; i < COUNT(threads); i++) {
		void *ok = NULL;

		pthread_join(threads[i], &ok);
		assert_true(*(bool *)ok);
		free(ok);
	}
}

static void
secret_set_len_is_what_counts_of_the_capacity(void **state)
{
	AUTO(secret_drop) struct secret *s = secret_new(100);

	(void)state;
	assert_int_equal(secret_space(s).len, 100);
	assert_int_equal(secret_bytes(s).len, 0);
	assert_true(secret_set_len(s, 100));
	assert_int_equal(secret_bytes(s).len, 100);
	assert_true(secret_set_len(s, 5));
	assert_int_equal(secret_bytes(s).len, 5);
	assert_int_equal(secret_space(s).len, 100);
}

static void
secret_equal_compares_length_and_bytes(void **state)
{
	static const struct {
		struct bytes a, b;
		bool want;
	} cases[] = {
		{ { "key", 3 }, { "key", 3 }, true },
		{ { "key", 3 }, { "kez", 3 }, false },
		{ { "key", 3 }, { "Key", 3 }, false },
		{ { "key", 3 }, { "key", 2 }, false },
		{ { "k\0y", 3 }, { "k\0z", 3 }, false },
		{ { NULL, 0 }, { "", 0 }, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(secret_drop) struct secret *a = secret_from(cases[i].a);
		AUTO(secret_drop) struct secret *b = secret_from(cases[i].b);

		assert_int_equal(secret_equal(a, b), cases[i].want);
	}
}

static void
secret_random_base64_encodes_as_rfc_4648(void **state)
{
	static const struct {
		const char *random, *want;
	} cases[] = {
		{ "foobar", "Zm9vYmFy" },
		{ "\xff\xff\xff\xfb\xef\xbe", "////++++" },
		{ "\x14\xfb\x9c\x03\xd9\x7e", "FPucA9l+" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		fixed_random = (const unsigned char *)cases[i].random;
		AUTO(secret_drop) struct secret *s = secret_random_base64(6);
		fixed_random = NULL;

		assert_int_equal(secret_bytes(s).len, 8);
		assert_memory_equal(secret_bytes(s).ptr, cases[i].want, 8);
	}
}

static void
secret_random_base64_every_passphrase_is_another(void **state)
{
	AUTO(secret_drop) struct secret *a = secret_random_base64(192);
	AUTO(secret_drop) struct secret *b = secret_random_base64(192);

	(void)state;
	assert_int_equal(secret_bytes(a).len, 256);
	assert_int_equal(secret_bytes(b).len, 256);
	assert_false(secret_equal(a, b));
	assert_memory_not_equal(secret_bytes(a).ptr, (const char *)secret_bytes(a).ptr + 128, 128);
}

/* As somebody who may lock nothing. */
static int
works_without_locking(const void *arg)
{
	bool before = secret_all_locked();

	(void)arg;
	setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){ 0, 0 });
	if (geteuid() == 0 && setuid(65534) != 0)
		return 2;
	for (size_t i = 0; i < 3; i++) {
		AUTO(secret_drop) struct secret *s = secret_new(300000);

		memset(secret_space(s).ptr, 'x', 300000);
	}
	return before && !secret_all_locked() ? 0 : 1;
}

static void
secret_new_that_cannot_be_locked_works_and_is_told(void **state)
{
	(void)state;
	assert_int_equal(status_of(works_without_locking, NULL), 0);
}

static int
is_wiped(const void *arg)
{
	static const char zeros[16];
	struct secret *list[] = { secret_from(bytes_of("sixteen bytes ok")), secret_new(300000) };
	const char *small = secret_bytes(list[0]).ptr;
	char *large = secret_space(list[1]).ptr;

	(void)arg;
	memcpy(large + 299984, "sixteen bytes ok", 16);
	secret_wipe_all();
	if (memcmp(small, "sixteen bytes ok", 16) == 0 || memcmp(small, zeros, 16) == 0)
		return 1;
	if (memcmp(large + 299984, "sixteen bytes ok", 16) == 0)
		return 2;
	secret_free(list[0]); /* must not wait for ever */
	secret_free(list[1]);
	return 0;
}

static void
secret_wipe_all_leaves_noise_and_no_secret(void **state)
{
	(void)state;
	assert_int_equal(status_of(is_wiped, NULL), 0);
}

static int
is_hardened(const void *arg)
{
	struct rlimit core, lock;

	(void)arg;
	secret_harden_process();
	getrlimit(RLIMIT_CORE, &core);
	getrlimit(RLIMIT_MEMLOCK, &lock);
	return prctl(PR_GET_DUMPABLE) == 0 && core.rlim_cur == 0 && core.rlim_max == 0 &&
		lock.rlim_cur == lock.rlim_max ?
		  0 :
		  1;
}

static void
secret_harden_process_turns_off_dumps(void **state)
{
	(void)state;
	assert_int_equal(status_of(is_hardened, NULL), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(secret_new_pages_are_locked_undumped_and_wiped_on_fork),
		cmocka_unit_test(secret_new_chunk_has_a_guard_page_on_either_side),
		cmocka_unit_test(secret_forked_child_finds_zeros),
		cmocka_unit_test(secret_free_wipes_and_gives_the_place_to_the_next),
#ifdef __x86_64__
		cmocka_unit_test(secret_from_and_free_leave_nothing_in_the_registers),
#endif
		cmocka_unit_test(secret_lock_pages_locks_and_keeps_out_of_dumps),
		cmocka_unit_test(secret_new_a_thousand_keys_fit_in_little_memory),
		cmocka_unit_test(secret_free_of_a_large_one_gives_its_memory_back),
		cmocka_unit_test(secret_new_and_free_on_many_threads_keep_apart),
		cmocka_unit_test(secret_set_len_is_what_counts_of_the_capacity),
		cmocka_unit_test(secret_equal_compares_length_and_bytes),
		cmocka_unit_test(secret_random_base64_encodes_as_rfc_4648),
		cmocka_unit_test(secret_random_base64_every_passphrase_is_another),
		cmocka_unit_test(secret_new_that_cannot_be_locked_works_and_is_told),
		cmocka_unit_test(secret_wipe_all_leaves_noise_and_no_secret),
		cmocka_unit_test(secret_harden_process_turns_off_dumps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
