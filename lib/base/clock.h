/* SPDX-License-Identifier: MIT */
/* clock: the two clocks there are, monotonic for deadlines, real for dates. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <pthread.h>
#include <stdint.h>

int64_t clock_ms(void);	    /* monotonic milliseconds; goes on during suspend */
double clock_unix(void);    /* seconds since 1970, microsecond resolution */
#define CLOCK_DAY 86400.0   /* in such seconds */
/* Milliseconds until `deadline` (of clock_ms) for poll(): 0..INT_MAX. */
int clock_left(int64_t deadline);
/* A condition for clock_cond_wait. */
void clock_cond_init(pthread_cond_t *c);
/* Wait for it, till `until` of clock_ms, which a suspend meanwhile puts off; look why it woke. */
void clock_cond_wait(pthread_cond_t *c, pthread_mutex_t *lock, int64_t until);
/* Between three and five quarters of `ms`, by chance: who waits shall not come back all at once. */
int64_t clock_uneven(int64_t ms);

#endif
