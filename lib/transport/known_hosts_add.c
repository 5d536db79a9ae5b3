/* SPDX-License-Identifier: MIT */
/*
 * known_hosts_add: one line behind the others, in one write, as ssh does it; what other programs
 * append meanwhile stays whole. A last line without an end gets one. Nothing but a regular file will do.
 */
#include "transport/known_hosts.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <gcrypt.h>
#include "base/file.h"

#define SALT_LEN 20 /* of SHA-1, as ssh has it */

static void
add_base64(struct str *out, const unsigned char *bytes, size_t n)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < n; i += 3) {
		unsigned long three = (unsigned long)bytes[i] << 16;

		three |= i + 1 < n ? (unsigned long)bytes[i + 1] << 8 : 0;
		three |= i + 2 < n ? bytes[i + 2] : 0;
		str_add_char(out, digits[three >> 18 & 63]);
		str_add_char(out, digits[three >> 12 & 63]);
		str_add_char(out, i + 1 < n ? digits[three >> 6 & 63] : '=');
		str_add_char(out, i + 2 < n ? digits[three & 63] : '=');
	}
}

/* "|1|SALT|HMAC" */
static bool
add_hashed(struct str *out, const char *name, struct err *e)
{
	unsigned char salt[SALT_LEN];
	gcry_md_hd_t md;

	if (!gcry_control(GCRYCTL_INITIALIZATION_FINISHED_P)) {
		gcry_check_version(NULL);
		gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
		gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
	}
	gcry_create_nonce(salt, sizeof(salt));
	if (gcry_md_open(&md, GCRY_MD_SHA1, GCRY_MD_FLAG_HMAC) != 0)
		return err_set(e, ERR_HOST, "no HMAC-SHA1 here, for a hashed name");
	gcry_md_setkey(md, salt, sizeof(salt));
	gcry_md_write(md, name, strlen(name));
	str_add(out, "|1|");
	add_base64(out, salt, sizeof(salt));
	str_add_char(out, '|');
	add_base64(out, gcry_md_read(md, GCRY_MD_SHA1), SALT_LEN);
	gcry_md_close(md);
	return true;
}

static bool
ends_with_newline(int fd, off_t size)
{
	char last = '\n';

	return size == 0 || (pread(fd, &last, 1, size - 1) == 1 && last == '\n');
}

static bool
append(int fd, struct str *line, struct err *e)
{
	AUTO(str_done) struct str text = { 0 };
	struct stat st;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return err_set(e, ERR_HOST, "it is no regular file");
	if (!ends_with_newline(fd, st.st_size))
		str_add_char(&text, '\n');
	str_add(&text, str_text(line));
	if (!file_write_all(fd, str_bytes(&text)) || fsync(fd) != 0)
		return err_errno(e, ERR_HOST, errno, "it cannot be written");
	return true;
}

static bool
add_line(const char *file, struct str *line, struct err *e)
{
	AUTO(mem_free_drop) char *copy = mem_strdup(file);
	const char *parent = dirname(copy);
	AUTO(fd_drop) int dir = -1;
	AUTO(fd_drop) int fd = -1;

	if (!file_make_dirs(parent, 0700, e) || !file_open_dir(parent, &dir, e))
		return false;
	fd = open(file, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
	if (fd < 0)
		return err_errno(e, ERR_HOST, errno, "it cannot be opened");
	if (!append(fd, line, e))
		return false;
	return file_sync_dir(dir) || err_errno(e, ERR_HOST, errno, "it may not last");
}

bool
known_hosts_add(const char *file, const char *name, const char *key, bool hashed, struct err *e)
{
	AUTO(str_done) struct str line = { 0 };

	if (!hashed)
		str_add(&line, name);
	else if (!add_hashed(&line, name, e))
		return false;
	str_addf(&line, " %s\n", key);
	if (add_line(file, &line, e))
		return true;
	err_wrap(e, "cannot store a host key in %s", file);
	if (e)
		e->kind = ERR_HOST;
	return false;
}
