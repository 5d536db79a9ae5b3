/* SPDX-License-Identifier: MIT */
/*
 * hook: run one hook of a host or disk on that host, through its transport:
 * a path alone, or program and arguments with their placeholders filled in.
 */
#ifndef HOOK_HOOK_H
#define HOOK_HOOK_H

#include <stdbool.h>
#include <stdint.h>
#include "base/err.h"
#include "base/str.h"
#include "inventory/inventory.h"

struct transport;

/* Is there a hook of this kind? `disk` NULL: the host's own. */
bool hook_exists(const struct host *host, const struct disk *disk, enum hook_kind kind);

/*
 * Program and arguments as they will run (without sudo), placeholders filled
 * in. ERR_DATA for an unknown placeholder, or %d %D %m in a host's hook, or words of more than 64 KiB.
 */
MUST_CHECK bool hook_words(const struct host *host, const struct disk *disk, enum hook_kind kind,
    struct argv *out, struct err *e);

/*
 * Run it, as root (sudo -n where the login is not). *output is appended what it printed,
 * escaped, on success and on failure, the first 32 KiB of each stream. ERR_HOOK with exit status and last words;
 * ERR_HOST not begun; ERR_LOST deadline or connection: it may still run.
 */
MUST_CHECK bool hook_run(struct transport *t, const struct host *host, const struct disk *disk,
    enum hook_kind kind, int64_t limit_ms, struct str *output, struct err *e);

#endif
