/* SPDX-License-Identifier: MIT */
/* --list-targets: the inventory's paths, one a line, ready to be used as targets. */
#include <stdio.h>
#include "arver/app.h"
#include "arver/command.h"
#include "inventory/inventory.h"
#include "target/target.h"

static void
list_tree(const struct inventory *inv)
{
	for (size_t g = 0; g < inventory_n_groups(inv); g++) {
		const struct group *group = inventory_group(inv, g);

		printf("%s\n", path_shown(group->path));
		for (size_t h = 0; h < group->n_hosts; h++) {
			const struct host *host = group->hosts[h];

			printf("%s\n", path_shown(host->path));
			for (size_t d = 0; d < host->n_disks; d++)
				printf("%s\n", path_shown(host->disks[d]->path));
		}
	}
}

static bool
list_run(struct app *app, int *status, struct err *e)
{
	AUTO(target_set_drop) struct target_set *set = NULL;
	const char *targets = app->options.args[0];

	(void)status;
	if (!app_load(app, e))
		return false;
	if (!targets) {
		list_tree(app->inventory);
		return true;
	}
	if (!target_select(app->inventory, targets, &set, e))
		return false;
	for (size_t i = 0; i < set->n; i++)
		printf("%s\n", path_shown(set->at[i]->path));
	return true;
}

const struct command command_list_targets = {
	.verb = VERB_LIST,
	.name = "list-targets",
	.letter = 'l',
	.args = { "TARGETS" },
	.optional_arg = true,
	.help = "list groups, hosts and disks, or the disks that TARGETS means",
	.run = list_run,
};
