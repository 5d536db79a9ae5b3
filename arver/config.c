/* SPDX-License-Identifier: MIT */
/* Reading ~/.arver, as strictly as the inventory. */
#include "arver/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include "arver/options.h"
#include "base/file.h"
#include "base/mem.h"
#include "inventory/yaml_tree.h"

#define CONFIG_MAX_BYTES ((size_t)64 << 10)

void
config_done(struct config *c)
{
	free(c->path);
	free(c->username);
	free(c->config_dir);
	free(c->state_home);
}

/* "~/x" is under the home directory. */
static char *
expand_home(const char *path, const char *home)
{
	return str_starts(path, "~/") ? mem_printf("%s%s", home, path + 1) : mem_strdup(path);
}

static bool
number(const struct yaml_node *v, const char *what, long max, long *out, struct err *e)
{
	char *end = NULL;

	*out = v->kind == YAML_SCALAR ? strtol(v->text, &end, 10) : 0;
	if (!end || end == v->text || *end || *out < 1 || *out > max)
		return err_set(e, ERR_DATA, "~/.arver:%u: %s is a number from 1 to %ld", v->line,
		    what, max);
	return true;
}

static bool
read_timeout(const struct yaml_node *map, struct config *c, struct err *e)
{
	const struct {
		const char *name;
		int64_t *to;
	} fields[] = { { "connect", &c->connect_ms }, { "command", &c->command_ms },
		{ "hook", &c->hook_ms } };

	if (map->kind != YAML_MAP)
		return err_set(e, ERR_DATA, "~/.arver:%u: timeout is a mapping", map->line);
	for (size_t i = 0; i < map->n; i++) {
		bool known = false;
		long seconds;

		for (size_t k = 0; k < COUNT(fields); k++) {
			if (strcmp(map->pairs[i].key, fields[k].name) != 0)
				continue;
			known = true;
			if (!number(map->pairs[i].value, "a timeout in seconds", 86400, &seconds, e))
				return false;
			*fields[k].to = seconds * 1000;
		}
		if (!known)
			return err_set(e, ERR_DATA,
			    "~/.arver:%u: unknown timeout '%s': there are connect, command and hook",
			    map->pairs[i].line, map->pairs[i].key);
	}
	return true;
}

static bool
read_pair(const struct yaml_pair *p, struct config *c, const char *home, struct err *e)
{
	const struct yaml_node *v = p->value;
	long n;

	if (strcmp(p->key, "timeout") == 0)
		return read_timeout(v, c, e);
	if (strcmp(p->key, "jobs") == 0) {
		if (!number(v, "jobs", 1000, &n, e))
			return false;
		c->jobs = (unsigned)n;
		return true;
	}
	bool user = strcmp(p->key, "username") == 0;

	if (!user && strcmp(p->key, "config_dir") != 0)
		return err_set(e, ERR_DATA,
		    "~/.arver:%u: unknown word '%s': there are username, config_dir, jobs and timeout",
		    p->line, p->key);
	if (v->kind != YAML_SCALAR)
		return err_set(e, ERR_DATA, "~/.arver:%u: %s is one word", v->line, p->key);
	if (v->null)
		return true;
	char **to = user ? &c->username : &c->config_dir;

	*to = user ? mem_strdup(v->text) : expand_home(v->text, home);
	return true;
}

static bool
read_file(struct config *c, const char *home, struct err *e)
{
	AUTO(str_done) struct str text = { 0 };
	AUTO(yaml_tree_drop) struct yaml_node *root = NULL;

	if (!file_exists_at(AT_FDCWD, c->path))
		return true;
	if (!file_read_at(AT_FDCWD, c->path, CONFIG_MAX_BYTES, &text, e) ||
	    !yaml_tree_parse("~/.arver", str_bytes(&text), &root, e))
		return false;
	if (root->kind != YAML_MAP)
		return err_set(e, ERR_DATA, "~/.arver:%u: a mapping is expected", root->line);
	for (size_t i = 0; i < root->n; i++)
		if (!read_pair(&root->pairs[i], c, home, e))
			return false;
	return true;
}

/* The first that is there becomes *to. */
static void
prefer(char **to, const char *first, const char *second)
{
	const char *value = first ? first : second;

	if (!value || !*value)
		return;
	free(*to);
	*to = mem_strdup(value);
}

bool
config_load(const struct options *o, struct config *c, struct err *e)
{
	const char *home = getenv("HOME"), *state = getenv("XDG_STATE_HOME");

	if (!home || home[0] != '/')
		return err_set(e, ERR_USAGE, "HOME is not set to an absolute path");
	c->path = mem_printf("%s/.arver", home);
	if (!read_file(c, home, e))
		return false;
	prefer(&c->username, o->user, getenv("ARVER_USER"));
	prefer(&c->config_dir, o->config_dir, getenv("ARVER_DIR"));
	if (!c->config_dir)
		c->config_dir = mem_printf("%s/.arverdata", home);
	c->state_home = state && state[0] == '/' ? mem_printf("%s/arver", state)
						 : mem_printf("%s/.local/state/arver", home);
	if (o->jobs)
		c->jobs = o->jobs;
	return true;
}
