/* SPDX-License-Identifier: MIT */
/* A work holds one secret of its own, the new key. */
#include "run/work.h"

void
work_init(struct work *w, const struct disk *d)
{
	*w = (struct work){ .disk = d, .slot = LUKS_ANY_SLOT, .spare = LUKS_ANY_SLOT };
}

void
work_done(struct work *w)
{
	secret_drop(&w->new_key);
}
