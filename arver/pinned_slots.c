/* SPDX-License-Identifier: MIT */
/*
 * Slot numbers, as users has them, of everybody: a revocation empties a slot by its number, so whoever
 * can change numbers could have somebody else's emptied, and keep his own.
 */
#include "arver/app.h"
#include "arver/pin_make.h"
#include "arver/pinned_internal.h"
#include "base/log.h"
#include "base/number.h"
#include "inventory/inventory.h"

static bool
is_of_slot(const struct pin *pin, int slot)
{
	unsigned number;

	return pin && pin->kind == PIN_SLOT && pin->n > 0 && pin->fields[0].words.n > 0 &&
	       number_plain(pin->fields[0].words.at[0], INVENTORY_MAX_SLOTS - 1, &number) &&
	       number == (unsigned)slot;
}

/* Who had this slot when slots were first seen here, or NULL. */
static const struct pin *
owner_then(const struct pinned *p, int slot)
{
	for (size_t i = 0; i < p->known.n; i++)
		if (is_of_slot(&p->known.at[i], slot))
			return &p->known.at[i];
	return NULL;
}

const char *
pinned_other_owner(const struct app *app, const struct admin *a, int slot)
{
	const struct pins *known = &app->pinned->known;
	const struct pin *then = owner_then(app->pinned, slot);

	return !then || app->options.accept_changes ||
	    is_of_slot(pins_find(known, PIN_SLOT, a->name), slot) ? NULL : then->name;
}

bool
pinned_check_slot(struct app *app, const struct admin *a, bool empties, struct err *e)
{
	AUTO(pin_changes_done) struct pin_changes c = { 0 };
	AUTO(pins_done) struct pins is = { 0 };
	struct pinned *p = app->pinned;
	const struct pin *was = pins_find(&p->known, PIN_SLOT, a->name);
	const struct pin *other = empties && !was ? owner_then(p, a->slot) : NULL;
	char since[DAY_SIZE];

	pin_make_slot(&is, a);
	if (was)
		pin_compare(was, &is.at[0], &c);
	if (c.n == 0 && !other)
		return true;
	if (other)
		log_line(app->options.accept_changes ? LOG_INFO : LOG_ERROR,
		    "%s: slot %d was %s's when it was first seen here", a->name, a->slot, other->name);
	else
		show_changes(&app->show, was, &is.at[0], &c, app->options.accept_changes);
	if (!app->options.accept_changes)
		return err_set(e, ERR_CHANGED,
		    "the slot of %s is not as remembered here since %s (see above), and nothing was done: "
		    "look at `git log -p users` and --info, then run this again with --accept-changes",
		    a->name, pinned_day((other ? other : was)->since, since));
	if (!app->options.dry_run)
		pinned_write(p, &is, true);
	pin_make_slot(&p->known, a);
	return true;
}

/* Whose slot is seen here for the first time; but who has another's is new to it. */
static bool
is_new(const struct pinned *p, const struct admin *a)
{
	return !pins_find(&p->known, PIN_SLOT, a->name) && !owner_then(p, a->slot);
}

void
pinned_tell_admins(const struct app *app)
{
	const struct pinned *p = app->pinned;

	for (size_t i = 0; !p->begins && i < inventory_n_admins(app->inventory); i++) {
		const struct admin *a = inventory_admin(app->inventory, i);

		if (is_new(p, a))
			log_line(LOG_INFO, "%s is new in users, and slot %d is nobody's no longer", a->name, a->slot);
	}
}

void
pinned_note_slots(struct app *app)
{
	struct pinned *p = app->pinned;

	for (size_t i = 0; i < inventory_n_admins(app->inventory); i++) {
		const struct admin *a = inventory_admin(app->inventory, i);

		if (is_new(p, a) && !pins_find(&p->fresh, PIN_SLOT, a->name))
			pin_make_slot(&p->fresh, a);
	}
}
