/* SPDX-License-Identifier: MIT */
/* keystore_internal: what keystore.c and keystore_fill.c share; nobody else includes it. */
#ifndef KEYSTORE_KEYSTORE_INTERNAL_H
#define KEYSTORE_KEYSTORE_INTERNAL_H

#include "keystore/gpg.h"
#include "keystore/keystore_dir.h"

#define KEYSTORE_MAX_FILE ((size_t)16 << 20) /* 50,000 keys */

struct keystore {
	struct keystore_options o;
	char *me;	 /* what o.me points to */
	struct gpg *gpg; /* NULL until keystore_need_gpg */
	struct argv read; /* my files, the keys of which are in the keyring */
};

MUST_CHECK bool keystore_need_gpg(struct keystore *ks, struct err *e);

#endif
