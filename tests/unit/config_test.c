/* SPDX-License-Identifier: MIT */
/* config: what ~/.arver says, and who wins: defaults < file < environment < command line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "arver/config.h"
#include "arver/options.h"
#include "base/mem.h"
#include "base/str.h"
#include "tests/unit/temp_dir.h"

static char home[TEMP_DIR_BYTES];

static void
write_bytes(struct bytes text)
{
	AUTO(mem_free_drop) char *path = mem_printf("%s/.arver", home);
	FILE *f;

	unlink(path);
	if (!text.ptr)
		return;
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text.ptr, 1, text.len, f), text.len);
	fclose(f);
}

static void
write_config(const char *text)
{
	write_bytes(text ? bytes_of(text) : (struct bytes){ 0 });
}

static int
make_home(void **state)
{
	(void)state;
	if (temp_dir_make(home))
		return -1;
	setenv("HOME", home, 1);
	unsetenv("ARVER_USER");
	unsetenv("ARVER_DIR");
	unsetenv("XDG_STATE_HOME");
	return 0;
}

static int
remove_home(void **state)
{
	(void)state;
	return temp_dir_remove(home);
}

static void
load(const struct options *o, struct config *c)
{
	struct err e = { 0 };

	if (!config_load(o, c, &e))
		fail_msg("%s", e.text);
}

static void
config_load_without_a_file_gives_defaults(void **state)
{
	AUTO(config_done) struct config c = { 0 };
	AUTO(mem_free_drop) char *path = mem_printf("%s/.arver", home);
	AUTO(mem_free_drop) char *dir = mem_printf("%s/.arverdata", home);
	AUTO(mem_free_drop) char *state_home = mem_printf("%s/.local/state/arver", home);

	(void)state;
	load(&(struct options){ 0 }, &c);
	assert_string_equal(c.path, path);
	assert_null(c.username);
	assert_string_equal(c.config_dir, dir);
	assert_string_equal(c.state_home, state_home);
	assert_int_equal(c.jobs, 0);
	assert_int_equal(c.connect_ms, 0);
}

static void
config_load_whole_file_is_taken(void **state)
{
	AUTO(config_done) struct config c = { 0 };
	AUTO(mem_free_drop) char *dir = mem_printf("%s/team", home);

	(void)state;
	write_config("username: eve\nconfig_dir: ~/team\njobs: 1000\n"
		     "timeout: { connect: 1, command: 86400, hook: '30' }\n");
	load(&(struct options){ 0 }, &c);
	assert_string_equal(c.username, "eve");
	assert_string_equal(c.config_dir, dir);
	assert_int_equal(c.jobs, 1000);
	assert_int_equal(c.connect_ms, 1000);
	assert_int_equal(c.command_ms, 86400000);
	assert_int_equal(c.hook_ms, 30000);
}

static void
config_load_nearer_source_wins(void **state)
{
	static const struct { const char *file, *env, *typed, *want; } cases[] = {
		{ NULL, NULL, NULL, NULL },
		{ "a", NULL, NULL, "a" },
		{ NULL, "b", NULL, "b" },
		{ "a", "b", NULL, "b" },
		{ "a", "b", "c", "c" },
		{ "a", NULL, "c", "c" },
		{ "a", "", NULL, "a" }, /* an empty variable says nothing */
		{ "", NULL, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(config_done) struct config c = { 0 };
		AUTO(str_done) struct str text = { 0 };
		struct options o = { .user = cases[i].typed, .config_dir = cases[i].typed };

		if (cases[i].file)
			str_addf(&text, "username: %s\nconfig_dir: %s\n", cases[i].file,
			    cases[i].file);
		write_config(cases[i].file ? str_text(&text) : NULL);
		if (cases[i].env) {
			setenv("ARVER_USER", cases[i].env, 1);
			setenv("ARVER_DIR", cases[i].env, 1);
		}
		load(&o, &c);
		unsetenv("ARVER_USER");
		unsetenv("ARVER_DIR");
		if (!str_equal(c.username, cases[i].want))
			fail_msg("case %zu: %s", i, c.username);
		if (cases[i].want)
			assert_string_equal(c.config_dir, cases[i].want);
		else
			assert_true(str_ends(c.config_dir, "/.arverdata"));
	}
}

static void
config_load_jobs_typed_beat_the_files(void **state)
{
	AUTO(config_done) struct config c = { 0 };

	(void)state;
	write_config("jobs: 4\n");
	load(&(struct options){ .jobs = 2 }, &c);
	assert_int_equal(c.jobs, 2);
}

static void
config_load_state_home_is_xdgs_where_that_is_absolute(void **state)
{
	static const struct { const char *xdg, *want; } cases[] = {
		{ "/var/state", "/var/state/arver" }, { "state", NULL }, { "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(config_done) struct config c = { 0 };
		AUTO(mem_free_drop) char *other = mem_printf("%s/.local/state/arver", home);

		setenv("XDG_STATE_HOME", cases[i].xdg, 1);
		load(&(struct options){ 0 }, &c);
		unsetenv("XDG_STATE_HOME");
		assert_string_equal(c.state_home, cases[i].want ? cases[i].want : other);
	}
}

static void
config_load_mistake_in_the_file_is_named_with_its_line(void **state)
{
	static const struct { const char *text, *want; } cases[] = {
		{ "- a\n", "~/.arver:1: a mapping is expected" },
		{ "\n\nuser: eve\n", "~/.arver:3: unknown word 'user': there are username, config_dir, "
				     "jobs and timeout" },
		{ "username: [eve]\n", "~/.arver:1: username is one word" },
		{ "config_dir: { a: b }\n", "~/.arver:1: config_dir is one word" },
		{ "jobs: 0\n", "~/.arver:1: jobs is a number from 1 to 1000" },
		{ "jobs: 1001\n", "~/.arver:1: jobs is a number from 1 to 1000" },
		{ "jobs: many\n", "~/.arver:1: jobs is a number from 1 to 1000" },
		{ "jobs: 8x\n", "~/.arver:1: jobs is a number from 1 to 1000" },
		{ "jobs: 99999999999999999999\n", "~/.arver:1: jobs is a number from 1 to 1000" },
		{ "jobs:\n", "~/.arver:1: jobs is a number from 1 to 1000" },
		{ "jobs: [1]\n", "~/.arver:1: jobs is a number from 1 to 1000" },
		{ "timeout: 5\n", "~/.arver:1: timeout is a mapping" },
		{ "timeout: [connect]\n", "~/.arver:1: timeout is a mapping" },
		{ "timeout:\n  connect: 0\n",
		    "~/.arver:2: a timeout in seconds is a number from 1 to 86400" },
		{ "timeout:\n  hook: 86401\n",
		    "~/.arver:2: a timeout in seconds is a number from 1 to 86400" },
		{ "timeout:\n  read: 5\n",
		    "~/.arver:2: unknown timeout 'read': there are connect, command and hook" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(config_done) struct config c = { 0 };
		struct err e = { 0 };

		write_config(cases[i].text);
		if (config_load(&(struct options){ 0 }, &c, &e))
			fail_msg("taken: %s", cases[i].text);
		assert_int_equal(e.kind, ERR_DATA);
		assert_string_equal(e.text, cases[i].want);
	}
}

/* ERR_DATA, whose text begins with `want`. */
static void
expect_refusal(struct bytes text, const char *want)
{
	AUTO(config_done) struct config c = { 0 };
	struct err e = { 0 };

	write_bytes(text);
	if (config_load(&(struct options){ 0 }, &c, &e))
		fail_msg("not refused: %s", want);
	assert_int_equal(e.kind, ERR_DATA);
	if (!str_starts(e.text, want))
		fail_msg("'%s' instead of '%s'", e.text, want);
}

static void
config_load_yaml_that_is_none_is_named_with_its_line(void **state)
{
	static const struct { const char *text, *want; } cases[] = {
		{ "jobs: 1\njobs: 2\n",
		    "~/.arver:2: 'jobs' stands here a second time (first in line 1)" },
		{ "a: [\n", "~/.arver:2: " },
		{ "x: *y\n", "~/.arver:1: " },
		{ "--- {}\n--- {}\n", "~/.arver:2: a second document begins" },
		{ "jobs: 1\na: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n",
		    "~/.arver:2: anchors (&) are not allowed" },
		{ "username: !ruby/object:Gem::Installer alice\n",
		    "~/.arver:1: tags (!) are not allowed" },
		{ "username: \"a\\0b\"\n", "~/.arver:1: a value holds the control character \\x00" },
		{ "username: \"\\e[2J\"\n", "~/.arver:1: a value holds the control character \\x1b" },
		{ "jobs: 1\nusername: a\033[2J\n", "~/.arver:2: control characters are not allowed" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		expect_refusal(bytes_of(cases[i].text), cases[i].want);
}

static void
config_load_file_of_a_malicious_size_is_refused(void **state)
{
	static char text[(64 << 10) + 1]; /* a byte more than is read */
	AUTO(mem_free_drop) char *larger = mem_printf("%s/.arver is larger than 65536 bytes", home);

	(void)state;
	memset(text, '[', sizeof(text));
	expect_refusal((struct bytes){ text, sizeof(text) }, larger);
	expect_refusal((struct bytes){ text, sizeof(text) - 1 },
	    "~/.arver:1: nested more than 32 levels deep");
	memset(text, '\0', sizeof(text));
	expect_refusal((struct bytes){ text, sizeof(text) - 1 },
	    "~/.arver:1: control characters are not allowed");
}

static void
config_load_empty_file_is_like_none(void **state)
{
	static const char *const cases[] = { "", "# nothing\n", "{}\n", "---\n" };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(config_done) struct config c = { 0 };

		write_config(cases[i]);
		load(&(struct options){ 0 }, &c);
		assert_null(c.username);
	}
}

static void
config_load_home_that_is_no_absolute_path_is_told(void **state)
{
	static const char *const cases[] = { NULL, "", "here" };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(config_done) struct config c = { 0 };
		struct err e = { 0 };

		if (cases[i])
			setenv("HOME", cases[i], 1);
		else
			unsetenv("HOME");
		assert_false(config_load(&(struct options){ 0 }, &c, &e));
		assert_int_equal(e.kind, ERR_USAGE);
		assert_string_equal(e.text, "HOME is not set to an absolute path");
	}
	setenv("HOME", home, 1);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, make_home, remove_home)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(config_load_without_a_file_gives_defaults),
		CASE(config_load_whole_file_is_taken),
		CASE(config_load_nearer_source_wins),
		CASE(config_load_jobs_typed_beat_the_files),
		CASE(config_load_state_home_is_xdgs_where_that_is_absolute),
		CASE(config_load_mistake_in_the_file_is_named_with_its_line),
		CASE(config_load_yaml_that_is_none_is_named_with_its_line),
		CASE(config_load_file_of_a_malicious_size_is_refused),
		CASE(config_load_empty_file_is_like_none),
		CASE(config_load_home_that_is_no_absolute_path_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
