/* SPDX-License-Identifier: MIT */
/* sha256: the name of a key file (alone includes <gcrypt.h>). */
#ifndef KEYSTORE_SHA256_H
#define KEYSTORE_SHA256_H

#include "base/str.h"

/* 64 lower-case hex digits and a NUL. */
void sha256_hex(struct bytes b, char out[65]);

#endif
