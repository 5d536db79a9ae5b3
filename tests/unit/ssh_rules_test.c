/* SPDX-License-Identifier: MIT */
/* ssh_rules: which names are of one kind. That ssh agrees is tested beside it, in contract/. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "transport/ssh_rules.h"

static void
assert_kind(const char *file, const char *name, const char *want)
{
	AUTO(ssh_rules_done) struct ssh_rules r = { 0 };
	AUTO(mem_free_drop) char *kind = NULL;

	ssh_rules_read(&r, bytes_of(file));
	kind = ssh_rules_kind(&r, name);
	if (!str_equal(kind, want))
		fail_msg("%s in \"%s\" is of the kind %s, not %s", name, file,
		    kind ? kind : "(none)", want ? want : "(none)");
}

static void
ssh_rules_hosts_decide(void **state)
{
	static const struct {
		const char *file, *name, *want;
	} cases[] = {
		{ "", "web1", "hosts " },
		{ "Host *\n", "web1", "hosts y" },
		{ "User x\nHost web1\nHost web2 web?\nHost *eb*1\nHost w*2", "web1", "hosts yyyn" },
		{ "host=web1\n HOST = web2\n\tHost\tdb web2\r\n#Host web2\n", "web2", "hosts nyy" },
		{ "Host * !web1\nHost !web1 *\nHost !web2", "web1", "hosts nnn" },
		{ "Host Web1\n", "web1", "hosts n" },
		{ "Host *.colo.*\nHost *.colo\nHost **\nHost ?*", "a.colo", "hosts nyyy" },
		{ "Host ????\nHost ?????\nHost web\nHost web11\nHost 1*", "web1", "hosts ynnnn" },
		{ "Host *a*a*a*b\n", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "hosts n" },
		{ "ControlPath ~/%h\nProxyCommand nc %h %p\nHostName db\nProxyJump bastion", "web1", "hosts " },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_kind(cases[i].file, cases[i].name, cases[i].want);
}

static void
ssh_rules_what_else_may_differ_makes_names_their_own(void **state)
{
	static const char *const files[] = { "Match host web1\n", "match all", "HostName %h.colo",
		"IdentityFile ~/.ssh/%h\n", "UserKnownHostsFile=~/%h", "CanonicalizeHostname yes",
		"CanonicalDomains colo", "Include ~/.ssh/%h", "Host \"web1\"", "Host web1 # mine",
		"Host a=b", "\"Host\" web1", "HostName \"web1\"", "HostName web1", "HostName WEB1",
		"ProxyJump bastion,root@web1:22", "Host web1\\" };
	static const char *const names[] = { "", "-x", "root@web1", "ssh://web1", "::1", "we b", "web%1",
		"127.1", "010.0.0.1", "0x7f.1", "7", "w\xc3\xb6" };

	(void)state;
	for (size_t i = 0; i < COUNT(files); i++)
		assert_kind(files[i], "web1", NULL);
	for (size_t i = 0; i < COUNT(names); i++)
		assert_kind("Host *\n", names[i], NULL);
	assert_kind("Host *\n", "10.0.0.1", "hosts y");
	assert_kind("Host *\n", "web_1.colo-2.example", "hosts y");
}

static void
ssh_rules_of_several_files_add_up(void **state)
{
	AUTO(ssh_rules_done) struct ssh_rules r = { 0 };
	AUTO(mem_free_drop) char *kind = NULL;

	(void)state;
	ssh_rules_read(&r, bytes_of("Host web1\n"));
	ssh_rules_read(&r, bytes_of("Host *\n"));
	kind = ssh_rules_kind(&r, "web2");
	assert_string_equal(kind, "hosts ny");
	ssh_rules_read(&r, (struct bytes){ "Host *\n\0Host web2\n", 18 });
	assert_null(ssh_rules_kind(&r, "web2"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ssh_rules_hosts_decide),
		cmocka_unit_test(ssh_rules_what_else_may_differ_makes_names_their_own),
		cmocka_unit_test(ssh_rules_of_several_files_add_up),
	};

	return cmocka_run_group_tests_name("ssh_rules", tests, NULL, NULL);
}
