/* SPDX-License-Identifier: MIT */
/* arver/options: words of a command line, a line each. */
#include "arver/options.h"

#include <stdlib.h>
#include <string.h>
#include "arver/command.h"
#include "fuzz.h"

#define MAX_WORDS 16

/* Borrowed from what was typed, or nothing. */
static bool
is_of(const char *text, const char *words, size_t len)
{
	return !text || (text >= words && text <= words + len);
}

static void
expect_sound(const struct options *o, const char *words, size_t len)
{
	const struct command *c = o->command;
	size_t n_args = 0, n_wanted = 0;

	EXPECT(c && c->run);
	while (n_args < COUNT(o->args) && o->args[n_args])
		n_args++;
	while (n_wanted < COUNT(c->args) && c->args[n_wanted])
		n_wanted++;
	EXPECT(n_args == n_wanted || (c->optional_arg && n_args + 1 == n_wanted));
	for (size_t i = 0; i < n_args; i++)
		EXPECT(is_of(o->args[i], words, len));
	EXPECT(is_of(o->user, words, len) && is_of(o->config_dir, words, len));
	EXPECT(is_of(o->set_key, words, len) && (!o->set_key || o->set_key[0] == '/'));
	EXPECT(o->jobs <= 1000 && o->verbose <= 2);
	EXPECT(o->wait_ms == 0 || (o->wait_ms >= 1000 && o->wait_ms <= (int64_t)86400 * 1000));
	EXPECT(!o->violence || (c->verb & (VERB_CREATE | VERB_DEL_USER)) != 0);
}

void
fuzz_one(struct bytes in)
{
	AUTO(mem_free_drop) char *words = fuzz_text(in);
	char arver[] = "arver", *argv[MAX_WORDS + 2] = { arver }, *rest = words, *word;
	size_t len = strlen(words);
	struct options o = { 0 };
	struct err e = { 0 };
	int argc = 1;

	while (argc <= MAX_WORDS && (word = strsep(&rest, "\n")))
		argv[argc++] = word;
	if (options_parse(argc, argv, &o, &e)) {
		expect_sound(&o, words, len);
		return;
	}
	EXPECT(e.kind == ERR_USAGE);
	fuzz_expect_error(&e);
}
