/* SPDX-License-Identifier: MIT */
/*
 * inventory_luks: what settings ask of new LUKS headers. Only values that
 * cryptsetup takes and that are safe; field by field the nearer level wins.
 */
#include <string.h>
#include "base/number.h"
#include "inventory/inventory_internal.h"

typedef bool read_fn(struct arena *a, const struct yaml_pair *p, struct luks_settings *out,
    struct err *e);

static bool
read_type(struct arena *a, const struct yaml_pair *p, struct luks_settings *out, struct err *e)
{
	static const char *const words[] = { "luks1", "luks2", NULL };
	size_t i;

	if (!value_choice("settings", p, words, &i, e))
		return false;
	out->type = arena_text(a, bytes_of(words[i]));
	return true;
}

static bool
read_pbkdf(struct arena *a, const struct yaml_pair *p, struct luks_settings *out, struct err *e)
{
	static const char *const words[] = { "pbkdf2", "argon2i", "argon2id", NULL };
	size_t i;

	if (!value_choice("settings", p, words, &i, e))
		return false;
	out->pbkdf = arena_text(a, bytes_of(words[i]));
	return true;
}

/* One that is made for disks: others show which blocks are alike, or what was changed. */
static bool
has_mode(const char *cipher)
{
	static const char *const modes[] = { "xts", "cbc", "lrw", "adiantum", "hctr2" };

	for (size_t i = 0; i < COUNT(modes); i++)
		if (strstr(cipher, modes[i]))
			return !strstr(cipher, "ecb");
	return false;
}

/* "aes-xts-plain64", "capi:xts(aes)-plain64", "aes-cbc-essiv:sha256" */
static bool
read_cipher(struct arena *a, const struct yaml_pair *p, struct luks_settings *out, struct err *e)
{
	const struct spot at = { "settings", p->line };
	const char *text = NULL;

	if (!value_text(at.file, p, &text, e))
		return false;
	if (strstr(text, "null"))
		return spot_error(at, e, "cipher '%.80s' does not encrypt", text);
	if (strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-_:(),.") != strlen(text) ||
	    text[0] == '-' || !strchr(text, '-') || strlen(text) > 64)
		return spot_error(at, e,
		    "cipher '%.80s' is not one that cryptsetup takes, such as aes-xts-plain64",
		    text);
	if (!has_mode(text))
		return spot_error(at, e, "cipher '%.80s' has no mode for disks: xts, cbc, lrw, adiantum "
		    "or hctr2", text);
	out->cipher = arena_text(a, bytes_of(text));
	return true;
}

static bool
one_of(const struct yaml_pair *p, const char *const *words, unsigned *out, struct err *e)
{
	size_t i;

	return value_choice("settings", p, words, &i, e) && number_plain(words[i], 65536, out);
}

static bool
read_key_size(struct arena *a, const struct yaml_pair *p, struct luks_settings *out,
    struct err *e)
{
	static const char *const bits[] = { "128", "192", "256", "384", "512", NULL };

	(void)a;
	return one_of(p, bits, &out->key_size, e);
}

static bool
read_sector_size(struct arena *a, const struct yaml_pair *p, struct luks_settings *out,
    struct err *e)
{
	static const char *const bytes[] = { "512", "1024", "2048", "4096", NULL };

	(void)a;
	return one_of(p, bytes, &out->sector_size, e);
}

static const struct {
	const char *name;
	read_fn *read;
} fields[] = {
	{ "type", read_type },
	{ "cipher", read_cipher },
	{ "key_size", read_key_size },
	{ "sector_size", read_sector_size },
	{ "pbkdf", read_pbkdf },
};

static bool
read_field(struct arena *a, const struct yaml_pair *p, struct luks_settings *out, struct err *e)
{
	struct nearest near = nearest_to(p->key);

	for (size_t i = 0; i < COUNT(fields); i++) {
		if (strcmp(p->key, fields[i].name) == 0)
			return fields[i].read(a, p, out, e);
		nearest_try(&near, fields[i].name);
	}
	return spot_error_near(spot_at("settings", p->line), &near, e,
	    "'%.80s' is no setting of luks", p->key);
}

bool
luks_read(struct arena *a, const struct yaml_pair *p, struct luks_settings *out, struct err *e)
{
	const struct yaml_node *map = NULL;

	if (!value_map("settings", p, &map, e))
		return false;
	for (size_t i = 0; i < map->n; i++)
		if (!read_field(a, &map->pairs[i], out, e))
			return false;
	return true;
}

void
luks_lay_over(struct luks_settings *disk, const struct luks_settings *over)
{
	if (over->type)
		disk->type = over->type;
	if (over->cipher)
		disk->cipher = over->cipher;
	if (over->pbkdf)
		disk->pbkdf = over->pbkdf;
	if (over->key_size)
		disk->key_size = over->key_size;
	if (over->sector_size)
		disk->sector_size = over->sector_size;
}

const char *
luks_fault(const struct luks_settings *l)
{
	if (!str_equal(l->type, "luks1"))
		return NULL;
	if (l->pbkdf && strcmp(l->pbkdf, "pbkdf2") != 0)
		return "luks1 knows no pbkdf but pbkdf2";
	if (l->sector_size > 512)
		return "luks1 knows no sector_size but 512";
	return NULL;
}
