/* SPDX-License-Identifier: MIT */
/*
 * luks/luks_dump: 'r' and a dump as it is; 'l' and a label, 't' and the type of a token, which
 * stand in a dump where whoever writes to the disk chooses them: whatever they hold, the header
 * is understood as without them or not at all.
 */
#include "luks/luks_dump.h"

#include <string.h>
#include "fuzz.h"
#include "luks/luks.h"

#define SALT "\tSalt:       1b a4 8d 8f 3b 0a 6e 5d 07 4c 5f 39 11 ea 80 21 \n" \
	     "\t            8d 3c 21 04 bd d4 11 0a d4 6b 0f 77 88 1f 29 5a \n"

/* As cryptsetup prints it, around what is not its own. */
static const char before_label[] =
	"LUKS header information\nVersion:       \t2\nEpoch:         \t5\n"
	"Metadata area: \t16384 [bytes]\nKeyslots area: \t16744448 [bytes]\n"
	"UUID:          \t0e64b5d3-3b0c-4e6d-9b3d-1f6f0a1c2d3e\nLabel:         \t";
static const char before_token[] =
	"\nSubsystem:     \t(no subsystem)\nFlags:       \t(no flags)\n\n"
	"Data segments:\n  0: crypt\n\toffset: 16777216 [bytes]\n\tlength: (whole device)\n"
	"\tcipher: aes-xts-plain64\n\tsector: 512 [bytes]\n\n"
	"Keyslots:\n"
	"  3: luks2\n\tKey:        512 bits\n\tPriority:   normal\n\tCipher:     aes-xts-plain64\n"
	"\tCipher key: 512 bits\n\tPBKDF:      pbkdf2\n\tHash:       sha512\n"
	"\tIterations: 1000\n" SALT "\tAF stripes: 4000\n\tAF hash:    sha512\n"
	"\tArea offset:32768 [bytes]\n\tArea length:258048 [bytes]\n\tDigest ID:  0\n"
	"Tokens:\n  0: ";
static const char behind_token[] =
	"\n\tKeyslot:    3\nDigests:\n  0: pbkdf2\n\tHash:       sha256\n\tIterations: 1000\n" SALT
	"\tDigest:     6b 4e 10 9d 7d 40 d0 05 4a 9b 3c f6 f1 5e 22 0d \n"
	"\t            0f 2a 6d 8f 55 6b 5e 8f 1e 44 5a 22 e7 13 c1 70 \n";

static void
expect_sound_slot(const struct luks_slot *s, const struct luks_header *h)
{
	size_t n = strnlen(s->salt, sizeof(s->salt));

	EXPECT(n < sizeof(s->salt) && n % 2 == 0);
	EXPECT(strnlen(s->kdf, sizeof(s->kdf)) < sizeof(s->kdf));
	EXPECT(strspn(s->salt, "0123456789abcdef") == n);
	fuzz_expect_printable(s->kdf);
	EXPECT(h->version != 1 || !s->active || (n == 64 && strcmp(s->kdf, "pbkdf2") == 0));
	EXPECT(s->active || (n == 0 && s->iterations == 0));
}

static void
expect_sound(const struct luks_header *h)
{
	EXPECT(h->version == 1 || h->version == 2);
	EXPECT(h->n_slots == (h->version == 1 ? 8 : 32));
	EXPECT(strlen(h->uuid) == LUKS_UUID_LEN);
	EXPECT(strspn(h->uuid, "0123456789abcdef-") == LUKS_UUID_LEN);
	EXPECT(h->cipher[0] && strlen(h->cipher) < sizeof(h->cipher));
	fuzz_expect_printable(h->cipher);
	EXPECT(h->key_bits % 8 == 0 && h->key_bits <= 8192);
	EXPECT(h->sector_size >= 512 && h->sector_size <= 4096);
	for (size_t i = 0; i < LUKS_MAX_SLOTS; i++) {
		EXPECT(i < h->n_slots || !h->slots[i].active);
		expect_sound_slot(&h->slots[i], h);
	}
	EXPECT((luks_active(h) & ~luks_all_slots(h)) == 0);
}

static bool
parse(struct bytes text, struct luks_header *out)
{
	struct err e = { 0 };
	bool ok;

	fuzz_paint(out, sizeof(*out));
	ok = luks_dump_parse(text, out, &e);
	if (ok) {
		expect_sound(out);
	} else {
		EXPECT(fuzz_is_painted(out, sizeof(*out)));
		EXPECT(e.kind == ERR_DISK);
		fuzz_expect_error(&e);
	}
	return ok;
}

/* Does it make no difference to what is understood? */
static void
expect_powerless(struct bytes label, struct bytes token)
{
	AUTO(str_done) struct str plain = { 0 }, text = { 0 };
	struct luks_header want, got;

	str_addf(&plain, "%s(no label)%sclevis%s", before_label, before_token, behind_token);
	EXPECT(parse(str_bytes(&plain), &want));
	str_add(&text, before_label);
	str_add_bytes(&text, label);
	str_add(&text, before_token);
	str_add_bytes(&text, token);
	str_add(&text, behind_token);
	if (parse(str_bytes(&text), &got))
		EXPECT(memcmp(&got, &want, sizeof(got)) == 0);
}

void
fuzz_one(struct bytes in)
{
	struct luks_header h;
	unsigned form = fuzz_take(&in);

	if (form == 'l')
		expect_powerless(in, bytes_of("clevis"));
	else if (form == 't')
		expect_powerless(bytes_of("(no label)"), in);
	else
		EXPECT(parse(in, &h) || true);
}
