/* SPDX-License-Identifier: MIT */
/*
 * agent: the keys of an ssh-agent. libssh tries every key that an agent has, in
 * its order, and waits for it without a deadline. So it is lent an agent of
 * ours, which knows only the keys that it is to try, and hands what is to be
 * signed on to the real one, within a deadline.
 */
#ifndef TRANSPORT_AGENT_H
#define TRANSPORT_AGENT_H

#include <stdbool.h>
#include <stdint.h>
#include "base/str.h"

struct agent_key {
	struct str blob; /* as the protocol has it */
	char *comment;
};

/* Zero-initialize. */
struct agent_keys {
	struct agent_key *at;
	size_t n;
};

void agent_keys_done(struct agent_keys *k);

/*
 * Ask for its keys, in half of the time that is left; false if there is no agent at this
 * path, or it does not answer.
 */
bool agent_list(const char *path, int64_t until, struct agent_keys *out);

/* A key to be tried, borrowed. */
struct agent_offer {
	struct bytes offer; /* what the server is shown: the key itself or its certificate */
	struct bytes sign;  /* the key that signs */
};

struct agent_lent;

/*
 * Begin to lend. `path` is the real agent's, borrowed; each of its signatures gets half
 * of the time that is left. *out_fd is for libssh, which closes it. NULL if there is no thread or socket to be had.
 * agent_lent_free ends it; the socket is dead after that.
 */
struct agent_lent *agent_lend(const char *path, int64_t until, int *out_fd);
/* From now on these are its keys. */
void agent_lent_show(struct agent_lent *l, const struct agent_offer *offers, size_t n);
/* The last of them that it was asked to sign with and did not; -1: none of them. */
long agent_lent_refused(struct agent_lent *l);
void agent_lent_free(struct agent_lent *l);
DROP(agent_lent, struct agent_lent)

/* The next field of a message or of a key's blob: a length of four bytes, then as many bytes. */
bool agent_take_string(struct bytes *from, struct bytes *out);

#endif
