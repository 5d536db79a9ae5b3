/* SPDX-License-Identifier: MIT */
/* The terminal, read byte by byte, so that nothing behind the line is taken. */
#include "arver/ask.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>
#include "base/file.h"
#include "base/secret.h"

#define ASK_MAX_BYTES 4096

/* A terminal with its echo off, and Ctrl-C ending the read; fd -1 where there is none. */
struct quiet_tty {
	int fd;
	struct termios before;
	struct sigaction interrupt;
};

static struct quiet_tty
quiet_tty_open(const char *prompt)
{
	struct quiet_tty t = { .fd = isatty(0) ? open("/dev/tty", O_RDWR | O_CLOEXEC) : -1 };

	if (t.fd < 0)
		return t;
	if (tcgetattr(t.fd, &t.before) != 0) {
		fd_drop(&t.fd);
		return t;
	}
	struct termios quiet = t.before;

	quiet.c_lflag &= ~(tcflag_t)ECHO;
	struct sigaction ends_read;

	sigaction(SIGINT, NULL, &t.interrupt);
	ends_read = t.interrupt;
	ends_read.sa_flags &= ~SA_RESTART;
	sigaction(SIGINT, &ends_read, NULL);
	tcsetattr(t.fd, TCSAFLUSH, &quiet);
	(void)file_write_all(t.fd, bytes_of(prompt));
	return t;
}

static void
quiet_tty_close(struct quiet_tty *t)
{
	if (t->fd < 0)
		return;
	tcsetattr(t->fd, TCSAFLUSH, &t->before);
	sigaction(SIGINT, &t->interrupt, NULL);
	(void)file_write_all(t->fd, bytes_of("\n"));
	fd_drop(&t->fd);
}

static bool
read_line(int fd, struct secret *s, struct err *e)
{
	struct span room = secret_space(s);
	char *at = room.ptr;

	for (size_t n = 0; n < ASK_MAX_BYTES; n++) {
		ssize_t got = read(fd, at + n, 1); /* EINTR: the person said no */

		if (got < 0 || (got == 0 && n == 0))
			return err_set(e, ERR_CANCELLED, "no passphrase given");
		if (got == 0 || at[n] == '\n') {
			if (n == 0)
				return err_set(e, ERR_CANCELLED, "an empty passphrase is none");
			return secret_set_len(s, n);
		}
	}
	return err_set(e, ERR_USAGE, "the passphrase is longer than %d bytes", ASK_MAX_BYTES);
}

bool
ask_passphrase(const char *prompt, struct secret **out, struct err *e)
{
	AUTO(secret_drop) struct secret *s = secret_new(ASK_MAX_BYTES);
	AUTO(quiet_tty_close) struct quiet_tty tty = quiet_tty_open(prompt);

	if (!read_line(tty.fd >= 0 ? tty.fd : 0, s, e))
		return false;
	*out = TAKE(s);
	return true;
}
