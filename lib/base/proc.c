/* SPDX-License-Identifier: MIT */
/*
 * proc: one poll loop per command over three pipes and a pidfd. A command goes
 * through stages: it runs; it has ended and somebody still holds its pipes; it
 * was told to end; it was killed. Its process id stays ours (a zombie) until
 * the last signal is sent, so that none can hit a stranger.
 */
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/file.h"

#define DEFAULT_LIMIT_MS 120000
#define DEFAULT_CAP ((size_t)1 << 20)
#define LINGER_MS 300 /* for who inherited the pipes of a command that has ended */
#define TERM_MS 1000  /* between SIGTERM and SIGKILL */
#define KILL_MS 1000  /* after SIGKILL, for one that is stuck in the kernel */
#define TICK_MS 20    /* how often to look where there is no pidfd */

enum { IN, OUT, ERR, N_PIPES = 3 };

enum stage { RUNNING, LINGERING, TERMINATED, KILLED };

struct run {
	const struct proc_command *c;
	struct proc_result result;
	pid_t pid;
	int pidfd;	    /* -1: look every TICK_MS */
	int ours[N_PIPES];  /* our ends, non-blocking; -1 once closed */
	int theirs[N_PIPES];
	bool gate_open;	    /* input may be sent */
	size_t piece, sent; /* next piece of input, and how much of it is sent */
	bool ended;	    /* the command itself, not who inherited its pipes */
	enum stage stage;
	int64_t until;	    /* when this stage is over */
};

static void
run_done(struct run *r)
{
	for (int i = 0; i < N_PIPES; i++) {
		fd_drop(&r->ours[i]);
		fd_drop(&r->theirs[i]);
	}
	fd_drop(&r->pidfd);
	proc_result_done(&r->result);
}

void
proc_result_done(struct proc_result *r)
{
	str_done(&r->out);
	str_done(&r->err);
	str_done(&r->lost);
	*r = (struct proc_result){ 0 };
}

/* fd, or a copy in its place if it is 0 to 2: in the child those get replaced. */
static int
lift(int fd)
{
	int high;

	if (fd > STDERR_FILENO)
		return fd;
	high = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	fd_drop(&fd);
	return high;
}

static bool
make_pipe(struct run *r, int which)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0)
		return false;
	r->ours[which] = lift(ends[which == IN]);
	r->theirs[which] = lift(ends[which != IN]);
	return r->ours[which] >= 0 && r->theirs[which] >= 0 &&
	    fcntl(r->ours[which], F_SETFL, O_NONBLOCK) == 0;
}

/* Descriptors 0 to 2 and no other. Returns an errno value. */
static int
prepare_files(posix_spawn_file_actions_t *files, const int theirs[N_PIPES])
{
	int code = 0;

	for (int i = 0; code == 0 && i < N_PIPES; i++)
		code = posix_spawn_file_actions_adddup2(files, theirs[i], i);
	return code ? code : posix_spawn_file_actions_addclosefrom_np(files, N_PIPES);
}

/* A session of its own, and signals as they are by default. Returns an errno value. */
static int
set_attributes(posix_spawnattr_t *attr)
{
	sigset_t all, none;
	int code;

	sigfillset(&all);
	sigemptyset(&none);
	code = posix_spawnattr_setsigdefault(attr, &all);
	if (code == 0)
		code = posix_spawnattr_setsigmask(attr, &none);
	return code ? code :
		      posix_spawnattr_setflags(attr,
			  POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
}

int
proc_spawn(const char *const *words, const int theirs[N_PIPES], pid_t *pid)
{
	char *const *argv = (char *const *)words;
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	int code = posix_spawn_file_actions_init(&files);

	if (code != 0)
		return code;
	code = posix_spawnattr_init(&attr);
	if (code == 0) {
		code = prepare_files(&files, theirs);
		if (code == 0)
			code = set_attributes(&attr);
		if (code == 0)
			code = posix_spawnp(pid, argv[0], &files, &attr, argv, environ);
		posix_spawnattr_destroy(&attr);
	}
	posix_spawn_file_actions_destroy(&files);
	return code;
}

static bool
start(struct run *r, struct err *e)
{
	int code;

	for (int i = 0; i < N_PIPES; i++)
		if (!make_pipe(r, i))
			return err_errno(e, ERR_SYSTEM, errno, "no pipe for %s", r->c->argv[0]);
	code = proc_spawn(r->c->argv, r->theirs, &r->pid);
	if (code != 0)
		return err_errno(e, ERR_SYSTEM, code, "cannot run %s", r->c->argv[0]);
	for (int i = 0; i < N_PIPES; i++)
		fd_drop(&r->theirs[i]);
	r->pidfd = pidfd_open(r->pid, 0);
	return true;
}

/* Sleep until there is something to read, room to write, an end, or no time left. */
static void
wait_for_news(const struct run *r)
{
	struct pollfd fds[N_PIPES + 1] = {
		{ .fd = r->gate_open ? r->ours[IN] : -1, .events = POLLOUT },
		{ .fd = r->ours[OUT], .events = POLLIN },
		{ .fd = r->ours[ERR], .events = POLLIN },
		{ .fd = r->ended ? -1 : r->pidfd, .events = POLLIN },
	};
	int left = clock_left(r->until);

	if (r->pidfd < 0 && !r->ended && left > TICK_MS)
		left = TICK_MS;
	poll(fds, COUNT(fds), left);
}

/* Has the command ended? If so, how; it is not reaped yet, nor fed any more. */
static void
look_for_end(struct run *r)
{
	siginfo_t info = { 0 };

	if (r->ended)
		return;
	if (waitid(P_PID, (id_t)r->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0) {
		if (errno != ECHILD)
			return;
		info.si_pid = r->pid; /* SIGCHLD is ignored: nobody knows how it ended */
	}
	if (info.si_pid != r->pid)
		return;
	r->ended = true;
	fd_drop(&r->ours[IN]);
	if (r->stage != RUNNING)
		return;
	r->result.end = info.si_code == CLD_EXITED ? PROC_EXITED : PROC_SIGNALLED;
	r->result.code = info.si_status;
}

/* Read once from one output; false if nothing was added to `to`. */
static bool
take_output(struct run *r, int which, struct str *to)
{
	char buf[16384];
	size_t cap = r->c->cap ? r->c->cap : DEFAULT_CAP, keep;
	ssize_t n;

	if (r->ours[which] < 0)
		return false;
	n = file_read_some(r->ours[which], buf, sizeof(buf));
	if (n == 0 || (n < 0 && errno != EAGAIN))
		fd_drop(&r->ours[which]);
	if (n <= 0)
		return false;
	keep = (size_t)n < cap - to->len ? (size_t)n : cap - to->len;
	r->result.cut |= keep < (size_t)n;
	str_add_bytes(to, (struct bytes){ buf, keep });
	return keep > 0;
}

static void
ask_gate(struct run *r)
{
	enum proc_gate answer;

	if (r->gate_open || r->ours[IN] < 0)
		return;
	answer = r->c->gate(r->c->gate_arg, str_bytes(&r->result.out));
	r->gate_open = answer == PROC_GATE_GO;
	if (answer == PROC_GATE_STOP)
		fd_drop(&r->ours[IN]);
}

static void
take_outputs(struct run *r)
{
	if (take_output(r, OUT, &r->result.out))
		ask_gate(r);
	if (r->ours[OUT] < 0 && !r->gate_open) /* no more output that could open it */
		fd_drop(&r->ours[IN]);
	take_output(r, ERR, &r->result.err);
}

/* Write of one piece what the pipe takes; false when it is full. */
static bool
send_some(struct run *r, const struct bytes *b)
{
	ssize_t n = 0;

	if (b->len > r->sent)
		n = write(r->ours[IN], (const char *)b->ptr + r->sent, b->len - r->sent);
	if (n < 0 && errno == EAGAIN)
		return false;
	if (n < 0 && errno != EINTR)
		fd_drop(&r->ours[IN]); /* it reads no more: fine */
	if (n > 0) {
		r->result.fed = true;
		r->sent += (size_t)n;
	}
	if (r->sent >= b->len) {
		r->sent = 0;
		r->piece++;
	}
	return true;
}

/* Write as much as the pipe takes; close it behind the last piece. */
static void
send_input(struct run *r)
{
	while (r->gate_open && r->ours[IN] >= 0) {
		if (r->piece == r->c->n_input)
			fd_drop(&r->ours[IN]);
		else if (!send_some(r, &r->c->input[r->piece]))
			return;
	}
}

static void
enter(struct run *r, enum stage stage, int for_ms)
{
	r->stage = stage;
	r->until = clock_ms() + for_ms;
}

static void
next_stage(struct run *r)
{
	bool over = clock_left(r->until) == 0;

	if (r->stage == RUNNING && r->ended) {
		enter(r, LINGERING, LINGER_MS);
	} else if (r->stage == RUNNING && over) {
		r->result.end = PROC_DEADLINE;
		fd_drop(&r->ours[IN]);
		kill(-r->pid, SIGTERM);
		enter(r, TERMINATED, TERM_MS);
	} else if (r->stage == TERMINATED && over) {
		kill(-r->pid, SIGKILL);
		enter(r, KILLED, KILL_MS);
	}
}

static bool
is_over(const struct run *r)
{
	if (r->ended && r->ours[OUT] < 0 && r->ours[ERR] < 0)
		return true;
	if (r->stage == KILLED && r->ended)
		return true;
	return (r->stage == LINGERING || r->stage == KILLED) && clock_left(r->until) == 0;
}

static void
follow(struct run *r)
{
	while (!is_over(r)) {
		wait_for_news(r);
		look_for_end(r);
		take_outputs(r);
		send_input(r);
		next_stage(r);
	}
	if (r->stage == TERMINATED) /* those of the group that hold no pipe of ours */
		kill(-r->pid, SIGKILL);
	waitid(P_PID, (id_t)r->pid, &(siginfo_t){ 0 }, WEXITED | WNOHANG);
}

bool
proc_run(const struct proc_command *c, struct proc_result *out, struct err *e)
{
	AUTO(run_done) struct run r = {
		.c = c,
		.pidfd = -1,
		.ours = { -1, -1, -1 },
		.theirs = { -1, -1, -1 },
		.gate_open = !c->gate,
		.until = clock_ms() + (c->limit_ms > 0 ? c->limit_ms : DEFAULT_LIMIT_MS),
	};

	if (!start(&r, e))
		return false;
	send_input(&r);
	follow(&r);
	proc_result_done(out);
	*out = r.result;
	r.result = (struct proc_result){ 0 };
	return true;
}

static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The bytes without white space around them. */
static struct bytes
trimmed(const char *p, size_t len)
{
	while (len > 0 && is_space(p[len - 1]))
		len--;
	while (len > 0 && is_space(*p)) {
		p++;
		len--;
	}
	return (struct bytes){ p, len };
}

/* The last `cap` bytes, without the word that begins before them, if there are more. */
static struct bytes
last_words(struct bytes b, size_t cap)
{
	const char *p = b.ptr;
	size_t start = b.len > cap ? b.len - cap : 0, at = start;

	while (start > 0 && at < b.len && !is_space(p[at - 1]))
		at++;
	if (at == b.len) /* one long word */
		at = start;
	return trimmed(p + at, b.len - at);
}

/* How many bytes come before the line ends. */
static size_t
line_length(const char *p, size_t len)
{
	size_t n = 0;

	while (n < len && p[n] != '\n' && p[n] != '\r')
		n++;
	return n;
}

void
proc_quote_output(struct str *out, const struct proc_result *r, size_t cap)
{
	struct bytes all = trimmed(str_text(&r->err), r->err.len), rest;

	if (all.len == 0)
		all = trimmed(str_text(&r->out), r->out.len);
	rest = last_words(all, cap);
	if (rest.len < all.len)
		str_add(out, "... ");
	while (rest.len > 0) {
		const char *p = rest.ptr;
		size_t len = line_length(p, rest.len);

		str_add_escaped(out, trimmed(p, len), len);
		rest = trimmed(p + len, rest.len - len);
		if (rest.len > 0)
			str_add(out, "; ");
	}
}
