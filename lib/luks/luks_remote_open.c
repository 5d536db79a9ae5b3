/* SPDX-License-Identifier: MIT */
/*
 * luks_remote_open: several disks of a host in one command, each for itself: the
 * script shows what it sees of all, keys go out for those that may be
 * opened, round by round (every disk's first try, then every second one), and
 * each disk's own steps tell what became of it.
 *
 * With several disks, and without sudo, cryptsetup takes its key from their common stream by itself. One that
 * ends without having read it (no LUKS header; a token of the header has opened the disk; memory is
 * short) leaves it to the next disk, whose answer then says nothing: so only disks that were
 * opened are believed, and each of the others is tried once more, in a command of its own. So is, with
 * sudo as without, a disk that was not there when the script looked: it may lie on one that was opened.
 */
#include <stdlib.h>
#include <string.h>
#include "base/secret.h"
#include "inventory/inventory.h"
#include "luks/luks_remote.h"
#include "luks/luks_rules.h"

/* One command's disks, and the keys in the order in which the script takes them. */
struct batch {
	struct luks_opening *at;
	size_t n;
	const struct secret **keys;
	size_t *owner; /* of each key: index of its disk */
	size_t n_keys;
	bool *asked;   /* the script was told to try this disk */
};

static void
batch_done(struct batch *b)
{
	free(b->keys);
	free(b->owner);
	free(b->asked);
}

/* The next step of disk i at or behind *at, or NULL; "disk I" steps tell whose the others are. */
static const struct luks_step *
next_of(const struct luks_reply *r, size_t i, size_t *at, size_t *whose)
{
	while (*at < r->n) {
		const struct luks_step *s = &r->at[(*at)++];

		if (strcmp(s->name, "disk") == 0)
			*whose = (size_t)s->status;
		else if (*whose == i)
			return s;
	}
	return NULL;
}

/* The first step of disk i with this name, or NULL. */
static const struct luks_step *
step_of(const struct luks_reply *r, size_t i, const char *name)
{
	size_t at = 0, whose = SIZE_MAX;
	const struct luks_step *s;

	while ((s = next_of(r, i, &at, &whose)) && strcmp(s->name, name) != 0)
		;
	return s;
}

/* May keys be sent for disk i? */
static bool
may_open(const struct disk *d, const struct luks_reply *seen, size_t i, struct err *e)
{
	const struct luks_step *exists = step_of(seen, i, "exists");
	const struct luks_step *uuid = step_of(seen, i, "uuid");
	AUTO(str_done) struct str words = { 0 };

	if (step_of(seen, i, "device"))
		return err_set(e, ERR_DISK, "%s: %s is not there, or no device or image file",
		    path_shown(d->path), d->device);
	if (exists)
		luks_talk_words(exists, &words);
	if (exists && exists->status == 0)
		return err_set(e, ERR_DISK, "%s is open already", path_shown(d->path));
	if (exists)
		return err_set(e, ERR_DISK, "%s: a mapping of this name lies on %s, not on %s",
		    path_shown(d->path), str_text(&words), d->device);
	if (!d->uuid)
		return true;
	if (!uuid || uuid->status != 0)
		return luks_remote_fail(d, ERR_DISK, "its header cannot be read", uuid, e);
	luks_talk_words(uuid, &words);
	return luks_rules_pinned(d, str_text(&words), e);
}

static bool
decide(const void *arg, const struct luks_reply *seen, struct str *go, struct err *e)
{
	const struct batch *b = arg;

	(void)e;
	str_add(go, " -");
	for (size_t i = 0; i < b->n; i++) {
		struct luks_opening *o = &b->at[i];

		const struct luks_step *exists = step_of(seen, i, "exists");

		o->was_open = exists && exists->status == 0;
		b->asked[i] = o->err.kind == ERR_NONE && may_open(o->disk, seen, i, &o->err);
		str_add(go, b->asked[i] ? " y" : " n");
	}
	for (size_t i = 0; i < b->n_keys; i++)
		if (!b->asked[b->owner[i]])
			b->keys[i] = NULL;
	return true;
}

/* The tries as the script made them, in order; each but the last did not fit. */
static bool
judge(const struct luks_opening *o, const struct luks_reply *reply, size_t i, size_t *out,
    struct err *e)
{
	const struct luks_step *mapping = step_of(reply, i, "mapping"), *last = NULL, *s;
	bool mapped = mapping && mapping->status == 0;
	size_t at = 0, whose = SIZE_MAX, made = 0;

	while ((s = next_of(reply, i, &at, &whose))) {
		if (strcmp(s->name, "try") != 0)
			continue;
		if (made++ == o->n_tries)
			return err_set(e, ERR_LOST, "%s: a strange answer from the server",
			    path_shown(o->disk->path));
		last = s;
		if (s->status != 0 && !luks_talk_misfit(s) && !mapped)
			return luks_remote_fail(o->disk, ERR_DISK, "cannot be opened", s, e);
	}
	if (last && last->status == 0 && mapped) {
		*out = made - 1;
		return true;
	}
	if (last && last->status == 0)
		return err_set(e, ERR_LOST, "%s: opened, but there is no mapping of that name",
		    path_shown(o->disk->path));
	if (mapped)
		return luks_remote_fail(o->disk, ERR_LOST,
		    "a mapping of that name came up meanwhile", last, e);
	return err_set(e, ERR_KEY, "%s: no key slot of %s takes %s", path_shown(o->disk->path),
	    o->disk->device, made > 1 ? "one of my keys" : "my key");
}

/* Its disks, then its tries, round by round. */
static void
add_words(struct luks_talk *t, struct batch *b)
{
	size_t rounds = 0, n = 0;

	argv_addf(&t->words, "%zu", b->n);
	for (size_t i = 0; i < b->n; i++) {
		const struct disk *d = b->at[i].disk;

		argv_add(&t->words, d->name);
		argv_add(&t->words, d->device);
		argv_add(&t->words, d->uuid ? "yes" : "no");
		n += b->at[i].n_tries;
		if (b->at[i].n_tries > rounds)
			rounds = b->at[i].n_tries;
	}
	b->keys = mem_alloc(n, sizeof(void *));
	b->owner = mem_alloc(n, sizeof(*b->owner));
	for (size_t k = 0; k < rounds; k++)
		for (size_t i = 0; i < b->n; i++) {
			const struct luks_opening *o = &b->at[i];

			if (k >= o->n_tries || o->err.kind != ERR_NONE)
				continue;
			argv_addf(&t->words, "%zu", i);
			luks_remote_add_slot(t, o->tries[k].slot);
			luks_remote_add_length(t, o->tries[k].key);
			b->keys[b->n_keys] = o->tries[k].key;
			b->owner[b->n_keys++] = i;
		}
}

/* Keys that LUKS would not take end their disk before anything is sent. */
static void
check_keys(struct luks_opening *o)
{
	for (size_t k = 0; k < o->n_tries; k++)
		if (!luks_rules_key(o->disk, o->tries[k].key, &o->err))
			return;
}

/* What the command said of each disk that had no error before. */
static void
judge_all(struct batch *b, bool ok, const struct luks_reply *reply, const struct err *e)
{
	for (size_t i = 0; i < b->n; i++) {
		struct luks_opening *o = &b->at[i];

		if (o->err.kind == ERR_NONE && !ok)
			o->err = *e;
		else if (o->err.kind == ERR_NONE)
			o->opened = judge(o, reply, i, &o->which, &o->err);
	}
}

/* Once more, each by itself and in order: those that the others may have kept from being opened. */
static void
try_again(struct luks *l, struct batch *b, const struct luks_reply *reply)
{
	bool any = false; /* was opened, so that others may be there now */

	for (size_t i = 0; i < b->n; i++)
		any = any || b->at[i].opened;
	for (size_t i = 0; i < b->n; i++) {
		struct luks_opening *o = &b->at[i];
		bool refused = o->err.kind == ERR_DISK || o->err.kind == ERR_KEY;

		if (b->asked[i] ? !refused || luks_remote_sudo(l)
				: o->err.kind != ERR_DISK || !any || !step_of(reply, i, "device"))
			continue;
		o->err = (struct err){ 0 };
		luks_remote_open(l, o, 1);
		any = any || o->opened;
	}
}

void
luks_remote_open(struct luks *l, struct luks_opening *at, size_t n)
{
	AUTO(batch_done) struct batch b = { .at = at, .n = n,
		.asked = mem_alloc(n, sizeof(bool)) };
	AUTO(luks_reply_done) struct luks_reply reply = { 0 };
	AUTO(luks_remote_talk_drop) struct luks_talk talk = {
		.what = n == 1 ? path_shown(at[0].disk->path) : luks_remote_host(l),
		.device = "", .script = LUKS_SCRIPT_OPEN, .times = (int64_t)n };
	struct err e = { 0 };

	for (size_t i = 0; i < n; i++)
		check_keys(&at[i]);
	add_words(&talk, &b);
	talk.keys = b.keys;
	talk.n_keys = b.n_keys;
	talk.decide = decide;
	talk.arg = &b;
	bool ok = luks_remote_run(l, &talk, &reply, &e);

	judge_all(&b, ok, &reply, &e);
	if (ok && n > 1)
		try_again(l, &b, &reply);
}
