# SPDX-License-Identifier: GPL-2.0-or-later
#
#   make            build the programs
#   make install    put them, their hooks and manual pages below DESTDIR, as the package does
#   make package    build the package with makepkg as an ordinary user, and unpack it to .build/stage
#   make demo       run whole pacman transactions in a throwaway root and check every state
#   make test       run every test, after installing what they need
#   make test-quick run the half of the tests that needs neither root nor pacman, as any user
#   make torture    let system calls go wrong, SEED and COUNT of them, and look at what is left
#   make boot-test  boot a kernel with the images that transactions leave, in an emulated machine
#   make boot-torture
#                   the same after N transactions that are drawn from SEED and often fail
#   make fuzz       feed every reader, or those of READERS, with made-up input, TIME seconds each, by SEED
#   make bench      measure side by side with Debian's dkms, or REFERENCE, and with make alone, in RUNS rounds; the table
#                   is written to .build/bench.md; make test must have run before
#   make bench-check
#                   the same, and say what is slower than in docs/benchmark.md; fails for nothing that is slower
#   make pages      write the parts of completions and dkms(8) that come from the tables of dkms
#   make check      the walls between the targets, formatting, warnings, scripts and manual pages

PREFIX ?= /usr
DESTDIR ?=
# What install(1) is given to strip programs; empty where makepkg does it.
STRIP ?= -s
VERSION = $(shell sed -n 's/^pkgver=//p' packaging/PKGBUILD)
SWIFT ?= swift
# The runtime library is linked statically: a transaction that upgrades it must not stop the programs.
RELEASE = -c release --static-swift-stdlib $(SMALL)
# Small programs. No code here is hot: bash, make, depmod and the compression of images take the time.
SMALL = -Xswiftc -Osize
# Each function gets its own section, and none is kept just because it is public: the linker drops what nothing calls.
SMALL += -Xswiftc -Xfrontend -Xswiftc -function-sections -Xswiftc -Xfrontend -Xswiftc -internalize-at-link
# By default a static program exports its functions to the libraries it loads; libalpm and libarchive need none.
SMALL += -Xlinker --no-export-dynamic
# Swift's own linker can pack relocations into a hundredth of the room (glibc 2.36 and later understand that), and ...
SMALL += -Xswiftc -use-ld=lld -Xlinker -z -Xlinker pack-relative-relocs
# ... keep one copy of functions with the same code (data is not touched, and nothing here compares functions), and ...
SMALL += -Xlinker --icf=all -Xlinker -O2
# ... leave out the unwinding tables, and zeros. The tables serve exceptions, which Swift does not have; debuggers use frame
# pointers.
SMALL += -Xlinker --no-eh-frame-hdr -Xlinker -T -Xlinker "$(CURDIR)/packaging/small.ld"
# Tests are compiled as quickly as for debugging, but without DEBUG, which makes swift-system check each path many times
# over: that took most of the time of the tests.
TESTS = --scratch-path .build/tests -c release -Xswiftc -Onone -Xswiftc -enable-testing -Xswiftc -warnings-as-errors
# Tests of how a process ends, which run apart: once there has been one, the library's watcher keeps a processor busy as
# long as any other test has a process that has ended and is not yet waited for.
EXIT_TESTS = ExitTests
# A cached manifest would keep the import check that it was made with.
IMPORT_CHECK = --explicit-target-dependency-import-check error --disable-build-manifest-caching
COMMANDS = dkms alpm-dkms
# One file serves as all four helpers, by name. Hook files of users call them, too.
HELPER_PROGRAM = alpm-dkms-hook
HELPER_NAMES = alpm-dkms-install alpm-dkms-remove alpm-dkms-initramfs alpm-dkms-verify
PROGRAMS = $(COMMANDS) $(HELPER_PROGRAM)
BIN = $(DESTDIR)$(PREFIX)/bin
HELPERS = $(DESTDIR)$(PREFIX)/lib/alpm-dkms
SHARE = $(DESTDIR)$(PREFIX)/share
HOOKS = $(SHARE)/libalpm/hooks
SCRIPTS = .ci/run packaging/dkms-script Tests/check-* Tests/quick $(filter-out %.c,$(wildcard Tests/Root/*)) \
  Tests/Torture/torture completions/dkms.bash \
  Fixtures/packages/kmod-hooks/depmod Fixtures/packages/patched-dkms/log-*
# The hooks and the script with the directory of the helpers as it is below PREFIX.
PREFIXED = sed 's|usr/lib/alpm-dkms|$(PREFIX:/%=%)/lib/alpm-dkms|g'
# Coverage is what libFuzzer goes by. Swift's usual linker stumbles over the sanitizer's debugging information.
FUZZ = --scratch-path .build/fuzz --product fuzz -Xswiftc -O -Xswiftc -sanitize=fuzzer -Xswiftc -use-ld=lld
TIME = 60
SEED = 1
READERS = $$(.build/fuzz/debug/fuzz)
BUILT = $$($(SWIFT) build $(RELEASE) --show-bin-path)

# How many accidents `make torture` makes.
COUNT = 1000
# How many rounds of `make bench` count.
RUNS = 3
# How many transactions `make boot-torture` makes, each with a boot.
N = 100

.PHONY: all build install install-built dist package demo test test-quick torture boot-test boot-torture boots fuzz bench bench-check pages check clean

all: build

build:
	for program in $(PROGRAMS); do $(SWIFT) build $(RELEASE) --product $$program || exit; done
	for shell in bash zsh fish; do \
	  "$(BUILT)"/alpm-dkms --generate-completion-script $$shell > "$(BUILT)"/alpm-dkms.$$shell || exit; done

install: build
	$(MAKE) --no-print-directory install-built

install-built:
	install -dm755 "$(BIN)" "$(HELPERS)" "$(HOOKS)"
	install -m755 $(STRIP) $(COMMANDS:%="$(BUILT)"/%) "$(BIN)"
	install -m755 $(STRIP) "$(BUILT)"/$(HELPER_PROGRAM) "$(HELPERS)"
	for name in $(HELPER_NAMES); do ln -sf $(HELPER_PROGRAM) "$(HELPERS)"/$$name || exit; done
	for hook in hooks/*.hook; do $(PREFIXED) $$hook > "$(DESTDIR)$(PREFIX)/share/libalpm/$$hook" || exit; done
	install -dm755 "$(SHARE)/libalpm/scripts"
	$(PREFIXED) packaging/dkms-script > "$(SHARE)/libalpm/scripts/dkms"
	chmod 755 "$(SHARE)/libalpm/scripts/dkms"
	install -Dm644 completions/dkms.bash "$(SHARE)/bash-completion/completions/dkms"
	install -Dm644 completions/_dkms "$(SHARE)/zsh/site-functions/_dkms"
	install -Dm644 completions/dkms.fish "$(SHARE)/fish/vendor_completions.d/dkms.fish"
	install -Dm644 "$(BUILT)"/alpm-dkms.bash "$(SHARE)/bash-completion/completions/alpm-dkms"
	install -Dm644 "$(BUILT)"/alpm-dkms.zsh "$(SHARE)/zsh/site-functions/_alpm-dkms"
	install -Dm644 "$(BUILT)"/alpm-dkms.fish "$(SHARE)/fish/vendor_completions.d/alpm-dkms.fish"
	install -Dm644 man/dkms.8 "$(SHARE)/man/man8/dkms.8"
	install -Dm644 man/alpm-dkms.8 "$(SHARE)/man/man8/alpm-dkms.8"
	install -Dm644 man/alpm-dkms.conf.5 "$(SHARE)/man/man5/alpm-dkms.conf.5"
	install -Dm644 man/alpm-dkms-journal.5 "$(SHARE)/man/man5/alpm-dkms-journal.5"
	install -Dm644 man/alpm-dkms-json.5 "$(SHARE)/man/man5/alpm-dkms-json.5"
	install -Dm644 -t "$(SHARE)/alpm-dkms/schemas" packaging/schemas/*.json
	install -Dm644 packaging/alpm-dkms.sysusers "$(DESTDIR)$(PREFIX)/lib/sysusers.d/alpm-dkms.conf"
	install -Dm644 packaging/alpm-dkms.conf "$(DESTDIR)/etc/alpm-dkms.conf"
	install -Dm644 packaging/framework.conf "$(DESTDIR)/etc/dkms/framework.conf"
	install -Dm644 packaging/90-mkinitcpio-install.hook "$(SHARE)/doc/alpm-dkms/90-mkinitcpio-install.hook"
	install -Dm644 README.md "$(SHARE)/doc/alpm-dkms/README.md"
	install -Dm644 -t "$(SHARE)/doc/alpm-dkms/docs" docs/*.md
	install -Dm644 COPYING "$(SHARE)/licenses/alpm-dkms/COPYING"
	install -dm755 "$(DESTDIR)/etc/dkms/framework.conf.d" "$(DESTDIR)/var/lib/dkms"

dist:
	mkdir -p .build
	git ls-files -z --cached --others --exclude-standard | \
	  tar --null -T - --transform 's,^,alpm-dkms-$(VERSION)/,' --owner 0 --group 0 -czf .build/alpm-dkms-$(VERSION).tar.gz

package: dist
	rm -rf .build/package .build/stage
	Tests/Root/throwaway-root suite-package .build/alpm-dkms-$(VERSION).tar.gz .build/package
	mkdir .build/stage
	bsdtar -xpf .build/package/alpm-dkms-$(VERSION)-*.pkg.tar -C .build/stage --exclude '.[A-Z]*'

demo:
	Tests/Root/demo

test:
	Tests/Root/requirements
	Tests/Root/throwaway-root parts
	$(MAKE) --no-print-directory check
	$(MAKE) --no-print-directory package
	Tests/check-walls .build/stage/usr/bin/* .build/stage/usr/lib/alpm-dkms/*
	Tests/check-size .build/stage
	Tests/Torture/torture .build/stage 1 48
	$(SWIFT) test $(TESTS) --skip-build --filter $(EXIT_TESTS)
	ALPM_DKMS_STAGE="$(CURDIR)/.build/stage" ALPM_DKMS_PACKAGE="$$(echo "$(CURDIR)"/.build/package/*)" \
	  $(SWIFT) test $(TESTS) --skip-build --skip $(EXIT_TESTS)

# With what is on the machine already; nothing is installed or downloaded but the packages of Package.swift.
test-quick:
	$(SWIFT) build $(TESTS) --build-tests
	$(SWIFT) test $(TESTS) --skip-build --filter $(EXIT_TESTS)
	Tests/quick $(TESTS) --skip $(EXIT_TESTS)

# Draws the accidents from SEED.
torture:
	rm -rf .build/stage
	$(MAKE) --no-print-directory install DESTDIR=.build/stage
	Tests/Torture/torture .build/stage "$(SEED)" "$(COUNT)"

boot-test: package
	$(MAKE) --no-print-directory boots FILTER=BootTests

boot-torture: package
	ALPM_DKMS_BOOTS="$(N)" ALPM_DKMS_BOOT_SEED="$(SEED)" $(MAKE) --no-print-directory boots FILTER=BootTortureTests

boots:
	Tests/Root/throwaway-root parts
	ALPM_DKMS_REQUIRE_ALL=1 ALPM_DKMS_STAGE="$(CURDIR)/.build/stage" \
	  ALPM_DKMS_PACKAGE="$$(echo "$(CURDIR)"/.build/package/*)" $(SWIFT) test $(TESTS) --filter '[.]$(FILTER)/'

# What ends a reader is written to .build/fuzz; what reached new code stays in its corpus for the next time.
fuzz:
	ALPM_DKMS_FUZZ=1 $(SWIFT) build $(FUZZ)
	for reader in $(READERS); do \
	  echo "==> $$reader"; \
	  .build/fuzz/debug/fuzz $$reader -max_total_time=$(TIME) -seed=$(SEED) -timeout=20 -rss_limit_mb=1024 -verbosity=0 \
	    -print_final_stats=1 -artifact_prefix=.build/fuzz/$$reader- .build/fuzz/corpus/$$reader || exit; done

bench:
	rm -rf .build/stage
	$(MAKE) --no-print-directory install DESTDIR=.build/stage
	RUNS="$(RUNS)" REFERENCE="$(REFERENCE)" OUTPUT=.build/bench.md Tests/Root/bench .build/stage

bench-check: bench
	Tests/Root/bench-check docs/benchmark.md .build/bench.md

pages:
	$(SWIFT) run $(TESTS) dkms-pages

check:
	shellcheck $(SCRIPTS)
	mandoc -T lint -W warning man/*
	$(SWIFT) format lint --strict --recursive Package.swift Sources Tests
	$(SWIFT) build $(TESTS) --build-tests $(IMPORT_CHECK)
	built=$$($(SWIFT) build $(TESTS) --show-bin-path) && Tests/check-walls $(PROGRAMS:%="$$built"/%)

clean:
	rm -rf .build
