/* SPDX-License-Identifier: MIT */
/*
 * transport_contract: transport/transport.h and base/proc.h put to the test,
 * with commands that every system has. Where a deadline must hold, it is
 * measured, with room for a busy machine.
 */
#include "tests/contract/transport_contract.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/clock.h"

#define BIG ((size_t)16 << 20)

static struct transport *(*make_one)(void);

void
transport_contract_sh(struct transport *t, const char *script, struct proc_command c,
    struct proc_result *r)
{
	const char *const argv[] = { "sh", "-c", script, NULL };
	struct err e = { 0 };

	c.argv = argv;
	if (!transport_run(t, &c, r, &e))
		fail_msg("%s", e.text);
}

#define run_sh transport_contract_sh

static void
transport_run_tells_how_the_command_ended(void **state)
{
	static const struct {
		const char *script;
		enum proc_end end;
		int code;
		const char *out, *err;
	} cases[] = {
		{ "exit 0", PROC_EXITED, 0, "", "" },
		{ "echo a; echo b >&2; exit 7", PROC_EXITED, 7, "a\n", "b\n" },
		{ "exit 1", PROC_EXITED, 1, "", "" },
		{ "exit 255", PROC_EXITED, 255, "", "" },
		{ "printf x; kill -9 $$", PROC_SIGNALLED, SIGKILL, "x", "" },
		{ "kill -15 $$", PROC_SIGNALLED, SIGTERM, "", "" },
		{ "kill -6 $$", PROC_SIGNALLED, SIGABRT, "", "" },
		{ "printf 'a\\0b'", PROC_EXITED, 0, "a", "" },
		{ "read line || echo end", PROC_EXITED, 0, "end\n", "" },
		{ "exec >&- 2>&-; sleep 0.1; exit 3", PROC_EXITED, 3, "", "" },
	};
	AUTO(transport_drop) struct transport *t = make_one();

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(proc_result_done) struct proc_result r = { 0 };

		run_sh(t, cases[i].script, (struct proc_command){ 0 }, &r);
		assert_int_equal(r.end, cases[i].end);
		assert_int_equal(r.code, cases[i].code);
		assert_string_equal(str_text(&r.out), cases[i].out);
		assert_string_equal(str_text(&r.err), cases[i].err);
		assert_false(r.cut);
		assert_false(r.fed);
	}
}

static void
transport_run_program_that_is_not_there_exits_127(void **state)
{
	static const char *const programs[] = { "no-such-program", "/no/such" };
	AUTO(transport_drop) struct transport *t = make_one();

	(void)state;
	for (size_t i = 0; i < COUNT(programs); i++) {
		const char *const argv[] = { programs[i], "x", NULL };
		AUTO(proc_result_done) struct proc_result r = { 0 };
		struct err e = { 0 };

		assert_true(transport_run(t, &(struct proc_command){ .argv = argv }, &r, &e));
		assert_int_equal(r.end, PROC_EXITED);
		assert_int_equal(r.code, 127);
		assert_non_null(strstr(str_text(&r.err), programs[i]));
	}
}

static void
transport_run_every_word_arrives_as_it_was(void **state)
{
	static const char *const words[] = { "printf", "%s\\0", "", "a b", "it's", "\"", "$HOME",
		"`id`", "$(id)", "*", "?", "~", "!x", "a\\b", "\\", "-n", "--", "#", ";", "&", "|",
		"a\nb", "\t", "\r", "\x01\x1b[0m\x7f", "\xff\xfe", "sch\xc3\xb6n", "%s", "A=b",
		"{a,b}", NULL };
	AUTO(transport_drop) struct transport *t = make_one();
	AUTO(proc_result_done) struct proc_result r = { 0 };
	struct err e = { 0 };
	const char *p;

	(void)state;
	assert_true(transport_run(t, &(struct proc_command){ .argv = words }, &r, &e));
	assert_int_equal(r.code, 0);
	p = str_text(&r.out);
	for (const char *const *w = words + 2; *w; w++) {
		assert_string_equal(p, *w);
		p += strlen(p) + 1;
	}
	assert_int_equal(p - str_text(&r.out), r.out.len);
}

static char *
big_noise(void)
{
	char *big = mem_alloc(BIG, 1);
	uint32_t x = 1;

	for (size_t i = 0; i < BIG; i++) {
		x = x * 1103515245 + 12345;
		big[i] = (char)(x >> 16);
	}
	return big;
}

static void
transport_run_big_input_comes_back_whole(void **state)
{
	AUTO(transport_drop) struct transport *t = make_one();
	AUTO(proc_result_done) struct proc_result r = { 0 };
	AUTO(mem_free_drop) char *big = big_noise();
	const struct bytes input[] = {
		{ big, 1000 }, { big, 0 }, { big + 1000, BIG - 1001 }, { big + BIG - 1, 1 } };

	(void)state;
	run_sh(t, "cat",
	    (struct proc_command){ .input = input, .n_input = COUNT(input), .cap = 2 * BIG }, &r);
	assert_int_equal(r.end, PROC_EXITED);
	assert_int_equal(r.code, 0);
	assert_true(r.fed);
	assert_int_equal(r.out.len, BIG);
	assert_memory_equal(str_text(&r.out), big, BIG);
}

static void
transport_run_flood_on_both_outputs_is_kept_up_to_the_cap(void **state)
{
	AUTO(transport_drop) struct transport *t = make_one();
	AUTO(proc_result_done) struct proc_result r = { 0 };

	(void)state;
	run_sh(t, "head -c 8000000 /dev/zero >&2; head -c 8000000 /dev/zero; echo end >&2; exit 4",
	    (struct proc_command){ .cap = 5000000 }, &r);
	assert_int_equal(r.end, PROC_EXITED);
	assert_int_equal(r.code, 4);
	assert_int_equal(r.out.len, 5000000);
	assert_int_equal(r.err.len, 5000000);
	assert_true(r.cut);
}

static void
transport_run_input_that_nobody_reads_is_fine(void **state)
{
	static const char *const scripts[] = { "exit 3", "head -c 1 >/dev/null; exit 3",
		"exec <&-; sleep 0.2; exit 3", "exec >&- 2>&-; cat >/dev/null; exit 3" };
	AUTO(transport_drop) struct transport *t = make_one();
	AUTO(mem_free_drop) char *big = mem_alloc(BIG, 1);
	const struct bytes input = { big, BIG };

	(void)state;
	for (size_t i = 0; i < COUNT(scripts); i++) {
		AUTO(proc_result_done) struct proc_result r = { 0 };

		run_sh(t, scripts[i], (struct proc_command){ .input = &input, .n_input = 1 }, &r);
		assert_int_equal(r.end, PROC_EXITED);
		assert_int_equal(r.code, 3);
	}
}

struct gate {
	char input[8];
	unsigned calls;
	enum proc_gate answer; /* once "ready" has come */
};

static enum proc_gate
gate_on_ready(void *arg, struct bytes out)
{
	struct gate *g = arg;

	g->calls++;
	if (!memmem(out.ptr, out.len, "ready\n", 6))
		return PROC_GATE_WAIT;
	memcpy(g->input, "secret", 6); /* at GO the input may have been changed */
	return g->answer;
}

static void
run_gated(struct transport *t, const char *script, struct gate *g, struct proc_result *r)
{
	const struct bytes input = { g->input, 6 };

	memcpy(g->input, "######", 6);
	run_sh(t, script,
	    (struct proc_command){
		.input = &input, .n_input = 1, .gate = gate_on_ready, .gate_arg = g },
	    r);
}

static void
transport_run_gate_withholds_input_until_go(void **state)
{
	AUTO(transport_drop) struct transport *t = make_one();
	AUTO(proc_result_done) struct proc_result r = { 0 };
	struct gate g = { .answer = PROC_GATE_GO };

	(void)state;
	run_gated(t, "printf rea; sleep 0.2; echo dy; cat; echo more; exit 2", &g, &r);
	assert_int_equal(r.end, PROC_EXITED);
	assert_int_equal(r.code, 2);
	assert_true(r.fed);
	assert_string_equal(str_text(&r.out), "ready\nsecretmore\n");
	assert_in_range(g.calls, 1, 6); /* never again after GO */
}

static void
transport_run_gate_that_does_not_open_sends_nothing(void **state)
{
	static const struct {
		const char *script;
		enum proc_gate answer;
		const char *out;
		int code;
	} cases[] = {
		{ "echo ready; cat; exit 2", PROC_GATE_STOP, "ready\n", 2 },
		{ "echo no; exit 3", PROC_GATE_GO, "no\n", 3 },
		{ "exit 4", PROC_GATE_GO, "", 4 },
		{ "exec >&- 2>&-; cat; exit 5", PROC_GATE_GO, "", 5 },
	};
	AUTO(transport_drop) struct transport *t = make_one();

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(proc_result_done) struct proc_result r = { 0 };
		struct gate g = { .answer = cases[i].answer };

		run_gated(t, cases[i].script, &g, &r);
		assert_int_equal(r.end, PROC_EXITED);
		assert_int_equal(r.code, cases[i].code);
		assert_string_equal(str_text(&r.out), cases[i].out);
		assert_false(r.fed);
	}
}

static void
transport_run_silent_command_ends_at_its_deadline(void **state)
{
	AUTO(transport_drop) struct transport *t = make_one();
	AUTO(proc_result_done) struct proc_result r = { 0 };
	AUTO(proc_result_done) struct proc_result again = { 0 };
	int64_t start;
	struct err e = { 0 };

	(void)state;
	assert_true(transport_connect(t, &e));
	start = clock_ms();
	run_sh(t, "echo begun; exec sleep 30", (struct proc_command){ .limit_ms = 1500 }, &r);
	assert_int_equal(r.end, PROC_DEADLINE);
	assert_string_equal(str_text(&r.out), "begun\n");
	assert_in_range(clock_ms() - start, 1490, 6000);
	run_sh(t, "echo again", (struct proc_command){ 0 }, &again);
	assert_string_equal(str_text(&again.out), "again\n");
}

static void
transport_run_endless_output_ends_at_its_deadline(void **state)
{
	AUTO(transport_drop) struct transport *t = make_one();
	AUTO(proc_result_done) struct proc_result r = { 0 };
	int64_t start;
	struct err e = { 0 };

	(void)state;
	assert_true(transport_connect(t, &e));
	start = clock_ms();
	run_sh(t, "exec cat /dev/zero", (struct proc_command){ .limit_ms = 1500 }, &r);
	assert_int_equal(r.end, PROC_DEADLINE);
	assert_true(r.cut);
	assert_in_range(clock_ms() - start, 1490, 6000);
}

static void
transport_run_silent_command_may_take_its_time(void **state)
{
	AUTO(transport_drop) struct transport *t = make_one();
	AUTO(proc_result_done) struct proc_result r = { 0 };

	(void)state;
	run_sh(t, "sleep 2; echo done", (struct proc_command){ .limit_ms = 60000 }, &r);
	assert_int_equal(r.end, PROC_EXITED);
	assert_string_equal(str_text(&r.out), "done\n");
}

static void
transport_run_does_not_wait_for_a_child_that_holds_the_outputs(void **state)
{
	AUTO(transport_drop) struct transport *t = make_one();
	AUTO(proc_result_done) struct proc_result r = { 0 };
	AUTO(proc_result_done) struct proc_result next = { 0 };
	int64_t start;
	struct err e = { 0 };

	(void)state;
	assert_true(transport_connect(t, &e));
	start = clock_ms();
	run_sh(t, "sleep 8 & echo hi; exit 5", (struct proc_command){ 0 }, &r);
	assert_int_equal(r.end, PROC_EXITED);
	assert_int_equal(r.code, 5);
	assert_string_equal(str_text(&r.out), "hi\n");
	assert_in_range(clock_ms() - start, 0, 5000);
	run_sh(t, "echo next", (struct proc_command){ 0 }, &next);
	assert_string_equal(str_text(&next.out), "next\n");
}

static void
transport_run_many_commands_one_after_the_other(void **state)
{
	AUTO(transport_drop) struct transport *t = make_one();

	(void)state;
	for (int i = 0; i < 40; i++) {
		AUTO(proc_result_done) struct proc_result r = { 0 };
		AUTO(mem_free_drop) char *script = mem_printf("cat; exit %d", i);
		const struct bytes input = { &i, sizeof(i) };

		run_sh(t, script, (struct proc_command){ .input = &input, .n_input = 1 }, &r);
		assert_int_equal(r.end, PROC_EXITED);
		assert_int_equal(r.code, i);
		assert_int_equal(r.out.len, sizeof(i));
		assert_memory_equal(str_text(&r.out), &i, sizeof(i));
	}
}

static void
transport_run_replaces_an_old_result(void **state)
{
	AUTO(transport_drop) struct transport *t = make_one();
	AUTO(proc_result_done) struct proc_result r = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_true(transport_connect(t, &e));
	assert_true(transport_connect(t, &e)); /* at once */
	run_sh(t, "echo first; echo bad >&2; exit 1", (struct proc_command){ 0 }, &r);
	run_sh(t, "exit 0", (struct proc_command){ 0 }, &r);
	assert_int_equal(r.code, 0);
	assert_string_equal(str_text(&r.out), "");
	assert_string_equal(str_text(&r.err), "");
}

int
transport_contract_run(const char *name, struct transport *(*make)(void))
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(transport_run_tells_how_the_command_ended),
		cmocka_unit_test(transport_run_program_that_is_not_there_exits_127),
		cmocka_unit_test(transport_run_every_word_arrives_as_it_was),
		cmocka_unit_test(transport_run_big_input_comes_back_whole),
		cmocka_unit_test(transport_run_flood_on_both_outputs_is_kept_up_to_the_cap),
		cmocka_unit_test(transport_run_input_that_nobody_reads_is_fine),
		cmocka_unit_test(transport_run_gate_withholds_input_until_go),
		cmocka_unit_test(transport_run_gate_that_does_not_open_sends_nothing),
		cmocka_unit_test(transport_run_silent_command_ends_at_its_deadline),
		cmocka_unit_test(transport_run_endless_output_ends_at_its_deadline),
		cmocka_unit_test(transport_run_silent_command_may_take_its_time),
		cmocka_unit_test(transport_run_does_not_wait_for_a_child_that_holds_the_outputs),
		cmocka_unit_test(transport_run_many_commands_one_after_the_other),
		cmocka_unit_test(transport_run_replaces_an_old_result),
	};

	make_one = make;
	return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}
