/* SPDX-License-Identifier: MIT */
/* gpg_sign: signatures made and judged by the real gpg, with keys made here. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <setjmp.h>
#include <cmocka.h>
#include "base/clock.h"
#include "base/mem.h"
#include "gpg_home.h"
#include "keystore/gpg.h"

static char *mine, *theirs; /* homes */
static char *alice, *rsa;   /* fingerprints in mine */
static char *bob, *dora;    /* in theirs; dora's expires once */

struct world {
	struct gpg *g;
	struct str signature, public_key;
	struct err e;
};

static int
group_set_up(void **state)
{
	(void)state;
	theirs = gpg_home_new();
	bob = gpg_home_make_key("bob", "cv25519", "0");
	dora = gpg_home_make_key("dora", "cv25519", "0");
	mine = gpg_home_new();
	alice = gpg_home_make_key("alice", "cv25519", "0");
	rsa = gpg_home_make_key("rsa", "rsa2048", "0");
	return 0;
}

static int
group_tear_down(void **state)
{
	char *all[] = { alice, rsa, bob, dora };

	(void)state;
	gpg_home_free(mine);
	gpg_home_free(theirs);
	for (size_t i = 0; i < COUNT(all); i++)
		free(all[i]);
	return 0;
}

/* The gpg of the home that is current. */
static int
set_up(void **state)
{
	struct world *w = mem_alloc(1, sizeof(*w));

	gpg_home_use(mine);
	gpg_home_conf("");
	assert_true(gpg_new(&w->g, &w->e));
	*state = w;
	return 0;
}

static int
tear_down(void **state)
{
	struct world *w = *state;

	gpg_free(w->g);
	str_done(&w->signature);
	str_done(&w->public_key);
	free(w);
	return 0;
}

/* gpg itself, in the current home, signs as `who`, with these further words. */
static void
sign_by_hand(struct world *w, const char *who, const char *text, const char *word)
{
	str_clear(&w->signature);
	assert_int_equal(gpg_home_gpg(&w->signature, bytes_of(text), "--armor", "--local-user", who,
			     "--detach-sign", word, NULL), 0);
}

static bool
verify(struct world *w, const char *fingerprint, const char *text, double *out_time)
{
	const struct gpg_recipient_query by = { .admin = "bob", .fingerprint = fingerprint,
		.public_key = w->public_key.ptr };

	w->e = (struct err){ 0 };
	return gpg_verify(w->g, &by, bytes_of(text), str_bytes(&w->signature), out_time, &w->e);
}

static void
refuses(struct world *w, const char *fingerprint, const char *text, const char *why)
{
	double time = 0.0;

	assert_false(verify(w, fingerprint, text, &time));
	assert_int_equal(w->e.kind, ERR_DATA);
	if (!strstr(w->e.text, why))
		fail_msg("no \"%s\" in: %s", why, w->e.text);
}

static void
signature_of_mine_is_good_for_its_text_and_key_alone(void **state)
{
	struct world *w = *state;
	const char *const keys[] = { alice, rsa };

	for (size_t i = 0; i < COUNT(keys); i++) {
		double time = 0.0, now = clock_unix();

		assert_true(gpg_sign(w->g, keys[i], bytes_of("a text\n"), &w->signature, &w->e));
		assert_true(verify(w, keys[i], "a text\n", &time));
		assert_true(time > now - 100 && time < now + 100);
		refuses(w, keys[i], "a text", "does not fit");
		refuses(w, keys[1 - i], "a text\n", "another key");
	}
}

static void
signature_of_a_colleague_is_judged_by_his_key_from_keys_public(void **state)
{
	struct world *w = *state;
	double time = 0.0;

	gpg_home_use(theirs);
	sign_by_hand(w, bob, "text", "-");
	assert_int_equal(gpg_home_gpg(&w->public_key, (struct bytes){ 0 }, "--armor", "--export", bob, NULL), 0);
	gpg_home_use(mine);
	refuses(w, alice, "text", "another key");
	refuses(w, dora, "text", "cannot be checked"); /* keys/public holds another one */
	assert_true(verify(w, bob, "text", &time));
	str_clear(&w->public_key);
	assert_true(verify(w, bob, "text", &time)); /* in the keyring by now */
}

/* While the key lasts its signatures are good, and no longer. */
static void
signature_by_a_key_that_has_ended_is_refused(void **state)
{
	const struct timespec pause = { .tv_nsec = 100000000 };
	struct world *w = *state;
	double time = 0.0;
	int tries = 100;

	gpg_home_use(theirs);
	sign_by_hand(w, dora, "text", "-");
	assert_int_equal(gpg_home_gpg(NULL, (struct bytes){ 0 }, "--quick-set-expire", dora, "seconds=3", NULL), 0);
	assert_int_equal(gpg_home_gpg(&w->public_key, (struct bytes){ 0 }, "--armor", "--export", dora, NULL), 0);
	gpg_home_use(mine);
	while (verify(w, dora, "text", &time) && tries-- > 0)
		nanosleep(&pause, NULL);
	refuses(w, dora, "text", "expired");
}

static void
what_is_no_signature_is_not_shown_to_gpg(void **state)
{
	struct world *w = *state;
	AUTO(mem_free_drop) char *one = NULL;

	str_add(&w->signature, "-----BEGIN PGP SIGNATURE-----\n\nabcd\n-----END PGP SIGNATURE-----\n");
	refuses(w, alice, "text", "cannot be checked");
	sign_by_hand(w, alice, "text", "-");
	one = mem_strdup(w->signature.ptr);
	str_add(&w->signature, one); /* two of them */
	refuses(w, alice, "text", "cannot be checked");
	str_clear(&w->signature);
	assert_int_equal(gpg_home_gpg(&w->signature, bytes_of("text"), "--armor", "--local-user", alice,
			     "--local-user", rsa, "--detach-sign", NULL), 0);
	refuses(w, alice, "text", "cannot be checked");
}

static void
key_that_cannot_sign_gives_no_signature_and_no_error(void **state)
{
	struct world *w = *state;

	str_add(&w->signature, "rest");
	assert_true(gpg_sign(w->g, "0123456789ABCDEF0123456789ABCDEF01234567", bytes_of("text"),
	    &w->signature, &w->e));
	assert_int_equal(w->signature.len, 0);
}

static void
gpg_conf_that_adds_a_signer_is_refused(void **state)
{
	struct world *w = *state;
	AUTO(mem_free_drop) char *conf = mem_printf("local-user %s\n", rsa);

	gpg_home_conf(conf);
	assert_false(gpg_sign(w->g, alice, bytes_of("text"), &w->signature, &w->e));
	assert_int_equal(w->e.kind, ERR_DATA);
	assert_non_null(strstr(w->e.text, "local-user"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(signature_of_mine_is_good_for_its_text_and_key_alone),
		TEST(signature_of_a_colleague_is_judged_by_his_key_from_keys_public),
		TEST(signature_by_a_key_that_has_ended_is_refused),
		TEST(what_is_no_signature_is_not_shown_to_gpg),
		TEST(key_that_cannot_sign_gives_no_signature_and_no_error),
		TEST(gpg_conf_that_adds_a_signer_is_refused),
	};

	return cmocka_run_group_tests(tests, group_set_up, group_tear_down);
}
