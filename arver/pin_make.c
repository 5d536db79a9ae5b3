/* SPDX-License-Identifier: MIT */
/*
 * What decides where passphrases go, what runs as root, and what a revocation looks at. Hooks are
 * taken as they run, with their placeholders filled in. A device that is another one could hold
 * somebody's own file system, for a hook to mount, or hide the real one from a revocation; a slot that
 * is called a rescue slot is left by it. A uuid in settings sends keys that are stored under another path
 * to this host. A disk with a device alone may come and go.
 */
#include "arver/pin_make.h"

#include "base/clock.h"
#include "base/mem.h"
#include "hook/hook.h"
#include "inventory/inventory.h"
#include "keyring/keyring.h"
#include "state/pins.h"

bool
pin_has_hooks(const struct host *h)
{
	for (int kind = 0; kind < HOOK_KINDS; kind++) {
		if (hook_exists(h, NULL, (enum hook_kind)kind))
			return true;
		for (size_t i = 0; i < h->n_disks; i++)
			if (hook_exists(h, h->disks[i], (enum hook_kind)kind))
				return true;
	}
	return false;
}

/* The hooks of a disk, or, NULL, of the host itself. */
static bool
add_hooks(struct pin *p, const struct host *h, const struct disk *d, struct err *e)
{
	for (int k = 0; k < HOOK_KINDS; k++) {
		enum hook_kind kind = (enum hook_kind)k;
		AUTO(mem_free_drop) char *name = mem_printf("%s%s%s", d ? d->name : "", d ? "/" : "",
		    hook_kind_name(kind));

		if (hook_exists(h, d, kind) && !hook_words(h, d, kind, pin_field(p, name), e))
			return false;
	}
	return true;
}

const char *
pin_next_taken(const struct keyring *keys, const struct disk *d, const char *path)
{
	do
		path = keys && d->uuid ? keyring_path_of_uuid(keys, d->uuid, path) : NULL;
	while (path && str_equal(path, d->path));
	return path;
}

char *
pin_takes_field(const struct disk *d)
{
	return mem_printf("%s/takes", d->name);
}

char *
pin_device_field(const struct disk *d)
{
	return mem_printf("%s/device", d->name);
}

static bool
add_disk(struct pin *p, const struct disk *d, const struct keyring *keys, struct err *e)
{
	AUTO(mem_free_drop) char *device = pin_device_field(d);
	AUTO(mem_free_drop) char *uuid = mem_printf("%s/uuid", d->name), *takes = pin_takes_field(d);
	AUTO(mem_free_drop) char *rescue = mem_printf("%s/rescue_slots", d->name);
	const char *path = NULL;

	argv_add(pin_field(p, device), d->device);
	if (d->uuid)
		argv_add(pin_field(p, uuid), d->uuid);
	for (unsigned slot = 0; slot < INVENTORY_MAX_SLOTS; slot++)
		if (d->rescue_slots & UINT32_C(1) << slot)
			argv_addf(pin_field(p, rescue), "%u", slot);
	while ((path = pin_next_taken(keys, d, path)))
		argv_add(pin_field(p, takes), path);
	return add_hooks(p, d->host, d, e);
}

static void
add_address(struct pin *p, const struct host *h)
{
	argv_add(pin_field(p, "address"), h->address);
	if (h->port > 0)
		argv_addf(pin_field(p, "port"), "%u", h->port);
	argv_add(pin_field(p, "username"), h->username);
}

bool
pin_make_host(struct pins *to, const struct host *h, const struct keyring *keys, struct err *e)
{
	static const char *const transports[] = {
		[TRANSPORT_SSH] = "ssh",
		[TRANSPORT_OPENSSH] = "openssh",
		[TRANSPORT_LOCAL] = "local",
	};
	struct pin *p = pins_put(to, PIN_HOST, h->path, (int64_t)clock_unix());

	argv_add(pin_field(p, "transport"), transports[h->transport]);
	if (h->transport != TRANSPORT_LOCAL)
		add_address(p, h);
	for (size_t i = 0; i < h->n_disks; i++)
		if (!add_disk(p, h->disks[i], keys, e))
			return false;
	return add_hooks(p, h, NULL, e);
}

void
pin_make_admin(struct pins *to, const struct admin *a)
{
	struct pin *p = pins_put(to, PIN_ADMIN, a->name, (int64_t)clock_unix());

	argv_add(pin_field(p, "fingerprint"), a->fingerprint);
}

void
pin_make_slot(struct pins *to, const struct admin *a)
{
	struct pin *p = pins_put(to, PIN_SLOT, a->name, (int64_t)clock_unix());

	argv_addf(pin_field(p, "slot"), "%d", a->slot);
}
