/* SPDX-License-Identifier: MIT */
/* luks_dump_test: real dumps are understood, and nothing else is believed. */
#include "luks/luks_dump.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/file.h"
#include "luks/luks.h"

#ifndef TEST_DATA
#define TEST_DATA "tests/data"
#endif

#define N(n) (UINT32_C(1) << (n))

static struct str
dump_of(const char *name)
{
	AUTO(mem_free_drop) char *path = mem_printf("%s/luks/%s", TEST_DATA, name);
	struct str text = { 0 };
	struct err e = { 0 };

	if (!file_read_at(AT_FDCWD, path, 65536, &text, &e))
		fail_msg("%s", e.text);
	return text;
}

static void
luks_dump_of_real_headers_is_understood(void **state)
{
	static const struct {
		const char *file;
		unsigned version, key_bits, sector_size, n_slots;
		const char *cipher;
		uint32_t active;
	} cases[] = {
		{ "luks1-two-slots", 1, 512, 512, 8, "aes-xts-plain64", N(0) | N(7) },
		{ "luks1-no-slot", 1, 512, 512, 8, "aes-xts-plain64", 0 },
		{ "luks1-old-cipher", 1, 256, 512, 8, "aes-cbc-essiv:sha256", N(3) },
		{ "luks2-two-slots", 2, 512, 4096, 32, "aes-xts-plain64", N(0) | N(31) },
		{ "luks2-no-slot", 2, 0, 4096, 32, "aes-xts-plain64", 0 },
		{ "luks2-label-token-unbound", 2, 512, 4096, 32, "aes-xts-plain64",
		    N(0) | N(9) | N(31) },
		{ "luks2-in-reencryption", 2, 512, 512, 32, "aes-xts-plain64",
		    N(0) | N(1) | N(2) | N(3) },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(str_done) struct str text = dump_of(cases[i].file);
		struct luks_header h;
		struct err e = { 0 };

		if (!luks_dump_parse(str_bytes(&text), &h, &e))
			fail_msg("%s: %s", cases[i].file, e.text);
		assert_int_equal(h.version, cases[i].version);
		assert_int_equal(h.key_bits, cases[i].key_bits);
		assert_int_equal(h.sector_size, cases[i].sector_size);
		assert_int_equal(h.n_slots, cases[i].n_slots);
		assert_string_equal(h.cipher, cases[i].cipher);
		assert_int_equal(luks_active(&h), cases[i].active);
		assert_int_equal(strlen(h.uuid), LUKS_UUID_LEN);
	}
}

static void
luks_dump_tells_each_slot_s_key(void **state)
{
	AUTO(str_done) struct str one = dump_of("luks1-two-slots"), two = dump_of("luks2-two-slots");
	struct luks_header h;
	struct err e = { 0 };

	(void)state;
	assert_true(luks_dump_parse(str_bytes(&one), &h, &e));
	assert_string_equal(h.slots[7].kdf, "pbkdf2");
	assert_int_equal(h.slots[7].iterations, 1000);
	assert_int_equal(strlen(h.slots[7].salt), 64);
	assert_string_not_equal(h.slots[0].salt, h.slots[7].salt);
	assert_string_equal(h.slots[1].salt, "");
	assert_true(luks_dump_parse(str_bytes(&two), &h, &e));
	assert_string_equal(h.slots[0].kdf, "argon2id");
	assert_int_equal(h.slots[0].iterations, 4);
	assert_int_equal(h.slots[0].memory_kib, 65536);
	assert_false(h.slots[0].preferred);
	assert_true(h.slots[31].preferred);
	assert_int_equal(h.slots[31].memory_kib, 0);
	assert_int_equal(strlen(h.slots[31].salt), 64);
}

/* Every cut before the last thing that matters is noticed: nothing is told of half a dump. */
static void
luks_dump_cut_short_is_refused(void **state)
{
	(void)state;
	for (int v = 1; v <= 2; v++) {
		AUTO(str_done) struct str text = dump_of(v == 1 ? "luks1-two-slots" : "luks2-two-slots");
		const char *end = v == 1 ? strstr(strstr(text.ptr, "Key Slot 7:"), "\tKey material") - 2 :
					   strstr(text.ptr, "Digests:");
		struct luks_header h;
		struct err e = { 0 };

		for (size_t len = 0; len < (size_t)(end - text.ptr); len++)
			assert_false(luks_dump_parse((struct bytes){ text.ptr, len }, &h, &e));
		assert_true(luks_dump_parse(str_bytes(&text), &h, &e));
	}
}

static void
replace(struct str *text, const char *from, const char *to)
{
	char *at = strstr(text->ptr, from);
	struct str changed = { 0 };

	assert_non_null(at);
	str_add_bytes(&changed, (struct bytes){ text->ptr, (size_t)(at - text->ptr) });
	str_add(&changed, to);
	str_add(&changed, at + strlen(from));
	str_done(text);
	*text = changed;
}

static void
luks_dump_that_lies_is_refused(void **state)
{
	static const struct { const char *file, *from, *to; } cases[] = {
		/* out of range */
		{ "luks2-two-slots", "Version:       \t2", "Version:       \t3" },
		{ "luks2-two-slots", "Version:       \t2", "Version:       \t0" },
		{ "luks2-two-slots", "Version:       \t2", "Version:       \t" },
		{ "luks2-two-slots", "Version:       \t2", "Version:       \t2x" },
		{ "luks2-two-slots", "  31: luks2", "  32: luks2" },
		{ "luks2-two-slots", "  31: luks2", "  -1: luks2" },
		{ "luks2-two-slots", "  31: luks2", "  99999999999999999999: luks2" },
		{ "luks2-two-slots", "  31: luks2", "  x: luks2" },
		{ "luks2-two-slots", "sector: 4096", "sector: 4095" },
		{ "luks2-two-slots", "sector: 4096", "sector: 8192" },
		{ "luks2-two-slots", "sector: 4096", "sector: 256" },
		{ "luks2-two-slots", "Key:        512", "Key:        513" },
		{ "luks2-two-slots", "Key:        512", "Key:        51200" },
		{ "luks2-two-slots", "Iterations: 1000", "Iterations: 4294967296" },
		{ "luks2-two-slots", "Memory:     65536", "Memory:     much" },
		{ "luks2-two-slots", "PBKDF:      argon2id", "PBKDF:      a-word-that-is-too-long" },
		{ "luks2-two-slots", "PBKDF:      argon2id", "PBKDF:      ar\033gon" },
		{ "luks2-two-slots", "Priority:   ignored", "Priority:   high" },
		{ "luks2-two-slots", "cipher: aes-xts-plain64", "cipher: aes xts" },
		{ "luks2-two-slots", "8000-000000000003", "8000-00000000000g" },
		{ "luks2-two-slots", "8000-000000000003", "8000-0000000000033" },
		{ "luks2-two-slots", "8000-000000000003", "8000x000000000003" },
		{ "luks1-two-slots", "Key Slot 7: ENABLED", "Key Slot 8: ENABLED" },
		{ "luks1-two-slots", "Key Slot 7: ENABLED", "Key Slot 7: PERHAPS" },
		{ "luks1-two-slots", "MK bits:       \t512", "MK bits:       \t0" },
		/* twice */
		{ "luks2-two-slots", "  31: luks2", "  0: luks2" },
		{ "luks2-two-slots", "Label:", "UUID: 6b1e0000-0000-4000-8000-000000000003\nLabel:" },
		{ "luks2-two-slots", "Label:", "Version: 2\nLabel:" },
		{ "luks2-two-slots", "\tPriority:   ignored", "\tPriority:   ignored\n\tPriority: normal" },
		{ "luks2-two-slots", "\tTime cost:  4", "\tTime cost:  4\n\tIterations: 5" },
		{ "luks2-two-slots", "Tokens:", "Keyslots:" },
		{ "luks2-two-slots", "Tokens:", "Tokens:\nTokens:" },
		{ "luks1-two-slots", "Key Slot 6:", "Key Slot 5:" },
		{ "luks1-two-slots", "MK bits:", "Cipher name:\taes\nMK bits:" },
		/* missing */
		{ "luks2-two-slots", "\tPriority:   ignored\n", "" },
		{ "luks2-two-slots", "\tMemory:     65536\n", "" },
		{ "luks2-two-slots", "\tTime cost:  4\n", "" },
		{ "luks2-two-slots", "\tsector: 4096 [bytes]\n", "" },
		{ "luks2-two-slots", "Tokens:\n", "" },
		{ "luks2-two-slots", "Keyslots:\n", "" },
		{ "luks2-two-slots", "\tSalt:", "\tPepper:" },
		{ "luks1-two-slots", "Key Slot 4: DISABLED\n", "" },
		{ "luks1-two-slots", "UUID:", "uuid:" },
		{ "luks1-two-slots", "Version:", "version:" },
		/* a label or a token that pretends to be more */
		{ "luks2-two-slots", "(no label)", "x\nKeyslots:\n  3: luks2" },
		{ "luks2-two-slots", "(no label)", "x\n\nData segments:\n  0: crypt\n\tcipher: null" },
		{ "luks2-two-slots", "(no label)", "x\nDigests:" },
		{ "luks2-two-slots", "Tokens:\n", "Tokens:\n  0: x\nKeyslots:\n" },
		{ "luks2-two-slots", "Tokens:\n", "Tokens:\n  0: x\nUUID: \t6b1e0000\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(str_done) struct str text = dump_of(cases[i].file);
		struct luks_header h, untouched;
		struct err e = { 0 };

		memset(&h, 7, sizeof(h));
		untouched = h;
		replace(&text, cases[i].from, cases[i].to);
		if (luks_dump_parse(str_bytes(&text), &h, &e))
			fail_msg("%s with \"%s\" was believed", cases[i].file, cases[i].to);
		assert_int_equal(e.kind, ERR_DISK);
		assert_memory_equal(&h, &untouched, sizeof(h));
	}
}

static void
luks_dump_salt_is_hex_and_not_too_long(void **state)
{
	static const char *const salts[] = { "zz", "0", "00  11", "0011", "00-11",
		"00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
		"00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
		"00 00 00 00 00 00 00" };

	(void)state;
	for (size_t i = 0; i < COUNT(salts); i++) {
		AUTO(str_done) struct str text = dump_of("luks1-no-slot"), slot = { 0 };
		struct luks_header h;
		struct err e = { 0 };

		str_addf(&slot, "Key Slot 2: ENABLED\n\tIterations: 5\n\tSalt: %s\n", salts[i]);
		replace(&text, "Key Slot 2: DISABLED\n", slot.ptr);
		assert_false(luks_dump_parse(str_bytes(&text), &h, &e));
	}
}

static void
luks_dump_of_anything_else_is_refused(void **state)
{
	static const char *const texts[] = { "", "\n", ":", "Version:", "Version: 1", "\0\0",
		"Device x is not a valid LUKS device.\n", "Key Slot ", "  0: luks2\n", "\tSalt: 00\n" };
	struct luks_header h;
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		assert_false(luks_dump_parse(bytes_of(texts[i]), &h, &e));
	assert_false(luks_dump_parse((struct bytes){ NULL, 0 }, &h, &e));
}

/* Every byte of a real dump changed in turn: no answer is out of range. */
static void
luks_dump_with_any_byte_changed_stays_in_range(void **state)
{
	static const char bytes[] = { 0, '\n', ' ', ':', '9', 'x', '\t', (char)0xff };

	(void)state;
	for (int v = 0; v < 2; v++) {
		AUTO(str_done) struct str text = dump_of(v ? "luks2-two-slots" : "luks1-two-slots");

		for (size_t i = 0; i < text.len * COUNT(bytes); i++) {
			char *at = &text.ptr[i / COUNT(bytes)], was = *at;
			struct luks_header h;
			struct err e = { 0 };

			*at = bytes[i % COUNT(bytes)];
			if (luks_dump_parse(str_bytes(&text), &h, &e)) {
				assert_true(h.version == 1 || h.version == 2);
				assert_int_equal(strlen(h.uuid), LUKS_UUID_LEN);
				assert_true(h.sector_size >= 512 && h.sector_size <= 4096);
				assert_true(h.n_slots == 32 || luks_active(&h) < 256);
			}
			*at = was;
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(luks_dump_of_real_headers_is_understood),
		cmocka_unit_test(luks_dump_tells_each_slot_s_key),
		cmocka_unit_test(luks_dump_cut_short_is_refused),
		cmocka_unit_test(luks_dump_that_lies_is_refused),
		cmocka_unit_test(luks_dump_salt_is_hex_and_not_too_long),
		cmocka_unit_test(luks_dump_of_anything_else_is_refused),
		cmocka_unit_test(luks_dump_with_any_byte_changed_stays_in_range),
	};

	return cmocka_run_group_tests_name("luks_dump", tests, NULL, NULL);
}
