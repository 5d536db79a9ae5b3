/* SPDX-License-Identifier: MIT */
/* Lines for people: plans, results, the summary. */
#include "arver/show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "arver/app.h"
#include "arver/progress.h"
#include "base/log.h"
#include "base/number.h"
#include "plan/plan.h"
#include "target/target.h"

#define LINES_SHOWN 20 /* of a failed hook */

/* --- plans --- */

/* "colo/web1 (web1.example.org), when colo/nas is done" */
static void
show_lane(const struct plan *p, const struct host *h)
{
	printf("%s (%s)", path_shown(h->path),
	    h->transport == TRANSPORT_LOCAL ? "this machine" : h->address);
	for (size_t i = 0; p->order == PLAN_AFTER && i < h->n_after; i++)
		printf("%s %s", i ? "," : ", after", path_shown(h->after[i]->path));
	for (size_t i = 0, n = 0; p->order == PLAN_BEFORE && i < p->n; i++)
		for (size_t k = 0; k < p->lanes[i].host->n_after; k++)
			if (p->lanes[i].host->after[k] == h)
				printf("%s %s", n++ ? "," : ", after",
				    path_shown(p->lanes[i].host->path));
	printf("\n");
}

static void
show_words(const struct hook *h)
{
	for (size_t i = 0; i < h->words.n; i++)
		printf(" %s", h->words.at[i]);
}

static void
show_slot(int slot)
{
	if (slot >= 0)
		printf(" %d", slot);
}

static void
show_step(const struct lane *lane, const struct step *s)
{
	const struct disk *d = s->disk;

	printf("    ");
	switch (s->kind) {
	case STEP_STATUS:
		printf("see which disks are open");
		break;
	case STEP_HOOK:
		printf("%s%s%s:", d ? d->name : "", d ? " " : "", hook_kind_name(s->hook));
		show_words(d ? &d->hooks[s->hook] : &lane->host->hooks[s->hook]);
		break;
	case STEP_OPEN:
		printf("open %s as /dev/mapper/%s", d->device, d->name);
		break;
	case STEP_CLOSE:
		printf("close /dev/mapper/%s on %s", d->name, d->device);
		break;
	case STEP_VERIFY:
		printf("test your key on %s", d->device);
		break;
	case STEP_INFO:
	case STEP_SURVEY:
		printf("read the LUKS header of %s", d->device);
		break;
	case STEP_PROBE:
		printf("look what lies on %s", d->device);
		break;
	case STEP_FORMAT:
		printf("format %s with your key in slot %d", d->device, s->slot);
		break;
	case STEP_ADD:
		printf("add the key to %s", s->slot >= 0 ? "slot" : "a spare slot");
		show_slot(s->slot);
		printf(" of %s and prove it", d->device);
		break;
	case STEP_KILL:
		printf("empty %s", s->slot >= 0 ? "slot" : "what was left over in other slots");
		show_slot(s->slot);
		printf(" of %s", d->device);
		break;
	}
	if (s->when)
		printf(" (%s)", s->when);
	printf("\n");
}

static void
show_plan(const struct plan *p)
{
	/* What happens here may come after the last visit, too. */
	for (unsigned phase = 0; phase <= p->n_phases; phase++) {
		if (phase < COUNT(p->between) && p->between[phase])
			printf("here\n    %s\n", p->between[phase]);
		for (size_t i = 0; i < p->n; i++) {
			const struct lane *lane = &p->lanes[i];
			bool named = false;

			for (size_t k = 0; k < lane->n; k++) {
				if (lane->steps[k].phase != phase)
					continue;
				if (!named)
					show_lane(p, lane->host);
				named = true;
				show_step(lane, &lane->steps[k]);
			}
		}
	}
}

/* --- results --- */

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
		.colour = show_may_colour(STDOUT_FILENO) };
}

void
show_done(struct show *s)
{
	summary_done(&s->summary);
}

bool
show_begin(struct app *app, const struct plan *p, const struct target_set *set)
{
	struct show *s = &app->show;

	s->n_all = set->n;
	for (size_t i = 0; i < set->n; i++) {
		int width = (int)strlen(path_shown(set->at[i]->path));

		s->width = width > s->width ? width : s->width;
	}
	if (app->options.dry_run)
		show_plan(p);
	return !app->options.dry_run;
}

void
show_away(const struct host *h, const struct err *why, int64_t wait_ms)
{
	AUTO(str_done) struct str wait = { 0 };

	number_add_duration(wait_ms, &wait);
	log_line(LOG_INFO, "%s: does not answer yet (%s): trying again for up to %s",
	    path_shown(h->path), why->text, str_text(&wait));
}

void
show_good(struct show *s, const struct disk *d, const char *word, const char *note)
{
	if (s->quiet)
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

void
show_bad(struct show *s, const struct disk *d, const char *word, const struct err *e)
{
	bool told = (e->kind == ERR_HOST || e->kind == ERR_AWAY) && d->host == s->host && strcmp(s->told, e->text) == 0;
	const char *name = path_shown(d->path);

	s->n_bad++;
	summary_add(&s->summary, d, e->kind);
	s->only_refused = s->only_refused && e->kind == ERR_REFUSED;
	if (told || !e->text[0])
		log_line(LOG_ERROR, "%s: %s", name, word);
	else
		log_line(LOG_ERROR, "%s: %s: %s", name, word, without_name(e->text, name));
	s->host = d->host;
	snprintf(s->told, sizeof(s->told), "%s", e->text);
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
	if (bad && step->disk)
		summary_add(&s->summary, step->disk, row->err.kind);
	if (!bad || (row->host == s->host && strcmp(s->told, row->err.text) == 0))
		return;
	log_line(LOG_ERROR, "%s: %s", path, without_name(row->err.text, path));
	if (strchr(str_text(&row->output), '\n')) /* else the sentence quotes all of it */
		show_output(s, &row->output);
	s->host = row->host;
	snprintf(s->told, sizeof(s->told), "%s", row->err.text);
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
