/* SPDX-License-Identifier: MIT */
/*
 * luks_remote: the cryptsetup program over a transport. Each operation is one
 * command: its script (luks_script.h) looks, is told to go on, acts, and looks
 * again. Here are its words and what its steps mean; what changes a header is
 * in luks_remote_change.c.
 */
#include "luks/luks_remote.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "base/secret.h"
#include "inventory/inventory.h"
#include "luks/luks_dump.h"
#include "luks/luks_probe.h"
#include "luks/luks_rules.h"
#include "transport/transport.h"

static const struct luks_ops remote_ops;

static const struct luks_remote *
self(const struct luks *l)
{
	assert(l->ops == &remote_ops);
	return (const struct luks_remote *)l;
}

struct luks_talk
luks_remote_talk(const struct disk *d, enum luks_script script)
{
	return (struct luks_talk){
		.what = path_shown(d->path),
		.device = d->device,
		.script = script,
	};
}

void
luks_remote_talk_drop(struct luks_talk *t)
{
	argv_done(&t->words);
}

bool
luks_remote_run(struct luks *l, const struct luks_talk *talk, struct luks_reply *out, struct err *e)
{
	int64_t times = talk->times > 1 ? talk->times : 1;

	return luks_talk_run(self(l)->transport, l->limit_ms * times, talk, out, e);
}

bool
luks_remote_sudo(const struct luks *l)
{
	return self(l)->transport->sudo;
}

const char *
luks_remote_host(const struct luks *l)
{
	return self(l)->transport->name;
}

/* Half of the time, so that the other half is left for the work. */
void
luks_remote_add_wait(struct luks_talk *t, const struct luks *l)
{
	int64_t half = l->limit_ms / 2000;

	argv_addf(&t->words, "%lld", (long long)(half > 0 ? half : 1));
}

void
luks_remote_add_slot(struct luks_talk *t, int slot)
{
	if (slot == LUKS_ANY_SLOT)
		argv_add(&t->words, "any");
	else
		argv_addf(&t->words, "%d", slot);
}

void
luks_remote_add_length(struct luks_talk *t, const struct secret *key)
{
	argv_addf(&t->words, "%zu", secret_bytes(key).len);
}

bool
luks_remote_fail(const struct disk *d, enum err_kind kind, const char *what,
    const struct luks_step *step, struct err *e)
{
	AUTO(str_done) struct str words = { 0 };

	if (!step)
		return err_set(e, ERR_LOST, "%s: %s", path_shown(d->path), what);
	if (luks_talk_refused(path_shown(d->path), step, e))
		return false;
	luks_talk_words(step, &words);
	return err_set(e, kind, "%s: %s: %s", path_shown(d->path), what, str_text(&words));
}

bool
luks_remote_header(const struct disk *d, const struct luks_step *dump, struct luks_header *out,
    struct err *e)
{
	if (!dump || dump->status != 0)
		return luks_remote_fail(d, ERR_DISK, "its header cannot be read", dump, e);
	return luks_dump_parse(str_bytes(&dump->text), out, e) ||
	    err_wrap(e, "%s", path_shown(d->path));
}

static bool
strange(const char *what, struct err *e)
{
	return err_set(e, ERR_HOST, "%s: a strange answer from the server", what);
}

static bool
read_status(const struct luks_step *there, const struct luks_step *state, struct luks_status *out)
{
	struct luks_status s = { .state = LUKS_CLOSED, .device_there = there->status == 0 };

	if (strcmp(state->name, "open") == 0)
		s.state = LUKS_OPEN;
	else if (strcmp(state->name, "foreign") == 0)
		s.state = LUKS_FOREIGN;
	else if (strcmp(state->name, "closed") != 0)
		return false;
	if (s.state == LUKS_FOREIGN && state->text.len > 0)
		luks_rules_escape((struct bytes){ state->text.ptr, state->text.len - 1 }, s.detail,
		    sizeof(s.detail));
	*out = s;
	return strcmp(there->name, "there") == 0;
}

static bool
remote_status(struct luks *l, const struct disk *const *disks, size_t n, struct luks_status *out,
    struct err *e)
{
	AUTO(luks_reply_done) struct luks_reply reply = { 0 };
	AUTO(luks_remote_talk_drop) struct luks_talk talk = {
		.what = self(l)->transport->name, .device = "", .script = LUKS_SCRIPT_STATUS,
	};
	AUTO(mem_free_drop) struct luks_status *status = mem_alloc(n, sizeof(*status));

	for (size_t i = 0; i < n; i++) {
		argv_add(&talk.words, disks[i]->name);
		argv_add(&talk.words, disks[i]->device);
	}
	if (!luks_remote_run(l, &talk, &reply, e))
		return false;
	if (reply.n != n * 2 + 2)	/* begin, two for each disk, done */
		return strange(talk.what, e);
	for (size_t i = 0; i < n; i++)
		if (!read_status(&reply.at[i * 2 + 1], &reply.at[i * 2 + 2], &status[i]))
			return strange(talk.what, e);
	if (n > 0)
		memcpy(out, status, n * sizeof(*out));
	return true;
}

/* For test: keys go out when the header is the one that settings pin. */
static bool
decide_pinned(const void *arg, const struct luks_reply *seen, struct str *go, struct err *e)
{
	const struct disk *d = arg;
	const struct luks_step *uuid = luks_reply_first(seen, "uuid");
	AUTO(str_done) struct str words = { 0 };

	if (!uuid)
		return strange(path_shown(d->path), e);
	luks_talk_words(uuid, &words);
	str_add(go, " -");
	return luks_rules_pinned(d, str_text(&words), e);
}

/* Words and keys of all tries; *keys is to be freed. */
static bool
add_tries(struct luks_talk *t, const struct disk *d, const struct luks_try *tries, size_t n,
    const struct secret ***keys, struct err *e)
{
	*keys = mem_alloc(n, sizeof(void *));
	for (size_t i = 0; i < n; i++) {
		if (!luks_rules_key(d, tries[i].key, e))
			return false;
		luks_remote_add_slot(t, tries[i].slot);
		luks_remote_add_length(t, tries[i].key);
		(*keys)[i] = tries[i].key;
	}
	t->keys = *keys;
	t->n_keys = n;
	t->decide = decide_pinned;
	t->arg = d;
	return true;
}

/* What holds it, a line each, as "mounted on /srv, used by vg-root". */
static bool
busy(const struct disk *d, const struct luks_step *holders, const struct luks_step *failed,
    struct err *e)
{
	AUTO(str_done) struct str lines = { 0 }, words = { 0 };

	if (!holders || holders->text.len <= 1)
		return luks_remote_fail(d, ERR_DISK, "cannot be closed", failed, e);
	for (size_t i = 0; i + 1 < holders->text.len; i++) {
		if (holders->text.ptr[i] == '\n')
			str_add(&lines, ", ");
		else
			str_add_char(&lines, holders->text.ptr[i]);
	}
	str_add_escaped(&words, str_bytes(&lines), 300);
	return err_set(e, ERR_DISK, "%s is busy: %s", path_shown(d->path), str_text(&words));
}

static bool
remote_close(struct luks *l, const struct disk *d, struct err *e)
{
	AUTO(luks_reply_done) struct luks_reply reply = { 0 };
	AUTO(luks_remote_talk_drop) struct luks_talk talk = luks_remote_talk(d, LUKS_SCRIPT_CLOSE);
	const struct luks_step *failed, *holders;

	talk.acts = true;
	argv_add(&talk.words, d->name);
	if (!luks_remote_run(l, &talk, &reply, e))
		return false;
	failed = luks_reply_first(&reply, "close");
	holders = luks_reply_first(&reply, "busy");
	return (!failed || !holders) || busy(d, holders, failed, e);
}

static bool
remote_look(struct luks *l, const struct disk *d, bool locked, struct luks_header *out,
    struct err *e)
{
	AUTO(luks_reply_done) struct luks_reply reply = { 0 };
	AUTO(luks_remote_talk_drop) struct luks_talk talk =
	    luks_remote_talk(d, locked ? LUKS_SCRIPT_LOOK_LOCKED : LUKS_SCRIPT_LOOK);
	AUTO(str_done) struct str uuid = { 0 };
	struct luks_header seen;

	if (locked) {
		argv_add(&talk.words, "");	/* whichever header it has */
		luks_remote_add_wait(&talk, l);
	}
	if (!luks_remote_run(l, &talk, &reply, e) ||
	    !luks_remote_header(d, luks_reply_last(&reply, "dump"), &seen, e))
		return false;
	if (locked && luks_reply_first(&reply, "uuid"))
		luks_talk_words(luks_reply_first(&reply, "uuid"), &uuid);
	if (locked && strcasecmp(str_text(&uuid), seen.uuid) != 0)
		return err_set(e, ERR_REFUSED, "%s: its header changed just now: try again",
		    path_shown(d->path));
	*out = seen;
	return true;
}

bool
luks_remote_probed(const struct luks *l, const struct disk *d, const struct luks_reply *seen,
    struct luks_probe *out, struct err *e)
{
	const struct luks_step *blkid = luks_reply_last(seen, "blkid");
	const struct luks_step *dump = luks_reply_last(seen, "dump");
	const char *advice = luks_remote_sudo(l) ?
	    ": allow \"NOPASSWD: /sbin/blkid\" in sudoers" : "";
	struct luks_header h = { 0 };
	struct luks_probe p = { 0 };
	struct err why = { 0 };

	if (!blkid || !dump)
		return strange(path_shown(d->path), e);
	if (!luks_probe_parse(blkid->status, str_bytes(&blkid->text), &p, &why))
		return err_set(e, why.kind, "%s: %s%s", path_shown(d->path), why.text, advice);
	luks_rules_second_opinion(&p, luks_remote_header(d, dump, &h, &why) ? &h : NULL);
	*out = p;
	return true;
}

static bool
remote_probe(struct luks *l, const struct disk *d, struct luks_probe *out, struct err *e)
{
	AUTO(luks_reply_done) struct luks_reply reply = { 0 };
	AUTO(luks_remote_talk_drop) struct luks_talk talk = luks_remote_talk(d, LUKS_SCRIPT_PROBE);

	return luks_remote_run(l, &talk, &reply, e) && luks_remote_probed(l, d, &reply, out, e);
}

/* out[i] of the i-th attempt; what fails for another reason than its key is no answer. */
static bool
judge_test(const struct disk *d, const struct luks_reply *reply, size_t n, bool *out, struct err *e)
{
	AUTO(mem_free_drop) bool *fits = mem_alloc(n, sizeof(*fits));
	size_t made = 0;

	for (size_t i = 0; i < reply->n; i++) {
		const struct luks_step *s = &reply->at[i];

		if (strcmp(s->name, "try") != 0)
			continue;
		if (made == n)
			return strange(path_shown(d->path), e);
		if (s->status != 0 && !luks_talk_misfit(s))
			return luks_remote_fail(d, ERR_DISK, "a key cannot be tested", s, e);
		fits[made++] = s->status == 0;
	}
	if (n > 0)
		memcpy(out, fits, n * sizeof(*out));
	return true;
}

static bool
remote_test(struct luks *l, const struct disk *d, const struct luks_try *tries, size_t n, bool all,
    bool *out, struct err *e)
{
	AUTO(luks_reply_done) struct luks_reply reply = { 0 };
	AUTO(luks_remote_talk_drop) struct luks_talk talk = luks_remote_talk(d, LUKS_SCRIPT_TEST);
	AUTO(mem_free_drop) const struct secret **keys = NULL;

	argv_add(&talk.words, all ? "all" : "first");
	return add_tries(&talk, d, tries, n, &keys, e) && luks_remote_run(l, &talk, &reply, e) &&
	    judge_test(d, &reply, n, out, e);
}

static void
remote_free(struct luks *l)
{
	free(l);
}

static const struct luks_ops remote_ops = {
	.status = remote_status,
	.open = luks_remote_open,
	.close = remote_close,
	.look = remote_look,
	.probe = remote_probe,
	.test = remote_test,
	.format = luks_remote_format,
	.add = luks_remote_add,
	.kill = luks_remote_kill,
	.free = remote_free,
};

struct luks *
luks_remote_new(struct transport *t, int64_t limit_ms)
{
	struct luks_remote *r = mem_alloc(1, sizeof(*r));

	r->base = (struct luks){ .ops = &remote_ops, .limit_ms = limit_ms > 0 ? limit_ms : 120000 };
	r->transport = t;
	return &r->base;
}
