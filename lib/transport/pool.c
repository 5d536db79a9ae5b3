/* SPDX-License-Identifier: MIT */
/*
 * pool: a list that only grows. Its lock is held for looking things up; while `ssh -G` runs,
 * only those wait who want the same answer.
 */
#include "transport/pool.h"

#include <pthread.h>
#include <stdlib.h>
#include "transport/gate.h"
#include "transport/jump.h"
#include "transport/ssh_config.h"
#include "transport/transport.h"

/* What was asked, and the answer. */
struct settings {
	char *address, *user;
	unsigned port;
	pthread_mutex_t lock; /* for what follows */
	bool known;
	struct ssh_config config;
};

struct pool {
	pthread_mutex_t lock; /* for the list; what is in it stays where it is */
	struct settings **settings;
	size_t n_settings;
	struct gates gates;
	struct jumps jumps;
};

struct pool *
pool_new(void)
{
	struct pool *p = mem_alloc(1, sizeof(*p));

	pthread_mutex_init(&p->lock, NULL);
	gates_init(&p->gates);
	jumps_init(&p->jumps);
	return p;
}

static void
settings_free(struct settings *s)
{
	ssh_config_done(&s->config);
	pthread_mutex_destroy(&s->lock);
	free(s->address);
	free(s->user);
	free(s);
}

void
pool_free(struct pool *p)
{
	if (!p)
		return;
	jumps_done(&p->jumps);
	gates_done(&p->gates);
	for (size_t i = 0; i < p->n_settings; i++)
		settings_free(p->settings[i]);
	free(p->settings);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

static struct settings *
settings_of(struct pool *p, const struct transport_spec *spec)
{
	HOLD(&p->lock);
	struct settings **place, *s;

	for (size_t i = 0; i < p->n_settings; i++) {
		s = p->settings[i];
		if (str_equal(s->address, spec->address) && str_equal(s->user, spec->user) &&
		    s->port == spec->port)
			return s;
	}
	s = mem_alloc(1, sizeof(*s));
	s->address = mem_strdup(spec->address);
	s->user = spec->user ? mem_strdup(spec->user) : NULL;
	s->port = spec->port;
	pthread_mutex_init(&s->lock, NULL);
	place = mem_push(&p->settings, &p->n_settings, sizeof(struct settings *));
	*place = s;
	return s;
}

const struct ssh_config *
pool_settings(struct pool *p, const struct transport_spec *spec, struct err *e)
{
	struct settings *s = settings_of(p, spec);

	HOLD(&s->lock);
	s->known = s->known || ssh_config_ask(spec, &s->config, e);
	return s->known ? &s->config : NULL;
}

struct gates *
pool_gates(struct pool *p)
{
	return &p->gates;
}

struct jumps *
pool_jumps(struct pool *p)
{
	return &p->jumps;
}
