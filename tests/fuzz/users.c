/* SPDX-License-Identifier: MIT */
/* inventory: the file users alone, beside an empty file of disks. */
#include "inventory/inventory.h"

#include "fuzz.h"
#include "fuzz_inventory.h"

void
fuzz_one(struct bytes in)
{
	AUTO(inventory_drop) struct inventory *inv = NULL;

	fuzz_write("disks", bytes_of(""));
	fuzz_write("users", in);
	if (fuzz_load_inventory(&inv))
		EXPECT(inventory_n_disks(inv) == 0);
}
