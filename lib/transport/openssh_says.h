/* SPDX-License-Identifier: MIT */
/* openssh_says: from what ssh said (LogLevel DEBUG1) to one sentence: why not, and what to do.
 * Pure. */
#ifndef TRANSPORT_OPENSSH_SAYS_H
#define TRANSPORT_OPENSSH_SAYS_H

#include <stdbool.h>
#include "base/err.h"
#include "base/str.h"

struct transport_spec;

/*
 * ERR_HOST: the host key is not known, has changed or is revoked, the login was refused; ERR_AWAY:
 * nobody there speaks SSH. What has no sentence of ours is quoted. `late`: our deadline ended it.
 * Returns false.
 */
bool openssh_says(const struct transport_spec *spec, struct bytes said, bool late, struct err *e);

/* Append what is no debugging, cut and escaped, with `before` in front; nothing if there is none. */
void openssh_says_quote(struct str *out, const char *before, const char *said);

/*
 * The sentence that tells of a host key that ssh has stored (accept-new), owned; NULL: it says of
 * none. `all`: ssh has logged in, and this is all that it said until then. Then the line that shows
 * the key is among it; a fingerprint is told only then, and if no line shows another.
 */
char *openssh_says_stored(struct bytes said, bool all);

/* Was ssh, on whatever host of the way, refused for what will be so again: a host key, a login? */
bool openssh_says_refused(const char *said);

/* Was it hung up on before the greeting, as by a sshd that has too many logins to do? */
bool openssh_says_turned_away(struct bytes said);

#endif
