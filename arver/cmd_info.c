/* SPDX-License-Identifier: MIT */
/* --info: what the LUKS header of each disk says, slots with their owners' names. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "arver/app.h"
#include "arver/command.h"
#include "arver/logins.h"
#include "arver/pinned.h"
#include "arver/json.h"
#include "arver/progress.h"
#include "arver/show.h"
#include "arver/works.h"
#include "inventory/inventory.h"
#include "keystore/keystore.h"
#include "plan/plan.h"
#include "target/target.h"

/* Who claims this slot: an admin with key files, a rescue passphrase, or nobody. */
static struct json_claim
find_claim(struct app *app, const struct disk *d, int slot)
{
	const struct admin *a = inventory_slot_owner(app->inventory, slot);
	AUTO(argv_done) struct argv files = { 0 };
	struct json_claim c = { .owner = a ? a->name : NULL, .revoked = a && a->revoked,
		.rescue = d->rescue_slots >> slot & 1 };

	c.claimed = c.rescue || (a && !(keystore_files(app->keystore, a->name, &files, NULL) &&
					 files.n == 0));
	return c;
}

static void
show_claim(const struct json_claim *c)
{
	if (c->rescue)
		printf("rescue passphrase");
	else if (!c->owner)
		printf("unclaimed: nobody owns this slot");
	else if (!c->claimed)
		printf("unclaimed: %s owns it and has no key file", c->owner);
	else
		printf("%s%s", c->owner, c->revoked ? " (revoked)" : "");
}

static void
show_slot(int number, const struct luks_slot *s, const struct json_claim *claim)
{
	printf("  slot %-2d  ", number);
	show_claim(claim);
	printf(", %s", s->kdf);
	if (s->memory_kib)
		printf(" (%" PRIu64 " passes, %" PRIu64 " KiB)", s->iterations, s->memory_kib);
	else if (s->iterations)
		printf(" (%" PRIu64 " iterations)", s->iterations);
	printf("\n");
}

static void
show_header(const struct work *w, const struct json_claim *claims)
{
	const struct luks_header *h = &w->header;

	printf("%s  %s\n", path_shown(w->disk->path), w->open ? "open" : "closed");
	printf("  device   %s\n", w->disk->device);
	printf("  header   LUKS%u, UUID %s%s\n", h->version, h->uuid,
	    w->disk->uuid && strcmp(w->disk->uuid, h->uuid) != 0 ? ", NOT the one in settings" : "");
	printf("  cipher   %s, %u bit, sectors of %u bytes\n", h->cipher, h->key_bits,
	    h->sector_size);
	for (int s = 0; s < LUKS_MAX_SLOTS; s++)
		if (h->slots[s].active)
			show_slot(s, &h->slots[s], &claims[s]);
}

static void
show_disk(struct app *app, const struct work *w)
{
	struct json_claim claims[LUKS_MAX_SLOTS];

	for (int s = 0; s < LUKS_MAX_SLOTS; s++)
		claims[s] = find_claim(app, w->disk, s);
	if (app->show.json)
		json_header(app->show.json, w, claims);
	else
		show_header(w, claims);
}

static bool
info_run(struct app *app, int *status, struct err *e)
{
	AUTO(target_set_drop) struct target_set *set = NULL;
	AUTO(plan_drop) struct plan *plan = plan_new("info");
	AUTO(works_drop) struct works *works = NULL;

	if (!app_load_me(app, e) || !target_select(app->inventory, app->options.args[0], &set, e) ||
	    !app_open_keystore(app, e))
		return false;
	works = works_new(set, LUKS_ANY_SLOT);
	plan_info(plan, set, works->at);
	show_begin(app, set);
	if (!pinned_check(app, plan, NULL, e))
		return false;
	if (!show_go(app, plan))
		return true;
	if (!logins_unlock(app, plan, e))
		return false;
	AUTO(report_drop) struct report *rep = report_new(plan);
	struct run_options o = app_run_options(app, NULL, NULL);
	AUTO(run_drop) struct run *run = run_begin(&o, plan, rep);

	progress_phase(run, 0);
	works_judge(works, rep);
	for (size_t i = 0; i < works->n; i++) {
		const struct row *bad = works->at[i]->bad;

		if (bad)
			show_bad(&app->show, works->at[i]->disk, "not read", &bad->err);
		else
			show_disk(app, works->at[i]);
	}
	*status = show_summary(&app->show, "could not be read");
	return true;
}

const struct command command_info = {
	.verb = VERB_INFO,
	.name = "info",
	.letter = 'i',
	.args = { "TARGETS" },
	.help = "show LUKS headers, slots and their owners",
	.run = info_run,
};
