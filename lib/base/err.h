/* SPDX-License-Identifier: MIT */
/*
 * err: what went wrong, as a kind that a caller can act on and one sentence
 * for the person. Who knows writes it, each level above may put context in
 * front, and the program alone prints it. No text ever holds a secret.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>
#include <stddef.h>

#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define MUST_CHECK __attribute__((warn_unused_result))

enum err_kind {
	ERR_NONE = 0,
	ERR_SYSTEM,    /* a file, a process, the machine */
	ERR_USAGE,     /* the command line, an unknown or ambiguous target */
	ERR_DATA,      /* users, disks, settings, config or key store not valid */
	ERR_GPG,       /* my own GPG key cannot be used */
	ERR_REFUSED,   /* refused for safety: needs --force or --violence */
	ERR_CHANGED,   /* not as this machine remembers it: needs --accept-changes; nothing was begun */
	ERR_CANCELLED, /* the person said no, or interrupted */
	ERR_HOST,      /* host not reached: nothing was begun on it */
	ERR_AWAY,      /* the same, because it does not answer: it may do so later */
	ERR_LOST,      /* connection lost or deadline over: what happened is unknown */
	ERR_KEY,       /* no key slot takes this key */
	ERR_DISK,      /* device, header or mapping not as it must be */
	ERR_HOOK,      /* a hook failed */
};

/* Plain data that the caller owns: `struct err e = { 0 };`, no clean-up. */
struct err {
	enum err_kind kind;
	char text[512]; /* one sentence; if longer, its middle is missing */
};

/*
 * Write the kind and the sentence. `e` may be NULL. Control characters that
 * came in through %s are replaced by '?'. Returns false, always, so that
 * failing is one line.
 */
bool err_set(struct err *e, enum err_kind kind, const char *fmt, ...) PRINTF(3, 4);

/* The same, with ": " and the text of errno value `code` behind the sentence. */
bool err_errno(struct err *e, enum err_kind kind, int code, const char *fmt, ...) PRINTF(4, 5);

/* Put "context: " in front of the sentence; the kind stays. Returns false. */
bool err_wrap(struct err *e, const char *fmt, ...) PRINTF(2, 3);

#endif
