/* SPDX-License-Identifier: MIT */
/*
 * keystore: passphrases at rest, encrypted to each admin with GPG, in
 * keys/ of the data directory. It never lists, changes or removes more than
 * the caller names; a file that cannot be decrypted is left alone. The
 * directory is locked (flock) shared while keys are read and exclusive while files are put in
 * place or removed, and never longer. Main thread only.
 */
#ifndef KEYSTORE_KEYSTORE_H
#define KEYSTORE_KEYSTORE_H

#include <stdbool.h>
#include <stddef.h>
#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "keystore/entry.h"

struct admin;
struct inventory;
struct key;
struct keyring;
struct keystore;

struct keystore_options {
	int dir;		/* the data directory; borrowed */
	const char *me;		/* my admin name */
	bool trust_all;		/* -t */
	const struct inventory *inventory; /* whose signatures count, and which is mine; borrowed */
	/* A sentence for the person: a file set aside, a key about to expire. */
	void (*warn)(void *arg, const char *text);
	void *warn_arg;
};

/* No GPG is started yet. Free with keystore_free. */
MUST_CHECK bool keystore_open(const struct keystore_options *o, struct keystore **out, struct err *e);
void keystore_free(struct keystore *ks);
DROP(keystore, struct keystore)

/*
 * Decrypt every key file of mine (each with a packet for a secret subkey on
 * this machine, once, sorted by name) into the keyring, all disks. Files that are
 * not mine, not understood or damaged are told through warn and left alone. ERR_GPG when my
 * key cannot be used (the first such fault ends it: no second pinentry). Where keys/<me>
 * is missing and keys/<me>.bak is there, that is read, with a warning. Keys from a file that an admin
 * has signed for me are vouched for and say who it was; of others a warning tells, until they are proven.
 */
MUST_CHECK bool keystore_fill(struct keystore *ks, struct keyring *kr, struct err *e);

/* Can this admin be encrypted to, now? Imports keys/public/NAME when needed. ERR_DATA. */
MUST_CHECK bool keystore_check_recipient(struct keystore *ks, const struct admin *who, struct err *e);

/*
 * The time for a new entry (seconds since 1970): now, or later than every
 * time of that disk in the keyring that is not more than a day ahead.
 */
double keystore_new_time(const struct keyring *kr, const char *disk_path);

/* Names of the key files of an admin, sorted; none is fine. */
MUST_CHECK bool keystore_files(struct keystore *ks, const char *admin, struct argv *out, struct err *e);

/* A key file that is encrypted and named but not yet in place. */
struct sealed {
	char *admin;
	char name[65];
	struct str content;
};
void sealed_done(struct sealed *s);

/*
 * Encrypt these entries to the admin. Nothing is written. ERR_DATA if they are more than can be read
 * again from one file. For somebody else they are signed inside, by my key (grant.h); where that cannot
 * sign, they are not, with a warning. ERR_GPG where gpg does not come to sign.
 */
MUST_CHECK bool keystore_seal(struct keystore *ks, const struct admin *who,
    const struct entry_list *entries, struct sealed *out, struct err *e);

/* Put it in place: durable when this returns true; tmp/.arver-* on the way. */
MUST_CHECK bool keystore_place(struct keystore *ks, const struct sealed *s, struct err *e);

/* Remove one key file by name; one that is not there is fine. Durable. */
MUST_CHECK bool keystore_remove(struct keystore *ks, const char *admin, const char *file, struct err *e);

/* A change to what is stored of a key that the keyring holds; what is 0 stays as it is. */
struct key_edit {
	const struct key *key;
	double time, proven, dead;
	bool drop; /* leave it out */
};

/* Zero-initialize; the keyring is not added to while they are in use. */
struct key_edits {
	struct key_edit *at;
	size_t n;
};

void key_edits_done(struct key_edits *l);
/* The edit of this key, or NULL. */
const struct key_edit *key_edits_find(const struct key_edits *l, const struct key *key);
/* The same, made if there is none; valid until the next call. */
struct key_edit *key_edits_of(struct key_edits *l, const struct key *key);

/*
 * All keys of the keyring with these changes, as entries for one file, added to *out. Staged
 * keys of the files in `leave` are left out: those files stay as they are.
 */
void keystore_collect(const struct keyring *kr, const struct key_edits *edits,
    const struct argv *leave, struct entry_list *out);

/* The files that keystore_fill took keys from, or what has taken their place. Borrowed. */
const struct argv *keystore_read_files(const struct keystore *ks);

/*
 * File `name`, with what keystore_collect gave, is in place: remove the files that it stands
 * for, but for those in `leave`. Durable.
 */
MUST_CHECK bool keystore_retire(struct keystore *ks, const char *name, const struct argv *leave,
    struct err *e);

/* Remove all key files of an admin and the then empty directory. Durable. */
MUST_CHECK bool keystore_remove_admin(struct keystore *ks, const char *admin, struct err *e);

/* Write keys/public/NAME with my own key's export, if it is missing. */
MUST_CHECK bool keystore_publish(struct keystore *ks, const struct admin *who, struct err *e);

#endif
