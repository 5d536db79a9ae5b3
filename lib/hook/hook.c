/* SPDX-License-Identifier: MIT */
/*
 * hook: the words of a hook go to the server as they are, one by one, behind a
 * small `sh -c` that is the same for every transport: so a program that is not there (127) and one
 * that cannot be run (126) look the same everywhere, and /sbin is in PATH.
 */
#include "hook/hook.h"

#include <string.h>
#include "transport/transport.h"

#define LAST_WORDS 240
#define LINE_MAX_SHOWN 4096
#define WORDS_MAX ((size_t)64 << 10) /* all of them; placeholders make few bytes many */
#define OUTPUT_CAP ((size_t)32 << 10) /* of stdout and stderr each */

static const char run_it[] = "PATH=$PATH:/usr/sbin:/sbin; export PATH; exec \"$@\"";

static const struct hook *
hook_of(const struct host *host, const struct disk *disk, enum hook_kind kind)
{
	return disk ? &disk->hooks[kind] : &host->hooks[kind];
}

static const char *
shown(const struct host *host, const struct disk *disk)
{
	return path_shown(disk ? disk->path : host->path);
}

bool
hook_exists(const struct host *host, const struct disk *disk, enum hook_kind kind)
{
	return hook_of(host, disk, kind)->words.n > 0;
}

/* Append what one placeholder stands for; false where it stands for nothing. */
static bool
placeholder(char which, const struct host *host, const struct disk *disk, enum hook_kind kind,
    struct str *out)
{
	bool opens = kind == HOOK_PRE_OPEN || kind == HOOK_POST_OPEN;

	if (strchr("dDm", which) && !disk)
		return false;
	switch (which) {
	case 'g': str_add(out, host->group->name); return true;
	case 'h': str_add(out, host->name); return true;
	case 'd': str_add(out, disk->name); return true;
	case 'D': str_add(out, disk->device); return true;
	case 'm': str_addf(out, "/dev/mapper/%s", disk->name); return true;
	case 'a': str_add(out, opens ? "open" : "close"); return true;
	case '%': str_add_char(out, '%'); return true;
	default: return false;
	}
}

static bool
expand(const char *word, const struct host *host, const struct disk *disk, enum hook_kind kind,
    struct str *out)
{
	for (const char *p = word; *p && out->len <= WORDS_MAX; p++) {
		if (*p != '%')
			str_add_char(out, *p);
		else if (p[1] == '\0' || !placeholder(*++p, host, disk, kind, out))
			return false;
	}
	return true;
}

bool
hook_words(const struct host *host, const struct disk *disk, enum hook_kind kind, struct argv *out,
    struct err *e)
{
	const struct hook *h = hook_of(host, disk, kind);
	AUTO(argv_done) struct argv words = { 0 };
	size_t left = WORDS_MAX;

	for (size_t i = 0; i < h->words.n; i++) {
		AUTO(str_done) struct str word = { 0 };

		if (!h->has_placeholders)
			str_add(&word, h->words.at[i]);
		else if (!expand(h->words.at[i], host, disk, kind, &word))
			return err_set(e, ERR_DATA, "%s: %s: \"%s\" has a placeholder that %s",
			    shown(host, disk), hook_kind_name(kind), h->words.at[i],
			    disk ? "does not exist: %g %h %d %D %m %a %% do" :
				   "a host's hook does not know: %g %h %a %% it does");
		if (word.len >= left)
			return err_set(e, ERR_DATA, "%s: %s: its words are longer than %zu KiB",
			    shown(host, disk), hook_kind_name(kind), WORDS_MAX >> 10);
		left -= word.len + 1;
		argv_add(&words, str_text(&word));
	}
	argv_add_all(out, &words);
	return true;
}

/* Line by line, so that a person can read it. */
static void
add_lines(struct str *out, const struct str *raw)
{
	const char *p = raw->ptr, *end = p ? p + raw->len : NULL;

	while (p < end) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((eol ? eol : end) - p);

		str_add_escaped(out, (struct bytes){ p, len }, LINE_MAX_SHOWN);
		str_add_char(out, '\n');
		p = eol ? eol + 1 : end;
	}
}

/* It came to an end, and not to a good one. */
static bool
blame_status(const char *what, const char *program, const struct proc_result *r, struct err *e)
{
	AUTO(str_done) struct str words = { 0 };
	const char *text;

	proc_quote_output(&words, r, LAST_WORDS);
	text = str_text(&words);
	if (r->end == PROC_SIGNALLED)
		return err_set(e, ERR_HOOK, "%s: %s was killed by signal %d", what, program,
		    r->code);
	if (r->code == 127 || (strstr(text, "sudo: ") && strstr(text, "command not found")))
		return err_set(e, ERR_HOOK, "%s: %s is not there", what, program);
	if (r->code == 126)
		return err_set(e, ERR_HOOK, "%s: %s cannot be run: is it executable?", what,
		    program);
	if (strstr(text, "sudo: ") || strstr(text, "is not allowed to "))
		return err_set(e, ERR_HOOK,
		    "%s: sudo refuses %s (%s): allow it with NOPASSWD in sudoers", what, program,
		    text);
	return err_set(e, ERR_HOOK, "%s: %s failed with exit status %d%s%s", what, program, r->code,
	    words.len ? ": " : "", text);
}

static bool
judge(const char *what, const char *program, const struct proc_result *r, struct err *e)
{
	switch (r->end) {
	case PROC_DEADLINE:
		return err_set(e, ERR_LOST, "%s: %s did not end in time; it may still run", what,
		    program);
	case PROC_LOST:
		return err_set(e, ERR_LOST, "%s: connection lost%s%s; %s may still run", what,
		    r->lost.len ? ", " : "", str_text(&r->lost), program);
	default:
		return (r->end == PROC_EXITED && r->code == 0) ||
		    blame_status(what, program, r, e);
	}
}

bool
hook_run(struct transport *t, const struct host *host, const struct disk *disk, enum hook_kind kind,
    int64_t limit_ms, struct str *output, struct err *e)
{
	AUTO(argv_done) struct argv words = { 0 }, command = { 0 };
	AUTO(proc_result_done) struct proc_result r = { 0 };
	AUTO(mem_free_drop) char *what =
	    mem_printf("%s: %s", shown(host, disk), hook_kind_name(kind));
	static const char *const before[] = { "sh", "-c", run_it, "arver", "sudo", "-n", "--" };
	struct proc_command c = { .limit_ms = limit_ms, .cap = OUTPUT_CAP };
	size_t n_before = t->sudo ? COUNT(before) : 4;

	if (!hook_words(host, disk, kind, &words, e))
		return false;
	if (words.n == 0)
		return true;
	for (size_t i = 0; i < n_before; i++)
		argv_add(&command, before[i]);
	argv_add_all(&command, &words);
	c.argv = argv_words(&command);
	if (!transport_run(t, &c, &r, e))
		return err_wrap(e, "%s", what);
	add_lines(output, &r.out);
	add_lines(output, &r.err);
	if (r.cut)
		str_add(output, "... it printed more, which was left out\n");
	return judge(what, words.at[0], &r, e);
}
