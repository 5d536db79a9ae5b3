/* SPDX-License-Identifier: MIT */
/* armor: what OpenPGP wraps around its packets to make text of them (RFC 4880, 6). Pure. */
#ifndef KEYSTORE_ARMOR_H
#define KEYSTORE_ARMOR_H

#include <stdbool.h>
#include "base/err.h"
#include "base/str.h"

#define ARMOR_MESSAGE "MESSAGE"
#define ARMOR_PUBLIC_KEY "PUBLIC KEY BLOCK"
#define ARMOR_SECRET_KEY "PRIVATE KEY BLOCK"
#define ARMOR_SIGNATURE "SIGNATURE"

/* Does it begin with the line of that kind? ERR_DATA if not; nothing else is looked at. */
MUST_CHECK bool armor_begins(struct bytes text, const char *kind, struct err *e);

/*
 * Append the bytes in it to *out, on failure some. ERR_DATA unless it is one whole armor of that kind
 * with nothing in front or behind; a checksum must be right and, on a message, be there.
 */
MUST_CHECK bool armor_undo(struct bytes text, const char *kind, struct str *out, struct err *e);

#endif
