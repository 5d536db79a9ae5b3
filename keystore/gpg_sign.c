/* SPDX-License-Identifier: MIT */
/*
 * gpg_sign: detached signatures, made and judged. Whose a signature is, its key's fingerprint says,
 * never the name in the key nor gpg's opinion of that name: which key is whose stands in users.
 */
#include <string.h>
#include <strings.h>
#include "keystore/gpg_internal.h"
#include "keystore/gpg_words.h"
#include "keystore/openpgp.h"

static bool
can_sign(gpgme_key_t key)
{
	for (gpgme_subkey_t sub = key->subkeys; sub; sub = sub->next)
		if (sub->can_sign && sub->secret && !sub->revoked && !sub->expired &&
		    !sub->disabled && !sub->invalid)
			return true;
	return false;
}

static bool
is_of(gpgme_key_t key, const char *fingerprint)
{
	for (gpgme_subkey_t sub = key->subkeys; sub; sub = sub->next)
		if (sub->fpr && fingerprint && strcasecmp(sub->fpr, fingerprint) == 0)
			return true;
	return false;
}

/* By the key that was asked for and by no other, as `local-user` in gpg.conf would have it. */
static bool
check_signer(struct gpg *g, gpgme_key_t key, struct err *e)
{
	gpgme_sign_result_t result = gpgme_op_sign_result(g->ctx);
	gpgme_new_signature_t made = result ? result->signatures : NULL;

	return (made && is_of(key, made->fpr) && !made->next) ||
	    err_set(e, ERR_DATA, "gpg does not sign with your key alone: take local-user out of gpg.conf");
}

static bool
sign_with(struct gpg *g, gpgme_key_t key, struct bytes text, struct str *out, struct err *e)
{
	AUTO(gpg_data_drop) gpgme_data_t from = gpg_data_from(text);
	AUTO(gpg_data_drop) gpgme_data_t data = NULL;
	gpgme_error_t r = gpgme_data_new(&data);

	gpgme_signers_clear(g->ctx);
	if (!r)
		r = gpgme_signers_add(g->ctx, key);
	if (!r)
		r = gpgme_op_sign(g->ctx, from, data, GPGME_SIG_MODE_DETACH);
	gpgme_signers_clear(g->ctx);
	if (r)
		return gpg_words_set(e, r, ERR_GPG, "cannot sign");
	gpg_take_output(TAKE(data), out);
	return check_signer(g, key, e) && (openpgp_check_signature(str_bytes(out), e) ||
	    err_wrap(e, "what gpg signed"));
}

bool
gpg_sign(struct gpg *g, const char *fingerprint, struct bytes text, struct str *out, struct err *e)
{
	AUTO(gpg_key_drop) gpgme_key_t key = NULL;
	gpgme_error_t r = gpgme_get_key(g->ctx, fingerprint, &key, 1);

	str_clear(out);
	if (gpgme_err_code(r) == GPG_ERR_EOF)
		return true;
	if (r)
		return gpg_words_set(e, r, ERR_GPG, "cannot look for your secret key");
	return !can_sign(key) || sign_with(g, key, text, out, e);
}

static bool
refuse(gpgme_signature_t s, struct err *why)
{
	switch (gpgme_err_code(s->status)) {
	case GPG_ERR_BAD_SIGNATURE:
		return err_set(why, ERR_DATA, "does not fit what it is on");
	case GPG_ERR_NO_PUBKEY:
		return err_set(why, ERR_DATA, "is by another key");
	case GPG_ERR_KEY_EXPIRED:
	case GPG_ERR_SIG_EXPIRED:
		return err_set(why, ERR_DATA, "has expired, or its key has");
	case GPG_ERR_CERT_REVOKED:
		return err_set(why, ERR_DATA, "is by a key that is revoked");
	default:
		return err_set(why, ERR_DATA, "cannot be checked: %s", gpgme_strerror(s->status));
	}
}

bool
gpg_verify(struct gpg *g, const struct gpg_recipient_query *by, struct bytes text,
    struct bytes signature, double *out_time, struct err *why)
{
	AUTO(gpg_key_drop) gpgme_key_t key = NULL;
	AUTO(gpg_data_drop) gpgme_data_t over = gpg_data_from(text);
	AUTO(gpg_data_drop) gpgme_data_t sig = gpg_data_from(signature);
	gpgme_verify_result_t result;
	gpgme_signature_t s;
	gpgme_error_t r;

	if (!openpgp_check_signature(signature, why) || !gpg_find_key(g, by, &key, why))
		return err_wrap(why, "cannot be checked");
	r = gpgme_op_verify(g->ctx, sig, over, NULL);
	result = r ? NULL : gpgme_op_verify_result(g->ctx);
	s = result ? result->signatures : NULL;
	if (!s || s->next)
		return err_set(why, ERR_DATA, "cannot be checked: %s",
		    r ? gpgme_strerror(r) : "gpg does not say whose it is");
	if (gpgme_err_code(s->status) != GPG_ERR_NO_ERROR)
		return refuse(s, why);
	if (!is_of(key, s->fpr))
		return err_set(why, ERR_DATA, "is by another key");
	*out_time = (double)s->timestamp;
	return true;
}
