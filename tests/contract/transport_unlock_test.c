/* SPDX-License-Identifier: MIT */
/*
 * unlock: which encrypted key files are asked for, with a real agent; and that a key that was unlocked
 * once logs in at many hosts. Built with AddressSanitizer and with ThreadSanitizer.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/secret.h"
#include "tests/contract/ssh_case.h"

#define THREADS 16

static int
begin_locked(void **state)
{
	begin(state);
	pool = pool_new();
	sshd_shell(&server, "rm -rf locked* home; for k in locked locked_pem; do f=; "
			    "[ $k = locked ] || f='-m PEM'; "
			    "ssh-keygen -q -t rsa -b 2048 $f -N secret -C $k -f $k; done; "
			    "ssh-keygen -q -t ed25519 -N secret -C locked_ed -f locked_ed; "
			    "cat id.pub locked_ed.pub >authorized_keys");
	return 0;
}

static int
end_locked(void **state)
{
	pool_free(pool);
	pool = NULL;
	sshd_shell(&server, "cp id.pub authorized_keys");
	return end(state);
}

/* The names of the files that are to be asked for, with a blank between; in a new pool. */
static void
assert_wanted(const char *want, const char *const *hosts)
{
	AUTO(argv_done) struct argv files = { 0 };
	AUTO(str_done) struct str names = { 0 };
	struct transport_spec specs[4] = { 0 };
	size_t n = 0;

	pool_free(pool);
	pool = pool_new();
	for (; hosts[n]; n++)
		specs[n] = (struct transport_spec){ .address = hosts[n], .user = server.user };
	pool_locked_keys(pool, specs, n, &files);
	for (size_t i = 0; i < files.n; i++)
		str_addf(&names, "%s%s", i > 0 ? " " : "", strrchr(files.at[i], '/') + 1);
	assert_string_equal(str_text(&names), want);
}

#define HOSTS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void
unlock_asks_for_what_is_configured_and_encrypted(void **state)
{
	(void)state;
	sshd_config(&server, "Host a b\nIdentityFile %D/id\nIdentityFile %D/locked\nHost b c\n"
			     "IdentityFile %D/locked_pem\nHost d\nIdentityFile %D/missing\n"
			     "IdentityFile %D/known_hosts\n");
	assert_wanted("locked", HOSTS("a"));
	assert_wanted("locked locked_pem", HOSTS("a", "b", "c"));
	assert_wanted("locked_pem", HOSTS("c"));
	assert_wanted("", HOSTS("d"));
}

static void
unlock_asks_for_those_of_jump_hosts(void **state)
{
	(void)state;
	sshd_config(&server, "Host web1\nIdentityFile %D/id\nProxyJump inner\n"
			     "Host inner\nIdentityFile %D/locked\nProxyJump root@outer:22\n"
			     "Host outer\nIdentityFile %D/locked_ed\nProxyJump inner\n"
			     "Host web2\nIdentityFile %D/id\nProxyJump other,last\n"
			     "Host other last\nIdentityFile %D/locked_pem\n");
	assert_wanted("locked locked_ed", HOSTS("web1"));
	assert_wanted("locked_pem", HOSTS("web2"));
}

static void
unlock_asks_for_nothing_that_the_agent_holds(void **state)
{
	struct agent a = agent_start();

	(void)state;
	sshd_shell(&server, "cp id other; ssh-add -q other");
	sshd_config(&server, "Host *\nIdentityFile %D/locked_ed\nIdentityFile %D/locked\n");
	assert_wanted("locked_ed locked", HOSTS("web1"));
	/* the key without its passphrase: what ssh-add has made of it */
	sshd_shell(&server, "cp locked_ed bare; ssh-keygen -q -p -P secret -N '' -f bare >/dev/null; "
			    "ssh-add -q bare");
	assert_wanted("locked", HOSTS("web1"));
	sshd_config(&server, "Host *\nIdentityAgent none\nIdentityFile %D/locked_ed\n");
	assert_wanted("locked_ed", HOSTS("web1"));
	agent_end(&a);
}

/* What ssh tries by itself is asked for only where there is nothing else. */
static void
unlock_asks_for_default_files_only_for_want_of_others(void **state)
{
	struct agent a;

	(void)state;
	sshd_shell(&server, "mkdir -p home/.ssh; cp locked home/.ssh/id_rsa; "
			    "cp locked.pub home/.ssh/id_rsa.pub");
	sshd_config(&server, "Host plain\nIdentityFile %D/id\n"
			     "Host *\nIdentityFile %D/home/.ssh/id_rsa\n");
	assert_wanted("id_rsa", HOSTS("web1"));
	assert_wanted("", HOSTS("plain"));
	a = agent_start();
	assert_wanted("id_rsa", HOSTS("web1"));
	sshd_shell(&server, "ssh-add -q id");
	assert_wanted("", HOSTS("web1"));
	sshd_config(&server, "Host *\nIdentitiesOnly yes\nIdentityFile %D/home/.ssh/id_rsa\n");
	assert_wanted("id_rsa", HOSTS("web1"));
	agent_end(&a);
}

static bool
unlock(const char *name, const char *passphrase, struct err *e)
{
	AUTO(mem_free_drop) char *path = mem_printf("%s/%s", server.dir, name);
	AUTO(secret_drop) struct secret *s = secret_from(bytes_of(passphrase));

	return pool_unlock(pool, path, s, e);
}

static void
unlock_with_the_passphrase_logs_in_many(void **state)
{
	struct err e = { 0 };

	(void)state;
	sshd_config(&server, "Host *\nIdentityFile %D/locked_ed\n" PLACE);
	assert_fails("web1", CONNECT_MS, "passphrase needed, so first: ssh-add ", "/locked_ed");
	assert_false(unlock("locked_ed", "wrong", &e));
	assert_int_equal(e.kind, ERR_KEY);
	assert_says(&e, "does not open");
	assert_null(strstr(e.text, "wrong"));
	assert_fails("web1", CONNECT_MS, "passphrase needed, so first: ssh-add ", "/locked_ed");
	assert_true(unlock("locked_ed", "secret", &e));
	assert_many_run(THREADS);
}

static void
unlock_works_for_pem_and_with_a_certificate(void **state)
{
	struct err e = { 0 };

	(void)state;
	sshd_shell(&server, "cat locked_pem.pub >authorized_keys");
	sshd_config(&server, "Host *\nIdentityFile %D/locked_pem\n" PLACE);
	assert_true(unlock("locked_pem", "secret", &e));
	assert_connects("web1");
	sshd_shell(&server, "ssh-keygen -q -t ed25519 -N '' -f authority <<.\ny\n.\n"
			    "ssh-keygen -q -s authority -I guest -n %s locked_pem.pub 2>/dev/null; "
			    "echo \"cert-authority $(cat authority.pub)\" >authorized_keys",
	    server.user);
	assert_connects("web1");
	assert_connects("web1"); /* what is shared has not got the certificate */
	sshd_shell(&server, "rm locked_pem-cert.pub; cat locked_pem.pub >authorized_keys");
	assert_connects("web1");
}

/* ssh -G is not asked twice for what was asked for before. */
static void
unlock_asks_ssh_for_its_settings_once(void **state)
{
	struct err e = { 0 };

	(void)state;
	sshd_config(&server, "Host *\nIdentityFile %D/locked_ed\n" PLACE);
	assert_wanted("locked_ed", HOSTS("web1"));
	sshd_config(&server, "Host *\nPort 1\n");
	assert_true(unlock("locked_ed", "secret", &e));
	assert_connects("web1");
}

#define CASE(name) cmocka_unit_test_setup_teardown(unlock_##name, begin_locked, end_locked)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(asks_for_what_is_configured_and_encrypted),
		CASE(asks_for_those_of_jump_hosts),
		CASE(asks_for_nothing_that_the_agent_holds),
		CASE(asks_for_default_files_only_for_want_of_others),
		CASE(with_the_passphrase_logs_in_many),
		CASE(works_for_pem_and_with_a_certificate),
		CASE(asks_ssh_for_its_settings_once),
	};
	int failed;

	signal(SIGPIPE, SIG_IGN);
	sshd_start(&server, NULL);
	failed = cmocka_run_group_tests_name("unlock", tests, NULL, NULL);
	sshd_stop(&server);
	return failed;
}
