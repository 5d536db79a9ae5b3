/* SPDX-License-Identifier: MIT */
/*
 * luks_remote: what its two files share. luks_remote.c speaks to a server and looks,
 * luks_remote_change.c changes headers. Nobody else includes this.
 */
#ifndef LUKS_LUKS_REMOTE_H
#define LUKS_LUKS_REMOTE_H

#include "luks/luks.h"
#include "luks/luks_talk.h"

struct luks_remote {
	struct luks base;	/* first, always */
	struct transport *transport; /* borrowed */
};

/* A conversation about this disk; its words are to be dropped. */
struct luks_talk luks_remote_talk(const struct disk *d, enum luks_script script);
void luks_remote_talk_drop(struct luks_talk *t);
/* The host's name, for messages. */
const char *luks_remote_host(const struct luks *l);
/* Are commands run by sudo there? */
bool luks_remote_sudo(const struct luks *l);
MUST_CHECK bool luks_remote_run(struct luks *l, const struct luks_talk *talk,
    struct luks_reply *out, struct err *e);

/* Append words: the seconds that a script may wait for the lock; a slot; the length of a key. */
void luks_remote_add_wait(struct luks_talk *t, const struct luks *l);
void luks_remote_add_slot(struct luks_talk *t, int slot);
void luks_remote_add_length(struct luks_talk *t, const struct secret *key);

/* Fail with "PATH: what: the step's words"; a step that is missing is ERR_LOST. */
bool luks_remote_fail(const struct disk *d, enum err_kind kind, const char *what,
    const struct luks_step *step, struct err *e);

/* The header that a "dump" step shows; NULL is a dump that was not made. */
MUST_CHECK bool luks_remote_header(const struct disk *d, const struct luks_step *dump,
    struct luks_header *out, struct err *e);
/* What the steps "blkid" and "dump" show. */
MUST_CHECK bool luks_remote_probed(const struct luks *l, const struct disk *d,
    const struct luks_reply *seen, struct luks_probe *out, struct err *e);

void luks_remote_open(struct luks *l, struct luks_opening *at, size_t n);
bool luks_remote_format(struct luks *l, const struct disk *d, const struct luks_format *f,
    struct luks_header *out, struct err *e);
bool luks_remote_add(struct luks *l, const struct disk *d, const struct luks_add *a,
    struct luks_header *out, struct err *e);
bool luks_remote_kill(struct luks *l, const struct disk *d, const struct luks_kill *k,
    struct luks_header *out, struct err *e);

#endif
