/* SPDX-License-Identifier: MIT */
/*
 * keystore/keyfile: 'r' and a plaintext as it is; 'z' and a text that is deflated and wrapped here,
 * 'p' and one that is only wrapped.
 */
#include "keystore/grant.h"
#include "keystore/keyfile.h"

#include <string.h>
#include <zlib.h>
#include "fuzz.h"
#include "fuzz_entries.h"

#define MARKER "--bWFya2Vy\n"
#define LENGTH 200232 /* of what is written, and STEP more where that is too small */
#define STEP 200000

static void
add_deflated(struct str *out, struct bytes text)
{
	uLongf len = compressBound(text.len);
	AUTO(mem_free_drop) unsigned char *packed = mem_alloc(len, 1);

	EXPECT(compress(packed, &len, text.ptr, text.len) == Z_OK);
	str_add_bytes(out, (struct bytes){ packed, len });
}

static void
wrap(unsigned form, struct bytes in, struct str *out)
{
	if (form != 'z' && form != 'p') {
		str_add_bytes(out, in);
		return;
	}
	str_add(out, MARKER);
	if (form == 'z')
		add_deflated(out, in);
	else
		str_add_bytes(out, in);
	str_add(out, "\n" MARKER "padding");
}

/* What was read of a grant is what would be written. */
static void
expect_written_again(const struct grant *g)
{
	AUTO(str_done) struct str text = { 0 };

	grant_format(g, &text);
	EXPECT(text.len == g->text.len && memcmp(str_text(&text), g->text.ptr, text.len) == 0);
	EXPECT(g->signature.len > 0);
}

/* As parsed, from memory that ends with it. */
static bool
parse(struct bytes plain, struct entry_list *out, struct err *e)
{
	AUTO(secret_drop) struct secret *s = secret_from(plain);

	struct keyfile_parts parts;
	struct grant grant;
	bool there;

	if (!keyfile_parse(secret_bytes(s), out, &parts, e))
		return false;
	if (grant_parse(parts.rest, &there, &grant, NULL) && there)
		expect_written_again(&grant);
	return true;
}

static void
expect_comes_back(const struct entry_list *l)
{
	AUTO(entry_list_done) struct entry_list again = { 0 };
	AUTO(secret_drop) struct secret *stream = keyfile_pack(l);
	AUTO(secret_drop) struct secret *plain = keyfile_wrap(stream, (struct bytes){ 0 });
	struct err e = { 0 };

	EXPECT((secret_bytes(plain).len - LENGTH) % STEP == 0);
	EXPECT(keyfile_parse(secret_bytes(plain), &again, NULL, &e));
	fuzz_expect_came_back(l, &again);
}

void
fuzz_one(struct bytes in)
{
	AUTO(entry_list_done) struct entry_list l = { 0 };
	AUTO(str_done) struct str plain = { 0 };
	struct err e = { 0 };
	unsigned form = fuzz_take(&in);

	wrap(form, in, &plain);
	if (!parse(str_bytes(&plain), &l, &e)) {
		EXPECT(!l.at && l.n == 0);
		EXPECT(e.kind == ERR_DATA);
		fuzz_expect_error(&e);
		return;
	}
	fuzz_expect_entries(&l);
	expect_comes_back(&l);
}
