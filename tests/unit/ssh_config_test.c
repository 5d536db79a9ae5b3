/* SPDX-License-Identifier: MIT */
/* ssh_config: the output of `ssh -G`, as OpenSSH 9.2 writes it, and less. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <pwd.h>
#include <unistd.h>
#include <sys/socket.h>
#include <cmocka.h>
#include "transport/ssh_config.h"

#define BASE "host web1\nuser root\nhostname 10.0.0.1\nport 2222\n"

static void
parse(const char *output, struct ssh_config *c)
{
	struct err e = { 0 };

	if (!ssh_config_parse(bytes_of(output), "/home/me", c, &e))
		fail_msg("%s", e.text);
}

static void
ssh_config_parse_takes_plain_settings(void **state)
{
	AUTO(ssh_config_done) struct ssh_config c = { 0 };

	(void)state;
	parse(BASE "hostkeyalias storage\nproxyjump a@b:2,c\nproxycommand nc %h %p\n"
		   "identityagent /run/agent\nconnecttimeout 7\nidentitiesonly yes\n"
		   "addressfamily inet6\nciphers aes256-ctr,x\nmacs m\nkexalgorithms k\n"
		   "hostkeyalgorithms h\npubkeyacceptedalgorithms p\n",
	    &c);
	assert_string_equal(c.hostname, "10.0.0.1");
	assert_string_equal(c.user, "root");
	assert_int_equal(c.port, 2222);
	assert_string_equal(c.host_key_alias, "storage");
	assert_string_equal(c.proxy_jump, "a@b:2,c");
	assert_string_equal(c.proxy_command, "nc %h %p");
	assert_string_equal(c.identity_agent, "/run/agent");
	assert_int_equal(c.connect_ms, 7000);
	assert_true(c.identities_only);
	assert_int_equal(c.family, AF_INET6);
	assert_string_equal(c.ciphers, "aes256-ctr,x");
	assert_string_equal(c.macs, "m");
	assert_string_equal(c.kex_algorithms, "k");
	assert_string_equal(c.host_key_algorithms, "h");
	assert_string_equal(c.pubkey_algorithms, "p");
	assert_int_equal(c.unsupported.n, 0);
}

static void
ssh_config_parse_none_is_nothing(void **state)
{
	AUTO(ssh_config_done) struct ssh_config c = { 0 };

	(void)state;
	parse(BASE "proxyjump none\nproxycommand none\nconnecttimeout none\nhostkeyalias none\n"
		   "identityfile none\ncertificatefile none\nuserknownhostsfile none\n"
		   "revokedhostkeys none\npkcs11provider none\nidentityagent none\n"
		   "identitiesonly no\naddressfamily any\npubkeyauthentication true\n"
		   "proxyusefdpass no\n",
	    &c);
	assert_null(c.proxy_jump);
	assert_null(c.proxy_command);
	assert_null(c.host_key_alias);
	assert_string_equal(c.identity_agent, "none"); /* means no agent, not "not said" */
	assert_int_equal(c.connect_ms, 0);
	assert_false(c.identities_only);
	assert_int_equal(c.family, AF_UNSPEC);
	assert_int_equal(c.identity_files.n, 0);
	assert_int_equal(c.certificate_files.n, 0);
	assert_int_equal(c.known_hosts_files.n, 0);
	assert_int_equal(c.revoked_host_keys.n, 0);
	assert_int_equal(c.unsupported.n, 0);
}

static void
ssh_config_parse_users_known_hosts_come_first(void **state)
{
	static const char *const want[] = { "/u/1", "/u/2", "/g/1", "/g/2" };
	AUTO(ssh_config_done) struct ssh_config c = { 0 };

	(void)state;
	parse(BASE "globalknownhostsfile /g/1 /g/2\nuserknownhostsfile /u/1 /u/2\n", &c);
	assert_int_equal(c.known_hosts_files.n, COUNT(want));
	for (size_t i = 0; i < COUNT(want); i++)
		assert_string_equal(c.known_hosts_files.at[i], want[i]);
}

static void
ssh_config_parse_expands_paths_of_identities(void **state)
{
	static const struct {
		const char *path, *want; /* NULL: told as unsupported */
	} cases[] = {
		{ "/a/b", "/a/b" },
		{ "~/.ssh/id", "/home/me/.ssh/id" },
		{ "%d/id", "/home/me/id" },
		{ "~/%h-%p-%r", "/home/me/10.0.0.1-2222-root" },
		{ "/a%%b", "/a%b" },
		{ "/${ARVER_TEST}/k", "/value/k" },
		{ "/with space", "/with space" },
		{ "/%C", NULL },
		{ "/a%", NULL },
		{ "/${ARVER_TEST_NOT_SET}", NULL },
		{ "/${ARVER_TEST", NULL },
	};

	(void)state;
	setenv("ARVER_TEST", "value", 1);
	unsetenv("ARVER_TEST_NOT_SET");
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(ssh_config_done) struct ssh_config c = { 0 };
		AUTO(mem_free_drop)
		char *text = mem_printf("%sidentityfile %s\n", BASE, cases[i].path);

		parse(text, &c);
		assert_int_equal(c.identity_files.n, 1);
		assert_int_equal(c.unsupported.n, cases[i].want ? 0 : 1);
		if (cases[i].want)
			assert_string_equal(c.identity_files.at[0], cases[i].want);
		else
			assert_non_null(strstr(c.unsupported.at[0], cases[i].path));
	}
}

static void
ssh_config_parse_expands_who_i_am(void **state)
{
	AUTO(ssh_config_done) struct ssh_config c = { 0 };
	AUTO(mem_free_drop) char *want = NULL;
	const struct passwd *me = getpwuid(getuid());

	(void)state;
	want = mem_printf("/%u/%s/k", (unsigned)getuid(), me ? me->pw_name : "");
	parse(BASE "identityfile /%i/%u/k\n", &c);
	assert_string_equal(c.identity_files.at[0], want);
}

static void
ssh_config_parse_names_what_it_cannot_do(void **state)
{
	static const struct {
		const char *line, *want;
	} cases[] = {
		{ "pkcs11provider /lib/x.so", "PKCS11Provider" },
		{ "knownhostscommand /bin/x", "KnownHostsCommand" },
		{ "bindaddress 10.0.0.2", "BindAddress" },
		{ "bindinterface eth1", "BindInterface" },
		{ "proxyusefdpass yes", "ProxyUseFdpass" },
		{ "pubkeyauthentication false", "PubkeyAuthentication no" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(ssh_config_done) struct ssh_config c = { 0 };
		AUTO(mem_free_drop) char *text = mem_printf("%s%s\n", BASE, cases[i].line);

		parse(text, &c);
		assert_int_equal(c.unsupported.n, 1);
		assert_string_equal(c.unsupported.at[0], cases[i].want);
	}
}

static void
ssh_config_parse_without_host_or_port_fails(void **state)
{
	static const char *const cases[] = { "", "\n\n", "hostname x\n", "port 22\n",
		"hostname x\nport 0\n", "hostname x\nport 65536\n", "hostname x\nport 22x\n",
		"hostname x\nport -1\n", "hostname\nport 22\n", "hostname \nport 22\n",
		"hostname x\nport 99999999999999999999\n" };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct ssh_config c = { .port = 77 };
		struct err e = { 0 };

		assert_false(ssh_config_parse(bytes_of(cases[i]), "/home/me", &c, &e));
		assert_int_equal(e.kind, ERR_HOST);
		assert_int_equal(c.port, 77);
	}
	assert_false(ssh_config_parse((struct bytes){ 0 }, "/", &(struct ssh_config){ 0 }, NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ssh_config_parse_takes_plain_settings),
		cmocka_unit_test(ssh_config_parse_none_is_nothing),
		cmocka_unit_test(ssh_config_parse_users_known_hosts_come_first),
		cmocka_unit_test(ssh_config_parse_expands_paths_of_identities),
		cmocka_unit_test(ssh_config_parse_expands_who_i_am),
		cmocka_unit_test(ssh_config_parse_names_what_it_cannot_do),
		cmocka_unit_test(ssh_config_parse_without_host_or_port_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
