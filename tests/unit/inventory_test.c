/* SPDX-License-Identifier: MIT */
/* inventory: what good files come to; what is refused in each has a test file of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/file.h"
#include "inventory/inventory.h"
#include "tests/unit/data_dir.h"

#define GPG_A "0123456789abcdef0123456789ABCDEF01234567"
#define GPG_B "aaaa aaaa aaaa aaaa aaaa  bbbb bbbb bbbb bbbb bbbb"
#define USERS                                                                                      \
	"anna: {slot: 0, gpg: " GPG_A "}\n"                                                        \
	"bob:\n  slot: '31'\n  gpg: '" GPG_B "'\n  revoked: '2024-01-31'\n"
#define DISKS                                                                                      \
	"---\n"                                                                                    \
	"'colo':\n"                                                                                \
	"  'web1':\n"                                                                              \
	"    'address': 'web1.example.org'\n"                                                      \
	"    'port': '2222'\n"                                                                     \
	"    'username': '#arveruser'\n"                                                           \
	"    'pre_open': '/usr/local/sbin/pre'\n"                                                  \
	"    'data':\n"                                                                            \
	"      'device': 'storage/data'\n"                                                         \
	"      'post_close': '/usr/local/sbin/after close'\n"                                      \
	"    swap: { device: /dev/sdb2 }\n"                                                        \
	"  nas:\n"                                                                                 \
	"    port: 22\n"                                                                           \
	"    data: { device: /srv//img/disk.img }\n"                                               \
	"attic:\n"                                                                                 \
	"  old: {}\n"

static struct inventory *
load(const char *users, const char *disks, const char *settings)
{
	struct err e = { 0 };
	struct inventory *inv = data_dir_inventory(users, disks, settings, &e);

	if (!inv)
		fail_msg("%s", e.text);
	return inv;
}

static const struct host *
host(const struct inventory *inv, const char *path)
{
	for (size_t i = 0; i < inventory_n_hosts(inv); i++)
		if (strcmp(inventory_host(inv, i)->path, path) == 0)
			return inventory_host(inv, i);
	fail_msg("no host %s", path);
	return NULL;
}

static void
inventory_load_disks_gives_groups_hosts_and_disks_in_order(void **state)
{
	AUTO(inventory_drop) struct inventory *inv = load(USERS, DISKS, NULL);
	const struct group *colo = inventory_group(inv, 0);

	(void)state;
	assert_int_equal(inventory_n_groups(inv), 2);
	assert_int_equal(inventory_n_hosts(inv), 3);
	assert_int_equal(inventory_n_disks(inv), 3);
	assert_string_equal(colo->path, "/colo");
	assert_int_equal(colo->n_hosts, 2);
	assert_ptr_equal(colo->hosts[1], inventory_host(inv, 1));
	assert_string_equal(inventory_group(inv, 1)->name, "attic");
	assert_int_equal(inventory_group(inv, 1)->line, 15);
	assert_ptr_equal(inventory_host(inv, 2)->group, inventory_group(inv, 1));
	assert_int_equal(inventory_host(inv, 2)->n_disks, 0);
	for (size_t i = 0; i < inventory_n_disks(inv); i++)
		assert_int_equal(inventory_disk(inv, i)->index, i);
	assert_string_equal(inventory_disk(inv, 1)->path, "/colo/web1/swap");
	assert_int_equal(inventory_disk(inv, 1)->line, 11);
}

static void
inventory_load_hosts_have_their_settings_or_the_defaults(void **state)
{
	AUTO(inventory_drop) struct inventory *inv = load(USERS, DISKS, NULL);
	const struct host *web = host(inv, "/colo/web1"), *nas = host(inv, "/colo/nas");

	(void)state;
	assert_string_equal(web->address, "web1.example.org");
	assert_int_equal(web->port, 2222);
	assert_string_equal(web->username, "#arveruser");
	assert_string_equal(host_login(web, "anna"), "anna");
	assert_int_equal(web->hooks[HOOK_PRE_OPEN].words.n, 1);
	assert_string_equal(web->hooks[HOOK_PRE_OPEN].words.at[0], "/usr/local/sbin/pre");
	assert_null(argv_words(&web->hooks[HOOK_PRE_OPEN].words)[1]);
	assert_int_equal(web->hooks[HOOK_POST_OPEN].words.n, 0);
	assert_string_equal(nas->address, "nas");
	assert_int_equal(nas->port, 22);
	assert_int_equal(host(inv, "/attic/old")->port, 0);
	assert_string_equal(nas->username, "root");
	assert_string_equal(host_login(nas, "anna"), "root");
	assert_int_equal(nas->transport, TRANSPORT_SSH);
	assert_int_equal(nas->n_after, 0);
	assert_int_equal(nas->connect_ms, 0);
}

static void
inventory_load_disks_have_device_and_hooks(void **state)
{
	AUTO(inventory_drop) struct inventory *inv = load(USERS, DISKS, NULL);
	const struct disk *data = inventory_find_disk(inv, "/colo/web1/data");

	(void)state;
	assert_non_null(data);
	assert_ptr_equal(data->host, host(inv, "/colo/web1"));
	assert_string_equal(data->name, "data");
	assert_string_equal(data->device, "/dev/storage/data");
	assert_string_equal(data->hooks[HOOK_POST_CLOSE].words.at[0],
	    "/usr/local/sbin/after close");
	assert_false(data->hooks[HOOK_POST_CLOSE].has_placeholders);
	assert_null(data->uuid);
	assert_int_equal(data->rescue_slots, 0);
	assert_null(data->luks.type);
	assert_string_equal(inventory_find_disk(inv, "/colo/web1/swap")->device, "/dev/sdb2");
	assert_string_equal(inventory_find_disk(inv, "/colo/nas/data")->device,
	    "/srv/img/disk.img");
	assert_null(inventory_find_disk(inv, "/colo/web1"));
	assert_null(inventory_find_disk(inv, "/colo"));
	assert_null(inventory_find_disk(inv, "colo/web1/data"));
	assert_null(inventory_find_disk(inv, ""));
}

static void
inventory_load_users_gives_admins(void **state)
{
	AUTO(inventory_drop) struct inventory *inv = load(USERS, DISKS, NULL);
	const struct admin *bob = inventory_find_admin(inv, "bob");

	(void)state;
	assert_int_equal(inventory_n_admins(inv), 2);
	assert_string_equal(inventory_admin(inv, 0)->name, "anna");
	assert_string_equal(inventory_admin(inv, 0)->fingerprint,
	    "0123456789ABCDEF0123456789ABCDEF01234567");
	assert_null(inventory_admin(inv, 0)->revoked);
	assert_ptr_equal(bob, inventory_admin(inv, 1));
	assert_int_equal(bob->slot, 31);
	assert_int_equal(bob->line, 2);
	assert_string_equal(bob->fingerprint, "AAAAAAAAAAAAAAAAAAAABBBBBBBBBBBBBBBBBBBB");
	assert_string_equal(bob->revoked, "2024-01-31");
	assert_ptr_equal(inventory_slot_owner(inv, 31), bob);
	assert_null(inventory_slot_owner(inv, 1));
	assert_null(inventory_slot_owner(inv, -1));
	assert_null(inventory_slot_owner(inv, 32));
	assert_null(inventory_find_admin(inv, "carl"));
}

static void
inventory_load_empty_files_are_an_empty_inventory(void **state)
{
	AUTO(inventory_drop) struct inventory *inv = load("", "--- {}\n", "# nothing\n");

	(void)state;
	assert_int_equal(inventory_n_groups(inv), 0);
	assert_int_equal(inventory_n_hosts(inv), 0);
	assert_int_equal(inventory_n_disks(inv), 0);
	assert_int_equal(inventory_n_admins(inv), 0);
	assert_null(inventory_find_disk(inv, "/a/b/c"));
	assert_null(inventory_find_admin(inv, "anna"));
}

static void
inventory_load_groups_and_hosts_without_content_are_empty(void **state)
{
	AUTO(inventory_drop) struct inventory *inv = load(USERS, "a:\nb:\n  c:\n", "/b/c:\n");

	(void)state;
	assert_int_equal(inventory_n_groups(inv), 2);
	assert_int_equal(inventory_n_hosts(inv), 1);
	assert_int_equal(inventory_n_disks(inv), 0);
}

static void
inventory_load_words_may_be_names_where_they_are_no_words(void **state)
{
	AUTO(inventory_drop) struct inventory *inv = load(USERS,
	    "port:\n  address:\n    device: {device: a}\n    luks: {device: b}\n    data: "
	    "{device: c}\n",
	    NULL);

	(void)state;
	assert_int_equal(inventory_n_disks(inv), 3);
	assert_non_null(inventory_find_disk(inv, "/port/address/device"));
	assert_non_null(inventory_find_disk(inv, "/port/address/luks"));
}

#define SETTINGS                                                                                   \
	"/colo/web1/data:  { uuid: 6B1E0000-0000-4000-8000-00000000000F, rescue_slots: [7, '5'],\n" \
	"                    post_open: ['/usr/local/lib/arver/hooks/mount', '%m', '/srv', "       \
	"'%g%h%d%D%a%%'],\n"                                                                       \
	"                    luks: { cipher: aes-cbc-essiv:sha256, key_size: 256 } }\n"            \
	"/colo/web1:       { transport: local, timeout: { connect: 5, hook: 5m } }\n"              \
	"/colo:            { luks: { type: luks2, pbkdf: argon2id, sector_size: 4096 },\n"         \
	"                    timeout: { connect: 90s, command: 1h }, after: [/colo/nas],\n"        \
	"                    rescue_slots: [6], transport: openssh }\n"                            \
	"/colo/nas:        { pre_open: /bin/true, post_open: ['/bin/x', '%h %a', ''] }\n"

static void
inventory_load_settings_the_nearer_wins(void **state)
{
	AUTO(inventory_drop) struct inventory *inv = load(USERS, DISKS, SETTINGS);
	const struct host *web = host(inv, "/colo/web1"), *nas = host(inv, "/colo/nas");
	const struct disk *data = web->disks[0], *swap = web->disks[1];

	(void)state;
	assert_int_equal(web->transport, TRANSPORT_LOCAL);
	assert_int_equal(nas->transport, TRANSPORT_OPENSSH);
	assert_int_equal(host(inv, "/attic/old")->transport, TRANSPORT_SSH);
	assert_int_equal(web->connect_ms, 5000);
	assert_int_equal(web->command_ms, 3600000);
	assert_int_equal(web->hook_ms, 300000);
	assert_int_equal(nas->connect_ms, 90000);
	assert_int_equal(nas->hook_ms, 0);
	assert_string_equal(data->uuid, "6b1e0000-0000-4000-8000-00000000000f");
	assert_int_equal(data->rescue_slots, 1 << 7 | 1 << 5);
	assert_int_equal(swap->rescue_slots, 1 << 6);
	assert_string_equal(data->luks.type, "luks2");
	assert_string_equal(data->luks.pbkdf, "argon2id");
	assert_string_equal(data->luks.cipher, "aes-cbc-essiv:sha256");
	assert_int_equal(data->luks.key_size, 256);
	assert_int_equal(data->luks.sector_size, 4096);
	assert_null(swap->luks.cipher);
	assert_int_equal(swap->luks.key_size, 0);
}

static void
inventory_load_after_of_a_group_leaves_out_the_host_itself(void **state)
{
	AUTO(inventory_drop) struct inventory *inv = load(USERS, DISKS, SETTINGS);
	const struct host *web = host(inv, "/colo/web1"), *nas = host(inv, "/colo/nas");

	(void)state;
	assert_int_equal(web->n_after, 1);
	assert_ptr_equal(web->after[0], nas);
	assert_int_equal(nas->n_after, 0);
}

static void
inventory_load_hooks_of_settings_are_paths_or_words(void **state)
{
	AUTO(inventory_drop) struct inventory *inv = load(USERS, DISKS, SETTINGS);
	const struct hook *nas = host(inv, "/colo/nas")->hooks;
	const struct hook *data = inventory_find_disk(inv, "/colo/web1/data")->hooks;

	(void)state;
	assert_int_equal(nas[HOOK_PRE_OPEN].words.n, 1);
	assert_false(nas[HOOK_PRE_OPEN].has_placeholders);
	assert_int_equal(nas[HOOK_POST_OPEN].words.n, 3);
	assert_true(nas[HOOK_POST_OPEN].has_placeholders);
	assert_string_equal(nas[HOOK_POST_OPEN].words.at[1], "%h %a");
	assert_string_equal(nas[HOOK_POST_OPEN].words.at[2], "");
	assert_int_equal(data[HOOK_POST_OPEN].words.n, 4);
	assert_string_equal(data[HOOK_POST_OPEN].words.at[3], "%g%h%d%D%a%%");
	assert_int_equal(data[HOOK_POST_CLOSE].words.n, 1);
}

static void
inventory_load_missing_file_says_what_to_do(void **state)
{
	(void)state;
	data_dir_refused(NULL, DISKS, NULL,
	    "there is no file 'users' here: run arver --init to make a data directory");
	data_dir_refused(USERS, NULL, NULL,
	    "there is no file 'disks' here: run arver --init to make a data directory");
}

static void
inventory_load_what_is_no_regular_file_is_refused(void **state)
{
	AUTO(data_dir_done) struct data_dir d = data_dir_make();
	struct inventory *inv = NULL;
	struct err e = { 0 };

	(void)state;
	data_dir_write(&d, "users", USERS);
	assert_int_equal(symlinkat("users", d.fd, "disks"), 0);
	assert_false(inventory_load(d.fd, &inv, &e));
	assert_null(inv);
	assert_int_equal(unlinkat(d.fd, "disks", 0), 0);
	assert_int_equal(mkfifoat(d.fd, "disks", 0600), 0);
	assert_false(inventory_load(d.fd, &inv, &e));
	assert_string_equal(e.text, "disks is not a regular file");
}

static void
inventory_load_many_disks_are_all_found(void **state)
{
	AUTO(str_done) struct str text = { 0 };
	struct err e = { 0 };

	(void)state;
	for (int i = 0; i < 20000; i++) {
		if (i % 1000 == 0)
			str_addf(&text, "g%d:\n", i / 1000);
		if (i % 4 == 0)
			str_addf(&text, "  h%d:\n", i / 4);
		str_addf(&text, "    d%d: {device: d%d}\n", i % 4, i);
	}
	AUTO(inventory_drop)
	struct inventory *inv = data_dir_inventory(USERS, str_text(&text), NULL, &e);

	assert_non_null(inv);
	assert_int_equal(inventory_n_disks(inv), 20000);
	for (size_t i = 0; i < 20000; i++) {
		const struct disk *d = inventory_disk(inv, i);

		assert_ptr_equal(inventory_find_disk(inv, d->path), d);
		assert_ptr_equal(d->host->disks[i % 4], d);
	}
}

static void
path_shown_leaves_out_the_leading_slash(void **state)
{
	(void)state;
	assert_string_equal(path_shown("/colo/web1/data"), "colo/web1/data");
	assert_string_equal(path_shown("colo"), "colo");
	assert_string_equal(path_shown(""), "");
}

static void
hook_kind_name_gives_the_word_of_the_file(void **state)
{
	(void)state;
	assert_string_equal(hook_kind_name(HOOK_PRE_OPEN), "pre_open");
	assert_string_equal(hook_kind_name(HOOK_POST_CLOSE), "post_close");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inventory_load_disks_gives_groups_hosts_and_disks_in_order),
		cmocka_unit_test(inventory_load_hosts_have_their_settings_or_the_defaults),
		cmocka_unit_test(inventory_load_disks_have_device_and_hooks),
		cmocka_unit_test(inventory_load_users_gives_admins),
		cmocka_unit_test(inventory_load_empty_files_are_an_empty_inventory),
		cmocka_unit_test(inventory_load_groups_and_hosts_without_content_are_empty),
		cmocka_unit_test(inventory_load_words_may_be_names_where_they_are_no_words),
		cmocka_unit_test(inventory_load_settings_the_nearer_wins),
		cmocka_unit_test(inventory_load_after_of_a_group_leaves_out_the_host_itself),
		cmocka_unit_test(inventory_load_hooks_of_settings_are_paths_or_words),
		cmocka_unit_test(inventory_load_missing_file_says_what_to_do),
		cmocka_unit_test(inventory_load_what_is_no_regular_file_is_refused),
		cmocka_unit_test(inventory_load_many_disks_are_all_found),
		cmocka_unit_test(path_shown_leaves_out_the_leading_slash),
		cmocka_unit_test(hook_kind_name_gives_the_word_of_the_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
