/* SPDX-License-Identifier: MIT */
/*
 * gpg: against the real gpg with keys made here. "mine" is the home of the
 * person who runs arver, "theirs" that of a colleague.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/stat.h>
#include <cmocka.h>
#include <gpgme.h>
#include "base/file.h"
#include "base/secret.h"
#include "gpg_home.h"
#include "keystore/gpg.h"
#include "keystore/openpgp.h"

static char *mine, *theirs;	 /* homes */
static char *alice, *rsa, *elg;	 /* fingerprints in mine */
static char *bob, *carol, *dora, *eve, *frank; /* in theirs */
static char warned[512];

static int
group_set_up(void **state)
{
	(void)state;
	theirs = gpg_home_new();
	bob = gpg_home_make_key("bob", "cv25519", "0");
	carol = gpg_home_make_key("carol", "cv25519", "30d");
	dora = gpg_home_make_key("dora", "cv25519", "past");
	eve = gpg_home_make_key("eve", "sign", "0");
	frank = gpg_home_make_key("frank", "cv25519", "90d");
	mine = gpg_home_new();
	alice = gpg_home_make_key("alice", "cv25519", "0");
	rsa = gpg_home_make_key("rsa", "rsa2048", "0");
	elg = gpg_home_make_key("elg", "elg1024", "0");
	return 0;
}

static int
group_tear_down(void **state)
{
	char *all[] = { alice, rsa, elg, bob, carol, dora, eve, frank };

	(void)state;
	gpg_home_free(mine);
	gpg_home_free(theirs);
	for (size_t i = 0; i < COUNT(all); i++)
		free(all[i]);
	return 0;
}

static int
set_up(void **state)
{
	struct err e = { 0 };
	struct gpg *g = NULL;

	gpg_home_use(mine);
	gpg_home_conf("");
	warned[0] = '\0';
	if (!gpg_new(&g, &e))
		return -1;
	*state = g;
	return 0;
}

static int
tear_down(void **state)
{
	gpg_free(*state);
	return 0;
}

static void
note_warning(void *arg, const char *text)
{
	(void)arg;
	snprintf(warned, sizeof(warned), "%s", text);
}

/* The armored public key of somebody from the other home. */
static void
export_theirs(const char *fingerprint, const char *another, struct str *out)
{
	gpg_home_use(theirs);
	assert_int_equal(gpg_home_gpg(out, (struct bytes){ 0 }, "--armor", "--export", fingerprint,
	    another, NULL), 0);
	gpg_home_use(mine);
}

static void
forget(const char *fingerprint)
{
	gpg_home_gpg(NULL, (struct bytes){ 0 }, "--delete-keys", fingerprint, NULL);
}

static void
import(const struct str *keys)
{
	assert_int_equal(gpg_home_gpg(NULL, str_bytes(keys), "--import", NULL), 0);
}

static const struct gpg_recipient *
find(struct gpg *g, const char *admin, const char *fingerprint)
{
	const struct gpg_recipient_query q = { .admin = admin, .fingerprint = fingerprint,
		.trust_all = true }; /* trust-model always hides validity */
	const struct gpg_recipient *r = NULL;
	struct err e = { 0 };

	if (!gpg_find_recipient(g, &q, &r, &e))
		fail_msg("%s", e.text);
	return r;
}

static struct secret *
some_plaintext(size_t len)
{
	struct secret *s = secret_new(len);
	unsigned char *p = secret_space(s).ptr;

	for (size_t i = 0; i < len; i++)
		p[i] = (unsigned char)(i * 7 + i / 256);
	secret_set_len(s, len);
	return s;
}

static void
gpg_encrypt_then_decrypt_gives_the_same_bytes(void **state)
{
	const char *const keys[] = { alice, rsa, elg };
	const size_t lengths[] = { 0, 1, 512, 200000 };

	for (size_t i = 0; i < COUNT(keys) * COUNT(lengths); i++) {
		AUTO(secret_drop) struct secret *plain = some_plaintext(lengths[i / COUNT(keys)]);
		AUTO(secret_drop) struct secret *back = NULL;
		AUTO(str_done) struct str text = { 0 };
		struct err e = { 0 };
		const char *fpr = keys[i % COUNT(keys)];

		assert_true(gpg_encrypt(*state, find(*state, "alice", fpr), plain, &text, &e));
		assert_true(gpg_decrypt(*state, str_bytes(&text), &back, &e));
		assert_true(secret_equal(plain, back));
	}
}

static void
gpg_encrypt_to_any_kind_of_key_has_one_length(void **state)
{
	const char *const keys[] = { alice, rsa, elg };

	for (size_t i = 0; i < COUNT(keys); i++) {
		AUTO(secret_drop) struct secret *plain = some_plaintext(1000);
		size_t len = 0;

		for (int n = 0; n < 40; n++) {
			AUTO(str_done) struct str text = { 0 };
			struct err e = { 0 };

			assert_true(gpg_encrypt(*state, find(*state, "alice", keys[i]), plain,
			    &text, &e));
			assert_true(len == 0 || len == text.len);
			len = text.len;
		}
	}
}

/* What gpg.conf may hold, and what comes of it. */
static void
gpg_encrypt_with_lines_in_gpg_conf_is_to_the_recipient_alone_or_fails(void **state)
{
	static const struct { const char *conf, *want; } cases[] = {
		{ "throw-keyids", "throw-keyids" },
		{ "default-key $RSA\nencrypt-to-default-key", "encrypt-to-default-key" },
		{ "recipient $RSA", "recipient" },
		{ "hidden-recipient $RSA", "hidden-recipient" },
		{ "group $ALICE=$RSA", "group" },
		{ "group $ALICE=$RSA $ELG", "recipient" },
		{ "textmode", "textmode" },
		{ "no-literal", "no-literal" },
		{ "textmode\nset-filename keys\narmor", "textmode" },
		{ "rfc2440", "without protection" },
		{ "dry-run", "dry-run" },
		{ "encrypt-to $RSA", NULL },
		{ "hidden-encrypt-to $RSA", NULL },
		{ "default-recipient $RSA", NULL },
		{ "default-recipient-self", NULL },
		{ "compress-algo bzip2\nbzip2-compress-level 9", NULL },
		{ "comment hello\nemit-version", NULL },
		{ "set-filename keys", NULL },
		{ "for-your-eyes-only\nuse-embedded-filename", NULL },
		{ "armor\nverbose\nyes", NULL },
		{ "openpgp", NULL },
		{ "cipher-algo 3DES", NULL },
		{ "trust-model always", NULL },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct gpg_recipient_query q = { .admin = "alice", .fingerprint = alice };
		const struct gpg_recipient *r = NULL;
		AUTO(secret_drop) struct secret *plain = some_plaintext(1000);
		AUTO(secret_drop) struct secret *back = NULL;
		AUTO(str_done) struct str text = { 0 };
		AUTO(str_done) struct str conf = { 0 };
		AUTO(gpg_drop) struct gpg *g = NULL;
		struct err e = { 0 };
		bool ok;

		(void)state;
		for (const char *p = cases[i].conf; *p;) {
			size_t len = strcspn(p + 1, "$\n") + 1;

			if (str_starts(p, "$RSA"))
				str_add(&conf, rsa), p += 4;
			else if (str_starts(p, "$ALICE"))
				str_add(&conf, alice), p += 6;
			else if (str_starts(p, "$ELG"))
				str_add(&conf, elg), p += 4;
			else
				str_add_bytes(&conf, (struct bytes){ p, len }), p += len;
		}
		str_add(&conf, "\n");
		assert_true(gpg_new(&g, &e));
		gpg_home_conf(str_text(&conf));
		ok = gpg_find_recipient(g, &q, &r, &e) && gpg_encrypt(g, r, plain, &text, &e);
		if (ok != !cases[i].want || (!ok && !strstr(e.text, cases[i].want)))
			fail_msg("%s: %s", cases[i].conf, ok ? "went through" : e.text);
		if (!ok)
			assert_int_equal(e.kind, ERR_DATA);
		else
			assert_true(gpg_decrypt(g, str_bytes(&text), &back, &e) &&
			    secret_equal(plain, back));
	}
}

/* Whether gpg.conf spoils texts is found out without encrypting anything; gpg's log counts. */
static void
gpg_encrypt_twice_is_two_encryptions(void **state)
{
	AUTO(mem_free_drop) char *log = mem_printf("%s/log", mine);
	AUTO(mem_free_drop) char *conf = mem_printf("verbose\nlog-file %s\n", log);
	AUTO(secret_drop) struct secret *plain = some_plaintext(1000);
	AUTO(str_done) struct str said = { 0 };
	const struct gpg_recipient *to = find(*state, "alice", alice);
	struct err e = { 0 };
	size_t n = 0;

	gpg_home_conf(conf);
	for (int i = 0; i < 2; i++) {
		AUTO(str_done) struct str text = { 0 };

		assert_true(gpg_encrypt(*state, to, plain, &text, &e));
	}
	assert_true(file_read_at(-1, log, 1 << 20, &said, &e));
	for (const char *p = str_text(&said); (p = strstr(p, "encrypted for:")); p++)
		n++;
	assert_int_equal(n, 2);
	unlink(log);
}

static void
gpg_find_recipient_not_in_keyring_imports_the_one_key_of_users(void **state)
{
	AUTO(str_done) struct str key = { 0 };
	struct gpg_recipient_query q = { .admin = "bob", .fingerprint = bob, .trust_all = true };
	const struct gpg_recipient *r = NULL, *again = NULL;
	struct err e = { 0 };

	export_theirs(bob, NULL, &key);
	assert_false(gpg_find_recipient(*state, &q, &r, &e));
	assert_int_equal(e.kind, ERR_DATA);
	assert_non_null(strstr(e.text, "keys/public/bob"));
	q.public_key = key.ptr;
	assert_true(gpg_find_recipient(*state, &q, &r, &e));
	q.public_key = NULL;
	assert_true(gpg_find_recipient(*state, &q, &again, &e));
	assert_ptr_equal(r, again);
	forget(bob);
}

static void
gpg_find_recipient_with_a_wrong_public_key_imports_nothing(void **state)
{
	AUTO(str_done) struct str one = { 0 };
	AUTO(str_done) struct str two = { 0 };
	AUTO(str_done) struct str secret = { 0 };
	AUTO(str_done) struct str joined = { 0 };
	AUTO(str_done) struct str list = { 0 };

	export_theirs(carol, NULL, &one);
	export_theirs(bob, carol, &two);
	export_theirs(bob, NULL, &joined);
	str_add_bytes(&joined, str_bytes(&one)); /* two blocks in one file */
	gpg_home_use(theirs);
	gpg_home_gpg(&secret, (struct bytes){ 0 }, "--armor", "--export-secret-keys", bob, NULL);
	gpg_home_use(mine);
	const struct { const char *text, *want; } cases[] = {
		{ one.ptr, "but users says" },
		{ two.ptr, "holds 2 keys" },
		{ joined.ptr, "there is more behind" },
		{ secret.ptr, "secret" },
		{ "", "not an armored OpenPGP public key" },
		{ "hello\n", "keys/public/bob" },
		{ "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n"
		  "-----END PGP PUBLIC KEY BLOCK-----\n",
		    "keys/public/bob" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct gpg_recipient_query q = { .admin = "bob", .fingerprint = bob,
			.public_key = cases[i].text, .trust_all = true };
		const struct gpg_recipient *r = NULL;
		struct err e = { 0 };

		assert_false(gpg_find_recipient(*state, &q, &r, &e));
		assert_int_equal(e.kind, ERR_DATA);
		if (!strstr(e.text, cases[i].want))
			fail_msg("%zu: %s", i, e.text);
	}
	gpg_home_gpg(&list, (struct bytes){ 0 }, "--list-keys", "--with-colons", NULL);
	assert_null(strstr(list.ptr, "bob@") ? "bob" : NULL);
	assert_null(strstr(list.ptr, "carol@") ? "carol" : NULL);
}

/* Everybody of the other home, in my keyring. */
static void
import_all(void)
{
	AUTO(str_done) struct str keys = { 0 };

	export_theirs("@example.org", NULL, &keys);
	import(&keys);
}

static void
gpg_find_recipient_of_a_key_that_cannot_be_used_says_why(void **state)
{
	const struct { const char *name, *fingerprint, *want; } cases[] = {
		{ "dora", dora, "has expired" },
		{ "eve", eve, "no encryption subkey" },
		{ "nobody", "0123456789012345678901234567890123456789",
		    "neither in your GPG keyring" },
	};

	import_all();
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct gpg_recipient_query q = { .admin = cases[i].name,
			.fingerprint = cases[i].fingerprint, .trust_all = true };
		const struct gpg_recipient *r = NULL;
		struct err e = { 0 };

		assert_false(gpg_find_recipient(*state, &q, &r, &e));
		assert_int_equal(e.kind, ERR_DATA);
		if (!strstr(e.text, cases[i].want))
			fail_msg("%s: %s", cases[i].name, e.text);
	}
}

static void
gpg_find_recipient_not_trusted_needs_lsign_or_trust_all(void **state)
{
	struct gpg_recipient_query q = { .admin = "bob", .fingerprint = bob };
	const struct gpg_recipient *r = NULL;
	struct err e = { 0 };

	import_all();
	assert_false(gpg_find_recipient(*state, &q, &r, &e));
	assert_int_equal(e.kind, ERR_DATA);
	assert_non_null(strstr(e.text, "--lsign-key"));
	assert_int_equal(gpg_home_gpg(NULL, (struct bytes){ 0 }, "--quick-lsign-key", bob, NULL),
	    0);
	assert_true(gpg_find_recipient(*state, &q, &r, &e));
	q.admin = "frank";
	q.fingerprint = frank;
	q.trust_all = true;
	assert_true(gpg_find_recipient(*state, &q, &r, &e));
}

static void
gpg_find_recipient_by_a_subkeys_fingerprint_names_the_right_one(void **state)
{
	AUTO(str_done) struct str list = { 0 };
	AUTO(mem_free_drop) char *sub = NULL;
	struct gpg_recipient_query q = { .admin = "alice" };
	const struct gpg_recipient *r = NULL;
	struct err e = { 0 };

	gpg_home_gpg(&list, (struct bytes){ 0 }, "--with-colons", "--list-keys", alice, NULL);
	sub = mem_strndup(strstr(strstr(list.ptr, "\nsub:"), "fpr:::::::::") + 12, 40);
	q.fingerprint = sub;
	assert_false(gpg_find_recipient(*state, &q, &r, &e));
	assert_int_equal(e.kind, ERR_DATA);
	assert_non_null(strstr(e.text, alice));
}

static void
gpg_find_recipient_whose_key_ends_within_60_days_warns(void **state)
{
	const struct { const char *name, *fingerprint; bool warns; } cases[] = {
		{ "carol", carol, true },
		{ "frank", frank, false },
		{ "bob", bob, false },
	};

	import_all();
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct gpg_recipient_query q = { .admin = cases[i].name,
			.fingerprint = cases[i].fingerprint, .trust_all = true,
			    .warn = note_warning };
		const struct gpg_recipient *r = NULL;
		struct err e = { 0 };

		warned[0] = '\0';
		assert_true(gpg_find_recipient(*state, &q, &r, &e));
		assert_int_equal(strstr(warned, "expires in 30 days") != NULL, cases[i].warns);
	}
}

static void
gpg_find_recipient_disabled_or_revoked_is_refused(void **state)
{
	struct gpg_recipient_query q = { .admin = "frank", .fingerprint = frank,
	    .trust_all = true };
	AUTO(mem_free_drop) char *path = NULL;
	AUTO(str_done) struct str cert = { 0 };
	const struct gpg_recipient *r = NULL;
	struct err e = { 0 };

	import_all();
	gpg_home_gpg(NULL, bytes_of("disable\nquit\n"), "--command-fd", "0", "--edit-key", frank,
	    NULL);
	assert_false(gpg_find_recipient(*state, &q, &r, &e));
	assert_non_null(strstr(e.text, "disabled"));

	path = mem_printf("%s/openpgp-revocs.d/%s.rev", theirs, bob);
	assert_true(file_read_at(-1, path, 1 << 16, &cert, &e));
	*strstr(cert.ptr,
	    ":-----BEGIN") = '\n'; /* the colon keeps it from being used by accident */
	import(&cert);
	q.admin = "bob";
	q.fingerprint = bob;
	assert_false(gpg_find_recipient(*state, &q, &r, &e));
	assert_non_null(strstr(e.text, "revoked"));
}

static void
gpg_is_mine_knows_secret_encryption_subkeys_only(void **state)
{
	AUTO(secret_drop) struct secret *plain = some_plaintext(3);
	AUTO(str_done) struct str text = { 0 };
	struct openpgp_message m;
	struct err e = { 0 };
	bool mine_too = false;

	assert_true(gpg_encrypt(*state, find(*state, "alice", alice), plain, &text, &e));
	assert_true(openpgp_parse(str_bytes(&text), &m, &e));
	assert_true(gpg_is_mine(*state, m.recipients[0].key_id, &mine_too, &e));
	assert_true(mine_too);
	assert_true(gpg_is_mine(*state, strtoull(alice + 24, NULL, 16), &mine_too, &e));
	assert_false(mine_too); /* the primary key only signs */
	assert_true(gpg_is_mine(*state, 0, &mine_too, &e));
	assert_false(mine_too);
	assert_true(gpg_is_mine(*state, 0x0123456789abcdef, &mine_too, &e));
	assert_false(mine_too);
}

static void
gpg_my_keys_lists_those_that_can_decrypt(void **state)
{
	AUTO(argv_done) struct argv keys = { 0 };
	AUTO(str_done) struct str text = { 0 };
	struct err e = { 0 };

	assert_true(gpg_my_keys(*state, &keys, &e));
	assert_int_equal(keys.n, 3);
	assert_true(gpg_export(*state, alice, &text, &e));
	assert_true(str_starts(text.ptr, "-----BEGIN PGP PUBLIC KEY BLOCK-----"));
	assert_false(gpg_export(*state, "0123456789012345678901234567890123456789", &text, &e));
	assert_int_equal(e.kind, ERR_GPG);
}

/* Run gpg on `plain`; the message it makes. */
static void
make_message(const char *how, const char *to, struct bytes plain, struct str *out)
{
	int status;

	if (strcmp(how, "--symmetric") == 0)
		status = gpg_home_gpg(out, plain, "--armor", "--pinentry-mode", "loopback",
		    "--passphrase", "x", "--symmetric", NULL);
	else if (strcmp(how, "--sign") == 0)
		status = gpg_home_gpg(out, plain, "--armor", "--sign", NULL);
	else
		status = gpg_home_gpg(out, plain, "--armor", "--trust-model", "always", "-r", to,
		    how,
		    NULL);
	assert_int_equal(status, 0);
}

/*
 * The limit that a gpg inherits is ours meanwhile, and the kernel counts otherwise than it tells: its
 * signal, sent here by a gpg in front of the real one, must not end us.
 */
static void
gpg_outlives_the_limit_that_it_sets_for_a_child(void **state)
{
	AUTO(mem_free_drop) char *path = mem_printf("%s/gpg", mine);
	AUTO(mem_free_drop) char *script = mem_printf("#!/bin/sh\n"
	    "case $* in *--disable-dirmngr*) kill -XCPU %ld ;; esac\nexec gpg \"$@\"\n", (long)getpid());
	struct sigaction now;

	gpg_home_file("gpg", script);
	assert_int_equal(chmod(path, 0700), 0);
	assert_int_equal(gpgme_set_engine_info(GPGME_PROTOCOL_OpenPGP, path, NULL), 0);
	find(*state, "alice", alice);
	assert_int_equal(gpgme_set_engine_info(GPGME_PROTOCOL_OpenPGP, NULL, NULL), 0);
	assert_int_equal(sigaction(SIGXCPU, NULL, &now), 0);
	assert_true(now.sa_handler == SIG_DFL);
}

static void
gpg_decrypt_of_a_bomb_stops_at_the_cap(void **state)
{
	AUTO(secret_drop) struct secret *plain = secret_new((size_t)48 << 20);
	AUTO(secret_drop) struct secret *out = NULL;
	AUTO(str_done) struct str text = { 0 };
	struct err e = { 0 };

	secret_set_len(plain, (size_t)48 << 20); /* zeros */
	make_message("--encrypt", alice, secret_bytes(plain), &text);
	assert_true(text.len < 200000);
	assert_false(gpg_decrypt(*state, str_bytes(&text), &out, &e));
	assert_int_equal(e.kind, ERR_DATA);
	assert_null(out);
}

static void
gpg_decrypt_of_a_damaged_message_is_data_not_gpg(void **state)
{
	AUTO(secret_drop) struct secret *plain = some_plaintext(5000);
	AUTO(str_done) struct str text = { 0 };

	make_message("--encrypt", alice, secret_bytes(plain), &text);
	for (int i = 0; i < 3; i++) {
		AUTO(str_done) struct str bad = { 0 };
		AUTO(secret_drop) struct secret *out = NULL;
		struct err e = { 0 };

		str_add_bytes(&bad, str_bytes(&text));
		if (i == 0)
			bad.len /= 2;
		else if (i == 1)
			bad.ptr[bad.len / 2] = bad.ptr[bad.len / 2] == 'A' ? 'B' : 'A';
		else
			str_add_bytes(&bad, str_bytes(&text));
		if (gpg_decrypt(*state, str_bytes(&bad), &out, &e))
			fail_msg("%d went through", i);
		if (e.kind != ERR_DATA)
			fail_msg("%d: %s", i, e.text);
		assert_null(out);
	}
}

static void
gpg_decrypt_of_anothers_message_says_that_the_key_is_not_here(void **state)
{
	AUTO(secret_drop) struct secret *out = NULL;
	AUTO(str_done) struct str text = { 0 };
	struct err e = { 0 };

	import_all();
	make_message("--encrypt", carol, bytes_of("hello"), &text);
	assert_false(gpg_decrypt(*state, str_bytes(&text), &out, &e));
	assert_int_equal(e.kind, ERR_KEY);
	assert_non_null(strstr(e.text, "not on this machine"));
}

static void
gpg_decrypt_when_pinentry_gives_nothing_says_why(void **state)
{
	static const struct { const char *answer, *want; enum err_kind kind; } cases[] = {
		{ "D right\nOK\n", NULL, ERR_NONE },
		{ "D wrong\nOK\n", "was wrong", ERR_GPG },
		{ "ERR 83886179 Operation cancelled\n", "cancelled", ERR_GPG },
		{ "ERR 83886142 Timeout\n", "nobody answered", ERR_GPG },
		{ "ERR 83918950 Inappropriate ioctl for device\n", "GPG_TTY", ERR_GPG },
		{ "KILL\n", "interrupted", ERR_CANCELLED },
		{ NULL, "install a pinentry", ERR_GPG },
	};
	char *home = gpg_home_new_with_pinentry("gina");
	const char *const stop[] = { "gpgconf", "--homedir", home, "--kill", "gpg-agent", NULL };
	AUTO(str_done) struct str text = { 0 };

	(void)state;
	make_message("--encrypt", "gina", bytes_of("hello"), &text);
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(secret_drop) struct secret *out = NULL;
		AUTO(gpg_drop) struct gpg *g = NULL;
		struct err e = { 0 };

		gpg_home_file("answer", cases[i].answer ? cases[i].answer : "");
		if (!cases[i].answer) {
			gpg_home_file("gpg-agent.conf", "pinentry-program /nonexistent\n");
			assert_int_equal(gpg_home_run(stop, (struct bytes){ 0 }, NULL), 0);
		}
		assert_true(gpg_new(&g, &e));
		if (gpg_decrypt(g, str_bytes(&text), &out, &e) != !cases[i].want)
			fail_msg("%zu: %s", i, e.text);
		if (e.kind != cases[i].kind || (cases[i].want && !strstr(e.text, cases[i].want)))
			fail_msg("%zu: %s", i, e.text);
	}
	gpg_home_free(home);
}

/* What is packed into a message is read, whatever gpg.conf had it packed with. */
static void
gpg_decrypt_of_what_is_compressed_or_signed_gives_the_text(void **state)
{
	static const char *const options[] = { "--compress-algo=none", "--compress-algo=zip",
	    "--compress-algo=zlib", "--compress-algo=bzip2", "--sign" };
	AUTO(secret_drop) struct secret *plain = some_plaintext(300000);

	for (size_t i = 0; i < COUNT(options); i++) {
		AUTO(secret_drop) struct secret *out = NULL;
		AUTO(str_done) struct str text = { 0 };
		struct err e = { 0 };

		assert_int_equal(gpg_home_gpg(&text, secret_bytes(plain), "--armor",
		    "--trust-model", "always", "-r", alice, "--encrypt", options[i], NULL), 0);
		if (!gpg_decrypt(*state, str_bytes(&text), &out, &e))
			fail_msg("%s: %s", options[i], e.text);
		if (!secret_equal(plain, out))
			fail_msg("%s: another text, %zu bytes", options[i], secret_bytes(out).len);
		assert_true(secret_equal(plain, out));
	}
}

/* Somebody who may write to keys/ makes nobody type a passphrase. */
static void
gpg_decrypt_of_a_message_in_a_message_asks_for_my_key_alone(void **state)
{
	char *home = gpg_home_new_with_pinentry("gina");
	AUTO(mem_free_drop) char *prompts = mem_printf("%s/prompts", home);

	(void)state;
	gpg_home_file("answer", "D right\nOK\n");
	for (int i = 0; i < 3; i++) {
		AUTO(secret_drop) struct secret *out = NULL;
		AUTO(str_done) struct str inner = { 0 }, text = { 0 }, asked = { 0 };
		AUTO(gpg_drop) struct gpg *g = NULL;
		struct err e = { 0 };

		/* to a password, to my own key, and a password once more inside a compressed one */
		assert_int_equal(i == 1
		    ? gpg_home_gpg(&inner, bytes_of("hello"), "--trust-model", "always", "-r",
			  "gina", "--encrypt", NULL)
		    : gpg_home_gpg(&inner, bytes_of("hello"), "--pinentry-mode", "loopback",
			  "--passphrase", "x", "--symmetric", NULL), 0);
		assert_int_equal(gpg_home_gpg(&text, str_bytes(&inner), "--armor", "--trust-model",
		    "always", "--no-literal", "--compress-algo", i == 2 ? "zip" : "none", "-r",
		    "gina", "--encrypt", NULL), 0);
		gpg_home_file("prompts", "");
		assert_true(gpg_new(&g, &e));
		assert_false(gpg_decrypt(g, str_bytes(&text), &out, &e));
		if (e.kind != ERR_DATA || !strstr(e.text, "inside the message"))
			fail_msg("%d: %s", i, e.text);
		assert_true(file_read_at(-1, prompts, 100, &asked, &e));
		assert_string_equal(str_text(&asked), "x\n");
	}
	gpg_home_free(home);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(gpg_encrypt_then_decrypt_gives_the_same_bytes),
		TEST(gpg_encrypt_to_any_kind_of_key_has_one_length),
		TEST(gpg_encrypt_with_lines_in_gpg_conf_is_to_the_recipient_alone_or_fails),
		TEST(gpg_encrypt_twice_is_two_encryptions),
		TEST(gpg_find_recipient_not_in_keyring_imports_the_one_key_of_users),
		TEST(gpg_find_recipient_with_a_wrong_public_key_imports_nothing),
		TEST(gpg_my_keys_lists_those_that_can_decrypt),
		TEST(gpg_find_recipient_of_a_key_that_cannot_be_used_says_why),
		TEST(gpg_find_recipient_by_a_subkeys_fingerprint_names_the_right_one),
		TEST(gpg_find_recipient_whose_key_ends_within_60_days_warns),
		TEST(gpg_find_recipient_not_trusted_needs_lsign_or_trust_all),
		TEST(gpg_is_mine_knows_secret_encryption_subkeys_only),
		TEST(gpg_outlives_the_limit_that_it_sets_for_a_child),
		TEST(gpg_decrypt_of_a_bomb_stops_at_the_cap),
		TEST(gpg_decrypt_of_a_damaged_message_is_data_not_gpg),
		TEST(gpg_decrypt_of_anothers_message_says_that_the_key_is_not_here),
		TEST(gpg_find_recipient_disabled_or_revoked_is_refused),
		TEST(gpg_decrypt_when_pinentry_gives_nothing_says_why),
		TEST(gpg_decrypt_of_what_is_compressed_or_signed_gives_the_text),
		TEST(gpg_decrypt_of_a_message_in_a_message_asks_for_my_key_alone),
	};

	return cmocka_run_group_tests(tests, group_set_up, group_tear_down);
}
