/* SPDX-License-Identifier: MIT */
/* arver/config: the file ~/.arver. */
#include "arver/config.h"

#include <stdlib.h>
#include <string.h>
#include "arver/options.h"
#include "fuzz.h"

static bool
is_time(int64_t ms)
{
	return ms == 0 || (ms % 1000 == 0 && ms >= 1000 && ms <= (int64_t)86400 * 1000);
}

static void
set_home(void)
{
	static bool done;

	if (done)
		return;
	setenv("HOME", fuzz_dir(), 1);
	unsetenv("XDG_STATE_HOME");
	unsetenv("ARVER_USER");
	unsetenv("ARVER_DIR");
	done = true;
}

void
fuzz_one(struct bytes in)
{
	AUTO(config_done) struct config c = { 0 };
	struct options o = { 0 };
	struct err e = { 0 };

	set_home();
	fuzz_write(".arver", in);
	if (!config_load(&o, &c, &e)) {
		EXPECT(e.kind == ERR_DATA);
		fuzz_expect_error(&e);
		EXPECT(strstr(e.text, ".arver"));
		return;
	}
	EXPECT(c.path && c.config_dir && c.state_home);
	EXPECT(c.jobs <= 1000);
	EXPECT(is_time(c.connect_ms) && is_time(c.command_ms) && is_time(c.hook_ms));
	fuzz_expect_printable(c.config_dir);
	fuzz_expect_printable(c.username ? c.username : "");
}
