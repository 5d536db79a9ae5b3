/* SPDX-License-Identifier: MIT */
/*
 * pool: a list that only grows. Its lock is held for looking things up; while `ssh -G` runs,
 * only those wait who want the same answer.
 */
#include "transport/pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <libssh/libssh.h>
#include "transport/gate.h"
#include "transport/jump.h"
#include "transport/ssh_config.h"
#include "transport/ssh_configs.h"
#include "transport/transport.h"

#define ASKING 8 /* `ssh -G` at once */

/* What was asked, and the answer. */
struct settings {
	char *address, *user;
	unsigned port;
	pthread_mutex_t lock; /* for what follows */
	bool asked, known;
	struct ssh_config config;
	struct err why; /* it is not known: asking again costs as much and ends alike */
};

struct unlocked {
	char *file;
	ssh_key key;
};

struct pool {
	struct unlocked *keys; /* written by one thread, before there are others */
	size_t n_keys;
	pthread_mutex_t lock; /* for the list; what is in it stays where it is */
	struct settings **settings;
	size_t n_settings;
	struct ssh_configs configs;
	struct gates gates;
	struct jumps jumps;
};

struct pool *
pool_new(void)
{
	struct pool *p = mem_alloc(1, sizeof(*p));

	pthread_mutex_init(&p->lock, NULL);
	ssh_configs_init(&p->configs);
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
	ssh_configs_done(&p->configs);
	for (size_t i = 0; i < p->n_settings; i++)
		settings_free(p->settings[i]);
	for (size_t i = 0; i < p->n_keys; i++) {
		free(p->keys[i].file);
		ssh_key_free(p->keys[i].key);
	}
	free(p->keys);
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
	s->user = str_copy(spec->user);
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
	if (!s->asked) {
		s->asked = true;
		s->known = ssh_configs_ask(&p->configs, spec, &s->config, &s->why);
	}
	if (!s->known && e)
		*e = s->why;
	return s->known ? &s->config : NULL;
}

struct gates *
pool_gates(struct pool *p)
{
	return &p->gates;
}

void
pool_shut(struct pool *p)
{
	gates_shut(&p->gates);
}

struct jumps *
pool_jumps(struct pool *p)
{
	return &p->jumps;
}

ssh_key
pool_key(const struct pool *p, const char *file)
{
	for (size_t i = 0; i < p->n_keys; i++)
		if (str_equal(p->keys[i].file, file))
			return p->keys[i].key;
	return NULL;
}

void
pool_add_key(struct pool *p, const char *file, ssh_key key)
{
	struct unlocked *u = mem_push(&p->keys, &p->n_keys, sizeof(*u));

	*u = (struct unlocked){ mem_strdup(file), key };
}

struct asking {
	struct pool *pool;
	const struct transport_spec *specs;
	size_t n;
	atomic_size_t next;
};

static void *
ask_main(void *arg)
{
	struct asking *a = arg;

	for (size_t i; (i = atomic_fetch_add(&a->next, 1)) < a->n;)
		(void)!pool_settings(a->pool, &a->specs[i], NULL);
	return NULL;
}

void
pool_ask_all(struct pool *p, const struct transport_spec *specs, size_t n)
{
	struct asking a = { .pool = p, .specs = specs, .n = n };
	pthread_t threads[ASKING];
	size_t started = 0;

	while (started + 1 < ASKING && started + 1 < n &&
	       pthread_create(&threads[started], NULL, ask_main, &a) == 0)
		started++;
	ask_main(&a);
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
}
