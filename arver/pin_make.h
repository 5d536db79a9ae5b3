/* SPDX-License-Identifier: MIT */
/* pin_make: what there is to remember of a host or an admin of the inventory, as a pin of now. */
#ifndef ARVER_PIN_MAKE_H
#define ARVER_PIN_MAKE_H

#include <stdbool.h>
#include "base/err.h"

struct admin;
struct disk;
struct host;
struct keyring;
struct pins;

/* Has it a hook, or one of its disks? */
bool pin_has_hooks(const struct host *h);

/*
 * Fields transport, and, unless that is local, address, port, username; a hook's name; for a disk
 * "data/device", "data/rescue_slots", "data/uuid", "data/takes" and "data/post_open". None where the
 * inventory says nothing. A hook is the words that are run. ERR_DATA for a hook that cannot be run at
 * all. Without keys (NULL) what a disk takes is not known.
 */
MUST_CHECK bool pin_make_host(struct pins *to, const struct host *h, const struct keyring *keys,
    struct err *e);

/*
 * The paths that disk `d` takes keys of, by the uuid that settings give it: the one behind `path`,
 * NULL first and in the end. The field's name, to be freed.
 */
const char *pin_next_taken(const struct keyring *keys, const struct disk *d, const char *path);
char *pin_takes_field(const struct disk *d);
/* Likewise to be freed. */
char *pin_device_field(const struct disk *d);

/* Field fingerprint. */
void pin_make_admin(struct pins *to, const struct admin *a);
/* Field slot: a pin of its own kind, for it is known of everybody in users. */
void pin_make_slot(struct pins *to, const struct admin *a);

#endif
