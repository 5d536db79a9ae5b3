/* SPDX-License-Identifier: MIT */
/* report: one row per step in the plan's order, and what all of them come to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "report/report.h"
#include "site.h"

static void
report_new_has_a_row_per_step_that_is_not_begun(void **state)
{
	AUTO(site_drop) struct site *s = site_new(3, 2);
	AUTO(plan_drop) struct plan *p = plan_new("open");

	(void)state;
	site_hook(&site_host(s, 1)->hooks[HOOK_PRE_OPEN], "/x", NULL);
	plan_open(p, &s->all);
	AUTO(report_drop) struct report *r = report_new(p);

	assert_int_equal(r->n, 3 * 3 + 1);
	assert_int_equal(r->first[p->n], r->n);
	for (size_t i = 0; i < p->n; i++)
		for (size_t k = 0; k < p->lanes[i].n; k++) {
			const struct row *row = report_row(r, i, k);

			assert_ptr_equal(row, &r->rows[r->first[i] + k]);
			assert_ptr_equal(row->host, p->lanes[i].host);
			assert_ptr_equal(row->step, &p->lanes[i].steps[k]);
			assert_int_equal(row->outcome, OUTCOME_NOT_BEGUN);
			assert_false(row->reached);
			assert_string_equal(row->err.text, "");
			assert_string_equal(row->note, "");
		}
}

static void
report_new_of_an_empty_plan_is_empty_and_done(void **state)
{
	AUTO(plan_drop) struct plan *p = plan_new("open");
	AUTO(report_drop) struct report *r = report_new(p);

	(void)state;
	assert_int_equal(r->n, 0);
	assert_true(report_all_done(r));
	assert_null(report_find(r, STEP_OPEN, NULL));
	report_free(NULL);
}

static void
report_find_several_rows_gives_the_last(void **state)
{
	AUTO(site_drop) struct site *s = site_new(2, 1);
	AUTO(plan_drop) struct plan *p = plan_new("x");
	const struct disk *d = site_disk(s, 1, 0);

	(void)state;
	for (unsigned phase = 0; phase < 3; phase++)
		plan_step(p, d->host, (struct step){ .kind = STEP_KILL, .phase = phase, .disk = d });
	plan_step(p, d->host, (struct step){ .kind = STEP_STATUS });
	AUTO(report_drop) struct report *r = report_new(p);

	assert_ptr_equal(report_find(r, STEP_KILL, d), report_row(r, 0, 2));
	assert_ptr_equal(report_find(r, STEP_STATUS, NULL), report_row(r, 0, 3));
	assert_null(report_find(r, STEP_ADD, d));
	assert_null(report_find(r, STEP_KILL, site_disk(s, 0, 0)));
}

static void
report_all_done_only_where_every_row_is_done_or_needless(void **state)
{
	static const struct { enum outcome outcome; bool want; } cases[] = {
		{ OUTCOME_NOT_BEGUN, false }, { OUTCOME_DONE, true }, { OUTCOME_NEEDLESS, true },
		{ OUTCOME_SKIPPED, false }, { OUTCOME_FAILED, false }, { OUTCOME_UNKNOWN, false },
	};
	AUTO(site_drop) struct site *s = site_new(1, 3);
	AUTO(plan_drop) struct plan *p = plan_new("verify");

	(void)state;
	plan_close(p, &s->all);
	for (size_t i = 0; i < COUNT(cases); i++)
		for (size_t odd = 0; odd < 3; odd++) {
			AUTO(report_drop) struct report *r = report_new(p);

			for (size_t k = 0; k < r->n; k++)
				r->rows[k].outcome = k == odd ? cases[i].outcome : OUTCOME_DONE;
			assert_int_equal(report_all_done(r), cases[i].want);
		}
}

static void
report_free_with_output_frees_it(void **state)
{
	AUTO(site_drop) struct site *s = site_new(1, 1);
	AUTO(plan_drop) struct plan *p = plan_new("verify");

	(void)state;
	plan_close(p, &s->all);
	AUTO(report_drop) struct report *r = report_new(p);

	str_add(&r->rows[0].output, "a hook's words"); /* LeakSanitizer judges */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(report_new_has_a_row_per_step_that_is_not_begun),
		cmocka_unit_test(report_new_of_an_empty_plan_is_empty_and_done),
		cmocka_unit_test(report_find_several_rows_gives_the_last),
		cmocka_unit_test(report_all_done_only_where_every_row_is_done_or_needless),
		cmocka_unit_test(report_free_with_output_frees_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
