/* SPDX-License-Identifier: MIT */
/* The table of verbs, and the two that need nothing loaded. */
#include "arver/command.h"

#include <stdio.h>
#include "arver/app.h"

const struct command *const commands[] = {
	&command_init,	   &command_list_targets, &command_create,	    &command_open,
	&command_close,	   &command_verify,	  &command_add_user,	    &command_del_user,
	&command_refresh,  &command_info,	  &command_keys,	    &command_garbage_collect,
	&command_dump_key, &command_help,	  &command_version,	    NULL,
};

static bool
help_run(struct app *app, int *status, struct err *e)
{
	(void)app, (void)status, (void)e;
	options_help(stdout);
	return true;
}

static bool
version_run(struct app *app, int *status, struct err *e)
{
	(void)app, (void)status, (void)e;
	printf("arver %s\n", ARVER_VERSION);
	return true;
}

const struct command command_help = {
	.verb = VERB_HELP,
	.name = "help",
	.letter = 'h',
	.help = "show this help",
	.run = help_run,
};

const struct command command_version = {
	.verb = VERB_VERSION,
	.name = "version",
	.help = "show the version",
	.run = version_run,
};
