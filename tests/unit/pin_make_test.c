/* SPDX-License-Identifier: MIT */
/* pin_make: what decides where passphrases go and what runs as root is in the pin, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "arver/pin_make.h"
#include "base/mem.h"
#include "data_dir.h"
#include "inventory/inventory.h"
#include "state/pins.h"

#define USERS "alice: { slot: 0, gpg: 0123456789ABCDEF0123456789ABCDEF01234567 }\n"
#define DISK "colo: { web1: { data: { device: x/data } } }\n"
#define SINCE "since "

/* The text of the first host's pin, from behind the date, as those files say. */
static const char *
pin_of(const char *disks, const char *settings, struct str *text)
{
	AUTO(pins_done) struct pins l = { 0 };
	AUTO(inventory_drop) struct inventory *inv = NULL;
	struct err e = { 0 };

	inv = data_dir_inventory(USERS, disks, settings, &e);
	if (!inv || !pin_make_host(&l, inventory_host(inv, 0), NULL, &e))
		fail_msg("%s", e.text);
	pins_format(&l, text);
	const char *since = strstr(str_text(text), SINCE);

	assert_non_null(since);
	return strchr(since, '\n') + 1;
}

static void
pin_make_host_has_what_is_said_of_it(void **state)
{
	static const struct { const char *disks, *settings, *want; } cases[] = {
		{ DISK, NULL, "is address web1\nis data/device /dev/x/data\nis transport ssh\nis username root\nend\n" },
		{ "colo: { web1: { address: a.example.org, port: 2222, username: '#arveruser', "
		  "data: { device: x/data } } }\n", "/colo: { transport: openssh }\n",
		    "is address a.example.org\nis data/device /dev/x/data\nis port 2222\nis transport openssh\n"
		    "is username #arveruser\nend\n" },
		{ "colo: { web1: { address: a, port: 22, username: u, data: { device: x } } }\n",
		    "/colo: { transport: local }\n", "is data/device /dev/x\nis transport local\nend\n" },
		{ DISK, "/colo/web1: { after: [], timeout: { connect: 5 }, rescue_slots: [3], "
			"luks: { type: luks1 } }\n",
		    "is address web1\nis data/device /dev/x/data\nis data/rescue_slots 3\nis transport ssh\n"
		    "is username root\nend\n" },
		{ DISK, "/colo/web1/data: { uuid: 6B1E0000-0000-4000-8000-000000000000 }\n",
		    "is address web1\nis data/device /dev/x/data\nis data/uuid 6b1e0000-0000-4000-8000-000000000000\n"
		    "is transport ssh\nis username root\nend\n" },
		{ "colo: { web1: { pre_open: '/bin/a %g', data: { device: x/data, post_close: /b } } }\n",
		    "/colo/web1: { post_open: [/p, '%g %h', '%%', '%a'], pre_close: [/q, ''],\n"
		    "  post_close: [/r] }\n"
		    "/colo/web1/data: { pre_open: [/s, '%D', '%m', '%d'], post_open: /t,\n"
		    "  pre_close: [/u] }\n",
		    "is address web1\nis data/device /dev/x/data\nis data/post_close /b\nis data/post_open /t\nis data/pre_close /u\n"
		    "is data/pre_open /s /dev/x/data /dev/mapper/data data\nis post_close /r\n"
		    "is post_open /p colo\\x20web1 % open\nis pre_close /q \\-\nis pre_open /bin/a\\x20%g\n"
		    "is transport ssh\nis username root\nend\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(str_done) struct str text = { 0 };

		assert_string_equal(pin_of(cases[i].disks, cases[i].settings, &text), cases[i].want);
	}
}

static void
pin_has_hooks_finds_each_of_them(void **state)
{
	static const char *const places[] = { "/colo/web1", "/colo/web1/data" };

	(void)state;
	for (size_t i = 0; i < COUNT(places); i++)
		for (int k = 0; k <= HOOK_KINDS; k++) {
			AUTO(mem_free_drop) char *settings = k == HOOK_KINDS ? NULL :
			    mem_printf("%s: { %s: /bin/true }\n", places[i],
				hook_kind_name((enum hook_kind)k));
			struct err e = { 0 };
			AUTO(inventory_drop) struct inventory *inv =
			    data_dir_inventory(USERS, DISK, settings, &e);

			assert_non_null(inv);
			assert_int_equal(pin_has_hooks(inventory_host(inv, 0)), k < HOOK_KINDS);
		}
}

static void
pin_make_admin_has_the_fingerprint(void **state)
{
	AUTO(pins_done) struct pins l = { 0 };
	struct err e = { 0 };
	AUTO(inventory_drop) struct inventory *inv = data_dir_inventory(USERS, DISK, NULL, &e);

	(void)state;
	assert_non_null(inv);
	pin_make_admin(&l, inventory_find_admin(inv, "alice"));
	const struct pin *p = pins_find(&l, PIN_ADMIN, "alice");

	assert_non_null(p);
	assert_int_equal(p->n, 1);
	assert_string_equal(p->fields[0].name, "fingerprint");
	assert_string_equal(p->fields[0].words.at[0], "0123456789ABCDEF0123456789ABCDEF01234567");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pin_make_host_has_what_is_said_of_it),
		cmocka_unit_test(pin_has_hooks_finds_each_of_them),
		cmocka_unit_test(pin_make_admin_has_the_fingerprint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
