/* SPDX-License-Identifier: MIT */
/*
 * inventory_settings: the file settings, path by path. First those of groups,
 * then of hosts, then of disks, whatever their order in the file, so that the
 * nearer wins by coming later. A word may know some levels only.
 */
#include <ctype.h>
#include <string.h>
#include "base/number.h"
#include "inventory/inventory_internal.h"

#define FILE_NAME "settings"
#define MAX_AFTER 64 /* hosts in one list of after */
#define MAX_WAITS ((size_t)1 << 20) /* of one host for another, in the whole file */

/* What a path stands for: all hosts and disks at or below it. */
struct scope {
	const char *path;
	enum level level;
	struct host **hosts;
	struct disk **disks;
	size_t n_hosts, n_disks;
};

typedef bool read_fn(struct inventory *inv, const struct scope *s, const struct yaml_pair *p,
    struct err *e);

static bool
read_luks(struct inventory *inv, const struct scope *s, const struct yaml_pair *p, struct err *e)
{
	struct luks_settings l = { 0 };

	if (!luks_read(&inv->arena, p, &l, e))
		return false;
	for (size_t i = 0; i < s->n_disks; i++) {
		luks_lay_over(&s->disks[i]->luks, &l);
		inv->luks_lines[s->disks[i]->index] = p->line;
	}
	return true;
}

static bool
read_transport(struct inventory *inv, const struct scope *s, const struct yaml_pair *p,
    struct err *e)
{
	static const char *const words[] = {
		[TRANSPORT_SSH] = "ssh",
		[TRANSPORT_OPENSSH] = "openssh",
		[TRANSPORT_LOCAL] = "local",
		NULL,
	};
	size_t kind;

	(void)inv;
	if (!value_choice(FILE_NAME, p, words, &kind, e))
		return false;
	for (size_t i = 0; i < s->n_hosts; i++)
		s->hosts[i]->transport = (enum transport_kind)kind;
	return true;
}

static bool
no_such_path(const struct inventory *inv, struct spot at, const char *path, enum level levels,
    struct err *e)
{
	struct nearest near = nearest_to(path);

	for (size_t i = 0; levels & LEVEL_GROUP && i < inv->n_groups; i++)
		nearest_try(&near, inv->groups[i].path);
	for (size_t i = 0; levels & LEVEL_HOST && i < inv->n_hosts; i++)
		nearest_try(&near, inv->hosts[i]->path);
	for (size_t i = 0; levels & LEVEL_DISK && i < inv->n_disks; i++)
		nearest_try(&near, inv->disks[i]->path);
	return spot_error_near(at, &near, e, "there is no '%.80s' in the file disks", path);
}

/* The host that an item of after names; `before` are those already read. */
static bool
read_after_item(const struct inventory *inv, const struct yaml_node *item,
    const struct host **list, size_t n, struct err *e)
{
	const struct spot at = { FILE_NAME, item->line };
	enum level level = LEVEL_HOST;

	if (item->kind != YAML_SCALAR || item->null)
		return spot_error(at, e, "'after' is a list of paths of hosts");
	list[n] = inventory_place(inv, item->text, &level);
	if (!list[n])
		return no_such_path(inv, at, item->text, LEVEL_HOST, e);
	if (level != LEVEL_HOST)
		return spot_error(at, e, "'%.80s' is a %s: 'after' takes hosts", item->text,
		    level_name(level));
	for (size_t i = 0; i < n; i++)
		if (list[i] == list[n])
			return spot_error(at, e, "'%.80s' stands in this list twice", item->text);
	return true;
}

/* What holds for a whole group leaves out each host itself. */
static void
set_after(struct inventory *inv, struct host *h, const struct host *const *list, size_t n)
{
	h->after = arena_alloc(&inv->arena, n, sizeof(const struct host *));
	h->n_after = 0;
	for (size_t i = 0; i < n; i++)
		if (list[i] != h)
			h->after[h->n_after++] = list[i];
}

static bool
read_after(struct inventory *inv, const struct scope *s, const struct yaml_pair *p, struct err *e)
{
	const struct host *list[MAX_AFTER];
	const struct yaml_node *items = NULL;

	if (!value_list(FILE_NAME, p, &items, e))
		return false;
	if (items->n > MAX_AFTER)
		return spot_error(spot_at(FILE_NAME, p->line), e,
		    "'after' may list %d hosts at most", MAX_AFTER);
	inv->n_waits += items->n * s->n_hosts;
	if (inv->n_waits > MAX_WAITS)
		return spot_error(spot_at(FILE_NAME, p->line), e,
		    "with this 'after', hosts wait for each other more than a million times");
	for (size_t i = 0; i < items->n; i++) {
		if (!read_after_item(inv, items->items[i], list, i, e))
			return false;
		if (s->level == LEVEL_HOST && list[i] == s->hosts[0])
			return spot_error(spot_at(FILE_NAME, items->items[i]->line), e,
			    "'%.80s' would come after itself", s->path);
	}
	for (size_t i = 0; i < s->n_hosts; i++) {
		set_after(inv, s->hosts[i], list, items->n);
		inv->after_lines[s->hosts[i]->index] = p->line;
	}
	return true;
}

/* The three times of a host, or NULL for another word. */
static int64_t *
time_of(struct host *h, const char *word)
{
	if (strcmp(word, "connect") == 0)
		return &h->connect_ms;
	if (strcmp(word, "command") == 0)
		return &h->command_ms;
	return strcmp(word, "hook") == 0 ? &h->hook_ms : NULL;
}

static bool
read_timeout(struct inventory *inv, const struct scope *s, const struct yaml_pair *p,
    struct err *e)
{
	const struct yaml_node *map = NULL;
	int64_t ms = 0;

	(void)inv;
	if (!value_map(FILE_NAME, p, &map, e))
		return false;
	for (size_t i = 0; i < map->n; i++) {
		const struct yaml_pair *time = &map->pairs[i];

		if (!time_of(&(struct host){ 0 }, time->key)) {
			struct nearest near = nearest_to(time->key);

			nearest_try(&near, "connect");
			nearest_try(&near, "command");
			nearest_try(&near, "hook");
			return spot_error_near(spot_at(FILE_NAME, time->line), &near, e,
			    "'%.80s' is no timeout", time->key);
		}
		if (!value_duration(FILE_NAME, time, &ms, e))
			return false;
		for (size_t h = 0; h < s->n_hosts; h++) {
			int64_t *of_host = time_of(s->hosts[h], time->key);

			if (of_host)
				*of_host = ms;
		}
	}
	return true;
}

static bool
read_uuid(struct inventory *inv, const struct scope *s, const struct yaml_pair *p, struct err *e)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	const char *text = NULL;
	bool good;

	if (!value_text(FILE_NAME, p, &text, e))
		return false;
	good = strlen(text) == strlen(form);
	for (size_t i = 0; good && form[i]; i++)
		good = form[i] == 'x' ? isxdigit((unsigned char)text[i]) != 0 : text[i] == '-';
	if (!good)
		return spot_error(spot_at(FILE_NAME, p->line), e,
		    "'uuid' must be a UUID, as cryptsetup luksUUID shows it, not '%.80s'", text);
	char *uuid = arena_text(&inv->arena, bytes_of(text));

	for (char *c = uuid; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	s->disks[0]->uuid = uuid;
	inv->uuid_lines[s->disks[0]->index] = p->line;
	return true;
}

/* One slot of a list of rescue slots goes into the mask. */
static bool
read_rescue_slot(const struct inventory *inv, const struct yaml_node *item, uint32_t *mask,
    struct err *e)
{
	const struct spot at = { FILE_NAME, item->line };
	unsigned slot = 0;

	if (item->kind != YAML_SCALAR || !number_plain(item->text, INVENTORY_MAX_SLOTS - 1, &slot))
		return spot_error(at, e, "'rescue_slots' is a list of numbers from 0 to 31");
	if (inv->slot_owners[slot])
		return spot_error(at, e, "rescue slot %u is the slot of '%s' (users:%u)", slot,
		    inv->slot_owners[slot]->name, inv->slot_owners[slot]->line);
	if (*mask >> slot & 1)
		return spot_error(at, e, "rescue slot %u stands in this list twice", slot);
	*mask |= UINT32_C(1) << slot;
	return true;
}

static bool
read_rescue_slots(struct inventory *inv, const struct scope *s, const struct yaml_pair *p,
    struct err *e)
{
	const struct yaml_node *items = NULL;
	uint32_t mask = 0;

	if (!value_list(FILE_NAME, p, &items, e))
		return false;
	for (size_t i = 0; i < items->n; i++)
		if (!read_rescue_slot(inv, items->items[i], &mask, e))
			return false;
	for (size_t i = 0; i < s->n_disks; i++)
		s->disks[i]->rescue_slots = mask;
	return true;
}

/* The hook of a host or of a disk itself: it is not handed down. */
static bool
read_hook(struct inventory *inv, const struct scope *s, const struct yaml_pair *p, struct err *e)
{
	enum hook_kind kind = HOOK_PRE_OPEN;
	struct hook *to;

	hook_kind_find(p->key, &kind);
	to = s->level == LEVEL_HOST ? &s->hosts[0]->hooks[kind] : &s->disks[0]->hooks[kind];
	if (to->words.n > 0)
		return spot_error(spot_at(FILE_NAME, p->line), e,
		    "%s of '%.80s' stands in the file disks as well: keep one", p->key, s->path);
	return hook_read(&inv->arena, p, s->level, to, e);
}

static const struct {
	const char *name;
	unsigned levels;
	const char *where; /* the same in words */
	read_fn *read;
} words[] = {
	{ "luks", LEVEL_GROUP | LEVEL_HOST | LEVEL_DISK, "everything", read_luks },
	{ "transport", LEVEL_GROUP | LEVEL_HOST, "groups and hosts", read_transport },
	{ "after", LEVEL_GROUP | LEVEL_HOST, "groups and hosts", read_after },
	{ "timeout", LEVEL_GROUP | LEVEL_HOST, "groups and hosts", read_timeout },
	{ "uuid", LEVEL_DISK, "disks", read_uuid },
	{ "rescue_slots", LEVEL_GROUP | LEVEL_HOST | LEVEL_DISK, "everything", read_rescue_slots },
	{ "pre_open", LEVEL_HOST | LEVEL_DISK, "hosts and disks", read_hook },
	{ "post_open", LEVEL_HOST | LEVEL_DISK, "hosts and disks", read_hook },
	{ "pre_close", LEVEL_HOST | LEVEL_DISK, "hosts and disks", read_hook },
	{ "post_close", LEVEL_HOST | LEVEL_DISK, "hosts and disks", read_hook },
};

bool
settings_knows(const char *word)
{
	for (size_t i = 0; i < COUNT(words); i++)
		if (strcmp(word, words[i].name) == 0)
			return true;
	return false;
}

static bool
read_word(struct inventory *inv, const struct scope *s, const struct yaml_pair *p, struct err *e)
{
	const struct spot at = { FILE_NAME, p->line };
	struct nearest near = nearest_to(p->key);

	for (size_t i = 0; i < COUNT(words); i++) {
		if (strcmp(p->key, words[i].name) != 0)
			continue;
		if (!(words[i].levels & s->level))
			return spot_error(at, e, "'%s' is for %s, and '%.80s' is a %s", p->key,
			    words[i].where, s->path, level_name(s->level));
		return words[i].read(inv, s, p, e);
	}
	if (disks_knows(p->key))
		return spot_error(at, e, "'%s' belongs in the file disks", p->key);
	for (size_t i = 0; i < COUNT(words); i++)
		nearest_try(&near, words[i].name);
	return spot_error_near(at, &near, e, "'%.80s' is no setting", p->key);
}

/* Everything at or below a group: its hosts and disks are slices of the whole. */
static void
set_group_scope(struct scope *s, const struct group *g)
{
	s->hosts = g->hosts;
	s->n_hosts = g->n_hosts;
	s->disks = g->n_hosts > 0 ? g->hosts[0]->disks : NULL;
	for (size_t i = 0; i < g->n_hosts; i++)
		s->n_disks += g->hosts[i]->n_disks;
}

static bool
find_scope(const struct inventory *inv, const struct yaml_pair *p, struct scope *out,
    struct err *e)
{
	struct scope s = { .path = p->key };
	const void *place = inventory_place(inv, p->key, &s.level);

	if (!place)
		return no_such_path(inv, spot_at(FILE_NAME, p->line), p->key,
		    LEVEL_GROUP | LEVEL_HOST | LEVEL_DISK, e);
	if (s.level == LEVEL_GROUP) {
		set_group_scope(&s, place);
	} else if (s.level == LEVEL_HOST) {
		const struct host *h = place;

		s.hosts = inv->hosts + h->index;
		s.n_hosts = 1;
		s.disks = h->disks;
		s.n_disks = h->n_disks;
	} else {
		s.disks = inv->disks + ((const struct disk *)place)->index;
		s.n_disks = 1;
	}
	*out = s;
	return true;
}

/* All paths of one level. */
static bool
read_level(struct inventory *inv, const struct yaml_node *root, const struct scope *scopes,
    enum level level, struct err *e)
{
	for (size_t i = 0; i < root->n; i++) {
		const struct yaml_node *map = NULL;

		if (scopes[i].level != level)
			continue;
		if (!value_map(FILE_NAME, &root->pairs[i], &map, e))
			return false;
		for (size_t k = 0; k < map->n; k++)
			if (!read_word(inv, &scopes[i], &map->pairs[k], e))
				return false;
	}
	return true;
}

bool
settings_read(struct inventory *inv, const struct yaml_node *root, struct err *e)
{
	AUTO(mem_free_drop) struct scope *scopes = mem_alloc(root->n, sizeof(*scopes));

	inv->after_lines = arena_alloc(&inv->arena, inv->n_hosts, sizeof(unsigned));
	inv->luks_lines = arena_alloc(&inv->arena, inv->n_disks, sizeof(unsigned));
	inv->uuid_lines = arena_alloc(&inv->arena, inv->n_disks, sizeof(unsigned));
	if (root->kind != YAML_MAP)
		return spot_error(spot_at(FILE_NAME, root->line), e,
		    "a mapping of paths is expected");
	for (size_t i = 0; i < root->n; i++)
		if (!find_scope(inv, &root->pairs[i], &scopes[i], e))
			return false;
	return read_level(inv, root, scopes, LEVEL_GROUP, e) &&
	       read_level(inv, root, scopes, LEVEL_HOST, e) &&
	       read_level(inv, root, scopes, LEVEL_DISK, e);
}
