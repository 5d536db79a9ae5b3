/* SPDX-License-Identifier: MIT */
#include "base/thread.h"

#include <signal.h>

int
thread_start(pthread_t *out, size_t stack, void *(*run)(void *arg), void *arg)
{
	pthread_attr_t attr;
	sigset_t every, before;
	int code;

	sigfillset(&every);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, stack);
	pthread_sigmask(SIG_BLOCK, &every, &before);
	code = pthread_create(out, &attr, run, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return code;
}
