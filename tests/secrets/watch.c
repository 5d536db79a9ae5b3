/* SPDX-License-Identifier: MIT */
/*
 * watch: runs a program and looks through its memory again and again, at every system call of
 * any of its threads that sends, writes, waits or ends, for pieces of keys. Where a piece may lie is
 * a page that is locked ("lo") and left out of core dumps ("dd"); each other place is told, with how
 * long it lay there. It tells as well what each program that was started has inherited.
 *
 *   watch NEEDLES REPORT COMMAND...
 *
 * NEEDLES is what `secrets.rb needles` prints. A line of REPORT is one of
 *
 *   child PROGRAM FD->WHAT...         besides 0 to 2, and those that its command line names
 *   piece FIRST LAST SYSCALL CLASS MAPPING ADDRESS NEEDLE
 *                                     scans in which it was seen, the first one's system call,
 *                                     and what the page is: "plain", "locked" or "undumped"
 *   end SCANS PLAIN LOCKED MOST       how often it was looked; at the last look, the pieces that lay
 *                                     elsewhere and those in place; the most that ever lay in place
 *
 * Needs root, or at least that it may trace what it starts although that forbids it.
 */
#include <ctype.h>
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SLOTS ((size_t)1 << 16)
#define MAX_NEEDLES 32768
#define MAX_PIECES 65536
#define PREFIX 8
#define TOGETHER ((size_t)1 << 20)
#define LINE 8192

struct needle {
	unsigned char *bytes;
	size_t len;
	char *what;
};

struct piece {
	uint64_t address;
	const struct needle *needle;
	unsigned first, last;
	const char *call, *class;
	char *mapping;
};

static struct needle needles[MAX_NEEDLES];
static size_t n_needles, longest;
static uint16_t slots[SLOTS]; /* 1 and the index of a needle; in the next one if this is not it */
static struct piece pieces[MAX_PIECES];
static size_t n_pieces, n_plain, n_locked, most_locked;
static unsigned n_scans;
static pid_t watched;
static FILE *report;

static const struct {
	long number;
	const char *name;
} calls[] = {
	{ SYS_write, "write" }, { SYS_writev, "writev" }, { SYS_sendto, "sendto" },
	{ SYS_sendmsg, "sendmsg" }, { SYS_close, "close" }, { SYS_ppoll, "ppoll" },
	{ SYS_pwrite64, "pwrite64" }, { SYS_wait4, "wait4" }, { SYS_waitid, "waitid" },
	{ SYS_exit, "exit" }, { SYS_exit_group, "exit_group" },
#ifdef SYS_poll
	{ SYS_poll, "poll" },
#endif
#ifdef SYS_select
	{ SYS_select, "select" },
#endif
};

static size_t
slot_of(const unsigned char *p)
{
	uint64_t n;

	memcpy(&n, p, sizeof(n));
	return (n * 0x9e3779b97f4a7c15u) >> 48;
}

static void
add_needle(char *line)
{
	struct needle *n = &needles[n_needles];
	size_t digits = strspn(line, "0123456789abcdef"), slot;

	if (digits < 2 * PREFIX || line[digits] != ' ' || n_needles == MAX_NEEDLES - 1)
		errx(2, "strange needles");
	n->len = digits / 2;
	n->bytes = malloc(n->len);
	for (size_t i = 0; i < n->len; i++)
		sscanf(line + 2 * i, "%2hhx", &n->bytes[i]);
	n->what = strdup(line + digits + 1);
	longest = n->len > longest ? n->len : longest;
	for (slot = slot_of(n->bytes); slots[slot]; slot = (slot + 1) % SLOTS)
		;
	slots[slot] = (uint16_t)++n_needles;
}

static void
read_needles(const char *file)
{
	FILE *f = fopen(file, "r");
	char line[LINE];

	if (!f)
		err(2, "%s", file);
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		add_needle(line);
	}
	fclose(f);
}

/* The needle that begins at p, of which `len` bytes are there. */
static const struct needle *
match(const unsigned char *p, size_t len)
{
	for (size_t slot = slot_of(p); slots[slot]; slot = (slot + 1) % SLOTS) {
		const struct needle *n = &needles[slots[slot] - 1];

		if (n->len <= len && memcmp(n->bytes, p, n->len) == 0)
			return n;
	}
	return NULL;
}

/* ---- one look ---- */

struct mapping {
	uint64_t from, to;
	bool wanted, present, locked, undumped;
	char name[256];
};

static void
note_piece(const struct mapping *m, uint64_t address, const struct needle *n, const char *call)
{
	struct piece *p;

	if (m->locked && m->undumped) {
		n_locked++;
		return;
	}
	n_plain++;
	for (size_t i = 0; i < n_pieces; i++)
		if (pieces[i].address == address && pieces[i].needle == n) {
			pieces[i].last = n_scans;
			return;
		}
	if (n_pieces == MAX_PIECES)
		errx(2, "too many pieces");
	p = &pieces[n_pieces++];
	*p = (struct piece){ address, n, n_scans, n_scans, call,
		m->locked ? "locked" : m->undumped ? "undumped" : "plain", strdup(m->name) };
}

static void
look_into(int memory, const struct mapping *m, const char *call)
{
	static unsigned char buf[TOGETHER];
	size_t keep = 0;

	for (uint64_t at = m->from; at < m->to;) {
		ssize_t n = pread(memory, buf + keep, sizeof(buf) - keep, (off_t)at);
		size_t len = n > 0 && (uint64_t)n > m->to - at ? keep + (m->to - at) : keep + (size_t)n;

		if (n <= 0)
			return;
		for (size_t i = 0; i + PREFIX <= len; i++) {
			const struct needle *found = slots[slot_of(buf + i)] ? match(buf + i, len - i) : NULL;

			if (found && !(keep > 0 && i + found->len <= keep))
				note_piece(m, at - keep + i, found, call);
		}
		at += len - keep;
		keep = len < longest - 1 ? len : longest - 1;
		memmove(buf, buf + len - keep, keep);
	}
}

static void
end_of_mapping(int memory, const struct mapping *m, const char *call)
{
	if (m->wanted && m->present && m->to > m->from)
		look_into(memory, m, call);
}

static void
scan(const char *call)
{
	char path[64], line[LINE];
	struct mapping m = { 0 };
	unsigned long from, to;
	char mode[8];
	int memory, at;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/mem", (int)watched);
	memory = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%d/smaps", (int)watched);
	maps = fopen(path, "re");
	if (memory < 0 || !maps)
		err(2, "%s", path);
	n_scans++;
	n_plain = n_locked = 0;
	while (fgets(line, sizeof(line), maps)) {
		line[strcspn(line, "\n")] = '\0';
		if (isxdigit((unsigned char)*line) &&
		    sscanf(line, "%lx-%lx %7s %*s %*s %*s %n", &from, &to, mode, &at) >= 3) {
			end_of_mapping(memory, &m, call);
			/* what is not writable is the file it came from */
			m = (struct mapping){ .from = from, .to = to, .wanted = mode[0] == 'r' && mode[1] == 'w' };
			snprintf(m.name, sizeof(m.name), "%.255s", line[at] ? line + at : "[anonymous]");
		} else if (strncmp(line, "Rss:", 4) == 0) {
			m.present = strtol(line + 4, NULL, 10) > 0;
		} else if (strncmp(line, "VmFlags:", 8) == 0) {
			strcat(line, " ");
			m.locked = strstr(line, " lo ") != NULL;
			m.undumped = strstr(line, " dd ") != NULL;
		}
	}
	end_of_mapping(memory, &m, call);
	fclose(maps);
	close(memory);
	most_locked = n_locked > most_locked ? n_locked : most_locked;
}

/* Is another thread between two system calls, or may be at once? This one's caller stands in one. */
static bool
others_run(void)
{
	char path[64], line[LINE];
	bool run = false;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)watched);
	dir = opendir(path);
	for (struct dirent *d; dir && !run && (d = readdir(dir));) {
		const char *name_end;
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%d/task/%.16s/stat", (int)watched, d->d_name);
		f = fopen(path, "re");
		if (!f)
			continue;
		name_end = fgets(line, sizeof(line), f) ? strrchr(line, ')') : NULL;
		run = name_end && strchr("RD", name_end[2]); /* D: a page comes */
		fclose(f);
	}
	if (dir)
		closedir(dir);
	return run;
}

/*
 * Other threads run on meanwhile, and a library that encrypts has the text in its buffer until that is
 * done: some microseconds, or much more where the processor is given to others in the midst of it. So
 * what is told is what is still there when each thread has come to a system call.
 */
static void
look(const char *call)
{
	size_t before = n_pieces;
	bool moment = true;

	scan(call);
	while (n_pieces > before && moment) {
		size_t n = before;

		moment = others_run();
		scan(call);
		for (size_t i = before; i < n_pieces; i++)
			if (pieces[i].last == n_scans && pieces[i].first < n_scans)
				pieces[n++] = pieces[i];
		n_pieces = n;
	}
}

/* ---- what children get ---- */

/* Is the number a word of the program's command line, as gpg's --status-fd 5 or -&7 are? */
static bool
is_told(pid_t pid, const char *number)
{
	char path[64], words[65536];
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	f = fopen(path, "re");
	n = f ? fread(words, 1, sizeof(words) - 1, f) : 0;
	words[n] = '\0';
	if (f)
		fclose(f);
	for (const char *p = words; p < words + n; p += strlen(p) + 1)
		if (strcmp(p + (strncmp(p, "-&", 2) == 0 ? 2 : 0), number) == 0)
			return true;
	return false;
}

static void
tell_child(pid_t pid)
{
	char path[PATH_MAX], to[PATH_MAX] = "?";
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	if (readlink(path, to, sizeof(to) - 1) < 0)
		return;
	fprintf(report, "child %s", to);
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	for (struct dirent *d; dir && (d = readdir(dir));) {
		char file[PATH_MAX];

		memset(to, 0, sizeof(to));
		if (!isdigit((unsigned char)*d->d_name) || atoi(d->d_name) <= STDERR_FILENO ||
		    is_told(pid, d->d_name))
			continue;
		snprintf(file, sizeof(file), "%.64s/%.16s", path, d->d_name);
		if (readlink(file, to, sizeof(to) - 1) > 0)
			fprintf(report, " %s->%s", d->d_name, to);
	}
	if (dir)
		closedir(dir);
	fprintf(report, "\n");
}

/* ---- tracing ---- */

static const char *
call_of(pid_t pid)
{
	struct __ptrace_syscall_info info = { 0 };

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) <= 0 ||
	    info.op != PTRACE_SYSCALL_INFO_ENTRY)
		return NULL;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (info.entry.nr == (uint64_t)calls[i].number)
			return calls[i].name;
	return NULL;
}

static bool
is_thread(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d", (int)watched, (int)pid);
	return access(path, F_OK) == 0;
}

/* A thread of the program goes on to its next system call; others go their way. */
static void
go_on(pid_t pid, int sig)
{
	ptrace(is_thread(pid) ? PTRACE_SYSCALL : PTRACE_CONT, pid, 0, sig);
}

static void
on_stop(pid_t pid, int status)
{
	int sig = WSTOPSIG(status), event = status >> 16;

	if (event == PTRACE_EVENT_EXEC && pid != watched) {
		tell_child(pid);
		ptrace(PTRACE_DETACH, pid, 0, 0);
		return;
	}
	if (sig == (SIGTRAP | 0x80)) {
		static const char *before;
		const char *call = is_thread(pid) ? call_of(pid) : NULL;

		if (call && !(call == before && strstr(call, "poll"))) /* gpgme asks very often */
			look(call);
		before = call ? call : before;
		sig = 0;
	} else if (event || sig == SIGTRAP || sig == SIGSTOP) {
		sig = 0;
	}
	go_on(pid, sig);
}

/* Its exit status, as a shell has it. */
static int
follow(void)
{
	int status, result = -1;
	pid_t pid;

	while (result < 0 && (pid = waitpid(-1, &status, __WALL)) > 0) {
		if (WIFSTOPPED(status))
			on_stop(pid, status);
		else if (pid == watched)
			result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	}
	return result;
}

static void
start(char **argv)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
	    PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
	int status;

	watched = fork();
	if (watched == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		execvp(argv[0], argv);
		err(127, "%s", argv[0]);
	}
	if (waitpid(watched, &status, 0) != watched || !WIFSTOPPED(status) ||
	    ptrace(PTRACE_SETOPTIONS, watched, 0, options) != 0)
		err(2, "cannot trace");
	ptrace(PTRACE_SYSCALL, watched, 0, 0);
}

int
main(int argc, char **argv)
{
	int status;

	if (argc < 4)
		errx(2, "usage: watch NEEDLES REPORT COMMAND...");
	read_needles(argv[1]);
	report = fopen(argv[2], "we");
	if (!report)
		err(2, "%s", argv[2]);
	start(argv + 3);
	status = follow();
	for (size_t i = 0; i < n_pieces; i++)
		fprintf(report, "piece %u %u %s %s %s %lx %s\n", pieces[i].first, pieces[i].last,
		    pieces[i].call, pieces[i].class, pieces[i].mapping,
		    (unsigned long)pieces[i].address, pieces[i].needle->what);
	fprintf(report, "end %u %zu %zu %zu\n", n_scans, n_plain, n_locked, most_locked);
	return fclose(report) == 0 ? status : 2;
}
