/* SPDX-License-Identifier: MIT */
/* gate: who gets in, and after how long, with nobody but us at the doors. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/clock.h"
#include "transport/gate.h"

static void
fill(struct gates *g, const char *door, int64_t *since)
{
	for (size_t i = 0; i < GATE_WIDTH; i++)
		assert_true(gate_enter(g, door, &since[i]));
}

static void
gate_enter_waits_until_somebody_leaves_or_is_inside_for_long(void **state)
{
	struct gates g;
	int64_t since[GATE_WIDTH], mine, start;

	(void)state;
	gates_init(&g);
	fill(&g, "bastion", since);
	start = clock_ms();
	assert_true(gate_enter(&g, "another", &mine));
	gate_leave(&g, "bastion", since[3]);
	assert_true(gate_enter(&g, "bastion", &mine)); /* at once: */
	assert_true(clock_ms() - start < GATE_LONG_MS / 2);
	for (size_t i = 0; i < GATE_WIDTH - 1; i++) /* the rest never leave */
		assert_true(gate_enter(&g, "bastion", &mine));
	assert_true(clock_ms() - since[0] >= GATE_LONG_MS);
	gates_done(&g);
}

static void
gate_leave_of_who_was_overtaken_takes_nobodys_place(void **state)
{
	struct gates g;
	int64_t since[GATE_WIDTH], mine[GATE_WIDTH];

	(void)state;
	gates_init(&g);
	fill(&g, "bastion", since);
	fill(&g, "bastion", mine);
	for (size_t i = 0; i < GATE_WIDTH; i++)
		gate_leave(&g, "bastion", since[i]);
	gates_shut(&g);
	assert_false(gate_enter(&g, "bastion", &since[0]));
	gate_leave(&g, "bastion", mine[0]);
	assert_true(gate_enter(&g, "bastion", &since[0]));
	gates_done(&g);
}

static void *
shut(void *arg)
{
	gates_shut(arg);
	return NULL;
}

static void
gates_shut_turns_away_who_waits(void **state)
{
	struct gates g;
	int64_t since[GATE_WIDTH], mine;
	pthread_t other;

	(void)state;
	gates_init(&g);
	fill(&g, "bastion", since);
	assert_int_equal(pthread_create(&other, NULL, shut, &g), 0);
	assert_false(gate_enter(&g, "bastion", &mine));
	pthread_join(other, NULL);
	assert_true(gate_enter(&g, "another", &mine));
	gates_done(&g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gate_enter_waits_until_somebody_leaves_or_is_inside_for_long),
		cmocka_unit_test(gate_leave_of_who_was_overtaken_takes_nobodys_place),
		cmocka_unit_test(gates_shut_turns_away_who_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
