/* SPDX-License-Identifier: MIT */
/*
 * inventory: the groups, hosts, disks and admins of a data directory, with
 * the settings that hold for each. Built once from the files users, disks and settings,
 * checked as a whole, read-only from then on; any thread may read it.
 */
#ifndef INVENTORY_INVENTORY_H
#define INVENTORY_INVENTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

struct inventory;

#define INVENTORY_MAX_SLOTS 32	     /* LUKS2; LUKS1 has 8 */
#define INVENTORY_FINGERPRINT_LEN 40 /* hex digits, upper case (v4 keys) */

enum hook_kind { HOOK_PRE_OPEN, HOOK_POST_OPEN, HOOK_PRE_CLOSE, HOOK_POST_CLOSE, HOOK_KINDS };
const char *hook_kind_name(enum hook_kind kind); /* "pre_open" */

/*
 * A hook: no words where there is none. A path from `disks` or a scalar in
 * `settings` is one word, taken literally. A list in `settings` is program and
 * arguments with placeholders (has_placeholders), still unexpanded: %g %h %d
 * group, host and disk, %D the device, %m /dev/mapper/NAME, %a open or close,
 * %% a percent sign. A host's hook has none of a disk. The words belong to the
 * inventory: nobody calls argv_done on them.
 */
struct hook {
	struct argv words;
	bool has_placeholders;
};

struct admin {
	char *name;
	int slot;		/* 0..31 */
	char *fingerprint;	/* 40 hex digits, upper case */
	char *revoked;		/* the date as written, or NULL */
	unsigned line;		/* in users */
};

/* What settings say of new LUKS headers; NULL or 0 where they say nothing. */
struct luks_settings {
	char *type;		/* "luks1" | "luks2" */
	char *cipher;		/* "aes-xts-plain64" */
	char *pbkdf;		/* "pbkdf2" | "argon2i" | "argon2id" */
	unsigned key_size;	/* bits */
	unsigned sector_size;	/* bytes */
};

struct disk {
	const struct host *host;
	char *name;		/* also the name of the mapping: /dev/mapper/NAME */
	char *path;		/* "/colo/web1/data": the key store's name for it */
	char *device;		/* absolute: "/dev/storage/data", or an image file */
	char *uuid;		/* the header's UUID that settings pin, lower case, or NULL */
	uint32_t rescue_slots;	/* bit N: slot N holds a passphrase kept outside arver */
	struct luks_settings luks;
	struct hook hooks[HOOK_KINDS];
	size_t index;		/* in inventory order, from 0 */
	unsigned line;		/* in disks */
};

enum transport_kind { TRANSPORT_SSH, TRANSPORT_OPENSSH, TRANSPORT_LOCAL };

struct host {
	const struct group *group;
	char *name;
	char *path;		/* "/colo/web1" */
	char *address;		/* the host's name where disks gives none */
	unsigned port;		/* 0: what ssh_config says, then 22 */
	char *username;		/* "root" where disks gives none; '#arveruser' is
				 * kept as written: see host_login() */
	enum transport_kind transport;
	int64_t connect_ms, command_ms, hook_ms; /* 0: the run's default */
	const struct host **after; /* these first; all are in the inventory */
	size_t n_after;
	struct hook hooks[HOOK_KINDS];
	struct disk **disks;
	size_t n_disks;
	size_t index;
	unsigned line;
};

struct group {
	char *name;
	char *path;		/* "/colo" */
	struct host **hosts;
	size_t n_hosts;
	unsigned line;
};

/*
 * Read and check users, disks and, if there, settings in the directory `dir`
 * (a descriptor; no link is followed below it). ERR_DATA "disks:12: ..."
 * names file, line and, for an unknown word, the nearest known one. Main thread.
 */
MUST_CHECK bool inventory_load(int dir, struct inventory **out, struct err *e);
void inventory_free(struct inventory *inv);
DROP(inventory, struct inventory)

/* Everything in the order of the files. */
size_t inventory_n_groups(const struct inventory *inv);
const struct group *inventory_group(const struct inventory *inv, size_t i);
size_t inventory_n_hosts(const struct inventory *inv);
const struct host *inventory_host(const struct inventory *inv, size_t i);
size_t inventory_n_disks(const struct inventory *inv);
const struct disk *inventory_disk(const struct inventory *inv, size_t i);
size_t inventory_n_admins(const struct inventory *inv);
const struct admin *inventory_admin(const struct inventory *inv, size_t i);

/* By name or by path; NULL if there is none. Constant time. */
const struct admin *inventory_find_admin(const struct inventory *inv, const char *name);
const struct disk *inventory_find_disk(const struct inventory *inv, const char *path);
/* The admin who owns this key slot, revoked ones too; NULL if nobody does. */
const struct admin *inventory_slot_owner(const struct inventory *inv, int slot);

/* The name to log in with: `arver_user` where the inventory says '#arveruser'. */
const char *host_login(const struct host *h, const char *arver_user);

/* "colo/web1/data": how people are shown a path (without the leading slash). */
const char *path_shown(const char *path);

#endif
