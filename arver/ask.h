/* SPDX-License-Identifier: MIT */
/* ask: what a person types: passphrases, without echo, into locked memory, past stdio. */
#ifndef ARVER_ASK_H
#define ARVER_ASK_H

#include "base/err.h"

struct secret;

/*
 * One line from the terminal without echo or, where there is no terminal, from
 * standard input; without its newline. ERR_CANCELLED at end of input. Main thread.
 */
MUST_CHECK bool ask_passphrase(const char *prompt, struct secret **out, struct err *e);

#endif
