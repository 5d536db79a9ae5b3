/* SPDX-License-Identifier: MIT */
/* openpgp: messages put together by hand, whole, odd and broken. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>
#include "keystore/openpgp.h"

/* Session keys: version, key id, algorithm, numbers. */
#define ID "\x01\x23\x45\x67\x89\xab\xcd\xef"
#define RSA_BODY "\x03" ID "\x01" "\x00\x10\xff\xff"			/* 14 bytes */
#define ELG_BODY "\x03" ID "\x10" "\x00\x10\xff\xff" "\x00\x09\x01\xff" /* 18 */
#define ECDH_BODY "\x03" ID "\x12" "\x00\x07\x40" "\x03" "abc"		/* 17 */
#define RSA_KEY "\xc1\x0e" RSA_BODY
#define DATA "\xd2\x05" "\x01" "data"
#define B(text) { text, sizeof(text) - 1 }

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
		if (i % 48 == 45)
			str_add(out, "\n");
	}
}

static void
add_armor_of(struct str *out, const char *kind, struct bytes b)
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
	str_addf(out, "-----BEGIN PGP %s-----\n\n", kind);
	add_base64(out, b);
	str_add(out, "\n=");
	add_base64(out, (struct bytes){ sum, 3 });
	str_addf(out, "\n-----END PGP %s-----\n", kind);
}

static void
add_armor(struct str *out, struct bytes b)
{
	add_armor_of(out, "MESSAGE", b);
}

/* Parsed from memory that ends with the text. */
static bool
parse_text(struct bytes text, struct openpgp_message *out, struct err *e)
{
	char *copy = malloc(text.len ? text.len : 1);
	bool ok;

	memcpy(copy, text.len ? text.ptr : "", text.len);
	ok = openpgp_parse((struct bytes){ copy, text.len }, out, e);
	free(copy);
	if (!ok && e)
		assert_int_equal(e->kind, ERR_DATA);
	return ok;
}

static bool
parse(struct bytes b, struct openpgp_message *out, struct err *e)
{
	AUTO(str_done) struct str text = { 0 };

	add_armor(&text, b);
	return parse_text(str_bytes(&text), out, e);
}

static void
openpgp_parse_reads_each_algorithm(void **state)
{
	static const struct { struct bytes b; unsigned algorithm; size_t mpi[2]; } cases[] = {
		{ B("\xc1\x0e" RSA_BODY DATA), 1, { 2, 0 } },
		{ B("\xc1\x12" ELG_BODY DATA), 16, { 2, 2 } },
		{ B("\xc1\x11" ECDH_BODY DATA), 18, { 1, 3 } },
		{ B("\xc1\x0c\x03" ID "\x63zz" DATA), 99, { 0, 0 } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct openpgp_message m = { 0 };
		struct err e = { 0 };

		if (!parse(cases[i].b, &m, &e))
			fail_msg("%zu: %s", i, e.text);
		assert_int_equal(m.n_recipients, 1);
		assert_true(m.recipients[0].key_id == 0x0123456789abcdef);
		assert_int_equal(m.recipients[0].algorithm, cases[i].algorithm);
		assert_int_equal(m.recipients[0].mpi_bytes[0], cases[i].mpi[0]);
		assert_int_equal(m.recipients[0].mpi_bytes[1], cases[i].mpi[1]);
		assert_int_equal(m.data_bytes, 5);
	}
}

static void
openpgp_parse_reads_each_form_of_length(void **state)
{
	static const struct bytes cases[] = {
		B("\xc1\xff\x00\x00\x00\x0e" RSA_BODY DATA),
		B("\x84\x0e" RSA_BODY DATA),		  /* old form, one byte */
		B("\x85\x00\x0e" RSA_BODY DATA),	  /* two */
		B("\x86\x00\x00\x00\x0e" RSA_BODY DATA), /* four */
		B(RSA_KEY "\xd2\xe2" "\x01" "dat" "\x01" "a"),	/* four bytes and one more */
		B(RSA_KEY "\xd2\xe0" "\x01" "\xe1" "da" "\x02" "ta"),
		B(RSA_KEY "\xd4\x05\x01" "data"),	  /* the packet of GnuPG 2.3 */
		B(RSA_KEY "\xd2\xe2" "\x01" "dat" "\xff\x00\x00\x00\x01" "a"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct openpgp_message m = { 0 };
		struct err e = { 0 };

		if (!parse(cases[i], &m, &e))
			fail_msg("%zu: %s", i, e.text);
		assert_int_equal(m.n_recipients, 1);
		assert_int_equal(m.data_bytes, 5);
	}
}

/* "\xc0" 192 bytes: the length of two bytes, and a data packet of old form to the end. */
static void
openpgp_parse_reads_long_packets(void **state)
{
	AUTO(str_done) struct str b = { 0 };
	struct openpgp_message m = { 0 };
	struct err e = { 0 };

	(void)state;
	str_add_bytes(&b, (struct bytes)B(RSA_KEY "\xd2\xc0\x08\x01"));
	for (int i = 0; i < 199; i++)
		str_add_char(&b, 'x');
	assert_true(parse(str_bytes(&b), &m, &e));
	assert_int_equal(m.data_bytes, 200);
}

static void
openpgp_parse_counts_recipients_and_shows_hidden_ones(void **state)
{
	static const struct bytes two =
	    B(RSA_KEY "\xc1\x0e\x03\0\0\0\0\0\0\0\0\x01\x00\x10\xff\xff" DATA);
	AUTO(str_done) struct str many = { 0 };
	struct openpgp_message m = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_true(parse(two, &m, &e));
	assert_int_equal(m.n_recipients, 2);
	assert_true(m.recipients[1].key_id == 0);
	for (int i = 0; i < OPENPGP_MAX_RECIPIENTS; i++)
		str_add_bytes(&many, (struct bytes)B(RSA_KEY));
	str_add_bytes(&many, (struct bytes)B(DATA));
	assert_true(parse(str_bytes(&many), &m, &e));
	assert_int_equal(m.n_recipients, OPENPGP_MAX_RECIPIENTS);
	str_clear(&many);
	for (int i = 0; i <= OPENPGP_MAX_RECIPIENTS; i++)
		str_add_bytes(&many, (struct bytes)B(RSA_KEY));
	str_add_bytes(&many, (struct bytes)B(DATA));
	assert_false(parse(str_bytes(&many), &m, &e));
	assert_int_equal(m.n_recipients, OPENPGP_MAX_RECIPIENTS); /* as it was */
}

static void
openpgp_parse_refuses_other_messages(void **state)
{
	static const struct { struct bytes b; const char *want; } cases[] = {
		{ B(""), "cut off" },
		{ B(DATA), "not what a key file is" },
		{ B(RSA_KEY), "cut off" },
		{ B("\xc3\x04\x04\x09\x00\x08" DATA), "with a password" },
		{ B(RSA_KEY "\xc3\x04\x04\x09\x00\x08" DATA), "with a password" },
		{ B("\xc4\x01x"), "signed" },
		{ B("\xc8\x01x"), "not encrypted" },
		{ B("\xcb\x01x"), "not encrypted" },
		{ B(RSA_KEY "\xc9\x01x"), "without protection" },
		{ B(RSA_KEY DATA "\xd2\x01\x01"), "more behind" },
		{ B(RSA_KEY DATA "x"), "more behind" },
		{ B("\x41"), "damaged" },
		{ B("\xc1\x0e\x02" ID "\x01\x00\x10\xff\xff" DATA), "an unknown form" },
		{ B("\xc1\x0f" RSA_BODY "x" DATA), "an unknown form" },
		{ B("\xc1\x0d\x03" ID "\x01\x00\x10\xff" DATA), "an unknown form" },
		{ B("\xe1" RSA_BODY), "not what" },
		{ B("\xc1\xe2" RSA_BODY), "cut off" },
		{ B(RSA_KEY "\xd2\xff\xff\xff\xff\xff\x01" "data"), "cut off" },
		{ B(RSA_KEY "\xd2\xfe\x01" "data"), "cut off" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct openpgp_message m = { 0 };
		struct err e = { 0 };

		if (parse(cases[i].b, &m, &e) || !strstr(e.text, cases[i].want))
			fail_msg("%zu: %s", i, e.text);
	}
}

static void
openpgp_parse_reads_armor_strictly(void **state)
{
	static const struct { const char *from, *to; bool want; } changes[] = {
		{ "", "", true },
		{ "-----\n\n", "-----\nVersion: GnuPG v2\nComment: hello\n\n", true },
		{ "-----BEGIN", "\n \n-----BEGIN", true },
		{ "-----BEGIN", "hello\n-----BEGIN", false },
		{ "-----\n\n", "-----\n", false },
		{ "-----\n\n", "-----\nhello\n\n", false },
		{ "MESSAGE-----\n\n", "SIGNATURE-----\n\n", false },
		{ "\n-----END", "\n\n-----END", false },
		{ "-----END", "-----ENDE", false },
		{ "END PGP MESSAGE-----\n", "END PGP MESSAGE-----\n\n\n", true },
		{ "END PGP MESSAGE-----\n", "END PGP MESSAGE-----", true },
		{ "END PGP MESSAGE-----\n", "END PGP MESSAGE-----\nmore\n", false },
		{ "\n=", "\n==", false },
		{ "\n=", "\nAAAA\n=", false },
		{ "wQ4D", "wQ4E", false },
		{ "wQ4D", "wQ=D", false },
		{ "wQ4D", "wQ!D", false },
		{ "wQ4D", "w\nQ4D", true },
		{ "-----END PGP MESSAGE-----\n", "", false },
	};
	AUTO(str_done) struct str text = { 0 };

	(void)state;
	add_armor(&text, (struct bytes)B(RSA_KEY DATA));
	for (size_t i = 0; i < COUNT(changes); i++) {
		AUTO(str_done) struct str changed = { 0 };
		const char *at = strstr(text.ptr, changes[i].from);
		struct openpgp_message m;

		assert_non_null(at);
		str_add_bytes(&changed, (struct bytes){ text.ptr, (size_t)(at - text.ptr) });
		str_add(&changed, changes[i].to);
		str_add(&changed, at + strlen(changes[i].from));
		if (parse_text(str_bytes(&changed), &m, NULL) != changes[i].want)
			fail_msg("%zu:\n%s", i, changed.ptr);
	}
}

static void
openpgp_parse_takes_crlf_line_ends(void **state)
{
	AUTO(str_done) struct str text = { 0 }, crlf = { 0 };
	struct openpgp_message m;

	(void)state;
	add_armor(&text, (struct bytes)B(RSA_KEY DATA));
	for (const char *p = text.ptr; *p; p++) {
		if (*p == '\n')
			str_add_char(&crlf, '\r');
		str_add_char(&crlf, *p);
	}
	assert_true(parse_text(str_bytes(&crlf), &m, NULL));
}

static void
openpgp_parse_of_every_piece_is_refused(void **state)
{
	static const struct bytes b = B("\xc1\x11" ECDH_BODY RSA_KEY "\xd2\xe2" "\x01" "dat"
	    "\x01" "a");
	AUTO(str_done) struct str text = { 0 };
	struct openpgp_message m;

	(void)state;
	for (size_t len = 0; len < b.len; len++)
		assert_false(parse((struct bytes){ b.ptr, len }, &m, NULL));
	add_armor(&text, b);
	for (size_t len = 0; len + 1 < text.len; len++)
		assert_false(parse_text((struct bytes){ text.ptr, len }, &m, NULL));
	for (size_t i = 0; i < text.len; i++) {
		for (int c = 0; c < 256; c += 15) {
			AUTO(str_done) struct str changed = { 0 };

			str_add_bytes(&changed, str_bytes(&text));
			changed.ptr[i] = (char)c;
			(void)!parse_text(str_bytes(&changed), &m, NULL);
		}
	}
}

static void
openpgp_check_public_key_takes_what_keys_are_made_of(void **state)
{
	static const struct { struct bytes b; const char *fault; } cases[] = {
		{ B("\xc6\x01k\xcd\x01u\xc2\x01s\xce\x01k\xc2\x01s"), NULL },
		{ B("\x98\x01k\xb4\x01u\x88\x01s\xb8\x01k\x88\x01s"), NULL }, /* the old form */
		{ B("\xc5\x01k\xc7\x01k\xcc\x01t\xd1\x01p"), NULL }, /* gpg says whose, and if secret */
		{ B(""), NULL },
		{ B("\xc6\x02k"), "is cut off" },
		{ B("\xc6\xe1kk\x01k"), "is cut off" }, /* in parts */
		{ B("\x9bkkkk"), "is cut off" }, /* without a length */
		{ B("\xc6\xff\xff\xff\xff\xffk"), "is cut off" },
		{ B("kkk"), "is damaged" },
		{ B("\xc6\x01k\xa3\x01zip"), "a packet of type 8," },
		{ B("\xc6\x01k\xc8\x02\x01z"), "a packet of type 8," },
		{ B("\xc6\x01k\xca\x03PGP"), "a packet of type 10," },
		{ B("\xc6\x01k\xcb\x02tt"), "a packet of type 11," },
		{ B("\xc6\x01k\xd2\x02tt"), "a packet of type 18," },
		{ B("\xc6\x01k\xfd\x02tt"), "a packet of type 61," },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(str_done) struct str text = { 0 };
		struct err e = { 0 };

		add_armor_of(&text, "PUBLIC KEY BLOCK", cases[i].b);
		if (openpgp_check_public_key(str_bytes(&text), &e) != !cases[i].fault)
			fail_msg("%zu: %s", i, e.text);
		if (cases[i].fault && !strstr(e.text, cases[i].fault))
			fail_msg("%zu: %s", i, e.text);
	}
}

/* Not every program writes a checksum, and none needs to, on a key. */
static void
openpgp_check_public_key_reads_armor_strictly(void **state)
{
	static const struct { const char *text; bool want; } cases[] = {
		{ "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nxgFr\n"
		  "-----END PGP PUBLIC KEY BLOCK-----\n", true },
		{ "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nxgFr\n=AAAA\n"
		  "-----END PGP PUBLIC KEY BLOCK-----\n", false },
		{ "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nxgFrx\n"
		  "-----END PGP PUBLIC KEY BLOCK-----\n", false },
		{ "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nxgFr\n"
		  "-----END PGP MESSAGE-----\n", false },
		{ "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nxgFr\n"
		  "-----END PGP PUBLIC KEY BLOCK-----\nmore\n", false },
		{ "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nxgFr\n", false },
		{ "-----BEGIN PGP MESSAGE-----\n\nxgFr\n-----END PGP MESSAGE-----\n", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (openpgp_check_public_key(bytes_of(cases[i].text), NULL) != cases[i].want)
			fail_msg("%zu", i);
}

/* Between memory that ends with the packets and memory that they just fit into. */
static bool
literal(struct bytes packets, struct str *out)
{
	char *copy = malloc(packets.len ? packets.len : 1), *room = malloc(packets.len + 1);
	size_t len = SIZE_MAX;
	bool ok;

	memcpy(copy, packets.len ? packets.ptr : "", packets.len);
	ok = openpgp_literal((struct bytes){ copy, packets.len }, (struct span){ room, packets.len }, &len);
	str_clear(out);
	if (ok)
		str_add_bytes(out, (struct bytes){ room, len });
	free(copy);
	free(room);
	return ok;
}

#define HEAD "b\x02nm\x00\x01\x02\x03" /* kind, name, date: 8 bytes */

static void
openpgp_literal_takes_plain_text_out(void **state)
{
	static const struct { struct bytes packets; const char *text; } cases[] = {
		{ B("\xcb\x0c" HEAD "text"), "text" },
		{ B("\xcb\x08" HEAD), "" },
		{ B("\xcb\xe3" HEAD "\xe1te\x02xt"), "text" },	/* in chunks */
		{ B("\xcb\xe3" HEAD "\x00"), "" },
		{ B("\xac\x0c" HEAD "text"), "text" },		/* the old form */
		{ B("\xaf" HEAD "text"), "text" },		/* to the end */
		{ B("\xcb\x06" "b\x00" "date"), "" },
	};
	AUTO(str_done) struct str text = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_true(literal(cases[i].packets, &text));
		assert_string_equal(str_text(&text), cases[i].text);
		for (size_t len = 0; len < cases[i].packets.len; len++)
			if (literal((struct bytes){ cases[i].packets.ptr, len }, &text))
				assert_int_equal(((const unsigned char *)cases[i].packets.ptr)[0], 0xaf);
	}
}

static void
openpgp_literal_leaves_all_else_to_gpg(void **state)
{
	static const struct bytes cases[] = {
		B("\xcb\x0c" "t\x02nm\x00\x01\x02\x03" "text"),	/* line ends to be changed */
		B("\xcb\x0c" "u\x02nm\x00\x01\x02\x03" "text"),
		B("\xcb\x0c" HEAD "text" "\xcb\x08" HEAD),		/* one more packet */
		B("\xcb\x0c" HEAD "text" "x"),
		B("\xcb\x0d" HEAD "text"),				/* cut off */
		B("\xcb\x0c" "b\x09nm\x00\x01\x02\x03" "text"),	/* a name beyond the end */
		B("\xcb\xe3" HEAD "\xe1te"),				/* no last chunk */
		B("\xcb\xe2" "b\x02nm" "\x08\x00\x01\x02\x03" "text"), /* a head in two chunks */
		B("\xc8\x0c" HEAD "text"),				/* compressed */
		B("\x0b\x0c" HEAD "text"),				/* no packet */
		B(""),
	};
	AUTO(str_done) struct str text = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (literal(cases[i], &text))
			fail_msg("%zu", i);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(openpgp_parse_reads_each_algorithm),
		cmocka_unit_test(openpgp_parse_reads_each_form_of_length),
		cmocka_unit_test(openpgp_parse_reads_long_packets),
		cmocka_unit_test(openpgp_parse_counts_recipients_and_shows_hidden_ones),
		cmocka_unit_test(openpgp_parse_refuses_other_messages),
		cmocka_unit_test(openpgp_parse_reads_armor_strictly),
		cmocka_unit_test(openpgp_parse_takes_crlf_line_ends),
		cmocka_unit_test(openpgp_parse_of_every_piece_is_refused),
		cmocka_unit_test(openpgp_check_public_key_takes_what_keys_are_made_of),
		cmocka_unit_test(openpgp_check_public_key_reads_armor_strictly),
		cmocka_unit_test(openpgp_literal_takes_plain_text_out),
		cmocka_unit_test(openpgp_literal_leaves_all_else_to_gpg),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
