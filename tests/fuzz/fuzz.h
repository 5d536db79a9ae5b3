/* SPDX-License-Identifier: MIT */
/*
 * fuzz: what the targets share. A target is one file with a fuzz_one() that is called with bytes
 * by chance and aborts, by EXPECT, where the code under test breaks its contract; what breaks C
 * itself is seen by AddressSanitizer and UBSan. Secrets lie on the heap here (fuzz_secret.c), so
 * that a byte too far is seen there, too.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

/* Of a target: one input. It lies in memory that ends with it. */
void fuzz_one(struct bytes in);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

#define EXPECT(truth) ((truth) ? (void)0 : fuzz_broken(__FILE__, __LINE__, #truth))
_Noreturn void fuzz_broken(const char *file, int line, const char *truth);

/* A failure is told in one sentence that a terminal can stand, and has a kind. */
void fuzz_expect_error(const struct err *e);
/* Nothing in it would upset a terminal. */
void fuzz_expect_printable(const char *text);

/* Cut the first byte off; 0 where there is none. */
unsigned fuzz_take(struct bytes *in);
/* Cut off what stands before the next line "====", without it; all where there is none. */
struct bytes fuzz_take_part(struct bytes *in);
/* A string of what stands before the first NUL; free(). */
char *fuzz_text(struct bytes in);

bool fuzz_equal(struct bytes a, struct bytes b);
/* Were these bytes left as fuzz_paint made them? */
void fuzz_paint(void *ptr, size_t len);
bool fuzz_is_painted(const void *ptr, size_t len);

/* A directory of this process, in memory where there is /dev/shm, gone at its end. */
const char *fuzz_dir(void);
int fuzz_dir_fd(void);
void fuzz_write(const char *name, struct bytes content);

#endif
