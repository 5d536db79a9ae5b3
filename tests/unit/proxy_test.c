/* SPDX-License-Identifier: MIT */
/* proxy: how the hop of a ProxyJump is written, and what a ProxyCommand is not given. */
#include "transport/proxy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
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
		cmocka_unit_test(proxy_command_gets_nothing_that_a_shell_would_mind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
