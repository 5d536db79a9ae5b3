/* SPDX-License-Identifier: MIT */
/*
 * identity: the keys that ssh would log in with, in ssh's order: certificates,
 * agent keys that stand in the configuration, other agent keys, keys that are in files only.
 */
#ifndef TRANSPORT_IDENTITY_H
#define TRANSPORT_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>
#include "base/str.h"

struct ssh_config;

/* One way to log in. */
struct identity {
	struct str offer; /* what the server is shown: a public key or a certificate */
	struct str sign;  /* the public key whose private half signs; empty if not known */
	char *file;	  /* the private key; NULL: the agent has it */
	char *certificate; /* file of the certificate; NULL: none */
	char *label;	  /* for people */
};

/* Zero-initialize. */
struct identities {
	struct identity *at;
	size_t n;
	char *agent; /* its socket; NULL: no agent */
	bool agent_shows_none; /* it is there, and has no keys or is locked */
};

void identities_done(struct identities *all);

/* Gather them; an agent that does not answer until then counts as none. */
void identities_gather(const struct ssh_config *config, int64_t until, struct identities *out);

/*
 * For libssh to call where a key file's passphrase is needed: none is given, and the bool at `asked`
 * becomes true.
 */
int identity_no_passphrase(const char *prompt, char *buf, size_t len, int echo, int verify,
    void *asked);

#endif
