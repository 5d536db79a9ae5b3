/* SPDX-License-Identifier: MIT */
/*
 * jump: hosts behind jump hosts, all of them real sshds: one login for many, what is refused, what
 * dies, what is slow. Built with AddressSanitizer and with ThreadSanitizer.
 */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/clock.h"
#include "base/file.h"
#include "tests/contract/ssh_case.h"
#include "tests/contract/transport_contract.h"

#define HOSTS 20

/* The jump host is `server`; web1 and all others are this one. */
static struct sshd target;

#define KEYS                                                                                       \
	"Host *\nHostName 127.0.0.1\nIdentityFile %D/id\nHostKeyAlias all\n"                       \
	"UserKnownHostsFile %D/known_hosts\nGlobalKnownHostsFile none\n"

/* Where something listens and says nothing. */
static unsigned silent;

/*
 * DIR/config: these lines, with "%Q" for the target's port and "%S" for the silent one, before what
 * all hosts have. And a new pool: no transport may be left of the old one.
 */
static void
config(const char *lines)
{
	AUTO(str_done) struct str text = { 0 };

	for (const char *p = lines; *p; p++) {
		if (str_starts(p, "%Q") || str_starts(p, "%S")) {
			str_addf(&text, "%u", p[1] == 'Q' ? target.port : silent);
			p++;
		} else {
			str_add_char(&text, *p);
		}
	}
	str_add(&text, KEYS);
	pool_free(pool); /* it would remember the last ones */
	pool = pool_new();
	sshd_config(&server, str_text(&text));
	sshd_known_hosts(&server, "all %E\n");
}

#define BASTION "Host bastion\nPort %P\n"
#define BEHIND "Host web* h* slow*\nPort %Q\nProxyJump bastion\n"

static int
begin_pool(void **state)
{
	begin(state);
	config(BASTION BEHIND);
	return 0;
}

static int
end_pool(void **state)
{
	pool_free(pool);
	pool = NULL;
	return end(state);
}

static size_t
logins(void)
{
	return sshd_count(&server, "Accepted publickey");
}

struct worker {
	pthread_t thread;
	char name[32];
	struct transport *t;
	int64_t connect_ms, took_ms;
	bool ok;
	struct err e;
};

static void *
connect_one(void *arg)
{
	struct worker *w = arg;
	int64_t start = clock_ms();

	w->t = make_to(w->name, w->connect_ms);
	w->ok = transport_connect(w->t, &w->e);
	w->took_ms = clock_ms() - start;
	return NULL;
}

static void
start(struct worker *w, const char *prefix, int number, int64_t connect_ms)
{
	*w = (struct worker){ .connect_ms = connect_ms };
	snprintf(w->name, sizeof(w->name), "%s%d", prefix, number);
	assert_int_equal(pthread_create(&w->thread, NULL, connect_one, w), 0);
}

static void
join(struct worker *w)
{
	pthread_join(w->thread, NULL);
}

static void
connect_all(struct worker *all, size_t n, int64_t connect_ms)
{
	for (size_t i = 0; i < n; i++)
		start(&all[i], "h", (int)i, connect_ms);
	for (size_t i = 0; i < n; i++)
		join(&all[i]);
}

static void
assert_all_ok(const struct worker *all, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!all[i].ok)
			fail_msg("%s: %s", all[i].name, all[i].e.text);
}

static void
free_all(struct worker *all, size_t n)
{
	for (size_t i = 0; i < n; i++)
		transport_free(all[i].t);
}

static void *
echo_one(void *arg)
{
	struct worker *w = arg;
	const char *const argv[] = { "cat", NULL };
	AUTO(mem_free_drop) char *big = mem_alloc(4, 1 << 20);
	const struct bytes input = { big, (size_t)4 << 20 };
	AUTO(proc_result_done) struct proc_result r = { 0 };
	const struct proc_command c = { .argv = argv, .input = &input, .n_input = 1,
		.cap = (size_t)5 << 20 };

	memset(big, w->name[1], input.len);
	w->ok = transport_run(w->t, &c, &r, &w->e) && r.end == PROC_EXITED && r.code == 0 &&
	    r.out.len == input.len && memcmp(r.out.ptr, big, input.len) == 0;
	return NULL;
}

/* Much of it, both ways, all at once. */
static void
echo_all(struct worker *all, size_t n)
{
	for (size_t i = 0; i < n; i++)
		pthread_create(&all[i].thread, NULL, echo_one, &all[i]);
	for (size_t i = 0; i < n; i++)
		join(&all[i]);
	assert_all_ok(all, n);
}

static void
jump_many_hosts_cost_one_login(void **state)
{
	struct worker all[HOSTS];
	size_t before = logins();

	(void)state;
	connect_all(all, HOSTS, CONNECT_MS);
	assert_all_ok(all, HOSTS);
	echo_all(all, HOSTS);
	free_all(all, HOSTS);
	assert_int_equal(logins() - before, 1);
}

/* Nobody is left behind it when the next one comes. */
static void
jump_one_after_the_other_cost_one_login(void **state)
{
	size_t before = logins();

	(void)state;
	config(BASTION BEHIND "Host refused\nPort 1\nProxyJump bastion\n");
	for (int i = 0; i < 3; i++)
		assert_connects("web2");
	for (int i = 0; i < 3; i++)
		assert_fails("refused", CONNECT_MS, "bastion", "port 1");
	assert_int_equal(logins() - before, 1);
}

static void
jump_chain_is_followed_and_shared(void **state)
{
	struct worker all[4];
	size_t before = logins();

	(void)state;
	config(BASTION "Host inner\nPort %P\nHost h*\nPort %Q\nProxyJump bastion,inner\n");
	connect_all(all, COUNT(all), CONNECT_MS);
	assert_all_ok(all, COUNT(all));
	assert_int_equal(logins() - before, 2);
	free_all(all, COUNT(all));
	before = logins();
	/* the jump host has one of its own; and it is the same as in the list */
	config(BASTION "Host inner\nPort %P\nProxyJump bastion\nHost h1\nPort %Q\nProxyJump inner\n"
		       "Host h*\nPort %Q\nProxyJump bastion,inner\n");
	connect_all(all, COUNT(all), CONNECT_MS);
	assert_all_ok(all, COUNT(all));
	assert_int_equal(logins() - before, 2);
	free_all(all, COUNT(all));
}

static void
jump_settings_are_those_of_its_name(void **state)
{
	AUTO(mem_free_drop) char *hop = mem_printf("Host web1\nPort %%Q\nProxyJump %s@[b]:%u\n"
						   "Host b\nPort 1\nUser nobody\n",
	    server.user, server.port);
	size_t before = logins();

	(void)state;
	config(hop);
	assert_connects("web1");
	assert_int_equal(logins() - before, 1);
	sshd_shell(&server, "cp id other");
	config("Host b\nPort %P\nIdentityFile %D/other\nIdentitiesOnly yes\nHostName 127.0.0.1\n"
	       "User nobody\nHost web1\nPort %Q\nProxyJump ssh://b\n");
	assert_fails("web1", CONNECT_MS, "jump host b: login as nobody at b was refused", "/other");
}

static void
jump_its_proxy_command_is_run(void **state)
{
	size_t before = logins();

	(void)state;
	config("Host bastion\nPort %P\nProxyCommand ssh -W 127.0.0.1:%P carrier\n"
	       "Host carrier\nPort %P\n" BEHIND);
	assert_connects("web1");
	assert_int_equal(logins() - before, 2);
}

static void
jump_refuses_is_told_with_its_name(void **state)
{
	struct worker all[4];

	(void)state;
	sshd_shell(&server, "ssh-keygen -q -t ed25519 -N '' -f stranger");
	config(BASTION "IdentityFile %D/stranger\nIdentitiesOnly yes\n" BEHIND);
	sshd_shell(&server, "sed -i 's/^IdentityFile.*id$//' config");
	connect_all(all, COUNT(all), CONNECT_MS);
	for (size_t i = 0; i < COUNT(all); i++) {
		assert_false(all[i].ok);
		assert_int_equal(all[i].e.kind, ERR_HOST);
		assert_says(&all[i].e, "jump host bastion: login as ");
		assert_says(&all[i].e, "was refused; tried: ");
	}
	free_all(all, COUNT(all));
	config("Host bastion\nPort 1\n" BEHIND);
	assert_fails("web1", CONNECT_MS, "jump host bastion: cannot connect to 127.0.0.1, port 1",
	    "Connection refused");
}

#define STRANGE BASTION "HostKeyAlias bastion\nStrictHostKeyChecking no\n" BEHIND

static void
jump_host_key_is_judged_as_strictly(void **state)
{
	(void)state;
	config(STRANGE);
	assert_fails("web1", CONNECT_MS, "jump host bastion: host key of bastion is not known",
	    "ssh bastion");
	config(STRANGE);
	sshd_known_hosts(&server, "all %E\nbastion %C\n@revoked bastion %E\n");
	assert_connects("web1");
	config(STRANGE);
	sshd_known_hosts(&server, "all %E\nbastion %C\n@revoked bastion %C\n");
	assert_fails("web1", CONNECT_MS, "jump host bastion: host key ", "is revoked");
	config(STRANGE);
	sshd_known_hosts(&server, "bastion %E\n"); /* the one behind it */
	assert_fails("web1", CONNECT_MS, "host key of web1 is not known", NULL);
}

static void
jump_target_that_refuses_is_told_and_the_others_go_on(void **state)
{
	struct worker all[2];
	size_t before = logins();

	(void)state;
	config(BASTION "Host h0\nPort 1\nProxyJump bastion\n" BEHIND);
	connect_all(all, 2, CONNECT_MS);
	assert_false(all[0].ok);
	assert_string_equal(all[0].e.text,
	    "jump host bastion: cannot connect to 127.0.0.1, port 1: Connection refused");
	if (!all[1].ok)
		fail_msg("%s", all[1].e.text);
	free_all(all, 2);
	assert_int_equal(logins() - before, 1);
}

static void
jump_that_forwards_nothing_is_told(void **state)
{
	(void)state;
	sshd_halt(&server);
	sshd_resume(&server, "AllowTcpForwarding no\nLogLevel INFO");
	assert_fails("web1", CONNECT_MS, "jump host bastion lets nobody through to 127.0.0.1",
	    "AllowTcpForwarding");
	sshd_halt(&server);
	sshd_resume(&server, "LogLevel INFO");
}

static void
jump_silent_ends_at_each_one_s_deadline(void **state)
{
	AUTO(fd_drop) int fd = listen_here(5, &silent);
	struct worker early, late;

	(void)state;
	config("Host bastion\nPort %S\n" BEHIND);
	start(&early, "web", 1, 1000);
	start(&late, "web", 2, 5000);
	join(&early);
	join(&late);
	assert_false(early.ok);
	assert_false(late.ok);
	assert_says(&early.e, "jump host bastion: ");
	assert_says(&late.e, "jump host bastion: ");
	assert_in_range(early.took_ms, 990, 4900);
	assert_in_range(late.took_ms, 4990, 10500);
	transport_free(early.t);
	transport_free(late.t);
}

static void
jump_target_that_is_silent_stops_nobody(void **state)
{
	AUTO(fd_drop) int fd = listen_here(5, &silent);
	struct worker slow;

	(void)state;
	config(BASTION "Host slow*\nPort %S\nProxyJump bastion\n" BEHIND);
	start(&slow, "slow", 1, 6000);
	assert_connects_in("web1", 5500);
	join(&slow);
	assert_false(slow.ok);
	assert_says(&slow.e, "speaks SSH in time");
	transport_free(slow.t);
}

/* It takes no byte of the many that are sent to it: its window and ours are full. */
static void
jump_target_that_stops_reading_stops_nobody(void **state)
{
	AUTO(transport_drop) struct transport *stuck = make_to("web9", CONNECT_MS);
	AUTO(transport_drop) struct transport *other = make_ssh();
	AUTO(mem_free_drop) char *big = mem_alloc(16, 1 << 20);
	const struct bytes input = { big, (size_t)16 << 20 };
	AUTO(proc_result_done) struct proc_result r = { 0 };
	AUTO(proc_result_done) struct proc_result more = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_true(transport_connect(other, &e));
	transport_contract_sh(stuck, "kill -STOP $PPID; sleep 20",
	    (struct proc_command){ .input = &input, .n_input = 1, .limit_ms = 2000 }, &r);
	assert_int_equal(r.end, PROC_DEADLINE);
	transport_contract_sh(other, "cat >/dev/null; echo here",
	    (struct proc_command){ .input = &input, .n_input = 1 }, &more);
	assert_string_equal(str_text(&more.out), "here\n");
	sshd_signal_connections(&target, SIGKILL);
}

/* Nobody reads here what a host behind it sends without end. */
static void
jump_host_whose_output_nobody_takes_stops_nobody(void **state)
{
	AUTO(transport_drop) struct transport *other = make_ssh();
	struct worker w;
	AUTO(proc_result_done) struct proc_result r = { 0 };
	AUTO(proc_result_done) struct proc_result more = { 0 };

	(void)state;
	start(&w, "web", 3, CONNECT_MS);
	join(&w);
	assert_true(w.ok);
	/* parked in the middle of it: the command goes on there, and we do not look */
	transport_contract_sh(w.t, "(sleep 0.2; exec head -c 30000000 /dev/zero) & echo begun",
	    (struct proc_command){ 0 }, &r);
	transport_contract_sh(other, "head -c 8000000 /dev/zero; sleep 0.5; echo here",
	    (struct proc_command){ .cap = (size_t)9 << 20 }, &more);
	assert_int_equal(more.out.len, 8000005);
	transport_free(w.t);
}

static void *
sleep_there(void *arg)
{
	struct worker *w = arg;
	const char *const argv[] = { "sh", "-c", "echo begun; sleep 30", NULL };
	AUTO(proc_result_done) struct proc_result r = { 0 };
	const struct proc_command c = { .argv = argv };
	int64_t start_ms = clock_ms();

	if (transport_run(w->t, &c, &r, &w->e) && r.end == PROC_LOST)
		err_set(&w->e, ERR_LOST, "%s", str_text(&r.lost));
	w->took_ms = clock_ms() - start_ms;
	return NULL;
}

static void
jump_that_dies_fails_all_behind_it_at_once(void **state)
{
	struct worker all[5];

	(void)state;
	connect_all(all, COUNT(all), CONNECT_MS);
	for (size_t i = 0; i < COUNT(all); i++) {
		assert_true(all[i].ok);
		pthread_create(&all[i].thread, NULL, sleep_there, &all[i]);
	}
	usleep(500000); /* most of them are in their command then; not that it matters */
	sshd_signal_connections(&server, SIGKILL);
	for (size_t i = 0; i < COUNT(all); i++) {
		join(&all[i]);
		assert_in_range(all[i].took_ms, 0, 15000);
		assert_says(&all[i].e, "jump host bastion: connection lost");
	}
	/* and logs in anew for who comes later */
	size_t before = logins();

	echo_all(all, COUNT(all));
	assert_int_equal(logins() - before, 1);
	free_all(all, COUNT(all));
}

static void
jump_that_dies_in_a_login_behind_it_is_named(void **state)
{
	AUTO(fd_drop) int fd = listen_here(5, &silent);
	struct worker w;
	char greeting[64];
	int through;

	(void)state;
	config(BASTION "Host slow*\nPort %S\nProxyJump bastion\n");
	start(&w, "slow", 1, CONNECT_MS);
	through = accept(fd, NULL, NULL);
	assert_true(read(through, greeting, sizeof(greeting)) > 0); /* so the tunnel is open */
	sshd_signal_connections(&server, SIGKILL);
	join(&w);
	close(through);
	assert_false(w.ok);
	assert_says(&w.e, "jump host bastion: connection lost, on the way to slow1");
	assert_in_range(w.took_ms, 0, 10000);
	transport_free(w.t);
}

static void
jump_that_libssh_cannot_follow_is_left_to_ssh(void **state)
{
	static const char *const ways[] = {
		"PKCS11Provider none\nBindAddress 127.0.0.1\n",
		"KexAlgorithms sntrup761x25519-sha512@openssh.com\n",
		"HostKeyAlgorithms ssh-ed25519-cert-v01@openssh.com,ssh-ed25519\nPort %P\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(ways); i++) {
		AUTO(str_done) struct str lines = { 0 };

		str_add(&lines, "Host bastion\n");
		str_add(&lines, ways[i]);
		str_add(&lines, BASTION BEHIND);
		config(str_text(&lines));
		assert_connects("web1");
	}
	/* the rest of a chain */
	config("Host outer\nBindAddress 127.0.0.1\nPort %P\nHost inner\nPort %P\nProxyJump outer\n"
	       "Host web1\nPort %Q\nProxyJump inner\n");
	assert_connects("web1");
}

static void
jump_in_a_circle_is_told(void **state)
{
	(void)state;
	config("Host a\nPort %P\nProxyJump b\nHost b\nPort %P\nProxyJump a\n"
	       "Host web1\nPort %Q\nProxyJump a\n");
	assert_fails("web1", 5000, "in a circle", NULL);
	config("Host *\nProxyJump self\n");
	assert_fails("web1", 5000, "jump host self: ", "in a circle");
}

#define CASE(name) cmocka_unit_test_setup_teardown(jump_##name, begin_pool, end_pool)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(many_hosts_cost_one_login),
		CASE(one_after_the_other_cost_one_login),
		CASE(chain_is_followed_and_shared),
		CASE(settings_are_those_of_its_name),
		CASE(its_proxy_command_is_run),
		CASE(refuses_is_told_with_its_name),
		CASE(host_key_is_judged_as_strictly),
		CASE(target_that_refuses_is_told_and_the_others_go_on),
		CASE(that_forwards_nothing_is_told),
		CASE(silent_ends_at_each_one_s_deadline),
		CASE(target_that_is_silent_stops_nobody),
		CASE(target_that_stops_reading_stops_nobody),
		CASE(host_whose_output_nobody_takes_stops_nobody),
		CASE(that_dies_fails_all_behind_it_at_once),
		CASE(that_dies_in_a_login_behind_it_is_named),
		CASE(that_libssh_cannot_follow_is_left_to_ssh),
		CASE(in_a_circle_is_told),
	};
	int failed;

	signal(SIGPIPE, SIG_IGN);
	sshd_start(&server, "LogLevel INFO");
	sshd_start_beside(&server, &target, NULL);
	failed = cmocka_run_group_tests_name("jump", tests, NULL, NULL);
	sshd_halt(&target);
	sshd_stop(&server);
	return failed;
}
