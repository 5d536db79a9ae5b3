/* SPDX-License-Identifier: MIT */
/* transport_quote: a POSIX shell reads back the very bytes, as one word, whatever stands around it. */
#include "fuzz.h"

#include <string.h>
#include "transport/transport.h"

/*
 * Quoting as POSIX has it (2.2): the word that begins at *p, to the blank or end behind it; false for
 * anything that a shell might not leave alone.
 */
static bool
read_word(const char **p, struct str *out)
{
	const char *at = *p;

	while (*at && *at != ' ') {
		if (*at == '\'') {
			const char *end = strchr(++at, '\'');

			if (!end)
				return false;
			str_add_bytes(out, (struct bytes){ at, (size_t)(end - at) });
			at = end + 1;
		} else if (*at == '\\') {
			if (at[1] == '\0' || at[1] == '\n')
				return false;
			str_add_char(out, at[1]);
			at += 2;
		} else if (strchr("|&;<>()$`\"\t\n*?[#~=%{}!", *at)) {
			return false;
		} else {
			str_add_char(out, *at++);
		}
	}
	*p = at;
	return true;
}

/* csh takes '!' for history even within '...', fish a backslash for an escape. */
static void
expect_outside(const char *quoted)
{
	bool inside = false;

	for (const char *p = quoted; *p; p++) {
		if (*p == '\'')
			inside = !inside;
		else if (*p == '\\' && !inside)
			p++;
		else
			EXPECT(*p != '!' && *p != '\\');
	}
	EXPECT(!inside);
}

void
fuzz_one(struct bytes in)
{
	AUTO(mem_free_drop) char *word = fuzz_text(in);
	AUTO(str_done) struct str command = { 0 }, back = { 0 };
	const char *p;

	str_add(&command, "a ");
	transport_quote(&command, word);
	str_add(&command, " b");
	p = str_text(&command) + 2;
	expect_outside(p);
	EXPECT(*p != ' ');
	EXPECT(read_word(&p, &back));
	EXPECT(strcmp(p, " b") == 0);
	EXPECT(strcmp(str_text(&back), word) == 0);
}
