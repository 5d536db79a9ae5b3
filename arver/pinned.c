/* SPDX-License-Identifier: MIT */
/*
 * At the first use of the directory all its hosts are remembered, but for those that were to be reached
 * then and were not, if they have no hooks: an address with a slip in it, where nobody answers, can be
 * put right without further words. So it is with a host that comes later; with hooks that one is asked
 * about, for it may be another name of a server that is here already, and its hooks are root there.
 * What was accepted is remembered at once.
 *
 * Where the memory cannot be read or written (no home, a file system that is read-only after a
 * crash), that is a warning and the command goes on: nobody who pushes can bring it about, and
 * whoever is awake must be able to open. A memory that is there and damaged is an error: what it held
 * is not known, it must not silently begin anew, and moving it away is one command.
 */
#include "arver/pinned.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "arver/app.h"
#include "arver/pin_make.h"
#include "arver/pinned_internal.h"
#include "base/clock.h"
#include "base/log.h"
#include "inventory/inventory.h"
#include "plan/plan.h"

void
pinned_free(struct pinned *p)
{
	if (!p)
		return;
	free(p->dir);
	pins_done(&p->known);
	pins_done(&p->fresh);
	for (size_t i = 0; i < p->n_hosts; i++)
		free(p->hosts[i].held);
	free(p->hosts);
	free(p);
}

const char *
pinned_day(int64_t when, char out[DAY_SIZE])
{
	time_t t = (time_t)when;
	struct tm tm;

	if (!localtime_r(&t, &tm) || strftime(out, DAY_SIZE, "%Y-%m-%d", &tm) == 0)
		return "an unknown day";
	return out;
}

/* The memory, read once. */
static bool
load(struct app *app, struct err *e)
{
	AUTO(pinned_drop) struct pinned *p = mem_alloc(1, sizeof(*p));
	struct err why = { 0 };

	if (app->pinned)
		return true;
	if (!app_state_dir(app, &p->dir, e))
		return false;
	p->n_hosts = inventory_n_hosts(app->inventory);
	p->hosts = mem_alloc(p->n_hosts, sizeof(*p->hosts));
	p->usable = pins_read(p->dir, &p->known, &why);
	p->begins = p->known.n == 0;
	if (!p->usable && why.kind == ERR_DATA)
		return err_set(e, ERR_DATA,
		    "%s: hosts and admins cannot be compared with what is remembered of them: mend that "
		    "file, or move it away, and all are remembered anew when they are used", why.text);
	if (!p->usable)
		log_line(LOG_WARNING,
		    "what is remembered of hosts and admins cannot be read, a change of them will not be "
		    "noticed: %s", why.text);
	app->pinned = TAKE(p);
	pinned_tell_admins(app);
	return true;
}

void
pinned_hold(struct app *app, const struct host *h, const char *why)
{
	struct seen *seen = &app->pinned->hosts[h->index];

	free(seen->held);
	seen->held = mem_printf(
	    "%s: look at `git log -p disks settings`, then run this again with --accept-changes", why);
	if (app->options.dry_run)
		log_line(LOG_ERROR, "%s: would not be contacted: %s", path_shown(h->path), seen->held);
}

bool
pinned_holds(const struct app *app, const struct host *h, struct err *why)
{
	const char *held = app->pinned ? app->pinned->hosts[h->index].held : NULL;

	return held && !err_set(why, ERR_CHANGED, "%s", held);
}

static bool
is_remembered(const struct pinned *p, const struct host *h)
{
	return pins_find(&p->known, PIN_HOST, h->path) || pins_find(&p->fresh, PIN_HOST, h->path);
}

/* A new one that is not taken on trust: its hooks run on this machine, or others came before it. */
static bool
asks_at_first(const struct app *app, const struct host *h)
{
	return pin_has_hooks(h) && (h->transport == TRANSPORT_LOCAL || !app->pinned->begins);
}

static void
hold_changed(struct app *app, const struct host *h, const struct pin *was)
{
	char since[DAY_SIZE];
	AUTO(mem_free_drop) char *why = was ?
	    mem_printf("not as remembered here since %s (see above)", pinned_day(was->since, since)) :
	    mem_printf("it is new here, and its hooks would run as root%s (see above)",
		h->transport == TRANSPORT_LOCAL ? " on this machine" : "");

	pinned_hold(app, h, why);
}

/* The disk of this host that this field of its pin is about; NULL if it is gone, or for the host's own. */
static const struct disk *
disk_of(const struct inventory *inv, const struct host *h, const char *field)
{
	const char *slash = strrchr(field, '/');
	AUTO(mem_free_drop) char *path = mem_printf("%s/%.*s", h->path, slash ? (int)(slash - field) : 0, field);

	return inventory_find_disk(inv, path);
}

/* Each disk has a device, so it is no news that one that comes or goes has. */
static bool
comes_with_disk(const char *field)
{
	return str_ends(field, "/device") || str_ends(field, "/rescue_slots");
}

/* What takes keys is asked once they are loaded; a disk that is gone may come again. */
static void
keep_known(const struct inventory *inv, struct pin *is, const struct pin *was, const struct host *h)
{
	for (size_t i = 0; was && i < was->n; i++) {
		const char *field = was->fields[i].name;
		const struct disk *d = disk_of(inv, h, field);

		if (d ? str_ends(field, "/takes") : comes_with_disk(field))
			argv_add_all(pin_field(is, field), &was->fields[i].words);
	}
}

static bool
is_of_new_disk(const struct inventory *inv, const struct pin *was, const struct host *h,
    const char *field)
{
	const struct disk *d = disk_of(inv, h, field);
	AUTO(mem_free_drop) char *device = d ? pin_device_field(d) : NULL;

	return was && d && comes_with_disk(field) && !pin_words(was, device);
}

/* Take out what came with a new disk; true if there was any. */
static bool
leave_out_new_disks(const struct inventory *inv, struct pin_changes *c, const struct pin *was,
    const struct host *h)
{
	size_t n = 0, all = c->n;

	for (size_t i = 0; i < all; i++)
		if (!is_of_new_disk(inv, was, h, c->at[i].field))
			c->at[n++] = c->at[i];
	c->n = n;
	return n < all;
}

/* What differs is told; and put among `accepted`, or the host is held. */
static bool
check_host(struct app *app, const struct host *h, struct pins *accepted, struct err *e)
{
	AUTO(pin_changes_done) struct pin_changes c = { 0 };
	AUTO(pins_done) struct pins is = { 0 };
	struct pinned *p = app->pinned;
	const struct pin *was = pins_find(&p->known, PIN_HOST, h->path);
	bool has_new_disks;

	p->hosts[h->index].planned = true;
	p->hosts[h->index].is_new = !was;
	if (!was && !asks_at_first(app, h))
		return true;
	if (!pin_make_host(&is, h, NULL, e))
		return false;
	keep_known(app->inventory, &is.at[0], was, h);
	pin_compare(was, &is.at[0], &c);
	has_new_disks = leave_out_new_disks(app->inventory, &c, was, h);
	if (c.n > 0)
		show_changes(&app->show, was, &is.at[0], &c, app->options.accept_changes);
	if (c.n > 0 && !app->options.accept_changes) {
		hold_changed(app, h, was);
	} else if (c.n > 0 || has_new_disks) {
		if (was && c.n == 0)
			is.at[0].since = was->since;
		pins_copy(accepted, &is.at[0]);
		pins_copy(&p->known, &is.at[0]);
	}
	return true;
}

static bool
check_admin(struct app *app, const struct admin *a, struct pins *accepted, struct err *e)
{
	AUTO(pin_changes_done) struct pin_changes c = { 0 };
	AUTO(pins_done) struct pins is = { 0 };
	const struct pin *was = pins_find(&app->pinned->known, PIN_ADMIN, a->name);
	char since[DAY_SIZE];

	if (!was)
		return true;
	pin_make_admin(&is, a);
	pin_compare(was, &is.at[0], &c);
	if (c.n == 0)
		return true;
	show_changes(&app->show, was, &is.at[0], &c, app->options.accept_changes);
	if (!app->options.accept_changes)
		return err_set(e, ERR_CHANGED,
		    "%s is not as remembered here since %s (see above), and nothing was done: look at "
		    "`git log -p users`, compare the fingerprint with %s, then run this again with "
		    "--accept-changes", a->name, pinned_day(was->since, since),
		    a == app->me ? "that of your key" : a->name);
	pin_make_admin(accepted, a);
	pin_make_admin(&app->pinned->known, a);
	return true;
}

void
pinned_write(struct pinned *p, const struct pins *pins, bool replace)
{
	struct err why = { 0 };

	if (!p->usable || pins->n == 0 || pins_write(p->dir, pins, replace, &why))
		return;
	p->usable = false;
	log_line(LOG_WARNING, "what was %s is not remembered: %s",
	    replace ? "accepted" : "used here for the first time", why.text);
}

bool
pinned_check(struct app *app, const struct plan *plan, const struct admin *to, struct err *e)
{
	AUTO(pins_done) struct pins accepted = { 0 };

	if (!load(app, e))
		return false;
	for (size_t i = 0; plan && i < plan->n; i++)
		if (!check_host(app, plan->lanes[i].host, &accepted, e))
			return false;
	if (to && !check_admin(app, to, &accepted, e))
		return false;
	if (!app->options.dry_run)
		pinned_write(app->pinned, &accepted, true);
	return true;
}

void
pinned_host(struct app *app, const struct host *h)
{
	struct pinned *p = app->pinned;

	if (!p || !p->usable || is_remembered(p, h) || pinned_may_claim_keys(app, h) ||
	    !pin_make_host(&p->fresh, h, app->keys, NULL))
		return;
	if (app->show.verbose)
		log_line(LOG_INFO, "%s: remembered here as it is from now on", path_shown(h->path));
}

void
pinned_admin(struct app *app, const struct admin *a)
{
	struct pinned *p = app->pinned;

	if (!p || !p->usable || pins_find(&p->known, PIN_ADMIN, a->name) ||
	    pins_find(&p->fresh, PIN_ADMIN, a->name))
		return;
	pin_make_admin(&p->fresh, a);
	if (app->show.verbose)
		log_line(LOG_INFO, "%s: the fingerprint is remembered here from now on", a->name);
}

/*
 * As the directory is first used: all that are not to be reached now, and where hooks run. For those
 * planned, what their uuids claim was accepted.
 */
static void
note_hosts(struct app *app)
{
	struct pinned *p = app->pinned;

	for (size_t i = 0; i < p->n_hosts; i++) {
		const struct host *h = inventory_host(app->inventory, i);
		const struct seen *seen = &p->hosts[i];

		if ((pin_has_hooks(h) || !seen->planned) && !asks_at_first(app, h) && !is_remembered(p, h))
			(void)!pin_make_host(
			    &p->fresh, h, seen->planned && !seen->held ? app->keys : NULL, NULL);
	}
}

void
pinned_keep(struct app *app)
{
	struct pinned *p = app->pinned;
	int64_t begin;

	if (!p || app->options.dry_run)
		return;
	if (p->begins && !p->noted)
		note_hosts(app);
	p->noted = true;
	pinned_note_slots(app);
	if (p->fresh.n == p->n_kept)
		return;
	begin = clock_ms();
	pinned_write(p, &p->fresh, false);
	p->n_kept = p->fresh.n;
	p->again = clock_ms() + 10 * (clock_ms() - begin);
}

void
pinned_keep_meanwhile(struct app *app)
{
	if (app->pinned && clock_ms() >= app->pinned->again)
		pinned_keep(app);
}
