/* SPDX-License-Identifier: MIT */
/* Inputs by pieces, what must hold of every error text, and one directory for targets that need files. */
#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAINT 0xb5

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	fuzz_one((struct bytes){ data, size });
	return 0;
}

void
fuzz_broken(const char *file, int line, const char *truth)
{
	fprintf(stderr, "%s:%d: not so: %s\n", file, line, truth);
	abort();
}

void
fuzz_expect_printable(const char *text)
{
	for (size_t left = strlen(text), n; left > 0; left -= n, text += n) {
		n = str_printable(text, left);
		EXPECT(n > 0);
	}
}

void
fuzz_expect_error(const struct err *e)
{
	EXPECT(e->kind != ERR_NONE);
	EXPECT(memchr(e->text, '\0', sizeof(e->text)));
	EXPECT(e->text[0]);
	fuzz_expect_printable(e->text);
}

unsigned
fuzz_take(struct bytes *in)
{
	const unsigned char *p = in->ptr;

	if (in->len == 0)
		return 0;
	*in = (struct bytes){ p + 1, in->len - 1 };
	return *p;
}

struct bytes
fuzz_take_part(struct bytes *in)
{
	static const char line[] = "====\n";
	const char *p = in->ptr;
	const char *at = in->len > 0 ? memmem(p, in->len, line, sizeof(line) - 1) : NULL;
	struct bytes part = *in;

	if (!at) {
		*in = (struct bytes){ "", 0 };
		return part;
	}
	part.len = (size_t)(at - p);
	*in = (struct bytes){ at + sizeof(line) - 1, in->len - part.len - (sizeof(line) - 1) };
	return part;
}

char *
fuzz_text(struct bytes in)
{
	return mem_strndup(in.len > 0 ? in.ptr : "", in.len);
}

bool
fuzz_equal(struct bytes a, struct bytes b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

void
fuzz_paint(void *ptr, size_t len)
{
	memset(ptr, PAINT, len);
}

bool
fuzz_is_painted(const void *ptr, size_t len)
{
	const unsigned char *p = ptr;

	for (size_t i = 0; i < len; i++)
		if (p[i] != PAINT)
			return false;
	return true;
}

static char dir[64]; /* "/dev/shm" or "/tmp", and a name of ours */
static int dir_fd = -1;

/* Files only, and one level. */
static void
remove_dir(void)
{
	static const char *const names[] = { "users", "disks", "settings", ".arver" };

	for (size_t i = 0; i < COUNT(names); i++)
		unlinkat(dir_fd, names[i], 0);
	rmdir(dir);
}

int
fuzz_dir_fd(void)
{
	if (dir_fd >= 0)
		return dir_fd;
	snprintf(dir, sizeof(dir), "%s/arver-fuzz-XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	EXPECT(mkdtemp(dir));
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	EXPECT(dir_fd >= 0);
	atexit(remove_dir);
	return dir_fd;
}

const char *
fuzz_dir(void)
{
	fuzz_dir_fd();
	return dir;
}

void
fuzz_write(const char *name, struct bytes content)
{
	int fd = openat(fuzz_dir_fd(), name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	EXPECT(fd >= 0);
	EXPECT(content.len == 0 || write(fd, content.ptr, content.len) == (ssize_t)content.len);
	close(fd);
}
