#!/usr/bin/python3
"""Sends the messages of orchestration by SMTP.

    mailer.py [--dry-run] [--once]

Needs Python 3 and psql, which connects as libpq's environment says.  Takes a message with
next_messages(), sends it, reports it with message_sent() or message_failed(), and commits; when
there is none, looks again after POLL seconds.  Several mailers may run.  See README.md.
"""
import json
import os
import re
import signal
import smtplib
import ssl
import subprocess
import sys
import time
from email.headerregistry import Address, Group
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid

ENV = os.environ.get
POLL = float(ENV("POLL", "10"))             # seconds
DRY = "--dry-run" in sys.argv
# in a transaction: a mailer that dies may have sent one mail that another one sends again
BATCH = 1000 if DRY else 1
# what may stand in a header and in RCPT TO; usernames are the users' own
ADDRESS = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*@[a-z0-9-]+(\.[a-z0-9-]+)*", re.ASCII | re.IGNORECASE)


class Database:
    """A session of psql, which keeps its transaction between statements."""

    def __init__(self):
        self.psql = subprocess.Popen(["psql", "-qAtX", "-v", "ON_ERROR_STOP=1"], text=True, encoding="utf-8",
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        self.query("SET client_encoding = 'UTF8'; SET standard_conforming_strings = on")

    def query(self, sql):
        lines = []
        self.psql.stdin.write(sql + ";\n\\echo =END=\n")
        self.psql.stdin.flush()
        for line in self.psql.stdout:
            if line == "=END=\n":
                return lines
            lines.append(line)
        sys.exit("psql ended")

    def rows(self, sql):
        return [json.loads(line) for line in self.query("SELECT to_json(x) FROM (%s) x" % sql)]


def text(value):    # a literal that no value can leave
    return "convert_from('\\x%s', 'UTF8')" % value.replace("\0", "").encode("utf-8", "replace").hex()


def address(username):
    name = username if "@" in username else "%s@%s" % (username, ENV("MAIL_DOMAIN", ""))
    return name if len(name) <= 254 and ADDRESS.fullmatch(name) else None


def compose(message, to):
    mail = EmailMessage(policy=SMTP)
    mail["From"] = ENV("MAIL_FROM", "orchestration@localhost")
    # the members of a group do not learn of each other
    mail["To"] = Address(addr_spec=to[0]) if len(to) == 1 else Group("undisclosed-recipients")
    mail["Subject"] = " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", " ", message["subject"]).split())
    mail["Date"] = formatdate()
    mail["Message-ID"] = "<%s@orchestration>" % message["id"]    # again, if it is sent again
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message["body"], subtype="html" if message["is_html"] else "plain", charset="utf-8", cte="quoted-printable")
    return mail


def connect():
    context = ssl.create_default_context(cafile=ENV("SMTP_CA"))
    host, port, security = ENV("SMTP_HOST", "localhost"), int(ENV("SMTP_PORT", "0")), ENV("SMTP_SECURITY", "starttls")
    if security not in ("starttls", "ssl", "none"):
        sys.exit("SMTP_SECURITY must be starttls, ssl or none")
    server = smtplib.SMTP_SSL(host, port, timeout=30, context=context) if security == "ssl" else smtplib.SMTP(host, port, timeout=30)
    if security == "starttls":
        server.starttls(context=context)
    if ENV("SMTP_USER"):
        server.login(ENV("SMTP_USER"), ENV("SMTP_PASSWORD", ""))
    return server


def send(server, message, to):
    """Sends a mail; returns an opened server, for the next one."""
    mail = compose(message, to)
    if DRY:
        print("RCPT TO: %s\n%s" % (", ".join(to), mail.as_string().replace("\r\n", "\n")), flush=True)
        return server
    server = server or connect()
    refused = server.send_message(mail, to_addrs=to)    # raises if all are
    if refused:
        print("%s: refused: %r" % (message["id"], refused), flush=True)
    return server


def deliver(database, server):
    """One transaction; returns how many messages it took, and an opened server or None."""
    database.query("BEGIN")
    messages = database.rows("SELECT * FROM orchestration.next_messages(%d)" % BATCH)
    for message in messages:
        to = sorted({a for a in map(address, message["usernames"]) if a})
        for username in [u for u in message["usernames"] if not address(u)]:
            print("%s: no address: %r" % (message["id"], username), flush=True)
        try:
            if to:
                server = send(server, message, to)
            database.query("SELECT orchestration.message_sent(ARRAY['%s'::uuid])" % message["id"])
        except (smtplib.SMTPException, OSError) as error:
            print("%s: %r" % (message["id"], error), flush=True)
            database.query("SELECT orchestration.message_failed('%s', %s)" % (message["id"], text(repr(error))))
            server = hang_up(server)
    database.query("ROLLBACK" if DRY else "COMMIT")
    return len(messages), server


def hang_up(server):
    try:
        if server is not None:
            server.quit()
    except (smtplib.SMTPException, OSError):
        server.close()


def main():
    stopping = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, frame: stopping.append(number))
    database, server = Database(), None
    while not stopping:
        taken, server = deliver(database, server)
        if DRY or (not taken and "--once" in sys.argv):
            break
        if not taken:
            server = hang_up(server)
            until = time.monotonic() + POLL
            while not stopping and time.monotonic() < until:
                time.sleep(0.2)
    hang_up(server)


if __name__ == "__main__":
    main()
