/* SPDX-License-Identifier: MIT */
/*
 * run: a plan's lanes on threads, phase by phase, over connections that are kept ("parked") between
 * phases. One worker does one lane at a time; a lane's connection, steps and
 * rows are touched by its worker alone. A failed step ends its disk, not its lane. Finished rows
 * reach the main thread through a queue.
 */
#ifndef RUN_RUN_H
#define RUN_RUN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/err.h"
#include "base/mem.h"
#include "plan/plan.h"
#include "report/report.h"

struct keyring;
struct pool;
struct secret;

/* Defaults, in milliseconds. */
#define RUN_COMMAND_MS 120000
#define RUN_HOOK_MS 600000
#define RUN_JOBS 32

/* How often on_progress is called, in milliseconds. */
#define RUN_PROGRESS_MS 200

/* How far a phase has come. */
struct run_progress {
	/* Every host of the phase is in one of these five. */
	size_t done, failed, running;
	size_t waiting;			/* for its turn, or for another host */
	size_t away;			/* does not answer yet, is tried again (wait_ms) */
	size_t disks, disks_done, disks_failed;
	const struct host *slowest;	/* the running one that is longest at one thing; or NULL */
	const struct step *doing;	/* ... which is this step; NULL: connecting */
	int64_t doing_ms;		/* ... for so long */
};

struct run_options {
	unsigned jobs;			/* lanes at once, not counting those that are connecting for
					 * longer than a second; 0: RUN_JOBS */
	int64_t wait_ms;		/* from run_begin on: so long a host that does not answer is
					 * tried again before its lane fails; 0: not at all */
	/* 0: defaults, for connect_ms the transport's; a host's own settings win */
	int64_t connect_ms, command_ms, hook_ms;
	bool fail_fast;			/* start nothing new after the first failure */
	bool accept_new;		/* take and store host keys that are not known */
	const char *arver_user;		/* for '#arveruser' */
	struct pool *pool;		/* what SSH connections share (transport/pool.h), outlives the
					 * run; NULL: one of its own */
	const struct keyring *keys;	/* mine; only read */
	const struct secret *asked;	/* a passphrase that was asked for, or NULL: tried after my keys */
	const char *set_key;		/* a path whose keys are tried too, or NULL */
	int my_slot;			/* -1 if I have none */
	const atomic_int *cancel;	/* not 0: start nothing new */
	/* Is nothing to be sent to this host? Then `why` tells. Called in run_begin; or NULL. */
	bool (*is_held)(void *arg, const struct host *host, struct err *why);
	/* Called on the main thread, inside run_phase, for each row as it is finished. */
	void (*on_row)(void *arg, const struct row *row);
	/* The same way, for each host once: it does not answer yet, and is tried again. */
	void (*on_away)(void *arg, const struct host *host, const struct err *why);
	/* The same way: what a person must hear of this host, a sentence. */
	void (*on_note)(void *arg, const struct host *host, const char *text);
	/* The same way, every RUN_PROGRESS_MS while a phase runs. */
	void (*on_progress)(void *arg, const struct run_progress *p);
	void *arg;
};

struct run;

/* How such a run connects to a host. Borrows from both. */
struct transport_spec run_spec(const struct run_options *o, const struct host *h);

/* Nothing is contacted yet. `plan` and `rep` (of that plan) outlive the run. */
struct run *run_begin(const struct run_options *o, const struct plan *plan, struct report *rep);

/*
 * Do one phase of the plan on all its lanes, and return when every lane has
 * ended. Disks whose step failed in an earlier phase are left out. Main thread.
 */
void run_phase(struct run *r, unsigned phase);

/* Disconnect all. NULL is fine. */
void run_end(struct run *r);
static inline void run_drop(struct run **r)
{
	run_end(*r);
	*r = NULL;
}

#endif
