/* SPDX-License-Identifier: MIT */
/*
 * channel: one non-blocking loop per command. OpenSSH opens a channel with no
 * window, and takes an end of input that overtakes the input: so only what the
 * window allows is written, and the end is sent when all else is. A status that is seen
 * is final; outputs that somebody else holds open are waited for a moment only.
 */
#include "transport/channel.h"

#include <signal.h>
#include <string.h>
#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include "base/clock.h"
#include "transport/link.h"
#include "transport/packet_size.h"

#define DEFAULT_LIMIT_MS 120000
#define DEFAULT_CAP ((size_t)1 << 20)
#define LINGER_MS 300 /* for who inherited the outputs of a command that has ended */
#define PIECE ((size_t)32 << 10)

struct exec {
	const struct link *link;
	const struct proc_command *c;
	ssh_channel channel;
	struct ssh_channel_callbacks_struct callbacks;
	struct proc_result result;
	bool gate_open, closed;	 /* our input: may be sent, has been ended */
	size_t piece, sent;	 /* next piece of input, and how much of it is sent */
	bool ended;		 /* status or signal has been seen */
	int64_t until, linger;	 /* linger: when `ended`, how long to wait for outputs */
};

static void
exec_done(struct exec *x)
{
	if (x->channel) {
		ssh_remove_channel_callbacks(x->channel, &x->callbacks);
		ssh_channel_free(x->channel);
	}
	proc_result_done(&x->result);
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

static void
on_status(ssh_session session, ssh_channel channel, int status, void *arg)
{
	(void)session;
	(void)channel;
	end_with(arg, PROC_EXITED, status);
}

int
channel_signal(const char *name)
{
	for (int i = 1; i < NSIG; i++) {
		const char *known = sigabbrev_np(i);

		if (known && strcmp(known, name) == 0)
			return i;
	}
	return 0;
}

static void
on_signal(ssh_session session, ssh_channel channel, const char *name, int core, const char *text,
    const char *language, void *arg)
{
	(void)session;
	(void)channel;
	(void)core;
	(void)text;
	(void)language;
	end_with(arg, PROC_SIGNALLED, channel_signal(name));
}

/* Keep calling until it is done; SSH_AGAIN if `until` is over first. */
static int
drive(struct exec *x, int (*step)(struct exec *), int64_t until)
{
	for (;;) {
		int rc = step(x);

		if (rc != SSH_AGAIN)
			return rc;
		link_pump(x->link);
		if (link_is_dead(x->link))
			return SSH_ERROR;
		if (!link_wait(x->link, until))
			return SSH_AGAIN;
	}
}

static int
step_open(struct exec *x)
{
	return ssh_channel_open_session(x->channel);
}

static enum channel_end
open_channel(struct exec *x, int64_t until, struct err *e)
{
	int rc;

	x->channel = ssh_channel_new(x->link->session);
	if (!x->channel)
		return CHANNEL_DEAD;
	ssh_callbacks_init(&x->callbacks);
	ssh_set_channel_callbacks(x->channel, &x->callbacks);
	packet_size_watch();
	rc = drive(x, step_open, until);
	packet_size_leave();
	if (rc == SSH_OK && packet_size_is_enough())
		return CHANNEL_RAN;
	if (rc == SSH_AGAIN || link_is_dead(x->link))
		return CHANNEL_DEAD;
	err_set(e, ERR_HOST, "the server opens no more sessions: %s",
	    rc == SSH_OK ? "it takes no packets of a sensible size" : ssh_get_error(x->link->session));
	return CHANNEL_REFUSED;
}

/* Read all there is of one output, in time; true if something was added to `to`. */
static bool
take_output(struct exec *x, bool is_err, struct str *to)
{
	size_t cap = x->c->cap ? x->c->cap : DEFAULT_CAP, before = to->len;
	char buf[16384];
	int n;

	while ((clock_left(x->until) > 0 || clock_left(x->linger) > 0) &&
	    (n = ssh_channel_read_nonblocking(x->channel, buf, sizeof(buf), is_err)) > 0) {
		size_t keep = (size_t)n < cap - to->len ? (size_t)n : cap - to->len;

		x->result.cut |= keep < (size_t)n;
		str_add_bytes(to, (struct bytes){ buf, keep });
	}
	return to->len > before;
}

static void
close_input(struct exec *x)
{
	if (!x->closed)
		ssh_channel_send_eof(x->channel);
	x->closed = true;
}

static void
ask_gate(struct exec *x)
{
	enum proc_gate answer;

	if (x->gate_open || x->closed)
		return;
	answer = x->c->gate(x->c->gate_arg, str_bytes(&x->result.out));
	x->gate_open = answer == PROC_GATE_GO;
	if (answer == PROC_GATE_STOP)
		close_input(x);
}

/* Write what the window allows, at most one piece; false if nothing could be written. */
static bool
send_some(struct exec *x)
{
	const struct bytes *b = &x->c->input[x->piece];
	size_t rest = b->len - x->sent, window = ssh_channel_window_size(x->channel);
	size_t most = rest < PIECE ? rest : PIECE;
	int n = 0;

	if (most > window)
		most = window;
	if (most > 0)
		n = ssh_channel_write(x->channel, (const char *)b->ptr + x->sent, (uint32_t)most);
	if (n > 0) {
		x->result.fed = true;
		x->sent += (size_t)n;
	}
	if (x->sent == b->len) {
		x->sent = 0;
		x->piece++;
		return true;
	}
	return false;
}

static void
send_input(struct exec *x)
{
	if (!x->gate_open || x->closed || x->ended)
		return;
	while (x->piece < x->c->n_input && send_some(x))
		;
	if (x->piece == x->c->n_input)
		close_input(x);
}

static bool
is_over(struct exec *x)
{
	if (x->ended)
		return ssh_channel_is_eof(x->channel) || ssh_channel_is_closed(x->channel) ||
		    clock_left(x->linger) == 0;
	if (link_is_dead(x->link) || ssh_channel_is_closed(x->channel)) {
		x->result.end = PROC_LOST;
		return true;
	}
	if (clock_left(x->until) > 0)
		return false;
	x->result.end = PROC_DEADLINE;
	return true;
}

/* Whatever the server sends, asked or not: what is not taken would pile up with libssh. */
static void
receive(struct exec *x)
{
	link_pump(x->link);
	if (take_output(x, false, &x->result.out))
		ask_gate(x);
	take_output(x, true, &x->result.err);
}

static void
follow(struct exec *x)
{
	for (;;) {
		receive(x);
		if (!x->gate_open && ssh_channel_is_eof(x->channel))
			close_input(x); /* no more output that could open the gate */
		send_input(x);
		if (is_over(x))
			return;
		link_wait(x->link, x->ended ? x->linger : x->until);
	}
}

/* The one call that may start it: what fails from here on is unknown, unless it was denied. */
static enum channel_end
start(struct exec *x, const char *line, struct err *e)
{
	for (;;) {
		int rc = ssh_channel_request_exec(x->channel, line);

		if (rc == SSH_OK)
			break;
		if (rc == SSH_ERROR && !link_is_dead(x->link)) {
			err_set(e, ERR_HOST, "the server runs no commands: %s",
			    ssh_get_error(x->link->session));
			return CHANNEL_REFUSED;
		}
		if (rc == SSH_ERROR || link_is_dead(x->link)) {
			x->result.end = PROC_LOST;
			return CHANNEL_RAN;
		}
		receive(x);
		if (!link_wait(x->link, x->until)) {
			x->result.end = PROC_DEADLINE;
			return CHANNEL_RAN;
		}
	}
	follow(x);
	return CHANNEL_RAN;
}

enum channel_end
channel_run(const struct link *l, const char *line, const struct proc_command *c,
    int64_t open_until, struct proc_result *out, struct err *e)
{
	AUTO(exec_done) struct exec x = {
		.link = l,
		.c = c,
		.gate_open = !c->gate,
		.until = clock_ms() + (c->limit_ms > 0 ? c->limit_ms : DEFAULT_LIMIT_MS),
	};
	enum channel_end end;

	x.callbacks.userdata = &x;
	x.callbacks.channel_exit_status_function = on_status;
	x.callbacks.channel_exit_signal_function = on_signal;
	end = open_channel(&x, open_until < x.until ? open_until : x.until, e);
	if (end == CHANNEL_RAN)
		end = start(&x, line, e);
	if (end == CHANNEL_RAN) {
		proc_result_done(out);
		*out = x.result;
		x.result = (struct proc_result){ 0 };
	}
	return end;
}
