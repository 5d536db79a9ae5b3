/* SPDX-License-Identifier: MIT */
/*
 * luks_talk: the gate of base/proc.h is where keys are held back until the
 * script has said what it sees and that it is ready.
 */
#include "luks/luks_talk.h"

#include <stdlib.h>
#include <string.h>
#include "base/secret.h"
#include "transport/transport.h"

#define WORDS_MAX 240
#define PIECE 16 /* bytes of a key that nobody says by chance */

/* The state of one run, for the gate. */
struct run {
	const struct luks_talk *talk;
	struct bytes *input;	/* the go line, then the keys */
	struct str go;
	bool refused;		/* by decide, with the reason in `err` */
	struct err err;
};

void
luks_talk_words(const struct luks_step *step, struct str *out)
{
	AUTO(str_done) struct str one = { 0 };
	const char *text = str_text(&step->text);

	for (const char *p = text; *p; p += strcspn(p, "\n"), p += *p == '\n') {
		size_t len = strcspn(p, "\n");

		if (len == 0)
			continue;
		if (one.len > 0)
			str_add(&one, "; ");
		str_add_bytes(&one, (struct bytes){ p, len });
	}
	str_add_escaped(out, str_bytes(&one), WORDS_MAX);
	if (one.len == 0)
		str_addf(out, "exit status %d without a reason", step->status);
}

bool
luks_talk_misfit(const struct luks_step *step)
{
	return step->status == 2 ||
	    (step->status == 1 && strstr(str_text(&step->text), "No usable keyslot") != NULL);
}

static enum proc_gate
gate(void *arg, struct bytes output)
{
	struct run *r = arg;
	AUTO(luks_reply_done) struct luks_reply seen = { 0 };
	struct err ignored;

	if (!luks_reply_parse(output, &seen, &ignored) || !luks_reply_first(&seen, "ready"))
		return PROC_GATE_WAIT;
	str_add(&r->go, "go");
	if (!r->talk->decide(r->talk->arg, &seen, &r->go, &r->err)) {
		r->refused = true;
		return PROC_GATE_STOP;
	}
	str_add_char(&r->go, '\n');
	r->input[0] = str_bytes(&r->go);
	for (size_t i = 0; i < r->talk->n_keys; i++)
		r->input[i + 1] = r->talk->keys[i] ? secret_bytes(r->talk->keys[i]) :
						     (struct bytes){ 0 };
	return PROC_GATE_GO;
}

/* sudo's own words: it would ask for a password, or it does not allow this. */
bool
luks_talk_refused(const char *what, const struct luks_step *step, struct err *e)
{
	const char *text = str_text(&step->text);
	AUTO(str_done) struct str words = { 0 };

	if (step->status == 0 || (!strstr(text, "sudo: ") && !strstr(text, "is not allowed to ") &&
				     !strstr(text, "may not run sudo")))
		return false;
	luks_talk_words(step, &words);
	err_set(e, ERR_DISK,
	    "%s: sudo refuses (%s): allow \"NOPASSWD: /usr/bin/test, /sbin/cryptsetup\" in sudoers",
	    what, str_text(&words));
	return true;
}

static bool
blame_words(const struct luks_talk *talk, const struct luks_step *step, const char *host,
    struct err *e)
{
	AUTO(str_done) struct str words = { 0 };

	luks_talk_words(step, &words);
	if (luks_talk_refused(talk->what, step, e))
		return false;
	if (step->status == 127)
		return err_set(e, ERR_DISK, "%s: a program is missing on %s: %s", talk->what, host,
		    str_text(&words));
	return err_set(e, ERR_DISK, "%s: %s", talk->what, str_text(&words));
}

/* The script ended by itself at this step, with nothing begun. */
static bool
blame_step(const struct luks_talk *talk, const struct luks_step *step, const char *host,
    struct err *e)
{
	AUTO(str_done) struct str words = { 0 };

	luks_talk_words(step, &words);
	if (strcmp(step->name, "device") == 0)
		return err_set(e, ERR_DISK, "%s: %s is not there, or no device or image file",
		    talk->what, talk->device);
	if (strcmp(step->name, "uuid") == 0 && step->status == 1 && step->text.len <= 1)
		return err_set(e, ERR_DISK, "%s: %s is not a valid LUKS device", talk->what,
		    talk->device);
	if (strcmp(step->name, "lock") == 0 && step->status == 1)
		return err_set(e, ERR_HOST,
		    "%s: another arver is changing this disk and does not end; nothing was begun",
		    talk->what);
	if (strcmp(step->name, "lockfile") == 0)
		return err_set(e, ERR_DISK,
		    "%s: %s cannot be made or read on %s: make /run/lock writable (mode 1777)",
		    talk->what, str_text(&words), host);
	if (strcmp(step->name, "header") == 0)
		return err_set(e, ERR_DISK, "%s: the header of %s has no usable UUID", talk->what,
		    talk->device);
	if (strcmp(step->name, "exists") == 0 && step->status == 0)
		return err_set(e, ERR_DISK, "%s is open already", talk->what);
	if (strcmp(step->name, "exists") == 0 || strcmp(step->name, "lies") == 0)
		return err_set(e, ERR_DISK, "%s: a mapping of this name lies on %s, not on %s",
		    talk->what, str_text(&words), talk->device);
	return blame_words(talk, step, host, e);
}

/* Which of the ends that are not the script's own. */
static bool
blame_end(const struct luks_talk *talk, const struct proc_result *res, bool begun,
    const char *host, struct err *e)
{
	AUTO(str_done) struct str words = { 0 };
	enum err_kind kind = begun ? ERR_LOST : ERR_HOST;
	const char *but = begun ? "what it did is unknown" : "nothing was begun";

	if (res->end == PROC_DEADLINE)
		return err_set(e, kind, "%s: no answer from %s in time; %s", talk->what, host, but);
	if (res->end == PROC_LOST)
		return err_set(e, kind, "%s: connection to %s lost%s%s; %s", talk->what, host,
		    res->lost.len ? ", " : "", str_text(&res->lost), but);
	proc_quote_output(&words, res, WORDS_MAX);
	return err_set(e, kind, "%s: %s did not answer as expected (%s); %s", talk->what, host,
	    words.len > 0 ? str_text(&words) : "it said nothing", but);
}

static bool
blame(const struct luks_talk *talk, const struct proc_result *res, const struct luks_reply *reply,
    const char *host, struct err *e)
{
	const struct luks_step *last = reply->n ? &reply->at[reply->n - 1] : NULL;
	bool own_end = res->end == PROC_EXITED && res->code == 1 && !res->fed && last &&
	    (last->status != 0 || strcmp(last->name, "exists") == 0);

	return own_end ? blame_step(talk, last, host, e) :
			 blame_end(talk, res, res->fed || talk->acts, host, e);
}

/* Black out whatever agrees with this key around the bytes [at, at + PIECE) of it. */
static void
hide_piece(struct bytes key, size_t at, struct str *said)
{
	const char *k = key.ptr;
	char *p = said->ptr, *end = p + said->len;

	while ((p = memmem(p, (size_t)(end - p), k + at, PIECE))) {
		char *from = p, *to = p + PIECE;

		for (size_t i = at; i > 0 && from > said->ptr && from[-1] == k[i - 1]; i--)
			from--;
		for (size_t i = at + PIECE; i < key.len && to < end && *to == k[i]; i++)
			to++;
		memset(from, '*', (size_t)(to - from));
		p = to;
	}
}

/*
 * A server that says the keys again that it was sent (a wrapper that traces, or malice) does not bring
 * them to a screen or a log. Passphrases of less than a piece are not looked for: each word blacked
 * out would tell one.
 */
static void
hide_keys(const struct run *r, struct str *said)
{
	for (size_t i = 1; said->len > 0 && i <= r->talk->n_keys; i++)
		for (size_t at = 0; at + PIECE <= r->input[i].len; at += PIECE)
			hide_piece(r->input[i], at, said);
}

/* sh -c SCRIPT arver SUDO DEVICE WORDS... */
static void
command_words(const struct luks_talk *talk, bool sudo, struct argv *out)
{
	AUTO(str_done) struct str script = { 0 };

	luks_script(talk->script, &script);
	argv_add(out, "sh");
	argv_add(out, "-c");
	argv_add(out, str_text(&script));
	argv_add(out, "arver");
	argv_add(out, sudo ? "sudo -n" : "");
	argv_add(out, talk->device);
	argv_add_all(out, &talk->words);
}

static void
run_done(struct run *r)
{
	str_done(&r->go);
	free(r->input);
}

bool
luks_talk_run(struct transport *t, int64_t limit_ms, const struct luks_talk *talk,
    struct luks_reply *out, struct err *e)
{
	AUTO(run_done) struct run run = { .talk = talk };
	AUTO(argv_done) struct argv words = { 0 };
	AUTO(proc_result_done) struct proc_result res = { 0 };
	AUTO(luks_reply_done) struct luks_reply reply = { 0 };
	struct err strange = { 0 };
	struct proc_command c = { .limit_ms = limit_ms };

	command_words(talk, t->sudo, &words);
	run.input = mem_alloc(talk->n_keys + 1, sizeof(*run.input));
	c.argv = argv_words(&words);
	if (talk->decide) {
		c.input = run.input;
		c.n_input = talk->n_keys + 1;
		c.gate = gate;
		c.gate_arg = &run;
	}
	if (!transport_run(t, &c, &res, e))
		return err_wrap(e, "%s", talk->what);
	hide_keys(&run, &res.out);
	hide_keys(&run, &res.err);
	hide_keys(&run, &res.lost);
	if (run.refused) {
		if (e)
			*e = run.err;
		return false;
	}
	if (!luks_reply_parse(str_bytes(&res.out), &reply, &strange) || !reply.ended)
		return blame(talk, &res, &reply, t->name, e);
	*out = reply;
	reply = (struct luks_reply){ 0 };
	return true;
}
