/* SPDX-License-Identifier: MIT */
/*
 * keystore: a data directory and a GnuPG home of the test's own, real gpg, and
 * the Ruby side (skipped where there is no ruby). me is alice (cv25519).
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <setjmp.h>
#include <cmocka.h>
#include "base/clock.h"
#include "base/file.h"
#include "base/secret.h"
#include "gpg_home.h"
#include "inventory/inventory.h"
#include "keyring/keyring.h"
#include "keystore/keystore.h"
#include "keystore/sha256.h"

static char *home;
static struct admin alice = { .name = "alice" }, rob = { .name = "rob" }, bob = { .name = "bob" };

/* What each test has. */
struct world {
	char dir[32]; /* /tmp/arver-keys.XXXXXX */
	int fd;
	struct keystore *ks;
	struct inventory *inventory; /* where a test has one */
	struct str warnings; /* one a line */
};

static int
group_set_up(void **state)
{
	(void)state;
	home = gpg_home_new();
	alice.fingerprint = gpg_home_make_key("alice", "cv25519", "0");
	bob.fingerprint = gpg_home_make_key("bob", "cv25519", "0");
	rob.fingerprint = gpg_home_make_key("rob", "rsa2048", "0");
	return 0;
}

static int
group_tear_down(void **state)
{
	(void)state;
	gpg_home_free(home);
	free(alice.fingerprint);
	free(bob.fingerprint);
	free(rob.fingerprint);
	return 0;
}

static void
note_warning(void *arg, const char *text)
{
	struct world *w = arg;

	str_add(&w->warnings, text);
	str_add(&w->warnings, "\n");
}

static struct keystore *
open_as(struct world *w, const char *me)
{
	const struct keystore_options o = { .dir = w->fd, .me = me, .warn = note_warning,
	    .warn_arg = w, .inventory = w->inventory };
	struct keystore *ks = NULL;
	struct err e = { 0 };

	assert_true(keystore_open(&o, &ks, &e));
	return ks;
}

static int
set_up(void **state)
{
	struct world *w = mem_alloc(1, sizeof(*w));
	struct err e = { 0 };

	gpg_home_use(home);
	gpg_home_conf("");
	snprintf(w->dir, sizeof(w->dir), "/tmp/arver-keys.XXXXXX");
	if (!mkdtemp(w->dir) || !file_open_dir(w->dir, &w->fd, &e))
		return -1;
	w->ks = open_as(w, "alice");
	*state = w;
	return 0;
}

static int
tear_down(void **state)
{
	struct world *w = *state;
	const char *const argv[] = { "rm", "-rf", "--", w->dir, NULL };

	keystore_free(w->ks);
	inventory_free(w->inventory);
	fd_drop(&w->fd);
	gpg_home_run(argv, (struct bytes){ 0 }, NULL);
	str_done(&w->warnings);
	free(w);
	return 0;
}

/* A file of the data directory, its directories made. */
static void
put_file(struct world *w, const char *name, struct bytes content)
{
	AUTO(mem_free_drop) char *path = mem_printf("%s/%s", w->dir, name);
	AUTO(mem_free_drop) char *dir = mem_strndup(path, (size_t)(strrchr(path, '/') - path));
	FILE *f;
	struct err e = { 0 };

	assert_true(file_make_dirs(dir, 0755, &e));
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(content.ptr ? content.ptr : "", 1, content.len, f), content.len);
	fclose(f);
}

static bool
is_there(struct world *w, const char *name)
{
	return file_exists_at(w->fd, name);
}

static struct entry *
add_key(struct entry_list *l, const char *path, const char *key, double time)
{
	struct entry *x = entry_list_add(l);

	x->path = mem_strdup(path);
	x->key = key ? secret_from(bytes_of(key)) : secret_random_base64(192);
	x->time = time;
	return x;
}

/* Seal and place one key for an admin; the file's name goes to `name` unless that is NULL. */
static void
store(struct world *w, const struct admin *who, const char *path, const char *key, double time,
    char *name)
{
	AUTO(entry_list_done) struct entry_list l = { 0 };
	AUTO(sealed_done) struct sealed s = { 0 };
	struct err e = { 0 };

	add_key(&l, path, key, time);
	if (!keystore_seal(w->ks, who, &l, &s, &e) || !keystore_place(w->ks, &s, &e))
		fail_msg("%s", e.text);
	if (name)
		memcpy(name, s.name, sizeof(s.name));
}

/* Fill a fresh keyring; all of it as "path key state; " in `want`. */
static void
expect_fill(struct world *w, const char *want)
{
	AUTO(keyring_drop) struct keyring *kr = keyring_new();
	AUTO(str_done) struct str got = { 0 };
	struct err e = { 0 };
	size_t n, n_keys;
	const char *const *paths;

	str_clear(&w->warnings);
	if (!keystore_fill(w->ks, kr, &e))
		fail_msg("%s", e.text);
	paths = keyring_paths(kr, &n);
	for (size_t i = 0; i < n; i++) {
		const struct key *keys = keyring_get(kr, paths[i], &n_keys);

		for (size_t k = 0; k < n_keys; k++) {
			str_addf(&got, "%s ", paths[i]);
			str_add_bytes(&got, secret_bytes(keys[k].passphrase));
			str_addf(&got, " %d; ", keys[k].state);
		}
	}
	assert_string_equal(str_text(&got), want);
}

static void
expect_warning(struct world *w, const char *part)
{
	if (!strstr(str_text(&w->warnings), part))
		fail_msg("no \"%s\" in: %s", part, str_text(&w->warnings));
}

static void
keystore_place_then_fill_gives_the_key_with_all_it_has(void **state)
{
	struct world *w = *state;
	AUTO(entry_list_done) struct entry_list l = { 0 };
	AUTO(sealed_done) struct sealed s = { 0 };
	AUTO(keyring_drop) struct keyring *kr = keyring_new();
	AUTO(str_done) struct str file = { 0 };
	AUTO(mem_free_drop) char *name = NULL;
	struct entry *x = add_key(&l, "/colo/web1/data", NULL, 1700000000.25);
	struct err e = { 0 };
	const struct key *k;
	char sum[65];
	size_t n;

	x->made = 1600000000.5;
	x->proven = 1700000001.0;
	x->uuid = mem_strdup("6b1e4b0e-0000-4000-8000-000000000000");
	x->by = mem_strdup("rob");
	assert_true(keystore_seal(w->ks, &alice, &l, &s, &e));
	assert_false(is_there(w, "keys"));
	assert_true(keystore_place(w->ks, &s, &e));
	name = mem_printf("keys/alice/%s", s.name);
	assert_true(file_read_at(w->fd, name, 1 << 20, &file, &e));
	sha256_hex(str_bytes(&file), sum);
	assert_string_equal(sum, s.name);
	assert_true(keystore_fill(w->ks, kr, &e));
	k = keyring_get(kr, "/colo/web1/data", &n);
	assert_int_equal(n, 1);
	assert_true(secret_equal(k->passphrase, x->key));
	assert_true(k->time == x->time && k->made == x->made && k->proven == x->proven);
	assert_string_equal(k->uuid, x->uuid);
	assert_string_equal(k->by, "rob");
	assert_string_equal(k->file, s.name);
	assert_string_equal(str_text(&w->warnings), "");
}

static void
keystore_place_leaves_nothing_in_tmp(void **state)
{
	struct world *w = *state;
	AUTO(argv_done) struct argv names = { 0 };
	AUTO(fd_drop) int tmp = -1;
	struct stat st;
	struct err e = { 0 };

	store(w, &alice, "/a", "K", 1.0, NULL);
	assert_true(file_open_dir_at(w->fd, "tmp", &tmp, &e));
	assert_int_equal(fstat(tmp, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_true(file_list_dir(tmp, &names, &e));
	assert_int_equal(names.n, 0);
}

/* It would take the place of files that can be read. */
static void
keystore_seal_of_more_than_can_be_read_is_refused(void **state)
{
	struct world *w = *state;
	AUTO(entry_list_done) struct entry_list l = { 0 };
	AUTO(sealed_done) struct sealed s = { 0 };
	struct err e = { 0 };

	for (size_t i = 0; i <= 65536; i++)
		add_key(&l, "/colo/web1/data", "K", 1.0);
	assert_false(keystore_seal(w->ks, &alice, &l, &s, &e));
	assert_int_equal(e.kind, ERR_DATA);
	assert_non_null(strstr(e.text, "alice do not go into one file"));
	assert_null(s.admin);
}

/* Nobody who sees the repository can count the keys: arver-security(7) promises these lengths. */
static void
keystore_seal_has_one_length_whatever_is_in_it(void **state)
{
	static const size_t counts[] = { 0, 1, 2, 5, 20, 100 };
	static const struct { const struct admin *to; size_t len; } kinds[] = {
		{ &alice, 271481 }, /* Curve 25519 */
		{ &rob, 271721 },   /* RSA, 2048 bits */
	};
	struct world *w = *state;

	for (size_t a = 0; a < COUNT(kinds); a++) {
		for (size_t i = 0; i < 25 * COUNT(counts); i++) {
			AUTO(entry_list_done) struct entry_list l = { 0 };
			AUTO(sealed_done) struct sealed s = { 0 };
			struct err e = { 0 };

			for (size_t k = 0; k < counts[i % COUNT(counts)]; k++) {
				AUTO(mem_free_drop) char *path = mem_printf("/colo/web%zu/data", k);

				add_key(&l, path, NULL, clock_unix());
			}
			if (!keystore_seal(w->ks, kinds[a].to, &l, &s, &e))
				fail_msg("%s", e.text);
			if (s.content.len != kinds[a].len)
				fail_msg("%s: %zu bytes, not %zu", kinds[a].to->name,
				    s.content.len, kinds[a].len);
		}
	}
}

static void
keystore_fill_sorts_states_and_merges_files(void **state)
{
	struct world *w = *state;
	AUTO(entry_list_done) struct entry_list l = { 0 };
	AUTO(sealed_done) struct sealed s = { 0 };
	struct err e = { 0 };

	store(w, &alice, "/a", "old", 1000.0, NULL);
	store(w, &alice, "/a", "new", 2000.0, NULL);
	store(w, &alice, "/a", "far", clock_unix() + 90000, NULL);
	store(w, &alice, "/a", "near", clock_unix() + 80000, NULL);
	store(w, &alice, "/a", "old", 500.0, NULL);
	add_key(&l, "/a", "staged", 0.0)->made = 3000.0;
	add_key(&l, "/b", "main", 7.0);
	add_key(&l, "/b", "also", 7.0);
	assert_true(keystore_seal(w->ks, &alice, &l, &s, &e) && keystore_place(w->ks, &s, &e));
	expect_fill(w,
	    "/a near 0; /a new 0; /a old 0; /a staged 1; /a far 2; /b main 0; /b also 0; ");
	expect_warning(w, "dated more than a day ahead");
}

/* What is collected with these edits and files to leave, put in place of the files read. */
static void
merge(struct world *w, const struct keyring *kr, const struct key_edits *edits,
    const struct argv *leave)
{
	AUTO(entry_list_done) struct entry_list l = { 0 };
	AUTO(sealed_done) struct sealed s = { 0 };
	struct err e = { 0 };

	keystore_collect(kr, edits, leave, &l);
	assert_true(keystore_seal(w->ks, &alice, &l, &s, &e) && keystore_place(w->ks, &s, &e) &&
	    keystore_retire(w->ks, s.name, leave, &e));
	assert_string_equal(keystore_read_files(w->ks)->at[0], s.name);
}

static void
keystore_merge_makes_one_file_with_the_edits_and_touches_no_other(void **state)
{
	struct world *w = *state;
	AUTO(keyring_drop) struct keyring *kr = keyring_new();
	AUTO(key_edits_done) struct key_edits edits = { 0 };
	AUTO(argv_done) struct argv leave = { 0 }, files = { 0 };
	char later[65];
	struct err e = { 0 };
	size_t n;

	store(w, &alice, "/a", "old", 1000.0, NULL);
	store(w, &alice, "/a", "new", 2000.0, NULL);
	store(w, &alice, "/a", "far", clock_unix() + 90000, NULL);
	store(w, &alice, "/b", "gone", 5.0, NULL);
	put_file(w, "keys/alice/damaged", bytes_of("-----BEGIN PGP MESSAGE-----\n\nAAAA\n"));
	assert_true(keystore_fill(w->ks, kr, &e));
	assert_int_equal(keystore_read_files(w->ks)->n, 4);
	const struct key *keys = keyring_get(kr, "/a", &n);

	key_edits_of(&edits, &keys[1])->dead = 3000.0;
	key_edits_of(&edits, &keys[0])->proven = 2500.0;
	key_edits_of(&edits, &keys[2])->time = 1500.0;
	key_edits_of(&edits, keyring_get(kr, "/b", &n))->drop = true;
	store(w, &alice, "/c", "pulled", 9.0, later); /* as from a git pull meanwhile */
	merge(w, kr, &edits, &leave);
	assert_true(keystore_files(w->ks, "alice", &files, &e));
	assert_int_equal(files.n, 3);
	assert_true(argv_has(&files, later) && argv_has(&files, "damaged"));
	keystore_free(w->ks);
	w->ks = open_as(w, "alice");
	expect_fill(w, "/a new 0; /a far 0; /a old 3; /c pulled 0; ");
}

static void
keystore_merge_leaves_files_of_staged_keys_as_they_are(void **state)
{
	struct world *w = *state;
	AUTO(entry_list_done) struct entry_list l = { 0 };
	AUTO(sealed_done) struct sealed s = { 0 };
	AUTO(keyring_drop) struct keyring *kr = keyring_new();
	AUTO(key_edits_done) struct key_edits edits = { 0 };
	AUTO(argv_done) struct argv leave = { 0 }, files = { 0 };
	struct err e = { 0 };

	store(w, &alice, "/a", "one", 1000.0, NULL);
	store(w, &alice, "/a", "two", 2000.0, NULL);
	add_key(&l, "/a", "staged", 0.0)->made = 3000.0;
	assert_true(keystore_seal(w->ks, &alice, &l, &s, &e) && keystore_place(w->ks, &s, &e));
	assert_true(keystore_fill(w->ks, kr, &e));
	argv_add(&leave, s.name);
	merge(w, kr, &edits, &leave);
	assert_true(keystore_files(w->ks, "alice", &files, &e));
	assert_int_equal(files.n, 2);
	assert_true(keystore_remove(w->ks, "alice", s.name, &e));
	keystore_free(w->ks);
	w->ks = open_as(w, "alice");
	expect_fill(w, "/a two 0; /a one 0; ");
}

static void
keystore_fill_of_nothing_is_fine(void **state)
{
	struct world *w = *state;

	expect_fill(w, "");
	put_file(w, "keys/rob/x", bytes_of("x"));
	expect_fill(w, "");
	assert_string_equal(str_text(&w->warnings), "");
}

/* A message by gpg itself, as a key file of alice. */
static void
plant(struct world *w, const char *name, struct bytes plain, const char *option, const char *to)
{
	AUTO(str_done) struct str text = { 0 };
	AUTO(mem_free_drop) char *path = mem_printf("keys/alice/%s", name);
	int status;

	if (strcmp(option, "--symmetric") == 0)
		status = gpg_home_gpg(&text, plain, "--armor", "--pinentry-mode", "loopback",
		    "--passphrase",
		    "x", option, NULL);
	else if (strcmp(option, "--sign") == 0 || strcmp(option, "--store") == 0)
		status = gpg_home_gpg(&text, plain, "--armor", option, NULL);
	else
		status = gpg_home_gpg(&text, plain, "--armor", "--trust-model", "always",
		    "--encrypt", "-r", to,
		    option, NULL);
	assert_int_equal(status, 0);
	put_file(w, path, str_bytes(&text));
}

static void
keystore_fill_leaves_hostile_files_alone_and_tells(void **state)
{
	static const char good[] = "---\n\"/b\":\n  :key: L\n  :time: 1.0\n";
	struct world *w = *state;
	AUTO(mem_free_drop) char *bomb = mem_alloc((size_t)40 << 20, 1);
	AUTO(mem_free_drop) char *dot = mem_printf("%s/keys/alice/dir", w->dir);
	AUTO(mem_free_drop) char *link = mem_printf("%s/keys/alice/link", w->dir);
	AUTO(mem_free_drop) char *fifo = mem_printf("%s/keys/alice/fifo", w->dir);
	AUTO(str_done) struct str whole = { 0 }, twice = { 0 };
	static const char *const warnings[] = {
		"empty... is left alone", "text... is left alone",
		"symmetric... is left alone: the message is "
		"encrypted with a password", "signed... is left alone", "stored... is left alone",
		"half... is left",
		"twice... is left alone", "bomb... is left alone", "notyaml... is left alone",
		".hidden is no key file",
		"dir is no key file", "link is no key file", "fifo is no key file",
		"1 key file in keys/alice (foreign",
	};
	char name[65];
	struct err e = { 0 };

	store(w, &alice, "/a", "K", 1.0, name);
	{
		AUTO(mem_free_drop) char *path = mem_printf("keys/alice/%s", name);

		assert_true(file_read_at(w->fd, path, 1 << 20, &whole, &e));
	}
	put_file(w, "keys/alice/empty", (struct bytes){ 0 });
	put_file(w, "keys/alice/text", bytes_of("hello\n"));
	put_file(w, "keys/alice/half", (struct bytes){ whole.ptr, whole.len / 2 });
	str_addf(&twice, "%s%s", whole.ptr, whole.ptr);
	put_file(w, "keys/alice/twice", str_bytes(&twice));
	put_file(w, "keys/alice/.hidden", bytes_of("x"));
	plant(w, "symmetric", bytes_of(good), "--symmetric", NULL);
	plant(w, "signed", bytes_of(good), "--sign", NULL);
	plant(w, "stored", bytes_of(good), "--store", NULL);
	plant(w, "bomb", (struct bytes){ bomb, (size_t)40 << 20 }, "--no-tty", alice.fingerprint);
	plant(w, "notyaml", bytes_of("--- {"), "--no-tty", alice.fingerprint);
	plant(w, "shared", bytes_of(good), "--recipient=rob", alice.fingerprint);
	plant(w, "foreign", bytes_of(good), "--throw-keyids", alice.fingerprint);
	assert_int_equal(mkdir(dot, 0755), 0);
	assert_int_equal(symlink("/etc/passwd", link), 0);
	assert_int_equal(mkfifo(fifo, 0644), 0);
	expect_fill(w, "/a K 0; /b L 0; "); /* rob's secret key is here, too */
	assert_null(strstr(str_text(&w->warnings), "another key"));
	for (size_t i = 0; i < COUNT(warnings); i++)
		expect_warning(w, warnings[i]);
}

static void
keystore_fill_of_a_message_in_a_message_goes_on_with_the_rest(void **state)
{
	struct world *w = *state;
	AUTO(str_done) struct str inner = { 0 };

	store(w, &alice, "/a", "K", 1.0, NULL);
	assert_int_equal(gpg_home_gpg(&inner, bytes_of("x"), "--pinentry-mode", "loopback",
	    "--passphrase", "x", "--symmetric", NULL), 0);
	plant(w, "0", str_bytes(&inner), "--no-literal", alice.fingerprint);
	expect_fill(w, "/a K 0; ");
	expect_warning(w, "keys/alice/0... is left alone: a message inside the message");
}

/* A file of zeros that takes no room on the disk, perhaps with a beginning. */
static void
put_sparse(struct world *w, const char *name, const char *head, off_t len)
{
	AUTO(mem_free_drop) char *path = mem_printf("%s/%s", w->dir, name);

	put_file(w, name, bytes_of(head));
	assert_int_equal(truncate(path, len), 0);
}

static long
most_kilobytes_ever(void)
{
	struct rusage u;

	assert_int_equal(getrusage(RUSAGE_SELF, &u), 0);
	return u.ru_maxrss;
}

static void
keystore_fill_of_much_that_is_no_message_keeps_none_of_it(void **state)
{
	struct world *w = *state;
	long before;

	store(w, &alice, "/a", "K", 1.0, NULL);
	for (int i = 0; i < 60; i++) {
		AUTO(mem_free_drop) char *name = mem_printf("keys/alice/0%d", i);

		put_sparse(w, name, "", 15 << 20);
	}
	put_sparse(w, "keys/alice/1", "-----BEGIN PGP MESSAGE-----\n", 17 << 20);
	before = most_kilobytes_ever();
	expect_fill(w, "/a K 0; ");
	expect_warning(w, "keys/alice/01... is left alone: not an armored");
	expect_warning(w, "keys/alice: 51 more are left alone");
	assert_true(most_kilobytes_ever() - before < 500 << 10); /* AddressSanitizer keeps 256 */
}

static void
keystore_fill_of_more_than_256_mib_leaves_the_rest_alone(void **state)
{
	struct world *w = *state;

	for (int i = 10; i < 28; i++) {
		AUTO(mem_free_drop) char *name = mem_printf("keys/alice/%d", i);

		put_sparse(w, name, "-----BEGIN PGP MESSAGE-----\n", 15 << 20);
	}
	expect_fill(w, "");
	expect_warning(w, "keys/alice/18... is left alone: no empty line");
	expect_warning(w, "keys/alice: 8 more are left alone");
	expect_warning(w, "keys/alice/27... is left alone: with those before it, it is more");
}

static void
keystore_fill_with_a_backup_only_reads_it_and_place_restores_it(void **state)
{
	struct world *w = *state;
	AUTO(mem_free_drop) char *from = mem_printf("%s/keys/alice", w->dir);
	AUTO(mem_free_drop) char *to = mem_printf("%s/keys/alice.bak", w->dir);

	store(w, &alice, "/a", "K", 1.0, NULL);
	assert_int_equal(rename(from, to), 0);
	expect_fill(w, "/a K 0; ");
	expect_warning(w, "keys/alice.bak is read instead");
	store(w, &alice, "/b", "L", 1.0, NULL);
	expect_fill(w, "/a K 0; /b L 0; ");
	assert_false(is_there(w, "keys/alice.bak"));
	assert_string_equal(str_text(&w->warnings), "");
}

static void
keystore_fill_without_a_secret_key_is_a_gpg_error(void **state)
{
	struct world *w = *state;
	AUTO(keyring_drop) struct keyring *kr = keyring_new();
	struct keystore *other = NULL;
	struct err e = { 0 };
	char *empty;

	store(w, &alice, "/a", "K", 1.0, NULL);
	empty = gpg_home_new();
	other = open_as(w, "alice");
	assert_false(keystore_fill(other, kr, &e));
	assert_int_equal(e.kind, ERR_GPG);
	assert_non_null(strstr(e.text, "no secret key"));
	keystore_free(other);
	gpg_home_free(empty);
}

static void
keystore_fill_with_a_cancelled_pinentry_asks_once(void **state)
{
	struct world *w = *state;
	AUTO(keyring_drop) struct keyring *kr = keyring_new();
	AUTO(mem_free_drop) char *fpr = NULL;
	AUTO(mem_free_drop) char *prompts = NULL;
	struct admin gina = { .name = "gina" };
	struct err e = { 0 };
	struct stat st;
	char *asking = gpg_home_new_with_pinentry("gina");

	keystore_free(w->ks);
	w->ks = open_as(w, "gina");
	fpr = gina.fingerprint = gpg_home_fingerprint("gina");
	store(w, &gina, "/a", "K", 1.0, NULL);
	store(w, &gina, "/b", "L", 1.0, NULL);
	gpg_home_file("answer", "ERR 83886179 Operation cancelled\n");
	assert_false(keystore_fill(w->ks, kr, &e));
	assert_int_equal(e.kind, ERR_GPG);
	assert_non_null(strstr(e.text, "cancelled"));
	prompts = mem_printf("%s/prompts", asking);
	assert_int_equal(stat(prompts, &st), 0);
	assert_int_equal(st.st_size, 2); /* one line */
	gpg_home_file("answer", "D right\nOK\n");
	expect_fill(w, "/a K 0; /b L 0; ");
	gpg_home_free(asking);
}

static void
keystore_files_and_remove_touch_what_is_named(void **state)
{
	struct world *w = *state;
	AUTO(argv_done) struct argv files = { 0 };
	char one[65], two[65];
	struct err e = { 0 };

	store(w, &alice, "/a", "K", 1.0, one);
	store(w, &alice, "/b", "L", 1.0, two);
	put_file(w, "keys/alice/.x", bytes_of("x"));
	assert_true(keystore_files(w->ks, "alice", &files, &e));
	assert_int_equal(files.n, 2);
	assert_true(strcmp(files.at[0], files.at[1]) < 0);
	assert_true(keystore_remove(w->ks, "alice", one, &e));
	assert_true(keystore_remove(w->ks, "alice", one, &e)); /* gone is fine */
	assert_true(keystore_remove(w->ks, "nobody", one, &e));
	expect_fill(w, "/b L 0; ");
	argv_done(&files);
	assert_true(keystore_files(w->ks, "nobody", &files, &e));
	assert_int_equal(files.n, 0);
}

static void
keystore_files_with_a_line_break_in_a_name_leaves_it_out_and_tells(void **state)
{
	struct world *w = *state;
	AUTO(argv_done) struct argv files = { 0 };
	char one[65];
	struct err e = { 0 };

	store(w, &alice, "/a", "K", 1.0, one);
	put_file(w, "keys/alice/x\ny", bytes_of("x"));
	put_file(w, "keys/alice/x\x7fy", bytes_of("x"));
	assert_true(keystore_files(w->ks, "alice", &files, &e));
	assert_int_equal(files.n, 1);
	assert_string_equal(files.at[0], one);
	expect_warning(w, "keys/alice/x\\x0ay is no key file");
	expect_warning(w, "keys/alice/x\\x7fy is no key file");
	expect_fill(w, "/a K 0; ");
	expect_warning(w, "keys/alice/x\\x0ay is no key file");
	assert_false(keystore_remove(w->ks, "alice", "x\ny", &e));
	assert_true(is_there(w, "keys/alice/x\ny"));
}

static void
keystore_remove_admin_takes_key_files_backup_and_directory(void **state)
{
	struct world *w = *state;
	AUTO(mem_free_drop) char *from = mem_printf("%s/keys/rob", w->dir);
	AUTO(mem_free_drop) char *to = mem_printf("%s/keys/rob.bak", w->dir);
	struct err e = { 0 };

	store(w, &rob, "/a", "K", 1.0, NULL);
	assert_int_equal(rename(from, to), 0);
	put_file(w, "keys/rob/0123", bytes_of("x"));
	assert_true(keystore_remove_admin(w->ks, "rob", &e));
	assert_false(is_there(w, "keys/rob") || is_there(w, "keys/rob.bak"));
	assert_true(keystore_remove_admin(w->ks, "rob", &e));

	store(w, &rob, "/a", "K", 1.0, NULL);
	put_file(w, "keys/rob/.note", bytes_of("x"));
	assert_true(keystore_remove_admin(w->ks, "rob", &e));
	assert_true(is_there(w, "keys/rob/.note"));
	expect_warning(w, "keys/rob holds more than key files");
}

static void
keystore_names_that_are_no_names_are_refused(void **state)
{
	static const char *const names[] = { "", ".", "..", ".x", "-x", "a/b", "public", "x.bak",
	    "../x" };
	struct world *w = *state;

	for (size_t i = 0; i < COUNT(names); i++) {
		const struct keystore_options o = { .dir = w->fd, .me = names[i] };
		const struct admin who = { .name = (char *)names[i],
		    .fingerprint = alice.fingerprint };
		AUTO(argv_done) struct argv files = { 0 };
		AUTO(keystore_drop) struct keystore *ks = NULL;
		struct err e = { 0 };

		assert_false(keystore_open(&o, &ks, &e));
		assert_int_equal(e.kind, ERR_USAGE);
		assert_false(keystore_files(w->ks, names[i], &files, &e));
		assert_false(keystore_remove(w->ks, names[i], "x", &e));
		assert_false(keystore_remove_admin(w->ks, names[i], &e));
		assert_false(keystore_check_recipient(w->ks, &who, &e));
		assert_false(keystore_publish(w->ks, &who, &e));
		assert_int_equal(e.kind, ERR_DATA);
		if (i < 4 || names[i][0] == 'a')
			assert_false(keystore_remove(w->ks, "alice", names[i], &e));
	}
}

static void
keystore_follows_no_links(void **state)
{
	struct world *w = *state;
	AUTO(mem_free_drop) char *keys = mem_printf("%s/keys", w->dir);
	AUTO(mem_free_drop) char *link = mem_printf("%s/keys/alice", w->dir);
	AUTO(keyring_drop) struct keyring *kr = keyring_new();
	struct err e = { 0 };

	assert_int_equal(mkdir(keys, 0755), 0);
	assert_int_equal(symlink("/etc", link), 0);
	assert_false(keystore_fill(w->ks, kr, &e));
	assert_false(keystore_remove_admin(w->ks, "alice", &e));
	assert_int_equal(e.kind, ERR_DATA);
}

static void
keystore_publish_writes_once_and_others_import_it(void **state)
{
	struct world *w = *state;
	AUTO(str_done) struct str before = { 0 }, after = { 0 };
	struct keystore *other;
	struct err e = { 0 };
	char *empty;

	assert_true(keystore_publish(w->ks, &rob, &e));
	assert_true(file_read_at(w->fd, "keys/public/rob", 1 << 20, &before, &e));
	put_file(w, "keys/public/alice", bytes_of("mine, and not to be changed"));
	assert_true(keystore_publish(w->ks, &alice, &e));
	assert_true(file_read_at(w->fd, "keys/public/alice", 1 << 20, &after, &e));
	assert_string_equal(after.ptr, "mine, and not to be changed");

	empty = gpg_home_new();
	other = open_as(w, "alice");
	assert_false(keystore_check_recipient(other, &rob, &e));
	assert_non_null(strstr(e.text, "--lsign-key")); /* it is there now, but not trusted */
	keystore_free(other);
	{
		const struct keystore_options o = { .dir = w->fd, .me = "alice",
		    .trust_all = true };
		AUTO(keystore_drop) struct keystore *trusting = NULL;

		assert_true(keystore_open(&o, &trusting, &e));
		assert_true(keystore_check_recipient(trusting, &rob, &e));
		assert_false(keystore_check_recipient(trusting, &bob, &e));
		assert_non_null(strstr(e.text, "keys/public/bob"));
	}
	gpg_home_free(empty);
}

static void
keystore_new_time_is_later_than_all_but_those_from_the_future(void **state)
{
	AUTO(keyring_drop) struct keyring *kr = keyring_new();
	double now = clock_unix(), time;
	const struct key soon = { .time = now + 3600 }, far = { .state = KEY_FUTURE,
	    .time = now + 1e6 };

	(void)state;
	time = keystore_new_time(kr, "/a");
	assert_true(time >= now && time < now + 60);
	keyring_add(kr, "/a", &soon, secret_from(bytes_of("K")));
	keyring_add(kr, "/a", &far, secret_from(bytes_of("L")));
	keyring_sort(kr);
	time = keystore_new_time(kr, "/a");
	assert_true(time > now + 3600 && time < now + 3601);
	assert_true(keystore_new_time(kr, "/b") < now + 60);
}

/* Another process holds the lock for a while. */
static void
keystore_fill_waits_for_a_writer(void **state)
{
	struct world *w = *state;
	int64_t start;
	int ready[2];
	char c;
	pid_t pid;

	store(w, &alice, "/a", "K", 1.0, NULL);
	assert_int_equal(pipe(ready), 0);
	start = clock_ms();
	pid = fork();
	if (pid == 0) {
		AUTO(fd_drop) int fd = -1;

		if (!file_open_dir(w->dir, &fd, NULL) || !file_lock(fd, true, 1000, NULL) ||
		    write(ready[1], "x", 1) != 1)
			_exit(1);
		usleep(400000);
		_exit(0);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	expect_fill(w, "/a K 0; ");
	assert_true(clock_ms() - start >= 400);
	waitpid(pid, NULL, 0);
	close(ready[0]);
	close(ready[1]);
}

/* users with alice in slot 0, bob in 1, rob in 2, and further lines; w->ks is `me`'s from now on. */
static void
with_users(struct world *w, const char *me, const char *more)
{
	AUTO(mem_free_drop) char *users = mem_printf("alice: { slot: 0, gpg: '%s' }\n"
	    "bob: { slot: 1, gpg: '%s' }\nrob: { slot: 2, gpg: '%s' }\n%s", alice.fingerprint,
	    bob.fingerprint, rob.fingerprint, more);
	struct err e = { 0 };

	put_file(w, "users", bytes_of(users));
	put_file(w, "disks", bytes_of("colo: { web1: { data: { device: /dev/x } } }\n"));
	inventory_free(w->inventory);
	w->inventory = NULL;
	if (!inventory_load(w->fd, &w->inventory, &e))
		fail_msg("%s", e.text);
	keystore_free(w->ks);
	w->ks = open_as(w, me);
}

/* The only key of the disk, for bob; *kr is made. */
static const struct key *
key_of_bob(struct world *w, struct keyring **kr)
{
	struct err e = { 0 };
	size_t n;

	keystore_free(w->ks);
	w->ks = open_as(w, "bob");
	*kr = keyring_new();
	str_clear(&w->warnings);
	if (!keystore_fill(w->ks, *kr, &e))
		fail_msg("%s", e.text);
	const struct key *k = keyring_get(*kr, "/colo/web1/data", &n);

	assert_int_equal(n, 1);
	return k;
}

static void
keystore_seal_for_somebody_else_is_signed_and_says_by_whom(void **state)
{
	struct world *w = *state;
	AUTO(keyring_drop) struct keyring *kr = NULL;
	const struct admin *b;
	const struct key *k;

	with_users(w, "alice", "");
	b = inventory_find_admin(w->inventory, "bob");
	store(w, b, "/colo/web1/data", "K", 1700000000.0, NULL);
	k = key_of_bob(w, &kr);
	assert_string_equal(k->by, "alice");
	assert_true(k->vouched > 1700000000.0);
	assert_true(key_is_vouched(k));
	assert_string_equal(str_text(&w->warnings), "");
}

/* Once it is in a file of my own, that file says who it was. */
static void
keystore_collect_keeps_who_has_vouched(void **state)
{
	struct world *w = *state;
	AUTO(keyring_drop) struct keyring *kr = NULL;
	AUTO(keyring_drop) struct keyring *again = NULL;
	AUTO(entry_list_done) struct entry_list l = { 0 };
	AUTO(sealed_done) struct sealed s = { 0 };
	const struct key_edits none = { 0 };
	const struct argv leave = { 0 };
	struct err e = { 0 };
	const struct admin *b;
	double when;

	with_users(w, "alice", "");
	b = inventory_find_admin(w->inventory, "bob");
	store(w, b, "/colo/web1/data", "K", 1700000000.0, NULL);
	when = key_of_bob(w, &kr)->vouched;
	keystore_collect(kr, &none, &leave, &l);
	assert_true(keystore_seal(w->ks, b, &l, &s, &e) && keystore_place(w->ks, &s, &e) &&
	    keystore_retire(w->ks, s.name, &leave, &e));
	const struct key *k = key_of_bob(w, &again);

	assert_string_equal(k->by, "alice");
	assert_true(k->vouched == when);
	assert_string_equal(k->file, s.name);
}

static void
keystore_fill_of_an_unsigned_file_warns_until_the_key_is_proven(void **state)
{
	struct world *w = *state;
	AUTO(keyring_drop) struct keyring *kr = NULL;
	AUTO(keyring_drop) struct keyring *again = NULL;
	AUTO(entry_list_done) struct entry_list l = { 0 };
	AUTO(sealed_done) struct sealed s = { 0 };
	struct err e = { 0 };

	store(w, &bob, "/colo/web1/data", "K", 1700000000.0, NULL); /* no users: no signature */
	with_users(w, "bob", "");
	assert_false(key_is_vouched(key_of_bob(w, &kr)));
	assert_string_equal(str_text(&w->warnings), ""); /* there is no other key */
	add_key(&l, "/colo/web1/data", "K", 1700000000.0)->proven = 1700000001.0;
	assert_true(keystore_seal(w->ks, inventory_find_admin(w->inventory, "bob"), &l, &s, &e) &&
	    keystore_place(w->ks, &s, &e));
	assert_true(key_is_vouched(key_of_bob(w, &again)));
	assert_string_equal(str_text(&w->warnings), "");
}

/* What is inside the key file of an admin which this name has. */
static void
decrypt(struct world *w, const char *admin, const char *name, struct str *out)
{
	AUTO(mem_free_drop) char *path = mem_printf("%s/keys/%s/%s", w->dir, admin, name);

	assert_int_equal(gpg_home_gpg(out, (struct bytes){ 0 }, "--decrypt", path, NULL), 0);
}

/* A file for bob in which this is, by whoever has his public key. */
static void
forge_for_bob(struct world *w, const struct str *plain)
{
	AUTO(str_done) struct str message = { 0 };

	assert_int_equal(gpg_home_gpg(&message, str_bytes(plain), "--armor", "--trust-model", "always",
			     "--recipient", bob.fingerprint, "--encrypt", NULL), 0);
	put_file(w, "keys/bob/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
	    str_bytes(&message));
}

static void
keystore_fill_takes_no_signature_that_is_for_somebody_else(void **state)
{
	struct world *w = *state;
	AUTO(keyring_drop) struct keyring *kr = NULL;
	AUTO(entry_list_done) struct entry_list l = { 0 };
	AUTO(sealed_done) struct sealed s = { 0 };
	AUTO(str_done) struct str plain = { 0 };
	struct err e = { 0 };
	struct entry *x;
	const struct key *k;

	with_users(w, "alice", "");
	x = add_key(&l, "/colo/web1/data", "K", 1700000000.0);
	x->proven = x->vouched = 1700000001.0;
	x->by = mem_strdup("alice");
	assert_true(keystore_seal(w->ks, inventory_find_admin(w->inventory, "rob"), &l, &s, &e) &&
	    keystore_place(w->ks, &s, &e));
	decrypt(w, "rob", s.name, &plain); /* rob, who makes all of it look good */
	forge_for_bob(w, &plain);
	k = key_of_bob(w, &kr);
	assert_false(key_is_vouched(k));
	assert_int_equal(k->state, KEY_PROMOTED);
	expect_warning(w, "its grant is for somebody else");
}

/* Bob, or whoever has decrypted two grants of his, puts the signature of one behind the keys of another. */
static void
keystore_fill_takes_no_signature_that_is_for_other_keys(void **state)
{
	static const char head[] = "arver-grant 1\n";
	struct world *w = *state;
	AUTO(keyring_drop) struct keyring *kr = NULL;
	AUTO(str_done) struct str given = { 0 }, other = { 0 }, forged = { 0 };
	const struct admin *b;
	char names[2][65];
	struct err e = { 0 };

	with_users(w, "alice", "");
	b = inventory_find_admin(w->inventory, "bob");
	store(w, b, "/colo/web1/data", "K", 1700000000.0, names[0]);
	store(w, b, "/colo/web1/other", "L", 1700000000.0, names[1]);
	decrypt(w, "bob", names[0], &given);
	decrypt(w, "bob", names[1], &other);
	for (size_t i = 0; i < 2; i++)
		assert_true(keystore_remove(w->ks, "bob", names[i], &e));
	const char *keys_end = memmem(given.ptr, given.len, head, strlen(head));
	const char *grant = memmem(other.ptr, other.len, head, strlen(head));

	assert_non_null(keys_end);
	assert_non_null(grant);
	str_add_bytes(&forged, (struct bytes){ given.ptr, (size_t)(keys_end - given.ptr) });
	str_add_bytes(&forged, (struct bytes){ grant, other.len - (size_t)(grant - other.ptr) });
	forge_for_bob(w, &forged);
	assert_false(key_is_vouched(key_of_bob(w, &kr)));
	expect_warning(w, "its grant is for other keys");
}

/* The giver has left, or is gone from users, or has another key by now. */
static void
keystore_fill_of_an_unknown_givers_file_keeps_the_key_and_warns(void **state)
{
	struct world *w = *state;
	AUTO(mem_free_drop) char *moved = mem_printf("bob: { slot: 1, gpg: '%s' }\nrob: { slot: 5, "
	    "gpg: '%s' }\n", bob.fingerprint, rob.fingerprint);
	AUTO(mem_free_drop) char *left = mem_printf("bob: { slot: 1, gpg: '%s' }\nalice: { slot: 0, "
	    "gpg: '%s', revoked: 2026-01-01 }\n", bob.fingerprint, alice.fingerprint);
	AUTO(mem_free_drop) char *other_slot = mem_printf("bob: { slot: 3, gpg: '%s' }\nalice: { slot: 0, "
	    "gpg: '%s' }\n", bob.fingerprint, alice.fingerprint);
	const struct {
		const char *users, *warning;
	} cases[] = {
		{ moved, "who is not in users" },
		{ left, "is by alice, who is revoked" },
		{ other_slot, "is for slot 1, and yours is 3" },
	};

	with_users(w, "alice", "");
	store(w, inventory_find_admin(w->inventory, "bob"), "/colo/web1/data", "K", 1700000000.0, NULL);
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(keyring_drop) struct keyring *kr = NULL;
		struct err e = { 0 };

		put_file(w, "users", bytes_of(cases[i].users));
		inventory_free(w->inventory);
		w->inventory = NULL;
		if (!inventory_load(w->fd, &w->inventory, &e))
			fail_msg("%s", e.text);
		assert_false(key_is_vouched(key_of_bob(w, &kr)));
		expect_warning(w, cases[i].warning);
	}
}

static bool
has_ruby(void)
{
	const char *const argv[] = { "sh", "-c", "command -v ruby >/dev/null", NULL };

	return gpg_home_run(argv, (struct bytes){ 0 }, NULL) == 0;
}

static void
keystore_reads_what_ruby_wrote_and_ruby_what_is_written_here(void **state)
{
	static const char *const forms[] = { "deflated", "padded", "bare" };
	struct world *w = *state;
	const char *const read[] = { "ruby", "tests/unit/ruby_keys.rb", "read", w->dir, "alice",
	    NULL };
	AUTO(entry_list_done) struct entry_list l = { 0 };
	AUTO(sealed_done) struct sealed s = { 0 };
	AUTO(str_done) struct str out = { 0 };
	struct err e = { 0 };

	if (!has_ruby())
		skip();
	for (size_t i = 0; i < COUNT(forms); i++) {
		const char *const write[] = { "ruby", "tests/unit/ruby_keys.rb", "write",
		    forms[i], w->dir,
			"alice", alice.fingerprint, NULL };
		AUTO(mem_free_drop) char *line =
		    mem_printf("/%s\t+%s/=\t%zu.5\n/all\tR%zu\t%zu\n", forms[i],
		    forms[i], i + 1, i, i + 10);

		assert_int_equal(gpg_home_run(write, bytes_of(line), NULL), 0);
	}
	expect_fill(w, "/all R2 0; /all R1 0; /all R0 0; /bare +bare/= 0; /deflated +deflated/= 0; "
	    "/padded +padded/= 0; ");
	assert_string_equal(str_text(&w->warnings), "");

	add_key(&l, "/all", "main", 20.0)->by = mem_strdup("2001-01-01");
	add_key(&l, "/all", "staged", 0.0)->made = 99.0;
	add_key(&l, "/ours", "O", 1795241511.623773)->proven = 5.0;
	assert_true(keystore_seal(w->ks, &alice, &l, &s, &e) && keystore_place(w->ks, &s, &e));
	assert_int_equal(gpg_home_run(read, (struct bytes){ 0 }, &out), 0);
	assert_string_equal(str_text(&out), "/all\tmain\t20.000000\n/bare\t+bare/=\t3.500000\n"
	    "/deflated\t+deflated/=\t1.500000\n/ours\tO\t1795241511.623773\n"
	    "/padded\t+padded/=\t2.500000\n");
	expect_fill(w,
	    "/all main 0; /all R2 0; /all R1 0; /all R0 0; /all staged 1; /bare +bare/= 0; "
	    "/deflated +deflated/= 0; /ours O 0; /padded +padded/= 0; ");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(keystore_place_then_fill_gives_the_key_with_all_it_has),
		TEST(keystore_place_leaves_nothing_in_tmp),
		TEST(keystore_seal_has_one_length_whatever_is_in_it),
		TEST(keystore_seal_of_more_than_can_be_read_is_refused),
		TEST(keystore_fill_sorts_states_and_merges_files),
		TEST(keystore_merge_makes_one_file_with_the_edits_and_touches_no_other),
		TEST(keystore_merge_leaves_files_of_staged_keys_as_they_are),
		TEST(keystore_fill_of_nothing_is_fine),
		TEST(keystore_fill_leaves_hostile_files_alone_and_tells),
		TEST(keystore_fill_with_a_backup_only_reads_it_and_place_restores_it),
		TEST(keystore_fill_without_a_secret_key_is_a_gpg_error),
		TEST(keystore_fill_with_a_cancelled_pinentry_asks_once),
		TEST(keystore_files_and_remove_touch_what_is_named),
		TEST(keystore_files_with_a_line_break_in_a_name_leaves_it_out_and_tells),
		TEST(keystore_fill_of_a_message_in_a_message_goes_on_with_the_rest),
		TEST(keystore_fill_of_much_that_is_no_message_keeps_none_of_it),
		TEST(keystore_fill_of_more_than_256_mib_leaves_the_rest_alone),
		TEST(keystore_remove_admin_takes_key_files_backup_and_directory),
		TEST(keystore_names_that_are_no_names_are_refused),
		TEST(keystore_follows_no_links),
		TEST(keystore_publish_writes_once_and_others_import_it),
		TEST(keystore_new_time_is_later_than_all_but_those_from_the_future),
		TEST(keystore_fill_waits_for_a_writer),
		TEST(keystore_seal_for_somebody_else_is_signed_and_says_by_whom),
		TEST(keystore_collect_keeps_who_has_vouched),
		TEST(keystore_fill_of_an_unsigned_file_warns_until_the_key_is_proven),
		TEST(keystore_fill_takes_no_signature_that_is_for_somebody_else),
		TEST(keystore_fill_takes_no_signature_that_is_for_other_keys),
		TEST(keystore_fill_of_an_unknown_givers_file_keeps_the_key_and_warns),
		TEST(keystore_reads_what_ruby_wrote_and_ruby_what_is_written_here),
	};

	return cmocka_run_group_tests(tests, group_set_up, group_tear_down);
}
