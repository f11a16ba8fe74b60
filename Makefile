# Makefile: builds the extension with PGXS, and tests and shows it.
#
# The version is written once, in orchestration.control; the install script is
# assembled from sql/parts/ in the order of SQL_PARTS.
#
#   make, make install       build and install for PG_CONFIG's server
#   make test                all tests, on a throwaway server
#   make test-all            and those that take longer
#   make coverage [KINDS="regress pgtap"]
#                            how much of src/ the tests run; test/coverage.sh
#   make demo [FILE=path] [KEEP=1]   plays an orchestration file
#   make bench               figures
#   make accept              takes the results of regress and isolation tests
#                            as expected (read them first)

EXTENSION      = orchestration
# of this file: make may have been called elsewhere (VPATH)
TOP           := $(patsubst %/,%,$(dir $(firstword $(MAKEFILE_LIST))))
EXTVERSION    := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" $(TOP)/$(EXTENSION).control)

MODULE_big     = $(EXTENSION)
# of flex and bison: built where make was called, not in the repository
SCANNERS      := $(patsubst $(TOP)/%.l,%.c,$(wildcard $(TOP)/src/*/*.l))
PARSERS       := $(patsubst $(TOP)/%.y,%.c,$(wildcard $(TOP)/src/*/*.y))
GENERATED     := $(SCANNERS) $(PARSERS) $(PARSERS:.c=.h)
OBJS           = $(sort $(patsubst $(TOP)/%.c,%.o,$(wildcard $(TOP)/src/*.c $(TOP)/src/*/*.c)) \
                 $(SCANNERS:.c=.o) $(PARSERS:.c=.o))
PG_CPPFLAGS    = -I$(srcdir)/src -Isrc $(XML_CFLAGS) -DORCHESTRATION_VERSION='"$(EXTVERSION)"'
# folders of objects, where make was called
$(shell mkdir -p $(sort $(dir $(OBJS))))
# -MMD: each object gets a list of the headers it depends on, included below
PG_CFLAGS      = -MMD -MP -Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers \
                 $(if $(WERROR),-Werror)
SHLIB_LINK     = -lxml2
XML_CFLAGS    := $(shell xml2-config --cflags 2>/dev/null || echo -I/usr/include/libxml2)

# The order of the install script is the order of the floors (src/README.md).  Parts
# that concern tables of all floors lie beside the folders and come last; privilege
# is the very last, because it revokes what was granted to PUBLIC by default.
SQL_PARTS      = header \
                 $(addprefix base/,type uuid stamp limit trigger collation) \
                 $(addprefix evaluate/,formula) \
                 $(addprefix record/,principal record action sobject run work_item approval queue) \
                 $(addprefix access/,access membership share delegation) \
                 $(addprefix definition/,definition version) \
                 $(addprefix trail/,log history message) \
                 $(addprefix guard/,guard open_run approval message transition) \
                 $(addprefix engine/,notify) \
                 $(addprefix work/,run migrate work_item approval mail inbox queue worker record_change watch overview replica) \
                 $(addprefix call/,retrieve save replicate change_owner describe layout \
                 record_view feed tombstone share view associated_object metadata query) \
                 verify cache policy privilege
INSTALL_SQL    = sql/$(EXTENSION)--$(EXTVERSION).sql
DATA           = $(wildcard sql/$(EXTENSION)--*--*.sql)
DATA_built     = $(INSTALL_SQL)

REGRESS        = $(patsubst test/sql/%.sql,%,$(sort $(wildcard test/sql/*.sql)))
REGRESS_OPTS   = --inputdir=test --load-extension=$(EXTENSION)
ISOLATION      = $(patsubst test/specs/%.spec,%,$(sort $(wildcard test/specs/*.spec)))
# race.spec makes the schema that the other specs use: it runs first, also when
# ISOLATION names a few
ifneq ($(strip $(ISOLATION)),)
override ISOLATION := race $(filter-out race,$(ISOLATION))
endif
ISOLATION_OPTS = --inputdir=test --outputdir=. --load-extension=$(EXTENSION)
EXTRA_CLEAN    = build $(OBJS:.o=.d) $(GENERATED)

PG_CONFIG     ?= pg_config
export PG_CONFIG
PGXS          := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)

# bitcode for JIT needs the clang that the server was built with
CLANG_OF_SERVER := $(shell sed -n 's/^CLANG *= *//p' $(dir $(PGXS))../Makefile.global 2>/dev/null)
ifeq ($(and $(CLANG_OF_SERVER),$(shell command -v $(CLANG_OF_SERVER))),)
override with_llvm = no
endif

# test, demo and bench must work before the server's headers are there: they
# install them and call make again; building alone installs nothing
ifneq ($(wildcard $(PGXS)),)
include $(PGXS)
else
all install installcheck clean:
	@echo "$(PG_CONFIG) leads to no server headers: install postgresql-server-dev-15, or set PG_CONFIG" >&2
	@exit 1
endif

$(INSTALL_SQL): $(SQL_PARTS:%=sql/parts/%.sql) Makefile
	@mkdir -p $(@D)
	cat $(filter %.sql,$^) > $@

# by the rules of PGXS; bison writes the header, too
$(PARSERS): BISONFLAGS += -d
$(PARSERS:.c=.h): %.h: %.c
	@touch $@

$(SCANNERS:.c=.o) $(SCANNERS:.c=.bc): %: $(PARSERS:.c=.h)
$(SCANNERS) $(PARSERS): Makefile
src/call/query_syntax.o src/call/query_syntax.bc: src/call/query_parse.h

-include $(OBJS:.o=.d)

$(OBJS) $(OBJS:.o=.bc): build/flags

# objects built for another server or with other flags are built again: a warning
# that was let through once would not be seen by the tests
build/flags: FORCE
	@mkdir -p build
	@echo '$(VERSION) $(EXTVERSION) $(CC) $(CFLAGS)' | cmp -s - $@ || \
		echo '$(VERSION) $(EXTVERSION) $(CC) $(CFLAGS)' >$@

.PHONY: FORCE test test-all coverage demo bench accept

test test-all: export WERROR = 1
test-all: export ORCH_LONG = 1
test test-all:
	@test/setup.sh
	@$(MAKE) -s -j$$(nproc) all
	@test/throwaway.sh test/run.sh

coverage:
	@test/setup.sh
	@test/coverage.sh $(KINDS)

demo:
	@test/setup.sh
	@$(MAKE) -s -j$$(nproc) all
	@KEEP=$(KEEP) test/throwaway.sh doc/demo/play.sh $(if $(FILE),"$(FILE)")

# on a throwaway server, also where PGHOST names one
bench:
	@test/setup.sh
	@$(MAKE) -s -j$$(nproc) all
	@env -u PGHOST bench/run.sh
	@env -u PGHOST bench/access.sh
	@env -u PGHOST bench/calls.sh
	@env -u PGHOST bench/query.sh
	@env -u PGHOST bench/queue.sh
	@env -u PGHOST bench/gate.sh
	@env -u PGHOST bench/overview.sh

accept:
	cp results/*.out expected/
