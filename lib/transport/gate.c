/* SPDX-License-Identifier: MIT */
/* gate: doors by name, each with the number of those inside. */
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
	unsigned inside;
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

bool
gate_enter(struct gates *g, const char *door, int64_t until)
{
	HOLD(&g->lock);
	while (find(g, door)->inside >= GATE_WIDTH && clock_left(until) > 0)
		clock_cond_wait(&g->changed, &g->lock, until);
	struct door *d = find(g, door);

	if (d->inside >= GATE_WIDTH)
		return false;
	d->inside++;
	return true;
}

void
gate_leave(struct gates *g, const char *door)
{
	HOLD(&g->lock);
	find(g, door)->inside--;
	pthread_cond_broadcast(&g->changed);
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
