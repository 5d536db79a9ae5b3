/* SPDX-License-Identifier: MIT */
/*
 * gpg_spawn: gpg by gpgme's spawn, for what gpgme has no call for: it cannot unpack what is not
 * encrypted, nor pack without encrypting. What comes out goes through a callback into a
 * secret of fixed capacity. A few kilobytes can unpack to
 * terabytes of packets of which nothing comes out, so each gpg has so much time of the processor.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include "base/secret.h"
#include "keystore/gpg_internal.h"

#define CPU_SECONDS 5 /* a usual key file takes some milliseconds */
#define BYTES_A_CPU_SECOND ((size_t)2 << 20)

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
		gpg_data_guard(*out);
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

/* What is put back when a child has ended. */
struct cpu_limit {
	struct rlimit was;
	struct sigaction action;
};

static void
survive(int sig)
{
	(void)sig;
}

/*
 * What children get from now on, who begin to count at zero; we ourselves have that much more. By
 * the kernel's count, which is not the one it tells, it may be less: so the signal ends children only,
 * to whom exec gives back its default. Without input there is nothing to unpack, and gpg may start
 * the agent, which is to live on without a limit.
 */
static struct cpu_limit
limit_cpu(size_t bytes)
{
	const struct sigaction outlive = { .sa_handler = survive, .sa_flags = SA_RESTART };
	struct rusage used = { 0 };
	struct cpu_limit old = { .was = { RLIM_INFINITY, RLIM_INFINITY } };
	struct rlimit now;

	sigaction(SIGXCPU, &outlive, &old.action);
	getrusage(RUSAGE_SELF, &used);
	getrlimit(RLIMIT_CPU, &old.was);
	now = old.was;
	now.rlim_cur = (rlim_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + CPU_SECONDS +
	    bytes / BYTES_A_CPU_SECOND;
	if (bytes > 0 && now.rlim_cur < old.was.rlim_cur)
		setrlimit(RLIMIT_CPU, &now);
	return old;
}

static void
limit_drop(struct cpu_limit *old)
{
	setrlimit(RLIMIT_CPU, &old->was);
	sigaction(SIGXCPU, &old->action, NULL);
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
	AUTO(limit_drop) struct cpu_limit limit = limit_cpu(in.len);

	if (!r)
		r = gpgme_op_spawn(ctx, gpg, (const char **)argv_words(&argv), from, into, status, 0);
	if (!r)
		gpg_take_output(TAKE(status), out_status);
	if (ctx)
		gpgme_release(ctx);
	return r;
}
