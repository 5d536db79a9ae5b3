/* SPDX-License-Identifier: MIT */
/*
 * luks_contract: what every implementation of lib/luks/luks.h must do, as one
 * set of cases on real image files, each for LUKS1 and LUKS2. A test program
 * names its implementation and runs them.
 */
#ifndef TESTS_LUKS_CONTRACT_H
#define TESTS_LUKS_CONTRACT_H

#include <stdbool.h>
#include <stdint.h>

struct luks;

struct luks_contract {
	const char *name;
	struct luks *(*make)(int64_t limit_ms);
	void (*drop)(struct luks *l);
	bool (*fed)(void);	/* did the last call send a key? NULL where that cannot be seen */
};

/* Runs all cases; the number of those that failed. */
int luks_contract_run(const struct luks_contract *contract);

#endif
