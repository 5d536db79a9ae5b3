/* SPDX-License-Identifier: MIT */
/*
 * gate: not more logins at once through one door (a server, or a jump host that programs go
 * through) than it lets be: a sshd drops at random what comes beyond ten (MaxStartups 10:30:100). Who
 * has been inside for long is not at the door any more, but behind it, where nobody answers: the
 * others need not wait for that. Any thread.
 */
#ifndef TRANSPORT_GATE_H
#define TRANSPORT_GATE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Logins at once at one door. */
#define GATE_WIDTH 8
/* A login takes less; who is inside for longer takes nobody's place. */
#define GATE_LONG_MS 2000

struct door;

struct gates {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct door *doors;
	size_t n;
	bool shut;
};

void gates_init(struct gates *g);
void gates_done(struct gates *g);

/* From now on nobody waits: whose turn it is not at once is turned away. */
void gates_shut(struct gates *g);

/*
 * Wait for one's turn at this door, which comes, if need be after GATE_LONG_MS for each GATE_WIDTH of
 * those before. *out_since is for gate_leave. False: shut.
 */
bool gate_enter(struct gates *g, const char *door, int64_t *out_since);
/* The login is over, well or not. */
void gate_leave(struct gates *g, const char *door, int64_t since);

/*
 * For who was turned away `tries` times: sleep for a while, the longer the more often, never twice
 * the same. False: often enough, or no time is left for it.
 */
bool gate_come_again(unsigned tries, int64_t until);

#endif
