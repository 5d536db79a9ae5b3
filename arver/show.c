/* SPDX-License-Identifier: MIT */
/* Results and what comes with them: lines for people or, with --json, events. */
#include "arver/show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "arver/app.h"
#include "arver/command.h"
#include "arver/json.h"
#include "arver/progress.h"
#include "base/log.h"
#include "base/number.h"
#include "plan/plan.h"
#include "target/target.h"

#define LINES_SHOWN 20 /* of a failed hook */

bool
show_may_colour(int fd)
{
	const char *no_colour = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(fd) && !(no_colour && *no_colour) && !str_equal(term, "dumb");
}

void
show_init(struct show *s, const struct options *o)
{
	*s = (struct show){ .quiet = o->quiet, .verbose = o->verbose > 0, .only_refused = true,
		.json = o->json ? stdout : NULL, .colour = show_may_colour(STDOUT_FILENO) };
}

void
show_done(struct show *s)
{
	summary_done(&s->summary);
	for (size_t i = 0; i < s->n_told; i++)
		free(s->told[i]);
	free((void *)s->told);
}

void
show_begin(struct app *app, const struct target_set *set)
{
	struct show *s = &app->show;

	s->n_all = set->n;
	for (size_t i = 0; i < set->n; i++) {
		int width = (int)strlen(path_shown(set->at[i]->path));

		s->width = width > s->width ? width : s->width;
	}
	if (s->json)
		json_begin(s->json, app->options.command->name, app->options.dry_run, set);
}

bool
show_go(struct app *app, const struct plan *p)
{
	if (app->options.dry_run)
		show_plan(app->show.json, p);
	return !app->options.dry_run;
}

void
show_away(struct show *s, const struct host *h, const struct err *why, int64_t wait_ms)
{
	AUTO(str_done) struct str wait = { 0 };

	if (s->json)
		json_away(s->json, h, why, wait_ms);
	number_add_duration(wait_ms, &wait);
	log_line(LOG_INFO, "%s: does not answer yet (%s): trying again for up to %s",
	    path_shown(h->path), why->text, str_text(&wait));
}

void
show_note(struct show *s, const struct host *h, const char *text)
{
	if (s->json)
		json_note(s->json, h, text);
	log_line(LOG_INFO, "%s: %s", path_shown(h->path), text);
}

void
show_row(struct show *s, const struct row *row)
{
	if (s->json)
		json_step(s->json, row);
}

void
show_good(struct show *s, const struct disk *d, const char *word, const char *note)
{
	if (s->json)
		json_disk(s->json, d, word, note, NULL);
	if (s->json || s->quiet)
		return;
	progress_erase();
	printf("%-*s  %s%s%s%s%s%s\n", s->width, path_shown(d->path), s->colour ? "\033[32m" : "",
	    word, s->colour ? "\033[0m" : "", *note ? " (" : "", note, *note ? ")" : "");
	fflush(stdout);
}

const char *
show_word(enum outcome o, const char *failed)
{
	switch (o) {
	case OUTCOME_SKIPPED:
		return "skipped";
	case OUTCOME_UNKNOWN:
		return "unknown";
	case OUTCOME_NOT_BEGUN:
		return "not begun";
	default:
		return failed;
	}
}

/* The sentence without the object's name, where it begins with that. */
static const char *
without_name(const char *text, const char *name)
{
	size_t n = strlen(name);

	return strncmp(text, name, n) == 0 && strncmp(text + n, ": ", 2) == 0 ? text + n + 2 : text;
}

/* Is this what was told last of this host? From now on it is. */
static bool
was_told(struct show *s, const struct host *h, const struct err *e)
{
	struct err **t;
	bool same;

	if (!e->text[0])
		return false;
	while (s->n_told <= h->index)
		mem_push(&s->told, &s->n_told, sizeof(struct err *));
	t = &s->told[h->index];
	same = *t && strcmp((*t)->text, e->text) == 0;
	if (!*t)
		*t = mem_alloc(1, sizeof(**t));
	**t = *e;
	return same;
}

static bool
is_refusal(enum err_kind kind)
{
	return kind == ERR_REFUSED || kind == ERR_CHANGED;
}

void
show_bad(struct show *s, const struct disk *d, const char *word, const struct err *e)
{
	bool of_host = e->kind == ERR_HOST || e->kind == ERR_AWAY || e->kind == ERR_HOOK ||
		       e->kind == ERR_CHANGED;
	bool told = was_told(s, d->host, e) && of_host;
	const char *name = path_shown(d->path);
	struct err why = *e;

	s->n_bad++;
	why.kind = summary_add(&s->summary, d, e->kind);
	if (s->json)
		json_disk(s->json, d, word, "", &why);
	s->only_refused = s->only_refused && is_refusal(why.kind);
	if (told || !e->text[0])
		log_line(LOG_ERROR, "%s: %s", name, word);
	else
		log_line(LOG_ERROR, "%s: %s: %s", name, word, without_name(e->text, name));
}

/* The lines of a hook's output, behind its name: all of them with -v, else the last ones. */
static void
show_output(const struct show *s, const struct str *output)
{
	AUTO(mem_free_drop) char *text = mem_strdup(str_text(output));
	char *rest = text;
	size_t n = 0;

	for (const char *p = text; *p; p++)
		n += *p == '\n';
	if (!s->verbose && n > LINES_SHOWN)
		log_line(LOG_INFO, "    (%zu lines before these: see them with -v)", n - LINES_SHOWN);
	for (char *line; (line = strsep(&rest, "\n")) != NULL; n -= n > 0)
		if (*line && (s->verbose || n <= LINES_SHOWN))
			log_line(LOG_INFO, "    %s", line);
}

void
show_host_row(struct show *s, const struct row *row)
{
	const struct step *step = row->step;
	const char *path = path_shown(step->disk ? step->disk->path : row->host->path);
	bool bad = row->err.text[0] && row->outcome != OUTCOME_DONE &&
		   row->outcome != OUTCOME_NEEDLESS;

	if (step->kind == STEP_HOOK && row->outcome == OUTCOME_DONE && s->verbose) {
		log_line(LOG_INFO, "%s: %s done", path, hook_kind_name(step->hook));
		show_output(s, &row->output);
	}
	s->only_refused = s->only_refused && (!bad || is_refusal(row->err.kind));
	if (bad && step->disk)
		summary_add(&s->summary, step->disk, row->err.kind);
	if (!bad || was_told(s, row->host, &row->err))
		return;
	log_line(LOG_ERROR, "%s: %s", path, without_name(row->err.text, path));
	if (strchr(str_text(&row->output), '\n')) /* else the sentence quotes all of it */
		show_output(s, &row->output);
}

int
show_summary(struct show *s, const char *not_as_asked)
{
	AUTO(argv_done) struct argv lines = { 0 };

	if (s->n_bad == 0)
		return 0;
	summary_lines(&s->summary, &lines);
	for (size_t i = 0; i < lines.n; i++)
		log_line(LOG_ERROR, "%s", lines.at[i]);
	log_line(LOG_ERROR, "%zu of %zu disk%s %s", s->n_bad, s->n_all, s->n_all == 1 ? "" : "s",
	    not_as_asked);
	return s->only_refused ? 5 : 1;
}

void
show_error(struct show *s, const struct err *e, int status)
{
	if (s->json)
		json_error(s->json, e, status);
	log_line(LOG_ERROR, "%s", e->text);
}

void
show_end(struct show *s, int status)
{
	if (s->json)
		json_end(s->json, status, s->n_all, s->n_bad);
}
