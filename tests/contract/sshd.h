/* SPDX-License-Identifier: MIT */
/*
 * sshd: a real OpenSSH server on 127.0.0.1 for tests, started and ended by
 * them, with keys, configuration and known_hosts of its own in a temporary
 * directory. `ssh` is found there too: a wrapper that reads that configuration
 * and nothing of the person who runs the tests. As root or not.
 */
#ifndef TESTS_SSHD_H
#define TESTS_SSHD_H

#include <stdbool.h>
#include <sys/types.h>
#include "base/err.h"

struct sshd {
	char *dir;  /* config, known_hosts, id (a key that may log in), host_ed25519, host_ecdsa */
	char *user; /* who runs the tests, the only one who can log in */
	unsigned port;
	pid_t pid; /* 0: not running */
};

/*
 * Make the directory and its keys, put DIR/bin first in PATH, take
 * SSH_AUTH_SOCK away, start the server. `extra` are further lines of
 * sshd_config, or NULL. Fails the test if anything of it does not work.
 */
void sshd_start(struct sshd *s, const char *extra);
/* End the server, leave the directory; and begin again on the same port. */
void sshd_halt(struct sshd *s);
void sshd_resume(struct sshd *s, const char *extra);
/*
 * A second server in the same directory, with the same keys, on a port of its own; to be ended by
 * sshd_halt, before the first one is.
 */
void sshd_start_beside(const struct sshd *first, struct sshd *s, const char *extra);
/*
 * The same, but in the midst of the login it ends the connection, unless the key is DIR/stranger, which
 * is just refused. SSHD_BOOTING is its banner, which is sent with the first answer.
 */
#define SSHD_BOOTING "System is booting up."
void sshd_start_booting(const struct sshd *first, struct sshd *s);
/* How often this stands in the server's log; with "LogLevel INFO", logins are told there. */
size_t sshd_count(const struct sshd *s, const char *what);
/* End the server and every connection to it, remove the directory, give PATH back. */
void sshd_stop(struct sshd *s);

/* SIGKILL (or another) to the server processes of all connections, not to the listener. */
void sshd_signal_connections(const struct sshd *s, int sig);

/* DIR/config becomes this, with "%D" for the directory and "%P" for the port. */
void sshd_config(const struct sshd *s, const char *text);
/* DIR/known_hosts becomes this; "%E" and "%C" are the ed25519 and ECDSA host keys. */
void sshd_known_hosts(const struct sshd *s, const char *text);
/* Run a shell script in the directory; fails the test unless it exits 0. */
void sshd_shell(const struct sshd *s, const char *fmt, ...) PRINTF(2, 3);

#endif
