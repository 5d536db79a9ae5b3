/* SPDX-License-Identifier: MIT */
/* What the files of this room share: a lane while it runs. */
#ifndef RUN_RUN_INTERNAL_H
#define RUN_RUN_INTERNAL_H

#include "luks/luks.h"
#include "run/run.h"
#include "transport/transport.h"

/* What is known of one disk of a lane in this run. */
struct disk_state {
	const struct disk *disk;
	struct luks_status status; /* of STEP_STATUS */
	bool attempted;		   /* opening or closing it was tried or needless */
	bool as_asked;		   /* it is open, or closed, as the verb wants it */
	bool changed;		   /* it was opened, or closed, now */
	bool ended;		   /* a step failed: nothing more for this disk */
};

struct lane_run {
	const struct run_options *o;
	const struct lane *lane;
	struct row *rows;
	struct transport *transport;
	struct luks *luks;
	struct disk_state *disks;
	size_t n_disks;
	bool ended;	/* nothing more on this host; `why` tells */
	struct err why;
};

struct disk_state *lane_disk(struct lane_run *l, const struct disk *d);

/* Do one step and set the row's outcome; run_step.c finds the function. */
void step_run(struct lane_run *l, struct row *row);

/* What an error means for the step. */
enum outcome outcome_of(const struct err *e);

/* run_open.c */
void step_status(struct lane_run *l, struct row *row);
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
