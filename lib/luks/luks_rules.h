/* SPDX-License-Identifier: MIT */
/*
 * luks_rules: whether a change may be made, decided from what was seen under
 * the lock, before any key is used. Pure; both ways of doing it share them. Each says in one
 * sentence why not: ERR_REFUSED where the header is not as it was decided on,
 * ERR_DISK where device or header is not as the inventory wants it.
 */
#ifndef LUKS_LUKS_RULES_H
#define LUKS_LUKS_RULES_H

#include "luks/luks.h"

#define LUKS_KEY_MAX 65536	/* bytes; a pipe takes that much at once */

/* Is this the header that settings pin? Always true where they pin none. */
MUST_CHECK bool luks_rules_pinned(const struct disk *d, const char *uuid, struct err *e);
/* Neither empty (that would be a key that everybody has) nor longer than LUKS_KEY_MAX. */
MUST_CHECK bool luks_rules_key(const struct disk *d, const struct secret *key, struct err *e);
MUST_CHECK bool luks_rules_format(const struct disk *d, const struct luks_probe *seen,
    const struct luks_format *f, struct err *e);
MUST_CHECK bool luks_rules_add(const struct disk *d, const struct luks_header *seen,
    const struct luks_add *a, struct err *e);
MUST_CHECK bool luks_rules_kill(const struct disk *d, const struct luks_header *seen,
    const struct luks_kill *k, struct err *e);

/* Must auth's slot be given priority before this add? */
bool luks_rules_prefer(const struct luks_header *seen, const struct luks_add *a);

/*
 * Put the header that could be read (or NULL) beside what blkid found. A LUKS device whose
 * header cannot be read is something, but nothing to go on with (is_luks false);
 * where blkid saw nothing and there is a header, the device is not empty.
 */
void luks_rules_second_opinion(struct luks_probe *p, const struct luks_header *h);

/* Foreign text, escaped, as much of it as fits into out[size] with its NUL. */
void luks_rules_escape(struct bytes foreign, char *out, size_t size);

#endif
