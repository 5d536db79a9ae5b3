/* SPDX-License-Identifier: MIT */
/*
 * site: a small inventory built by hand, for the rooms that get one as data: one group
 * "colo" with hosts h1, h2 ... on this machine, each with disks d1, d2 ... that may be
 * changed before use.
 */
#ifndef TESTS_SITE_H
#define TESTS_SITE_H

#include "inventory/inventory.h"
#include "target/target.h"

struct site {
	struct group group;
	size_t n_hosts;
	struct host *hosts;
	struct target_set all; /* every disk; `all` is set */
};

struct site *site_new(size_t n_hosts, size_t n_disks);
void site_free(struct site *s);
DROP(site, struct site)

struct host *site_host(struct site *s, size_t i);
struct disk *site_disk(struct site *s, size_t host, size_t disk);

/* Give a hook its words, NULL-terminated: hooks[HOOK_PRE_OPEN] of a host or disk. */
void site_hook(struct hook *h, ...) __attribute__((sentinel));
/* A hook that is one line of shell. */
void site_shell(struct hook *h, const char *script);

/* Host `later` comes after host `first`. */
void site_after(struct site *s, size_t later, size_t first);

#endif
