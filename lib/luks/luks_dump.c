/* SPDX-License-Identifier: MIT */
/*
 * luks_dump: one pass over the lines of a dump. A line at the margin is a
 * field of the header or begins a section; in a section a numbered line begins
 * an entry, and deeper ones are its fields. A table says which fields are
 * believed where, and each at most once. Fields that no rule names are passed
 * over: their number grows with every version of cryptsetup.
 */
#include "luks/luks_dump.h"

#include <ctype.h>
#include <string.h>
#include "luks/luks.h"

#define SALT_MAX 64	/* bytes; LUKS1 has 32, LUKS2 as well so far */
#define LUKS1_SLOTS 8
#define LUKS1_SALT 32

enum place { HEADER, SEGMENTS, SLOTS, TOKENS, DIGESTS, PLACES };

/* The fields that are believed, as bits of what was seen. */
enum field {
	VERSION = 1 << 0,
	UUID = 1 << 1,
	CIPHER = 1 << 2,
	MODE = 1 << 3,
	KEY_BITS = 1 << 4,
	SECTOR = 1 << 5,
	PRIORITY = 1 << 6,
	PBKDF = 1 << 7,
	ITERATIONS = 1 << 8,
	MEMORY = 1 << 9,
	SALT = 1 << 10,
};

struct dump {
	struct luks_header h;
	enum place place;
	unsigned places;	/* bits of the sections begun */
	unsigned seen;		/* fields of the header and of the first segment */
	unsigned slot_seen;	/* fields of the slot being read */
	struct luks_slot *slot;	/* NULL where none is being read */
	bool keyed;		/* that slot has a passphrase: its fields must all be there */
	uint32_t listed;	/* LUKS1 tells of empty slots too */
	bool in_salt;		/* the next line may go on with it */
	bool first_segment;
	struct err *e;
};

/* One line, cut into its parts. */
struct line {
	size_t indent;		/* blanks and tabs in front */
	struct bytes name;	/* up to the first colon; all of it where there is none */
	struct bytes value;	/* behind it, trimmed; ptr is NULL where there is no colon */
};

static bool
bad(struct dump *d, const char *what)
{
	return err_set(d->e, ERR_DISK, "the header's dump is not understood: %s", what);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct bytes
trim(const char *from, const char *end)
{
	while (from < end && is_blank(*from))
		from++;
	while (end > from && is_blank(end[-1]))
		end--;
	return (struct bytes){ from, (size_t)(end - from) };
}

static bool
is(struct bytes b, const char *text)
{
	return b.len == strlen(text) && memcmp(b.ptr, text, b.len) == 0;
}

static struct line
line_of(const char *from, const char *end)
{
	struct line l = { 0 };
	const char *start = from, *colon;

	while (from < end && is_blank(*from))
		from++;
	l.indent = (size_t)(from - start);
	colon = memchr(from, ':', (size_t)(end - from));
	l.name = trim(from, colon ? colon : end);
	if (colon)
		l.value = trim(colon + 1, end);
	return l;
}

/* A decimal number, alone or with one of the dump's units behind it. */
static bool
number_of(struct bytes b, const char *unit, uint64_t most, uint64_t *out)
{
	const char *p = b.ptr, *end = p + b.len;
	uint64_t n = 0;

	if (p == end || !isdigit((unsigned char)*p))
		return false;
	for (; p < end && isdigit((unsigned char)*p); p++) {
		n = n * 10 + (uint64_t)(*p - '0');
		if (n > most)
			return false;
	}
	*out = n;
	return p == end || is(trim(p, end), unit);
}

/* A word without anything that would need escaping, into a field of `size`. */
static bool
word_of(struct bytes b, char *out, size_t size)
{
	const char *p = b.ptr;

	if (b.len == 0 || b.len >= size)
		return false;
	for (size_t i = 0; i < b.len; i++)
		if (!isgraph((unsigned char)p[i]) || (unsigned char)p[i] > 126)
			return false;
	memcpy(out, p, b.len);
	out[b.len] = '\0';
	return true;
}

static bool
set_version(struct dump *d, struct bytes v)
{
	uint64_t n;

	if (!number_of(v, "", 2, &n) || n == 0)
		return bad(d, "version");
	d->h.version = (unsigned)n;
	d->h.n_slots = n == 1 ? LUKS1_SLOTS : LUKS_MAX_SLOTS;
	if (n == 1)
		d->h.sector_size = 512;
	return true;
}

static bool
set_uuid(struct dump *d, struct bytes v)
{
	const char *p = v.ptr;

	if (v.len != LUKS_UUID_LEN)
		return bad(d, "UUID");
	for (size_t i = 0; i < v.len; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? p[i] != '-' : !isxdigit((unsigned char)p[i]))
			return bad(d, "UUID");
		d->h.uuid[i] = (char)tolower((unsigned char)p[i]);
	}
	return true;
}

static bool
set_cipher(struct dump *d, struct bytes v)
{
	return word_of(v, d->h.cipher, sizeof(d->h.cipher)) || bad(d, "cipher");
}

/* LUKS1 tells "aes" and "xts-plain64" apart. */
static bool
set_mode(struct dump *d, struct bytes v)
{
	size_t n = strlen(d->h.cipher);

	if (n == 0 || n + 1 >= sizeof(d->h.cipher))
		return bad(d, "cipher mode");
	d->h.cipher[n] = '-';
	return word_of(v, d->h.cipher + n + 1, sizeof(d->h.cipher) - n - 1) ||
	    bad(d, "cipher mode");
}

static bool
set_key_bits(struct dump *d, struct bytes v)
{
	uint64_t n;

	if (!number_of(v, "bits", 8192, &n) || n == 0 || n % 8 != 0)
		return bad(d, "key size");
	if (d->h.key_bits == 0 && (d->h.version == 1 || d->keyed))
		d->h.key_bits = (unsigned)n;	/* the slot of a re-encryption has its own */
	return true;
}

static bool
set_sector(struct dump *d, struct bytes v)
{
	uint64_t n;

	if (!number_of(v, "[bytes]", 4096, &n) || n < 512 || (n & (n - 1)) != 0)
		return bad(d, "sector size");
	d->h.sector_size = (unsigned)n;
	return true;
}

static bool
set_priority(struct dump *d, struct bytes v)
{
	d->slot->preferred = is(v, "preferred") || is(v, "prefer");
	return d->slot->preferred || is(v, "normal") || is(v, "ignored") || is(v, "ignore") ||
	    bad(d, "priority of a slot");
}

static bool
set_pbkdf(struct dump *d, struct bytes v)
{
	return word_of(v, d->slot->kdf, sizeof(d->slot->kdf)) || bad(d, "PBKDF of a slot");
}

static bool
set_iterations(struct dump *d, struct bytes v)
{
	return number_of(v, "", UINT32_MAX, &d->slot->iterations) || bad(d, "iterations of a slot");
}

static bool
set_memory(struct dump *d, struct bytes v)
{
	return number_of(v, "", UINT32_MAX, &d->slot->memory_kib) || bad(d, "memory of a slot");
}

/* Bytes as two hexadecimal digits each; appends, since a salt takes several lines. */
static bool
set_salt(struct dump *d, struct bytes v)
{
	size_t n = strlen(d->slot->salt);
	const char *p = v.ptr, *end = p + v.len;

	while (p < end) {
		bool pair = end - p >= 2 && isxdigit((unsigned char)p[0]) &&
		    isxdigit((unsigned char)p[1]) && (end - p == 2 || p[2] == ' ');

		if (!pair || n + 2 > (size_t)SALT_MAX * 2)
			return bad(d, "salt of a slot");
		d->slot->salt[n++] = (char)tolower((unsigned char)p[0]);
		d->slot->salt[n++] = (char)tolower((unsigned char)p[1]);
		p += end - p > 2 ? 3 : 2;
	}
	d->slot->salt[n] = '\0';
	d->in_salt = true;
	return n > 0 || bad(d, "salt of a slot");
}

/* Which fields are believed: in which version, where, and what is done with them. */
static const struct rule {
	unsigned version;	/* 0: both */
	enum place place;
	const char *name;
	enum field field;
	bool (*set)(struct dump *d, struct bytes value);
} rules[] = {
	{ 0, HEADER, "Version", VERSION, set_version },
	{ 0, HEADER, "UUID", UUID, set_uuid },
	{ 1, HEADER, "Cipher name", CIPHER, set_cipher },
	{ 1, HEADER, "Cipher mode", MODE, set_mode },
	{ 1, HEADER, "MK bits", KEY_BITS, set_key_bits },
	{ 1, SLOTS, "Iterations", ITERATIONS, set_iterations },
	{ 1, SLOTS, "Salt", SALT, set_salt },
	{ 2, SEGMENTS, "cipher", CIPHER, set_cipher },
	{ 2, SEGMENTS, "sector", SECTOR, set_sector },
	{ 2, SLOTS, "Key", KEY_BITS, set_key_bits },
	{ 2, SLOTS, "Priority", PRIORITY, set_priority },
	{ 2, SLOTS, "PBKDF", PBKDF, set_pbkdf },
	{ 2, SLOTS, "Iterations", ITERATIONS, set_iterations },
	{ 2, SLOTS, "Time cost", ITERATIONS, set_iterations },
	{ 2, SLOTS, "Memory", MEMORY, set_memory },
	{ 2, SLOTS, "Salt", SALT, set_salt },
};

/* A slot is complete when the next begins, or its section ends. */
static bool
end_slot(struct dump *d)
{
	unsigned must = d->h.version == 1 ? ITERATIONS | SALT :
					    KEY_BITS | PRIORITY | PBKDF | ITERATIONS | SALT;
	const struct luks_slot *slot = d->slot;

	d->slot = NULL;
	if (!slot || !d->keyed)
		return true;
	if ((d->slot_seen & must) != must ||
	    (d->h.version == 1 && strlen(slot->salt) != (size_t)LUKS1_SALT * 2))
		return bad(d, "a slot is not complete");
	return strncmp(slot->kdf, "argon2", 6) != 0 || (d->slot_seen & MEMORY) != 0 ||
	    bad(d, "a slot is not complete");
}

static bool
begin_slot(struct dump *d, uint64_t n, bool active, bool keyed)
{
	if (!end_slot(d))
		return false;
	if (n >= d->h.n_slots || (d->listed & (UINT32_C(1) << n)) != 0)
		return bad(d, "number of a slot");
	d->listed |= UINT32_C(1) << n;
	d->slot_seen = 0;
	d->keyed = keyed;
	if (active) {
		d->slot = &d->h.slots[n];
		d->slot->active = true;
	}
	if (active && d->h.version == 1)
		memcpy(d->slot->kdf, "pbkdf2", sizeof("pbkdf2"));
	return true;
}

/* LUKS1: "Key Slot 3: ENABLED", at the margin. */
static bool
luks1_slot(struct dump *d, const struct line *l)
{
	static const char words[] = "Key Slot ";
	struct bytes digits = { (const char *)l->name.ptr + sizeof(words) - 1,
		l->name.len - (sizeof(words) - 1) };
	uint64_t n;

	d->place = SLOTS;
	d->places |= 1U << SLOTS;
	if (!number_of(digits, "", LUKS1_SLOTS - 1, &n))
		return bad(d, "number of a slot");
	if (!is(l->value, "ENABLED") && !is(l->value, "DISABLED"))
		return bad(d, "state of a slot");
	return begin_slot(d, n, is(l->value, "ENABLED"), true);
}

/* LUKS2: "Keyslots:" and its like, at the margin. */
static bool
section(struct dump *d, const struct line *l)
{
	static const char *const names[PLACES] = { [SEGMENTS] = "Data segments",
		[SLOTS] = "Keyslots", [TOKENS] = "Tokens", [DIGESTS] = "Digests" };
	enum place p = SEGMENTS;

	while (p < PLACES && !is(l->name, names[p]))
		p++;
	if (p == PLACES || l->value.len > 0)
		return true;	/* a field that nobody needs */
	if (p != d->place + 1)	/* in this order, each once: a label cannot pretend */
		return bad(d, "order of its sections");
	d->place = p;
	d->places |= 1U << p;
	d->first_segment = false;
	return end_slot(d);
}

/* LUKS2: "  3: luks2" in a section. */
static bool
entry(struct dump *d, const struct line *l)
{
	uint64_t n;

	if (d->place != SEGMENTS && d->place != SLOTS)
		return true;	/* tokens may hold whatever their makers put in */
	if (!number_of(l->name, "", UINT32_MAX, &n))
		return bad(d, "entry of a section");
	if (d->place == SEGMENTS) {
		d->first_segment = (d->seen & CIPHER) == 0;
		return true;
	}
	return begin_slot(d, n, true, is(l->value, "luks2"));
}

static bool
field(struct dump *d, const struct line *l)
{
	unsigned *seen = d->place == SLOTS ? &d->slot_seen : &d->seen;

	if ((d->place == SLOTS && !d->slot) || (d->place == SEGMENTS && !d->first_segment))
		return true;
	for (size_t i = 0; i < COUNT(rules); i++) {
		const struct rule *r = &rules[i];

		if (r->place != d->place || (r->version != 0 && r->version != d->h.version) ||
		    !is(l->name, r->name))
			continue;
		if ((*seen & r->field) != 0)
			return bad(d, "a field is there twice");
		*seen |= r->field;
		return r->set(d, l->value);
	}
	return true;
}

static bool
take_line(struct dump *d, const struct line *l)
{
	bool more_salt = d->in_salt && l->indent > 0 && !l->value.ptr && l->name.len > 0;

	d->in_salt = false;
	if (more_salt)
		return d->slot ? set_salt(d, l->name) : true;
	if (!l->value.ptr)
		return true;
	if (l->indent == 0 && d->h.version == 1 && l->name.len > 9 &&
	    memcmp(l->name.ptr, "Key Slot ", 9) == 0)
		return luks1_slot(d, l);
	if (l->indent == 0 && d->h.version == 2 && l->value.len == 0)
		return section(d, l);
	if (l->indent == 0 && d->place != HEADER && (is(l->name, "UUID") || is(l->name, "Version")))
		return bad(d, "order of its sections");
	if (l->indent == 2 && d->h.version == 2 && d->place != HEADER)
		return entry(d, l);
	if ((l->indent == 0) != (d->place == HEADER))
		return true;
	return field(d, l);
}

/* Everything that must be there is there. */
static bool
complete(struct dump *d)
{
	unsigned must = VERSION | UUID | CIPHER | (d->h.version == 1 ? MODE | KEY_BITS : SECTOR);

	if (!end_slot(d))
		return false;
	if ((d->seen & must) != must)
		return bad(d, "a field is missing");
	if (d->h.version == 1)
		return d->listed == (UINT32_C(1) << LUKS1_SLOTS) - 1 || bad(d, "a slot is missing");
	return (d->places & 1U << DIGESTS) != 0 || bad(d, "a section is missing");
}

bool
luks_dump_parse(struct bytes text, struct luks_header *out, struct err *e)
{
	struct dump d = { .e = e };
	const char *p = text.ptr, *end = p ? p + text.len : NULL;

	while (p < end) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));
		struct line l = line_of(p, eol ? eol : end);

		if (!take_line(&d, &l))
			return false;
		p = eol ? eol + 1 : end;
	}
	if (!complete(&d))
		return false;
	*out = d.h;
	return true;
}
