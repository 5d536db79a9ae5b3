/* SPDX-License-Identifier: MIT */
/*
 * keystore: whom to encrypt to, and files in and out of place. What is written
 * is encrypted before the exclusive lock is taken, and every change is durable, name
 * and content, when the call returns. Reading is keystore_fill.c's.
 */
#include "keystore/keystore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/file.h"
#include "base/secret.h"
#include "inventory/inventory.h"
#include "keyring/keyring.h"
#include "keystore/keyfile.h"
#include "keystore/keystore_internal.h"
#include "keystore/sha256.h"

#define MAX_PUBLIC ((size_t)1 << 20)

bool
keystore_open(const struct keystore_options *o, struct keystore **out, struct err *e)
{
	struct keystore *ks;

	if (!keystore_dir_admin_ok(o->me))
		return err_set(e, ERR_USAGE, "\"%s\" cannot be the name of an admin", o->me);
	ks = mem_alloc(1, sizeof(*ks));
	ks->o = *o;
	ks->me = mem_strdup(o->me);
	ks->o.me = ks->me;
	*out = ks;
	return true;
}

void
keystore_free(struct keystore *ks)
{
	if (!ks)
		return;
	gpg_free(ks->gpg);
	argv_done(&ks->read);
	free(ks->me);
	free(ks);
}

bool
keystore_need_gpg(struct keystore *ks, struct err *e)
{
	return ks->gpg || gpg_new(&ks->gpg, e);
}

bool
keystore_read_public(struct keystore *ks, const char *name, struct str *out, struct err *e)
{
	AUTO(fd_drop) int keys = -1;
	AUTO(fd_drop) int dir = -1;

	errno = 0; /* stays 0 for a fault that is not the kernel's */
	if (file_open_dir_at(ks->o.dir, "keys", &keys, e) &&
	    file_open_dir_at(keys, "public", &dir, e) &&
	    file_read_at(dir, name, MAX_PUBLIC, out, e))
		return true;
	if (errno == ENOENT)
		return true;
	return err_wrap(e, "keys/public");
}

/* All my keys at once are never written to somebody else, whatever users says now. */
static bool
check_mine(struct keystore *ks, const struct gpg_recipient *r, const struct admin *me, struct err *e)
{
	bool mine = false;

	return gpg_recipient_is_mine(ks->gpg, r, &mine, e) &&
	    (mine || err_set(e, ERR_DATA, "users gives you, %s, the key %s, the secret part of which "
		"is not on this machine: nothing is encrypted to it", me->name, me->fingerprint));
}

static bool
find_recipient(struct keystore *ks, const struct admin *who, const struct gpg_recipient **out,
    struct err *e)
{
	AUTO(str_done) struct str public_key = { 0 };
	struct gpg_recipient_query q = {
		.admin = who->name,
		.fingerprint = who->fingerprint,
		.trust_all = ks->o.trust_all,
		/* my own files come often, and a message that is spoilt changes nothing yet */
		.unrehearsed = str_equal(who->name, ks->me),
		.warn = ks->o.warn,
		.warn_arg = ks->o.warn_arg,
	};

	if (!keystore_dir_admin_ok(who->name))
		return err_set(e, ERR_DATA, "\"%s\" cannot be the name of an admin", who->name);
	if (!keystore_need_gpg(ks, e) || !keystore_read_public(ks, who->name, &public_key, e))
		return false;
	q.public_key = public_key.ptr;
	return gpg_find_recipient(ks->gpg, &q, out, e) && (!q.unrehearsed || check_mine(ks, *out, who, e));
}

bool
keystore_check_recipient(struct keystore *ks, const struct admin *who, struct err *e)
{
	const struct gpg_recipient *r = NULL;

	return find_recipient(ks, who, &r, e);
}

double
keystore_new_time(const struct keyring *kr, const char *disk_path)
{
	double now = clock_unix(), time = now;
	size_t n;
	const struct key *keys = keyring_get(kr, disk_path, &n);

	for (size_t i = 0; i < n; i++)
		if (keys[i].time >= time && keys[i].time <= now + CLOCK_DAY)
			time = keys[i].time + 0.001;
	return time;
}

bool
keystore_files(struct keystore *ks, const char *admin, struct argv *out, struct err *e)
{
	AUTO(fd_drop) int lock = -1;
	AUTO(fd_drop) int dir = -1;

	if (!keystore_dir_admin_ok(admin))
		return err_set(e, ERR_DATA, "\"%s\" cannot be the name of an admin", admin);
	if (!keystore_dir_lock(&ks->o, false, &lock, e) ||
	    !keystore_dir_open(&ks->o, admin, &dir, e))
		return false;
	return dir < 0 || keystore_dir_list(&ks->o, admin, dir, false, out, e);
}

void
sealed_done(struct sealed *s)
{
	free(s->admin);
	str_done(&s->content);
	*s = (struct sealed){ 0 };
}

/* What could not be read again must never take the place of what can. */
static bool
check_readable(const struct secret *plain, const char *admin, struct err *e)
{
	AUTO(entry_list_done) struct entry_list again = { 0 };

	return keyfile_parse(secret_bytes(plain), &again, NULL, e) ||
	    err_wrap(e, "the keys of %s do not go into one file", admin);
}

bool
keystore_seal(struct keystore *ks, const struct admin *who, const struct entry_list *entries,
    struct sealed *out, struct err *e)
{
	AUTO(secret_drop) struct secret *stream = keyfile_pack(entries);
	AUTO(secret_drop) struct secret *plain = NULL;
	AUTO(str_done) struct str content = { 0 };
	AUTO(str_done) struct str grant = { 0 };
	const struct gpg_recipient *to = NULL;

	if (!find_recipient(ks, who, &to, e) ||
	    !keystore_grant(ks, who, secret_bytes(stream), &grant, e))
		return false;
	plain = keyfile_wrap(stream, str_bytes(&grant));
	if (!check_readable(plain, who->name, e) || !gpg_encrypt(ks->gpg, to, plain, &content, e))
		return false;
	if (content.len > KEYSTORE_MAX_FILE)
		return err_set(e, ERR_DATA, "the keys of %s do not go into one file", who->name);
	*out = (struct sealed){ .admin = mem_strdup(who->name), .content = content };
	sha256_hex(str_bytes(&content), out->name);
	content = (struct str){ 0 };
	return true;
}

/* Write `content` as NAME in `dir`, by way of tmp/, where Ruby Arver minds only names it made. */
static bool
replace(struct keystore *ks, int dir, const char *name, struct bytes content, struct err *e)
{
	AUTO(fd_drop) int tmp = -1;
	struct file_place at = { .dir = dir, .name = name, .mode = 0644 };

	if (!keystore_dir_make(ks->o.dir, "tmp", 0700, &tmp, e))
		return false;
	at.tmp_dir = tmp;
	file_sweep(tmp);
	return file_replace(&at, content, e);
}

bool
keystore_place(struct keystore *ks, const struct sealed *s, struct err *e)
{
	AUTO(fd_drop) int lock = -1;
	AUTO(fd_drop) int dir = -1;

	if (!keystore_dir_lock(&ks->o, true, &lock, e) ||
	    !keystore_dir_open_to_change(&ks->o, s->admin, true, &dir, e))
		return false;
	return replace(ks, dir, s->name, str_bytes(&s->content), e) ||
	    err_wrap(e, "keys/%s", s->admin);
}

bool
keystore_remove(struct keystore *ks, const char *admin, const char *file, struct err *e)
{
	AUTO(fd_drop) int lock = -1;
	AUTO(fd_drop) int dir = -1;

	if (!keystore_dir_admin_ok(admin) || !keystore_dir_file_ok(file))
		return err_set(e, ERR_DATA, "keys/%s/%s cannot be a key file", admin, file);
	if (!keystore_dir_lock(&ks->o, true, &lock, e) ||
	    !keystore_dir_open_to_change(&ks->o, admin, false, &dir, e))
		return false;
	return dir < 0 || file_remove_at(dir, file, e) || err_wrap(e, "keys/%s", admin);
}

/* rmdir keys/ADMIN; with other things in it, it stays (*out_left) and is told. */
static bool
remove_dir(struct keystore *ks, const char *admin, bool *out_left, struct err *e)
{
	AUTO(fd_drop) int keys = -1;

	if (!file_open_dir_at(ks->o.dir, "keys", &keys, e))
		return false;
	if (unlinkat(keys, admin, AT_REMOVEDIR) != 0) {
		if (errno != ENOTEMPTY && errno != EEXIST)
			return err_errno(e, ERR_SYSTEM, errno, "cannot remove keys/%s", admin);
		*out_left = true;
		keystore_warn(&ks->o, "keys/%s holds more than key files and stays", admin);
	}
	return file_sync_dir(keys) ||
	    err_errno(e, ERR_SYSTEM, errno, "cannot sync keys");
}

/* All key files in keys/ADMIN, and it. */
static bool
remove_files(struct keystore *ks, const char *admin, bool *out_left, struct err *e)
{
	AUTO(fd_drop) int dir = -1;
	AUTO(argv_done) struct argv names = { 0 };

	if (!keystore_dir_open_to_change(&ks->o, admin, false, &dir, e))
		return false;
	if (dir < 0)
		return true;
	if (!keystore_dir_list(&ks->o, admin, dir, false, &names, e))
		return false;
	for (size_t i = 0; i < names.n; i++)
		if (!file_remove_at(dir, names.at[i], e))
			return err_wrap(e, "keys/%s", admin);
	return remove_dir(ks, admin, out_left, e);
}

bool
keystore_remove_admin(struct keystore *ks, const char *admin, struct err *e)
{
	AUTO(fd_drop) int lock = -1;
	bool left = false;

	if (!keystore_dir_admin_ok(admin))
		return err_set(e, ERR_DATA, "\"%s\" cannot be the name of an admin", admin);
	if (!keystore_dir_lock(&ks->o, true, &lock, e) || !remove_files(ks, admin, &left, e))
		return false;
	/* once more for a keys/ADMIN.bak, which would otherwise come back in its place */
	return left || remove_files(ks, admin, &left, e);
}

bool
keystore_publish(struct keystore *ks, const struct admin *who, struct err *e)
{
	AUTO(str_done) struct str text = { 0 };
	AUTO(fd_drop) int lock = -1;
	AUTO(fd_drop) int keys = -1;
	AUTO(fd_drop) int dir = -1;

	if (!keystore_dir_admin_ok(who->name))
		return err_set(e, ERR_DATA, "\"%s\" cannot be the name of an admin", who->name);
	if (!keystore_need_gpg(ks, e) || !gpg_export(ks->gpg, who->fingerprint, &text, e) ||
	    !keystore_dir_lock(&ks->o, true, &lock, e) ||
	    !keystore_dir_make(ks->o.dir, "keys", 0777, &keys, e) ||
	    !keystore_dir_make(keys, "public", 0777, &dir, e))
		return false;
	return file_exists_at(dir, who->name) ||
	    replace(ks, dir, who->name, str_bytes(&text), e);
}
