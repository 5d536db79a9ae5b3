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

/* Who comes first asks; the others wait until that is over. */
enum ssh_turn { SSH_TURN_FREE, SSH_TURN_TAKEN, SSH_TURN_OVER };

struct ssh_configs {
	pthread_mutex_t lock; /* for what follows; what is in the list stays where it is */
	pthread_cond_t over;  /* a turn is */
	enum ssh_turn first;  /* of all, from whom the rules are known */
	bool known;
	struct ssh_rules rules;
	struct ssh_answer **at;
	size_t n;
};

void ssh_configs_init(struct ssh_configs *all);
void ssh_configs_done(struct ssh_configs *all);

/*
 * The settings of this host, owned. ERR_HOST if there is no ssh, it refuses its configuration or
 * has not ended within 10 seconds, in which waiting for others is counted.
 */
MUST_CHECK bool ssh_configs_ask(struct ssh_configs *all, const struct transport_spec *spec,
    struct ssh_config *out, struct err *e);

#endif
