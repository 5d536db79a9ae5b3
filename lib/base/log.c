/* SPDX-License-Identifier: MIT */
/*
 * log: a line is built in one buffer and leaves in one write, so lines of
 * several threads do not mix. The whole text is treated as foreign: what
 * could upset a terminal is shown as \xNN, what is too long ends in "...".
 */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
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

/* Copy text behind the n bytes in line, made harmless; returns the new length. */
static size_t
add_harmless(char *line, size_t n, const char *text)
{
	const size_t room = LINE_MAX_BYTES - sizeof("\\xNN...\n");
	size_t left = strlen(text);

	while (left > 0) {
		size_t len = str_printable(text, left), step = len > 0 ? len : 1;

		if (n >= room)
			return n + (size_t)sprintf(line + n, "...");
		if (len > 0)
			memcpy(line + n, text, len);
		else
			sprintf(line + n, "\\x%02x", (unsigned char)*text);
		n += len > 0 ? len : 4;
		text += step;
		left -= step;
	}
	return n;
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
	char text[LINE_MAX_BYTES], line[LINE_MAX_BYTES];
	int saved = errno;
	va_list args;
	size_t n;

	if (level > most_shown)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	n = (size_t)sprintf(line, "%s", prefix[level][colour]);
	n = add_harmless(line, n, text);
	line[n++] = '\n';
	if (before_line)
		before_line();
	file_write_all(STDERR_FILENO, (struct bytes){ line, n });
	errno = saved;
}
