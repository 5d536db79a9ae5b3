/* SPDX-License-Identifier: MIT */
/* state/journal: what is read is written as what is read as the same. */
#include "state/journal.h"

#include <string.h>
#include "fuzz.h"

static void
expect_sound(const struct journal_note *n)
{
	EXPECT(n->disk && n->admin && n->uuid);
	EXPECT(n->own.slot >= JOURNAL_NO_SLOT && n->own.slot < 32);
	EXPECT(n->spare.slot >= JOURNAL_NO_SLOT && n->spare.slot < 32);
}

static void
copy_all(struct journal_notes *to, const struct journal_notes *from)
{
	for (size_t i = 0; i < from->n; i++)
		journal_notes_copy(to, &from->at[i]);
}

void
fuzz_one(struct bytes in)
{
	AUTO(journal_notes_done) struct journal_notes notes = { 0 }, again = { 0 }, copy = { 0 };
	AUTO(str_done) struct str text = { 0 }, second = { 0 }, third = { 0 };
	struct err e = { 0 };

	if (!journal_parse(in, &notes, &e)) {
		EXPECT(!notes.at && notes.n == 0);
		EXPECT(e.kind == ERR_DATA);
		fuzz_expect_error(&e);
		return;
	}
	for (size_t i = 0; i < notes.n; i++) {
		expect_sound(&notes.at[i]);
		EXPECT(journal_notes_find(&notes, notes.at[i].disk, notes.at[i].admin));
	}
	journal_format(&notes, &text);
	EXPECT(journal_parse(str_bytes(&text), &again, &e));
	journal_format(&again, &second);
	EXPECT(strcmp(str_text(&text), str_text(&second)) == 0);
	copy_all(&copy, &notes);
	journal_format(&copy, &third);
	EXPECT(strcmp(str_text(&text), str_text(&third)) == 0);
}
