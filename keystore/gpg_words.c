/* SPDX-License-Identifier: MIT */
/*
 * gpg_words: one table of what GPG, its agent, its pinentry and its card
 * reader say, found by provoking each. A code that is not here is told in
 * GPG's own words, with the operation in front.
 */
#include "keystore/gpg_words.h"

#include "base/mem.h"

#define NO_PROMPT                                                                                  \
	"gpg could not ask for the passphrase of your key: install a pinentry program, and on a "  \
	"terminal set GPG_TTY=$(tty)"
#define NO_AGENT                                                                                   \
	"gpg-agent does not run: see what `gpg-connect-agent /bye` says (a GNUPGHOME with a "    \
	"path of over 87 bytes is too long for its sockets)"
#define NOT_WHOLE "gpg cannot decrypt it: it is damaged, or not what gpg would write"

static const struct words {
	gpgme_err_code_t code;
	enum err_kind kind;
	const char *text;
} table[] = {
	{ GPG_ERR_CANCELED, ERR_GPG, "the prompt for the passphrase, PIN or card was cancelled" },
	{ GPG_ERR_FULLY_CANCELED, ERR_GPG, "the prompt for the passphrase, PIN or card was cancelled" },
	{ GPG_ERR_TIMEOUT, ERR_GPG, "nobody answered the passphrase prompt of your GPG key" },
	{ GPG_ERR_BAD_PASSPHRASE, ERR_GPG, "the passphrase of your GPG key was wrong" },
	{ GPG_ERR_NO_PASSPHRASE, ERR_GPG, "no passphrase was given for your GPG key" },
	{ GPG_ERR_BAD_PIN, ERR_GPG, "the PIN of your card was wrong" },
	{ GPG_ERR_PIN_BLOCKED, ERR_GPG, "your card's PIN is blocked: see `gpg --card-status`" },
	{ GPG_ERR_NO_PIN_ENTRY, ERR_GPG, NO_PROMPT },
	{ GPG_ERR_ENOTTY, ERR_GPG, NO_PROMPT },
	{ GPG_ERR_ENXIO, ERR_GPG, NO_PROMPT },
	{ GPG_ERR_ENODEV, ERR_GPG, NO_PROMPT },
	{ GPG_ERR_NO_SECKEY, ERR_KEY, "the secret key for it is not on this machine" },
	{ GPG_ERR_NO_AGENT, ERR_GPG, NO_AGENT },
	{ GPG_ERR_AGENT, ERR_GPG, NO_AGENT },
	{ GPG_ERR_NO_SCDAEMON, ERR_GPG, "your key is on a card: install scdaemon" },
	{ GPG_ERR_CARD_NOT_PRESENT, ERR_GPG, "the card with your GPG key is not plugged in" },
	{ GPG_ERR_CARD_REMOVED, ERR_GPG, "the card with your GPG key was removed" },
	{ GPG_ERR_INV_ENGINE, ERR_GPG, "no gpg program works here: install GnuPG 2.2 or later" },
	{ GPG_ERR_DECRYPT_FAILED, ERR_DATA, NOT_WHOLE },
	{ GPG_ERR_NO_DATA, ERR_DATA, NOT_WHOLE },
	{ GPG_ERR_BAD_DATA, ERR_DATA, NOT_WHOLE },
	{ GPG_ERR_INV_PACKET, ERR_DATA, NOT_WHOLE },
};

bool
gpg_words_set(struct err *e, gpgme_error_t code, enum err_kind kind, const char *what)
{
	char own[256]; /* strerror's texts are shorter */

	for (size_t i = 0; i < COUNT(table); i++)
		if (table[i].code == gpgme_err_code(code))
			return err_set(e, table[i].kind, "%s", table[i].text);
	gpgme_strerror_r(code, own, sizeof(own));
	return err_set(e, kind, "%s: gpg says \"%s\"", what, own);
}
