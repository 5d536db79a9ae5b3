/* SPDX-License-Identifier: MIT */
/*
 * ssh_rules: for which names the configuration files of ssh say the same. Only the lines that make a
 * difference between hosts are understood here; whatever else might, makes each name one of its
 * own. Pure.
 */
#ifndef TRANSPORT_SSH_RULES_H
#define TRANSPORT_SSH_RULES_H

#include <stdbool.h>
#include "base/str.h"

/* Zero-initialize. */
struct ssh_rules {
	struct argv hosts; /* what stands behind Host, a line each */
	struct argv names; /* what stands behind HostName and ProxyJump */
	bool opaque;       /* what a name means is ssh's own knowledge */
};

void ssh_rules_done(struct ssh_rules *r);

/* Take in one more file. */
void ssh_rules_read(struct ssh_rules *r, struct bytes file);

/*
 * Names of one kind, equal texts, have the same settings but for their HostName, and that is theirs in
 * lower case where it is so for one of them. Owned; NULL: the name is to be asked for by itself.
 */
char *ssh_rules_kind(const struct ssh_rules *r, const char *name);

#endif
