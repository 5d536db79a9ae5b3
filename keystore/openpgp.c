/* SPDX-License-Identifier: MIT */
/*
 * openpgp: packet after packet, strictly and bounded by the input; of messages only the public-key
 * session keys are looked into, of keys only what kinds of packets there are, of what was encrypted only a
 * packet of plain text.
 */
#include "keystore/openpgp.h"

#include <string.h>
#include "keystore/armor.h"

#define TAG_SESSION_KEY 1
#define TAG_SIGNATURE 2
#define TAG_LITERAL 11
#define DATE_BYTES 4
#define TAG_DATA 18	 /* with modification detection */
#define TAG_DATA_AEAD 20 /* as GnuPG 2.3 writes it */

enum algorithm {
	ALGORITHM_RSA = 1,
	ALGORITHM_RSA_ENCRYPT = 2,
	ALGORITHM_ELGAMAL = 16,
	ALGORITHM_ECDH = 18,
};

/* What is left to read. */
struct reader {
	const unsigned char *at, *end;
};

static size_t
left(const struct reader *r)
{
	return (size_t)(r->end - r->at);
}

/* The next n bytes as a number, most significant first; false if there are fewer. */
static bool
take_number(struct reader *r, size_t n, uint64_t *out)
{
	uint64_t number = 0;

	if (left(r) < n)
		return false;
	for (; n > 0; n--)
		number = number << 8 | *r->at++;
	*out = number;
	return true;
}

/* A reader for the next n bytes, which r then has behind it. */
static bool
take_part(struct reader *r, size_t n, struct reader *out)
{
	if (left(r) < n)
		return false;
	*out = (struct reader){ r->at, r->at + n };
	r->at += n;
	return true;
}

/* One packet, or one chunk of one. */
struct packet {
	unsigned tag;
	size_t len;
	bool partial; /* more chunks follow */
	bool endless; /* old form without a length: to the end of the message */
};

static bool
read_new_length(struct reader *r, struct packet *p)
{
	uint64_t first, rest = 0;

	if (!take_number(r, 1, &first))
		return false;
	p->partial = first >= 224 && first < 255;
	if (p->partial)
		rest = (uint64_t)1 << (first & 31);
	else if (first < 192)
		rest = first;
	else if (!take_number(r, first == 255 ? 4 : 1, &rest))
		return false;
	else if (first < 224)
		rest += ((first - 192) << 8) + 192;
	p->len = (size_t)rest;
	return true;
}

static bool
read_old_length(struct reader *r, unsigned kind, struct packet *p)
{
	uint64_t len = 0;

	p->endless = kind == 3;
	if (!p->endless && !take_number(r, (size_t)1 << kind, &len))
		return false;
	p->len = p->endless ? left(r) : (size_t)len;
	return true;
}

static bool
read_header(struct reader *r, struct packet *p)
{
	uint64_t first;

	*p = (struct packet){ 0 };
	if (!take_number(r, 1, &first) || !(first & 0x80))
		return false;
	p->tag = first & 0x40 ? first & 0x3f : first >> 2 & 0x0f;
	return first & 0x40 ? read_new_length(r, p) : read_old_length(r, first & 3, p);
}

static bool
take_mpi(struct reader *r, size_t *out_bytes)
{
	struct reader number;
	uint64_t bits;

	if (!take_number(r, 2, &bits) || !take_part(r, ((size_t)bits + 7) / 8, &number))
		return false;
	*out_bytes = left(&number);
	return true;
}

/* The wrapped session key behind an ECDH point: one byte of length, then itself. */
static bool
take_wrapped(struct reader *r, size_t *out_bytes)
{
	struct reader key;
	uint64_t len;

	if (!take_number(r, 1, &len) || !take_part(r, (size_t)len, &key))
		return false;
	*out_bytes = left(&key);
	return true;
}

static bool
read_session_key(struct reader r, struct openpgp_message *m)
{
	uint64_t version, key_id, algorithm;
	size_t mpi[2] = { 0 };
	bool ok;

	if (!take_number(&r, 1, &version) || version != 3 || !take_number(&r, 8, &key_id) ||
	    !take_number(&r, 1, &algorithm))
		return false;
	switch (algorithm) {
	case ALGORITHM_RSA:
	case ALGORITHM_RSA_ENCRYPT:
		ok = take_mpi(&r, &mpi[0]);
		break;
	case ALGORITHM_ELGAMAL:
		ok = take_mpi(&r, &mpi[0]) && take_mpi(&r, &mpi[1]);
		break;
	case ALGORITHM_ECDH:
		ok = take_mpi(&r, &mpi[0]) && take_wrapped(&r, &mpi[1]);
		break;
	default: /* not known here, but perhaps to gpg */
		ok = true;
		r.at = r.end;
	}
	if (!ok || left(&r) > 0)
		return false;
	m->recipients[m->n_recipients].key_id = key_id;
	m->recipients[m->n_recipients].algorithm = (unsigned)algorithm;
	memcpy(m->recipients[m->n_recipients].mpi_bytes, mpi, sizeof(mpi));
	m->n_recipients++;
	return true;
}

/* The data packet, all of its chunks: it must end where the message ends. */
static bool
check_data(struct reader *r, struct packet p, size_t *out_bytes, struct err *e)
{
	size_t bytes = 0;
	struct reader chunk;

	while (p.partial) {
		bytes += p.len;
		if (!take_part(r, p.len, &chunk) || !read_new_length(r, &p))
			return err_set(e, ERR_DATA, "the message is cut off");
	}
	if (!take_part(r, p.len, &chunk))
		return err_set(e, ERR_DATA, "the message is cut off");
	if (left(r) > 0)
		return err_set(e, ERR_DATA, "there is more behind the encrypted message");
	*out_bytes = bytes + p.len;
	return true;
}

static const char *
packet_name(unsigned tag)
{
	switch (tag) {
	case 2:
	case 4:
		return "is signed, but not encrypted";
	case 3:
		return "is encrypted with a password, not to a key";
	case 8:
	case 11:
		return "is not encrypted";
	case 9:
		return "is encrypted without protection against changes";
	default:
		return "is not what a key file is";
	}
}

static bool
read_packets(struct reader *r, struct openpgp_message *m, struct err *e)
{
	while (left(r) > 0) {
		struct packet p;
		struct reader body;

		if (!read_header(r, &p))
			return err_set(e, ERR_DATA, "the message is damaged");
		if ((p.tag == TAG_DATA || p.tag == TAG_DATA_AEAD) && m->n_recipients > 0)
			return check_data(r, p, &m->data_bytes, e);
		if (p.tag != TAG_SESSION_KEY)
			return err_set(e, ERR_DATA, "the message %s", packet_name(p.tag));
		if (p.partial || p.endless || !take_part(r, p.len, &body))
			return err_set(e, ERR_DATA, "the message is cut off");
		if (m->n_recipients == OPENPGP_MAX_RECIPIENTS)
			return err_set(e, ERR_DATA, "the message has too many recipients");
		if (!read_session_key(body, m))
			return err_set(e, ERR_DATA, "its session key has an unknown form");
	}
	return err_set(e, ERR_DATA, "the message is cut off");
}

bool
openpgp_is_armored(struct bytes text, struct err *e)
{
	return armor_begins(text, ARMOR_MESSAGE, e);
}

static struct reader
reader_of(const struct str *s)
{
	const unsigned char *p = (const unsigned char *)str_text(s);

	return (struct reader){ p, p + s->len };
}

bool
openpgp_parse(struct bytes armored, struct openpgp_message *out, struct err *e)
{
	AUTO(str_done) struct str binary = { 0 };
	struct openpgp_message m = { 0 };
	struct reader r;

	if (!armor_undo(armored, ARMOR_MESSAGE, &binary, e))
		return false;
	r = reader_of(&binary);
	if (!read_packets(&r, &m, e))
		return false;
	*out = m;
	return true;
}

/* What stands before the text of a literal data packet: its kind, the name of a file, a date. */
static bool
take_literal_head(struct reader *r)
{
	uint64_t kind, name_len;
	struct reader skipped;

	return take_number(r, 1, &kind) && kind == 'b' && take_number(r, 1, &name_len) &&
	    take_part(r, (size_t)name_len + DATE_BYTES, &skipped);
}

bool
openpgp_literal(struct bytes packets, struct span room, size_t *out_len)
{
	struct reader r = { packets.ptr, (const unsigned char *)packets.ptr + packets.len }, part;
	struct packet p;
	size_t n = 0;

	if (!read_header(&r, &p) || p.tag != TAG_LITERAL || !take_part(&r, p.len, &part) ||
	    !take_literal_head(&part))
		return false;
	for (;;) {
		if (left(&part) > room.len - n)
			return false;
		memcpy((char *)room.ptr + n, part.at, left(&part));
		n += left(&part);
		if (!p.partial)
			break;
		if (!read_new_length(&r, &p) || !take_part(&r, p.len, &part))
			return false;
	}
	*out_len = n;
	return left(&r) == 0;
}

/* A public or secret key or subkey, a signature, a trust, a name, a picture. */
static bool
is_of_a_key(unsigned tag)
{
	static const unsigned tags[] = { 2, 5, 6, 7, 12, 13, 14, 17 };

	for (size_t i = 0; i < COUNT(tags); i++)
		if (tag == tags[i])
			return true;
	return false;
}

bool
openpgp_check_public_key(struct bytes armored, struct err *e)
{
	AUTO(str_done) struct str binary = { 0 };
	struct reader r, body;
	struct packet p;

	if (!armor_undo(armored, ARMOR_PUBLIC_KEY, &binary, e))
		return false;
	r = reader_of(&binary);
	while (left(&r) > 0) {
		if (!read_header(&r, &p))
			return err_set(e, ERR_DATA, "the public key is damaged");
		if (!is_of_a_key(p.tag))
			return err_set(e, ERR_DATA, "there is a packet of type %u, as no key has",
			    p.tag);
		if (p.partial || p.endless || !take_part(&r, p.len, &body))
			return err_set(e, ERR_DATA, "the public key is cut off");
	}
	return true;
}

bool
openpgp_check_signature(struct bytes armored, struct err *e)
{
	AUTO(str_done) struct str binary = { 0 };
	struct reader r, body;
	struct packet p;

	if (!armor_undo(armored, ARMOR_SIGNATURE, &binary, e))
		return false;
	r = reader_of(&binary);
	return (read_header(&r, &p) && p.tag == TAG_SIGNATURE && !p.partial && !p.endless &&
		   take_part(&r, p.len, &body) && left(&r) == 0) ||
	    err_set(e, ERR_DATA, "it is not one signature");
}
