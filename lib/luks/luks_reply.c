/* SPDX-License-Identifier: MIT */
/*
 * luks_reply: lines at the margin are steps, indented ones belong to the step
 * above. A line counts when its end has come.
 */
#include "luks/luks_reply.h"

#include <stdlib.h>
#include <string.h>

static const char mark[] = "arver: ";
#define MARK_LEN (sizeof(mark) - 1)

void
luks_reply_done(struct luks_reply *r)
{
	for (size_t i = 0; i < r->n; i++)
		str_done(&r->at[i].text);
	free(r->at);
	*r = (struct luks_reply){ 0 };
}

/* "arver: NAME STATUS", to the letter. */
static bool
step_line(const char *p, size_t len, struct luks_step *out)
{
	const char *end = p + len, *name = p + MARK_LEN, *q = name;
	int status = 0;

	if (len < MARK_LEN || memcmp(p, mark, MARK_LEN) != 0)
		return false;
	while (q < end && *q >= 'a' && *q <= 'z')
		q++;
	if (q == name || (size_t)(q - name) >= sizeof(out->name) || q == end || *q != ' ')
		return false;
	memcpy(out->name, name, (size_t)(q - name));
	if (++q == end)
		return false;
	for (; q < end; q++) {
		if (*q < '0' || *q > '9' || status > 99)
			return false;
		status = status * 10 + (*q - '0');
	}
	out->status = status;
	return true;
}

/* What sudo says on a machine that does not know its own name; it goes on all the same. */
static bool
is_noise(const char *p, size_t len)
{
	static const char noise[] = " sudo: unable to resolve host ";

	return len >= sizeof(noise) - 1 && memcmp(p, noise, sizeof(noise) - 1) == 0;
}

static bool
take_line(struct luks_reply *r, const char *p, size_t len, struct err *e)
{
	struct luks_step step = { 0 };

	if (r->n > 0 && len > 0 && *p == ' ') {
		struct str *text = &r->at[r->n - 1].text;

		if (is_noise(p, len))
			return true;
		str_add_bytes(text, (struct bytes){ p + 1, len - 1 });
		str_add_char(text, '\n');
		return true;
	}
	if (!step_line(p, len, &step))
		return r->n == 0 || err_set(e, ERR_DISK, "a strange answer from the server");
	if (r->n == 0 && strcmp(step.name, "begin") != 0)
		return true;
	if (r->ended || r->n == LUKS_REPLY_MAX)
		return err_set(e, ERR_DISK, "too long an answer from the server");
	*(struct luks_step *)mem_push(&r->at, &r->n, sizeof(*r->at)) = step;
	r->ended = strcmp(step.name, "done") == 0;
	return true;
}

bool
luks_reply_parse(struct bytes output, struct luks_reply *out, struct err *e)
{
	const char *p = output.ptr, *end = p ? p + output.len : NULL, *eol;

	for (; p < end && (eol = memchr(p, '\n', (size_t)(end - p))); p = eol + 1)
		if (!take_line(out, p, (size_t)(eol - p), e))
			return false;
	return true;
}

const struct luks_step *
luks_reply_first(const struct luks_reply *r, const char *name)
{
	for (size_t i = 0; i < r->n; i++)
		if (strcmp(r->at[i].name, name) == 0)
			return &r->at[i];
	return NULL;
}

const struct luks_step *
luks_reply_last(const struct luks_reply *r, const char *name)
{
	for (size_t i = r->n; i > 0; i--)
		if (strcmp(r->at[i - 1].name, name) == 0)
			return &r->at[i - 1];
	return NULL;
}

int
luks_reply_status(const struct luks_reply *r, const char *name)
{
	const struct luks_step *s = luks_reply_first(r, name);

	return s ? s->status : -1;
}
