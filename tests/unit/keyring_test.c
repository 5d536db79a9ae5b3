/* SPDX-License-Identifier: MIT */
/* keyring: the order to try keys in, and what becomes of the same key twice. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>
#include "base/clock.h"
#include "base/secret.h"
#include "keyring/keyring.h"

static void
add(struct keyring *kr, const char *path, const char *passphrase, struct key k)
{
	keyring_add(kr, path, &k, secret_from(bytes_of(passphrase)));
	keyring_sort(kr);
}

/* The passphrases of a disk in order, joined by blanks. */
static void
expect_order(const struct keyring *kr, const char *path, const char *want)
{
	AUTO(str_done) struct str got = { 0 };
	size_t n;
	const struct key *keys = keyring_get(kr, path, &n);

	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			str_add(&got, " ");
		str_add_bytes(&got, secret_bytes(keys[i].passphrase));
	}
	assert_string_equal(str_text(&got), want);
}

static void
keyring_get_gives_promoted_then_staged_then_future(void **state)
{
	AUTO(keyring_drop) struct keyring *kr = keyring_new();

	(void)state;
	add(kr, "/a", "future", (struct key){ .state = KEY_FUTURE, .time = 9e99 });
	add(kr, "/a", "staged1", (struct key){ .state = KEY_STAGED, .made = 50 });
	add(kr, "/a", "old", (struct key){ .time = 10 });
	add(kr, "/a", "new", (struct key){ .time = 30 });
	add(kr, "/a", "staged2", (struct key){ .state = KEY_STAGED, .made = 60 });
	add(kr, "/a", "middle", (struct key){ .time = 20 });
	add(kr, "/a", "oldest", (struct key){ .time = 0 });
	expect_order(kr, "/a", "new middle old oldest staged2 staged1 future");
}

static void
keyring_get_gives_dead_keys_last_unless_proven_later(void **state)
{
	AUTO(keyring_drop) struct keyring *kr = keyring_new();
	size_t n;

	(void)state;
	add(kr, "/a", "dead", (struct key){ .state = KEY_DEAD, .time = 30, .dead = 50 });
	add(kr, "/a", "future", (struct key){ .state = KEY_FUTURE, .time = 9e99 });
	add(kr, "/a", "old", (struct key){ .time = 10 });
	expect_order(kr, "/a", "old future dead");
	/* another file does not know yet that it is dead */
	add(kr, "/a", "dead", (struct key){ .time = 30, .proven = 40 });
	expect_order(kr, "/a", "old future dead");
	assert_int_equal(keyring_get(kr, "/a", &n)[2].state, KEY_DEAD);
	/* ... and another saw it open a disk after that */
	add(kr, "/a", "dead", (struct key){ .time = 30, .proven = 60 });
	expect_order(kr, "/a", "dead old future");
}

static void
keyring_has_live_counts_neither_staged_nor_dead_keys(void **state)
{
	AUTO(keyring_drop) struct keyring *kr = keyring_new();

	(void)state;
	assert_false(keyring_has_live(kr, "/a"));
	add(kr, "/a", "staged", (struct key){ .state = KEY_STAGED, .made = 50 });
	add(kr, "/a", "dead", (struct key){ .state = KEY_DEAD, .time = 30, .dead = 50 });
	assert_false(keyring_has_live(kr, "/a"));
	add(kr, "/a", "live", (struct key){ .time = 10 });
	assert_true(keyring_has_live(kr, "/a"));
}

static void
keyring_finds_paths_by_uuid_and_keys_by_identity(void **state)
{
	AUTO(keyring_drop) struct keyring *kr = keyring_new();
	const char *path = NULL;
	size_t n;

	(void)state;
	add(kr, "/c", "3", (struct key){ .time = 1, .uuid = "u-1" });
	add(kr, "/a", "1", (struct key){ .time = 1, .uuid = "U-1" });
	add(kr, "/b", "2", (struct key){ .time = 1, .uuid = "u-2" });
	assert_string_equal(path = keyring_path_of_uuid(kr, "u-1", NULL), "/a");
	assert_string_equal(path = keyring_path_of_uuid(kr, "u-1", path), "/c");
	assert_null(keyring_path_of_uuid(kr, "u-1", path));
	assert_null(keyring_path_of_uuid(kr, "u-3", NULL));
	const struct key *key = keyring_get(kr, "/b", &n);

	assert_ptr_equal(keyring_key_of(kr, key->passphrase), key);
	assert_string_equal(key->path, "/b");
	AUTO(secret_drop) struct secret *same = secret_from(bytes_of("2"));

	assert_null(keyring_key_of(kr, same));
}

static void
keyring_get_of_equal_times_gives_the_one_added_later_first(void **state)
{
	AUTO(keyring_drop) struct keyring *kr = keyring_new();

	(void)state;
	add(kr, "/a", "one", (struct key){ .time = 5 });
	add(kr, "/a", "two", (struct key){ .time = 5 });
	add(kr, "/a", "three", (struct key){ .time = 5 });
	expect_order(kr, "/a", "three two one");
}

static void
keyring_get_of_an_unknown_disk_gives_nothing(void **state)
{
	AUTO(keyring_drop) struct keyring *kr = keyring_new();
	size_t n = 7;

	(void)state;
	assert_null(keyring_get(kr, "/a", &n));
	assert_int_equal(n, 0);
	keyring_paths(kr, &n);
	assert_int_equal(n, 0);
}

static void
keyring_add_of_the_same_key_merges(void **state)
{
	AUTO(keyring_drop) struct keyring *kr = keyring_new();
	const struct key *k;
	size_t n;

	(void)state;
	add(kr, "/a", "K", (struct key){ .state = KEY_STAGED, .made = 50, .uuid = "u",
	    .file = "f1" });
	add(kr, "/a", "L", (struct key){ .time = 60 });
	add(kr, "/a", "K", (struct key){ .time = 70, .made = 40, .proven = 65, .by = "bob",
	    .file = "f2" });
	expect_order(kr, "/a", "K L");
	k = keyring_get(kr, "/a", &n);
	assert_int_equal(k->state, KEY_PROMOTED);
	assert_true(k->time == 70 && k->made == 50 && k->proven == 65);
	assert_string_equal(k->uuid, "u");
	assert_string_equal(k->by, "bob");
	assert_string_equal(k->file, "f2");
	/* a planted copy with a date far ahead changes nothing */
	add(kr, "/a", "K", (struct key){ .state = KEY_FUTURE, .time = 9e99 });
	expect_order(kr, "/a", "K L");
	assert_true(keyring_get(kr, "/a", &n)->time == 70);
	/* a later date moves it, once it is proven as well */
	add(kr, "/a", "L", (struct key){ .time = 80 });
	expect_order(kr, "/a", "K L");
	add(kr, "/a", "L", (struct key){ .time = 75, .proven = 80 });
	expect_order(kr, "/a", "L K");
}

static void
keyring_get_gives_what_somebody_vouches_for_first(void **state)
{
	AUTO(keyring_drop) struct keyring *kr = keyring_new();
	size_t n;

	(void)state;
	add(kr, "/a", "planted", (struct key){ .time = 90, .by = "bob" });
	add(kr, "/a", "signed", (struct key){ .time = 60, .vouched = 60, .by = "bob" });
	add(kr, "/a", "proven", (struct key){ .time = 70, .proven = 71 });
	add(kr, "/a", "staged", (struct key){ .state = KEY_STAGED, .made = 99 });
	expect_order(kr, "/a", "proven signed planted staged");
	/* of one key with two givers, the one who signed is its giver */
	add(kr, "/a", "planted", (struct key){ .time = 50, .vouched = 50, .by = "carol" });
	expect_order(kr, "/a", "planted proven signed staged");
	assert_string_equal(keyring_get(kr, "/a", &n)->by, "carol");
	assert_true(keyring_get(kr, "/a", &n)->vouched == 50);
}

static void
keyring_paths_are_sorted_and_many(void **state)
{
	AUTO(keyring_drop) struct keyring *kr = keyring_new();
	const char *const *paths;
	size_t n;

	(void)state;
	for (int i = 0; i < 500; i++) {
		AUTO(mem_free_drop) char *path = mem_printf("/colo/web%d/data", i * 37 % 500);

		add(kr, path, path, (struct key){ .time = i });
		add(kr, path, "shared", (struct key){ .time = i + 1 });
	}
	paths = keyring_paths(kr, &n);
	assert_int_equal(n, 500);
	for (size_t i = 0; i < n; i++) {
		size_t n_keys;

		assert_true(i == 0 || strcmp(paths[i - 1], paths[i]) < 0);
		keyring_get(kr, paths[i], &n_keys);
		assert_int_equal(n_keys, 2);
	}
}

/* Among others of its kind: what is as good as new goes in front of those that came before. */
static void
keyring_add_of_the_same_key_at_the_same_time_counts_as_added_later(void **state)
{
	AUTO(keyring_drop) struct keyring *kr = keyring_new();

	(void)state;
	add(kr, "/a", "one", (struct key){ .time = 5, .by = "first" });
	add(kr, "/a", "two", (struct key){ .time = 5 });
	add(kr, "/b", "one", (struct key){ .time = 5 });
	add(kr, "/a", "one", (struct key){ .time = 5, .by = "second" });
	add(kr, "/a", "longer", (struct key){ .time = 4 });
	expect_order(kr, "/a", "one two longer");
	assert_string_equal(keyring_key_of(kr, keyring_get(kr, "/a", &(size_t){ 0 })->passphrase)->by, "second");
}

static int64_t
filling_ms(int n)
{
	AUTO(keyring_drop) struct keyring *kr = keyring_new();
	int64_t start = clock_ms();
	size_t n_keys;

	for (int i = n; i > 0; i--) {
		AUTO(mem_free_drop) char *path = mem_printf("/%06d", i), *key = mem_printf("%0100d", i);
		const struct key k = { .time = n - i };

		keyring_add(kr, "/a", &k, secret_from(bytes_of(key)));
		keyring_add(kr, path, &k, secret_from(bytes_of(key)));
	}
	keyring_sort(kr);
	keyring_get(kr, "/a", &n_keys);
	assert_int_equal(n_keys, n);
	return clock_ms() - start;
}

/* As many as a file can have, and an eighth of them: the square of eight is out of reach. */
static void
keyring_of_very_many_keys_is_filled_in_proportion(void **state)
{
	(void)state;
	assert_true(filling_ms(64000) < 30 * (filling_ms(8000) + 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keyring_get_gives_promoted_then_staged_then_future),
		cmocka_unit_test(keyring_get_gives_dead_keys_last_unless_proven_later),
		cmocka_unit_test(keyring_has_live_counts_neither_staged_nor_dead_keys),
		cmocka_unit_test(keyring_finds_paths_by_uuid_and_keys_by_identity),
		cmocka_unit_test(keyring_get_of_equal_times_gives_the_one_added_later_first),
		cmocka_unit_test(keyring_get_of_an_unknown_disk_gives_nothing),
		cmocka_unit_test(keyring_add_of_the_same_key_merges),
		cmocka_unit_test(keyring_get_gives_what_somebody_vouches_for_first),
		cmocka_unit_test(keyring_paths_are_sorted_and_many),
		cmocka_unit_test(keyring_add_of_the_same_key_at_the_same_time_counts_as_added_later),
		cmocka_unit_test(keyring_of_very_many_keys_is_filled_in_proportion),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
