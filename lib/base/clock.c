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

struct timespec
clock_timeout(int64_t deadline)
{
	struct timespec t = { 0 };
	int left = clock_left(deadline);

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += left / 1000;
	t.tv_nsec += (left % 1000) * 1000000L;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}
