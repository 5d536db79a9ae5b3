/* SPDX-License-Identifier: MIT */
/*
 * luks_dump: the documented fields of what `cryptsetup luksDump` prints (and
 * libcryptsetup's crypt_dump, the same text) under LC_ALL=C. Pure: foreign bytes
 * in, struct luks_header out, nothing believed beyond its range.
 */
#ifndef LUKS_LUKS_DUMP_H
#define LUKS_LUKS_DUMP_H

#include "base/err.h"
#include "base/str.h"

struct luks_header;

/* ERR_DISK if a field that must be there is missing, repeated or out of range. */
MUST_CHECK bool luks_dump_parse(struct bytes text, struct luks_header *out, struct err *e);

#endif
