/* SPDX-License-Identifier: MIT */
/*
 * inventory: the three files become trees, the trees one inventory, and the
 * trees go. Each file is read on its own first, the whole is checked last.
 */
#include "inventory/inventory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/file.h"
#include "inventory/inventory_internal.h"

void
inventory_free(struct inventory *inv)
{
	if (!inv)
		return;
	arena_done(&inv->arena);
	free(inv);
}

/* A file as a tree; *out stays NULL if there is no such file and it may be absent. */
static bool
read_tree(int dir, const char *name, bool may_be_absent, struct yaml_node **out, struct err *e)
{
	AUTO(str_done) struct str text = { 0 };

	errno = 0;
	if (file_read_at(dir, name, YAML_TREE_MAX_BYTES, &text, e))
		return yaml_tree_parse(name, str_bytes(&text), out, e);
	if (errno != ENOENT)
		return false;
	return may_be_absent ||
	       err_set(e, ERR_DATA,
		   "there is no file '%s' here: run arver --init to make a data directory", name);
}

static bool
read_file(int dir, const char *name, struct inventory *inv,
    bool (*read)(struct inventory *, const struct yaml_node *, struct err *), struct err *e)
{
	static const struct yaml_node nothing = { .kind = YAML_MAP, .line = 1 };
	AUTO(yaml_tree_drop) struct yaml_node *root = NULL;

	return read_tree(dir, name, read == settings_read, &root, e) &&
	       read(inv, root ? root : &nothing, e);
}

bool
inventory_load(int dir, struct inventory **out, struct err *e)
{
	AUTO(inventory_drop) struct inventory *inv = mem_alloc(1, sizeof(*inv));

	if (!read_file(dir, "users", inv, users_read, e) ||
	    !read_file(dir, "disks", inv, disks_read, e) ||
	    !read_file(dir, "settings", inv, settings_read, e) || !inventory_check(inv, e))
		return false;
	*out = TAKE(inv);
	return true;
}

size_t
inventory_n_groups(const struct inventory *inv)
{
	return inv->n_groups;
}

const struct group *
inventory_group(const struct inventory *inv, size_t i)
{
	return &inv->groups[i];
}

size_t
inventory_n_hosts(const struct inventory *inv)
{
	return inv->n_hosts;
}

const struct host *
inventory_host(const struct inventory *inv, size_t i)
{
	return inv->hosts[i];
}

size_t
inventory_n_disks(const struct inventory *inv)
{
	return inv->n_disks;
}

const struct disk *
inventory_disk(const struct inventory *inv, size_t i)
{
	return inv->disks[i];
}

size_t
inventory_n_admins(const struct inventory *inv)
{
	return inv->n_admins;
}

const struct admin *
inventory_admin(const struct inventory *inv, size_t i)
{
	return &inv->admins[i];
}

const struct admin *
inventory_find_admin(const struct inventory *inv, const char *name)
{
	return table_get(&inv->admin_names, name);
}

/* The number of slashes tells a path's level: /group/host/disk. */
void *
inventory_place(const struct inventory *inv, const char *path, enum level *out_level)
{
	void *place = table_get(&inv->paths, path);
	size_t slashes = 0;

	if (!place)
		return NULL;
	for (const char *p = path; *p; p++)
		slashes += *p == '/';
	*out_level = slashes == 1 ? LEVEL_GROUP : slashes == 2 ? LEVEL_HOST : LEVEL_DISK;
	return place;
}

const struct disk *
inventory_find_disk(const struct inventory *inv, const char *path)
{
	enum level level = LEVEL_GROUP;
	const void *place = inventory_place(inv, path, &level);

	return level == LEVEL_DISK ? place : NULL;
}

const struct admin *
inventory_slot_owner(const struct inventory *inv, int slot)
{
	return slot >= 0 && slot < INVENTORY_MAX_SLOTS ? inv->slot_owners[slot] : NULL;
}

const char *
host_login(const struct host *h, const char *arver_user)
{
	return strcmp(h->username, "#arveruser") == 0 ? arver_user : h->username;
}

const char *
path_shown(const char *path)
{
	return path[0] == '/' ? path + 1 : path;
}

const char *
level_name(enum level level)
{
	return level == LEVEL_GROUP ? "group" : level == LEVEL_HOST ? "host" : "disk";
}
