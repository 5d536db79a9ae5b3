/* SPDX-License-Identifier: MIT */
/*
 * gpg: one gpgme context, for all but decryption (gpg_decrypt.c). Plaintext goes in from
 * the secret's own memory, through one small buffer of gpgme's that is locked. What gpg.conf may
 * add to a message is not prevented but found, by looking at the packets that came out.
 */
#include "keystore/gpg.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/secret.h"
#include "keystore/gpg_internal.h"
#include "keystore/gpg_words.h"
#include "keystore/openpgp.h"

#define LIST_ROOM ((size_t)1 << 16) /* of keys that are none */
#define MAX_TRIES 64 /* one in 256 comes out a byte short, so this is never reached */

/* Its buffer of PIPE_BUF bytes, which no callback can replace, is a part of it. */
void
gpg_data_guard(gpgme_data_t d)
{
	gpgme_data_set_flag(d, "sensitive", "1"); /* wiped when it is released */
	secret_lock_pages(d, malloc_usable_size(d));
}

gpgme_data_t
gpg_data_from(struct bytes b)
{
	gpgme_data_t d = NULL;

	if (gpgme_data_new_from_mem(&d, b.len > 0 ? b.ptr : "", b.len, 0))
		mem_exhausted(); /* the one reason it knows */
	gpg_data_guard(d);
	return d;
}

void
gpg_data_drop(gpgme_data_t *d)
{
	if (*d)
		gpgme_data_release(*d);
	*d = NULL;
}

void
gpg_key_drop(gpgme_key_t *key)
{
	if (*key)
		gpgme_key_unref(*key);
	*key = NULL;
}

bool
gpg_subkey_usable(const struct _gpgme_subkey *sub)
{
	return sub->can_encrypt && !sub->revoked && !sub->expired && !sub->disabled &&
	    !sub->invalid;
}

uint64_t
gpg_subkey_id(const struct _gpgme_subkey *sub)
{
	return sub->keyid ? strtoull(sub->keyid, NULL, 16) : 0;
}

/* gpg finds the terminal to prompt on by this variable, or by an stdin that gpgme takes away. */
static void
name_terminal(void)
{
	char name[64]; /* "/dev/pts/N" */

	for (int fd = STDERR_FILENO; fd >= STDIN_FILENO && !getenv("GPG_TTY"); fd--)
		if (ttyname_r(fd, name, sizeof(name)) == 0)
			setenv("GPG_TTY", name, 0);
}

bool
gpg_new(struct gpg **out, struct err *e)
{
	AUTO(gpg_drop) struct gpg *g = mem_alloc(1, sizeof(*g));
	gpgme_error_t r;

	name_terminal();
	/* Or else it runs gpgconf three times and gpgsm once to find out what nobody here asks for. */
	gpgme_set_global_flag("disable-gpgconf", "1");
	gpgme_check_version(NULL);
	r = gpgme_engine_check_version(GPGME_PROTOCOL_OpenPGP);
	if (!r)
		r = gpgme_new(&g->ctx);
	if (!r)
		r = gpgme_set_protocol(g->ctx, GPGME_PROTOCOL_OpenPGP);
	if (r)
		return gpg_words_set(e, r, ERR_GPG, "gpg cannot be used");
	gpgme_set_armor(g->ctx, 1);
	gpgme_set_offline(g->ctx, 1);
	gpgme_set_ctx_flag(g->ctx, "full-status", "1");
	gpgme_set_status_cb(g->ctx, gpg_note_status, g);
	*out = TAKE(g);
	return true;
}

void
gpg_free(struct gpg *g)
{
	if (!g)
		return;
	while (g->recipients) {
		struct gpg_recipient *r = g->recipients;

		g->recipients = r->next;
		gpg_key_drop(&r->key);
		free(r->admin);
		free(r);
	}
	if (g->ctx)
		gpgme_release(g->ctx);
	free(g->mine);
	free(g);
}

/* Call `see` for every key with a secret part on this machine. */
static bool
each_secret_key(struct gpg *g, void (*see)(void *arg, gpgme_key_t key), void *arg, struct err *e)
{
	gpgme_error_t r = gpgme_op_keylist_start(g->ctx, NULL, 1);

	while (!r) {
		AUTO(gpg_key_drop) gpgme_key_t key = NULL;

		r = gpgme_op_keylist_next(g->ctx, &key);
		if (!r)
			see(arg, key);
	}
	gpgme_op_keylist_end(g->ctx);
	if (gpgme_err_code(r) == GPG_ERR_EOF)
		return true;
	return gpg_words_set(e, r, ERR_GPG, "cannot list your secret keys");
}

static void
note_subkeys(void *arg, gpgme_key_t key)
{
	struct gpg *g = arg;

	for (gpgme_subkey_t sub = key->subkeys; sub; sub = sub->next) {
		uint64_t *id;

		if (!sub->can_encrypt || !sub->secret)
			continue;
		id = mem_push(&g->mine, &g->n_mine, sizeof(*g->mine));
		*id = gpg_subkey_id(sub);
	}
}

bool
gpg_is_mine(struct gpg *g, uint64_t key_id, bool *out, struct err *e)
{
	if (!g->listed && !each_secret_key(g, note_subkeys, g, e))
		return false;
	g->listed = true;
	*out = false;
	for (size_t i = 0; i < g->n_mine; i++)
		*out = *out || (key_id != 0 && g->mine[i] == key_id);
	return true;
}

bool
gpg_recipient_is_mine(struct gpg *g, const struct gpg_recipient *r, bool *out, struct err *e)
{
	*out = false;
	for (gpgme_subkey_t sub = r->key->subkeys; sub && !*out; sub = sub->next)
		if (gpg_subkey_usable(sub) && !gpg_is_mine(g, gpg_subkey_id(sub), out, e))
			return false;
	return true;
}

static void
note_key(void *arg, gpgme_key_t key)
{
	bool usable = false;

	for (gpgme_subkey_t sub = key->subkeys; sub; sub = sub->next)
		usable = usable || (gpg_subkey_usable(sub) && sub->secret);
	if (usable && key->fpr && !key->revoked && !key->expired && !key->disabled)
		argv_add(arg, key->fpr);
}

/* One that has ended decrypts all the same, and its owner is told of that elsewhere. */
static void
note_old_key(void *arg, gpgme_key_t key)
{
	bool decrypts = false;

	for (gpgme_subkey_t sub = key->subkeys; sub; sub = sub->next)
		decrypts = decrypts || (sub->can_encrypt && sub->secret);
	if (decrypts && key->fpr)
		argv_add(arg, key->fpr);
}

/*
 * Without an agent gpg lists no secret keys and calls that a success, as gpgme does. What it says
 * besides names the agent; if it does not, in some language, the list is just empty.
 */
static bool
check_agent(struct err *e)
{
	static const char *const words[] = { "--with-colons", "--list-secret-keys", NULL };
	AUTO(secret_drop) struct secret *list = secret_new(LIST_ROOM);
	AUTO(str_done) struct str said = { 0 };
	struct gpg_sink sink = { .s = list };
	gpgme_error_t r = gpg_spawn(words, (struct bytes){ 0 }, &sink, &said);

	if (!r && strstr(str_text(&said), "agent"))
		return gpg_words_set(e, gpgme_error(GPG_ERR_NO_AGENT), ERR_GPG, "gpg-agent");
	return true;
}

bool
gpg_my_keys(struct gpg *g, struct argv *out, struct err *e)
{
	size_t before = out->n;

	if (!each_secret_key(g, note_key, out, e))
		return false;
	if (out->n == before && !each_secret_key(g, note_old_key, out, e))
		return false;
	return out->n > before || check_agent(e);
}

void
gpg_take_output(gpgme_data_t d, struct str *out)
{
	size_t len = 0;
	char *text = gpgme_data_release_and_get_mem(d, &len);

	str_clear(out);
	if (text)
		str_add_bytes(out, (struct bytes){ text, len });
	gpgme_free(text);
}

bool
gpg_export(struct gpg *g, const char *fingerprint, struct str *out, struct err *e)
{
	AUTO(gpg_data_drop) gpgme_data_t data = NULL;
	gpgme_error_t r = gpgme_data_new(&data);

	if (!r)
		r = gpgme_op_export(g->ctx, fingerprint, GPGME_EXPORT_MODE_MINIMAL, data);
	if (r)
		return gpg_words_set(e, r, ERR_GPG, "cannot export your public key");
	gpg_take_output(TAKE(data), out);
	if (out->len == 0)
		return err_set(e, ERR_GPG, "there is no key %s in your GPG keyring", fingerprint);
	return true;
}

static const struct _gpgme_subkey *
subkey_by_id(gpgme_key_t key, uint64_t id)
{
	for (gpgme_subkey_t sub = key->subkeys; sub; sub = sub->next)
		if (gpg_subkey_usable(sub) && gpg_subkey_id(sub) == id)
			return sub;
	return NULL;
}

/* Encrypted to the admin, the whole admin and nobody but the admin? */
static bool
check_recipients(const struct openpgp_message *m, const struct gpg_recipient *to, struct err *e)
{
	const char *fault = NULL;

	if (m->n_recipients > 1)
		fault = "to others too: take encrypt-to-default-key, recipient, hidden-recipient, group";
	else if (m->recipients[0].key_id == 0)
		fault = "without saying to whom: take throw-keyids";
	else if (!subkey_by_id(to->key, m->recipients[0].key_id))
		fault = "to another key: take group";
	return !fault || err_set(e, ERR_DATA, "gpg encrypts %s's keys %s out of gpg.conf",
	    to->admin, fault);
}

/* A number that begins with a zero byte is written without it, and the file is shorter. */
static bool
is_full_length(const struct openpgp_message *m, const struct gpg_recipient *to)
{
	const struct _gpgme_subkey *sub = subkey_by_id(to->key, m->recipients[0].key_id);
	size_t full = sub ? (sub->length + 7) / 8 : 0; /* check_recipients has found it */

	switch (m->recipients[0].algorithm) {
	case 1: /* RSA */
	case 2:
		return m->recipients[0].mpi_bytes[0] == full;
	case 16: /* Elgamal */
		return m->recipients[0].mpi_bytes[0] == full &&
		    m->recipients[0].mpi_bytes[1] == full;
	default: /* ECDH: its numbers begin with a byte that is not zero */
		return true;
	}
}

static bool
encrypt_once(struct gpg *g, const struct gpg_recipient *to, const struct secret *plain,
    struct str *out, struct err *e)
{
	const gpgme_encrypt_flags_t flags = GPGME_ENCRYPT_ALWAYS_TRUST |
	    GPGME_ENCRYPT_NO_ENCRYPT_TO | GPGME_ENCRYPT_NO_COMPRESS;
	AUTO(gpg_data_drop) gpgme_data_t from = gpg_data_from(secret_bytes(plain));
	AUTO(gpg_data_drop) gpgme_data_t data = NULL;
	gpgme_key_t keys[] = { to->key, NULL };
	gpgme_error_t r = gpgme_data_new(&data);

	if (!r)
		r = gpgme_op_encrypt(g->ctx, keys, flags, from, data);
	if (!r) {
		gpg_take_output(TAKE(data), out);
		return true;
	}
	gpg_words_set(e, r, ERR_DATA, "cannot encrypt");
	return err_wrap(e, "%s", to->admin);
}

bool
gpg_encrypt(struct gpg *g, const struct gpg_recipient *to, const struct secret *plain,
    struct str *out, struct err *e)
{
	if (!gpg_probe(g, e))
		return false;
	for (int i = 0; i < MAX_TRIES; i++) {
		AUTO(str_done) struct str text = { 0 };
		struct openpgp_message m;

		if (!encrypt_once(g, to, plain, &text, e))
			return false;
		if (!openpgp_parse(str_bytes(&text), &m, e))
			return err_wrap(e, "what gpg encrypted for %s", to->admin);
		if (!check_recipients(&m, to, e))
			return false;
		if (!is_full_length(&m, to))
			continue;
		str_done(out);
		*out = text;
		text = (struct str){ 0 };
		return true;
	}
	return err_set(e, ERR_DATA, "messages to %s do not come out at one length", to->admin);
}
