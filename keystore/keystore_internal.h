/* SPDX-License-Identifier: MIT */
/* keystore_internal: what the keystore files share; nobody else includes it. */
#ifndef KEYSTORE_KEYSTORE_INTERNAL_H
#define KEYSTORE_KEYSTORE_INTERNAL_H

#include "keystore/gpg.h"
#include "keystore/keyfile.h"
#include "keystore/keystore_dir.h"

#define KEYSTORE_MAX_FILE ((size_t)16 << 20) /* 50,000 keys */

struct keystore {
	struct keystore_options o;
	char *me;	 /* what o.me points to */
	struct gpg *gpg; /* NULL until keystore_need_gpg */
	struct argv read; /* my files, the keys of which are in the keyring */
	size_t n_left_alone; /* of my files: told, and counted */
	bool has_signed;  /* my key has made a signature in this run */
};

MUST_CHECK bool keystore_need_gpg(struct keystore *ks, struct err *e);

/* keys/public/NAME, or nothing where there is none. */
MUST_CHECK bool keystore_read_public(struct keystore *ks, const char *name, struct str *out, struct err *e);

/*
 * What goes behind this stream for `who`: my signature over it (grant.h), or nothing where `who` is me.
 */
MUST_CHECK bool keystore_grant(struct keystore *ks, const struct admin *who, struct bytes stream,
    struct str *out, struct err *e);

/* What a key file says of where it comes from. */
struct voucher {
	const char *by;	 /* the admin who signed it for me, borrowed; NULL if none did */
	double time;	 /* of that signature */
	bool there;	 /* there is a grant; where `by` is NULL it is not good, or cannot be judged */
	struct err why;	 /* without a subject: "its grant ..." */
};

/* Who has signed these parts for me? */
void keystore_vouch(struct keystore *ks, const struct keyfile_parts *parts, struct voucher *out);

#endif
