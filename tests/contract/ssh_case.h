/* SPDX-License-Identifier: MIT */
/* ssh_case: what the tests of SSH share: one server, connecting to it by way of its configuration. */
#ifndef TESTS_SSH_CASE_H
#define TESTS_SSH_CASE_H

#include "tests/contract/sshd.h"
#include "transport/pool.h"
#include "transport/transport.h"

#define CONNECT_MS 20000
/* What a Host is unless a test says otherwise. */
#define PLACE                                                                                      \
	"HostName 127.0.0.1\nPort %P\n"                                                            \
	"UserKnownHostsFile %D/known_hosts\nGlobalKnownHostsFile %D/global_known_hosts\n"
#define HOST PLACE "IdentityFile %D/id\n"
#define NO_FILES PLACE "IdentityFile %D/missing\n"
#define KNOWN "[127.0.0.1]:%P %E\n"

extern struct sshd server;

/* Which transport is tested: transport_ssh_new, unless a test says otherwise. */
extern struct transport *(*transport_new)(const struct transport_spec *spec);
/* What make_to() gives every transport besides. */
extern struct pool *pool;
extern bool accept_new;
/* What they noted since the test began, a line each, and by how many threads it likes. */
extern struct str notes;

struct transport *make_to(const char *address, int64_t connect_ms);
struct transport *make_ssh(void);

/* Before and after each test: DIR/config and DIR/known_hosts are HOST and KNOWN; nothing is left behind. */
int begin(void **state);
int end(void **state);

void assert_says(const struct err *e, const char *text);
void assert_noted(const char *text);
void connect_or_fail(struct transport *t);
/* It runs a command. */
void assert_runs(struct transport *t);
/* It is begun, gets its input, and the connection is lost. */
void assert_lost(struct transport *t, const char *script);
/* Nobody reads all of the 16 MB that it gets, which fill every buffer: it ends at its deadline. */
void assert_no_write_hangs(const char *script);
/* It connects, and runs a command. */
void assert_connects_in(const char *address, int64_t connect_ms);
void assert_connects(const char *address);
/* Fails in time, not begun, with these texts (NULL: one less). */
void assert_fails_as(enum err_kind kind, const char *address, int64_t connect_ms, const char *text,
    const char *more);
/* The same, ERR_HOST or ERR_AWAY. */
void assert_fails(const char *address, int64_t connect_ms, const char *text, const char *more);

/* So many threads at once connect to web1, and run some commands each. */
void assert_many_run(size_t n);

/* A socket where the kernel accepts and nobody speaks; bound and not listening where `backlog` is -1. */
int listen_here(int backlog, unsigned *out_port);
/* The same, and DIR/config leads there. */
int listen_as_host(int backlog);

/* A real ssh-agent, in SSH_AUTH_SOCK. */
struct agent {
	pid_t pid;
	char *path;
};
struct agent agent_start(void);
void agent_end(struct agent *a);

#endif
