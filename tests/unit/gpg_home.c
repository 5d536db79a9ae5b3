/* SPDX-License-Identifier: MIT */
/*
 * gpg_home: keys are made by gpg's own batch mode; the agent that gpg starts
 * for a home ends with it.
 */
#include "gpg_home.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/file.h"
#include "base/proc.h"

static void
die(const char *what, const char *why)
{
	fprintf(stderr, "gpg_home: %s: %s\n", what, why);
	abort();
}

int
gpg_home_run(const char *const *argv, struct bytes input, struct str *out)
{
	struct proc_command c = { .argv = argv, .input = &input, .n_input = 1, .cap = 64 << 20 };
	struct proc_result r = { 0 };
	struct err e = { 0 };
	int status;

	if (!proc_run(&c, &r, &e))
		die(argv[0], e.text);
	status = r.end == PROC_EXITED ? r.code : -1;
	if (status != 0 && getenv("GPG_HOME_DEBUG"))
		fprintf(stderr, "%s: %s\n", argv[0], str_text(&r.err));
	if (out) {
		str_clear(out);
		str_add_bytes(out, str_bytes(&r.out));
	}
	proc_result_done(&r);
	return status;
}

char *
gpg_home_new(void)
{
	char *home = mem_strdup("/tmp/arver-gpg.XXXXXX");

	if (!mkdtemp(home))
		die(home, "cannot make it");
	gpg_home_use(home);
	return home;
}

void
gpg_home_use(const char *home)
{
	setenv("GNUPGHOME", home, 1);
}

void
gpg_home_free(char *home)
{
	const char *const stop[] = { "gpgconf", "--homedir", home, "--kill", "all", NULL };
	const char *const remove[] = { "rm", "-rf", "--", home, NULL };

	gpg_home_run(stop, (struct bytes){ 0 }, NULL);
	gpg_home_run(remove, (struct bytes){ 0 }, NULL);
	free(home);
}

int
gpg_home_gpg(struct str *out, struct bytes input, ...)
{
	AUTO(argv_done) struct argv argv = { 0 };
	const char *word;
	va_list args;

	argv_add(&argv, "gpg");
	argv_add(&argv, "--batch");
	argv_add(&argv, "--yes");
	argv_add(&argv, "--quiet");
	va_start(args, input);
	while ((word = va_arg(args, const char *)))
		argv_add(&argv, word);
	va_end(args);
	return gpg_home_run(argv_words(&argv), input, out);
}

/* The fingerprint of the key made last, from --status-fd's KEY_CREATED. */
static char *
created(const struct str *status)
{
	const char *at = strstr(str_text(status), "KEY_CREATED ");

	return at ? mem_strndup(at + strlen("KEY_CREATED B "), 40) : NULL;
}

char *
gpg_home_make_key(const char *name, const char *kind, const char *expires)
{
	AUTO(str_done) struct str params = { 0 };
	AUTO(str_done) struct str out = { 0 };
	char *fpr;

	if (strcmp(kind, "cv25519") == 0)
		str_add(&params, "Key-Type: EDDSA\nKey-Curve: ed25519\nSubkey-Type: ECDH\n"
		    "Subkey-Curve: cv25519\n");
	else if (strcmp(kind, "elg1024") == 0)
		str_add(&params, "Key-Type: EDDSA\nKey-Curve: ed25519\nSubkey-Type: ELG-E\n"
		    "Subkey-Length: 1024\n");
	else if (strcmp(kind, "sign") == 0)
		str_add(&params, "Key-Type: EDDSA\nKey-Curve: ed25519\n");
	else
		str_add(&params, "Key-Type: RSA\nKey-Length: 2048\nSubkey-Type: RSA\n"
		    "Subkey-Length: 2048\n");
	if (strcmp(expires, "past") == 0)
		str_add(&params, "Creation-Date: 20200101T000000\n");
	str_addf(&params, "Name-Real: %s\nName-Email: %s@example.org\nExpire-Date: %s\n"
	    "%%no-protection\n%%commit\n", name, name,
	    strcmp(expires, "past") == 0 ? "20200201T000000" : expires);
	if (gpg_home_gpg(&out, str_bytes(&params), "--status-fd", "1", "--gen-key", NULL) != 0)
		die(name, "gpg cannot make a key");
	fpr = created(&out);
	if (!fpr)
		die(name, "gpg does not name the key");
	return fpr;
}

void
gpg_home_file(const char *name, const char *text)
{
	AUTO(fd_drop) int dir = -1;
	struct err e = { 0 };
	struct file_place at = { .name = name, .mode = 0700 };

	if (!file_open_dir(getenv("GNUPGHOME"), &dir, &e))
		die(name, e.text);
	at.dir = at.tmp_dir = dir;
	if (!file_replace(&at, bytes_of(text), &e))
		die(name, e.text);
}

void
gpg_home_conf(const char *text)
{
	gpg_home_file("gpg.conf", text);
}

char *
gpg_home_new_with_pinentry(const char *name)
{
	char *home = gpg_home_new();
	AUTO(str_done) struct str conf = { 0 };
	AUTO(str_done) struct str script = { 0 };

	str_addf(&conf, "pinentry-program %s/pinentry\nmax-cache-ttl 0\ndefault-cache-ttl 0\n"
	    "s2k-count 65536\n", home);
	gpg_home_file("gpg-agent.conf", str_text(&conf));
	str_addf(&script, "#!/bin/sh\necho OK ready\nwhile read -r verb rest; do\n"
	    "case $verb in OPTION) case $rest in owner=*) gpg=${rest#owner=};; esac; echo OK;;\n"
	    "GETPIN) echo x >>%s/prompts; grep -q '^KILL' %s/answer && kill -INT ${gpg%%%%/*};\n"
	    "cat %s/answer;; CONFIRM) cat %s/answer;; BYE) echo OK; exit 0;; *) echo OK;; esac\n"
	    "done\n", home, home, home, home);
	gpg_home_file("pinentry", str_text(&script));
	if (gpg_home_gpg(NULL, (struct bytes){ 0 }, "--pinentry-mode", "loopback", "--passphrase",
	    "right", "--quick-gen-key", name, "future-default", "default", "0", NULL) != 0)
		die(name, "gpg cannot make a key");
	return home;
}

char *
gpg_home_fingerprint(const char *name)
{
	AUTO(str_done) struct str list = { 0 };
	const char *at;

	gpg_home_gpg(&list, (struct bytes){ 0 }, "--with-colons", "--list-keys", name, NULL);
	at = strstr(str_text(&list), "fpr:::::::::");
	if (!at)
		die(name, "no such key");
	return mem_strndup(at + strlen("fpr:::::::::"), 40);
}
