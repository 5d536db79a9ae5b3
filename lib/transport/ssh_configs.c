/* SPDX-License-Identifier: MIT */
/*
 * ssh_configs: which files make up the configuration is ssh's to say: it names each that it reads, those of
 * an Include in a Host block that does not apply among them, since it only passes over their lines.
 */
#include "transport/ssh_configs.h"

#include <ctype.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/file.h"
#include "base/proc.h"
#include "transport/openssh_says.h"
#include "transport/ssh_config.h"
#include "transport/transport.h"

#define ASK_MS 10000 /* for all of it */
#define TURN_MS 5000 /* of that, for what others ask: as much is left for asking oneself */
#define OUTPUT_CAP ((size_t)1 << 20)
#define FILE_CAP ((size_t)1 << 20)
#define READS "debug1: Reading configuration data "

/* For all hosts of a kind. */
struct ssh_answer {
	char *kind;
	enum ssh_turn turn;
	char *text; /* when the turn is over: what ssh printed; NULL: nothing that serves others */
};

/*
 * Is it the caller who asks? If not, what that one has to say is waited for till `until`: one
 * whose ssh hangs holds up nobody else for longer.
 */
static bool
turn_begin(struct ssh_configs *all, enum ssh_turn *turn, int64_t until)
{
	HOLD(&all->lock);

	if (*turn == SSH_TURN_FREE) {
		*turn = SSH_TURN_TAKEN;
		return true;
	}
	while (*turn == SSH_TURN_TAKEN && clock_left(until) > 0)
		clock_cond_wait(&all->over, &all->lock, until);
	return false;
}

static void
turn_end(struct ssh_configs *all, enum ssh_turn *turn)
{
	HOLD(&all->lock);

	*turn = SSH_TURN_OVER;
	pthread_cond_broadcast(&all->over);
}

void
ssh_configs_init(struct ssh_configs *all)
{
	*all = (struct ssh_configs){ 0 };
	pthread_mutex_init(&all->lock, NULL);
	clock_cond_init(&all->over);
}

void
ssh_configs_done(struct ssh_configs *all)
{
	for (size_t i = 0; i < all->n; i++) {
		struct ssh_answer *a = all->at[i];

		free(a->kind);
		free(a->text);
		free(a);
	}
	free(all->at);
	ssh_rules_done(&all->rules);
	pthread_cond_destroy(&all->over);
	pthread_mutex_destroy(&all->lock);
}

/* As ssh has it: what passwd says, not $HOME. */
static char *
home_of_user(void)
{
	char buf[4096]; /* a line of passwd */
	struct passwd pw, *found = NULL;
	const char *home = getenv("HOME");

	if (getpwuid_r(getuid(), &pw, buf, sizeof(buf), &found) == 0 && found)
		home = found->pw_dir;
	return mem_strdup(home ? home : "/");
}

static bool
parse(const char *text, struct ssh_config *out, struct err *e)
{
	AUTO(mem_free_drop) char *home = home_of_user();

	return ssh_config_parse(bytes_of(text), home, out, e);
}

/* Run it until then; with what it reads among its errors. */
static bool
run(const struct transport_spec *spec, int64_t until, struct proc_result *out, struct err *e)
{
	AUTO(argv_done) struct argv words = { 0 };
	AUTO(str_done) struct str said = { 0 };
	/* 0 would be no limit */
	struct proc_command c = { .limit_ms = clock_left(until) + 1, .cap = OUTPUT_CAP };

	argv_add(&words, "ssh");
	argv_add(&words, "-G");
	argv_add(&words, "-T"); /* else it grumbles that there is no terminal */
	argv_add(&words, "-oLogLevel=DEBUG1");
	if (spec->user)
		argv_addf(&words, "-l%s", spec->user);
	if (spec->port)
		argv_addf(&words, "-p%u", spec->port);
	argv_add(&words, "--");
	argv_add(&words, spec->address);
	c.argv = argv_words(&words);
	if (!proc_run(&c, out, e)) {
		err_wrap(e, "ssh -G, for the settings of %s", spec->address);
		if (e)
			e->kind = ERR_HOST;
		return false;
	}
	if (out->end == PROC_EXITED && out->code == 0)
		return true;
	if (out->end == PROC_DEADLINE)
		return err_set(e, ERR_HOST, "ssh -G %s hangs: does a Match exec in ssh_config?",
		    spec->address);
	openssh_says_quote(&said, ": ", str_text(&out->err));
	return err_set(e, ERR_HOST, "ssh -G refuses %s%s", spec->address, str_text(&said));
}

static bool
read_file(struct ssh_rules *rules, const char *path)
{
	AUTO(mem_free_drop) char *target = realpath(path, NULL);
	AUTO(str_done) struct str text = { 0 };

	if (!target || !file_read_at(AT_FDCWD, target, FILE_CAP, &text, NULL))
		return false;
	ssh_rules_read(rules, str_bytes(&text));
	return true;
}

/* From what ssh said when it was first run: the files, and what they say. */
static void
learn(struct ssh_configs *all, const struct proc_result *r)
{
	const char *said = str_text(&r->err);
	HOLD(&all->lock);
	bool any = false;

	if (all->known)
		return;
	for (const char *at = strstr(said, READS); at; at = strstr(at, READS)) {
		AUTO(mem_free_drop) char *path = NULL;

		at += strlen(READS);
		path = mem_strndup(at, strcspn(at, "\r\n"));
		any = true;
		if (!read_file(&all->rules, path))
			all->rules.opaque = true;
	}
	all->rules.opaque = all->rules.opaque || !any || r->cut;
	all->known = true;
}

/* Of those whom ssh gives the same answer; NULL: nobody else is given this one. */
static struct ssh_answer *
answer_of(struct ssh_configs *all, const struct transport_spec *spec)
{
	HOLD(&all->lock);
	AUTO(mem_free_drop) char *alike =
	    all->known ? ssh_rules_kind(&all->rules, spec->address) : NULL;
	AUTO(mem_free_drop) char *kind = NULL;
	struct ssh_answer **place, *a;

	if (!alike)
		return NULL;
	kind = mem_printf("%s port %u user %s", alike, spec->port, spec->user ? spec->user : "");
	for (size_t i = 0; i < all->n; i++)
		if (str_equal(all->at[i]->kind, kind))
			return all->at[i];
	a = mem_alloc(1, sizeof(*a));
	a->kind = kind;
	kind = NULL;
	place = mem_push(&all->at, &all->n, sizeof(struct ssh_answer *));
	*place = a;
	return a;
}

/*
 * Ask ssh; the answer is also *text, if that is not NULL and it serves others: where a HostName is
 * set, its name is not its own.
 */
static bool
ask(struct ssh_configs *all, const struct transport_spec *spec, int64_t until, char **text,
    struct ssh_config *out, struct err *e)
{
	AUTO(proc_result_done) struct proc_result r = { 0 };

	if (!run(spec, until, &r, e) || !parse(str_text(&r.out), out, e))
		return false;
	learn(all, &r);
	if (text && strcasecmp(out->hostname, spec->address) == 0)
		*text = str_take(&r.out);
	return true;
}

/* The first of all: who is like it is known only behind it. */
static bool
ask_first(struct ssh_configs *all, const struct transport_spec *spec, int64_t until,
    struct ssh_config *out, struct err *e)
{
	AUTO(mem_free_drop) char *text = NULL;
	struct ssh_answer *a;

	if (!ask(all, spec, until, &text, out, e))
		return false;
	a = answer_of(all, spec);
	if (a && turn_begin(all, &a->turn, 0)) {
		a->text = text;
		text = NULL;
		turn_end(all, &a->turn);
	}
	return true;
}

/* What is there for others, or NULL. */
static const char *
text_of(struct ssh_configs *all, const struct ssh_answer *a)
{
	HOLD(&all->lock);

	return a && a->turn == SSH_TURN_OVER ? a->text : NULL;
}

static bool
take(const char *answer, const struct transport_spec *spec, struct ssh_config *out, struct err *e)
{
	if (!parse(answer, out, e))
		return false;
	free(out->hostname);
	out->hostname = mem_strdup(spec->address);
	for (char *c = out->hostname; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return true;
}

bool
ssh_configs_ask(struct ssh_configs *all, const struct transport_spec *spec, struct ssh_config *out,
    struct err *e)
{
	int64_t now = clock_ms(), until = now + ASK_MS, patience = now + TURN_MS;
	struct ssh_answer *a;
	const char *text;
	bool ok;

	if (turn_begin(all, &all->first, patience)) {
		ok = ask_first(all, spec, until, out, e);
		turn_end(all, &all->first);
		return ok;
	}
	a = answer_of(all, spec);
	if (a && turn_begin(all, &a->turn, patience)) {
		ok = ask(all, spec, until, &a->text, out, e);
		turn_end(all, &a->turn);
		return ok;
	}
	text = text_of(all, a);
	return text ? take(text, spec, out, e) : ask(all, spec, until, NULL, out, e);
}
