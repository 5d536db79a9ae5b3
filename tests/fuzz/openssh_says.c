/* SPDX-License-Identifier: MIT */
/*
 * transport/openssh_says: what ssh said before it gave up. The first byte: late or not, with
 * login and port or without, logged in or not.
 */
#include "transport/openssh_says.h"

#include <string.h>
#include "fuzz.h"
#include "transport/transport.h"

void
fuzz_one(struct bytes in)
{
	unsigned how = fuzz_take(&in);
	struct transport_spec spec = { .name = "colo/web1", .address = "web1.example.org",
		.user = how & 2 ? "root" : NULL, .port = how & 4 ? 2222 : 0 };
	AUTO(mem_free_drop) char *stored = openssh_says_stored(in, how & 8);
	struct err e = { 0 };

	EXPECT(!stored || strlen(stored) < 300);
	EXPECT(!openssh_says_turned_away(in) || memmem(in.ptr, in.len, "kex_exchange", 12));
	EXPECT(!openssh_says(&spec, in, how & 1, &e));
	EXPECT(e.kind == ERR_HOST || e.kind == ERR_AWAY);
	fuzz_expect_error(&e);
	EXPECT(strstr(e.text, spec.address));
	EXPECT(!openssh_says(&spec, in, how & 1, NULL));
}
