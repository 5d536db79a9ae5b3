/* SPDX-License-Identifier: MIT */
/*
 * --init: a data directory to start with, and ~/.arver. What is there already
 * is never touched.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "arver/app.h"
#include "arver/command.h"
#include "base/file.h"
#include "base/mem.h"
#include "keystore/gpg.h"

static const char disks_text[] =
    "# Groups, hosts and disks; see arver-inventory(5).\n"
    "#\n"
    "# 'colo':\n"
    "#   'web1':\n"
    "#     'address': 'web1.example.org'\n"
    "#     'data':\n"
    "#       'device': 'storage/data'\n"
    "{}\n";

/* Write a file that is not there yet, and say so. */
static bool
write_new(const struct app *app, int dir, const char *shown, const char *name, const char *text,
    struct err *e)
{
	struct file_place at = { .tmp_dir = dir, .dir = dir, .name = name, .mode = 0644 };

	if (file_exists_at(dir, name)) {
		printf("%s is there already\n", shown);
		return true;
	}
	if (!app->options.dry_run && !file_replace(&at, bytes_of(text), e))
		return err_wrap(e, "%s", shown);
	printf("%s %s\n", shown, app->options.dry_run ? "would be written" : "written");
	return true;
}

/* My only GPG key, where there is just one; "" otherwise. */
static bool
find_my_key(struct gpg *gpg, char out[41], struct err *e)
{
	AUTO(argv_done) struct argv mine = { 0 };

	out[0] = '\0';
	if (!gpg_my_keys(gpg, &mine, e))
		return false;
	if (mine.n == 1)
		snprintf(out, 41, "%s", mine.at[0]);
	return true;
}

static char *
users_text(const char *name, const char *fingerprint)
{
	static const char head[] = "# Admins: a key slot and a full GPG fingerprint for each.\n";

	if (*fingerprint)
		return mem_printf("%s'%s':\n  'slot': 0\n  'gpg': '%s'\n", head, name, fingerprint);
	return mem_printf("%s# Put the fingerprint in (gpg --list-secret-keys), and take the # away.\n"
			  "#\n# '%s':\n#   'slot': 0\n#   'gpg': 'FINGERPRINT'\n{}\n", head, name);
}

/* The directory and what belongs into it. */
static bool
fill_directory(const struct app *app, const char *name, struct err *e)
{
	AUTO(gpg_drop) struct gpg *gpg = NULL;
	AUTO(fd_drop) int dir = -1;
	AUTO(fd_drop) int public = -1;
	AUTO(str_done) struct str key = { 0 };
	const char *path = app->config.config_dir;
	AUTO(mem_free_drop) char *public_path = mem_printf("%s/keys/public", path);
	AUTO(mem_free_drop) char *users = mem_printf("%s/users", path);
	AUTO(mem_free_drop) char *disks = mem_printf("%s/disks", path);
	AUTO(mem_free_drop) char *ignore = mem_printf("%s/.gitignore", path);
	AUTO(mem_free_drop) char *shown = mem_printf("%s/keys/public/%s", path, name);
	char fingerprint[41] = "";

	/* gpg writes into its home already when it is asked something. */
	if (!app->options.dry_run && (!gpg_new(&gpg, e) || !find_my_key(gpg, fingerprint, e)))
		return false;
	AUTO(mem_free_drop) char *text = users_text(name, fingerprint);

	if (app->options.dry_run && !file_exists_at(AT_FDCWD, path)) {
		printf("%s would be made, with users, disks and keys/public\n", path);
		return true;
	}
	if (!app->options.dry_run && !file_make_dirs(public_path, 0755, e))
		return false;
	if (!file_open_dir(path, &dir, e) || !write_new(app, dir, users, "users", text, e) ||
	    !write_new(app, dir, disks, "disks", disks_text, e) ||
	    !write_new(app, dir, ignore, ".gitignore", "/tmp/\n", e))
		return false;
	return !*fingerprint || (file_open_dir(public_path, &public, e) &&
				    gpg_export(gpg, fingerprint, &key, e) &&
				    write_new(app, public, shown, name, str_text(&key), e));
}

/* ~/.arver, with the data directory's real path. */
static bool
write_config(const struct app *app, const char *name, struct err *e)
{
	AUTO(fd_drop) int home = -1;
	AUTO(mem_free_drop) char *real = realpath(app->config.config_dir, NULL);
	AUTO(mem_free_drop) char *text = mem_printf("'username': '%s'\n'config_dir': '%s'\n", name,
	    real ? real : app->config.config_dir);

	return file_open_dir(getenv("HOME"), &home, e) &&
	       write_new(app, home, app->config.path, ".arver", text, e);
}

static bool
init_run(struct app *app, int *status, struct err *e)
{
	const char *name;

	(void)status;
	if (!config_load(&app->options, &app->config, e))
		return false;
	name = app->config.username ? app->config.username : getenv("USER");
	if (!name || !*name || strpbrk(name, "/'\n") || *name == '.' || *name == '-' ||
	    strcmp(name, "public") == 0)
		return err_set(e, ERR_USAGE, "what is your name as an admin? Say it with -u NAME");
	return fill_directory(app, name, e) && write_config(app, name, e);
}

const struct command command_init = {
	.verb = VERB_INIT,
	.name = "init",
	.help = "make a data directory and ~/.arver to start with",
	.run = init_run,
};
