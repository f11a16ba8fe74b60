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
#   make picture             draws the picture of the README anew
#   make bench               figures
#   make dist                the archives of a release, in build/
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
                 $(addprefix trail/,log history message failure) \
                 $(addprefix guard/,guard open_run approval message transition) \
                 $(addprefix engine/,notify) \
                 $(addprefix work/,run migrate work_item approval mail inbox queue worker record_change watch overview \
                 attention run_tree report replica drop) \
                 $(addprefix call/,retrieve save replicate change_owner describe layout \
                 record_view feed tombstone share view associated_object metadata query) \
                 verify cache policy privilege
INSTALL_SQL    = sql/$(EXTENSION)--$(EXTVERSION).sql
# upgrade scripts are in the repository: the files of sql/ with two versions in their names
DATA           = $(patsubst $(TOP)/%,%,$(wildcard $(TOP)/sql/$(EXTENSION)--*--*.sql))
DATA_built     = $(INSTALL_SQL)
# pages, and what is in the folders beside them, but not the files of make demo
DOCS           = $(patsubst $(TOP)/%,%,$(wildcard $(TOP)/doc/*.md))
DOC_FOLDERS    = $(filter-out demo,$(notdir $(patsubst %/,%,$(wildcard $(TOP)/doc/*/))))

REGRESS        = $(patsubst $(TOP)/test/sql/%.sql,%,$(sort $(wildcard $(TOP)/test/sql/*.sql)))
REGRESS_OPTS   = --inputdir=$(TOP)/test --load-extension=$(EXTENSION)
REGRESS_PREP   = expected-files
ISOLATION      = $(patsubst $(TOP)/test/specs/%.spec,%,$(sort $(wildcard $(TOP)/test/specs/*.spec)))
# race.spec makes the schema that the other specs use: it runs first, also when
# ISOLATION names a few
ifneq ($(strip $(ISOLATION)),)
override ISOLATION := race $(filter-out race,$(ISOLATION))
endif
ISOLATION_OPTS = --inputdir=$(TOP)/test --outputdir=. --load-extension=$(EXTENSION)
EXTRA_CLEAN    = build $(OBJS:.o=.d) $(GENERATED)

PG_CONFIG     ?= pg_config
export PG_CONFIG
PGXS          := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)

# bitcode for JIT needs the clang that the server was built with
CLANG_OF_SERVER := $(shell sed -n 's/^CLANG *= *//p' $(dir $(PGXS))../Makefile.global 2>/dev/null)
ifeq ($(if $(ORCH_WITHOUT_LLVM),,$(and $(CLANG_OF_SERVER),$(shell command -v $(CLANG_OF_SERVER)))),)
override with_llvm = no
endif

# test, demo and bench must work before the server's headers are there: they
# install them and call make again; building alone installs nothing
ifneq ($(wildcard $(PGXS)),)
include $(PGXS)

# not a folder for the pages of all extensions
docmoduledir = $(EXTENSION)

# PGXS installs DOCS into one folder
ifdef docdir
install: install-doc-folders
install-doc-folders: installdirs
	@for folder in $(DOC_FOLDERS); do \
		$(MKDIR_P) '$(DESTDIR)$(docdir)/$(docmoduledir)'/$$folder || exit 1; \
		find $(TOP)/doc/$$folder -maxdepth 1 -type f ! -name '*.py' -exec \
			$(INSTALL_DATA) {} '$(DESTDIR)$(docdir)/$(docmoduledir)'/$$folder \; || exit 1; \
	done

# PGXS looks for DOCS by their paths here
uninstall: uninstall-docs
uninstall-docs:
	rm -rf '$(DESTDIR)$(docdir)/$(docmoduledir)'
endif
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

# pg_regress looks for them where it writes its results
expected-files:
	@[ -e expected ] || ln -s $(TOP)/expected expected

$(OBJS) $(OBJS:.o=.bc): build/flags

# objects built for another server or with other flags are built again: a warning
# that was let through once would not be seen by the tests
build/flags: FORCE
	@mkdir -p build
	@echo '$(VERSION) $(EXTVERSION) $(CC) $(CFLAGS)' | cmp -s - $@ || \
		echo '$(VERSION) $(EXTVERSION) $(CC) $(CFLAGS)' >$@

.PHONY: FORCE test test-all coverage demo picture bench accept dist expected-files install-doc-folders \
	uninstall-docs

test test-all: export WERROR = 1
test-all: export ORCH_LONG = 1
test test-all:
	@test/setup.sh test
	@$(MAKE) -s -j$$(nproc) all
	@test/throwaway.sh test/run.sh

coverage:
	@test/setup.sh test
	@test/coverage.sh $(KINDS)

# bitcode would double the time of the build, and the demo does not use it
demo: export ORCH_WITHOUT_LLVM = 1
demo: export FILE := $(FILE)
demo:
	@doc/demo/play.sh --check "$$FILE"
	@test/setup.sh demo
	@echo "Building the extension, with $$(nproc) processes ..."
	@$(MAKE) -s -j$$(nproc) all
	@echo "Starting a server of its own, beside yours ..."
	@KEEP=$(KEEP) test/throwaway.sh doc/demo/play.sh "$$FILE"

picture: all
	@test/throwaway.sh doc/images/run.sh

# on a throwaway server, also where PGHOST names one
bench:
	@test/setup.sh bench
	@$(MAKE) -s -j$$(nproc) all
	@env -u PGHOST bench/run.sh
	@env -u PGHOST bench/access.sh
	@env -u PGHOST bench/calls.sh
	@env -u PGHOST bench/query.sh
	@env -u PGHOST bench/queue.sh
	@env -u PGHOST bench/gate.sh
	@env -u PGHOST bench/overview.sh

# what git has committed, under the name that a download gets; META.json is at its top
COMMIT ?= HEAD
DIST := $(EXTENSION)-$(EXTVERSION)
dist:
	@mkdir -p build
	@for format in zip tar.gz; do \
		git -C $(TOP) archive --prefix=$(DIST)/ --format=$$format -o $(CURDIR)/build/$(DIST).$$format $(or $(COMMIT),HEAD) && \
		echo build/$(DIST).$$format || exit 1; \
	done
	@[ -z "$$(git -C $(TOP) status --porcelain)" ] || echo 'Changes that are not committed are not in it.' >&2
	@! git -C $(TOP) grep -lF orchestration@example.org HEAD -- META.json debian SECURITY.md >/dev/null || \
		echo 'The addresses in META.json, debian/ and SECURITY.md are examples: replace them before publishing (CONTRIBUTING.md).' >&2

accept:
	cp results/*.out expected/
