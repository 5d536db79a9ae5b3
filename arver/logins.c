/* SPDX-License-Identifier: MIT */
/* Which keys are locked, the transport knows; here is who is asked. An empty line passes one over. */
#include "arver/logins.h"

#include <stdlib.h>
#include "arver/app.h"
#include "arver/ask.h"
#include "arver/pinned.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/str.h"
#include "inventory/inventory.h"
#include "plan/plan.h"
#include "transport/pool.h"
#include "transport/transport.h"

#define TRIES 3

static bool
unlock(struct pool *pool, const char *file, struct err *e)
{
	AUTO(mem_free_drop)
	char *prompt = mem_printf("Passphrase of the SSH key %s (empty: do without): ", file);

	for (int i = 0; i < TRIES; i++) {
		AUTO(secret_drop) struct secret *passphrase = NULL;
		struct err why = { 0 };

		if (!ask_passphrase_or_none(prompt, &passphrase, e))
			return false;
		if (!passphrase || pool_unlock(pool, file, passphrase, &why))
			return true;
		log_line(LOG_WARNING, "%s", why.text);
	}
	return err_set(e, ERR_SYSTEM,
	    "no passphrase for %s in %d tries; no host was contacted. `ssh-add %s` gives it to the agent",
	    file, TRIES, file);
}

static size_t
find_specs(struct app *app, const struct plan *plan, struct transport_spec *out)
{
	const struct run_options o = app_run_options(app, NULL, NULL);
	struct err why;
	size_t n = 0;

	for (size_t i = 0; i < plan->n; i++)
		if (plan->lanes[i].host->transport == TRANSPORT_SSH &&
		    !pinned_holds(app, plan->lanes[i].host, &why))
			out[n++] = run_spec(&o, plan->lanes[i].host);
	return n;
}

bool
logins_unlock(struct app *app, const struct plan *plan, struct err *e)
{
	AUTO(mem_free_drop)
	struct transport_spec *specs = mem_alloc(plan->n, sizeof(*specs));
	AUTO(argv_done) struct argv files = { 0 };

	if (!ask_has_terminal())
		return true;
	if (!app->pool)
		app->pool = pool_new();
	pool_locked_keys(app->pool, specs, find_specs(app, plan, specs), &files);
	for (size_t i = 0; i < files.n; i++)
		if (!unlock(app->pool, files.at[i], e))
			return false;
	return true;
}
