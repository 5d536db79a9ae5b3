/* SPDX-License-Identifier: MIT */
/*
 * keystore_merge: all my key files as one. What the keyring holds becomes the entries of a new
 * file, with what this run has found out; once that is in place, the files that the keyring was
 * filled from go. Whatever was not read then (damaged, for another GPG key, put there by a git
 * pull meanwhile) is never touched.
 */
#include <stdlib.h>
#include <string.h>
#include "base/file.h"
#include "base/secret.h"
#include "keyring/keyring.h"
#include "keystore/keystore.h"
#include "keystore/keystore_internal.h"

void
key_edits_done(struct key_edits *l)
{
	free(l->at);
	*l = (struct key_edits){ 0 };
}

/* Where the edit of this key is, or would be: they are in the order of the keys. */
static size_t
place_of(const struct key_edits *l, const struct key *key)
{
	size_t low = 0, high = l->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (l->at[middle].key < key)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct key_edit *
key_edits_find(const struct key_edits *l, const struct key *key)
{
	size_t i = place_of(l, key);

	return i < l->n && l->at[i].key == key ? &l->at[i] : NULL;
}

struct key_edit *
key_edits_of(struct key_edits *l, const struct key *key)
{
	size_t i = place_of(l, key), n = l->n;

	if (i < n && l->at[i].key == key)
		return &l->at[i];
	mem_push(&l->at, &l->n, sizeof(*l->at));
	memmove(l->at + i + 1, l->at + i, (n - i) * sizeof(*l->at));
	l->at[i] = (struct key_edit){ .key = key };
	return &l->at[i];
}

static void
add_key(struct entry_list *out, const struct key *key)
{
	struct entry *entry = entry_list_add(out);

	entry->path = mem_strdup(key->path);
	entry->key = secret_from(secret_bytes(key->passphrase));
	entry->time = key->time;
	entry->made = key->made;
	entry->proven = key->proven;
	entry->dead = key->dead;
	entry->vouched = key->vouched;
	entry->uuid = str_copy(key->uuid);
	entry->by = str_copy(key->by);
}

static void
apply(struct entry *entry, const struct key_edit *edit)
{
	if (edit->time > 0)
		entry->time = edit->time;
	if (edit->proven > 0)
		entry->proven = edit->proven;
	if (edit->dead > 0 || edit->proven > 0)
		entry->dead = edit->dead;
}

/* A staged key of a file that stays is in that file, and nowhere else: whether it lies in a disk is not settled. */
static bool
stays_where_it_is(const struct key *key, const struct argv *leave)
{
	return key->state == KEY_STAGED && key->file && argv_has(leave, key->file);
}

void
keystore_collect(const struct keyring *kr, const struct key_edits *edits,
    const struct argv *leave, struct entry_list *out)
{
	size_t n;
	const struct key *keys = keyring_all(kr, &n);

	for (size_t i = 0; i < n; i++) {
		const struct key_edit *edit = key_edits_find(edits, &keys[i]);

		if (edit ? edit->drop : stays_where_it_is(&keys[i], leave))
			continue;
		add_key(out, &keys[i]);
		if (edit)
			apply(&out->at[out->n - 1], edit);
	}
}

const struct argv *
keystore_read_files(const struct keystore *ks)
{
	return &ks->read;
}

bool
keystore_retire(struct keystore *ks, const char *name, const struct argv *leave, struct err *e)
{
	AUTO(argv_done) struct argv stay = { 0 };

	argv_add(&stay, name);
	for (size_t i = 0; i < ks->read.n; i++) {
		const char *file = ks->read.at[i];

		if (argv_has(leave, file))
			argv_add(&stay, file);
		else if (strcmp(file, name) != 0 && !keystore_remove(ks, ks->me, file, e))
			return false;
	}
	argv_done(&ks->read);
	ks->read = stay;
	stay = (struct argv){ 0 };
	return true;
}
