/* SPDX-License-Identifier: MIT */
/*
 * err: a sentence is built in a buffer of its own and then copied, so that the
 * old text may be an argument of the new one. What could upset a terminal
 * becomes '?'; what does not fit is cut between two characters, not inside one.
 */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "base/str.h"

/* Copy `from` to e->text, made harmless and cut to its size. */
static void
put_text(struct err *e, const char *from)
{
	size_t left = strlen(from), n = 0;

	while (left > 0) {
		size_t len = str_printable(from, left);
		size_t step = len > 0 ? len : 1;

		if (n + step >= sizeof(e->text))
			break;
		if (len > 0)
			memcpy(e->text + n, from, len);
		else
			e->text[n] = '?';
		n += step;
		from += step;
		left -= step;
	}
	e->text[n] = '\0';
}

bool
err_set(struct err *e, enum err_kind kind, const char *fmt, ...)
{
	char text[2 * sizeof(e->text)];
	va_list args;

	if (!e)
		return false;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	e->kind = kind;
	put_text(e, text);
	return false;
}

bool
err_errno(struct err *e, enum err_kind kind, int code, const char *fmt, ...)
{
	char text[2 * sizeof(e->text)], buf[128]; /* libc's texts are below 64 bytes */
	va_list args;

	if (!e)
		return false;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return err_set(e, kind, "%s: %s", text, strerror_r(code, buf, sizeof(buf)));
}

bool
err_wrap(struct err *e, const char *fmt, ...)
{
	char context[sizeof(e->text)];
	va_list args;

	if (!e)
		return false;
	va_start(args, fmt);
	vsnprintf(context, sizeof(context), fmt, args);
	va_end(args);
	return err_set(e, e->kind, "%s: %s", context, e->text);
}
