/* SPDX-License-Identifier: MIT */
/*
 * --accept-new over a real sshd: what is stored in known_hosts, and read back by ssh's own
 * programs; and what is refused all the same. Built with AddressSanitizer and with ThreadSanitizer.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "tests/contract/ssh_case.h"

#define THREADS 8

static int
begin_accepting(void **state)
{
	begin(state);
	sshd_known_hosts(&server, "");
	accept_new = true;
	return 0;
}

static void
assert_unchanged(const char *address, const char *text, const char *more)
{
	sshd_shell(&server, "cp known_hosts before");
	assert_fails(address, CONNECT_MS, text, more);
	sshd_shell(&server, "cmp known_hosts before");
	assert_string_equal(str_text(&notes), "");
}

static void
accept_new_key_is_stored_and_noted(void **state)
{
	(void)state;
	assert_connects("web1");
	sshd_shell(&server, "test \"$(cat known_hosts)\" = "
			    "\"[127.0.0.1]:%u $(cut -d' ' -f1,2 host_ed25519.pub)\"", server.port);
	assert_noted("new host key ED25519 SHA256:");
	assert_noted("/known_hosts\n");
	sshd_shell(&server, "echo '%s' | grep -qF \" $(ssh-keygen -lf host_ed25519.pub | "
			    "cut -d' ' -f2) \"", str_text(&notes));
	str_done(&notes);
	accept_new = false;
	assert_connects("web1");
	accept_new = true;
	assert_connects("web1");
	assert_string_equal(str_text(&notes), "");
	sshd_shell(&server, "test $(wc -l <known_hosts) = 1; "
			    "bin/ssh -oBatchMode=yes -oStrictHostKeyChecking=yes web1 true");
}

static void
accept_without_it_offers_it(void **state)
{
	(void)state;
	accept_new = false;
	assert_unchanged("web1", "not known: ssh-ed25519 SHA256:", "or with --accept-new");
}

static void
accept_hashed_key_is_found_by_ssh(void **state)
{
	(void)state;
	sshd_config(&server, "Host *\nHashKnownHosts yes\n" HOST);
	assert_connects("web1");
	sshd_shell(&server, "! grep -q 127 known_hosts; grep -q '^|1|' known_hosts; "
			    "ssh-keygen -F '[127.0.0.1]:%u' -f known_hosts >/dev/null; "
			    "bin/ssh -oBatchMode=yes -oStrictHostKeyChecking=yes web1 true",
	    server.port);
	accept_new = false;
	assert_connects("web1");
}

static void
accept_alias_is_stored(void **state)
{
	(void)state;
	sshd_config(&server, "Host *\nHostKeyAlias Storage\n" HOST);
	assert_connects("web1");
	sshd_shell(&server, "grep -q '^storage ssh-ed25519 ' known_hosts; "
			    "bin/ssh -oBatchMode=yes -oStrictHostKeyChecking=yes web1 true");
	accept_new = false;
	assert_connects("web1");
}

static void
accept_another_port_s_key_is_no_change(void **state)
{
	(void)state;
	sshd_shell(&server, "echo \"127.0.0.1 $(cat id.pub)\" >known_hosts");
	assert_connects("web1");
	assert_noted("new host key");
	sshd_shell(&server, "test $(wc -l <known_hosts) = 2");
}

static void
accept_changed_or_revoked_key_is_refused(void **state)
{
	static const struct {
		const char *file, *text;
	} cases[] = {
		{ "[127.0.0.1]:%P ssh-ed25519 "
		  "AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
		    "HAS CHANGED" },
		{ "@revoked * %E\n", "is revoked in" },
		{ "@revoked 127.0.0.1 %E\n", "is revoked in" },
		{ "@cert-authority * %C\n", "@cert-authority needs \"transport: openssh\"" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		sshd_known_hosts(&server, cases[i].file);
		assert_unchanged("web1", cases[i].text, NULL);
	}
	/* of a type that the server does not have */
	sshd_shell(&server, "ssh-keygen -q -t rsa -b 2048 -N '' -f rsa; "
			    "printf '[127.0.0.1]:%u %%s\\n' \"$(cat rsa.pub)\" >known_hosts",
	    server.port);
	assert_unchanged("web1", "HAS CHANGED", NULL);
	sshd_known_hosts(&server, "");
	sshd_config(&server, "Host *\nRevokedHostKeys %D/revoked\n" HOST);
	sshd_shell(&server, "cat host_ed25519.pub >revoked");
	assert_unchanged("web1", "is revoked in", "revoked");
	sshd_shell(&server, "rm revoked");
}

static void
accept_first_of_the_users_files_is_written(void **state)
{
	(void)state;
	sshd_config(&server, "Host *\nUserKnownHostsFile %D/new/dir/one %D/known_hosts\n" HOST);
	sshd_shell(&server, "printf 'other ssh-ed25519 AAAA' >known_hosts"); /* no newline at its end */
	assert_connects("web1");
	sshd_shell(&server, "grep -q 127 new/dir/one; ! grep -q 127 known_hosts; "
			    "test $(stat -c %%a new/dir) = 700; rm -r new");
	sshd_config(&server, "Host *\n" HOST);
	assert_connects("web1");
	sshd_shell(&server, "test $(wc -l <known_hosts) = 2; grep -q '^.127' known_hosts");
}

static void
accept_where_nothing_can_be_stored_is_refused(void **state)
{
	(void)state;
	sshd_config(&server, "Host *\nUserKnownHostsFile none\n" HOST);
	assert_unchanged("web1", "names no UserKnownHostsFile", NULL);
	sshd_config(&server, "Host *\nUserKnownHostsFile /dev/null\n" HOST);
	assert_unchanged("web1", "cannot store a host key in /dev/null: it is no regular file", NULL);
	sshd_config(&server, "Host *\nUserKnownHostsFile /proc/nowhere/known_hosts\n" HOST);
	assert_unchanged("web1", "cannot store a host key in /proc/nowhere/known_hosts", NULL);
}

/* All of them have looked before the first one writes: what is revoked is slow to tell. */
static void
accept_by_many_at_once_is_one_line(void **state)
{
	(void)state;
	sshd_config(&server, "Host *\nRevokedHostKeys %D/revoked\n" HOST);
	sshd_shell(&server, "ssh-keygen -q -k -f revoked host_ecdsa.pub; "
			    "printf '#!/bin/sh\nsleep 0.2\nexec %%s \"$@\"\n' "
			    "\"$(command -v ssh-keygen)\" >bin/ssh-keygen; chmod 755 bin/ssh-keygen");
	assert_many_run(THREADS);
	sshd_shell(&server, "rm bin/ssh-keygen revoked; test $(wc -l <known_hosts) = 1");
}

static void
accept_jump_host_s_key_too(void **state)
{
	const char *text;

	(void)state;
	sshd_config(&server, "Host bastion\nHostKeyAlias bastion\n" HOST
			     "Host web1\nHostKeyAlias web1\nProxyJump bastion\n" HOST);
	assert_connects("web1");
	assert_noted("jump host bastion: new host key ED25519 SHA256:");
	text = str_text(&notes);
	assert_non_null(strstr(text, "\nnew host key ED25519"));
	sshd_shell(&server, "cut -d' ' -f1 known_hosts | tr '\\n' ' ' | grep -qx 'bastion web1 '");
	str_done(&notes);
	/* stored by ssh, where it goes there instead */
	sshd_known_hosts(&server, "web1 %E\n");
	sshd_config(&server, "Host bastion\nHostKeyAlias bastion\nBindAddress 127.0.0.1\n" HOST
			     "Host web1\nHostKeyAlias web1\nProxyJump bastion\n" HOST);
	assert_connects("web1");
	sshd_shell(&server, "grep -q '^bastion ' known_hosts");
	sshd_known_hosts(&server, "web1 %E\nbastion %C\n@revoked bastion %C\n");
	sshd_config(&server, "Host bastion\nHostKeyAlias bastion\n" HOST
			     "Host web1\nHostKeyAlias web1\nProxyJump bastion\n" HOST);
	assert_unchanged("web1", "jump host bastion: host key", "is revoked");
}

#define CASE(name) cmocka_unit_test_setup_teardown(accept_##name, begin_accepting, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(new_key_is_stored_and_noted),
		CASE(without_it_offers_it),
		CASE(hashed_key_is_found_by_ssh),
		CASE(alias_is_stored),
		CASE(another_port_s_key_is_no_change),
		CASE(changed_or_revoked_key_is_refused),
		CASE(first_of_the_users_files_is_written),
		CASE(where_nothing_can_be_stored_is_refused),
		CASE(by_many_at_once_is_one_line),
		CASE(jump_host_s_key_too),
	};
	int failed;

	signal(SIGPIPE, SIG_IGN);
	sshd_start(&server, NULL);
	failed = cmocka_run_group_tests_name("accept", tests, NULL, NULL);
	sshd_stop(&server);
	return failed;
}
