/* SPDX-License-Identifier: MIT */
/*
 * luks/luks_reply, luks_talk and luks_remote*: a server that answers what it likes. The first byte
 * says what is asked of it, the second how its command ends, the rest is what it prints.
 * No answer may make more of itself than was asked, and no key goes to a header that is not
 * the one that is pinned.
 */
#include "luks/luks_reply.h"

#include <ctype.h>
#include <string.h>
#include "base/secret.h"
#include "fuzz.h"
#include "inventory/inventory.h"
#include "luks/luks.h"
#include "luks/luks_talk.h"
#include "transport/transport.h"

#define UUID "0e64b5d3-3b0c-4e6d-9b3d-1f6f0a1c2d3e"
#define N_DISKS 3
#define SALT "1ba48d8f3b0a6e5d074c5f3911ea80218d3c2104bdd4110ad46b0f77881f295a"

static char pinned[] = UUID, group_name[] = "colo", host_name[] = "web1", host_path[] = "/colo/web1";
static char names[N_DISKS][8] = { "root", "data", "swap" };
static char paths[N_DISKS][24] = { "/colo/web1/root", "/colo/web1/data", "/colo/web1/swap" };
static char devices[N_DISKS][16] = { "/dev/vg/root", "/dev/vg/data", "/dev/vg/swap" };

static struct group group = { .name = group_name };
static struct host host = { .group = &group, .name = host_name, .path = host_path };
static struct disk disks[N_DISKS] = { /* the first is pinned */
	{ .host = &host, .name = names[0], .path = paths[0], .device = devices[0], .uuid = pinned },
	{ .host = &host, .name = names[1], .path = paths[1], .device = devices[1] },
	{ .host = &host, .name = names[2], .path = paths[2], .device = devices[2] },
};

/* ---- the server ---- */

struct server {
	struct transport base;
	struct bytes answer;
	unsigned end;
	bool fed;
	const struct secret *pinned_key; /* for disks[0] alone */
};

/* Was the UUID in what had been said by then, and a key is sent only then? */
static void
expect_allowed(const struct server *s, const struct proc_command *c, size_t said)
{
	const char *key = s->pinned_key ? secret_bytes(s->pinned_key).ptr : NULL;
	AUTO(str_done) struct str text = { 0 };

	for (size_t i = 0; i < said; i++)
		str_add_char(&text, (char)tolower(((const unsigned char *)s->answer.ptr)[i]));
	for (size_t i = 0; key && i < c->n_input; i++)
		EXPECT(c->input[i].ptr != key || memmem(text.ptr, text.len, UUID, strlen(UUID)));
}

/* The output comes line by line. */
static void
talk(struct server *s, const struct proc_command *c)
{
	const char *start = s->answer.ptr, *p = start, *end = start + s->answer.len;
	enum proc_gate gate = PROC_GATE_WAIT;

	while (c->gate && p < end && gate == PROC_GATE_WAIT) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));

		p = lf ? lf + 1 : end;
		gate = c->gate(c->gate_arg, (struct bytes){ start, (size_t)(p - start) });
	}
	s->fed = gate == PROC_GATE_GO;
	if (s->fed)
		expect_allowed(s, c, (size_t)(p - start));
}

static bool
server_run(struct transport *t, const struct proc_command *c, struct proc_result *out, struct err *e)
{
	static const enum proc_end ends[] = { PROC_EXITED, PROC_EXITED, PROC_DEADLINE, PROC_LOST,
		PROC_SIGNALLED, PROC_EXITED };
	struct server *s = (struct server *)t;

	if (s->end == 6)
		return err_set(e, ERR_AWAY, "nobody is there");
	talk(s, c);
	out->end = ends[s->end % COUNT(ends)];
	out->code = (int)(s->end % COUNT(ends));
	out->fed = s->fed;
	str_add_bytes(&out->out, s->answer);
	return true;
}

static bool
server_connect(struct transport *t, struct err *e)
{
	(void)t, (void)e;
	return true;
}

static void
server_free(struct transport *t)
{
	(void)t;
}

static const struct transport_ops server_ops = { server_connect, server_run, server_free };

/* ---- what is asked ---- */

/* Nothing was begun where it says so; looking and testing change nothing. */
static void
expect_failure(const struct server *s, bool changes, const struct err *e)
{
	fuzz_expect_error(e);
	EXPECT(e->kind == ERR_HOST || e->kind == ERR_AWAY || e->kind == ERR_LOST ||
	    e->kind == ERR_KEY || e->kind == ERR_DISK || e->kind == ERR_REFUSED);
	EXPECT(!changes || !s->fed || (e->kind != ERR_HOST && e->kind != ERR_AWAY));
}

static void
ask_status(struct luks *l, const struct server *s)
{
	const struct disk *at[] = { &disks[0], &disks[1], &disks[2] };
	struct luks_status out[N_DISKS];
	struct err e = { 0 };

	fuzz_paint(out, sizeof(out));
	if (!luks_status(l, at, N_DISKS, out, &e)) {
		expect_failure(s, false, &e);
		EXPECT(fuzz_is_painted(out, sizeof(out)));
		return;
	}
	for (size_t i = 0; i < N_DISKS; i++) {
		EXPECT(out[i].state == LUKS_CLOSED || out[i].state == LUKS_OPEN || out[i].state == LUKS_FOREIGN);
		EXPECT(memchr(out[i].detail, '\0', sizeof(out[i].detail)));
		fuzz_expect_printable(out[i].detail);
	}
}

static void
ask_open(struct luks *l, struct server *s, const struct secret *const *keys)
{
	const struct luks_try tries[N_DISKS][2] = { /* each its own */
		{ { keys[0], 3 }, { keys[0], LUKS_ANY_SLOT } },
		{ { keys[1], 1 }, { keys[2], 2 } },
		{ { keys[1], LUKS_ANY_SLOT } },
	};
	struct luks_opening at[N_DISKS] = {
		{ .disk = &disks[0], .tries = tries[0], .n_tries = 2 },
		{ .disk = &disks[1], .tries = tries[1], .n_tries = 2 },
		{ .disk = &disks[2], .tries = tries[2], .n_tries = 1 },
	};

	s->pinned_key = keys[0];
	luks_open_all(l, at, N_DISKS);
	for (size_t i = 0; i < N_DISKS; i++) {
		EXPECT(at[i].opened == (at[i].err.kind == ERR_NONE));
		if (at[i].opened)
			EXPECT(at[i].which < at[i].n_tries);
		else
			fuzz_expect_error(&at[i].err);
	}
}

static void
ask_test(struct luks *l, struct server *s, const struct secret *const *keys, bool all)
{
	const struct luks_try tries[] = { { keys[0], 3 }, { keys[0], 4 }, { keys[0], LUKS_ANY_SLOT } };
	bool out[COUNT(tries)];
	struct err e = { 0 };

	fuzz_paint(out, sizeof(out));
	s->pinned_key = keys[0];
	if (luks_test(l, &disks[0], tries, COUNT(tries), all, out, &e))
		return;
	expect_failure(s, false, &e);
	EXPECT(fuzz_is_painted(out, sizeof(out)));
}

/* A header on success, nothing otherwise. */
static void
expect_header(const struct server *s, bool ok, const struct luks_header *h, const struct err *e)
{
	if (ok) {
		EXPECT(h->version == 1 || h->version == 2);
		return;
	}
	expect_failure(s, true, e);
	EXPECT(fuzz_is_painted(h, sizeof(*h)));
}

static void
ask_look(struct luks *l, const struct server *s, bool locked)
{
	struct luks_header h;
	struct err e = { 0 };

	fuzz_paint(&h, sizeof(h));
	bool ok = luks_look(l, &disks[1], locked, &h, &e);

	expect_header(s, ok, &h, &e);
}

static void
ask_probe(struct luks *l, const struct server *s)
{
	struct luks_probe p;
	struct err e = { 0 };

	fuzz_paint(&p, sizeof(p));
	if (luks_probe(l, &disks[1], &p, &e)) {
		EXPECT(!p.empty || !p.is_luks);
		fuzz_expect_printable(p.what);
		return;
	}
	expect_failure(s, false, &e);
	EXPECT(fuzz_is_painted(&p, sizeof(p)));
}

static void
ask_format(struct luks *l, const struct server *s, const struct secret *key, bool overwrite)
{
	const struct luks_format f = { .uuid = UUID, .key = key, .slot = 3, .overwrite = overwrite };
	struct luks_header h;
	struct err e = { 0 };

	fuzz_paint(&h, sizeof(h));
	bool ok = luks_format(l, &disks[1], &f, &h, &e);

	expect_header(s, ok, &h, &e);
	EXPECT(!ok || strcmp(h.uuid, UUID) == 0);
}

static void
ask_add(struct luks *l, const struct server *s, const struct secret *const *keys)
{
	const struct luks_add a = { .uuid = UUID, .auth = { keys[0], 3 }, .key = keys[1], .slot = 4 };
	struct luks_header h;
	struct err e = { 0 };

	fuzz_paint(&h, sizeof(h));
	bool ok = luks_add(l, &disks[0], &a, &h, &e);

	expect_header(s, ok, &h, &e);
	EXPECT(!ok || (strcmp(h.uuid, UUID) == 0 && h.slots[4].active));
}

static void
ask_kill(struct luks *l, const struct server *s, const struct secret *key, bool violence)
{
	const struct luks_kill k = { .uuid = UUID, .auth = { key, 3 }, .slot = 4, .salt = SALT,
		.filled = 1 << 3, .known = true, .violence = violence };
	struct luks_header h;
	struct err e = { 0 };

	fuzz_paint(&h, sizeof(h));
	bool ok = luks_kill(l, &disks[0], &k, &h, &e);

	expect_header(s, ok, &h, &e);
	EXPECT(!ok || (strcmp(h.uuid, UUID) == 0 && !h.slots[4].active));
}

static void
ask_close(struct luks *l, const struct server *s)
{
	struct err e = { 0 };

	if (!luks_close(l, &disks[1], &e))
		expect_failure(s, false, &e);
}

/* ---- the answer by itself ---- */

/* What is read of its beginning stays as more comes. */
static void
expect_grows(struct bytes text, size_t cut)
{
	AUTO(luks_reply_done) struct luks_reply part = { 0 }, whole = { 0 };
	struct err e = { 0 };
	bool begun = luks_reply_parse((struct bytes){ text.ptr, cut < text.len ? cut : text.len }, &part, &e);
	bool ok = luks_reply_parse(text, &whole, &e);

	EXPECT(begun || !ok);
	EXPECT(ok || e.kind == ERR_DISK);
	EXPECT(part.n <= whole.n && whole.n <= LUKS_REPLY_MAX);
	for (size_t i = 0; i < part.n; i++) {
		const struct str *a = &part.at[i].text, *b = &whole.at[i].text;

		EXPECT(strcmp(part.at[i].name, whole.at[i].name) == 0);
		EXPECT(part.at[i].status == whole.at[i].status && part.at[i].status >= 0);
		EXPECT(a->len <= b->len && (i + 1 == part.n || a->len == b->len));
	}
	for (size_t i = 0; i < whole.n; i++) {
		AUTO(str_done) struct str words = { 0 };

		luks_talk_words(&whole.at[i], &words);
		EXPECT(words.len > 0);
		fuzz_expect_printable(str_text(&words));
		EXPECT(!luks_talk_misfit(&whole.at[i]) || whole.at[i].status == 1 || whole.at[i].status == 2);
	}
}

static void
ask(struct luks *l, struct server *s, unsigned what)
{
	AUTO(secret_drop) struct secret *a = secret_from(bytes_of("the key of the one that is pinned"));
	AUTO(secret_drop) struct secret *b = secret_from(bytes_of("another key"));
	AUTO(secret_drop) struct secret *c = secret_from(bytes_of("a third one"));
	const struct secret *const keys[] = { a, b, c };

	switch (what) {
	case 'a': ask_add(l, s, keys); break;
	case 'c': ask_close(l, s); break;
	case 'f': ask_format(l, s, b, false); break;
	case 'F': ask_format(l, s, b, true); break;
	case 'k': ask_kill(l, s, a, false); break;
	case 'K': ask_kill(l, s, a, true); break;
	case 'l': ask_look(l, s, false); break;
	case 'L': ask_look(l, s, true); break;
	case 'o': ask_open(l, s, keys); break;
	case 'p': ask_probe(l, s); break;
	case 's': ask_status(l, s); break;
	case 't': ask_test(l, s, keys, false); break;
	case 'T': ask_test(l, s, keys, true); break;
	default: expect_grows(s->answer, s->end * 7); break;
	}
}

void
fuzz_one(struct bytes in)
{
	struct server s = { .base = { .ops = &server_ops, .name = "colo/web1" } };
	unsigned what = fuzz_take(&in);

	s.end = fuzz_take(&in);
	s.base.sudo = (s.end & 0x80) != 0;
	s.answer = in.len > 0 ? in : (struct bytes){ "", 0 };
	AUTO(luks_drop) struct luks *l = luks_remote_new(&s.base, 1000);

	ask(l, &s, what);
}
