/* SPDX-License-Identifier: MIT */
/* grant: read as strictly as written: what is read must be what would be written, to the byte. */
#include "keystore/grant.h"

#include <string.h>
#include "base/mem.h"
#include "base/number.h"

#define FIRST "arver-grant 1\n"
#define BEGIN "-----BEGIN PGP SIGNATURE-----"
#define END "-----END PGP SIGNATURE-----\n"
#define MAX_TEXT ((size_t)512)
#define MAX_SIGNATURE ((size_t)16 << 10) /* one by RSA-4096 has 833 bytes */
#define MAX_SLOT 31

void
grant_format(const struct grant *g, struct str *out)
{
	str_addf(out, FIRST "from %s\nto %s\nslot %d\nkeys %s\n", g->from, g->to, g->slot, g->keys);
}

/* Up to where `mark` begins, or NULL if it is not in the first `max` bytes. */
static const char *
find(const char *p, size_t len, size_t max, const char *mark)
{
	return memmem(p, len < max ? len : max, mark, strlen(mark));
}

/* What stands behind `name` up to the end of its line, if it is no longer than `max`; NULL if it is not so. */
static const char *
take(const char *p, const char *name, const char *digits, size_t max, char *out)
{
	size_t len;

	if (!p || strncmp(p, name, strlen(name)) != 0)
		return NULL;
	p += strlen(name);
	len = strspn(p, digits);
	if (len == 0 || len > max || p[len] != '\n')
		return NULL;
	memcpy(out, p, len);
	out[len] = '\0';
	return p + len + 1;
}

static bool
read_text(struct bytes b, struct grant *out)
{
	static const char upper[] = "0123456789ABCDEF", lower[] = "0123456789abcdef";
	AUTO(mem_free_drop) char *text = mem_strndup(b.ptr, b.len);
	AUTO(str_done) struct str again = { 0 };
	const char *p = text + strlen(FIRST);
	char slot[3];
	unsigned n = 0;

	p = take(p, "from ", upper, GRANT_FINGERPRINT - 1, out->from);
	p = take(p, "to ", upper, GRANT_FINGERPRINT - 1, out->to);
	p = take(p, "slot ", lower, sizeof(slot) - 1, slot);
	p = take(p, "keys ", lower, GRANT_SUM - 1, out->keys);
	if (!p || !number_plain(slot, MAX_SLOT, &n) || strlen(out->from) != GRANT_FINGERPRINT - 1 ||
	    strlen(out->to) != GRANT_FINGERPRINT - 1 || strlen(out->keys) != GRANT_SUM - 1)
		return false;
	out->slot = (int)n;
	grant_format(out, &again);
	return again.len == b.len && memcmp(str_text(&again), b.ptr, b.len) == 0;
}

bool
grant_parse(struct bytes rest, bool *out_there, struct grant *out, struct err *e)
{
	const char *p = rest.ptr, *begin, *end;

	*out = (struct grant){ 0 };
	*out_there = rest.len >= strlen(FIRST) && memcmp(p, FIRST, strlen(FIRST)) == 0;
	if (!*out_there)
		return true;
	begin = find(p, rest.len, MAX_TEXT, BEGIN);
	end = begin ? find(begin, rest.len - (size_t)(begin - p), MAX_SIGNATURE, END) : NULL;
	if (!end)
		return err_set(e, ERR_DATA, "is cut off");
	out->text = (struct bytes){ p, (size_t)(begin - p) };
	out->signature = (struct bytes){ begin, (size_t)(end - begin) + strlen(END) };
	return read_text(out->text, out) || err_set(e, ERR_DATA, "is damaged");
}
