/* SPDX-License-Identifier: MIT */
/*
 * ssh_config as people have it, over a real sshd: what each setting means to a connection. Names with
 * several addresses come from a stand-in for getaddrinfo, the FIDO token from one for an agent.
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/clock.h"
#include "base/file.h"
#include "tests/contract/ssh_case.h"
#include "tests/contract/transport_contract.h"

/* Two addresses of "two-addresses", this one first, then that of the server; NULL: no such name. */
static const char *dead_address;

int
getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
    struct addrinfo **out)
{
	int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
	int code;

	*(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
	if (!dead_address || strcmp(name, "two-addresses") != 0)
		return real(name, service, hints, out);
	code = real(dead_address, service, hints, out);
	return code ? code : real("127.0.0.1", service, hints, &(*out)->ai_next);
}

static void
config(const char *lines)
{
	AUTO(mem_free_drop) char *all = mem_printf("%s%s%s", lines, "Host *\n", HOST);

	sshd_config(&server, all);
}

static void
config_user_does_not_count_but_disks_does(void **state)
{
	const struct transport_spec spec = { .name = "a", .address = "web1", .connect_ms = 5000 };
	AUTO(transport_drop) struct transport *t = transport_ssh_new(&spec);
	struct err e = { 0 };

	(void)state;
	config("Host *\nUser nobody\n");
	assert_connects("web1"); /* as who runs the tests, as its spec says */
	sshd_shell(&server, "mv authorized_keys kept; : >authorized_keys");
	assert_false(transport_connect(t, &e)); /* nobody says who: root */
	assert_says(&e, "login as root at web1 was refused");
	sshd_shell(&server, "mv kept authorized_keys");
}

static void
config_port_counts_unless_disks_has_one(void **state)
{
	struct transport_spec spec = { .name = "a", .address = "web1", .user = server.user,
		.port = server.port, .connect_ms = CONNECT_MS };
	AUTO(transport_drop) struct transport *t = transport_ssh_new(&spec);
	struct err e = { 0 };

	(void)state;
	config("Host *\nPort 1\n");
	if (!transport_connect(t, &e))
		fail_msg("%s", e.text);
	assert_fails("web1", CONNECT_MS, "port 1: Connection refused", NULL);
}

static void
config_include_and_match_are_followed(void **state)
{
	(void)state;
	sshd_shell(&server, "mkdir -p parts; printf 'Host web1\\nHostName 127.0.0.1\\n"
			    "Host web2\\nHostName 127.0.0.2\\n' >parts/hosts; "
			    "printf 'Match host 127.0.0.1 exec \"test -d %s\"\\nPort %u\\n"
			    "Match originalhost web2\\nPort 1\\n' >parts/matches",
	    server.dir, server.port);
	sshd_config(&server, "Include %D/parts/*\nMatch all\nIdentityFile %D/id\n"
			     "UserKnownHostsFile %D/known_hosts\n");
	assert_connects("web1");
	assert_fails("web2", CONNECT_MS, "127.0.0.2, port 1", NULL);
}

static void
config_two_user_files_and_a_global_one_are_read(void **state)
{
	static const char *const places[] = { "known_hosts", "second", "third" };

	(void)state;
	sshd_config(&server, "Host *\nUserKnownHostsFile %D/known_hosts %D/second\n"
			     "GlobalKnownHostsFile %D/none %D/third\n" HOST);
	for (size_t i = 0; i < COUNT(places); i++) {
		sshd_known_hosts(&server, KNOWN);
		sshd_shell(&server, "cp known_hosts all; : >known_hosts; rm -f second third; "
				    "mv all %s", places[i]);
		assert_connects("web1");
	}
	sshd_shell(&server, "rm -f second third; : >known_hosts");
	assert_fails("web1", CONNECT_MS, "is not known", NULL);
}

/* Listening, with a queue that is full: what comes then gets no answer. */
static int
listen_deaf(const char *address, unsigned port, int *filler)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const int yes = 1;

	assert_int_equal(inet_pton(AF_INET, address, &at.sin_addr), 1);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 0), 0);
	*filler = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(*filler, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

static void
config_connect_timeout_counts_where_arver_has_none(void **state)
{
	AUTO(fd_drop) int filler = -1;
	AUTO(fd_drop) int deaf = listen_deaf("127.0.0.3", server.port, &filler);
	int64_t start = clock_ms();

	(void)state;
	config("Host *\nHostName 127.0.0.3\nConnectTimeout 1\n");
	assert_fails("web1", 0, "cannot connect to 127.0.0.3", NULL);
	assert_in_range(clock_ms() - start, 990, 5000);
	start = clock_ms();
	assert_fails("web1", 2000, "cannot connect to 127.0.0.3", NULL);
	assert_in_range(clock_ms() - start, 1990, 8000);
}

static void
config_second_address_is_taken_where_the_first_is_dead(void **state)
{
	AUTO(fd_drop) int filler = -1;
	AUTO(fd_drop) int deaf = listen_deaf("127.0.0.3", server.port, &filler);
	int64_t start = clock_ms();

	(void)state;
	config("Host *\nHostName two-addresses\nHostKeyAlias web1\n");
	sshd_known_hosts(&server, "web1 %E\n");
	dead_address = "::1"; /* refused */
	assert_connects("web1");
	dead_address = "127.0.0.99";
	assert_connects("web1");
	assert_in_range(clock_ms() - start, 0, 8000);
	dead_address = "127.0.0.3"; /* silent: it has half of the time */
	assert_connects_in("web1", 4000);
	dead_address = NULL;
}

static void
config_ipv6_is_reached_and_known(void **state)
{
	AUTO(mem_free_drop) char *extra = mem_printf("ListenAddress ::1\nPort %u", server.port);

	(void)state;
	sshd_halt(&server);
	sshd_resume(&server, extra);
	sshd_known_hosts(&server, "[::1]:%P %E\n");
	config("Host *\nHostName ::1\n");
	assert_connects("web1");
	assert_connects("::1");
	config("Host six\nHostName ::1\nAddressFamily inet6\nHost web1\nHostName ::1\nProxyJump six\n");
	assert_connects("web1");
	config("Host *\nHostName ::1\nAddressFamily inet\n");
	assert_fails("web1", CONNECT_MS, "cannot look up ::1", NULL);
	accept_new = true;
	sshd_known_hosts(&server, "");
	config("Host *\nHostName ::1\n");
	assert_connects("web1");
	sshd_shell(&server, "grep -q '^\\[::1\\]:%u ' known_hosts; "
			    "bin/ssh -oBatchMode=yes -oStrictHostKeyChecking=yes web1 true",
	    server.port);
	sshd_halt(&server);
	sshd_resume(&server, NULL);
}

static pid_t
token_begin(const char *socket)
{
	AUTO(mem_free_drop) char *public = mem_printf("%s/token.pub", server.dir);
	const char *const argv[] = { "setpriv", "--pdeathsig", "TERM", "ruby",
		"tests/contract/token_agent.rb", socket, public, NULL };
	posix_spawn_file_actions_t files;
	int64_t until = clock_ms() + 20000;
	pid_t pid;

	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addclosefrom_np(&files, 3);
	assert_int_equal(posix_spawnp(&pid, argv[0], &files, NULL, (char *const *)argv, environ), 0);
	posix_spawn_file_actions_destroy(&files);
	while (access(socket, F_OK) != 0) {
		if (clock_left(until) == 0 || waitpid(pid, NULL, WNOHANG) != 0)
			fail_msg("the token's agent does not start");
		usleep(5000);
	}
	setenv("SSH_AUTH_SOCK", socket, 1);
	return pid;
}

static void
config_fido_token_in_an_agent_logs_in(void **state)
{
	AUTO(mem_free_drop) char *socket = mem_printf("%s/token", server.dir);
	pid_t pid = token_begin(socket);

	(void)state;
	sshd_config(&server, "Host *\n" NO_FILES);
	assert_fails("web1", CONNECT_MS, "was refused; tried: token (agent)", NULL);
	sshd_shell(&server, "cp authorized_keys kept; cat token.pub >authorized_keys");
	assert_connects("web1");
	assert_connects("web1"); /* the counter goes on */
	/* as ssh has it, by its public half alone */
	sshd_shell(&server, "cp token.pub mine.pub");
	sshd_config(&server, "Host *\nIdentitiesOnly yes\nIdentityFile %D/mine\n" NO_FILES);
	assert_connects("web1");
	sshd_shell(&server, "mv kept authorized_keys");
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	unlink(socket);
}

static void
config_eight_keys_in_the_agent_the_last_of_them_fits(void **state)
{
	struct agent a = agent_start();

	(void)state;
	sshd_shell(&server, "for i in 1 2 3 4 5 6 7; do ssh-keygen -q -t ed25519 -N '' -f n$i; "
			    "ssh-add -q n$i; done; ssh-add -q id; mv id hidden");
	/* without a word it is not tried; its public half in ssh_config says enough */
	sshd_config(&server, "Host *\n" NO_FILES);
	assert_fails("web1", CONNECT_MS, "was refused; tried: ", "(agent)");
	config("");
	assert_connects("web1");
	sshd_shell(&server, "mv hidden id");
	agent_end(&a);
}

static void
config_agent_that_is_locked_is_told(void **state)
{
	struct agent a = agent_start();

	(void)state;
	sshd_shell(&server, "ssh-add -q id; printf '#!/bin/sh\\necho x\\n' >askpass; "
			    "chmod 755 askpass; SSH_ASKPASS_REQUIRE=force SSH_ASKPASS=$PWD/askpass "
			    "ssh-add -q -x 2>/dev/null");
	sshd_config(&server, "Host *\n" NO_FILES);
	assert_fails("web1", CONNECT_MS, "shows no key", "locked (ssh-add -X)");
	sshd_shell(&server, "SSH_ASKPASS_REQUIRE=force SSH_ASKPASS=$PWD/askpass "
			    "ssh-add -q -X 2>/dev/null");
	assert_connects("web1");
	agent_end(&a);
}

#define CASE(name) cmocka_unit_test_setup_teardown(config_##name, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(user_does_not_count_but_disks_does),
		CASE(port_counts_unless_disks_has_one),
		CASE(include_and_match_are_followed),
		CASE(two_user_files_and_a_global_one_are_read),
		CASE(connect_timeout_counts_where_arver_has_none),
		CASE(second_address_is_taken_where_the_first_is_dead),
		CASE(ipv6_is_reached_and_known),
		CASE(fido_token_in_an_agent_logs_in),
		CASE(eight_keys_in_the_agent_the_last_of_them_fits),
		CASE(agent_that_is_locked_is_told),
	};
	int failed;

	signal(SIGPIPE, SIG_IGN);
	sshd_start(&server, NULL);
	failed = cmocka_run_group_tests_name("config", tests, NULL, NULL);
	sshd_stop(&server);
	return failed;
}
