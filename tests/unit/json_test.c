/* SPDX-License-Identifier: MIT */
/*
 * json: one line an event, valid whatever bytes come in; tests/cli holds those of real runs
 * against the schema.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "arver/json.h"
#include "keyring/keyring.h"
#include "run/work.h"
#include "site.h"

/* What was written, read back; call it `f` and end with assert_line. */
struct heard {
	FILE *f;
	char *text;
	size_t len;
};

static struct heard *
listen(void)
{
	static struct heard h;

	h.f = open_memstream(&h.text, &h.len);
	return &h;
}

static void
assert_line(struct heard *h, const char *want)
{
	fclose(h->f);
	assert_string_equal(h->text, want);
	free(h->text);
}

static void
json_step_tells_what_there_is_and_leaves_out_the_rest(void **state)
{
	AUTO(site_drop) struct site *s = site_new(1, 1);
	struct step open = { .kind = STEP_OPEN, .disk = site_disk(s, 0, 0) };
	struct step hook = { .kind = STEP_HOOK, .phase = 2, .hook = HOOK_POST_CLOSE };
	struct row row = { .host = site_host(s, 0), .step = &open, .outcome = OUTCOME_NEEDLESS,
		.note = "already open" };
	struct heard *h = listen();

	(void)state;
	json_step(h->f, &row);
	assert_line(h, "{\"event\":\"step\",\"host\":\"colo/h1\",\"disk\":\"colo/h1/d1\",\"phase\":0,"
		       "\"step\":\"open\",\"outcome\":\"needless\",\"note\":\"already open\"}\n");
	row = (struct row){ .host = site_host(s, 0), .step = &hook, .outcome = OUTCOME_FAILED };
	err_set(&row.err, ERR_HOOK, "it failed");
	str_add(&row.output, "one\ntwo\n");
	h = listen();
	json_step(h->f, &row);
	assert_line(h, "{\"event\":\"step\",\"host\":\"colo/h1\",\"phase\":2,\"step\":\"hook\","
		       "\"hook\":\"post_close\",\"outcome\":\"failed\",\"error\":\"it failed\","
		       "\"kind\":\"hook\",\"output\":\"one\\ntwo\\n\"}\n");
	str_done(&row.output);
}

static void
json_disk_foreign_bytes_become_valid_and_harmless(void **state)
{
	static const struct { const char *in, *want; } cases[] = {
		{ "Köln 早く", "Köln 早く" },
		{ "\"\\/", "\\\"\\\\/" },
		{ "\x1b[31m\n\t\x7f", "\\u001b[31m\\n\\t\\ufffd" },
		{ "a\xff\xfe" "b", "a\\ufffd\\ufffdb" },
		{ "\xc3", "\\ufffd" },			   /* cut in the middle */
		{ "\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd" }, /* half a surrogate pair */
		{ "\xc0\xaf", "\\ufffd\\ufffd" },	   /* overlong */
		{ "\xc2\x9b", "\\ufffd\\ufffd" },	   /* C1: CSI */
		{ "\xe2\x80\xae" "x", "\\ufffd\\ufffd\\ufffdx" }, /* turns the direction */
	};
	AUTO(site_drop) struct site *s = site_new(1, 1);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct heard *h = listen();
		AUTO(str_done) struct str want = { 0 };

		json_disk(h->f, site_disk(s, 0, 0), "opened", cases[i].in, NULL);
		str_addf(&want, "{\"event\":\"disk\",\"host\":\"colo/h1\",\"disk\":\"colo/h1/d1\","
				"\"ok\":true,\"result\":\"opened\",\"note\":\"%s\"}\n", cases[i].want);
		assert_line(h, str_text(&want));
	}
}

static void
json_disk_failure_has_its_kind_and_what_to_do(void **state)
{
	AUTO(site_drop) struct site *s = site_new(1, 1);
	struct heard *h = listen();

	(void)state;
	json_disk(h->f, site_disk(s, 0, 0), "unknown", "", &(struct err){ ERR_LOST, "gone" });
	assert_line(h, "{\"event\":\"disk\",\"host\":\"colo/h1\",\"disk\":\"colo/h1/d1\",\"ok\":false,"
		       "\"result\":\"unknown\",\"error\":\"gone\",\"kind\":\"lost\","
		       "\"next\":\"run the same command again: it looks first\"}\n");
	h = listen();
	json_disk(h->f, site_disk(s, 0, 0), "not created", "", &(struct err){ 0 });
	assert_line(h, "{\"event\":\"disk\",\"host\":\"colo/h1\",\"disk\":\"colo/h1/d1\",\"ok\":false,"
		       "\"result\":\"not created\"}\n");
}

static void
json_header_lists_slots_in_use_with_their_claims(void **state)
{
	AUTO(site_drop) struct site *s = site_new(1, 1);
	struct work w;
	struct json_claim claims[LUKS_MAX_SLOTS] = { [1] = { .owner = "bob", .revoked = true },
		[31] = { .claimed = true, .rescue = true } };
	struct heard *h = listen();

	(void)state;
	work_init(&w, site_disk(s, 0, 0));
	w.header = (struct luks_header){ .version = 2, .uuid = "u", .cipher = "c", .key_bits = 512,
		.sector_size = 4096, .slots = { [1] = { .active = true, .kdf = "pbkdf2", .iterations = 7 },
		[31] = { .active = true, .kdf = "argon2id", .iterations = 4,
		    .memory_kib = UINT64_C(5000000000) } } };
	json_header(h->f, &w, claims);
	fclose(h->f);
	assert_non_null(strstr(h->text, "\"luks\":2,\"uuid\":\"u\",\"cipher\":\"c\",\"key_bits\":512,"
		"\"sector_size\":4096,\"slots\":[{\"slot\":1,\"owner\":\"bob\",\"revoked\":true,"
		"\"claimed\":false,\"rescue\":false,\"kdf\":\"pbkdf2\",\"iterations\":7},{\"slot\":31,"
		"\"claimed\":true,\"rescue\":true,\"kdf\":\"argon2id\",\"iterations\":4,"
		"\"memory_kib\":5000000000}]}\n"));
	free(h->text);
	work_done(&w);
}

static void
json_keys_leaves_out_times_that_are_none(void **state)
{
	const struct key keys[] = { { .state = KEY_STAGED, .made = 12.5 },
		{ .state = KEY_FUTURE, .time = 4e9, .proven = 1e300, .by = "bob" } };
	struct heard *h = listen();

	(void)state;
	json_keys(h->f, &(struct json_holding){ .path = "/colo/old", .keys = keys, .n = 2 });
	assert_line(h, "{\"event\":\"keys\",\"disk\":\"colo/old\",\"in_inventory\":false,"
		       "\"available\":false,\"keys\":[{\"state\":\"staged\",\"made\":12},"
		       "{\"state\":\"future\",\"time\":4000000000,\"by\":\"bob\"}]}\n");
}

static void
json_begin_and_end_count(void **state)
{
	AUTO(site_drop) struct site *s = site_new(3, 2);
	struct heard *h = listen();

	(void)state;
	json_begin(h->f, "open", false, &s->all);
	json_end(h->f, 1, 6, 2);
	json_end(h->f, 2, 0, 0);
	json_error(h->f, &(struct err){ ERR_USAGE, "no" }, 2);
	json_away(h->f, site_host(s, 1), &(struct err){ ERR_AWAY, "refused" }, 90000);
	assert_line(h,
	    "{\"event\":\"begin\",\"verb\":\"open\",\"version\":\"" ARVER_VERSION "\","
	    "\"dry_run\":false,\"hosts\":3,\"disks\":6}\n"
	    "{\"event\":\"end\",\"status\":1,\"disks\":6,\"failed\":2}\n"
	    "{\"event\":\"end\",\"status\":2}\n"
	    "{\"event\":\"error\",\"error\":\"no\",\"kind\":\"usage\",\"status\":2}\n"
	    "{\"event\":\"away\",\"host\":\"colo/h2\",\"wait\":90,\"error\":\"refused\",\"kind\":\"away\"}\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_step_tells_what_there_is_and_leaves_out_the_rest),
		cmocka_unit_test(json_disk_foreign_bytes_become_valid_and_harmless),
		cmocka_unit_test(json_disk_failure_has_its_kind_and_what_to_do),
		cmocka_unit_test(json_header_lists_slots_in_use_with_their_claims),
		cmocka_unit_test(json_keys_leaves_out_times_that_are_none),
		cmocka_unit_test(json_begin_and_end_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
