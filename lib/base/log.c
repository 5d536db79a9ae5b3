/* SPDX-License-Identifier: MIT */
/*
 * log: a line is built in one buffer and leaves in one write, so lines of
 * several threads do not mix. The whole text is treated as foreign: what
 * could upset a terminal is shown as \xNN, what is too long loses its middle.
 */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <unistd.h>
#include "base/file.h"
#include "base/str.h"

#define LINE_MAX_BYTES 4096 /* PIPE_BUF: up to here a write is not torn */

static enum log_level most_shown = LOG_INFO;
static bool colour;
static void (*before_line)(void);

void
log_set_level(enum log_level most)
{
	most_shown = most;
}

void
log_set_colour(bool on)
{
	colour = on;
}

void
log_set_before(void (*before)(void))
{
	before_line = before;
}

enum log_level
log_get_level(void)
{
	return most_shown;
}

static void
add_harmless(struct str *line, struct bytes text)
{
	const char *p = text.ptr;

	for (size_t i = 0, n; i < text.len; i += n ? n : 1) {
		n = str_printable(p + i, text.len - i);
		if (n > 0)
			str_add_bytes(line, (struct bytes){ p + i, n });
		else
			str_addf(line, "\\x%02x", (unsigned char)p[i]);
	}
}

void
log_line(enum log_level level, const char *fmt, ...)
{
	static const char *const prefix[][2] = {
		[LOG_ERROR] = { "error: ", "\033[31merror:\033[0m " },
		[LOG_WARNING] = { "warning: ", "\033[33mwarning:\033[0m " },
		[LOG_INFO] = { "", "" },
		[LOG_DEBUG] = { "debug: ", "debug: " },
	};
	AUTO(str_done) struct str text = { 0 }, line = { 0 };
	int saved = errno;
	va_list args;

	if (level > most_shown)
		return;
	va_start(args, fmt);
	str_addv(&text, fmt, args);
	va_end(args);
	str_add(&line, prefix[level][colour]);
	add_harmless(&line, str_bytes(&text));
	str_shorten(&line, LINE_MAX_BYTES - 1);
	str_add_char(&line, '\n');
	if (before_line)
		before_line();
	file_write_all(STDERR_FILENO, str_bytes(&line));
	errno = saved;
}
