/* SPDX-License-Identifier: MIT */
/* data_dir: a fault of the test's own ends it with a message. */
#include "tests/unit/data_dir.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/file.h"
#include "inventory/inventory.h"

static _Noreturn void
die(const char *what)
{
	perror(what);
	abort();
}

struct data_dir
data_dir_make(void)
{
	struct data_dir d = { .path = "/tmp/arver-test-XXXXXX", .fd = -1 };

	if (!mkdtemp(d.path))
		die(d.path);
	d.fd = open(d.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d.fd < 0)
		die(d.path);
	return d;
}

void
data_dir_write(const struct data_dir *d, const char *name, const char *text)
{
	AUTO(fd_drop) int fd = -1;

	unlinkat(d->fd, name, 0);
	if (!text)
		return;
	fd = openat(d->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || !file_write_all(fd, bytes_of(text)))
		die(name);
}

void
data_dir_done(struct data_dir *d)
{
	static const char *const names[] = { "users", "disks", "settings" };

	for (size_t i = 0; i < COUNT(names); i++)
		unlinkat(d->fd, names[i], 0);
	fd_drop(&d->fd);
	rmdir(d->path);
}

struct inventory *
data_dir_inventory(const char *users, const char *disks, const char *settings, struct err *e)
{
	AUTO(data_dir_done) struct data_dir d = data_dir_make();
	struct inventory *inv = NULL;

	data_dir_write(&d, "users", users);
	data_dir_write(&d, "disks", disks);
	data_dir_write(&d, "settings", settings);
	return inventory_load(d.fd, &inv, e) ? inv : NULL;
}

void
data_dir_refused(const char *users, const char *disks, const char *settings, const char *want)
{
	struct err e = { 0 };
	AUTO(inventory_drop)
	struct inventory *inv = data_dir_inventory(users, disks, settings, &e);

	if (inv)
		fail_msg("taken, but wanted: %s", want);
	assert_int_equal(e.kind, ERR_DATA);
	assert_string_equal(e.text, want);
}
