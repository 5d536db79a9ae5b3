/* SPDX-License-Identifier: MIT */
/*
 * luks_mapping: what is open on this machine, read from /sys and /proc, which
 * needs no privilege: mappings by name, what they lie on, what lies on them.
 */
#ifndef LUKS_LUKS_MAPPING_H
#define LUKS_LUKS_MAPPING_H

#include <stdbool.h>
#include "base/str.h"

struct disk;
struct luks_status;

void luks_mapping_status(const struct disk *d, struct luks_status *out);

/*
 * Append what keeps the mapping of this name busy, as far as can be seen: "mounted on
 * /srv, used by vg-root, open in qemu (123)"; nothing where nothing is seen.
 */
void luks_mapping_holders(const char *name, struct str *out);

#endif
