/* SPDX-License-Identifier: MIT */
/*
 * entry: the stored keys of one file, from YAML bytes to fields and back.
 * Pure: no file, no GPG. Reads all that Ruby's Psych writes for such data
 * (and the older Syck form), in locked memory, and writes what Psych reads as
 * the same. Anything else is ERR_DATA: such a file is left alone.
 */
#ifndef KEYSTORE_ENTRY_H
#define KEYSTORE_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include "base/err.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/str.h"

/* Random bytes in a new passphrase; base64 makes 256 characters of them. */
#define ENTRY_KEY_BYTES 192

/* One key of one disk. All strings owned; NULL or 0 where absent. */
struct entry {
	char *path;		/* "/colo/web1/data" */
	struct secret *key;	/* the passphrase, exactly as LUKS gets it */
	double time;		/* :time; 0.0 while staged and in the oldest files */
	double made;		/* :made; set for staged and newer entries */
	double proven;		/* :proven, when it was last seen to open the disk */
	double dead;		/* :dead, when its slot was emptied for good */
	double vouched;		/* :vouched, the date of its giver's signature, which was good */
	char *uuid;		/* :uuid of the LUKS header */
	char *by;		/* :by, who granted it */
};

/*
 * Several entries may share a path: the first written for it is the main one
 * (the latest time), the others go into its :also list, so that a path stands once in
 * the file. Reading flattens :also again.
 */
struct entry_list {
	struct entry *at;
	size_t n;
};

void entry_list_done(struct entry_list *l); /* wipes */
/* A fresh zeroed entry at the end of the list. */
struct entry *entry_list_add(struct entry_list *l);

/*
 * Parse the YAML text, of at most 16 MiB with all that its aliases stand for; a key has up
 * to 64 KiB, a path 4 KiB. Entries are added to *out, which is left as it was on failure.
 */
MUST_CHECK bool entry_parse(struct bytes yaml, struct entry_list *out, struct err *e);

/* Write the YAML text as a secret. Times get six decimals, strings are double-quoted. */
struct secret *entry_format(const struct entry_list *l);

#endif
