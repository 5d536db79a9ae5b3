/* SPDX-License-Identifier: MIT */
/*
 * measure N COMMAND [WORD...] -- COMMAND [WORD...]: run the two in turn, N times
 * each, output thrown away; print a line for each: median wall time and
 * median processor time in microseconds, largest resident set in kB. In turn,
 * so that a machine that is slow for a while is so for both.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#define MAX_RUNS 1000

struct result {
	long wall[MAX_RUNS], cpu[MAX_RUNS], rss;
};

static int
by_size(const void *a, const void *b)
{
	long x = *(const long *)a, y = *(const long *)b;

	return (x > y) - (x < y);
}

static long
median(long *values, int n)
{
	qsort(values, (size_t)n, sizeof(*values), by_size);
	return values[n / 2];
}

static long
microseconds(struct timeval t)
{
	return t.tv_sec * 1000000 + t.tv_usec;
}

static void
run(char **argv, struct result *r, int i)
{
	posix_spawn_file_actions_t actions;
	struct timespec from, to;
	struct rusage use;
	char *env[] = { "PATH=/usr/bin:/bin", "HOME=/nonexistent", NULL };
	int status;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	clock_gettime(CLOCK_MONOTONIC, &from);
	if (posix_spawnp(&pid, argv[0], &actions, NULL, argv, env) != 0)
		exit(2);
	if (wait4(pid, &status, 0, &use) != pid || status != 0) {
		fprintf(stderr, "measure: %s failed\n", argv[0]);
		exit(2);
	}
	clock_gettime(CLOCK_MONOTONIC, &to);
	posix_spawn_file_actions_destroy(&actions);
	r->wall[i] = (to.tv_sec - from.tv_sec) * 1000000 + (to.tv_nsec - from.tv_nsec) / 1000;
	r->cpu[i] = microseconds(use.ru_utime) + microseconds(use.ru_stime);
	r->rss = use.ru_maxrss > r->rss ? use.ru_maxrss : r->rss;
}

int
main(int argc, char **argv)
{
	static struct result results[2];
	int n = argc > 1 ? atoi(argv[1]) : 0, second = 2;

	while (second < argc && strcmp(argv[second], "--") != 0)
		second++;
	if (n < 1 || n > MAX_RUNS || second + 1 >= argc)
		return 2;
	argv[second++] = NULL;
	for (int i = 0; i < n; i++) {
		run(argv + 2, &results[0], i);
		run(argv + second, &results[1], i);
	}
	for (int k = 0; k < 2; k++)
		printf("%ld %ld %ld\n", median(results[k].wall, n), median(results[k].cpu, n),
		    results[k].rss);
	return 0;
}
