/* SPDX-License-Identifier: MIT */
/*
 * luks_ssh_test: the contract of lib/luks, kept by the cryptsetup program over
 * transport_ssh and a real sshd.
 */
#include "luks/luks.h"
#include "tests/contract/luks_contract.h"
#include "tests/contract/ssh_case.h"

static struct transport *transport;

static struct luks *
make(int64_t limit_ms)
{
	transport = make_ssh();
	return luks_remote_new(transport, limit_ms);
}

static void
drop(struct luks *l)
{
	luks_free(l);
	transport_free(transport);
}

int
main(void)
{
	const struct luks_contract c = { .name = "luks_ssh", .make = make, .drop = drop };
	int failed;

	sshd_start(&server, NULL);
	begin(NULL);
	failed = luks_contract_run(&c);
	sshd_stop(&server);
	return failed;
}
