/* SPDX-License-Identifier: MIT */
/*
 * luks_talk_test: what is told of a conversation with a server that ended in
 * any way, and when keys go out. The transport is one that answers as told.
 */
#include "luks/luks_talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/secret.h"
#include "luks/luks.h"
#include "transport/transport.h"

/* What the transport is told to answer, and what it saw. */
static struct {
	const char *before, *after;	/* output before and behind the input */
	const char *err;
	enum proc_end end;
	int code;
	bool unreachable;
	struct str input;		/* all that was sent */
	struct argv argv;
} told;

static bool
told_run(struct transport *t, const struct proc_command *c, struct proc_result *out, struct err *e)
{
	enum proc_gate g = PROC_GATE_WAIT;

	(void)t;
	argv_done(&told.argv);
	for (const char *const *p = c->argv; *p; p++)
		argv_add(&told.argv, *p);
	str_clear(&told.input);
	if (told.unreachable)
		return err_set(e, ERR_HOST, "no route to host");
	for (const char *p = told.before; *p && g == PROC_GATE_WAIT; p++) {
		str_add_char(&out->out, *p);	/* byte by byte: the gate must bear it */
		if (c->gate)
			g = c->gate(c->gate_arg, str_bytes(&out->out));
	}
	out->fed = g == PROC_GATE_GO;
	for (size_t i = 0; out->fed && i < c->n_input; i++)
		str_add_bytes(&told.input, c->input[i]);
	if (g != PROC_GATE_STOP && (out->fed || !c->gate))
		str_add(&out->out, told.after);
	str_add(&out->err, told.err ? told.err : "");
	out->end = told.end;
	out->code = told.code;
	return true;
}

static const struct transport_ops told_ops = { .run = told_run };
static struct transport transport = { .ops = &told_ops, .name = "colo/web1" };

static bool
agree(const void *arg, const struct luks_reply *seen, struct str *go, struct err *e)
{
	(void)seen;
	if (!*(const bool *)arg)
		return err_set(e, ERR_REFUSED, "not this one");
	str_add(go, " on");
	return true;
}

static bool
talk_with(const char *passphrase, bool willing, bool acts, struct luks_reply *reply, struct err *e)
{
	AUTO(secret_drop) struct secret *key = secret_from(bytes_of(passphrase));
	const struct secret *keys[] = { key, key };
	const struct luks_talk what = { .what = "colo/web1/data", .device = "/dev/sdb",
		.script = LUKS_SCRIPT_ADD, .acts = acts, .keys = keys, .n_keys = 2,
		.decide = acts ? NULL : agree, .arg = &willing };

	return luks_talk_run(&transport, 1000, &what, reply, e);
}

static bool
talk(bool willing, bool acts, struct luks_reply *reply, struct err *e)
{
	return talk_with("open sesame", willing, acts, reply, e);
}

#define READY "\narver: begin 0\narver: dump 0\n x\narver: ready 0\n"

static int
teardown(void **state)
{
	(void)state;
	str_done(&told.input);
	argv_done(&told.argv);
	memset(&told, 0, sizeof(told));
	return 0;
}

static void
luks_talk_sends_keys_when_it_may(void **state)
{
	AUTO(luks_reply_done) struct luks_reply reply = { 0 };
	struct err e = { 0 };

	(void)state;
	told.before = "Welcome!\nno newline:" READY;
	told.after = "arver: add 0\n words\n more\narver: done 0\n";
	assert_true(talk(true, false, &reply, &e));
	assert_string_equal(told.input.ptr, "go on\nopen sesameopen sesame");
	assert_int_equal(luks_reply_status(&reply, "add"), 0);
	assert_string_equal(luks_reply_first(&reply, "add")->text.ptr, "words\nmore\n");
	for (size_t i = 0; i < told.argv.n; i++)
		assert_null(strstr(told.argv.at[i], "sesame"));
}

#define LONG_KEY "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

static void
luks_talk_hears_no_key_again(void **state)
{
	AUTO(luks_reply_done) struct luks_reply reply = { 0 };
	struct err e = { 0 };

	(void)state;
	told.before = READY;
	told.after = "arver: add 1\n <" LONG_KEY LONG_KEY "> 0123456789abcd\n"
		     " bcdefghijklmnopqrstuvwxyzABCDEFG\narver: done 0\n";
	assert_true(talk_with(LONG_KEY, true, false, &reply, &e));
	assert_string_equal(luks_reply_first(&reply, "add")->text.ptr,
	    "<********************************************************************************"
	    "********************************************> 0123456789abcd\n"
	    "********************************\n");

	told.after = "";
	told.err = "it was " LONG_KEY;
	assert_false(talk_with(LONG_KEY, true, false, &reply, &e));
	assert_non_null(strstr(e.text, "it was ***"));
	assert_null(strstr(e.text, "0123"));
}

static void
luks_talk_sends_nothing_when_it_may_not(void **state)
{
	AUTO(luks_reply_done) struct luks_reply reply = { 0 };
	struct err e = { 0 };

	(void)state;
	told.before = READY;
	told.after = "arver: done 0\n";
	told.code = 1;
	assert_false(talk(false, false, &reply, &e));
	assert_int_equal(told.input.len, 0);
	assert_int_equal(e.kind, ERR_REFUSED);
	assert_string_equal(e.text, "not this one");
}

static void
luks_talk_tells_every_end(void **state)
{
	static const struct {
		const char *before, *after, *err;
		enum proc_end end;
		int code;
		bool acts;
		enum err_kind kind;
		const char *words;
	} cases[] = {
		/* nothing was sent */
		{ "", "", "", PROC_LOST, 0, false, ERR_HOST, "nothing was begun" },
		{ "", "", "", PROC_DEADLINE, 0, false, ERR_HOST, "nothing was begun" },
		{ "", "", "sh: syntax error", PROC_EXITED, 2, false, ERR_HOST, "syntax error" },
		{ "", "", "", PROC_SIGNALLED, 9, false, ERR_HOST, "nothing was begun" },
		{ "\narver: begin 0\n", "", "", PROC_LOST, 0, false, ERR_HOST, "nothing was begun" },
		/* the script said why it ended */
		{ "\narver: begin 0\narver: device 1\n \n", "", "", PROC_EXITED, 1, false, ERR_DISK,
		    "/dev/sdb is not there" },
		{ "\narver: begin 0\narver: lock 1\n \n", "", "", PROC_EXITED, 1, false, ERR_HOST,
		    "another arver" },
		{ "\narver: begin 0\narver: lock 127\n flock: not found\n", "", "", PROC_EXITED, 1, false,
		    ERR_DISK, "a program is missing on colo/web1: flock: not found" },
		{ "\narver: begin 0\narver: lockfile 1\n /run/lock/arver-x\n", "", "", PROC_EXITED, 1,
		    false, ERR_DISK, "/run/lock/arver-x cannot be made" },
		{ "\narver: begin 0\narver: dump 1\n sudo: a password is required\n", "", "", PROC_EXITED,
		    1, false, ERR_DISK, "NOPASSWD: /usr/bin/test, /sbin/cryptsetup" },
		{ "\narver: begin 0\narver: exists 0\n sdb\n", "", "", PROC_EXITED, 1, false, ERR_DISK,
		    "is open already" },
		{ "\narver: begin 0\narver: exists 1\n sdc\n", "", "", PROC_EXITED, 1, false, ERR_DISK,
		    "lies on sdc, not on /dev/sdb" },
		{ "\narver: begin 0\narver: lies 1\n sdc\n", "", "", PROC_EXITED, 1, true, ERR_DISK,
		    "lies on sdc" },
		/* keys were sent */
		{ READY, "", "", PROC_LOST, 0, false, ERR_LOST, "unknown" },
		{ READY, "arver: add 0\n", "", PROC_LOST, 0, false, ERR_LOST, "unknown" },
		{ READY, "", "", PROC_DEADLINE, 0, false, ERR_LOST, "unknown" },
		{ READY, "arver: add 1\n bad\n", "", PROC_EXITED, 1, false, ERR_LOST, "unknown" },
		{ READY, "", "", PROC_SIGNALLED, 15, false, ERR_LOST, "unknown" },
		{ READY, "surprise\n", "", PROC_EXITED, 0, false, ERR_LOST, "unknown" },
		{ READY, "arver: done 0\narver: add 0\n", "", PROC_EXITED, 0, false, ERR_LOST, "unknown" },
		{ READY, "arver: done 0", "", PROC_LOST, 0, false, ERR_LOST, "unknown" },
		/* no keys, but it may have acted */
		{ "", "", "", PROC_LOST, 0, true, ERR_LOST, "unknown" },
		{ "", "", "", PROC_DEADLINE, 0, true, ERR_LOST, "unknown" },
		/* the connection went after the answer: that is an answer */
		{ READY, "arver: done 0\n", "", PROC_LOST, 0, false, ERR_NONE, "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(luks_reply_done) struct luks_reply reply = { 0 };
		struct err e = { 0 };

		told.before = cases[i].before;
		told.after = cases[i].after;
		told.err = cases[i].err;
		told.end = cases[i].end;
		told.code = cases[i].code;
		assert_int_equal(talk(true, cases[i].acts, &reply, &e), cases[i].kind == ERR_NONE);
		if (e.kind != cases[i].kind || !strstr(e.text, cases[i].words))
			fail_msg("case %zu: %d %s", i, e.kind, e.text);
	}
}

static void
luks_talk_with_no_host_is_not_begun(void **state)
{
	AUTO(luks_reply_done) struct luks_reply reply = { 0 };
	struct err e = { 0 };

	(void)state;
	told.unreachable = true;
	assert_false(talk(true, false, &reply, &e));
	assert_int_equal(e.kind, ERR_HOST);
	assert_string_equal(e.text, "colo/web1/data: no route to host");
}

static void
luks_reply_takes_only_steps(void **state)
{
	static const char *const strange[] = { "arver: add\n", "arver: add x\n", "arver: add 0 0\n",
		"arver:  0\n", "arver: Add 0\n", "arver: add -1\n", "arver: add 1000\n", "\n",
		"arver: averyveryverylongname 0\n", "ARVER: add 0\n", "arver: add 0 \n" };

	(void)state;
	for (size_t i = 0; i < COUNT(strange); i++) {
		AUTO(luks_reply_done) struct luks_reply reply = { 0 };
		AUTO(mem_free_drop) char *text = mem_printf("arver: begin 0\n%s", strange[i]);
		struct err e = { 0 };

		assert_false(luks_reply_parse(bytes_of(text), &reply, &e));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(luks_talk_sends_keys_when_it_may, teardown),
		cmocka_unit_test_teardown(luks_talk_hears_no_key_again, teardown),
		cmocka_unit_test_teardown(luks_talk_sends_nothing_when_it_may_not, teardown),
		cmocka_unit_test_teardown(luks_talk_tells_every_end, teardown),
		cmocka_unit_test_teardown(luks_talk_with_no_host_is_not_begun, teardown),
		cmocka_unit_test(luks_reply_takes_only_steps),
	};

	return cmocka_run_group_tests_name("luks_talk", tests, NULL, NULL);
}
