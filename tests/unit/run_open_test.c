/* SPDX-License-Identifier: MIT */
/*
 * run_open: what a batch that was cut off costs, and what is told of it, on a host that is gone or
 * slow by order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "base/clock.h"
#include "base/secret.h"
#include "run/run_internal.h"
#include "site.h"

#define DISKS RUN_OPEN_BATCH

/* The host: can it be reached again, which disks are open then, how often it was asked. */
static struct {
	bool there;
	size_t n_open;
	size_t connects, looks;
} server;

static bool
server_connect(struct transport *t, struct err *e)
{
	(void)t;
	server.connects++;
	return server.there || err_set(e, ERR_AWAY, "no answer");
}

static const struct transport_ops transport_ops = { .connect = server_connect };

static void
lose_all(struct luks *l, struct luks_opening *at, size_t n)
{
	(void)l;
	for (size_t i = 0; i < n; i++)
		err_set(&at[i].err, ERR_LOST, "connection lost");
}

static bool
lose_one(struct luks *l, const struct disk *d, struct err *e)
{
	(void)l, (void)d;
	return err_set(e, ERR_LOST, "connection lost");
}

static bool
server_status(struct luks *l, const struct disk *const *disks, size_t n, struct luks_status *out,
    struct err *e)
{
	(void)l, (void)disks, (void)e;
	server.looks++;
	for (size_t i = 0; i < n; i++)
		out[i] = (struct luks_status){ .state = i < server.n_open ? LUKS_OPEN : LUKS_CLOSED };
	return true;
}

static const struct luks_ops luks_ops = { .open = lose_all, .close = lose_one,
	.status = server_status };

struct trial {
	struct site *site;
	struct secret *key;
	struct run_options o;
	struct transport transport;
	struct luks luks;
	struct disk_state disks[DISKS];
	size_t places[DISKS];
	struct step steps[DISKS];
	struct row rows[DISKS];
	struct lane_run lane;
};

static void
trial_init(struct trial *t)
{
	*t = (struct trial){
		.site = site_new(1, DISKS),
		.key = secret_from(bytes_of("open sesame")),
		.o = { .my_slot = LUKS_ANY_SLOT },
		.transport = { .ops = &transport_ops },
		.luks = { .ops = &luks_ops },
	};
	t->o.asked = t->key;
	for (size_t i = 0; i < DISKS; i++) {
		t->disks[i].disk = site_disk(t->site, 0, i);
		t->places[i] = i + 1;
		t->steps[i] = (struct step){ .kind = STEP_OPEN, .disk = t->disks[i].disk };
		t->rows[i] = (struct row){ .host = site_host(t->site, 0), .step = &t->steps[i] };
	}
	t->lane = (struct lane_run){ .o = &t->o, .rows = t->rows, .transport = &t->transport,
		.luks = &t->luks, .disks = t->disks, .n_disks = DISKS,
		.places = t->places };
}

static void
trial_done(struct trial *t)
{
	for (size_t i = 0; i < DISKS; i++)
		str_done(&t->rows[i].output);
	secret_free(t->key);
	site_free(t->site);
}

static void
step_open_all_on_a_host_that_is_gone_connects_once(void **state)
{
	struct trial t;

	(void)state;
	memset(&server, 0, sizeof(server));
	trial_init(&t);
	step_open_all(&t.lane, t.rows, DISKS);
	assert_int_equal(server.connects, 1);
	assert_int_equal(server.looks, 0);
	for (size_t i = 0; i < DISKS; i++) {
		assert_int_equal(t.rows[i].outcome, OUTCOME_UNKNOWN);
		assert_true(t.disks[i].attempted && !t.disks[i].as_asked);
	}
	trial_done(&t);
}

/* The disks that are open by then are waited for together with those that never will be. */
static void
step_open_all_that_was_cut_off_looks_at_all_disks_at_once(void **state)
{
	struct trial t;
	int64_t start = clock_ms();

	(void)state;
	memset(&server, 0, sizeof(server));
	server.there = true;
	server.n_open = 2;
	trial_init(&t);
	step_open_all(&t.lane, t.rows, DISKS);
	assert_true(clock_ms() - start < 7000); /* each for itself: 1.5 s and more, six times */
	for (size_t i = 0; i < DISKS; i++) {
		bool open = i < 2;

		assert_int_equal(t.rows[i].outcome, open ? OUTCOME_DONE : OUTCOME_FAILED);
		assert_int_equal(t.disks[i].as_asked, open);
		assert_int_equal(t.disks[i].changed, open);
		if (open)
			assert_string_equal(t.rows[i].note, "seen after the connection was lost");
		else
			assert_string_equal(t.rows[i].err.text,
			    "not open when looked at again: connection lost");
	}
	trial_done(&t);
}

static void
step_close_that_was_cut_off_and_is_closed_is_done(void **state)
{
	struct trial t;

	(void)state;
	memset(&server, 0, sizeof(server));
	server.there = true;
	trial_init(&t);
	t.steps[0].kind = STEP_CLOSE;
	t.disks[0].status.state = LUKS_OPEN;
	step_close(&t.lane, &t.rows[0]);
	assert_int_equal(t.rows[0].outcome, OUTCOME_DONE);
	assert_int_equal(server.looks, 1);
	assert_int_equal(t.disks[0].asked, LUKS_CLOSED);
	trial_done(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(step_open_all_on_a_host_that_is_gone_connects_once),
		cmocka_unit_test(step_open_all_that_was_cut_off_looks_at_all_disks_at_once),
		cmocka_unit_test(step_close_that_was_cut_off_and_is_closed_is_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
