/* SPDX-License-Identifier: MIT */
/*
 * luks_ssh_test: the contract of lib/luks, kept by the cryptsetup program over
 * transport_ssh and a real sshd.
 */
#include "luks/luks.h"
#include "tests/contract/luks_contract.h"
#include "tests/contract/sshd.h"
#include "transport/transport.h"

static struct sshd server;
static struct transport *transport;

static struct luks *
make(int64_t limit_ms)
{
	const struct transport_spec spec = {
		.name = "colo/web1",
		.address = "web1",
		.user = server.user,
		.connect_ms = 20000,
	};

	transport = transport_ssh_new(&spec);
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
	sshd_config(&server, "Host *\nHostName 127.0.0.1\nPort %P\nIdentityFile %D/id\n"
			     "UserKnownHostsFile %D/known_hosts\n"
			     "GlobalKnownHostsFile %D/global_known_hosts\n");
	sshd_known_hosts(&server, "[127.0.0.1]:%P %E\n");
	failed = luks_contract_run(&c);
	sshd_stop(&server);
	return failed;
}
