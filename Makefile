# Makefile: builds the extension with PGXS, and tests and shows it.
#
# The version is written once, in orchestration.control; the install script is
# assembled from sql/parts/ in the order below.
#
#   make, make install       build and install for PG_CONFIG's server
#   make test                all tests, on a throwaway server
#   make test-all            and those that take longer
#   make demo [FILE=path] [KEEP=1]   plays an orchestration file
#   make bench               figures
#   make accept              takes the results of regress and isolation tests
#                            as expected (read them first)

EXTENSION      = orchestration
EXTVERSION    := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" $(EXTENSION).control)

MODULE_big     = $(EXTENSION)
OBJS           = $(patsubst %.c,%.o,$(sort $(wildcard src/*.c)))
PG_CPPFLAGS    = -I$(srcdir)/src $(XML_CFLAGS) -DORCHESTRATION_VERSION='"$(EXTVERSION)"'
PG_CFLAGS      = -Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers $(if $(WERROR),-Werror)
SHLIB_LINK     = -lxml2
XML_CFLAGS    := $(shell xml2-config --cflags 2>/dev/null || echo -I/usr/include/libxml2)

SQL_PARTS      = header type object view action record principal definition \
                 guard engine queue work_item verify privilege
INSTALL_SQL    = sql/$(EXTENSION)--$(EXTVERSION).sql
DATA           = $(wildcard sql/$(EXTENSION)--*--*.sql)
DATA_built     = $(INSTALL_SQL)

REGRESS        = $(patsubst test/sql/%.sql,%,$(sort $(wildcard test/sql/*.sql)))
REGRESS_OPTS   = --inputdir=test --load-extension=$(EXTENSION)
ISOLATION      = $(patsubst test/specs/%.spec,%,$(sort $(wildcard test/specs/*.spec)))
ISOLATION_OPTS = --inputdir=test --outputdir=. --load-extension=$(EXTENSION)
EXTRA_CLEAN    = build

# the bitcode would need clang
override with_llvm = no
PG_CONFIG     ?= pg_config
export PG_CONFIG
PGXS          := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)

# test, demo and bench must work before the server's headers are there: they
# install them and call make again
ifneq ($(wildcard $(PGXS)),)
include $(PGXS)
else
all install: ; @test/setup.sh && $(MAKE) $@
endif

$(INSTALL_SQL): $(SQL_PARTS:%=sql/parts/%.sql) Makefile
	cat $(SQL_PARTS:%=sql/parts/%.sql) > $@

$(OBJS): $(wildcard src/*.h)

.PHONY: test test-all demo bench accept

test:
	@test/setup.sh
	@$(MAKE) -s all WERROR=1
	@test/throwaway.sh test/run.sh

test-all:
	@test/setup.sh
	@$(MAKE) -s all WERROR=1
	@ORCH_LONG=1 test/throwaway.sh test/run.sh

demo:
	@test/setup.sh
	@$(MAKE) -s all
	@KEEP=$(KEEP) test/throwaway.sh doc/demo/play.sh $(if $(FILE),"$(FILE)")

bench:
	@test/setup.sh
	@$(MAKE) -s all
	@bench/run.sh

accept:
	cp results/*.out expected/
