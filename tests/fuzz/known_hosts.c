/* SPDX-License-Identifier: MIT */
/*
 * transport/known_hosts: the first line is the host's name, the rest the file. Each line speaks for
 * itself: a file read line by line gives what it gives as a whole.
 */
#include "transport/known_hosts.h"

#include <string.h>
#include "fuzz.h"

static void
expect_same(const struct known_hosts_entry *a, const struct known_hosts_entry *b)
{
	EXPECT(a->mark == b->mark && strcmp(a->type, b->type) == 0);
	EXPECT(fuzz_equal(str_bytes(&a->blob), str_bytes(&b->blob)));
}

static void
expect_line_by_line(struct bytes text, const char *name, const struct known_hosts *want)
{
	AUTO(known_hosts_done) struct known_hosts got = { 0 };
	const char *p = text.ptr, *end = p + text.len;

	for (unsigned line = 1; p < end; line++) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));
		size_t before = got.n;

		lf = lf ? lf + 1 : end;
		known_hosts_read(&got, (struct bytes){ p, (size_t)(lf - p) }, "file", name);
		EXPECT(got.n <= before + 1 && got.n <= want->n);
		if (got.n > before) {
			expect_same(&got.at[before], &want->at[before]);
			EXPECT(want->at[before].line == line);
		}
		p = lf;
	}
	EXPECT(got.n == want->n);
}

/* base64 without a remainder is what it was made of; here only its length is known. */
static void
expect_decodes(const char *text)
{
	AUTO(str_done) struct str out = { 0 };
	size_t digits = strcspn(text, "=");

	if (known_hosts_decode(text, &out))
		EXPECT(out.len == digits * 3 / 4);
}

void
fuzz_one(struct bytes in)
{
	AUTO(known_hosts_done) struct known_hosts k = { 0 };
	const char *p = in.ptr, *lf = in.len > 0 ? memchr(p, '\n', in.len) : NULL;

	if (!lf)
		return;
	AUTO(mem_free_drop) char *name = fuzz_text((struct bytes){ p, (size_t)(lf - p) });
	struct bytes text = { lf + 1, in.len - (size_t)(lf + 1 - p) };

	known_hosts_read(&k, text, "file", name);
	for (size_t i = 0; i < k.n; i++)
		EXPECT(k.at[i].type && k.at[i].blob.len > 0 && k.at[i].line > 0);
	expect_line_by_line(text, name, &k);
	expect_decodes(name);
}
