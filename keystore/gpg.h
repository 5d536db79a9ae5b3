/* SPDX-License-Identifier: MIT */
/*
 * gpg: the only file that speaks to GPG. Main thread only, one context, one
 * operation at a time. gpg's own words become errors that say what to do.
 * Plaintext passes through callbacks straight between GPG and struct secret.
 */
#ifndef KEYSTORE_GPG_H
#define KEYSTORE_GPG_H

#include <stdbool.h>
#include <stdint.h>
#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

struct secret;
struct gpg;

/* ERR_GPG if there is no gpg. Free with gpg_free. */
MUST_CHECK bool gpg_new(struct gpg **out, struct err *e);
void gpg_free(struct gpg *g);
DROP(gpg, struct gpg)

/* Is this key id a secret encryption subkey on this machine (stubs count)? Listed once, cached. */
MUST_CHECK bool gpg_is_mine(struct gpg *g, uint64_t key_id, bool *out, struct err *e);

/* Whom to encrypt to; lives as long as the gpg. */
struct gpg_recipient;

struct gpg_recipient_query {
	const char *admin;	 /* for messages */
	const char *fingerprint; /* 40 hex digits, from users */
	const char *public_key;	 /* armored, from keys/public, imported when the keyring
				  * lacks the fingerprint and it holds this one; or NULL */
	bool trust_all;		 /* take it although its validity is not full */
	bool unrehearsed;	 /* do without the word that is encrypted to it first */
	/* Called with a warning such as "bob's key expires in 12 days". */
	void (*warn)(void *arg, const char *text);
	void *warn_arg;
};

/*
 * Find the key and check that it can be encrypted to: full fingerprint, not
 * expired, revoked, disabled or invalid, with an encryption subkey, fully or
 * ultimately valid (or trust_all); and encrypt a word to it, as gpg_encrypt does, so that what
 * gpg.conf spoils is known before anything is changed. ERR_DATA with what to do otherwise.
 */
MUST_CHECK bool gpg_find_recipient(struct gpg *g, const struct gpg_recipient_query *q,
    const struct gpg_recipient **out, struct err *e);

/* Has this key a secret encryption subkey on this machine (stubs count)? */
MUST_CHECK bool gpg_recipient_is_mine(struct gpg *g, const struct gpg_recipient *r, bool *out,
    struct err *e);

/*
 * Encrypt, armored, to this recipient alone, uncompressed, always trusted
 * (gpg_find_recipient has judged), and check the packets of what came out: exactly one, to one of his
 * encryption subkeys, full-length. ERR_DATA names the line of gpg.conf that is known to do otherwise.
 */
MUST_CHECK bool gpg_encrypt(struct gpg *g, const struct gpg_recipient *to,
    const struct secret *plain, struct str *out, struct err *e);

/*
 * ERR_GPG: prompt cancelled, no pinentry ...; ERR_DATA: damaged, or a message inside the message,
 * for which nobody is asked; ERR_KEY: this message and my key do not go together, and one message does
 * not tell whose fault it is; ERR_CANCELLED: gpg itself was interrupted.
 */
MUST_CHECK bool gpg_decrypt(struct gpg *g, struct bytes armored, struct secret **out, struct err *e);

/*
 * A detached, armored signature over these bytes by the secret key with this fingerprint. *out stays
 * empty where that key cannot sign (no usable signing subkey, or its secret part is not here).
 * ERR_GPG: prompt cancelled, no pinentry ...; ERR_DATA: gpg.conf adds somebody else's signature.
 */
MUST_CHECK bool gpg_sign(struct gpg *g, const char *fingerprint, struct bytes text, struct str *out,
    struct err *e);

/*
 * Is this a good signature over these bytes by the key of this admin, now? *out_time is when it was
 * made (seconds since 1970). False with the reason behind "its grant ..." in *why, ERR_DATA, where
 * it does not fit, or the key is not to be had, has expired or is revoked; ERR_GPG where gpg fails.
 * keys/public is imported as for gpg_find_recipient.
 */
MUST_CHECK bool gpg_verify(struct gpg *g, const struct gpg_recipient_query *by, struct bytes text,
    struct bytes signature, double *out_time, struct err *why);

/* The minimal armored export of a key. */
MUST_CHECK bool gpg_export(struct gpg *g, const char *fingerprint, struct str *out, struct err *e);

/*
 * Fingerprints of primary keys with a secret part and an encryption subkey here: those
 * that are usable now or, if none is, those that can still decrypt. ERR_GPG if there is none
 * because gpg-agent does not run.
 */
MUST_CHECK bool gpg_my_keys(struct gpg *g, struct argv *out, struct err *e);

#endif
