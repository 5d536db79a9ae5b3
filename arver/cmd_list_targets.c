/* SPDX-License-Identifier: MIT */
/*
 * --list-targets: the inventory's paths, one a line, ready to be used as targets. Programs (the
 * shells' completions) get the admins, too.
 */
#include <stdio.h>
#include "arver/app.h"
#include "arver/command.h"
#include "arver/json.h"
#include "inventory/inventory.h"
#include "target/target.h"

static void
list(FILE *json, const char *path, const char *type)
{
	if (json)
		json_target(json, path, type);
	else
		printf("%s\n", path_shown(path));
}

static void
list_tree(FILE *json, const struct inventory *inv)
{
	for (size_t g = 0; g < inventory_n_groups(inv); g++) {
		const struct group *group = inventory_group(inv, g);

		list(json, group->path, "group");
		for (size_t h = 0; h < group->n_hosts; h++) {
			const struct host *host = group->hosts[h];

			list(json, host->path, "host");
			for (size_t d = 0; d < host->n_disks; d++)
				list(json, host->disks[d]->path, "disk");
		}
	}
	for (size_t i = 0; json && i < inventory_n_admins(inv); i++)
		json_admin(json, inventory_admin(inv, i));
}

static bool
list_run(struct app *app, int *status, struct err *e)
{
	AUTO(target_set_drop) struct target_set *set = NULL;
	const char *targets = app->options.args[0];
	FILE *json = app->show.json;

	(void)status;
	if (!app_load(app, e))
		return false;
	if (targets && !target_select(app->inventory, targets, &set, e))
		return false;
	if (json)
		json_begin(json, "list-targets", app->options.dry_run, set);
	if (!targets) {
		list_tree(json, app->inventory);
		return true;
	}
	for (size_t i = 0; i < set->n; i++)
		list(json, set->at[i]->path, "disk");
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
