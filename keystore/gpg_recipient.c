/* SPDX-License-Identifier: MIT */
/*
 * gpg_recipient: may this key be encrypted to? The fingerprint in users is the
 * pin; a key from keys/public is looked at before the keyring sees it and
 * must be that one key and nothing else. What is refused is refused with the
 * command that helps.
 */
#include "keystore/gpg.h"

#include <stdlib.h>
#include <strings.h>
#include <time.h>
#include "base/clock.h"
#include "base/secret.h"
#include "keystore/armor.h"
#include "keystore/gpg_internal.h"
#include "keystore/gpg_words.h"
#include "keystore/openpgp.h"

#define WARN_DAYS 60

/* *out stays NULL where the keyring has no such key. */
static bool
look_up(struct gpg *g, const char *fingerprint, gpgme_key_t *out, struct err *e)
{
	gpgme_error_t r = gpgme_get_key(g->ctx, fingerprint, out, 0);

	if (!r || gpgme_err_code(r) == GPG_ERR_EOF)
		return true;
	return gpg_words_set(e, r, ERR_GPG, "cannot look into your GPG keyring");
}

/* What a block of keys holds. */
struct block {
	size_t n;
	bool has_secret, fits, encrypts;
	char first[64]; /* a fingerprint */
};

static void
note_block(struct block *b, gpgme_key_t key, const char *fingerprint)
{
	const char *fpr = key->fpr ? key->fpr : "?";

	if (b->n++ == 0) {
		b->fits = strcasecmp(fpr, fingerprint) == 0;
		for (size_t i = 0; i + 1 < sizeof(b->first) && fpr[i]; i++)
			b->first[i] = fpr[i];
	}
	b->has_secret = b->has_secret || key->secret;
	for (gpgme_subkey_t sub = key->subkeys; sub; sub = sub->next)
		b->encrypts = b->encrypts || sub->can_encrypt;
}

static bool
list_block(struct gpg *g, const struct gpg_recipient_query *q, struct block *out, struct err *e)
{
	AUTO(gpg_data_drop) gpgme_data_t data = gpg_data_from(bytes_of(q->public_key));
	gpgme_error_t r = gpgme_op_keylist_from_data_start(g->ctx, data, 0);

	while (!r) {
		AUTO(gpg_key_drop) gpgme_key_t key = NULL;

		r = gpgme_op_keylist_next(g->ctx, &key);
		if (!r)
			note_block(out, key, q->fingerprint);
	}
	gpgme_op_keylist_end(g->ctx);
	if (gpgme_err_code(r) == GPG_ERR_EOF)
		return true;
	return gpg_words_set(e, r, ERR_DATA, "cannot be read as a public key");
}

static bool
check_block(struct gpg *g, const struct gpg_recipient_query *q, struct err *e)
{
	struct bytes text = bytes_of(q->public_key);
	struct block b = { .has_secret = armor_begins(text, ARMOR_SECRET_KEY, NULL) };

	if (!b.has_secret && (!openpgp_check_public_key(text, e) || !list_block(g, q, &b, e)))
		return err_wrap(e, "keys/public/%s", q->admin);
	if (b.n == 0 && !b.has_secret)
		return err_set(e, ERR_DATA, "keys/public/%s holds no public key", q->admin);
	if (b.has_secret)
		return err_set(e, ERR_DATA, "keys/public/%s holds a secret key: its owner must "
		    "consider it lost", q->admin);
	if (b.n > 1)
		return err_set(e, ERR_DATA, "keys/public/%s holds %zu keys instead of one",
		    q->admin, b.n);
	if (!b.fits)
		return err_set(e, ERR_DATA, "keys/public/%s holds the key %s, but users says that "
		    "%s has %s", q->admin, b.first, q->admin, q->fingerprint);
	return true;
}

static bool
import(struct gpg *g, const struct gpg_recipient_query *q, struct err *e)
{
	AUTO(gpg_data_drop) gpgme_data_t data = gpg_data_from(bytes_of(q->public_key));
	gpgme_error_t r = gpgme_op_import(g->ctx, data);

	if (!r)
		return true;
	gpg_words_set(e, r, ERR_DATA, "cannot be imported");
	return err_wrap(e, "keys/public/%s", q->admin);
}

bool
gpg_find_key(struct gpg *g, const struct gpg_recipient_query *q, gpgme_key_t *out, struct err *e)
{
	if (!look_up(g, q->fingerprint, out, e))
		return false;
	if (!*out && q->public_key &&
	    (!check_block(g, q, e) || !import(g, q, e) || !look_up(g, q->fingerprint, out, e)))
		return false;
	if (!*out)
		return err_set(e, ERR_DATA, "%s's key %s is neither in your GPG keyring nor in "
		    "keys/public/%s", q->admin, q->fingerprint, q->admin);
	if (!(*out)->fpr || strcasecmp((*out)->fpr, q->fingerprint) != 0)
		return err_set(e, ERR_DATA, "users gives %s the fingerprint %s, which is a "
		    "subkey's: it must be %s", q->admin, q->fingerprint,
		    (*out)->fpr ? (*out)->fpr : "?");
	return true;
}

static bool
is_valid(gpgme_key_t key)
{
	bool valid = false;

	for (gpgme_user_id_t uid = key->uids; uid; uid = uid->next)
		valid = valid ||
		    (!uid->revoked && !uid->invalid && uid->validity >= GPGME_VALIDITY_FULL);
	return valid;
}

/*
 * With trust-model always in gpg.conf no key has a validity, not even one's own, though the
 * signatures are there: gpg's usual model judges them. What another model says "never" of stays so.
 */
static bool
is_valid_by_signatures(struct gpg *g, gpgme_key_t key)
{
	AUTO(gpg_key_drop) gpgme_key_t again = NULL;
	gpgme_error_t r;

	for (gpgme_user_id_t uid = key->uids; uid; uid = uid->next)
		if (uid->validity != GPGME_VALIDITY_UNKNOWN)
			return false;
	if (gpgme_set_ctx_flag(g->ctx, "trust-model", "pgp"))
		return false; /* a gpgme that does not know it */
	r = gpgme_op_keylist_start(g->ctx, key->fpr, 0); /* gpgme_get_key forgets the flag */
	if (!r)
		r = gpgme_op_keylist_next(g->ctx, &again);
	gpgme_op_keylist_end(g->ctx);
	gpgme_set_ctx_flag(g->ctx, "trust-model", "");
	return !r && is_valid(again);
}

/* The day on which the last usable encryption subkey, or the whole key, ends; 0 for never. */
static long
last_day(gpgme_key_t key)
{
	long whole = key->subkeys ? key->subkeys->expires : 0, last = -1;

	for (gpgme_subkey_t sub = key->subkeys; sub; sub = sub->next) {
		if (!gpg_subkey_usable(sub))
			continue;
		if (last < 0 || sub->expires == 0 || (last != 0 && sub->expires > last))
			last = sub->expires;
	}
	if (last <= 0 || (whole != 0 && whole < last))
		return whole;
	return last;
}

/* An encryption subkey that needs nothing but a later date; NULL if there is none. */
static gpgme_subkey_t
expired_subkey(gpgme_key_t key)
{
	for (gpgme_subkey_t sub = key->subkeys; sub; sub = sub->next)
		if (sub->expired && sub->can_encrypt && !sub->revoked && !sub->disabled &&
		    !sub->invalid && sub->fpr)
			return sub;
	return NULL;
}

static bool
is_own(struct gpg *g, gpgme_key_t key)
{
	AUTO(gpg_key_drop) gpgme_key_t secret = NULL;

	return !gpgme_get_key(g->ctx, key->fpr, &secret, 1);
}

/* The whole key, or with `sub` its encryption, has ended: its owner alone can do something. */
static bool
refuse_expired(struct gpg *g, gpgme_key_t key, gpgme_subkey_t sub, const char *admin,
    struct err *e)
{
	const char *what = sub ? "its encryption subkey" : "it";

	if (!is_own(g, key))
		return err_set(e, ERR_DATA, "%s's key %s: %s has expired: `gpg --import "
		    "keys/public/%s` if that is newer; its owner makes a newer one with "
		    "`gpg --quick-set-expire`", admin, key->fpr, what, admin);
	return err_set(e, ERR_DATA, "%s's key, your own: %s has expired: `gpg --quick-set-expire "
	    "%s 2y%s%s`", admin, what, key->fpr, sub ? " " : "", sub ? sub->fpr : "");
}

/* Is there a subkey to encrypt to? */
static bool
check_subkeys(struct gpg *g, gpgme_key_t key, const char *admin, struct err *e)
{
	gpgme_subkey_t expired = expired_subkey(key);

	for (gpgme_subkey_t sub = key->subkeys; sub; sub = sub->next)
		if (gpg_subkey_usable(sub))
			return true;
	if (expired)
		return refuse_expired(g, key, expired, admin, e);
	return err_set(e, ERR_DATA, "%s's key %s has no encryption subkey that is usable now: `gpg "
	    "--import keys/public/%s` if that is newer; its owner makes one with `gpg --quick-add-key "
	    "%s cv25519 encr`", admin, key->fpr, admin, key->fpr);
}

static bool
check_usable(struct gpg *g, gpgme_key_t key, const struct gpg_recipient_query *q, struct err *e)
{
	if (key->revoked)
		return err_set(e, ERR_DATA, "%s's key %s is revoked: users needs the fingerprint of "
		    "another one", q->admin, key->fpr);
	if (key->expired)
		return refuse_expired(g, key, NULL, q->admin, e);
	if (key->disabled)
		return err_set(e, ERR_DATA, "%s's key is disabled in your GPG keyring: `gpg "
		    "--edit-key %s enable save`", q->admin, key->fpr);
	if (key->invalid)
		return err_set(e, ERR_DATA, "%s's key %s is not valid", q->admin, key->fpr);
	if (!check_subkeys(g, key, q->admin, e))
		return false;
	if (!q->trust_all && !is_valid(key) && !is_valid_by_signatures(g, key))
		return err_set(e, ERR_DATA, "%s's key is not trusted: compare its fingerprint with "
		    "%s and then `gpg --lsign-key %s`, or use --trust-all", q->admin, q->admin,
		    key->fpr);
	return true;
}

static void
warn_expiry(gpgme_key_t key, const struct gpg_recipient_query *q)
{
	AUTO(str_done) struct str text = { 0 };
	time_t end = last_day(key);
	long days = (long)(((double)end - clock_unix()) / CLOCK_DAY + 0.5);
	char date[32] = ""; /* 2027-01-31 */
	struct tm tm;

	if (!q->warn || end == 0 || days >= WARN_DAYS)
		return;
	if (gmtime_r(&end, &tm))
		strftime(date, sizeof(date), "%Y-%m-%d", &tm);
	str_addf(&text, "%s's key %s expires in %ld day%s, on %s", q->admin, key->fpr, days,
	    days == 1 ? "" : "s", date);
	q->warn(q->warn_arg, str_text(&text));
}

/* What gpg.conf does to a message to him is found out now, while nothing has been changed. */
static bool
rehearse(struct gpg *g, const struct gpg_recipient *to, struct err *e)
{
	AUTO(secret_drop) struct secret *plain = secret_from(bytes_of("rehearsal"));
	AUTO(str_done) struct str text = { 0 };

	return gpg_encrypt(g, to, plain, &text, e);
}

static void
recipient_free(struct gpg_recipient *r)
{
	gpg_key_drop(&r->key);
	free(r->admin);
	free(r);
}

static const struct gpg_recipient *
known(const struct gpg *g, const struct gpg_recipient_query *q)
{
	const struct gpg_recipient *r = g->recipients;

	while (r && (!str_equal(r->admin, q->admin) ||
	    strcasecmp(r->key->fpr, q->fingerprint) != 0))
		r = r->next;
	return r;
}

bool
gpg_find_recipient(struct gpg *g, const struct gpg_recipient_query *q,
    const struct gpg_recipient **out, struct err *e)
{
	AUTO(gpg_key_drop) gpgme_key_t key = NULL;
	const struct gpg_recipient *before = known(g, q);
	struct gpg_recipient *r;

	if (before) {
		*out = before;
		return true;
	}
	if (!gpg_find_key(g, q, &key, e) || !check_usable(g, key, q, e))
		return false;
	warn_expiry(key, q);
	r = mem_alloc(1, sizeof(*r));
	*r = (struct gpg_recipient){ g->recipients, mem_strdup(q->admin), TAKE(key) };
	if (!q->unrehearsed && !rehearse(g, r, e)) {
		recipient_free(r);
		return false;
	}
	g->recipients = r;
	*out = r;
	return true;
}
