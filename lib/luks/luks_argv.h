/* SPDX-License-Identifier: MIT */
/*
 * luks_argv: the options of cryptsetup that depend on settings. Each is one word,
 * "--name=value", so that no value can be taken for an option.
 */
#ifndef LUKS_LUKS_ARGV_H
#define LUKS_LUKS_ARGV_H

#include "base/str.h"

struct luks_format;

#define LUKS_ITERATIONS 1000 /* a random key needs no stretching (DESIGN 8) */

/* How to stretch a new key; `pbkdf` NULL: not at all. LUKS1 knows pbkdf2 only. */
void luks_argv_pbkdf(struct argv *out, const char *pbkdf, unsigned version);
/* All of luksFormat's but the slot and the key. */
void luks_argv_format(struct argv *out, const struct luks_format *f);
/* 1 or 2. */
unsigned luks_argv_version(const struct luks_format *f);

#endif
