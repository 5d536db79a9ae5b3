/* SPDX-License-Identifier: MIT */
/*
 * transport_openssh: the contract, over the ssh program and a real sshd, and what is its own: what
 * ssh_config may not change, what ssh says and we tell, and that no process and no file outlives
 * us. Built with AddressSanitizer and with ThreadSanitizer.
 */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/clock.h"
#include "base/file.h"
#include "tests/contract/ssh_case.h"
#include "tests/contract/ssh_contract.h"
#include "tests/contract/transport_contract.h"

#define THREADS 16

/* The size of the largest file that is open. */
static off_t
largest_file(void)
{
	DIR *d = opendir("/proc/self/fd");
	const struct dirent *entry;
	off_t largest = 0;
	struct stat st;

	while ((entry = readdir(d)))
		if (fstatat(dirfd(d), entry->d_name, &st, 0) == 0 && S_ISREG(st.st_mode) &&
		    st.st_size > largest)
			largest = st.st_size;
	closedir(d);
	return largest;
}

/* Every ssh that was started here has the file config in its command line. */
static void
assert_no_ssh_is_left(void)
{
	sshd_shell(&server, "for i in $(seq 500); do "
			    "pgrep -f \"^[^ ]*ssh -F $PWD/[c]onfig\" >left || exit 0; sleep 0.02; "
			    "done; ps -fp $(cat left) >&2; exit 1");
}

/* No descriptor, child, other process or file is left behind. */
static int
end_all(void **state)
{
	end(state);
	assert_no_ssh_is_left();
	sshd_shell(&server, "test -z \"$(ls run)\"");
	return 0;
}

/* ERR_HOST: it is no use to try again. */
static void
assert_refused(const char *text, const char *more)
{
	assert_fails_as(ERR_HOST, "web1", CONNECT_MS, text, more);
}

static void
assert_is_away(const char *address, int64_t connect_ms, const char *text, const char *more)
{
	assert_fails_as(ERR_AWAY, address, connect_ms, text, more);
}

static void
transport_openssh_host_key_must_be_known_whatever_ssh_config_says(void **state)
{
	AUTO(mem_free_drop)
	char *command = mem_printf("accept it with: ssh %s@web1, or", server.user);

	(void)state;
	sshd_config(&server, "Host *\nStrictHostKeyChecking no\n" HOST);
	sshd_known_hosts(&server, "");
	assert_refused("host key of web1 is not known; ssh shows its fingerprint", command);
	sshd_shell(&server, "test -e known_hosts && test ! -s known_hosts");
	sshd_shell(&server,
	    "printf '\\n[127.0.0.1]:%u %%s\\n' \"$(cut -d' ' -f1,2 id.pub)\" "
	    ">known_hosts",
	    server.port);
	assert_refused("host key of web1 HAS CHANGED", "remove only if you know why: ssh ");
	sshd_known_hosts(&server, "@revoked * %E\n" KNOWN);
	assert_refused("host key of web1 is revoked", NULL);
	sshd_known_hosts(&server, "[127.0.0.1]:%P %C\n");
	assert_connects("web1");
}

static void
assert_noted_alone(const char *text)
{
	assert_noted(text);
	assert_int_equal(strcspn(str_text(&notes), "\n") + 1, notes.len);
	str_done(&notes);
}

static void
transport_openssh_host_key_that_is_new_is_accepted_and_told(void **state)
{
	(void)state;
	accept_new = true;
	sshd_known_hosts(&server, "");
	assert_connects("web1");
	sshd_shell(&server, "ssh-keygen -lf host_ed25519.pub | cut -d' ' -f2 | tr -d '\\n' >hash");
	{
		AUTO(mem_free_drop) char *path = mem_printf("%s/hash", server.dir);
		AUTO(str_done) struct str hash = { 0 }, want = { 0 };

		assert_true(file_read_at(AT_FDCWD, path, 1000, &hash, NULL));
		str_addf(&want, "new host key ssh-ed25519 %s stored by ssh", str_text(&hash));
		assert_noted_alone(str_text(&want));
	}
	assert_connects("web1");
	assert_string_equal(str_text(&notes), "");
	sshd_known_hosts(&server, "");
	sshd_config(&server, "Host *\n" NO_FILES);
	assert_refused("was refused", NULL); /* stored, and told, all the same */
	assert_noted_alone("ssh says that it stored a new host key in known_hosts");
	sshd_shell(&server, "printf '[127.0.0.1]:%u %%s\n' \"$(cut -d' ' -f1,2 id.pub)\" "
			    ">known_hosts",
	    server.port);
	assert_refused("HAS CHANGED", NULL);
}

/* In its greeting, and in a line of its own. */
static void
transport_openssh_server_that_says_ssh_s_words_is_not_believed(void **state)
{
#define FORGED "debug1: Server host key: ssh-ed25519 SHA256:forged"
	AUTO(mem_free_drop) char *banner = mem_printf("Banner %s/banner", server.dir);
	const char *const ways[] = { "VersionAddendum " FORGED, banner };

	(void)state;
	sshd_shell(&server, "echo '" FORGED "' >banner");
	for (size_t i = 0; i < COUNT(ways); i++) {
		sshd_halt(&server);
		sshd_resume(&server, ways[i]);
		accept_new = true;
		sshd_known_hosts(&server, "");
		assert_connects("web1");
		assert_noted_alone("SOMEBODY FORGES");
		accept_new = false;
		sshd_known_hosts(&server, "");
		assert_refused("is not known; ssh shows its fingerprint", NULL);
	}
	sshd_halt(&server);
	sshd_resume(&server, NULL);
}

/* In the place of ssh: a program that says much and then is ssh. */
static void
put_before_ssh(const char *lines)
{
	sshd_shell(&server, "mv bin/ssh bin/ssh.real; echo \"#!/bin/sh\n%s\nexec $PWD/bin/ssh.real "
			    "\\\"\\$@\\\"\" >bin/ssh; chmod 755 bin/ssh",
	    lines);
}

static void
take_before_ssh_away(void)
{
	sshd_shell(&server, "mv bin/ssh.real bin/ssh");
}

/* Until it is let in, whoever makes ssh say things without end makes it wait, and is told. */
static void
transport_openssh_flood_before_the_login_ends_it(void **state)
{
	(void)state;
	put_before_ssh("yes 'debug1: Remote: x' >&2");
	assert_refused("no SSH connection to web1: there, or on the way, somebody makes ssh say "
		       "more than 128 KiB", NULL);
	take_before_ssh_away();
}

/* What is said for long, but not too long, is read to its end. */
static void
transport_openssh_many_words_before_the_login_are_read(void **state)
{
	(void)state;
	accept_new = true;
	sshd_known_hosts(&server, "");
	put_before_ssh("yes x | head -c 100000 >&2");
	assert_connects("web1");
	assert_noted_alone("new host key ssh-ed25519 SHA256:");
	sshd_config(&server, "Host *\n" NO_FILES);
	assert_refused("login as ", "was refused");
	take_before_ssh_away();
}

/* Far more than a pipe holds, and it is neither kept nor waited for by the one who says it. */
static void
transport_openssh_flood_behind_the_login_is_lost(void **state)
{
	AUTO(transport_drop) struct transport *t = make_ssh();

	(void)state;
	put_before_ssh("(until test -e $PWD/flood; do sleep 0.02; done; head -c 50000000 /dev/zero >&2; "
		       ">$PWD/flooded) &");
	assert_runs(t);
	sshd_shell(&server, ">flood; timeout 20 sh -c 'until test -e flooded; do sleep 0.02; done'");
	assert_in_range(largest_file(), 0, 1 << 20);
	assert_runs(t);
	assert_int_equal(t->logins, 1);
	take_before_ssh_away();
	sshd_shell(&server, "rm flood flooded");
}

/* The one place for a login is taken, until somebody is turned away. */
static void
transport_openssh_server_that_turns_it_away_is_asked_again(void **state)
{
	AUTO(transport_drop) struct transport *t = make_ssh();
	struct err e = { 0 };

	(void)state;
	sshd_halt(&server);
	sshd_resume(&server, "MaxStartups 1:100:1\nLogLevel VERBOSE");
	sshd_shell(&server, "printf '%%s\\n' 'until grep -q \"Connection closed\" sshd.log.*; do :; done' "
			    "'exec 3<>/dev/tcp/127.0.0.1/%u; read -r _ <&3; >standing' "
			    "'until grep -q \"drop connection\" sshd.log.*; do sleep 0.02; done' >stand; "
			    "timeout 20 bash stand >/dev/null 2>&1 & "
			    "until test -e standing; do sleep 0.02; done",
	    server.port);
	if (!transport_connect(t, &e))
		fail_msg("%s", e.text);
	assert_int_equal(t->logins, 1);
	sshd_halt(&server);
	sshd_resume(&server, NULL);
}

static void
transport_openssh_does_what_libssh_cannot(void **state)
{
	(void)state;
	sshd_shell(&server, "ssh-keygen -q -t ed25519 -N '' -f ca; "
			    "ssh-keygen -q -s ca -I host -h -n 127.0.0.1 host_ed25519.pub; "
			    "echo \"@cert-authority * $(cat ca.pub)\" >known_hosts");
	sshd_halt(&server);
	sshd_resume(&server, "KexAlgorithms sntrup761x25519-sha512@openssh.com\n");
	assert_refused("is not known", NULL);
	sshd_halt(&server);
	{
		AUTO(mem_free_drop) char *extra =
		    mem_printf("KexAlgorithms sntrup761x25519-sha512@openssh.com\n"
			       "HostCertificate %s/host_ed25519-cert.pub\n",
			server.dir);

		sshd_resume(&server, extra);
	}
	assert_connects("web1"); /* post-quantum, and known by its certificate */
	sshd_halt(&server);
	sshd_resume(&server, NULL);
	sshd_known_hosts(&server, "");
	sshd_config(&server, "Host *\nKnownHostsCommand /bin/cat %D/elsewhere\n" HOST);
	sshd_shell(&server, "echo \"web1,[127.0.0.1]:%u $(cat host_ed25519.pub)\" >elsewhere",
	    server.port);
	assert_connects("web1");
}

static void
transport_openssh_login_refused_names_the_keys(void **state)
{
	(void)state;
	sshd_shell(&server, "ssh-keygen -q -t ed25519 -N '' -f wrong; "
			    "ssh-keygen -q -t ed25519 -N secret -f locked; "
			    "cat locked.pub >>authorized_keys");
	sshd_config(&server, "Host *\nIdentityFile %D/wrong\n" NO_FILES);
	assert_refused("at web1 was refused; tried: ", "/wrong ED25519; ");
	assert_refused("the server allows: publickey", NULL);
	sshd_config(&server, "Host *\n" NO_FILES);
	assert_refused("tried: no key at all", NULL);
	sshd_config(&server, "Host *\n" PLACE "IdentityFile %D/locked\n");
	assert_refused("/locked, but nobody signs", "first: ssh-add ");
	sshd_shell(&server, "cp id.pub authorized_keys");
}

static void
transport_openssh_server_that_is_not_there_or_silent_is_told(void **state)
{
	AUTO(fd_drop) int bound = listen_as_host(-1);
	AUTO(fd_drop) int silent = -1;

	(void)state;
	assert_is_away(
	    "web1", CONNECT_MS, "no SSH connection to web1; ssh says: ", "Connection refused");
	assert_is_away("no-such-host.invalid", CONNECT_MS, "", NULL);
	sshd_config(&server, "Host *\nNoSuchThing yes\n");
	assert_refused("no SSH connection to web1; ssh says: ", "nosuchthing");
	silent = listen_as_host(5); /* the kernel accepts, nobody speaks */
	assert_is_away("web1", 2990, "no SSH connection to web1; ssh says: ", "timed out");
	sshd_config(&server, "Host web1\nProxyCommand sh -c 'echo SSH-2.0-x; sleep 60'\n" HOST);
	assert_is_away("web1", 1500, "does not let ssh in within", "it was at: ");
	sshd_config(&server,
	    "Host web1\n"
	    "ProxyCommand sh -c \"trap '' TERM; echo SSH-2.0-x; sleep 60; :\"\n" HOST);
	assert_is_away("web1", 1500, "does not let ssh in within", NULL);
}

static void
transport_openssh_server_that_cuts_off_a_login_is_away(void **state)
{
	struct sshd booting;

	(void)state;
	sshd_start_booting(&server, &booting);
	sshd_known_hosts(&booting, KNOWN);
	sshd_config(&booting, "Host *\n" HOST);
	assert_is_away("web1", CONNECT_MS, SSHD_BOOTING, "Connection closed by");
	sshd_halt(&booting);
}

static void
transport_openssh_settings_that_would_harm_are_not_followed(void **state)
{
	(void)state;
	sshd_config(&server,
	    "Host *\n" HOST
	    "ControlMaster auto\nControlPath %D/theirs\nControlPersist yes\nRequestTTY force\n"
	    "RemoteCommand touch %D/remote\nPermitLocalCommand yes\nLocalCommand touch %D/local\n"
	    "LocalForward %D/forward 127.0.0.1:1\nForwardAgent yes\nForwardX11 yes\nStdinNull yes\n"
	    "ForkAfterAuthentication yes\nSessionType subsystem\nLogLevel QUIET\nBatchMode no\n");
	assert_connects("web1");
	sshd_shell(&server, "for f in theirs remote local forward; do test ! -e $f; done");
}

/* Whoever used it would wait: it is stopped. */
static void
transport_openssh_master_of_the_person_is_left_alone(void **state)
{
	(void)state;
	sshd_config(&server, "Host *\n" HOST "ControlPath %D/theirs\nControlMaster auto\n");
	sshd_shell(&server, "ssh -f -N -M web1 2>/dev/null; ssh -O check web1 2>&1 | "
			    "sed -n 's/.*pid=\\([0-9]*\\).*/\\1/p' >pid; kill -STOP $(cat pid)");
	assert_connects("web1");
	sshd_shell(&server, "kill -CONT $(cat pid); ssh -O check web1; ssh -O exit web1");
}

static void
transport_openssh_control_socket_is_there_for_nobody(void **state)
{
	AUTO(transport_drop) struct transport *t = make_ssh();

	(void)state;
	connect_or_fail(t);
	sshd_shell(&server, "test -z \"$(ls run)\"");
	setenv("XDG_RUNTIME_DIR", "/no/such", 1);
	assert_connects("web1"); /* in /tmp */
	sshd_shell(&server, "chmod 770 run");
	{
		AUTO(mem_free_drop) char *run = mem_printf("%s/run", server.dir);

		setenv("XDG_RUNTIME_DIR", run, 1);
	}
	assert_connects("web1"); /* not there, where others may write */
	sshd_shell(&server, "chmod 700 run");
	assert_runs(t);
}

static void
transport_openssh_ssh_killed_in_a_command_is_lost(void **state)
{
	AUTO(transport_drop) struct transport *t = make_ssh();
	AUTO(mem_free_drop) char *script =
	    mem_printf("cat; pkill -9 -f '^[^ ]*ssh -F %s/[c]onfig'; sleep 20", server.dir);

	(void)state;
	assert_lost(t, script);
	assert_runs(t);
}

static void
transport_openssh_silent_server_is_lost_within_half_a_minute(void **state)
{
	AUTO(transport_drop) struct transport *t = make_ssh();
	AUTO(proc_result_done) struct proc_result r = { 0 };
	int64_t start;

	(void)state;
	connect_or_fail(t);
	start = clock_ms();
	transport_contract_sh(
	    t, "kill -STOP $PPID; sleep 60", (struct proc_command){ .limit_ms = 100000 }, &r);
	assert_int_equal(r.end, PROC_LOST);
	assert_in_range(clock_ms() - start, 10000, 40000);
	sshd_signal_connections(&server, SIGKILL);
}

static void
transport_openssh_server_that_asks_whether_we_live_is_answered(void **state)
{
	AUTO(transport_drop) struct transport *t = make_ssh();
	AUTO(proc_result_done) struct proc_result r = { 0 };

	(void)state;
	sshd_halt(&server);
	sshd_resume(&server, "ClientAliveInterval 1\nClientAliveCountMax 1");
	transport_contract_sh(t, "sleep 4; echo done", (struct proc_command){ 0 }, &r);
	assert_string_equal(str_text(&r.out), "done\n");
	sshd_halt(&server);
	sshd_resume(&server, NULL);
}

static void
transport_openssh_long_command_arrives(void **state)
{
	AUTO(transport_drop) struct transport *t = make_ssh();
	AUTO(proc_result_done) struct proc_result r = { 0 };
	AUTO(mem_free_drop) char *word = mem_alloc(100001, 1);
	const char *const argv[] = { "printf", "%s", word, NULL };
	struct err e = { 0 };

	(void)state;
	memset(word, 'x', 100000);
	if (!transport_run(t, &(struct proc_command){ .argv = argv }, &r, &e))
		fail_msg("%s", e.text);
	assert_int_equal(r.out.len, 100000);
}

static void
transport_openssh_jump_host_that_fails_is_quoted_at_once(void **state)
{
	(void)state;
	sshd_config(&server,
	    "Host jump\nStrictHostKeyChecking yes\nUserKnownHostsFile /dev/null\n" HOST
	    "Host web1\nProxyJump jump\n" HOST);
	put_before_ssh("echo >>$PWD/runs");
	assert_refused("no SSH connection to web1; ssh says: ", "Host key verification failed");
	take_before_ssh_away();
	sshd_shell(&server, "test $(wc -l <runs) = 1; rm runs"); /* not again and again */
}

/* As a program that is killed, or ends in a hurry. */
static void
transport_openssh_killed_program_leaves_no_ssh(void **state)
{
	int pipes[2];
	char c;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	if (pid == 0) {
		connect_or_fail(make_ssh());
		if (write(pipes[1], "!", 1) != 1)
			_exit(1);
		pause();
	}
	close(pipes[1]);
	assert_int_equal(read(pipes[0], &c, 1), 1);
	sshd_shell(&server, "pgrep -f \"^[^ ]*ssh -F $PWD/[c]onfig\"");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(pipes[0]);
	assert_no_ssh_is_left();
}

static void
transport_openssh_many_threads_at_once(void **state)
{
	(void)state;
	assert_many_run(THREADS);
}

#define CASE(name) cmocka_unit_test_setup_teardown(transport_openssh_##name, begin, end_all)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(host_key_must_be_known_whatever_ssh_config_says),
		CASE(host_key_that_is_new_is_accepted_and_told),
		CASE(server_that_says_ssh_s_words_is_not_believed),
		CASE(flood_before_the_login_ends_it),
		CASE(many_words_before_the_login_are_read),
		CASE(flood_behind_the_login_is_lost),
		CASE(server_that_turns_it_away_is_asked_again),
		CASE(does_what_libssh_cannot),
		CASE(login_refused_names_the_keys),
		CASE(server_that_is_not_there_or_silent_is_told),
		CASE(server_that_cuts_off_a_login_is_away),
		CASE(settings_that_would_harm_are_not_followed),
		CASE(master_of_the_person_is_left_alone),
		CASE(control_socket_is_there_for_nobody),
		CASE(ssh_killed_in_a_command_is_lost),
		CASE(silent_server_is_lost_within_half_a_minute),
		CASE(server_that_asks_whether_we_live_is_answered),
		CASE(long_command_arrives),
		CASE(jump_host_that_fails_is_quoted_at_once),
		CASE(killed_program_leaves_no_ssh),
		CASE(many_threads_at_once),
	};
	AUTO(mem_free_drop) char *run = NULL;
	int failed;

	signal(SIGPIPE, SIG_IGN);
	sshd_start(&server, NULL);
	sshd_shell(&server, "mkdir -m 700 run");
	run = mem_printf("%s/run", server.dir);
	setenv("XDG_RUNTIME_DIR", run, 1);
	transport_new = transport_openssh_new;
	failed = ssh_contract_run("transport_openssh contract", end_all);
	failed += cmocka_run_group_tests_name("transport_openssh", tests, NULL, NULL);
	sshd_stop(&server);
	return failed;
}
