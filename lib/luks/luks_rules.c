/* SPDX-License-Identifier: MIT */
/* luks_rules: one function per change, one sentence per reason. */
#include "luks/luks_rules.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "base/secret.h"
#include "inventory/inventory.h"

static const char *
shown(const struct disk *d)
{
	return path_shown(d->path);
}

bool
luks_rules_pinned(const struct disk *d, const char *uuid, struct err *e)
{
	return !d->uuid || strcasecmp(d->uuid, uuid) == 0 ||
	    err_set(e, ERR_DISK, "%s: %s has the UUID %s, settings pin %s", shown(d), d->device,
		uuid, d->uuid);
}

bool
luks_rules_key(const struct disk *d, const struct secret *key, struct err *e)
{
	size_t len = secret_bytes(key).len;

	if (len == 0)
		return err_set(e, ERR_KEY, "%s: an empty key is no key", shown(d));
	return len <= LUKS_KEY_MAX ||
	    err_set(e, ERR_KEY, "%s: a key has more than %d bytes", shown(d), LUKS_KEY_MAX);
}

bool
luks_rules_format(const struct disk *d, const struct luks_probe *seen, const struct luks_format *f,
    struct err *e)
{
	bool ours = seen->is_luks && strcasecmp(seen->header.uuid, f->uuid) == 0;

	if (f->overwrite || seen->empty || (ours && luks_active(&seen->header) == 0))
		return true;
	if (ours)
		return err_set(e, ERR_REFUSED,
		    "%s: %s has this very header already, with a key slot", shown(d), d->device);
	return err_set(e, ERR_DISK, "%s: %s is not empty: %s", shown(d), d->device, seen->what);
}

/* The header that the change was decided on, and a slot that it can have. */
static bool
same_header(const struct disk *d, const struct luks_header *seen, const char *uuid, int slot,
    struct err *e)
{
	if (!luks_rules_pinned(d, seen->uuid, e))
		return false;
	if (uuid && strcasecmp(seen->uuid, uuid) != 0)
		return err_set(e, ERR_REFUSED, "%s: %s now has the UUID %s, not %s", shown(d),
		    d->device, seen->uuid, uuid);
	return (slot >= 0 && (unsigned)slot < seen->n_slots) ||
	    err_set(e, ERR_DISK, "%s: a LUKS%u header has no slot %d", shown(d), seen->version,
		slot);
}

/* My own slot must still be there; which key is in it the proof tells. */
static bool
auth_there(const struct disk *d, const struct luks_header *seen, const struct luks_try *auth,
    struct err *e)
{
	if (auth->slot == LUKS_ANY_SLOT)
		return luks_active(seen) != 0 ||
		    err_set(e, ERR_KEY, "%s: no key slot is in use", shown(d));
	return (auth->slot >= 0 && (unsigned)auth->slot < seen->n_slots &&
		   seen->slots[auth->slot].active) ||
	    err_set(e, ERR_KEY, "%s: slot %d is empty, it takes no key", shown(d), auth->slot);
}

bool
luks_rules_add(const struct disk *d, const struct luks_header *seen, const struct luks_add *a,
    struct err *e)
{
	if (!same_header(d, seen, a->uuid, a->slot, e))
		return false;
	if (seen->slots[a->slot].active)
		return err_set(e, ERR_REFUSED, "%s: slot %d is in use", shown(d), a->slot);
	return auth_there(d, seen, &a->auth, e);
}

bool
luks_rules_kill(const struct disk *d, const struct luks_header *seen, const struct luks_kill *k,
    struct err *e)
{
	if (!same_header(d, seen, k->uuid, k->slot, e))
		return false;
	if (!seen->slots[k->slot].active)
		return err_set(e, ERR_REFUSED, "%s: slot %d is empty already", shown(d),
		    k->slot);
	if (k->salt && strcasecmp(seen->slots[k->slot].salt, k->salt) != 0)
		return err_set(e, ERR_REFUSED, "%s: slot %d now holds another key", shown(d),
		    k->slot);
	if (k->filled & ~luks_active(seen))
		return err_set(e, ERR_REFUSED,
		    "%s: slot %d is kept: another admin's slot is empty, whose key may be there",
		    shown(d), k->slot);
	if (!k->violence && luks_active(seen) == UINT32_C(1) << k->slot)
		return err_set(e, ERR_REFUSED, "%s: slot %d is the last one in use", shown(d),
		    k->slot);
	if (!k->violence && k->auth.slot == k->slot)
		return err_set(e, ERR_REFUSED, "%s: slot %d is the one that my own key opens",
		    shown(d), k->slot);
	return auth_there(d, seen, &k->auth, e);
}

bool
luks_rules_prefer(const struct luks_header *seen, const struct luks_add *a)
{
	return a->prefer && seen->version == 2 && a->auth.slot != LUKS_ANY_SLOT &&
	    !seen->slots[a->auth.slot].preferred;
}

void
luks_rules_second_opinion(struct luks_probe *p, const struct luks_header *h)
{
	p->is_luks = h && (p->is_luks || p->empty);
	if (!p->is_luks)
		return;
	p->header = *h;
	if (p->empty)
		snprintf(p->what, sizeof(p->what), "LUKS%u", h->version);
	p->empty = false;
}

void
luks_rules_escape(struct bytes foreign, char *out, size_t size)
{
	size_t cap = foreign.len < size ? foreign.len : size;

	for (;; cap--) {	/* what it grows to depends on what it is */
		AUTO(str_done) struct str safe = { 0 };

		str_add_escaped(&safe, foreign, cap);
		if (safe.len < size) {
			memcpy(out, str_text(&safe), safe.len + 1);
			return;
		}
	}
}
