/* SPDX-License-Identifier: MIT */
/* fuzz_inventory: what an inventory that was read must be like. */
#ifndef TESTS_FUZZ_INVENTORY_H
#define TESTS_FUZZ_INVENTORY_H

#include "base/str.h"

struct inventory;

/* Load it from the directory of this process, and look at all of it; true if it was taken. */
bool fuzz_load_inventory(struct inventory **out);
void fuzz_expect_inventory(const struct inventory *inv);

#endif
