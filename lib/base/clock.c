/* SPDX-License-Identifier: MIT */
/* clock: see clock.h; neither clock can fail on Linux. */
#include "base/clock.h"

#include <limits.h>
#include <sys/random.h>
#include <time.h>

int64_t
clock_ms(void)
{
	struct timespec t = { 0 };

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

double
clock_unix(void)
{
	struct timespec t = { 0 };
	int64_t micros;

	clock_gettime(CLOCK_REALTIME, &t);
	/* whole microseconds: more than that a double cannot tell apart */
	micros = (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
	return (double)micros / 1e6;
}

int
clock_left(int64_t deadline)
{
	int64_t now = clock_ms();

	if (deadline <= now)
		return 0;
	return deadline - now < INT_MAX ? (int)(deadline - now) : INT_MAX;
}

int64_t
clock_uneven(int64_t ms)
{
	unsigned random = 0;

	(void)!getrandom(&random, sizeof(random), GRND_NONBLOCK); /* without: no harm */
	return ms * 3 / 4 + ms * (random % 1024) / 2048;
}

void
clock_cond_init(pthread_cond_t *c)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(c, &attr);
	pthread_condattr_destroy(&attr);
}

void
clock_cond_wait(pthread_cond_t *c, pthread_mutex_t *lock, int64_t until)
{
	struct timespec t = { 0 };
	int left = clock_left(until);

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += left / 1000;
	t.tv_nsec += (left % 1000) * 1000000L;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	pthread_cond_timedwait(c, lock, &t);
}
