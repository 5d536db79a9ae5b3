/* SPDX-License-Identifier: MIT */
/* ask: what a person types: passphrases, without echo, into locked memory, past stdio. */
#ifndef ARVER_ASK_H
#define ARVER_ASK_H

#include <stdatomic.h>
#include <stdbool.h>
#include "base/err.h"

struct secret;

/*
 * One line from the terminal without echo or, where there is no terminal, from
 * standard input; without its newline. ERR_CANCELLED at end of input, and when the flag
 * given to ask_heed is set, before or meanwhile. Suspended (Ctrl-Z) and continued, it
 * asks anew; for that it takes SIGTSTP and SIGCONT meanwhile. Main thread.
 */
MUST_CHECK bool ask_passphrase(const char *prompt, struct secret **out, struct err *e);

/* The same, but an empty line is fine: *out stays NULL. */
MUST_CHECK bool ask_passphrase_or_none(const char *prompt, struct secret **out, struct err *e);

/* Is there somebody to ask? */
bool ask_has_terminal(void);

/* The flag that SIGINT and SIGTERM set; borrowed for good. */
void ask_heed(const atomic_int *cancel);
/* Give the terminal its echo back, where a signal handler ends the process at once. */
void ask_restore(void);

#endif
