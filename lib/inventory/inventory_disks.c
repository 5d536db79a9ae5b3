/* SPDX-License-Identifier: MIT */
/*
 * inventory_disks: the file disks, group by group, host by host. Of a host,
 * the known words are settings and every other key is a disk, if it is a
 * mapping: a misspelt word must not become one.
 */
#include <string.h>
#include "inventory/inventory_internal.h"

#define FILE_NAME "disks"

typedef bool read_fn(struct inventory *inv, const struct yaml_pair *p, struct host *h,
    struct err *e);

static bool
bad_value(const struct yaml_pair *p, const char *text, const char *fault, struct err *e)
{
	return spot_error(spot_at(FILE_NAME, p->line), e, "%s cannot be '%.80s': %s",
	    p->key, text, fault);
}

static bool
read_address(struct inventory *inv, const struct yaml_pair *p, struct host *h, struct err *e)
{
	const char *text = NULL, *fault;

	if (!value_text(FILE_NAME, p, &text, e))
		return false;
	fault = name_address_fault(text);
	if (fault)
		return bad_value(p, text, fault, e);
	h->address = arena_text(&inv->arena, bytes_of(text));
	return true;
}

static bool
read_port(struct inventory *inv, const struct yaml_pair *p, struct host *h, struct err *e)
{
	(void)inv;
	return value_number(FILE_NAME, p, 1, 65535, &h->port, e);
}

static bool
read_username(struct inventory *inv, const struct yaml_pair *p, struct host *h, struct err *e)
{
	const char *text = NULL, *fault = NULL;

	if (!value_text(FILE_NAME, p, &text, e))
		return false;
	if (strcmp(text, "#arveruser") != 0)
		fault = name_username_fault(text);
	if (fault)
		return bad_value(p, text, fault, e);
	h->username = arena_text(&inv->arena, bytes_of(text));
	return true;
}

static const struct {
	const char *name;
	read_fn *read;
} host_words[] = {
	{ "address", read_address },
	{ "port", read_port },
	{ "username", read_username },
};

bool
disks_knows(const char *word)
{
	for (size_t i = 0; i < COUNT(host_words); i++)
		if (strcmp(word, host_words[i].name) == 0)
			return true;
	return strcmp(word, "device") == 0;
}

/* /dev/ stands in front of a relative path; several slashes are one. */
static char *
device_path(struct inventory *inv, const char *text)
{
	AUTO(mem_free_drop)
	char *path = mem_printf("%s%s", text[0] == '/' ? "" : "/dev/", text);
	size_t n = 0;

	for (size_t i = 0; path[i]; i++)
		if (path[i] != '/' || path[i + 1] != '/')
			path[n++] = path[i];
	return arena_text(&inv->arena, (struct bytes){ path, n });
}

static bool
read_device(struct inventory *inv, const struct yaml_pair *p, struct disk *d, struct err *e)
{
	const char *text = NULL, *fault;

	if (!value_text(FILE_NAME, p, &text, e))
		return false;
	d->device = device_path(inv, text);
	fault = name_device_fault(d->device);
	return !fault || bad_value(p, text, fault, e);
}

/* A word that is none: perhaps one of settings, perhaps one with a slip. */
static bool
unknown(const struct yaml_pair *p, const struct nearest *near, const char *of_what, struct err *e)
{
	const struct spot at = { FILE_NAME, p->line };

	if (settings_knows(p->key))
		return spot_error(at, e, "'%s' belongs in the file settings", p->key);
	return spot_error_near(at, near, e, "'%.80s' is no setting of %s", p->key, of_what);
}

static void
try_hooks(struct nearest *near)
{
	for (size_t i = 0; i < HOOK_KINDS; i++)
		nearest_try(near, hook_kind_name((enum hook_kind)i));
}

static bool
read_disk_pair(struct inventory *inv, const struct yaml_pair *p, struct disk *d, struct err *e)
{
	struct nearest near = nearest_to(p->key);
	enum hook_kind kind;

	if (strcmp(p->key, "device") == 0)
		return read_device(inv, p, d, e);
	if (hook_kind_find(p->key, &kind))
		return hook_read_path(&inv->arena, FILE_NAME, p, &d->hooks[kind], e);
	nearest_try(&near, "device");
	try_hooks(&near);
	return unknown(p, &near, "a disk", e);
}

static bool
read_disk(struct inventory *inv, const struct yaml_pair *p, struct host *h, struct err *e)
{
	const struct spot at = { FILE_NAME, p->line };
	struct disk *d = arena_alloc(&inv->arena, 1, sizeof(*d));

	if (!name_check(NAME_DISK, p->key, at, e))
		return false;
	*d = (struct disk){ .host = h, .index = inv->n_disks, .line = p->line };
	d->name = arena_text(&inv->arena, bytes_of(p->key));
	d->path = arena_path(&inv->arena, h->path, d->name);
	for (size_t i = 0; i < p->value->n; i++)
		if (!read_disk_pair(inv, &p->value->pairs[i], d, e))
			return false;
	if (!d->device)
		return spot_error(at, e, "disk '%s' has no device", d->name);
	inv->disks[inv->n_disks++] = d;
	h->n_disks++;
	return true;
}

/* Neither a word of a host nor a disk. */
static bool
unknown_of_host(const struct yaml_pair *p, struct err *e)
{
	struct nearest near = nearest_to(p->key);

	for (size_t i = 0; i < COUNT(host_words); i++)
		nearest_try(&near, host_words[i].name);
	try_hooks(&near);
	return unknown(p, &near,
	    near.best ? "a host" : "a host, and no disk: a disk is a mapping with its device", e);
}

static bool
read_host_pair(struct inventory *inv, const struct yaml_pair *p, struct host *h, struct err *e)
{
	enum hook_kind kind;

	for (size_t i = 0; i < COUNT(host_words); i++)
		if (strcmp(p->key, host_words[i].name) == 0)
			return host_words[i].read(inv, p, h, e);
	if (hook_kind_find(p->key, &kind))
		return hook_read_path(&inv->arena, FILE_NAME, p, &h->hooks[kind], e);
	if (p->value->kind != YAML_MAP ||
	    (settings_knows(p->key) && !yaml_tree_get(p->value, "device")))
		return unknown_of_host(p, e);
	return read_disk(inv, p, h, e);
}

static bool
read_host(struct inventory *inv, const struct yaml_pair *p, struct group *g, struct err *e)
{
	struct host *h = arena_alloc(&inv->arena, 1, sizeof(*h));
	const struct yaml_node *map = NULL;

	if (!name_check(NAME_HOST, p->key, spot_at(FILE_NAME, p->line), e) ||
	    !value_map(FILE_NAME, p, &map, e))
		return false;
	*h = (struct host){ .group = g, .index = inv->n_hosts, .line = p->line };
	h->name = arena_text(&inv->arena, bytes_of(p->key));
	h->path = arena_path(&inv->arena, g->path, h->name);
	h->disks = inv->disks + inv->n_disks;
	for (size_t i = 0; i < map->n; i++)
		if (!read_host_pair(inv, &map->pairs[i], h, e))
			return false;
	if (!h->address)
		h->address = h->name;
	if (!h->username)
		h->username = arena_text(&inv->arena, bytes_of("root"));
	inv->hosts[inv->n_hosts++] = h;
	g->n_hosts++;
	return true;
}

static bool
read_group(struct inventory *inv, const struct yaml_pair *p, struct err *e)
{
	struct group *g = &inv->groups[inv->n_groups];
	const struct yaml_node *map = NULL;

	if (!name_check(NAME_GROUP, p->key, spot_at(FILE_NAME, p->line), e) ||
	    !value_map(FILE_NAME, p, &map, e))
		return false;
	g->line = p->line;
	g->name = arena_text(&inv->arena, bytes_of(p->key));
	g->path = arena_path(&inv->arena, "", g->name);
	g->hosts = inv->hosts + inv->n_hosts;
	for (size_t i = 0; i < map->n; i++)
		if (!read_host(inv, &map->pairs[i], g, e))
			return false;
	inv->n_groups++;
	return true;
}

/* Room for all groups, hosts and disks that there can be. */
static void
make_room(struct inventory *inv, const struct yaml_node *root)
{
	size_t hosts = 0, disks = 0;

	for (size_t g = 0; g < root->n; g++) {
		const struct yaml_node *group = root->pairs[g].value;

		for (size_t h = 0; group->kind == YAML_MAP && h < group->n; h++) {
			hosts++;
			disks += group->pairs[h].value->n;
		}
	}
	inv->groups = arena_alloc(&inv->arena, root->n, sizeof(*inv->groups));
	inv->hosts = arena_alloc(&inv->arena, hosts, sizeof(struct host *));
	inv->disks = arena_alloc(&inv->arena, disks, sizeof(struct disk *));
}

static void
make_table(struct inventory *inv)
{
	table_init(&inv->paths, &inv->arena, inv->n_groups + inv->n_hosts + inv->n_disks);
	for (size_t i = 0; i < inv->n_groups; i++)
		table_add(&inv->paths, inv->groups[i].path, &inv->groups[i]);
	for (size_t i = 0; i < inv->n_hosts; i++)
		table_add(&inv->paths, inv->hosts[i]->path, inv->hosts[i]);
	for (size_t i = 0; i < inv->n_disks; i++)
		table_add(&inv->paths, inv->disks[i]->path, inv->disks[i]);
}

bool
disks_read(struct inventory *inv, const struct yaml_node *root, struct err *e)
{
	if (root->kind != YAML_MAP)
		return spot_error(spot_at(FILE_NAME, root->line), e,
		    "a mapping of groups is expected");
	make_room(inv, root);
	for (size_t i = 0; i < root->n; i++)
		if (!read_group(inv, &root->pairs[i], e))
			return false;
	make_table(inv);
	return true;
}
