/* SPDX-License-Identifier: MIT */
/*
 * keystore/openpgp: 'a' and armored text, 'p' and packets that get their armor here, for else no
 * chance would find the checksum.
 */
#include "keystore/openpgp.h"

#include <stdint.h>
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
add_armor(struct str *out, struct bytes b)
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
	str_add(out, "-----BEGIN PGP MESSAGE-----\n\n");
	add_base64(out, b);
	str_add(out, "\n=");
	add_base64(out, (struct bytes){ sum, 3 });
	str_add(out, "\n-----END PGP MESSAGE-----\n");
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
expect_same_with_crlf(struct bytes armored, const struct openpgp_message *want)
{
	AUTO(str_done) struct str crlf = { 0 };
	const char *p = armored.ptr;
	struct openpgp_message got;

	for (size_t i = 0; i < armored.len; i++) {
		if (p[i] == '\n')
			str_add_char(&crlf, '\r');
		str_add_char(&crlf, p[i]);
	}
	EXPECT(parse(str_bytes(&crlf), &got));
	EXPECT(memcmp(&got, want, sizeof(got)) == 0);
}

void
fuzz_one(struct bytes in)
{
	AUTO(str_done) struct str armored = { 0 };
	struct openpgp_message m;

	if (fuzz_take(&in) == 'p')
		add_armor(&armored, in);
	else
		str_add_bytes(&armored, in);
	if (parse(str_bytes(&armored), &m))
		expect_same_with_crlf(str_bytes(&armored), &m);
}
