#!/usr/bin/python3
"""driver.py DRIVER: the calls of callers.json, as a program makes them with this driver.

Parameters are plain values of Python, without casts in the SQL.  Prints a line for each call, its
number and its result; or "skip" with the reason if the driver is not installed.
"""
import datetime
import decimal
import json
import os
import re
import sys
import uuid

TYPES = {"uuid": uuid.UUID, "date": datetime.date.fromisoformat, "decimal": decimal.Decimal}


def value(given):
    """A parameter: plain JSON, or {"uuid": text} and the like."""
    if isinstance(given, dict) and len(given) == 1:
        (kind, text), = given.items()
        return TYPES[kind](text)
    return given


def psycopg():
    import psycopg
    conn = psycopg.connect(autocommit=True)
    return lambda sql, parameters: conn.execute(re.sub(r"\$\d", "%s", sql), parameters).fetchone()[0]


def psycopg_client():
    import psycopg
    conn = psycopg.connect(autocommit=True, cursor_factory=psycopg.ClientCursor)
    return lambda sql, parameters: conn.execute(re.sub(r"\$\d", "%s", sql), parameters).fetchone()[0]


def psycopg_prepared():
    import psycopg
    conn = psycopg.connect(autocommit=True)
    return lambda sql, parameters: conn.execute(re.sub(r"\$\d", "%s", sql), parameters, prepare=True, binary=True).fetchone()[0]


def psycopg2():
    import psycopg2
    import psycopg2.extras
    psycopg2.extras.register_uuid()
    conn = psycopg2.connect("")
    conn.autocommit = True

    def call(sql, parameters):
        with conn.cursor() as cursor:
            cursor.execute(re.sub(r"\$\d", "%s", sql), parameters)
            return cursor.fetchone()[0]
    return call


def pg8000():
    import pg8000.native
    conn = pg8000.native.Connection(os.environ.get("PGUSER", "postgres"), database=os.environ["PGDATABASE"],
                                    unix_sock="%s/.s.PGSQL.%s" % (os.environ["PGHOST"], os.environ["PGPORT"]))
    return lambda sql, parameters: conn.run(re.sub(r"\$(\d)", r":p\1", sql), **{"p%d" % (i + 1): p for i, p in enumerate(parameters)})[0][0]


def sqlalchemy():
    import sqlalchemy
    try:
        import psycopg2 as _
        dialect = "postgresql+psycopg2"
    except ImportError:
        dialect = "postgresql+psycopg"
    engine = sqlalchemy.create_engine(dialect + "://", isolation_level="AUTOCOMMIT")
    conn = engine.connect()
    return lambda sql, parameters: conn.execute(sqlalchemy.text(re.sub(r"\$(\d)", r":p\1", sql)),
                                                {"p%d" % (i + 1): p for i, p in enumerate(parameters)}).fetchone()[0]


def main(driver, calls):
    try:
        call = globals()[driver]()
    except ImportError as error:
        print("skip %s" % error)
        return
    for number, (sql, parameters) in enumerate(json.load(open(calls))):
        try:
            result = call(sql, [value(p) for p in parameters])
            print(number, {True: "t", False: "f", None: "null"}.get(result, result) if isinstance(result, bool) or result is None else result)
        except Exception as error:
            print(number, "error", str(error).split("\n")[0])


main(*sys.argv[1:])
