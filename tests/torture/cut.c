/* SPDX-License-Identifier: MIT */
/*
 * cut: to be preloaded (LD_PRELOAD). It counts the calls by which one program changes
 * something or talks to somebody, and at one of them ends the program, tears the call, lets it
 * fail, cuts the connection, or holds the program up. Everything else goes on as ever.
 *
 *   CUT_PROGRAM  base name of the program that is meant; others are left alone
 *   CUT_CALLS    which calls count, a list of: file device send recv
 *   CUT_DEVICES  files that count as devices, between colons (block devices always do)
 *   CUT_COUNTER  a file of 16 bytes or more, shared by all that run: calls so far, cuts so far
 *   CUT_LOG      a file that gets one line per counted call
 *   CUT_AT       the number, from 1, of the call that is cut; 0 only counts
 *   CUT_ACTION   kill: the program, before the call; tear: half of a write, then kill; after: do
 *                it, then kill; drop: end the connection; pause: CUT_PAUSE; ERRNO, such as
 *                ENOSPC: fail with that; +ERRNO: from then on
 *   CUT_PAUSE    MS:PATH: make PATH.paused, wait until PATH.go is there, but so long at most
 *
 * Calls to the kernel are made directly, so that nothing here depends on the order of libraries.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

_Static_assert(sizeof(long) == 8, "offsets are passed to the kernel as they are");

#define DEVICES_MAX 8
#define HIGH_FD 900 /* where the log is out of the program's way */
#define TICK_NS 2000000

enum call_class { NO_CALL = 0, FILE_CALL = 1, DEVICE_CALL = 2, SEND_CALL = 4, RECV_CALL = 8 };
enum action { GO, KILL, TEAR, AFTER, DROP, PAUSE, FAIL };

struct counter {
	_Atomic uint64_t calls, cuts;
};

static struct counter own_counter;
static struct {
	bool on, stays;
	pid_t pid;
	unsigned calls;
	uint64_t at;
	enum action action;
	int code, log, n_devices;
	long pause_ms;
	char pause[200];
	struct counter *counter;
	struct stat devices[DEVICES_MAX];
} cut = { .log = -1, .counter = &own_counter };

/* --- what is asked for -------------------------------------------------------------------- */

static const char *
setting(const char *name)
{
	const char *value = getenv(name);

	return value ? value : "";
}

static int
code_of(const char *name)
{
	for (int code = 1; code < 134; code++)
		if (strerrorname_np(code) && strcmp(strerrorname_np(code), name) == 0)
			return code;
	return EIO;
}

static void
set_action(const char *word)
{
	static const char *const words[] = { "go", "kill", "tear", "after", "drop", "pause" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i], word) == 0) {
			cut.action = (enum action)i;
			return;
		}
	cut.action = FAIL;
	cut.stays = *word == '+';
	cut.code = code_of(word + cut.stays);
}

static void
set_devices(void)
{
	char list[4096], *rest = list, *path;

	snprintf(list, sizeof(list), "%s", setting("CUT_DEVICES"));
	while ((path = strsep(&rest, ":")) && cut.n_devices < DEVICES_MAX)
		if (*path && stat(path, &cut.devices[cut.n_devices]) == 0)
			cut.n_devices++;
}

static void
set_counter(const char *path)
{
	int fd = *path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *at = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(struct counter),
	    PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (at != MAP_FAILED)
		cut.counter = at;
	if (fd >= 0)
		close(fd);
}

static void
set_log(const char *path)
{
	int fd = *path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;

	if (fd < 0)
		return;
	cut.log = fcntl(fd, F_DUPFD_CLOEXEC, HIGH_FD);
	close(fd);
}

__attribute__((constructor)) static void
begin(void)
{
	const char *calls = setting("CUT_CALLS"), *pause = setting("CUT_PAUSE");

	if (strcmp(setting("CUT_PROGRAM"), program_invocation_short_name) != 0)
		return;
	cut.pid = getpid();
	cut.calls = (strstr(calls, "file") ? FILE_CALL : 0u) |
	    (strstr(calls, "device") ? DEVICE_CALL : 0u) | (strstr(calls, "send") ? SEND_CALL : 0u) |
	    (strstr(calls, "recv") ? RECV_CALL : 0u);
	cut.at = strtoull(setting("CUT_AT"), NULL, 10);
	set_action(setting("CUT_ACTION"));
	cut.pause_ms = strtol(pause, NULL, 10);
	snprintf(cut.pause, sizeof(cut.pause), "%s", strchr(pause, ':') ? strchr(pause, ':') + 1 : "");
	set_devices();
	set_counter(setting("CUT_COUNTER"));
	set_log(setting("CUT_LOG"));
	unsetenv("LD_PRELOAD"); /* its children are not meant */
	cut.on = true;
}

/* --- what happens at a call --------------------------------------------------------------- */

static _Noreturn void
die(void)
{
	for (;;)
		syscall(SYS_kill, cut.pid, SIGKILL);
}

static enum call_class
look(int fd)
{
	struct stat st;
	int domain = 0;
	socklen_t len = sizeof(domain);

	if (!cut.on || fd <= 2 || fstat(fd, &st) != 0)
		return NO_CALL;
	for (int i = 0; i < cut.n_devices; i++)
		if (st.st_dev == cut.devices[i].st_dev && st.st_ino == cut.devices[i].st_ino)
			return DEVICE_CALL;
	if (S_ISBLK(st.st_mode))
		return DEVICE_CALL;
	if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))
		return FILE_CALL;
	if (!S_ISSOCK(st.st_mode) || getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) != 0)
		return NO_CALL;
	return domain == AF_INET || domain == AF_INET6 ? SEND_CALL : NO_CALL;
}

static enum call_class
class_of(int fd)
{
	int before = errno;
	enum call_class class = look(fd);

	errno = before;
	return class;
}

static void
note(uint64_t number, enum call_class class, const char *call, int fd, const char *name, size_t n)
{
	static const char *const names[] = { [FILE_CALL] = "file", [DEVICE_CALL] = "device",
		[SEND_CALL] = "send", [RECV_CALL] = "recv" };
	char line[400], link[40], path[200] = "";
	ssize_t len;

	if (cut.log < 0)
		return;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if ((len = readlink(link, path, sizeof(path) - 1)) > 0)
		path[len] = '\0';
	len = snprintf(line, sizeof(line), "%llu %s %s %s%s%s %zu\n", (unsigned long long)number,
	    names[class], call, path, *name ? "/" : "", name, n);
	if (len > 0)
		syscall(SYS_write, cut.log, line, (size_t)len < sizeof(line) ? len : (ssize_t)sizeof(line));
}

static void
hold_up(void)
{
	const struct timespec tick = { 0, TICK_NS };
	char path[220];
	long left = cut.pause_ms * 1000000 / TICK_NS;
	int fd;

	snprintf(path, sizeof(path), "%s.paused", cut.pause);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
	snprintf(path, sizeof(path), "%s.go", cut.pause);
	while (left-- > 0 && access(path, F_OK) != 0)
		nanosleep(&tick, NULL);
}

/* Count it, and say what is to become of it; what needs no call at all is done here. */
static enum action
before(enum call_class class, const char *call, int fd, const char *name, size_t n)
{
	int code = errno;
	uint64_t number;

	if (!cut.on || !(class & cut.calls) || getpid() != cut.pid)
		return GO;
	number = atomic_fetch_add(&cut.counter->calls, 1) + 1;
	note(number, class, call, fd, name, n);
	errno = code;
	if (number != cut.at && !(cut.stays && cut.at > 0 && number > cut.at))
		return GO;
	atomic_fetch_add(&cut.counter->cuts, 1);
	switch (cut.action) {
	case KILL:
		die();
	case DROP:
		shutdown(fd, SHUT_RDWR);
		errno = ECONNRESET;
		return FAIL;
	case PAUSE:
		hold_up();
		errno = code;
		return GO;
	case FAIL:
		errno = cut.code;
		return FAIL;
	default:
		return cut.action;
	}
}

/* The same for a call that has no half. */
static enum action
before_whole(enum call_class class, const char *call, int fd, const char *name)
{
	enum action a = before(class, call, fd, name, 0);

	if (a == TEAR)
		die();
	return a;
}

static ssize_t
after(enum action a, ssize_t result)
{
	if (a == TEAR || a == AFTER)
		die();
	return result;
}

static size_t
part(enum action a, size_t n)
{
	return a == TEAR ? n / 2 : n;
}

/* --- the calls ---------------------------------------------------------------------------- */

ssize_t
write(int fd, const void *from, size_t n)
{
	enum action a = before(class_of(fd), "write", fd, "", n);

	return a == FAIL ? -1 : after(a, syscall(SYS_write, fd, from, part(a, n)));
}

ssize_t
pwrite(int fd, const void *from, size_t n, off_t at)
{
	enum action a = before(class_of(fd), "pwrite", fd, "", n);

	return a == FAIL ? -1 : after(a, syscall(SYS_pwrite64, fd, from, part(a, n), at));
}

ssize_t
pwrite64(int fd, const void *from, size_t n, off64_t at)
{
	return pwrite(fd, from, n, at);
}

ssize_t
writev(int fd, const struct iovec *from, int n)
{
	enum action a = before(class_of(fd), "writev", fd, "", (size_t)n);

	return a == FAIL ? -1 : after(a, syscall(SYS_writev, fd, from, (int)part(a, (size_t)n)));
}

ssize_t
sendto(int fd, const void *from, size_t n, int flags, const struct sockaddr *to, socklen_t len)
{
	enum action a = before(class_of(fd), "send", fd, "", n);

	return a == FAIL ? -1 : after(a, syscall(SYS_sendto, fd, from, part(a, n), flags, to, len));
}

ssize_t
send(int fd, const void *from, size_t n, int flags)
{
	return sendto(fd, from, n, flags, NULL, 0);
}

ssize_t
sendmsg(int fd, const struct msghdr *from, int flags)
{
	enum action a = before_whole(class_of(fd), "sendmsg", fd, "");

	return a == FAIL ? -1 : after(a, syscall(SYS_sendmsg, fd, from, flags));
}

/* A message counts once it has come; what is cut then has not been seen. */
static ssize_t
received(int fd, ssize_t n)
{
	enum action a;

	if (n <= 0 || class_of(fd) != SEND_CALL)
		return n;
	a = before_whole(RECV_CALL, "recv", fd, "");
	return a == FAIL ? -1 : after(a, n);
}

ssize_t
recvfrom(int fd, void *to, size_t n, int flags, struct sockaddr *from, socklen_t *len)
{
	ssize_t got = syscall(SYS_recvfrom, fd, to, n, flags, from, len);

	return flags & MSG_PEEK ? got : received(fd, got);
}

ssize_t
recv(int fd, void *to, size_t n, int flags)
{
	return recvfrom(fd, to, n, flags, NULL, NULL);
}

ssize_t
read(int fd, void *to, size_t n)
{
	return received(fd, syscall(SYS_read, fd, to, n));
}

int
fsync(int fd)
{
	enum action a = before_whole(class_of(fd), "fsync", fd, "");

	return a == FAIL ? -1 : (int)after(a, syscall(SYS_fsync, fd));
}

int
fdatasync(int fd)
{
	enum action a = before_whole(class_of(fd), "fdatasync", fd, "");

	return a == FAIL ? -1 : (int)after(a, syscall(SYS_fdatasync, fd));
}

int
ftruncate(int fd, off_t size)
{
	enum action a = before_whole(class_of(fd), "ftruncate", fd, "");

	return a == FAIL ? -1 : (int)after(a, syscall(SYS_ftruncate, fd, size));
}

int
renameat2(int from, const char *name, int to, const char *new_name, unsigned flags)
{
	enum action a = before_whole(FILE_CALL, "rename", to, new_name);

	return a == FAIL ? -1 :
	    (int)after(a, syscall(SYS_renameat2, from, name, to, new_name, flags));
}

int
renameat(int from, const char *name, int to, const char *new_name)
{
	return renameat2(from, name, to, new_name, 0);
}

int
rename(const char *name, const char *new_name)
{
	return renameat2(AT_FDCWD, name, AT_FDCWD, new_name, 0);
}

int
unlinkat(int dir, const char *name, int flags)
{
	enum action a = before_whole(FILE_CALL, "unlink", dir, name);

	return a == FAIL ? -1 : (int)after(a, syscall(SYS_unlinkat, dir, name, flags));
}

int
unlink(const char *name)
{
	return unlinkat(AT_FDCWD, name, 0);
}

int
mkdirat(int dir, const char *name, mode_t mode)
{
	enum action a = before_whole(FILE_CALL, "mkdir", dir, name);

	return a == FAIL ? -1 : (int)after(a, syscall(SYS_mkdirat, dir, name, mode));
}
