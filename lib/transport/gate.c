/* SPDX-License-Identifier: MIT */
/*
 * gate: doors by name, each with when those inside have come in. That is also who they are: two of
 * the same moment are alike.
 */
#include "transport/gate.h"

#include <stdlib.h>
#include <time.h>
#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"

#define TRIES 4
#define FIRST_PAUSE_MS 200

struct door {
	char *name;
	int64_t inside[GATE_WIDTH]; /* of clock_ms, when each came in; 0: free */
};

void
gates_init(struct gates *g)
{
	*g = (struct gates){ 0 };
	pthread_mutex_init(&g->lock, NULL);
	clock_cond_init(&g->changed);
}

void
gates_done(struct gates *g)
{
	for (size_t i = 0; i < g->n; i++)
		free(g->doors[i].name);
	free(g->doors);
	pthread_cond_destroy(&g->changed);
	pthread_mutex_destroy(&g->lock);
}

/* Under the lock; valid until it is given back. */
static struct door *
find(struct gates *g, const char *name)
{
	for (size_t i = 0; i < g->n; i++)
		if (str_equal(g->doors[i].name, name))
			return &g->doors[i];
	struct door *d = mem_push(&g->doors, &g->n, sizeof(*d));

	d->name = mem_strdup(name);
	return d;
}

void
gates_shut(struct gates *g)
{
	HOLD(&g->lock);
	g->shut = true;
	pthread_cond_broadcast(&g->changed);
}

/* The place at this door that is free, or will be taken over next. */
static int64_t *
next_place(struct gates *g, const char *door)
{
	struct door *d = find(g, door);
	int64_t *oldest = d->inside;

	for (size_t i = 1; i < GATE_WIDTH; i++)
		if (d->inside[i] < *oldest)
			oldest = &d->inside[i];
	return oldest;
}

bool
gate_enter(struct gates *g, const char *door, int64_t *out_since)
{
	HOLD(&g->lock);
	int64_t *place;

	while (*(place = next_place(g, door)) != 0 && clock_left(*place + GATE_LONG_MS) > 0) {
		if (g->shut)
			return false;
		clock_cond_wait(&g->changed, &g->lock, *place + GATE_LONG_MS);
	}
	*out_since = *place = clock_ms();
	return true;
}

void
gate_leave(struct gates *g, const char *door, int64_t since)
{
	HOLD(&g->lock);
	struct door *d = find(g, door);

	for (size_t i = 0; i < GATE_WIDTH; i++) {
		if (d->inside[i] != since)
			continue;
		d->inside[i] = 0;
		pthread_cond_broadcast(&g->changed);
		return;
	}
}

bool
gate_come_again(unsigned tries, int64_t until)
{
	int64_t ms = clock_uneven(FIRST_PAUSE_MS << tries);

	if (tries >= TRIES || ms >= clock_left(until))
		return false;
	nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000L }, NULL);
	return true;
}
