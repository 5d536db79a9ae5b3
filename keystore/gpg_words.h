/* SPDX-License-Identifier: MIT */
/*
 * gpg_words: GPG's error codes as sentences for a person: what happened and
 * what to do about it. For gpg.c and gpg_recipient.c only.
 */
#ifndef KEYSTORE_GPG_WORDS_H
#define KEYSTORE_GPG_WORDS_H

#include <gpgme.h>
#include "base/err.h"

/*
 * A code that has a sentence of its own gets that and its kind; any other is `kind` and
 * "what: what gpg says". Returns false, always.
 */
bool gpg_words_set(struct err *e, gpgme_error_t code, enum err_kind kind, const char *what);

#endif
