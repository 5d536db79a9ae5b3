/* SPDX-License-Identifier: MIT */
/* users: every line that is refused, with the sentence that says so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/mem.h"
#include "tests/unit/data_dir.h"

#define GPG_A "0123456789abcdef0123456789ABCDEF01234567"
#define GPG_B "aaaa aaaa aaaa aaaa aaaa  bbbb bbbb bbbb bbbb bbbb"
#define G "gpg: " GPG_A

static const struct {
	const char *text, *want;
} cases[] = {
	{ "[anna]\n", "users:1: a mapping of admins is expected" },
	{ "anna\n", "users:1: a mapping of admins is expected" },
	{ "anna: 0\n", "users:1: 'anna' must be a mapping, not a single value" },
	{ "anna: [slot, 0]\n", "users:1: 'anna' must be a mapping, not a list" },
	{ "anna:\n", "users:1: admin 'anna' has no slot" },
	{ "anna: {" G "}\n", "users:1: admin 'anna' has no slot" },
	{ "\nanna: {slot: 0}\n", "users:2: admin 'anna' has no gpg: a full fingerprint" },
	{ "anna: {slot: 32, " G "}\n", "users:1: 'slot' must be a number from 0 to 31, not '32'" },
	{ "anna: {slot: -1, " G "}\n", "users:1: 'slot' must be a number from 0 to 31, not '-1'" },
	{ "anna: {slot: 010, " G "}\n",
	    "users:1: 'slot' must be a number from 0 to 31, not '010'" },
	{ "anna: {slot: 0x1, " G "}\n",
	    "users:1: 'slot' must be a number from 0 to 31, not '0x1'" },
	{ "anna: {slot: 1.0, " G "}\n",
	    "users:1: 'slot' must be a number from 0 to 31, not '1.0'" },
	{ "anna: {slot: ' 1', " G "}\n",
	    "users:1: 'slot' must be a number from 0 to 31, not ' 1'" },
	{ "anna: {slot: 4294967296, " G "}\n",
	    "users:1: 'slot' must be a number from 0 to 31, not '4294967296'" },
	{ "anna: {slot: , " G "}\n", "users:1: 'slot' has no value" },
	{ "anna: {slot: '', " G "}\n", "users:1: 'slot' has no value" },
	{ "anna: {slot: [1], " G "}\n", "users:1: 'slot' must be a single value, not a list" },
	{ "anna:\n  slot: 1\n  gpg: {}\n", "users:3: 'gpg' must be a single value, not a mapping" },
	{ "anna: {slot: 1, gpg: DEADBEEF}\n",
	    "users:1: gpg of 'anna' has 8 hex digits: the full fingerprint of 40 is needed, as gpg "
	    "--fingerprint shows it" },
	{ "anna: {slot: 1, gpg: '0123 4567 89ab cdef'}\n",
	    "users:1: gpg of 'anna' has 16 hex digits: the full fingerprint of 40 is needed, as "
	    "gpg "
	    "--fingerprint shows it" },
	{ "anna: {slot: 1, gpg: '" GPG_A "0'}\n",
	    "users:1: gpg of 'anna' has 41 hex digits: the full fingerprint of 40 is needed, as "
	    "gpg "
	    "--fingerprint shows it" },
	{ "anna: {slot: 1, gpg: 0xDEADBEEF}\n",
	    "users:1: gpg of 'anna' is no fingerprint but '0xDEADBEEF'" },
	{ "anna: {slot: 1, gpg: anna@example.org}\n",
	    "users:1: gpg of 'anna' is no fingerprint but 'anna@example.org'" },
	{ "anna: {slot: 1, gpg: '--encrypt-to'}\n",
	    "users:1: gpg of 'anna' is no fingerprint but '--encrypt-to'" },
	{ "anna: {slto: 1, " G "}\n",
	    "users:1: 'slto' is no setting of an admin: did you mean 'slot'?" },
	{ "anna: {slot: 1, pgp: x}\n", "users:1: 'pgp' is no setting of an admin" },
	{ "anna:\n  :slot: 1\n",
	    "users:2: ':slot' is no setting of an admin: did you mean 'slot'?" },
	{ "anna: {slot: 1, " G ", revoke: x}\n",
	    "users:1: 'revoke' is no setting of an admin: did you mean 'revoked'?" },
	{ "anna: {slot: 1, " G ", email: x}\n", "users:1: 'email' is no setting of an admin" },
	{ "anna: {slot: 1, " G ", revoked: no}\n",
	    "users:1: 'revoked' must be a date such as '2024-12-31', not 'no'" },
	{ "anna: {slot: 1, " G ", revoked: 2024-13-01}\n",
	    "users:1: 'revoked' must be a date such as '2024-12-31', not '2024-13-01'" },
	{ "anna: {slot: 1, " G ", revoked: 2024-1-1}\n",
	    "users:1: 'revoked' must be a date such as '2024-12-31', not '2024-1-1'" },
	{ "anna: {slot: 1, " G ", revoked: }\n", "users:1: 'revoked' has no value" },
	{ "'': {slot: 1, " G "}\n", "users:1: '' cannot be the name of an admin: it is empty" },
	{ "public: {slot: 1, " G "}\n",
	    "users:1: 'public' cannot be the name of an admin: keys/public is the folder of "
	    "public keys" },
	{ "anna.bak: {slot: 1, " G "}\n",
	    "users:1: 'anna.bak' cannot be the name of an admin: keys/NAME.bak is the old state of "
	    "keys/NAME" },
	{ "../anna: {slot: 1, " G "}\n",
	    "users:1: '../anna' cannot be the name of an admin: it holds one of / , * ? which "
	    "have a "
	    "meaning in targets" },
	{ "..: {slot: 1, " G "}\n",
	    "users:1: '..' cannot be the name of an admin: it has a meaning of its own" },
	{ ".anna: {slot: 1, " G "}\n",
	    "users:1: '.anna' cannot be the name of an admin: it begins with '.'" },
	{ "-u: {slot: 1, " G "}\n",
	    "users:1: '-u' cannot be the name of an admin: it begins with '-'" },
	{ "anna: {slot: 1, " G "}\nanna: {}\n",
	    "users:2: 'anna' stands here a second time (first in line 1)" },
	{ "anna: {slot: 1, slot: 2}\n",
	    "users:1: 'slot' stands here a second time (first in line 1)" },
	{ "anna: {slot: 1, " G "}\nbob: {slot: 1, gpg: " GPG_B "}\n",
	    "users:2: slot 1 of 'bob' is that of 'anna' (line 1) already" },
	{ "anna: {slot: 1, " G "}\nbob: {slot: 2, gpg: 01234567 89ABCDEF 01234567 89abcdef "
	    "01234567}\n",
	    "users:2: the fingerprint of 'bob' is that of 'anna' (line 1) already" },
	{ "anna: {slot: 1, " G ", revoked: '2024-01-01'}\nbob: {slot: 1, gpg: " GPG_B "}\n",
	    "users:2: slot 1 of 'bob' is that of 'anna' (line 1) already" },
	{ "anna: &a {slot: 1, " G "}\n", "users:1: anchors (&) are not allowed" },
};

static void
users_read_wrong_line_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		data_dir_refused(cases[i].text, "", NULL, cases[i].want);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(users_read_wrong_line_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
