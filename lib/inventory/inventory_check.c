/* SPDX-License-Identifier: MIT */
/*
 * inventory_check: rules that no single line can break: one device for two
 * disks of a host, hosts that wait for each other, settings that come
 * together from several levels.
 */
#include <stdlib.h>
#include <string.h>
#include "inventory/inventory_internal.h"

/* A host without an address is reached by its name. */
static bool
check_address(const struct host *h, struct err *e)
{
	const char *fault = h->address == h->name && h->transport != TRANSPORT_LOCAL
				? name_address_fault(h->name)
				: NULL;

	return !fault || spot_error(spot_at("disks", h->line), e,
			     "host '%.80s' needs an address, its name cannot be one: %s", h->name,
			     fault);
}

static int
by_device(const void *a, const void *b)
{
	const struct disk *const *x = a, *const *y = b;
	int order = strcmp((*x)->device, (*y)->device);

	return order != 0 ? order : ((*x)->index > (*y)->index) - ((*x)->index < (*y)->index);
}

static int
by_uuid(const void *a, const void *b)
{
	const struct disk *const *x = a, *const *y = b;
	int order = strcmp((*x)->uuid, (*y)->uuid);

	return order != 0 ? order : ((*x)->index > (*y)->index) - ((*x)->index < (*y)->index);
}

static bool
check_devices(const struct disk **disks, size_t n, struct err *e)
{
	qsort(disks, n, sizeof(const struct disk *), by_device);
	for (size_t i = 1; i < n; i++)
		if (strcmp(disks[i - 1]->device, disks[i]->device) == 0)
			return spot_error(spot_at("disks", disks[i]->line), e,
			    "disk '%s' has the device of '%s' (line %u): %s", disks[i]->name,
			    disks[i - 1]->name, disks[i - 1]->line, disks[i]->device);
	return true;
}

static bool
check_uuids(const struct inventory *inv, const struct disk **disks, size_t n, struct err *e)
{
	size_t pinned = 0;

	for (size_t i = 0; i < n; i++)
		if (disks[i]->uuid)
			disks[pinned++] = disks[i];
	qsort(disks, pinned, sizeof(const struct disk *), by_uuid);
	for (size_t i = 1; i < pinned; i++)
		if (strcmp(disks[i - 1]->uuid, disks[i]->uuid) == 0)
			return spot_error(
			    spot_at("settings", inv->uuid_lines[disks[i]->index]), e,
			    "the uuid of '%s' is that of '%s' already", disks[i]->path,
			    disks[i - 1]->path);
	return true;
}

/* Two hosts may share a device (over the network, or a failover pair), one host never. */
static bool
check_disks(const struct inventory *inv, const struct host *h, struct err *e)
{
	if (h->n_disks == 0)
		return true;
	AUTO(mem_free_drop)
	const struct disk **sorted = mem_alloc(h->n_disks, sizeof(const struct disk *));

	for (size_t i = 0; i < h->n_disks; i++) {
		const struct disk *d = h->disks[i];
		const char *fault = inv->luks_lines[d->index] ? luks_fault(&d->luks) : NULL;

		if (fault)
			return spot_error(spot_at("settings", inv->luks_lines[d->index]), e,
			    "luks of '%s': %s", d->path, fault);
		sorted[i] = d;
	}
	return check_devices(sorted, h->n_disks, e) && check_uuids(inv, sorted, h->n_disks, e);
}

/* Hosts in an order in which each comes after those it waits for. */
struct order {
	size_t *waits; /* by host: for how many it still waits */
	size_t *first; /* by host: where the hosts that wait for it begin in `next` */
	size_t *next;
	size_t *ready, n_ready;
};

/* Who waits for whom, the other way round: for host i, next[first[i]] to next[first[i + 1]]. */
static void
order_init(struct order *o, const struct inventory *inv)
{
	size_t edges = 0;

	o->waits = mem_alloc(inv->n_hosts, sizeof(size_t));
	o->ready = mem_alloc(inv->n_hosts, sizeof(size_t));
	o->first = mem_alloc(inv->n_hosts + 2, sizeof(size_t));
	for (size_t i = 0; i < inv->n_hosts; i++) {
		o->waits[i] = inv->hosts[i]->n_after;
		edges += o->waits[i];
		for (size_t k = 0; k < o->waits[i]; k++)
			o->first[inv->hosts[i]->after[k]->index + 2]++;
	}
	o->next = mem_alloc(edges, sizeof(size_t));
	for (size_t i = 2; i < inv->n_hosts + 2; i++)
		o->first[i] += o->first[i - 1];
	for (size_t i = 0; i < inv->n_hosts; i++)
		for (size_t k = 0; k < o->waits[i]; k++)
			o->next[o->first[inv->hosts[i]->after[k]->index + 1]++] = i;
}

static void
order_done(struct order *o)
{
	free(o->waits);
	free(o->first);
	free(o->next);
	free(o->ready);
}

/* How many hosts can be put in order; all, if nothing goes in a circle. */
static size_t
order_hosts(struct order *o, size_t n_hosts)
{
	for (size_t i = 0; i < n_hosts; i++)
		if (o->waits[i] == 0)
			o->ready[o->n_ready++] = i;
	for (size_t done = 0; done < o->n_ready; done++) {
		size_t host = o->ready[done];

		for (size_t k = o->first[host]; k < o->first[host + 1]; k++)
			if (--o->waits[o->next[k]] == 0)
				o->ready[o->n_ready++] = o->next[k];
	}
	return o->n_ready;
}

/* One that it waits for and that is stuck, too: always there for a host that is stuck. */
static const struct host *
stuck_before(const struct order *o, const struct host *h)
{
	size_t k = 0;

	while (o->waits[h->after[k]->index] == 0)
		k++;
	return h->after[k];
}

static bool
tell_circle(const struct inventory *inv, const struct order *o, struct err *e)
{
	AUTO(str_done) struct str text = { 0 };
	const struct host *h = NULL, *from;

	for (size_t i = 0; !h; i++)
		if (o->waits[i] > 0)
			h = inv->hosts[i];
	for (size_t i = 0; i < inv->n_hosts; i++) /* by then surely on the circle itself */
		h = stuck_before(o, h);
	from = h;
	do {
		str_addf(&text, "%s, after ", path_shown(h->path));
		h = stuck_before(o, h);
	} while (h != from && text.len < 300);
	str_add(&text, h == from ? path_shown(h->path) : "...");
	return spot_error(spot_at("settings", inv->after_lines[from->index]), e,
	    "'after' goes in a circle: %s", str_text(&text));
}

static bool
check_order(const struct inventory *inv, struct err *e)
{
	AUTO(order_done) struct order o = { 0 };

	order_init(&o, inv);
	return order_hosts(&o, inv->n_hosts) == inv->n_hosts || tell_circle(inv, &o, e);
}

bool
inventory_check(const struct inventory *inv, struct err *e)
{
	for (size_t i = 0; i < inv->n_hosts; i++)
		if (!check_address(inv->hosts[i], e) || !check_disks(inv, inv->hosts[i], e))
			return false;
	return check_order(inv, e);
}
