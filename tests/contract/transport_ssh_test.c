/* SPDX-License-Identifier: MIT */
/*
 * transport_ssh: the contract, over a real sshd, and what only ssh has: host
 * keys, logins, dead and silent servers, jump hosts, many at once. Built with
 * AddressSanitizer and with ThreadSanitizer.
 */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/clock.h"
#include "base/file.h"
#include "tests/contract/ssh_case.h"
#include "tests/contract/ssh_contract.h"
#include "transport/agent.h"

#define THREADS 32

static void
transport_ssh_host_key_known_in_some_way_is_taken(void **state)
{
	static const char *const files[] = {
		KNOWN,
		"[127.0.0.1]:%P %C\n", /* ECDSA is all that is known: that is negotiated */
		"[127.0.0.1]:%P ssh-ed25519 AAAA\n" KNOWN,
		"[127.0.0.*]:%P,other %E\n",
		"*,!web2 %E\n",
		"127.0.0.1 %E\n", /* ssh looks there as well */
		"[127.0.0.1]:%P\t%E\n",
		"junk\n\n#\n@unknown [127.0.0.1]:%P %C\n[127.0.0.1]:%P rubbish x\n" KNOWN,
		"@cert-authority * %C\n" KNOWN,
		"@revoked [127.0.0.1]:%P %C\n" KNOWN,
		"@revoked web2 %E\n" KNOWN,
	};

	(void)state;
	for (size_t i = 0; i < COUNT(files); i++) {
		sshd_known_hosts(&server, files[i]);
		assert_connects("web1");
	}
}

static void
transport_ssh_host_key_hashed_is_taken(void **state)
{
	(void)state;
	sshd_shell(&server, "ssh-keygen -q -H -f known_hosts 2>/dev/null; "
			    "! grep -q 127 known_hosts");
	assert_connects("web1");
}

static void
transport_ssh_known_hosts_that_is_dev_null_says_nothing(void **state)
{
	(void)state;
	sshd_config(&server, "Host *\nGlobalKnownHostsFile /dev/null\n" HOST);
	assert_connects("web1");
}

static void
transport_ssh_host_key_not_known_is_refused_with_fingerprint(void **state)
{
	static const char *const files[] = {
		"",
		"[127.0.0.1]:1%P %E\n",
		"*,![127.0.0.1]:%P,!127.0.0.1 %E\n",
		"web1 %E\n", /* the name that was typed, not HostName */
		"#" KNOWN,
	};
	AUTO(mem_free_drop) char *command = mem_printf("ssh %s@web1", server.user);

	(void)state;
	/* it must not matter */
	sshd_config(&server, "Host *\nStrictHostKeyChecking no\n" HOST);
	for (size_t i = 0; i < COUNT(files); i++) {
		sshd_known_hosts(&server, files[i]);
		assert_fails("web1", CONNECT_MS, "not known: ssh-ed25519 SHA256:", command);
	}
	sshd_shell(&server, "test -s known_hosts && rm known_hosts");
	assert_fails("web1", CONNECT_MS, "not known: ssh-ed25519 SHA256:", command);
	sshd_shell(&server, "test ! -e known_hosts"); /* and nothing was written */
	sshd_known_hosts(&server, "@cert-authority * %C\n");
	assert_fails("web1", CONNECT_MS, "not known", "@cert-authority needs \"transport: openssh\"");
	sshd_known_hosts(&server, "");
	sshd_config(&server, "Host *\nVerifyHostKeyDNS yes\n" HOST);
	assert_fails("web1", CONNECT_MS, "not known", "DNS needs \"transport: openssh\"");
}

static void
transport_ssh_host_key_changed_is_refused_with_the_way_out(void **state)
{
	(void)state;
	sshd_config(&server, "Host *\nStrictHostKeyChecking no\n" HOST);
	sshd_shell(&server, "printf '\\n[127.0.0.1]:%u %%s\\n' \"$(cut -d' ' -f1,2 id.pub)\" "
			    ">known_hosts",
	    server.port);
	assert_fails("web1", CONNECT_MS, "HAS CHANGED", "line 2 ");
	assert_fails("web1", CONNECT_MS, "ssh-ed25519 SHA256:", "ssh-keygen -R '[127.0.0.1]:");
	/* what is known of [host]:port outweighs what is known of the host */
	sshd_shell(&server, "printf '127.0.0.1 %%s\\n' \"$(cat host_ed25519.pub)\" >>known_hosts");
	assert_fails("web1", CONNECT_MS, "HAS CHANGED", NULL);
	/* another type than the server has */
	sshd_shell(&server, "ssh-keygen -q -t rsa -b 2048 -N '' -f rsa; "
			    "printf '[127.0.0.1]:%u %%s\\n' \"$(cat rsa.pub)\" >known_hosts",
	    server.port);
	assert_fails("web1", CONNECT_MS, "HAS CHANGED", NULL);
}

static void
transport_ssh_host_key_revoked_is_refused(void **state)
{
	static const char *const files[] = {
		"@revoked [127.0.0.1]:%P %E\n" KNOWN,
		KNOWN "@revoked * %E\n",
		"127.0.0.1 %E\n@revoked 127.0.0.1 %E\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(files); i++) {
		sshd_known_hosts(&server, files[i]);
		assert_fails("web1", CONNECT_MS, "revoked", "known_hosts line");
	}
	sshd_known_hosts(&server, KNOWN);
	sshd_config(&server, "Host *\nRevokedHostKeys %D/revoked\n" HOST);
	sshd_shell(&server, "cat host_ecdsa.pub >revoked");
	assert_connects("web1");
	sshd_shell(&server, "cat host_ed25519.pub >>revoked");
	assert_fails("web1", CONNECT_MS, "is revoked in", "revoked");
	sshd_shell(&server, "ssh-keygen -q -k -f revoked host_ed25519.pub"); /* a KRL */
	assert_fails("web1", CONNECT_MS, "is revoked in", NULL);
	sshd_shell(&server, "rm revoked");
	assert_fails("web1", CONNECT_MS, "cannot read RevokedHostKeys", NULL);
}

static void
transport_ssh_every_known_hosts_file_counts(void **state)
{
	(void)state;
	sshd_shell(&server, "mv known_hosts elsewhere; ln -s elsewhere global_known_hosts");
	assert_connects("web1");
	sshd_shell(&server, "printf '@revoked * %%s\\n' \"$(cat host_ed25519.pub)\" >known_hosts");
	assert_fails("web1", CONNECT_MS, "revoked", NULL);
	sshd_config(&server, "Host *\n" HOST "UserKnownHostsFile none\n");
	sshd_shell(&server, "rm known_hosts global_known_hosts; mkdir global_known_hosts");
	assert_fails("web1", CONNECT_MS, "global_known_hosts", NULL);
	sshd_shell(&server, "rmdir global_known_hosts");
}

static void
transport_ssh_host_key_alias_is_looked_up(void **state)
{
	(void)state;
	sshd_config(&server, "Host *\nHostKeyAlias storage\n" HOST);
	assert_fails("web1", CONNECT_MS, "not known", NULL);
	sshd_known_hosts(&server, "storage %E\n");
	assert_connects("web1");
}

static void
transport_ssh_settings_are_those_of_the_alias(void **state)
{
	(void)state;
	/* matched by what was typed, not by HostName; libssh alone would refuse the name */
	sshd_config(&server, "Host db_*\n" HOST "Host *\nPort 1\n");
	assert_connects("db_1");
	/* localhost may be ::1 first, where nobody listens */
	sshd_known_hosts(&server, "[localhost]:%P %E\n");
	sshd_config(&server, "Host *\nPort %P\nIdentityFile %D/id\n"
			     "UserKnownHostsFile %D/known_hosts\n");
	assert_connects("localhost");
}

static void
transport_ssh_settings_it_cannot_do_are_named(void **state)
{
	(void)state;
	sshd_config(&server, "Host *\nPKCS11Provider /lib/x.so\nBindAddress 127.0.0.1\n" HOST);
	assert_fails("web1", CONNECT_MS, "PKCS11Provider", "BindAddress");
	assert_fails("web1", CONNECT_MS, "needs \"transport: openssh\"", NULL);
	sshd_config(&server, "Host *\nKnownHostsCommand /bin/true\n" HOST);
	assert_fails("web1", CONNECT_MS, "KnownHostsCommand", "needs \"transport: openssh\"");
	sshd_config(&server, "Host *\nKexAlgorithms sntrup761x25519-sha512@openssh.com\n" HOST);
	assert_fails("web1", CONNECT_MS, "KexAlgorithms", "sntrup");
	sshd_config(&server, "Host *\nNoSuchThing yes\n");
	assert_fails("web1", CONNECT_MS, "ssh -G refuses web1", "nosuchthing");
	sshd_config(&server, "Host *\nCiphers aes256-ctr\nMACs hmac-sha2-256\n"
			     "KexAlgorithms ecdh-sha2-nistp256\n"
			     "HostKeyAlgorithms ecdsa-sha2-nistp256\n" HOST);
	sshd_known_hosts(&server, "[127.0.0.1]:%P %C\n" KNOWN);
	assert_connects("web1");
}

static void
transport_ssh_no_accepted_key_names_those_tried(void **state)
{
	(void)state;
	sshd_shell(&server, "ssh-keygen -q -t ed25519 -N '' -f wrong");
	sshd_config(&server, "Host *\nIdentityFile %D/wrong\n" NO_FILES);
	assert_fails("web1", CONNECT_MS, "/wrong", "the server allows: publickey");
	sshd_config(&server, "Host *\n" NO_FILES);
	assert_fails("web1", CONNECT_MS, "tried: no key at all", "no ssh-agent");
	sshd_halt(&server);
	sshd_resume(&server, "GSSAPIAuthentication yes");
	sshd_config(&server, "Host *\nGSSAPIAuthentication yes\n" NO_FILES);
	assert_fails("web1", CONNECT_MS, "allows: publickey, gssapi (GSSAPIAuthentication needs ",
	    "\"transport: openssh\" in settings");
	sshd_halt(&server);
	sshd_resume(&server, NULL);
	/* the wrong one first, then the right one */
	sshd_config(&server, "Host *\nIdentityFile %D/wrong\n" HOST);
	assert_connects("web1");
	sshd_shell(&server, "test ! -e id.pub.bak; rm wrong.pub");
	assert_connects("web1");
	sshd_shell(&server, "test ! -e wrong.pub"); /* libssh would write it */
}

static void
transport_ssh_encrypted_key_without_agent_says_ssh_add(void **state)
{
	(void)state;
	sshd_shell(&server, "ssh-keygen -q -t ed25519 -N secret -f locked; "
			    "ssh-keygen -q -t rsa -m PEM -N secret -f locked_pem; "
			    "echo rubbish >rubbish");
	sshd_config(&server, "Host *\nIdentityFile %D/locked\nIdentityFile %D/locked_pem\n"
			     "IdentityFile %D/rubbish\n" PLACE);
	assert_fails("web1", CONNECT_MS, "ssh-add ", "/locked, ");
	assert_fails("web1", CONNECT_MS, "/locked_pem;", "cannot be used: ");
}

static void
transport_ssh_agent_with_the_good_key_logs_in(void **state)
{
	struct agent a = agent_start();

	(void)state;
	sshd_config(&server, "Host *\n" NO_FILES);
	assert_fails("web1", CONNECT_MS, "no key at all", NULL);
	sshd_shell(&server, "ssh-add -q id");
	assert_connects("web1");
	sshd_config(&server, "Host *\nIdentityAgent %D/agent\n" NO_FILES);
	unsetenv("SSH_AUTH_SOCK");
	assert_connects("web1");
	sshd_config(&server, "Host *\nIdentityAgent none\n" NO_FILES);
	setenv("SSH_AUTH_SOCK", a.path, 1);
	assert_fails("web1", CONNECT_MS, "no ssh-agent", NULL);
	agent_end(&a);
}

static void
transport_ssh_agent_with_many_wrong_keys(void **state)
{
	struct agent a = agent_start();

	(void)state;
	sshd_shell(&server, "for i in 1 2 3 4 5 6 7 8; do rm -f w$i; "
			    "ssh-keygen -q -t ed25519 -N '' -C w$i -f w$i; ssh-add -q w$i; done; "
			    "ssh-add -q id");
	/* five are tried, and the server does not hang up */
	sshd_config(&server, "Host *\n" NO_FILES);
	assert_fails("web1", CONNECT_MS, "was refused; tried: w1 (agent), ", "w5 (agent);");
	/* five, then the file */
	sshd_shell(&server, "ssh-add -q -d id 2>/dev/null");
	sshd_config(&server, "Host *\n" HOST);
	assert_connects("web1");
	/* the agent's key that is configured goes first */
	sshd_shell(&server, "ssh-add -q id; mv id hidden");
	assert_connects("web1");
	sshd_config(&server, "Host *\nIdentitiesOnly yes\n" HOST);
	assert_connects("web1");
	sshd_config(&server, "Host *\nIdentitiesOnly yes\n" NO_FILES);
	assert_fails("web1", CONNECT_MS, "tried: no key at all", NULL);
	sshd_shell(&server, "mv hidden id");
	agent_end(&a);
}

static void
transport_ssh_agent_that_hangs_or_is_gone_does_not_stop_a_file(void **state)
{
	struct agent a = agent_start();
	int64_t start = clock_ms();

	(void)state;
	sshd_shell(&server, "ssh-add -q id");
	kill(a.pid, SIGSTOP);
	sshd_config(&server, "Host *\n" NO_FILES);
	assert_fails("web1", 2000, "no ssh-agent", NULL);
	assert_in_range(clock_ms() - start, 0, 8000);
	sshd_config(&server, "Host *\n" HOST);
	assert_connects_in("web1", 8000); /* the file has half of the time */
	agent_end(&a);
	setenv("SSH_AUTH_SOCK", "/no/such/socket", 1);
	sshd_config(&server, "Host *\n" HOST);
	assert_connects("web1");
}

/* A confirmation that nobody gives: the agent says no. */
static void
transport_ssh_agent_that_does_not_sign_is_told(void **state)
{
	struct agent a;

	(void)state;
	setenv("SSH_ASKPASS", "/bin/false", 1);
	setenv("SSH_ASKPASS_REQUIRE", "force", 1);
	a = agent_start();
	sshd_shell(&server, "ssh-add -q -c id");
	sshd_config(&server, "Host *\n" NO_FILES);
	assert_fails("web1", CONNECT_MS, "the agent does not sign with: good (agent)", NULL);
	sshd_config(&server, "Host *\nIdentityFile %D/other\n" NO_FILES);
	sshd_shell(&server, "ssh-keygen -q -t ed25519 -N '' -f second; "
			    "cat second.pub >>authorized_keys; cp second other");
	assert_connects("web1"); /* the next one does */
	sshd_shell(&server, "cp id.pub authorized_keys");
	unsetenv("SSH_ASKPASS");
	unsetenv("SSH_ASKPASS_REQUIRE");
	agent_end(&a);
}

/* An agent with one key; it is asked for its keys only. */
struct odd_agent {
	pthread_t thread;
	int fd;
	char *path;
	struct str answer; /* with its length */
};

static void *
odd_agent_main(void *arg)
{
	struct odd_agent *a = arg;
	char question[64];
	int fd;

	while ((fd = accept4(a->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		if (read(fd, question, sizeof(question)) > 0)
			(void)file_write_all(fd, str_bytes(&a->answer));
		close(fd);
	}
	return NULL;
}

static void
add_string(struct str *out, struct bytes b)
{
	const unsigned char len[] = { 0, 0, (unsigned char)(b.len >> 8), (unsigned char)b.len };

	str_add_bytes(out, (struct bytes){ len, sizeof(len) });
	str_add_bytes(out, b);
}

/* The public key of DIR/odd, with a zero too many before its exponent. */
static void
add_odd_key(struct str *out)
{
	AUTO(mem_free_drop) char *path = mem_printf("%s/odd.blob", server.dir);
	AUTO(str_done) struct str blob = { 0 };
	struct bytes rest, field;
	struct err e = { 0 };

	sshd_shell(&server, "ssh-keygen -q -t rsa -b 2048 -N '' -f odd; "
			    "cut -d' ' -f2 odd.pub | base64 -d >odd.blob");
	assert_true(file_read_at(AT_FDCWD, path, 4096, &blob, &e));
	rest = str_bytes(&blob);
	assert_true(agent_take_string(&rest, &field));
	add_string(out, field);
	assert_true(agent_take_string(&rest, &field));
	assert_int_equal(field.len, 3);
	add_string(out, (struct bytes){ "\0\1\0\1", 4 });
	str_add_bytes(out, rest);
}

static struct odd_agent
odd_agent_start(void)
{
	struct odd_agent a = { .path = mem_printf("%s/odd-agent", server.dir) };
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	AUTO(str_done) struct str key = { 0 }, keys = { 0 };

	add_odd_key(&key);
	str_add_bytes(&keys, (struct bytes){ "\14\0\0\0\1", 5 }); /* the answer: one key */
	add_string(&keys, str_bytes(&key));
	add_string(&keys, bytes_of("odd"));
	add_string(&a.answer, str_bytes(&keys));
	assert_true(strlen(a.path) < sizeof(at.sun_path));
	memcpy(at.sun_path, a.path, strlen(a.path));
	a.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(a.fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(a.fd, 5), 0);
	setenv("SSH_AUTH_SOCK", a.path, 1);
	return a;
}

static void
odd_agent_end(struct odd_agent *a)
{
	shutdown(a->fd, SHUT_RDWR);
	pthread_join(a->thread, NULL);
	close(a->fd);
	unlink(a->path);
	free(a->path);
	str_done(&a->answer);
}

/* libssh drops the zero, and then wants a signature by a key that it was not shown. */
static void
transport_ssh_agent_s_key_that_libssh_writes_anew_is_passed_over(void **state)
{
	struct odd_agent a = odd_agent_start();

	(void)state;
	assert_int_equal(pthread_create(&a.thread, NULL, odd_agent_main, &a), 0);
	sshd_shell(&server, "cat odd.pub >authorized_keys");
	sshd_config(&server, "Host *\n" NO_FILES);
	assert_fails("web1", CONNECT_MS, "was refused; tried: odd (agent)", NULL);
	sshd_shell(&server, "cat id.pub >>authorized_keys");
	sshd_config(&server, "Host *\n" HOST);
	assert_connects("web1");
	sshd_shell(&server, "cp id.pub authorized_keys");
	odd_agent_end(&a);
}

static void
transport_ssh_agent_lent_is_asked_for_what_it_has_not(void **state)
{
	static const struct bytes questions[] = {
		{ "\0\0\0\x8\xd\0\0\0\3abc", 12 }, /* no key of its own */
		{ "\0\0\0\x8\xd\0\0\1\3abc", 12 }, /* no key at all */
	};
	const struct agent_offer offer = { bytes_of("abcd"), bytes_of("abcd") };
	char answer[5];
	int fd;
	struct agent_lent *l = agent_lend("/no/such/socket", clock_ms() + CONNECT_MS, &fd);

	(void)state;
	assert_non_null(l);
	agent_lent_show(l, &offer, 1);
	for (size_t i = 0; i < COUNT(questions); i++) {
		assert_true(file_write_all(fd, questions[i]));
		assert_int_equal(recv(fd, answer, sizeof(answer), MSG_WAITALL), sizeof(answer));
		assert_memory_equal(answer, "\0\0\0\1\5", sizeof(answer)); /* failure */
		assert_int_equal(agent_lent_refused(l), -1);
	}
	close(fd);
	agent_lent_free(l);
}

static void
transport_ssh_certificate_logs_in(void **state)
{
	struct agent a;

	(void)state;
	sshd_shell(&server, "ssh-keygen -q -t ed25519 -N '' -f ca; "
			    "ssh-keygen -q -t ed25519 -N '' -f guest; "
			    "ssh-keygen -q -s ca -I guest -n %s guest.pub 2>/dev/null; "
			    "echo \"cert-authority $(cat ca.pub)\" >authorized_keys",
	    server.user);
	sshd_config(&server, "Host *\nIdentityFile %D/guest\n" NO_FILES);
	assert_connects("web1"); /* guest-cert.pub beside it */
	sshd_shell(&server, "mv guest-cert.pub ticket.pub");
	assert_fails("web1", CONNECT_MS, "tried: ", "/guest;");
	sshd_config(&server,
	    "Host *\nCertificateFile %D/ticket.pub\nIdentityFile %D/guest\n" NO_FILES);
	assert_connects("web1");
	a = agent_start();
	sshd_shell(&server, "ssh-add -q guest; mv guest hidden"); /* the agent has the key only */
	assert_connects("web1");
	sshd_shell(&server, "ssh-add -q -D; mv hidden guest; mv ticket.pub guest-cert.pub; "
			    "ssh-add -q guest 2>/dev/null; mv guest hidden; "
			    "rm guest.pub guest-cert.pub");
	sshd_config(&server, "Host *\n" NO_FILES);
	assert_connects("web1"); /* the agent has both */
	sshd_shell(&server, "cp id.pub authorized_keys; rm hidden");
	agent_end(&a);
}

static void
transport_ssh_nobody_there_is_told(void **state)
{
	AUTO(fd_drop) int fd = listen_as_host(-1); /* bound, not listening */

	(void)state;
	assert_fails("web1", CONNECT_MS, "cannot connect to 127.0.0.1, port", "Connection refused");
	sshd_config(&server, "Host *\nPort %P\n");
	assert_fails("no-such-host.invalid", CONNECT_MS, "cannot look up no-such-host.invalid",
	    NULL);
}

static void
transport_ssh_silent_port_ends_at_the_deadline(void **state)
{
	AUTO(fd_drop) int fd = listen_as_host(5); /* the kernel accepts, nobody speaks */
	int64_t start = clock_ms();

	(void)state;
	assert_fails("web1", 1500, "speaks SSH in time", NULL);
	assert_in_range(clock_ms() - start, 1490, 6000);
}

static void *
speak_a_little(void *arg)
{
	int fd = accept4(*(int *)arg, NULL, NULL, SOCK_CLOEXEC);
	char buf[256];

	if (write(fd, "SSH-2.0-x\r\n", 11) != 11)
		return NULL;
	while (read(fd, buf, sizeof(buf)) > 0)
		;
	close(fd);
	return NULL;
}

static void
transport_ssh_server_that_falls_silent_ends_at_the_deadline(void **state)
{
	AUTO(fd_drop) int fd = listen_as_host(5);
	pthread_t thread;

	(void)state;
	pthread_create(&thread, NULL, speak_a_little, &fd);
	assert_fails("web1", 1500, "fell silent", NULL);
	pthread_join(thread, NULL);
}

static void *
greet_and_go(void *arg)
{
	static const struct linger reset = { .l_onoff = 1 };

	for (int i = 0; i < 2; i++) { /* with the end of the stream, and with a reset */
		int fd = accept4(*(int *)arg, NULL, NULL, SOCK_CLOEXEC);
		char buf[4096];

		if (i == 1)
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		if (write(fd, "SSH-2.0-OpenSSH_9.2\r\n", 21) != 21 || read(fd, buf, sizeof(buf)) <= 0)
			print_message("it went away first\n");
		close(fd);
	}
	return NULL;
}

/* A server that is going down, or is not all up yet. */
static void
transport_ssh_server_that_hangs_up_after_its_greeting_is_away(void **state)
{
	AUTO(fd_drop) int fd = listen_as_host(5);
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, greet_and_go, &fd), 0);
	assert_fails_as(ERR_AWAY, "web1", CONNECT_MS, "no SSH connection to web1", NULL);
	assert_fails_as(ERR_AWAY, "web1", CONNECT_MS, "no SSH connection to web1", NULL);
	pthread_join(thread, NULL);
}

/* As pam_nologin does it to all but root: who has waited for it gets in. */
static void
transport_ssh_server_that_cuts_off_a_login_is_away(void **state)
{
	struct sshd booting;

	(void)state;
	sshd_start_booting(&server, &booting);
	sshd_known_hosts(&booting, KNOWN);
	sshd_config(&booting, "Host *\n" HOST);
	assert_fails_as(ERR_AWAY, "web1", CONNECT_MS, "was cut off; tried: ", NULL);
	sshd_config(&booting, "Host *\nIdentityFile %D/stranger\n" HOST);
	assert_fails_as(ERR_AWAY, "web1", CONNECT_MS,
	    "was cut off by a server that says: " SSHD_BOOTING, "tried: ");
	sshd_halt(&booting);
}

static void
transport_ssh_server_that_has_seen_too_many_keys_is_not_away(void **state)
{
	struct sshd strict;

	(void)state;
	sshd_start_beside(&server, &strict, "MaxAuthTries 1\n");
	sshd_known_hosts(&strict, KNOWN);
	sshd_shell(&server, "for i in 1 2 3; do ssh-keygen -q -t ed25519 -N '' -f stranger$i; done");
	sshd_config(&strict,
	    "Host *\n"
	    "IdentityFile %D/stranger1\nIdentityFile %D/stranger2\nIdentityFile %D/stranger3\n" HOST);
	assert_fails_as(ERR_HOST, "web1", CONNECT_MS, "too many keys? see IdentitiesOnly", NULL);
	sshd_halt(&strict);
}

/* What it says will be as wrong another time. */
static void
transport_ssh_server_that_greets_and_says_nonsense_is_not_away(void **state)
{
	(void)state;
	sshd_config(&server, "Host web1\nProxyCommand sh -c 'echo SSH-2.0-x; yes; sleep 60'\n" HOST);
	assert_fails_as(ERR_HOST, "web1", CONNECT_MS, "no SSH connection to web1", NULL);
}

static void
transport_ssh_something_that_is_no_ssh_is_told(void **state)
{
	AUTO(fd_drop) int fd = listen_as_host(5);
	pthread_t thread;

	(void)state;
	sshd_shell(&server, ": >nothing");
	pthread_create(&thread, NULL, speak_a_little, &fd);
	shutdown(fd, SHUT_RD); /* accept fails: the kernel resets */
	assert_fails("web1", CONNECT_MS, "127.0.0.1", NULL);
	pthread_join(thread, NULL);
}

static void
transport_ssh_jump_host_with_an_underscore_leads_there(void **state)
{
	(void)state;
	sshd_config(&server, "Host jump_1\n" HOST "Host web1\nProxyJump jump_1\n" HOST);
	assert_connects("web1");
}

static void
transport_ssh_jump_host_that_fails_is_quoted(void **state)
{
	(void)state;
	/* one that is left to ssh */
	sshd_config(&server, "Host jump\nUserKnownHostsFile /dev/null\nBindAddress 127.0.0.1\n" HOST
			     "Host web1\nProxyJump jump\n" HOST);
	assert_fails_as(ERR_HOST, "web1", CONNECT_MS, "the way there says: ",
	    "Host key verification failed");
	sshd_config(&server, "Host web1\nProxyCommand echo no way >&2; exit 1\n" HOST);
	assert_fails_as(ERR_AWAY, "web1", CONNECT_MS, "the way there says: ", "no way");
	sshd_config(&server, "Host web1\nProxyCommand sleep 60\n" HOST);
	assert_fails_as(ERR_AWAY, "web1", 1500, "speaks SSH in time", NULL);
	sshd_config(&server, "Host *\nProxyCommand nc %h %p\nPort %P\nHostName 127.0.0.1\n");
	assert_fails("web1;x", CONNECT_MS, "", NULL);
}

/* Nobody waits for what trying again does not change. */
static void
transport_ssh_program_that_is_refused_or_missing_is_not_away(void **state)
{
	(void)state;
	sshd_config(&server, "Host jump\nUserKnownHostsFile /dev/null\n" HOST
			     "Host web1\nProxyCommand ssh -oBatchMode=yes -W '[%h]:%p' jump\n" HOST);
	assert_fails_as(ERR_HOST, "web1", CONNECT_MS, "the way there says: ",
	    "Host key verification failed");
	sshd_config(&server, "Host jump\n" NO_FILES
			     "Host web1\nProxyCommand ssh -oBatchMode=yes -W '[%h]:%p' jump\n" HOST);
	assert_fails_as(ERR_HOST, "web1", CONNECT_MS, "the way there says: ", "Permission denied (");
	sshd_config(&server, "Host web1\nProxyCommand no-such-program %h\n" HOST);
	assert_fails_as(ERR_HOST, "web1", CONNECT_MS, "no-such-program", "not found");
	sshd_config(&server, "Host web1\nProxyCommand %D/config\n" HOST);
	assert_fails_as(ERR_HOST, "web1", CONNECT_MS, "the way there says: ", "ermission denied");
}

/*
 * The way there takes some of the input and then no more, while much is
 * waiting: a write to a blocking socket would hang there for ever.
 */
static void
transport_ssh_jump_host_that_stops_ends_at_the_deadline(void **state)
{
	(void)state;
	sshd_config(&server, "Host web1\nProxyCommand sh -c "
			     "'(dd bs=16k count=60; sleep 60) | ssh -W [%h]:%p b | cat'\n"
			     "Host *\n" HOST);
	assert_no_write_hangs("cat >/dev/null");
}

static void
transport_ssh_many_threads_at_once(void **state)
{
	struct agent a = agent_start();

	(void)state;
	sshd_shell(&server, "ssh-add -q id; ssh-keygen -q -H -f known_hosts 2>/dev/null");
	assert_many_run(THREADS);
	agent_end(&a);
}

#define CASE(name) cmocka_unit_test_setup_teardown(transport_ssh_##name, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(host_key_known_in_some_way_is_taken),
		CASE(host_key_hashed_is_taken),
		CASE(known_hosts_that_is_dev_null_says_nothing),
		CASE(host_key_not_known_is_refused_with_fingerprint),
		CASE(host_key_changed_is_refused_with_the_way_out),
		CASE(host_key_revoked_is_refused),
		CASE(every_known_hosts_file_counts),
		CASE(host_key_alias_is_looked_up),
		CASE(settings_are_those_of_the_alias),
		CASE(settings_it_cannot_do_are_named),
		CASE(no_accepted_key_names_those_tried),
		CASE(encrypted_key_without_agent_says_ssh_add),
		CASE(agent_with_the_good_key_logs_in),
		CASE(agent_with_many_wrong_keys),
		CASE(agent_that_hangs_or_is_gone_does_not_stop_a_file),
		CASE(agent_that_does_not_sign_is_told),
		CASE(agent_s_key_that_libssh_writes_anew_is_passed_over),
		CASE(agent_lent_is_asked_for_what_it_has_not),
		CASE(certificate_logs_in),
		CASE(nobody_there_is_told),
		CASE(silent_port_ends_at_the_deadline),
		CASE(server_that_falls_silent_ends_at_the_deadline),
		CASE(server_that_hangs_up_after_its_greeting_is_away),
		CASE(server_that_cuts_off_a_login_is_away),
		CASE(server_that_has_seen_too_many_keys_is_not_away),
		CASE(server_that_greets_and_says_nonsense_is_not_away),
		CASE(something_that_is_no_ssh_is_told),
		CASE(jump_host_with_an_underscore_leads_there),
		CASE(jump_host_that_fails_is_quoted),
		CASE(program_that_is_refused_or_missing_is_not_away),
		CASE(jump_host_that_stops_ends_at_the_deadline),
		CASE(many_threads_at_once),
	};
	int failed;

	signal(SIGPIPE, SIG_IGN);
	sshd_start(&server, NULL);
	failed = ssh_contract_run("transport_ssh contract", end);
	failed += cmocka_run_group_tests_name("transport_ssh", tests, NULL, NULL);
	sshd_stop(&server);
	return failed;
}
