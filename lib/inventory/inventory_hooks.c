/* SPDX-License-Identifier: MIT */
/*
 * inventory_hooks: a path alone is taken literally; a list is program and
 * arguments, whose placeholders are checked here and filled in when it runs.
 */
#include <string.h>
#include "inventory/inventory_internal.h"

static const char *const kind_names[HOOK_KINDS] = {
	[HOOK_PRE_OPEN] = "pre_open",
	[HOOK_POST_OPEN] = "post_open",
	[HOOK_PRE_CLOSE] = "pre_close",
	[HOOK_POST_CLOSE] = "post_close",
};

const char *
hook_kind_name(enum hook_kind kind)
{
	return kind_names[kind];
}

bool
hook_kind_find(const char *word, enum hook_kind *out)
{
	for (size_t i = 0; i < HOOK_KINDS; i++) {
		if (strcmp(word, kind_names[i]) != 0)
			continue;
		*out = (enum hook_kind)i;
		return true;
	}
	return false;
}

/* Room for n words, which the arena owns: nobody calls argv_done on them. */
static void
set_words(struct arena *a, struct hook *h, size_t n)
{
	h->words.at = arena_alloc(a, n + 1, sizeof(char *));
	h->words.n = n;
}

static bool
check_program(struct spot at, const char *key, const char *path, struct err *e)
{
	return path[0] == '/' ||
	       spot_error(at, e, "'%s' must be the absolute path of a program, not '%.80s'", key,
		   path);
}

bool
hook_read_path(struct arena *a, const char *file, const struct yaml_pair *p, struct hook *out,
    struct err *e)
{
	const char *path = NULL;

	if (!value_text(file, p, &path, e) ||
	    !check_program(spot_at(file, p->line), p->key, path, e))
		return false;
	set_words(a, out, 1);
	out->words.at[0] = arena_text(a, bytes_of(path));
	return true;
}

static bool
check_placeholders(struct spot at, const char *word, enum level level, struct err *e)
{
	const char *known = level == LEVEL_DISK ? "ghdDma%" : "gha%";

	for (const char *p = strchr(word, '%'); p; p = strchr(p + 2, '%')) {
		if (p[1] && strchr(known, p[1]))
			continue;
		if (p[1] && strchr("dDm", p[1]))
			return spot_error(at, e, "%%%c stands for something of a disk: a host's "
			    "hook knows only %%g %%h %%a", p[1]);
		return spot_error(at, e, "'%.80s' holds an unknown placeholder: there are "
		    "%%g %%h %%d %%D %%m %%a, and %%%% for a percent sign", word);
	}
	return true;
}

static bool
read_word(struct arena *a, const struct yaml_node *item, enum level level, char **out,
    struct err *e)
{
	struct spot at = { "settings", item->line };

	if (item->kind != YAML_SCALAR || item->null)
		return spot_error(at, e, "a hook is a list of words: program and arguments");
	if (!check_placeholders(at, item->text, level, e))
		return false;
	*out = arena_text(a, bytes_of(item->text));
	return true;
}

bool
hook_read(struct arena *a, const struct yaml_pair *p, enum level level, struct hook *out,
    struct err *e)
{
	const struct yaml_node *list = p->value;
	struct hook h = { .has_placeholders = true };

	if (list->kind == YAML_SCALAR)
		return hook_read_path(a, "settings", p, out, e);
	if (list->kind != YAML_LIST || list->n == 0)
		return spot_error(spot_at("settings", p->line), e,
		    "'%s' must be a path, or a list of program and arguments", p->key);
	set_words(a, &h, list->n);
	for (size_t i = 0; i < list->n; i++)
		if (!read_word(a, list->items[i], level, &h.words.at[i], e))
			return false;
	if (!check_program(spot_at("settings", list->items[0]->line), p->key,
		h.words.at[0], e))
		return false;
	*out = h;
	return true;
}
