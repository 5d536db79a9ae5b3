/* SPDX-License-Identifier: MIT */
/*
 * secret: the arena is a list of chunks, each one mmap with a guard page on
 * either side. Small secrets share chunks of CHUNK_BYTES, first fit in units of
 * UNIT_BYTES; a large one has a chunk of its own, unmapped when it is freed.
 * What keeps the books (struct chunk, struct secret) lies on the ordinary heap
 * and holds no secret. One mutex guards the list; nothing allocates under it.
 */
#include "base/secret.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define CHUNK_BYTES ((size_t)256 << 10)
#define UNIT_BYTES ((size_t)64)
#define CHUNK_UNITS (CHUNK_BYTES / UNIT_BYTES)
#define LARGE_BYTES (CHUNK_BYTES / 4)
#define WIPE_PATIENCE_MS 100

struct chunk {
	struct chunk *next;
	unsigned char *base;	 /* behind the first guard page */
	size_t size;		 /* without the guard pages */
	bool large;		 /* one secret has it all; what follows is not used */
	size_t n_free;		 /* units */
	bool used[CHUNK_UNITS];	 /* per unit */
};

struct secret {
	struct chunk *chunk;
	unsigned char *ptr;
	size_t len, capacity;
};

static pthread_mutex_t arena_lock = PTHREAD_MUTEX_INITIALIZER;
static struct chunk *arena;
static atomic_bool some_unlocked;

#define LOW_REGISTERS                                                                      \
	"xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",      \
	    "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"

/*
 * What copies or compares many bytes leaves them in vector registers, and whoever saves those (the
 * loader, when it binds a function late; a signal) writes them on the stack.
 */
static void
clear_registers(void)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx512f")) /* no code of the compiler's uses these: no clobber */
		__asm__ volatile(".irp n, 16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n\t"
				 "vpxorq %%zmm\\n, %%zmm\\n, %%zmm\\n\n\t"
				 ".endr" ::);
	if (__builtin_cpu_supports("avx"))
		__asm__ volatile("vzeroall" ::: LOW_REGISTERS);
	else
		__asm__ volatile(".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\t"
				 "pxor %%xmm\\n, %%xmm\\n\n\t"
				 ".endr" ::: LOW_REGISTERS);
#endif
}

static size_t
page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static size_t
round_up(size_t n, size_t to)
{
	return (n + to - 1) / to * to;
}

static size_t
units_of(size_t capacity)
{
	return capacity > 0 ? round_up(capacity, UNIT_BYTES) / UNIT_BYTES : 1;
}

/* Map `size` bytes between two guard pages; locked and marked where possible. */
static struct chunk *
chunk_new(size_t size, bool large)
{
	struct chunk *chunk = mem_alloc(1, sizeof(*chunk));
	size_t page = page_size();
	unsigned char *map;

	size = round_up(size, page);
	map = mmap(NULL, size + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED || mprotect(map + page, size, PROT_READ | PROT_WRITE) != 0)
		mem_exhausted();
	chunk->base = map + page;
	chunk->size = size;
	chunk->n_free = CHUNK_UNITS;
	chunk->large = large;
	madvise(chunk->base, size, MADV_DONTDUMP);
	madvise(chunk->base, size, MADV_WIPEONFORK);
	if (mlock2(chunk->base, size, 0) != 0) /* mlock(), which sanitizers make a no-op */
		atomic_store(&some_unlocked, true);
	return chunk;
}

static void
chunk_free(struct chunk *chunk)
{
	munmap(chunk->base - page_size(), chunk->size + 2 * page_size());
	free(chunk);
}

static void
chunk_link(struct chunk *chunk)
{
	chunk->next = arena;
	arena = chunk;
}

static void
chunk_unlink(struct chunk *chunk)
{
	struct chunk **at = &arena;

	while (*at != chunk)
		at = &(*at)->next;
	*at = chunk->next;
}

/* First of `n` free units in a row, CHUNK_UNITS if there are none. */
static size_t
find_units(const struct chunk *chunk, size_t n)
{
	size_t run = 0;

	for (size_t i = 0; i < CHUNK_UNITS; i++) {
		run = chunk->used[i] ? 0 : run + 1;
		if (run == n)
			return i + 1 - n;
	}
	return CHUNK_UNITS;
}

static void
mark_units(struct chunk *chunk, size_t first, size_t n, bool used)
{
	memset(chunk->used + first, used, n * sizeof(*chunk->used));
	chunk->n_free = used ? chunk->n_free - n : chunk->n_free + n;
}

/* Give s room in a chunk that it shares, if one has room. */
static bool
place_shared(struct secret *s)
{
	size_t n = units_of(s->capacity);

	for (struct chunk *chunk = arena; chunk; chunk = chunk->next) {
		size_t first = CHUNK_UNITS;

		if (!chunk->large && chunk->n_free >= n)
			first = find_units(chunk, n);
		if (first == CHUNK_UNITS)
			continue;
		mark_units(chunk, first, n, true);
		s->chunk = chunk;
		s->ptr = chunk->base + first * UNIT_BYTES;
		return true;
	}
	return false;
}

static bool
place_shared_locked(struct secret *s)
{
	HOLD(&arena_lock);
	return place_shared(s);
}

/* Link a new chunk and give s its front. */
static void
place_in(struct secret *s, struct chunk *chunk)
{
	HOLD(&arena_lock);
	chunk_link(chunk);
	s->chunk = chunk;
	s->ptr = chunk->base;
	if (!chunk->large)
		mark_units(chunk, 0, units_of(s->capacity), true);
}

struct secret *
secret_new(size_t capacity)
{
	struct secret *s = mem_alloc(1, sizeof(*s));

	if (capacity > SECRET_MAX)
		mem_exhausted();
	s->capacity = capacity;
	if (capacity > LARGE_BYTES)
		place_in(s, chunk_new(capacity, true));
	else if (!place_shared_locked(s))
		place_in(s, chunk_new(CHUNK_BYTES, false));
	return s;
}

void
secret_free(struct secret *s)
{
	if (!s)
		return;
	explicit_bzero(s->ptr, s->capacity);
	clear_registers();
	{
		HOLD(&arena_lock);
		if (s->chunk->large)
			chunk_unlink(s->chunk);
		else
			mark_units(s->chunk, (size_t)(s->ptr - s->chunk->base) / UNIT_BYTES,
			    units_of(s->capacity), false);
	}
	if (s->chunk->large)
		chunk_free(s->chunk);
	free(s);
}

struct span
secret_space(struct secret *s)
{
	return (struct span){ s->ptr, s->capacity };
}

bool
secret_set_len(struct secret *s, size_t len)
{
	assert(len <= s->capacity);
	s->len = len;
	return true;
}

struct bytes
secret_bytes(const struct secret *s)
{
	return (struct bytes){ s->ptr, s->len };
}

struct secret *
secret_from(struct bytes b)
{
	struct secret *s = secret_new(b.len);

	if (b.len > 0)
		memcpy(s->ptr, b.ptr, b.len);
	clear_registers();
	s->len = b.len;
	return s;
}

bool
secret_equal(const struct secret *a, const struct secret *b)
{
	volatile unsigned char differ = 0;

	if (a->len != b->len)
		return false;
	for (size_t i = 0; i < a->len; i++)
		differ |= a->ptr[i] ^ b->ptr[i];
	return differ == 0;
}

int
secret_order(const struct secret *a, const struct secret *b)
{
	volatile int first = 0; /* -1, 0, 1: at the first byte that differs, found last */

	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	for (size_t i = a->len; i-- > 0;) {
		int more = (b->ptr[i] - a->ptr[i]) >> 8, less = (a->ptr[i] - b->ptr[i]) >> 8;

		first = (less - more) | (first & ~(less | more));
	}
	return first;
}

/* Fill with the kernel's randomness; there is no going on without. */
static void
fill_random(unsigned char *p, size_t len)
{
	while (len > 0) {
		ssize_t n = getrandom(p, len, 0);

		if (n < 0 && errno != EINTR)
			abort();
		p += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
}

struct secret *
secret_random_base64(size_t n)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	AUTO(secret_drop) struct secret *raw = secret_new(n);
	struct secret *text = secret_new(n / 3 * 4);
	unsigned char *to = text->ptr;

	assert(n % 3 == 0); /* no padding */
	fill_random(raw->ptr, n);
	for (const unsigned char *p = raw->ptr; p < raw->ptr + n; p += 3) {
		*to++ = (unsigned char)digits[p[0] >> 2];
		*to++ = (unsigned char)digits[(p[0] & 3) << 4 | p[1] >> 4];
		*to++ = (unsigned char)digits[(p[1] & 15) << 2 | p[2] >> 6];
		*to++ = (unsigned char)digits[p[2] & 63];
	}
	text->len = n / 3 * 4;
	return text;
}

bool
secret_all_locked(void)
{
	return !atomic_load(&some_unlocked);
}

void
secret_lock_pages(const void *p, size_t len)
{
	size_t before = (uintptr_t)p % page_size();
	char *from = (char *)p - before;

	len = round_up(before + len, page_size());
	madvise(from, len, MADV_DONTDUMP);
	if (mlock2(from, len, 0) != 0)
		atomic_store(&some_unlocked, true);
}

/* Try for a while, then go on without: the process is about to end anyway. */
static bool
try_for_arena(void)
{
	for (int i = 0; i < WIPE_PATIENCE_MS; i++) {
		if (pthread_mutex_trylock(&arena_lock) == 0)
			return true;
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
	return false;
}

/*
 * Not with zeros: another thread may be about to hand a key to a disk, and a
 * key slot must not open with bytes that anyone can guess.
 */
void
secret_wipe_all(void)
{
	unsigned char noise[UNIT_BYTES];
	bool locked = try_for_arena();

	fill_random(noise, sizeof(noise));
	for (struct chunk *chunk = arena; chunk; chunk = chunk->next)
		for (size_t at = 0; at < chunk->size; at += UNIT_BYTES)
			memcpy(chunk->base + at, noise, UNIT_BYTES);
	explicit_bzero(noise, sizeof(noise));
	if (locked)
		pthread_mutex_unlock(&arena_lock);
}

void
secret_harden_process(void)
{
	struct rlimit lock;

	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (getrlimit(RLIMIT_MEMLOCK, &lock) == 0) {
		lock.rlim_cur = lock.rlim_max;
		setrlimit(RLIMIT_MEMLOCK, &lock);
	}
}
