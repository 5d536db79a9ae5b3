/* SPDX-License-Identifier: MIT */
/*
 * hook/hook: the placeholders of a hook's words, a line each, against a second way to fill them
 * in. The first byte: which hook, whose, literal or not.
 */
#include "hook/hook.h"

#include <string.h>
#include "fuzz.h"

static char g[] = "colo", h[] = "web1", hp[] = "/colo/web1", d[] = "data%g", dp[] = "/colo/web1/data%g",
	    dev[] = "/dev/vg/100%";

static const char *
meaning(char c, bool of_disk, enum hook_kind kind)
{
	switch (c) {
	case 'g': return g;
	case 'h': return h;
	case 'a': return kind == HOOK_PRE_OPEN || kind == HOOK_POST_OPEN ? "open" : "close";
	case '%': return "%";
	case 'd': return of_disk ? d : NULL;
	case 'D': return of_disk ? dev : NULL;
	case 'm': return of_disk ? "/dev/mapper/data%g" : NULL;
	default: return NULL;
	}
}

static bool
expand(const char *word, bool of_disk, enum hook_kind kind, struct str *out)
{
	const char *percent;

	while ((percent = strchr(word, '%'))) {
		const char *text = meaning(percent[1], of_disk, kind);

		if (!text)
			return false;
		str_add_bytes(out, (struct bytes){ word, (size_t)(percent - word) });
		str_add(out, text);
		word = percent + 2;
	}
	str_add(out, word);
	return true;
}

static bool
expand_all(const struct hook *hook, bool of_disk, enum hook_kind kind, struct argv *out)
{
	for (size_t i = 0; i < hook->words.n; i++) {
		AUTO(str_done) struct str word = { 0 };

		if (hook->has_placeholders && !expand(hook->words.at[i], of_disk, kind, &word))
			return false;
		argv_add(out, hook->has_placeholders ? str_text(&word) : hook->words.at[i]);
	}
	return true;
}

static void
compare(const struct host *host, const struct disk *disk, enum hook_kind kind, const struct hook *hook)
{
	AUTO(argv_done) struct argv got = { 0 }, want = { 0 };
	struct err e = { 0 };
	bool ok = hook_words(host, disk, kind, &got, &e);

	EXPECT(ok == expand_all(hook, disk != NULL, kind, &want));
	if (!ok) {
		EXPECT(got.n == 0 && e.kind == ERR_DATA);
		fuzz_expect_error(&e);
		return;
	}
	EXPECT(got.n == want.n);
	for (size_t i = 0; i < got.n; i++)
		EXPECT(strcmp(got.at[i], want.at[i]) == 0);
}

void
fuzz_one(struct bytes in)
{
	unsigned how = fuzz_take(&in);
	enum hook_kind kind = (enum hook_kind)(how % HOOK_KINDS);
	struct group group = { .name = g };
	struct host host = { .group = &group, .name = h, .path = hp };
	struct disk disk = { .host = &host, .name = d, .path = dp, .device = dev };
	bool of_disk = (how & 0x10) != 0;
	struct hook *hook = of_disk ? &disk.hooks[kind] : &host.hooks[kind];
	AUTO(mem_free_drop) char *text = fuzz_text(in);
	AUTO(argv_done) struct argv words = { 0 };
	char *rest = text, *word;

	while ((word = strsep(&rest, "\n")))
		argv_add(&words, word);
	hook->words = words;
	hook->has_placeholders = (how & 0x20) == 0;
	EXPECT(hook_exists(&host, of_disk ? &disk : NULL, kind));
	compare(&host, of_disk ? &disk : NULL, kind, hook);
}
