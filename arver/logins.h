/* SPDX-License-Identifier: MIT */
/* logins: the passphrases of SSH keys, asked for before the first host is contacted. */
#ifndef ARVER_LOGINS_H
#define ARVER_LOGINS_H

#include "base/err.h"

struct app;
struct plan;

/*
 * Ask at the terminal for the passphrase of each key file that the plan's hosts will want, once;
 * app->pool has the keys then. Without a terminal nobody is asked, and hosts tell what they miss.
 * ERR_CANCELLED; ERR_SYSTEM after the third wrong answer.
 */
MUST_CHECK bool logins_unlock(struct app *app, const struct plan *plan, struct err *e);

#endif
