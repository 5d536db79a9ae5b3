/* SPDX-License-Identifier: MIT */
/* channel: one command over a connection, to its end; the rules are those of base/proc.h. */
#ifndef TRANSPORT_CHANNEL_H
#define TRANSPORT_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>
#include "base/proc.h"

struct link;

enum channel_end {
	CHANNEL_RAN,	 /* *out tells how it ended */
	CHANNEL_REFUSED, /* the server would not start it; the connection is fine */
	CHANNEL_DEAD,	 /* the connection was gone before anything was sent */
};

/*
 * Run `line` in the login's shell. `c` gives input, gate, cap and limit; its
 * argv is not looked at. A channel that is not open until `open_until` (of clock_ms) is
 * CHANNEL_DEAD. PROC_LOST and PROC_DEADLINE leave the connection in no state to go on with.
 */
enum channel_end channel_run(const struct link *l, const char *line, const struct proc_command *c,
    int64_t open_until, struct proc_result *out, struct err *e);

/* "KILL" to 9; 0 for one that this system does not know. */
int channel_signal(const char *name);

#endif
