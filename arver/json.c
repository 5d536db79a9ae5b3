/* SPDX-License-Identifier: MIT */
/*
 * Objects are built and written by json-c, which passes bytes on as they are. So the finished line
 * is looked through: what no terminal should get, bytes that are no UTF-8 among it, becomes U+FFFD.
 */
#include "arver/json.h"

#include <json-c/json.h>
#include <string.h>
#include "arver/summary.h"
#include "base/mem.h"
#include "base/str.h"
#include "inventory/inventory.h"
#include "keyring/keyring.h"
#include "run/work.h"
#include "state/pins.h"
#include "target/target.h"

typedef struct json_object object;

/* --- words; stable, as they are in arver(1) --- */

static const char *const kinds[] = {
	[ERR_SYSTEM] = "system", [ERR_USAGE] = "usage", [ERR_DATA] = "data",
	[ERR_GPG] = "gpg", [ERR_REFUSED] = "refused", [ERR_CHANGED] = "changed", [ERR_CANCELLED] = "cancelled",
	[ERR_HOST] = "host", [ERR_AWAY] = "away", [ERR_LOST] = "lost", [ERR_KEY] = "key",
	[ERR_DISK] = "disk", [ERR_HOOK] = "hook",
};

static const char *const steps[] = {
	[STEP_STATUS] = "status", [STEP_HOOK] = "hook", [STEP_OPEN] = "open",
	[STEP_CLOSE] = "close", [STEP_VERIFY] = "verify", [STEP_INFO] = "info",
	[STEP_SURVEY] = "survey", [STEP_PROBE] = "probe", [STEP_FORMAT] = "format",
	[STEP_ADD] = "add", [STEP_KILL] = "kill",
};

static const char *const outcomes[] = {
	[OUTCOME_NOT_BEGUN] = "not begun", [OUTCOME_DONE] = "done", [OUTCOME_NEEDLESS] = "needless",
	[OUTCOME_SKIPPED] = "skipped", [OUTCOME_FAILED] = "failed", [OUTCOME_UNKNOWN] = "unknown",
};

static const char *const key_states[] = {
	[KEY_PROMOTED] = "promoted", [KEY_STAGED] = "staged", [KEY_FUTURE] = "future",
	[KEY_DEAD] = "dead",
};

/* --- building --- */

/* json-c gives NULL for want of memory only. */
static object *
made(object *o)
{
	if (!o)
		mem_exhausted();
	return o;
}

static void
add(object *o, const char *name, object *value)
{
	if (json_object_object_add(o, name, made(value)) != 0)
		mem_exhausted();
}

static void
add_text(object *o, const char *name, const char *text)
{
	if (text && *text)
		add(o, name, json_object_new_string(text));
}

static void
add_number(object *o, const char *name, uint64_t n)
{
	add(o, name, json_object_new_uint64(n));
}

static void
add_flag(object *o, const char *name, bool is)
{
	add(o, name, json_object_new_boolean(is));
}

/* Whole seconds since 1970; nothing where there is no such time. */
static void
add_time(object *o, const char *name, double when)
{
	if (when > 0 && when < 9e15)
		add_number(o, name, (uint64_t)when);
}

static void
add_error(object *o, const struct err *e)
{
	if (!e || e->kind == ERR_NONE)
		return;
	add_text(o, "error", e->text);
	add_text(o, "kind", kinds[e->kind]);
}

static void
add_disk(object *o, const struct host *h, const struct disk *d)
{
	add_text(o, "host", path_shown(h->path));
	if (d)
		add_text(o, "disk", path_shown(d->path));
}

static void
add_step(object *o, const struct step *s)
{
	add_number(o, "phase", s->phase);
	add_text(o, "step", steps[s->kind]);
	if (s->kind == STEP_HOOK)
		add_text(o, "hook", hook_kind_name(s->hook));
}

static object *
event(const char *name)
{
	object *o = made(json_object_new_object());

	add_text(o, "event", name);
	return o;
}

static void
add_harmless(struct str *line, const char *text)
{
	for (size_t left = strlen(text), n; left > 0; text += n, left -= n) {
		n = str_printable(text, left);
		if (n > 0)
			str_add_bytes(line, (struct bytes){ text, n });
		else
			str_add(line, "\\ufffd");
		n = n ? n : 1;
	}
}

/* Write it, and free it. Lost output is noticed in the end, by ferror(). */
static void
emit(FILE *out, object *o)
{
	const char *text = json_object_to_json_string_ext(o,
	    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	AUTO(str_done) struct str line = { 0 };

	if (text)
		add_harmless(&line, text);
	else
		mem_exhausted();
	str_add_char(&line, '\n');
	json_object_put(o);
	fwrite(line.ptr, 1, line.len, out);
	fflush(out);
}

/* --- events --- */

void
json_begin(FILE *out, const char *verb, bool dry_run, const struct target_set *set)
{
	object *o = event("begin");
	size_t n_hosts = 0;

	add_text(o, "verb", verb);
	add_text(o, "version", ARVER_VERSION);
	add_flag(o, "dry_run", dry_run);
	/* In the inventory's order, disks of one host are neighbours. */
	for (size_t i = 0; set && i < set->n; i++)
		n_hosts += i == 0 || set->at[i]->host != set->at[i - 1]->host;
	if (set) {
		add_number(o, "hosts", n_hosts);
		add_number(o, "disks", set->n);
	}
	emit(out, o);
}

void
json_plan_here(FILE *out, unsigned phase, const char *words)
{
	object *o = event("plan");

	add_number(o, "phase", phase);
	add_text(o, "does", words);
	emit(out, o);
}

void
json_plan_step(FILE *out, const struct host *h, const struct step *s, const char *words)
{
	object *o = event("plan");

	add_disk(o, h, s->disk);
	add_step(o, s);
	if (s->slot >= 0 && (s->kind == STEP_FORMAT || s->kind == STEP_ADD || s->kind == STEP_KILL))
		add_number(o, "slot", (unsigned)s->slot);
	add_text(o, "does", words);
	add_text(o, "when", s->when);
	emit(out, o);
}

void
json_away(FILE *out, const struct host *h, const struct err *why, int64_t wait_ms)
{
	object *o = event("away");

	add_text(o, "host", path_shown(h->path));
	add_number(o, "wait", (uint64_t)wait_ms / 1000);
	add_error(o, why);
	emit(out, o);
}

void
json_note(FILE *out, const struct host *h, const char *text)
{
	object *o = event("note");

	add_text(o, "host", path_shown(h->path));
	add_text(o, "note", text);
	emit(out, o);
}

static void
add_words(object *o, const char *name, const struct argv *words)
{
	object *list = words ? made(json_object_new_array()) : NULL;

	if (!words)
		return;
	for (size_t i = 0; i < words->n; i++)
		json_object_array_add(list, made(json_object_new_string(words->at[i])));
	add(o, name, list);
}

/* A field "data/post_open" is that of a disk. */
static object *
change_object(const char *host, const struct pin_change *c)
{
	object *o = made(json_object_new_object());
	const char *slash = strrchr(c->field, '/');
	AUTO(mem_free_drop) char *disk = mem_printf("%s/%.*s", host,
	    slash ? (int)(slash - c->field) : 0, c->field);

	if (slash)
		add_text(o, "disk", disk);
	add_text(o, "field", slash ? slash + 1 : c->field);
	add_words(o, "was", c->was);
	add_words(o, "is", c->is);
	return o;
}

void
json_changed(FILE *out, const struct pin *was, const struct pin *is,
    const struct pin_changes *changes, bool accepted)
{
	object *o = event("changed"), *list = made(json_object_new_array());
	const char *name = is->kind == PIN_HOST ? path_shown(is->name) : is->name;

	add_text(o, is->kind == PIN_HOST ? "host" : "admin", name);
	add_flag(o, "accepted", accepted);
	if (was)
		add_time(o, "since", (double)was->since);
	for (size_t i = 0; i < changes->n; i++)
		json_object_array_add(list, change_object(name, &changes->at[i]));
	add(o, "changes", list);
	emit(out, o);
}

void
json_step(FILE *out, const struct row *row)
{
	object *o = event("step");

	add_disk(o, row->host, row->step->disk);
	add_step(o, row->step);
	add_text(o, "outcome", outcomes[row->outcome]);
	add_text(o, "note", row->note);
	add_error(o, &row->err);
	add_text(o, "output", str_text(&row->output));
	emit(out, o);
}

static object *
disk_event(const struct disk *d, bool ok, const char *word)
{
	object *o = event("disk");

	add_disk(o, d->host, d);
	add_flag(o, "ok", ok);
	add_text(o, "result", word);
	return o;
}

void
json_disk(FILE *out, const struct disk *d, const char *word, const char *note, const struct err *e)
{
	object *o = disk_event(d, !e, word);

	add_text(o, "note", note);
	add_error(o, e);
	if (e && e->kind != ERR_NONE)
		add_text(o, "next", summary_next(e->kind));
	emit(out, o);
}

static object *
slot_object(int number, const struct luks_slot *s, const struct json_claim *c)
{
	object *o = made(json_object_new_object());

	add_number(o, "slot", (unsigned)number);
	add_text(o, "owner", c->owner);
	if (c->owner)
		add_flag(o, "revoked", c->revoked);
	add_flag(o, "claimed", c->claimed);
	add_flag(o, "rescue", c->rescue);
	add_text(o, "kdf", s->kdf);
	add_number(o, "iterations", s->iterations);
	if (s->memory_kib)
		add_number(o, "memory_kib", s->memory_kib);
	return o;
}

void
json_header(FILE *out, const struct work *w, const struct json_claim *claims)
{
	object *o = disk_event(w->disk, true, w->open ? "open" : "closed");
	object *slots = made(json_object_new_array());
	const struct luks_header *h = &w->header;

	add_text(o, "device", w->disk->device);
	add_number(o, "luks", h->version);
	add_text(o, "uuid", h->uuid);
	add_text(o, "pinned_uuid", w->disk->uuid);
	add_text(o, "cipher", h->cipher);
	add_number(o, "key_bits", h->key_bits);
	add_number(o, "sector_size", h->sector_size);
	for (int i = 0; i < LUKS_MAX_SLOTS; i++)
		if (h->slots[i].active)
			json_object_array_add(slots, slot_object(i, &h->slots[i], &claims[i]));
	add(o, "slots", slots);
	emit(out, o);
}

void
json_target(FILE *out, const char *path, const char *type)
{
	object *o = event("target");

	add_text(o, "target", path_shown(path));
	add_text(o, "type", type);
	emit(out, o);
}

void
json_admin(FILE *out, const struct admin *a)
{
	object *o = event("admin");

	add_text(o, "admin", a->name);
	add_number(o, "slot", (unsigned)a->slot);
	add_flag(o, "revoked", a->revoked);
	emit(out, o);
}

static object *
key_object(const struct key *k)
{
	object *o = made(json_object_new_object());

	add_text(o, "state", key_states[k->state]);
	add_time(o, "time", k->time);
	add_time(o, "made", k->made);
	add_time(o, "proven", k->proven);
	add_time(o, "dead", k->dead);
	add_time(o, "vouched", k->vouched);
	add_text(o, "uuid", k->uuid);
	add_text(o, "by", k->by);
	return o;
}

void
json_keys(FILE *out, const struct json_holding *h)
{
	object *o = event("keys"), *keys = made(json_object_new_array());

	add_text(o, "disk", path_shown(h->path));
	add_flag(o, "in_inventory", h->in_inventory);
	add_flag(o, "available", h->available);
	if (h->elsewhere)
		add_text(o, "elsewhere", path_shown(h->elsewhere));
	for (size_t i = 0; i < h->n; i++)
		json_object_array_add(keys, key_object(&h->keys[i]));
	add(o, "keys", keys);
	emit(out, o);
}

void
json_error(FILE *out, const struct err *e, int status)
{
	object *o = event("error");

	add_error(o, e);
	add_number(o, "status", (unsigned)status);
	emit(out, o);
}

void
json_end(FILE *out, int status, size_t n_all, size_t n_bad)
{
	object *o = event("end");

	add_number(o, "status", (unsigned)status);
	if (n_all > 0) {
		add_number(o, "disks", n_all);
		add_number(o, "failed", n_bad);
	}
	emit(out, o);
}
