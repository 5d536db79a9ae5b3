/* SPDX-License-Identifier: MIT */
/*
 * Find the verb, run it, turn the outcome into an exit status. The process is
 * hardened before anything else: no core dump, no ptrace.
 */
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "arver/app.h"
#include "arver/ask.h"
#include "arver/command.h"
#include "arver/options.h"
#include "arver/pinned.h"
#include "arver/progress.h"
#include "arver/show.h"
#include "base/log.h"
#include "base/secret.h"

#define DESCRIPTORS 16384

static atomic_int cancelled;

/*
 * The first time: nothing new starts. The second time: leave at once. A terminal that is gone is told
 * by the kernel and by the shell, and means the first, however often.
 */
static void
on_signal(int signal_number)
{
	int none = 0;

	if (signal_number == SIGHUP) {
		atomic_compare_exchange_strong(&cancelled, &none, 1);
	} else if (atomic_fetch_add(&cancelled, 1) > 0) {
		ask_restore();
		progress_erase();
		_exit(128 + signal_number);
	}
}

static void
set_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	ask_heed(&cancelled);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	if (signal(SIGHUP, SIG_IGN) != SIG_IGN) /* or else nohup was asked for */
		sigaction(SIGHUP, &sa, NULL);
	sa.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &sa, NULL);
	sa.sa_handler = SIG_DFL; /* children must be waited for, whatever we were started with */
	sigaction(SIGCHLD, &sa, NULL);
}

/*
 * A program that was started without them must not get files as 0, 1 or 2. What
 * stands in their place cannot be written, so that lost output is an error.
 */
static void
open_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY); /* not close-on-exec: it may stay as 0 to 2 */
	while (fd >= 0 && fd <= 2);
	if (fd > 2)
		close(fd);
}

/*
 * Two descriptors for each host that is kept connected between two phases: the usual soft limit is
 * for programs that call select(), which nothing here does.
 */
static void
raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= DESCRIPTORS)
		return;
	limit.rlim_cur = limit.rlim_max < DESCRIPTORS ? limit.rlim_max : DESCRIPTORS;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* Documented in arver(1), stable for ever. */
static int
exit_status(enum err_kind kind)
{
	switch (kind) {
	case ERR_USAGE:
		return 2;
	case ERR_DATA:
		return 3;
	case ERR_GPG:
		return 4;
	case ERR_REFUSED:
	case ERR_CHANGED:
		return 5;
	case ERR_CANCELLED:
		return 130;
	default:
		return 1;
	}
}

static void
set_log_level(const struct options *o)
{
	static const enum log_level levels[] = { LOG_INFO, LOG_INFO, LOG_DEBUG };

	log_set_level(o->quiet ? LOG_WARNING : levels[o->verbose > 2 ? 2 : o->verbose]);
}

static bool
run(struct app *app, int argc, char **argv, int *status, struct err *e)
{
	bool ok = options_parse(argc, argv, &app->options, e);

	show_init(&app->show, &app->options);
	if (!ok)
		return false;
	set_log_level(&app->options);
	progress_init(&app->options);
	ok = app->options.command->run(app, status, e);
	pinned_keep(app);
	return ok;
}

int
main(int argc, char **argv)
{
	struct app app = { .dir = -1, .cancel = &cancelled };
	struct err e = { 0 };
	int status = 0;

	secret_harden_process();
	open_standard_descriptors();
	raise_descriptor_limit();
	setlocale(LC_CTYPE, "");
	set_signals();
	log_set_colour(show_may_colour(STDERR_FILENO));
	if (!run(&app, argc, argv, &status, &e)) {
		status = exit_status(e.kind);
		show_error(&app.show, &e, status);
	}
	if (atomic_load(&cancelled))
		status = 130;
	show_end(&app.show, status);
	app_done(&app);
	app_warn_unlocked();
	if ((fflush(stdout) != 0 || ferror(stdout)) && status == 0) {
		status = 1;
		log_line(LOG_ERROR, "standard output could not be written");
	}
	return status;
}
