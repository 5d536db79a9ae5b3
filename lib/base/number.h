/* SPDX-License-Identifier: MIT */
/* number: numbers and times as people write them, in files and on the command line. Pure. */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

struct str;

/* What number_duration takes, for error texts. */
#define NUMBER_DURATION "a time from 1s to 24h, such as 90, 90s or 2m"

/* Plain decimal digits without a leading zero, at most `max`. False: *out stays as it is. */
bool number_plain(const char *text, unsigned max, unsigned *out);

/* "90", "90s", "2m" or "1h", from a second to a day, in milliseconds. The same. */
bool number_duration(const char *text, int64_t *out_ms);

/* The same back, as short as it can be said: "90s", "15m", "1h". */
void number_add_duration(int64_t ms, struct str *out);

#endif
