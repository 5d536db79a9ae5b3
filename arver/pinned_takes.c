/* SPDX-License-Identifier: MIT */
/*
 * By its uuid in settings a disk takes keys that are stored under other paths: so whoever can push could
 * have them sent to another server. Each such path is told and accepted by itself.
 */
#include "arver/app.h"
#include "arver/pin_make.h"
#include "arver/pinned_internal.h"
#include "base/log.h"
#include "inventory/inventory.h"

bool
pinned_may_claim_keys(const struct app *app, const struct host *h)
{
	for (size_t i = 0; !app->keys && i < h->n_disks; i++)
		if (h->disks[i]->uuid)
			return true;
	return false;
}

/* The next path whose key would go to this disk without having been accepted for it; NULL: first, last. */
static const char *
next_claim(const struct app *app, const struct disk *d, const char *path)
{
	AUTO(mem_free_drop) char *field = pin_takes_field(d);
	const struct pin *pin = pins_find(&app->pinned->known, PIN_HOST, d->host->path);
	const struct argv *accepted = pin_words(pin, field);

	while ((path = pin_next_taken(app->keys, d, path)))
		if (!accepted || !argv_has(accepted, path))
			return path;
	return NULL;
}

/* Tell of each; the first is what the host is held for. */
static void
tell_claims(struct app *app, const struct host *h)
{
	struct seen *seen = &app->pinned->hosts[h->index];

	for (size_t i = 0; i < h->n_disks; i++) {
		const struct disk *d = h->disks[i];
		const char *path = NULL;

		while ((path = next_claim(app, d, path))) {
			AUTO(mem_free_drop) char *why = mem_printf(
			    "%sby the uuid in settings %s would get your key for %s",
			    seen->is_new ? "it is new here, and " : "", path_shown(d->path), path_shown(path));

			if (app->options.accept_changes)
				log_line(LOG_INFO, "%s: by its uuid gets your key for %s", path_shown(d->path),
				    path_shown(path));
			else if (seen->held)
				log_line(LOG_ERROR, "%s: %s", path_shown(h->path), why);
			else
				pinned_hold(app, h, why);
		}
	}
}

/* One that is not remembered yet is with what it takes, once it was reached. */
static void
accept_claims(struct app *app, const struct host *h, struct pins *accepted)
{
	const struct pin *pin = pins_find(&app->pinned->known, PIN_HOST, h->path);
	struct pin *now = NULL;

	for (size_t i = 0; pin && i < h->n_disks; i++) {
		AUTO(mem_free_drop) char *field = pin_takes_field(h->disks[i]);
		const char *path = NULL;

		while ((path = next_claim(app, h->disks[i], path))) {
			now = now ? now : pins_copy(accepted, pin);
			argv_add(pin_field(now, field), path);
		}
	}
}

void
pinned_check_keys(struct app *app)
{
	AUTO(pins_done) struct pins accepted = { 0 };
	struct pinned *p = app->pinned;

	for (size_t i = 0; p && i < p->n_hosts; i++) {
		const struct host *h = inventory_host(app->inventory, i);

		if (!p->hosts[i].planned)
			continue;
		tell_claims(app, h);
		if (app->options.accept_changes)
			accept_claims(app, h, &accepted);
	}
	if (p)
		pinned_write(p, &accepted, true);
}
