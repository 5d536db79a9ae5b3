/* SPDX-License-Identifier: MIT */
/* plan: which steps, in which order, phase and on which condition, for each verb. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "plan/plan.h"
#include "run/work.h"
#include "site.h"

static const char *
step_name(const struct step *s)
{
	static const char *const names[] = { "status", "hook", "open", "close", "verify", "info",
		"survey", "probe", "format", "add", "kill" };
	static const char *const hooks[] = { "pre_open", "post_open", "pre_close", "post_close" };

	return s->kind == STEP_HOOK ? hooks[s->hook] : names[s->kind];
}

/* "h1: status pre_open d1.open | h2: ..."; a phase other than 0 stands behind "@". */
static void
render(const struct plan *p, struct str *out)
{
	for (size_t i = 0; i < p->n; i++) {
		str_addf(out, "%s%s:", i ? " | " : "", p->lanes[i].host->name);
		for (size_t k = 0; k < p->lanes[i].n; k++) {
			const struct step *s = &p->lanes[i].steps[k];

			str_addf(out, " %s%s%s", s->disk ? s->disk->name : "", s->disk ? "." : "",
			    step_name(s));
			if (s->phase)
				str_addf(out, "@%u", s->phase);
		}
	}
}

static void
assert_plan(const struct plan *p, const char *want)
{
	AUTO(str_done) struct str got = { 0 };

	render(p, &got);
	assert_string_equal(str_text(&got), want);
}

enum { ON_HOST = 1, ON_FIRST_DISK = 2, ON_ALL_DISKS = 4 };

static void
add_hooks(struct site *s, unsigned where)
{
	for (int k = 0; k < HOOK_KINDS; k++) {
		for (size_t h = 0; h < s->n_hosts; h++) {
			if (where & ON_HOST)
				site_hook(&site_host(s, h)->hooks[k], "/h", NULL);
			for (size_t d = 0; d < site_host(s, h)->n_disks; d++)
				if ((where & ON_ALL_DISKS) || ((where & ON_FIRST_DISK) && d == 0))
					site_hook(&site_disk(s, h, d)->hooks[k], "/d", NULL);
		}
	}
}

static void
plan_open_and_close_with_hooks_are_each_others_reverse(void **state)
{
	static const struct {
		size_t hosts, disks;
		unsigned hooks;
		const char *open, *close;
	} cases[] = {
		{ 1, 1, 0, "h1: status d1.open", "h1: status d1.close" },
		{ 1, 2, 0, "h1: status d1.open d2.open", "h1: status d2.close d1.close" },
		{ 2, 1, 0, "h1: status d1.open | h2: status d1.open",
		    "h1: status d1.close | h2: status d1.close" },
		{ 1, 1, ON_HOST, "h1: status pre_open d1.open post_open",
		    "h1: status pre_close d1.close post_close" },
		{ 1, 2, ON_FIRST_DISK, "h1: status d1.pre_open d1.open d1.post_open d2.open",
		    "h1: status d2.close d1.pre_close d1.close d1.post_close" },
		{ 1, 2, ON_HOST | ON_ALL_DISKS,
		    "h1: status pre_open d1.pre_open d1.open d1.post_open "
		    "d2.pre_open d2.open d2.post_open post_open",
		    "h1: status pre_close d2.pre_close d2.close d2.post_close "
		    "d1.pre_close d1.close d1.post_close post_close" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(site_drop) struct site *s = site_new(cases[i].hosts, cases[i].disks);
		AUTO(plan_drop) struct plan *open = plan_new("open");
		AUTO(plan_drop) struct plan *close = plan_new("close");

		add_hooks(s, cases[i].hooks);
		plan_open(open, &s->all);
		plan_close(close, &s->all);
		assert_plan(open, cases[i].open);
		assert_plan(close, cases[i].close);
		assert_int_equal(open->order, PLAN_AFTER);
		assert_int_equal(close->order, PLAN_BEFORE);
		assert_int_equal(open->n_phases, 1);
		assert_int_equal(close->n_phases, 1);
	}
}

static void
plan_of_some_disks_has_lanes_of_their_hosts_only(void **state)
{
	AUTO(site_drop) struct site *s = site_new(3, 2);
	AUTO(plan_drop) struct plan *p = plan_new("open");
	const struct disk *some[] = { site_disk(s, 0, 1), site_disk(s, 2, 0) };
	struct target_set set = { .at = some, .n = COUNT(some) };

	(void)state;
	plan_open(p, &set);
	assert_plan(p, "h1: status d2.open | h3: status d1.open");
}

static void
plan_of_nothing_has_no_lanes(void **state)
{
	AUTO(plan_drop) struct plan *p = plan_new("open");
	struct target_set none = { 0 };

	(void)state;
	plan_open(p, &none);
	plan_close(p, &none);
	assert_int_equal(p->n, 0);
	plan_free(NULL);
}

static void
plan_hook_condition_tells_when_it_runs(void **state)
{
	static const struct { bool disk; enum hook_kind kind; const char *when; } cases[] = {
		{ true, HOOK_PRE_OPEN, "if closed, and if you hold a key" },
		{ true, HOOK_POST_OPEN, "if opened now" },
		{ true, HOOK_PRE_CLOSE, "if open" },
		{ true, HOOK_POST_CLOSE, "if closed now" },
		{ false, HOOK_PRE_OPEN, NULL },
		{ false, HOOK_POST_OPEN, "if every disk tried here is open" },
		{ false, HOOK_PRE_CLOSE, NULL },
		{ false, HOOK_POST_CLOSE, "if every disk tried here is closed" },
	};
	AUTO(site_drop) struct site *s = site_new(1, 1);
	AUTO(plan_drop) struct plan *p = plan_new("open");

	(void)state;
	add_hooks(s, ON_HOST | ON_ALL_DISKS);
	for (size_t i = 0; i < COUNT(cases); i++) {
		plan_hook(p, site_host(s, 0), cases[i].disk ? site_disk(s, 0, 0) : NULL,
		    cases[i].kind);
		const struct step *step = &p->lanes[0].steps[i];

		assert_int_equal(step->kind, STEP_HOOK);
		assert_int_equal(step->hook, cases[i].kind);
		assert_ptr_equal(step->disk, cases[i].disk ? site_disk(s, 0, 0) : NULL);
		if (cases[i].when)
			assert_string_equal(step->when, cases[i].when);
		else
			assert_null(step->when);
	}
}

static void
plan_hook_without_words_is_no_step(void **state)
{
	AUTO(site_drop) struct site *s = site_new(1, 1);
	AUTO(plan_drop) struct plan *p = plan_new("open");

	(void)state;
	for (int k = 0; k < HOOK_KINDS; k++) {
		plan_hook(p, site_host(s, 0), NULL, (enum hook_kind)k);
		plan_hook(p, site_host(s, 0), site_disk(s, 0, 0), (enum hook_kind)k);
	}
	assert_int_equal(p->n, 0);
}

/* The verbs that look at headers; every step of theirs but status has its disk's work. */
struct key_verb {
	struct site *site;
	struct work works[4], *at[4];
};

static void
key_verb_init(struct key_verb *v, size_t hosts, size_t disks)
{
	v->site = site_new(hosts, disks);
	for (size_t i = 0; i < v->site->all.n; i++) {
		work_init(&v->works[i], v->site->all.at[i]);
		v->at[i] = &v->works[i];
	}
}

static void
assert_works(const struct plan *p)
{
	for (size_t i = 0; i < p->n; i++)
		for (size_t k = 0; k < p->lanes[i].n; k++) {
			const struct step *s = &p->lanes[i].steps[k];

			assert_true(!s->disk == !s->work);
			if (s->work)
				assert_ptr_equal(s->work->disk, s->disk);
		}
}

static void
plan_verify_and_info_look_at_each_disk_in_any_order(void **state)
{
	AUTO(plan_drop) struct plan *verify = plan_new("verify");
	AUTO(plan_drop) struct plan *info = plan_new("info");
	struct key_verb v;

	(void)state;
	key_verb_init(&v, 2, 2);
	plan_verify(verify, &v.site->all, v.at);
	plan_info(info, &v.site->all, v.at);
	assert_plan(verify, "h1: d1.verify d2.verify | h2: d1.verify d2.verify");
	assert_plan(info, "h1: status d1.info d2.info | h2: status d1.info d2.info");
	assert_int_equal(verify->order, PLAN_UNORDERED);
	assert_int_equal(info->order, PLAN_UNORDERED);
	assert_string_equal(verify->lanes[0].steps[0].when, "if you hold a key");
	assert_works(verify);
	assert_works(info);
	site_free(v.site);
}

static void
plan_create_looks_first_then_formats_my_slot(void **state)
{
	AUTO(plan_drop) struct plan *p = plan_new("create");
	struct key_verb v;

	(void)state;
	key_verb_init(&v, 1, 2);
	add_hooks(v.site, ON_HOST | ON_ALL_DISKS);
	plan_create(p, &v.site->all, v.at, 5);
	assert_plan(p, "h1: d1.probe d1.format@1 d2.probe d2.format@1");
	assert_int_equal(p->order, PLAN_UNORDERED);
	assert_int_equal(p->n_phases, 2);
	assert_int_equal(p->lanes[0].steps[1].slot, 5);
	assert_string_equal(p->lanes[0].steps[1].when, "if the device is empty");
	assert_null(p->between[0]);
	assert_non_null(strstr(p->between[1], "staged"));
	assert_non_null(strstr(p->between[2], "promoted"));
	assert_works(p);
	site_free(v.site);
}

static void
plan_add_user_goes_to_the_slot_or_through_a_spare(void **state)
{
	static const char leftover[] = "if the slot held a leftover, or with --force";
	static const struct { int slot; const char *when; } steps[] = {
		{ 3, NULL }, { 3, "if you hold a key and the slot is free" }, { 3, leftover },
		{ 3, leftover }, { -1, leftover },
	};
	AUTO(plan_drop) struct plan *p = plan_new("add-user");
	struct key_verb v;

	(void)state;
	key_verb_init(&v, 1, 1);
	plan_add_user(p, &v.site->all, v.at, 3);
	assert_plan(p, "h1: d1.survey d1.add@1 d1.kill@2 d1.add@2 d1.kill@3");
	assert_int_equal(p->n_phases, 4);
	for (size_t i = 0; i < COUNT(steps); i++) {
		const struct step *s = &p->lanes[0].steps[i];

		assert_int_equal(s->slot, steps[i].slot);
		assert_true(str_equal(s->when, steps[i].when));
	}
	assert_non_null(strstr(p->between[1], "staged"));
	assert_non_null(strstr(p->between[2], "promoted"));
	assert_works(p);
	site_free(v.site);
}

static void
plan_refresh_goes_through_a_spare_that_the_host_tells(void **state)
{
	static const int slots[] = { 3, -1, 3, 3, -1 };
	AUTO(plan_drop) struct plan *p = plan_new("refresh");
	struct key_verb v;

	(void)state;
	key_verb_init(&v, 1, 1);
	plan_refresh(p, &v.site->all, v.at, 3);
	assert_plan(p, "h1: d1.survey d1.add@1 d1.kill@2 d1.add@2 d1.kill@3");
	for (size_t i = 0; i < COUNT(slots); i++)
		assert_int_equal(p->lanes[0].steps[i].slot, slots[i]);
	assert_non_null(strstr(p->between[1], "staged"));
	assert_non_null(strstr(p->between[2], "promoted"));
	assert_non_null(strstr(p->between[4], "dead"));
	assert_works(p);
	site_free(v.site);
}

static void
plan_del_user_kills_unclaimed_slots_only_when_told(void **state)
{
	struct key_verb v;

	(void)state;
	key_verb_init(&v, 1, 2);
	for (int unclaimed = 0; unclaimed < 2; unclaimed++) {
		AUTO(plan_drop) struct plan *p = plan_new("del-user");

		plan_del_user(p, &v.site->all, v.at, 2, unclaimed);
		assert_plan(p, unclaimed
		    ? "h1: d1.survey d1.kill d1.kill@1 d2.survey d2.kill d2.kill@1"
		    : "h1: d1.survey d1.kill d2.survey d2.kill");
		assert_int_equal(p->n_phases, unclaimed ? 2 : 1);
		assert_int_equal(p->lanes[0].steps[1].slot, 2);
		assert_string_equal(p->lanes[0].steps[1].when, "if in use, and if you hold a key");
		if (unclaimed)
			assert_int_equal(p->lanes[0].steps[2].slot, -1);
		assert_works(p);
	}
	site_free(v.site);
}

static void
plan_needs_keys_where_a_step_tries_them(void **state)
{
	static const struct { enum step_kind kind; bool want; } cases[] = {
		{ STEP_STATUS, false }, { STEP_HOOK, false }, { STEP_OPEN, true },
		{ STEP_CLOSE, false }, { STEP_VERIFY, true }, { STEP_INFO, false },
		{ STEP_SURVEY, true }, { STEP_PROBE, true }, { STEP_KILL, false },
	};
	AUTO(site_drop) struct site *s = site_new(2, 1);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(plan_drop) struct plan *p = plan_new("x");

		assert_false(plan_needs_keys(p));
		plan_step(p, site_host(s, 0), (struct step){ .kind = STEP_STATUS });
		plan_step(p, site_host(s, 1), (struct step){ .kind = cases[i].kind });
		assert_int_equal(plan_needs_keys(p), cases[i].want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plan_open_and_close_with_hooks_are_each_others_reverse),
		cmocka_unit_test(plan_of_some_disks_has_lanes_of_their_hosts_only),
		cmocka_unit_test(plan_of_nothing_has_no_lanes),
		cmocka_unit_test(plan_hook_condition_tells_when_it_runs),
		cmocka_unit_test(plan_hook_without_words_is_no_step),
		cmocka_unit_test(plan_verify_and_info_look_at_each_disk_in_any_order),
		cmocka_unit_test(plan_create_looks_first_then_formats_my_slot),
		cmocka_unit_test(plan_add_user_goes_to_the_slot_or_through_a_spare),
		cmocka_unit_test(plan_refresh_goes_through_a_spare_that_the_host_tells),
		cmocka_unit_test(plan_del_user_kills_unclaimed_slots_only_when_told),
		cmocka_unit_test(plan_needs_keys_where_a_step_tries_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
