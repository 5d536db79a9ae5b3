/* SPDX-License-Identifier: MIT */
/* openssh_says: from ssh's words to a sentence, and no words of it that push the sentence aside. */
#include "transport/openssh_says.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "transport/transport.h"

#define KEY "ssh-ed25519 SHA256:IWXMF5A21A9A8h7dYJ0cTqkXnB5kqj1LrZAhT2uXg2k"
#define SHOWN "debug1: Server host key: " KEY "\n"

static const struct transport_spec spec = { .name = "colo/web1", .address = "web1", .user = "root",
	.port = 2222 };

static void
openssh_says_chooses_a_sentence(void **state)
{
	static const struct {
		const char *said;
		bool late;
		enum err_kind kind;
		const char *want;
	} cases[] = {
		{ SHOWN "@ WARNING: REVOKED HOST KEY DETECTED! @\n", false, ERR_HOST,
		    "host key " KEY " of web1 is revoked" },
		{ SHOWN "No ED25519 host key is known for [web1]:2222\n", false, ERR_HOST,
		    "accept it with: ssh -p 2222 root@web1" },
		{ SHOWN "WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!\nOffending RSA key in /h:7\n"
			"Host key for [web1]:2222 has changed and so on\n", false, ERR_HOST,
		    "/h line 7 has another; only if you know why: ssh-keygen -R '[web1]:2222' -f /h && ssh" },
		{ SHOWN "WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!\n", false, ERR_HOST,
		    "it shows " KEY "; see: ssh -p 2222 root@web1" },
		{ SHOWN "debug1: Offering public key: /k RSA SHA256:x agent\n"
			"root@web1: Permission denied (publickey,password).\n", false, ERR_HOST,
		    "refused; tried: /k RSA; the server allows: publickey,password" },
		{ SHOWN "debug1: Server accepts key: /k RSA SHA256:x\nroot@web1: Permission denied (x).\n",
		    false, ERR_HOST, "ssh-add /k" },
		{ "debug1: Connecting to web1\nssh: connect to host web1: refused\n", false, ERR_AWAY,
		    "ssh says: ssh: connect to host web1: refused" },
		{ "debug1: Connecting to web1\ndebug1: Local version string x\n", true, ERR_AWAY,
		    "it was at: Local version string x" },
		{ "debug1: Connecting to web1\ndebug1: Remote protocol version 2.0\n"
			"Connection reset by 10.0.0.1 port 22\n", false, ERR_AWAY, "Connection reset by" },
		{ "debug1: Connecting to web1\ndebug1: Remote protocol version 2.0\n" SHOWN
			"It is booting up.\nConnection closed by 10.0.0.1 port 22\n", false, ERR_AWAY,
		    "It is booting up.; Connection closed by" },
		{ "debug1: Connecting to web1\ndebug1: Remote protocol version 2.0\n" SHOWN
			"Received disconnect from 10.0.0.1 port 22:2: Too many authentication failures\n"
			"Connection closed by 10.0.0.1 port 22\n", false, ERR_HOST, "Too many auth" },
		{ "debug1: Connecting to web1\ndebug1: Remote protocol version 2.0\n"
			"Unable to negotiate with 10.0.0.1 port 22: no matching cipher found\n", false,
		    ERR_HOST, "Unable to negotiate" },
		{ "debug1: Executing proxy command\nroot@bastion: Permission denied (publickey).\n"
			"Connection closed by UNKNOWN port 65535\n", false, ERR_HOST, "bastion" },
		{ "", false, ERR_HOST, "no SSH connection to web1" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct err e = { 0 };

		assert_false(openssh_says(&spec, bytes_of(cases[i].said), cases[i].late, &e));
		if (e.kind != cases[i].kind || !strstr(e.text, cases[i].want))
			fail_msg("%zu: %d %s", i, e.kind, e.text);
	}
}

/* A jump host may put any line between. */
static void
openssh_says_keeps_the_sentence_beside_a_key_without_end(void **state)
{
	AUTO(mem_free_drop) char *endless = mem_alloc(4001, 1);
	AUTO(str_done) struct str said = { 0 };
	AUTO(mem_free_drop) char *stored = NULL;
	struct err e = { 0 };

	(void)state;
	memset(endless, 'x', 4000);
	str_addf(&said, "debug1: Server host key: %s\nREVOKED HOST KEY\n", endless);
	assert_false(openssh_says(&spec, str_bytes(&said), false, &e));
	assert_non_null(strstr(e.text, "of web1 is revoked"));
	str_add(&said, "Warning: Permanently added 'web1'\n");
	stored = openssh_says_stored(str_bytes(&said));
	assert_non_null(strstr(stored, "stored by ssh"));
	assert_true(strlen(stored) < 200);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(openssh_says_chooses_a_sentence),
		cmocka_unit_test(openssh_says_keeps_the_sentence_beside_a_key_without_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
