/* SPDX-License-Identifier: MIT */
/*
 * proc: real commands of a plain system (sh, cat, head, sleep), fed, gated,
 * cut off and killed. Every case also runs as on a kernel without pidfd.
 */
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
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/clock.h"
#include "base/file.h"
#include "base/proc.h"

static bool pidfd_is_missing;

/* Stands in for libc's: the program's own symbol goes first. */
int
pidfd_open(pid_t pid, unsigned flags)
{
	if (!pidfd_is_missing)
		return (int)syscall(SYS_pidfd_open, pid, flags);
	errno = ENOSYS;
	return -1;
}

/* Run a shell script with the rest as c says. */
static void
run_sh(const char *script, struct proc_command c, struct proc_result *r)
{
	const char *const argv[] = { "sh", "-c", script, NULL };
	struct err e = { 0 };

	c.argv = argv;
	if (!proc_run(&c, r, &e))
		fail_msg("%s", e.text);
}

static void
proc_run_tells_how_the_command_ended(void **state)
{
	static const struct {
		const char *script;
		enum proc_end end;
		int code;
		const char *out, *err;
	} cases[] = {
		{ "exit 0", PROC_EXITED, 0, "", "" },
		{ "echo a; echo b >&2; exit 7", PROC_EXITED, 7, "a\n", "b\n" },
		{ "exit 255", PROC_EXITED, 255, "", "" },
		{ "printf x; kill -9 $$", PROC_SIGNALLED, SIGKILL, "x", "" },
		{ "kill -15 $$", PROC_SIGNALLED, SIGTERM, "", "" },
		{ "kill -13 $$", PROC_SIGNALLED, SIGPIPE, "", "" },
		{ "exec >&- 2>&-; sleep 0.05; exit 3", PROC_EXITED, 3, "", "" },
		{ "printf 'a\\0b'", PROC_EXITED, 0, "a", "" },
		{ "read line || echo end", PROC_EXITED, 0, "end\n", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(proc_result_done) struct proc_result r = { 0 };

		run_sh(cases[i].script, (struct proc_command){ 0 }, &r);
		assert_int_equal(r.end, cases[i].end);
		assert_int_equal(r.code, cases[i].code);
		assert_string_equal(str_text(&r.out), cases[i].out);
		assert_string_equal(str_text(&r.err), cases[i].err);
		assert_false(r.cut);
		assert_false(r.fed);
	}
}

static void
proc_run_that_cannot_start_is_an_error(void **state)
{
	static const char *const programs[] = { "no-such-program", "/no/such", "/tmp", "" };

	(void)state;
	for (size_t i = 0; i < COUNT(programs); i++) {
		const char *const argv[] = { programs[i], NULL };
		struct proc_result r = { .code = 77 };
		struct err e = { 0 };

		assert_false(proc_run(&(struct proc_command){ .argv = argv }, &r, &e));
		assert_int_equal(e.kind, ERR_SYSTEM);
		assert_int_equal(strncmp(e.text, "cannot run ", 11), 0);
		assert_int_equal(r.code, 77);
	}
}

static void
proc_run_big_output_on_both_pipes_arrives_whole(void **state)
{
	AUTO(proc_result_done) struct proc_result r = { 0 };

	(void)state;
	run_sh("head -c 3000000 /dev/zero | tr '\\0' o; head -c 3000000 /dev/zero | tr '\\0' e >&2; "
	       "head -c 1000000 /dev/zero | tr '\\0' O",
	    (struct proc_command){ .cap = 8000000 }, &r);
	assert_int_equal(r.out.len, 4000000);
	assert_int_equal(r.err.len, 3000000);
	assert_int_equal(r.out.ptr[2999999], 'o');
	assert_int_equal(r.out.ptr[3000000], 'O');
	assert_int_equal(r.err.ptr[2999999], 'e');
	assert_false(r.cut);
}

static void
proc_run_output_over_the_cap_is_left_out_and_told(void **state)
{
	static const struct {
		const char *script;
		size_t cap, out, err;
		bool cut;
	} cases[] = {
		{ "printf 12345", 5, 5, 0, false },
		{ "printf 123456", 5, 5, 0, true },
		{ "printf 123; printf 123456 >&2", 5, 3, 5, true },
		{ "head -c 1048576 /dev/zero", 0, 1048576, 0, false },
		{ "head -c 5000000 /dev/zero", 0, 1048576, 0, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(proc_result_done) struct proc_result r = { 0 };

		run_sh(cases[i].script, (struct proc_command){ .cap = cases[i].cap }, &r);
		assert_int_equal(r.code, 0); /* read to its end all the same */
		assert_int_equal(r.out.len, cases[i].out);
		assert_int_equal(r.err.len, cases[i].err);
		assert_int_equal(r.cut, cases[i].cut);
	}
}

static void
proc_run_input_pieces_arrive_one_behind_the_other(void **state)
{
	static const struct bytes pieces[] = {
		{ "one ", 4 }, { NULL, 0 }, { "t\0o ", 4 }, { "three", 5 }
	};
	AUTO(proc_result_done) struct proc_result r = { 0 };

	(void)state;
	run_sh("cat", (struct proc_command){ .input = pieces, .n_input = COUNT(pieces) }, &r);
	assert_int_equal(r.out.len, 13);
	assert_memory_equal(r.out.ptr, "one t\0o three", 13);
	assert_true(r.fed);
}

static void
proc_run_big_input_through_cat_comes_back(void **state)
{
	AUTO(mem_free_drop) char *in = mem_alloc(5000000, 1);
	AUTO(proc_result_done) struct proc_result r = { 0 };
	const struct bytes pieces[] = { { in, 1000000 }, { in + 1000000, 4000000 } };

	(void)state;
	for (size_t i = 0; i < 5000000; i++)
		in[i] = (char)(i * 7 % 251);
	run_sh("cat", (struct proc_command){ .input = pieces, .n_input = 2, .cap = 5000000 }, &r);
	assert_int_equal(r.out.len, 5000000);
	assert_memory_equal(r.out.ptr, in, 5000000);
}

static void
proc_run_command_that_does_not_read_its_input_is_fine(void **state)
{
	static const char *const scripts[] = { "exit 5", "exec <&-; sleep 0.05; exit 5",
		"head -c 10 >/dev/null; exit 5" };
	AUTO(mem_free_drop) char *in = mem_alloc(1000000, 1);
	const struct bytes piece = { in, 1000000 };

	(void)state;
	for (size_t i = 0; i < COUNT(scripts); i++) {
		AUTO(proc_result_done) struct proc_result r = { 0 };

		run_sh(scripts[i], (struct proc_command){ .input = &piece, .n_input = 1 }, &r);
		assert_int_equal(r.end, PROC_EXITED);
		assert_int_equal(r.code, 5);
	}
}

/* A gate that answers when it has seen one of two words. */
struct gate {
	const char *go, *stop;
	struct bytes *change; /* at GO, becomes "changed" */
	int calls, calls_after;
	bool answered;
};

static enum proc_gate
ask(void *arg, struct bytes out)
{
	struct gate *g = arg;
	bool go = g->go && memmem(out.ptr, out.len, g->go, strlen(g->go));
	bool stop = g->stop && memmem(out.ptr, out.len, g->stop, strlen(g->stop));

	g->calls++;
	g->calls_after += g->answered;
	g->answered |= go || stop;
	if (go && g->change)
		*g->change = bytes_of("changed");
	if (go)
		return PROC_GATE_GO;
	return stop ? PROC_GATE_STOP : PROC_GATE_WAIT;
}

static void
proc_run_gate_decides_whether_input_is_sent(void **state)
{
	static const struct {
		const char *script, *out;
		bool fed, change;
	} cases[] = {
		{ "printf GO; cat", "GOinput", true, false },
		{ "printf GO; cat", "GOchanged", true, true },
		{ "printf G; sleep 0.05; printf O; cat; printf GO; printf STOP", "GOinputGOSTOP", true,
		    false },
		{ "printf STOP; cat; printf GO", "STOPGO", false, false },
		/* ended before it said a word */
		{ "printf no", "no", false, false },
		{ "exit 0", "", false, false },
		/* can say it no more */
		{ "printf no; exec >&-; cat >&2", "no", false, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(proc_result_done) struct proc_result r = { 0 };
		struct bytes input = bytes_of("input");
		struct gate g = { .go = "GO", .stop = "STOP" };

		g.change = cases[i].change ? &input : NULL;
		run_sh(cases[i].script,
		    (struct proc_command){
			.input = &input, .n_input = 1, .gate = ask, .gate_arg = &g },
		    &r);
		assert_int_equal(r.end, PROC_EXITED);
		assert_string_equal(str_text(&r.out), cases[i].out);
		assert_string_equal(str_text(&r.err), "");
		assert_int_equal(g.calls_after, 0);
		assert_int_equal(r.fed, cases[i].fed);
	}
}

static void
proc_run_closed_gate_at_the_deadline_sends_nothing(void **state)
{
	AUTO(proc_result_done) struct proc_result r = { 0 };
	struct bytes input = bytes_of("input");
	struct gate g = { .go = "GO" };

	(void)state;
	/* says GO only when told to end: too late */
	run_sh("trap 'echo GO; exit 0' TERM; echo wait; while :; do sleep 0.02; done",
	    (struct proc_command){
		.input = &input, .n_input = 1, .gate = ask, .gate_arg = &g, .limit_ms = 1000 },
	    &r);
	assert_int_equal(r.end, PROC_DEADLINE);
	assert_string_equal(str_text(&r.out), "wait\nGO\n");
	assert_false(r.fed);
	assert_int_equal(g.calls, 1);
}

static void
proc_run_background_child_that_holds_the_pipes_is_not_waited_for(void **state)
{
	AUTO(proc_result_done) struct proc_result r = { 0 };
	int64_t begin = clock_ms();

	(void)state;
	run_sh("sleep 5 & echo $!; exit 4", (struct proc_command){ 0 }, &r);
	assert_int_equal(r.end, PROC_EXITED);
	assert_int_equal(r.code, 4);
	assert_in_range(clock_ms() - begin, 250, 3000);
	assert_int_equal(kill((pid_t)strtol(str_text(&r.out), NULL, 10), SIGKILL), 0);
}

/* Is there a process of that id that is no zombie? */
static bool
is_alive(long pid)
{
	AUTO(str_done) struct str text = { 0 };
	char path[64]; /* a number fits */

	snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	return file_read_at(AT_FDCWD, path, 4096, &text, NULL) && !strstr(text.ptr, ") Z ");
}

static bool
ends_soon(long pid)
{
	int64_t deadline = clock_ms() + 5000;

	while (is_alive(pid) && clock_left(deadline) > 0)
		poll(NULL, 0, 5);
	return !is_alive(pid);
}

static void
proc_run_deadline_ends_the_whole_group(void **state)
{
	static const struct {
		const char *script; /* prints the process ids that must be gone */
		int least_ms; /* the second of grace, where somebody does not go */
	} cases[] = {
		{ "echo $$; sleep 100 & echo $!; wait", 1000 },
		{ "trap '' TERM; echo $$; sh -c 'echo $$; sleep 100; :' & wait", 2000 },
		{ "echo $$; sh -c 'trap \"\" TERM; echo $$; sleep 100; :' & wait", 2000 },
		/* of the group, but holds no pipe */
		{ "trap '' TERM; sleep 100 >/dev/null 2>&1 & echo $!; trap - TERM; sleep 100", 1000 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(proc_result_done) struct proc_result r = { 0 };
		int64_t begin = clock_ms(), took;

		run_sh(cases[i].script, (struct proc_command){ .limit_ms = 1000 }, &r);
		took = clock_ms() - begin;
		assert_int_equal(r.end, PROC_DEADLINE);
		assert_in_range(took, cases[i].least_ms, 10000);
		assert_true(r.out.len > 0);
		for (char *at = r.out.ptr, *end; strtol(at, &end, 10) > 0; at = end)
			assert_true(ends_soon(strtol(at, NULL, 10)));
	}
}

static void
proc_run_deadline_stops_feeding_a_command_that_does_not_read(void **state)
{
	AUTO(mem_free_drop) char *in = mem_alloc(1000000, 1);
	AUTO(proc_result_done) struct proc_result r = { 0 };
	const struct bytes piece = { in, 1000000 };

	(void)state;
	run_sh("exec sleep 100",
	    (struct proc_command){ .input = &piece, .n_input = 1, .limit_ms = 100 }, &r);
	assert_int_equal(r.end, PROC_DEADLINE);
	assert_true(r.fed);
}

static void
proc_run_child_has_three_descriptors_and_plain_signals(void **state)
{
	static const struct {
		const char *script, *want;
	} cases[] = {
		{ "ls /proc/$$/fd", "0\n1\n2\n" },
		{ "exec sed -n 's/^SigBlk:\t0*//p' /proc/self/status", "\n" },
		/* the first 28; glibc lets two of its own be ignored, 32 and 33 */
		{ "exec sed -n 's/^SigIgn:.*\\(.......\\)/\\1/p' /proc/self/status", "0000000\n" },
		{ "test $$ = \"$(cut -d ' ' -f 6 /proc/$$/stat)\" && echo leads", "leads\n" },
		{ "(: </dev/tty) 2>/dev/null || echo none", "none\n" },
		{ "echo $ARVER_TEST", "inherited\n" },
	};
	int extra = open("/dev/null", O_RDONLY); /* as a library might: not close-on-exec */
	sigset_t set, kept;

	(void)state;
	assert_int_equal(dup2(extra, 60), 60);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, &kept);
	setenv("ARVER_TEST", "inherited", 1);
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(proc_result_done) struct proc_result r = { 0 };

		run_sh(cases[i].script, (struct proc_command){ 0 }, &r);
		assert_string_equal(str_text(&r.out), cases[i].want);
	}
	pthread_sigmask(SIG_SETMASK, &kept, NULL);
	close(60);
	close(extra);
}

static size_t
n_open(void)
{
	AUTO(argv_done) struct argv names = { 0 };
	AUTO(fd_drop) int fd = -1;

	assert_true(file_open_dir("/proc/self/fd", &fd, NULL));
	assert_true(file_list_dir(fd, &names, NULL));
	return names.n;
}

static void
proc_run_leaves_no_descriptor_and_no_zombie_behind(void **state)
{
	const char *const missing[] = { "no-such-program", NULL };
	size_t before = n_open();

	(void)state;
	for (int i = 0; i < 10; i++) {
		AUTO(proc_result_done) struct proc_result r = { 0 };

		run_sh("cat; exit 1", (struct proc_command){ 0 }, &r);
		assert_false(proc_run(&(struct proc_command){ .argv = missing }, &r, NULL));
	}
	assert_int_equal(n_open(), before);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static int
echoes_without_descriptors(void)
{
	AUTO(proc_result_done) struct proc_result r = { 0 };
	const char *const argv[] = { "sh", "-c", "cat; echo err >&2; ls /proc/$$/fd", NULL };
	struct bytes input = bytes_of("in ");
	struct proc_command c = { .argv = argv, .input = &input, .n_input = 1 };

	for (int fd = 0; fd <= 2; fd++)
		close(fd);
	return proc_run(&c, &r, NULL) && str_equal(str_text(&r.out), "in 0\n1\n2\n") &&
		str_equal(str_text(&r.err), "err\n") ?
		  0 :
		  1;
}

static void
proc_run_works_while_stdin_and_the_outputs_are_closed(void **state)
{
	int status = -1;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(echoes_without_descriptors());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void
proc_run_result_of_an_earlier_run_is_replaced(void **state)
{
	AUTO(proc_result_done) struct proc_result r = { 0 };

	(void)state;
	run_sh("echo a; echo b >&2; exit 3", (struct proc_command){ 0 }, &r);
	run_sh("echo c", (struct proc_command){ 0 }, &r);
	assert_int_equal(r.code, 0);
	assert_string_equal(str_text(&r.out), "c\n");
	assert_string_equal(str_text(&r.err), "");
}

static void
proc_run_with_sigchld_ignored_ends_all_the_same(void **state)
{
	AUTO(proc_result_done) struct proc_result r = { 0 };

	(void)state;
	signal(SIGCHLD, SIG_IGN);
	run_sh("echo a; exit 3", (struct proc_command){ 0 }, &r);
	signal(SIGCHLD, SIG_DFL);
	assert_int_equal(r.end, PROC_SIGNALLED); /* how is lost: never told as a success */
	assert_int_equal(r.code, 0);
	assert_string_equal(str_text(&r.out), "a\n");
}

static void *
run_some(void *arg)
{
	bool *ok = mem_alloc(1, sizeof(*ok));

	*ok = true;
	for (int i = 0; i < 20; i++) {
		AUTO(proc_result_done) struct proc_result r = { 0 };
		struct bytes input = bytes_of(arg);
		const char *const argv[] = { "cat", NULL };
		struct proc_command c = { .argv = argv, .input = &input, .n_input = 1 };

		*ok = *ok && proc_run(&c, &r, NULL) && r.end == PROC_EXITED && r.code == 0 &&
		    str_equal(str_text(&r.out), arg);
	}
	return ok;
}

static void
proc_run_on_many_threads_each_gets_its_own(void **state)
{
	static char inputs[][8] = { "one", "two", "three", "four", "five", "six", "seven", "eight" };
	pthread_t threads[COUNT(inputs)];

	(void)state;
	for (size_t i = 0; i < COUNT(inputs); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, run_some, inputs[i]), 0);
	for (size_t i = 0; i < COUNT(inputs); i++) {
		void *ok = NULL;

		pthread_join(threads[i], &ok);
		assert_true(*(bool *)ok);
		free(ok);
	}
}

static void
proc_quote_output_is_one_line_of_the_last_words(void **state)
{
	static const struct {
		struct bytes out, err;
		size_t cap;
		const char *want;
	} cases[] = {
		{ { "", 0 }, { "", 0 }, 99, "" },
		{ { "", 0 }, { " \n\t\n", 4 }, 99, "" },
		{ { "of out\n", 7 }, { "", 0 }, 99, "of out" },
		{ { "of out\n", 7 }, { " \n", 2 }, 99, "of out" },
		{ { "of out\n", 7 }, { "of err\n", 7 }, 99, "of err" },
		{ { "", 0 }, { "\n\na\r\n\n  b \nc\n", 13 }, 99, "a; b; c" },
		{ { "", 0 }, { "\x1b[1mNo\x1b[0m", 10 }, 99, "\\x1b[1mNo\\x1b[0m" },
		{ { "", 0 }, { "a\0b", 3 }, 99, "a\\x00b" },
		{ { "", 0 }, { "one two three\n", 14 }, 13, "one two three" },
		{ { "", 0 }, { "one two three\n", 14 }, 9, "... two three" },
		{ { "", 0 }, { "one two three\n", 14 }, 8, "... three" },
		{ { "", 0 }, { "one two three\n", 14 }, 7, "... three" },
		{ { "", 0 }, { "one\ntwo\nthree\n", 14 }, 9, "... two; three" },
		{ { "", 0 }, { "abcdefgh", 8 }, 3, "... fgh" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(proc_result_done) struct proc_result r = { 0 };
		AUTO(str_done) struct str out = { 0 };

		str_add_bytes(&r.out, cases[i].out);
		str_add_bytes(&r.err, cases[i].err);
		str_add(&out, "<");
		proc_quote_output(&out, &r, cases[i].cap);
		assert_string_equal(out.ptr + 1, cases[i].want);
	}
	proc_quote_output(&(struct str){ 0 }, &(struct proc_result){ 0 }, 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(proc_run_tells_how_the_command_ended),
		cmocka_unit_test(proc_run_that_cannot_start_is_an_error),
		cmocka_unit_test(proc_run_big_output_on_both_pipes_arrives_whole),
		cmocka_unit_test(proc_run_output_over_the_cap_is_left_out_and_told),
		cmocka_unit_test(proc_run_input_pieces_arrive_one_behind_the_other),
		cmocka_unit_test(proc_run_big_input_through_cat_comes_back),
		cmocka_unit_test(proc_run_command_that_does_not_read_its_input_is_fine),
		cmocka_unit_test(proc_run_gate_decides_whether_input_is_sent),
		cmocka_unit_test(proc_run_closed_gate_at_the_deadline_sends_nothing),
		cmocka_unit_test(proc_run_background_child_that_holds_the_pipes_is_not_waited_for),
		cmocka_unit_test(proc_run_deadline_ends_the_whole_group),
		cmocka_unit_test(proc_run_deadline_stops_feeding_a_command_that_does_not_read),
		cmocka_unit_test(proc_run_child_has_three_descriptors_and_plain_signals),
		cmocka_unit_test(proc_run_leaves_no_descriptor_and_no_zombie_behind),
		cmocka_unit_test(proc_run_works_while_stdin_and_the_outputs_are_closed),
		cmocka_unit_test(proc_run_result_of_an_earlier_run_is_replaced),
		cmocka_unit_test(proc_run_with_sigchld_ignored_ends_all_the_same),
		cmocka_unit_test(proc_run_on_many_threads_each_gets_its_own),
		cmocka_unit_test(proc_quote_output_is_one_line_of_the_last_words),
	};
	int failed;

	signal(SIGPIPE, SIG_IGN);
	failed = cmocka_run_group_tests_name("with pidfd", tests, NULL, NULL);
	pidfd_is_missing = true;
	return failed + cmocka_run_group_tests_name("without pidfd", tests, NULL, NULL);
}
