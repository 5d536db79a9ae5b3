/* SPDX-License-Identifier: MIT */
/* inventory_users: the file users, admin by admin. */
#include <string.h>
#include "inventory/inventory_internal.h"

#define FILE_NAME "users"

typedef bool read_fn(struct inventory *inv, const struct yaml_pair *p, struct admin *a,
    struct err *e);

static bool
read_slot(struct inventory *inv, const struct yaml_pair *p, struct admin *a, struct err *e)
{
	unsigned slot;

	(void)inv;
	if (!value_number(FILE_NAME, p, 0, INVENTORY_MAX_SLOTS - 1, &slot, e))
		return false;
	a->slot = (int)slot;
	return true;
}

/* Copy the hex digits in upper case; how many there are, or 0 if other things are, too. */
static size_t
hex_digits(const char *text, char *out, size_t cap)
{
	static const char low[] = "abcdef", up[] = "ABCDEF";
	size_t n = 0;

	for (; *text; text++) {
		const char *letter = strchr(low, *text);

		if (*text == ' ')
			continue;
		if (!letter && !strchr("0123456789ABCDEF", *text))
			return 0;
		if (n < cap)
			out[n] = letter ? up[letter - low] : *text;
		n++;
	}
	return n;
}

static bool
read_gpg(struct inventory *inv, const struct yaml_pair *p, struct admin *a, struct err *e)
{
	const struct spot at = { FILE_NAME, p->line };
	char digits[INVENTORY_FINGERPRINT_LEN];
	const char *text = NULL;
	size_t n;

	if (!value_text(FILE_NAME, p, &text, e))
		return false;
	n = hex_digits(text, digits, sizeof(digits));
	if (n == 0)
		return spot_error(at, e, "gpg of '%s' is no fingerprint but '%.80s'", a->name,
		    text);
	if (n != sizeof(digits))
		return spot_error(at, e, "gpg of '%s' has %zu hex digits: the full fingerprint of "
		    "40 is needed, as gpg --fingerprint shows it", a->name, n);
	a->fingerprint = arena_text(&inv->arena, (struct bytes){ digits, sizeof(digits) });
	return true;
}

/* YYYY-MM-DD, perhaps with a time behind it. */
static bool
is_date(const char *text)
{
	static const char form[] = "0000-00-00";
	unsigned month, day;
	size_t i = 0;

	for (; form[i]; i++)
		if (form[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
			return false;
	month = (unsigned)(text[5] - '0') * 10 + (unsigned)(text[6] - '0');
	day = (unsigned)(text[8] - '0') * 10 + (unsigned)(text[9] - '0');
	return month >= 1 && month <= 12 && day >= 1 && day <= 31 &&
	       (!text[i] || ((text[i] == ' ' || text[i] == 'T') && strlen(text) <= 40));
}

static bool
read_revoked(struct inventory *inv, const struct yaml_pair *p, struct admin *a, struct err *e)
{
	const char *text = NULL;

	if (!value_text(FILE_NAME, p, &text, e))
		return false;
	if (!is_date(text))
		return spot_error(spot_at(FILE_NAME, p->line), e,
		    "'revoked' must be a date such as '2024-12-31', not '%.80s'", text);
	a->revoked = arena_text(&inv->arena, bytes_of(text));
	return true;
}

static const struct {
	const char *name;
	read_fn *read;
} fields[] = {
	{ "slot", read_slot },
	{ "gpg", read_gpg },
	{ "revoked", read_revoked },
};

static bool
read_field(struct inventory *inv, const struct yaml_pair *p, struct admin *a, struct err *e)
{
	struct nearest near = nearest_to(p->key);

	for (size_t i = 0; i < COUNT(fields); i++) {
		if (strcmp(p->key, fields[i].name) == 0)
			return fields[i].read(inv, p, a, e);
		nearest_try(&near, fields[i].name);
	}
	return spot_error_near(spot_at(FILE_NAME, p->line), &near, e,
	    "'%.80s' is no setting of an admin", p->key);
}

static bool
read_admin(struct inventory *inv, const struct yaml_pair *p, struct admin *a, struct err *e)
{
	const struct spot at = { FILE_NAME, p->line };
	const struct yaml_node *map = NULL;

	if (!name_check(NAME_ADMIN, p->key, at, e) || !value_map(FILE_NAME, p, &map, e))
		return false;
	a->name = arena_text(&inv->arena, bytes_of(p->key));
	a->line = p->line;
	a->slot = -1;
	for (size_t i = 0; i < map->n; i++)
		if (!read_field(inv, &map->pairs[i], a, e))
			return false;
	if (a->slot < 0)
		return spot_error(at, e, "admin '%s' has no slot", a->name);
	if (!a->fingerprint)
		return spot_error(at, e, "admin '%s' has no gpg: a full fingerprint", a->name);
	return true;
}

/* Nobody before him has this slot or this key: at most 32 can pass. */
static bool
check_unique(const struct inventory *inv, const struct admin *a, struct err *e)
{
	const struct spot at = { FILE_NAME, a->line };
	const struct admin *other = inv->slot_owners[a->slot];

	if (other)
		return spot_error(at, e, "slot %d of '%s' is that of '%s' (line %u) already",
		    a->slot, a->name, other->name, other->line);
	for (size_t i = 0; i < inv->n_admins; i++) {
		other = &inv->admins[i];
		if (strcmp(other->fingerprint, a->fingerprint) == 0)
			return spot_error(at, e,
			    "the fingerprint of '%s' is that of '%s' (line %u) already", a->name,
			    other->name, other->line);
	}
	return true;
}

bool
users_read(struct inventory *inv, const struct yaml_node *root, struct err *e)
{
	if (root->kind != YAML_MAP)
		return spot_error(spot_at(FILE_NAME, root->line), e,
		    "a mapping of admins is expected");
	inv->admins = arena_alloc(&inv->arena, root->n, sizeof(*inv->admins));
	table_init(&inv->admin_names, &inv->arena, root->n);
	for (size_t i = 0; i < root->n; i++) {
		struct admin *a = &inv->admins[i];

		if (!read_admin(inv, &root->pairs[i], a, e) || !check_unique(inv, a, e))
			return false;
		inv->slot_owners[a->slot] = a;
		table_add(&inv->admin_names, a->name, a);
		inv->n_admins++;
	}
	return true;
}
