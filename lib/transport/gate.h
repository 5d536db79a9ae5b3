/* SPDX-License-Identifier: MIT */
/*
 * gate: not more logins at once through one door (a server, or a jump host that programs go
 * through) than it lets be: a sshd drops at random what comes beyond ten (MaxStartups 10:30:100). Any
 * thread.
 */
#ifndef TRANSPORT_GATE_H
#define TRANSPORT_GATE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Logins at once at one door. */
#define GATE_WIDTH 8

struct door;

struct gates {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct door *doors;
	size_t n;
};

void gates_init(struct gates *g);
void gates_done(struct gates *g);

/* Wait for one's turn at this door, until `until` of clock_ms; false: it did not come. */
bool gate_enter(struct gates *g, const char *door, int64_t until);
/* The login is over, well or not. */
void gate_leave(struct gates *g, const char *door);

/*
 * For who was turned away `tries` times: sleep for a while, the longer the more often, never twice
 * the same. False: often enough, or no time is left for it.
 */
bool gate_come_again(unsigned tries, int64_t until);

#endif
