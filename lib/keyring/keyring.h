/* SPDX-License-Identifier: MIT */
/*
 * keyring: disk -> the keys of mine that may open it, in the order to try.
 * The key store fills it before a run starts; from then on it is only read,
 * by any thread. Keys are never dropped here: two different ones for a disk are both kept.
 */
#ifndef KEYRING_KEYRING_H
#define KEYRING_KEYRING_H

#include <stdbool.h>
#include <stddef.h>
#include "base/mem.h"

struct secret;
struct keyring;

enum key_state {
	KEY_PROMOTED, /* proven in a disk: has its real time */
	KEY_STAGED,   /* written before the disk changed: time 0.0 and :made */
	KEY_FUTURE,   /* its time is more than a day ahead of this clock: tried after the others */
	KEY_DEAD,     /* its slot was emptied once a successor was proven: tried last of all */
};

/* Plain data; strings may be NULL, times are seconds since 1970, 0 if absent. */
struct key {
	const char *path; /* of its disk; of keys that are in a keyring, like `added`, which is its turn */
	size_t added;
	const struct secret *passphrase;
	enum key_state state;
	double time, made, proven, dead;
	double vouched;	  /* date of the signature of who granted it, which was good */
	const char *uuid; /* of the LUKS header it was made for */
	const char *by;	  /* who granted it; no more than the file's word where nobody vouched */
	const char *file; /* name of the key file it came from */
};

struct keyring *keyring_new(void);
void keyring_free(struct keyring *kr); /* wipes every key */
DROP(keyring, struct keyring)

/*
 * Add a key of the disk with this path; strings are copied and *passphrase is
 * taken over. Behind the last one, keyring_sort; until then there is nothing to be read.
 */
void keyring_add(struct keyring *kr, const char *disk_path, const struct key *key,
    struct secret *passphrase);

/*
 * Put all that was added in order. Keys of one disk with the same passphrase are merged: the later time,
 * made and proven stay, promoted beats staged, and dead beats all that was not proven later.
 */
void keyring_sort(struct keyring *kr);

/* Did it open its disk, or was it signed by who granted it? Else anybody may have put it there. */
bool key_is_vouched(const struct key *k);

/*
 * The keys of a disk in the order to try: promoted, those that are vouched for first, newest first, then
 * staged, newest :made first, then those from the future, then dead ones. Borrowed from the keyring until it is
 * sorted anew or freed. *n is 0 where there is none.
 */
const struct key *keyring_get(const struct keyring *kr, const char *disk_path, size_t *n);

/* Does any of them lie in a disk, as far as is known? One that is neither staged nor dead. */
bool keyring_has_live(const struct keyring *kr, const char *disk_path);

/* The key whose passphrase is this very object, borrowed from here; NULL if there is none. */
const struct key *keyring_key_of(const struct keyring *kr, const struct secret *passphrase);

/*
 * The first path behind `after` (NULL: from the start), in the order of keyring_paths, of which
 * a key was made for the header with this UUID; NULL if there is none.
 */
const char *keyring_path_of_uuid(const struct keyring *kr, const char *uuid, const char *after);

/* All keys, by path, in the order to try; borrowed like those of one disk. */
const struct key *keyring_all(const struct keyring *kr, size_t *n);

/* Every path that has keys, sorted; for telling which have no disk any more. */
const char *const *keyring_paths(const struct keyring *kr, size_t *n);

#endif
