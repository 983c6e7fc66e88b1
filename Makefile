# make            programs and hooks, into build/bin
# make demo       a real deployment from nothing, in a temporary folder
# make check      every test, under prove
# make fault      the fault tests alone, COUNT=N points each
# make fuzz       the fuzz targets, TIME=60 seconds or RUNS=N, FUZZ="NAME ..."
# make bench      what releases, pushes and the journal take, beside others
# make install    PREFIX=/usr/local DESTDIR=
# make uninstall  the same files out again
#
# CC=clang builds with another compiler, SANITIZE=address,undefined with
# sanitizers, each into a folder of its own; BUILD=dir names the folder.
# V=1 shows each command. TESTS="tests/flow/21-push.t ..." lets "make check"
# run just those.

PREFIX	= /usr/local
DESTDIR	=
CC	= gcc
BUILD	= build$(VARIANT)
CFLAGS	= -O2 -g
JOBS	= 2

VERSION	= 0.1.0

comma	:= ,
VARIANT	= $(if $(filter-out gcc cc,$(CC)),-$(notdir $(firstword \
	  $(CC))))$(if $(SANITIZE),-$(subst $(comma),-,$(SANITIZE)))

bindir	   = $(PREFIX)/bin
libexecdir = $(PREFIX)/libexec/slipway
mandir	   = $(PREFIX)/share/man
datadir	   = $(PREFIX)/share/slipway
unitdir	   = $(PREFIX)/lib/systemd/system
bashdir	   = $(PREFIX)/share/bash-completion/completions
zshdir	   = $(PREFIX)/share/zsh/site-functions

WARN	= -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes \
	  -Wmissing-prototypes -Wpointer-arith -Wwrite-strings \
	  -Wformat=2 -Wvla -Wundef
DEFS	= -D_GNU_SOURCE -D_FORTIFY_SOURCE=2 \
	  -DSLIPWAY_VERSION='"$(VERSION)"'
HARDEN	= -fstack-protector-strong -fPIE
LINK	= -pie -Wl,-z,relro,-z,now -Wl,--as-needed
LIBS	= $(GIT2) -lsqlite3 -linih -lmd -lz -lm -lpthread

ifdef SANITIZE
CFLAGS	= -O1 -g -fno-omit-frame-pointer
HARDEN	= -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fPIE
DEFS	= -D_GNU_SOURCE -DSLIPWAY_VERSION='"$(VERSION)"'
endif

COMPILE	= $(CC) -std=c11 $(DEFS) $(WARN) $(HARDEN) $(CFLAGS) \
	  -iquote lib -iquote src -MMD -MP

# One short line a file, none under "make -s".
silent	= $(findstring s,$(firstword -$(MAKEFLAGS)))
quiet	= $(if $(V),,$(if $(silent),@,@printf '  %-5s %s\n' $(1) \
	  '$(or $(2),$@)';))

standin	 := $(BUILD)/lib/repo_offline.o $(BUILD)/lib/repo_inflate.o
lib_o	 := $(filter-out $(standin),$(patsubst %.c,$(BUILD)/%.o, \
	    $(wildcard lib/*.c)))
rooms_o	 := $(patsubst %.c,$(BUILD)/%.o,$(filter-out src/cmd/%, \
	    $(wildcard src/*/*.c)))
cmd_o	 := $(patsubst %.c,$(BUILD)/%.o,$(wildcard src/cmd/*.c))
hooks	 := $(patsubst hooks/%.c,$(BUILD)/bin/%,$(wildcard hooks/*.c))
units	 := $(patsubst tests/unit/%.c,$(BUILD)/tests/%, \
	    $(wildcard tests/unit/*.c))

all: $(BUILD)/bin/slipway $(hooks)

# Shared, libgit2 brings TLS, ssh and Kerberos, and a program starts in 11 ms;
# without those, which lib/repo_offline.c stands in for, and with the other
# libraries linked in as well, in 1 ms. lib/repo_inflate.c does for it what
# zlib would. Where that does not link, or with GIT2=-lgit2, they are the
# shared libraries.
git2_a	 := -Wl,--wrap=inflate -Wl,-Bstatic -lgit2 -lpcre2-8 -lmbedcrypto \
	    -lhttp_parser -lsqlite3 -lmd -lz -ldeflate -Wl,-Bdynamic -lm \
	    -lpthread

ifeq ($(origin GIT2),undefined)
$(BUILD)/git2.mk: $(standin)
	@printf '%s\n' '#include <git2.h>' \
	    'int main(void) { return git_libgit2_init() < 0; }' > $@.c
	@if $(CC) $(HARDEN) $(LINK) -o $@.out $@.c $^ $(LDFLAGS) $(git2_a) \
	    2>$@.log && $@.out; then echo 'GIT2 = $^ $(git2_a)'; \
	    else echo 'GIT2 = -lgit2'; fi > $@

ifneq ($(MAKECMDGOALS),clean)
include $(BUILD)/git2.mk
endif
endif

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(call quiet,CC)$(COMPILE) -c -o $@ $<

$(BUILD)/libslipway.a: $(lib_o) $(rooms_o)
	@rm -f $@
	$(call quiet,AR)ar rcs $@ $^

# Programs are linked anew when there is another libgit2 to be linked in, and
# know which one they have.
git2_c	 := $(BUILD)/git2_linked.c
git2_o	 := $(BUILD)/git2_linked.o

$(git2_c): FORCE
	@mkdir -p $(@D)
	@{ printf '#include "cmd/doctor.h"\nconst char doctor_git2[] = "'; \
	    $(if $(findstring -Bstatic,$(GIT2)),stat -L -c '%n %Y %s' \
	    "$$($(CC) -print-file-name=libgit2.a)" | tr -d '\n';) \
	    echo '";'; } > $@.new
	@cmp -s $@.new $@ || cp $@.new $@

$(git2_o): $(git2_c)
	$(call quiet,CC)$(COMPILE) -c -o $@ $<

$(BUILD)/bin/slipway: $(cmd_o) $(git2_o) $(BUILD)/libslipway.a
	@mkdir -p $(@D)
	$(call quiet,LINK)$(CC) $(HARDEN) $(LINK) -o $@ $(filter %.o %.a,$^) \
	    $(LDFLAGS) $(LIBS)

$(hooks): $(BUILD)/bin/%: $(BUILD)/hooks/%.o $(BUILD)/libslipway.a \
    $(git2_c)
	@mkdir -p $(@D)
	$(call quiet,LINK)$(CC) $(HARDEN) $(LINK) -o $@ $(filter %.o %.a,$^) \
	    $(LDFLAGS) $(LIBS)

$(BUILD)/tests/unit/%.o $(BUILD)/tests/tap/%.o: \
    COMPILE += -iquote tests/tap

$(units): $(BUILD)/tests/%: $(BUILD)/tests/unit/%.o \
    $(BUILD)/tests/tap/tap.o $(BUILD)/libslipway.a
	@mkdir -p $(@D)
	$(call quiet,LINK)$(CC) $(HARDEN) $(LINK) -o $@ $^ $(LDFLAGS) $(LIBS)

tools	 := $(patsubst tests/tool/%.c,$(BUILD)/tests/tool/%, \
	    $(wildcard tests/tool/*.c))

$(tools): $(BUILD)/tests/tool/%: $(BUILD)/tests/tool/%.o \
    $(BUILD)/libslipway.a
	@mkdir -p $(@D)
	$(call quiet,LINK)$(CC) $(HARDEN) $(LINK) -o $@ $^ $(LDFLAGS) $(LIBS)

# What makes system calls fail, which knows nothing of Slipway.
inject	 := $(BUILD)/tests/fault/inject
inject_o := $(patsubst %,$(BUILD)/tests/fault/%.o,inject order calls \
	    filter roles)

$(inject_o): COMPILE += -iquote tests/fault

$(inject): $(inject_o)
	$(call quiet,LINK)$(CC) $(HARDEN) $(LINK) -o $@ $^ $(LDFLAGS)

units: $(units)

# Programs that run out of memory when they are told to.
oom_h	 := $(hooks:$(BUILD)/%=$(BUILD)/oom/%)
oom	 := $(BUILD)/oom/bin/slipway $(oom_h)

$(BUILD)/oom/bin/slipway: $(cmd_o) $(git2_o)
$(oom_h): $(BUILD)/oom/bin/%: $(BUILD)/hooks/%.o
$(oom): $(BUILD)/tests/fault/malloc.o $(BUILD)/libslipway.a
	@mkdir -p $(@D)
	@ln -sfn ../tests $(BUILD)/oom/tests
	$(call quiet,LINK)$(CC) $(HARDEN) $(LINK) -o $@ $(filter %.o,$^) \
	    $(BUILD)/libslipway.a $(LDFLAGS) $(LIBS)

# Each target with what replays the corpus; libFuzzer brings its own main().
targets	 := $(filter-out fuzz replay,$(basename $(notdir \
	    $(wildcard tests/fuzz/*.c))))
fuzz_o	 := $(BUILD)/tests/fuzz/fuzz.o
fuzzers	 := $(targets:%=$(BUILD)/tests/fuzz/%)
main_o	 := $(BUILD)/tests/fuzz/replay.o
main_f	 =

# What compares is not traced, which takes half of the time: dictionaries have
# the words. Nor is the way through the targets themselves of interest.
ifneq ($(filter fuzzer-no-link,$(subst $(comma), ,$(SANITIZE))),)
main_o	 :=
main_f	 = -fsanitize=fuzzer
CFLAGS	 = -O2 -g -fno-omit-frame-pointer -fno-sanitize-coverage=trace-cmp
blind	 = -fno-sanitize=fuzzer-no-link
endif

$(fuzz_o) $(BUILD)/tests/fuzz/replay.o $(fuzzers:=.o): \
    COMPILE += -iquote tests/fuzz $(blind)

$(fuzzers): $(BUILD)/tests/fuzz/%: $(BUILD)/tests/fuzz/%.o $(fuzz_o) \
    $(main_o) $(BUILD)/libslipway.a
	$(call quiet,LINK)$(CC) $(HARDEN) $(LINK) $(main_f) -o $@ $^ \
	    $(LDFLAGS) $(LIBS)

fuzzers: $(fuzzers)

tools: $(tools) $(inject) $(if $(SANITIZE),,$(oom))

TESTS	= $(units) $(wildcard tests/style/*.t tests/flow/*.t \
	  tests/fault/*.t tests/fuzz/*.t)
with	= SLIPWAY_BUILD='$(abspath $(BUILD))' SLIPWAY_SANITIZE='$(SANITIZE)'

check:
	@install/bootstrap test
	@$(MAKE) -j$(JOBS) --no-print-directory all units tools fuzzers
	$(with) prove -j$(JOBS) --timer --exec '' $(sort $(TESTS))

# COUNT=N tries so many points of each, COUNT=all all of them, SEED=N others,
# and JOBS workers share them.
fault:
	@$(MAKE) -j$(JOBS) --no-print-directory all units tools
	$(with) JOBS='$(JOBS)' prove --timer --exec '' \
	    $(sort $(wildcard tests/fault/*.t))

# FUZZ="directive json" chooses, RUNS=50000000 goes by executions instead, and
# JOBS of them run side by side. What is new goes into tests/fuzz/corpus.
# FUZZ_WITH= leaves the sanitizers out: three to five times as many a second.
FUZZ	   = $(targets)
FUZZ_WITH  = address,undefined
FUZZ_BUILD = build-fuzz$(if $(FUZZ_WITH),,-plain)
TIME	   = $(if $(RUNS),0,60)

fuzz-build:
	@$(MAKE) -j$(JOBS) --no-print-directory CC=clang BUILD=$(FUZZ_BUILD) \
	    SANITIZE=$(if $(FUZZ_WITH),$(FUZZ_WITH)$(comma))fuzzer-no-link \
	    fuzzers

fuzz:
	@install/bootstrap ci
	@$(MAKE) --no-print-directory fuzz-build
	@printf '%s\n' $(FUZZ) | SLIPWAY_BUILD='$(FUZZ_BUILD)' \
	    TIME='$(TIME)' RUNS='$(RUNS)' xargs -P $(JOBS) -n 1 tests/fuzz/run

# SIZES, CHANGES, METHODS, RUNS and what else bench/*.pl say choose less;
# BENCH="release push journal" which of them.
BENCH	= release push journal

bench:
	@install/bootstrap bench || echo 'make bench: goes on without'
	@$(MAKE) -s -j$(JOBS) --no-print-directory all tools
	@for name in $(BENCH); do \
	    $(with) tests/bench/$$name.pl || exit; echo; done

demo:
	@install/bootstrap build
	@$(MAKE) -s -j$(JOBS) --no-print-directory all
	@$(with) tests/demo.sh

# A file comes into place by rename, so that a hook that git starts in the
# middle of an installation is either the old program or the new one.
# $(call put,MODE,FILE,FOLDER)
define put
$(call quiet,INST,$(3)/$(notdir $(2)))install -d -m 755 '$(3)' && \
    install -m $(1) $(2) '$(3)/.$(notdir $(2)).new' && \
    mv -f '$(3)/.$(notdir $(2)).new' '$(3)/$(notdir $(2))'

endef

# $(call drop,PATH)
define drop
$(call quiet,RM,$(1))rm -rf '$(1)'

endef

pages	 := $(wildcard install/man/*.[1-9])
samples	 := $(wildcard install/*.sample install/recipes/*)

# Made by the program, from the tables that it parses a command line by.
bash_c	 := $(BUILD)/completion/slipway
zsh_c	 := $(BUILD)/completion/_slipway

$(bash_c) $(zsh_c): $(BUILD)/bin/slipway
	@mkdir -p $(@D)
	$(call quiet,MAKE)$(BUILD)/bin/slipway completion \
	    $(if $(filter $(zsh_c),$@),zsh,bash) > $@

services := $(patsubst install/systemd/%.in,$(BUILD)/systemd/%, \
	    $(wildcard install/systemd/*.in))

# The folder of the program is known when it is installed.
$(BUILD)/systemd/%: install/systemd/%.in FORCE
	@mkdir -p $(@D)
	@sed 's,@bindir@,$(bindir),' $< > $@

# What names installed files names those of this prefix.
$(BUILD)/installed/%: install/man/% FORCE
	$(adapt)

$(BUILD)/installed/%: contrib/% FORCE
	$(adapt)

define adapt
@mkdir -p $(@D)
@sed 's,/usr/local/\(bin/slipway\|libexec\|lib/systemd\|share\),$(PREFIX)/\1,' \
    $< > $@
endef

installed := $(addprefix $(BUILD)/installed/,$(notdir $(pages)))
post_merge := $(BUILD)/installed/post-merge

FORCE:

page_to	  = $(DESTDIR)$(mandir)/man$(subst .,,$(suffix $(1)))
program	  = $(DESTDIR)$(bindir)/slipway
programs  = $(DESTDIR)$(libexecdir)

install: all $(services) $(installed) $(post_merge) $(bash_c) $(zsh_c)
	$(call put,755,$(BUILD)/bin/slipway,$(DESTDIR)$(bindir))
	$(foreach hook,$(hooks),$(call put,755,$(hook),$(programs)))
	$(call quiet,LN,$(programs)/slipway)ln -sfrT '$(program)' \
	    '$(programs)/slipway'
	$(foreach page,$(installed),$(call put,644,$(page),$(call \
	    page_to,$(page))))
	$(foreach sample,$(samples),$(call \
	    put,644,$(sample),$(DESTDIR)$(datadir)))
	$(call put,644,$(post_merge),$(DESTDIR)$(datadir))
	$(foreach service,$(services),$(call \
	    put,644,$(service),$(DESTDIR)$(unitdir)))
	$(call put,644,$(bash_c),$(DESTDIR)$(bashdir))
	$(call put,644,$(zsh_c),$(DESTDIR)$(zshdir))

uninstall:
	$(call drop,$(program))
	$(call drop,$(programs))
	$(call drop,$(DESTDIR)$(datadir))
	$(call drop,$(DESTDIR)$(bashdir)/slipway)
	$(call drop,$(DESTDIR)$(zshdir)/_slipway)
	$(foreach service,$(services),$(call \
	    drop,$(DESTDIR)$(unitdir)/$(notdir $(service))))
	$(foreach page,$(pages),$(call \
	    drop,$(call page_to,$(page))/$(notdir $(page))))
	@echo 'Hooks of repositories still link to the programs that were' \
	    'removed. Where "slipway uninit REPO" was not run before, do by' \
	    'hand in each REPO:'
	@echo '  cd REPO && rm $(patsubst %,hooks/%,$(sort $(notdir \
	    $(hooks))))'
	@echo '  git config --unset-all receive.procReceiveRefs'
	@echo '  git config --unset-all receive.autogc "^off\$$"'
	@echo '  and rename hooks/NAME.before-slipway to hooks/NAME'

clean:
	rm -rf $(BUILD)

.PHONY: all units tools fuzzers check fault fuzz fuzz-build bench demo install uninstall clean FORCE
.SECONDARY:

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
