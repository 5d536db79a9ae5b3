/* SPDX-License-Identifier: MIT */
/* fuzz_entries: what keys of a file must be like, and that they come back from where they were written. */
#ifndef TESTS_FUZZ_ENTRIES_H
#define TESTS_FUZZ_ENTRIES_H

#include "keystore/entry.h"

void fuzz_expect_entries(const struct entry_list *l);
/* `got` is `l` in the order in which entry_format writes: by path, in one path the latest first. */
void fuzz_expect_came_back(const struct entry_list *l, const struct entry_list *got);

#endif
