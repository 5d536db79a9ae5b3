/* SPDX-License-Identifier: MIT */
/* known_hosts: which lines speak of a host, as OpenSSH would have it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "transport/known_hosts.h"

#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5"
#define HASH1 "|1|E3RHiF6rlTb10inZIl9Fd63Fa7o=|rgKMWyJWOLSpomua9mVLxrzFn0g="
#define HASH2 "|1|g47Hygiiinc+ahETf+gyw2eb1ME=|nsI661F9pu6Z7xbAwGrtsyiShVk="

static void
known_hosts_decode_takes_base64_only(void **state)
{
	static const struct {
		const char *text, *want; /* NULL: refused */
	} cases[] = {
		{ "Zm9v", "foo" },  { "Zm9vYg==", "foob" }, { "Zm9vYmE=", "fooba" },
		{ "Zm9vYg", "foob" }, { "", NULL },	    { "=", NULL },
		{ "Zm9vY", NULL },  { "Zm 9v", NULL },	    { "Zm9v=x", NULL },
		{ "Zm9v===", NULL }, { "Zm9\x80", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(str_done) struct str out = { 0 };

		assert_int_equal(known_hosts_decode(cases[i].text, &out), cases[i].want != NULL);
		if (cases[i].want)
			assert_string_equal(str_text(&out), cases[i].want);
	}
}

static void
known_hosts_read_finds_the_lines_of_a_host(void **state)
{
	static const struct {
		const char *line, *name;
		int want; /* a mark, or -1: not found */
	} cases[] = {
		{ "web1 " KEY, "web1", KNOWN_HOSTS_KEY },
		{ "web1\t" KEY, "web1", KNOWN_HOSTS_KEY },
		{ "  \tweb1  ssh-ed25519\t AAAAC3NzaC1lZDI1NTE5 me@here", "web1", KNOWN_HOSTS_KEY },
		{ "WEB1 " KEY, "web1", KNOWN_HOSTS_KEY },
		{ "web2 " KEY, "web1", -1 },
		{ "web " KEY, "web1", -1 },
		{ "web11 " KEY, "web1", -1 },
		{ "a,web1,b " KEY, "web1", KNOWN_HOSTS_KEY },
		{ "web* " KEY, "web1", KNOWN_HOSTS_KEY },
		{ "*e*b*1* " KEY, "web1", KNOWN_HOSTS_KEY },
		{ "web? " KEY, "web1", KNOWN_HOSTS_KEY },
		{ "web?? " KEY, "web1", -1 },
		{ "*,!web1 " KEY, "web1", -1 },
		{ "!web1,* " KEY, "web1", -1 },
		{ "!web2,* " KEY, "web1", KNOWN_HOSTS_KEY },
		{ "!web1 " KEY, "web2", -1 },
		{ "[web1]:2222 " KEY, "[web1]:2222", KNOWN_HOSTS_KEY },
		{ "[web1]:2222 " KEY, "web1", -1 },
		{ "web1 " KEY, "[web1]:2222", -1 },
		{ "[*]:2222 " KEY, "[web1]:2222", KNOWN_HOSTS_KEY },
		{ "*,![web1]:2222 " KEY, "[web1]:2222", -1 },
		{ "@revoked web1 " KEY, "web1", KNOWN_HOSTS_REVOKED },
		{ "@revoked\t* " KEY, "web1", KNOWN_HOSTS_REVOKED },
		{ "@cert-authority *.org,web1 " KEY, "web1", KNOWN_HOSTS_AUTHORITY },
		{ "@other web1 " KEY, "web1", -1 },
		{ "#web1 " KEY, "#web1", -1 },
		{ "web1", "web1", -1 },
		{ "web1 ssh-ed25519", "web1", -1 },
		{ "web1 ssh-ed25519 !!!", "web1", -1 },
		{ "@revoked", "web1", -1 },
		{ "", "web1", -1 },
		/* "web1" and "[web1]:2222", hashed by ssh-keygen -H */
		{ HASH1 " " KEY, "web1", KNOWN_HOSTS_KEY },
		{ "@revoked " HASH1 " " KEY, "web1", KNOWN_HOSTS_REVOKED },
		{ HASH1 " " KEY, "web2", -1 },
		{ HASH2 " " KEY, "[web1]:2222", KNOWN_HOSTS_KEY },
		{ HASH2 " " KEY, "web1", -1 },
		{ HASH1 ",web2 " KEY, "web2", -1 },
		{ "|1|x|y " KEY, "web1", -1 },
		{ "|1| " KEY, "web1", -1 },
		{ "| " KEY, "|", -1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(known_hosts_done) struct known_hosts k = { 0 };

		known_hosts_read(&k, bytes_of(cases[i].line), "f", cases[i].name);
		assert_int_equal(k.n, cases[i].want >= 0);
		if (k.n)
			assert_int_equal(k.at[0].mark, cases[i].want);
	}
}

static void
known_hosts_read_tells_file_line_and_key(void **state)
{
	AUTO(known_hosts_done) struct known_hosts k = { 0 };
	AUTO(str_done) struct str text = { 0 };

	(void)state;
	str_add(&text, "# comment\r\n\nother " KEY "\n");
	for (int i = 0; i < 5000; i++) /* a line longer than any buffer */
		str_add(&text, "some.name.org,");
	str_add(&text, "x " KEY "\nweb1 " KEY "\r\nweb1 ssh-rsa Zm9v"); /* no newline at the end */
	known_hosts_read(&k, str_bytes(&text), "/f", "web1");
	assert_int_equal(k.n, 2);
	assert_int_equal(k.at[0].line, 5);
	assert_string_equal(k.at[0].file, "/f");
	assert_string_equal(k.at[0].type, "ssh-ed25519");
	assert_int_equal(k.at[1].line, 6);
	assert_string_equal(k.at[1].type, "ssh-rsa");
	assert_int_equal(k.at[1].blob.len, 3);
	known_hosts_read(&k, (struct bytes){ 0 }, "/g", "web1");
	assert_int_equal(k.n, 2);
}

/* A line ends at a NUL for whoever reads strings; what is behind it is not looked at. */
static void
known_hosts_read_of_a_nul_stays_inside(void **state)
{
	static const char text[] = "\0 web1 " KEY "\r\nweb1 ssh-rsa Zm9v\0Zm9v and what comes behind it\r\n"
				   "web1 " KEY "\r\n";
	AUTO(known_hosts_done) struct known_hosts k = { 0 };

	(void)state;
	known_hosts_read(&k, (struct bytes){ text, sizeof(text) - 1 }, "f", "web1");
	assert_int_equal(k.n, 2);
	assert_int_equal(k.at[0].line, 2);
	assert_int_equal(k.at[0].blob.len, 3);
	assert_int_equal(k.at[1].line, 3);
}

static void
known_hosts_read_takes_time_in_proportion(void **state)
{
	AUTO(known_hosts_done) struct known_hosts k = { 0 };
	AUTO(str_done) struct str text = { 0 };
	AUTO(str_done) struct str name = { 0 };

	(void)state;
	for (int i = 0; i < 200; i++) {
		str_add(&text, "*a");
		str_add(&name, "aa");
	}
	str_add(&text, "b " KEY "\n");
	known_hosts_read(&k, str_bytes(&text), "f", str_text(&name));
	assert_int_equal(k.n, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_hosts_decode_takes_base64_only),
		cmocka_unit_test(known_hosts_read_finds_the_lines_of_a_host),
		cmocka_unit_test(known_hosts_read_tells_file_line_and_key),
		cmocka_unit_test(known_hosts_read_of_a_nul_stays_inside),
		cmocka_unit_test(known_hosts_read_takes_time_in_proportion),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
