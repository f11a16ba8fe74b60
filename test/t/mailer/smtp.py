"""An SMTP server for 018_mailer.pl: smtp.py FOLDER

Prints its port.  Appends each mail as a line of JSON to FOLDER/mails.  While FOLDER/refuse exists it
refuses recipients that match the file, for now; while FOLDER/hold exists it does not answer that it has
taken a mail.  With FOLDER/cert.pem it offers STARTTLS and a login.
"""
import email
import email.policy
import json
import os
import re
import socketserver
import ssl
import sys
import threading
import time

folder = sys.argv[1]
lock = threading.Lock()


def path(name):
    return os.path.join(folder, name)


class Session(socketserver.StreamRequestHandler):
    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")
        self.wfile.flush()

    def handle(self):
        self.secure, self.login, recipients = False, None, []
        self.say("220 test")
        while True:
            line = self.rfile.readline()
            if not line:
                return
            word, _, rest = line.decode("utf-8", "replace").strip().partition(" ")
            word = word.upper()
            if word == "EHLO":
                offers = ["test"]
                if os.path.exists(path("cert.pem")):
                    offers.append("AUTH PLAIN" if self.secure else "STARTTLS")
                for i, offer in enumerate(offers):
                    self.say("250%s%s" % ("-" if i < len(offers) - 1 else " ", offer))
            elif word == "STARTTLS":
                self.say("220 go")
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(path("cert.pem"), path("key.pem"))
                self.request = context.wrap_socket(self.request, server_side=True)
                self.rfile, self.wfile, self.secure = self.request.makefile("rb"), self.request.makefile("wb"), True
            elif word == "AUTH":
                self.login = rest
                self.say("235 in")
            elif word == "MAIL":
                recipients = []
                self.say("250 ok")
            elif word == "RCPT":
                refused = os.path.exists(path("refuse")) and re.search(open(path("refuse")).read().strip(), rest)
                if not refused:
                    recipients.append(re.search("<(.*)>", rest).group(1))
                self.say("451 not now" if refused else "250 ok")
            elif word == "DATA":
                self.say("354 go")
                self.take(recipients)
            elif word == "QUIT":
                return self.say("221 bye")
            else:
                self.say("250 ok")

    def take(self, recipients):
        lines = []
        for line in iter(self.rfile.readline, b".\r\n"):
            lines.append(line[1:] if line.startswith(b".") else line)
        mail = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
        with lock, open(path("mails"), "a") as mails:
            print(json.dumps({"rcpt": recipients, "headers": sorted(mail.keys()), "subject": mail["Subject"], "to": mail["To"], "id": mail["Message-ID"],
                              "type": mail.get_content_type(), "body": mail.get_content(), "secure": self.secure, "login": self.login}), file=mails, flush=True)
        while os.path.exists(path("hold")):
            time.sleep(0.05)
        self.say("250 taken")


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 50

    def handle_error(self, request, client_address):
        pass


server = Server(("localhost", 0), Session)
print(server.server_address[1], flush=True)
server.serve_forever()
