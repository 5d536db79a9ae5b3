/* SPDX-License-Identifier: MIT */
/*
 * keyfile: the padded plaintext around the YAML text (marker, deflated text,
 * marker, padding): bytes to bytes, pure but for randomness. What it writes has
 * the same length for any content up to some 900 keys, granted or not, and steps of 200,000
 * bytes from there on; it never ends the stream in CR, never repeats the
 * marker inside. Reads the current, the padded and the bare form.
 */
#ifndef KEYSTORE_KEYFILE_H
#define KEYSTORE_KEYFILE_H

#include <stdbool.h>
#include "base/err.h"
#include "base/mem.h"
#include "keystore/entry.h"

/* Where the parts of a plaintext lie in it. Both are empty in the bare form. */
struct keyfile_parts {
	struct bytes stream; /* what stands between the markers */
	struct bytes rest;   /* what stands behind them: a grant perhaps (grant.h), and padding */
};

/*
 * Plaintext of a message to entries; inflated size is capped at 16 MiB. ERR_DATA. `parts`, which
 * may be NULL, borrows from `plain`.
 */
MUST_CHECK bool keyfile_parse(struct bytes plain, struct entry_list *out,
    struct keyfile_parts *parts, struct err *e);

/*
 * Entries to the stream. Where it would end in CR, the text gets an empty line
 * more at its end and is deflated again: nothing in it changes.
 */
struct secret *keyfile_pack(const struct entry_list *l);

/* The stream to plaintext; the grant, or nothing, takes the place of padding. */
struct secret *keyfile_wrap(const struct secret *stream, struct bytes grant);

#endif
