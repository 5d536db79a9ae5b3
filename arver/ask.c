/* SPDX-License-Identifier: MIT */
/*
 * The terminal, read byte by byte, so that nothing behind the line is taken. From before
 * its echo is turned off until after it is back, signals that cancel or suspend come only
 * while we wait for a byte, or are stopped: so none is missed, and none finds the terminal
 * half set. Stopped, we leave it with its echo; whoever goes on is asked anew.
 */
#include "arver/ask.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <termios.h>
#include <unistd.h>
#include "base/file.h"
#include "base/secret.h"

#define ASK_MAX_BYTES 4096

struct prompt {
	const char *text;
	int fd; /* the terminal, or else standard input */
	bool is_terminal;
	sigset_t signals; /* the mask while we wait */
	/* What SIGTSTP and SIGCONT did before. */
	struct sigaction stop, resume;
};

static const atomic_int *cancelled;

/* The terminal while its echo is off, for ask_restore(), too; else -1. */
static volatile sig_atomic_t quiet_fd = -1;
static struct termios loud;

/* SIGTSTP or SIGCONT, not yet acted upon; the kernel lets one cancel the other. Else 0. */
static volatile sig_atomic_t job_signal;

void
ask_heed(const atomic_int *cancel)
{
	cancelled = cancel;
}

static bool
is_cancelled(void)
{
	return cancelled && atomic_load(cancelled);
}

/* In the background, it is not ours to set. */
static bool
in_foreground(int fd)
{
	return tcgetpgrp(fd) == getpgrp();
}

static bool
set_loud(int when)
{
	return quiet_fd >= 0 && in_foreground(quiet_fd) && tcsetattr(quiet_fd, when, &loud) == 0;
}

static void
set_quiet(int fd)
{
	struct termios quiet = loud;

	quiet.c_lflag &= ~(tcflag_t)ECHO;
	quiet_fd = fd;
	tcsetattr(fd, TCSAFLUSH, &quiet);
}

void
ask_restore(void)
{
	int kept = errno;

	(void)set_loud(TCSANOW);
	errno = kept;
}

static void
on_job_signal(int signal_number)
{
	job_signal = signal_number;
}

static const struct sigaction heed_job = { .sa_handler = on_job_signal };

static sigset_t
hold_signals(void)
{
	sigset_t held, before;

	sigemptyset(&held);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGTERM);
	sigaddset(&held, SIGHUP);
	sigaddset(&held, SIGTSTP);
	sigaddset(&held, SIGCONT);
	pthread_sigmask(SIG_BLOCK, &held, &before);
	return before;
}

static struct prompt
prompt_open(const char *text)
{
	struct prompt p = { .text = text, .signals = hold_signals() };
	int fd = isatty(0) ? open("/dev/tty", O_RDWR | O_CLOEXEC) : -1;

	if (fd < 0 || tcgetattr(fd, &loud) != 0) {
		fd_drop(&fd);
		return p;
	}
	p.fd = fd;
	p.is_terminal = true;
	sigaction(SIGTSTP, &heed_job, &p.stop);
	sigaction(SIGCONT, &heed_job, &p.resume);
	job_signal = SIGCONT; /* the first prompt comes as those after a stop do */
	return p;
}

static void
prompt_close(struct prompt *p)
{
	if (p->is_terminal) {
		if (set_loud(TCSAFLUSH))
			(void)file_write_all(p->fd, bytes_of("\n"));
		quiet_fd = -1;
		job_signal = 0;
		sigaction(SIGTSTP, &p->stop, NULL);
		sigaction(SIGCONT, &p->resume, NULL);
		fd_drop(&p->fd);
	}
	pthread_sigmask(SIG_SETMASK, &p->signals, NULL);
}

/* Here we are stopped, unless the signal is ignored, and hear of what comes meanwhile. */
static void
stop_by(const struct prompt *p, pid_t who, int signal_number)
{
	sigset_t held;

	sigaction(SIGTSTP, &p->stop, NULL);
	kill(who, signal_number);
	pthread_sigmask(SIG_SETMASK, &p->signals, &held);
	pthread_sigmask(SIG_SETMASK, &held, NULL);
	sigaction(SIGTSTP, &heed_job, NULL);
}

/* One step towards a prompt on a terminal that is ours, and quiet. */
static void
heed_job_signal(const struct prompt *p)
{
	bool stop = job_signal == SIGTSTP;

	job_signal = 0;
	if (stop) {
		(void)set_loud(TCSAFLUSH); /* the shell must not get what was typed so far */
		quiet_fd = -1;
		stop_by(p, getpid(), SIGTSTP);
		job_signal = SIGCONT; /* where nothing can stop us, too */
	} else if (!in_foreground(p->fd)) {
		stop_by(p, 0, SIGTTIN); /* the whole job, as the kernel does it */
	} else {
		set_quiet(p->fd);
		(void)file_write_all(p->fd, bytes_of(p->text));
	}
}

/* False once the person said no; else a read will not hang. *typed is 0 if asked anew. */
static bool
wait_for_byte(const struct prompt *p, size_t *typed)
{
	struct pollfd poll = { .fd = p->fd, .events = POLLIN };

	while (!is_cancelled()) {
		int n;

		if (job_signal) {
			heed_job_signal(p);
			*typed = 0;
			continue;
		}
		n = ppoll(&poll, 1, NULL, &p->signals);
		if (n > 0)
			return true;
		if (n < 0 && errno != EINTR)
			return false;
	}
	return false;
}

static bool
read_line(const struct prompt *p, struct secret *s, struct err *e)
{
	struct span room = secret_space(s);
	char *at = room.ptr;

	for (size_t n = 0; n < ASK_MAX_BYTES; n++) {
		ssize_t got = wait_for_byte(p, &n) ? file_read_some(p->fd, at + n, 1) : -1;

		if (got < 0 || (got == 0 && n == 0))
			return err_set(e, ERR_CANCELLED, "no passphrase given");
		if (got == 0 || at[n] == '\n')
			return secret_set_len(s, n);
	}
	return err_set(e, ERR_USAGE, "the passphrase is longer than %d bytes", ASK_MAX_BYTES);
}

bool
ask_has_terminal(void)
{
	AUTO(fd_drop) int fd = isatty(0) ? open("/dev/tty", O_RDWR | O_CLOEXEC) : -1;

	return fd >= 0;
}

bool
ask_passphrase_or_none(const char *prompt, struct secret **out, struct err *e)
{
	AUTO(secret_drop) struct secret *s = secret_new(ASK_MAX_BYTES);
	AUTO(prompt_close) struct prompt p = prompt_open(prompt);

	if (!read_line(&p, s, e))
		return false;
	if (secret_bytes(s).len > 0)
		*out = TAKE(s);
	return true;
}

bool
ask_passphrase(const char *prompt, struct secret **out, struct err *e)
{
	AUTO(secret_drop) struct secret *s = NULL;

	if (!ask_passphrase_or_none(prompt, &s, e))
		return false;
	if (!s)
		return err_set(e, ERR_CANCELLED, "an empty passphrase is none");
	*out = TAKE(s);
	return true;
}
