/* SPDX-License-Identifier: MIT */
/*
 * grant: who gave somebody the keys of a key file: a few lines behind its second marker, in place of
 * padding, and a signature over them. They bind the keys (the stream's sum) to their giver,
 * their receiver and his slot, so the file cannot be turned to somebody else. Pure.
 *
 *     arver-grant 1
 *     from 40 hex digits     the giver's fingerprint, as in users
 *     to 40 hex digits       the receiver's
 *     slot N                 the receiver's key slot, 0 to 31
 *     keys 64 hex digits     SHA-256 of the stream between the markers
 *     -----BEGIN PGP SIGNATURE-----
 *     ...                    detached, over the lines above, each with its LF
 *     -----END PGP SIGNATURE-----
 */
#ifndef KEYSTORE_GRANT_H
#define KEYSTORE_GRANT_H

#include <stdbool.h>
#include "base/err.h"
#include "base/str.h"

#define GRANT_FINGERPRINT 41 /* with the NUL */
#define GRANT_SUM 65

struct grant {
	char from[GRANT_FINGERPRINT], to[GRANT_FINGERPRINT]; /* upper case */
	char keys[GRANT_SUM];				     /* lower case */
	int slot;
	struct bytes text, signature; /* where they lie; for reading only */
};

/* The lines that are signed, appended. */
void grant_format(const struct grant *g, struct str *out);

/*
 * The grant at the very beginning of these bytes. Without one, *out_there is false; ERR_DATA where
 * one begins that is damaged. Borrows.
 */
MUST_CHECK bool grant_parse(struct bytes rest, bool *out_there, struct grant *out, struct err *e);

#endif
