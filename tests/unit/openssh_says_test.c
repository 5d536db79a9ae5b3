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
#define CERTIFICATE \
	"debug1: Server host certificate: ssh-ed25519-cert-v01@openssh.com SHA256:x, serial 0 " \
	"ID \"web1\" CA ssh-ed25519 SHA256:y valid forever\n"
#define FORGED "debug1: Server host key: ssh-ed25519 SHA256:TheTrueServersAsTheForgerSays"
#define STORED "Warning: Permanently added 'web1' (ED25519) to the list of known hosts.\n"

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
		    "host key of web1 is revoked" },
		{ SHOWN "No ED25519 host key is known for [web1]:2222\n", false, ERR_HOST,
		    "accept it with: ssh -p 2222 root@web1" },
		{ CERTIFICATE "No ED25519-CERT host key is known for [web1]:2222\n", false, ERR_HOST,
		    "accept it with: ssh -p 2222 root@web1" },
		{ SHOWN "WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!\nOffending RSA key in /h:7\n"
			"Host key for [web1]:2222 has changed and so on\n", false, ERR_HOST,
		    "HAS CHANGED, or somebody is in between; ssh shows its fingerprint, and the line "
		    "of known_hosts to remove only if you know why: ssh -p 2222 root@web1" },
		{ SHOWN "debug1: Offering public key: /k RSA SHA256:x agent\n"
			"root@web1: Permission denied (publickey,password).\n", false, ERR_HOST,
		    "refused; tried: /k RSA; the server allows: publickey,password" },
		{ SHOWN "debug1: Server accepts key: /k RSA SHA256:x\nroot@web1: Permission denied (x).\n",
		    false, ERR_HOST, "ssh-add /k" },
		{ SHOWN "debug1: Server accepts key: /k; reboot RSA SHA256:x\n: Permission denied (x).\n",
		    false, ERR_HOST, "ssh-add '/k; reboot'" },
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

/* Who is in between can say all of it, and hang up before ssh has seen any key. */
static void
openssh_says_no_fingerprint_file_or_name_that_was_only_heard(void **state)
{
	static const char *const said[] = {
		"REVOKED HOST KEY\n",
		"REMOTE HOST IDENTIFICATION HAS CHANGED!\nOffending RSA key in /forged:7\n"
		"Host key for forged has changed\n",
		"No ED25519 host key is known for forged\n",
		"root@web1: Permission denied (publickey).\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(said); i++) {
		AUTO(mem_free_drop) char *text = mem_printf(FORGED "\n%s", said[i]);
		struct err e = { 0 };

		assert_false(openssh_says(&spec, bytes_of(text), false, &e));
		if (strstr(e.text, "SHA256:") || strstr(e.text, "forged"))
			fail_msg("%s", e.text);
	}
}

static void
openssh_says_stored_tells_the_fingerprint_that_none_but_ssh_can_have_said(void **state)
{
#define TOLD "new host key " KEY " stored by ssh in known_hosts"
	static const struct {
		const char *said;
		bool all;
		const char *want;
	} cases[] = {
		{ SHOWN STORED, true, TOLD },
		{ SHOWN STORED "Welcome.\ndebug1: rekeying\n" SHOWN, true, TOLD },
		{ CERTIFICATE STORED, true, "key ssh-ed25519-cert-v01@openssh.com SHA256:x stored" },
		{ SHOWN STORED, false, "ssh says that it stored a new host key" },
		{ "debug1: Remote protocol version 2.0, remote software version x " FORGED "\n"
		    SHOWN STORED, true, "FORGES" },
		{ "debug1: Remote: x\n" FORGED "\n" SHOWN STORED, true, "FORGES" },
		{ SHOWN "debug1: Remote: x\n" FORGED "\n" STORED, true, "FORGES" },
		{ SHOWN STORED "debug1: Remote: x\n" FORGED "\n", true, "FORGES" },
		{ "debug1: Remote: x\n" FORGED "\n" CERTIFICATE STORED, true, "FORGES" },
		{ FORGED "\n" STORED, false, "ssh says that it stored a new host key" },
		{ FORGED "\n", true, NULL },
		{ SHOWN, true, NULL },
		{ STORED, true, NULL },
		{ "", true, NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(mem_free_drop)
		char *stored = openssh_says_stored(bytes_of(cases[i].said), cases[i].all);

		if (!stored != !cases[i].want || (stored && !strstr(stored, cases[i].want)) ||
		    (stored && strstr(stored, "Forger")))
			fail_msg("%zu: %s", i, stored);
	}
}

/* Behind a zero nothing is read. */
static void
openssh_says_stored_tells_no_fingerprint_if_not_all_was_read(void **state)
{
	static const char said[] = FORGED "\n" STORED "\0" SHOWN;
	AUTO(mem_free_drop)
	char *stored = openssh_says_stored((struct bytes){ said, sizeof(said) - 1 }, true);

	(void)state;
	assert_non_null(stored);
	assert_null(strstr(stored, "SHA256:"));
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
	str_add(&said, STORED);
	stored = openssh_says_stored(str_bytes(&said), true);
	assert_non_null(strstr(stored, "stored by ssh"));
	assert_true(strlen(stored) < 200);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(openssh_says_chooses_a_sentence),
		cmocka_unit_test(openssh_says_no_fingerprint_file_or_name_that_was_only_heard),
		cmocka_unit_test(
		    openssh_says_stored_tells_the_fingerprint_that_none_but_ssh_can_have_said),
		cmocka_unit_test(openssh_says_stored_tells_no_fingerprint_if_not_all_was_read),
		cmocka_unit_test(openssh_says_keeps_the_sentence_beside_a_key_without_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
