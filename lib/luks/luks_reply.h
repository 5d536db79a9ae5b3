/* SPDX-License-Identifier: MIT */
/*
 * luks_reply: what a script on the server answers (luks_script.h), from bytes
 * to steps. Pure: foreign bytes in, a capped list out.
 */
#ifndef LUKS_LUKS_REPLY_H
#define LUKS_LUKS_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include "base/err.h"
#include "base/str.h"

struct luks_step {
	char name[16];
	int status;
	struct str text;	/* what the step said: raw, without the blank in front */
};

/* Zero-initialize; luks_reply_done frees. */
struct luks_reply {
	struct luks_step *at;
	size_t n;
	bool ended;		/* the script came to its end */
};

void luks_reply_done(struct luks_reply *r);

/*
 * All whole lines so far. What stands before the first step (a login shell's
 * greeting) is passed over. ERR_DISK for a line that is no step, more than
 * LUKS_REPLY_MAX steps, or one behind the end; *out then holds what came before.
 */
#define LUKS_REPLY_MAX 10000
MUST_CHECK bool luks_reply_parse(struct bytes output, struct luks_reply *out, struct err *e);

/* The first and the last step of that name, or NULL. */
const struct luks_step *luks_reply_first(const struct luks_reply *r, const char *name);
const struct luks_step *luks_reply_last(const struct luks_reply *r, const char *name);
/* The status of the first, -1 where it was not made. */
int luks_reply_status(const struct luks_reply *r, const char *name);

#endif
