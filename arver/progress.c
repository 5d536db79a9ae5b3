/* SPDX-License-Identifier: MIT */
/*
 * The cursor waits at the line's beginning, so that what a person types, or the ^C that the
 * terminal shows, neither wraps it nor outlives it.
 */
#include "arver/progress.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>
#include "arver/options.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "inventory/inventory.h"
#include "plan/plan.h"

#define ERASE "\r\033[K"

static bool wanted;
static int64_t due;	    /* of clock_ms: not before */
static atomic_bool standing; /* on the terminal, now */
static struct str last;	    /* as drawn last in this phase; empty: not yet */

static bool
can_erase(void)
{
	const char *term = getenv("TERM");

	return isatty(STDERR_FILENO) && term && *term && strcmp(term, "dumb") != 0;
}

void
progress_init(const struct options *o)
{
	wanted = can_erase() && !o->quiet && !o->json && o->verbose < 2;
	if (wanted)
		log_set_before(progress_erase);
}

/* --- what it says --- */

/* " (1 failed, 2 away)"; what is none is left out, and so are the brackets. */
static void
add_parts(struct str *out, const size_t *n, const char *const *words)
{
	const char *between = " (";

	for (size_t i = 0; words[i]; i++) {
		if (n[i] == 0)
			continue;
		str_addf(out, "%s%zu %s", between, n[i], words[i]);
		between = ", ";
	}
	if (*between == ',')
		str_add_char(out, ')');
}

static const char *
doing_words(const struct step *s)
{
	switch (s->kind) {
	case STEP_STATUS:
		return "looking what is open";
	case STEP_HOOK:
		return hook_kind_name(s->hook);
	case STEP_OPEN:
		return "opening";
	case STEP_CLOSE:
		return "closing";
	case STEP_VERIFY:
		return "testing your key";
	case STEP_INFO:
	case STEP_SURVEY:
		return "reading the header";
	case STEP_PROBE:
		return "looking what is on it";
	case STEP_FORMAT:
		return "formatting";
	case STEP_ADD:
		return "adding the key";
	case STEP_KILL:
		return "emptying a slot";
	}
	return "working";
}

void
progress_text(const struct run_progress *p, struct str *out)
{
	size_t hosts[] = { p->running, p->failed, p->waiting, p->away }, disks[] = { p->disks_failed };
	static const char *const host_words[] = { "running", "failed", "waiting", "away", NULL };
	static const char *const disk_words[] = { "failed", NULL };
	const struct disk *d = p->doing ? p->doing->disk : NULL;

	str_addf(out, "hosts %zu/%zu", p->done,
	    p->done + p->failed + p->running + p->waiting + p->away);
	add_parts(out, hosts, host_words);
	str_addf(out, ", disks %zu/%zu", p->disks_done, p->disks);
	add_parts(out, disks, disk_words);
	if (p->slowest)
		str_addf(out, ", %s: %s, %lld s", path_shown(d ? d->path : p->slowest->path),
		    p->doing ? doing_words(p->doing) : "connecting", (long long)p->doing_ms / 1000);
}

/* Columns that one character takes; where the locale does not say, more rather than less. */
static unsigned
columns_of(const char *p, size_t len)
{
	mbstate_t state = { 0 };
	wchar_t c;
	int width;

	if (len == 1)
		return 1;
	if (mbrtowc(&c, p, len, &state) != len)
		return 2;
	width = wcwidth(c);
	return width >= 0 ? (unsigned)width : 2;
}

void
progress_cut(struct str *text, unsigned columns)
{
	unsigned used = 0, dots = columns < 3 ? columns : 3;
	size_t fits = 0; /* bytes that leave room for the dots */

	for (size_t i = 0, n; i < text->len; i += n) {
		n = str_printable(text->ptr + i, text->len - i);
		n = n ? n : 1;
		used += columns_of(text->ptr + i, n);
		if (used + dots <= columns)
			fits = i + n;
		if (used <= columns)
			continue;
		text->len = fits;
		text->ptr[fits] = '\0';
		while (dots-- > 0)
			str_add_char(text, '.');
		return;
	}
}

/* --- on the terminal --- */

static unsigned
terminal_columns(void)
{
	struct winsize size = { 0 };

	/* Asked anew each time: a window changes while we run. */
	return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col : 80;
}

static void
draw(void)
{
	AUTO(str_done) struct str line = { 0 };
	AUTO(str_done) struct str text = { 0 };

	str_add(&text, str_text(&last));
	progress_cut(&text, terminal_columns() - 1); /* in the last column terminals differ */
	str_addf(&line, "\r%s\033[K\r", str_text(&text));
	atomic_store(&standing, true);
	(void)file_write_all(STDERR_FILENO, str_bytes(&line));
}

void
progress_show(const struct run_progress *p)
{
	if (!wanted || clock_left(due) > 0)
		return;
	str_clear(&last);
	progress_text(p, &last);
	draw();
}

void
progress_show_again(void)
{
	if (last.len > 0 && !atomic_load(&standing))
		draw();
}

void
progress_erase(void)
{
	if (atomic_exchange(&standing, false) &&
	    write(STDERR_FILENO, ERASE, sizeof(ERASE) - 1) < 0)
		return; /* no terminal any more: nothing to erase */
}

void
progress_phase(struct run *r, unsigned phase)
{
	due = clock_ms() + PROGRESS_AFTER_MS;
	run_phase(r, phase);
	progress_erase();
	str_done(&last);
}
