/* SPDX-License-Identifier: MIT */
/* works: one work per disk of a set, the first row of a disk that went wrong, slots as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "arver/works.h"
#include "plan/plan.h"
#include "report/report.h"
#include "site.h"

static void
works_new_has_a_work_per_disk_in_the_sets_order(void **state)
{
	AUTO(site_drop) struct site *s = site_new(2, 2);
	AUTO(works_drop) struct works *w = works_new(&s->all, 7);

	(void)state;
	assert_int_equal(w->n, 4);
	for (size_t i = 0; i < w->n; i++) {
		assert_ptr_equal(w->at[i]->disk, s->all.at[i]);
		assert_int_equal(w->at[i]->slot, 7);
		assert_int_equal(w->at[i]->spare, LUKS_ANY_SLOT);
		assert_int_equal(w->at[i]->go, WORK_UNDECIDED);
	}
	works_free(NULL);
}

static void
works_free_with_new_keys_frees_them(void **state)
{
	AUTO(site_drop) struct site *s = site_new(1, 1);
	AUTO(works_drop) struct works *w = works_new(&s->all, 0);

	(void)state;
	w->at[0]->new_key = secret_random_base64(3); /* LeakSanitizer and the arena judge */
}

static void
works_slots_mask_is_a_list_of_numbers(void **state)
{
	static const struct { uint32_t mask; const char *want; } cases[] = {
		{ 0, "" },
		{ 1, "0" },
		{ 1u << 31, "31" },
		{ 0x60, "5, 6" },
		{ 0x80000001, "0, 31" },
		{ 0xffffffff, "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, "
			      "20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[128];

		assert_string_equal(works_slots(cases[i].mask, text), cases[i].want);
	}
}

static void
works_judge_finds_the_first_reached_row_of_a_disk_that_went_wrong(void **state)
{
	static const struct { enum outcome first, second; bool reached; int want; } cases[] = {
		{ OUTCOME_DONE, OUTCOME_NEEDLESS, true, -1 },
		{ OUTCOME_DONE, OUTCOME_FAILED, true, 1 },
		{ OUTCOME_SKIPPED, OUTCOME_NOT_BEGUN, true, 0 },
		{ OUTCOME_UNKNOWN, OUTCOME_FAILED, true, 0 },
		{ OUTCOME_NOT_BEGUN, OUTCOME_NOT_BEGUN, true, 0 },
		{ OUTCOME_NOT_BEGUN, OUTCOME_NOT_BEGUN, false, -1 },
	};
	AUTO(site_drop) struct site *s = site_new(1, 2);
	AUTO(works_drop) struct works *w = works_new(&s->all, 0);
	AUTO(plan_drop) struct plan *p = plan_new("create");

	(void)state;
	plan_create(p, &s->all, w->at, 0);
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(report_drop) struct report *r = report_new(p);

		for (size_t k = 0; k < 4; k++) {
			/* Rows 0 and 1 are the first disk's; the other's are always bad. */
			struct row *row = report_row(r, 0, k);

			row->reached = k > 1 || cases[i].reached;
			row->outcome = k == 0 ? cases[i].first
				       : k == 1 ? cases[i].second : OUTCOME_FAILED;
		}
		const struct row *want = cases[i].want < 0 ? NULL
					 : report_row(r, 0, (size_t)cases[i].want);

		works_judge(w, r);
		assert_ptr_equal(w->at[0]->bad, want);
		assert_ptr_equal(w->at[1]->bad, report_row(r, 0, 2));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(works_new_has_a_work_per_disk_in_the_sets_order),
		cmocka_unit_test(works_free_with_new_keys_frees_them),
		cmocka_unit_test(works_slots_mask_is_a_list_of_numbers),
		cmocka_unit_test(works_judge_finds_the_first_reached_row_of_a_disk_that_went_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
