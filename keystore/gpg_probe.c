/* SPDX-License-Identifier: MIT */
/*
 * gpg_probe: two lines in gpg.conf change the text itself, and gpg calls that a
 * success: textmode turns LF into CR LF, no-literal leaves out the packet that holds the text.
 * Neither can be overruled through gpgme, but both change lengths.
 */
#include <string.h>
#include "base/secret.h"
#include "keystore/gpg_internal.h"
#include "keystore/openpgp.h"

#define SMALL ((size_t)64)
#define LARGE ((size_t)600) /* the header of a literal packet grows with its length */

/* How many bytes of data come out for n times the character c. */
static bool
measure(struct gpg *g, const struct gpg_recipient *to, char c, size_t n, size_t *out, struct err *e)
{
	AUTO(secret_drop) struct secret *plain = secret_new(LARGE);
	AUTO(str_done) struct str text = { 0 };
	struct openpgp_message m;

	memset(secret_space(plain).ptr, c, n);
	secret_set_len(plain, n);
	if (!gpg_encrypt_once(g, to, plain, &text, e))
		return false;
	if (!openpgp_parse(str_bytes(&text), &m, e))
		return err_wrap(e, "what gpg encrypted for %s", to->admin);
	*out = m.data_bytes;
	return true;
}

bool
gpg_probe(struct gpg *g, const struct gpg_recipient *to, struct err *e)
{
	size_t small = 0, large = 0, lines = 0;

	if (g->probed)
		return true;
	if (!measure(g, to, 'a', SMALL, &small, e) || !measure(g, to, 'a', LARGE, &large, e) ||
	    !measure(g, to, '\n', LARGE, &lines, e))
		return false;
	if (lines != large)
		return err_set(e, ERR_DATA, "gpg changes line ends in what it encrypts: take "
		    "textmode out of gpg.conf");
	if (large - small <= LARGE - SMALL)
		return err_set(e, ERR_DATA, "gpg leaves out what must be around a text: take "
		    "no-literal out of gpg.conf");
	g->probed = true;
	return true;
}
