/* SPDX-License-Identifier: MIT */
/* pin_make: what there is to remember of a host or an admin of the inventory, as a pin of now. */
#ifndef ARVER_PIN_MAKE_H
#define ARVER_PIN_MAKE_H

#include <stdbool.h>
#include "base/err.h"

struct admin;
struct host;
struct pins;

/* Has it a hook, or one of its disks? */
bool pin_has_hooks(const struct host *h);

/*
 * Fields transport, and, unless that is local, address, port, username; a hook's name; for a disk
 * "data/uuid" and "data/post_open". None where the inventory says nothing. A hook is the words that
 * are run. ERR_DATA for a hook that cannot be run at all.
 */
MUST_CHECK bool pin_make_host(struct pins *to, const struct host *h, struct err *e);

/* Field fingerprint. */
void pin_make_admin(struct pins *to, const struct admin *a);

#endif
