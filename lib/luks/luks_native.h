/* SPDX-License-Identifier: MIT */
/*
 * luks_native: what this machine's way needs of libcryptsetup, a call each. luks_native.c is
 * the library's only user, luks_native_ops.c makes operations of it. Everything here is to
 * be called under luks_native_lock: the library is not safe in threads.
 */
#ifndef LUKS_LUKS_NATIVE_H
#define LUKS_LUKS_NATIVE_H

#include <pthread.h>
#include "luks/luks.h"

struct crypt_device;

extern pthread_mutex_t luks_native_lock;

/* One use of a device. Zero-initialize; its address must not change. */
struct luks_use {
	const struct disk *disk;
	struct crypt_device *cd;
	struct str words;	/* what the library complained of */
	struct str text;	/* what it printed: a dump */
};

void luks_use_done(struct luks_use *u);

/* The device, without a look at what is on it; or with its header. ERR_DISK. */
MUST_CHECK bool luks_use_device(struct luks_use *u, const struct disk *d, struct err *e);
MUST_CHECK bool luks_use_header(struct luks_use *u, const struct disk *d, struct err *e);
const char *luks_use_uuid(struct luks_use *u);

/* The header as it is on the device now, read anew. ERR_DISK. */
MUST_CHECK bool luks_native_header(const struct disk *d, struct luks_header *out, struct err *e);

enum luks_fit { LUKS_FITS, LUKS_MISFIT, LUKS_BROKEN };

/* Test a key in its slot, or open as `name`. LUKS_BROKEN: *e says why, ERR_DISK. */
enum luks_fit luks_native_try(struct luks_use *u, const struct luks_try *try, const char *name,
    struct err *e);

/* Remove this mapping; gone already is fine. ERR_DISK with the library's words. */
MUST_CHECK bool luks_native_close(struct luks_use *u, const struct disk *d, struct err *e);

/* Changes. ERR_DISK: it failed; what it left behind is for the caller to see. */
MUST_CHECK bool luks_native_format(struct luks_use *u, const struct luks_format *f, struct err *e);
MUST_CHECK bool luks_native_prefer(struct luks_use *u, int slot, struct err *e);
MUST_CHECK bool luks_native_add(struct luks_use *u, const struct luks_add *a, unsigned version,
    struct err *e);
MUST_CHECK bool luks_native_kill(struct luks_use *u, int slot, struct err *e);

#endif
