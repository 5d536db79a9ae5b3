/* SPDX-License-Identifier: MIT */
/*
 * ssh_config: what ~/.ssh/config means for a host, as the ssh program itself says
 * it (`ssh -G`), so that it means what it means to ssh. Pure.
 */
#ifndef TRANSPORT_SSH_CONFIG_H
#define TRANSPORT_SSH_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include "base/err.h"
#include "base/str.h"

/* Owned; NULL or 0 or empty where ssh says nothing or "none". */
struct ssh_config {
	char *hostname, *user, *host_key_alias, *proxy_jump, *proxy_command;
	char *identity_agent; /* a socket, "SSH_AUTH_SOCK", "$NAME", or "none": no agent at all */
	char *ciphers, *macs, *kex_algorithms, *host_key_algorithms, *pubkey_algorithms;
	unsigned port;
	int family; /* of addresses: AF_UNSPEC, AF_INET, AF_INET6 */
	int64_t connect_ms;
	bool identities_only;
	bool verify_by_dns, gssapi; /* wanted, and libssh cannot do it: told if it is missed */
	struct argv identity_files; /* with ~ and % already expanded by ssh or by us */
	struct argv certificate_files;
	struct argv known_hosts_files; /* user's, then global, in ssh's order */
	size_t n_user_known_hosts;     /* how many of them are the user's */
	bool hash_known_hosts;
	struct argv revoked_host_keys;
	struct argv unsupported; /* in use, and libssh cannot do them: "PKCS11Provider" ... */
};

void ssh_config_done(struct ssh_config *c);

/* Parse the output of `ssh -G`. `home` expands a leading "~/". */
MUST_CHECK bool ssh_config_parse(struct bytes output, const char *home, struct ssh_config *out,
    struct err *e);

#endif
