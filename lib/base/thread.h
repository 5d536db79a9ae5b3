/* SPDX-License-Identifier: MIT */
/* thread: one that is deaf to signals, for those are the main thread's, and has a small stack. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>
#include <stddef.h>

/* To be joined or detached. Returns an errno value. */
int thread_start(pthread_t *out, size_t stack, void *(*run)(void *arg), void *arg);

#endif
