/* SPDX-License-Identifier: MIT */
/*
 * luks_talk: one command on a server, from its words to its answer: starts the
 * script, lets the caller look at what it saw, sends the keys if he agrees,
 * and turns every other end into an error. What happened is never guessed: nothing sent is
 * ERR_HOST or what the script said, keys sent and no answer is ERR_LOST.
 */
#ifndef LUKS_LUKS_TALK_H
#define LUKS_LUKS_TALK_H

#include <stdint.h>
#include "luks/luks_reply.h"
#include "luks/luks_script.h"

struct disk;
struct secret;
struct transport;

struct luks_talk {
	const char *what;	/* for messages: "colo/web1/data" */
	const char *device;
	enum luks_script script;
	struct argv words;	/* behind sudo and device; the caller frees them */
	int64_t times;		/* it has so many times the limit; 0 is 1 */
	bool acts;		/* it changes something even if nothing is sent to it */

	/*
	 * Keys, in the order in which the script takes them, and what to look
	 * at before they are sent: `seen` is the answer up to "ready". May append
	 * words to *go, each with a blank in front, and set to NULL those of its
	 * own keys that shall not be sent. NULL where there are no keys.
	 */
	const struct secret *const *keys;
	size_t n_keys;
	bool (*decide)(const void *arg, const struct luks_reply *seen, struct str *go, struct err *e);
	const void *arg;
};

/* *out is set on success: a script that came to its end. */
MUST_CHECK bool luks_talk_run(struct transport *t, int64_t limit_ms, const struct luks_talk *talk,
    struct luks_reply *out, struct err *e);

/* Append what a step said, escaped, on one line. */
void luks_talk_words(const struct luks_step *step, struct str *out);

/* Was this step refused by sudo? Then *e (ERR_DISK) says what to allow. */
bool luks_talk_refused(const char *what, const struct luks_step *step, struct err *e);

/*
 * Did this attempt of a key end because the key does not fit (there)? Otherwise
 * something else was wrong.
 */
bool luks_talk_misfit(const struct luks_step *step);

#endif
