/* SPDX-License-Identifier: MIT */
/*
 * inventory_names: which names and addresses may be. Names become words of
 * targets, paths of the key store, file names and mappings; addresses and logins
 * reach ssh and, through its configuration, perhaps a shell. What would be
 * misread there is refused here. Control characters have been refused before.
 */
#include <stdlib.h>
#include <string.h>
#include "inventory/inventory_internal.h"

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
#define NAME_MAX_BYTES 255    /* of a file name */
#define MAPPING_MAX_BYTES 127 /* of a device-mapper name: DM_NAME_LEN less the NUL */
#define DEVICE_MAX_BYTES 4000 /* below PATH_MAX */

/* Are all bytes of these, or above ASCII? */
static bool
only(const char *text, const char *allowed)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x80 && !strchr(allowed, *text))
			return false;
	return true;
}

static const char *
common_fault(const char *name)
{
	size_t len = strlen(name);

	if (len == 0)
		return "it is empty";
	if (len > NAME_MAX_BYTES)
		return "it is longer than 255 bytes";
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, "ALL") == 0)
		return "it has a meaning of its own";
	if (name[0] == '-')
		return "it begins with '-'";
	if (name[0] == ' ' || name[len - 1] == ' ')
		return "it begins or ends with a space";
	if (strpbrk(name, "/,*?"))
		return "it holds one of / , * ? which have a meaning in targets";
	return NULL;
}

/* udev would write other characters as \x20, so the mapping would bear another name. */
static const char *
mapping_fault(const char *name)
{
	if (strspn(name, LETTERS "#+-.:=@_") != strlen(name))
		return "a mapping's name may hold letters, digits and # + - . : = @ _ only";
	if (strlen(name) > MAPPING_MAX_BYTES)
		return "a mapping's name may have 127 bytes";
	if (strcmp(name, "control") == 0)
		return "/dev/mapper/control is device-mapper's own";
	return NULL;
}

static const char *
file_name_fault(const char *name)
{
	if (name[0] == '.')
		return "it begins with '.'";
	if (strcmp(name, "public") == 0)
		return "keys/public is the folder of public keys";
	if (str_ends(name, ".bak"))
		return "keys/NAME.bak is the old state of keys/NAME";
	return NULL;
}

static const char *
no_fault(const char *name)
{
	(void)name;
	return NULL;
}

bool
name_check(enum name_kind kind, const char *name, struct spot at, struct err *e)
{
	static const struct {
		const char *what;
		const char *(*fault)(const char *name);
	} kinds[] = {
		[NAME_GROUP] = { "a group", no_fault },
		[NAME_HOST] = { "a host", no_fault },
		[NAME_DISK] = { "a disk", mapping_fault },
		[NAME_ADMIN] = { "an admin", file_name_fault },
	};
	const char *fault = common_fault(name);

	if (!fault)
		fault = kinds[kind].fault(name);
	if (!fault)
		return true;
	return spot_error(at, e, "'%.80s' cannot be the name of %s: %s", name, kinds[kind].what,
	    fault);
}

const char *
name_address_fault(const char *address)
{
	if (address[0] == '-')
		return "it begins with '-'";
	if (strchr(address, '@'))
		return "the login belongs in username";
	if (!only(address, LETTERS ".:_-%[]"))
		return "an address has letters, digits and . : _ - % [ ] only";
	return strlen(address) > NAME_MAX_BYTES ? "it is longer than 255 bytes" : NULL;
}

const char *
name_username_fault(const char *username)
{
	if (username[0] == '-')
		return "it begins with '-'";
	if (username[0] == '#')
		return "the only word with '#' is '#arveruser'";
	if (!only(username, LETTERS "._@+-"))
		return "a login has letters, digits and . _ @ + - only";
	return strlen(username) > NAME_MAX_BYTES ? "it is longer than 255 bytes" : NULL;
}

/* The device is an absolute path without doubled slashes by now. */
const char *
name_device_fault(const char *device)
{
	if (strlen(device) > DEVICE_MAX_BYTES)
		return "it is too long";
	if (str_ends(device, "/"))
		return "it names a directory";
	for (const char *part = device; part; part = strchr(part + 1, '/')) {
		size_t len = strcspn(part + 1, "/");

		if ((len == 1 || len == 2) && strncmp(part + 1, "..", len) == 0)
			return "it holds '.' or '..'";
	}
	return NULL;
}
