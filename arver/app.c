/* SPDX-License-Identifier: MIT */
/* Loading, each thing once and in its order. */
#include "arver/app.h"

#include <stdlib.h>
#include <string.h>
#include "arver/pinned.h"
#include "arver/progress.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "inventory/inventory.h"
#include "keyring/keyring.h"
#include "keystore/keystore.h"
#include "keystore/sha256.h"
#include "state/journal.h"
#include "target/target.h"
#include "transport/pool.h"

void
app_warn(void *arg, const char *text)
{
	struct app *app = arg;

	if (argv_has(&app->told, text))
		return;
	argv_add(&app->told, text);
	log_line(LOG_WARNING, "%s", text);
}

void
app_warn_unlocked(void)
{
	static bool told;

	if (told || secret_all_locked())
		return;
	log_line(LOG_WARNING, "memory for passphrases could not be locked, and may reach swap: raise "
			      "the limit of locked memory (ulimit -l)");
	told = true;
}

void
app_done(struct app *app)
{
	secret_drop(&app->asked);
	pool_drop(&app->pool);
	keyring_drop(&app->keys);
	keystore_drop(&app->keystore);
	journal_drop(&app->journal);
	pinned_drop(&app->pinned);
	inventory_drop(&app->inventory);
	fd_drop(&app->dir);
	config_done(&app->config);
	show_done(&app->show);
	argv_done(&app->told);
}

bool
app_load(struct app *app, struct err *e)
{
	if (!config_load(&app->options, &app->config, e))
		return false;
	if (!file_open_dir(app->config.config_dir, &app->dir, e)) {
		err_wrap(e, "no data directory (make one with --init, or name it with -c)");
		e->kind = ERR_DATA;
		return false;
	}
	return inventory_load(app->dir, &app->inventory, e) ||
	       err_wrap(e, "%s", app->config.config_dir);
}

bool
app_load_me(struct app *app, struct err *e)
{
	if (!app->inventory && !app_load(app, e))
		return false;
	if (!app->config.username)
		return err_set(e, ERR_USAGE,
		    "who are you? Say it with -u NAME, ARVER_USER, or username: in ~/.arver");
	app->me = inventory_find_admin(app->inventory, app->config.username);
	return app->me || err_set(e, ERR_DATA, "%s/users: there is no admin named %s",
			      app->config.config_dir, app->config.username);
}

bool
app_open_keystore(struct app *app, struct err *e)
{
	struct keystore_options o = {
		.dir = app->dir,
		.me = app->me->name,
		.trust_all = app->options.trust_all,
		.inventory = app->inventory,
		.warn = app_warn,
		.warn_arg = app,
	};

	return app->keystore || keystore_open(&o, &app->keystore, e);
}

bool
app_seal(struct app *app, const struct admin *who, const struct entry_list *entries,
    struct sealed *out, struct err *e)
{
	if (!pinned_check(app, NULL, who, e) ||
	    !keystore_seal(app->keystore, who, entries, out, e))
		return false;
	pinned_admin(app, who);
	return true;
}

bool
app_load_keys(struct app *app, struct err *e)
{
	AUTO(keyring_drop) struct keyring *keys = keyring_new();

	if (!app_open_keystore(app, e) || !keystore_fill(app->keystore, keys, e))
		return false;
	app_warn_unlocked(); /* while one can still leave it */
	app->keys = TAKE(keys);
	pinned_check_keys(app);
	return true;
}

bool
app_check_set_key(const struct app *app, const struct target_set *set, struct err *e)
{
	const char *path = app->options.set_key;
	size_t n = 0;

	if (!path)
		return true;
	if (set->n != 1)
		return err_set(e, ERR_USAGE, "--set-key goes with one disk, not with %zu", set->n);
	(void)keyring_get(app->keys, path, &n);
	return n > 0 || err_set(e, ERR_USAGE, "you hold no key for %s (see --keys ALL)", path);
}

/* By the hash of the data directory's real path. */
bool
app_state_dir(const struct app *app, char **out, struct err *e)
{
	AUTO(mem_free_drop) char *real = realpath(app->config.config_dir, NULL);
	char id[65];

	if (!real)
		return err_set(e, ERR_SYSTEM, "%s: its real path is not to be found",
		    app->config.config_dir);
	sha256_hex(bytes_of(real), id);
	id[16] = '\0';
	*out = mem_printf("%s/%s", app->config.state_home, id);
	return true;
}

bool
app_open_journal(struct app *app, struct err *e)
{
	AUTO(mem_free_drop) char *dir = NULL;

	return app->journal ||
	       (app_state_dir(app, &dir, e) && journal_open(dir, &app->journal, e));
}

static void
on_row(void *arg, const struct row *row)
{
	struct app *app = arg;

	if (row->outcome != OUTCOME_NOT_BEGUN)
		pinned_host(app, row->host);
	show_row(&app->show, row);
	if (app->verb.on_row)
		app->verb.on_row(app->verb.arg, row);
	progress_show_again();
}

static void
on_away(void *arg, const struct host *host, const struct err *why)
{
	struct app *app = arg;

	show_away(&app->show, host, why, app->options.wait_ms);
	progress_show_again();
}

static void
on_note(void *arg, const struct host *host, const char *text)
{
	struct app *app = arg;

	show_note(&app->show, host, text);
	progress_show_again();
}

static void
on_progress(void *arg, const struct run_progress *p)
{
	pinned_keep_meanwhile(arg);
	progress_show(p);
}

static bool
is_held(void *arg, const struct host *h, struct err *why)
{
	return pinned_holds(arg, h, why);
}

struct run_options
app_run_options(struct app *app, void (*verb_on_row)(void *arg, const struct row *row), void *arg)
{
	app->verb.on_row = verb_on_row;
	app->verb.arg = arg;
	return (struct run_options){
		.jobs = app->config.jobs,
		.wait_ms = app->options.wait_ms,
		.connect_ms = app->config.connect_ms,
		.command_ms = app->config.command_ms,
		.hook_ms = app->config.hook_ms,
		.fail_fast = app->options.fail_fast,
		.accept_new = app->options.accept_new,
		.arver_user = app->config.username ? app->config.username : "",
		.pool = app->pool,
		.keys = app->keys,
		.asked = app->asked,
		.set_key = app->options.set_key,
		.my_slot = app->me ? app->me->slot : -1,
		.cancel = app->cancel,
		.is_held = is_held,
		.on_row = on_row,
		.on_away = on_away,
		.on_note = on_note,
		.on_progress = on_progress,
		.arg = app,
	};
}
