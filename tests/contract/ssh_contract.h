/* SPDX-License-Identifier: MIT */
/* ssh_contract: what every transport owes that goes over SSH, besides transport_contract. */
#ifndef TESTS_SSH_CONTRACT_H
#define TESTS_SSH_CONTRACT_H

/*
 * Run both contracts with what make_ssh() makes (ssh_case.h), `after` behind each case of this one.
 * Returns how many failed.
 */
int ssh_contract_run(const char *name, int (*after)(void **state));

#endif
