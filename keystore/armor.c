/* SPDX-License-Identifier: MIT */
/*
 * armor: lines to bytes, strictly and bounded by the input. Every digit is looked at, since other
 * readers of the same text may stop elsewhere.
 */
#include "keystore/armor.h"

#include <stdint.h>
#include <string.h>

/* What is left to read. */
struct reader {
	const unsigned char *at, *end;
};

static size_t
left(const struct reader *r)
{
	return (size_t)(r->end - r->at);
}

/* The next line without its ending (LF or CR LF) and blanks before that. */
static bool
take_line(struct reader *r, struct reader *out)
{
	const unsigned char *lf;

	if (left(r) == 0)
		return false;
	lf = memchr(r->at, '\n', left(r));
	*out = (struct reader){ r->at, lf ? lf : r->end };
	r->at = lf ? lf + 1 : r->end;
	while (left(out) > 0 && strchr(" \t\r", out->end[-1]) && out->end[-1])
		out->end--;
	return true;
}

static bool
is_text(const struct reader *line, const char *text)
{
	return left(line) > 0 && left(line) == strlen(text) &&
	       memcmp(line->at, text, left(line)) == 0;
}

/* 0..63, or -1 for what is no base64 digit. */
static int
digit_value(unsigned char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* base64 digits on their way to bytes. */
struct base64 {
	uint32_t bits;
	unsigned n_bits, n_padding;
	size_t n_digits;
	struct str *out;
};

static bool
add_digits(struct base64 *b, const struct reader *text)
{
	for (const unsigned char *p = text->at; p < text->end; p++) {
		int value = digit_value(*p);

		b->n_digits++;
		if (*p == '=') {
			b->n_padding++;
			continue;
		}
		if (value < 0 || b->n_padding > 0)
			return false;
		b->bits = b->bits << 6 | (uint32_t)value;
		b->n_bits += 6;
		if (b->n_bits < 8)
			continue;
		b->n_bits -= 8;
		str_add_char(b->out, (char)(b->bits >> b->n_bits & 0xff));
	}
	return true;
}

static bool
is_whole(const struct base64 *b)
{
	return b->n_digits % 4 == 0 && b->n_padding <= 2;
}

/* RFC 4880, section 6.1. */
static uint32_t
crc24(struct bytes b)
{
	uint32_t crc = 0xb704ce;
	const unsigned char *p = b.ptr;

	for (size_t i = 0; i < b.len; i++) {
		crc ^= (uint32_t)p[i] << 16;
		for (int bit = 0; bit < 8; bit++)
			crc = crc << 1 ^ (crc & 0x800000 ? 0x1864cfb : 0);
	}
	return crc & 0xffffff;
}

/* "=AbCd" against what was decoded. */
static bool
checksum_fits(const struct reader *line, struct bytes decoded)
{
	AUTO(str_done) struct str sum = { 0 };
	struct base64 b = { .out = &sum };
	struct reader digits = { line->at + 1, line->end };
	uint32_t crc = crc24(decoded);
	const char want[] = { (char)(crc >> 16), (char)(crc >> 8), (char)crc };

	return left(&digits) == 4 && add_digits(&b, &digits) && sum.len == sizeof(want) &&
	       memcmp(sum.ptr, want, sizeof(want)) == 0;
}

static const char *
shown(const char *kind)
{
	return str_equal(kind, ARMOR_MESSAGE)	  ? "message"
	       : str_equal(kind, ARMOR_SIGNATURE) ? "signature"
						  : "public key";
}

/* "-----BEGIN PGP MESSAGE-----" or END */
static bool
is_border(const struct reader *line, const char *which, const char *kind)
{
	AUTO(mem_free_drop) char *text = mem_printf("-----%s PGP %s-----", which, kind);

	return is_text(line, text);
}

static bool
skip_begin(struct reader *r, const char *kind, struct err *e)
{
	struct reader line = { 0 };

	while (take_line(r, &line) && left(&line) == 0)
		;
	return is_border(&line, "BEGIN", kind) ||
	       err_set(e, ERR_DATA, "not an armored OpenPGP %s", shown(kind));
}

/* The first line, and the headers down to the empty one. */
static bool
skip_head(struct reader *r, const char *kind, struct err *e)
{
	struct reader line = { 0 };

	if (!skip_begin(r, kind, e))
		return false;
	while (take_line(r, &line)) {
		if (left(&line) == 0)
			return true;
		if (!memchr(line.at, ':', left(&line)))
			return err_set(e, ERR_DATA, "no empty line between armor and %s",
			    shown(kind));
	}
	return err_set(e, ERR_DATA, "the armored %s ends in its headers", shown(kind));
}

bool
armor_begins(struct bytes text, const char *kind, struct err *e)
{
	struct reader r = { text.ptr, (const unsigned char *)text.ptr + text.len };

	return skip_begin(&r, kind, e);
}

/* From the checksum, or from the last line where a key may do without one, to the end. */
static bool
take_end(struct reader *r, struct reader line, const struct base64 *b, const char *kind,
    struct err *e)
{
	bool summed = *line.at == '=';

	if (!is_whole(b) || (summed && !checksum_fits(&line, str_bytes(b->out))))
		return err_set(e, ERR_DATA, "the armor's checksum is wrong");
	if (summed && (!take_line(r, &line) || !is_border(&line, "END", kind)))
		return err_set(e, ERR_DATA, "the armored %s has no proper end", shown(kind));
	while (take_line(r, &line))
		if (left(&line) > 0)
			return err_set(e, ERR_DATA, "there is more behind the armored %s",
			    shown(kind));
	return true;
}

bool
armor_undo(struct bytes text, const char *kind, struct str *out, struct err *e)
{
	struct reader r = { text.ptr, (const unsigned char *)text.ptr + text.len };
	bool needs_sum = str_equal(kind, ARMOR_MESSAGE);
	struct base64 b = { .out = out };
	struct reader line;

	if (!skip_head(&r, kind, e))
		return false;
	while (take_line(&r, &line)) {
		if (left(&line) > 0 &&
		    (*line.at == '=' || (!needs_sum && is_border(&line, "END", kind))))
			return take_end(&r, line, &b, kind, e);
		if (!add_digits(&b, &line))
			return err_set(e, ERR_DATA, "the armor is damaged");
	}
	return err_set(e, ERR_DATA, "the armored %s is cut off", shown(kind));
}
