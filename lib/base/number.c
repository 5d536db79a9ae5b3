/* SPDX-License-Identifier: MIT */
/* Strict: what could be read in two ways is no number. */
#include "base/number.h"

#include <stdlib.h>
#include <string.h>
#include "base/str.h"

#define MAX_SECONDS 86400 /* of a duration */

bool
number_plain(const char *text, unsigned max, unsigned *out)
{
	size_t len = strlen(text);
	unsigned n;

	/* Nine digits fit; a leading zero means octal to other readers of YAML. */
	if (len == 0 || len > 9 || strspn(text, "0123456789") != len ||
	    (text[0] == '0' && len > 1))
		return false;
	n = (unsigned)strtoul(text, NULL, 10);
	if (n > max)
		return false;
	*out = n;
	return true;
}

bool
number_duration(const char *text, int64_t *out_ms)
{
	static const char units[] = "smh";
	static const unsigned seconds_in[] = { 1, 60, 3600 };
	size_t len = strspn(text, "0123456789");
	const char *unit = text[len] ? strchr(units, text[len]) : units;
	char digits[12] = ""; /* more than number_plain takes */
	unsigned n = 0;

	if (len < sizeof(digits))
		memcpy(digits, text, len);
	if (!unit || (text[len] && text[len + 1]) ||
	    !number_plain(digits, MAX_SECONDS / seconds_in[unit - units], &n) || n == 0)
		return false;
	*out_ms = (int64_t)n * seconds_in[unit - units] * 1000;
	return true;
}

void
number_add_duration(int64_t ms, struct str *out)
{
	long long s = ms / 1000;

	if (s >= 3600 && s % 3600 == 0)
		str_addf(out, "%lldh", s / 3600);
	else if (s >= 60 && s % 60 == 0)
		str_addf(out, "%lldm", s / 60);
	else
		str_addf(out, "%llds", s);
}
