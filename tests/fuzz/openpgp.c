/* SPDX-License-Identifier: MIT */
/*
 * keystore/openpgp and armor: 'a' and an armored message, 'p' and packets that get their armor here,
 * for else no chance would find the checksum; 'A' and 'P' the same of a public key; 'l' and what was
 * inside an encryption.
 */
#include "keystore/openpgp.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "fuzz.h"

static void
add_base64(struct str *out, struct bytes b)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *p = b.ptr;

	for (size_t i = 0; i < b.len; i += 3) {
		uint32_t v = (uint32_t)p[i] << 16;

		v |= i + 1 < b.len ? (uint32_t)p[i + 1] << 8 : 0;
		v |= i + 2 < b.len ? p[i + 2] : 0;
		str_add_char(out, digits[v >> 18]);
		str_add_char(out, digits[v >> 12 & 63]);
		str_add_char(out, i + 1 < b.len ? digits[v >> 6 & 63] : '=');
		str_add_char(out, i + 2 < b.len ? digits[v & 63] : '=');
	}
}

static void
add_armor(struct str *out, const char *what, struct bytes b)
{
	uint32_t crc = 0xb704ce;
	unsigned char sum[3];

	for (size_t i = 0; i < b.len; i++) {
		crc ^= (uint32_t)((const unsigned char *)b.ptr)[i] << 16;
		for (int bit = 0; bit < 8; bit++)
			crc = crc << 1 ^ (crc & 0x800000 ? 0x1864cfb : 0);
	}
	sum[0] = (unsigned char)(crc >> 16);
	sum[1] = (unsigned char)(crc >> 8);
	sum[2] = (unsigned char)crc;
	str_addf(out, "-----BEGIN PGP %s-----\n\n", what);
	add_base64(out, b);
	str_add(out, "\n=");
	add_base64(out, (struct bytes){ sum, 3 });
	str_addf(out, "\n-----END PGP %s-----\n", what);
}

static void
expect_sound(const struct openpgp_message *m, size_t len)
{
	EXPECT(m->n_recipients >= 1 && m->n_recipients <= OPENPGP_MAX_RECIPIENTS);
	EXPECT(m->data_bytes <= len);
	for (size_t i = 0; i < m->n_recipients; i++) {
		EXPECT(m->recipients[i].algorithm <= 255);
		EXPECT(m->recipients[i].mpi_bytes[0] + m->recipients[i].mpi_bytes[1] <= len);
	}
}

static bool
parse(struct bytes armored, struct openpgp_message *out)
{
	struct err e = { 0 };
	bool begins = openpgp_is_armored(armored, &e), ok;

	if (!begins)
		fuzz_expect_error(&e);
	e = (struct err){ 0 };
	fuzz_paint(out, sizeof(*out));
	ok = openpgp_parse(armored, out, &e);
	EXPECT(!ok || begins);
	if (ok)
		expect_sound(out, armored.len);
	else
		EXPECT(fuzz_is_painted(out, sizeof(*out)));
	if (!ok)
		fuzz_expect_error(&e);
	return ok;
}

/* Mail turns LF into CR LF, and nothing must come of that. */
static void
add_crlf(struct str *out, struct bytes armored)
{
	const char *p = armored.ptr;

	for (size_t i = 0; i < armored.len; i++) {
		if (p[i] == '\n')
			str_add_char(out, '\r');
		str_add_char(out, p[i]);
	}
}

static void
read_message(struct bytes armored)
{
	AUTO(str_done) struct str crlf = { 0 };
	struct openpgp_message m, again;

	if (!parse(armored, &m))
		return;
	add_crlf(&crlf, armored);
	EXPECT(parse(str_bytes(&crlf), &again));
	EXPECT(memcmp(&m, &again, sizeof(m)) == 0);
}

static void
read_public_key(struct bytes armored)
{
	AUTO(str_done) struct str crlf = { 0 };
	struct err e = { 0 };

	if (openpgp_check_public_key(armored, &e)) {
		add_crlf(&crlf, armored);
		EXPECT(openpgp_check_public_key(str_bytes(&crlf), &e));
		return;
	}
	EXPECT(e.kind == ERR_DATA);
	fuzz_expect_error(&e);
}

/* Never more than went in, and the same packet with another behind it is none. */
static void
read_literal(struct bytes in)
{
	AUTO(str_done) struct str more = { 0 };
	char *room = malloc(in.len + 1);
	size_t len = 0;

	if (openpgp_literal(in, (struct span){ room, in.len }, &len)) {
		EXPECT(len < in.len);
		str_add_bytes(&more, in);
		str_add_bytes(&more, (struct bytes){ "\xcb\x06" "b\0date", 8 });
		free(room);
		room = malloc(more.len);
		/* unless the first has no end of its own */
		EXPECT(!openpgp_literal(str_bytes(&more), (struct span){ room, more.len }, &len) ||
		    *(const unsigned char *)in.ptr == 0xaf);
	}
	free(room);
}

void
fuzz_one(struct bytes in)
{
	AUTO(str_done) struct str armored = { 0 };
	unsigned form = fuzz_take(&in);

	if (form == 'l') {
		read_literal(in);
		return;
	}
	if (form == 'p' || form == 'P')
		add_armor(&armored, form == 'p' ? "MESSAGE" : "PUBLIC KEY BLOCK", in);
	else
		str_add_bytes(&armored, in);
	if (form == 'A' || form == 'P')
		read_public_key(str_bytes(&armored));
	else
		read_message(str_bytes(&armored));
}
