/* SPDX-License-Identifier: MIT */
/* grant: its lines, and every way in which they may be something else. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>
#include "base/mem.h"
#include "keystore/grant.h"

#define FROM "0123456789ABCDEF0123456789ABCDEF01234567"
#define TO "89ABCDEF0123456789ABCDEF0123456789ABCDEF"
#define SUM "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define TEXT "arver-grant 1\nfrom " FROM "\nto " TO "\nslot 7\nkeys " SUM "\n"
#define SIGNATURE "-----BEGIN PGP SIGNATURE-----\n\nabcd\n-----END PGP SIGNATURE-----\n"

static void
grant_that_is_written_is_read(void **state)
{
	const struct grant g = { .from = FROM, .to = TO, .keys = SUM, .slot = 7 };
	AUTO(str_done) struct str text = { 0 };
	struct grant back;
	struct err e = { 0 };
	bool there = false;

	(void)state;
	grant_format(&g, &text);
	assert_string_equal(str_text(&text), TEXT);
	str_add(&text, SIGNATURE "UGFkZGluZw");
	assert_true(grant_parse(str_bytes(&text), &there, &back, &e));
	assert_true(there);
	assert_string_equal(back.from, FROM);
	assert_string_equal(back.to, TO);
	assert_string_equal(back.keys, SUM);
	assert_int_equal(back.slot, 7);
	assert_int_equal(back.text.len, strlen(TEXT));
	assert_int_equal(back.signature.len, strlen(SIGNATURE));
	assert_memory_equal(back.signature.ptr, SIGNATURE, strlen(SIGNATURE));
}

static void
grant_is_absent_where_padding_is(void **state)
{
	static const char *const none[] = { "", "a", "arver-gran", "UGFkZGluZw==", "arver-grant 2\n",
		"\n" TEXT SIGNATURE };

	(void)state;
	for (size_t i = 0; i < COUNT(none); i++) {
		struct grant g;
		struct err e = { 0 };
		bool there = true;

		assert_true(grant_parse(bytes_of(none[i]), &there, &g, &e));
		assert_false(there);
	}
}

static void
grant_that_is_not_as_it_is_written_is_refused(void **state)
{
	static const char *const bad[] = {
		"arver-grant 1\n",
		TEXT,
		TEXT "-----BEGIN PGP SIGNATURE-----\n\nabcd\n",
		TEXT "x" SIGNATURE,
		TEXT "\n" SIGNATURE,
		"arver-grant 1\n" SIGNATURE,
		"arver-grant 1\nfrom " FROM "\nto " TO "\nslot 07\nkeys " SUM "\n" SIGNATURE,
		"arver-grant 1\nfrom " FROM "\nto " TO "\nslot 32\nkeys " SUM "\n" SIGNATURE,
		"arver-grant 1\nfrom " FROM "\nto " TO "\nslot -1\nkeys " SUM "\n" SIGNATURE,
		"arver-grant 1\nfrom " FROM "\nto " TO "\nslot  7\nkeys " SUM "\n" SIGNATURE,
		"arver-grant 1\nfrom " FROM "0\nto " TO "\nslot 7\nkeys " SUM "\n" SIGNATURE,
		"arver-grant 1\nfrom abcdef\nto " TO "\nslot 7\nkeys " SUM "\n" SIGNATURE,
		"arver-grant 1\nfrom " FROM "\nto 1234\nslot 7\nkeys " SUM "\n" SIGNATURE,
		"arver-grant 1\nfrom " FROM "\nto " TO "\nslot 7\nkeys 00\n" SIGNATURE,
		"arver-grant 1\nfrom " FROM "\r\nto " TO "\nslot 7\nkeys " SUM "\n" SIGNATURE,
		"arver-grant 1\nto " TO "\nfrom " FROM "\nslot 7\nkeys " SUM "\n" SIGNATURE,
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct grant g;
		struct err e = { 0 };
		bool there = false;

		if (grant_parse(bytes_of(bad[i]), &there, &g, &e))
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(e.kind, ERR_DATA);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grant_that_is_written_is_read),
		cmocka_unit_test(grant_is_absent_where_padding_is),
		cmocka_unit_test(grant_that_is_not_as_it_is_written_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
