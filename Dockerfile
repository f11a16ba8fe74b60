# Dockerfile: the official image of PostgreSQL (Debian 12) with the extension.
#
#   docker build -t orchestration .
#   docker build -t orchestration --build-arg PG_MAJOR=17 .
#   docker run -e POSTGRES_PASSWORD=secret -p 5432:5432 orchestration
#
# The first start creates the extension in the database that POSTGRES_DB names.  The library is
# preloaded; a worker runs in the databases of orchestration.worker_databases.
ARG PG_MAJOR=15

FROM postgres:${PG_MAJOR}-bookworm AS build
ARG PG_MAJOR
RUN apt-get update && \
    apt-get install -y --no-install-recommends \
        bison flex gcc libc6-dev libxml2-dev make "postgresql-server-dev-$PG_MAJOR"
COPY . /src
WORKDIR /src
RUN make clean with_llvm=no && \
    make -j"$(nproc)" with_llvm=no && \
    make install with_llvm=no DESTDIR=/out

FROM postgres:${PG_MAJOR}-bookworm
RUN apt-get update && \
    apt-get install -y --no-install-recommends libxml2 && \
    rm -rf /var/lib/apt/lists/*
COPY --from=build /out/usr/ /usr/
RUN echo 'CREATE EXTENSION orchestration;' >/docker-entrypoint-initdb.d/orchestration.sql
CMD ["postgres", "-c", "shared_preload_libraries=orchestration"]
