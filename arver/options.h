/* SPDX-License-Identifier: MIT */
/*
 * options: the command line. One table says of each option its name, its
 * argument, the verbs it goes with and its help text; getopt_long does the reading.
 */
#ifndef ARVER_OPTIONS_H
#define ARVER_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include "base/err.h"

struct command;

/* What was typed; strings borrow from argv. */
struct options {
	const struct command *command;
	const char *args[2];	/* the verb's arguments */
	const char *user;	/* -u */
	const char *config_dir; /* -c */
	const char *set_key;	/* --set-key: a path as the key store has it */
	unsigned jobs;		/* -j; 0: not given */
	int64_t wait_ms;	/* --wait; 0: not given */
	unsigned verbose;	/* -v 1, --vv 2 */
	bool quiet, json, trust_all, ask_password, force, violence, dry_run, fail_fast;
	bool accept_new, accept_changes;
};

/* ERR_USAGE names the one wrong thing; out->json is set all the same. */
MUST_CHECK bool options_parse(int argc, char **argv, struct options *out, struct err *e);

/* The whole help text, made from the tables. */
void options_help(FILE *out);

#endif
