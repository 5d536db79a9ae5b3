/* SPDX-License-Identifier: MIT */
/*
 * ssh_configs: `ssh -G` for the hosts of a run, once for all those to which the same lines of
 * ssh_config apply (ssh_rules.h): starting ssh is most of what settings cost. Any thread.
 */
#ifndef TRANSPORT_SSH_CONFIGS_H
#define TRANSPORT_SSH_CONFIGS_H

#include <pthread.h>
#include <stdbool.h>
#include "base/err.h"
#include "transport/ssh_rules.h"

struct ssh_answer;
struct ssh_config;
struct transport_spec;

/* Who comes first begins; the others wait until that has ended. */
struct ssh_turn {
	pthread_mutex_t lock;
	bool taken;
};

struct ssh_configs {
	struct ssh_turn first; /* of all, from whom the rules are known */
	pthread_mutex_t lock;  /* for what follows; what is in the list stays where it is */
	bool known;
	struct ssh_rules rules;
	struct ssh_answer **at;
	size_t n;
};

void ssh_configs_init(struct ssh_configs *all);
void ssh_configs_done(struct ssh_configs *all);

/* The settings of this host, owned. ERR_HOST if there is no ssh or it refuses its configuration. */
MUST_CHECK bool ssh_configs_ask(struct ssh_configs *all, const struct transport_spec *spec,
    struct ssh_config *out, struct err *e);

#endif
