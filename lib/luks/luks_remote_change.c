/* SPDX-License-Identifier: MIT */
/*
 * luks_remote: what changes a header, on a server. Each has a decide function,
 * which looks at the header under the lock before a key is sent, and a judge, which tells
 * from the steps and from the last dump, under the same lock, what became of it. When they
 * leave it open, it is ERR_LOST.
 */
#include "luks/luks_remote.h"

#include <strings.h>
#include "inventory/inventory.h"
#include "luks/luks_argv.h"
#include "luks/luks_rules.h"

struct format_call {
	const struct luks *luks;
	const struct disk *disk;
	const struct luks_format *format;
};

struct add_call {
	const struct disk *disk;
	const struct luks_add *add;
};

struct kill_call {
	const struct disk *disk;
	const struct luks_kill *kill;
};

/* The header behind the change; ERR_LOST if it cannot be seen or is another. */
static bool
header_after(const struct disk *d, const struct luks_reply *reply, const char *uuid,
    struct luks_header *out, struct err *e)
{
	struct luks_header h;

	if (!luks_remote_header(d, luks_reply_last(reply, "dump"), &h, e)) {
		if (e)
			e->kind = ERR_LOST;
		return false;
	}
	if (strcasecmp(h.uuid, uuid) != 0)
		return err_set(e, ERR_LOST, "%s: another header appeared during the change",
		    path_shown(d->path));
	*out = h;
	return true;
}

/* A key of mine did not open its slot, or could not be tried. */
static bool
auth_failed(const struct disk *d, const struct luks_step *auth, struct err *e)
{
	if (auth && luks_talk_misfit(auth))
		return err_set(e, ERR_KEY, "%s: my key does not open its slot",
		    path_shown(d->path));
	return luks_remote_fail(d, ERR_DISK, "my key cannot be tested", auth, e);
}

static bool
decide_format(const void *arg, const struct luks_reply *seen, struct str *go, struct err *e)
{
	const struct format_call *c = arg;
	struct luks_probe probe = { 0 };
	const struct luks_step *dump = luks_reply_first(seen, "dump");

	str_add(go, " -");
	if (dump && luks_talk_refused(path_shown(c->disk->path), dump, e))
		return false;
	if (c->format->overwrite)
		return true;
	return luks_remote_probed(c->luks, c->disk, seen, &probe, e) &&
	    luks_rules_format(c->disk, &probe, c->format, e);
}

static bool
judge_format(const struct disk *d, const struct luks_format *f, const struct luks_reply *reply,
    struct luks_header *out, struct err *e)
{
	const struct luks_step *format = luks_reply_first(reply, "format");
	const struct luks_step *prove = luks_reply_first(reply, "prove");
	bool proven = prove && prove->status == 0;
	struct luks_header h;

	/* It may have failed when the header was there already, without a slot, or with one. */
	if (format && format->status != 0 && !proven)
		return luks_remote_fail(d, header_after(d, reply, f->uuid, &h, NULL) ? ERR_LOST : ERR_DISK,
		    "cannot be formatted", format, e);
	if (!format || format->status != 0 || !proven)
		return luks_remote_fail(d, ERR_LOST, "formatted, but not proven", prove, e);
	if (!header_after(d, reply, f->uuid, &h, e))
		return false;
	*out = h;
	return true;
}

bool
luks_remote_format(struct luks *l, const struct disk *d, const struct luks_format *f,
    struct luks_header *out, struct err *e)
{
	AUTO(luks_reply_done) struct luks_reply reply = { 0 };
	AUTO(luks_remote_talk_drop) struct luks_talk talk = luks_remote_talk(d, LUKS_SCRIPT_FORMAT);
	const struct secret *keys[] = { f->key, f->key };
	struct format_call call = { .luks = l, .disk = d, .format = f };

	if (!luks_rules_key(d, f->key, e))
		return false;
	luks_remote_add_wait(&talk, l);
	luks_remote_add_slot(&talk, f->slot);
	luks_remote_add_length(&talk, f->key);
	luks_argv_format(&talk.words, f);
	talk.keys = keys;
	talk.n_keys = COUNT(keys);
	talk.decide = decide_format;
	talk.arg = &call;
	return luks_remote_run(l, &talk, &reply, e) && judge_format(d, f, &reply, out, e);
}

static bool
decide_add(const void *arg, const struct luks_reply *seen, struct str *go, struct err *e)
{
	const struct add_call *c = arg;
	AUTO(argv_done) struct argv options = { 0 };
	struct luks_header h;

	if (!luks_remote_header(c->disk, luks_reply_first(seen, "dump"), &h, e) ||
	    !luks_rules_add(c->disk, &h, c->add, e))
		return false;
	str_add(go, luks_rules_prefer(&h, c->add) ? " prefer" : " -");
	luks_argv_pbkdf(&options, c->add->pbkdf, h.version);
	for (size_t i = 0; i < options.n; i++)
		str_addf(go, " %s", options.at[i]);
	return true;
}

static bool
judge_add(const struct disk *d, const struct luks_add *a, const struct luks_reply *reply,
    struct luks_header *out, struct err *e)
{
	const struct luks_step *add = luks_reply_first(reply, "add");
	const struct luks_step *prefer = luks_reply_first(reply, "prefer");
	struct luks_header h;

	if (luks_reply_status(reply, "auth") != 0)
		return auth_failed(d, luks_reply_first(reply, "auth"), e);
	if (prefer && prefer->status != 0)
		return luks_remote_fail(d, ERR_DISK, "its header cannot be written", prefer, e);
	if (!add || !header_after(d, reply, a->uuid, &h, e))
		return !add && luks_remote_fail(d, ERR_LOST, "no answer to the change", add, e);
	if (h.slots[a->slot].active && luks_reply_status(reply, "prove") == 0) {
		*out = h;
		return true;
	}
	if (h.slots[a->slot].active)
		return luks_remote_fail(d, ERR_LOST, "the new slot is filled, but not proven",
		    luks_reply_first(reply, "prove"), e);
	return luks_remote_fail(d, luks_talk_misfit(add) ? ERR_KEY : ERR_DISK,
	    "the key was not added", add, e);
}

bool
luks_remote_add(struct luks *l, const struct disk *d, const struct luks_add *a,
    struct luks_header *out, struct err *e)
{
	AUTO(luks_reply_done) struct luks_reply reply = { 0 };
	AUTO(luks_remote_talk_drop) struct luks_talk talk = luks_remote_talk(d, LUKS_SCRIPT_ADD);
	const struct secret *keys[] = { a->auth.key, a->auth.key, a->key, a->key };
	struct add_call call = { .disk = d, .add = a };

	if (!luks_rules_key(d, a->auth.key, e) || !luks_rules_key(d, a->key, e))
		return false;
	argv_add(&talk.words, a->uuid);
	luks_remote_add_wait(&talk, l);
	luks_remote_add_slot(&talk, a->auth.slot);
	luks_remote_add_length(&talk, a->auth.key);
	luks_remote_add_slot(&talk, a->slot);
	luks_remote_add_length(&talk, a->key);
	talk.keys = keys;
	talk.n_keys = COUNT(keys);
	talk.decide = decide_add;
	talk.arg = &call;
	return luks_remote_run(l, &talk, &reply, e) && judge_add(d, a, &reply, out, e);
}

static bool
decide_kill(const void *arg, const struct luks_reply *seen, struct str *go, struct err *e)
{
	const struct kill_call *c = arg;
	struct luks_header h;

	str_add(go, " -");
	return luks_remote_header(c->disk, luks_reply_first(seen, "dump"), &h, e) &&
	    luks_rules_kill(c->disk, &h, c->kill, e);
}

/* The kill was not tried: because my key opens that slot, or the test of it failed. */
static bool
kill_refused(const struct disk *d, const struct luks_kill *k, const struct luks_step *own,
    struct err *e)
{
	if (own && own->status == 0)
		return err_set(e, ERR_REFUSED, "%s: my own key opens slot %d", path_shown(d->path),
		    k->slot);
	return luks_remote_fail(d, ERR_DISK, "the slot to be killed cannot be tested", own, e);
}

static bool
judge_kill(const struct disk *d, const struct luks_kill *k, const struct luks_reply *reply,
    struct luks_header *out, struct err *e)
{
	const struct luks_step *step = luks_reply_first(reply, "kill");
	const struct luks_step *prove = luks_reply_first(reply, "prove");
	struct luks_header h;

	if (luks_reply_status(reply, "auth") != 0)
		return auth_failed(d, luks_reply_first(reply, "auth"), e);
	if (!step)
		return kill_refused(d, k, luks_reply_first(reply, "own"), e);
	if (!header_after(d, reply, k->uuid, &h, e))
		return false;
	if (h.slots[k->slot].active)
		return luks_remote_fail(d, step->status != 0 ? ERR_DISK : ERR_LOST,
		    "the slot was not killed", step, e);
	if (!k->violence && (!prove || prove->status != 0))
		return luks_remote_fail(d, ERR_LOST,
		    "the slot is gone, and my key no longer opens its own", prove, e);
	*out = h;
	return true;
}

bool
luks_remote_kill(struct luks *l, const struct disk *d, const struct luks_kill *k,
    struct luks_header *out, struct err *e)
{
	AUTO(luks_reply_done) struct luks_reply reply = { 0 };
	AUTO(luks_remote_talk_drop) struct luks_talk talk = luks_remote_talk(d, LUKS_SCRIPT_KILL);
	const struct secret *keys[] = { k->auth.key, k->auth.key, k->auth.key };
	struct kill_call call = { .disk = d, .kill = k };

	if (!luks_rules_key(d, k->auth.key, e))
		return false;
	argv_add(&talk.words, k->uuid);
	luks_remote_add_wait(&talk, l);
	luks_remote_add_slot(&talk, k->auth.slot);
	luks_remote_add_length(&talk, k->auth.key);
	luks_remote_add_slot(&talk, k->slot);
	argv_add(&talk.words, k->violence || k->known ? "sure" : "-");
	talk.keys = keys;
	talk.n_keys = COUNT(keys);
	talk.decide = decide_kill;
	talk.arg = &call;
	return luks_remote_run(l, &talk, &reply, e) && judge_kill(d, k, &reply, out, e);
}
