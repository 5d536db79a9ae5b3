/* SPDX-License-Identifier: MIT */
/* luks/luks_probe: the first byte is blkid's exit status, the rest what it printed. */
#include "luks/luks_probe.h"

#include <string.h>
#include "fuzz.h"
#include "luks/luks.h"

/* Is there a line that begins like this? */
static bool
has_line(struct bytes text, const char *begin)
{
	size_t n = strlen(begin);
	const char *p = text.ptr;

	for (size_t i = 0; i + n <= text.len; i++)
		if ((i == 0 || p[i - 1] == '\n') && memcmp(p + i, begin, n) == 0)
			return true;
	return false;
}

void
fuzz_one(struct bytes in)
{
	int status = (int)fuzz_take(&in);
	struct luks_probe p;
	struct err e = { 0 };

	fuzz_paint(&p, sizeof(p));
	if (!luks_probe_parse(status, in, &p, &e)) {
		EXPECT(fuzz_is_painted(&p, sizeof(p)));
		EXPECT(e.kind == ERR_DISK);
		fuzz_expect_error(&e);
		return;
	}
	EXPECT(status == 0 || status == 2 || status == 8);
	EXPECT(memchr(p.what, '\0', sizeof(p.what)));
	fuzz_expect_printable(p.what);
	EXPECT(p.empty == (p.what[0] == '\0'));
	if (p.empty) { /* it will be overwritten */
		EXPECT(status != 8 && !p.is_luks);
		EXPECT(status == 0 || in.len == 0 || *(const char *)in.ptr == '\n');
		EXPECT(!has_line(in, "TYPE=x") && !has_line(in, "PTTYPE=x"));
	}
	EXPECT(!p.is_luks || has_line(in, "TYPE=crypto_LUKS"));
}
