/* SPDX-License-Identifier: MIT */
/*
 * luks_probe: what lies on a device, as blkid knows it: through libblkid on this
 * machine, or from what `blkid -p -o export` printed on another. The header of a LUKS
 * device is not read here.
 */
#ifndef LUKS_LUKS_PROBE_H
#define LUKS_LUKS_PROBE_H

#include "base/err.h"
#include "base/str.h"

struct luks_probe;

/*
 * From blkid's exit status and all that it printed, error output included: a
 * device it cannot read ends with the status of an empty one. Pure. ERR_DISK if
 * it could not look.
 */
MUST_CHECK bool luks_probe_parse(int status, struct bytes text, struct luks_probe *out,
    struct err *e);
/* Ask libblkid. ERR_DISK if it cannot be read. */
MUST_CHECK bool luks_probe_ask(const char *device, struct luks_probe *out, struct err *e);
/* Remove every signature that libblkid finds, so that nothing old is seen beside a new header. */
MUST_CHECK bool luks_probe_wipe(const char *device, struct err *e);

#endif
