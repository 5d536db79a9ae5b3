/* SPDX-License-Identifier: MIT */
/*
 * pins: what this machine remembers of hosts and admins since it first used them, so that a change
 * in the shared directory is not taken up silently. A pin is a name and fields of words, whose
 * meaning lies with the caller; words may hold every byte but NUL. The file lies beside the journal,
 * is durable when a call returns, and two processes may use it at once.
 */
#ifndef STATE_PINS_H
#define STATE_PINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/err.h"
#include "base/str.h"

enum pin_kind { PIN_ADMIN, PIN_HOST, PIN_SLOT };

struct pin_field {
	char *name; /* one word, not empty */
	struct argv words;
};

struct pin {
	enum pin_kind kind;
	char *name;    /* an admin's, for his key or his slot, or a host's path; not empty */
	int64_t since; /* seconds since 1970, not negative: when it was remembered so */
	struct pin_field *fields; /* sorted by name, each once */
	size_t n;
};

/* Owns its pins, sorted by kind and name, each once. Zero-initialize. */
struct pins {
	struct pin *at;
	size_t n;
};

void pins_done(struct pins *l);

/*
 * A pin without fields, in place of one of the same kind and name. Valid until
 * the next call.
 */
struct pin *pins_put(struct pins *l, enum pin_kind kind, const char *name, int64_t since);

/* One like `from`, which is not in `to`; else as pins_put. */
struct pin *pins_copy(struct pins *to, const struct pin *from);

/* NULL if there is none. */
const struct pin *pins_find(const struct pins *l, enum pin_kind kind, const char *name);

/* The words of this field, made without any if it is new: to be added to before the next call. */
struct argv *pin_field(struct pin *p, const char *name);

/* NULL: there is no such field, or no pin. */
const struct argv *pin_words(const struct pin *p, const char *name);

/* A field that is not what it was. NULL: the field was not there, or is not. */
struct pin_change {
	const char *field;
	const struct argv *was, *is;
};

/* Borrows from the pins compared. */
struct pin_changes {
	struct pin_change *at;
	size_t n;
};

void pin_changes_done(struct pin_changes *c);

/* Append each field that differs, sorted by name. `was` may be NULL: then each field is new. */
void pin_compare(const struct pin *was, const struct pin *is, struct pin_changes *out);

/*
 * All pins of the state directory `dir`, which need not be there. ERR_DATA, naming file and line,
 * where the file is damaged; ERR_SYSTEM where it cannot be read. Makes nothing.
 */
MUST_CHECK bool pins_read(const char *dir, struct pins *out, struct err *e);

/*
 * Remember these, too; where one of the same kind and name is there, it stays, or goes if
 * `replace`. Makes the directory (0700); writes nothing if nothing changes.
 */
MUST_CHECK bool pins_write(const char *dir, const struct pins *pins, bool replace, struct err *e);

/* The text form; pure. There is one text for the same pins, and no other is taken for them. */
void pins_format(const struct pins *l, struct str *out);
MUST_CHECK bool pins_parse(struct bytes text, struct pins *out, struct err *e);

#endif
