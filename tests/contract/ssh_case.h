/* SPDX-License-Identifier: MIT */
/* ssh_case: what the tests of SSH share: one server, connecting to it by way of its configuration. */
#ifndef TESTS_SSH_CASE_H
#define TESTS_SSH_CASE_H

#include "tests/contract/sshd.h"
#include "transport/pool.h"
#include "transport/transport.h"

#define CONNECT_MS 20000
/* What a Host is unless a test says otherwise. */
#define HOST                                                                                       \
	"HostName 127.0.0.1\nPort %P\nIdentityFile %D/id\n"                                        \
	"UserKnownHostsFile %D/known_hosts\nGlobalKnownHostsFile %D/global_known_hosts\n"
#define KNOWN "[127.0.0.1]:%P %E\n"

#define NO_FILES                                                                                   \
	"HostName 127.0.0.1\nPort %P\nIdentityFile %D/missing\n"                                   \
	"UserKnownHostsFile %D/known_hosts\n"


extern struct sshd server;

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
/* It connects, and runs a command. */
void assert_connects_in(const char *address, int64_t connect_ms);
void assert_connects(const char *address);
/* Fails in time, not begun, with these texts (NULL: one less). */
void assert_fails_as(enum err_kind kind, const char *address, int64_t connect_ms, const char *text,
    const char *more);
/* The same, ERR_HOST or ERR_AWAY. */
void assert_fails(const char *address, int64_t connect_ms, const char *text, const char *more);

/* A real ssh-agent, in SSH_AUTH_SOCK. */
struct agent {
	pid_t pid;
	char *path;
};
struct agent agent_start(void);
void agent_end(struct agent *a);

#endif
