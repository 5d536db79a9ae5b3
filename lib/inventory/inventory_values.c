/* SPDX-License-Identifier: MIT */
/*
 * inventory_values: a pair of the tree as a word, a number, one of several
 * words, a mapping or a list; and the sentence, with its place, when it is not.
 */
#include <string.h>
#include "base/number.h"
#include "inventory/inventory_internal.h"

static bool
wrong_kind(const char *file, const struct yaml_pair *p, const char *want, struct err *e)
{
	static const char *const kinds[] = {
		[YAML_SCALAR] = "a single value",
		[YAML_LIST] = "a list",
		[YAML_MAP] = "a mapping",
	};

	return spot_error(spot_at(file, p->line), e, "'%.80s' must be %s, not %s", p->key,
	    want, kinds[p->value->kind]);
}

bool
value_text(const char *file, const struct yaml_pair *p, const char **out, struct err *e)
{
	if (p->value->kind != YAML_SCALAR)
		return wrong_kind(file, p, "a single value", e);
	if (p->value->null || !*p->value->text)
		return spot_error(spot_at(file, p->line), e, "'%.80s' has no value",
		    p->key);
	*out = p->value->text;
	return true;
}

bool
value_number(const char *file, const struct yaml_pair *p, unsigned min, unsigned max,
    unsigned *out, struct err *e)
{
	const char *text = NULL;
	unsigned n = 0;

	if (!value_text(file, p, &text, e))
		return false;
	if (!number_plain(text, max, &n) || n < min)
		return spot_error(spot_at(file, p->line), e,
		    "'%s' must be a number from %u to %u, not '%.80s'", p->key, min, max, text);
	*out = n;
	return true;
}

bool
value_duration(const char *file, const struct yaml_pair *p, int64_t *out_ms, struct err *e)
{
	const char *text = NULL;

	return value_text(file, p, &text, e) &&
	       (number_duration(text, out_ms) ||
		   spot_error(spot_at(file, p->line), e,
		       "'%s' must be " NUMBER_DURATION ", not '%.80s'", p->key, text));
}

bool
value_choice(const char *file, const struct yaml_pair *p, const char *const *words, size_t *out,
    struct err *e)
{
	AUTO(str_done) struct str list = { 0 };
	const char *text = NULL;

	if (!value_text(file, p, &text, e))
		return false;
	for (size_t i = 0; words[i]; i++) {
		if (strcmp(words[i], text) == 0) {
			*out = i;
			return true;
		}
		str_addf(&list, "%s%s", i > 0 ? ", " : "", words[i]);
	}
	return spot_error(spot_at(file, p->line), e, "'%s' must be one of %s, not '%.80s'",
	    p->key, str_text(&list), text);
}

bool
value_map(const char *file, const struct yaml_pair *p, const struct yaml_node **out, struct err *e)
{
	static const struct yaml_node nothing = { .kind = YAML_MAP };

	if (p->value->kind != YAML_MAP && !p->value->null)
		return wrong_kind(file, p, "a mapping", e);
	*out = p->value->null ? &nothing : p->value;
	return true;
}

bool
value_list(const char *file, const struct yaml_pair *p, const struct yaml_node **out,
    struct err *e)
{
	if (p->value->kind != YAML_LIST)
		return wrong_kind(file, p, "a list, as in [a, b]", e);
	*out = p->value;
	return true;
}
