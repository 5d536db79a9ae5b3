/* SPDX-License-Identifier: MIT */
/*
 * mem: thin wrappers around malloc that check every product for overflow and
 * end the process instead of returning NULL.
 */
#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/secret.h"

void
mem_exhausted(void)
{
	static const char text[] = "arver: out of memory\n";
	/* Said first: a write may block, and nobody should work with wiped keys meanwhile. */
	ssize_t ignored = write(STDERR_FILENO, text, sizeof(text) - 1);

	(void)ignored;
	secret_wipe_all();
	_exit(1);
}

void *
mem_alloc(size_t n, size_t size)
{
	void *ptr = n && size ? calloc(n, size) : calloc(1, 1);

	if (!ptr)
		mem_exhausted();
	return ptr;
}

void *
mem_resize(void *ptr, size_t n, size_t size)
{
	size_t bytes = 0;
	void *fresh;

	if (__builtin_mul_overflow(n, size, &bytes))
		mem_exhausted();
	fresh = realloc(ptr, bytes ? bytes : 1);
	if (!fresh)
		mem_exhausted();
	return fresh;
}

char *
mem_strdup(const char *s)
{
	return mem_strndup(s, strlen(s));
}

char *
mem_strndup(const char *s, size_t len)
{
	size_t n = strnlen(s, len);
	char *copy = mem_alloc(n + 1, 1);

	memcpy(copy, s, n);
	return copy;
}

char *
mem_printf(const char *fmt, ...)
{
	char *text = NULL;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vasprintf(&text, fmt, args);
	va_end(args);
	if (n < 0 || !text)
		mem_exhausted();
	return text;
}

void *
mem_push(void *array, size_t *n, size_t size)
{
	char *list;

	memcpy(&list, array, sizeof(list)); /* whatever it points to: no aliasing */
	if ((*n & (*n - 1)) == 0) {	    /* 0, 1, 2, 4, ...: full */
		list = mem_resize(list, *n ? *n : 1, *n ? 2 * size : size);
		memcpy(array, &list, sizeof(list));
	}
	return memset(list + (*n)++ * size, 0, size);
}

void
mem_free_drop(void *pointer_to_pointer)
{
	void *ptr;

	memcpy(&ptr, pointer_to_pointer, sizeof(ptr));
	free(ptr);
	ptr = NULL;
	memcpy(pointer_to_pointer, &ptr, sizeof(ptr));
}

pthread_mutex_t *
mem_lock(pthread_mutex_t *m)
{
	pthread_mutex_lock(m);
	return m;
}

void
mem_unlock(pthread_mutex_t **m)
{
	pthread_mutex_unlock(*m);
}
