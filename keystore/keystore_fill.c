/* SPDX-License-Identifier: MIT */
/*
 * keystore_fill: files are read under the shared lock, but decrypted after it
 * is released, since a pinentry may take its time. A file that cannot be used is
 * told and left as it is; only GPG refusing my own key ends a fill. Whether it is the key or the file
 * that is refused is known once another file was decrypted: anybody can write my key's id on
 * rubbish.
 */
#include "keystore/keystore.h"

#include <stdlib.h>
#include "base/clock.h"
#include "base/file.h"
#include "base/secret.h"
#include "inventory/inventory.h"
#include "keyring/keyring.h"
#include "keystore/keyfile.h"
#include "keystore/keystore_internal.h"
#include "keystore/openpgp.h"

#define MAX_TOTAL ((size_t)256 << 20)
#define SHORT_NAME 12 /* enough of a file's name to find it */

/* A key file as it lies in the directory. */
struct stored {
	char *name;
	struct str content;
};

struct stored_list {
	struct stored *at;
	size_t n;
};

static void
stored_list_done(struct stored_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->at[i].name);
		str_done(&l->at[i].content);
	}
	free(l->at);
	*l = (struct stored_list){ 0 };
}

/* A file that is left alone, and why. */
static void
warn_file(struct keystore *ks, const char *name, const char *why)
{
	if (ks->n_left_alone++ < KEYSTORE_TOLD)
		keystore_warn(&ks->o, "keys/%s/%.*s... is left alone: %s", ks->me, SHORT_NAME, name, why);
}

/* One file; what cannot be a key file is told and not kept. *total counts what is. */
static void
read_file(struct keystore *ks, int dir, const char *name, size_t *total, struct stored_list *out)
{
	AUTO(str_done) struct str content = { 0 };
	struct err fault = { 0 };
	struct stored *s;

	if (!file_read_at(dir, name, KEYSTORE_MAX_FILE, &content, &fault)) {
		warn_file(ks, name, fault.text);
		return;
	}
	if (!openpgp_is_armored(str_bytes(&content), &fault)) {
		warn_file(ks, name, fault.text);
		return;
	}
	if (content.len > MAX_TOTAL - *total) {
		warn_file(ks, name, "with those before it, it is more than 256 MiB");
		return;
	}
	*total += content.len;
	s = mem_push(&out->at, &out->n, sizeof(*s));
	*s = (struct stored){ mem_strdup(name), content };
	content = (struct str){ 0 };
}

/*
 * Every key file of mine, read whole under the lock. Whoever may read the directory can hold that for
 * ever: nobody who only reads is kept out by it, and what is changed needs the exclusive one.
 */
static bool
read_files(struct keystore *ks, struct stored_list *out, struct err *e)
{
	AUTO(fd_drop) int lock = -1;
	AUTO(fd_drop) int dir = -1;
	AUTO(argv_done) struct argv names = { 0 };
	struct err held = { 0 };
	size_t total = 0;

	if (!keystore_dir_lock(&ks->o, false, &lock, &held))
		keystore_warn(&ks->o, "%s: your keys are read all the same", held.text);
	if (!keystore_dir_open(&ks->o, ks->me, &dir, e))
		return false;
	if (dir >= 0 && !keystore_dir_list(&ks->o, ks->me, dir, true, &names, e))
		return false;
	for (size_t i = 0; i < names.n; i++)
		read_file(ks, dir, names.at[i], &total, out);
	return true;
}

/* How many of its recipients are secret subkeys of this machine? */
static bool
count_mine(struct keystore *ks, const struct openpgp_message *m, size_t *out, struct err *e)
{
	*out = 0;
	for (size_t i = 0; i < m->n_recipients; i++) {
		bool mine = false;

		if (!gpg_is_mine(ks->gpg, m->recipients[i].key_id, &mine, e))
			return false;
		*out += mine;
	}
	return true;
}

static enum key_state
state_of(const struct entry *entry)
{
	if (entry->dead > entry->proven)
		return KEY_DEAD;
	if (entry->time > clock_unix() + CLOCK_DAY)
		return KEY_FUTURE;
	return entry->time == 0.0 && entry->made > 0.0 ? KEY_STAGED : KEY_PROMOTED;
}

/*
 * A signature that is not good does not leave the file its own words of what was proven; and who grants
 * a key never calls it dead.
 */
static void
apply(const struct voucher *v, struct entry *entry)
{
	if (v->there)
		entry->dead = 0.0;
	if (v->by) {
		free(entry->by);
		entry->by = mem_strdup(v->by);
		entry->vouched = v->time;
	} else if (v->there) {
		entry->vouched = entry->proven = 0.0;
	}
}

static void
add_entry(struct keyring *kr, const struct stored *s, struct entry *entry)
{
	const struct key key = {
		.state = state_of(entry),
		.time = entry->time,
		.made = entry->made,
		.proven = entry->proven,
		.dead = entry->dead,
		.vouched = entry->vouched,
		.uuid = entry->uuid,
		.by = entry->by,
		.file = s->name,
	};

	keyring_add(kr, entry->path, &key, TAKE(entry->key));
}

static void
tell_future(struct keystore *ks, const struct stored *s, const struct entry_list *l)
{
	const char *first = NULL;
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		if (state_of(&l->at[i]) == KEY_FUTURE)
			first = n++ == 0 ? l->at[i].path : first;
	if (n == 1)
		keystore_warn(&ks->o, "keys/%s/%.*s...: a key of %s is dated more than a day ahead and will "
		    "be tried last", ks->me, SHORT_NAME, s->name, first);
	else if (n > 1)
		keystore_warn(&ks->o, "keys/%s/%.*s...: a key of %s and %zu others are dated more than a "
		    "day ahead and will be tried last", ks->me, SHORT_NAME, s->name, first, n - 1);
}

/* Last to first: the main entry of a path is added behind its :also, and so wins among equals. */
static void
add_entries(struct keystore *ks, struct keyring *kr, const struct stored *s,
    const struct keyfile_parts *parts, struct entry_list *l)
{
	struct voucher v;

	keystore_vouch(ks, parts, &v);
	if (v.there && !v.by)
		keystore_warn(&ks->o, "keys/%s/%.*s...: its grant %s: its keys are tried last until "
		    "they are proven", ks->me, SHORT_NAME, s->name, v.why.text);
	for (size_t i = 0; i < l->n; i++)
		apply(&v, &l->at[i]);
	tell_future(ks, s, l);
	for (size_t i = l->n; i > 0; i--)
		add_entry(kr, s, &l->at[i - 1]);
}

/* A file that my key and gpg make nothing of. */
struct doubt {
	const struct stored *file;
	struct err why;
};

/* What came of the files. */
struct tally {
	size_t n_foreign, n_shared, n_decrypted, n_doubts;
	const struct stored *foreign, *shared; /* the first of them */
	struct doubt *doubts;
};

static void
tally_done(struct tally *t)
{
	free(t->doubts);
}

/* The end of a fill, in this kind and these words. */
static bool
refuse_file(const struct keystore *ks, const struct stored *s, const struct err *fault,
    struct err *e)
{
	*e = *fault;
	return err_wrap(e, "keys/%s/%.*s...", ks->me, SHORT_NAME, s->name);
}

/* One that this machine has the secret key for. */
static bool
read_mine(struct keystore *ks, struct keyring *kr, const struct stored *s, struct tally *t,
    struct err *e)
{
	AUTO(entry_list_done) struct entry_list entries = { 0 };
	AUTO(secret_drop) struct secret *plain = NULL;
	struct keyfile_parts parts;
	struct err fault = { 0 };
	bool decrypted = gpg_decrypt(ks->gpg, str_bytes(&s->content), &plain, &fault);

	t->n_decrypted += decrypted;
	if (decrypted && keyfile_parse(secret_bytes(plain), &entries, &parts, &fault)) {
		add_entries(ks, kr, s, &parts, &entries);
		argv_add(&ks->read, s->name);
	} else if (fault.kind == ERR_KEY) {
		struct doubt *d = mem_push(&t->doubts, &t->n_doubts, sizeof(*d));

		*d = (struct doubt){ s, fault };
	} else if (fault.kind == ERR_DATA) {
		warn_file(ks, s->name, fault.text);
	} else {
		return refuse_file(ks, s, &fault, e);
	}
	return true;
}

static bool
fill_from(struct keystore *ks, struct keyring *kr, const struct stored *s, struct tally *t,
    struct err *e)
{
	struct openpgp_message m;
	struct err fault = { 0 };
	size_t n_mine;

	if (!openpgp_parse(str_bytes(&s->content), &m, &fault)) {
		warn_file(ks, s->name, fault.text);
		return true;
	}
	if (!count_mine(ks, &m, &n_mine, e))
		return false;
	if (n_mine == 0)
		t->foreign = t->n_foreign++ == 0 ? s : t->foreign;
	else if (n_mine < m.n_recipients)
		t->shared = t->n_shared++ == 0 ? s : t->shared;
	return n_mine == 0 || read_mine(ks, kr, s, t, e);
}

/* With no file decrypted it is my key; with one, it is these files. */
static bool
tell_doubts(struct keystore *ks, struct tally *t, struct err *e)
{
	if (t->n_doubts > 0 && t->n_decrypted == 0) {
		t->doubts->why.kind = ERR_GPG;
		return refuse_file(ks, t->doubts->file, &t->doubts->why, e);
	}
	for (size_t i = 0; i < t->n_doubts; i++)
		warn_file(ks, t->doubts[i].file->name, t->doubts[i].why.text);
	return true;
}

/* Files of mine, none of them for a key that is here: told, or, without any key, an error. */
static bool
tell_foreign(struct keystore *ks, const struct tally *t, struct err *e)
{
	AUTO(argv_done) struct argv mine = { 0 };

	if (t->n_foreign == 0)
		return true;
	if (!gpg_my_keys(ks->gpg, &mine, e))
		return false;
	if (mine.n == 0)
		return err_set(e, ERR_GPG, "gpg has no secret key here that can decrypt: see "
		    "`gpg -K`, GNUPGHOME, your card, and whether `gpg-connect-agent /bye` works");
	keystore_warn(&ks->o, "%zu key file%s in keys/%s (%.*s...) %s for no secret key on this "
	    "machine, or hidden by throw-keyids, and left alone", t->n_foreign,
	    t->n_foreign == 1 ? "" : "s", ks->me, SHORT_NAME, t->foreign->name,
	    t->n_foreign == 1 ? "is" : "are");
	return true;
}

static void
tell_shared(struct keystore *ks, const struct tally *t)
{
	if (t->n_shared > 0)
		keystore_warn(&ks->o, "%zu key file%s in keys/%s (%.*s...) %s encrypted to another key as "
		    "well: whoever has that one can read the passphrases in it; --refresh makes new ones",
		    t->n_shared, t->n_shared == 1 ? "" : "s", ks->me, SHORT_NAME, t->shared->name,
		    t->n_shared == 1 ? "is" : "are");
}

/* Is the latest key of a disk one that stands back, for nobody vouches for it, but for an older one? */
static bool
stands_back(const struct key *keys, size_t n)
{
	double vouched = -1.0, other = -1.0;

	for (size_t i = 0; i < n; i++) {
		double *latest = key_is_vouched(&keys[i]) ? &vouched : &other;

		if (keys[i].state == KEY_PROMOTED && keys[i].time > *latest)
			*latest = keys[i].time;
	}
	return vouched >= 0.0 && other > vouched;
}

static void
tell_standing_back(const struct keystore *ks, const struct keyring *kr)
{
	size_t n_paths, count = 0;
	const char *const *paths = keyring_paths(kr, &n_paths);
	const char *first = NULL;

	for (size_t i = 0; i < n_paths; i++) {
		size_t n;
		const struct key *keys = keyring_get(kr, paths[i], &n);

		if (!stands_back(keys, n))
			continue;
		first = count++ == 0 ? paths[i] : first;
	}
	if (count == 1)
		keystore_warn(&ks->o, "%s: your latest key is neither signed by who granted it nor "
		    "proven, and is tried last: see --keys", path_shown(first));
	else if (count > 1)
		keystore_warn(&ks->o, "%s and %zu other disks: your latest keys are neither signed by "
		    "who granted them nor proven, and are tried last: see --keys", path_shown(first),
		    count - 1);
}

bool
keystore_fill(struct keystore *ks, struct keyring *kr, struct err *e)
{
	AUTO(stored_list_done) struct stored_list files = { 0 };
	AUTO(tally_done) struct tally tally = { 0 };

	ks->n_left_alone = 0;
	if (!read_files(ks, &files, e))
		return false;
	if (files.n > 0 && !keystore_need_gpg(ks, e))
		return false;
	for (size_t i = 0; i < files.n; i++)
		if (!fill_from(ks, kr, &files.at[i], &tally, e))
			return false;
	keyring_sort(kr);
	if (!tell_doubts(ks, &tally, e) || !tell_foreign(ks, &tally, e))
		return false;
	if (ks->n_left_alone > KEYSTORE_TOLD)
		keystore_warn(&ks->o, "keys/%s: %zu more are left alone", ks->me,
		    ks->n_left_alone - KEYSTORE_TOLD);
	tell_shared(ks, &tally);
	tell_standing_back(ks, kr);
	return true;
}
