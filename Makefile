# SPDX-License-Identifier: MIT
# arver: one flat Makefile. `make` builds build/arver; `make demo` shows it on real
# disks, `make check` runs every test; both install what they miss from Debian's packages first.

CC ?= gcc
PREFIX ?= /usr/local
DESTDIR ?=
V ?= 0
Q := $(if $(filter 1,$(V)),,@)
VERSION := 0.1.0

CFLAGS ?= -O2 -g
WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
	-Wformat=2 -Wno-format-nonliteral
HARDEN := -fPIE -fstack-protector-strong -fstack-clash-protection -fcf-protection
FORTIFY := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE -DARVER_VERSION='"$(VERSION)"' -pthread -MMD -MP $(WARN) $(HARDEN) $(CFLAGS)
ALL_LDFLAGS = -pthread -pie -Wl,-z,relro,-z,now,-z,noexecstack $(LDFLAGS)
LIBS := -lcryptsetup -lblkid -lssh -lyaml -lgpgme -lgcrypt -lz -ljson-c

# Rooms, in the order in which data passes through them.
LIB := $(sort $(wildcard lib/*/*.c))
KEYSTORE := $(sort $(wildcard keystore/*.c))
ARVER := $(sort $(wildcard arver/*.c))
UNIT := $(patsubst %.c,%,$(sort $(wildcard tests/unit/*_test.c)))
CONTRACT := $(patsubst %.c,%,$(sort $(wildcard tests/contract/*_test.c)))
HELPERS := $(filter-out %_test.c,$(sort $(wildcard tests/unit/*.c tests/contract/*.c tests/fake/*.c)))
FUZZ_HELPERS := $(sort $(wildcard tests/fuzz/fuzz*.c))
FUZZERS := $(patsubst tests/fuzz/%.c,build/fuzz/targets/%,$(filter-out $(FUZZ_HELPERS),$(sort $(wildcard tests/fuzz/*.c))))
CLI := $(sort $(filter-out %.sh %.rb %.py %/README.md,$(wildcard tests/cli/* tests/hooks/*)))
E2E := tests/lab/selftest $(sort $(filter-out %/README.md,$(wildcard tests/e2e/*)))
HOOKS := $(filter-out hooks/README.md,$(sort $(wildcard hooks/*)))
MAN := $(sort $(wildcard man/*.[0-9]))

# Who may see whom: lib/ sees lib/ alone; tests/layers.sh checks the rest.
lib_INC := -Ilib
keystore_INC := -Ilib -I.
arver_INC := -Ilib -I.
tests_INC := -Ilib -I.
INC = $($(firstword $(subst /, ,$<))_INC)

.PHONY: all demo check torture unit contract cli e2e bench fuzz coverage lint layers install clean
all: build/arver

# Builds of the same sources: the product, one with AddressSanitizer and
# UndefinedBehaviorSanitizer for the tests, one with ThreadSanitizer for what runs in threads.
ASAN := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
TSAN := -fsanitize=thread
# And one by clang for tests/fuzz, where every branch is counted. An AUTO variable is used for clang
# only where it is named again.
FUZZ_CC ?= clang
FUZZ_ASAN := $(ASAN) -fsanitize=fuzzer-no-link -Wno-unused-variable

build/obj/%.o: %.c Makefile
	$(Q)mkdir -p $(@D)
	$(if $(Q),@echo '  CC      $<')
	$(Q)$(CC) $(ALL_CFLAGS) $(FORTIFY) $(INC) -c -o $@ $<

build/asan/%.o: %.c Makefile
	$(Q)mkdir -p $(@D)
	$(if $(Q),@echo '  CC asan $<')
	$(Q)$(CC) $(ALL_CFLAGS) -O1 $(ASAN) $(INC) -c -o $@ $<

build/tsan/%.o: %.c Makefile
	$(Q)mkdir -p $(@D)
	$(if $(Q),@echo '  CC tsan $<')
	$(Q)$(CC) $(ALL_CFLAGS) -O1 $(TSAN) $(INC) -c -o $@ $<

build/fuzz/%.o: %.c Makefile
	$(Q)mkdir -p $(@D)
	$(if $(Q),@echo '  CC fuzz $<')
	$(Q)$(FUZZ_CC) $(ALL_CFLAGS) -O1 $(FUZZ_ASAN) $(INC) -c -o $@ $<

# And one that counts lines.
COV := --coverage -fprofile-update=atomic
build/cov/%.o: %.c Makefile
	$(Q)mkdir -p $(@D)
	$(if $(Q),@echo '  CC cov  $<')
	$(Q)$(CC) $(ALL_CFLAGS) -O0 $(COV) $(INC) -c -o $@ $<

WORK := $(LIB) $(KEYSTORE)
build/arver: $(patsubst %.c,build/obj/%.o,$(WORK) $(ARVER))
	$(if $(Q),@echo '  LINK    $@')
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

build/asan/arver-asan: $(patsubst %.c,build/asan/%.o,$(WORK) $(ARVER))
	$(if $(Q),@echo '  LINK    $@')
	$(Q)$(CC) $(ALL_LDFLAGS) $(ASAN) -o $@ $^ $(LIBS)

# Archives, so that a test links only what it uses.
build/asan/work.a: $(patsubst %.c,build/asan/%.o,$(WORK) $(HELPERS) $(filter-out arver/main.c,$(ARVER)))
	$(Q)rm -f $@ && $(AR) rcs $@ $^
build/tsan/work.a: $(patsubst %.c,build/tsan/%.o,$(WORK) $(HELPERS) $(filter-out arver/main.c,$(ARVER)))
	$(Q)rm -f $@ && $(AR) rcs $@ $^

build/fuzz/work.a: $(patsubst %.c,build/fuzz/%.o,$(WORK) $(filter-out arver/main.c,$(ARVER)))
	$(Q)rm -f $@ && $(AR) rcs $@ $^

build/cov/work.a: $(patsubst %.c,build/cov/%.o,$(WORK) $(HELPERS) $(filter-out arver/main.c,$(ARVER)))
	$(Q)rm -f $@ && $(AR) rcs $@ $^
build/cov/arver-cov: $(patsubst %.c,build/cov/%.o,$(WORK) $(ARVER))
	$(if $(Q),@echo '  LINK    $@')
	$(Q)$(CC) $(ALL_LDFLAGS) $(COV) -o $@ $^ $(LIBS)
build/cov/tests/%_test: build/cov/tests/%_test.o build/cov/work.a
	$(if $(Q),@echo '  LINK    $@')
	$(Q)$(CC) $(ALL_LDFLAGS) $(COV) -o $@ $^ $(LIBS) -lcmocka

build/asan/tests/%_test: build/asan/tests/%_test.o build/asan/work.a
	$(if $(Q),@echo '  LINK    $@')
	$(Q)$(CC) $(ALL_LDFLAGS) $(ASAN) -o $@ $^ $(LIBS) -lcmocka
build/tsan/tests/%_test: build/tsan/tests/%_test.o build/tsan/work.a
	$(if $(Q),@echo '  LINK    $@')
	$(Q)$(CC) $(ALL_LDFLAGS) $(TSAN) -o $@ $^ $(LIBS) -lcmocka

# Helpers stand in front of the archive: their base/secret takes the place of the real one.
build/fuzz/targets/%: build/fuzz/tests/fuzz/%.o $(patsubst %.c,build/fuzz/%.o,$(FUZZ_HELPERS)) build/fuzz/work.a
	$(Q)mkdir -p $(@D)
	$(if $(Q),@echo '  LINK    $@')
	$(Q)$(FUZZ_CC) $(ALL_LDFLAGS) $(ASAN) -fsanitize=fuzzer -o $@ $^ $(LIBS) -lm

.SECONDARY:

THREADED := $(filter %/run_test %/secret_test %/transport_ssh_test %/transport_jump_test \
    %/transport_openssh_test %/transport_accept_test %/transport_unlock_test %/ssh_configs_test,$(UNIT) $(CONTRACT))
# What is preloaded to cut a program at a call: no part of the product.
build/tests/cut.so: tests/torture/cut.c Makefile
	$(Q)mkdir -p $(@D)
	$(if $(Q),@echo '  CC      $<')
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE $(WARN) -O2 -g -fPIC -shared -o $@ $<

unit: $(addprefix build/asan/,$(UNIT))
	$(Q)tests/run $^
contract: $(addprefix build/asan/,$(CONTRACT)) $(addprefix build/tsan/,$(THREADED))
	$(Q)tests/run $^
cli: build/asan/arver-asan build/arver
	$(Q)tests/run $(CLI)
e2e: build/arver
	$(Q)tests/run $(E2E)

# Everything, in one count: packages first, then each kind of test. Cuts are a sample by chance.
SEED := $(or $(SEED),$(shell od -An -N3 -tu4 /dev/urandom | tr -d ' '))
check:
	$(Q)tests/deps.sh build test lint fuzz
	$(Q)$(MAKE) --no-print-directory -j2 all build/asan/arver-asan \
	    $(addprefix build/asan/,$(UNIT) $(CONTRACT)) $(addprefix build/tsan/,$(THREADED)) \
	    build/tests/cut.so $(FUZZERS)
	$(Q)echo "  SEED    $(SEED) (make check SEED=$(SEED) makes the same cuts)"
	$(Q)SEED=$(SEED) tests/run tests/torture/some-cuts-anywhere tests/torture/judge-is-judged tests/torture/power-cuts \
	    tests/layers.sh tests/symbols.sh tests/hardening.sh tests/lint.sh tests/valgrind.sh tests/fuzz/run \
	    $(addprefix build/asan/,$(UNIT) $(CONTRACT)) $(addprefix build/tsan/,$(THREADED)) $(CLI) $(E2E)

# Every cut there is: hours. TORTURE='--minutes 60' instead of --all is a random part of it.
TORTURE ?= --all
POWER_CUTS ?= 100
torture:
	$(Q)tests/deps.sh build test
	$(Q)$(MAKE) --no-print-directory -j2 all build/tests/cut.so
	$(Q)tests/torture/judge-is-judged
	$(Q)tests/torture/torture.rb $(TORTURE)
	$(Q)tests/torture/power-judge-is-judged
	$(Q)tests/torture/power-cuts -n $(POWER_CUTS)

# Bytes by chance for whatever reads foreign ones: each target for so long, or one (FUZZ=NAME).
FUZZ_SECONDS ?= 900
FUZZ ?= $(notdir $(FUZZERS))
fuzz:
	$(Q)tests/deps.sh build fuzz
	$(Q)$(MAKE) --no-print-directory -j2 $(addprefix build/fuzz/targets/,$(FUZZ))
	$(Q)tests/fuzz/run $(FUZZ_SECONDS) $(FUZZ)

# What the tests go through, but for those in the lab's guest, from which no counts come back.
coverage:
	$(Q)tests/deps.sh build test
	$(Q)$(MAKE) --no-print-directory -j2 all build/cov/arver-cov $(addprefix build/cov/,$(UNIT) $(CONTRACT))
	$(Q)find build/cov -name '*.gcda' -delete
	$(Q)ARVER=build/cov/arver-cov tests/run $(addprefix build/cov/,$(UNIT) $(CONTRACT)) $(CLI); \
	    ran=$$?; tests/coverage && exit $$ran

demo:
	$(Q)tests/deps.sh build lab
	$(Q)$(MAKE) --no-print-directory -j2 all
	$(Q)tests/demo/demo

layers:
	$(Q)tests/layers.sh
lint: layers
	$(Q)tests/lint.sh
bench: build/arver
	$(Q)for b in tests/bench/*/run; do "$$b" || exit 1; done

install: build/arver
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/arver/hooks
	install -m 755 build/arver $(DESTDIR)$(PREFIX)/bin/arver
	install -m 644 man/arver-json.schema.json $(DESTDIR)$(PREFIX)/share/arver/
	$(if $(HOOKS),install -m 755 $(HOOKS) $(DESTDIR)$(PREFIX)/share/arver/hooks/)
	install -D -m 644 completions/arver.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/arver
	install -D -m 644 completions/_arver $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_arver
	install -D -m 644 completions/arver.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/arver.fish
	$(foreach m,$(MAN),install -D -m 644 $(m) \
	    $(DESTDIR)$(PREFIX)/share/man/man$(subst .,,$(suffix $(m)))/$(notdir $(m));)

clean:
	$(Q)rm -rf build

-include $(shell find build -name '*.d' 2>/dev/null)
