/* SPDX-License-Identifier: MIT */
/* transport/ssh_config: what `ssh -G` prints, to settings. */
#include "transport/ssh_config.h"

#include <limits.h>
#include <sys/socket.h>
#include "fuzz.h"

static void
expect_sound(const struct ssh_config *c)
{
	EXPECT(c->hostname && c->hostname[0]);
	EXPECT(c->port >= 1 && c->port <= 65535);
	EXPECT(c->family == AF_UNSPEC || c->family == AF_INET || c->family == AF_INET6);
	EXPECT(c->connect_ms >= 0 && c->connect_ms <= (int64_t)INT_MAX * 1000);
	EXPECT(!str_equal(c->proxy_jump, "none") && !str_equal(c->proxy_command, "none"));
	for (size_t i = 0; i < c->known_hosts_files.n; i++)
		EXPECT(c->known_hosts_files.at[i][0]);
}

static bool
is_unset(const struct ssh_config *c)
{
	return !c->hostname && !c->user && c->port == 0 && c->identity_files.n == 0 &&
	    c->unsupported.n == 0;
}

void
fuzz_one(struct bytes in)
{
	AUTO(ssh_config_done) struct ssh_config c = { 0 };
	struct err e = { 0 };

	if (ssh_config_parse(in, "/home/alice", &c, &e)) {
		expect_sound(&c);
		return;
	}
	EXPECT(is_unset(&c));
	EXPECT(e.kind == ERR_HOST);
	fuzz_expect_error(&e);
}
