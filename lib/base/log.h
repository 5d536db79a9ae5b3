/* SPDX-License-Identifier: MIT */
/*
 * log: one line, one write, to stderr. Levels are the person's: error (it
 * failed), warning (went on and says so), info (what was done), debug (-v and
 * up). lib/ and keystore/ log at debug only; what a person must hear they
 * return or hand to a callback. A line begins with "error: ", "warning: ",
 * nothing, or "debug: "; what could upset a terminal becomes \xNN, and what is
 * over 4000 bytes loses its middle. errno stays as it was. Any thread.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/err.h"

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

/* These three before threads start. */
void log_set_level(enum log_level most); /* default LOG_INFO */
void log_set_colour(bool on);		 /* "error:" red, "warning:" yellow; default off */
/* Called before each line that is written, on its thread; NULL: nothing is. */
void log_set_before(void (*before)(void));
enum log_level log_get_level(void);
void log_line(enum log_level level, const char *fmt, ...) PRINTF(2, 3);
#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)

#endif
