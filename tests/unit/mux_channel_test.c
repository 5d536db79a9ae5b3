/* SPDX-License-Identifier: MIT */
/*
 * mux_channel: what a master may say, on a socket pair, and what we make of it: above all, whether the
 * command was begun. All that the master says waits in the socket from the start.
 */
#include "transport/mux_channel.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/clock.h"
#include "base/file.h"
#include "transport/mux.h"

#define SIX(a, b, c, d) "\0\0\0" a "\0" b "\0\0\0" c d /* length, type, channel, more */
#define CONFIRM SIX("\x12", "\x5b", "\0", "\0\0\0\7\0\x10\0\0\0\0\x80\0")
#define SUCCESS SIX("\6", "\x63", "\0", "")
#define FAILURE SIX("\6", "\x64", "\0", "")
#define HI SIX("\xc", "\x5e", "\0", "\0\0\0\2hi")
#define EXIT_3 SIX("\x1a", "\x62", "\0", "\0\0\0\xb" "exit-status\0\0\0\0\3")
#define KILLED                                                                                     \
	SIX("\x2b", "\x62", "\0", "\0\0\0\xb" "exit-signal\0\0\0\0\4KILL\0\0\0\0\0\0\0\0\0\0\0\0\0")
#define END SIX("\6", "\x60", "\0", "")
#define CLOSE SIX("\6", "\x61", "\0", "")

#define TEXT(s) { s, sizeof(s) - 1 }

struct peer {
	struct mux mux;
	int theirs;
};

static void
peer_start(struct peer *p, struct bytes says, bool stays)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	*p = (struct peer){ .mux = { .fd = ends[0] }, .theirs = ends[1] };
	assert_true(file_write_all(p->theirs, says));
	if (!stays)
		assert_int_equal(shutdown(p->theirs, SHUT_WR), 0);
}

static void
peer_end(struct peer *p)
{
	mux_close(&p->mux);
	close(p->theirs);
}

static const struct case_ {
	const char *name;
	struct bytes says;
	enum channel_end end;
	enum proc_end how;
	int code;
	const char *out;
} cases[] = {
	{ "gone", TEXT(""), CHANNEL_DEAD, 0, 0, "" },
	{ "no channel", TEXT(SIX("\x12", "\x5c", "\0", "\0\0\0\1\0\0\0\2no\0\0")), CHANNEL_REFUSED, 0,
	    0, "" },
	{ "half a confirmation", TEXT(SIX("\xa", "\x5b", "\0", "\0\0\0\7")), CHANNEL_REFUSED, 0, 0,
	    "" },
	{ "gone once asked", TEXT(CONFIRM), CHANNEL_RAN, PROC_LOST, 0, "" },
	{ "no command", TEXT(CONFIRM FAILURE), CHANNEL_REFUSED, 0, 0, "" },
	{ "all is well", TEXT(CONFIRM SUCCESS HI EXIT_3 END CLOSE), CHANNEL_RAN, PROC_EXITED, 3,
	    "hi" },
	{ "status before output", TEXT(CONFIRM SUCCESS EXIT_3 HI END), CHANNEL_RAN, PROC_EXITED, 3,
	    "hi" },
	{ "status, then gone", TEXT(CONFIRM SUCCESS EXIT_3), CHANNEL_RAN, PROC_EXITED, 3, "" },
	{ "killed", TEXT(CONFIRM SUCCESS KILLED CLOSE), CHANNEL_RAN, PROC_SIGNALLED, SIGKILL, "" },
	{ "closed without a status", TEXT(CONFIRM SUCCESS HI END CLOSE), CHANNEL_RAN, PROC_LOST, 0,
	    "hi" },
	{ "half a status", TEXT(CONFIRM SUCCESS SIX("\x16", "\x62", "\0", "\0\0\0\xb" "exit-status\0")
			       CLOSE), CHANNEL_RAN, PROC_LOST, 0, "" },
	{ "data that is shorter than it says", TEXT(CONFIRM SUCCESS SIX("\xc", "\x5e", "\0",
			       "\xff\xff\xff\xffhi") EXIT_3 CLOSE), CHANNEL_RAN, PROC_EXITED, 3, "" },
	{ "another channel's status", TEXT(CONFIRM SUCCESS SIX("\x1a", "\x62", "\1",
			       "\0\0\0\xb" "exit-status\0\0\0\0\0") EXIT_3 CLOSE), CHANNEL_RAN,
	    PROC_EXITED, 3, "" },
	{ "an empty packet", TEXT(CONFIRM "\0\0\0\0" SUCCESS "\0\0\0\1\0" EXIT_3 CLOSE), CHANNEL_RAN,
	    PROC_EXITED, 3, "" },
	{ "half a packet", TEXT(CONFIRM SUCCESS "\0\0\0\x1a\0"), CHANNEL_RAN, PROC_LOST, 0, "" },
	{ "a packet without end", TEXT(CONFIRM SUCCESS "\x7f\0\0\0\0"), CHANNEL_RAN, PROC_LOST, 0,
	    "" },
};

static void
mux_channel_run_what_the_master_says_decides(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct case_ *c = &cases[i];
		struct proc_command command = { .limit_ms = 20000 };
		struct proc_result r = { .code = 77 };
		struct peer p;
		struct err e = { 0 };
		enum channel_end got;

		peer_start(&p, c->says, false);
		got = mux_channel_run(&p.mux, "exec true", &command, clock_ms() + 20000, &r, &e);
		if (got != c->end || r.code != (got == CHANNEL_RAN ? c->code : 77))
			fail_msg("%s: %d, code %d", c->name, got, r.code);
		if (got == CHANNEL_REFUSED)
			assert_int_equal(e.kind, ERR_HOST);
		if (got == CHANNEL_RAN) {
			assert_int_equal(r.end, c->how);
			assert_string_equal(str_text(&r.out), c->out);
			proc_result_done(&r);
		}
		peer_end(&p);
	}
}

/* The request does not fit into the socket, so the master never had all of it. */
static void
mux_channel_run_request_that_was_not_handed_over_is_not_begun(void **state)
{
	static const struct bytes says = TEXT(CONFIRM);
	AUTO(mem_free_drop) char *line = mem_alloc(4000001, 1);
	struct proc_command command = { .limit_ms = 200 };
	struct proc_result r = { .code = 77 };
	struct peer p;

	(void)state;
	memset(line, 'x', 4000000);
	peer_start(&p, says, true);
	assert_int_equal(
	    mux_channel_run(&p.mux, line, &command, clock_ms() + 20000, &r, NULL), CHANNEL_DEAD);
	assert_int_equal(r.code, 77);
	peer_end(&p);
	/* the same, handed over and not answered */
	peer_start(&p, says, true);
	assert_int_equal(mux_channel_run(&p.mux, "exec true", &command, clock_ms() + 20000, &r, NULL),
	    CHANNEL_RAN);
	assert_int_equal(r.end, PROC_DEADLINE);
	peer_end(&p);
}

static void
mux_channel_run_input_waits_for_the_window(void **state)
{
	/* a window of three bytes, two in a packet */
	static const struct bytes says = TEXT(
	    SIX("\x12", "\x5b", "\0", "\0\0\0\7\0\0\0\3\0\0\0\2") SUCCESS);
	const struct bytes input = bytes_of("abcdef");
	struct proc_command command = { .input = &input, .n_input = 1, .limit_ms = 300 };
	AUTO(proc_result_done) struct proc_result r = { 0 };
	char got[256];
	ssize_t n;
	struct peer p;

	(void)state;
	peer_start(&p, says, true);
	assert_int_equal(mux_channel_run(&p.mux, "exec true", &command, clock_ms() + 20000, &r, NULL),
	    CHANNEL_RAN);
	assert_int_equal(r.end, PROC_DEADLINE);
	assert_true(r.fed);
	n = read(p.theirs, got, sizeof(got));
	assert_non_null(memmem(got, (size_t)n, "\x5e\0\0\0\7\0\0\0\2ab", 11));
	assert_non_null(memmem(got, (size_t)n, "\x5e\0\0\0\7\0\0\0\1c", 10));
	assert_null(memmem(got, (size_t)n, "\0\0\0\1d", 5));
	peer_end(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mux_channel_run_what_the_master_says_decides),
		cmocka_unit_test(mux_channel_run_request_that_was_not_handed_over_is_not_begun),
		cmocka_unit_test(mux_channel_run_input_waits_for_the_window),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
