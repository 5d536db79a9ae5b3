/* SPDX-License-Identifier: MIT */
/*
 * luks_remote: what is made of a server's answer, step by step: above all, whether a change
 * happened, did not, or may have (ERR_LOST), since keys are kept or dropped by it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/secret.h"
#include "luks/luks.h"
#include "site.h"
#include "transport/transport.h"

#define UUID "0e64b5d3-3b0c-4e6d-9b3d-1f6f0a1c2d3e"
#define OTHER "0e64b5d3-3b0c-4e6d-9b3d-000000000000"
#define SALT "1b a4 8d 8f 3b 0a 6e 5d 07 4c 5f 39 11 ea 80 21"
#define SLOT(n)                                                                                    \
	"   " n ": luks2\n \tKey: 512 bits\n \tPriority: normal\n \tPBKDF: pbkdf2\n"                 \
	" \tIterations: 1000\n \tSalt: " SALT "\n"
#define DUMP(uuid, slots)                                                                          \
	"arver: dump 0\n Version: 2\n UUID: " uuid "\n Data segments:\n   0: crypt\n"                \
	" \tcipher: aes-xts-plain64\n \tsector: 512 [bytes]\n Keyslots:\n" slots " Tokens:\n"          \
	" Digests:\n"
#define ONE DUMP(UUID, SLOT("3"))
#define TWO DUMP(UUID, SLOT("3") SLOT("4"))
#define NONE "arver: dump 1\n Device /dev/x is not a valid LUKS device.\n"
#define BEGIN "arver: begin 0\n"
#define READY "arver: ready 0\n"
#define DONE "arver: done 0\n"
#define MISFIT " No usable keyslot is available.\n"

/* What the server says, to the next command and to those behind it, and the exit status. */
static const char *answer, *const *more;
static int code;
static size_t commands;

static bool
answer_run(struct transport *t, const struct proc_command *c, struct proc_result *out, struct err *e)
{
	enum proc_gate g = c->gate ? PROC_GATE_WAIT : PROC_GATE_STOP;

	(void)t, (void)e;
	for (const char *p = answer; *p; p++) {
		str_add_char(&out->out, *p);
		if (*p == '\n' && g == PROC_GATE_WAIT)
			g = c->gate(c->gate_arg, str_bytes(&out->out));
	}
	out->code = code;
	out->fed = g == PROC_GATE_GO;
	commands++;
	if (more)
		answer = *more ? *more++ : "";
	return true;
}

static const struct transport_ops ops = { .run = answer_run };
static struct transport transport = { .ops = &ops, .name = "colo/h1" };

/* An answer and what follows from it: ERR_NONE and nothing, or a kind and part of the sentence. */
struct story {
	const char *answer;
	enum err_kind kind;
	const char *text;
	int code;
};

/* One of the operations below on a disk that is pinned to UUID. */
typedef bool ask_fn(struct luks *l, const struct disk *d, const struct secret *key, struct err *e);

static void
tell(const struct story *stories, size_t n, ask_fn *ask)
{
	for (size_t i = 0; i < n; i++) {
		AUTO(site_drop) struct site *site = site_new(1, 1);
		AUTO(luks_drop) struct luks *l = luks_remote_new(&transport, 1000);
		AUTO(secret_drop) struct secret *key = secret_from(bytes_of("open sesame"));
		struct err e = { 0 };

		site_disk(site, 0, 0)->uuid = mem_strdup(UUID);
		answer = stories[i].answer;
		code = stories[i].code;
		if (ask(l, site_disk(site, 0, 0), key, &e) != (stories[i].kind == ERR_NONE) ||
		    e.kind != stories[i].kind ||
		    (stories[i].text && !strstr(e.text, stories[i].text)))
			fail_msg("%zu: %d %s\n%s", i, e.kind, e.text, answer);
	}
}

static bool
ask_open(struct luks *l, const struct disk *d, const struct secret *key, struct err *e)
{
	const struct luks_try tries[] = { { key, 3 }, { key, 4 } };
	size_t which = 77;
	bool ok = luks_open(l, d, tries, 2, &which, e);

	assert_int_equal(which, ok ? 1 : 77);
	return ok;
}

#define SEEN BEGIN "arver: disk 0\narver: uuid 0\n " UUID "\n" READY "arver: disk 0\n"

static void
luks_open_is_told_by_tries_and_mapping(void **state)
{
	static const struct story stories[] = {
		{ SEEN "arver: try 2\narver: try 0\narver: disk 0\narver: mapping 0\n" DONE, 0, NULL, 0 },
		{ SEEN "arver: try 2\narver: try 1\n" MISFIT "arver: disk 0\narver: mapping 1\n" DONE,
		    ERR_KEY, "takes one of my keys", 0 },
		{ SEEN "arver: try 0\narver: disk 0\narver: mapping 1\n" DONE, ERR_LOST,
		    "there is no mapping", 0 },
		{ SEEN "arver: try 2\narver: disk 0\narver: mapping 0\n" DONE, ERR_LOST,
		    "came up meanwhile", 0 },
		{ SEEN "arver: try 4\n Device is gone.\narver: disk 0\narver: mapping 1\n" DONE,
		    ERR_DISK, "cannot be opened: Device is gone.", 0 },
		{ BEGIN "arver: disk 0\narver: exists 0\n sda\n" READY DONE, ERR_DISK, "open already", 0 },
		{ BEGIN "arver: disk 0\narver: exists 1\n sdb\n" READY DONE, ERR_DISK, "lies on sdb", 0 },
		{ BEGIN "arver: disk 0\narver: uuid 1\n no\n" READY DONE, ERR_DISK,
		    "header cannot be read: no", 0 },
		{ BEGIN "arver: disk 0\narver: uuid 0\n " OTHER "\n" READY DONE, ERR_DISK, "settings pin", 0 },
		/* `which` is an index of tries, and nothing else */
		{ SEEN "arver: try 2\narver: try 2\narver: try 0\narver: mapping 0\n" DONE, ERR_LOST,
		    "strange answer", 0 },
	};

	(void)state;
	tell(stories, COUNT(stories), ask_open);
}

#define THERE(n) "arver: disk " n "\narver: uuid 0\n " UUID "\n"
#define AWAY(n) "arver: disk " n "\narver: device 1\n"
#define TRIED(n) "arver: disk " n "\narver: try 0\n"
#define MAPPED(n) "arver: disk " n "\narver: mapping 0\n"

/* One may lie on the other, whichever comes first; where none was opened, none can have appeared. */
static void
luks_open_tries_a_disk_that_was_not_there_once_others_are_open(void **state)
{
	static const struct {
		const char *answers[4]; /* of so many commands, and no more */
		const char *opened;
	} stories[] = {
		{ { BEGIN THERE("0") AWAY("1") AWAY("2") READY TRIED("0") MAPPED("0") DONE,
		      BEGIN THERE("0") READY TRIED("0") MAPPED("0") DONE,
		      BEGIN THERE("0") READY TRIED("0") MAPPED("0") DONE }, "yyy" },
		{ { BEGIN AWAY("0") THERE("1") AWAY("2") READY TRIED("1") MAPPED("1") DONE,
		      BEGIN THERE("0") READY TRIED("0") MAPPED("0") DONE,
		      BEGIN AWAY("0") READY DONE }, "yyn" },
		{ { BEGIN AWAY("0") AWAY("1") AWAY("2") READY DONE }, "nnn" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(stories) * 2; i++) {
		AUTO(site_drop) struct site *site = site_new(1, 3);
		AUTO(luks_drop) struct luks *l = luks_remote_new(&transport, 1000);
		AUTO(secret_drop) struct secret *key = secret_from(bytes_of("open sesame"));
		const struct luks_try try = { key, 3 };
		struct luks_opening at[3];
		size_t n = 0;

		for (size_t k = 0; k < 3; k++)
			at[k] = (struct luks_opening){ .disk = site_disk(site, 0, k), .tries = &try,
				.n_tries = 1 };
		transport.sudo = i % 2;
		code = 0, commands = 0;
		answer = stories[i / 2].answers[0];
		more = &stories[i / 2].answers[1];
		luks_open_all(l, at, 3);
		while (stories[i / 2].answers[n])
			n++;
		assert_int_equal(commands, n);
		for (size_t k = 0; k < 3; k++) {
			bool yes = stories[i / 2].opened[k] == 'y';

			if (at[k].opened != yes || (at[k].err.kind == ERR_NONE) != yes)
				fail_msg("%zu, disk %zu: %s", i, k, at[k].err.text);
			assert_true(yes || strstr(at[k].err.text, "is not there"));
		}
	}
	more = NULL;
	transport.sudo = false;
}

static bool
ask_close(struct luks *l, const struct disk *d, const struct secret *key, struct err *e)
{
	(void)key;
	return luks_close(l, d, e);
}

static void
luks_close_tells_what_holds_a_disk(void **state)
{
	static const struct story stories[] = {
		{ BEGIN DONE, 0, NULL, 0 },
		{ BEGIN "arver: lies 0\narver: close 0\n" DONE, 0, NULL, 0 },
		{ BEGIN "arver: lies 0\narver: close 4\n gone\n" DONE, 0, NULL, 0 },
		{ BEGIN "arver: lies 1\n sdb\n", ERR_LOST, "what it did is unknown", 0 },
		{ BEGIN "arver: lies 1\n sdb\n", ERR_DISK, "lies on sdb", 1 },
		{ BEGIN "arver: lies 0\narver: close 5\n Busy.\narver: busy 0\n mounted on /srv\n"
			" used by vg-root\n" DONE, ERR_DISK, "is busy: mounted on /srv, used by vg-root", 0 },
		{ BEGIN "arver: lies 0\narver: close 5\n Busy.\narver: busy 0\n" DONE, ERR_DISK,
		    "cannot be closed: Busy.", 0 },
	};

	(void)state;
	tell(stories, COUNT(stories), ask_close);
}

static bool
ask_test(struct luks *l, const struct disk *d, const struct secret *key, struct err *e)
{
	const struct luks_try try = { key, 3 };
	bool fits = false, ok = luks_test(l, d, &try, 1, false, &fits, e);

	assert_int_equal(fits, ok);
	return ok;
}

static void
luks_test_is_told_by_the_status_of_each_try(void **state)
{
	static const struct story stories[] = {
		{ BEGIN "arver: uuid 0\n " UUID "\n" READY "arver: try 0\n" DONE, 0, NULL, 0 },
		{ BEGIN "arver: uuid 0\n " UUID "\n" READY "arver: try 1\n broken\n" DONE, ERR_DISK,
		    "cannot be tested: broken", 0 },
		{ BEGIN "arver: uuid 0\n " UUID "\n" READY "arver: try 2\narver: try 0\n" DONE,
		    ERR_HOST, "strange answer", 0 },
		{ BEGIN READY "arver: try 0\n" DONE, ERR_HOST, "strange answer", 0 },
		{ BEGIN "arver: uuid 0\n " OTHER "\n" READY "arver: try 0\n" DONE, ERR_DISK,
		    "settings pin", 0 },
	};

	(void)state;
	tell(stories, COUNT(stories), ask_test);
}

static bool
ask_format(struct luks *l, const struct disk *d, const struct secret *key, struct err *e)
{
	const struct luks_format f = { .uuid = UUID, .key = key, .slot = 3 };
	struct luks_header h;

	return luks_format(l, d, &f, &h, e);
}

#define EMPTY BEGIN "arver: blkid 2\n" NONE READY

static void
luks_format_that_is_not_proven_is_lost(void **state)
{
	static const struct story stories[] = {
		{ EMPTY "arver: format 0\narver: prove 0\n" ONE DONE, 0, NULL, 0 },
		{ EMPTY "arver: format 0\narver: prove 2\n" ONE DONE, ERR_LOST, "not proven", 0 },
		{ EMPTY "arver: format 0\n" ONE DONE, ERR_LOST, "not proven", 0 },
		{ EMPTY "arver: format 0\narver: prove 0\n" NONE DONE, ERR_LOST, "cannot be read", 0 },
		{ EMPTY "arver: format 0\narver: prove 0\n" DUMP(OTHER, SLOT("3")) DONE, ERR_LOST,
		    "another header", 0 },
		{ EMPTY "arver: format 1\n no room\narver: prove 1\n" NONE DONE, ERR_DISK,
		    "cannot be formatted: no room", 0 },
		{ EMPTY "arver: format 1\n no room\narver: prove 1\n" ONE DONE, ERR_LOST, "no room", 0 },
		{ BEGIN "arver: blkid 0\n TYPE=ext4\n USAGE=filesystem\n" NONE READY, ERR_DISK,
		    "ext4 filesystem", 0 },
		{ BEGIN "arver: blkid 1\n no permission\n" NONE READY, ERR_DISK, "no permission", 0 },
		{ BEGIN NONE READY, ERR_HOST, "strange answer", 0 },
	};

	(void)state;
	tell(stories, COUNT(stories), ask_format);
}

static bool
ask_add(struct luks *l, const struct disk *d, const struct secret *key, struct err *e)
{
	const struct luks_add a = { .uuid = UUID, .auth = { key, 3 }, .key = key, .slot = 4 };
	struct luks_header h;

	return luks_add(l, d, &a, &h, e);
}

#define AUTH READY "arver: auth 0\narver: prefer 0\n"

static void
luks_add_is_told_by_the_header_behind_it(void **state)
{
	static const struct story stories[] = {
		{ BEGIN ONE AUTH "arver: add 0\narver: prove 0\n" TWO DONE, 0, NULL, 0 },
		{ BEGIN ONE AUTH "arver: add 1\narver: prove 0\n" TWO DONE, 0, NULL, 0 },
		{ BEGIN ONE AUTH "arver: add 0\narver: prove 2\n" TWO DONE, ERR_LOST, "not proven", 0 },
		{ BEGIN ONE AUTH "arver: add 0\n" TWO DONE, ERR_LOST, "not proven", 0 },
		{ BEGIN ONE AUTH "arver: add 1\n full\narver: prove 1\n" ONE DONE, ERR_DISK,
		    "not added: full", 0 },
		{ BEGIN ONE AUTH "arver: add 2\narver: prove 2\n" ONE DONE, ERR_KEY, "not added", 0 },
		{ BEGIN ONE AUTH "arver: add 0\narver: prove 0\n" NONE DONE, ERR_LOST, "cannot be read", 0 },
		{ BEGIN ONE AUTH "arver: add 0\narver: prove 0\n" DUMP(OTHER, SLOT("4")) DONE, ERR_LOST,
		    "another header", 0 },
		{ BEGIN ONE AUTH ONE DONE, ERR_LOST, "no answer to the change", 0 },
		{ BEGIN ONE READY "arver: auth 2\n" ONE DONE, ERR_KEY, "does not open its slot", 0 },
		{ BEGIN ONE READY "arver: auth 1\n broken\n" ONE DONE, ERR_DISK, "tested: broken", 0 },
		{ BEGIN ONE READY ONE DONE, ERR_LOST, "cannot be tested", 0 },
		{ BEGIN ONE READY "arver: auth 0\narver: prefer 1\n read-only\n" ONE DONE, ERR_DISK,
		    "cannot be written: read-only", 0 },
		{ BEGIN TWO READY, ERR_REFUSED, NULL, 0 },
		{ BEGIN READY, ERR_LOST, "cannot be read", 0 },
	};

	(void)state;
	tell(stories, COUNT(stories), ask_add);
}

static bool
ask_kill(struct luks *l, const struct disk *d, const struct secret *key, struct err *e)
{
	const struct luks_kill k = { .uuid = UUID, .auth = { key, 3 }, .slot = 4,
		.salt = "1ba48d8f3b0a6e5d074c5f3911ea8021" };
	struct luks_header h;

	return luks_kill(l, d, &k, &h, e);
}

#define OWN BEGIN TWO READY "arver: auth 0\narver: own 2\n"

static void
luks_kill_is_told_by_the_header_behind_it(void **state)
{
	static const struct story stories[] = {
		{ OWN "arver: kill 0\narver: prove 0\n" ONE DONE, 0, NULL, 0 },
		{ OWN "arver: kill 1\narver: prove 0\n" ONE DONE, 0, NULL, 0 },
		{ OWN "arver: kill 1\n read-only\narver: prove 0\n" TWO DONE, ERR_DISK,
		    "not killed: read-only", 0 },
		{ OWN "arver: kill 0\narver: prove 0\n" TWO DONE, ERR_LOST, "not killed", 0 },
		{ OWN "arver: kill 0\narver: prove 2\n" ONE DONE, ERR_LOST, "no longer opens its own", 0 },
		{ OWN "arver: kill 0\n" ONE DONE, ERR_LOST, "no longer opens its own", 0 },
		{ OWN "arver: kill 0\narver: prove 0\n" DUMP(OTHER, SLOT("3")) DONE, ERR_LOST,
		    "another header", 0 },
		{ OWN "arver: kill 0\narver: prove 0\n" NONE DONE, ERR_LOST, "cannot be read", 0 },
		{ BEGIN TWO READY "arver: auth 0\narver: own 0\n" TWO DONE, ERR_REFUSED,
		    "my own key opens slot 4", 0 },
		{ BEGIN TWO READY "arver: auth 0\narver: own 1\n broken\n" TWO DONE, ERR_DISK,
		    "cannot be tested: broken", 0 },
		{ BEGIN TWO READY "arver: auth 2\n" TWO DONE, ERR_KEY, "does not open its slot", 0 },
	};

	(void)state;
	tell(stories, COUNT(stories), ask_kill);
}

static void
luks_status_of_a_strange_answer_tells_nothing(void **state)
{
	static const char *const strange[] = {
		BEGIN "arver: there 0\narver: open 0\narver: there 0\narver: ajar 0\n" DONE,
		BEGIN "arver: there 0\narver: open 0\narver: their 0\narver: open 0\n" DONE,
		BEGIN "arver: there 0\narver: open 0\n" DONE,
	};
	AUTO(site_drop) struct site *site = site_new(1, 2);
	AUTO(luks_drop) struct luks *l = luks_remote_new(&transport, 1000);
	const struct disk *disks[] = { site_disk(site, 0, 0), site_disk(site, 0, 1) };

	(void)state;
	code = 0;
	for (size_t i = 0; i < COUNT(strange); i++) {
		struct luks_status out[2] = { { .state = LUKS_FOREIGN }, { .state = LUKS_FOREIGN } };
		struct err e = { 0 };

		answer = strange[i];
		assert_false(luks_status(l, disks, 2, out, &e));
		assert_int_equal(e.kind, ERR_HOST);
		assert_int_equal(out[0].state, LUKS_FOREIGN);
	}
}

static void
luks_status_of_a_foreign_mapping_says_what_it_lies_on(void **state)
{
	AUTO(site_drop) struct site *site = site_new(1, 2);
	AUTO(luks_drop) struct luks *l = luks_remote_new(&transport, 1000);
	const struct disk *disks[] = { site_disk(site, 0, 0), site_disk(site, 0, 1) };
	struct luks_status out[2];
	struct err e = { 0 };

	(void)state;
	code = 0;
	answer = BEGIN "arver: there 1\narver: closed 0\narver: there 0\narver: foreign 0\n sda, \x1b[m\n" DONE;
	assert_true(luks_status(l, disks, 2, out, &e));
	assert_int_equal(out[0].state, LUKS_CLOSED);
	assert_false(out[0].device_there);
	assert_int_equal(out[1].state, LUKS_FOREIGN);
	assert_true(out[1].device_there);
	assert_string_equal(out[1].detail, "sda, \\x1b[m");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(luks_open_is_told_by_tries_and_mapping),
		cmocka_unit_test(luks_open_tries_a_disk_that_was_not_there_once_others_are_open),
		cmocka_unit_test(luks_close_tells_what_holds_a_disk),
		cmocka_unit_test(luks_test_is_told_by_the_status_of_each_try),
		cmocka_unit_test(luks_format_that_is_not_proven_is_lost),
		cmocka_unit_test(luks_add_is_told_by_the_header_behind_it),
		cmocka_unit_test(luks_kill_is_told_by_the_header_behind_it),
		cmocka_unit_test(luks_status_of_a_strange_answer_tells_nothing),
		cmocka_unit_test(luks_status_of_a_foreign_mapping_says_what_it_lies_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
