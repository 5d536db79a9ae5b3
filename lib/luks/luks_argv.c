/* SPDX-License-Identifier: MIT */
/* luks_argv: settings to words; what settings leave open is decided here. */
#include "luks/luks_argv.h"

#include "luks/luks.h"

void
luks_argv_pbkdf(struct argv *out, const char *pbkdf, unsigned version)
{
	if (!pbkdf) {
		argv_add(out, "--pbkdf=pbkdf2");
		argv_add(out, "--hash=sha512");
		argv_addf(out, "--pbkdf-force-iterations=%d", LUKS_ITERATIONS);
	} else if (version == 2) {
		argv_addf(out, "--pbkdf=%s", pbkdf);
	}
}

unsigned
luks_argv_version(const struct luks_format *f)
{
	return str_equal(f->type, "luks1") ? 1 : 2;
}

void
luks_argv_format(struct argv *out, const struct luks_format *f)
{
	unsigned version = luks_argv_version(f);

	argv_addf(out, "--type=luks%u", version);
	argv_addf(out, "--uuid=%s", f->uuid);
	argv_addf(out, "--cipher=%s", f->cipher ? f->cipher : "aes-xts-plain64");
	argv_addf(out, "--key-size=%u", f->key_size ? f->key_size : 512);
	if (f->sector_size && version == 2)
		argv_addf(out, "--sector-size=%u", f->sector_size);
	luks_argv_pbkdf(out, f->pbkdf, version);
}
