/* SPDX-License-Identifier: MIT */
/* What the files of this room share: the run, and a lane while it runs. */
#ifndef RUN_RUN_INTERNAL_H
#define RUN_RUN_INTERNAL_H

#include <pthread.h>
#include "luks/luks.h"
#include "run/run.h"
#include "transport/transport.h"

/* What is known of one disk of a lane in this run. */
struct disk_state {
	const struct disk *disk;
	struct luks_status status; /* of STEP_STATUS */
	enum luks_state asked;	   /* what it is if as_asked */
	bool attempted;		   /* opening or closing it was tried or needless */
	bool as_asked;		   /* it is open, or closed, as the verb wants it */
	bool changed;		   /* it was opened, or closed, now */
	bool ended;		   /* a step failed: nothing more for this disk */
};

struct lane_run {
	struct run *run;
	const struct run_options *o;
	const struct lane *lane;
	struct row *rows;
	struct transport *transport; /* NULL: all of the lane is over */
	struct luks *luks;
	struct disk_state *disks;
	size_t n_disks;
	size_t *places;	/* by place of a disk on its host: where it is in `disks`, and 1; 0: nowhere */
	size_t *first;	/* lanes that come first, by `after` */
	size_t n_first;
	bool looked;	/* the disks' status is known, as seen over connection `logins` */
	unsigned logins;
	bool ended;	/* nothing more on this host; `why` tells */
	struct err why;

	/* In this phase: */
	size_t next;	 /* the step it has come to */
	bool touched;	 /* something was done on the host */
	bool went_badly; /* a step was not */
};

enum lane_state { LANE_WAITING, LANE_RUNNING, LANE_OK, LANE_FAILED };

/* Where a lane is in this phase; changed under the lock of the run. */
struct lane_place {
	enum lane_state state;
	bool due;		  /* it has steps in this phase */
	unsigned tries;		  /* to connect, without an answer */
	int64_t not_before;	  /* of clock_ms: the next try */
	const struct step *doing; /* LANE_RUNNING: NULL while connecting */
	int64_t since;		  /* of clock_ms: when that began */
};

/* A thread of ours. */
struct worker {
	pthread_t thread;
	bool ended; /* it is on its way out: to be joined */
};

/* What the main thread is told: a finished row, that a host is away, or a note about it. */
struct run_event {
	const struct row *row;
	const struct host *away;
	struct err *why; /* owned */
	const struct host *noted;
	char *note; /* owned */
};

struct run {
	struct run_options o;
	const struct plan *plan;
	struct report *rep;
	struct pool *own_pool; /* where the options give none */
	struct lane_run *lanes;
	int64_t wait_until; /* of clock_ms; 0: nobody is waited for */

	pthread_mutex_t lock; /* for all below */
	pthread_cond_t changed;
	struct lane_place *places;
	size_t first_waiting; /* of them, or one before it */
	struct run_event *events; /* that the main thread has not seen */
	size_t n_events;
	unsigned phase;
	struct worker *threads; /* joined by the main thread */
	size_t n_threads;
	unsigned n_working; /* workers that have not returned */
	bool stop;	    /* --fail-fast */
};

static inline bool
outcome_is_good(enum outcome o)
{
	return o == OUTCOME_DONE || o == OUTCOME_NEEDLESS;
}

/* run.c: the row is final, or the host is away: tell the main thread. */
void run_post(struct run *r, struct row *row);
void run_post_away(struct run *r, size_t i);
void run_post_note(struct run *r, const struct host *h, const char *text);
/* Is nothing new to be started? Then `e` tells why. */
bool run_is_stopped(struct run *r, struct err *e);

/* Wait until something changes, or `until` (of clock_ms). Under the lock. */
void run_wait_change(struct run *r, int64_t until);

/* run_lane.c: what became of a lane in a phase. */
enum lane_end { LANE_WENT_WELL, LANE_WENT_BADLY, LANE_AWAY };
enum lane_end lane_do(struct run *r, size_t i);
void lane_init(struct run *r, size_t i);
void lane_begin_phase(struct lane_run *l);
void lane_done(struct lane_run *l);
/* Is there anything to do for it in this phase? */
bool lane_has_steps(struct lane_run *l, unsigned phase);

/* run_wait.c: who comes after whom, once all lanes are there. */
void run_order(struct run *r);
/*
 * The next lane that may run, now LANE_RUNNING, waiting until there is one; SIZE_MAX
 * when none is left. A lane whose predecessor failed ends, its turn is only to say so.
 */
size_t run_next_lane(struct run *r);
/* It has come to this step. */
void run_doing(struct run *r, size_t i, const struct step *step);
/* A lane's turn is over. */
void run_end_turn(struct run *r, size_t i, enum lane_end end);
/* May lane i, which did not answer, be tried again? */
bool run_may_wait(struct run *r, size_t i);

/* run_progress.c: count. Under the lock. */
void run_count(struct run *r, struct run_progress *out);

struct disk_state *lane_disk(struct lane_run *l, const struct disk *d);

/* Do one step and set the row's outcome; run_step.c finds the function. */
void step_run(struct lane_run *l, struct row *row);

/* What an error means for the step. */
enum outcome outcome_of(const struct err *e);

/* run_open.c */
void step_status(struct lane_run *l, struct row *row);
/*
 * After the connection was lost and made anew: look at all disks again. False, ERR_DISK: one is not
 * any more what this run made of it.
 */
bool lane_look_again(struct lane_run *l, struct err *e);
void step_hook(struct lane_run *l, struct row *row);
void step_open(struct lane_run *l, struct row *row);
/* Neighbours without a hook between them, in one command: at most RUN_OPEN_BATCH rows. */
#define RUN_OPEN_BATCH 8
void step_open_all(struct lane_run *l, struct row *rows, size_t n);
void step_close(struct lane_run *l, struct row *row);
/* run_look.c */
void step_verify(struct lane_run *l, struct row *row);
void step_info(struct lane_run *l, struct row *row);
void step_survey(struct lane_run *l, struct row *row);
void step_probe(struct lane_run *l, struct row *row);
/* run_change.c */
void step_format(struct lane_run *l, struct row *row);
void step_add(struct lane_run *l, struct row *row);
void step_kill(struct lane_run *l, struct row *row);

/* Tries that grow; zero-initialize, free(at). */
struct tries {
	struct luks_try *at;
	size_t n;
};
void tries_done(struct tries *t);
void tries_add(struct tries *t, const struct secret *key, int slot);
/*
 * Each of my keys of the disk, in this slot: those stored under its path, under the UUID that
 * settings pin, under --set-key; then the passphrase that was asked for.
 */
void tries_add_mine(struct tries *t, const struct lane_run *l, const struct disk *d, int slot);
/* The same without dead keys. */
void tries_add_live(struct tries *t, const struct lane_run *l, const struct disk *d, int slot);

#endif
