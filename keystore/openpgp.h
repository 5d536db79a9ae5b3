/* SPDX-License-Identifier: MIT */
/*
 * openpgp: the outside of an encrypted message, or of a public key: which packets it
 * has (RFC 4880). Pure, no decryption, for foreign bytes.
 */
#ifndef KEYSTORE_OPENPGP_H
#define KEYSTORE_OPENPGP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/err.h"
#include "base/str.h"

#define OPENPGP_MAX_RECIPIENTS 64

/* What an encrypted message says of itself. */
struct openpgp_message {
	struct {
		uint64_t key_id;	/* 0: hidden (throw-keyids) */
		unsigned algorithm;	/* 1 RSA, 16 Elgamal, 18 ECDH */
		size_t mpi_bytes[2];	/* of the session key's MPIs; [1] is 0 where there is one only */
	} recipients[OPENPGP_MAX_RECIPIENTS];
	size_t n_recipients;
	size_t data_bytes; /* of the data packet, without the packet's lengths */
};

/* Does it begin like an armored message? ERR_DATA if not; nothing else is looked at. */
MUST_CHECK bool openpgp_is_armored(struct bytes text, struct err *e);

/*
 * Parse an armored message. ERR_DATA unless it is one whole ASCII-armored
 * message of public-key session keys (tag 1, version 3) and then one integrity-protected
 * data packet (tag 18 or 20) with nothing behind: a symmetric, signed-only or
 * unprotected message is not for us.
 */
MUST_CHECK bool openpgp_parse(struct bytes armored, struct openpgp_message *out, struct err *e);

/*
 * Copy the text out of `packets`, as they lie inside an encryption, if that is one binary literal data
 * packet (tag 11, kind 'b') and nothing else; `room` is at least as long as they are. False for all else, which
 * is no error: compressed, signed, damaged, only gpg can tell.
 */
MUST_CHECK bool openpgp_literal(struct bytes packets, struct span room, size_t *out_len);

/*
 * ERR_DATA unless it is one whole ASCII-armored block of packets as keys have them: keys, names,
 * pictures, signatures, each of a known length. So it is never more than it looks: nothing unpacks.
 * Whose key it is, and whether there is one, is not looked at.
 */
MUST_CHECK bool openpgp_check_public_key(struct bytes armored, struct err *e);

/* ERR_DATA unless it is one whole ASCII-armored signature (tag 2): by one key, and nothing else. */
MUST_CHECK bool openpgp_check_signature(struct bytes armored, struct err *e);

#endif
