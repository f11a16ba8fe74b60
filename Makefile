# Makefile: builds the extension with PGXS.
#
# The version is written once, in orchestration.control; the install script is
# assembled from sql/parts/ in the order below.

EXTENSION      = orchestration
EXTVERSION    := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" $(EXTENSION).control)

MODULE_big     = $(EXTENSION)
OBJS           = $(patsubst %.c,%.o,$(sort $(wildcard src/*.c)))
PG_CPPFLAGS    = -I$(srcdir)/src -I/usr/include/libxml2 -DORCHESTRATION_VERSION='"$(EXTVERSION)"'
PG_CFLAGS      = -Wall -Wextra -Werror -Wno-unused-parameter -Wno-missing-field-initializers
SHLIB_LINK     = -lxml2

SQL_PARTS      = header type object view action record principal definition guard engine queue work_item verify privilege
INSTALL_SQL    = sql/$(EXTENSION)--$(EXTVERSION).sql
DATA           = $(wildcard sql/$(EXTENSION)--*--*.sql)
DATA_built     = $(INSTALL_SQL)

REGRESS        = $(patsubst test/sql/%.sql,%,$(sort $(wildcard test/sql/*.sql)))
REGRESS_OPTS   = --inputdir=test --load-extension=$(EXTENSION)
ISOLATION      = $(patsubst test/specs/%.spec,%,$(sort $(wildcard test/specs/*.spec)))
ISOLATION_OPTS = --inputdir=test --outputdir=. --load-extension=$(EXTENSION)

with_llvm      = no
PG_CONFIG     ?= pg_config
PGXS          := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

$(INSTALL_SQL): $(SQL_PARTS:%=sql/parts/%.sql) Makefile
	cat $(SQL_PARTS:%=sql/parts/%.sql) > $@

$(OBJS): $(wildcard src/*.h)
