/* SPDX-License-Identifier: MIT */
/* state/pins: there is one text for the same pins, and what is read is found, sorted, and like itself. */
#include "state/pins.h"

#include <string.h>
#include "fuzz.h"

static void
expect_sound(const struct pins *l, size_t i)
{
	const struct pin *p = &l->at[i];
	AUTO(pin_changes_done) struct pin_changes none = { 0 }, all = { 0 };

	EXPECT(*p->name && p->since >= 0);
	EXPECT(pins_find(l, p->kind, p->name) == p);
	for (size_t k = 0; k < p->n; k++) {
		EXPECT(*p->fields[k].name);
		EXPECT(k == 0 || strcmp(p->fields[k - 1].name, p->fields[k].name) < 0);
	}
	pin_compare(p, p, &none);
	EXPECT(none.n == 0);
	pin_compare(NULL, p, &all);
	EXPECT(all.n == p->n);
}

void
fuzz_one(struct bytes in)
{
	AUTO(pins_done) struct pins pins = { 0 };
	AUTO(str_done) struct str text = { 0 };
	struct err e = { 0 };

	if (!pins_parse(in, &pins, &e)) {
		EXPECT(!pins.at && pins.n == 0);
		EXPECT(e.kind == ERR_DATA);
		fuzz_expect_error(&e);
		return;
	}
	for (size_t i = 0; i < pins.n; i++)
		expect_sound(&pins, i);
	pins_format(&pins, &text);
	/* the last line feed may be missing */
	EXPECT(text.len == in.len || text.len == in.len + 1);
	EXPECT(memcmp(text.ptr, in.ptr, in.len) == 0);
}
