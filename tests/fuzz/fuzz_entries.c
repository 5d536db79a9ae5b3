/* SPDX-License-Identifier: MIT */
/* Compared in the order in which they are written, times to the microsecond. */
#include "fuzz_entries.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "fuzz.h"

#define LATEST 1e12 /* later than any real date; entry_format cuts there */

void
fuzz_expect_entries(const struct entry_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct entry *x = &l->at[i];
		struct bytes key = secret_bytes(x->key);

		EXPECT(x->path && x->path[0]);
		EXPECT(key.len > 0);
		for (size_t k = 0; k < key.len; k++)
			EXPECT(((const unsigned char *)key.ptr)[k] >= 0x20);
		EXPECT(isfinite(x->time) && isfinite(x->made));
		EXPECT(isfinite(x->proven) && isfinite(x->dead));
	}
}

static int
by_path_and_time(const void *a, const void *b)
{
	const struct entry *x = *(const struct entry *const *)a;
	const struct entry *y = *(const struct entry *const *)b;
	int order = strcmp(x->path, y->path);

	if (order)
		return order;
	if (x->time != y->time)
		return x->time > y->time ? -1 : 1;
	return (x > y) - (x < y);
}

/* To the microsecond, as far as a double has it. */
static bool
is_near(double a, double b)
{
	a = fmax(-LATEST, fmin(LATEST, a));
	return fabs(a - b) <= 1e-6 + fabs(a) * 1e-15;
}

static void
expect_same(const struct entry *a, const struct entry *b)
{
	EXPECT(strcmp(a->path, b->path) == 0);
	EXPECT(secret_equal(a->key, b->key));
	EXPECT(is_near(a->time, b->time) && is_near(a->made, b->made));
	EXPECT(is_near(a->proven, b->proven) && is_near(a->dead, b->dead));
	EXPECT(str_equal(a->uuid, b->uuid) && str_equal(a->by, b->by));
}

void
fuzz_expect_came_back(const struct entry_list *l, const struct entry_list *got)
{
	AUTO(mem_free_drop) const struct entry **sorted = mem_alloc(l->n, sizeof(*sorted));

	for (size_t i = 0; i < l->n; i++)
		sorted[i] = &l->at[i];
	qsort(sorted, l->n, sizeof(*sorted), by_path_and_time);
	EXPECT(l->n == got->n);
	for (size_t i = 0; i < l->n; i++)
		expect_same(sorted[i], &got->at[i]);
}
