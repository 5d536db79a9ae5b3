/* SPDX-License-Identifier: MIT */
/*
 * luks_native: the operations on this machine. The header's own lock
 * (luks_lock.h) is taken before luks_native_lock, so that waiting for another arver stops
 * nobody here. Each look opens the device anew: what the library remembers of a
 * header proves nothing. A call is not cut off, so nothing is ever ERR_LOST
 * but a change whose end cannot be seen.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/file.h"
#include "inventory/inventory.h"
#include "luks/luks_lock.h"
#include "luks/luks_mapping.h"
#include "luks/luks_native.h"
#include "luks/luks_probe.h"
#include "luks/luks_rules.h"

static bool
keys_usable(const struct disk *d, const struct luks_try *tries, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++)
		if (!luks_rules_key(d, tries[i].key, e))
			return false;
	return true;
}

static bool
native_status(struct luks *l, const struct disk *const *disks, size_t n, struct luks_status *out,
    struct err *e)
{
	(void)l;
	(void)e;
	for (size_t i = 0; i < n; i++)
		luks_mapping_status(disks[i], &out[i]);
	return true;
}

static bool
foreign(const struct disk *d, const struct luks_status *s, struct err *e)
{
	return err_set(e, ERR_DISK, "%s: a mapping of this name lies on %s, not on %s",
	    path_shown(d->path), s->detail, d->device);
}

/* Neither open nor another's mapping in the way. */
static bool
name_free(const struct disk *d, bool *out_open, struct err *e)
{
	struct luks_status s = { 0 };

	luks_mapping_status(d, &s);
	*out_open = s.state == LUKS_OPEN;
	if (*out_open)
		return err_set(e, ERR_DISK, "%s is open already", path_shown(d->path));
	return s.state == LUKS_CLOSED || foreign(d, &s, e);
}

static bool
open_one(struct luks_opening *o)
{
	HOLD(&luks_native_lock);
	AUTO(luks_use_done) struct luks_use u = { 0 };
	const struct disk *d = o->disk;
	struct err *e = &o->err;

	if (!keys_usable(d, o->tries, o->n_tries, e) || !name_free(d, &o->was_open, e) ||
	    !luks_use_header(&u, d, e) || !luks_rules_pinned(d, luks_use_uuid(&u), e))
		return false;
	for (size_t i = 0; i < o->n_tries; i++) {
		enum luks_fit fit = luks_native_try(&u, &o->tries[i], d->name, e);

		if (fit == LUKS_BROKEN)
			return false;
		if (fit == LUKS_FITS) {
			o->which = i;
			return true;
		}
	}
	return err_set(e, ERR_KEY, "%s: no key slot of %s takes %s", path_shown(d->path), d->device,
	    o->n_tries > 1 ? "one of my keys" : "my key");
}

static void
native_open(struct luks *l, struct luks_opening *at, size_t n)
{
	(void)l;
	for (size_t i = 0; i < n; i++)
		at[i].opened = open_one(&at[i]);
}

static bool
native_close(struct luks *l, const struct disk *d, struct err *e)
{
	HOLD(&luks_native_lock);
	AUTO(luks_use_done) struct luks_use u = { 0 };
	AUTO(str_done) struct str holders = { 0 };
	struct luks_status s = { 0 };

	(void)l;
	luks_mapping_status(d, &s);
	if (s.state == LUKS_FOREIGN)
		return foreign(d, &s, e);
	if (s.state == LUKS_CLOSED || luks_native_close(&u, d, e))
		return true;
	luks_mapping_holders(d->name, &holders);
	return holders.len > 0 &&
	    err_set(e, ERR_DISK, "%s is busy: %s", path_shown(d->path), holders.ptr);
}

static bool
look_once(const struct disk *d, struct luks_header *out, struct err *e)
{
	HOLD(&luks_native_lock);

	return luks_native_header(d, out, e);
}

static bool
lock(const struct luks *l, const struct disk *d, const char *name, int *out_fd, struct err *e)
{
	return luks_lock(name, l->limit_ms / 2, out_fd, e) ||
	    err_wrap(e, "%s", path_shown(d->path));
}

static bool
native_look(struct luks *l, const struct disk *d, bool locked, struct luks_header *out,
    struct err *e)
{
	AUTO(fd_drop) int fd = -1;
	struct luks_header first, h;

	if (!locked)
		return look_once(d, out, e);
	if (!look_once(d, &first, e) || !lock(l, d, first.uuid, &fd, e) || !look_once(d, &h, e))
		return false;
	if (strcmp(h.uuid, first.uuid) != 0)
		return err_set(e, ERR_REFUSED, "%s: its header changed just now: try again",
		    path_shown(d->path));
	*out = h;
	return true;
}

/* Under luks_native_lock. */
static bool
probe(const struct disk *d, struct luks_probe *out, struct err *e)
{
	AUTO(luks_use_done) struct luks_use u = { 0 };
	struct luks_header h = { 0 };
	struct luks_probe p = { 0 };
	struct err ignored;

	if (!luks_use_device(&u, d, e)) /* libblkid would open anything */
		return false;
	if (!luks_probe_ask(d->device, &p, e))
		return err_wrap(e, "%s", path_shown(d->path));
	luks_rules_second_opinion(&p, luks_native_header(d, &h, &ignored) ? &h : NULL);
	*out = p;
	return true;
}

static bool
native_probe(struct luks *l, const struct disk *d, struct luks_probe *out, struct err *e)
{
	HOLD(&luks_native_lock);

	(void)l;
	return probe(d, out, e);
}

static bool
native_test(struct luks *l, const struct disk *d, const struct luks_try *tries, size_t n, bool all,
    bool *out, struct err *e)
{
	HOLD(&luks_native_lock);
	AUTO(luks_use_done) struct luks_use u = { 0 };
	AUTO(mem_free_drop) bool *fits = mem_alloc(n, sizeof(*fits));

	(void)l;
	if (!keys_usable(d, tries, n, e) || !luks_use_header(&u, d, e) ||
	    !luks_rules_pinned(d, luks_use_uuid(&u), e))
		return false;
	for (size_t i = 0; i < n && (all || i == 0 || !fits[i - 1]); i++) {
		enum luks_fit fit = luks_native_try(&u, &tries[i], NULL, e);

		if (fit == LUKS_BROKEN)
			return false;
		fits[i] = fit == LUKS_FITS;
	}
	if (n > 0)
		memcpy(out, fits, n * sizeof(*out));
	return true;
}

/* Does this key open the header that is on the device now, in its slot? */
static bool
proven(const struct disk *d, const struct luks_try *key, struct err *e)
{
	AUTO(luks_use_done) struct luks_use u = { 0 };
	enum luks_fit fit;

	if (!luks_use_header(&u, d, e))
		return false;
	fit = luks_native_try(&u, key, NULL, e);
	if (fit == LUKS_MISFIT)
		return err_set(e, ERR_KEY, "%s: my key does not open its slot",
		    path_shown(d->path));
	return fit == LUKS_FITS;
}

/* What came of a change cannot be told. */
static bool
lost(const struct disk *d, const char *what, const struct err *why, struct err *e)
{
	return err_set(e, ERR_LOST, "%s: %s: %s", path_shown(d->path), what, why->text);
}

/* The header behind a change; ERR_LOST if it cannot be seen or is another. */
static bool
header_after(const struct disk *d, const char *uuid, struct luks_header *out, struct err *e)
{
	struct luks_header h;
	struct err why = { 0 };

	if (!luks_native_header(d, &h, &why))
		return lost(d, "the header behind the change", &why, e);
	if (strcasecmp(h.uuid, uuid) != 0)
		return err_set(e, ERR_LOST, "%s: another header appeared during the change",
		    path_shown(d->path));
	*out = h;
	return true;
}

static bool
may_format(const struct disk *d, const struct luks_format *f, struct err *e)
{
	struct luks_probe p = { 0 };

	if (!f->overwrite)
		return probe(d, &p, e) && luks_rules_format(d, &p, f, e);
	return luks_probe_wipe(d->device, e) || err_wrap(e, "%s", path_shown(d->path));
}

static bool
native_format(struct luks *l, const struct disk *d, const struct luks_format *f,
    struct luks_header *out, struct err *e)
{
	AUTO(str_done) struct str name = { 0 };
	AUTO(fd_drop) int fd = -1;
	const struct luks_try mine = { .key = f->key, .slot = f->slot };
	struct err why = { 0 };

	if (!luks_rules_key(d, f->key, e))
		return false;
	if (!luks_lock_name(d->device, &name, e))
		return err_wrap(e, "%s", path_shown(d->path));
	if (!lock(l, d, str_text(&name), &fd, e))
		return false;

	HOLD(&luks_native_lock);
	AUTO(luks_use_done) struct luks_use u = { 0 };

	if (!luks_use_device(&u, d, e) || !may_format(d, f, e))
		return false;
	if (!luks_native_format(&u, f, e)) {
		/* when the header was there already, without a slot, or with one? */
		if (header_after(d, f->uuid, out, NULL))
			e->kind = ERR_LOST;
		return false;
	}
	if (!proven(d, &mine, &why))
		return lost(d, "formatted, but not proven", &why, e);
	return header_after(d, f->uuid, out, e);
}

/* After a failed or finished add: the header tells, and the new key. */
static bool
judge_add(const struct disk *d, const struct luks_add *a, bool added, struct luks_header *out,
    struct err *e)
{
	const struct luks_try mine = { .key = a->key, .slot = a->slot };
	struct luks_header h;
	struct err why = { 0 };

	if (!header_after(d, a->uuid, &h, added ? e : &why)) {
		if (!added && e)
			e->kind = ERR_LOST;
		return false;
	}
	if (!h.slots[a->slot].active)
		return added &&
		    err_set(e, ERR_LOST, "%s: the new slot is empty", path_shown(d->path));
	if (!proven(d, &mine, &why))
		return lost(d, "the new slot is filled, but not proven", &why, e);
	*out = h;
	return true;
}

static bool
native_add(struct luks *l, const struct disk *d, const struct luks_add *a, struct luks_header *out,
    struct err *e)
{
	AUTO(fd_drop) int fd = -1;
	struct luks_header h;

	if (!luks_rules_key(d, a->auth.key, e) || !luks_rules_key(d, a->key, e) ||
	    !lock(l, d, a->uuid, &fd, e))
		return false;

	HOLD(&luks_native_lock);
	AUTO(luks_use_done) struct luks_use u = { 0 };

	if (!luks_native_header(d, &h, e) || !luks_rules_add(d, &h, a, e) ||
	    !proven(d, &a->auth, e) || !luks_use_header(&u, d, e))
		return false;
	if (luks_rules_prefer(&h, a) && !luks_native_prefer(&u, a->auth.slot, e))
		return false;
	return judge_add(d, a, luks_native_add(&u, a, h.version, e), out, e);
}

/* A slot that my key opens is not killed; a clear no is wanted. */
static bool
not_mine(const struct disk *d, const struct luks_kill *k, struct err *e)
{
	AUTO(luks_use_done) struct luks_use u = { 0 };
	const struct luks_try there = { .key = k->auth.key, .slot = k->slot };
	enum luks_fit fit;

	if (k->violence || k->known)
		return true;
	if (!luks_use_header(&u, d, e))
		return false;
	fit = luks_native_try(&u, &there, NULL, e);
	if (fit == LUKS_FITS)
		return err_set(e, ERR_REFUSED, "%s: my own key opens slot %d", path_shown(d->path),
		    k->slot);
	return fit == LUKS_MISFIT;
}

static bool
judge_kill(const struct disk *d, const struct luks_kill *k, bool killed, struct luks_header *out,
    struct err *e)
{
	struct luks_header h;
	struct err why = { 0 };

	if (!header_after(d, k->uuid, &h, e))
		return false;
	if (h.slots[k->slot].active)
		return killed && err_set(e, ERR_LOST, "%s: slot %d is still there",
				     path_shown(d->path), k->slot);
	if (!k->violence && !proven(d, &k->auth, &why))
		return lost(d, "the slot is gone, and my key no longer opens its own", &why, e);
	*out = h;
	return true;
}

static bool
native_kill(struct luks *l, const struct disk *d, const struct luks_kill *k,
    struct luks_header *out, struct err *e)
{
	AUTO(fd_drop) int fd = -1;
	struct luks_header h;

	if (!luks_rules_key(d, k->auth.key, e) || !lock(l, d, k->uuid, &fd, e))
		return false;

	HOLD(&luks_native_lock);
	AUTO(luks_use_done) struct luks_use u = { 0 };

	if (!luks_native_header(d, &h, e) || !luks_rules_kill(d, &h, k, e) ||
	    !proven(d, &k->auth, e) || !not_mine(d, k, e) || !luks_use_header(&u, d, e))
		return false;
	return judge_kill(d, k, luks_native_kill(&u, k->slot, e), out, e);
}

static void
native_free(struct luks *l)
{
	free(l);
}

static const struct luks_ops native_ops = {
	.status = native_status,
	.open = native_open,
	.close = native_close,
	.look = native_look,
	.probe = native_probe,
	.test = native_test,
	.format = native_format,
	.add = native_add,
	.kill = native_kill,
	.free = native_free,
};

struct luks *
luks_native_new(int64_t limit_ms)
{
	struct luks *l = mem_alloc(1, sizeof(*l));

	*l = (struct luks){ .ops = &native_ops, .limit_ms = limit_ms > 0 ? limit_ms : 120000 };
	return l;
}
