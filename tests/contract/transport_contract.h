/* SPDX-License-Identifier: MIT */
/* transport_contract: what every transport owes its callers, as one set of cases. */
#ifndef TESTS_TRANSPORT_CONTRACT_H
#define TESTS_TRANSPORT_CONTRACT_H

#include "transport/transport.h"

/*
 * Run all cases against the transports that `make` makes, a fresh one each, to a machine
 * with a POSIX shell. Returns how many failed.
 */
int transport_contract_run(const char *name, struct transport *(*make)(void));

/* Run a shell script there; fails the test if it is not started. */
void transport_contract_sh(struct transport *t, const char *script, struct proc_command c,
    struct proc_result *r);

#endif
