/* SPDX-License-Identifier: MIT */
/*
 * luks_lock: the lock on this machine under which headers are changed: the same
 * files and names that the scripts on servers use (luks_script.c).
 */
#ifndef LUKS_LUKS_LOCK_H
#define LUKS_LUKS_LOCK_H

#include <stdint.h>
#include "base/err.h"
#include "base/str.h"

/*
 * Hold /run/lock/arver-<name> until *out_fd is closed. ERR_HOST when another holds it for
 * wait_ms; ERR_DISK if there can be no such file.
 */
MUST_CHECK bool luks_lock(const char *name, int64_t wait_ms, int *out_fd, struct err *e);

/*
 * The name for a device that has no header yet: major:minor, or device:inode of
 * an image file. ERR_DISK if it is not there.
 */
MUST_CHECK bool luks_lock_name(const char *device, struct str *out, struct err *e);

#endif
