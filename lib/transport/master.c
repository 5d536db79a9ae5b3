/* SPDX-License-Identifier: MIT */
/*
 * master: ssh in the foreground, with no session of its own. It must not outlive us, however we
 * end: its stdin is a pipe that nobody reads, whose other end is ours alone, and
 * which the kernel has been told to announce with SIGTERM; it does that when our end is closed.
 */
#include "transport/master.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/file.h"
#include "base/proc.h"
#include "transport/mux.h"
#include "transport/transport.h"

#define ALIVE_INTERVAL_S 9 /* and two unanswered: noticed within half a minute */
#define STOP_MS 500
#define TICK_MS 20 /* how often to look where nothing wakes us */
#define DIR_CAP 60 /* longer ones leave no room for the name of a socket */

/* Where the control socket is while it is needed. */
struct place {
	char *dir, *socket; /* NULL: none */
	int watch;          /* has news when something appears there */
};

static void
place_done(struct place *p)
{
	if (p->dir) {
		unlink(p->socket);
		rmdir(p->dir);
	}
	free(p->dir);
	free(p->socket);
	fd_drop(&p->watch);
}

/* Ours alone, not too long, and with no character that means something to ssh. */
static bool
is_fit(const char *dir)
{
	struct stat st;

	return dir && *dir == '/' && strlen(dir) <= DIR_CAP && !strpbrk(dir, " \t\"'\\%$~") &&
	       stat(dir, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
	       (st.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

static bool
make_place(struct place *p, struct err *e)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	char *dir = mem_printf("%s/arver-ssh-XXXXXX", is_fit(runtime) ? runtime : "/tmp");

	if (!mkdtemp(dir)) {
		err_errno(e, ERR_HOST, errno, "cannot make a directory %s for ssh", dir);
		free(dir);
		return false;
	}
	p->dir = dir;
	p->socket = mem_printf("%s/socket", dir);
	p->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (p->watch >= 0 && inotify_add_watch(p->watch, dir, IN_CREATE) < 0)
		fd_drop(&p->watch);
	return true;
}

/*
 * What must be so, whatever ssh_config says: nobody is asked, nothing is forwarded or started, and
 * this connection is shared with nobody. What is said is told in full, for the error text.
 */
static void
add_settings(struct argv *words)
{
	static const char *const settings[] = {
		"BatchMode=yes",
		"ControlMaster=yes",
		"ControlPersist=no",
		"ForkAfterAuthentication=no",
		"StdinNull=no",
		"RequestTTY=no",
		"RemoteCommand=none",
		"PermitLocalCommand=no",
		"ClearAllForwardings=yes",
		"ForwardAgent=no",
		"ForwardX11=no",
		"Tunnel=no",
		"AddKeysToAgent=no",
		"UpdateHostKeys=no",
		"VisualHostKey=no",
		"LogLevel=DEBUG1",
	};

	for (size_t i = 0; i < COUNT(settings); i++)
		argv_addf(words, "-o%s", settings[i]);
	argv_addf(words, "-oServerAliveInterval=%d", ALIVE_INTERVAL_S);
	argv_add(words, "-oServerAliveCountMax=2");
}

/*
 * env: nor do the ssh processes that ProxyJump starts ask by a window of their own. ssh's time is
 * over a little before ours, so that it can still say what it waited for.
 */
static void
add_words(struct argv *words, const struct transport_spec *spec, const char *socket, int64_t until)
{
	int seconds = clock_left(until) / 1000;

	argv_add(words, "env");
	argv_add(words, "SSH_ASKPASS_REQUIRE=never");
	argv_add(words, "ssh");
	argv_add(words, "-N");
	add_settings(words);
	argv_addf(words, "-oStrictHostKeyChecking=%s", spec->accept_new ? "accept-new" : "yes");
	argv_addf(words, "-oControlPath=%s", socket);
	argv_addf(words, "-oConnectTimeout=%d", seconds > 0 ? seconds : 1);
	if (spec->user)
		argv_addf(words, "-l%s", spec->user);
	if (spec->port)
		argv_addf(words, "-p%u", spec->port);
	argv_add(words, "--");
	argv_add(words, spec->address);
}

/* When the last writer is gone, `pid` gets SIGTERM: signal-driven input, see fcntl(2). */
static bool
tie(int reader, pid_t pid)
{
	return fcntl(reader, F_SETSIG, SIGTERM) == 0 && fcntl(reader, F_SETOWN, pid) == 0 &&
	       fcntl(reader, F_SETFL, O_ASYNC) == 0;
}

/* Returns an errno value. */
static int
start(struct master *m, const char *const *words)
{
	AUTO(fd_drop) int reader = -1;
	AUTO(fd_drop) int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
	int ends[2], code;

	if (nothing < 0 || pipe2(ends, O_CLOEXEC) != 0)
		return errno;
	reader = ends[0];
	m->guard = ends[1];
	code = complaint_open(&m->complaint);
	if (code != 0)
		return code;
	code = proc_spawn(words, (const int[]){ reader, nothing, m->complaint.to }, &m->pid);
	if (code != 0) {
		m->pid = 0;
		return code;
	}
	m->pidfd = pidfd_open(m->pid, 0);
	return tie(reader, m->pid) ? 0 : errno;
}

/* It is not reaped: its process id stays ours until master_stop. */
static bool
has_ended(const struct master *m)
{
	siginfo_t info = { 0 };

	return waitid(P_PID, (id_t)m->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
	       info.si_pid == m->pid;
}

/* Sleep until something appears in the place, the master speaks or ends, or the time is over. */
static void
wait_for_news(const struct master *m, const struct place *p, int64_t until)
{
	struct pollfd fds[] = { { .fd = p->watch, .events = POLLIN },
		{ .fd = m->pidfd, .events = POLLIN },
		{ .fd = p->dir ? m->complaint.from : -1, .events = POLLIN } };
	char buf[4096];
	int left = clock_left(until);

	if ((m->pidfd < 0 || (p->dir && p->watch < 0)) && left > TICK_MS)
		left = TICK_MS;
	poll(fds, COUNT(fds), left);
	if (p->watch >= 0)
		file_read_some(p->watch, buf, sizeof(buf));
}

/* What it says is read meanwhile, so that nothing is missing; what it says later is lost. */
static enum master_end
await(struct master *m, const struct place *p, int64_t until, struct mux *mux)
{
	for (;;) {
		enum mux_connected got = mux_connect(mux, p->socket, until);
		bool over = got != MUX_NOT_YET || has_ended(m);

		if (got == MUX_CONNECTED)
			complaint_let_go(&m->complaint);
		if (!complaint_read(&m->complaint))
			return MASTER_FLOODED;
		if (got == MUX_CONNECTED) {
			fd_drop(&m->complaint.to); /* the master has it */
			return MASTER_CONNECTED;
		}
		if (clock_left(until) == 0)
			return MASTER_LATE;
		if (over)
			return MASTER_ENDED;
		wait_for_news(m, p, until);
	}
}

enum master_end
master_connect(struct master *m, const struct transport_spec *spec, int64_t until, struct mux *mux,
    struct err *e)
{
	AUTO(place_done) struct place place = { .watch = -1 };
	AUTO(argv_done) struct argv words = { 0 };
	int code;

	if (!make_place(&place, e))
		return MASTER_FAILED;
	add_words(&words, spec, place.socket, until);
	code = start(m, argv_words(&words));
	if (code != 0) {
		err_errno(e, ERR_HOST, code, "cannot run ssh, for the way to %s", spec->address);
		return MASTER_FAILED;
	}
	return await(m, &place, until, mux);
}

struct bytes
master_says(const struct master *m)
{
	return str_bytes(&m->complaint.said);
}

void
master_stop(struct master *m)
{
	const struct place nowhere = { .watch = -1 };
	int64_t until = clock_ms() + STOP_MS;

	if (m->pid > 0) {
		kill(-m->pid, SIGTERM);
		while (!has_ended(m) && clock_left(until) > 0)
			wait_for_news(m, &nowhere, until);
		kill(-m->pid, SIGKILL); /* those of its group that did not listen, too */
		while (waitpid(m->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	m->pid = 0;
	fd_drop(&m->pidfd);
	fd_drop(&m->guard);
	complaint_done(&m->complaint);
}
