/* SPDX-License-Identifier: MIT */
/*
 * luks_native: libcryptsetup's calls, its codes and complaints turned into
 * errors at this border. Its messages go to the use that is being made of it,
 * never to the terminal. A slot's key is always proven or added through the
 * slot that was named: other slots may cost seconds and a gigabyte each.
 */
#include "luks/luks_native.h"

#include <errno.h>
#include <libcryptsetup.h>
#include <string.h>
#include <sys/stat.h>
#include "base/secret.h"
#include "inventory/inventory.h"
#include "luks/luks_argv.h"
#include "luks/luks_dump.h"

#define WORDS_MAX 240
#define VOLUME_KEY_MAX 1024	/* bytes; 64 are usual */

pthread_mutex_t luks_native_lock = PTHREAD_MUTEX_INITIALIZER;

void
luks_use_done(struct luks_use *u)
{
	crypt_free(u->cd);
	crypt_set_log_callback(NULL, NULL, NULL);
	str_done(&u->words);
	str_done(&u->text);
}

static void
take_words(int level, const char *msg, void *arg)
{
	struct luks_use *u = arg;

	if (level == CRYPT_LOG_NORMAL)
		str_add(&u->text, msg);
	else if (level == CRYPT_LOG_ERROR)
		str_addf(&u->words, "%s%s", u->words.len ? "; " : "", msg);
	while (u->words.len > 0 && u->words.ptr[u->words.len - 1] == '\n')
		u->words.ptr[--u->words.len] = '\0';
}

/* ERR_DISK "colo/web1/data: what: the library's words", or errno's. */
static bool
fail(struct luks_use *u, const char *what, int r, struct err *e)
{
	AUTO(str_done) struct str words = { 0 };

	str_add_escaped(&words, str_bytes(&u->words), WORDS_MAX);
	if (words.len > 0)
		return err_set(e, ERR_DISK, "%s: %s: %s", path_shown(u->disk->path), what,
		    str_text(&words));
	return err_errno(e, ERR_DISK, -r, "%s: %s", path_shown(u->disk->path), what);
}

/* Looked at before it is opened: a FIFO would hold us for ever, under the lock. */
static bool
is_there(const struct disk *d, struct err *e)
{
	struct stat st;

	if (stat(d->device, &st) != 0)
		return err_set(e, ERR_DISK, "%s: %s is not there", path_shown(d->path), d->device);
	return S_ISBLK(st.st_mode) || S_ISREG(st.st_mode) ||
	    err_set(e, ERR_DISK, "%s: %s is neither a block device nor an image file",
		path_shown(d->path), d->device);
}

bool
luks_use_device(struct luks_use *u, const struct disk *d, struct err *e)
{
	int r;

	u->disk = d;
	if (!is_there(d, e))
		return false;
	crypt_set_log_callback(NULL, take_words, u);
	r = crypt_init(&u->cd, d->device);
	if (r < 0)
		return fail(u, "cannot be used", r, e);
	crypt_set_log_callback(u->cd, take_words, u);
	return true;
}

bool
luks_use_header(struct luks_use *u, const struct disk *d, struct err *e)
{
	int r;

	if (!luks_use_device(u, d, e))
		return false;
	r = crypt_load(u->cd, CRYPT_LUKS, NULL);
	if (r == -EINVAL && u->words.len == 0)
		return err_set(e, ERR_DISK, "%s: %s is not a valid LUKS device",
		    path_shown(d->path), d->device);
	return r >= 0 || fail(u, "its header cannot be read", r, e);
}

const char *
luks_use_uuid(struct luks_use *u)
{
	const char *uuid = crypt_get_uuid(u->cd);

	return uuid ? uuid : "";
}

bool
luks_native_header(const struct disk *d, struct luks_header *out, struct err *e)
{
	AUTO(luks_use_done) struct luks_use u = { 0 };
	int r;

	if (!luks_use_header(&u, d, e))
		return false;
	str_clear(&u.text);
	r = crypt_dump(u.cd);
	if (r < 0)
		return fail(&u, "its header cannot be read", r, e);
	return luks_dump_parse(str_bytes(&u.text), out, e) ||
	    err_wrap(e, "%s", path_shown(d->path));
}

static int
slot_number(int slot)
{
	return slot == LUKS_ANY_SLOT ? CRYPT_ANY_SLOT : slot;
}

enum luks_fit
luks_native_try(struct luks_use *u, const struct luks_try *try, const char *name, struct err *e)
{
	struct bytes key = secret_bytes(try->key);
	int r;

	str_clear(&u->words);
	r = crypt_activate_by_passphrase(u->cd, name, slot_number(try->slot), key.ptr, key.len, 0);
	if (r >= 0)
		return LUKS_FITS;
	if (r == -EPERM || r == -ENOENT)
		return LUKS_MISFIT;
	fail(u, name ? "cannot be opened" : "a key cannot be tested", r, e);
	return LUKS_BROKEN;
}

bool
luks_native_close(struct luks_use *u, const struct disk *d, struct err *e)
{
	int r;

	u->disk = d;
	crypt_set_log_callback(NULL, take_words, u);
	r = crypt_deactivate(NULL, d->name);
	return r >= 0 || r == -ENODEV || fail(u, "cannot be closed", r, e);
}

/*
 * How to stretch what is added next, as luks_argv_pbkdf says it to the program. Without
 * NO_BENCHMARK a second goes by, and a benchmarked digest slows down every attempt.
 */
static bool
set_pbkdf(struct luks_use *u, const char *pbkdf, unsigned version, struct err *e)
{
	static const struct crypt_pbkdf_type quick = {
		.type = CRYPT_KDF_PBKDF2, .hash = "sha512", .iterations = LUKS_ITERATIONS,
		.flags = CRYPT_PBKDF_NO_BENCHMARK,
	};
	const struct crypt_pbkdf_type *type = &quick;
	int r;

	if (pbkdf)
		type = crypt_get_pbkdf_type_params(version == 1 ? CRYPT_KDF_PBKDF2 : pbkdf);
	if (!type)
		return err_set(e, ERR_DISK, "%s: %s is no PBKDF that libcryptsetup knows",
		    path_shown(u->disk->path), pbkdf);
	r = crypt_set_pbkdf_type(u->cd, type);
	return r >= 0 || fail(u, "the PBKDF cannot be chosen", r, e);
}

/* "aes-xts-plain64": up to the first dash, and behind it; freed by the caller. */
static bool
split_cipher(struct luks_use *u, const char *cipher, char **name, const char **mode,
    struct err *e)
{
	const char *dash = strchr(cipher, '-');

	if (!dash)
		return err_set(e, ERR_DISK, "%s: %s is no cipher and mode",
		    path_shown(u->disk->path), cipher);
	*name = mem_strndup(cipher, (size_t)(dash - cipher));
	*mode = dash + 1;
	return true;
}

bool
luks_native_format(struct luks_use *u, const struct luks_format *f, struct err *e)
{
	AUTO(mem_free_drop) char *name = NULL;
	const char *mode = NULL;
	unsigned version = luks_argv_version(f);
	struct crypt_params_luks1 luks1 = { .hash = f->pbkdf ? "sha256" : "sha512" };
	struct crypt_params_luks2 luks2 = { .sector_size = f->sector_size };
	struct bytes key = secret_bytes(f->key);
	int r;

	if (!split_cipher(u, f->cipher ? f->cipher : "aes-xts-plain64", &name, &mode, e) ||
	    !set_pbkdf(u, f->pbkdf, version, e))
		return false;
	r = crypt_format(u->cd, version == 1 ? CRYPT_LUKS1 : CRYPT_LUKS2, name, mode, f->uuid, NULL,
	    (f->key_size ? f->key_size : 512) / 8,
	    version == 1 ? (void *)&luks1 : (void *)&luks2);
	if (r >= 0)
		r = crypt_keyslot_add_by_volume_key(u->cd, f->slot, NULL, 0, key.ptr, key.len);
	return r >= 0 || fail(u, "cannot be formatted", r, e);
}

bool
luks_native_prefer(struct luks_use *u, int slot, struct err *e)
{
	int r = crypt_keyslot_set_priority(u->cd, slot, CRYPT_SLOT_PRIORITY_PREFER);

	return r >= 0 || fail(u, "its header cannot be written", r, e);
}

bool
luks_native_add(struct luks_use *u, const struct luks_add *a, unsigned version, struct err *e)
{
	AUTO(secret_drop) struct secret *volume_key = secret_new(VOLUME_KEY_MAX);
	char *vk = secret_space(volume_key).ptr;
	struct bytes auth = secret_bytes(a->auth.key), key = secret_bytes(a->key);
	size_t len = VOLUME_KEY_MAX;
	int r;

	if (!set_pbkdf(u, a->pbkdf, version, e))
		return false;
	str_clear(&u->words);
	r = crypt_volume_key_get(u->cd, slot_number(a->auth.slot), vk, &len, auth.ptr, auth.len);
	if (r >= 0)
		r = crypt_keyslot_add_by_volume_key(u->cd, a->slot, vk, len, key.ptr, key.len);
	return r >= 0 || fail(u, "the key was not added", r, e);
}

bool
luks_native_kill(struct luks_use *u, int slot, struct err *e)
{
	int r = crypt_keyslot_destroy(u->cd, slot);

	return r >= 0 || fail(u, "the slot was not killed", r, e);
}
