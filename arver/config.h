/* SPDX-License-Identifier: MIT */
/* config: where the data lies and who I am: defaults < ~/.arver < environment < command line. */
#ifndef ARVER_CONFIG_H
#define ARVER_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include "base/err.h"

struct options;

/* Strings owned. */
struct config {
	char *path;	  /* of ~/.arver, whether it is there or not */
	char *username;	  /* NULL: nothing says who I am */
	char *config_dir; /* the data directory */
	char *state_home; /* $XDG_STATE_HOME/arver */
	unsigned jobs;	  /* 0: not set */
	int64_t connect_ms, command_ms, hook_ms; /* 0: not set */
};

void config_done(struct config *c);

/* ERR_DATA "~/.arver:3: ..." on what is not understood. */
MUST_CHECK bool config_load(const struct options *o, struct config *out, struct err *e);

#endif
