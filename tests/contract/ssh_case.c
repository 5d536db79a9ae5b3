/* SPDX-License-Identifier: MIT */
#include "tests/contract/ssh_case.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/clock.h"
#include "tests/contract/transport_contract.h"

struct sshd server;
struct transport *(*transport_new)(const struct transport_spec *spec) = transport_ssh_new;
struct pool *pool;
bool accept_new;
struct str notes;

static void
on_note(void *arg, const char *text)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

	(void)arg;
	HOLD(&lock);
	str_addf(&notes, "%s\n", text);
}

struct transport *
make_to(const char *address, int64_t connect_ms)
{
	const struct transport_spec spec = {
		.name = "colo/web1",
		.address = address,
		.user = server.user,
		.connect_ms = connect_ms,
		.pool = pool,
		.accept_new = accept_new,
		.note = on_note,
	};

	return transport_new(&spec);
}

struct transport *
make_ssh(void)
{
	return make_to("web1", CONNECT_MS);
}

static size_t
open_files(void)
{
	DIR *d = opendir("/proc/self/fd");
	size_t n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static size_t files_before;

int
begin(void **state)
{
	(void)state;
	sshd_config(&server, "Host *\n" HOST);
	sshd_known_hosts(&server, KNOWN);
	accept_new = false;
	files_before = open_files();
	return 0;
}

/* No descriptor and no child is left behind. */
int
end(void **state)
{
	(void)state;
	unsetenv("SSH_AUTH_SOCK");
	str_done(&notes);
	assert_int_equal(open_files(), files_before);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), 0); /* there is sshd, and it runs */
	return 0;
}

void
assert_says(const struct err *e, const char *text)
{
	if (!strstr(e->text, text))
		fail_msg("\"%s\" is not in: %s", text, e->text);
}

void
assert_noted(const char *text)
{
	if (!strstr(str_text(&notes), text))
		fail_msg("\"%s\" is not in: %s", text, str_text(&notes));
}

void
connect_or_fail(struct transport *t)
{
	struct err e = { 0 };

	if (!transport_connect(t, &e))
		fail_msg("%s", e.text);
}

void
assert_runs(struct transport *t)
{
	AUTO(proc_result_done) struct proc_result r = { 0 };

	transport_contract_sh(t, "echo here", (struct proc_command){ 0 }, &r);
	assert_string_equal(str_text(&r.out), "here\n");
}

void
assert_lost(struct transport *t, const char *script)
{
	AUTO(proc_result_done) struct proc_result r = { 0 };
	const struct bytes input = bytes_of("x");

	transport_contract_sh(t, script, (struct proc_command){ .input = &input, .n_input = 1 }, &r);
	assert_int_equal(r.end, PROC_LOST);
	assert_true(r.fed);
}

void
assert_no_write_hangs(const char *script)
{
	AUTO(transport_drop) struct transport *t = make_ssh();
	AUTO(proc_result_done) struct proc_result r = { 0 };
	AUTO(mem_free_drop) char *big = mem_alloc(16, 1 << 20);
	const struct bytes input = { big, (size_t)16 << 20 };
	int64_t start;

	connect_or_fail(t);
	start = clock_ms();
	transport_contract_sh(t, script,
	    (struct proc_command){ .input = &input, .n_input = 1, .limit_ms = 3000 }, &r);
	assert_int_equal(r.end, PROC_DEADLINE);
	assert_in_range(clock_ms() - start, 2990, 9000);
}

void
assert_connects_in(const char *address, int64_t connect_ms)
{
	AUTO(transport_drop) struct transport *t = make_to(address, connect_ms);

	connect_or_fail(t);
	assert_runs(t);
}

void
assert_connects(const char *address)
{
	assert_connects_in(address, CONNECT_MS);
}

static void
fail_to_connect(const char *address, int64_t connect_ms, struct err *e)
{
	AUTO(transport_drop) struct transport *t = make_to(address, connect_ms);
	int64_t start = clock_ms();

	assert_false(transport_connect(t, e));
	assert_in_range(clock_ms() - start, 0, connect_ms + 5000);
}

void
assert_fails_as(enum err_kind kind, const char *address, int64_t connect_ms, const char *text,
    const char *more)
{
	struct err e = { 0 };

	fail_to_connect(address, connect_ms, &e);
	if (e.kind != kind)
		fail_msg("kind %d, not %d: %s", e.kind, kind, e.text);
	assert_says(&e, text);
	if (more)
		assert_says(&e, more);
}

void
assert_fails(const char *address, int64_t connect_ms, const char *text, const char *more)
{
	struct err e = { 0 };

	fail_to_connect(address, connect_ms, &e);
	assert_true(e.kind == ERR_HOST || e.kind == ERR_AWAY);
	assert_says(&e, text);
	if (more)
		assert_says(&e, more);
}

struct worker {
	pthread_t thread;
	size_t number;
	struct err complaint;
};

static void *
work(void *arg)
{
	struct worker *w = arg;
	AUTO(transport_drop) struct transport *t = make_to("web1", 60000);
	AUTO(mem_free_drop) char *text = mem_printf("worker %zu\n", w->number);
	const char *const argv[] = { "cat", NULL };
	const struct bytes input = bytes_of(text);

	for (int i = 0; i < 3; i++) {
		AUTO(proc_result_done) struct proc_result r = { 0 };
		struct proc_command c = { .argv = argv, .input = &input, .n_input = 1 };

		if (transport_run(t, &c, &r, &w->complaint) &&
		    (r.end != PROC_EXITED || !str_equal(str_text(&r.out), text)))
			err_set(&w->complaint, ERR_DATA, "end %d", r.end);
	}
	return NULL;
}

void
assert_many_run(size_t n)
{
	AUTO(mem_free_drop) struct worker *workers = mem_alloc(n, sizeof(*workers));

	for (size_t i = 0; i < n; i++) {
		workers[i].number = i;
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	}
	for (size_t i = 0; i < n; i++)
		pthread_join(workers[i].thread, NULL);
	for (size_t i = 0; i < n; i++)
		assert_string_equal(workers[i].complaint.text, "");
}

int
listen_here(int backlog, unsigned *out_port)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	assert_int_equal(backlog < 0 ? 0 : listen(fd, backlog), 0);
	*out_port = ntohs(at.sin_port);
	return fd;
}

int
listen_as_host(int backlog)
{
	unsigned port;
	int fd = listen_here(backlog, &port);
	AUTO(mem_free_drop) char *text = mem_printf("Host *\nPort %u\n%s", port, HOST);

	sshd_config(&server, text);
	return fd;
}

struct agent
agent_start(void)
{
	struct agent a = { .path = mem_printf("%s/agent", server.dir) };
	char *argv[] = { (char *)"ssh-agent", (char *)"-D", (char *)"-a", a.path, NULL };
	posix_spawn_file_actions_t files;

	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", 1, 0);
	posix_spawn_file_actions_addclosefrom_np(&files, 3);
	assert_int_equal(posix_spawnp(&a.pid, argv[0], &files, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&files);
	for (int i = 0; i < 1000 && access(a.path, F_OK) != 0; i++)
		usleep(10000);
	setenv("SSH_AUTH_SOCK", a.path, 1);
	return a;
}

void
agent_end(struct agent *a)
{
	kill(a->pid, SIGCONT);
	kill(a->pid, SIGTERM);
	waitpid(a->pid, NULL, 0);
	unsetenv("SSH_AUTH_SOCK");
	unlink(a->path);
	free(a->path);
}

