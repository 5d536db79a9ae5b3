/* SPDX-License-Identifier: MIT */
/* mux_channel: one command over an ssh master, to its end; the rules are those of base/proc.h. */
#ifndef TRANSPORT_MUX_CHANNEL_H
#define TRANSPORT_MUX_CHANNEL_H

#include "transport/channel.h"

struct mux;

/* As channel_run. What it sends of the input is sent from where it lies: it may be a passphrase. */
enum channel_end mux_channel_run(struct mux *m, const char *line, const struct proc_command *c,
    int64_t open_until, struct proc_result *out, struct err *e);

#endif
