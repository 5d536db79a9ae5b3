/* SPDX-License-Identifier: MIT */
/* clock: the two clocks there are, monotonic for deadlines, real for dates. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

int64_t clock_ms(void);	    /* monotonic milliseconds; goes on during suspend */
double clock_unix(void);    /* seconds since 1970, microsecond resolution */
/* Milliseconds until `deadline` (of clock_ms) for poll(): 0..INT_MAX. */
int clock_left(int64_t deadline);
/* The same moment for pthread_cond_timedwait() on a condition with CLOCK_MONOTONIC. */
struct timespec clock_timeout(int64_t deadline);
/* Between three and five quarters of `ms`, by chance: who waits shall not come back all at once. */
int64_t clock_uneven(int64_t ms);

#endif
