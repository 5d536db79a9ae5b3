/* SPDX-License-Identifier: MIT */
/* luks_native_test: the contract of lib/luks, kept by libcryptsetup on this machine. */
#include "luks/luks.h"
#include "tests/contract/luks_contract.h"

int
main(void)
{
	const struct luks_contract c = { .name = "luks_native", .make = luks_native_new,
		.drop = luks_free };

	return luks_contract_run(&c);
}
