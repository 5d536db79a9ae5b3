/* SPDX-License-Identifier: MIT */
/*
 * err: a sentence is built in a buffer of its own and then copied, so that the
 * old text may be an argument of the new one. What could upset a terminal
 * becomes '?'; what does not fit is taken out of its middle, where paths are: the
 * reason stands at the end.
 */
#include "base/err.h"

#include <stdarg.h>
#include <string.h>
#include "base/str.h"

/* What could upset a terminal becomes '?'. */
static void
make_harmless(struct str *text)
{
	for (size_t i = 0, n; i < text->len; i += n ? n : 1) {
		n = str_printable(text->ptr + i, text->len - i);
		if (n == 0)
			text->ptr[i] = '?';
	}
}

/* The sentence and, for an errno value, what that means. */
static void
set(struct err *e, enum err_kind kind, int code, const char *fmt, va_list args)
{
	AUTO(str_done) struct str text = { 0 };
	char buf[128]; /* libc's texts are below 64 bytes */

	str_addv(&text, fmt, args);
	if (code)
		str_addf(&text, ": %s", strerror_r(code, buf, sizeof(buf)));
	make_harmless(&text);
	str_shorten(&text, sizeof(e->text) - 1);
	e->kind = kind;
	memcpy(e->text, str_text(&text), text.len + 1);
}

bool
err_set(struct err *e, enum err_kind kind, const char *fmt, ...)
{
	va_list args;

	if (!e)
		return false;
	va_start(args, fmt);
	set(e, kind, 0, fmt, args);
	va_end(args);
	return false;
}

bool
err_errno(struct err *e, enum err_kind kind, int code, const char *fmt, ...)
{
	va_list args;

	if (!e)
		return false;
	va_start(args, fmt);
	set(e, kind, code, fmt, args);
	va_end(args);
	return false;
}

bool
err_wrap(struct err *e, const char *fmt, ...)
{
	AUTO(str_done) struct str context = { 0 };
	va_list args;

	if (!e)
		return false;
	va_start(args, fmt);
	str_addv(&context, fmt, args);
	va_end(args);
	return err_set(e, e->kind, "%s: %s", str_text(&context), e->text);
}
