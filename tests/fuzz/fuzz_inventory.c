/* SPDX-License-Identifier: MIT */
/* Each thing found by its number, its name and its path; no host waits for itself; each hook has words. */
#include "fuzz_inventory.h"

#include <string.h>
#include "fuzz.h"
#include "hook/hook.h"
#include "inventory/inventory.h"

static bool
is_plain_name(const char *name)
{
	return name && *name && !strpbrk(name, "/,*?") && strcmp(name, "ALL") != 0;
}

static void
expect_admins(const struct inventory *inv)
{
	size_t n = inventory_n_admins(inv);

	EXPECT(n <= INVENTORY_MAX_SLOTS);
	for (size_t i = 0; i < n; i++) {
		const struct admin *a = inventory_admin(inv, i);

		EXPECT(is_plain_name(a->name) && a->name[0] != '.');
		fuzz_expect_printable(a->name);
		EXPECT(inventory_find_admin(inv, a->name) == a);
		EXPECT(a->slot >= 0 && a->slot < INVENTORY_MAX_SLOTS);
		EXPECT(inventory_slot_owner(inv, a->slot) == a);
		EXPECT(strlen(a->fingerprint) == INVENTORY_FINGERPRINT_LEN);
		EXPECT(strspn(a->fingerprint, "0123456789ABCDEF") == INVENTORY_FINGERPRINT_LEN);
		EXPECT(!a->revoked || strlen(a->revoked) >= 10);
	}
}

/* What was taken can be run: its placeholders were looked at when it was read. */
static void
expect_hooks(const struct host *h, const struct disk *d)
{
	for (int kind = 0; kind < HOOK_KINDS; kind++) {
		AUTO(argv_done) struct argv words = { 0 };
		struct err e = { 0 };

		EXPECT(hook_words(h, d, (enum hook_kind)kind, &words, &e));
		EXPECT(hook_exists(h, d, (enum hook_kind)kind) == (words.n > 0));
		EXPECT(words.n == 0 || words.at[0][0] == '/');
	}
}

static bool
is_path(const char *path, const char *parent, const char *name)
{
	size_t n = strlen(parent);

	return strncmp(path, parent, n) == 0 && path[n] == '/' && strcmp(path + n + 1, name) == 0;
}

static void
expect_disk(const struct inventory *inv, const struct disk *d)
{
	EXPECT(is_plain_name(d->name) && strlen(d->name) <= 127);
	EXPECT(is_path(d->path, d->host->path, d->name));
	EXPECT(inventory_find_disk(inv, d->path) == d && inventory_disk(inv, d->index) == d);
	EXPECT(d->device[0] == '/' && d->device[1] && !strstr(d->device, "//"));
	EXPECT(!d->uuid || strlen(d->uuid) == 36);
	fuzz_expect_printable(d->path);
	fuzz_expect_printable(d->device);
	expect_hooks(d->host, d);
}

static void
expect_host(const struct inventory *inv, const struct host *h)
{
	EXPECT(is_plain_name(h->name) && is_path(h->path, h->group->path, h->name));
	EXPECT(inventory_host(inv, h->index) == h);
	EXPECT(h->address && h->address[0] && h->address[0] != '-' && !strpbrk(h->address, "@ '\"\\$`"));
	EXPECT(h->username && h->username[0] && h->username[0] != '-');
	EXPECT(strcmp(host_login(h, "me"), "#arveruser") != 0);
	EXPECT(h->port <= 65535);
	EXPECT(h->connect_ms >= 0 && h->command_ms >= 0 && h->hook_ms >= 0);
	EXPECT(!inventory_find_disk(inv, h->path));
	expect_hooks(h, NULL);
	for (size_t i = 0; i < h->n_after; i++)
		EXPECT(h->after[i] != h && inventory_host(inv, h->after[i]->index) == h->after[i]);
	for (size_t i = 0; i < h->n_disks; i++) {
		EXPECT(h->disks[i]->host == h);
		expect_disk(inv, h->disks[i]);
	}
}

/* Some order of the hosts keeps every `after`. */
static void
expect_no_circle(const struct inventory *inv)
{
	size_t n = inventory_n_hosts(inv), n_done = 0, before;
	AUTO(mem_free_drop) bool *done = mem_alloc(n, sizeof(*done));

	do {
		before = n_done;
		for (size_t i = 0; i < n; i++) {
			const struct host *h = inventory_host(inv, i);
			size_t k = 0;

			while (k < h->n_after && done[h->after[k]->index])
				k++;
			if (done[i] || k < h->n_after)
				continue;
			done[i] = true;
			n_done++;
		}
	} while (n_done > before);
	EXPECT(n_done == n);
}

void
fuzz_expect_inventory(const struct inventory *inv)
{
	size_t n_hosts = 0, n_disks = 0;

	expect_admins(inv);
	for (size_t g = 0; g < inventory_n_groups(inv); g++) {
		const struct group *group = inventory_group(inv, g);

		EXPECT(is_plain_name(group->name) && is_path(group->path, "", group->name));
		for (size_t i = 0; i < group->n_hosts; i++, n_hosts++) {
			EXPECT(group->hosts[i]->group == group && group->hosts[i]->index == n_hosts);
			expect_host(inv, group->hosts[i]);
			n_disks += group->hosts[i]->n_disks;
		}
	}
	EXPECT(n_hosts == inventory_n_hosts(inv) && n_disks == inventory_n_disks(inv));
	expect_no_circle(inv);
}

bool
fuzz_load_inventory(struct inventory **out)
{
	struct err e = { 0 };

	if (!inventory_load(fuzz_dir_fd(), out, &e)) {
		EXPECT(!*out);
		EXPECT(e.kind == ERR_DATA);
		fuzz_expect_error(&e);
		EXPECT(strstr(e.text, "users") || strstr(e.text, "disks") || strstr(e.text, "settings"));
		return false;
	}
	fuzz_expect_inventory(*out);
	return true;
}
