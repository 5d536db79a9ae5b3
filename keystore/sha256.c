/* SPDX-License-Identifier: MIT */
/*
 * sha256: libgcrypt's, since GPG's libraries bring it along anyway. What is
 * hashed is an encrypted message, or a stream that libgcrypt reads from where it lies, in locked
 * memory: its own state holds no more of that than a sum.
 */
#include "keystore/sha256.h"

#include <gcrypt.h>

static void
prepare(void)
{
	if (gcry_control(GCRYCTL_INITIALIZATION_FINISHED_P))
		return;
	gcry_check_version(NULL);
	gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
	gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
}

void
sha256_hex(struct bytes b, char out[65])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char hash[32];

	prepare();
	gcry_md_hash_buffer(GCRY_MD_SHA256, hash, b.ptr, b.len);
	for (size_t i = 0; i < sizeof(hash); i++) {
		out[2 * i] = digits[hash[i] >> 4];
		out[2 * i + 1] = digits[hash[i] & 15];
	}
	out[64] = '\0';
}
