/* SPDX-License-Identifier: MIT */
/*
 * proxy: posix_spawn with nothing inherited but its three descriptors, in a
 * session of its own, so that it can ask nobody anything. `ssh -W` is for jump hosts where
 * jump.h cannot go; their keys are judged as strictly: BatchMode and StrictHostKeyChecking say so.
 */
#include "transport/proxy.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/file.h"
#include "base/proc.h"
#include "transport/openssh_says.h"
#include "transport/ssh_config.h"

#define STOP_MS 500
#define ENDING_MS 100 /* from its last word until the kernel has its status */
#define QUOTE_CAP 200

void
proxy_hop_done(struct proxy_hop *hop)
{
	free(hop->user);
	free(hop->host);
	free(hop->before);
	*hop = (struct proxy_hop){ 0 };
}

void
proxy_hop_parse(const char *list, struct proxy_hop *out)
{
	const char *comma = strrchr(list, ','), *hop = comma ? comma + 1 : list;
	AUTO(mem_free_drop) char *copy = mem_strdup(str_starts(hop, "ssh://") ? hop + 6 : hop);
	char *host = copy, *at = strrchr(copy, '@'), *end;

	*out = (struct proxy_hop){ 0 };
	if (comma)
		out->before = mem_strndup(list, (size_t)(comma - list));
	if (at) {
		*at = '\0';
		out->user = mem_strdup(copy);
		host = at + 1;
	}
	end = *host == '[' ? strchr(host, ']') : NULL;
	if (end) { /* [2001:db8::1]:22 */
		*end++ = '\0';
		host++;
	} else {
		end = strchr(host, ':');
		if (end && strchr(end + 1, ':'))
			end = NULL; /* a bare IPv6 address */
	}
	if (end && *end == ':') {
		*end++ = '\0';
		out->port = (unsigned)strtoul(end, NULL, 10);
	}
	out->host = mem_strdup(host);
}

static void
jump_words(const struct proxy_way *way, struct argv *words)
{
	AUTO(proxy_hop_done) struct proxy_hop hop = { 0 };

	proxy_hop_parse(way->jump, &hop);
	argv_add(words, "ssh");
	argv_add(words, "-oBatchMode=yes");
	argv_addf(words, "-oStrictHostKeyChecking=%s", way->accept_new ? "accept-new" : "yes");
	argv_add(words, "-oServerAliveInterval=15");
	argv_addf(words, "-oConnectTimeout=%lld", (long long)(way->wait_ms + 999) / 1000);
	if (hop.before)
		argv_addf(words, "-J%s", hop.before);
	argv_addf(words, "-W[%s]:%u", way->config->hostname, way->config->port);
	if (hop.user)
		argv_addf(words, "-l%s", hop.user);
	if (hop.port)
		argv_addf(words, "-p%u", hop.port);
	argv_add(words, "--");
	argv_add(words, hop.host);
}

/* It goes through a shell unquoted, as ssh does it: only what no shell minds. */
static bool
is_harmless(const char *s)
{
	return *s != '-' &&
	    s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:@+%")] ==
		'\0';
}

static bool
add_expanded(struct str *out, const char *value, struct err *e)
{
	if (!value || !is_harmless(value))
		return err_set(e, ERR_HOST, "ProxyCommand: \"%s\" cannot go through a shell",
		    value ? value : "");
	str_add(out, value);
	return true;
}

static bool
command_words(const struct ssh_config *config, const char *address, struct argv *words,
    struct err *e)
{
	AUTO(str_done) struct str line = { 0 };
	const char *shell = getenv("SHELL");
	bool ok = true;

	str_add(&line, "exec ");
	for (const char *p = config->proxy_command; ok && *p; p++) {
		if (*p != '%')
			str_add_char(&line, *p);
		else if (*++p == '%')
			str_add_char(&line, '%');
		else if (*p == 'h')
			ok = add_expanded(&line, config->hostname, e);
		else if (*p == 'n')
			ok = add_expanded(&line, address, e);
		else if (*p == 'r')
			ok = add_expanded(&line, config->user, e);
		else if (*p == 'p')
			str_addf(&line, "%u", config->port);
		else
			return err_set(e, ERR_HOST, "ProxyCommand: %%%.1s is not known here", p);
	}
	argv_add(words, shell && *shell ? shell : "/bin/sh");
	argv_add(words, "-c");
	argv_add(words, str_text(&line));
	return ok;
}

/* Run it on one end of a socket pair; the other is ours. Returns an errno value. */
static int
start(const char *const *words, struct proxy *out, int *out_fd)
{
	struct complaint complaint;
	int ends[2], code = complaint_open(&complaint);

	if (code != 0)
		return code;
	complaint_let_go(&complaint); /* read only when something goes wrong */
	code = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0 ? errno : 0;
	if (code == 0) {
		code = proc_spawn(words, (const int[]){ ends[1], ends[1], complaint.to }, &out->pid);
		close(ends[1]);
		if (code != 0)
			close(ends[0]);
	}
	if (code != 0) {
		out->pid = 0;
		complaint_done(&complaint);
		return code;
	}
	out->complaint = complaint;
	*out_fd = ends[0];
	return 0;
}

bool
proxy_start(const struct proxy_way *way, struct proxy *out, int *out_fd, struct err *e)
{
	AUTO(argv_done) struct argv words = { 0 };
	int code;

	if (way->jump)
		jump_words(way, &words);
	else if (!command_words(way->config, way->address, &words, e))
		return false;
	code = start(argv_words(&words), out, out_fd);
	return code == 0 ||
	    err_errno(e, ERR_HOST, code, "cannot run %s, for the way to %s", argv_words(&words)[0],
		way->address);
}

void
proxy_quote(struct proxy *p, struct str *out)
{
	AUTO(proc_result_done) struct proc_result said = { 0 };

	if (p->pid == 0)
		return;
	if (!complaint_read(&p->complaint)) {
		str_add(out, "; the way there says more than can be kept");
		return;
	}
	str_add_bytes(&said.err, str_bytes(&p->complaint.said));
	if (said.err.len == 0)
		return;
	str_add(out, "; the way there says: ");
	proc_quote_output(out, &said, QUOTE_CAP);
}

bool
proxy_is_refused(struct proxy *p)
{
	const struct timespec tick = { .tv_nsec = 2000000 };
	int64_t until = clock_ms() + ENDING_MS;
	siginfo_t end = { 0 };

	if (p->pid == 0)
		return false;
	while (waitid(P_PID, (id_t)p->pid, &end, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       end.si_pid == 0 && clock_left(until) > 0)
		nanosleep(&tick, NULL);
	complaint_read(&p->complaint);
	return openssh_says_refused(str_text(&p->complaint.said)) ||
	    (end.si_code == CLD_EXITED && (end.si_status == 126 || end.si_status == 127));
}

void
proxy_stop(struct proxy *p)
{
	int64_t until = clock_ms() + STOP_MS;
	const struct timespec tick = { .tv_nsec = 2000000 };

	if (p->pid == 0)
		return;
	kill(-p->pid, SIGTERM);
	while (waitpid(p->pid, NULL, WNOHANG) == 0 && clock_left(until) > 0)
		nanosleep(&tick, NULL);
	if (clock_left(until) == 0) {
		kill(-p->pid, SIGKILL);
		waitpid(p->pid, NULL, 0);
	}
	complaint_done(&p->complaint);
	p->pid = 0;
}
