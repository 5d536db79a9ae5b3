/* SPDX-License-Identifier: MIT */
/*
 * sshd: everything lies below one directory of mkdtemp(). The server runs in
 * the foreground as our child and is ended by its process id; so are its
 * children, one for each connection, which /proc tells.
 */
#include "tests/contract/sshd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pwd.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/clock.h"
#include "base/file.h"
#include "base/proc.h"

#define READY_MS 20000
#define SHELL_MS 60000

static char *path_before;

static void
put_file(const struct sshd *s, const char *name, const char *text, mode_t mode)
{
	AUTO(fd_drop) int dir = -1;
	struct file_place at = { .name = name, .mode = mode };
	struct err e = { 0 };

	if (!file_open_dir(s->dir, &dir, &e))
		fail_msg("%s", e.text);
	at.tmp_dir = at.dir = dir;
	if (!file_replace(&at, bytes_of(text), &e))
		fail_msg("%s", e.text);
}

static void
get_file(const struct sshd *s, const char *name, struct str *out)
{
	AUTO(fd_drop) int dir = -1;
	struct err e = { 0 };

	if (!file_open_dir(s->dir, &dir, &e) || !file_read_at(dir, name, 1 << 20, out, &e))
		fail_msg("%s", e.text);
	if (out->len > 0 && out->ptr[out->len - 1] == '\n')
		out->ptr[--out->len] = '\0';
}

void
sshd_shell(const struct sshd *s, const char *fmt, ...)
{
	char script[4096];
	const char *const argv[] = { "sh", "-euc", "cd \"$1\"; eval \"$2\"", "sh", s->dir, script,
		NULL };
	struct proc_command c = { .argv = argv, .limit_ms = SHELL_MS };
	AUTO(proc_result_done) struct proc_result r = { 0 };
	struct err e = { 0 };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(script, sizeof(script), fmt, ap);
	va_end(ap);
	if (!proc_run(&c, &r, &e))
		fail_msg("%s", e.text);
	if (r.end != PROC_EXITED || r.code != 0)
		fail_msg("%s: status %d: %s", script, r.code, str_text(&r.err));
}

static unsigned
free_port(void)
{
	AUTO(fd_drop) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	return ntohs(at.sin_port);
}

static bool
is_listening(unsigned port)
{
	AUTO(fd_drop) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0;
}

static void
write_server_config(const struct sshd *s, const char *extra)
{
	AUTO(mem_free_drop) char *name = mem_printf("sshd_config.%u", s->port);
	AUTO(str_done) struct str text = { 0 };

	/* what stands first counts */
	str_addf(&text, "%s\n", extra ? extra : "");
	if (!extra || !strstr(extra, "MaxStartups")) /* of this one, the last counts */
		str_add(&text, "MaxStartups 300\n");
	str_addf(&text, "ListenAddress 127.0.0.1\nPort %u\nPidFile none\nUsePAM no\n", s->port);
	str_addf(&text, "HostKey %s/host_ed25519\nHostKey %s/host_ecdsa\n", s->dir, s->dir);
	str_addf(&text, "AuthorizedKeysFile %s/authorized_keys\nStrictModes no\n", s->dir);
	str_add(&text, "PermitRootLogin yes\nPasswordAuthentication no\n"
		       "KbdInteractiveAuthentication no\nUseDNS no\n"
		       "PrintLastLog no\nPrintMotd no\nLogLevel ERROR\n"
		       "SetEnv SHLVL=1\n"); /* else bash reads somebody's .bashrc */
	put_file(s, name, str_text(&text), 0600);
}

/* setpriv: a test that crashes takes its server along. */
static void
spawn_server(struct sshd *s)
{
	AUTO(mem_free_drop) char *config = mem_printf("%s/sshd_config.%u", s->dir, s->port);
	AUTO(mem_free_drop) char *log = mem_printf("%s/sshd.log.%u", s->dir, s->port);
	const char *const argv[] = { "setpriv", "--pdeathsig", "TERM", "/usr/sbin/sshd", "-D", "-f",
		config, "-E", log, NULL };
	posix_spawn_file_actions_t files;
	int64_t until = clock_ms() + READY_MS;

	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addclosefrom_np(&files, 3);
	assert_int_equal(
	    posix_spawnp(&s->pid, argv[0], &files, NULL, (char *const *)argv, environ), 0);
	posix_spawn_file_actions_destroy(&files);
	while (!is_listening(s->port)) {
		if (clock_left(until) == 0 || waitpid(s->pid, NULL, WNOHANG) != 0)
			fail_msg("sshd does not start");
		usleep(5000);
	}
}

static void
make_user(struct sshd *s)
{
	struct passwd *pw = getpwuid(getuid());

	assert_non_null(pw);
	s->user = mem_strdup(pw->pw_name);
	if (getuid() == 0 && mkdir("/run/sshd", 0755) != 0)
		assert_int_equal(errno, EEXIST);
}

static void
make_wrapper(struct sshd *s)
{
	AUTO(mem_free_drop) char *path = NULL;

	path_before = mem_strdup(getenv("PATH"));
	sshd_shell(s, "mkdir bin; printf '#!/bin/sh\\nexec %%s -F %s/config \"$@\"\\n' "
		      "\"$(command -v ssh)\" >bin/ssh; chmod 755 bin/ssh",
	    s->dir);
	path = mem_printf("%s/bin:%s", s->dir, path_before);
	setenv("PATH", path, 1);
	unsetenv("SSH_AUTH_SOCK");
}

void
sshd_start(struct sshd *s, const char *extra)
{
	const char *tmp = getenv("TMPDIR");

	s->dir = mem_printf("%s/arver-sshd-XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(s->dir));
	make_user(s);
	sshd_shell(s, "ssh-keygen -q -t ed25519 -N '' -f host_ed25519\n"
		      "ssh-keygen -q -t ecdsa -N '' -f host_ecdsa\n"
		      "ssh-keygen -q -t ed25519 -N '' -C good -f id\n"
		      "cp id.pub authorized_keys; : >config; : >known_hosts");
	make_wrapper(s);
	sshd_resume(s, extra);
}

void
sshd_resume(struct sshd *s, const char *extra)
{
	if (s->port == 0)
		s->port = free_port();
	write_server_config(s, extra);
	spawn_server(s);
}

void
sshd_start_beside(const struct sshd *first, struct sshd *s, const char *extra)
{
	*s = (struct sshd){ .dir = first->dir, .user = first->user };
	sshd_resume(s, extra);
}

void
sshd_start_booting(const struct sshd *first, struct sshd *s)
{
	AUTO(mem_free_drop) char *extra =
	    mem_printf("Banner %s/booting\nAuthorizedKeysFile none\nAuthorizedKeysCommandUser %s\n"
		       "AuthorizedKeysCommand /bin/sh -c \"grep -qF %%k %s/stranger.pub || kill -9 $PPID\"\n",
		first->dir, first->user, first->dir);

	sshd_shell(first, "echo \"" SSHD_BOOTING "\" >booting; rm -f stranger*\n"
			  "ssh-keygen -q -t ed25519 -N '' -f stranger");
	sshd_start_beside(first, s, extra);
}

size_t
sshd_count(const struct sshd *s, const char *what)
{
	AUTO(mem_free_drop) char *name = mem_printf("sshd.log.%u", s->port);
	AUTO(str_done) struct str log = { 0 };
	size_t n = 0;

	get_file(s, name, &log);
	for (const char *p = str_text(&log); (p = strstr(p, what)); p++)
		n++;
	return n;
}

/* The children of a process, and theirs: a connection has a privileged and a plain one. */
static void
signal_children(pid_t parent, int sig)
{
	AUTO(mem_free_drop)
	char *path = mem_printf("/proc/%d/task/%d/children", (int)parent, (int)parent);
	FILE *f = fopen(path, "re");
	int child;

	while (f && fscanf(f, "%d", &child) == 1) {
		signal_children(child, sig);
		kill(child, sig);
	}
	if (f)
		fclose(f);
}

void
sshd_signal_connections(const struct sshd *s, int sig)
{
	signal_children(s->pid, sig);
}

void
sshd_halt(struct sshd *s)
{
	if (s->pid == 0)
		return;
	signal_children(s->pid, SIGKILL);
	kill(s->pid, SIGTERM);
	waitpid(s->pid, NULL, 0);
	s->pid = 0;
}

void
sshd_stop(struct sshd *s)
{
	sshd_halt(s);
	sshd_shell(s, "cd /; rm -rf %s", s->dir);
	setenv("PATH", path_before, 1);
	free(path_before);
	free(s->dir);
	free(s->user);
	path_before = NULL;
	*s = (struct sshd){ 0 };
}

void
sshd_config(const struct sshd *s, const char *text)
{
	AUTO(str_done) struct str out = { 0 };

	for (const char *p = text; *p; p++) {
		if (str_starts(p, "%D"))
			str_add(&out, s->dir);
		else if (str_starts(p, "%P"))
			str_addf(&out, "%u", s->port);
		else {
			str_add_char(&out, *p);
			continue;
		}
		p++;
	}
	put_file(s, "config", str_text(&out), 0600);
}

void
sshd_known_hosts(const struct sshd *s, const char *text)
{
	AUTO(str_done) struct str out = { 0 };
	AUTO(str_done) struct str ed25519 = { 0 };
	AUTO(str_done) struct str ecdsa = { 0 };

	get_file(s, "host_ed25519.pub", &ed25519);
	get_file(s, "host_ecdsa.pub", &ecdsa);
	for (const char *p = text; *p; p++) {
		if (str_starts(p, "%E"))
			str_add(&out, str_text(&ed25519));
		else if (str_starts(p, "%C"))
			str_add(&out, str_text(&ecdsa));
		else if (str_starts(p, "%P"))
			str_addf(&out, "%u", s->port);
		else {
			str_add_char(&out, *p);
			continue;
		}
		p++;
	}
	put_file(s, "known_hosts", str_text(&out), 0600);
}
