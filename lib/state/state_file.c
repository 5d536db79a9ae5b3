/* SPDX-License-Identifier: MIT */
/* What the files of this room have in common: place, lock, replacement, and the walk over lines. */
#include "state/state_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/file.h"
#include "base/mem.h"

#define MAX_BYTES ((size_t)64 << 20)
#define LOCK_MS 30000

bool
state_file_open(const char *dir, const char *name, bool make, struct state_file *out, struct err *e)
{
	*out = (struct state_file){ .dir = -1, .path = mem_strdup(dir), .name = name };
	if ((make && !file_make_dirs(dir, 0700, e)) || !file_open_dir(dir, &out->dir, e)) {
		int code = errno;

		err_wrap(e, "the state directory");
		e->kind = ERR_SYSTEM;
		errno = code;
		return false;
	}
	return true;
}

void
state_file_done(struct state_file *f)
{
	fd_drop(&f->dir);
	free(f->path);
	f->path = NULL;
}

bool
state_file_lock(struct state_file *f, bool exclusive, struct err *e)
{
	return file_lock(f->dir, exclusive, LOCK_MS, e) || err_wrap(e, "%s", f->path);
}

void
state_file_unlock(struct state_file *f)
{
	file_unlock(f->dir);
}

bool
state_file_blame(const struct state_file *f, struct err *e)
{
	return err_wrap(e, "%s/%s", f->path, f->name);
}

bool
state_file_read(const struct state_file *f, bool *there, struct str *out, struct err *e)
{
	struct err why = { 0 };

	*there = file_read_at(f->dir, f->name, MAX_BYTES, out, &why);
	if (*there || (why.kind == ERR_SYSTEM && errno == ENOENT))
		return true;
	*e = why;
	return state_file_blame(f, e);
}

bool
state_file_replace(const struct state_file *f, struct bytes text, struct err *e)
{
	struct file_place at = { .tmp_dir = f->dir, .dir = f->dir, .name = f->name, .mode = 0600 };

	file_sweep(f->dir);
	if (text.len > MAX_BYTES)
		err_set(e, ERR_SYSTEM, "it would be larger than can be read again");
	else if (file_replace(&at, text, e))
		return true;
	return state_file_blame(f, e);
}

/* The first line: of this kind and version, of another version, or something else. */
static bool
check_head(const char *line, const char *head, struct err *e)
{
	size_t kind = (size_t)(strrchr(head, ' ') + 1 - head), digits;

	if (strcmp(line, head) == 0)
		return true;
	digits = strncmp(line, head, kind) == 0 ? strspn(line + kind, "0123456789") : 0;
	if (digits > 0 && line[kind + digits] == '\0')
		return err_set(e, ERR_DATA,
		    "it was written by another version of arver (%.40s): use that one, or a newer one",
		    line);
	return err_set(e, ERR_DATA, "line 1 is not understood");
}

bool
state_file_lines(struct bytes text, const char *head, bool (*take)(void *arg, char *line),
    void *arg, struct err *e)
{
	AUTO(mem_free_drop) char *copy = mem_strndup(text.ptr ? text.ptr : "", text.len);
	char *rest = copy;
	unsigned number = 0;

	if (text.ptr && memchr(text.ptr, '\0', text.len)) /* as a power cut may leave it */
		return err_set(e, ERR_DATA, "there are zero bytes in it");
	for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
		number++;
		if (rest == NULL && *line == '\0' && number > 1)
			break; /* behind the last newline */
		if (number == 1 ? !check_head(line, head, e) : !take(arg, line))
			return number == 1 ? false : err_set(e, ERR_DATA,
			    "line %u is not understood", number);
	}
	return true;
}
