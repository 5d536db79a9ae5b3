/* SPDX-License-Identifier: MIT */
/*
 * complaint: what a program that makes a connection says on its stderr, and a server by it: as much
 * as that likes, so no more of it is kept than is worth reading.
 */
#ifndef TRANSPORT_COMPLAINT_H
#define TRANSPORT_COMPLAINT_H

#include <stdbool.h>
#include "base/str.h"

#define COMPLAINT_CAP ((size_t)128 << 10)

/* One thread at a time. What complaint_open has opened, complaint_done closes. */
struct complaint {
	int from; /* a pipe; has news when something was said */
	int to;	  /* the program's stderr */
	struct str said;
	bool is_free; /* who says it waits for no reader, ... */
	bool lost;    /* ... and not all of it has found room */
};

/* Returns an errno value. Who says more than a pipe holds (64 KiB) waits for complaint_read, ... */
int complaint_open(struct complaint *c);
/* ... until this: from now on what does not fit is lost. */
void complaint_let_go(struct complaint *c);

/*
 * Put what was said since behind `said`, without waiting. False: it is not all of it, since that is
 * COMPLAINT_CAP or more, or some was lost.
 */
bool complaint_read(struct complaint *c);

void complaint_done(struct complaint *c);

#endif
