/* SPDX-License-Identifier: MIT */
/* transport/ssh_rules: a name, and behind a line "====" a configuration file of ssh. */
#include "transport/ssh_rules.h"

#include <string.h>
#include "fuzz.h"

void
fuzz_one(struct bytes in)
{
	AUTO(ssh_rules_done) struct ssh_rules r = { 0 };
	AUTO(mem_free_drop) char *name = fuzz_text(fuzz_take_part(&in));
	AUTO(mem_free_drop) char *kind = NULL, *again = NULL, *host = NULL;

	ssh_rules_read(&r, in);
	kind = ssh_rules_kind(&r, name);
	if (!kind)
		return;
	EXPECT(!r.opaque && name[0] && name[0] != '-' && !strpbrk(name, "@:/% "));
	EXPECT(strlen(kind) == strlen("hosts ") + r.hosts.n);
	/* A name stands for itself, and a block more does not change what is said of the others. */
	host = mem_printf("Host %s\n", name);
	ssh_rules_read(&r, bytes_of(host));
	again = ssh_rules_kind(&r, name);
	EXPECT(again && str_starts(again, kind) && str_equal(again + strlen(kind), "y"));
}
