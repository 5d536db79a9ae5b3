/* SPDX-License-Identifier: MIT */
/*
 * cryptsetup: a stand-in on servers whose kernel has no device-mapper. It knows `open` only, takes
 * $ACTIVATION_MS, and exactly the bytes that key/NAME in the host's directory (the working
 * directory) holds. What then is to be seen in /sys of an open disk appears as dm-0 ... dm-3 there.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define KEY_MAX 4096

static const char prefix[] = "--keyfile-size=";

static void
check(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(4);
}

/* Up to `len` bytes, to the end of the file at most. */
static size_t
read_all(int fd, char *to, size_t len)
{
	size_t got = 0;
	ssize_t n;

	while (got < len && (n = read(fd, to + got, len - got)) > 0)
		got += (size_t)n;
	return got;
}

static int
fits(const char *name, size_t len)
{
	char path[256], want[KEY_MAX], key[KEY_MAX];
	int fd;

	snprintf(path, sizeof(path), "key/%s", name);
	fd = open(path, O_RDONLY);
	check(fd >= 0, path);
	return read_all(STDIN_FILENO, key, len) == len && read_all(fd, want, sizeof(want)) == len &&
	    memcmp(key, want, len) == 0;
}

static void
write_file(const char *dir, const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	check(f && fprintf(f, "%s\n", text) > 0 && fclose(f) == 0, path);
}

/* Its name comes last: it is there when all else is. */
static void
activate(const char *name, const char *device)
{
	char dir[32], slave[64];
	int i = 0;

	do
		snprintf(dir, sizeof(dir), "dm-%d", i++);
	while (mkdir(dir, 0755) != 0 && errno == EEXIST);
	snprintf(slave, sizeof(slave), "%s/slaves", dir);
	mkdir(slave, 0755);
	snprintf(slave, sizeof(slave), "%s/slaves/loop0", dir);
	mkdir(slave, 0755);
	snprintf(slave, sizeof(slave), "%s/slaves/loop0/loop", dir);
	mkdir(slave, 0755);
	write_file(slave, "backing_file", device);
	snprintf(slave, sizeof(slave), "%s/dm", dir);
	mkdir(slave, 0755);
	write_file(slave, "uuid", "CRYPT-LUKS2-stand-in");
	write_file(slave, "name", name);
}

int
main(int argc, char **argv)
{
	const char *ms = getenv("ACTIVATION_MS");
	struct timespec pause = { 0 };
	size_t len = 0;

	for (int i = 1; i < argc; i++)
		if (strncmp(argv[i], prefix, sizeof(prefix) - 1) == 0)
			len = strtoul(argv[i] + sizeof(prefix) - 1, NULL, 10);
	if (argc < 4 || strcmp(argv[1], "open") != 0 || len == 0 || len > KEY_MAX) {
		fputs("this stand-in knows only: open --keyfile-size=N DEVICE NAME\n", stderr);
		return 1;
	}
	if (!fits(argv[argc - 1], len)) {
		fputs("No key available with this passphrase.\n", stderr);
		return 2;
	}
	pause.tv_sec = ms ? atoi(ms) / 1000 : 0;
	pause.tv_nsec = ms ? atoi(ms) % 1000 * 1000000L : 0;
	nanosleep(&pause, NULL);
	activate(argv[argc - 1], argv[argc - 2]);
	return 0;
}
