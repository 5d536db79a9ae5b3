/* SPDX-License-Identifier: MIT */
/*
 * app: what most verbs need loaded: config, data directory, inventory, who I am, key store,
 * my keys. Each is loaded when asked for, once.
 */
#ifndef ARVER_APP_H
#define ARVER_APP_H

#include <stdatomic.h>
#include <stdbool.h>
#include "arver/config.h"
#include "arver/options.h"
#include "arver/show.h"
#include "base/err.h"
#include "run/run.h"

struct admin;
struct entry_list;
struct inventory;
struct journal;
struct keyring;
struct keystore;
struct pinned;
struct pool;
struct sealed;
struct secret;
struct target_set;

struct app {
	struct options options;
	struct config config;
	int dir;			/* the data directory, or -1 */
	struct inventory *inventory;
	const struct admin *me;
	struct keystore *keystore;
	struct keyring *keys;		/* after app_load_keys */
	struct secret *asked;		/* --ask-password: what was typed; or NULL */
	struct journal *journal;	/* after app_open_journal */
	struct pinned *pinned;		/* after pinned_check */
	struct pool *pool;		/* of SSH connections, after logins_unlock; or NULL */
	const atomic_int *cancel;
	struct show show;
	struct argv told;		/* warnings of the key store */
	/* What the verb wants to hear of a run. */
	struct {
		void (*on_row)(void *arg, const struct row *row);
		void *arg;
	} verb;
};

void app_done(struct app *app);

/* Config, data directory and inventory. */
MUST_CHECK bool app_load(struct app *app, struct err *e);

/* And who I am: ERR_USAGE or ERR_DATA if nothing says it or users does not know me. */
MUST_CHECK bool app_load_me(struct app *app, struct err *e);

/* The key store, opened, not read. Needs app_load_me. */
MUST_CHECK bool app_open_keystore(struct app *app, struct err *e);

/*
 * keystore_seal, to an admin who is as remembered here, or ERR_CHANGED; now he is. Verbs look before,
 * too (pinned_check), so that nothing is begun in vain.
 */
MUST_CHECK bool app_seal(struct app *app, const struct admin *who, const struct entry_list *entries,
    struct sealed *out, struct err *e);

/* Decrypt my keys: one GPG decryption per key file. */
MUST_CHECK bool app_load_keys(struct app *app, struct err *e);

/*
 * --set-key: it goes with one disk, and there must be a key under its path. ERR_USAGE. Needs
 * app_load_keys.
 */
MUST_CHECK bool app_check_set_key(const struct app *app, const struct target_set *set, struct err *e);

/*
 * Where this machine keeps what concerns it alone: one directory per data directory. It need not be
 * there. free().
 */
MUST_CHECK bool app_state_dir(const struct app *app, char **out, struct err *e);
MUST_CHECK bool app_open_journal(struct app *app, struct err *e);

/*
 * What to run with. What a person sees while it runs is seen to; `on_row` (or NULL) is what the verb
 * itself does with each finished row.
 */
struct run_options app_run_options(struct app *app, void (*on_row)(void *arg, const struct row *row),
    void *arg);

/* A warning for the person, once in a command, for callbacks: `arg` is the app. */
void app_warn(void *arg, const char *text);
/* Say once, if it is so, that secrets lie in memory that is not locked. */
void app_warn_unlocked(void);

#endif
