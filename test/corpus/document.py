"""document.py: the format of orchestration documents, read from document_format.c, and documents
that are written in both notations.

corpus.py and mistake.py make their documents with it.

SPDX-License-Identifier: PostgreSQL
"""
import json
import os
import pickle
import re
import subprocess
import sys
from xml.sax.saxutils import escape

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.join(HERE, "..", "..")
NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
XSI = "http://www.w3.org/2001/XMLSchema-instance"


class NIL:
    """The value of xsi:nil, or null in JSON."""


class Element:
    """A row of the format: an element of a complex type."""

    def __init__(self, name, macro, arguments):
        self.name = name
        self.macro = macro
        self.type = ("text or boolean" if macro == "TEXT_OR_BOOLEAN"
                     else "string" if "TEXT" in macro or macro in ("WARN", "REFUSE")
                     else "boolean" if "BOOLEAN" in macro or macro.endswith("_TRUE")
                     else "number" if "NUMBER" in macro else "object")
        self.treatment = ("refuse" if macro.startswith("REFUSE") else "warn" if macro.startswith("WARN")
                          else "keep" if macro.startswith("KEEP") else "read")
        self.repeated = "ARRAY" in macro or macro == "KEEP_TEXTS"
        self.required = macro.startswith("REQUIRED")
        self.filled = macro == "REQUIRED_TEXT"
        shape = [a for a in arguments if a.startswith("SHAPE_")]
        self.shape = shape[0] if shape else "SHAPE_VALUE" if macro == "NUMBER_OR_VALUE" else "SHAPE_OTHER"
        self.length = next((LENGTHS[a] for a in arguments if a in LENGTHS), 0)


def read_format():
    """The types of the format: {SHAPE_X: (title, {name: Element})}."""
    with open(os.path.join(TOP, "src", "evaluate", "document_format.c"), encoding="utf-8") as f:
        source = f.read()
    for name, length in re.findall(r"^#define (LENGTH_\w+)\s+(\d+)", source, re.M):
        LENGTHS[name] = int(length)
    # rows that stand in several types
    shared = {name: body.replace("\\\n", " ") for name, body in
              re.findall(r"^#define (NODE_ELEMENTS|METADATA_VALUES|DESCRIPTION) ((?:.*\\\n)*.*)$", source, re.M)}
    types = {}
    for shape, title, table in re.findall(r'\[(SHAPE_\w+)\] = SHAPE\("([^"]+)", (\w+)\)', source):
        body = re.search(r"DocElement %s\[\] = \{\n(.*?)\n\};" % table, source, re.S).group(1)
        while any(re.search(r"\b%s\b" % name, body) for name in shared):
            for name, rows in shared.items():
                body = re.sub(r"\b%s\b" % name, lambda _: rows, body)
        rows = re.findall(r'\b([A-Z_]+)\("(\w+)"((?:, (?:"[^"]*"|\w+))*)\)', body)
        if len(rows) != len(re.findall(r"\b[A-Z_]+\(", body)):
            raise SystemExit("a row of %s is not understood" % table)
        types[shape] = (title, {name: Element(name, macro, re.findall(r"\b[A-Z_]+\b", arguments))
                                for macro, name, arguments in rows})
    return types


LENGTHS = {}
FORMAT = read_format()


class Node:
    """A node of a document.  value: a text, a boolean, a number, NIL, or a list of nodes."""

    def __init__(self, name, value, shape="SHAPE_NONE", element=None, parent=None):
        self.name = name
        self.value = value
        self.shape = shape      # of its elements
        self.element = element  # None: the format has none of that name
        self.parent = parent
        self.line = 0

    @classmethod
    def make(cls, name, value, shape, element=None, parent=None):
        """A node of a dict: lists are repeated elements."""
        node = cls(name, value, shape, element, parent)
        if isinstance(value, dict):
            node.value = []
            for key, item in value.items():
                row = FORMAT[shape][1].get(key) if shape in FORMAT else None
                for one in item if isinstance(item, list) else [item]:
                    node.value.append(cls.make(key, one, row.shape if row else "SHAPE_NONE", row, node))
        return node

    def walk(self):
        yield self
        if isinstance(self.value, list):
            for child in self.value:
                yield from child.walk()

    def child(self, name):
        return next((c for c in self.value if c.name == name), None) if isinstance(self.value, list) else None

    def copy(self):
        return pickle.loads(pickle.dumps(self, -1))

    def index(self):
        """Among its siblings of the same name."""
        return [c for c in self.parent.value if c.name == self.name].index(self)

    def place(self):
        """As messages write it."""
        path = []
        node = self
        while node.parent is not None:
            path.insert(0, node)
            node = node.parent
        named = None
        for node in reversed(path):
            if (named is None and node.element is not None and node.element.repeated and
                    (node.parent.parent is None or node.shape not in ("SHAPE_PARAMETER", "SHAPE_OTHER")) and
                    node.child("name") is not None and isinstance(node.child("name").value, str)):
                named = node
        parts = []
        for node in path:
            part = node.name
            if node.element.repeated if node.element is not None else node.index() > 0:
                part += "[%d]" % node.index()
            if node is named:
                part += ' "%s"' % node.child("name").value[:80]
            parts.append(part)
        return ".".join(parts)

    # ------------------------------------------------------------ notations

    def xml(self):
        """A line a tag; notes on which line each node is."""
        lines = []
        self._write(lines, 0)
        return "\n".join(lines)

    def _write(self, lines, depth):
        self.line = len(lines) + 1
        indent = "  " * depth
        attributes = ""
        if self.parent is None:
            attributes = ' xmlns="%s" xmlns:xsi="%s"' % (NAMESPACE, XSI)
        if self.value is NIL:
            lines.append('%s<%s%s xsi:nil="true"/>' % (indent, self.name, attributes))
        elif isinstance(self.value, list):
            lines.append("%s<%s%s>" % (indent, self.name, attributes))
            for child in self.value:
                child._write(lines, depth + 1)
            lines.append("%s</%s>" % (indent, self.name))
        else:
            lines.append("%s<%s%s>%s</%s>" % (indent, self.name, attributes, self.text(), self.name))

    def text(self):
        if isinstance(self.value, bool):
            return "true" if self.value else "false"
        return escape(str(self.value))

    def json(self):
        """As JSON notation: repeated elements as arrays."""
        if self.value is NIL:
            return None
        if not isinstance(self.value, list):
            return self.value
        result = {}
        for child in self.value:
            if child.element is not None and child.element.repeated:
                result.setdefault(child.name, []).append(child.json())
            elif child.name in result:
                if not isinstance(result[child.name], list):
                    result[child.name] = [result[child.name]]
                result[child.name].append(child.json())
            else:
                result[child.name] = child.json()
        return result


def flow(members):
    """A document of a dict."""
    return Node.make("Flow", members, "SHAPE_FLOW")


# ------------------------------------------------------------------ database

def quoted(value):
    return "NULL" if value is None else "'" + value.replace("'", "''") + "'"


def run_sql(script):
    """The lines that psql prints for a script; each is JSON."""
    done = subprocess.run(["psql", "-qXAt", "-v", "ON_ERROR_STOP=1"], input=script, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != 0:
        print("Bail out!  %s" % done.stderr.strip().replace("\n", "\n# "))
        sys.exit(1)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]


class Tap:
    """Assertions as TAP."""

    def __init__(self):
        self.count = 0
        self.failed = 0

    def ok(self, good, what, *notes):
        self.count += 1
        print("%s %d - %s" % ("ok" if good else "not ok", self.count, what.replace("#", "")))
        if not good:
            self.failed += 1
            for note in notes:
                print("# " + str(note).replace("\n", "\n# "))

    def finish(self):
        print("1..%d" % self.count)
        sys.exit(1 if self.failed else 0)
