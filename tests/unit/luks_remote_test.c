/* SPDX-License-Identifier: MIT */
/* luks_remote: servers whose answers do not fit what they were asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/secret.h"
#include "luks/luks.h"
#include "site.h"
#include "transport/transport.h"

static const char *answer;

static bool
answer_run(struct transport *t, const struct proc_command *c, struct proc_result *out, struct err *e)
{
	(void)t, (void)e;
	str_add(&out->out, answer);
	out->fed = c->gate && c->gate(c->gate_arg, str_bytes(&out->out)) == PROC_GATE_GO;
	return true;
}

static const struct transport_ops ops = { .run = answer_run };
static struct transport transport = { .ops = &ops, .name = "colo/h1" };

static void
luks_status_of_a_strange_answer_tells_nothing(void **state)
{
	AUTO(site_drop) struct site *site = site_new(1, 2);
	AUTO(luks_drop) struct luks *l = luks_remote_new(&transport, 1000);
	const struct disk *disks[] = { site_disk(site, 0, 0), site_disk(site, 0, 1) };
	struct luks_status out[2] = { { .state = LUKS_FOREIGN }, { .state = LUKS_FOREIGN } };
	struct err e = { 0 };

	(void)state;
	answer = "arver: begin 0\narver: there 0\narver: open 0\narver: there 0\narver: ajar 0\n"
		 "arver: done 0\n";
	assert_false(luks_status(l, disks, 2, out, &e));
	assert_int_equal(e.kind, ERR_HOST);
	assert_int_equal(out[0].state, LUKS_FOREIGN);
}

/* `which` is an index of tries, and nothing else. */
static void
luks_open_of_more_tries_than_asked_for_is_no_success(void **state)
{
	AUTO(site_drop) struct site *site = site_new(1, 1);
	AUTO(luks_drop) struct luks *l = luks_remote_new(&transport, 1000);
	AUTO(secret_drop) struct secret *key = secret_from(bytes_of("open sesame"));
	const struct luks_try try = { key, 1 };
	struct err e = { 0 };
	size_t which = 77;

	(void)state;
	answer = "arver: begin 0\narver: disk 0\narver: ready 0\narver: disk 0\narver: try 2\n"
		 "arver: try 0\narver: mapping 0\narver: done 0\n";
	assert_false(luks_open(l, site_disk(site, 0, 0), &try, 1, &which, &e));
	assert_int_equal(e.kind, ERR_LOST);
	assert_int_equal(which, 77);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(luks_status_of_a_strange_answer_tells_nothing),
		cmocka_unit_test(luks_open_of_more_tries_than_asked_for_is_no_success),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
