/* SPDX-License-Identifier: MIT */
/* ssh_contract: with a real sshd that is killed, stopped, gone and back again. */
#include "tests/contract/ssh_contract.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>
#include "tests/contract/ssh_case.h"
#include "tests/contract/transport_contract.h"

static void
ssh_connection_cut_in_a_command_is_lost(void **state)
{
	AUTO(transport_drop) struct transport *t = make_ssh();

	(void)state;
	assert_lost(t, "cat; kill -9 $PPID; sleep 20");
	assert_runs(t);
}

static void
ssh_connection_cut_while_parked_is_made_anew(void **state)
{
	AUTO(transport_drop) struct transport *t = make_ssh();

	(void)state;
	connect_or_fail(t);
	assert_int_equal(t->logins, 1);
	sshd_signal_connections(&server, SIGKILL);
	assert_runs(t);
	assert_int_equal(t->logins, 2);
}

static void
assert_not_begun(struct transport *t, enum err_kind kind, const char *text)
{
	const char *const argv[] = { "touch", "begun", NULL };
	struct proc_result r = { .code = 77 };
	struct err e = { 0 };

	assert_false(transport_run(t, &(struct proc_command){ .argv = argv }, &r, &e));
	assert_int_equal(e.kind, kind);
	assert_says(&e, text);
	assert_int_equal(r.code, 77);
}

static void
ssh_server_gone_while_parked_was_not_begun(void **state)
{
	AUTO(transport_drop) struct transport *t = make_ssh();

	(void)state;
	connect_or_fail(t);
	sshd_halt(&server);
	assert_not_begun(t, ERR_AWAY, "Connection refused");
	sshd_resume(&server, NULL);
	assert_runs(t);
}

static void
ssh_session_that_is_refused_was_not_begun(void **state)
{
	AUTO(transport_drop) struct transport *t = make_ssh();

	(void)state;
	sshd_halt(&server);
	sshd_resume(&server, "MaxSessions 0");
	for (int i = 0; i < 2; i++) /* the second time over the same connection */
		assert_not_begun(t, ERR_HOST, "the server opens no more sessions");
	sshd_halt(&server);
	sshd_resume(&server, NULL);
	assert_runs(t);
}

static void
ssh_server_that_stops_reading_ends_at_the_deadline(void **state)
{
	(void)state;
	assert_no_write_hangs("kill -STOP $PPID; sleep 20");
	sshd_signal_connections(&server, SIGKILL);
}

static void
ssh_jump_host_leads_there(void **state)
{
	(void)state;
	sshd_config(&server, "Host a b\n" HOST "Host web1\nProxyJump a,b\n" HOST);
	assert_connects("web1");
	sshd_config(&server, "Host web1\nProxyCommand ssh -W '[%h]:%p' b\nHost *\n" HOST);
	assert_connects("web1");
}

static void
ssh_wants_sudo_unless_root(void **state)
{
	const struct transport_spec specs[] = {
		{ .name = "a", .address = "a", .user = "root" },
		{ .name = "a", .address = "a", .user = "admin" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(specs); i++) {
		AUTO(transport_drop) struct transport *t = transport_new(&specs[i]);

		assert_int_equal(t->sudo, i == 1);
		assert_string_equal(t->name, "a");
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(ssh_##name, begin, after)

int
ssh_contract_run(const char *name, int (*after)(void **state))
{
	const struct CMUnitTest tests[] = {
		CASE(connection_cut_in_a_command_is_lost),
		CASE(connection_cut_while_parked_is_made_anew),
		CASE(server_gone_while_parked_was_not_begun),
		CASE(session_that_is_refused_was_not_begun),
		CASE(server_that_stops_reading_ends_at_the_deadline),
		CASE(jump_host_leads_there),
		CASE(wants_sudo_unless_root),
	};
	int failed;

	begin(NULL);
	failed = transport_contract_run(name, make_ssh);
	return failed + cmocka_run_group_tests_name(name, tests, NULL, NULL);
}
