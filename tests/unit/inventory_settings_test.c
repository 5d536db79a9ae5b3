/* SPDX-License-Identifier: MIT */
/* settings: every line that is refused, with the sentence that says so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/mem.h"
#include "tests/unit/data_dir.h"

#define USERS                                                                                      \
	"anna: {slot: 0, gpg: 0123456789abcdef0123456789ABCDEF01234567}\n"                        \
	"bob: {slot: 31, gpg: aaaaaaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbbbbb}\n"
#define DISKS                                                                                      \
	"colo:\n"                                                                                  \
	"  web1:\n"                                                                                \
	"    pre_open: /usr/local/sbin/pre\n"                                                     \
	"    data: {device: storage/data, post_close: /usr/local/sbin/post}\n"                    \
	"  nas:\n"                                                                                 \
	"    data: {device: /srv/img/disk.img}\n"

static const struct {
	const char *text, *want;
} cases[] = {
	{ "- /colo\n", "settings:1: a mapping of paths is expected" },
	{ "/colo: x\n", "settings:1: '/colo' must be a mapping, not a single value" },
	{ "/cole: {}\n",
	    "settings:1: there is no '/cole' in the file disks: did you mean '/colo'?" },
	{ "\n/colo/web2: {}\n",
	    "settings:2: there is no '/colo/web2' in the file disks: did you mean '/colo/web1'?" },
	{ "/colo/web1/date: {}\n",
	    "settings:1: there is no '/colo/web1/date' in the file disks: did you "
	    "mean '/colo/web1/data'?" },
	{ "colo/web1: {}\n",
	    "settings:1: there is no 'colo/web1' in the file disks: did you mean '/colo/web1'?" },
	{ "/colo/: {}\n",
	    "settings:1: there is no '/colo/' in the file disks: did you mean '/colo'?" },
	{ "/: {}\n", "settings:1: there is no '/' in the file disks" },
	{ "/nothing/like/it: {}\n",
	    "settings:1: there is no '/nothing/like/it' in the file disks" },
	{ "/colo: {luk: {}}\n", "settings:1: 'luk' is no setting: did you mean 'luks'?" },
	{ "/colo: {transprot: ssh}\n",
	    "settings:1: 'transprot' is no setting: did you mean 'transport'?" },
	{ "/colo: {colour: red}\n", "settings:1: 'colour' is no setting" },
	{ "/colo/web1: {port: 22}\n", "settings:1: 'port' belongs in the file disks" },
	{ "/colo/web1/data: {device: x}\n", "settings:1: 'device' belongs in the file disks" },
	{ "/colo: {transport: telnet}\n",
	    "settings:1: 'transport' must be one of ssh, openssh, local, not 'telnet'" },
	{ "/colo: {transport: [ssh]}\n",
	    "settings:1: 'transport' must be a single value, not a list" },
	{ "/colo/web1/data: {transport: ssh}\n",
	    "settings:1: 'transport' is for groups and hosts, and '/colo/web1/data' is a disk" },
	{ "/colo/web1/data: {after: [/colo/nas]}\n",
	    "settings:1: 'after' is for groups and hosts, and '/colo/web1/data' is a disk" },
	{ "/colo/web1/data: {timeout: {hook: 1}}\n",
	    "settings:1: 'timeout' is for groups and hosts, and '/colo/web1/data' is a disk" },
	{ "/colo: {uuid: x}\n", "settings:1: 'uuid' is for disks, and '/colo' is a group" },
	{ "/colo/web1: {uuid: x}\n",
	    "settings:1: 'uuid' is for disks, and '/colo/web1' is a host" },
	{ "/colo: {pre_open: /x}\n",
	    "settings:1: 'pre_open' is for hosts and disks, and '/colo' is a group" },
	{ "/colo/web1: {after: /colo/nas}\n",
	    "settings:1: 'after' must be a list, as in [a, b], not a single value" },
	{ "/colo/web1: {after: [nas]}\n", "settings:1: there is no 'nas' in the file disks" },
	{ "/colo/web1: {after: [colo/nas]}\n",
	    "settings:1: there is no 'colo/nas' in the file disks: did you mean '/colo/nas'?" },
	{ "/colo/web1:\n  after:\n  - /colo/nas\n  - /colo/nsa\n",
	    "settings:4: there is no '/colo/nsa' in the file disks: did you mean '/colo/nas'?" },
	{ "/colo/web1: {after: [/colo]}\n", "settings:1: '/colo' is a group: 'after' takes hosts" },
	{ "/colo/web1: {after: [/colo/nas/data]}\n",
	    "settings:1: '/colo/nas/data' is a disk: 'after' takes hosts" },
	{ "/colo/web1: {after: [{a: b}]}\n", "settings:1: 'after' is a list of paths of hosts" },
	{ "/colo/web1: {after: [/colo/web1]}\n",
	    "settings:1: '/colo/web1' would come after itself" },
	{ "/colo/web1: {after: [/colo/nas, /colo/nas]}\n",
	    "settings:1: '/colo/nas' stands in this list twice" },
	{ "/colo: {timeout: 5}\n", "settings:1: 'timeout' must be a mapping, not a single value" },
	{ "/colo: {timeout: {conect: 5}}\n",
	    "settings:1: 'conect' is no timeout: did you mean 'connect'?" },
	{ "/colo: {timeout: {connect: 0}}\n",
	    "settings:1: 'connect' must be a time from 1s to 24h, such as 90, 90s or 2m, not '0'" },
	{ "/colo: {timeout: {connect: -5}}\n",
	    "settings:1: 'connect' must be a time from 1s to 24h, such as 90, 90s or 2m, not "
	    "'-5'" },
	{ "/colo: {timeout: {hook: 5d}}\n",
	    "settings:1: 'hook' must be a time from 1s to 24h, such as 90, 90s or 2m, not '5d'" },
	{ "/colo: {timeout: {hook: 5 m}}\n",
	    "settings:1: 'hook' must be a time from 1s to 24h, such as 90, 90s or 2m, not '5 m'" },
	{ "/colo: {timeout: {hook: 5ms}}\n",
	    "settings:1: 'hook' must be a time from 1s to 24h, such as 90, 90s or 2m, not '5ms'" },
	{ "/colo: {timeout: {hook: m}}\n",
	    "settings:1: 'hook' must be a time from 1s to 24h, such as 90, 90s or 2m, not 'm'" },
	{ "/colo: {timeout: {hook: 25h}}\n",
	    "settings:1: 'hook' must be a time from 1s to 24h, such as 90, 90s or 2m, not '25h'" },
	{ "/colo: {timeout: {hook: 99999999999999999999}}\n",
	    "settings:1: 'hook' must be a time from 1s to 24h, such as 90, 90s or 2m, not "
	    "'99999999999999999999'" },
	{ "/colo/web1/data: {uuid: 6b1e}\n",
	    "settings:1: 'uuid' must be a UUID, as cryptsetup luksUUID shows it, not '6b1e'" },
	{ "/colo/web1/data: {uuid: 6b1e0000-0000-4000-8000-00000000000g}\n",
	    "settings:1: 'uuid' must be a UUID, as cryptsetup luksUUID shows it, not "
	    "'6b1e0000-0000-4000-8000-00000000000g'" },
	{ "/colo: {rescue_slots: 7}\n",
	    "settings:1: 'rescue_slots' must be a list, as in [a, b], not a single value" },
	{ "/colo: {rescue_slots: [32]}\n",
	    "settings:1: 'rescue_slots' is a list of numbers from 0 to 31" },
	{ "/colo: {rescue_slots: [a]}\n",
	    "settings:1: 'rescue_slots' is a list of numbers from 0 to 31" },
	{ "/colo: {rescue_slots: [[7]]}\n",
	    "settings:1: 'rescue_slots' is a list of numbers from 0 to 31" },
	{ "/colo: {rescue_slots: [7, 7]}\n",
	    "settings:1: rescue slot 7 stands in this list twice" },
	{ "/colo/web1: {rescue_slots: [7, 31]}\n",
	    "settings:1: rescue slot 31 is the slot of 'bob' (users:2)" },
	{ "/colo: {luks: luks2}\n", "settings:1: 'luks' must be a mapping, not a single value" },
	{ "/colo: {luks: {typ: luks2}}\n",
	    "settings:1: 'typ' is no setting of luks: did you mean 'type'?" },
	{ "/colo: {luks: {type: luks3}}\n",
	    "settings:1: 'type' must be one of luks1, luks2, not 'luks3'" },
	{ "/colo: {luks: {type: LUKS2}}\n",
	    "settings:1: 'type' must be one of luks1, luks2, not 'LUKS2'" },
	{ "/colo: {luks: {pbkdf: scrypt}}\n",
	    "settings:1: 'pbkdf' must be one of pbkdf2, argon2i, argon2id, not 'scrypt'" },
	{ "/colo: {luks: {key_size: 64}}\n",
	    "settings:1: 'key_size' must be one of 128, 192, 256, 384, 512, not '64'" },
	{ "/colo: {luks: {sector_size: 513}}\n",
	    "settings:1: 'sector_size' must be one of 512, 1024, 2048, 4096, not '513'" },
	{ "/colo: {luks: {cipher: cipher_null-ecb}}\n",
	    "settings:1: cipher 'cipher_null-ecb' does not encrypt" },
	{ "/colo: { luks: { cipher: aes-ecb } }\n",
	    "settings:1: cipher 'aes-ecb' has no mode for disks: xts, cbc, lrw, adiantum or hctr2" },
	{ "/colo: { luks: { cipher: 'capi:ecb(aes)-plain64' } }\n",
	    "settings:1: cipher 'capi:ecb(aes)-plain64' has no mode for disks: xts, cbc, lrw, "
	    "adiantum or hctr2" },
	{ "/colo: { luks: { cipher: aes-ctr-plain64 } }\n",
	    "settings:1: cipher 'aes-ctr-plain64' has no mode for disks: xts, cbc, lrw, adiantum or "
	    "hctr2" },
	{ "/colo: { luks: { cipher: aes-plain } }\n",
	    "settings:1: cipher 'aes-plain' has no mode for disks: xts, cbc, lrw, adiantum or hctr2" },
	{ "/colo: {luks: {cipher: aes}}\n",
	    "settings:1: cipher 'aes' is not one that cryptsetup takes, "
	    "such as aes-xts-plain64" },
	{ "/colo: {luks: {cipher: --key-file=x}}\n",
	    "settings:1: cipher '--key-file=x' is not one that "
	    "cryptsetup takes, such as aes-xts-plain64" },
	{ "/colo/web1: {pre_open: /x}\n",
	    "settings:1: pre_open of '/colo/web1' stands in the file disks as well: keep one" },
	{ "/colo/web1/data: {post_close: [/x]}\n",
	    "settings:1: post_close of '/colo/web1/data' stands in the file disks as well: keep "
	    "one" },
	{ "/colo/nas: {pre_open: x}\n",
	    "settings:1: 'pre_open' must be the absolute path of a program, not 'x'" },
	{ "/colo/nas: {pre_open: [x, /y]}\n",
	    "settings:1: 'pre_open' must be the absolute path of a program, not 'x'" },
	{ "/colo/nas: {pre_open: []}\n",
	    "settings:1: 'pre_open' must be a path, or a list of program and arguments" },
	{ "/colo/nas: {pre_open: {a: b}}\n",
	    "settings:1: 'pre_open' must be a path, or a list of program and arguments" },
	{ "/colo/nas: {pre_open: [/x, [y]]}\n",
	    "settings:1: a hook is a list of words: program and arguments" },
	{ "/colo/nas: {pre_open: [/x, ~]}\n",
	    "settings:1: a hook is a list of words: program and arguments" },
	{ "/colo/nas: {pre_open: [/x, '%d']}\n",
	    "settings:1: %d stands for something of a disk: a host's hook knows only %g %h %a" },
	{ "/colo/nas/data: {pre_open: [/x, '%p']}\n",
	    "settings:1: '%p' holds an unknown placeholder: there are %g %h %d %D %m %a, and %% "
	    "for a "
	    "percent sign" },
	{ "/colo/nas/data: {pre_open: [/x, '100%']}\n",
	    "settings:1: '100%' holds an unknown placeholder: there are %g %h %d %D %m %a, and %% "
	    "for a "
	    "percent sign" },
	{ "/colo/nas/data: {pre_open: [/x, '%%%']}\n",
	    "settings:1: '%%%' holds an unknown placeholder: there are %g %h %d %D %m %a, and %% "
	    "for a "
	    "percent sign" },
	{ "/colo: {transport: ssh}\n/colo: {}\n",
	    "settings:2: '/colo' stands here a second time (first in line 1)" },
	{ "a: *b\n", "settings:1: aliases (*) are not allowed: put a '*' in quotes" },
};

static void
settings_read_wrong_line_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		data_dir_refused(USERS, DISKS, cases[i].text, cases[i].want);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(settings_read_wrong_line_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
