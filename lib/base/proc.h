/* SPDX-License-Identifier: MIT */
/*
 * proc: one command, run to its end: spawn an argv, feed its stdin, collect
 * both outputs up to a cap, keep a deadline. struct proc_command and
 * struct proc_result also describe commands on other hosts
 * (transport/transport.h); the rules are the same there.
 */
#ifndef BASE_PROC_H
#define BASE_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/err.h"
#include "base/str.h"

/* What a gate says of the output so far: see struct proc_command. */
enum proc_gate {
	PROC_GATE_WAIT, /* not yet: call again when there is more output */
	PROC_GATE_GO,	/* send the input now */
	PROC_GATE_STOP, /* send nothing, close the command's stdin */
};

struct proc_command {
	const char *const *argv; /* NULL-terminated; argv[0] is looked up in PATH */
	/*
	 * What goes to stdin: `n_input` pieces, one behind the other, each
	 * borrowed until the command has ended. stdin is closed behind the last;
	 * with none it is empty from the start. A command that ends without reading
	 * all of it is fine.
	 */
	const struct bytes *input;
	size_t n_input;
	/*
	 * If set, no byte of input is sent before the gate opens. It is called
	 * with all of stdout so far whenever there is more, never again after it
	 * said GO or STOP. At GO it may have changed what the input
	 * pieces point to. If the command ends before that, nothing was sent.
	 */
	enum proc_gate (*gate)(void *arg, struct bytes out);
	void *gate_arg;
	int64_t limit_ms; /* from the call on; <= 0 means 120 s */
	size_t cap;	  /* bytes kept of stdout and of stderr each; 0 means 1 MiB */
};

enum proc_end {
	PROC_EXITED,	/* `code` is the exit status */
	PROC_SIGNALLED, /* `code` is the signal number, 0 if not known */
	PROC_DEADLINE,	/* killed here; on a remote host perhaps still running */
	PROC_LOST,	/* connection gone: perhaps still running (remote only) */
};

/* Zero-initialize; proc_result_done frees. */
struct proc_result {
	enum proc_end end;
	int code;
	bool fed;	 /* at least one byte of input was sent */
	bool cut;	 /* some output was over the cap and left out */
	struct str out, err; /* raw: escape before showing */
	struct str lost; /* PROC_LOST: what is known of why, in words; or empty */
};

void proc_result_done(struct proc_result *r);

/*
 * Run a local command. Both outputs are read at the same time, so nothing
 * stalls; a child that outlives the command and holds its pipes is not waited for
 * longer than 300 ms. At the deadline the command's process group
 * gets SIGTERM and, a second later, SIGKILL. The child gets the caller's environment,
 * default signal handling, a session of its own (no terminal to prompt
 * on) and only descriptors 0 to 2.
 * False (ERR_SYSTEM) only if the command could not be started, also for a
 * program that is not there; then nothing of it ran. Any thread. The program
 * ignores SIGPIPE and leaves SIGCHLD at its default.
 */
MUST_CHECK bool proc_run(const struct proc_command *c, struct proc_result *out, struct err *e);

/*
 * Append the last sensible words of the command's error output (stderr, or
 * stdout if that is empty) to an error text: escaped, lines joined by "; ", of
 * more than `cap` bytes the last ones, behind "... ". Nothing if there are none.
 */
void proc_quote_output(struct str *out, const struct proc_result *r, size_t cap);

/*
 * Start a program that lives longer than one command, with `files` as its descriptors 0 to 2 and
 * no other, in a session of its own (no terminal to prompt on), signals as they are by default. The
 * caller reaps it. Returns an errno value. Any thread.
 */
int proc_spawn(const char *const *argv, const int files[3], pid_t *pid);

#endif
