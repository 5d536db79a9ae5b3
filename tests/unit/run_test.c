/* SPDX-License-Identifier: MIT */
/*
 * run: lanes on threads, with real local hosts whose hooks are lines of shell that write
 * to files and wait for each other: order, limits, what a failure ends, and
 * what the main thread is told. Built with ThreadSanitizer too.
 */
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/clock.h"
#include "base/file.h"
#include "base/secret.h"
#include "keyring/keyring.h"
#include "run/run_internal.h"
#include "run/work.h"
#include "site.h"
#include "tests/unit/temp_dir.h"

#define MAX_ROWS 512

/* One run: what is put into it, and what the main thread was told. */
struct trial {
	char dir[TEMP_DIR_BYTES]; /* of the hooks' files */
	struct site *site;
	struct plan *plan;
	struct report *rep;
	struct run *run;
	struct keyring *keys;
	struct run_options o;
	atomic_int cancel;
	pthread_t main;
	const struct row *told[MAX_ROWS];
	size_t n_told;
	bool told_elsewhere; /* on another thread than main */
	size_t cancel_after; /* so many rows; 0: never */
	size_t n_away;
	bool cancel_when_away;
	struct run_progress progress; /* the last that was told */
	size_t most_threads;	      /* when progress was told */
};

static void
touch(const struct trial *t, const char *name)
{
	AUTO(mem_free_drop) char *path = mem_printf("%s/%s", t->dir, name);
	FILE *f = fopen(path, "w");

	if (f)
		fclose(f);
}

static void
on_row(void *arg, const struct row *row)
{
	struct trial *t = arg;

	t->told_elsewhere = t->told_elsewhere || !pthread_equal(pthread_self(), t->main);
	assert_true(t->n_told < MAX_ROWS);
	t->told[t->n_told++] = row;
	if (t->n_told == t->cancel_after) {
		atomic_store(&t->cancel, 1);
		touch(t, "cancelled");
	}
}

static void
trial_init(struct trial *t, size_t n_hosts, size_t n_disks)
{
	*t = (struct trial){ .main = pthread_self() };
	assert_int_equal(temp_dir_make(t->dir), 0);
	t->site = site_new(n_hosts, n_disks);
	t->plan = plan_new("test");
	t->keys = keyring_new();
	t->o = (struct run_options){ .arver_user = "", .my_slot = 0, .keys = t->keys,
		.cancel = &t->cancel, .on_row = on_row, .arg = t };
}

static void
trial_done(struct trial *t)
{
	run_drop(&t->run);
	report_drop(&t->rep);
	plan_drop(&t->plan);
	keyring_drop(&t->keys);
	site_drop(&t->site);
	temp_dir_remove(t->dir);
}

/* A hook of a host (disk NULL) or disk, run in the trial's directory; $me is its name. */
static void
shell(const struct trial *t, const struct host *h, struct disk *d, enum hook_kind kind,
    const char *script)
{
	AUTO(mem_free_drop) char *text = mem_printf("cd %s && me=%s%s%s && wait_for() { "
	    "while ! [ -e \"$1\" ]; do sleep 0.01; done; } && %s", t->dir, h->name, d ? "." : "",
	    d ? d->name : "", script);

	site_shell(d ? &d->hooks[kind] : &((struct host *)(uintptr_t)h)->hooks[kind], text);
}

/* Every host has this hook, and nothing else is done there. */
static void
one_hook_each(struct trial *t, const char *script)
{
	for (size_t i = 0; i < t->site->n_hosts; i++) {
		struct host *h = site_host(t->site, i);

		shell(t, h, NULL, HOOK_PRE_OPEN, script);
		plan_hook(t->plan, h, NULL, HOOK_PRE_OPEN);
	}
}

static void
begin(struct trial *t)
{
	t->rep = report_new(t->plan);
	t->run = run_begin(&t->o, t->plan, t->rep);
}

static void
run_all(struct trial *t)
{
	begin(t);
	for (unsigned phase = 0; phase < t->plan->n_phases; phase++)
		run_phase(t->run, phase);
}

/* What holds for every run: each row is final and told once, in its lane's order, on our thread. */
static void
assert_told_once_each(const struct trial *t)
{
	assert_false(t->told_elsewhere);
	assert_int_equal(t->n_told, t->rep->n);
	for (size_t i = 0; i < t->rep->n; i++) {
		size_t times = 0;

		assert_true(t->rep->rows[i].reached);
		for (size_t k = 0; k < t->n_told; k++)
			times += t->told[k] == &t->rep->rows[i];
		assert_int_equal(times, 1);
	}
	for (size_t i = 0; i < t->n_told; i++)
		for (size_t k = 0; k < i; k++)
			if (t->told[k]->host == t->told[i]->host &&
			    t->told[k]->step->phase == t->told[i]->step->phase)
				assert_true(t->told[k] < t->told[i]);
}

static const char *
read_log(const struct trial *t, struct str *out)
{
	AUTO(mem_free_drop) char *path = mem_printf("%s/log", t->dir);
	AUTO(fd_drop) int dir = -1;
	struct err e = { 0 };

	str_clear(out);
	if (!file_open_dir(t->dir, &dir, &e) || !file_read_at(dir, "log", 65536, out, &e))
		return "";
	return str_text(out);
}

static void
assert_log(const struct trial *t, const char *want)
{
	AUTO(str_done) struct str log = { 0 };

	assert_string_equal(read_log(t, &log), want);
}

static struct row *
row_of(const struct trial *t, size_t lane, size_t k)
{
	return report_row(t->rep, lane, k);
}

static void
assert_row(const struct trial *t, size_t lane, size_t k, enum outcome outcome, const char *text)
{
	const struct row *row = row_of(t, lane, k);

	if (row->outcome != outcome || !strstr(row->err.text, text))
		fail_msg("row %zu of lane %zu: outcome %d, \"%s\"", k, lane, (int)row->outcome,
		    row->err.text);
}

/* --- how many at once --- */

static void
run_jobs_are_as_many_lanes_at_once_and_no_more(void **state)
{
	static const struct { unsigned jobs; size_t hosts, at_once; } cases[] = {
		{ 1, 3, 1 }, { 3, 8, 3 }, { 0, 6, 6 }, { 1000, 4, 4 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(str_done) struct str log = { 0 };
		char want[16];
		struct trial t;

		trial_init(&t, cases[i].hosts, 0);
		t.o.jobs = cases[i].jobs;
		/* Nobody goes on before so many are here; each says how many it saw. */
		AUTO(mem_free_drop) char *script = mem_printf(
		    "touch in.$me seen.$me; "
		    "until set -- seen.*; [ $# -ge %zu ]; do sleep 0.01; done; "
		    "set -- in.*; echo $# >>log; rm in.$me", cases[i].at_once);

		one_hook_each(&t, script);
		run_all(&t);
		assert_told_once_each(&t);
		assert_true(report_all_done(t.rep));
		read_log(&t, &log);
		assert_int_equal(log.len, 2 * cases[i].hosts);
		for (size_t n = cases[i].at_once + 1; n < 10; n++) {
			snprintf(want, sizeof(want), "%zu\n", n);
			assert_null(strstr(str_text(&log), want));
		}
		trial_done(&t);
	}
}

static void
run_many_lanes_tell_every_row_once_on_the_calling_thread(void **state)
{
	struct trial t;

	(void)state;
	trial_init(&t, 40, 2);
	for (size_t i = 0; i < 40; i++) {
		shell(&t, site_host(t.site, i), NULL, HOOK_PRE_CLOSE, "echo $me");
		shell(&t, site_host(t.site, i), NULL, HOOK_POST_CLOSE, "exit $((${me#h} % 2))");
	}
	plan_close(t.plan, &t.site->all);
	run_all(&t);
	assert_told_once_each(&t);
	assert_int_equal(t.rep->n, 40 * 5);
	for (size_t i = 0; i < 40; i++) {
		AUTO(mem_free_drop) char *printed = mem_printf("h%zu\n", i + 1);

		assert_row(&t, i, 0, OUTCOME_DONE, "");
		assert_row(&t, i, 1, OUTCOME_DONE, "");
		assert_string_equal(str_text(&row_of(&t, i, 1)->output), printed);
		assert_row(&t, i, 2, OUTCOME_NEEDLESS, "");
		assert_string_equal(row_of(&t, i, 2)->note, "already closed");
		if (i % 2)
			assert_row(&t, i, 4, OUTCOME_DONE, "");
		else
			assert_row(&t, i, 4, OUTCOME_FAILED, "post_close: sh failed with exit status 1");
	}
	trial_done(&t);
}

static void
run_without_on_row_does_the_same(void **state)
{
	struct trial t;

	(void)state;
	trial_init(&t, 3, 0);
	t.o.on_row = NULL;
	one_hook_each(&t, "true");
	run_all(&t);
	assert_true(report_all_done(t.rep));
	assert_int_equal(t.n_told, 0);
	trial_done(&t);
}

static void
run_of_an_empty_plan_ends_at_once(void **state)
{
	struct trial t;

	(void)state;
	trial_init(&t, 1, 0);
	run_all(&t);
	assert_int_equal(t.n_told, 0);
	run_end(NULL);
	trial_done(&t);
}

/* --- order between hosts --- */

static void
run_after_orders_lanes_there_and_back(void **state)
{
	static const struct { enum plan_order order; const char *want; } cases[] = {
		{ PLAN_AFTER, "h3\nh2\nh1\n" },
		{ PLAN_BEFORE, "h1\nh2\nh3\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct trial t;

		trial_init(&t, 3, 0);
		site_after(t.site, 0, 1);
		site_after(t.site, 1, 2);
		t.plan->order = cases[i].order;
		one_hook_each(&t, "echo $me >>log");
		run_all(&t);
		assert_told_once_each(&t);
		assert_log(&t, cases[i].want);
		trial_done(&t);
	}
}

static void
run_after_is_ignored_by_verbs_without_order(void **state)
{
	struct trial t;

	(void)state;
	trial_init(&t, 2, 0);
	site_after(t.site, 0, 1);
	/* Each waits for the other: only both at once come to an end. */
	one_hook_each(&t, "touch in.$me; wait_for in.h1; wait_for in.h2");
	run_all(&t);
	assert_true(report_all_done(t.rep));
	trial_done(&t);
}

static void
run_after_a_host_that_is_not_in_the_run_waits_for_nobody(void **state)
{
	struct trial t;

	(void)state;
	trial_init(&t, 3, 0);
	site_after(t.site, 0, 2);
	t.plan->order = PLAN_AFTER;
	for (size_t i = 0; i < 2; i++) {
		shell(&t, site_host(t.site, i), NULL, HOOK_PRE_OPEN, "true");
		plan_hook(t.plan, site_host(t.site, i), NULL, HOOK_PRE_OPEN);
	}
	run_all(&t);
	assert_true(report_all_done(t.rep));
	trial_done(&t);
}

static void
run_after_with_one_job_takes_lanes_in_their_order(void **state)
{
	struct trial t;

	(void)state;
	trial_init(&t, 4, 0);
	t.o.jobs = 1;
	t.plan->order = PLAN_AFTER;
	site_after(t.site, 0, 3);
	site_after(t.site, 1, 0);
	one_hook_each(&t, "echo $me >>log");
	run_all(&t);
	assert_log(&t, "h3\nh4\nh1\nh2\n");
	trial_done(&t);
}

static void
run_after_a_failed_host_is_not_started_and_says_why(void **state)
{
	struct trial t;

	(void)state;
	trial_init(&t, 5, 0); /* h1 <- h2, h3 <- h4; h5 alone */
	site_after(t.site, 1, 0);
	site_after(t.site, 2, 0);
	site_after(t.site, 3, 1);
	site_after(t.site, 3, 2);
	t.plan->order = PLAN_AFTER;
	one_hook_each(&t, "echo $me >>log; [ $me != h2 ]");
	run_all(&t);
	assert_told_once_each(&t);
	assert_row(&t, 0, 0, OUTCOME_DONE, "");
	assert_row(&t, 1, 0, OUTCOME_FAILED, "pre_open: sh failed with exit status 1");
	assert_row(&t, 2, 0, OUTCOME_DONE, "");
	assert_row(&t, 3, 0, OUTCOME_NOT_BEGUN,
	    "not started, because colo/h2 comes first and failed");
	assert_int_equal(row_of(&t, 3, 0)->err.kind, ERR_HOST);
	assert_row(&t, 4, 0, OUTCOME_DONE, "");
	trial_done(&t);
}

static void
run_after_a_failed_host_passes_on_along_the_chain(void **state)
{
	struct trial t;

	(void)state;
	trial_init(&t, 3, 0);
	site_after(t.site, 1, 0);
	site_after(t.site, 2, 1);
	t.plan->order = PLAN_AFTER;
	one_hook_each(&t, "echo $me >>log; false");
	run_all(&t);
	assert_log(&t, "h1\n");
	assert_row(&t, 1, 0, OUTCOME_NOT_BEGUN, "because colo/h1 comes first");
	assert_row(&t, 2, 0, OUTCOME_NOT_BEGUN, "because colo/h2 comes first");
	trial_done(&t);
}

/* --- what a failure ends --- */

static void
run_failed_pre_hook_of_a_host_ends_its_lane_alone(void **state)
{
	static const enum hook_kind kinds[] = { HOOK_PRE_OPEN, HOOK_PRE_CLOSE };

	(void)state;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct trial t;

		trial_init(&t, 2, 2);
		shell(&t, site_host(t.site, 0), NULL, kinds[i], "echo sorry >&2; exit 7");
		if (i == 0)
			plan_open(t.plan, &t.site->all);
		else
			plan_close(t.plan, &t.site->all);
		run_all(&t);
		assert_told_once_each(&t);
		assert_row(&t, 0, 0, OUTCOME_DONE, "");
		assert_row(&t, 0, 1, OUTCOME_FAILED, "sh failed with exit status 7: sorry");
		assert_string_equal(str_text(&row_of(&t, 0, 1)->output), "sorry\n");
		for (size_t k = 2; k < 4; k++)
			assert_row(&t, 0, k, OUTCOME_NOT_BEGUN, "exit status 7");
		assert_row(&t, 1, 1, i == 0 ? OUTCOME_SKIPPED : OUTCOME_NEEDLESS, "");
		trial_done(&t);
	}
}

static void
give_key(const struct trial *t, const struct disk *d)
{
	keyring_add(t->keys, d->path, &(struct key){ .state = KEY_PROMOTED, .time = 1 },
	    secret_random_base64(192));
	keyring_sort(t->keys);
}

static void
run_failed_hook_of_a_disk_ends_that_disk_alone(void **state)
{
	struct trial t;

	(void)state;
	trial_init(&t, 1, 2);
	for (size_t k = 0; k < 2; k++) {
		give_key(&t, site_disk(t.site, 0, k));
		shell(&t, site_host(t.site, 0), site_disk(t.site, 0, k), HOOK_PRE_OPEN,
		    "echo $me >>log; [ $me != h1.d1 ]");
		shell(&t, site_host(t.site, 0), site_disk(t.site, 0, k), HOOK_POST_OPEN,
		    "echo post $me >>log");
	}
	shell(&t, site_host(t.site, 0), NULL, HOOK_POST_OPEN, "echo post host >>log");
	plan_open(t.plan, &t.site->all);
	run_all(&t);
	assert_told_once_each(&t);
	/* status, d1: pre open post, d2: pre open post, post */
	assert_row(&t, 0, 1, OUTCOME_FAILED, "colo/h1/d1: pre_open: sh failed with exit status 1");
	assert_row(&t, 0, 2, OUTCOME_NOT_BEGUN, "");
	assert_string_equal(row_of(&t, 0, 2)->err.text, "");
	assert_row(&t, 0, 3, OUTCOME_NOT_BEGUN, "");
	assert_row(&t, 0, 4, OUTCOME_DONE, "");
	assert_row(&t, 0, 5, OUTCOME_FAILED, "/nowhere/h1-d2");
	assert_row(&t, 0, 6, OUTCOME_NOT_BEGUN, "");
	assert_row(&t, 0, 7, OUTCOME_SKIPPED,
	    "hook not run, because colo/h1/d1 is not as asked");
	assert_log(&t, "h1.d1\nh1.d2\n");
	trial_done(&t);
}

static void
run_open_without_a_key_is_skipped_with_its_hooks(void **state)
{
	struct trial t;

	(void)state;
	trial_init(&t, 1, 1);
	shell(&t, site_host(t.site, 0), site_disk(t.site, 0, 0), HOOK_PRE_OPEN, "echo $me >>log");
	shell(&t, site_host(t.site, 0), NULL, HOOK_POST_OPEN, "echo $me >>log");
	plan_open(t.plan, &t.site->all);
	run_all(&t);
	assert_row(&t, 0, 1, OUTCOME_NEEDLESS, "");
	assert_row(&t, 0, 2, OUTCOME_SKIPPED, "you hold no key for it");
	assert_int_equal(row_of(&t, 0, 2)->err.kind, ERR_KEY);
	assert_row(&t, 0, 3, OUTCOME_SKIPPED, "hook not run, because no disk was tried here");
	assert_log(&t, "");
	trial_done(&t);
}

static void
run_fail_fast_starts_nothing_after_the_first_failure(void **state)
{
	(void)state;
	for (int fast = 0; fast < 2; fast++) {
		struct trial t;

		trial_init(&t, 4, 0);
		t.o.jobs = 1;
		t.o.fail_fast = fast;
		one_hook_each(&t, "echo $me >>log; [ $me != h2 ]");
		run_all(&t);
		assert_told_once_each(&t);
		assert_log(&t, fast ? "h1\nh2\n" : "h1\nh2\nh3\nh4\n");
		assert_row(&t, 1, 0, OUTCOME_FAILED, "exit status 1");
		for (size_t i = 2; i < 4; i++)
			assert_row(&t, i, 0, fast ? OUTCOME_NOT_BEGUN : OUTCOME_DONE,
			    fast ? "not started: something else failed (--fail-fast)" : "");
		trial_done(&t);
	}
}

static void
run_fail_fast_lets_a_running_step_finish(void **state)
{
	struct trial t;

	(void)state;
	trial_init(&t, 2, 0);
	t.o.fail_fast = true;
	/* h1 has begun before h2 fails, and ends after that failure was told. */
	t.cancel_after = 1;
	one_hook_each(&t, "if [ $me = h2 ]; then wait_for begun; false; "
			  "else touch begun; wait_for cancelled; echo done >>log; fi");
	run_all(&t);
	assert_told_once_each(&t);
	assert_ptr_equal(t.told[0], row_of(&t, 1, 0));
	assert_row(&t, 0, 0, OUTCOME_DONE, "");
	assert_log(&t, "done\n");
	trial_done(&t);
}

/* --- hosts that do not answer yet --- */

/* A port of this machine where nobody listens, as long as `fd` is not closed. */
static unsigned
dead_port(int *fd)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);

	*fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(*fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(*fd, (struct sockaddr *)&a, &len), 0);
	return ntohs(a.sin_port);
}

static void
on_away(void *arg, const struct host *host, const struct err *why)
{
	struct trial *t = arg;

	t->told_elsewhere = t->told_elsewhere || !pthread_equal(pthread_self(), t->main);
	assert_string_equal(host->name, "h1");
	assert_non_null(strstr(why->text, "Connection refused"));
	t->n_away++;
	if (t->cancel_when_away)
		atomic_store(&t->cancel, 1);
}

/* Host h1 is reached by ssh, and does not answer; `wait_ms` for it. */
static int
make_h1_away(struct trial *t, int64_t wait_ms)
{
	struct host *h = site_host(t->site, 0);
	int fd;

	h->transport = TRANSPORT_SSH;
	free(h->address);
	h->address = mem_strdup("127.0.0.1");
	h->port = dead_port(&fd);
	t->o.wait_ms = wait_ms;
	t->o.on_away = on_away;
	return fd;
}

static void
run_host_that_does_not_answer_is_waited_for_while_others_go_on(void **state)
{
	AUTO(fd_drop) int fd = -1;
	struct trial t;
	int64_t start;

	(void)state;
	trial_init(&t, 3, 0);
	fd = make_h1_away(&t, 1500);
	t.o.jobs = 1; /* the one worker must not stay with h1 */
	one_hook_each(&t, "echo $me >>log");
	start = clock_ms();
	run_all(&t);
	assert_true(clock_ms() - start >= 1500);
	assert_told_once_each(&t);
	assert_int_equal(t.n_away, 1);
	assert_ptr_equal(t.told[2], row_of(&t, 0, 0));
	assert_row(&t, 0, 0, OUTCOME_NOT_BEGUN, "it did not come up in time: ");
	assert_int_equal(row_of(&t, 0, 0)->err.kind, ERR_AWAY);
	assert_log(&t, "h2\nh3\n");
	trial_done(&t);
}

static void
run_host_that_is_silent_holds_nobodys_place(void **state)
{
	AUTO(fd_drop) int fd = -1;
	struct trial t;

	(void)state;
	trial_init(&t, 2, 0);
	fd = make_h1_away(&t, 0);
	assert_int_equal(listen(fd, 4), 0); /* it answers the call and says nothing */
	t.o.jobs = 1;
	t.o.connect_ms = 8000;
	one_hook_each(&t, "echo $me >>log");
	run_all(&t);
	assert_told_once_each(&t);
	assert_ptr_equal(t.told[0], row_of(&t, 1, 0));
	assert_row(&t, 0, 0, OUTCOME_NOT_BEGUN, "speaks SSH in time");
	assert_log(&t, "h2\n");
	trial_done(&t);
}

static void
run_without_wait_a_host_that_does_not_answer_fails_at_once(void **state)
{
	AUTO(fd_drop) int fd = -1;
	struct trial t;

	(void)state;
	trial_init(&t, 1, 0);
	fd = make_h1_away(&t, 0);
	one_hook_each(&t, "true");
	run_all(&t);
	assert_int_equal(t.n_away, 0);
	assert_row(&t, 0, 0, OUTCOME_NOT_BEGUN, "Connection refused");
	assert_null(strstr(row_of(&t, 0, 0)->err.text, "in time"));
	trial_done(&t);
}

static void
run_cancelled_while_waiting_ends_at_once(void **state)
{
	AUTO(fd_drop) int fd = -1;
	struct trial t;
	int64_t start = clock_ms();

	(void)state;
	trial_init(&t, 2, 0);
	fd = make_h1_away(&t, 600000);
	t.cancel_when_away = true;
	t.plan->order = PLAN_AFTER;
	site_after(t.site, 1, 0); /* and so does the one that waits for it */
	one_hook_each(&t, "echo $me >>log");
	run_all(&t);
	assert_true(clock_ms() - start < 60000);
	assert_told_once_each(&t);
	assert_row(&t, 0, 0, OUTCOME_NOT_BEGUN, "not started: interrupted");
	assert_int_equal(row_of(&t, 1, 0)->outcome, OUTCOME_NOT_BEGUN);
	assert_log(&t, "");
	trial_done(&t);
}

/* This machine behind a connection that breaks by order: y it works, n it does not, one for each use. */
struct flaky {
	struct transport base;
	struct transport *inner;
	const char *script; /* then it works */
};

static bool
flaky_works(struct transport *t, struct err *e)
{
	struct flaky *f = (struct flaky *)t;

	if (!*f->script || *f->script++ == 'y')
		return true;
	t->logins++;
	return err_set(e, ERR_AWAY, "Connection refused");
}

static bool
flaky_run(struct transport *t, const struct proc_command *c, struct proc_result *out, struct err *e)
{
	return flaky_works(t, e) && transport_run(((struct flaky *)t)->inner, c, out, e);
}

static void
flaky_free(struct transport *t)
{
	transport_free(((struct flaky *)t)->inner);
	free(t);
}

static void
make_flaky(struct trial *t, const char *script)
{
	static const struct transport_ops ops = { .connect = flaky_works, .run = flaky_run,
		.free = flaky_free };
	struct lane_run *l = &t->run->lanes[0];
	struct flaky *f = mem_alloc(1, sizeof(*f));

	*f = (struct flaky){ .base = *l->transport, .inner = l->transport, .script = script };
	f->base.ops = &ops;
	l->transport = &f->base;
}

/* As long as nothing was done there. */
static void
run_host_that_goes_away_again_before_its_first_step_is_waited_for(void **state)
{
	static const struct {
		const char *script; /* of arrival, of the look's connection, then connection and command of each hook */
		int64_t wait_ms;
		const char *log;
	} cases[] = {
		{ "yn", 60000, "first\nsecond\n" },
		{ "yyn", 60000, "first\nsecond\n" },
		{ "yyyn", 60000, "first\nsecond\n" },
		{ "yyynnyyn", 60000, "first\nsecond\n" },
		{ "yyn", 0, "" },
		{ "yyyn", 0, "" },
		{ "yyyyn", 60000, "first\n" },
		{ "yyyyyn", 60000, "first\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct trial t;
		struct host *h;

		trial_init(&t, 1, 0);
		h = site_host(t.site, 0);
		t.o.wait_ms = cases[i].wait_ms;
		t.o.on_away = on_away;
		shell(&t, h, NULL, HOOK_PRE_OPEN, "echo first >>log");
		shell(&t, h, NULL, HOOK_PRE_CLOSE, "echo second >>log");
		plan_step(t.plan, h, (struct step){ .kind = STEP_STATUS });
		plan_step(t.plan, h, (struct step){ .kind = STEP_HOOK, .hook = HOOK_PRE_OPEN });
		plan_step(t.plan, h, (struct step){ .kind = STEP_HOOK, .hook = HOOK_PRE_CLOSE });
		begin(&t);
		make_flaky(&t, cases[i].script);
		run_phase(t.run, 0);
		assert_told_once_each(&t);
		assert_log(&t, cases[i].log);
		trial_done(&t);
	}
}

static void
on_progress_of_many(void *arg, const struct run_progress *p)
{
	struct trial *t = arg;

	(void)p;
	if (t->run->n_threads > t->most_threads)
		t->most_threads = t->run->n_threads;
}

/* Each try of a silent host ends a worker, whose stack is there until somebody joins it. */
static void
run_waiting_for_silent_hosts_keeps_no_more_threads_than_work(void **state)
{
	AUTO(fd_drop) int fd = -1;
	struct trial t;

	(void)state;
	trial_init(&t, 6, 0);
	fd = make_h1_away(&t, 8000);
	assert_int_equal(listen(fd, 256), 0); /* all of them are behind it, and nobody speaks */
	for (size_t i = 1; i < 6; i++) {
		struct host *h = site_host(t.site, i);

		h->transport = TRANSPORT_SSH;
		free(h->address);
		h->address = mem_strdup("127.0.0.1");
		h->port = site_host(t.site, 0)->port;
	}
	t.o.on_away = NULL;
	t.o.jobs = 1;
	t.o.connect_ms = 1300; /* longer than one takes a place from the others */
	t.o.on_progress = on_progress_of_many;
	one_hook_each(&t, "true");
	run_all(&t);
	assert_told_once_each(&t);
	assert_in_range(t.most_threads, 2, 7);
	trial_done(&t);
}

/* --- progress --- */

static void
on_progress(void *arg, const struct run_progress *p)
{
	struct trial *t = arg;

	t->told_elsewhere = t->told_elsewhere || !pthread_equal(pthread_self(), t->main);
	t->progress = *p;
	/* h1 is done, h2 has failed, h3 is at its hook, h4 waits for h3. */
	if (p->done == 1 && p->failed == 1 && p->running == 1 && p->waiting == 1)
		touch(t, "seen");
}

static void
run_progress_counts_hosts_and_tells_the_slowest(void **state)
{
	struct trial t;

	(void)state;
	trial_init(&t, 4, 0);
	t.plan->order = PLAN_AFTER;
	site_after(t.site, 3, 2);
	t.o.on_progress = on_progress;
	one_hook_each(&t, "case $me in h2) false;; h3) wait_for seen;; esac");
	run_all(&t); /* ends only if those numbers were seen */
	assert_told_once_each(&t);
	assert_ptr_equal(t.progress.slowest, site_host(t.site, 2));
	assert_ptr_equal(t.progress.doing, row_of(&t, 2, 0)->step);
	assert_int_equal(t.progress.disks, 0);
	trial_done(&t);
}

static void
on_disk_progress(void *arg, const struct run_progress *p)
{
	struct trial *t = arg;

	t->progress = *p;
	if (p->disks_done == 1 && p->disks_failed == 1)
		touch(t, "seen");
}

static void
run_progress_counts_disks(void **state)
{
	struct trial t;

	(void)state;
	trial_init(&t, 1, 3);
	t.o.on_progress = on_disk_progress;
	shell(&t, site_host(t.site, 0), site_disk(t.site, 0, 0), HOOK_PRE_OPEN, "true");
	shell(&t, site_host(t.site, 0), site_disk(t.site, 0, 1), HOOK_PRE_OPEN, "false");
	shell(&t, site_host(t.site, 0), site_disk(t.site, 0, 2), HOOK_PRE_OPEN, "wait_for seen");
	for (size_t i = 0; i < 3; i++) {
		give_key(&t, site_disk(t.site, 0, i));
		plan_hook(t.plan, site_host(t.site, 0), site_disk(t.site, 0, i), HOOK_PRE_OPEN);
	}
	run_all(&t);
	assert_int_equal(t.progress.disks, 3);
	trial_done(&t);
}

/* --- interrupted, late --- */

static void
run_cancelled_before_it_began_starts_nothing(void **state)
{
	struct trial t;

	(void)state;
	trial_init(&t, 3, 0);
	atomic_store(&t.cancel, 1);
	one_hook_each(&t, "echo $me >>log");
	run_all(&t);
	assert_told_once_each(&t);
	assert_log(&t, "");
	for (size_t i = 0; i < 3; i++) {
		assert_row(&t, i, 0, OUTCOME_NOT_BEGUN, "not started: interrupted");
		assert_int_equal(row_of(&t, i, 0)->err.kind, ERR_CANCELLED);
	}
	trial_done(&t);
}

static void
run_cancelled_in_the_middle_ends_the_step_and_starts_no_other(void **state)
{
	struct trial t;

	(void)state;
	trial_init(&t, 2, 0);
	t.o.jobs = 1;
	t.cancel_after = 1;
	for (size_t i = 0; i < 2; i++) {
		struct host *h = site_host(t.site, i);

		shell(&t, h, NULL, HOOK_PRE_OPEN, "echo first >>log");
		shell(&t, h, NULL, HOOK_PRE_CLOSE, "wait_for cancelled; echo second >>log");
		plan_hook(t.plan, h, NULL, HOOK_PRE_OPEN);
		plan_hook(t.plan, h, NULL, HOOK_PRE_CLOSE);
		plan_hook(t.plan, h, NULL, HOOK_PRE_OPEN);
	}
	run_all(&t);
	assert_told_once_each(&t);
	assert_row(&t, 0, 0, OUTCOME_DONE, "");
	/* The second may have begun before the first was told. */
	if (row_of(&t, 0, 1)->outcome == OUTCOME_DONE)
		assert_log(&t, "first\nsecond\n");
	else
		assert_row(&t, 0, 1, OUTCOME_NOT_BEGUN, "not started: interrupted");
	assert_row(&t, 0, 2, OUTCOME_NOT_BEGUN, "not started: interrupted");
	for (size_t k = 0; k < 3; k++)
		assert_row(&t, 1, k, OUTCOME_NOT_BEGUN, "not started: interrupted");
	trial_done(&t);
}

static void
run_hook_over_its_deadline_is_unknown(void **state)
{
	struct trial t;
	int64_t start = clock_ms();

	(void)state;
	trial_init(&t, 2, 0);
	t.o.hook_ms = 60000;
	site_host(t.site, 0)->hook_ms = 200; /* the host's own wins */
	one_hook_each(&t, "[ $me != h1 ] || wait_for never");
	run_all(&t);
	assert_told_once_each(&t);
	assert_row(&t, 0, 0, OUTCOME_UNKNOWN, "did not end in time; it may still run");
	assert_int_equal(row_of(&t, 0, 0)->err.kind, ERR_LOST);
	assert_row(&t, 1, 0, OUTCOME_DONE, "");
	assert_true(clock_ms() - start < 20000);
	trial_done(&t);
}

static void
run_hook_deadline_of_the_run_holds_where_the_host_has_none(void **state)
{
	struct trial t;

	(void)state;
	trial_init(&t, 1, 0);
	t.o.hook_ms = 200;
	one_hook_each(&t, "wait_for never");
	run_all(&t);
	assert_row(&t, 0, 0, OUTCOME_UNKNOWN, "did not end in time");
	trial_done(&t);
}

/* --- phases --- */

/* A hook step in a phase of our choice. */
static void
add_hook_step(struct trial *t, const struct host *h, const struct disk *d, enum hook_kind kind,
    unsigned phase)
{
	plan_step(t->plan, h, (struct step){ .kind = STEP_HOOK, .hook = kind, .disk = d,
	    .phase = phase });
}

/* The second host, whatever it is. */
static bool
hold_second(void *arg, const struct host *host, struct err *why)
{
	return host->index == 1 && !err_set(why, ERR_CHANGED, "held in %s", ((struct trial *)arg)->dir);
}

static void
run_of_a_held_host_begins_nothing_there_and_lets_the_others_go_on(void **state)
{
	AUTO(trial_done) struct trial t = { 0 };

	(void)state;
	trial_init(&t, 4, 1);
	t.o.is_held = hold_second;
	t.plan->order = PLAN_AFTER;
	site_after(t.site, 2, 1); /* h3 comes after the held one, and that after h4, which fails */
	site_after(t.site, 1, 3);
	one_hook_each(&t, "test $me != h4 && echo $me >>log");
	run_all(&t);
	assert_told_once_each(&t);
	assert_log(&t, "h1\n");
	assert_int_equal(t.rep->rows[1].outcome, OUTCOME_NOT_BEGUN);
	assert_int_equal(t.rep->rows[1].err.kind, ERR_CHANGED);
	assert_non_null(strstr(t.rep->rows[1].err.text, t.dir));
	assert_non_null(strstr(t.rep->rows[2].err.text, "colo/h2 comes first and failed"));
}

static void
run_phase_does_its_own_steps_only(void **state)
{
	struct trial t;
	struct host *h;

	(void)state;
	trial_init(&t, 2, 0);
	for (size_t i = 0; i < 2; i++) {
		h = site_host(t.site, i);
		shell(&t, h, NULL, HOOK_PRE_OPEN, "echo open >>log");
		shell(&t, h, NULL, HOOK_PRE_CLOSE, "echo close >>log");
		add_hook_step(&t, h, NULL, HOOK_PRE_CLOSE, 1);
		add_hook_step(&t, h, NULL, HOOK_PRE_OPEN, 0);
	}
	begin(&t);
	run_phase(t.run, 0);
	assert_int_equal(t.n_told, 2);
	assert_log(&t, "open\nopen\n");
	assert_false(row_of(&t, 0, 0)->reached);
	run_phase(t.run, 1);
	assert_told_once_each(&t);
	assert_log(&t, "open\nopen\nclose\nclose\n");
	run_phase(t.run, 2); /* nothing there */
	assert_told_once_each(&t);
	trial_done(&t);
}

static void
run_phase_leaves_out_what_failed_in_an_earlier_one(void **state)
{
	struct trial t;

	(void)state;
	trial_init(&t, 3, 2);
	for (size_t i = 0; i < 3; i++) {
		struct host *h = site_host(t.site, i);

		/* h1: its first disk fails; h2: the host itself; h3: nothing */
		shell(&t, h, h->disks[0], HOOK_PRE_OPEN, "echo $me >>log; [ $me != h1.d1 ]");
		shell(&t, h, h->disks[1], HOOK_PRE_OPEN, "echo $me >>log");
		shell(&t, h, NULL, HOOK_PRE_OPEN, "[ $me != h2 ]");
		add_hook_step(&t, h, NULL, HOOK_PRE_OPEN, 0);
		for (size_t k = 0; k < 2; k++) {
			give_key(&t, h->disks[k]);
			add_hook_step(&t, h, h->disks[k], HOOK_PRE_OPEN, k == 0 ? 0 : 1);
		}
		add_hook_step(&t, h, h->disks[0], HOOK_PRE_OPEN, 1);
	}
	t.o.jobs = 1;
	run_all(&t);
	assert_log(&t, "h1.d1\nh3.d1\nh1.d2\nh3.d2\nh3.d1\n");
	assert_row(&t, 0, 3, OUTCOME_NOT_BEGUN, "");
	assert_row(&t, 1, 2, OUTCOME_NOT_BEGUN, "colo/h2: pre_open: sh failed");
	assert_row(&t, 2, 3, OUTCOME_DONE, "");
	trial_done(&t);
}

static void
run_phase_where_nothing_is_left_of_a_lane_skips_it(void **state)
{
	struct trial t;
	struct host *h;

	(void)state;
	trial_init(&t, 1, 1);
	h = site_host(t.site, 0);
	give_key(&t, h->disks[0]);
	shell(&t, h, h->disks[0], HOOK_PRE_OPEN, "echo $me >>log; false");
	add_hook_step(&t, h, h->disks[0], HOOK_PRE_OPEN, 0);
	add_hook_step(&t, h, h->disks[0], HOOK_PRE_OPEN, 1);
	run_all(&t);
	assert_log(&t, "h1.d1\n");
	assert_int_equal(t.n_told, 1);
	assert_false(row_of(&t, 0, 1)->reached);
	assert_int_equal(row_of(&t, 0, 1)->outcome, OUTCOME_NOT_BEGUN);
	trial_done(&t);
}

/* --- headers, on image files --- */

static void
make_image(struct trial *t, struct disk *d)
{
	FILE *f;

	free(d->device);
	d->device = mem_printf("%s/%s-%s.img", t->dir, d->host->name, d->name);
	f = fopen(d->device, "w");
	assert_non_null(f);
	assert_int_equal(ftruncate(fileno(f), 20 << 20), 0);
	fclose(f);
}

/* The same hosts, another verb. */
static void
next_verb(struct trial *t)
{
	run_drop(&t->run);
	report_drop(&t->rep);
	plan_drop(&t->plan);
	t->plan = plan_new("next");
	t->n_told = 0;
}

enum { N_IMAGES = 3 };

/* One work per host's disk, anew for each verb. */
struct images {
	struct work works[N_IMAGES], *at[N_IMAGES];
};

static void
works_anew(struct trial *t, struct images *im, int slot)
{
	for (size_t i = 0; i < N_IMAGES; i++) {
		work_done(&im->works[i]);
		work_init(&im->works[i], site_disk(t->site, i, 0));
		im->works[i].slot = slot;
		im->at[i] = &im->works[i];
	}
}

static void
assert_all_told_and_done(const struct trial *t)
{
	for (size_t i = 0; i < t->rep->n; i++)
		if (t->rep->rows[i].outcome != OUTCOME_DONE &&
		    t->rep->rows[i].outcome != OUTCOME_NEEDLESS)
			fail_msg("row %zu: %s", i, t->rep->rows[i].err.text);
	assert_told_once_each(t);
}

static void
create_images(struct trial *t, struct images *im)
{
	works_anew(t, im, 0);
	plan_create(t->plan, &t->site->all, im->at, 0);
	begin(t);
	run_phase(t->run, 0);
	for (size_t i = 0; i < N_IMAGES; i++) {
		struct work *w = im->at[i];

		assert_true(w->looked && w->probe.empty);
		w->go = WORK_DIRECT;
		w->new_key = secret_random_base64(192);
		snprintf(w->uuid, sizeof(w->uuid), "6b1e0000-0000-4000-8000-%06x%06zx",
		    (unsigned)getpid() & 0xffffff, i);
		keyring_add(t->keys, w->disk->path,
		    &(struct key){ .state = KEY_PROMOTED, .time = 1 },
		    secret_from(secret_bytes(w->new_key)));
	}
	keyring_sort(t->keys);
	run_phase(t->run, 1);
	assert_all_told_and_done(t);
	for (size_t i = 0; i < N_IMAGES; i++) {
		assert_true(im->at[i]->in_slot);
		assert_int_equal(luks_active(&im->at[i]->header), 1);
	}
}

/* Slot 1 gets a key; where it holds one, by way of slot 5. */
static void
add_to_images(struct trial *t, struct images *im, enum work_go go)
{
	next_verb(t);
	works_anew(t, im, 1);
	plan_add_user(t->plan, &t->site->all, im->at, 1);
	begin(t);
	run_phase(t->run, 0);
	for (size_t i = 0; i < N_IMAGES; i++) {
		struct work *w = im->at[i];

		assert_true(w->looked && w->has_auth && w->auth.slot == 0 && w->mine == 1);
		w->go = go;
		w->spare = go == WORK_SPARE ? 5 : LUKS_ANY_SLOT;
		w->new_key = secret_random_base64(192);
	}
	for (unsigned phase = 1; phase < 4; phase++)
		run_phase(t->run, phase);
	assert_all_told_and_done(t);
	for (size_t i = 0; i < N_IMAGES; i++) {
		assert_true(im->at[i]->in_slot && !im->at[i]->in_spare);
		assert_int_equal(luks_active(&im->at[i]->header), 3);
	}
}

static void
run_header_steps_on_image_files_change_and_prove(void **state)
{
	struct images im = { 0 };
	char salt[N_IMAGES][129];
	struct trial t;

	(void)state;
	if (geteuid() != 0)
		skip();
	trial_init(&t, N_IMAGES, 1);
	for (size_t i = 0; i < N_IMAGES; i++)
		make_image(&t, site_disk(t.site, i, 0));
	create_images(&t, &im);

	next_verb(&t);
	works_anew(&t, &im, 0);
	plan_verify(t.plan, &t.site->all, im.at);
	run_all(&t);
	assert_all_told_and_done(&t);
	assert_string_equal(row_of(&t, 1, 0)->note, "slot 0");
	assert_true(im.works[1].has_auth && im.works[1].auth.slot == 0);

	add_to_images(&t, &im, WORK_DIRECT);
	for (size_t i = 0; i < N_IMAGES; i++)
		memcpy(salt[i], im.works[i].header.slots[1].salt, sizeof(salt[i]));
	add_to_images(&t, &im, WORK_SPARE);
	for (size_t i = 0; i < N_IMAGES; i++)
		assert_string_not_equal(im.works[i].header.slots[1].salt, salt[i]);

	next_verb(&t);
	works_anew(&t, &im, 1);
	plan_del_user(t.plan, &t.site->all, im.at, 1, false);
	run_all(&t);
	assert_all_told_and_done(&t);
	for (size_t i = 0; i < N_IMAGES; i++)
		assert_int_equal(luks_active(&im.works[i].header), 1);
	works_anew(&t, &im, 1);
	trial_done(&t);
}

/* The two kills that del-user refuses by itself. */
static void
run_kill_of_the_last_or_my_own_slot_needs_violence(void **state)
{
	static const struct { bool violence; const char *want; } cases[] = {
		{ false, "slot 0 is its last one in use: --violence empties it" },
		{ true, "" },
	};
	struct images im = { 0 };
	struct trial t;

	(void)state;
	if (geteuid() != 0)
		skip();
	trial_init(&t, N_IMAGES, 1);
	for (size_t i = 0; i < N_IMAGES; i++)
		make_image(&t, site_disk(t.site, i, 0));
	create_images(&t, &im);
	for (size_t c = 0; c < COUNT(cases); c++) {
		next_verb(&t);
		works_anew(&t, &im, 0);
		for (size_t i = 0; i < N_IMAGES; i++)
			im.works[i].violence = cases[c].violence;
		plan_del_user(t.plan, &t.site->all, im.at, 0, false);
		run_all(&t);
		assert_told_once_each(&t);
		for (size_t i = 0; i < N_IMAGES; i++) {
			assert_row(&t, i, 1, *cases[c].want ? OUTCOME_FAILED : OUTCOME_DONE,
			    cases[c].want);
			assert_int_equal(luks_active(&im.works[i].header), !cases[c].violence);
		}
	}
	works_anew(&t, &im, 0);
	trial_done(&t);
}

/* Whoever is not root has hooks run by sudo: here by one that asks nobody and changes nothing. */
static char sudo_dir[TEMP_DIR_BYTES];

static int
make_sudo(void **state)
{
	struct file_place at = { .name = "sudo", .mode = 0755 };
	AUTO(mem_free_drop) char *path = NULL;
	AUTO(fd_drop) int dir = -1;
	struct err e = { 0 };

	(void)state;
	if (temp_dir_make(sudo_dir) || !file_open_dir(sudo_dir, &dir, &e))
		return -1;
	at.dir = at.tmp_dir = dir;
	path = mem_printf("%s:%s", sudo_dir, getenv("PATH"));
	setenv("PATH", path, 1);
	return file_replace(&at, bytes_of("#!/bin/sh\nwhile :; do case $1 in -*) shift ;; "
					  "*) exec \"$@\" ;; esac done\n"), &e) ? 0 : -1;
}

static int
remove_sudo(void **state)
{
	(void)state;
	return temp_dir_remove(sudo_dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(run_jobs_are_as_many_lanes_at_once_and_no_more),
		cmocka_unit_test(run_many_lanes_tell_every_row_once_on_the_calling_thread),
		cmocka_unit_test(run_without_on_row_does_the_same),
		cmocka_unit_test(run_of_an_empty_plan_ends_at_once),
		cmocka_unit_test(run_after_orders_lanes_there_and_back),
		cmocka_unit_test(run_after_is_ignored_by_verbs_without_order),
		cmocka_unit_test(run_after_a_host_that_is_not_in_the_run_waits_for_nobody),
		cmocka_unit_test(run_after_with_one_job_takes_lanes_in_their_order),
		cmocka_unit_test(run_after_a_failed_host_is_not_started_and_says_why),
		cmocka_unit_test(run_after_a_failed_host_passes_on_along_the_chain),
		cmocka_unit_test(run_failed_pre_hook_of_a_host_ends_its_lane_alone),
		cmocka_unit_test(run_failed_hook_of_a_disk_ends_that_disk_alone),
		cmocka_unit_test(run_open_without_a_key_is_skipped_with_its_hooks),
		cmocka_unit_test(run_fail_fast_starts_nothing_after_the_first_failure),
		cmocka_unit_test(run_fail_fast_lets_a_running_step_finish),
		cmocka_unit_test(run_host_that_does_not_answer_is_waited_for_while_others_go_on),
		cmocka_unit_test(run_host_that_is_silent_holds_nobodys_place),
		cmocka_unit_test(run_host_that_goes_away_again_before_its_first_step_is_waited_for),
		cmocka_unit_test(run_waiting_for_silent_hosts_keeps_no_more_threads_than_work),
		cmocka_unit_test(run_without_wait_a_host_that_does_not_answer_fails_at_once),
		cmocka_unit_test(run_cancelled_while_waiting_ends_at_once),
		cmocka_unit_test(run_progress_counts_hosts_and_tells_the_slowest),
		cmocka_unit_test(run_progress_counts_disks),
		cmocka_unit_test(run_cancelled_before_it_began_starts_nothing),
		cmocka_unit_test(run_cancelled_in_the_middle_ends_the_step_and_starts_no_other),
		cmocka_unit_test(run_hook_over_its_deadline_is_unknown),
		cmocka_unit_test(run_hook_deadline_of_the_run_holds_where_the_host_has_none),
		cmocka_unit_test(run_of_a_held_host_begins_nothing_there_and_lets_the_others_go_on),
		cmocka_unit_test(run_phase_does_its_own_steps_only),
		cmocka_unit_test(run_phase_leaves_out_what_failed_in_an_earlier_one),
		cmocka_unit_test(run_phase_where_nothing_is_left_of_a_lane_skips_it),
		cmocka_unit_test(run_header_steps_on_image_files_change_and_prove),
		cmocka_unit_test(run_kill_of_the_last_or_my_own_slot_needs_violence),
	};

	return cmocka_run_group_tests(tests, make_sudo, remove_sudo);
}
