/* SPDX-License-Identifier: MIT */
/*
 * keyfile: plaintexts old and new, whole and broken, and what Ruby makes of
 * ours and we of Ruby's (skipped where there is no ruby).
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>
#include <zlib.h>
#include "base/secret.h"
#include "gpg_home.h"
#include "keystore/keyfile.h"

#define YAML "---\n\"/a\":\n  :key: K\n  :time: 5.0\n"

static bool
parse(struct bytes b, struct entry_list *out, struct err *e)
{
	AUTO(secret_drop) struct secret *s = secret_from(b);

	return keyfile_parse(secret_bytes(s), out, NULL, e);
}

static struct secret *
format(const struct entry_list *l, const char *grant)
{
	AUTO(secret_drop) struct secret *stream = keyfile_pack(l);

	return keyfile_wrap(stream, bytes_of(grant));
}

static void
deflate_text(struct bytes text, struct str *out)
{
	uLongf len = compressBound(text.len);
	AUTO(mem_free_drop) unsigned char *packed = mem_alloc(len, 1);

	assert_int_equal(compress(packed, &len, text.ptr, text.len), Z_OK);
	str_add_bytes(out, (struct bytes){ packed, len });
}

/* MARKER LF body LF MARKER tail */
static void
wrap(struct bytes body, const char *tail, struct str *out)
{
	str_add(out, "--bWFya2Vy\n");
	str_add_bytes(out, body);
	str_add(out, "\n--bWFya2Vy");
	str_add(out, tail);
}

static void
expect_one_key(struct bytes plain)
{
	AUTO(entry_list_done) struct entry_list l = { 0 };
	struct err e = { 0 };

	if (!parse(plain, &l, &e))
		fail_msg("%s", e.text);
	assert_int_equal(l.n, 1);
	assert_string_equal(l.at[0].path, "/a");
}

static void
keyfile_parse_reads_every_form(void **state)
{
	static const char *const tails[] = { "\npadding", "\n", "", "\npad\npad\n" };

	(void)state;
	expect_one_key(bytes_of(YAML));
	expect_one_key(bytes_of("--- \n/a: K\n"));
	for (size_t i = 0; i < COUNT(tails); i++) {
		AUTO(str_done) struct str packed = { 0 }, deflated = { 0 }, padded = { 0 };

		deflate_text(bytes_of(YAML), &packed);
		wrap(str_bytes(&packed), tails[i], &deflated);
		expect_one_key(str_bytes(&deflated));
		wrap(bytes_of(YAML), tails[i], &padded);
		expect_one_key(str_bytes(&padded));
	}
}

/* Texts until the stream ends in `last`; Ruby's chomp would cut it short. */
static void
keyfile_parse_reads_streams_that_end_in_cr_and_lf(void **state)
{
	static const unsigned char lasts[] = { '\r', '\n' };

	(void)state;
	for (size_t i = 0; i < sizeof(lasts); i++) {
		AUTO(str_done) struct str text = { 0 }, packed = { 0 }, plain = { 0 };

		str_add(&text, YAML);
		do {
			str_add(&text, "#");
			str_clear(&packed);
			deflate_text(str_bytes(&text), &packed);
		} while ((unsigned char)packed.ptr[packed.len - 1] != lasts[i]);
		wrap(str_bytes(&packed), "\npadding", &plain);
		expect_one_key(str_bytes(&plain));
	}
}

static void
keyfile_parse_refuses_what_is_broken(void **state)
{
	AUTO(str_done) struct str packed = { 0 }, garbage = { 0 }, whole = { 0 };
	static const char *const texts[] = { "", "\n", "--", "--\n", "--x", "--x\n", "--x\ny\n",
	    "--x\n\n--x\n",
		"--x\n--x\n", "x\ny\nx\n", "--x\n--- {}\n--x\n--x", "--x\nyyyy\n--xx\n--x y\n",
		"--x\n\x78\x9c\n--x\n" };

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		AUTO(entry_list_done) struct entry_list l = { 0 };
		struct err e = { 0 };
		bool ok = parse(bytes_of(texts[i]), &l, &e);

		if (strstr(texts[i], "--- {}")) {
			assert_true(ok); /* what stands behind the second marker is padding */
			continue;
		}
		if (ok)
			fail_msg("taken: %s", texts[i]);
		assert_int_equal(e.kind, ERR_DATA);
	}
	deflate_text(bytes_of(YAML), &packed);
	for (size_t len = 0; len < packed.len; len++) {
		AUTO(str_done) struct str plain = { 0 };
		AUTO(entry_list_done) struct entry_list l = { 0 };

		wrap((struct bytes){ packed.ptr, len }, "\nx", &plain);
		assert_false(parse(str_bytes(&plain), &l, NULL));
	}
	str_add_bytes(&garbage, str_bytes(&packed));
	str_add(&garbage, "x"); /* behind the stream */
	wrap(str_bytes(&garbage), "\nx", &whole);
	{
		AUTO(entry_list_done) struct entry_list l = { 0 };

		assert_false(parse(str_bytes(&whole), &l, NULL));
	}
}

static void
keyfile_parse_of_a_bomb_stops_at_the_cap(void **state)
{
	AUTO(str_done) struct str text = { 0 }, packed = { 0 }, plain = { 0 };
	AUTO(entry_list_done) struct entry_list l = { 0 };
	AUTO(mem_free_drop) char *blanks = mem_alloc((size_t)17 << 20, 1);
	struct err e = { 0 };

	(void)state;
	memset(blanks, '\n', (size_t)17 << 20);
	str_add(&text, YAML);
	str_add_bytes(&text, (struct bytes){ blanks, (size_t)17 << 20 });
	deflate_text(str_bytes(&text), &packed);
	assert_true(packed.len < 30000);
	wrap(str_bytes(&packed), "\n", &plain);
	assert_false(parse(str_bytes(&plain), &l, &e));
	assert_int_equal(e.kind, ERR_DATA);
	assert_non_null(strstr(e.text, "unpacks to more"));
}

static void
add_entries(struct entry_list *l, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct entry *x = entry_list_add(l);

		x->path = mem_printf("/colo/web%zu/data", l->n);
		x->key = secret_random_base64(192);
		x->time = 1795241511.623773 + (double)i;
	}
}

static void
keyfile_wrap_has_one_length_and_steps_far_up(void **state)
{
	static const struct { size_t n_keys, len; } cases[] = {
		{ 0, 200232 }, { 1, 200232 }, { 2, 200232 }, { 100, 200232 }, { 700, 200232 },
		    { 1200, 400232 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(entry_list_done) struct entry_list l = { 0 }, back = { 0 };
		AUTO(secret_drop) struct secret *s = NULL;
		struct err e = { 0 };

		add_entries(&l, cases[i].n_keys);
		s = format(&l, "");
		assert_int_equal(secret_bytes(s).len, cases[i].len);
		assert_true(keyfile_parse(secret_bytes(s), &back, NULL, &e));
		assert_int_equal(back.n, l.n);
	}
}

static void
keyfile_wrap_has_the_same_length_with_a_grant_which_comes_back(void **state)
{
	AUTO(mem_free_drop) char *grant = mem_alloc(1501, 1);

	(void)state;
	memset(grant, '-', 1500);
	for (size_t n = 0; n <= 800; n += 400) {
		AUTO(entry_list_done) struct entry_list l = { 0 }, back = { 0 };
		AUTO(secret_drop) struct secret *bare = NULL;
		AUTO(secret_drop) struct secret *s = NULL;
		AUTO(secret_drop) struct secret *stream = NULL;
		struct keyfile_parts parts;
		struct err e = { 0 };

		add_entries(&l, n);
		stream = keyfile_pack(&l);
		bare = keyfile_wrap(stream, (struct bytes){ 0 });
		s = keyfile_wrap(stream, bytes_of(grant));
		assert_int_equal(secret_bytes(s).len, secret_bytes(bare).len);
		assert_true(keyfile_parse(secret_bytes(s), &back, &parts, &e));
		assert_int_equal(back.n, n);
		assert_int_equal(parts.stream.len, secret_bytes(stream).len);
		assert_memory_equal(parts.stream.ptr, secret_bytes(stream).ptr, parts.stream.len);
		assert_true(parts.rest.len > 1500);
		assert_memory_equal(parts.rest.ptr, grant, 1500);
		assert_int_not_equal(((const char *)parts.rest.ptr)[1500], '-');
	}
}

/* One stream in 256 would end in CR without care. */
static void
keyfile_pack_never_ends_the_stream_in_cr(void **state)
{
	(void)state;
	for (int i = 0; i < 1500; i++) {
		AUTO(entry_list_done) struct entry_list l = { 0 }, back = { 0 };
		AUTO(secret_drop) struct secret *s = NULL;
		const char *p, *end;

		add_entries(&l, (size_t)(i % 3));
		s = format(&l, "");
		p = secret_bytes(s).ptr;
		end = memmem(p + 115, secret_bytes(s).len - 115, p, 114);
		assert_non_null(end);
		assert_int_equal(end[-1], '\n');
		assert_int_not_equal(end[-2], '\r');
		assert_true(keyfile_parse(secret_bytes(s), &back, NULL, NULL));
		assert_int_equal(back.n, l.n);
	}
}

static bool
has_ruby(void)
{
	const char *const argv[] = { "sh", "-c", "command -v ruby >/dev/null", NULL };

	return gpg_home_run(argv, (struct bytes){ 0 }, NULL) == 0;
}

static void
keyfile_of_ruby_is_read_here_in_every_form(void **state)
{
	static const char *const forms[] = { "deflated", "padded", "bare", "oldest" };

	(void)state;
	if (!has_ruby())
		skip();
	for (size_t i = 0; i < COUNT(forms); i++) {
		const char *const argv[] = { "ruby", "tests/unit/ruby_keys.rb", "plain", forms[i],
		    NULL };
		AUTO(entry_list_done) struct entry_list l = { 0 };
		AUTO(str_done) struct str plain = { 0 };
		struct err e = { 0 };

		assert_int_equal(gpg_home_run(argv,
		    bytes_of("/a/\xc3\xbc b: #c\t+K/=\t5.25\n/b\tL\t1795241511.623773\n"),
		    &plain), 0);
		if (!parse(str_bytes(&plain), &l, &e))
			fail_msg("%s: %s", forms[i], e.text);
		assert_int_equal(l.n, 2);
		assert_string_equal(l.at[0].path, "/a/\xc3\xbc b: #c");
		assert_memory_equal(secret_bytes(l.at[0].key).ptr, "+K/=", 4);
		assert_true(l.at[1].time == (strcmp(forms[i],
		    "oldest") == 0 ? 0.0 : 1795241511.623773));
	}
}

static void
keyfile_text_of_ours_is_read_by_ruby(void **state)
{
	const char *const argv[] = { "ruby", "tests/unit/ruby_keys.rb", "yaml", NULL };
	AUTO(entry_list_done) struct entry_list l = { 0 };
	AUTO(secret_drop) struct secret *s = NULL;
	AUTO(str_done) struct str out = { 0 };

	(void)state;
	if (!has_ruby())
		skip();
	for (size_t i = 0; i < 4; i++) {
		static const char *const paths[] = { "/a/\xc3\xbc b: #\"c\\", "/b", "/b", "/b" };
		static const char *const keys[] = { "+K/=", "old", "new", "staged" };
		static const double times[] = { 1795241511.623773, 5.0, 6.25, 0.0 };
		struct entry *x = entry_list_add(&l);

		x->path = mem_strdup(paths[i]);
		x->key = secret_from(bytes_of(keys[i]));
		x->time = times[i];
		x->made = i == 3 ? 7.0 : 0.0;
		x->uuid = mem_strdup("6b1e4b0e-0000-4000-8000-000000000000");
		x->by = mem_strdup("2001-01-01"); /* a date, were it not quoted */
	}
	s = entry_format(&l);
	assert_int_equal(gpg_home_run(argv, secret_bytes(s), &out), 0);
	assert_string_equal(str_text(&out),
	    "/a/\xc3\xbc b: #\"c\\\t+K/=\t1795241511.623773\n/b\tnew\t6.250000\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keyfile_parse_reads_every_form),
		cmocka_unit_test(keyfile_parse_reads_streams_that_end_in_cr_and_lf),
		cmocka_unit_test(keyfile_parse_refuses_what_is_broken),
		cmocka_unit_test(keyfile_parse_of_a_bomb_stops_at_the_cap),
		cmocka_unit_test(keyfile_wrap_has_one_length_and_steps_far_up),
		cmocka_unit_test(keyfile_wrap_has_the_same_length_with_a_grant_which_comes_back),
		cmocka_unit_test(keyfile_pack_never_ends_the_stream_in_cr),
		cmocka_unit_test(keyfile_of_ruby_is_read_here_in_every_form),
		cmocka_unit_test(keyfile_text_of_ours_is_read_by_ruby),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
