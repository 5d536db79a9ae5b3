/* SPDX-License-Identifier: MIT */
/*
 * entry: texts as Psych, libyaml and Syck write them, what none of them writes,
 * and the way there and back. tests/unit/keyfile_test.c asks Ruby itself.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <locale.h>
#include <setjmp.h>
#include <cmocka.h>
#include "keystore/entry.h"

#define K32 "abcdefghijklmnopqrstuvwxyz012345"
#define K128 K32 K32 K32 K32

/* "path key time; " for every entry, and what else it has. */
static void
describe(const struct entry_list *l, struct str *out)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct entry *x = &l->at[i];

		str_addf(out, "%s ", x->path);
		str_add_bytes(out, secret_bytes(x->key));
		str_addf(out, " %.6f", x->time);
		if (x->made != 0.0)
			str_addf(out, " made %.6f", x->made);
		if (x->proven != 0.0)
			str_addf(out, " proven %.6f", x->proven);
		if (x->dead != 0.0)
			str_addf(out, " dead %.6f", x->dead);
		if (x->uuid)
			str_addf(out, " uuid %s", x->uuid);
		if (x->by)
			str_addf(out, " by %s", x->by);
		str_add(out, "; ");
	}
}

/* Parsed from memory that ends with the text, so that a byte too far is seen. */
static bool
parse(struct bytes text, struct entry_list *out, struct err *e)
{
	AUTO(mem_free_drop) char *copy = mem_alloc(text.len, 1);

	if (text.len > 0)
		memcpy(copy, text.ptr, text.len);
	return entry_parse((struct bytes){ copy, text.len }, out, e);
}

static void
expect(const char *text, const char *want)
{
	AUTO(entry_list_done) struct entry_list l = { 0 };
	AUTO(str_done) struct str got = { 0 };
	struct err e = { 0 };

	if (!parse(bytes_of(text), &l, &e))
		fail_msg("%s\n%s", e.text, text);
	describe(&l, &got);
	assert_string_equal(str_text(&got), want);
}

static void
entry_parse_reads_what_ruby_writes(void **state)
{
	static const struct { const char *text, *want; } cases[] = {
		{ "--- {}\n", "" },
		{ "--- {}", "" },
		{ "---\n\"/a/b/c\":\n  :key: K1\n  :time: 1795241511.623773\n",
		    "/a/b/c K1 1795241511.623773; " },
		/* the order of the fields, quotes of either kind */
		{ "---\n/a/b/c:\n  :time: 5\n  :key: \"+K/=\"\n"
		  "'/d''e':\n  :key: '12'\n  :time: -1.5\n",
		    "/a/b/c +K/= 5.000000; /d'e 12 -1.500000; " },
		/* Syck: a blank behind the marker and the colons */
		{ "--- \n/a/b/c: \n  :key: K1\n  :time: 1290000000.25\n",
		    "/a/b/c K1 1290000000.250000; " },
		/* the tag of no meaning that Psych 1.2 put before quotes */
		{ "---\n! '/a/b/c':\n  :key: ! '+K'\n  :time: 1.0e+3\n",
		    "/a/b/c +K 1000.000000; " },
		{ "---\n!str /a: \n  :key: !!str K\n", "/a K 0.000000; " },
		/* the oldest form */
		{ "--- \n/a/b/c: K1\n/d: \"K2\"\n", "/a/b/c K1 0.000000; /d K2 0.000000; " },
		/* quoted symbols */
		{ "---\n/a:\n  :\"key\": K\n  \":time\": 1e3\n", "/a K 1000.000000; " },
		/* long keys */
		{ "---\n? \"/" K128 "\"\n: :key: K\n  :time: 0.0\n/b: L\n", "/"
		    K128 " K 0.000000; /b L 0.000000; " },
		{ "---\n? \"/a b\n  c\\\n  \\ d\"\n:\n  :key: K\n  :time: 1\n",
		    "/a b c d K 1.000000; " },
		{ "---\n/a:\n  ? :key\n  : K\n  ? :time\n  : 3\n", "/a K 3.000000; " },
		/* folded scalars */
		{ "---\n/a:\n  :key: K\n  :by: some\n    body\n    else\n  :time: 1\n",
		    "/a K 1.000000 by some body else; " },
		{ "---\n/a:\n  :by: 'it''s\n    me'\n  :key: K\n", "/a K 0.000000 by it's me; " },
		/* escapes */
		{ "---\n\"/\\u00fc\\x41\\ \\\"\\\\\\U0001F511\\_\":\n  :key: K\n",
		    "/üA \"\\🔑\u00a0 K 0.000000; " },
		/* fields of ours, lists not indented and indented */
		{ "---\n/a:\n  :key: K\n  :time: 2.0\n  :made: 1.5\n  :proven: 3.5\n"
		  "  :uuid: \"u-1\"\n  :by: \"bob\"\n  :also:\n  - :key: L\n    :time: 1.0\n"
		  "  - :time: 0.0\n    :key: M\n/b: N\n",
		    "/a K 2.000000 made 1.500000 proven 3.500000 uuid u-1 by bob; /a L 1.000000; "
		    "/a M 0.000000; /b N 0.000000; " },
		{ "---\n/a:\n  :also:\n    -\n      :key: L\n    - {:key: M, :time: 7}\n"
		  "  :key: K\n",
		    "/a K 0.000000; /a L 0.000000; /a M 7.000000; " },
		{ "---\n/a:\n  :key: K\n  :also: []\n  :uuid:\n  :by: ~\n", "/a K 0.000000; " },
		/* brackets, comments, the end of the document */
		{ "--- {/a: {:key: K, :time: 4}, \"/b\":\"L\"} # x\n...\n# y\n",
		    "/a K 4.000000; /b L 0.000000; " },
		{ "# x\n---\n# y\n/a: # z\n  # w\n  :key: K # v\n", "/a K 0.000000; " },
		{ "/a: K#1\n", "/a K#1 0.000000; " },
		/* anchors, as Psych writes for one string in two places */
		{ "---\n/a:\n  :key: &1 K\n/b:\n  :key: *1\n  :time: 2\n"
		  "/c: &2\n  :key: *1\n/d: *2\n",
		    "/a K 0.000000; /b K 2.000000; /c K 0.000000; /d K 0.000000; " },
		/* the last of two equal ones */
		{ "---\n/a:\n  :key: K\n/b: L\n/a:\n  :key: M\n  :key: N\n",
		    "/b L 0.000000; /a N 0.000000; " },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		expect(cases[i].text, cases[i].want);
}

/* Between two known entries, whatever it holds. */
static void
entry_parse_passes_over_unknown_fields(void **state)
{
	static const char *const values[] = {
		"", " x", " 1", " ~", " {}", " []", " [a, [b, {c: d}], 'e]']", " {a: {b: [c]}, d}",
		" \"a: b\\\" # \"", " 'it''s: # x'", " a b\n    c d\n\n    e",
		" |\n    :key: X\n    /q: Z", " |-\n\n    x\n      lead\n\n", " >+\n    x\n\n\n",
		" |2\n      x\n    y", " >-\n    # no comment\n    - x", " |\n    x\n   \n    y",
		"\n  - a\n  - b: c\n    d:\n    - e\n  - - f\n    - g\n  -\n  - |\n    h\n  - k",
		"\n    a: b\n    c:\n      d: e",
		"\n    ? a\n    : b\n    ? c\n    ? - d\n    : - e", " !ruby/object:Object {}",
		" !binary |-\n    QUJD", " &x y", " !t\n    a: b", "\n    ! 'a b': c",
		" 2001-01-01 10:00:00",
		" :sym", " :\"s t\"", " \"/q\\\n    : x\"", " -1", " ?x",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(values); i++) {
		AUTO(str_done) struct str text = { 0 };

		str_addf(&text,
		    "---\n/a:\n  :key: K\n  :x:%s\n  :time: 3\n/b:\n  :y:%s\n  :key: L\n",
		    values[i], values[i]);
		expect(str_text(&text), "/a K 3.000000; /b L 0.000000; ");
	}
}

static void
entry_parse_refuses_what_is_not_clear(void **state)
{
	static const char *const texts[] = {
		"", "\n", "---\n", "--- ~\n", "--- x\n", "--- []\n", "- /a: b\n", "---\n/a:\n",
		"---\n/a: ~\n",
		"---\n/a: ''\n", "---\n/a:\n  :time: 1\n", "---\n/a:\n  key: K\n", "---\n/a: [K]\n",
		"---\n/a:\n  :key: [K]\n", "---\n/a:\n  :key:\n    x: y\n",
		"---\n/a:\n  :key: |\n    K\n",
		"---\n/a:\n  :key: \"K\\n\"\n", "---\n/a:\n  :key: \"K\\0\"\n",
		"---\n\"/a\\0\": K\n", "---\n'': K\n", "---\n\"/a\\nb\": K\n",
		"---\n/a:\n  :key: K\n  :uuid: \"0\\e\"\n", "---\n/a:\n  :key: K\n  :by: \"a\\tb\"\n",
		"---\n/a:\n  :key: K\n  :time: abc\n", "---\n/a:\n  :key: K\n  :time: .nan\n",
		"---\n/a:\n  :key: K\n  :time: 1e999\n", "---\n/a:\n  :key: K\n  :time: 0x10\n",
		"---\n/a:\n  :key: K\n  :time: 1,5\n", "---\n/a:\n  :key: K\n  :time: \n",
		"---\n/a:\n  :key: K\n  :time: 2001-01-01\n", "---\n/a:\n  :key: K\n  :time: 1e\n",
		"---\n/a:\n  :key: K\n  :also: x\n", "---\n/a:\n  :key: K\n  :also:\n  - x\n",
		"---\n/a:\n  :key: K\n  :also:\n  - :time: 1\n",
		"---\n/a:\n  :key: K\n  :also:\n  - :key: L\n    :also: []\n",
		"---\n/a: K\n---\n/b: L\n", "---\n/a: K\n...\n/b: L\n", "%YAML 1.1\n---\n/a: K\n",
		"---\n/a: K\n /b: L\n", "---\n  /a: K\n/b: L\n", "---\n/a:\n\t:key: K\n",
		"---\n/a:\n :key: K\n  :time: 1\n",
		"---\n/a: b: c\n", "---\n/a: - b\n", "---\n/a\n", "---\n/a: K\nx\n",
		"---\n/a: 'K\n", "---\n/a: \"K\n",
		"---\n/a: \"K\" x\n", "---\n/a: 'K'x\n", "---\n/a: \"\\q\"\n",
		"---\n/a: \"\\x4\"\n", "---\n/a: \"\\ud800\"\n",
		"---\n/a: \"K\n---\n\"\n", "---\n/a: {b: c\n", "---\n/a: [b\n",
		"---\n/a: {b c: d]}\n", "---\n/a: *x\n",
		"---\n/a: &x [*x]\n", "---\n<<: {}\n/a: K\n", "---\n/a:\n  <<: *x\n  :key: K\n",
		"---\n!x /a: K\n",
		"---\n/a: !x K\n", "---\n/a:\n  :key: !x K\n", "--- !x\n/a: K\n",
		"---\n/a: !x\n  :key: K\n",
		"---\n/a: @K\n", "---\n/a: `K\n", "---\n/a: %K\n", "---\n/a: K\r\n",
		"---\n/a: \xff\n",
		"---\n/a: \xc3\n", "---\n/a: \xed\xa0\x80\n", "---\n/a: \xe2\x80\xa8\n",
		"---\n/a: \x7f\n", "---\n/a: \x01\n",
		"\xef\xbb\xbf---\n/a: K\n", "---\n? /a\n? /b\n", "---\n? \"/a\" x\n: K\n",
		"---\n/a: &a !t *b\n",
		"---\n\"/a\n b\": K\n", "---\n/a\n b: K\n", "---\n/a: K\n- b\n",
		"---\n- a\nb: c\n", "---\n/a: |x\n  b\n",
		"---\n:key: K\n:time: 1\n",
		/* what libyaml reads in another way than one might think */
		"---\n&a:b /a: K\n", "---\n/a: &x.y K\n",
		"---\n/a:\n  :key: K\n  x: &x [&x y]\n",
		"--- {/a: {:key: K, ! :by: b}}\n", "--- {/a: {:key: K, x: [&x :b]}}\n",
		"--- {/a: {:key: K, ?b: c}}\n",
		"--- {/a\n :K}\n", /* a path of two lines, and nothing for it */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		AUTO(entry_list_done) struct entry_list l = { 0 };
		struct err e = { 0 };

		if (parse(bytes_of(texts[i]), &l, &e))
			fail_msg("taken: %s", texts[i]);
		assert_int_equal(e.kind, ERR_DATA);
		assert_int_equal(l.n, 0);
		assert_true(e.text[0]);
	}
}

static void
entry_parse_of_a_nul_is_refused(void **state)
{
	AUTO(entry_list_done) struct entry_list l = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_false(parse((struct bytes){ "---\n/a: K\0\n", 11 }, &l, &e));
}

/* n times `item`, between `head` and `tail`. */
static bool
parse_many(const char *head, const char *item, size_t n, const char *tail, struct err *e)
{
	AUTO(entry_list_done) struct entry_list l = { 0 };
	AUTO(str_done) struct str text = { 0 };

	str_add(&text, head);
	for (; n > 0; n--)
		str_add(&text, item);
	str_add(&text, tail);
	return parse(str_bytes(&text), &l, e);
}

static void
entry_parse_is_bounded(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_false(parse_many("---\n/a: ", "[", 200000, "\n", &e));
	assert_false(parse_many("---\n/a: ", "{a: ", 200000, "\n", &e));
	assert_false(parse_many("---\n", "- ", 200000, "\n", &e));
	assert_false(parse_many("---\n", "? ", 200000, "\n", &e));
	assert_false(parse_many("---\n/a: ", "&a ", 200000, "K\n/b: *a\n", &e));
	assert_false(parse_many("---\n/a: &x K\n/b: [", "&x x,", 1000, "K]\n", &e));
	/* 60 lists that are all the same one of 60,000 keys */
	assert_false(parse_many("---\n/a:\n  :key: K\n  :also: &l [", "{:key: K},", 60000,
	    "]\n/b: {:key: K, :also: *l}\n", &e));
	assert_non_null(strstr(e.text, "more keys"));
	assert_false(parse_many("---\n/a: [", "b,", 3000000, "]\n", &e));
	assert_non_null(strstr(e.text, "more than any"));
	assert_true(parse_many("---\n", "/a: K\n", 100000, "", &e)); /* one path */
}

/* A short word for each of n times a large text: neither memory nor time for all of it. */
static void
entry_parse_of_aliases_to_large_texts_is_refused(void **state)
{
	static const struct { const char *head, *item; size_t large, n; const char *tail, *want; }
	    cases[] = {
		{ "---\n/a: {:key: K, :also: [{:key: &k \"", "{:key: *k},", 8000000, 150, "]}\n",
		    "too long" },
		{ "---\n/a: {:key: K, :also: [{:key: &k \"", "{:key: *k},", 60000, 1000, "]}\n",
		    "aliases" },
		{ "---\n? &k \"", "? *k\n", 4000000, 2000, "", "too long" },
		{ "---\n? &k \"", "? *k\n", 4000, 8000, "", "aliases" },
		{ "---\n/a: {:key: K, :by: &k \"", "", 5000, 0, "}\n", "too long" },
		{ "---\n/a: {:key: K, :uuid: &k \"", "", 5000, 0, "}\n", "too long" },
		/* a long path in each entry */
		{ "---\n? \"", "{:key: K},", 4000, 10000, "]}\n", "aliases" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(str_done) struct str head = { 0 };
		struct err e = { 0 };

		str_add(&head, cases[i].head);
		for (size_t n = 0; n < cases[i].large; n++)
			str_add_char(&head, 'k');
		str_add(&head, strstr(cases[i].head, "also") ? "\"}," : "\"");
		if (i + 1 == COUNT(cases))
			str_add(&head, "\n: {:key: K, :also: [");
		else if (cases[i].head[4] == '?')
			str_add(&head, "\n");
		assert_false(parse_many(str_text(&head), cases[i].item, cases[i].n, cases[i].tail,
		    &e));
		if (!strstr(e.text, cases[i].want))
			fail_msg("%zu: %s", i, e.text);
	}
}

/* The fields of one mapping, looked at again for each of its aliases. */
static void
entry_parse_of_aliases_to_a_large_mapping_is_refused(void **state)
{
	AUTO(str_done) struct str head = { 0 };
	AUTO(entry_list_done) struct entry_list l = { 0 };
	struct err e = { 0 };

	(void)state;
	str_add(&head, "---\n/a: &m {:key: K");
	for (int i = 0; i < 300000; i++)
		str_add(&head, i % 2 ? ",a: b" : ",a_name_of_twenty_chr: b");
	str_add(&head, "}\n");
	for (int i = 0; i < 1000; i++)
		str_addf(&head, "/b%d: *m\n", i);
	assert_false(parse(str_bytes(&head), &l, &e));
	assert_non_null(strstr(e.text, "aliases"));
}

static void
entry_parse_of_every_piece_and_change_stays_inside(void **state)
{
	static const char text[] =
	    "---\n\"/a b\\u00fc\": &1\n  :key: K1\n  :time: 1.5\n  :x: |\n    y\n  :also:\n"
	    "  - :key: 'L''1'\n    :time: 0\n? /b\n: {:key: *1, :z: [1, \"2\"]}\n! '/c': K\n";
	static const char changes[] = "\n :-?'\"\\{}[],&*!|>#%@`~x\t\xff";

	(void)state;
	for (size_t len = 0; len < sizeof(text); len++) {
		for (size_t i = 0; i < sizeof(changes); i++) {
			AUTO(entry_list_done) struct entry_list l = { 0 };
			AUTO(mem_free_drop) char *copy = mem_strdup(text);

			if (len < sizeof(text) - 1)
				copy[len] = changes[i];
			if (!parse((struct bytes){ copy, i == 0 ? len : sizeof(text) - 1 }, &l,
			    NULL))
				assert_int_equal(l.n, 0);
		}
	}
}

static void
entry_parse_that_fails_leaves_the_list(void **state)
{
	AUTO(entry_list_done) struct entry_list l = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_true(parse(bytes_of("/a: K\n"), &l, &e));
	assert_false(parse(bytes_of("/b: K\n/c:\n"), &l, &e));
	assert_int_equal(l.n, 1);
	assert_non_null(strstr(e.text, "line 2") ? e.text : strstr(e.text, "line 3"));
	assert_true(parse(bytes_of("/b: K\n"), &l, &e));
	assert_int_equal(l.n, 2);
}

static void
add(struct entry_list *l, const char *path, const char *key, double time)
{
	struct entry *x = entry_list_add(l);

	x->path = mem_strdup(path);
	x->key = secret_from(bytes_of(key));
	x->time = time;
}

static void
expect_format(const struct entry_list *l, const char *want)
{
	AUTO(secret_drop) struct secret *s = entry_format(l);
	AUTO(str_done) struct str got = { 0 };

	str_add_bytes(&got, secret_bytes(s));
	assert_string_equal(str_text(&got), want);
}

static void
entry_format_writes_a_path_once_the_latest_first(void **state)
{
	AUTO(entry_list_done) struct entry_list l = { 0 };

	(void)state;
	expect_format(&l, "--- {}\n");
	add(&l, "/b", "K1", 1.0);
	add(&l, "/a", "K2", 1795241511.623773);
	add(&l, "/b", "K3", 3.25);
	add(&l, "/b", "K4", 0.0);
	l.at[3].made = 2.0;
	l.at[2].uuid = mem_strdup("u-1");
	l.at[2].by = mem_strdup("bob");
	l.at[2].proven = 4.0;
	l.at[2].dead = 5.5;
	expect_format(&l, "---\n"
	    "\"/a\":\n  :key: \"K2\"\n  :time: 1795241511.623773\n"
	    "\"/b\":\n  :key: \"K3\"\n  :time: 3.250000\n  :proven: 4.000000\n  :dead: 5.500000\n  :uuid: \"u-1\"\n"
	    "  :by: \"bob\"\n  :also:\n"
	    "  - :key: \"K1\"\n    :time: 1.000000\n"
	    "  - :key: \"K4\"\n    :time: 0.000000\n    :made: 2.000000\n");
}

static void
entry_format_then_parse_gives_the_same(void **state)
{
	static const char *const paths[] = { "/a", "/a b/: #/x", "/\"q\"\\", "/del\x7f",
	    "/ü\xc2\x85\xe2\x80\xa8🔑",
		" ", "-", "~", "/" K128 "/" K128, "<<", "'" };

	(void)state;
	for (size_t i = 0; i < COUNT(paths); i++) {
		AUTO(entry_list_done) struct entry_list l = { 0 }, back = { 0 };
		AUTO(str_done) struct str before = { 0 }, after = { 0 };
		AUTO(secret_drop) struct secret *s = NULL;
		struct err e = { 0 };

		add(&l, paths[i], "a+/=", 1795241511.623773);
		add(&l, paths[i], "\"\\#: '", 1e300);
		add(&l, paths[i], "b", -5.0);
		l.at[1].time = 1e12;
		l.at[0].by = mem_strdup(paths[i]);
		s = entry_format(&l);
		if (!parse(secret_bytes(s), &back, &e))
			fail_msg("%s", e.text);
		assert_int_equal(back.n, 3);
		assert_true(secret_equal(back.at[0].key, l.at[1].key)); /* the latest */
		assert_true(secret_equal(back.at[1].key, l.at[0].key));
		assert_string_equal(back.at[1].path, paths[i]);
		assert_string_equal(back.at[1].by, paths[i]);
	}
}

/* As large as they may be, and of nothing but what must be escaped. */
static void
entry_format_of_the_largest_is_read_again(void **state)
{
	AUTO(entry_list_done) struct entry_list l = { 0 }, back = { 0 };
	AUTO(mem_free_drop) char *path = mem_alloc(4097, 1), *key = mem_alloc(65537, 1);
	AUTO(secret_drop) struct secret *s = NULL;
	struct err e = { 0 };

	(void)state;
	memset(path, '\x7f', 4096);
	memset(key, '\x7f', 65536);
	add(&l, path, key, 1.0);
	l.at[0].by = mem_strdup(path);
	s = entry_format(&l);
	if (!parse(secret_bytes(s), &back, &e))
		fail_msg("%s", e.text);
	assert_string_equal(back.at[0].path, path);
	assert_string_equal(back.at[0].by, path);
	assert_true(secret_equal(back.at[0].key, l.at[0].key));
}

static void
entry_times_do_not_depend_on_the_locale(void **state)
{
	AUTO(entry_list_done) struct entry_list l = { 0 };
	static const char *const names[] = { "de_DE.UTF-8", "de_DE", "fr_FR.UTF-8" };
	bool set = false;

	(void)state;
	for (size_t i = 0; i < COUNT(names) && !set; i++)
		set = setlocale(LC_NUMERIC, names[i]) != NULL;
	expect("/a: {:key: K, :time: 1.5}\n", set ? "/a K 1,500000; " : "/a K 1.500000; ");
	add(&l, "/a", "K", 1.5);
	expect_format(&l, "---\n\"/a\":\n  :key: \"K\"\n  :time: 1.500000\n");
	setlocale(LC_NUMERIC, "C");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entry_parse_reads_what_ruby_writes),
		cmocka_unit_test(entry_parse_passes_over_unknown_fields),
		cmocka_unit_test(entry_parse_refuses_what_is_not_clear),
		cmocka_unit_test(entry_parse_of_a_nul_is_refused),
		cmocka_unit_test(entry_parse_is_bounded),
		cmocka_unit_test(entry_parse_of_aliases_to_large_texts_is_refused),
		cmocka_unit_test(entry_parse_of_aliases_to_a_large_mapping_is_refused),
		cmocka_unit_test(entry_parse_of_every_piece_and_change_stays_inside),
		cmocka_unit_test(entry_parse_that_fails_leaves_the_list),
		cmocka_unit_test(entry_format_writes_a_path_once_the_latest_first),
		cmocka_unit_test(entry_format_then_parse_gives_the_same),
		cmocka_unit_test(entry_format_of_the_largest_is_read_again),
		cmocka_unit_test(entry_times_do_not_depend_on_the_locale),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
