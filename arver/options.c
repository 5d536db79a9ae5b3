/* SPDX-License-Identifier: MIT */
/* Reading the command line with getopt_long, by tables. */
#include "arver/options.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include "arver/command.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/str.h"

/* A verb's own value in getopt's eyes: FIRST_VERB + its place in the table. */
#define FIRST_VERB 1000
#define FIRST_OPTION 2000

struct option_row {
	const char *name, *arg;
	char letter;
	unsigned verbs; /* enum verb_set */
	bool (*set)(struct options *o, const char *value, struct err *e);
	const char *help;
};

static bool
set_user(struct options *o, const char *value, struct err *e)
{
	(void)e;
	o->user = value;
	return true;
}

static bool
set_config_dir(struct options *o, const char *value, struct err *e)
{
	(void)e;
	o->config_dir = value;
	return true;
}

static bool
set_set_key(struct options *o, const char *value, struct err *e)
{
	o->set_key = value;
	return *value == '/' || err_set(e, ERR_USAGE,
	    "--set-key takes a whole path such as /colo/web1/data, not '%s'", value);
}

static bool
set_jobs(struct options *o, const char *value, struct err *e)
{
	char *end;
	unsigned long n = strtoul(value, &end, 10);

	if (*value < '0' || *value > '9' || *end || n < 1 || n > 1000)
		return err_set(e, ERR_USAGE, "--jobs is a number from 1 to 1000, not '%s'", value);
	o->jobs = (unsigned)n;
	return true;
}

static bool
set_wait(struct options *o, const char *value, struct err *e)
{
	return number_duration(value, &o->wait_ms) ||
	       err_set(e, ERR_USAGE, "--wait is " NUMBER_DURATION ", not '%s'", value);
}

#define FLAG(name, statement)                                                                      \
	static bool name(struct options *o, const char *value, struct err *e)                      \
	{                                                                                          \
		(void)value, (void)e;                                                              \
		statement;                                                                         \
		return true;                                                                       \
	}
FLAG(set_trust_all, o->trust_all = true)
FLAG(set_ask_password, o->ask_password = true)
FLAG(set_force, o->force = true)
FLAG(set_violence, o->violence = true)
FLAG(set_json, o->json = true)
FLAG(set_dry_run, o->dry_run = true)
FLAG(set_fail_fast, o->fail_fast = true)
FLAG(set_accept_new, o->accept_new = true)
FLAG(set_accept_changes, o->accept_changes = true)
FLAG(set_verbose, o->verbose = o->verbose > 1 ? o->verbose : 1)
FLAG(set_very_verbose, o->verbose = 2)
FLAG(set_quiet, o->quiet = true)

static const struct option_row rows[] = {
	{ "user", "NAME", 'u', VERBS_ALL, set_user, "who you are (else ARVER_USER, else ~/.arver)" },
	{ "config-dir", "DIR", 'c', VERBS_ALL, set_config_dir,
	    "the data directory (else ARVER_DIR, else ~/.arver, else ~/.arverdata)" },
	{ "trust-all", NULL, 't', VERBS_ALL, set_trust_all,
	    "encrypt to keys although GPG does not hold them for valid" },
	{ "ask-password", NULL, 0, VERB_ADD_USER | VERB_REFRESH, set_ask_password,
	    "ask for a passphrase that opens the disks already" },
	{ "set-key", "PATH", 0,
	    VERB_OPEN | VERB_VERIFY | VERB_ADD_USER | VERB_DEL_USER | VERB_REFRESH, set_set_key,
	    "try the keys stored for PATH too: for a disk that was renamed or moved" },
	{ "force", NULL, 0, VERB_CREATE | VERB_ADD_USER | VERB_DEL_USER, set_force,
	    "replace a key that is there already, empty slots that nobody claims" },
	{ "violence", NULL, 0, VERB_CREATE | VERB_DEL_USER, set_violence,
	    "overwrite a device that holds something, empty the last key slot" },
	{ "dry-run", NULL, 0, VERBS_ALL, set_dry_run, "print what would be done, and do nothing" },
	{ "jobs", "N", 'j', VERBS_HOSTS, set_jobs, "so many hosts at once (32)" },
	{ "wait", "DURATION", 0, VERBS_HOSTS, set_wait,
	    "try hosts that do not answer again, for so long (90, 90s, 15m, 1h)" },
	{ "fail-fast", NULL, 0, VERBS_HOSTS, set_fail_fast, "start nothing new after the first failure" },
	{ "json", NULL, 0, VERBS_HOSTS | VERB_LIST | VERB_KEYS, set_json,
	    "print events for programs, a JSON object a line" },
	{ "accept-new", NULL, 0, VERBS_HOSTS, set_accept_new,
	    "store the keys of hosts that were never seen, and trust them from then on" },
	{ "accept-changes", NULL, 0, VERBS_HOSTS | VERB_GARBAGE_COLLECT, set_accept_changes,
	    "take up what is not as remembered of hosts and admins" },
	{ "verbose", NULL, 'v', VERBS_ALL, set_verbose, "say more" },
	{ "vv", NULL, 0, VERBS_ALL, set_very_verbose, "say a lot more" },
	{ "quiet", NULL, 'q', VERBS_ALL, set_quiet, "say only what went wrong" },
};

/* getopt's own tables, made from ours. */
struct tables {
	struct option *longs;
	size_t n;
	struct str shorts;
};

static void
tables_done(struct tables *t)
{
	free(t->longs);
	str_done(&t->shorts);
}

/* `after` the letter: "" none, ":" an argument, "::" perhaps one, attached. */
static void
add_row(struct tables *t, const char *name, char letter, const char *after, int has_arg, int value)
{
	struct option *o = mem_push(&t->longs, &t->n, sizeof(*o));

	*o = (struct option){ .name = name, .has_arg = has_arg, .val = value };
	if (!letter)
		return;
	str_add_char(&t->shorts, letter);
	str_add(&t->shorts, after);
}

/*
 * "-": words come in their order; ":": a missing argument is told apart. The
 * words are the verb's arguments, so that options may stand between;
 * --open=colo and -ocolo do as well. -lv is a cluster.
 */
static void
make_tables(struct tables *t)
{
	str_add(&t->shorts, "-:");
	for (size_t i = 0; commands[i]; i++)
		add_row(t, commands[i]->name, commands[i]->letter,
		    commands[i]->args[0] && !commands[i]->optional_arg ? "::" : "",
		    commands[i]->args[0] ? optional_argument : no_argument, FIRST_VERB + (int)i);
	for (size_t i = 0; i < COUNT(rows); i++)
		add_row(t, rows[i].name, rows[i].letter, rows[i].arg ? ":" : "",
		    rows[i].arg ? required_argument : no_argument, FIRST_OPTION + (int)i);
	mem_push(&t->longs, &t->n, sizeof(*t->longs));
}

/* Our value of a short letter, or the value itself. */
static int
long_value(int value)
{
	for (size_t i = 0; commands[i]; i++)
		if (value && commands[i]->letter == value)
			return FIRST_VERB + (int)i;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (value && rows[i].letter == value)
			return FIRST_OPTION + (int)i;
	return value;
}

/* What is being read. */
struct reading {
	struct options *o;
	const char *words[2];
	size_t n_words;
	bool seen[COUNT(rows)];
};

static bool
take_word(struct reading *r, const char *word, struct err *e)
{
	if (r->n_words == COUNT(r->words))
		return err_set(e, ERR_USAGE,
		    "'%s' is one word too many: a list of targets is written a,b,c", word);
	r->words[r->n_words++] = word;
	return true;
}

static bool
take_verb(struct reading *r, const struct command *c, const char *arg, struct err *e)
{
	if (r->o->command && r->o->command != c)
		return err_set(e, ERR_USAGE, "--%s and --%s do not go together",
		    r->o->command->name, c->name);
	if (r->o->command)
		return err_set(e, ERR_USAGE, "--%s is given twice: a list of targets is written a,b,c",
		    c->name);
	r->o->command = c;
	if (!arg)
		return true;
	/* The verb's first argument goes in front of words that came before it. */
	if (r->n_words > 0)
		return err_set(e, ERR_USAGE, "what does '%s' before --%s mean?", r->words[0], c->name);
	return take_word(r, arg, e);
}

static bool
take(struct reading *r, int value, char **argv, struct err *e)
{
	if (value == 1)
		return take_word(r, optarg, e);
	if (value == '?' && optopt && optopt < FIRST_VERB)
		return err_set(e, ERR_USAGE, "there is no option -%c (see --help)", optopt);
	if (value == '?' && optopt)
		return err_set(e, ERR_USAGE, "%s: this option takes no argument (see --help)",
		    argv[optind - 1]);
	if (value == '?')
		return err_set(e, ERR_USAGE, "%s names no option, or several (see --help)",
		    argv[optind - 1]);
	if (value == ':')
		return err_set(e, ERR_USAGE, "%s needs an argument (see --help)", argv[optind - 1]);
	value = long_value(value);
	if (value < FIRST_OPTION)
		return take_verb(r, commands[value - FIRST_VERB], optarg, e);
	r->seen[value - FIRST_OPTION] = true;
	return rows[value - FIRST_OPTION].set(r->o, optarg, e);
}

/* Do options and arguments fit the verb? */
static bool
check(const struct reading *r, struct err *e)
{
	const struct command *c = r->o->command;
	size_t n = 0;

	if (!c)
		return err_set(e, ERR_USAGE, "nothing to do: name an action, such as --open (see --help)");
	for (size_t i = 0; i < COUNT(rows); i++)
		if (r->seen[i] && !(rows[i].verbs & c->verb))
			return err_set(e, ERR_USAGE, "--%s does not go with --%s", rows[i].name, c->name);
	while (n < COUNT(c->args) && c->args[n])
		n++;
	if (r->n_words > n)
		return err_set(e, ERR_USAGE,
		    "'%s' is one word too many: a list of targets is written a,b,c", r->words[n]);
	if (r->n_words < n && !(c->optional_arg && r->n_words == n - 1))
		return err_set(e, ERR_USAGE, "--%s needs %s", c->name, c->args[r->n_words]);
	return true;
}

/* A command line that is not understood is told to a program as it asked for it. */
static bool
asks_for_json(char **argv)
{
	for (; *argv && strcmp(*argv, "--") != 0; argv++)
		if (strcmp(*argv, "--json") == 0)
			return true;
	return false;
}

static bool
read_line(int argc, char **argv, struct reading *r, struct err *e)
{
	AUTO(tables_done) struct tables t = { 0 };
	int value;

	make_tables(&t);
	opterr = 0;
	optind = 0;
	while ((value = getopt_long(argc, argv, str_text(&t.shorts), t.longs, NULL)) != -1)
		if (!take(r, value, argv, e))
			return false;
	while (optind < argc)
		if (!take_word(r, argv[optind++], e))
			return false;
	return check(r, e);
}

bool
options_parse(int argc, char **argv, struct options *out, struct err *e)
{
	struct reading r = { .o = out };

	if (!read_line(argc, argv, &r, e)) {
		out->json = asks_for_json(argv);
		return false;
	}
	for (size_t i = 0; i < r.n_words; i++)
		out->args[i] = r.words[i];
	return true;
}

static void
help_line(FILE *out, const char *name, char letter, const char *args, const char *help)
{
	AUTO(str_done) struct str left = { 0 };

	if (letter)
		str_addf(&left, "-%c, ", letter);
	else
		str_add(&left, "    ");
	str_addf(&left, "--%s%s", name, args);
	fprintf(out, "  %-34s %s\n", str_text(&left), help);
}

void
options_help(FILE *out)
{
	fputs("usage: arver [OPTION]... ACTION\n\nActions:\n", out);
	for (size_t i = 0; commands[i]; i++) {
		const struct command *c = commands[i];
		AUTO(str_done) struct str args = { 0 };

		for (size_t k = 0; k < COUNT(c->args) && c->args[k]; k++)
			str_addf(&args, c->optional_arg ? " [%s]" : " %s", c->args[k]);
		help_line(out, c->name, c->letter, str_text(&args), c->help);
	}
	fputs("\nOptions:\n", out);
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(str_done) struct str arg = { 0 };

		if (rows[i].arg)
			str_addf(&arg, " %s", rows[i].arg);
		help_line(out, rows[i].name, rows[i].letter, str_text(&arg), rows[i].help);
	}
	fputs("\nTARGETS is a list such as colo,web1/data: groups, hosts and disks by name or the tail\n"
	      "of their path; ALL is everything; * and ? stand for what you like inside a name.\n"
	      "See arver(1).\n",
	    out);
}
