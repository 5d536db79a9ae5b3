/* SPDX-License-Identifier: MIT */
/* transport_local: the contract, on this machine. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>
#include "tests/contract/transport_contract.h"

static struct transport *
make_local(void)
{
	const struct transport_spec spec = { .name = "here" };

	return transport_local_new(&spec);
}

static void
transport_local_wants_sudo_unless_root(void **state)
{
	AUTO(transport_drop) struct transport *t = make_local();

	(void)state;
	assert_string_equal(t->name, "here");
	assert_int_equal(t->sudo, geteuid() != 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(transport_local_wants_sudo_unless_root),
	};

	signal(SIGPIPE, SIG_IGN);
	return transport_contract_run("transport_local", make_local) +
	    cmocka_run_group_tests(tests, NULL, NULL);
}
