/* SPDX-License-Identifier: MIT */
/* The journal's text: one line per fact, a note from "disk" to "end". */
#include "state/journal.h"

#include <stdlib.h>
#include <string.h>
#include "state/state_file.h"

#define JOURNAL_NAME "journal"
#define JOURNAL_HEAD "arver-journal 1"

struct journal {
	struct state_file file;
};

static void
note_done(struct journal_note *n)
{
	free(n->disk);
	free(n->admin);
	free(n->uuid);
	free(n->own.salt);
	free(n->spare.salt);
	argv_done(&n->staged);
	argv_done(&n->mixed);
	argv_done(&n->had);
	argv_done(&n->opened);
	argv_done(&n->doubted);
	argv_done(&n->dead);
}

void
journal_notes_done(struct journal_notes *l)
{
	for (size_t i = 0; i < l->n; i++)
		note_done(&l->at[i]);
	free(l->at);
	*l = (struct journal_notes){ 0 };
}

struct journal_note *
journal_notes_add(struct journal_notes *l)
{
	struct journal_note *n = mem_push(&l->at, &l->n, sizeof(*n));

	n->own.slot = n->spare.slot = JOURNAL_NO_SLOT;
	return n;
}

void
journal_notes_copy(struct journal_notes *l, const struct journal_note *from)
{
	struct journal_note *n = journal_notes_add(l);

	n->disk = str_copy(from->disk);
	n->admin = str_copy(from->admin);
	n->uuid = str_copy(from->uuid);
	n->own = (struct journal_slot){ from->own.slot, str_copy(from->own.salt) };
	n->spare = (struct journal_slot){ from->spare.slot, str_copy(from->spare.salt) };
	n->promoted = from->promoted;
	argv_add_all(&n->staged, &from->staged);
	argv_add_all(&n->mixed, &from->mixed);
	argv_add_all(&n->had, &from->had);
	argv_add_all(&n->opened, &from->opened);
	argv_add_all(&n->doubted, &from->doubted);
	argv_add_all(&n->dead, &from->dead);
}

struct journal_note *
journal_notes_find(const struct journal_notes *l, const char *disk, const char *admin)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->at[i].disk, disk) == 0 && strcmp(l->at[i].admin, admin) == 0)
			return &l->at[i];
	return NULL;
}

static void
format_slot(struct str *out, const char *word, const struct journal_slot *s)
{
	if (s->slot != JOURNAL_NO_SLOT)
		str_addf(out, "%s %d %s\n", word, s->slot, s->salt ? s->salt : "-");
}

static void
format_words(struct str *out, const char *word, const struct argv *a)
{
	for (size_t i = 0; i < a->n; i++)
		str_addf(out, "%s %s\n", word, a->at[i]);
}

void
journal_format(const struct journal_notes *l, struct str *out)
{
	str_add(out, JOURNAL_HEAD "\n");
	for (size_t i = 0; i < l->n; i++) {
		const struct journal_note *n = &l->at[i];

		str_addf(out, "disk %s\nadmin %s\nuuid %s\n", n->disk, n->admin, n->uuid);
		format_slot(out, "own", &n->own);
		format_slot(out, "spare", &n->spare);
		format_words(out, "staged", &n->staged);
		format_words(out, "mixed", &n->mixed);
		format_words(out, "had", &n->had);
		format_words(out, "opened", &n->opened);
		format_words(out, "doubted", &n->doubted);
		format_words(out, "dead", &n->dead);
		if (n->promoted)
			str_add(out, "promoted\n");
		str_add(out, "end\n");
	}
}

static bool
parse_slot(const char *value, struct journal_slot *out)
{
	char *end;
	long slot = strtol(value, &end, 10);

	if (end == value || *end != ' ' || end[1] == '\0' || slot < 0 || slot > 31 ||
	    out->slot != JOURNAL_NO_SLOT)
		return false;
	out->slot = (int)slot;
	out->salt = strcmp(end + 1, "-") == 0 ? NULL : mem_strdup(end + 1);
	return true;
}

static bool
parse_text(const char *value, char **out)
{
	if (*out || !*value)
		return false;
	*out = mem_strdup(value);
	return true;
}

static bool
parse_word(const char *value, struct argv *out)
{
	argv_add(out, value);
	return *value != '\0';
}

/* One line of a note; *open is the note that it belongs to, NULL between notes. */
static bool
parse_line(char *line, struct journal_notes *l, struct journal_note **open)
{
	char *space = strchr(line, ' ');
	const char *value = space ? space + 1 : "";
	struct journal_note *n = *open;

	if (space)
		*space = '\0';
	if (!n) {
		*open = journal_notes_add(l);
		return strcmp(line, "disk") == 0 && parse_text(value, &(*open)->disk);
	}
	if (strcmp(line, "admin") == 0)
		return parse_text(value, &n->admin);
	if (strcmp(line, "uuid") == 0)
		return parse_text(value, &n->uuid);
	if (strcmp(line, "own") == 0)
		return parse_slot(value, &n->own);
	if (strcmp(line, "spare") == 0)
		return parse_slot(value, &n->spare);
	if (strcmp(line, "staged") == 0)
		return parse_word(value, &n->staged);
	if (strcmp(line, "mixed") == 0)
		return parse_word(value, &n->mixed);
	if (strcmp(line, "had") == 0)
		return parse_word(value, &n->had);
	if (strcmp(line, "opened") == 0)
		return parse_word(value, &n->opened);
	if (strcmp(line, "doubted") == 0)
		return parse_word(value, &n->doubted);
	if (strcmp(line, "dead") == 0)
		return parse_word(value, &n->dead);
	if (strcmp(line, "promoted") == 0)
		return n->promoted = !space;
	*open = NULL;
	return strcmp(line, "end") == 0 && !space && n->admin && n->uuid;
}

/* What journal_parse goes through the lines with. */
struct parsing {
	struct journal_notes notes;
	struct journal_note *open;
};

static bool
take_line(void *arg, char *line)
{
	struct parsing *p = arg;

	return parse_line(line, &p->notes, &p->open);
}

bool
journal_parse(struct bytes text, struct journal_notes *out, struct err *e)
{
	struct parsing p = { 0 };

	if (state_file_lines(text, JOURNAL_HEAD, take_line, &p, e) &&
	    (!p.open || err_set(e, ERR_DATA, "the last note has no end"))) {
		*out = p.notes;
		return true;
	}
	journal_notes_done(&p.notes);
	return false;
}

bool
journal_open(const char *dir, struct journal **out, struct err *e)
{
	AUTO(journal_drop) struct journal *j = mem_alloc(1, sizeof(*j));

	if (!state_file_open(dir, JOURNAL_NAME, true, &j->file, e))
		return false;
	*out = TAKE(j);
	return true;
}

void
journal_free(struct journal *j)
{
	if (!j)
		return;
	state_file_done(&j->file);
	free(j);
}

static bool
read_locked(struct journal *j, struct journal_notes *out, struct err *e)
{
	AUTO(str_done) struct str text = { 0 };
	bool there = false;

	if (!state_file_read(&j->file, &there, &text, e))
		return false;
	return !there || journal_parse(str_bytes(&text), out, e) || state_file_blame(&j->file, e);
}

bool
journal_read(struct journal *j, struct journal_notes *out, struct err *e)
{
	if (!state_file_lock(&j->file, false, e))
		return false;
	bool ok = read_locked(j, out, e);

	state_file_unlock(&j->file);
	return ok;
}

/* All notes but those of the same disk and admin as one of `gone`. */
static void
copy_others(const struct journal_notes *from, const struct journal_notes *gone,
    struct journal_notes *out)
{
	for (size_t i = 0; i < from->n; i++)
		if (!journal_notes_find(gone, from->at[i].disk, from->at[i].admin))
			journal_notes_copy(out, &from->at[i]);
}

/* Take out the notes of the same disks and admins; put these in their place if `put`. */
static bool
change_locked(struct journal *j, const struct journal_notes *notes, bool put, struct err *e)
{
	AUTO(journal_notes_done) struct journal_notes old = { 0 }, new = { 0 };
	AUTO(str_done) struct str text = { 0 };

	if (!read_locked(j, &old, e))
		return false;
	copy_others(&old, notes, &new);
	for (size_t i = 0; put && i < notes->n; i++)
		journal_notes_copy(&new, &notes->at[i]);
	journal_format(&new, &text);
	return state_file_replace(&j->file, str_bytes(&text), e);
}

static bool
change(struct journal *j, const struct journal_notes *notes, bool put, struct err *e)
{
	if (notes->n == 0)
		return true;
	if (!state_file_lock(&j->file, true, e))
		return false;
	bool ok = change_locked(j, notes, put, e);

	state_file_unlock(&j->file);
	return ok;
}

bool
journal_write(struct journal *j, const struct journal_notes *notes, struct err *e)
{
	return change(j, notes, true, e);
}

bool
journal_strike(struct journal *j, const struct journal_notes *notes, struct err *e)
{
	return change(j, notes, false, e);
}
