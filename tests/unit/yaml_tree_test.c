/* SPDX-License-Identifier: MIT */
/* yaml_tree: what is strict YAML becomes a tree with lines, all else an error with its line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "inventory/yaml_tree.h"

/* The tree in one line: {key=value ...}, [item ...], text, ~ for null; @N is a line. */
static void
show(const struct yaml_node *node, bool lines, struct str *out)
{
	if (node->kind == YAML_SCALAR)
		str_add(out, node->null ? "~" : node->text);
	else
		str_add(out, node->kind == YAML_MAP ? "{" : "[");
	for (size_t i = 0; i < node->n; i++) {
		str_add(out, i > 0 ? " " : "");
		if (node->kind == YAML_MAP) {
			str_add(out, node->pairs[i].key);
			if (lines)
				str_addf(out, "@%u", node->pairs[i].line);
			str_add(out, "=");
		}
		show(node->kind == YAML_MAP ? node->pairs[i].value : node->items[i], lines, out);
	}
	if (node->kind != YAML_SCALAR)
		str_add(out, node->kind == YAML_MAP ? "}" : "]");
	if (lines)
		str_addf(out, "@%u", node->line);
}

static void
expect_tree(const char *text, bool lines, const char *want)
{
	AUTO(yaml_tree_drop) struct yaml_node *root = NULL;
	AUTO(str_done) struct str shown = { 0 };
	struct err e = { 0 };

	if (!yaml_tree_parse("f", bytes_of(text), &root, &e))
		fail_msg("%s: %s", text, e.text);
	show(root, lines, &shown);
	assert_string_equal(str_text(&shown), want);
}

static void
yaml_tree_parse_good_text_gives_its_tree(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "{}" },
		{ "\n# nothing\n", "{}" },
		{ "---\n", "{}" },
		{ "--- {}\n", "{}" },
		{ "---\n...\n", "{}" },
		{ "~\n", "{}" },
		{ "%YAML 1.1\n---\na: b\n", "{a=b}" },
		{ "\xef\xbb\xbf" "a: b\n", "{a=b}" },
		{ "a: b\r\nc: d\r\n", "{a=b c=d}" },
		{ "word", "word" },
		{ "- a\n- b\n", "[a b]" },
		{ "a: b", "{a=b}" },
		{ "b: 1\na: 2\n", "{b=1 a=2}" },
		{ "'a': 'it''s'\n", "{a=it's}" },
		{ "\"a\": \"\\u00e9\\x41\"\n", "{a=\xc3\xa9" "A}" },
		{ "a: yes\nb: 007\nc: 1e3\nd: 0x1f\ne: 2024-01-01\n",
		    "{a=yes b=007 c=1e3 d=0x1f e=2024-01-01}" },
		{ "yes: 1\n1: x\n", "{yes=1 1=x}" },
		{ "a:\nb: ~\nc: null\nd: NULL\ne: ''\nf: '~'\n", "{a=~ b=~ c=~ d=~ e= f=~}" },
		{ "a: {b: [c, {d: e}], f: []}\n", "{a={b=[c {d=e}] f=[]}}" },
		{ "? a\n: b\n", "{a=b}" },
		{ "a: x\n  y\n", "{a=x y}" },
		{ "a: 'x\n  y'\n", "{a=x y}" },
		{ "a: b # remark\n", "{a=b}" },
		{ "'#a': '#b'\n", "{#a=#b}" },
		{ ":slot: 1\n", "{:slot=1}" },
		{ "\"<<\": a\n'~': b\n", "{<<=a ~=b}" },
		{ "a: http://x/\n", "{a=http://x/}" },
		{ "caf\xc3\xa9: \xe6\x97\xa5\n", "{caf\xc3\xa9=\xe6\x97\xa5}" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		expect_tree(cases[i].text, false, cases[i].want);
}

static void
yaml_tree_parse_every_node_knows_its_line(void **state)
{
	(void)state;
	expect_tree("---\n# x\na:\n  b: c\n\nd:\n- e\n- f:\n    g\n", true,
	    "{a@3={b@4=c@4}@4 d@6=[e@7 {f@8=g@9}@8]@7}@3");
	expect_tree("a:\nb: x\n", true, "{a@1=~@1 b@2=x@2}@1");
}

static void
yaml_tree_parse_null_is_only_what_is_plain(void **state)
{
	AUTO(yaml_tree_drop) struct yaml_node *root = NULL;
	struct err e = { 0 };

	(void)state;
	assert_true(yaml_tree_parse("f", bytes_of("a: ~\nb: '~'\nc: \"\"\n"), &root, &e));
	assert_true(yaml_tree_get(root, "a")->null);
	assert_false(yaml_tree_get(root, "b")->null);
	assert_false(yaml_tree_get(root, "c")->null);
	assert_null(yaml_tree_get(root, "d"));
	assert_null(yaml_tree_get(yaml_tree_get(root, "a"), "a"));
}

static void
expect_error(const char *text, size_t len, const char *want)
{
	struct yaml_node *root = (struct yaml_node *)&expect_error; /* must stay untouched */
	struct err e = { 0 };

	if (yaml_tree_parse("f", (struct bytes){ text, len }, &root, &e))
		fail_msg("taken: %s", text);
	assert_ptr_equal(root, &expect_error);
	assert_int_equal(e.kind, ERR_DATA);
	assert_string_equal(e.text, want);
}

static void
yaml_tree_parse_bad_text_is_refused_with_its_line(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "a: &x b\n", "f:1: anchors (&) are not allowed" },
		{ "a: b\nc: &x {d: e}\n", "f:2: anchors (&) are not allowed" },
		{ "a: &x [b]\n", "f:1: anchors (&) are not allowed" },
		{ "&x a: b\n", "f:1: anchors (&) are not allowed" },
		{ "a: b\nc: *x\n", "f:2: aliases (*) are not allowed: put a '*' in quotes" },
		{ "a: *\n", "f:1: did not find expected alphabetic or numeric character while "
			    "scanning an alias" },
		{ "*x : a\n", "f:1: aliases (*) are not allowed: put a '*' in quotes" },
		{ "a: !x b\n", "f:1: tags (!) are not allowed" },
		{ "a: !!str b\n", "f:1: tags (!) are not allowed" },
		{ "a: ! b\n", "f:1: tags (!) are not allowed" },
		{ "--- !ruby/object:Gem::Installer\ni: x\n", "f:1: tags (!) are not allowed" },
		{ "a: !!set {b: c}\n", "f:1: tags (!) are not allowed" },
		{ "a:\n- !x [b]\n", "f:2: tags (!) are not allowed" },
		{ "%TAG ! tag:x,2000:\n---\na: b\n", "f:1: tags (%TAG) are not allowed" },
		{ "%YAML 3.0\n---\na: b\n", "f:1: found incompatible YAML document" },
		{ "a: b\n---\nc: d\n", "f:2: a second document begins: a file is one" },
		{ "---\n---\n", "f:2: a second document begins: a file is one" },
		{ "<<: {a: b}\n", "f:1: merge keys (<<) are not allowed" },
		{ "?\n: a\n", "f:1: a key is missing" },
		{ "a: b\n~: c\n", "f:2: a key is missing" },
		{ "[a]: b\n", "f:1: a key must be a single word" },
		{ "{a: b}: c\n", "f:1: a key must be a single word" },
		{ "? - a\n: b\n", "f:1: a key must be a single word" },
		{ "a: 1\nb: 2\na: 3\n", "f:3: 'a' stands here a second time (first in line 1)" },
		{ "x:\n  a: 1\n  \"a\": 3\n",
		    "f:3: 'a' stands here a second time (first in line 2)" },
		{ "x: {a: 1, b: 2, a: 3}\n",
		    "f:1: 'a' stands here a second time (first in line 1)" },
		{ "a: \"b\\nc\"\n", "f:1: a value may not go over several lines" },
		{ "x: y\na: |\n  b\n  c\n", "f:2: a value may not go over several lines" },
		{ "\"a\\nb\": c\n", "f:1: a value may not go over several lines" },
		{ "a: \"\\0\"\n", "f:1: a value holds the control character \\x00" },
		{ "a: \"\\e[31m\"\n", "f:1: a value holds the control character \\x1b" },
		{ "a: \"x\\x7f\"\n", "f:1: a value holds the control character \\x7f" },
		{ "a: \"x\\x9b\"\n", "f:1: a value holds the control character \\xc2\\x9b" },
		{ "a: x\xe2\x80\xaey\n", "f:1: a value holds the control character \\xe2\\x80\\xae" },
		{ "a: \"\\t\"\n", "f:1: a value holds the control character \\x09" },
		{ "a: b\tc\n", "f:1: a value holds the control character \\x09" },
		{ "a: b\n\x1b[31m: c\n", "f:2: control characters are not allowed" },
		{ "a: b\nc: \xff\n", "f:2: invalid leading UTF-8 octet" },
		{ "a: \xc3(\n", "f:1: invalid trailing UTF-8 octet" },
		{ "a: \xc0\xaf\n", "f:1: invalid length of a UTF-8 sequence" },
		{ "a: \xed\xa0\x80\n", "f:1: invalid Unicode character" },
		{ "a: \"\\ud800\"\n", "f:1: found invalid Unicode character escape code while "
				     "parsing a quoted scalar" },
		{ "a:\n\tb: c\n", "f:2: YAML is indented with spaces, never with tabs" },
		{ "a:\n  b: c\n \td: e\n", "f:3: YAML is indented with spaces, never with tabs" },
		{ "a: b: c\n", "f:1: mapping values are not allowed in this context" },
		{ "a: [b\n",
		    "f:2: did not find expected ',' or ']' while parsing a flow sequence" },
		{ "a: 'b\n", "f:2: found unexpected end of stream while scanning a quoted scalar" },
		{ "a:\n  b: c\n d: e\n",
		    "f:3: did not find expected key while parsing a block mapping" },
		{ "a: @b\n", "f:1: found character that cannot start any token while scanning for "
			     "the next token" },
		{ "a: b\nc\n", "f:3: could not find expected ':' while scanning a simple key" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		expect_error(cases[i].text, strlen(cases[i].text), cases[i].want);
	expect_error("a: b\nc: \0\n", 10, "f:2: control characters are not allowed");
	expect_error("\xff\xfe" "a\0", 4, "f:1: invalid leading UTF-8 octet");
}

static void
yaml_tree_parse_duplicate_among_many_names_the_earliest(void **state)
{
	AUTO(str_done) struct str text = { 0 };

	(void)state;
	for (int i = 0; i < 1000; i++)
		str_addf(&text, "k%d: %d\n", i * 7919 % 1000, i);
	str_add(&text, "k500: again\nk2: again\nk500: third\n");
	expect_error(str_text(&text), text.len,
	    "f:1001: 'k500' stands here a second time (first in line 501)");
}

static void
yaml_tree_parse_same_key_in_different_mappings_is_fine(void **state)
{
	(void)state;
	expect_tree("a: {a: {a: b}}\nb: {a: c}\n", false, "{a={a={a=b}} b={a=c}}");
}

static void
nested(struct str *text, const char *open, int n)
{
	for (int i = 0; i < n; i++)
		str_add(text, open);
}

static void
yaml_tree_parse_levels_are_capped(void **state)
{
	AUTO(str_done) struct str good = { 0 };
	AUTO(str_done) struct str bad = { 0 };
	AUTO(yaml_tree_drop) struct yaml_node *root = NULL;
	struct err e = { 0 };

	(void)state;
	nested(&good, "[", 32);
	nested(&good, "]", 32);
	assert_true(yaml_tree_parse("f", str_bytes(&good), &root, &e));
	nested(&bad, "\n[", 33);
	expect_error(str_text(&bad), bad.len, "f:34: nested more than 32 levels deep");
	str_clear(&bad);
	nested(&bad, "[", 1000000);
	expect_error(str_text(&bad), bad.len, "f:1: nested more than 32 levels deep");
	str_clear(&bad);
	nested(&bad, "{a: ", 1000000);
	expect_error(str_text(&bad), bad.len, "f:1: nested more than 32 levels deep");
	str_clear(&bad);
	nested(&bad, "- ", 1000000);
	expect_error(str_text(&bad), bad.len, "f:1: nested more than 32 levels deep");
}

static void
yaml_tree_parse_values_are_capped(void **state)
{
	AUTO(str_done) struct str text = { 0 };

	(void)state;
	nested(&text, "-\n", 1 << 20);
	expect_error(str_text(&text), text.len, "f:1048576: more than a million values");
}

static void
yaml_tree_parse_size_is_capped(void **state)
{
	AUTO(str_done) struct str text = { 0 };
	AUTO(yaml_tree_drop) struct yaml_node *root = NULL;
	struct err e = { 0 };

	(void)state;
	nested(&text, "#23456789012345\n", 1 << 20);
	assert_true(yaml_tree_parse("f", str_bytes(&text), &root, &e));
	str_add(&text, "#");
	expect_error(str_text(&text), text.len, "f is larger than 16777216 bytes");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(yaml_tree_parse_good_text_gives_its_tree),
		cmocka_unit_test(yaml_tree_parse_every_node_knows_its_line),
		cmocka_unit_test(yaml_tree_parse_null_is_only_what_is_plain),
		cmocka_unit_test(yaml_tree_parse_bad_text_is_refused_with_its_line),
		cmocka_unit_test(yaml_tree_parse_duplicate_among_many_names_the_earliest),
		cmocka_unit_test(yaml_tree_parse_same_key_in_different_mappings_is_fine),
		cmocka_unit_test(yaml_tree_parse_levels_are_capped),
		cmocka_unit_test(yaml_tree_parse_values_are_capped),
		cmocka_unit_test(yaml_tree_parse_size_is_capped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
