#!/bin/sh
# SPDX-License-Identifier: MIT
# What the compiler and the linker can do against a fault in memory is done in the built program:
# each line is a name, and what readelf says where it is so. Silent when all is well.
cd "$(dirname "$0")/.." || exit 2
program="${1:-build/arver}"
status=0

elf=$(readelf -W --file-header --program-headers --dynamic --notes "$program") &&
	symbols=$(nm -D --undefined-only "$program") || exit 2

expect() # WHAT 'PATTERN' TEXT
{
	echo "$3" | grep -qE "$2" && return
	echo "$program: $1 is missing"
	status=1
}

expect_not() # WHAT 'PATTERN' TEXT
{
	echo "$3" | grep -qE "$2" || return
	echo "$program: $1"
	status=1
}

expect 'a position of its own (PIE)' 'Type: +DYN' "$elf"
expect 'what is read-only once it is linked (RELRO)' 'GNU_RELRO' "$elf"
expect 'binding at the start (BIND_NOW)' 'BIND_NOW|FLAGS_1.* NOW' "$elf"
expect 'a stack of its own kind (GNU_STACK)' 'GNU_STACK' "$elf"
expect_not 'its stack can be executed' 'GNU_STACK.* RWE ' "$elf"
expect_not 'it has memory that can be written and executed' 'LOAD.* RWE ' "$elf"
expect_not 'it has relocations in its text' 'TEXTREL' "$elf"
expect_not 'it looks for libraries in places of its own' 'RPATH|RUNPATH' "$elf"
expect 'the stack protector' '__stack_chk_fail' "$symbols"
expect 'FORTIFY' '__[a-z]+_chk' "$symbols"
expect 'FORTIFY of lengths known at run time' '__memcpy_chk' "$symbols"

# The linker keeps these in the program only where the system's own start files have them (Debian 12's
# have not); so they are looked for in what we compile.
case $(uname -m) in
x86_64) wanted='x86 feature:.*IBT, SHSTK' ;; # targets of jumps, the shadow stack
aarch64) wanted='AArch64 feature:.*BTI' ;;
*) wanted='' ;;
esac
for object in build/obj/lib/base/secret.o build/obj/keystore/keyfile.o build/obj/arver/main.o; do
	[ -z "$wanted" ] || expect "$object: $wanted" "$wanted" "$(readelf -W --notes "$object")"
done
exit $status
