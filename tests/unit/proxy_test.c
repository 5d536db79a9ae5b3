/* SPDX-License-Identifier: MIT */
/* proxy: how the hop of a ProxyJump is written, and what a ProxyCommand is not given. */
#include "transport/proxy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/mem.h"
#include "transport/ssh_config.h"

static void
proxy_hop_parse_takes_every_form(void **state)
{
	static const struct {
		const char *list, *before, *user, *host;
		unsigned port;
	} cases[] = {
		{ "jump", NULL, NULL, "jump", 0 },
		{ "bob@jump", NULL, "bob", "jump", 0 },
		{ "jump:2222", NULL, NULL, "jump", 2222 },
		{ "bob@jump:2222", NULL, "bob", "jump", 2222 },
		{ "ssh://bob@jump:2222", NULL, "bob", "jump", 2222 },
		{ "a,b@c:3,d", "a,b@c:3", NULL, "d", 0 },
		{ "DOM@bob@jump", NULL, "DOM@bob", "jump", 0 },
		{ "[2001:db8::1]", NULL, NULL, "2001:db8::1", 0 },
		{ "bob@[2001:db8::1]:22", NULL, "bob", "2001:db8::1", 22 },
		{ "2001:db8::1", NULL, NULL, "2001:db8::1", 0 },
		{ "[jump", NULL, NULL, "[jump", 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(proxy_hop_done) struct proxy_hop hop = { 0 };

		proxy_hop_parse(cases[i].list, &hop);
		if (!str_equal(hop.before, cases[i].before) || !str_equal(hop.user, cases[i].user) ||
		    !str_equal(hop.host, cases[i].host) || hop.port != cases[i].port)
			fail_msg("%s: %s@%s:%u", cases[i].list, hop.user, hop.host, hop.port);
	}
}

/* What it writes comes out of the socket: the line as the shell was given it. */
static void
proxy_command_fills_in_what_ssh_fills_in(void **state)
{
	char host[] = "10.0.0.1", user[] = "bob",
	     command[] = "echo %h %n %r %p %%; : >&2 %h";
	const struct ssh_config config = { .hostname = host, .user = user, .port = 2222,
		.proxy_command = command };
	const struct proxy_way way = { .config = &config, .address = "web1", .wait_ms = 1000 };
	struct proxy p = { 0 };
	struct err e = { 0 };
	char said[64] = "";
	int fd = -1;

	(void)state;
	assert_true(proxy_start(&way, &p, &fd, &e));
	assert_true(read(fd, said, sizeof(said) - 1) > 0);
	assert_string_equal(said, "10.0.0.1 web1 bob 2222 %\n");
	close(fd);
	proxy_stop(&p);
}

/* Far more than is kept, and the connection goes on. */
static void
proxy_command_that_says_too_much_is_neither_kept_nor_held_up(void **state)
{
	char host[] = "web1", command[] = "sh -c 'head -c 50000000 /dev/zero >&2; echo on; cat'";
	const struct ssh_config config = { .hostname = host, .port = 22, .proxy_command = command };
	const struct proxy_way way = { .config = &config, .address = "web1", .wait_ms = 1000 };
	AUTO(str_done) struct str quote = { 0 };
	struct proxy p = { 0 };
	struct err e = { 0 };
	char said[8] = "";
	struct stat st;
	int fd = -1;

	(void)state;
	assert_true(proxy_start(&way, &p, &fd, &e));
	assert_int_equal(read(fd, said, 3), 3);
	assert_string_equal(said, "on\n");
	assert_int_equal(fstat(p.complaint.from, &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	proxy_quote(&p, &quote);
	assert_string_equal(str_text(&quote), "; the way there says more than can be kept");
	assert_in_range(p.complaint.said.len, 0, 2 * COMPLAINT_CAP);
	close(fd);
	proxy_stop(&p);
}

static void
proxy_command_s_last_words_are_quoted(void **state)
{
	char host[] = "web1",
	     command[] = "sh -c '(yes x | head -c 30000; echo gone) >&2; echo on; cat'";
	const struct ssh_config config = { .hostname = host, .port = 22, .proxy_command = command };
	const struct proxy_way way = { .config = &config, .address = "web1", .wait_ms = 1000 };
	struct proxy p = { 0 };
	struct err e = { 0 };
	char said[8] = "";
	int fd = -1;

	(void)state;
	assert_true(proxy_start(&way, &p, &fd, &e));
	assert_int_equal(read(fd, said, 3), 3);
	for (int i = 0; i < 2; i++) { /* they stay */
		AUTO(str_done) struct str quote = { 0 };

		proxy_quote(&p, &quote);
		assert_true(str_starts(str_text(&quote), "; the way there says: ..."));
		assert_true(str_ends(str_text(&quote), "gone"));
	}
	close(fd);
	proxy_stop(&p);
}

static void
proxy_command_gets_nothing_that_a_shell_would_mind(void **state)
{
	static const struct {
		const char *user, *command, *want;
	} cases[] = {
		{ "bob; rm -rf x", "nc %r", "cannot go through a shell" },
		{ "$(x)", "nc %r", "cannot go through a shell" },
		{ "-bob", "nc %r", "cannot go through a shell" },
		{ NULL, "nc %r", "cannot go through a shell" },
		{ "bob", "nc %q", "%q is not known" },
		{ "bob", "nc %", "is not known" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(mem_free_drop) char *user = cases[i].user ? mem_strdup(cases[i].user) : NULL;
		AUTO(mem_free_drop) char *command = mem_strdup(cases[i].command);
		char host[] = "web1";
		const struct ssh_config config = { .hostname = host, .user = user, .port = 22,
			.proxy_command = command };
		const struct proxy_way way = { .config = &config, .address = host, .wait_ms = 1000 };
		struct proxy p = { 0 };
		struct err e = { 0 };
		int fd = -1;

		assert_false(proxy_start(&way, &p, &fd, &e));
		assert_int_equal(e.kind, ERR_HOST);
		if (!strstr(e.text, cases[i].want))
			fail_msg("%s", e.text);
		assert_int_equal(fd, -1);
		assert_int_equal(p.pid, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(proxy_hop_parse_takes_every_form),
		cmocka_unit_test(proxy_command_fills_in_what_ssh_fills_in),
		cmocka_unit_test(proxy_command_that_says_too_much_is_neither_kept_nor_held_up),
		cmocka_unit_test(proxy_command_s_last_words_are_quoted),
		cmocka_unit_test(proxy_command_gets_nothing_that_a_shell_would_mind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
