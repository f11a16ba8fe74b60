#!/usr/bin/python3
"""diagram.py: the drawings of run_diagram() are sound.

    diagram.py FILE.svg...     checks files; prints what is wrong with each
    diagram.py                 checks drawings of generated definitions; prints TAP

Checked in every drawing: it is well-formed; no edge runs through a box; no two boxes overlap;
labels of edges lie within the drawing, overlap neither boxes nor each other, and no edge runs
through them; edges lie upon each other only where they lead to the same element; each text has
a place that clips it and a title that has all of it.

Generated definitions are deployed, not activated.  Expects a fresh database with the extension
in PGDATABASE; needs only psql.  SEED and COUNT change what is generated.

SPDX-License-Identifier: PostgreSQL
"""
import json
import os
import random
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = ["<b>&amp;\"'</b>]]>", "x" * 255, "W" * 80, "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd " * 6, "\U0001f469\u200d\U0001f4bb\U0001f680" * 20,
           "\u6f22\u5b57" * 60, "a\u0301\u0302\u0303" * 40, "line\nbreak\ttab\u0001\u001b[31m", "\u202eesrever\u2069", "%%{init: {}}%%",
           "\\l\\", "--><!--", "\ufffe\uffff", "`code`", "javascript:alert(1)", "</svg><script>alert(1)</script>"]

# ------------------------------------------------------------ the geometry


def segments(path):
    """The straight pieces of an edge, from its d: M x y, then H and V."""
    x, y = (int(v) for v in re.match(r"M(-?\d+) (-?\d+)", path).groups())
    for kind, value in re.findall(r"([HV])(-?\d+)", path):
        to = (int(value), y) if kind == "H" else (x, int(value))
        yield x, y, to[0], to[1]
        x, y = to


def crosses(segment, box):
    """Does it run through the inside?"""
    x1, y1, x2, y2 = segment
    left, top, right, bottom = box
    return max(x1, x2) > left and min(x1, x2) < right and max(y1, y2) > top and min(y1, y2) < bottom


def overlap(a, b):
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def place(element):
    x, y, width, height = (int(element.get(name, "0")) for name in ("x", "y", "width", "height"))
    return x, y, x + width, y + height


def shared(a, b):
    """Do two segments lie upon each other for more than a point?"""
    if a[1] == a[3] == b[1] == b[3]:
        return min(max(a[0], a[2]), max(b[0], b[2])) > max(min(a[0], a[2]), min(b[0], b[2]))
    if a[0] == a[2] == b[0] == b[2]:
        return min(max(a[1], a[3]), max(b[1], b[3])) > max(min(a[1], a[3]), min(b[1], b[3]))
    return False


def text_problems(root):
    for group in root.iter(SVG + "g"):
        title = group.find(SVG + "title")
        for inner in group.findall(SVG + "svg"):
            text = inner.find(SVG + "text")
            if inner.get("overflow") != "hidden":
                yield "a text that is not clipped"
            words = "".join(text.itertext())
            whole = title is not None and title.text or ""
            if words.endswith("\u2026") and "small" in text.get("class") and "label" not in group.get("class"):
                words = words[:-1]
            if words.endswith("\u2026") and words[:-1] not in whole:
                yield "the title %r lacks the text %r" % (whole, words)
            if title is None:
                yield "%r has no title" % words
    if sum(1 for _ in root.iter(SVG + "text")) != sum(len(g.findall(SVG + "svg")) for g in root.iter(SVG + "g")):
        yield "a text outside a group with a title"


def problems(source):
    root = ElementTree.fromstring(source)
    width, height = int(root.get("width")), int(root.get("height"))
    if root.get("viewBox") != "0 0 %d %d" % (width, height):
        yield "the viewBox is another"
    if re.search(r"\sid=|\son\w+=|<script|<foreignObject|href", source.split("</style>")[1].replace("&lt;", "")):
        yield "an id, a script or a link"
    whole = (0, 0, width, height)
    boxes, edges, labels = [], [], []
    for element in root.iter():
        kind = (element.get("class") or "").split(" ")[0]
        if kind == "box":
            boxes.append(place(element))
        elif kind == "edge":
            edges.append(list(segments(element.get("d"))))
        elif kind == "label":
            labels.append(place(element.find(SVG + "svg")))
    for i, box in enumerate(boxes):
        if not (box[0] >= 0 and box[1] >= 0 and box[2] <= width and box[3] <= height):
            yield "box %s lies outside" % (box,)
        for other in boxes[:i]:
            if overlap(box, other):
                yield "boxes %s and %s overlap" % (box, other)
    for edge in edges:
        for segment in edge:
            if not (0 <= min(segment[0::2]) and max(segment[0::2]) <= width and 0 <= min(segment[1::2]) and max(segment[1::2]) <= height):
                yield "edge %s runs outside" % (segment,)
            for box in boxes:
                if crosses(segment, box):
                    yield "edge %s runs through box %s" % (segment, box)
            for label in labels:
                if crosses(segment, label):
                    yield "edge %s runs through label %s" % (segment, label)
    for i, edge in enumerate(edges):
        for other in edges[:i]:
            if edge[-1][2:] != other[-1][2:] and any(shared(a, b) for a in edge for b in other):
                yield "edges to %s and %s lie upon each other" % (edge[-1][2:], other[-1][2:])
    for i, label in enumerate(labels):
        if not (label[0] >= whole[0] and label[1] >= whole[1] and label[2] <= whole[2] and label[3] <= whole[3]):
            yield "label %s lies outside" % (label,)
        for box in boxes:
            if overlap(label, box):
                yield "label %s overlaps box %s" % (label, box)
        for other in labels[:i]:
            if overlap(label, other):
                yield "labels %s and %s overlap" % (label, other)
    yield from text_problems(root)


def size(source):
    root = ElementTree.fromstring(source)
    return int(root.get("width")), int(root.get("height"))


# --------------------------------------------------------- the definitions


def to(name):
    return {"targetReference": name} if name else None


def strip(value):
    return {k: v for k, v in value.items() if v is not None}


def stage(rng, name, target, fault=None, label=None):
    steps = []
    for i in range(rng.randint(0, 4)):
        step = {"name": "%s_%d" % (name, i), "label": text(rng, "Step %d of %s" % (i, name)), "entryConditionLogic": "and",
                "actionName": "Nothing", "actionType": rng.choice(["stepBackground", "stepInteractive", "stepApproval", "stepMuleSoft"])}
        if i > 0 and rng.random() < 0.5:
            step["entryConditions"] = [{"leftValueReference": "%s_%d.Status" % (name, i - 1), "operator": "EqualTo",
                                        "rightValue": {"stringValue": "Completed"}}]
        if step["actionType"] in ("stepInteractive", "stepApproval"):
            step["assignees"] = [{"assignee": {"stringValue": "ann@example.com"}, "assigneeType": "User"}]
        steps.append(step)
    return strip({"name": name, "label": label or text(rng, name), "stageSteps": steps, "connector": to(target), "faultConnector": to(fault)})


def decision(rng, name, targets, other):
    return strip({"name": name, "label": text(rng, name), "defaultConnector": to(other),
                  "defaultConnectorLabel": rng.choice([None, text(rng, "Otherwise")]),
                  "rules": [strip({"name": "%s_R%d" % (name, i), "label": text(rng, "Outcome %d" % i), "conditionLogic": "and", "connector": to(t),
                                   "conditions": [{"leftValueReference": "v", "operator": "EqualTo", "rightValue": {"stringValue": str(i)}}]})
                            for i, t in enumerate(targets)]})


def text(rng, usual):
    if rng.random() < 0.8:
        return usual
    return rng.choice(HOSTILE)


def document(name, start, **parts):
    return {"fullName": name, "label": parts.pop("label", name), "processType": "Orchestrator", "start": {"connector": to(start)},
            "variables": [{"name": "v", "dataType": "String", "isInput": True, "isOutput": False, "isCollection": False}], **parts}


def chain(rng, name, n):
    return document(name, "S0", orchestratedStages=[
        stage(rng, "S%d" % i, "S%d" % (i + 1) if i + 1 < n else None, rng.choice([None, None, None, "S%d" % rng.randrange(n)]))
        for i in range(n)])


def fan(rng, name, n):
    """A decision with many outcomes, whose stages meet again."""
    stages = [stage(rng, "S%d" % i, "Last") for i in range(max(1, n // 2))] + [stage(rng, "Last", rng.choice([None, "D"]))]
    names = [s["name"] for s in stages]
    return document(name, "D", decisions=[decision(rng, "D", [rng.choice(names + [None]) if i >= n // 2 else names[i] for i in range(n)], rng.choice(names))],
                    orchestratedStages=stages)


def tangle(rng, name, n):
    """Anything leads anywhere."""
    stages = ["S%d" % i for i in range(n)]
    decisions = ["D%d" % i for i in range(rng.randint(0, max(1, n // 2)))]
    assignments = ["A%d" % i for i in range(rng.randint(0, max(1, n // 4)))]
    names = stages + decisions + assignments

    def any_of(chance=1.0):
        return rng.choice(names) if rng.random() < chance else None
    return document(
        name, any_of(),
        orchestratedStages=[stage(rng, s, any_of(0.8), any_of(0.2)) for s in stages],
        decisions=[decision(rng, d, [any_of(0.9) for _ in range(rng.randint(1, 6))], any_of(0.5)) for d in decisions],
        assignments=[strip({"name": a, "label": text(rng, a), "connector": to(any_of(0.9)),
                            "assignmentItems": [{"assignToReference": "v", "operator": "Assign", "value": {"stringValue": "x"}}]})
                     for a in assignments])


def documents(rng, count):
    for n in range(1, 32):
        yield "chain of %d" % n, chain(rng, "Chain%d" % n, n)
    for n in (1, 2, 3, 5, 8, 13, 30):
        yield "decision of %d" % n, fan(rng, "Fan%d" % n, n)
    for i, words in enumerate(HOSTILE):
        doc = chain(rng, "Hostile%d" % i, 2)
        doc["label"] = words
        for s in doc["orchestratedStages"]:
            s["label"] = words
            for step in s["stageSteps"]:
                step["label"] = words
        yield "label %r" % words[:12], doc
    for i in range(count):
        yield "tangle %d" % i, tangle(rng, "Tangle%d" % i, rng.randint(1, 24))


def run_sql(sql):
    return subprocess.run(["psql", "-qXAt", "-v", "ON_ERROR_STOP=1"], input=sql, capture_output=True, text=True, check=False)


def draw(doc):
    """Its drawings; or the error."""
    source = json.dumps(doc).replace("'", "''")
    source = source.replace("\\", "\\\\")
    result = run_sql("SET client_min_messages = error;\nSELECT orchestration.deploy_orchestration(E'%s'::jsonb) \\g /dev/null\n"
                     "SELECT orchestration.orchestration_diagram('%s', format => 'svg');\n\\echo @@\n"
                     "SELECT orchestration.orchestration_diagram('%s', format => 'dot');" % (source, doc["fullName"], doc["fullName"]))
    if result.returncode != 0:
        return None, None, result.stderr.strip()
    svg, dot = result.stdout.split("@@\n")
    return svg, dot, None


def dot_problems(dot):
    try:
        done = subprocess.run(["dot", "-Tcanon"], input=dot, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return                  # Graphviz is not here
    if done.returncode != 0 or done.stderr:
        yield "Graphviz refuses it: " + done.stderr[:200]


def generated():
    seed = int(os.environ.get("SEED", "17"))
    rng = random.Random(seed)
    keep = os.environ.get("KEEP_SVG")
    n = 0
    for name, doc in documents(rng, int(os.environ.get("COUNT", "200"))):
        n += 1
        svg, dot, error = draw(doc)
        found = [error] if error else list(problems(svg)) + list(dot_problems(dot))
        if svg and keep:
            with open(os.path.join(keep, doc["fullName"] + ".svg"), "w", encoding="utf-8") as file:
                file.write(svg)
        # as wide as planned, unless a decision has labels and ports for more
        if not error and name.startswith("chain") and not (size(svg)[0] <= 1500 and size(svg)[1] <= 1900):
            found.append("%d by %d pixels" % size(svg))
        print("%sok %d - %s%s" % ("not " if found else "", n, name, " (seed %d)" % seed if found else ""))
        for line in found[:5]:
            print("# " + line.replace("\n", "\n# "))
    print("1..%d" % n)


if __name__ == "__main__":
    if len(sys.argv) == 1:
        generated()
        sys.exit(0)
    status = 0
    for path in sys.argv[1:]:
        with open(path, encoding="utf-8") as file:
            for line in problems(file.read()):
                print("%s: %s" % (path, line))
                status = 1
    sys.exit(status)
