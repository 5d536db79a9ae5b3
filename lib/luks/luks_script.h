/* SPDX-License-Identifier: MIT */
/*
 * luks_script: the shell text that runs on the server, one script for each
 * operation. It needs a POSIX shell, cryptsetup, flock, and blkid for formatting.
 * Its words are "$1" sudo command or nothing, "$2" device, then its own, told beside it.
 *
 * It answers in lines "arver: STEP STATUS" at the margin; what a step said follows, indented by
 * one blank, so that nothing stored on a disk can pretend to be an answer. The last line of
 * a script that came to its end is "arver: done 0". After "arver: ready 0" it waits for a line
 * that begins with the word "go", and then takes keys from stdin, each with its exact length; any
 * other line, or none, ends it with nothing done.
 */
#ifndef LUKS_LUKS_SCRIPT_H
#define LUKS_LUKS_SCRIPT_H

#include "base/str.h"

enum luks_script {
	LUKS_SCRIPT_STATUS, /* NAME DEVICE ...           there, disk; for each, in that order */
	LUKS_SCRIPT_OPEN,   /* N (NAME DEVICE PINNED) * N (I SLOT LENGTH) ...    keys: one for each try */
	LUKS_SCRIPT_CLOSE,  /* NAME */
	LUKS_SCRIPT_LOOK,   /*                           dump */
	LUKS_SCRIPT_LOOK_LOCKED, /* UUID SECONDS         dump; UUID may be empty */
	LUKS_SCRIPT_PROBE,  /*                           blkid, dump */
	LUKS_SCRIPT_TEST,   /* all|first (SLOT LENGTH) ...  keys: one for each pair */
	LUKS_SCRIPT_FORMAT, /* SECONDS SLOT LENGTH OPTION ...  keys: new, new */
	LUKS_SCRIPT_ADD,    /* UUID SECONDS AUTH_SLOT AUTH_LENGTH SLOT LENGTH
			     * keys: auth, auth, new, new; go line: go prefer|- OPTION ... */
	LUKS_SCRIPT_KILL,   /* UUID SECONDS AUTH_SLOT AUTH_LENGTH SLOT violence|-
			     * keys: auth three times */
	LUKS_SCRIPTS,
};

/* Append the whole text. A slot is a number or "any". */
void luks_script(enum luks_script which, struct str *out);

#endif
