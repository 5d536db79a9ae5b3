/* SPDX-License-Identifier: MIT */
/*
 * luks_contract: the cases. The cryptsetup program, run by hand, is the second
 * opinion: it makes what a case needs and tells what came of it. Opening and closing need
 * device-mapper; without it those cases are skipped with a message. CASES='*open*' runs some.
 */
#include "tests/contract/luks_contract.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/clock.h"
#include "base/file.h"
#include "base/secret.h"
#include "inventory/inventory.h"
#include "luks/luks.h"

/* The lock goes by the UUID: one of its own for each of the programs that run side by side. */
static char UUID[LUKS_UUID_LEN + 1], LOCK[64];
#define OTHER_UUID "6b1e0000-0000-4000-8000-0000000000bb"
#define LIMIT_MS 60000

static const struct luks_contract *contract;

struct world {
	const char *type;	/* of the case: "luks1" or "luks2" */
	struct luks *luks;
	struct disk disk;
	char *dir, *image, *name;
	struct secret *mine, *other, *wrong;
	struct luks_header header;
	struct err e;
};

static struct secret *
key_of(const char *text)
{
	return secret_from(bytes_of(text));
}

/* Run a command for the case; its exit status. */
static int PRINTF(1, 2)
sh(const char *fmt, ...)
{
	AUTO(mem_free_drop) char *line = NULL;
	va_list ap;
	int status;

	va_start(ap, fmt);
	assert_true(vasprintf(&line, fmt, ap) >= 0);
	va_end(ap);
	status = system(line);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
make_empty(struct world *w)
{
	assert_int_equal(sh("rm -f %s; truncate -s 20M %s", w->image, w->image), 0);
}

static bool
format(struct world *w, int slot, bool overwrite)
{
	const struct luks_format f = { .uuid = UUID, .type = w->type, .key = w->mine, .slot = slot,
		.overwrite = overwrite };

	return luks_format(w->luks, &w->disk, &f, &w->header, &w->e);
}

static bool
add(struct world *w, const struct secret *auth, int auth_slot, const struct secret *key, int slot)
{
	const struct luks_add a = { .uuid = UUID, .auth = { auth, auth_slot }, .key = key,
		.slot = slot, .prefer = true };

	return luks_add(w->luks, &w->disk, &a, &w->header, &w->e);
}

static bool
fits(struct world *w, const struct secret *key, int slot)
{
	const struct luks_try try = { key, slot };
	bool out = false;

	assert_true(luks_test(w->luks, &w->disk, &try, 1, false, &out, &w->e));
	return out;
}

/* Does the program by itself say that this key opens this slot? */
static bool
cryptsetup_opens(struct world *w, const struct secret *key, int slot)
{
	AUTO(mem_free_drop) char *file = mem_printf("%s/key", w->dir);
	AUTO(fd_drop) int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0 && file_write_all(fd, secret_bytes(key)));
	return sh("cryptsetup open --test-passphrase --key-slot %d --key-file %s %s 2>/dev/null",
		   slot, file, w->image) == 0;
}

static void
assert_unchanged(struct world *w, const struct luks_header *before)
{
	struct luks_header now;

	assert_true(luks_look(w->luks, &w->disk, false, &now, &w->e));
	assert_string_equal(now.uuid, before->uuid);
	assert_int_equal(luks_active(&now), luks_active(before));
	for (size_t i = 0; i < LUKS_MAX_SLOTS; i++)
		assert_string_equal(now.slots[i].salt, before->slots[i].salt);
}

/* The error's kind, and words that must be in its sentence. */
static void
assert_err(struct world *w, enum err_kind kind, const char *words)
{
	if (w->e.kind != kind || !strstr(w->e.text, words))
		fail_msg("kind %d not %d, or no \"%s\" in: %s", w->e.kind, kind, words, w->e.text);
	w->e = (struct err){ 0 };
}

static int
setup(void **state)
{
	struct world *w = mem_alloc(1, sizeof(*w));
	char dir[] = "/tmp/arver-luks.XXXXXX";

	w->type = *state;
	assert_non_null(mkdtemp(dir));
	w->dir = mem_strdup(dir);
	w->image = mem_printf("%s/disk.img", dir);
	w->name = mem_printf("arver-test-%d", (int)getpid());
	w->disk = (struct disk){ .name = w->name, .path = (char *)"/colo/web1/data",
		.device = w->image };
	w->mine = secret_random_base64(192);
	w->other = secret_random_base64(192);
	w->wrong = secret_random_base64(192);
	w->luks = contract->make(LIMIT_MS);
	make_empty(w);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	(void)sh("rm -rf %s %s", w->dir, LOCK);
	contract->drop(w->luks);
	secret_free(w->mine);
	secret_free(w->other);
	secret_free(w->wrong);
	free(w->name);
	free(w->image);
	free(w->dir);
	free(w);
	return 0;
}

static bool
is_luks1(const struct world *w)
{
	return strcmp(w->type, "luks1") == 0;
}

/* Looking. */

static void
status_of_closed_disks_tells_which_are_there(void **state)
{
	struct world *w = *state;
	struct disk gone = { .name = (char *)"gone", .path = (char *)"/colo/web1/gone",
		.device = (char *)"/nonexistent/disk" };
	const struct disk *disks[] = { &w->disk, &gone, &w->disk };
	struct luks_status out[3];

	assert_true(luks_status(w->luks, disks, 3, out, &w->e));
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(out[i].state, LUKS_CLOSED);
	assert_true(out[0].device_there);
	assert_false(out[1].device_there);
	assert_true(out[2].device_there);
	assert_true(luks_status(w->luks, disks, 0, out, &w->e));
}

static void
look_tells_the_header(void **state)
{
	struct world *w = *state;

	assert_true(format(w, 3, false));
	for (int locked = 0; locked < 2; locked++) {
		struct luks_header h;

		assert_true(luks_look(w->luks, &w->disk, locked, &h, &w->e));
		assert_int_equal(h.version, is_luks1(w) ? 1 : 2);
		assert_string_equal(h.uuid, UUID);
		assert_string_equal(h.cipher, "aes-xts-plain64");
		assert_int_equal(h.key_bits, 512);
		assert_int_equal(h.n_slots, is_luks1(w) ? 8 : 32);
		assert_int_equal(luks_active(&h), 1 << 3);
		assert_string_equal(h.slots[3].kdf, "pbkdf2");
		assert_int_equal(h.slots[3].iterations, 1000);
		assert_int_equal(strlen(h.slots[3].salt), 64);
	}
}

static void
look_at_nothing_is_an_error(void **state)
{
	struct world *w = *state;

	for (int locked = 0; locked < 2; locked++) {
		struct luks_header h;

		assert_false(luks_look(w->luks, &w->disk, locked, &h, &w->e));
		assert_err(w, ERR_DISK, "not a valid LUKS device");
		w->disk.device = (char *)"/nonexistent/disk";
		assert_false(luks_look(w->luks, &w->disk, locked, &h, &w->e));
		assert_err(w, ERR_DISK, "colo/web1/data: /nonexistent/disk is not there");
		w->disk.device = w->image;
	}
}

static void
write_at(const char *image, long offset, const void *bytes, size_t len)
{
	FILE *f = fopen(image, "r+");

	assert_non_null(f);
	assert_int_equal(fseek(f, offset, SEEK_SET), 0);
	assert_int_equal(fwrite(bytes, len, 1, f), 1);
	assert_int_equal(fclose(f), 0);
}

/* One Linux partition, from sector 2048 on. */
static void
write_partition_table(const char *image)
{
	static const unsigned char table[66] = { [4] = 0x83, [9] = 8, [13] = 8, [64] = 0x55,
		[65] = 0xaa };

	write_at(image, 446, table, sizeof(table));
}

/* LVM's label carries a checksum of its own kind over what follows it. */
static void
write_lvm_label(const char *image)
{
	unsigned char sector[512] = "LABELONE\1";
	uint32_t crc = 0xf597a6cf;

	memcpy(sector + 20, "\x20\0\0\0LVM2 001abcdefghijklmnopqrstuvwxyz012345", 44);
	for (size_t i = 20; i < sizeof(sector); i++) {
		crc ^= sector[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
	}
	memcpy(sector + 16, &crc, sizeof(crc));
	write_at(image, 512, sector, sizeof(sector));
}

/* A RAID superblock of version 0.90: in the last whole 64 KiB but one. */
static void
write_raid_member(const char *image)
{
	static const uint32_t words[] = { 0xa92b4efc, 0, 90, 0, 0, 1, 2, 3, 1, 1024, 2, 2, 0, 0, 4,
		5, 6 };

	write_at(image, 20 * 1024 * 1024 - 65536, words, sizeof(words));
}

static const struct stuff {
	const char *what;
	const char *command;	/* with the image behind it */
	void (*write)(const char *image);
} stuffs[] = {
	{ "ext4 filesystem", "mkfs.ext4 -q -F", NULL },
	{ "swap space", "mkswap -q", NULL },
	{ "dos partition table", NULL, write_partition_table },
	{ "LVM physical volume", NULL, write_lvm_label },
	{ "RAID member", NULL, write_raid_member },
};

static void
make_stuff(struct world *w, const struct stuff *s)
{
	make_empty(w);
	if (s->write)
		s->write(w->image);
	else
		assert_int_equal(sh("%s %s >/dev/null 2>&1", s->command, w->image), 0);
}

static void
probe_names_what_lies_there(void **state)
{
	struct world *w = *state;
	struct luks_probe p;

	assert_true(luks_probe(w->luks, &w->disk, &p, &w->e));
	assert_true(p.empty && !p.is_luks);
	for (size_t i = 0; i < COUNT(stuffs); i++) {
		make_stuff(w, &stuffs[i]);
		assert_true(luks_probe(w->luks, &w->disk, &p, &w->e));
		assert_false(p.empty || p.is_luks);
		assert_string_equal(p.what, stuffs[i].what);
	}
	make_empty(w);
	assert_true(format(w, 1, false));
	assert_true(luks_probe(w->luks, &w->disk, &p, &w->e));
	assert_true(p.is_luks && !p.empty);
	assert_string_equal(p.what, is_luks1(w) ? "LUKS1" : "LUKS2");
	assert_string_equal(p.header.uuid, UUID);
	w->disk.device = (char *)"/nonexistent/disk";
	assert_false(luks_probe(w->luks, &w->disk, &p, &w->e));
	assert_err(w, ERR_DISK, "is not there");
}

/* Formatting. */

static void
format_makes_a_disk_that_the_key_opens(void **state)
{
	struct world *w = *state;

	assert_true(format(w, 5, false));
	assert_string_equal(w->header.uuid, UUID);
	assert_int_equal(luks_active(&w->header), 1 << 5);
	assert_true(cryptsetup_opens(w, w->mine, 5));
	assert_false(cryptsetup_opens(w, w->wrong, 5));
}

static void
format_takes_what_settings_say(void **state)
{
	struct world *w = *state;
	const struct luks_format f = { .uuid = UUID, .type = w->type, .key = w->mine, .slot = 0,
		.cipher = "aes-cbc-essiv:sha256", .key_size = 256, .sector_size = 1024,
		.pbkdf = is_luks1(w) ? "argon2id" : "argon2i" };

	assert_true(luks_format(w->luks, &w->disk, &f, &w->header, &w->e));
	assert_string_equal(w->header.cipher, "aes-cbc-essiv:sha256");
	assert_int_equal(w->header.key_bits, 256);
	assert_int_equal(w->header.sector_size, is_luks1(w) ? 512 : 1024);
	assert_string_equal(w->header.slots[0].kdf, is_luks1(w) ? "pbkdf2" : "argon2i");
	if (is_luks1(w))
		assert_true(w->header.slots[0].iterations > 1000);
	else
		assert_true(w->header.slots[0].memory_kib > 30000);
}

static void
format_refuses_what_is_not_empty(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < COUNT(stuffs); i++) {
		make_stuff(w, &stuffs[i]);
		assert_false(format(w, 0, false));
		assert_err(w, ERR_DISK, stuffs[i].what);
		assert_true(contract->fed == NULL || !contract->fed());
		assert_true(format(w, 0, true));
		assert_int_equal(sh("blkid -p %s | grep -q crypto_LUKS", w->image), 0);
		assert_true(cryptsetup_opens(w, w->mine, 0));
	}
}

static void
format_takes_up_a_header_of_its_own_without_slots(void **state)
{
	struct world *w = *state;

	assert_true(format(w, 2, false));
	assert_int_equal(sh("cryptsetup -q luksErase %s", w->image), 0);
	assert_true(format(w, 4, false));
	assert_int_equal(luks_active(&w->header), 1 << 4);
}

static void
format_refuses_a_header_with_slots(void **state)
{
	struct world *w = *state;
	struct luks_format f = { .uuid = OTHER_UUID, .type = w->type, .key = w->other, .slot = 0 };
	struct luks_header before;

	assert_true(format(w, 2, false));
	before = w->header;
	assert_false(format(w, 2, false));
	assert_err(w, ERR_REFUSED, "this very header");
	assert_false(luks_format(w->luks, &w->disk, &f, &w->header, &w->e));
	assert_err(w, ERR_DISK, "is not empty: LUKS");
	assert_unchanged(w, &before);
	f.overwrite = true;
	assert_true(luks_format(w->luks, &w->disk, &f, &w->header, &w->e));
	assert_string_equal(w->header.uuid, OTHER_UUID);
}

static void
format_that_fails_says_why(void **state)
{
	struct world *w = *state;
	struct luks_format f = { .uuid = UUID, .type = w->type, .key = w->mine, .slot = 0,
		.cipher = "rot13-xts-plain64" };

	assert_false(luks_format(w->luks, &w->disk, &f, &w->header, &w->e));
	assert_err(w, ERR_DISK, "cannot be formatted");
	f.cipher = NULL;
	f.key = w->mine;
	w->disk.device = (char *)"/nonexistent/disk";
	assert_false(luks_format(w->luks, &w->disk, &f, &w->header, &w->e));
	assert_err(w, ERR_DISK, "colo/web1/data");
}

/* To open it for reading would wait for a writer, for ever. */
static void
a_fifo_is_no_disk(void **state)
{
	struct world *w = *state;
	const struct luks_try try = { w->mine, 3 };
	const struct disk *d = &w->disk;
	struct luks_header h;
	struct luks_probe p;
	struct luks_status s;
	int64_t start = clock_ms();
	size_t which;
	bool out;

	assert_int_equal(unlink(w->image), 0);
	assert_int_equal(mkfifo(w->image, 0600), 0);
	assert_true(luks_status(w->luks, &d, 1, &s, &w->e));
	assert_false(s.device_there);
	assert_false(luks_probe(w->luks, d, &p, &w->e));
	assert_err(w, ERR_DISK, w->image);
	assert_false(luks_look(w->luks, d, false, &h, &w->e));
	assert_err(w, ERR_DISK, w->image);
	assert_false(luks_test(w->luks, d, &try, 1, false, &out, &w->e));
	assert_err(w, ERR_DISK, w->image);
	assert_false(luks_open(w->luks, d, &try, 1, &which, &w->e));
	assert_err(w, ERR_DISK, w->image);
	for (int overwrite = 0; overwrite < 2; overwrite++) {
		assert_false(format(w, 3, overwrite));
		assert_err(w, ERR_DISK, w->image);
	}
	assert_true(contract->fed == NULL || !contract->fed());
	assert_in_range(clock_ms() - start, 0, LIMIT_MS / 2);
}

/* Adding. */

static void
add_fills_the_slot_and_proves_it(void **state)
{
	struct world *w = *state;

	assert_true(format(w, 3, false));
	assert_true(add(w, w->mine, 3, w->other, 6));
	assert_int_equal(luks_active(&w->header), 1 << 3 | 1 << 6);
	assert_int_equal(w->header.slots[6].iterations, 1000);
	assert_int_equal(w->header.slots[3].preferred, !is_luks1(w));
	assert_true(cryptsetup_opens(w, w->mine, 3));
	assert_true(cryptsetup_opens(w, w->other, 6));
	assert_true(add(w, w->other, LUKS_ANY_SLOT, w->wrong, 0));
	assert_true(cryptsetup_opens(w, w->wrong, 0));
}

static void
add_takes_any_bytes(void **state)
{
	static const char *const texts[] = { "one two", " $(id) `id` 'q\" \\ ", "line\nline\n",
		"\n", "\xff\xfe\x80", "-" };
	struct world *w = *state;
	unsigned char all[256];
	struct secret *binary;

	assert_true(format(w, 0, false));
	for (int i = 0; i < 256; i++)
		all[i] = (unsigned char)i;
	binary = secret_from((struct bytes){ all, sizeof(all) });
	assert_true(add(w, w->mine, 0, binary, 7));
	assert_true(cryptsetup_opens(w, binary, 7));
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct secret *key = key_of(texts[i]);

		assert_true(add(w, binary, 7, key, (int)i + 1));
		assert_true(cryptsetup_opens(w, key, (int)i + 1));
		assert_true(fits(w, key, (int)i + 1));
		secret_free(key);
	}
	secret_free(binary);
}

static void
add_refuses_what_was_not_decided(void **state)
{
	struct world *w = *state;
	struct luks_add a = { .uuid = OTHER_UUID, .auth = { w->mine, 3 }, .key = w->other,
		.slot = 5 };
	struct luks_header before;

	assert_true(format(w, 3, false));
	before = w->header;
	assert_false(luks_add(w->luks, &w->disk, &a, &w->header, &w->e));
	assert_err(w, ERR_REFUSED, "has the UUID 6b1e0000-");
	assert_false(add(w, w->mine, 3, w->other, 3));
	assert_err(w, ERR_REFUSED, "slot 3 is in use");
	assert_false(add(w, w->mine, 3, w->other, 32));
	assert_err(w, ERR_DISK, "no slot 32");
	w->disk.uuid = (char *)OTHER_UUID;
	assert_false(add(w, w->mine, 3, w->other, 5));
	assert_err(w, ERR_DISK, "settings pin " OTHER_UUID);
	w->disk.uuid = NULL;
	assert_true(contract->fed == NULL || !contract->fed());
	assert_unchanged(w, &before);
}

static void
add_with_a_wrong_key_changes_nothing(void **state)
{
	struct world *w = *state;
	struct luks_header before;
	struct secret *empty = key_of("");

	assert_true(format(w, 3, false));
	before = w->header;
	assert_false(add(w, w->wrong, 3, w->other, 5));
	assert_err(w, ERR_KEY, "does not open");
	assert_false(add(w, w->mine, 4, w->other, 5));
	assert_err(w, ERR_KEY, "slot 4 is empty");
	assert_false(add(w, w->mine, 3, empty, 5));
	assert_err(w, ERR_KEY, "an empty key");
	assert_unchanged(w, &before);
	assert_int_equal(before.slots[3].preferred, false);
	secret_free(empty);
}

static void
add_can_stretch(void **state)
{
	struct world *w = *state;
	struct luks_add a = { .uuid = UUID, .auth = { NULL, 3 }, .slot = 5, .pbkdf = "argon2id" };

	assert_true(format(w, 3, false));
	a.auth.key = w->mine;
	a.key = w->other;
	assert_true(luks_add(w->luks, &w->disk, &a, &w->header, &w->e));
	assert_string_equal(w->header.slots[5].kdf, is_luks1(w) ? "pbkdf2" : "argon2id");
	assert_false(w->header.slots[3].preferred);
}

static int64_t
time_of_add_and_kill(struct world *w)
{
	const struct luks_kill k = { .uuid = UUID, .auth = { w->mine, 3 }, .slot = 6 };
	int64_t start = clock_ms();

	assert_true(add(w, w->mine, 3, w->other, 6));
	assert_true(luks_kill(w->luks, &w->disk, &k, &w->header, &w->e));
	return clock_ms() - start;
}

/* A human's slot of the default cost, in front of all others: LUKS2 can pass it by. */
static void
add_and_kill_do_not_stretch_a_human_s_slot(void **state)
{
	struct world *w = *state;
	int64_t before, after, stretch;

	if (is_luks1(w))
		skip();
	assert_true(format(w, 3, false));
	before = time_of_add_and_kill(w);
	assert_true(cryptsetup_opens(w, w->mine, 3)); /* leaves my key in a file */
	assert_int_equal(sh("printf human >%s/human; cryptsetup -q luksAddKey --key-slot 0 "
			    "--key-file %s/key %s %s/human",
			     w->dir, w->dir, w->image, w->dir),
	    0);
	after = time_of_add_and_kill(w);
	stretch = clock_ms();
	assert_false(fits(w, w->mine, 0));
	stretch = clock_ms() - stretch;
	print_message("%s: add and kill %lld ms, beside an argon2id slot of %llu KiB %lld ms; "
		      "one attempt at that slot %lld ms\n",
	    contract->name, (long long)before, (unsigned long long)w->header.slots[0].memory_kib,
	    (long long)after, (long long)stretch);
	assert_true(after < before + stretch / 2);
}

/* Killing. */

static void
make_two_slots(struct world *w)
{
	assert_true(format(w, 3, false));
	assert_true(add(w, w->mine, 3, w->other, 6));
}

static void
kill_empties_the_slot(void **state)
{
	struct world *w = *state;
	struct luks_kill k = { .uuid = UUID, .auth = { w->other, 6 }, .slot = 3 };
	char salt[129];

	make_two_slots(w);
	memcpy(salt, w->header.slots[3].salt, sizeof(salt));
	k.salt = salt;
	assert_true(luks_kill(w->luks, &w->disk, &k, &w->header, &w->e));
	assert_int_equal(luks_active(&w->header), 1 << 6);
	assert_false(cryptsetup_opens(w, w->mine, 3));
	assert_true(cryptsetup_opens(w, w->other, 6));
}

static void
kill_refuses_what_was_not_decided(void **state)
{
	struct world *w = *state;
	struct luks_header before;

	make_two_slots(w);
	before = w->header;

	const struct { struct luks_kill k; enum err_kind kind; const char *words; } cases[] = {
		{ { .uuid = UUID, .auth = { w->other, 6 }, .slot = 3,
		      .salt = before.slots[6].salt },
		    ERR_REFUSED, "another key" },
		{ { .uuid = OTHER_UUID, .auth = { w->other, 6 }, .slot = 3 }, ERR_REFUSED, "UUID" },
		{ { .uuid = UUID, .auth = { w->other, 6 }, .slot = 2 }, ERR_REFUSED,
		    "empty already" },
		{ { .uuid = UUID, .auth = { w->other, 6 }, .slot = 6 }, ERR_REFUSED, "my own key" },
		{ { .uuid = UUID, .auth = { w->other, LUKS_ANY_SLOT }, .slot = 6 }, ERR_REFUSED,
		    "my own key" },
		{ { .uuid = UUID, .auth = { w->wrong, 6 }, .slot = 3 }, ERR_KEY, "does not open" },
		{ { .uuid = UUID, .auth = { w->wrong, LUKS_ANY_SLOT }, .slot = 3 }, ERR_KEY,
		    "does not open" },
		{ { .uuid = UUID, .auth = { w->other, 3 }, .slot = 6 }, ERR_KEY, "does not open" },
		{ { .uuid = UUID, .auth = { w->other, 6 }, .slot = 32 }, ERR_DISK, "no slot 32" },
		{ { .uuid = UUID, .auth = { w->wrong, 6 }, .slot = 3, .violence = true }, ERR_KEY,
		    "does not open" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_false(luks_kill(w->luks, &w->disk, &cases[i].k, &w->header, &w->e));
		assert_err(w, cases[i].kind, cases[i].words);
		assert_unchanged(w, &before);
	}
}

static void
kill_of_the_same_key_in_two_slots_is_refused(void **state)
{
	struct world *w = *state;
	const struct luks_kill k = { .uuid = UUID, .auth = { w->mine, 3 }, .slot = 6 };

	assert_true(format(w, 3, false));
	assert_true(add(w, w->mine, 3, w->mine, 6));
	assert_false(luks_kill(w->luks, &w->disk, &k, &w->header, &w->e));
	assert_err(w, ERR_REFUSED, "my own key opens slot 6");
	assert_true(cryptsetup_opens(w, w->mine, 6));
}

static void
kill_of_the_last_slot_needs_violence(void **state)
{
	struct world *w = *state;
	struct luks_kill k = { .uuid = UUID, .auth = { w->mine, 3 }, .slot = 3 };

	assert_true(format(w, 3, false));
	assert_false(luks_kill(w->luks, &w->disk, &k, &w->header, &w->e));
	assert_err(w, ERR_REFUSED, "the last one");
	k.violence = true;
	assert_true(luks_kill(w->luks, &w->disk, &k, &w->header, &w->e));
	assert_int_equal(luks_active(&w->header), 0);
}

/* Testing. */

static void
test_tells_which_keys_fit(void **state)
{
	struct world *w = *state;

	make_two_slots(w);

	const struct luks_try tries[] = { { w->wrong, 3 }, { w->mine, 6 }, { w->mine, 1 },
		{ w->other, 6 }, { w->mine, LUKS_ANY_SLOT }, { w->mine, 3 } };
	const bool all[] = { false, false, false, true, true, true };
	bool out[COUNT(tries)];

	assert_true(luks_test(w->luks, &w->disk, tries, COUNT(tries), true, out, &w->e));
	assert_memory_equal(out, all, sizeof(all));
	assert_true(luks_test(w->luks, &w->disk, tries, COUNT(tries), false, out, &w->e));
	for (size_t i = 0; i < COUNT(tries); i++)
		assert_int_equal(out[i], i == 3);
	assert_true(luks_test(w->luks, &w->disk, tries, 3, false, out, &w->e));
	assert_false(out[0] || out[1] || out[2]);
}

static void
test_and_open_send_no_key_to_another_header(void **state)
{
	struct world *w = *state;
	const struct luks_try try = { w->mine, 3 };
	bool out;
	size_t which;

	assert_true(format(w, 3, false));
	w->disk.uuid = (char *)OTHER_UUID;
	assert_false(luks_test(w->luks, &w->disk, &try, 1, false, &out, &w->e));
	assert_err(w, ERR_DISK, "settings pin " OTHER_UUID);
	assert_true(contract->fed == NULL || !contract->fed());
	assert_false(luks_open(w->luks, &w->disk, &try, 1, &which, &w->e));
	assert_err(w, ERR_DISK, "settings pin " OTHER_UUID);
	assert_true(contract->fed == NULL || !contract->fed());
	w->disk.uuid = (char *)UUID;
	assert_true(fits(w, w->mine, 3));
	assert_true(contract->fed == NULL || contract->fed());
}

static void
test_of_no_luks_is_an_error(void **state)
{
	struct world *w = *state;
	const struct luks_try try = { w->mine, 3 };
	bool out;

	assert_false(luks_test(w->luks, &w->disk, &try, 1, false, &out, &w->e));
	assert_err(w, ERR_DISK, "not a valid LUKS device");
	w->disk.device = (char *)"/nonexistent/disk";
	assert_false(luks_test(w->luks, &w->disk, &try, 1, false, &out, &w->e));
	assert_err(w, ERR_DISK, "is not there");
}

/* The lock. */

static int
take_lock(void)
{
	int fd = open(LOCK, O_RDONLY | O_CREAT | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	return fd;
}

static void *
release_soon(void *arg)
{
	usleep(500000);		/* what is measured is the time: nothing to wait for */
	close(*(int *)arg);
	return NULL;
}

static void
changes_wait_for_the_lock(void **state)
{
	struct world *w = *state;
	pthread_t thread;
	int64_t start;
	int fd;

	assert_true(format(w, 3, false));
	fd = take_lock();
	start = clock_ms();
	assert_int_equal(pthread_create(&thread, NULL, release_soon, &fd), 0);
	assert_true(add(w, w->mine, 3, w->other, 6));
	assert_true(clock_ms() - start >= 400);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

static void
a_lock_that_stays_taken_stops_changes_with_nothing_begun(void **state)
{
	struct world *w = *state;
	struct luks_kill k = { .uuid = UUID, .auth = { w->mine, 3 }, .slot = 6 };
	struct luks_header before, seen;
	int fd;

	make_two_slots(w);
	before = w->header;
	fd = take_lock();
	contract->drop(w->luks);
	w->luks = contract->make(2000);
	assert_false(add(w, w->mine, 3, w->wrong, 1));
	assert_err(w, ERR_HOST, "another arver");
	assert_true(contract->fed == NULL || !contract->fed());
	assert_false(luks_kill(w->luks, &w->disk, &k, &w->header, &w->e));
	assert_err(w, ERR_HOST, "another arver");
	assert_false(luks_look(w->luks, &w->disk, true, &seen, &w->e));
	assert_err(w, ERR_HOST, "another arver");
	assert_unchanged(w, &before);	/* and a look without the lock does not wait */
	close(fd);
}

static void
the_lock_is_free_afterwards(void **state)
{
	struct world *w = *state;
	int fd;

	make_two_slots(w);
	fd = open(LOCK, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	close(fd);
}

/* Mappings: where the kernel has them. */

static bool
has_device_mapper(void)
{
	if (sh("test -d /sys/module/dm_crypt || dmsetup targets 2>/dev/null | grep -q crypt") == 0)
		return true;
	print_message("no dm-crypt in this kernel: opening and closing is left to the lab\n");
	return false;
}

static enum luks_state
state_of(struct world *w, struct luks_status *s)
{
	const struct disk *d = &w->disk;

	assert_true(luks_status(w->luks, &d, 1, s, &w->e));
	return s->state;
}

static void
open_and_close_a_disk(void **state)
{
	struct world *w = *state;
	struct luks_status s;
	size_t which = 9;

	if (!has_device_mapper())
		skip();
	make_two_slots(w);

	const struct luks_try tries[] = { { w->wrong, LUKS_ANY_SLOT }, { w->mine, 1 },
		{ w->other, 6 } };

	assert_false(luks_open(w->luks, &w->disk, tries, 2, &which, &w->e));
	assert_err(w, ERR_KEY, "no key slot");
	assert_int_equal(state_of(w, &s), LUKS_CLOSED);
	assert_true(luks_open(w->luks, &w->disk, tries, 3, &which, &w->e));
	assert_int_equal(which, 2);
	assert_int_equal(state_of(w, &s), LUKS_OPEN);
	assert_false(luks_open(w->luks, &w->disk, tries, 3, &which, &w->e));
	assert_err(w, ERR_DISK, "open already");
	assert_true(luks_close(w->luks, &w->disk, &w->e));
	assert_int_equal(state_of(w, &s), LUKS_CLOSED);
	assert_true(luks_close(w->luks, &w->disk, &w->e));
}

static void
a_mapping_on_another_device_is_foreign(void **state)
{
	struct world *w = *state;
	struct luks_try try = { w->mine, 3 };
	struct luks_status s;
	size_t which;

	if (!has_device_mapper())
		skip();

	AUTO(mem_free_drop) char *second = mem_printf("%s/second.img", w->dir);

	assert_true(format(w, 3, false));
	assert_int_equal(sh("cp %s %s", w->image, second), 0);
	assert_true(luks_open(w->luks, &w->disk, &try, 1, &which, &w->e));
	w->disk.device = second;
	assert_int_equal(state_of(w, &s), LUKS_FOREIGN);
	assert_string_equal(s.detail, w->image);
	assert_false(luks_open(w->luks, &w->disk, &try, 1, &which, &w->e));
	assert_err(w, ERR_DISK, w->image);
	assert_false(luks_close(w->luks, &w->disk, &w->e));
	assert_err(w, ERR_DISK, w->image);
	w->disk.device = w->image;
	assert_true(luks_close(w->luks, &w->disk, &w->e));
}

static void
close_of_a_busy_disk_tells_what_holds_it(void **state)
{
	struct world *w = *state;
	struct luks_try try = { w->mine, 3 };
	struct luks_status s;
	size_t which;
	int fd;

	if (!has_device_mapper())
		skip();

	AUTO(mem_free_drop) char *words =
	    mem_printf("colo/web1/data is busy: mounted on %s/mnt", w->dir);
	AUTO(mem_free_drop) char *node = mem_printf("/dev/mapper/%s", w->name);

	assert_true(format(w, 3, false));
	assert_true(luks_open(w->luks, &w->disk, &try, 1, &which, &w->e));
	assert_int_equal(sh("mkfs.ext4 -q -F /dev/mapper/%s 2>/dev/null && mkdir %s/mnt && "
	    "mount /dev/mapper/%s %s/mnt", w->name, w->dir, w->name, w->dir), 0);
	assert_false(luks_close(w->luks, &w->disk, &w->e));
	assert_err(w, ERR_DISK, words);
	assert_int_equal(sh("umount %s/mnt", w->dir), 0);
	assert_int_equal(sh("echo 0 2048 linear /dev/mapper/%s 0 | dmsetup create %s-above",
	    w->name, w->name), 0);
	assert_false(luks_close(w->luks, &w->disk, &w->e));
	assert_err(w, ERR_DISK, "-above");
	assert_int_equal(sh("dmsetup remove %s-above", w->name), 0);
	fd = open(node, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_false(luks_close(w->luks, &w->disk, &w->e));
	assert_err(w, ERR_DISK, "open in ");
	close(fd);
	assert_int_equal(state_of(w, &s), LUKS_OPEN);
	assert_true(luks_close(w->luks, &w->disk, &w->e));
}

#define CASE(name) { #name, name }

static const struct { const char *name; CMUnitTestFunction run; } cases[] = {
	CASE(status_of_closed_disks_tells_which_are_there),
	CASE(look_tells_the_header),
	CASE(look_at_nothing_is_an_error),
	CASE(probe_names_what_lies_there),
	CASE(format_makes_a_disk_that_the_key_opens),
	CASE(format_takes_what_settings_say),
	CASE(format_refuses_what_is_not_empty),
	CASE(format_takes_up_a_header_of_its_own_without_slots),
	CASE(format_refuses_a_header_with_slots),
	CASE(format_that_fails_says_why),
	CASE(a_fifo_is_no_disk),
	CASE(add_fills_the_slot_and_proves_it),
	CASE(add_takes_any_bytes),
	CASE(add_refuses_what_was_not_decided),
	CASE(add_with_a_wrong_key_changes_nothing),
	CASE(add_can_stretch),
	CASE(add_and_kill_do_not_stretch_a_human_s_slot),
	CASE(kill_empties_the_slot),
	CASE(kill_refuses_what_was_not_decided),
	CASE(kill_of_the_same_key_in_two_slots_is_refused),
	CASE(kill_of_the_last_slot_needs_violence),
	CASE(test_tells_which_keys_fit),
	CASE(test_and_open_send_no_key_to_another_header),
	CASE(test_of_no_luks_is_an_error),
	CASE(changes_wait_for_the_lock),
	CASE(a_lock_that_stays_taken_stops_changes_with_nothing_begun),
	CASE(the_lock_is_free_afterwards),
	CASE(open_and_close_a_disk),
	CASE(a_mapping_on_another_device_is_foreign),
	CASE(close_of_a_busy_disk_tells_what_holds_it),
};

int
luks_contract_run(const struct luks_contract *c)
{
	static const char *const types[] = { "luks1", "luks2" };
	struct CMUnitTest tests[COUNT(cases) * COUNT(types)];
	char names[COUNT(tests)][128];	/* "luks1: " and a case's name, cut if longer */
	AUTO(str_done) struct str path = { 0 };

	str_addf(&path, "%s:/usr/sbin:/sbin", getenv("PATH"));
	for (size_t i = 0; i < COUNT(tests); i++) {
		const char *type = types[i % COUNT(types)];

		snprintf(names[i], sizeof(names[i]), "%s: %s", type, cases[i / COUNT(types)].name);
		tests[i] = (struct CMUnitTest){ .name = names[i],
			.test_func = cases[i / COUNT(types)].run, .setup_func = setup,
			.teardown_func = teardown, .initial_state = (void *)(uintptr_t)type };
	}
	if (getenv("CASES"))
		cmocka_set_test_filter(getenv("CASES"));
	contract = c;
	snprintf(UUID, sizeof(UUID), "6b1e0000-0000-4000-8000-%012x", (unsigned)getpid());
	snprintf(LOCK, sizeof(LOCK), "/run/lock/arver-%s", UUID);
	setenv("PATH", str_text(&path), 1);
	return _cmocka_run_group_tests(c->name, tests, COUNT(tests), NULL, NULL);
}
