/* SPDX-License-Identifier: MIT */
/*
 * ssh_configs, over the real ssh: what one host's answer is for another must be what ssh says of that
 * one itself, and ssh is started once for all that are alike. Each host is asked for twice: by
 * itself, and after the others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>
#include "base/clock.h"
#include "base/file.h"
#include "tests/unit/temp_dir.h"
#include "transport/pool.h"
#include "transport/ssh_config.h"
#include "transport/ssh_configs.h"
#include "transport/transport.h"

static char dir[TEMP_DIR_BYTES];
static char *path; /* PATH as it was */

static const char *const names[] = { "web1", "web2", "WEB3", "web4.colo", "db.colo", "bastion",
	"10.0.0.1", "10.0.0.2", "127.1", "010.0.0.1", "alias" };

static void
put(const char *name, const char *text)
{
	AUTO(mem_free_drop) char *file = mem_printf("%s/%s", dir, name);
	FILE *f = fopen(file, "w");

	assert_non_null(f);
	assert_int_equal(fputs(text, f) < 0, 0);
	assert_int_equal(fclose(f), 0);
}

/* ssh is a wrapper that reads DIR/config and adds a byte to DIR/runs; at a host named stuck it hangs. */
static int
begin(void **state)
{
	AUTO(mem_free_drop) char *wrapper = NULL, *with = NULL, *script = NULL;

	(void)state;
	if (temp_dir_make(dir) != 0)
		return -1;
	path = mem_strdup(getenv("PATH"));
	script = mem_printf("#!/bin/sh\nprintf x >>%s/runs\nPATH='%s'\n"
			    "case \"$*\" in *stuck) sleep 60 ;; esac\n"
			    "exec ssh -F %s/config \"$@\"\n", dir, path, dir);
	put("ssh", script);
	wrapper = mem_printf("%s/ssh", dir);
	with = mem_printf("%s:%s", dir, path);
	return chmod(wrapper, 0755) != 0 || setenv("PATH", with, 1) != 0;
}

static int
end(void **state)
{
	(void)state;
	setenv("PATH", path, 1);
	free(path);
	return temp_dir_remove(dir);
}

static size_t
runs(void)
{
	AUTO(mem_free_drop) char *file = mem_printf("%s/runs", dir);
	struct stat st;

	return stat(file, &st) == 0 ? (size_t)st.st_size : 0;
}

static void
tell_list(struct str *out, const char *what, const struct argv *list)
{
	for (size_t i = 0; i < list->n; i++)
		str_addf(out, "%s %s\n", what, list->at[i]);
}

/* All that it says, or the error. */
static void
tell(struct ssh_configs *all, const char *address, const char *user, unsigned port, struct str *out)
{
	const struct transport_spec spec = { .address = address, .user = user, .port = port };
	AUTO(ssh_config_done) struct ssh_config c = { 0 };
	struct err e = { 0 };

	if (!ssh_configs_ask(all, &spec, &c, &e)) {
		str_add(out, e.text);
		return;
	}
	const char *const texts[] = { c.hostname, c.user, c.host_key_alias, c.proxy_jump,
		c.proxy_command, c.identity_agent, c.ciphers, c.kex_algorithms };

	for (size_t i = 0; i < COUNT(texts); i++)
		str_addf(out, "%zu %s\n", i, texts[i] ? texts[i] : "-");
	str_addf(out, "%u %d %lld %d%d%d%d\n", c.port, c.family, (long long)c.connect_ms,
	    c.identities_only, c.verify_by_dns, c.gssapi, c.hash_known_hosts);
	tell_list(out, "identity", &c.identity_files);
	tell_list(out, "certificate", &c.certificate_files);
	tell_list(out, "known", &c.known_hosts_files);
	tell_list(out, "revoked", &c.revoked_host_keys);
	tell_list(out, "unsupported", &c.unsupported);
}

/* Returns how often ssh was started for all names together. */
static size_t
assert_same(const char *config)
{
	AUTO(str_done) struct str all = { 0 };
	struct ssh_configs together;
	size_t before = runs(), count;

	put("config", config);
	ssh_configs_init(&together);
	for (size_t i = 0; i < COUNT(names); i++)
		tell(&together, names[i], NULL, 0, &all);
	count = runs() - before;
	for (size_t i = 0; i < COUNT(names); i++) {
		AUTO(str_done) struct str shared = { 0 }, own = { 0 };
		struct ssh_configs alone;

		ssh_configs_init(&alone);
		tell(&together, names[i], NULL, 0, &shared);
		tell(&alone, names[i], NULL, 0, &own);
		if (!str_equal(str_text(&shared), str_text(&own)))
			fail_msg("%s in \"%s\": shared: %s, own: %s", names[i], config,
			    str_text(&shared), str_text(&own));
		ssh_configs_done(&alone);
	}
	ssh_configs_done(&together);
	return count;
}

#define ODD 2 /* 127.1 and 010.0.0.1 are for ssh to read */

static void
ssh_configs_hosts_that_are_alike_cost_one_start(void **state)
{
	static const struct {
		const char *config;
		size_t runs;
	} cases[] = {
		{ "", 1 + ODD },
		{ "Host *\nUser me\nPort 2222\nIdentityFile ~/.ssh/colo\nControlPath ~/%C\n", 1 + ODD },
		{ "Host web*\nUser me\nHost *\nPort 3\n", 2 + ODD },
		{ "Host *.colo !db*\nProxyCommand nc %h %p\nHost 10.*\nHostKeyAlias lan\n", 3 + ODD },
		{ "Host alias\nHostName db.example\nHost *\nCompression yes\n", 2 + ODD },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t n = assert_same(cases[i].config);

		if (n != cases[i].runs)
			fail_msg("\"%s\" costs %zu starts", cases[i].config, n);
	}
}

static void
ssh_configs_what_ssh_alone_knows_is_asked_of_ssh(void **state)
{
	static const char *const configs[] = {
		"Match host web*\nUser me\n",
		"Host web*\nHostName %h.example\n",
		"Host *\nIdentityFile ~/.ssh/%h\nUserKnownHostsFile ~/known.%h\nHostKeyAlias x-%h\n",
		"CanonicalizeHostname yes\nCanonicalDomains localdomain\nCanonicalizeMaxDots 3\n",
		"Host \"web1\" web2\nUser me\n",
		"NoSuchThing yes\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(configs); i++)
		assert_int_equal(assert_same(configs[i]), COUNT(names));
	/* one of them has what looks like the name of another; one is its own jump host */
	assert_same("Host web*\nHostName web1\n");
	assert_same("Host web1 alias\nHostName WEB1\n");
	assert_same("Host *\nProxyJump me@bastion:22\n");
	assert_same("Host *\nProxyJump db.colo,web1\n");
}

static void
ssh_configs_included_files_count(void **state)
{
	AUTO(mem_free_drop) char *config = mem_printf(
	    "Host web*\nInclude %s/*.conf\nHost *\nInclude %s/all\n", dir, dir);

	(void)state;
	put("one.conf", "Host web1 db*\nUser me\n");
	put("all", "Port 77\nHost bastion\nUser b\n");
	assert_int_equal(assert_same(config), 5 + ODD); /* web1, other web*, db, bastion, the rest */
	put("two.conf", "Match user x\nPort 1\n");
	assert_int_equal(assert_same(config), COUNT(names));
}

static void
ssh_configs_user_and_port_are_asked_for_apart(void **state)
{
	AUTO(str_done) struct str out = { 0 };
	struct ssh_configs all;

	(void)state;
	put("config", "Host *\nUser me\n");
	ssh_configs_init(&all);
	tell(&all, "web1", NULL, 0, &out);
	assert_non_null(strstr(str_text(&out), "1 me\n"));
	str_clear(&out);
	tell(&all, "web2", "root", 22, &out);
	assert_non_null(strstr(str_text(&out), "0 web2\n1 root\n"));
	str_clear(&out);
	tell(&all, "web3", "root", 2222, &out);
	assert_non_null(strstr(str_text(&out), "\n2222 "));
	ssh_configs_done(&all);
}

static bool
asks(struct ssh_configs *all, const char *address)
{
	const struct transport_spec spec = { .address = address };
	AUTO(ssh_config_done) struct ssh_config c = { 0 };

	return ssh_configs_ask(all, &spec, &c, NULL) && c.port == 77;
}

static void *
ask_one(void *arg)
{
	return asks(arg, "web1") ? NULL : arg;
}

static void *
ask_stuck(void *arg)
{
	return asks(arg, "stuck") ? NULL : arg;
}

static void
ssh_configs_many_at_once_wait_for_the_first(void **state)
{
	pthread_t threads[8];
	struct ssh_configs all;
	void *failed = NULL;

	(void)state;
	put("config", "Host *\nPort 77\n");
	ssh_configs_init(&all);
	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask_one, &all), 0);
	for (size_t i = 0; i < COUNT(threads); i++) {
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	ssh_configs_done(&all);
	assert_int_equal(runs(), 1);
}

/* Ten seconds are promised for one's own, five for others'; both with room for a busy machine. */
static void
ssh_configs_an_ssh_that_hangs_holds_up_others_for_less_than_its_deadline(void **state)
{
	const struct transport_spec stuck = { .address = "stuck" };
	AUTO(ssh_config_done) struct ssh_config c = { 0 };
	struct ssh_configs all;
	struct err e = { 0 };
	pthread_t first;
	void *failed = NULL;
	int64_t start = clock_ms();

	(void)state;
	put("config", "Host *\nPort 77\n");
	ssh_configs_init(&all);
	assert_int_equal(pthread_create(&first, NULL, ask_stuck, &all), 0);
	while (runs() == 0)
		assert_true(clock_ms() < start + 5000);
	assert_null(ask_one(&all));
	assert_in_range(clock_ms() - start, 4000, 9000);
	assert_int_equal(pthread_join(first, &failed), 0);
	assert_non_null(failed);
	assert_in_range(clock_ms() - start, 9000, 14000);
	start = clock_ms();
	assert_false(ssh_configs_ask(&all, &stuck, &c, &e)); /* the first turn is over, its kind's is not */
	assert_int_equal(e.kind, ERR_HOST);
	assert_non_null(strstr(e.text, "ssh -G stuck hangs"));
	assert_in_range(clock_ms() - start, 9000, 14000);
	ssh_configs_done(&all);
}

static void
ssh_configs_what_was_refused_is_not_asked_for_again(void **state)
{
	const struct transport_spec specs[] = { { .address = "web1" }, { .address = "web2" } };
	struct pool *pool = pool_new();
	struct err e = { 0 };

	(void)state;
	put("config", "NoSuchThing yes\n");
	pool_ask_all(pool, specs, COUNT(specs));
	assert_int_equal(runs(), COUNT(specs));
	assert_null(pool_settings(pool, &specs[1], &e));
	assert_int_equal(e.kind, ERR_HOST);
	assert_non_null(strstr(e.text, "ssh -G refuses web2: "));
	assert_int_equal(runs(), COUNT(specs));
	pool_free(pool);
}

#define CASE(name) cmocka_unit_test_setup_teardown(ssh_configs_##name, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(hosts_that_are_alike_cost_one_start),
		CASE(what_ssh_alone_knows_is_asked_of_ssh),
		CASE(included_files_count),
		CASE(user_and_port_are_asked_for_apart),
		CASE(many_at_once_wait_for_the_first),
		CASE(an_ssh_that_hangs_holds_up_others_for_less_than_its_deadline),
		CASE(what_was_refused_is_not_asked_for_again),
	};

	return cmocka_run_group_tests_name("ssh_configs", tests, NULL, NULL);
}
