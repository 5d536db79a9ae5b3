/* SPDX-License-Identifier: MIT */
/*
 * master: the ssh program that holds a connection (ControlMaster). Its control socket lies in a
 * directory of our own, and only until we are connected to it: then nobody else can be.
 */
#ifndef TRANSPORT_MASTER_H
#define TRANSPORT_MASTER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/err.h"
#include "base/str.h"
#include "transport/complaint.h"

struct mux;
struct transport_spec;

/* Zero-initialize, with -1 for each descriptor. */
struct master {
	pid_t pid;     /* 0: none */
	int pidfd;     /* -1: look now and then */
	int guard;     /* as long as it is open, and so as long as we live, the master does */
	struct complaint complaint;
};

enum master_end {
	MASTER_CONNECTED,
	MASTER_ENDED, /* by itself: master_says tells why */
	MASTER_LATE,
	MASTER_FLOODED, /* more was said than COMPLAINT_CAP, and there is no end of it */
	MASTER_FAILED, /* it could not be run: *e tells */
};

/*
 * Start it and wait until it has logged in and *mux, not connected, is. Whatever comes of it,
 * master_stop ends it.
 */
enum master_end master_connect(struct master *m, const struct transport_spec *spec, int64_t until,
    struct mux *mux, struct err *e);

/*
 * What it has said until master_connect was over: all of it, unless that was flooded. Borrowed
 * until master_stop. What it says later is of no use, and lost.
 */
struct bytes master_says(const struct master *m);

/* End it and all that it has started, and reap it, within a second at most. */
void master_stop(struct master *m);

#endif
