/* SPDX-License-Identifier: MIT */
/*
 * json: what happens, as one JSON object a line (--json). Every event and field is in arver(1) and in
 * man/arver-json.schema.json. A line is valid UTF-8 whatever came in, and is written at once.
 * No secret has a way in here: no function takes one. Main thread.
 */
#ifndef ARVER_JSON_H
#define ARVER_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "base/err.h"
#include "report/report.h"

struct admin;
struct disk;
struct host;
struct key;
struct pin;
struct pin_changes;
struct step;
struct target_set;
struct work;

/* The first event. `set`: what it is about, or NULL. */
void json_begin(FILE *out, const char *verb, bool dry_run, const struct target_set *set);

/* --dry-run: what happens here before a phase; a step. `words`: for people. */
void json_plan_here(FILE *out, unsigned phase, const char *words);
void json_plan_step(FILE *out, const struct host *h, const struct step *s, const char *words);

/* What is not as remembered; `was` is NULL for what was never seen here. */
void json_changed(FILE *out, const struct pin *was, const struct pin *is,
    const struct pin_changes *changes, bool accepted);

/* While a run goes on. */
void json_away(FILE *out, const struct host *h, const struct err *why, int64_t wait_ms);
void json_note(FILE *out, const struct host *h, const char *text);
void json_step(FILE *out, const struct row *row);

/* What became of a disk: e is NULL where it is as asked. `word` and `note` as people see them. */
void json_disk(FILE *out, const struct disk *d, const char *word, const char *note,
    const struct err *e);

/* Whose a slot is. */
struct json_claim {
	const char *owner; /* NULL: nobody's */
	bool revoked;	   /* the owner is */
	bool claimed, rescue;
};
/* --info: a disk that is as asked, with its header; claims has LUKS_MAX_SLOTS. */
void json_header(FILE *out, const struct work *w, const struct json_claim *claims);

/* --list-targets: `type` is group, host or disk. */
void json_target(FILE *out, const char *path, const char *type);

/* ... and an admin of the file users. */
void json_admin(FILE *out, const struct admin *a);

/* --keys: what I hold for a path. `elsewhere`: the path whose key is for this disk, by its UUID. */
struct json_holding {
	const char *path, *elsewhere;
	bool in_inventory, available;
	const struct key *keys; /* never their passphrases */
	size_t n;
};
void json_keys(FILE *out, const struct json_holding *h);

/* What stopped everything; and the last event. n_all 0: it is about no disk. */
void json_error(FILE *out, const struct err *e, int status);
void json_end(FILE *out, int status, size_t n_all, size_t n_bad);

#endif
