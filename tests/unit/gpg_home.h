/* SPDX-License-Identifier: MIT */
/*
 * gpg_home: a GnuPG home of a test's own, with real keys, real gpg and no
 * passphrases. Every fault ends the test program. One home at a time is the current one.
 */
#ifndef TESTS_GPG_HOME_H
#define TESTS_GPG_HOME_H

#include "base/str.h"

/* A fresh directory below /tmp, which GNUPGHOME names from then on. */
char *gpg_home_new(void);
/* Stop its agent and remove it; frees `home`. */
void gpg_home_free(char *home);
/* Make this the current one. */
void gpg_home_use(const char *home);

/*
 * A primary key of `kind` with an encryption subkey ("cv25519", "rsa2048", "elg1024") or without
 * ("sign"); its fingerprint. It expires after "90d", has expired with "past", never with "0".
 */
char *gpg_home_make_key(const char *name, const char *kind, const char *expires);

/* Write a file in the current home. */
void gpg_home_file(const char *name, const char *text);
/* What gpg.conf says; "" for nothing. */
void gpg_home_conf(const char *text);

/*
 * A home whose one key has the passphrase "right", never cached, and a pinentry that answers with
 * the file `answer` and adds a line to the file `prompts` whenever it is asked; an answer that
 * begins with KILL interrupts gpg instead.
 */
char *gpg_home_new_with_pinentry(const char *name);
/* The fingerprint of a key in the current home. */
char *gpg_home_fingerprint(const char *name);

/* Run gpg (--batch, no prompts) with NULL-terminated arguments; its output in *out,
    status as result. */
int gpg_home_gpg(struct str *out, struct bytes input, ...) __attribute__((sentinel));

/* Any program; exit status, -1 if it was killed. */
int gpg_home_run(const char *const *argv, struct bytes input, struct str *out);

#endif
