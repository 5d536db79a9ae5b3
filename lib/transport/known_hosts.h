/* SPDX-License-Identifier: MIT */
/*
 * known_hosts: the lines of ssh's known_hosts files that speak of one host, read
 * as OpenSSH reads them: lists of patterns with negation, hashed names,
 * [host]:port, @revoked and @cert-authority, tabs, lines of any length.
 */
#ifndef TRANSPORT_KNOWN_HOSTS_H
#define TRANSPORT_KNOWN_HOSTS_H

#include <stdbool.h>
#include <stddef.h>
#include "base/str.h"

enum known_hosts_mark { KNOWN_HOSTS_KEY, KNOWN_HOSTS_REVOKED, KNOWN_HOSTS_AUTHORITY };

struct known_hosts_entry {
	enum known_hosts_mark mark;
	char *type;	 /* "ssh-ed25519" */
	struct str blob; /* the key, decoded */
	const char *file; /* borrowed */
	unsigned line;
};

/* Zero-initialize. */
struct known_hosts {
	struct known_hosts_entry *at;
	size_t n;
};

void known_hosts_done(struct known_hosts *k);

/*
 * Add the entries of this file for `name`, in lower case: "host" for port 22,
 * else "[host]:port". Lines that make no sense are passed over, as ssh does.
 */
void known_hosts_read(struct known_hosts *k, struct bytes text, const char *file, const char *name);

/*
 * Append a line for `name` (as above) with this key, "type base64", durably. `hashed`: so that nobody can read from it which
 * host it is. The file and its directory are made if need be, for their owner alone. One thread
 * at a time. ERR_HOST. (known_hosts_add.c)
 */
MUST_CHECK bool known_hosts_add(const char *file, const char *name, const char *key, bool hashed,
    struct err *e);

/* Append what a line of base64 stands for; false if it is none. */
bool known_hosts_decode(const char *base64, struct str *out);

#endif
