/* SPDX-License-Identifier: MIT */
/* summary: failures of many hosts, a line a reason; names are capped, hosts told once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "arver/summary.h"
#include "site.h"

static void
assert_lines(struct summary *s, const char *const *want)
{
	AUTO(argv_done) struct argv lines = { 0 };
	size_t n = 0;

	summary_lines(s, &lines);
	for (; want[n]; n++)
		assert_string_equal(argv_words(&lines)[n] ? argv_words(&lines)[n] : "none", want[n]);
	assert_int_equal(lines.n, n);
}

static void
summary_lines_group_by_reason_and_tell_hosts_once(void **state)
{
	AUTO(site_drop) struct site *site = site_new(4, 3);
	AUTO(summary_done) struct summary s = { 0 };

	(void)state;
	for (size_t i = 3; i-- > 0;) { /* names come in the inventory's order all the same */
		summary_add(&s, site_disk(site, 2, i), ERR_AWAY);
		summary_add(&s, site_disk(site, 0, i), ERR_AWAY);
	}
	summary_add(&s, site_disk(site, 1, 0), ERR_KEY);
	summary_add(&s, site_disk(site, 1, 1), ERR_HOOK);
	summary_add(&s, site_disk(site, 1, 1), ERR_NONE); /* the disk itself, after its hook */
	summary_add(&s, site_disk(site, 3, 0), ERR_HOST);
	summary_add(&s, site_disk(site, 3, 1), ERR_HOST);
	summary_add(&s, site_disk(site, 3, 2), ERR_CHANGED);
	summary_add(&s, site_disk(site, 1, 2), ERR_SYSTEM);
	assert_lines(&s, (const char *const[]){
	    "2 hosts do not answer: colo/h1, colo/h3: run the same command again; --wait 15m waits for "
	    "what is still coming up",
	    "1 host, on which nothing was begun: colo/h4: see the reasons above, then run the same "
	    "command again",
	    "1 host that waits for --accept-changes: colo/h4: see the differences above and `git log -p "
	    "disks settings`, then --accept-changes",
	    "1 disk that no key of yours opens: colo/h2/d1: ask a colleague for --add-user, "
	    "or see in `git log --stat keys` whether key files of yours are gone",
	    "1 disk whose hooks failed: colo/h2/d2: put the hooks right, then run the same command again; "
	    "where a disk is opened or closed already, do by hand what its hook does",
	    "1 disk not as asked for another reason: colo/h2/d3: see above",
	    NULL });
}

static void
summary_lines_cap_the_names(void **state)
{
	AUTO(site_drop) struct site *site = site_new(2, 9);
	AUTO(summary_done) struct summary s = { 0 };

	(void)state;
	for (size_t i = 0; i < 18; i++)
		summary_add(&s, site->all.at[i], ERR_LOST);
	assert_lines(&s, (const char *const[]){
	    "18 disks of which it is not known what happened: colo/h1/d1, colo/h1/d2, colo/h1/d3, "
	    "colo/h1/d4, colo/h1/d5 and 13 more: run the same command again: it looks first",
	    NULL });
}

static void
summary_lines_of_one_host_or_nothing_are_none(void **state)
{
	AUTO(site_drop) struct site *site = site_new(2, 3);
	AUTO(summary_done) struct summary s = { 0 };

	(void)state;
	assert_lines(&s, (const char *const[]){ NULL });
	for (size_t i = 0; i < 3; i++)
		summary_add(&s, site_disk(site, 1, i), i ? ERR_DISK : ERR_HOOK);
	assert_lines(&s, (const char *const[]){ NULL });
}

static void
summary_next_of_every_kind_says_something(void **state)
{
	(void)state;
	for (int kind = ERR_NONE; kind <= ERR_HOOK; kind++)
		assert_true(*summary_next((enum err_kind)kind));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(summary_lines_group_by_reason_and_tell_hosts_once),
		cmocka_unit_test(summary_lines_cap_the_names),
		cmocka_unit_test(summary_lines_of_one_host_or_nothing_are_none),
		cmocka_unit_test(summary_next_of_every_kind_says_something),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
