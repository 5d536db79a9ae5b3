/* SPDX-License-Identifier: MIT */
/*
 * keyfile: zlib works in locked memory too, so that its window is wiped; what
 * it unpacks is counted first and only then kept. Text is deflated again with one more
 * empty line at its end until the stream is one that Ruby Arver's chomp leaves whole.
 */
#include "keystore/keyfile.h"

#include <assert.h>
#include <string.h>
#include <zlib.h>
#include "base/secret.h"

#define MAX_TEXT ((size_t)16 << 20)
#define MARKER_RANDOM ((size_t)84)
#define MARKER_LEN ((size_t)114) /* "--" and those bytes in base64 */
#define STEP ((size_t)200000)
#define MAX_PACKED ((size_t)32 << 20)
#define MAX_EMPTY_LINES 256

/* In front of each piece of memory that zlib gets; keeps it aligned. */
union piece {
	struct secret *owner;
	max_align_t align;
};

static void *
piece_new(void *arg, unsigned n, unsigned size)
{
	struct secret *s = secret_new((size_t)n * size + sizeof(union piece));
	union piece *p = secret_space(s).ptr;

	(void)arg;
	p->owner = s;
	return p + 1;
}

static void
piece_free(void *arg, void *ptr)
{
	union piece *p = ptr;

	(void)arg;
	secret_free(p[-1].owner);
}

/* ---- reading ---- */

/*
 * One run over the stream; with `rewind` the room is used again and again. False unless
 * the stream was whole; *out_len is how much came out of it.
 */
static bool
inflate_into(struct bytes packed, struct span room, bool rewind, size_t *out_len)
{
	z_stream z = { .zalloc = piece_new, .zfree = piece_free };
	bool whole;
	int r;

	if (inflateInit(&z) != Z_OK)
		return false;
	z.next_in = (unsigned char *)packed.ptr; /* zlib does not write there */
	z.avail_in = (unsigned)packed.len;
	z.next_out = room.ptr;
	z.avail_out = (unsigned)room.len;
	while ((r = inflate(&z, Z_NO_FLUSH)) == Z_OK && rewind && z.total_out <= MAX_TEXT) {
		z.next_out = room.ptr;
		z.avail_out = (unsigned)room.len;
	}
	*out_len = z.total_out;
	whole = r == Z_STREAM_END && z.avail_in == 0;
	inflateEnd(&z);
	return whole;
}

static bool
unpack(struct bytes packed, struct secret **out, struct err *e)
{
	AUTO(secret_drop) struct secret *scratch = secret_new((size_t)64 << 10);
	struct secret *text;
	size_t len = 0;

	if (packed.len > MAX_PACKED || !inflate_into(packed, secret_space(scratch), true, &len)) {
		return err_set(e, ERR_DATA, len > MAX_TEXT ? "its text unpacks to more than any has"
							   : "its text does not unpack");
	}
	if (len > MAX_TEXT)
		return err_set(e, ERR_DATA, "its text unpacks to more than any has");
	text = secret_new(len + 1); /* a byte more, or inflate cannot tell that it is done */
	if (!inflate_into(packed, secret_space(text), false, &len)) {
		secret_free(text);
		return err_set(e, ERR_DATA, "its text does not unpack");
	}
	secret_set_len(text, len);
	*out = text;
	return true;
}

/* YAML text as Ruby begins it. */
static bool
is_text(struct bytes b)
{
	const char *p = b.ptr;

	return b.len >= 4 && memcmp(p, "---", 3) == 0 && (p[3] == ' ' || p[3] == '\n');
}

/* The end of the line that begins at p: its LF, or the end. */
static const char *
line_end(const char *p, const char *end)
{
	const char *lf = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;

	return lf ? lf : end;
}

/*
 * What stands between the first line and the next one equal to it, without the
 * one LF before that, and what stands behind.
 */
static bool
find_parts(struct bytes plain, struct keyfile_parts *out, struct err *e)
{
	const char *start = plain.ptr, *end = start + plain.len;
	const char *q = line_end(start, end);
	size_t len = (size_t)(q - start);

	if (len < 3 || memcmp(start, "--", 2) != 0)
		return err_set(e, ERR_DATA, "what it holds is no key file");
	while (q < end) { /* at the LF in front of a line */
		const char *p = q + 1, *body = start + len + 1;

		q = line_end(p, end);
		if ((size_t)(q - p) != len || memcmp(p, start, len) != 0)
			continue;
		out->stream = (struct bytes){ body, p > body ? (size_t)(p - body) - 1 : 0 };
		p = q < end ? q + 1 : q;
		out->rest = (struct bytes){ p, (size_t)(end - p) };
		return true;
	}
	return err_set(e, ERR_DATA, "what it holds is cut off");
}

bool
keyfile_parse(struct bytes plain, struct entry_list *out, struct keyfile_parts *parts,
    struct err *e)
{
	AUTO(secret_drop) struct secret *text = NULL;
	struct keyfile_parts found = { 0 };

	if (parts)
		*parts = found;
	if (is_text(plain)) /* bare */
		return entry_parse(plain, out, e);
	if (!find_parts(plain, &found, e))
		return false;
	if (parts)
		*parts = found;
	if (is_text(found.stream)) /* padded: no zlib stream begins like that */
		return entry_parse(found.stream, out, e);
	return unpack(found.stream, &text, e) && entry_parse(secret_bytes(text), out, e);
}

/* ---- writing ---- */

/* The text and n empty lines as one zlib stream. */
static struct secret *
pack(struct bytes text, size_t n_empty_lines)
{
	unsigned char lines[MAX_EMPTY_LINES];
	z_stream z = { .zalloc = piece_new, .zfree = piece_free };
	struct secret *s;
	struct span room;
	int r;

	memset(lines, '\n', sizeof(lines));
	r = deflateInit(&z, Z_DEFAULT_COMPRESSION);
	assert(r == Z_OK); /* memory is the one reason to fail, and that never returns */
	s = secret_new(deflateBound(&z, text.len + n_empty_lines) + 64);
	room = secret_space(s);
	z.next_in = (unsigned char *)text.ptr;
	z.avail_in = (unsigned)text.len;
	z.next_out = room.ptr;
	z.avail_out = (unsigned)room.len;
	r = deflate(&z, Z_NO_FLUSH);
	assert(r == Z_OK || r == Z_BUF_ERROR);
	z.next_in = lines;
	z.avail_in = (unsigned)n_empty_lines;
	r = deflate(&z, Z_FINISH);
	assert(r == Z_STREAM_END);
	(void)r;
	secret_set_len(s, z.total_out);
	deflateEnd(&z);
	return s;
}

static bool
survives_chomp(const struct secret *packed)
{
	struct bytes b = secret_bytes(packed);

	return ((const char *)b.ptr)[b.len - 1] != '\r';
}

static struct secret *
pack_safely(struct bytes text)
{
	struct secret *packed = pack(text, 0);

	/* the last byte is that of a sum over the text, and an empty line adds ten */
	for (size_t i = 1; !survives_chomp(packed) && i < MAX_EMPTY_LINES; i++) {
		secret_free(packed);
		packed = pack(text, i);
	}
	return packed;
}

static char *
put(char *to, struct bytes b)
{
	if (b.len > 0)
		memcpy(to, b.ptr, b.len);
	return to + b.len;
}

/* "--" and base64: a line that the stream does not hold. */
static struct secret *
make_marker(struct bytes packed)
{
	for (;;) {
		AUTO(secret_drop) struct secret *random = secret_random_base64(MARKER_RANDOM);
		struct secret *marker = secret_new(MARKER_LEN);
		char *p = secret_space(marker).ptr;

		put(put(p, bytes_of("--")), secret_bytes(random));
		secret_set_len(marker, MARKER_LEN);
		if (!memmem(packed.ptr, packed.len, p, MARKER_LEN))
			return marker;
		secret_free(marker);
	}
}

static char *
put_line(char *to, struct bytes b)
{
	to = put(to, b);
	*to = '\n';
	return to + 1;
}

struct secret *
keyfile_pack(const struct entry_list *l)
{
	AUTO(secret_drop) struct secret *text = entry_format(l);

	return pack_safely(secret_bytes(text));
}

struct secret *
keyfile_wrap(const struct secret *packed, struct bytes grant)
{
	struct bytes stream = secret_bytes(packed);
	AUTO(secret_drop) struct secret *marker = make_marker(stream);
	size_t steps = (stream.len + grant.len + STEP - 1) / STEP;
	size_t rest = steps * STEP - stream.len + 1, padding = rest - grant.len;
	AUTO(secret_drop) struct secret *random = secret_random_base64(padding / 4 * 3 + 3);
	struct secret *plain = secret_new(2 * (MARKER_LEN + 1) + stream.len + 1 + rest);
	char *to = secret_space(plain).ptr;

	to = put_line(to, secret_bytes(marker));
	to = put_line(to, stream);
	to = put_line(to, secret_bytes(marker));
	to = put(to, grant);
	to = put(to, (struct bytes){ secret_bytes(random).ptr, padding });
	secret_set_len(plain, (size_t)(to - (char *)secret_space(plain).ptr));
	return plain;
}
