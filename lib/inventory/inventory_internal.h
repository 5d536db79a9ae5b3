/* SPDX-License-Identifier: MIT */
/*
 * What the files of this room share: the inventory's inside, how a fault is
 * told with its place, the readers of values, and one function per file that
 * is read. Nobody outside includes this.
 */
#ifndef INVENTORY_INVENTORY_INTERNAL_H
#define INVENTORY_INVENTORY_INTERNAL_H

#include "inventory/arena.h"
#include "inventory/inventory.h"
#include "inventory/nearest.h"
#include "inventory/table.h"
#include "inventory/yaml_tree.h"

/*
 * Everything lies in the arena. Disks stand in inventory order, so the disks of a
 * host are a slice of `disks`, those of a group are one, and likewise the hosts.
 */
struct inventory {
	struct arena arena;
	struct group *groups;
	struct host **hosts;
	struct disk **disks;
	struct admin *admins;
	size_t n_groups, n_hosts, n_disks, n_admins;
	struct table paths; /* of groups, hosts and disks: see inventory_place */
	struct table admin_names;
	const struct admin *slot_owners[INVENTORY_MAX_SLOTS];
	/* Where in settings it was said, for the checks over the whole; 0: nowhere. */
	unsigned *after_lines; /* by host */
	unsigned *luks_lines, *uuid_lines; /* by disk */
	size_t n_waits; /* all lists of after together, for their cap */
};

/* Levels of the tree, as bits. */
enum level { LEVEL_GROUP = 1, LEVEL_HOST = 2, LEVEL_DISK = 4 };
const char *level_name(enum level level); /* "group" */

/* What a path names: its level, and the struct group, host or disk; NULL if nothing. */
void *inventory_place(const struct inventory *inv, const char *path, enum level *out_level);

/* Where in which file something stands. */
struct spot {
	const char *file;
	unsigned line;
};

static inline struct spot
spot_at(const char *file, unsigned line)
{
	return (struct spot){ file, line };
}

/*
 * ERR_DATA "file:line: ..."; false, always, and as macros, so that whoever analyses
 * the callers sees it, too. The second ends with ": did you mean 'x'?".
 */
#define spot_error(at, e, fmt, ...)                                                                \
	(err_set(e, ERR_DATA, "%s:%u: " fmt, (at).file, (at).line, ##__VA_ARGS__), false)
#define spot_error_near(at, near, e, fmt, ...)                                                     \
	__extension__({                                                                            \
		AUTO(mem_free_drop) char *hint_ = nearest_hint(near);                              \
		spot_error(at, e, fmt "%s", ##__VA_ARGS__, hint_);                                 \
	})

/* inventory_values.c: values of one pair; the error names its key. */
bool value_text(const char *file, const struct yaml_pair *p, const char **out, struct err *e);
bool value_number(const char *file, const struct yaml_pair *p, unsigned min, unsigned max,
    unsigned *out, struct err *e);
/* As number_duration has it. */
bool value_duration(const char *file, const struct yaml_pair *p, int64_t *out_ms, struct err *e);
/* One of the words, which end with NULL; its index. */
bool value_choice(const char *file, const struct yaml_pair *p, const char *const *words,
    size_t *out, struct err *e);
/* A mapping, where nothing at all counts as an empty one. */
bool value_map(const char *file, const struct yaml_pair *p, const struct yaml_node **out,
    struct err *e);
bool value_list(const char *file, const struct yaml_pair *p, const struct yaml_node **out,
    struct err *e);

/* inventory_names.c: what may bear which name. */
enum name_kind { NAME_GROUP, NAME_HOST, NAME_DISK, NAME_ADMIN };
bool name_check(enum name_kind kind, const char *name, struct spot at, struct err *e);
/* What is wrong with it, as the end of a sentence, or NULL. */
const char *name_address_fault(const char *address);
const char *name_username_fault(const char *username);
const char *name_device_fault(const char *device);

/* inventory_hooks.c: read one hook; a list is program and arguments with placeholders. */
bool hook_kind_find(const char *word, enum hook_kind *out);
bool hook_read_path(struct arena *a, const char *file, const struct yaml_pair *p,
    struct hook *out, struct err *e);
bool hook_read(struct arena *a, const struct yaml_pair *p, enum level level, struct hook *out,
    struct err *e);

/* inventory_luks.c: the word luks of settings, laid over what each disk has. */
bool luks_read(struct arena *a, const struct yaml_pair *p, struct luks_settings *out,
    struct err *e);
void luks_lay_over(struct luks_settings *disk, const struct luks_settings *over);
/* What cannot go together, as the end of a sentence, or NULL. */
const char *luks_fault(const struct luks_settings *l);

/* The three files, in this order, then the whole. */
bool users_read(struct inventory *inv, const struct yaml_node *root, struct err *e);
bool disks_read(struct inventory *inv, const struct yaml_node *root, struct err *e);
bool settings_read(struct inventory *inv, const struct yaml_node *root, struct err *e);
bool inventory_check(const struct inventory *inv, struct err *e);

/* Is it a word of that file, so that it was only written into the wrong one? */
bool disks_knows(const char *word);
bool settings_knows(const char *word);

#endif
