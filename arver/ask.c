/* SPDX-License-Identifier: MIT */
/*
 * The terminal, read byte by byte, so that nothing behind the line is taken. From before
 * its echo is turned off until after it is back, signals that cancel come only while we
 * wait for a byte: so none is missed, and none finds the terminal half set.
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

static const atomic_int *cancelled;

/* For ask_restore(): what it finds is whole, since signals come only in wait_for_byte(). */
static volatile sig_atomic_t quiet_fd = -1;
static struct termios loud;

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

void
ask_restore(void)
{
	int kept = errno;

	if (quiet_fd >= 0)
		tcsetattr(quiet_fd, TCSANOW, &loud);
	errno = kept;
}

static sigset_t
hold_signals(void)
{
	sigset_t held, before;

	sigemptyset(&held);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGTERM);
	sigaddset(&held, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &held, &before);
	return before;
}

static void
release_signals(const sigset_t *before)
{
	pthread_sigmask(SIG_SETMASK, before, NULL);
}

/* The terminal with its echo off; -1 where there is none. */
static int
quiet_tty_open(const char *prompt)
{
	int fd = isatty(0) ? open("/dev/tty", O_RDWR | O_CLOEXEC) : -1;
	struct termios quiet;

	if (fd < 0 || tcgetattr(fd, &loud) != 0) {
		fd_drop(&fd);
		return -1;
	}
	quiet = loud;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	quiet_fd = fd;
	tcsetattr(fd, TCSAFLUSH, &quiet);
	(void)file_write_all(fd, bytes_of(prompt));
	return fd;
}

static void
quiet_tty_close(int *fd)
{
	if (*fd < 0)
		return;
	tcsetattr(*fd, TCSAFLUSH, &loud);
	quiet_fd = -1;
	(void)file_write_all(*fd, bytes_of("\n"));
	fd_drop(fd);
}

/* False once the person said no; else a read will not hang. */
static bool
wait_for_byte(int fd, const sigset_t *signals)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	while (!is_cancelled()) {
		int n = ppoll(&p, 1, NULL, signals);

		if (n > 0)
			return true;
		if (n < 0 && errno != EINTR)
			return false;
	}
	return false;
}

static bool
read_line(int fd, const sigset_t *signals, struct secret *s, struct err *e)
{
	struct span room = secret_space(s);
	char *at = room.ptr;

	for (size_t n = 0; n < ASK_MAX_BYTES; n++) {
		ssize_t got = wait_for_byte(fd, signals) ? file_read_some(fd, at + n, 1) : -1;

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
	AUTO(release_signals) const sigset_t signals = hold_signals();
	AUTO(quiet_tty_close) int tty = is_cancelled() ? -1 : quiet_tty_open(prompt);

	if (!read_line(tty >= 0 ? tty : 0, &signals, s, e))
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
