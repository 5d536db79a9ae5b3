/* SPDX-License-Identifier: MIT */
/*
 * transport: how to run commands on one host. One connection, used by one
 * thread at a time, kept for all commands of a run. Commands are an argv; where
 * a shell is in between (ssh) every word passes transport_quote(), the one
 * quoting function. Nothing that is started can prompt.
 */
#ifndef TRANSPORT_TRANSPORT_H
#define TRANSPORT_TRANSPORT_H

#include <stdbool.h>
#include <stdint.h>
#include "base/err.h"
#include "base/mem.h"
#include "base/proc.h"

/* Where to connect to; what it points to is borrowed for the transport's life. */
struct transport_spec {
	const char *name;	/* for messages: "colo/web1" */
	const char *address;	/* as in the inventory; a Host of ssh_config too */
	unsigned port;		/* 0: what ssh_config says, then 22 */
	const char *user;	/* login name */
	int64_t connect_ms;	/* for the way there, key exchange and login together; 0: what
				 * ssh_config says (ConnectTimeout), then 10 s. Waiting
				 * for others at the same door does not count */
	struct pool *pool;	/* what the connections of a run share (pool.h); NULL: nothing */
	bool accept_new;	/* take and store the key of a host that known_hosts does not know */
	/* Called by the thread that connects: what the person must hear of, a sentence. May be NULL. */
	void (*note)(void *arg, const char *text);
	void *note_arg;
};

struct pool;
struct transport;

struct transport_ops {
	bool (*connect)(struct transport *t, struct err *e);
	bool (*run)(struct transport *t, const struct proc_command *c, struct proc_result *out,
	    struct err *e);
	void (*free)(struct transport *t);
};

/* The base of every implementation, its first member. */
struct transport {
	const struct transport_ops *ops;
	const char *name;	/* borrowed, for messages */
	unsigned logins;	/* connections made so far: another number, another connection */
	bool sudo;		/* not root there: cryptsetup and hooks need `sudo -n` in front */
};

/* This machine, through base/proc. sudo where the effective user is not root. */
struct transport *transport_local_new(const struct transport_spec *spec);

/*
 * libssh. Settings come from `ssh -G -l USER`; host keys must be known
 * (known_hosts, plain, hashed, [host]:port, @revoked), whatever ssh_config
 * says, or with accept_new be new. sudo where the login is not root. Many threads may have one each.
 */
struct transport *transport_ssh_new(const struct transport_spec *spec);

/*
 * The ssh program (8.7 or newer) for the connection and all that ssh_config says of it; commands
 * are run by us, over its control socket. Host keys are as strict as above; no error tells a
 * fingerprint, since others can say ssh's words. sudo where the login is not root. Ends with
 * this process, however that ends. Many threads may have one each.
 */
struct transport *transport_openssh_new(const struct transport_spec *spec);

/*
 * Connect and log in, within connect_ms in all. Connected already: at once. A
 * transport that lost its connection may be connected again.
 * ERR_AWAY: no such name, nobody answers or listens, no SSH spoken there: perhaps later.
 * ERR_HOST with what to do next: host key unknown or changed (with the ssh-keygen / ssh
 * command), login refused (which keys were tried). ERR_CANCELLED: pool_shut() while it waited
 * for others. Nothing was run.
 */
MUST_CHECK bool transport_connect(struct transport *t, struct err *e);

/*
 * Run a command to its end, its deadline or the end of the connection, which
 * result->end tells (base/proc.h has the rules). Connects first if need be; the
 * command's limit counts from then on. A program that is not there is a
 * result: exit status 127.
 * ERR_HOST, ERR_AWAY, ERR_CANCELLED: it was not started, no byte of it was sent. ERR_LOST is never
 * returned here: a lost command is a result (PROC_LOST, PROC_DEADLINE). After a
 * deadline or loss the connection is closed. A remote command is not stopped by that.
 */
MUST_CHECK bool transport_run(struct transport *t, const struct proc_command *c,
    struct proc_result *out, struct err *e);

/* Disconnects without waiting; NULL is fine. */
void transport_free(struct transport *t);
DROP(transport, struct transport)

/*
 * Append `word` to *out so that a POSIX shell (and csh, fish for words without
 * control characters) reads back exactly these bytes as one word.
 */
void transport_quote(struct str *out, const char *word);
/* Append what makes the login's shell become this command. */
void transport_line(struct str *out, const char *const *argv);

#endif
