/* SPDX-License-Identifier: MIT */
/*
 * luks: how to speak to LUKS devices on one host. Two ways: libcryptsetup on
 * this machine, and the cryptsetup program over a transport. Both keep
 * the same contract, case by case (tests/contract).
 *
 * Whatever changes a header, and whatever look decides about a change, holds
 * the host's lock: flock on /run/lock/arver-<header UUID> (for a new header:
 * arver-<major>:<minor>, or -<device>:<inode> of an image file). Passphrases
 * are sent only after the lock is held and the header was looked at again.
 *
 * Errors: ERR_HOST nothing was begun; ERR_LOST it is unknown what happened;
 * ERR_KEY no slot takes a key; ERR_DISK the device or header is not as asked, and was not changed;
 * ERR_REFUSED the header is not as it was when the change was decided. One luks, one thread at a time.
 */
#ifndef LUKS_LUKS_H
#define LUKS_LUKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

struct disk;
struct secret;
struct transport;
struct luks;

#define LUKS_MAX_SLOTS 32
#define LUKS_ANY_SLOT (-1)
#define LUKS_UUID_LEN 36

/* One key slot as the header describes it. */
struct luks_slot {
	bool active;
	bool preferred;		/* LUKS2 priority "prefer" */
	char kdf[12];		/* "pbkdf2" "argon2i" "argon2id" */
	uint64_t iterations;	/* or argon2's time cost */
	uint64_t memory_kib;	/* argon2 only */
	char salt[129];		/* hex: tells two keys in one slot apart */
};

/* The documented fields of a header. Fixed size: it is foreign data, cut to fit. */
struct luks_header {
	unsigned version;	/* 1 or 2 */
	char uuid[LUKS_UUID_LEN + 1];
	char cipher[64];	/* "aes-xts-plain64" */
	unsigned key_bits;
	unsigned sector_size;	/* bytes; 512 for LUKS1 */
	unsigned n_slots;	/* 8 or 32 */
	struct luks_slot slots[LUKS_MAX_SLOTS];
};

/* Active slots as a bit mask; and all that such a header has. */
uint32_t luks_active(const struct luks_header *h);
uint32_t luks_all_slots(const struct luks_header *h);

/*
 * Is trying a key in this slot a matter of milliseconds? Those of people are stretched: argon2,
 * or PBKDF2 a million times.
 */
bool luks_slot_is_cheap(const struct luks_slot *s);

enum luks_state {
	LUKS_CLOSED,	/* no mapping of that name */
	LUKS_OPEN,	/* the mapping exists and lies on that device */
	LUKS_FOREIGN,	/* a mapping of that name lies on something else */
};

struct luks_status {
	enum luks_state state;
	bool device_there;	/* the device exists now (a hook may still bring it) */
	char detail[128];	/* LUKS_FOREIGN: what it lies on, escaped */
};

/* A key and the slot to try it in. */
struct luks_try {
	const struct secret *key;
	int slot;		/* or LUKS_ANY_SLOT */
};

/* One disk to be opened, and what came of it. */
struct luks_opening {
	const struct disk *disk;
	const struct luks_try *tries; /* in the order in which they are made */
	size_t n_tries;
	size_t which;		/* opened: the index of the try that fitted */
	struct err err;		/* otherwise: why, as of luks_open */
	bool opened;
	bool was_open;		/* nothing was tried: the mapping was there, on this device */
};

/* What lies on a device that is to be formatted. */
struct luks_probe {
	bool empty;		/* nothing that libblkid knows */
	char what[128];		/* "ext4 filesystem", "dos partition table", "LUKS2", escaped */
	bool is_luks;
	struct luks_header header; /* if is_luks */
};

struct luks_format {
	const char *uuid;	/* of the new header, chosen by the caller */
	const char *type;	/* "luks2" (default when NULL) or "luks1" */
	const char *cipher;	/* NULL: aes-xts-plain64 */
	unsigned key_size;	/* bits; 0: 512 */
	unsigned sector_size;	/* bytes; 0: as cryptsetup finds best; ignored for LUKS1 */
	const char *pbkdf;	/* NULL: pbkdf2 with 1000 iterations of sha512 */
	const struct secret *key;
	int slot;
	bool overwrite;		/* --violence: whatever lies there. Otherwise it must be empty, or
				 * a header of this very UUID without a slot (left by a cut) */
};

struct luks_add {
	const char *uuid;	/* the header must have it */
	struct luks_try auth;	/* a key of mine and the slot it opens, as luks_test found */
	const struct secret *key; /* the new one */
	int slot;		/* must be empty, under the lock */
	const char *pbkdf;	/* NULL: pbkdf2 with 1000 iterations of sha512 */
	bool prefer;		/* LUKS2: give auth's slot priority first, so that nobody's argon2
				 * slot is stretched; nothing where it has it already */
};

struct luks_kill {
	const char *uuid;
	struct luks_try auth;	/* proven first; auth.slot != slot unless violence */
	int slot;
	const char *salt;	/* the slot must still hold this one */
	uint32_t filled;	/* slots that must be in use for it: their owners may need `slot` */
	bool known;		/* which key is in `slot` the caller has seen, and `salt` pins it.
				 * Otherwise a slot that auth's key opens is refused */
	bool violence;		/* kill the last slot, auth.slot itself, or what auth's key opens */
};

struct luks_ops {
	bool (*status)(struct luks *l, const struct disk *const *disks, size_t n,
	    struct luks_status *out, struct err *e);
	void (*open)(struct luks *l, struct luks_opening *at, size_t n);
	bool (*close)(struct luks *l, const struct disk *d, struct err *e);
	bool (*look)(struct luks *l, const struct disk *d, bool locked, struct luks_header *out,
	    struct err *e);
	bool (*probe)(struct luks *l, const struct disk *d, struct luks_probe *out, struct err *e);
	bool (*test)(struct luks *l, const struct disk *d, const struct luks_try *tries, size_t n,
	    bool all, bool *out, struct err *e);
	bool (*format)(struct luks *l, const struct disk *d, const struct luks_format *f,
	    struct luks_header *out, struct err *e);
	bool (*add)(struct luks *l, const struct disk *d, const struct luks_add *a,
	    struct luks_header *out, struct err *e);
	bool (*kill)(struct luks *l, const struct disk *d, const struct luks_kill *k,
	    struct luks_header *out, struct err *e);
	void (*free)(struct luks *l);
};

/* The base of every implementation, its first member. */
struct luks {
	const struct luks_ops *ops;
	int64_t limit_ms;	/* for each command; a native call is not interrupted */
};

/* libcryptsetup on this machine; needs root for open and close only. */
struct luks *luks_native_new(int64_t limit_ms);
/* The cryptsetup program over a transport, which it borrows. */
struct luks *luks_remote_new(struct transport *t, int64_t limit_ms);
void luks_free(struct luks *l);
DROP(luks, struct luks)

/* Which of these disks of one host are open: one command for all, no privilege needed, no key. */
MUST_CHECK bool luks_status(struct luks *l, const struct disk *const *disks, size_t n,
    struct luks_status *out, struct err *e);

/*
 * Open with the first of n tries that fits, in that order, in one command.
 * *out is its index. A mapping of that name that exists is ERR_DISK. Checks d->uuid if
 * it is set, before any key is sent: ERR_DISK on another.
 */
MUST_CHECK bool luks_open(struct luks *l, const struct disk *d, const struct luks_try *tries,
    size_t n, size_t *out, struct err *e);

/*
 * The same for several disks of one host, in one command: each is opened, or
 * not, for itself. Its time is that of so many commands.
 */
void luks_open_all(struct luks *l, struct luks_opening *at, size_t n);

/*
 * Remove the mapping, if it lies on d's device; closed already is fine.
 * ERR_DISK when busy, naming what holds it: mount points, mappings, processes as far as
 * can be seen.
 */
MUST_CHECK bool luks_close(struct luks *l, const struct disk *d, struct err *e);

/* Read the header; `locked`: under the host's lock, for looks that decide. */
MUST_CHECK bool luks_look(struct luks *l, const struct disk *d, bool locked,
    struct luks_header *out, struct err *e);

/* What lies on the device: LUKS, filesystem, partition table, LVM or RAID member. */
MUST_CHECK bool luks_probe(struct luks *l, const struct disk *d, struct luks_probe *out, struct err *e);

/*
 * Test-open (nothing is mapped) n keys, each in its slot; out[i] tells whether
 * it fits. Ends at the first that fits unless `all`. True even if none fits.
 * A d->uuid that is set must be the header's, as in luks_open.
 */
MUST_CHECK bool luks_test(struct luks *l, const struct disk *d, const struct luks_try *tries,
    size_t n, bool all, bool *out, struct err *e);

/*
 * Change the header under the lock and prove the change in the same command:
 * the new key is test-opened in its slot; after a kill the slot is seen empty. *out is the header as
 * it is then. On ERR_DISK, ERR_KEY and ERR_REFUSED the header was seen unchanged (for
 * format: there is no header with that UUID).
 */
MUST_CHECK bool luks_format(struct luks *l, const struct disk *d, const struct luks_format *f,
    struct luks_header *out, struct err *e);
MUST_CHECK bool luks_add(struct luks *l, const struct disk *d, const struct luks_add *a,
    struct luks_header *out, struct err *e);
MUST_CHECK bool luks_kill(struct luks *l, const struct disk *d, const struct luks_kill *k,
    struct luks_header *out, struct err *e);

#endif
