/* SPDX-License-Identifier: MIT */
/*
 * gpg_internal: what gpg.c, gpg_decrypt.c, gpg_probe.c, gpg_recipient.c, gpg_sign.c and
 * gpg_spawn.c share; nobody else includes it.
 */
#ifndef KEYSTORE_GPG_INTERNAL_H
#define KEYSTORE_GPG_INTERNAL_H

#include <gpgme.h>
#include "keystore/gpg.h"

struct gpg_recipient {
	struct gpg_recipient *next;
	char *admin;
	gpgme_key_t key;
};

struct gpg {
	gpgme_ctx_t ctx;
	uint64_t *mine; /* key ids of secret encryption subkeys, once listed */
	size_t n_mine;
	bool listed;
	struct gpg_recipient *recipients; /* found so far */
	bool probed;			  /* gpg_probe was content */
	bool began, ended;		  /* the decryption under way, by gpg's own account */
};

/* What gpg says while it works, for gpgme to call with the struct gpg. */
gpgme_error_t gpg_note_status(void *arg, const char *keyword, const char *rest);

/*
 * Does gpg, as gpg.conf has it, encrypt what it is given? With textmode or no-literal it does
 * not, and nobody could read a key file again. One gpg that encrypts nothing tells, once per
 * struct gpg; ERR_DATA names the option.
 */
MUST_CHECK bool gpg_probe(struct gpg *g, struct err *e);

/* Where plaintext goes: `full` once there was more than it has room for. */
struct gpg_sink {
	struct secret *s;
	size_t len;
	bool full;
};
gpgme_error_t gpg_sink_data(struct gpg_sink *sink, gpgme_data_t *out);

/*
 * One gpg that may ask for nothing: these words, NULL at the end, behind what always stands there
 * (--output and --status-fd among it). Its exit status is not known; its status lines are. It is
 * killed after some seconds of the processor's time, more for a large input. Main thread.
 */
gpgme_error_t gpg_spawn(const char *const *words, struct bytes in, struct gpg_sink *sink,
    struct str *out_status);

/* What passes through it is secret: what gpgme has of it meanwhile is locked, and wiped. */
void gpg_data_guard(gpgme_data_t d);
/* gpgme data over bytes that stay where they are; never fails. */
gpgme_data_t gpg_data_from(struct bytes b);
/* Everything that gpgme wrote into its own memory, which is freed; for what is no secret. */
void gpg_take_output(gpgme_data_t d, struct str *out);
void gpg_data_drop(gpgme_data_t *d);
void gpg_key_drop(gpgme_key_t *key);

/*
 * The key with the fingerprint that is asked for, from the keyring or, by way of it, from what
 * keys/public has. Whether it may be used for anything is not looked at. ERR_DATA.
 */
MUST_CHECK bool gpg_find_key(struct gpg *g, const struct gpg_recipient_query *q, gpgme_key_t *out,
    struct err *e);

/* Can gpg encrypt to this subkey today? */
bool gpg_subkey_usable(const struct _gpgme_subkey *sub);
uint64_t gpg_subkey_id(const struct _gpgme_subkey *sub);

#endif
