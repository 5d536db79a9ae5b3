/* SPDX-License-Identifier: MIT */
/*
 * The text of pins, words on a line, parted by one space each:
 *
 *     arver-pins 1
 *     host /colo/web1
 *     since 1793534400
 *     is address web1.example.org
 *     is data/post_open /usr/local/sbin/mount\x20it \- /srv
 *     end
 *
 * A word is written byte by byte, with \xNN for a space, a backslash, and whatever a terminal should
 * not get; an empty one as \-. Pins and fields stand in their order. So there is one text for the
 * same pins; any other is damage.
 */
#include "state/pins.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "state/state_file.h"

#define PINS_HEAD "arver-pins 1"

static const char *const kinds[] = { [PIN_ADMIN] = "admin", [PIN_HOST] = "host",
	[PIN_SLOT] = "slot" };

/* --- writing --- */

static void
add_word(struct str *out, const char *word)
{
	if (!*word)
		str_add(out, "\\-");
	for (size_t left = strlen(word), n; left > 0; word += n, left -= n) {
		n = *word == ' ' || *word == '\\' ? 0 : str_printable(word, left);
		if (n > 0)
			str_add_bytes(out, (struct bytes){ word, n });
		else
			str_addf(out, "\\x%02x", (unsigned char)*word);
		n = n ? n : 1;
	}
}

static void
add_field(struct str *out, const struct pin_field *f)
{
	str_add(out, "is ");
	add_word(out, f->name);
	for (size_t i = 0; i < f->words.n; i++) {
		str_add_char(out, ' ');
		add_word(out, f->words.at[i]);
	}
	str_add_char(out, '\n');
}

void
pins_format(const struct pins *l, struct str *out)
{
	str_add(out, PINS_HEAD "\n");
	for (size_t i = 0; i < l->n; i++) {
		const struct pin *p = &l->at[i];

		str_addf(out, "%s ", kinds[p->kind]);
		add_word(out, p->name);
		str_addf(out, "\nsince %" PRId64 "\n", p->since);
		for (size_t k = 0; k < p->n; k++)
			add_field(out, &p->fields[k]);
		str_add(out, "end\n");
	}
}

/* --- reading --- */

static int
hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* What the word stands for; NULL unless it is what add_word writes for that. */
static char *
read_word(const char *word)
{
	AUTO(str_done) struct str text = { 0 }, again = { 0 };

	for (const char *p = strcmp(word, "\\-") == 0 ? "" : word; *p; p++) {
		if (*p != '\\') {
			str_add_char(&text, *p);
			continue;
		}
		int high = p[1] == 'x' ? hex_digit(p[2]) : -1, low = high >= 0 ? hex_digit(p[3]) : -1;

		if (low < 0)
			return NULL;
		str_add_char(&text, (char)(high * 16 + low));
		p += 3;
	}
	add_word(&again, str_text(&text));
	return strcmp(str_text(&again), word) == 0 ? str_take(&text) : NULL;
}

struct parsing {
	struct pins pins;
	enum { BETWEEN, BEGUN, DATED } at;
};

static struct pin *
last_pin(struct parsing *p)
{
	return &p->pins.at[p->pins.n - 1];
}

/* "host NAME", behind all that came before. */
static bool
take_head(struct parsing *p, const char *word, const char *rest)
{
	AUTO(mem_free_drop) char *name = read_word(rest);
	size_t k = 0, n = p->pins.n;

	while (k < COUNT(kinds) && strcmp(word, kinds[k]) != 0)
		k++;
	if (k == COUNT(kinds) || !name || !*name)
		return false;
	const struct pin *pin = pins_put(&p->pins, (enum pin_kind)k, name, 0);

	p->at = BEGUN;
	return p->pins.n == n + 1 && pin == last_pin(p);
}

static bool
take_since(struct parsing *p, const char *rest)
{
	AUTO(str_done) struct str again = { 0 };
	struct pin *pin = last_pin(p);

	pin->since = strtoll(rest, NULL, 10);
	str_addf(&again, "%" PRId64, pin->since);
	p->at = DATED;
	return pin->since >= 0 && strcmp(str_text(&again), rest) == 0;
}

/* "is NAME WORD...", behind the fields before. */
static bool
take_field(struct parsing *p, char *rest)
{
	struct pin *pin = last_pin(p);
	AUTO(mem_free_drop) char *name = read_word(strsep(&rest, " "));
	size_t n = pin->n;

	if (!name || !*name)
		return false;
	struct argv *words = pin_field(pin, name);

	if (pin->n != n + 1 || words != &pin->fields[n].words) /* twice, or not in order */
		return false;
	while (rest) {
		AUTO(mem_free_drop) char *word = read_word(strsep(&rest, " "));

		if (!word)
			return false;
		argv_add(words, word);
	}
	return true;
}

static bool
take_line(void *arg, char *line)
{
	struct parsing *p = arg;
	char *rest = line;
	const char *word = strsep(&rest, " ");

	if (p->at == DATED && strcmp(word, "end") == 0) {
		p->at = BETWEEN;
		return !rest;
	}
	if (!rest)
		return false;
	if (p->at == BETWEEN)
		return take_head(p, word, rest);
	if (p->at == BEGUN)
		return strcmp(word, "since") == 0 && take_since(p, rest);
	return strcmp(word, "is") == 0 && take_field(p, rest);
}

bool
pins_parse(struct bytes text, struct pins *out, struct err *e)
{
	struct parsing p = { 0 };

	if (state_file_lines(text, PINS_HEAD, take_line, &p, e) &&
	    (p.at == BETWEEN || err_set(e, ERR_DATA, "the last pin has no end"))) {
		*out = p.pins;
		return true;
	}
	pins_done(&p.pins);
	return false;
}
