/* SPDX-License-Identifier: MIT */
/*
 * mem: allocation that never returns NULL, and ownership in scope. When
 * memory is exhausted one line is written to stderr, secrets are wiped and the
 * process ends with status 1: the one exit in lib/. Sizes from outside are
 * capped before they come here.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <pthread.h>
#include <stddef.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* AUTO(x_drop) holds: when the variable leaves scope, x_drop(&variable) runs. */
#define AUTO(drop) __attribute__((cleanup(drop)))

/* TAKE(pointer) hands on: yields the pointer and leaves NULL behind. */
#define TAKE(pointer)                                                                              \
	__extension__({                                                                            \
		__typeof__(pointer) taken_ = (pointer);                                            \
		(pointer) = NULL;                                                                  \
		taken_;                                                                            \
	})

/* HOLD(&mutex) locks it until the function or block returns. */
#define HOLD(mutex)                                                                                \
	AUTO(mem_unlock) __attribute__((unused)) pthread_mutex_t *held_ = mem_lock(mutex)

/* Define `void name_drop(type **p)` from `void name_free(type *)`. */
#define DROP(name, type)                                                                           \
	static inline void name##_drop(type **p) /* NOLINT(bugprone-macro-parentheses) */          \
	{                                                                                          \
		name##_free(*p);                                                                   \
		*p = NULL;                                                                         \
	}

/* Zeroed memory of n * size bytes, never NULL (n * size == 0 too); free(). */
void *mem_alloc(size_t n, size_t size) __attribute__((malloc, returns_nonnull));
/* Resize to n * size bytes; what is new is not zeroed. */
void *mem_resize(void *ptr, size_t n, size_t size) __attribute__((returns_nonnull));
char *mem_strdup(const char *s) __attribute__((malloc, returns_nonnull));
char *mem_strndup(const char *s, size_t len) __attribute__((malloc, returns_nonnull));
/* printf into fresh memory. */
char *mem_printf(const char *fmt, ...)
    __attribute__((malloc, returns_nonnull, format(printf, 1, 2)));

/*
 * Make room for one more element behind `n` of them in *array (each `size`
 * bytes; capacity doubles at powers of two, so `n` is all the state there is)
 * and return it, zeroed: `item = mem_push(&list, &n, sizeof(*list))` counts
 * `n` up too. The array may move.
 */
void *mem_push(void *array, size_t *n, size_t size) __attribute__((returns_nonnull));

/* End the process for want of memory: says so, wipes secrets, _exit(1). */
_Noreturn void mem_exhausted(void);

void mem_free_drop(void *pointer_to_pointer); /* AUTO(mem_free_drop) char *s = ...; */
pthread_mutex_t *mem_lock(pthread_mutex_t *m);
void mem_unlock(pthread_mutex_t **m);

#endif
