/* SPDX-License-Identifier: MIT */
/*
 * gpg_spawn: gpg by gpgme's spawn, for what gpgme has no call for: it cannot unpack what is not
 * encrypted, nor pack without encrypting. What comes out goes through a callback into a
 * secret of fixed capacity, so no buffer of gpgme's ever holds it.
 */
#include <errno.h>
#include <string.h>
#include "base/secret.h"
#include "keystore/gpg_internal.h"

static ssize_t
sink_write(void *handle, const void *buf, size_t len)
{
	struct gpg_sink *sink = handle;
	struct span room = secret_space(sink->s);

	if (len > room.len - sink->len) {
		sink->full = true;
		errno = ENOSPC;
		return -1;
	}
	memcpy((char *)room.ptr + sink->len, buf, len);
	sink->len += len;
	return (ssize_t)len;
}

gpgme_error_t
gpg_sink_data(struct gpg_sink *sink, gpgme_data_t *out)
{
	static struct gpgme_data_cbs cbs = { .write = sink_write };
	gpgme_error_t r = gpgme_data_new_from_cbs(out, &cbs, sink);

	if (!r)
		gpgme_data_set_flag(*out, "sensitive", "1");
	return r;
}

/* The gpg that gpgme itself would run. */
static const char *
program(void)
{
	gpgme_engine_info_t gpg = NULL;

	if (gpgme_get_engine_info(&gpg))
		return NULL;
	while (gpg && gpg->protocol != GPGME_PROTOCOL_OpenPGP)
		gpg = gpg->next;
	return gpg ? gpg->file_name : NULL;
}

gpgme_error_t
gpg_spawn(const char *const *words, struct bytes in, struct gpg_sink *sink, struct str *out_status)
{
	static const char *const always[] = { "--batch", "--no-tty", "--disable-dirmngr",
		"--pinentry-mode", "cancel", "--status-fd", "2", "--output", "-" };
	AUTO(argv_done) struct argv argv = { 0 };
	AUTO(gpg_data_drop) gpgme_data_t from = gpg_data_from(in);
	AUTO(gpg_data_drop) gpgme_data_t into = NULL;
	AUTO(gpg_data_drop) gpgme_data_t status = NULL;
	const char *gpg = program();
	gpgme_ctx_t ctx = NULL;
	gpgme_error_t r;

	if (!gpg)
		return gpgme_error(GPG_ERR_INV_ENGINE);
	argv_add(&argv, gpg);
	for (size_t i = 0; i < COUNT(always); i++)
		argv_add(&argv, always[i]);
	while (*words)
		argv_add(&argv, *words++);
	r = gpgme_new(&ctx);
	if (!r)
		r = gpgme_set_protocol(ctx, GPGME_PROTOCOL_SPAWN);
	if (!r)
		r = gpg_sink_data(sink, &into);
	if (!r)
		r = gpgme_data_new(&status);
	if (!r)
		r = gpgme_op_spawn(ctx, gpg, (const char **)argv_words(&argv), from, into, status, 0);
	if (!r)
		gpg_take_output(TAKE(status), out_status);
	if (ctx)
		gpgme_release(ctx);
	return r;
}
