/* SPDX-License-Identifier: MIT */
/*
 * options: every action, every option with the actions it goes with, each error in
 * its exact words. Command lines are written as one string, split at blanks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "arver/command.h"
#include "arver/options.h"
#include "base/mem.h"
#include "base/str.h"

#define MAX_WORDS 16

struct line {
	char text[256];
	char *argv[MAX_WORDS + 1];
	int argc;
};

static void
split(struct line *l, const char *words)
{
	char *rest = l->text;

	assert_true(strlen(words) < sizeof(l->text) - 8);
	snprintf(l->text, sizeof(l->text), "arver %s", words);
	l->argc = 0;
	for (char *word; (word = strsep(&rest, " ")) != NULL;)
		if (*word)
			l->argv[l->argc++] = word;
	l->argv[l->argc] = NULL;
}

/* `l` must live as long as *o: the options borrow from argv. */
static void
parse(const char *words, struct line *l, struct options *o)
{
	struct err e = { 0 };

	split(l, words);
	*o = (struct options){ 0 };
	if (!options_parse(l->argc, l->argv, o, &e))
		fail_msg("arver %s: %s", words, e.text);
}

static void
assert_refused(const char *words, const char *want)
{
	struct options o = { 0 };
	struct err e = { 0 };
	struct line l;

	split(&l, words);
	if (options_parse(l.argc, l.argv, &o, &e))
		fail_msg("arver %s is taken", words);
	assert_int_equal(e.kind, ERR_USAGE);
	assert_string_equal(e.text, want);
}

static void
options_parse_action_with_its_arguments_in_any_order(void **state)
{
	static const struct {
		const char *words;
		const struct command *command;
		const char *args[2];
	} cases[] = {
		{ "--init", &command_init, { 0 } },
		{ "--list-targets", &command_list_targets, { 0 } },
		{ "-l", &command_list_targets, { 0 } },
		{ "-l colo", &command_list_targets, { "colo" } },
		{ "--list-targets colo,web1", &command_list_targets, { "colo,web1" } },
		{ "--list-targets=colo", &command_list_targets, { "colo" } },
		{ "colo -l", &command_list_targets, { "colo" } },
		{ "--create data", &command_create, { "data" } },
		{ "-o ALL", &command_open, { "ALL" } },
		{ "-oALL", &command_open, { "ALL" } },
		{ "--open ALL", &command_open, { "ALL" } },
		{ "--open=ALL", &command_open, { "ALL" } },
		{ "--create --violence data", &command_create, { "data" } },
		{ "--add-user bob --ask-password data", &command_add_user, { "bob", "data" } },
		{ "--open=-", &command_open, { "-" } },
		{ "--close web?/data", &command_close, { "web?/data" } },
		{ "--verify data", &command_verify, { "data" } },
		{ "-a bob colo", &command_add_user, { "bob", "colo" } },
		{ "-abob colo", &command_add_user, { "bob", "colo" } },
		{ "--add-user bob colo", &command_add_user, { "bob", "colo" } },
		{ "--add-user=bob colo", &command_add_user, { "bob", "colo" } },
		{ "--add-user bob -- colo", &command_add_user, { "bob", "colo" } },
		{ "--add-user bob -- --colo", &command_add_user, { "bob", "--colo" } },
		{ "--add-user bob --force colo", &command_add_user, { "bob", "colo" } },
		{ "--add-user bob colo --force", &command_add_user, { "bob", "colo" } },
		{ "-d bob ALL", &command_del_user, { "bob", "ALL" } },
		{ "--del-user bob ALL", &command_del_user, { "bob", "ALL" } },
		{ "-i data", &command_info, { "data" } },
		{ "--info data", &command_info, { "data" } },
		{ "-h", &command_help, { 0 } },
		{ "--help", &command_help, { 0 } },
		{ "--version", &command_version, { 0 } },
		/* abbreviated, as getopt_long has it */
		{ "--op ALL", &command_open, { "ALL" } },
		{ "--add bob colo", &command_add_user, { "bob", "colo" } },
		{ "--vers", &command_version, { 0 } },
		{ "--veri data", &command_verify, { "data" } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct options o;
		struct line l;

		parse(cases[i].words, &l, &o);
		if (o.command != cases[i].command)
			fail_msg("arver %s is --%s", cases[i].words, o.command->name);
		for (size_t k = 0; k < 2; k++)
			if (!str_equal(o.args[k], cases[i].args[k]))
				fail_msg("arver %s: argument %zu is %s", cases[i].words, k, o.args[k]);
	}
}

static void
options_parse_every_option_sets_its_field_before_and_behind_the_action(void **state)
{
	static const struct { const char *option, *action; struct options want; } cases[] = {
		{ "-u eve", "-o x", { .user = "eve" } },
		{ "-ueve", "-o x", { .user = "eve" } },
		{ "--user=eve", "-l", { .user = "eve" } },
		{ "-c /dir", "-o x", { .config_dir = "/dir" } },
		{ "--config-dir /dir", "--init", { .config_dir = "/dir" } },
		{ "-t", "-a bob x", { .trust_all = true } },
		{ "--trust-all", "-o x", { .trust_all = true } },
		{ "--ask-password", "-a bob x", { .ask_password = true } },
		{ "--force", "-a bob x", { .force = true } },
		{ "--force", "-d bob x", { .force = true } },
		{ "--force", "--create x", { .force = true } },
		{ "--violence", "--create x", { .violence = true } },
		{ "--violence", "-d bob x", { .violence = true } },
		{ "--dry-run", "-o x", { .dry_run = true } },
		{ "--dry", "-o x", { .dry_run = true } },
		{ "-j 1", "-o x", { .jobs = 1 } },
		{ "-j1000", "--close x", { .jobs = 1000 } },
		{ "--jobs=8", "-i x", { .jobs = 8 } },
		{ "--wait 90", "-o x", { .wait_ms = 90000 } },
		{ "--wait=15m", "--close x", { .wait_ms = 900000 } },
		{ "--wait 24h", "-i x", { .wait_ms = 86400000 } },
		{ "--fail-fast", "--verify x", { .fail_fast = true } },
		{ "--json", "-l", { .json = true } },
		{ "--json", "-k x", { .json = true } },
		{ "-v", "-o x", { .verbose = 1 } },
		{ "-v -v", "-o x", { .verbose = 1 } },
		{ "--verbose", "-o x", { .verbose = 1 } },
		{ "--vv", "-o x", { .verbose = 2 } },
		{ "--vv -v", "-o x", { .verbose = 2 } },
		{ "-q", "-o x", { .quiet = true } },
		{ "--quiet", "-o x", { .quiet = true } },
		{ "-tvq", "-o x", { .trust_all = true, .verbose = 1, .quiet = true } },
		{ "-vj3", "-o x", { .verbose = 1, .jobs = 3 } },
		{ "-u a -u b", "-o x", { .user = "b" } },
	};

	(void)state;
	for (size_t i = 0; i < 2 * COUNT(cases); i++) {
		const char *first = i % 2 ? cases[i / 2].action : cases[i / 2].option;
		const char *second = i % 2 ? cases[i / 2].option : cases[i / 2].action;
		AUTO(mem_free_drop) char *words = mem_printf("%s %s", first, second);
		const struct options *want = &cases[i / 2].want;
		struct options o;
		struct line l;

		parse(words, &l, &o);
		if (!str_equal(o.user, want->user) || !str_equal(o.config_dir, want->config_dir) ||
		    o.jobs != want->jobs || o.wait_ms != want->wait_ms || o.verbose != want->verbose || o.quiet != want->quiet ||
		    o.trust_all != want->trust_all || o.ask_password != want->ask_password ||
		    o.force != want->force || o.violence != want->violence ||
		    o.dry_run != want->dry_run || o.fail_fast != want->fail_fast || o.json != want->json)
			fail_msg("arver %s is not read as meant", words);
	}
}

static void
options_parse_short_cluster_may_end_in_the_action(void **state)
{
	struct options o;
	struct line l;

	(void)state;
	parse("-tvo colo", &l, &o);
	assert_ptr_equal(o.command, &command_open);
	assert_string_equal(o.args[0], "colo");
	assert_true(o.trust_all && o.verbose == 1);
	parse("-lv", &l, &o);
	assert_ptr_equal(o.command, &command_list_targets);
	assert_true(!o.args[0] && o.verbose == 1);
}

static void
options_parse_mistake_is_named_in_one_sentence(void **state)
{
	static const struct { const char *words, *want; } cases[] = {
		{ "", "nothing to do: name an action, such as --open (see --help)" },
		{ "-v", "nothing to do: name an action, such as --open (see --help)" },
		{ "colo", "nothing to do: name an action, such as --open (see --help)" },
		{ "-- --open colo", "nothing to do: name an action, such as --open (see --help)" },
		{ "-x", "there is no option -x (see --help)" },
		{ "-vx -o a", "there is no option -x (see --help)" },
		{ "--what", "--what names no option, or several (see --help)" },
		{ "--force=yes -o a",
		    "--force=yes: this option takes no argument (see --help)" },
		{ "--init=x", "--init=x: this option takes no argument (see --help)" },
		{ "--ver", "--ver names no option, or several (see --help)" },
		{ "-o", "--open needs TARGETS" },
		{ "-vo", "--open needs TARGETS" },
		{ "--open", "--open needs TARGETS" },
		{ "--open --force", "--force does not go with --open" },
		{ "--add-user", "--add-user needs USER" },
		{ "--open a -u", "-u needs an argument (see --help)" },
		{ "--open a --jobs", "--jobs needs an argument (see --help)" },
		{ "--open a --jobs 0", "--jobs is a number from 1 to 1000, not '0'" },
		{ "--open a --jobs 1001", "--jobs is a number from 1 to 1000, not '1001'" },
		{ "--open a --jobs -1", "--jobs is a number from 1 to 1000, not '-1'" },
		{ "--open a --jobs=+1", "--jobs is a number from 1 to 1000, not '+1'" },
		{ "--open a --jobs 8x", "--jobs is a number from 1 to 1000, not '8x'" },
		{ "--open a --jobs=", "--jobs is a number from 1 to 1000, not ''" },
		{ "--open a --jobs 99999999999999999999",
		    "--jobs is a number from 1 to 1000, not '99999999999999999999'" },
		{ "--open a --wait 0s",
		    "--wait is a time from 1s to 24h, such as 90, 90s or 2m, not '0s'" },
		{ "--open a --wait=",
		    "--wait is a time from 1s to 24h, such as 90, 90s or 2m, not ''" },
		{ "--open a --close a", "--open and --close do not go together" },
		{ "-l -i a", "--list-targets and --info do not go together" },
		{ "--open a --open b", "--open is given twice: a list of targets is written a,b,c" },
		{ "--open a b", "'b' is one word too many: a list of targets is written a,b,c" },
		{ "--open a b c", "'c' is one word too many: a list of targets is written a,b,c" },
		{ "--open a -- b", "'b' is one word too many: a list of targets is written a,b,c" },
		{ "a --open b", "'b' is one word too many: a list of targets is written a,b,c" },
		{ "a --open=b", "what does 'a' before --open mean?" },
		{ "--add-user bob", "--add-user needs TARGETS" },
		{ "--add-user bob a b",
		    "'b' is one word too many: a list of targets is written a,b,c" },
		{ "--del-user bob", "--del-user needs TARGETS" },
		{ "--init x", "'x' is one word too many: a list of targets is written a,b,c" },
		{ "--version x", "'x' is one word too many: a list of targets is written a,b,c" },
		{ "-l a b", "'b' is one word too many: a list of targets is written a,b,c" },
		{ "-l=a", "there is no option -= (see --help)" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_refused(cases[i].words, cases[i].want);
}

static void
options_parse_mistake_keeps_the_wish_for_json(void **state)
{
	static const struct { const char *words; bool want; } cases[] = {
		{ "--json", true }, { "--json --nonsense", true }, { "--nonsense -o a --json", true },
		{ "--dump-key a --json", true }, { "--nonsense", false }, { "--nonsense -- --json", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct options o = { 0 };
		struct line l;

		split(&l, cases[i].words);
		assert_false(options_parse(l.argc, l.argv, &o, NULL));
		assert_int_equal(o.json, cases[i].want);
	}
}

/* What each action is called with here, and the options that it does not take. */
static const struct { const char *name, *words; } actions[] = {
	{ "init", "--init" }, { "list-targets", "--list-targets" }, { "create", "--create a" },
	{ "open", "--open a" }, { "close", "--close a" }, { "add-user", "--add-user bob a" },
	{ "del-user", "--del-user bob a" }, { "info", "--info a" }, { "verify", "--verify a" },
	{ "help", "--help" }, { "version", "--version" },
};

static void
options_parse_option_of_another_action_is_refused(void **state)
{
	static const struct { const char *option, *words, *takers; } cases[] = {
		{ "ask-password", "--ask-password", " add-user " },
		{ "force", "--force", " create add-user del-user " },
		{ "violence", "--violence", " create del-user " },
		{ "jobs", "-j 2", " create open close add-user del-user info verify " },
		{ "wait", "--wait 5m", " create open close add-user del-user info verify " },
		{ "fail-fast", "--fail-fast", " create open close add-user del-user info verify " },
		{ "json", "--json",
		    " list-targets create open close add-user del-user info verify " },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases) * COUNT(actions); i++) {
		const char *name = actions[i % COUNT(actions)].name;
		const char *option = cases[i / COUNT(actions)].option;
		AUTO(mem_free_drop) char *words = mem_printf("%s %s",
		    actions[i % COUNT(actions)].words, cases[i / COUNT(actions)].words);
		AUTO(mem_free_drop) char *key = mem_printf(" %s ", name);
		AUTO(mem_free_drop) char *want = mem_printf("--%s does not go with --%s", option, name);
		struct options o;
		struct line l;

		if (strstr(cases[i / COUNT(actions)].takers, key))
			parse(words, &l, &o);
		else
			assert_refused(words, want);
	}
}

static void
options_parse_every_action_takes_the_common_options(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(actions); i++) {
		AUTO(mem_free_drop) char *words =
		    mem_printf("-u a -c b -tvq --vv --dry-run %s", actions[i].words);
		struct options o;
		struct line l;

		parse(words, &l, &o);
		assert_string_equal(o.command->name, actions[i].name);
	}
}

static void
options_help_names_every_action_and_option(void **state)
{
	static const char *const options[] = { "-u, --user NAME", "-c, --config-dir DIR",
		"-t, --trust-all", "--ask-password", "--force", "--violence", "--dry-run",
		"-j, --jobs N", "--wait DURATION", "--fail-fast", "-v, --verbose", "--vv", "-q, --quiet", "--json",
		"-a, --add-user USER TARGETS", "-l, --list-targets [TARGETS]", "--create TARGETS",
		"-h, --help" };
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	(void)state;
	options_help(f);
	fclose(f);
	for (size_t i = 0; i < COUNT(options); i++)
		if (!strstr(text, options[i]))
			fail_msg("the help text lacks %s", options[i]);
	for (size_t i = 0; commands[i]; i++) {
		assert_non_null(strstr(text, commands[i]->name));
		assert_non_null(strstr(text, commands[i]->help));
	}
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_parse_action_with_its_arguments_in_any_order),
		cmocka_unit_test(options_parse_every_option_sets_its_field_before_and_behind_the_action),
		cmocka_unit_test(options_parse_short_cluster_may_end_in_the_action),
		cmocka_unit_test(options_parse_mistake_is_named_in_one_sentence),
		cmocka_unit_test(options_parse_mistake_keeps_the_wish_for_json),
		cmocka_unit_test(options_parse_option_of_another_action_is_refused),
		cmocka_unit_test(options_parse_every_action_takes_the_common_options),
		cmocka_unit_test(options_help_names_every_action_and_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
