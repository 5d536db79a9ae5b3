/* SPDX-License-Identifier: MIT */
/*
 * mux_channel: a session channel of RFC 4254. The exec request is what may start the command: a
 * connection that ends before the last byte of it was handed over, or a refusal, means not begun;
 * all that fails later is a result. A status that is seen is final; outputs that somebody else
 * holds open are waited for a moment only.
 */
#include "transport/mux_channel.h"

#include <string.h>
#include "base/clock.h"
#include "transport/mux.h"

#define DEFAULT_LIMIT_MS 120000
#define DEFAULT_CAP ((size_t)1 << 20)
#define LINGER_MS 300 /* for who inherited the outputs of a command that has ended */
#define PIECE ((uint32_t)32 << 10)
#define WINDOW ((uint32_t)2 << 20)

enum {
	OPEN = 90,
	OPEN_CONFIRMATION = 91,
	OPEN_FAILURE = 92,
	WINDOW_ADJUST = 93,
	DATA = 94,
	EXTENDED_DATA = 95,
	END_OF_FILE = 96,
	CLOSE = 97,
	REQUEST = 98,
	SUCCESS = 99,
	FAILURE = 100,
};

struct exec {
	struct mux *mux;
	const struct proc_command *c;
	uint32_t ours, theirs; /* the channel's numbers */
	uint32_t window, most; /* what the server takes: in all, and in one packet */
	uint32_t used;         /* of the window that we gave */
	bool open, refused;    /* answers to the opening, */
	bool accepted, denied; /* to the request, */
	bool eof, closed;      /* and what the server said since then */
	struct str reason;     /* of `refused`, for people */
	struct proc_result result;
	bool gate_open, input_closed;
	size_t piece, sent;    /* next piece of input, and how much of it is sent */
	bool ended;            /* status or signal has been seen */
	int64_t until, linger; /* linger: when `ended`, how long to wait for outputs */
};

static void
exec_done(struct exec *x)
{
	str_done(&x->reason);
	proc_result_done(&x->result);
}

/* A packet that tells the server's number of the channel, and more. */
static void
put(struct exec *x, unsigned char type, struct bytes more)
{
	AUTO(str_done) struct str body = { 0 };

	mux_add_u32(&body, x->theirs);
	str_add_bytes(&body, more);
	mux_put(x->mux, type, str_bytes(&body));
}

static void
end_with(struct exec *x, enum proc_end end, int code)
{
	if (x->ended)
		return;
	x->result.end = end;
	x->result.code = code;
	x->ended = true;
	x->linger = clock_ms() + LINGER_MS;
}

static bool
is_text(struct bytes b, const char *text)
{
	return b.len == strlen(text) && memcmp(b.ptr, text, b.len) == 0;
}

static void
close_input(struct exec *x)
{
	if (!x->input_closed)
		put(x, END_OF_FILE, (struct bytes){ 0 });
	x->input_closed = true;
}

static void
on_signal(struct exec *x, struct bytes abbreviation)
{
	AUTO(mem_free_drop) char *name = mem_strndup(abbreviation.ptr, abbreviation.len);

	end_with(x, PROC_SIGNALLED, channel_signal(name));
}

/* What the server asks or tells of a channel. What we do not know, its keepalive too, gets a no. */
static void
on_request(struct exec *x, struct bytes rest)
{
	struct bytes name, abbreviation;
	uint32_t status;
	bool answer;

	if (!mux_take_string(&rest, &name) || rest.len < 1)
		return;
	answer = *(const char *)rest.ptr != 0;
	rest = (struct bytes){ (const char *)rest.ptr + 1, rest.len - 1 };
	if (is_text(name, "exit-status") && mux_take_u32(&rest, &status))
		end_with(x, PROC_EXITED, (int)(status & 0xff));
	else if (is_text(name, "exit-signal") && mux_take_string(&rest, &abbreviation))
		on_signal(x, abbreviation);
	if (answer)
		put(x, FAILURE, (struct bytes){ 0 });
}

static void
keep(struct exec *x, struct str *to, struct bytes b)
{
	size_t cap = x->c->cap ? x->c->cap : DEFAULT_CAP, room = cap - to->len;

	x->result.cut |= room < b.len;
	str_add_bytes(to, (struct bytes){ b.ptr, room < b.len ? room : b.len });
}

static void
ask_gate(struct exec *x)
{
	enum proc_gate answer;

	if (x->gate_open || x->input_closed)
		return;
	answer = x->c->gate(x->c->gate_arg, str_bytes(&x->result.out));
	x->gate_open = answer == PROC_GATE_GO;
	if (answer == PROC_GATE_STOP)
		close_input(x);
}

/* Give back to the server what it has used of the window. */
static void
use_window(struct exec *x, size_t n)
{
	AUTO(str_done) struct str more = { 0 };

	x->used += (uint32_t)n;
	if (x->used < WINDOW / 2)
		return;
	mux_add_u32(&more, x->used);
	put(x, WINDOW_ADJUST, str_bytes(&more));
	x->used = 0;
}

static void
on_data(struct exec *x, unsigned char type, struct bytes rest)
{
	struct bytes data;
	uint32_t kind;
	bool is_err = type == EXTENDED_DATA;

	if (is_err && !mux_take_u32(&rest, &kind))
		return;
	if (!mux_take_string(&rest, &data))
		return;
	keep(x, is_err ? &x->result.err : &x->result.out, data);
	use_window(x, data.len);
	if (!is_err)
		ask_gate(x);
}

static void
on_open(struct exec *x, struct bytes rest)
{
	x->open = mux_take_u32(&rest, &x->theirs) && mux_take_u32(&rest, &x->window) &&
		  mux_take_u32(&rest, &x->most);
	x->refused = !x->open;
}

static void
on_open_failure(struct exec *x, struct bytes rest)
{
	struct bytes text;
	uint32_t code;

	x->refused = true;
	if (mux_take_u32(&rest, &code) && mux_take_string(&rest, &text))
		str_add_escaped(&x->reason, text, 100);
}

static void
on_window(struct exec *x, struct bytes rest)
{
	uint32_t more;

	if (mux_take_u32(&rest, &more))
		x->window = more > UINT32_MAX - x->window ? UINT32_MAX : x->window + more;
}

static void
on_packet(struct exec *x, const struct mux_packet *p)
{
	struct bytes rest = p->body;
	uint32_t channel;

	if (!mux_take_u32(&rest, &channel) || channel != x->ours)
		return; /* of an earlier command */
	switch (p->type) {
	case OPEN_CONFIRMATION:
		on_open(x, rest);
		break;
	case OPEN_FAILURE:
		on_open_failure(x, rest);
		break;
	case WINDOW_ADJUST:
		on_window(x, rest);
		break;
	case DATA:
	case EXTENDED_DATA:
		on_data(x, p->type, rest);
		break;
	case REQUEST:
		on_request(x, rest);
		break;
	default:
		x->accepted |= p->type == SUCCESS;
		x->denied |= p->type == FAILURE;
		x->eof |= p->type == END_OF_FILE || p->type == CLOSE;
		x->closed |= p->type == CLOSE;
	}
}

/* Send what waits, read what has come, and see to it. */
static void
exchange(struct exec *x)
{
	struct mux_packet p;

	mux_pump(x->mux);
	while (mux_take(x->mux, &p))
		on_packet(x, &p);
}

/* One packet of input, if the server takes it; false if there is nothing to be sent now. */
static bool
send_some(struct exec *x)
{
	const struct bytes *b = &x->c->input[x->piece];
	size_t n = b->len - x->sent, most = x->most < PIECE ? x->most : PIECE;

	if (most > x->window)
		most = x->window;
	if (n > most)
		n = most;
	if (n > 0) {
		mux_put_data(
		    x->mux, x->theirs, (struct bytes){ (const char *)b->ptr + x->sent, n });
		x->result.fed = true;
		x->sent += n;
		x->window -= (uint32_t)n;
	}
	if (x->sent < b->len)
		return n > 0;
	x->sent = 0;
	x->piece++;
	return true;
}

static void
send_input(struct exec *x)
{
	if (!x->gate_open || x->input_closed || x->ended)
		return;
	while (mux_is_sent(x->mux) && x->piece < x->c->n_input && send_some(x))
		mux_send(x->mux);
	if (x->piece == x->c->n_input)
		close_input(x);
}

static bool
is_over(struct exec *x)
{
	if (x->ended)
		return x->eof || x->mux->fd < 0 || clock_left(x->linger) == 0;
	if (x->mux->fd < 0 || x->closed) {
		x->result.end = PROC_LOST;
		return true;
	}
	if (clock_left(x->until) > 0)
		return false;
	x->result.end = PROC_DEADLINE;
	return true;
}

/*
 * Close the channel, whoever holds its outputs. A packet of input that is half sent must be whole
 * first: its bytes are the caller's, and nothing can follow it.
 */
static void
leave(struct exec *x)
{
	int64_t until = clock_ms() + LINGER_MS;

	while (x->mux->body.len > 0 && x->mux->fd >= 0) {
		exchange(x);
		if (x->mux->body.len > 0 && !mux_wait(x->mux, until))
			mux_close(x->mux);
	}
	put(x, CLOSE, (struct bytes){ 0 });
	mux_send(x->mux);
}

static void
follow(struct exec *x)
{
	for (;;) {
		exchange(x);
		if (x->eof && !x->gate_open)
			close_input(x); /* no more output that could open the gate */
		send_input(x);
		if (is_over(x))
			return;
		mux_wait(x->mux, x->ended ? x->linger : x->until);
	}
}

static void
put_open(struct exec *x)
{
	AUTO(str_done) struct str body = { 0 };

	mux_add_string(&body, bytes_of("session"));
	mux_add_u32(&body, x->ours);
	mux_add_u32(&body, WINDOW);
	mux_add_u32(&body, PIECE);
	mux_put(x->mux, OPEN, str_bytes(&body));
}

static enum channel_end
open_channel(struct exec *x, int64_t until, struct err *e)
{
	put_open(x);
	for (;;) {
		exchange(x);
		if (x->open)
			return CHANNEL_RAN;
		if (x->refused) {
			err_set(e, ERR_HOST, "the server opens no more sessions: %s",
			    str_text(&x->reason));
			return CHANNEL_REFUSED;
		}
		if (x->mux->fd < 0 || !mux_wait(x->mux, until))
			return CHANNEL_DEAD;
	}
}

static void
put_exec(struct exec *x, const char *line)
{
	AUTO(str_done) struct str more = { 0 };

	mux_add_string(&more, bytes_of("exec"));
	str_add_char(&more, 1); /* answer */
	mux_add_string(&more, bytes_of(line));
	put(x, REQUEST, str_bytes(&more));
}

/* The one request that may start it. */
static enum channel_end
start(struct exec *x, const char *line, struct err *e)
{
	bool begun = false;

	put_exec(x, line);
	for (;;) {
		exchange(x);
		begun = begun || mux_is_sent(x->mux);
		if (x->denied && !x->ended) {
			leave(x);
			err_set(e, ERR_HOST, "the server runs no commands");
			return CHANNEL_REFUSED;
		}
		if (x->accepted || x->ended)
			break;
		if (!begun && (x->mux->fd < 0 || clock_left(x->until) == 0))
			return CHANNEL_DEAD;
		if (is_over(x))
			return CHANNEL_RAN;
		mux_wait(x->mux, x->until);
	}
	follow(x);
	if (x->ended)
		leave(x);
	return CHANNEL_RAN;
}

enum channel_end
mux_channel_run(struct mux *m, const char *line, const struct proc_command *c, int64_t open_until,
    struct proc_result *out, struct err *e)
{
	AUTO(exec_done) struct exec x = {
		.mux = m,
		.c = c,
		.ours = m->channels++,
		.gate_open = !c->gate,
		.until = clock_ms() + (c->limit_ms > 0 ? c->limit_ms : DEFAULT_LIMIT_MS),
	};
	enum channel_end end = open_channel(&x, open_until < x.until ? open_until : x.until, e);

	if (end == CHANNEL_RAN)
		end = start(&x, line, e);
	if (end == CHANNEL_RAN) {
		proc_result_done(out);
		*out = x.result;
		x.result = (struct proc_result){ 0 };
	}
	return end;
}
