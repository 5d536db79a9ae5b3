/* SPDX-License-Identifier: MIT */
/*
 * transport/mux and mux_channel: packets of an ssh master that says what it likes, and then is
 * gone. The first byte: with input or without, held back by a gate or not, and how much
 * output is kept.
 */
#include "transport/mux_channel.h"

#include <sys/socket.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/file.h"
#include "fuzz.h"
#include "transport/mux.h"

#define LIMIT_MS 10000
#define UNTOUCHED 77

struct gate {
	unsigned calls;
	size_t seen; /* bytes of output */
	bool open;
};

/* It opens at the second word. */
static enum proc_gate
gate(void *arg, struct bytes out)
{
	struct gate *g = arg;

	EXPECT(!g->open && out.len >= g->seen);
	g->seen = out.len;
	g->open = ++g->calls == 2;
	return g->open ? PROC_GATE_GO : PROC_GATE_WAIT;
}

static void
expect_result(const struct proc_result *r, const struct proc_command *c, const struct gate *g)
{
	EXPECT(r->out.len <= c->cap && r->err.len <= c->cap);
	EXPECT(r->end == PROC_EXITED || r->end == PROC_SIGNALLED || r->end == PROC_LOST);
	EXPECT(r->end != PROC_EXITED || (r->code >= 0 && r->code <= 255));
	EXPECT(!r->fed || (c->n_input > 0 && (!c->gate || g->open)));
}

void
fuzz_one(struct bytes in)
{
	unsigned how = fuzz_take(&in);
	const struct bytes input[] = { bytes_of("go\n"), bytes_of("open sesame") };
	struct gate g = { 0 };
	struct proc_command c = { .limit_ms = LIMIT_MS, .cap = how & 4 ? 16 : 4096, .input = input,
		.n_input = how & 1 ? COUNT(input) : 0, .gate = how & 2 ? gate : NULL, .gate_arg = &g };
	AUTO(proc_result_done) struct proc_result r = { .code = UNTOUCHED };
	struct mux m = { .fd = -1 };
	struct err e = { 0 };
	enum channel_end end;
	int ends[2];

	EXPECT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
	m.fd = ends[0];
	EXPECT(file_write_all(ends[1], in) && shutdown(ends[1], SHUT_WR) == 0);
	end = mux_channel_run(&m, "exec true", &c, clock_ms() + LIMIT_MS, &r, &e);
	if (end == CHANNEL_RAN)
		expect_result(&r, &c, &g);
	else
		EXPECT(r.code == UNTOUCHED && !r.fed && r.out.len == 0);
	if (end == CHANNEL_REFUSED)
		fuzz_expect_error(&e);
	mux_close(&m);
	close(ends[1]);
}
