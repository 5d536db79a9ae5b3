/* SPDX-License-Identifier: MIT */
/*
 * --keys and --dump-key: what the key store holds for disks. The first shows dates only; the
 * second writes one passphrase to standard output, past stdio, and nowhere else.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>
#include "arver/app.h"
#include "arver/command.h"
#include "arver/json.h"
#include "base/file.h"
#include "base/log.h"
#include "base/secret.h"
#include "inventory/inventory.h"
#include "keyring/keyring.h"
#include "plan/plan.h"
#include "target/target.h"

#define DATE_SIZE 32 /* "2026-11-27 10:31:05"; years have four digits, or ten */

static const char *
date(double when, char out[DATE_SIZE])
{
	time_t t = (time_t)when;
	struct tm tm;

	if (when <= 0 || when > 9e11 || !localtime_r(&t, &tm) ||
	    strftime(out, DATE_SIZE, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		snprintf(out, DATE_SIZE, "%s", when > 0 ? "the far future" : "an unknown date");
	return out;
}

static void
show_version(const struct key *k)
{
	char a[DATE_SIZE], b[DATE_SIZE];

	switch (k->state) {
	case KEY_PROMOTED:
		printf("  of %s", date(k->time, a));
		break;
	case KEY_STAGED:
		printf("  staged %s, not settled", date(k->made, a));
		break;
	case KEY_FUTURE:
		printf("  dated %s, which is to come: tried last", date(k->time, a));
		break;
	case KEY_DEAD:
		printf("  of %s, dead since %s", date(k->time, a), date(k->dead, b));
		break;
	}
	if (k->proven > 0)
		printf(", last proven %s", date(k->proven, b));
	if (k->by) {
		AUTO(str_done) struct str by = { 0 };

		str_add_escaped(&by, bytes_of(k->by), 64);
		if (k->vouched > 0)
			printf(", granted by %s", str_text(&by));
		else
			printf(", says that %s granted it", str_text(&by));
	}
	if (k->state == KEY_PROMOTED && !key_is_vouched(k))
		printf(", not proven yet");
	printf("\n");
}

static void
show_versions(const struct keyring *kr, const char *path)
{
	size_t n;
	const struct key *keys = keyring_get(kr, path, &n);

	for (size_t i = 0; i < n; i++)
		show_version(&keys[i]);
}

/* A key that was made for the header that settings pin, stored under another path, or NULL. */
static const struct key *
pinned_elsewhere(const struct keyring *kr, const struct disk *d, const char **out_path)
{
	*out_path = NULL;
	while (d->uuid && (*out_path = keyring_path_of_uuid(kr, d->uuid, *out_path))) {
		size_t n;
		const struct key *keys = keyring_get(kr, *out_path, &n);

		for (size_t i = 0; i < n && strcmp(*out_path, d->path) != 0; i++)
			if (keys[i].uuid && strcasecmp(keys[i].uuid, d->uuid) == 0)
				return &keys[i];
	}
	return NULL;
}

static struct json_holding
holding_of(const struct app *app, const struct disk *d)
{
	struct json_holding h = { .path = d->path, .in_inventory = true };
	const char *other;
	bool live = keyring_has_live(app->keys, d->path);

	if (!live && pinned_elsewhere(app->keys, d, &other))
		h.elsewhere = other;
	h.available = live || h.elsewhere;
	h.keys = keyring_get(app->keys, d->path, &h.n);
	return h;
}

static void
show_disk(const struct app *app, const struct disk *d, int width)
{
	struct json_holding h = holding_of(app, d);

	if (app->show.json) {
		json_keys(app->show.json, &h);
		return;
	}
	printf("%-*s  ", width, path_shown(d->path));
	if (h.elsewhere)
		printf("available as %s, by its UUID\n", path_shown(h.elsewhere));
	else if (h.available)
		printf("available\n");
	else
		printf("%s\n", h.n ? "no key that counts" : "no key");
	show_versions(app->keys, d->path);
}

static void
show_stray(const struct app *app, const char *path)
{
	struct json_holding h = { .path = path };

	h.keys = keyring_get(app->keys, path, &h.n);
	json_keys(app->show.json, &h);
}

/* Keys of paths that are no disk any more: renamed, or gone. */
static void
show_strays(const struct app *app, int width)
{
	size_t n;
	const char *const *paths = keyring_paths(app->keys, &n);

	for (size_t i = 0; i < n; i++) {
		AUTO(str_done) struct str shown = { 0 };

		if (inventory_find_disk(app->inventory, paths[i]))
			continue;
		if (app->show.json) {
			show_stray(app, paths[i]);
			continue;
		}
		str_add_escaped(&shown, bytes_of(path_shown(paths[i])), 4096);
		printf("%-*s  no such disk in the inventory\n", width, str_text(&shown));
		show_versions(app->keys, paths[i]);
	}
}

static bool
keys_run(struct app *app, int *status, struct err *e)
{
	AUTO(target_set_drop) struct target_set *set = NULL;
	AUTO(plan_drop) struct plan *plan = plan_new("keys");

	(void)status;
	if (!app_load_me(app, e) || !target_select(app->inventory, app->options.args[0], &set, e))
		return false;
	plan->between[0] = "decrypt your key files, and show what is in them";
	show_begin(app, set);
	if (!show_go(app, plan))
		return true;
	if (!app_load_keys(app, e))
		return false;
	for (size_t i = 0; i < set->n; i++)
		show_disk(app, set->at[i], app->show.width);
	if (set->all)
		show_strays(app, app->show.width);
	return true;
}

/* The key that is tried first; on a terminal with a line feed behind it, else just its bytes. */
static bool
dump(const struct app *app, const struct disk *d, struct err *e)
{
	const char *other;
	const struct key *elsewhere = pinned_elsewhere(app->keys, d, &other);
	size_t n;
	const struct key *keys = keyring_get(app->keys, d->path, &n);
	const struct key *key = n > 0 ? &keys[0] : NULL;
	bool terminal = isatty(STDOUT_FILENO);

	if (elsewhere && !keyring_has_live(app->keys, d->path))
		key = elsewhere;
	if (!key)
		return err_set(e, ERR_KEY, "%s: you hold no key for it", path_shown(d->path));
	if (key->state != KEY_PROMOTED)
		log_line(LOG_WARNING, "%s: no promoted key is there: see --keys",
		    path_shown(d->path));
	for (size_t i = 1; i < n && key == &keys[0]; i++)
		if (keys[i].state == KEY_PROMOTED && keys[i].time > key->time) {
			log_line(LOG_WARNING, "%s: there is a later key, which is not proven yet: see --keys",
			    path_shown(d->path));
			break;
		}
	if (terminal)
		log_line(LOG_WARNING, "%s: whoever sees this screen, or its scrollback, can open the disk "
		    "with a copy of its header", path_shown(d->path));
	return (file_write_all(STDOUT_FILENO, secret_bytes(key->passphrase)) &&
		   (!terminal || file_write_all(STDOUT_FILENO, bytes_of("\n")))) ||
	       err_set(e, ERR_SYSTEM, "standard output could not be written");
}

static bool
dump_key_run(struct app *app, int *status, struct err *e)
{
	AUTO(target_set_drop) struct target_set *set = NULL;

	(void)status;
	if (!app_load_me(app, e) || !target_select(app->inventory, app->options.args[0], &set, e))
		return false;
	if (set->n != 1)
		return err_set(e, ERR_USAGE, "--dump-key writes one key, and '%s' means %zu disks",
		    app->options.args[0], set->n);
	if (app->options.dry_run) {
		printf("here\n    decrypt your key files, and write the key of %s to standard output\n",
		    path_shown(set->at[0]->path));
		return true;
	}
	return app_load_keys(app, e) && dump(app, set->at[0], e);
}

const struct command command_keys = {
	.verb = VERB_KEYS,
	.name = "keys",
	.letter = 'k',
	.args = { "TARGETS" },
	.help = "show which keys you hold, and their dates",
	.run = keys_run,
};

const struct command command_dump_key = {
	.verb = VERB_DUMP_KEY,
	.name = "dump-key",
	.args = { "TARGET" },
	.help = "write the passphrase of one disk to standard output",
	.run = dump_key_run,
};
