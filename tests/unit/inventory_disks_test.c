/* SPDX-License-Identifier: MIT */
/* disks: every line that is refused, with the sentence that says so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/mem.h"
#include "tests/unit/data_dir.h"

#define NAME_64 "0123456789012345678901234567890123456789012345678901234567890123"

static const struct {
	const char *text, *want;
} cases[] = {
	{ "- colo\n", "disks:1: a mapping of groups is expected" },
	{ "colo: web1\n", "disks:1: 'colo' must be a mapping, not a single value" },
	{ "colo: [web1]\n", "disks:1: 'colo' must be a mapping, not a list" },
	{ "colo:\n  web1: sda\n", "disks:2: 'web1' must be a mapping, not a single value" },
	{ "colo:\n  address: x\n  web1: {}\n",
	    "disks:2: 'address' must be a mapping, not a single value" },
	{ "colo:\n  web1:\n    adress: x\n",
	    "disks:3: 'adress' is no setting of a host: did you mean 'address'?" },
	{ "colo:\n  web1:\n    prot: 22\n",
	    "disks:3: 'prot' is no setting of a host: did you mean 'port'?" },
	{ "colo:\n  web1:\n    user: x\n",
	    "disks:3: 'user' is no setting of a host: did you mean 'username'?" },
	{ "colo:\n  web1:\n    x: 1\n",
	    "disks:3: 'x' is no setting of a host, and no disk: a disk is a mapping with its "
	    "device" },
	{ "colo:\n  web1:\n    data: {dev: x}\n",
	    "disks:3: 'dev' is no setting of a disk: did you mean 'device'?" },
	{ "colo:\n  web1:\n    usernam: x\n",
	    "disks:3: 'usernam' is no setting of a host: did you mean 'username'?" },
	{ "colo:\n  web1:\n    preopen: /x\n",
	    "disks:3: 'preopen' is no setting of a host: did you mean 'pre_open'?" },
	{ "colo:\n  web1:\n    data: /dev/sda\n",
	    "disks:3: 'data' is no setting of a host, and no disk: "
	    "a disk is a mapping with its device" },
	{ "colo:\n  web1:\n    data:\n",
	    "disks:3: 'data' is no setting of a host, and no disk: a disk is "
	    "a mapping with its device" },
	{ "colo:\n  web1:\n    data: [device, x]\n",
	    "disks:3: 'data' is no setting of a host, and no "
	    "disk: a disk is a mapping with its device" },
	{ "colo:\n  web1:\n    transport: local\n",
	    "disks:3: 'transport' belongs in the file settings" },
	{ "colo:\n  web1:\n    luks: {type: luks1}\n",
	    "disks:3: 'luks' belongs in the file settings" },
	{ "colo:\n  web1:\n    data: {}\n", "disks:3: disk 'data' has no device" },
	{ "colo:\n  web1:\n    data: {pre_open: /x}\n", "disks:3: disk 'data' has no device" },
	{ "colo:\n  web1:\n    data: {device: }\n", "disks:3: 'device' has no value" },
	{ "colo:\n  web1:\n    data:\n      devcie: x\n",
	    "disks:4: 'devcie' is no setting of a disk: did you mean 'device'?" },
	{ "colo:\n  web1:\n    data:\n      device: x\n      uuid: x\n",
	    "disks:5: 'uuid' belongs in the file settings" },
	{ "colo:\n  web1:\n    data: {device: x, port: 22}\n",
	    "disks:3: 'port' is no setting of a disk" },
	{ "colo:\n  web1:\n    data: {device: x, preopen: /x}\n",
	    "disks:3: 'preopen' is no setting of a disk: did you mean 'pre_open'?" },
	{ "colo:\n  web1:\n    data: {device: ../sda}\n",
	    "disks:3: device cannot be '../sda': it holds '.' or '..'" },
	{ "colo:\n  web1:\n    data: {device: /dev/mapper/../sda}\n",
	    "disks:3: device cannot be '/dev/mapper/../sda': it holds '.' or '..'" },
	{ "colo:\n  web1:\n    data: {device: ./sda}\n",
	    "disks:3: device cannot be './sda': it holds '.' or '..'" },
	{ "colo:\n  web1:\n    data: {device: a/..}\n",
	    "disks:3: device cannot be 'a/..': it holds '.' or '..'" },
	{ "colo:\n  web1:\n    data: {device: /}\n",
	    "disks:3: device cannot be '/': it names a directory" },
	{ "colo:\n  web1:\n    data: {device: storage/}\n",
	    "disks:3: device cannot be 'storage/': it names a directory" },
	{ "colo:\n  web1:\n    data: {device: \"sd\\ta\"}\n",
	    "disks:3: a value holds the control character \\x09" },
	{ "colo:\n  web1:\n    data: {device: {x: y}}\n",
	    "disks:3: 'device' must be a single value, not a mapping" },
	{ "colo:\n  web1:\n    data: {device: x, pre_open: sbin/x}\n",
	    "disks:3: 'pre_open' must be the absolute path of a program, not 'sbin/x'" },
	{ "colo:\n  web1:\n    data: {device: x, pre_open: [/x, y]}\n",
	    "disks:3: 'pre_open' must be a single value, not a list" },
	{ "colo:\n  web1:\n    post_open: rm -rf /\n",
	    "disks:3: 'post_open' must be the absolute path of a program, not 'rm -rf /'" },
	{ "colo:\n  web1:\n    post_open:\n", "disks:3: 'post_open' has no value" },
	{ "colo:\n  web1:\n    address: {a: b}\n",
	    "disks:3: 'address' must be a single value, not a mapping" },
	{ "colo:\n  web1:\n    address:\n", "disks:3: 'address' has no value" },
	{ "colo:\n  web1:\n    address: -oProxyCommand=x\n",
	    "disks:3: address cannot be '-oProxyCommand=x': it begins with '-'" },
	{ "colo:\n  web1:\n    address: a b\n",
	    "disks:3: address cannot be 'a b': an address has letters, digits and . : _ - % [ ] "
	    "only" },
	{ "colo:\n  web1:\n    address: $(id)\n",
	    "disks:3: address cannot be '$(id)': an address has letters, digits and . : _ - % [ ] "
	    "only" },
	{ "colo:\n  web1:\n    address: root@web1\n",
	    "disks:3: address cannot be 'root@web1': the login belongs in username" },
	{ "colo:\n  web1:\n    port: 0\n",
	    "disks:3: 'port' must be a number from 1 to 65535, not '0'" },
	{ "colo:\n  web1:\n    port: 65536\n",
	    "disks:3: 'port' must be a number from 1 to 65535, not '65536'" },
	{ "colo:\n  web1:\n    port: ssh\n",
	    "disks:3: 'port' must be a number from 1 to 65535, not 'ssh'" },
	{ "colo:\n  web1:\n    port: '22 '\n",
	    "disks:3: 'port' must be a number from 1 to 65535, not '22 '" },
	{ "colo:\n  web1:\n    port: 0022\n",
	    "disks:3: 'port' must be a number from 1 to 65535, not '0022'" },
	{ "colo:\n  web1:\n    username: -l\n",
	    "disks:3: username cannot be '-l': it begins with '-'" },
	{ "colo:\n  web1:\n    username: a:b\n",
	    "disks:3: username cannot be 'a:b': a login has letters, digits and . _ @ + - only" },
	{ "colo:\n  web1:\n    username: 'a b'\n",
	    "disks:3: username cannot be 'a b': a login has letters, digits and . _ @ + - only" },
	{ "colo:\n  web1:\n    username: a;id\n",
	    "disks:3: username cannot be 'a;id': a login has letters, digits and . _ @ + - only" },
	{ "colo:\n  web1:\n    username: '#arvuser'\n",
	    "disks:3: username cannot be '#arvuser': the only word with '#' is '#arveruser'" },
	{ "colo:\n  web1:\n    username: #arveruser\n", "disks:3: 'username' has no value" },
	{ "'': {}\n", "disks:1: '' cannot be the name of a group: it is empty" },
	{ "ALL: {}\n",
	    "disks:1: 'ALL' cannot be the name of a group: it has a meaning of its own" },
	{ "a:\n  ALL: {}\n",
	    "disks:2: 'ALL' cannot be the name of a host: it has a meaning of its own" },
	{ "a/b: {}\n",
	    "disks:1: 'a/b' cannot be the name of a group: it holds one of / , * ? which have "
	    "a meaning in targets" },
	{ "a:\n  'b,c': {}\n",
	    "disks:2: 'b,c' cannot be the name of a host: it holds one of / , * ? "
	    "which have a meaning in targets" },
	{ "a:\n  web?: {}\n",
	    "disks:2: 'web?' cannot be the name of a host: it holds one of / , * ? which "
	    "have a meaning in targets" },
	{ "'*': {}\n",
	    "disks:1: '*' cannot be the name of a group: it holds one of / , * ? which have a "
	    "meaning in targets" },
	{ "-a: {}\n", "disks:1: '-a' cannot be the name of a group: it begins with '-'" },
	{ "'a ': {}\n",
	    "disks:1: 'a ' cannot be the name of a group: it begins or ends with a space" },
	{ "..: {}\n", "disks:1: '..' cannot be the name of a group: it has a meaning of its own" },
	{ NAME_64 NAME_64 NAME_64 NAME_64 ": {}\n",
	    "disks:1: '" NAME_64 "0123456789012345' cannot be the name of a group: it is longer "
	    "than "
	    "255 bytes" },
	{ "a:\n  b:\n    control: {device: x}\n",
	    "disks:3: 'control' cannot be the name of a disk: "
	    "/dev/mapper/control is device-mapper's own" },
	{ "a:\n  b:\n    d e: {device: x}\n",
	    "disks:3: 'd e' cannot be the name of a disk: a mapping's "
	    "name may hold letters, digits and # + - . : = @ _ "
	    "only" },
	{ "a:\n  b:\n    d\xc3\xa9: {device: x}\n",
	    "disks:3: 'd\xc3\xa9' cannot be the name of a disk: a mapping's name may hold "
	    "letters, digits "
	    "and # + - . : = @ _ only" },
	{ "a:\n  b:\n    $(id): {device: x}\n", "disks:3: '$(id)' cannot be the name of a disk: a "
	    "mapping's name may hold letters, digits and # + - . : = @ _ only" },
	{ "a:\n  b:\n    ../x: {device: x}\n",
	    "disks:3: '../x' cannot be the name of a disk: it holds one "
	    "of / , * ? which have a meaning in targets" },
	{ "a:\n  b:\n    -d: {device: x}\n",
	    "disks:3: '-d' cannot be the name of a disk: it begins with '-'" },
	{ "a:\n  b:\n    " NAME_64 NAME_64 ": {device: x}\n",
	    "disks:3: '" NAME_64 "0123456789012345' cannot be the name of a disk: a mapping's "
	    "name may "
	    "have 127 bytes" },
	{ "a:\n  b: {}\n  b: {}\n", "disks:3: 'b' stands here a second time (first in line 2)" },
	{ "a: {}\nb: {}\na: {}\n", "disks:3: 'a' stands here a second time (first in line 1)" },
	{ "a: {b: {<<: {device: x}}}\n", "disks:1: merge keys (<<) are not allowed" },
	{ "a: !!map {}\n", "disks:1: tags (!) are not allowed" },
	{ "\"a\\e[2J\": {}\n", "disks:1: a value holds the control character \\x1b" },
};

static void
disks_read_wrong_line_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		data_dir_refused("", cases[i].text, NULL, cases[i].want);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(disks_read_wrong_line_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
