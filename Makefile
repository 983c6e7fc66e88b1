# make            programs and hooks, into build/bin
# make demo       a real deployment from nothing, in a temporary folder
# make check      every test, under prove
# make install    PREFIX=/usr/local DESTDIR=
#
# BUILD=dir builds elsewhere, CC=clang with another compiler,
# SANITIZE=address,undefined with sanitizers.

PREFIX	= /usr/local
DESTDIR	=
BUILD	= build
CC	= gcc
CFLAGS	= -O2 -g
JOBS	= 2

VERSION	= 0.1.0

bindir	   = $(PREFIX)/bin
libexecdir = $(PREFIX)/libexec/slipway
mandir	   = $(PREFIX)/share/man
datadir	   = $(PREFIX)/share/slipway

WARN	= -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes \
	  -Wmissing-prototypes -Wpointer-arith -Wwrite-strings \
	  -Wformat=2 -Wvla -Wundef
DEFS	= -D_GNU_SOURCE -D_FORTIFY_SOURCE=2 \
	  -DSLIPWAY_VERSION='"$(VERSION)"'
HARDEN	= -fstack-protector-strong -fPIE
LINK	= -pie -Wl,-z,relro,-z,now -Wl,--as-needed
LIBS	= -lgit2 -lsqlite3 -linih -lmd -lpthread

ifdef SANITIZE
CFLAGS	= -O1 -g -fno-omit-frame-pointer
HARDEN	= -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fPIE
DEFS	= -D_GNU_SOURCE -DSLIPWAY_VERSION='"$(VERSION)"'
endif

COMPILE	= $(CC) -std=c11 $(DEFS) $(WARN) $(HARDEN) $(CFLAGS) \
	  -iquote lib -iquote src -MMD -MP

lib_o	 := $(patsubst %.c,$(BUILD)/%.o,$(wildcard lib/*.c))
rooms_o	 := $(patsubst %.c,$(BUILD)/%.o,$(filter-out src/cmd/%, \
	    $(wildcard src/*/*.c)))
cmd_o	 := $(patsubst %.c,$(BUILD)/%.o,$(wildcard src/cmd/*.c))
hooks	 := $(patsubst hooks/%.c,$(BUILD)/bin/%,$(wildcard hooks/*.c))
units	 := $(patsubst tests/unit/%.c,$(BUILD)/tests/%, \
	    $(wildcard tests/unit/*.c))

all: $(BUILD)/bin/slipway $(hooks)

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(COMPILE) -c -o $@ $<

$(BUILD)/libslipway.a: $(lib_o) $(rooms_o)
	@rm -f $@
	ar rcs $@ $^

$(BUILD)/bin/slipway: $(cmd_o) $(BUILD)/libslipway.a
	@mkdir -p $(@D)
	$(CC) $(HARDEN) $(LINK) -o $@ $^ $(LDFLAGS) $(LIBS)

$(hooks): $(BUILD)/bin/%: $(BUILD)/hooks/%.o $(BUILD)/libslipway.a
	@mkdir -p $(@D)
	$(CC) $(HARDEN) $(LINK) -o $@ $^ $(LDFLAGS) $(LIBS)

$(BUILD)/tests/unit/%.o $(BUILD)/tests/tap/%.o: \
    COMPILE += -iquote tests/tap

$(units): $(BUILD)/tests/%: $(BUILD)/tests/unit/%.o \
    $(BUILD)/tests/tap/tap.o $(BUILD)/libslipway.a
	@mkdir -p $(@D)
	$(CC) $(HARDEN) $(LINK) -o $@ $^ $(LDFLAGS) $(LIBS)

units: $(units)

clean:
	rm -rf $(BUILD)

.PHONY: all units clean
.SECONDARY:

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
