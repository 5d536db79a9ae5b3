/* SPDX-License-Identifier: MIT */
/*
 * Preloaded, it gives the program the same new keys in every run: so those of a first run can be
 * looked for in the memory of a second one, before anybody has told what they are. $SAME_RANDOM, a number, makes
 * them others. What is asked for in
 * other lengths than a key's and a marker's is by chance, as ever.
 */
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#define KEY ((size_t)192)
#define MARKER ((size_t)84)

ssize_t
getrandom(void *buf, size_t len, unsigned flags)
{
	static unsigned long long state[2];
	static int begun;
	const char *seed = getenv("SAME_RANDOM");
	unsigned char *p = buf;

	if (len != KEY && len != MARKER)
		return syscall(SYS_getrandom, buf, len, flags);
	if (!begun++)
		state[0] = state[1] = seed ? strtoull(seed, NULL, 10) : 0;
	for (size_t i = 0; i < len; i++) {
		unsigned long long *s = &state[len == KEY];

		*s = *s * 6364136223846793005ULL + 1442695040888963407ULL + len;
		p[i] = (unsigned char)(*s >> 56);
	}
	return (ssize_t)len;
}
