/* SPDX-License-Identifier: MIT */
/*
 * pinned: hosts and admins compared with what this machine remembers of them (state/pins.h). Whoever
 * can push to the shared directory can change where a host is, what runs there as root, and to whom
 * keys are encrypted: that shows here, before anybody is asked or contacted, and nothing is sent to
 * such a host, or encrypted to such an admin, until a person says --accept-changes. Main thread.
 */
#ifndef ARVER_PINNED_H
#define ARVER_PINNED_H

#include <stdbool.h>
#include "base/err.h"
#include "base/mem.h"

struct admin;
struct app;
struct host;
struct pinned;
struct plan;

void pinned_free(struct pinned *p);
DROP(pinned, struct pinned)

/*
 * Compare the hosts of the plan and the admin to whom something is to be encrypted (each may be
 * NULL), and tell what differs. A host is held then, an admin is ERR_CHANGED; with --accept-changes
 * it is remembered as it is now. ERR_DATA: the memory is damaged. --dry-run remembers nothing.
 */
MUST_CHECK bool pinned_check(struct app *app, const struct plan *plan, const struct admin *to,
    struct err *e);

/*
 * Slots are emptied and replaced by their numbers, and those stand in users: is this one as it was
 * when it was first seen here? Of an admin who is new, if it may be emptied: was it nobody else's?
 * Otherwise ERR_CHANGED, or with --accept-changes it is remembered. Behind pinned_check.
 */
MUST_CHECK bool pinned_check_slot(struct app *app, const struct admin *a, bool empties, struct err *e);

/*
 * Who but this admin had that slot when slots were first seen here, or NULL: taken out of users, or moved, his
 * is not to be emptied as nobody's. With --accept-changes it is. Behind pinned_check.
 */
const char *pinned_other_owner(const struct app *app, const struct admin *a, int slot);

/*
 * Once my keys are loaded: a host that would get a key stored under another path, because settings
 * claim its UUID, is held like one that changed, until that is accepted for this path.
 */
void pinned_check_keys(struct app *app);

/* Is nothing to be sent to this host? Then `why` tells. */
bool pinned_holds(const struct app *app, const struct host *h, struct err *why);

/* Now it was used: it is remembered, unless it is already, by the next pinned_keep. */
void pinned_host(struct app *app, const struct host *h);
void pinned_admin(struct app *app, const struct admin *who);

/* Write down what is new; where that cannot be, it is a warning. */
void pinned_keep(struct app *app);
/* The same in the course of a run, of whose time it takes no more than a tenth. */
void pinned_keep_meanwhile(struct app *app);

#endif
