/* SPDX-License-Identifier: MIT */
/*
 * The journal's file: one line per fact, a note from "disk" to "end". It is
 * read, changed and replaced as a whole under a lock on its directory.
 */
#include "state/journal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include "base/file.h"

#define JOURNAL_NAME "journal"
#define JOURNAL_HEAD "arver-journal 1"
#define JOURNAL_MAX_BYTES ((size_t)64 << 20)
#define JOURNAL_LOCK_MS 30000

struct journal {
	int dir;
	char *path;
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

static char *
copy_text(const char *s)
{
	return s ? mem_strdup(s) : NULL;
}

static void
copy_words(struct argv *to, const struct argv *from)
{
	for (size_t i = 0; i < from->n; i++)
		argv_add(to, from->at[i]);
}

void
journal_notes_copy(struct journal_notes *l, const struct journal_note *from)
{
	struct journal_note *n = journal_notes_add(l);

	n->disk = copy_text(from->disk);
	n->admin = copy_text(from->admin);
	n->uuid = copy_text(from->uuid);
	n->own = (struct journal_slot){ from->own.slot, copy_text(from->own.salt) };
	n->spare = (struct journal_slot){ from->spare.slot, copy_text(from->spare.salt) };
	n->promoted = from->promoted;
	copy_words(&n->staged, &from->staged);
	copy_words(&n->mixed, &from->mixed);
	copy_words(&n->had, &from->had);
	copy_words(&n->opened, &from->opened);
	copy_words(&n->doubted, &from->doubted);
	copy_words(&n->dead, &from->dead);
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

bool
journal_parse(struct bytes text, struct journal_notes *out, struct err *e)
{
	AUTO(journal_notes_done) struct journal_notes l = { 0 };
	AUTO(mem_free_drop) char *copy = mem_strndup(text.ptr ? text.ptr : "", text.len);
	struct journal_note *open = NULL;
	char *rest = copy;
	unsigned number = 0;

	if (text.ptr && memchr(text.ptr, '\0', text.len)) /* as a power cut may leave it */
		return err_set(e, ERR_DATA, "there are zero bytes in it");
	for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
		number++;
		if (rest == NULL && *line == '\0' && number > 1)
			break; /* behind the last newline */
		if (number == 1 ? strcmp(line, JOURNAL_HEAD) != 0 : !parse_line(line, &l, &open))
			return err_set(e, ERR_DATA, "line %u is not understood", number);
	}
	if (open)
		return err_set(e, ERR_DATA, "the last note has no end");
	*out = l;
	l = (struct journal_notes){ 0 };
	return true;
}

bool
journal_open(const char *dir, struct journal **out, struct err *e)
{
	AUTO(journal_drop) struct journal *j = mem_alloc(1, sizeof(*j));

	j->dir = -1;
	j->path = mem_strdup(dir);
	if (!file_make_dirs(dir, 0700, e) || !file_open_dir(dir, &j->dir, e))
		return err_wrap(e, "the state directory");
	*out = TAKE(j);
	return true;
}

void
journal_free(struct journal *j)
{
	if (!j)
		return;
	fd_drop(&j->dir);
	free(j->path);
	free(j);
}

static bool
read_locked(struct journal *j, struct journal_notes *out, struct err *e)
{
	AUTO(str_done) struct str text = { 0 };

	if (!file_exists_at(j->dir, JOURNAL_NAME))
		return true;
	return (file_read_at(j->dir, JOURNAL_NAME, JOURNAL_MAX_BYTES, &text, e) &&
		   journal_parse(str_bytes(&text), out, e)) ||
	       err_wrap(e, "%s/" JOURNAL_NAME, j->path);
}

bool
journal_read(struct journal *j, struct journal_notes *out, struct err *e)
{
	if (!file_lock(j->dir, false, JOURNAL_LOCK_MS, e))
		return err_wrap(e, "%s", j->path);
	bool ok = read_locked(j, out, e);

	file_unlock(j->dir);
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
	struct file_place at = { .tmp_dir = j->dir, .dir = j->dir, .name = JOURNAL_NAME,
		.mode = 0600 };

	if (!read_locked(j, &old, e))
		return false;
	copy_others(&old, notes, &new);
	for (size_t i = 0; put && i < notes->n; i++)
		journal_notes_copy(&new, &notes->at[i]);
	journal_format(&new, &text);
	file_sweep(j->dir);
	return file_replace(&at, str_bytes(&text), e) || err_wrap(e, "%s/" JOURNAL_NAME, j->path);
}

static bool
change(struct journal *j, const struct journal_notes *notes, bool put, struct err *e)
{
	if (notes->n == 0)
		return true;
	if (!file_lock(j->dir, true, JOURNAL_LOCK_MS, e))
		return err_wrap(e, "%s", j->path);
	bool ok = change_locked(j, notes, put, e);

	file_unlock(j->dir);
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
