/* SPDX-License-Identifier: MIT */
/*
 * luks: hands each call to the implementation. Outputs are cleared first
 * where a caller may look at them after a failure of some of it.
 */
#include "luks/luks.h"

#include <string.h>

#define CHEAP_ITERATIONS 100000 /* a tenth of a second at most */

uint32_t
luks_active(const struct luks_header *h)
{
	uint32_t mask = 0;

	for (unsigned i = 0; i < LUKS_MAX_SLOTS; i++)
		if (h->slots[i].active)
			mask |= UINT32_C(1) << i;
	return mask;
}

bool
luks_slot_is_cheap(const struct luks_slot *s)
{
	return strcmp(s->kdf, "pbkdf2") == 0 && s->iterations <= CHEAP_ITERATIONS;
}

uint32_t
luks_all_slots(const struct luks_header *h)
{
	return h->n_slots < LUKS_MAX_SLOTS ? (UINT32_C(1) << h->n_slots) - 1 : UINT32_MAX;
}

void
luks_free(struct luks *l)
{
	if (l)
		l->ops->free(l);
}

bool
luks_status(struct luks *l, const struct disk *const *disks, size_t n, struct luks_status *out,
    struct err *e)
{
	return l->ops->status(l, disks, n, out, e);
}

bool
luks_open(struct luks *l, const struct disk *d, const struct luks_try *tries, size_t n, size_t *out,
    struct err *e)
{
	struct luks_opening o = { .disk = d, .tries = tries, .n_tries = n };

	luks_open_all(l, &o, 1);
	if (o.opened)
		*out = o.which;
	else if (e)
		*e = o.err;
	return o.opened;
}

void
luks_open_all(struct luks *l, struct luks_opening *at, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		at[i].opened = at[i].was_open = false;
		at[i].err = (struct err){ 0 };
	}
	l->ops->open(l, at, n);
}

bool
luks_close(struct luks *l, const struct disk *d, struct err *e)
{
	return l->ops->close(l, d, e);
}

bool
luks_look(struct luks *l, const struct disk *d, bool locked, struct luks_header *out, struct err *e)
{
	return l->ops->look(l, d, locked, out, e);
}

bool
luks_probe(struct luks *l, const struct disk *d, struct luks_probe *out, struct err *e)
{
	return l->ops->probe(l, d, out, e);
}

bool
luks_test(struct luks *l, const struct disk *d, const struct luks_try *tries, size_t n, bool all,
    bool *out, struct err *e)
{
	return l->ops->test(l, d, tries, n, all, out, e);
}

bool
luks_format(struct luks *l, const struct disk *d, const struct luks_format *f,
    struct luks_header *out, struct err *e)
{
	return l->ops->format(l, d, f, out, e);
}

bool
luks_add(struct luks *l, const struct disk *d, const struct luks_add *a, struct luks_header *out,
    struct err *e)
{
	return l->ops->add(l, d, a, out, e);
}

bool
luks_kill(struct luks *l, const struct disk *d, const struct luks_kill *k, struct luks_header *out,
    struct err *e)
{
	return l->ops->kill(l, d, k, out, e);
}
