/* SPDX-License-Identifier: MIT */
/* command: a verb beside its code, and the table that lists each once. */
#ifndef ARVER_COMMAND_H
#define ARVER_COMMAND_H

#include <stdbool.h>
#include "base/err.h"

struct app;

/* Which verbs an option goes with. */
enum verb_set {
	VERB_INIT = 1 << 0,
	VERB_LIST = 1 << 1,
	VERB_CREATE = 1 << 2,
	VERB_OPEN = 1 << 3,
	VERB_CLOSE = 1 << 4,
	VERB_ADD_USER = 1 << 5,
	VERB_DEL_USER = 1 << 6,
	VERB_INFO = 1 << 7,
	VERB_VERIFY = 1 << 8,
	VERB_HELP = 1 << 9,
	VERB_VERSION = 1 << 10,
	VERB_REFRESH = 1 << 11,
	VERB_KEYS = 1 << 12,
	VERB_DUMP_KEY = 1 << 13,
	VERB_GARBAGE_COLLECT = 1 << 14,
	VERBS_HOSTS = VERB_CREATE | VERB_OPEN | VERB_CLOSE | VERB_ADD_USER | VERB_DEL_USER |
		      VERB_REFRESH | VERB_INFO | VERB_VERIFY,
	VERBS_ALL = (1 << 15) - 1,
};

struct command {
	enum verb_set verb;
	const char *name;    /* the long option: "open" */
	char letter;	     /* the short one, or 0 */
	const char *args[3]; /* names of its arguments: "USER", "TARGETS"; NULL-terminated */
	bool optional_arg;   /* its argument may be left out */
	const char *help;
	/*
	 * Do it. False: nothing more can be done, `e` tells why and the exit status
	 * follows from its kind. True: *status is the exit status.
	 */
	bool (*run)(struct app *app, int *status, struct err *e);
};

extern const struct command command_init, command_list_targets, command_create, command_open,
    command_close, command_verify, command_add_user, command_del_user, command_refresh, command_info,
    command_keys, command_garbage_collect, command_dump_key, command_help, command_version;

/* Every verb, in the order of the help text; NULL-terminated. */
extern const struct command *const commands[];

#endif
