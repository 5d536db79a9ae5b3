/* SPDX-License-Identifier: MIT */
/*
 * gpg_decrypt: a gpg takes off the encryption and looks at nothing inside; only it may ask for
 * the passphrase of my key. What is inside is one packet of plain text, as gpg_encrypt has it made,
 * or else a second gpg unpacks it (compressed or not, signed or not) and may not ask: a message in there that is
 * encrypted once more, to a password say, is no key file. Both write into a gpg_sink.
 */
#include <string.h>
#include "base/secret.h"
#include "keystore/gpg_internal.h"
#include "keystore/gpg_words.h"
#include "keystore/openpgp.h"

#define MAX_GROWTH 8 /* what a key file may grow to when decrypted */
#define ROOM ((size_t)1 << 20)

/*
 * A gpg that was interrupted at its prompt looks like a damaged message, but says nothing of
 * the end, nor that it has what the prompt was for.
 */
gpgme_error_t
gpg_note_status(void *arg, const char *keyword, const char *rest)
{
	struct gpg *g = arg;

	(void)rest;
	if (str_equal(keyword, "ENC_TO"))
		g->began = true;
	else if (str_equal(keyword, "END_DECRYPTION") || str_equal(keyword, "DECRYPTION_FAILED") ||
	    str_equal(keyword, "DECRYPTION_KEY") || str_equal(keyword, "FAILURE"))
		g->ended = true;
	return 0;
}

static bool
too_much(struct err *e)
{
	return err_set(e, ERR_DATA, "it unpacks to more than any key file has");
}

/* What is inside, as it was encrypted: packets. Never longer than what it came in. */
static bool
unwrap(struct gpg *g, struct bytes armored, struct secret **out, struct err *e)
{
	AUTO(secret_drop) struct secret *packets = secret_new(armored.len + 1);
	struct gpg_sink sink = { .s = packets };
	AUTO(gpg_data_drop) gpgme_data_t from = gpg_data_from(armored);
	AUTO(gpg_data_drop) gpgme_data_t into = NULL;
	gpgme_error_t r = gpg_sink_data(&sink, &into);

	g->began = g->ended = false;
	if (!r)
		r = gpgme_op_decrypt_ext(g->ctx, GPGME_DECRYPT_UNWRAP, from, into);
	if (sink.full)
		return too_much(e);
	if (r && g->began && !g->ended)
		return err_set(e, ERR_CANCELLED, "gpg was interrupted");
	if (r)
		return gpg_words_set(e, r, ERR_KEY, "cannot decrypt");
	secret_set_len(packets, sink.len);
	*out = TAKE(packets);
	return true;
}

/* How often it says this, at the beginning of a line. */
static size_t
count_status(const struct str *status, const char *keyword)
{
	AUTO(mem_free_drop) char *line = mem_printf("[GNUPG:] %s ", keyword);
	size_t n = 0;

	for (const char *p = str_text(status); (p = strstr(p, line)); p++)
		if (p == status->ptr || p[-1] == '\n')
			n++;
	return n;
}

/* The text of packets as gpg_encrypt has them made; false if they are others. */
static bool
take_literal(struct bytes packets, struct secret **out)
{
	AUTO(secret_drop) struct secret *plain = secret_new(packets.len + 1);
	size_t len = 0;

	if (!openpgp_literal(packets, secret_space(plain), &len))
		return false;
	secret_set_len(plain, len);
	*out = TAKE(plain);
	return true;
}

/*
 * The one text in these packets. gpgme's own decryption fails where nothing is encrypted, and
 * drops the text.
 */
static bool
unpack(struct bytes packets, size_t capacity, struct secret **out, struct err *e)
{
	static const char *const words[] = { "--decrypt", NULL };
	AUTO(secret_drop) struct secret *plain = secret_new(capacity);
	AUTO(str_done) struct str status = { 0 };
	struct gpg_sink sink = { .s = plain };
	gpgme_error_t r = gpg_spawn(words, packets, &sink, &status);

	if (sink.full)
		return too_much(e);
	if (r)
		return gpg_words_set(e, r, ERR_GPG, "cannot unpack");
	if (count_status(&status, "ENC_TO") || count_status(&status, "NEED_PASSPHRASE_SYM"))
		return err_set(e, ERR_DATA, "a message inside the message: not a key file");
	if (count_status(&status, "PLAINTEXT") != 1)
		return gpg_words_set(e, gpgme_error(GPG_ERR_NO_DATA), ERR_DATA, "cannot unpack");
	secret_set_len(plain, sink.len);
	*out = TAKE(plain);
	return true;
}

bool
gpg_decrypt(struct gpg *g, struct bytes armored, struct secret **out, struct err *e)
{
	size_t capacity = armored.len < SECRET_MAX / MAX_GROWTH - ROOM
	    ? armored.len * MAX_GROWTH + ROOM : SECRET_MAX;
	AUTO(secret_drop) struct secret *packets = NULL;

	struct openpgp_message m;

	if (armored.len >= SECRET_MAX)
		return err_set(e, ERR_DATA, "it is larger than any key file");
	if (!openpgp_parse(armored, &m, e)) /* of what is behind a message gpg says nothing here */
		return false;
	return unwrap(g, armored, &packets, e) &&
	    (take_literal(secret_bytes(packets), out) ||
		unpack(secret_bytes(packets), capacity, out, e));
}
