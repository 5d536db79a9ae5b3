/* SPDX-License-Identifier: MIT */
/* hook_test: words, placeholders, and every way in which a hook can end. */
#include "hook/hook.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "transport/transport.h"

static const struct group group = { .name = (char *)"colo", .path = (char *)"/colo" };
static struct host host = { .group = &group, .name = (char *)"web1", .path = (char *)"/colo/web1" };
static struct disk disk = { .host = &host, .name = (char *)"data",
	.path = (char *)"/colo/web1/data", .device = (char *)"/dev/storage/data" };

static void
set_hook(struct hook *h, bool has_placeholders, const char *const *words)
{
	argv_done(&h->words);
	h->has_placeholders = has_placeholders;
	for (; *words; words++)
		argv_add(&h->words, *words);
}

static int
teardown(void **state)
{
	(void)state;
	for (int i = 0; i < HOOK_KINDS; i++) {
		argv_done(&host.hooks[i].words);
		argv_done(&disk.hooks[i].words);
	}
	return 0;
}

static void
hook_exists_where_there_are_words(void **state)
{
	(void)state;
	assert_false(hook_exists(&host, NULL, HOOK_PRE_OPEN));
	set_hook(&host.hooks[HOOK_PRE_OPEN], false, (const char *[]){ "/pre", NULL });
	assert_true(hook_exists(&host, NULL, HOOK_PRE_OPEN));
	assert_false(hook_exists(&host, &disk, HOOK_PRE_OPEN));
	set_hook(&disk.hooks[HOOK_POST_CLOSE], false, (const char *[]){ "/post", NULL });
	assert_true(hook_exists(&host, &disk, HOOK_POST_CLOSE));
}

static void
hook_words_fill_in_placeholders(void **state)
{
	static const struct { const char *word, *want; enum hook_kind kind; } cases[] = {
		{ "%g/%h/%d", "colo/web1/data", HOOK_PRE_OPEN },
		{ "--device=%D", "--device=/dev/storage/data", HOOK_PRE_OPEN },
		{ "%m", "/dev/mapper/data", HOOK_PRE_CLOSE },
		{ "%a", "open", HOOK_PRE_OPEN },
		{ "%a", "open", HOOK_POST_OPEN },
		{ "%a", "close", HOOK_PRE_CLOSE },
		{ "%a", "close", HOOK_POST_CLOSE },
		{ "100%%", "100%", HOOK_PRE_OPEN },
		{ "%%d", "%d", HOOK_PRE_OPEN },
		{ "two words", "two words", HOOK_PRE_OPEN },
		{ "", "", HOOK_PRE_OPEN },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(argv_done) struct argv words = { 0 };
		struct err e = { 0 };

		set_hook(&disk.hooks[cases[i].kind], true,
		    (const char *[]){ "/usr/bin/prog", cases[i].word, NULL });
		assert_true(hook_words(&host, &disk, cases[i].kind, &words, &e));
		assert_int_equal(words.n, 2);
		assert_string_equal(words.at[1], cases[i].want);
	}
}

static void
hook_words_of_a_plain_path_are_literal(void **state)
{
	AUTO(argv_done) struct argv words = { 0 };
	struct err e = { 0 };

	(void)state;
	set_hook(&disk.hooks[HOOK_PRE_OPEN], false, (const char *[]){ "/opt/%d %x", NULL });
	assert_true(hook_words(&host, &disk, HOOK_PRE_OPEN, &words, &e));
	assert_string_equal(words.at[0], "/opt/%d %x");
}

static void
hook_words_refuse_what_they_do_not_know(void **state)
{
	static const struct { const char *word; bool host_only; } cases[] = {
		{ "%x", false }, { "%", false }, { "100%", false }, { "% d", false },
		{ "%d", true }, { "%D", true }, { "%m", true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(argv_done) struct argv words = { 0 };
		struct disk *d = cases[i].host_only ? NULL : &disk;
		struct hook *h = d ? disk.hooks : host.hooks;
		struct err e = { 0 };

		set_hook(&h[HOOK_PRE_OPEN], true, (const char *[]){ "/p", cases[i].word, NULL });
		assert_false(hook_words(&host, d, HOOK_PRE_OPEN, &words, &e));
		assert_int_equal(e.kind, ERR_DATA);
		assert_int_equal(words.n, 0);
	}
}

static void
hook_words_are_of_bounded_length(void **state)
{
	const size_t most = 64 << 10;
	AUTO(mem_free_drop) char *word = mem_alloc(most + 1, 1);
	AUTO(argv_done) struct argv words = { 0 };
	struct hook *h = &disk.hooks[HOOK_PRE_OPEN];
	struct err e = { 0 };

	(void)state;
	memset(word, 'x', most - 4);
	set_hook(h, true, (const char *[]){ "/p", word, NULL }); /* each with a byte behind it */
	assert_true(hook_words(&host, &disk, HOOK_PRE_OPEN, &words, &e));
	word[most - 4] = 'x';
	for (int placeholders = 0; placeholders < 2; placeholders++) {
		set_hook(h, placeholders, (const char *[]){ "/p", word, NULL });
		assert_false(hook_words(&host, &disk, HOOK_PRE_OPEN, &words, &e));
		assert_int_equal(e.kind, ERR_DATA);
	}
	for (size_t i = 0; i < most; i++)
		word[i] = "%m"[i % 2];
	set_hook(h, true, (const char *[]){ "/p", word, NULL });
	assert_false(hook_words(&host, &disk, HOOK_PRE_OPEN, &words, &e));
}

/* A transport that answers as it is told. */
static struct proc_result answer;
static bool unreachable;
static struct argv last;

static bool
told_run(struct transport *t, const struct proc_command *c, struct proc_result *out, struct err *e)
{
	(void)t;
	argv_done(&last);
	for (const char *const *p = c->argv; *p; p++)
		argv_add(&last, *p);
	if (unreachable)
		return err_set(e, ERR_HOST, "no route to host");
	out->end = answer.end;
	out->code = answer.code;
	str_add_bytes(&out->out, str_bytes(&answer.out));
	str_add_bytes(&out->err, str_bytes(&answer.err));
	return true;
}

static bool
told_connect(struct transport *t, struct err *e)
{
	(void)t;
	(void)e;
	return true;
}

static const struct transport_ops told_ops = { .connect = told_connect, .run = told_run };

static void
hook_run_tells_how_it_ended(void **state)
{
	static const struct {
		enum proc_end end;
		int code;
		const char *err;
		enum err_kind kind;
		const char *words;
	} cases[] = {
		{ PROC_EXITED, 0, "fine", ERR_NONE, "" },
		{ PROC_EXITED, 3, "no such pool", ERR_HOOK, "failed with exit status 3: no such pool" },
		{ PROC_EXITED, 127, "sh: exec: not found", ERR_HOOK, "/opt/hook is not there" },
		{ PROC_EXITED, 126, "Permission denied", ERR_HOOK, "executable" },
		{ PROC_EXITED, 1, "sudo: /opt/hook: command not found", ERR_HOOK, "is not there" },
		{ PROC_EXITED, 1, "sudo: a password is required", ERR_HOOK, "sudo refuses" },
		{ PROC_SIGNALLED, 9, "", ERR_HOOK, "killed by signal 9" },
		{ PROC_DEADLINE, 0, "", ERR_LOST, "may still run" },
		{ PROC_LOST, 0, "", ERR_LOST, "may still run" },
	};
	struct transport t = { .ops = &told_ops, .name = "colo/web1" };

	(void)state;
	set_hook(&disk.hooks[HOOK_POST_OPEN], false, (const char *[]){ "/opt/hook", NULL });
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(str_done) struct str output = { 0 };
		struct err e = { 0 };

		answer = (struct proc_result){ .end = cases[i].end, .code = cases[i].code };
		str_add(&answer.out, "one\ntw\033o\n");
		str_add(&answer.err, cases[i].err);
		assert_int_equal(hook_run(&t, &host, &disk, HOOK_POST_OPEN, 1000, &output, &e),
		    cases[i].kind == ERR_NONE);
		assert_int_equal(e.kind, cases[i].kind);
		assert_non_null(strstr(e.text, cases[i].words));
		assert_true(str_starts(output.ptr, "one\ntw\\x1bo\n"));
		assert_true(cases[i].kind == ERR_NONE ||
		    str_starts(e.text, "colo/web1/data: post_open: "));
		proc_result_done(&answer);
	}
	argv_done(&last);
}

static void
hook_run_not_reached_is_not_begun(void **state)
{
	struct transport t = { .ops = &told_ops, .name = "colo/web1" };
	AUTO(str_done) struct str output = { 0 };
	struct err e = { 0 };

	(void)state;
	set_hook(&host.hooks[HOOK_PRE_OPEN], false, (const char *[]){ "/opt/hook", NULL });
	unreachable = true;
	assert_false(hook_run(&t, &host, NULL, HOOK_PRE_OPEN, 1000, &output, &e));
	unreachable = false;
	assert_int_equal(e.kind, ERR_HOST);
	argv_done(&last);
}

static void
hook_run_uses_sudo_where_the_login_is_not_root(void **state)
{
	struct transport t = { .ops = &told_ops, .name = "colo/web1" };
	AUTO(str_done) struct str output = { 0 };
	struct err e = { 0 };

	(void)state;
	set_hook(&host.hooks[HOOK_PRE_OPEN], false, (const char *[]){ "/opt/hook", "a b", NULL });
	answer = (struct proc_result){ .end = PROC_EXITED };
	assert_true(hook_run(&t, &host, NULL, HOOK_PRE_OPEN, 1000, &output, &e));
	assert_int_equal(last.n, 6);
	assert_string_equal(last.at[4], "/opt/hook");
	assert_string_equal(last.at[5], "a b");
	t.sudo = true;
	assert_true(hook_run(&t, &host, NULL, HOOK_PRE_OPEN, 1000, &output, &e));
	assert_int_equal(last.n, 9);
	assert_string_equal(last.at[4], "sudo");
	assert_string_equal(last.at[5], "-n");
	assert_string_equal(last.at[7], "/opt/hook");
	argv_done(&last);
}

/* For real, on this machine. */
static void
hook_run_here_runs_the_program(void **state)
{
	static const struct transport_spec spec = { .name = "colo/web1" };
	static const struct { const char *words[4]; enum err_kind kind; const char *say; } cases[] = {
		{ { "/bin/echo", "it's %d", NULL }, ERR_NONE, "it's data\n" },
		{ { "/nonexistent/hook", NULL }, ERR_HOOK, "is not there" },
		{ { "/dev/null", NULL }, ERR_HOOK, "executable" },
		{ { "/bin/sh", "-c", "echo no >&2; exit 4", NULL }, ERR_HOOK, "exit status 4: no" },
		{ { "/bin/cat", NULL }, ERR_NONE, "" },
		{ { "/bin/sleep", "60", NULL }, ERR_LOST, "may still run" },
	};
	AUTO(transport_drop) struct transport *t = transport_local_new(&spec);

	(void)state;
	t->sudo = false;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(str_done) struct str output = { 0 };
		struct err e = { 0 };

		set_hook(&disk.hooks[HOOK_PRE_OPEN], true, cases[i].words);
		assert_int_equal(hook_run(t, &host, &disk, HOOK_PRE_OPEN,
		    cases[i].kind == ERR_LOST ? 300 : 20000, &output, &e), cases[i].kind == ERR_NONE);
		assert_int_equal(e.kind, cases[i].kind);
		assert_non_null(strstr(cases[i].kind ? e.text : str_text(&output), cases[i].say));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(hook_exists_where_there_are_words, teardown),
		cmocka_unit_test_teardown(hook_words_fill_in_placeholders, teardown),
		cmocka_unit_test_teardown(hook_words_of_a_plain_path_are_literal, teardown),
		cmocka_unit_test_teardown(hook_words_are_of_bounded_length, teardown),
		cmocka_unit_test_teardown(hook_words_refuse_what_they_do_not_know, teardown),
		cmocka_unit_test_teardown(hook_run_tells_how_it_ended, teardown),
		cmocka_unit_test_teardown(hook_run_not_reached_is_not_begun, teardown),
		cmocka_unit_test_teardown(hook_run_uses_sudo_where_the_login_is_not_root, teardown),
		cmocka_unit_test_teardown(hook_run_here_runs_the_program, teardown),
	};

	return cmocka_run_group_tests_name("hook", tests, NULL, NULL);
}
