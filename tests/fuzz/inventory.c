/* SPDX-License-Identifier: MIT */
/* inventory: the files users, disks and settings, with "====" on a line between them. */
#include "inventory/inventory.h"

#include "fuzz.h"
#include "fuzz_inventory.h"
#include "target/target.h"

/* Each disk's path means that disk, and ALL means all. */
static void
expect_targets(const struct inventory *inv)
{
	size_t n = inventory_n_disks(inv);

	for (size_t i = 0; i <= n && n > 0 && n < 64; i++) {
		AUTO(target_set_drop) struct target_set *set = NULL;
		const char *list = i < n ? inventory_disk(inv, i)->path : "ALL";
		struct err e = { 0 };

		EXPECT(target_select(inv, list, &set, &e));
		EXPECT(set->n == (i < n ? 1 : n) && (i == n || set->at[0] == inventory_disk(inv, i)));
	}
}

void
fuzz_one(struct bytes in)
{
	AUTO(inventory_drop) struct inventory *inv = NULL;

	fuzz_write("users", fuzz_take_part(&in));
	fuzz_write("disks", fuzz_take_part(&in));
	fuzz_write("settings", in);
	if (fuzz_load_inventory(&inv))
		expect_targets(inv);
}
