/* SPDX-License-Identifier: MIT */
/*
 * gpg_probe: two lines in gpg.conf change the text itself, and gpg calls that a
 * success: textmode turns LF into CR LF, no-literal leaves out the packet that holds the text.
 * Neither can be overruled through gpgme, but `gpg --store`, which only packs, obeys both.
 */
#include <string.h>
#include "base/secret.h"
#include "keystore/gpg_internal.h"
#include "keystore/gpg_words.h"

#define TEXT "a\nb\n\nc\n"
#define ROOM ((size_t)1024) /* the text, and around it a name of 255 bytes at most */

/* Is this one literal packet (RFC 4880, 5.9), binary, with the text? */
static bool
holds_text(struct bytes b)
{
	const unsigned char *p = b.ptr;
	size_t head = 2; /* tag, length */

	if (b.len < head + 2 || (p[0] != 0xcb && p[0] != 0xac) || p[1] != b.len - head ||
	    p[2] != 'b')
		return false;
	head += 2 + p[3] + 4; /* 'b' and a length; a name; a date */
	return b.len == head + strlen(TEXT) && memcmp(p + head, TEXT, strlen(TEXT)) == 0;
}

bool
gpg_probe(struct gpg *g, struct err *e)
{
	static const char *const words[] = { "--no-armor", "--compress-algo", "none", "--store",
		NULL };
	AUTO(secret_drop) struct secret *packed = secret_new(ROOM);
	AUTO(str_done) struct str status = { 0 };
	struct gpg_sink sink = { .s = packed };
	gpgme_error_t r;
	struct bytes b;

	if (g->probed)
		return true;
	r = gpg_spawn(words, bytes_of(TEXT), &sink, &status);
	if (r)
		return gpg_words_set(e, r, ERR_GPG, "cannot pack a text");
	secret_set_len(packed, sink.len);
	b = secret_bytes(packed);
	g->probed = holds_text(b);
	if (g->probed)
		return true;
	if (b.len == 0)
		return err_set(e, ERR_DATA, "gpg gives nothing back: take dry-run out of gpg.conf, "
		    "or see what `echo | gpg --store` says");
	if (memchr(b.ptr, '\r', b.len))
		return err_set(e, ERR_DATA, "gpg changes line ends in what it encrypts: take "
		    "textmode out of gpg.conf");
	return err_set(e, ERR_DATA, "gpg leaves out what must be around a text: take "
	    "no-literal out of gpg.conf");
}
