#!/bin/bash
# floors.sh: the code lies as src/README.md says.
#
# The folders of src/ are floors.  A file uses its own floor and those below it, never
# one above.  The graph is that of the symbols in the objects: an edge leads from the
# file that uses a symbol to the file that defines it.  Calls through pointers are not
# in it: that is how a floor tells those above it (registered callbacks).
. test/check/lib.sh.inc

# graph ROOT QUESTION: answers one question about the objects and sources under ROOT
graph() {
    python3 - "$@" <<'PYTHON'
import collections, glob, os, re, subprocess, sys

FLOORS = ['base', 'evaluate', 'record', 'access', 'definition', 'trail', 'guard', 'engine', 'work', 'call']

# files of one floor that call each other, and why
CYCLES = {
}

# called by name from outside: by the server, or as the entry point of a process
ENTRY = re.compile(r'_PG_init|Pg_magic_func|_PG_output_plugin_init|pg_finfo_\w+|orchestration_\w+|orch_\w+_main')

root, question = sys.argv[1:3]
failed = False

def fail(text):
    global failed
    print(text)
    failed = True

def floor(name):
    return FLOORS.index(os.path.dirname(name)) if os.path.dirname(name) else len(FLOORS)

defined, used = {}, collections.defaultdict(set)
for path in sorted(glob.glob(root + '/**/*.o', recursive=True)):
    name = os.path.relpath(path, root)[:-2]
    if os.path.dirname(name) not in FLOORS + ['']:
        fail('%s lies on no floor' % name)
        continue
    for line in subprocess.run(['nm', path], check=True, capture_output=True, text=True).stdout.splitlines():
        fields = line.split()
        if fields[-2] == 'U':
            used[name].add(fields[-1])
        elif fields[-2] in 'TDBRC':
            defined[fields[-1]] = name
if len(defined) < 100:
    fail('only %d symbols: the graph cannot be right' % len(defined))

edges = collections.defaultdict(set)
for name, symbols in used.items():
    for symbol in symbols:
        if symbol in defined and defined[symbol] != name:
            edges[name, defined[symbol]].add(symbol)

def generated(path):
    """By flex or bison: the check of symbols holds, that of form does not."""
    base, suffix = os.path.splitext(path)
    return os.path.exists(base + '.y') and suffix in '.c.h' or os.path.exists(base + '.l') and suffix == '.c'

def upwards():
    found = 0
    for (user, owner), symbols in sorted(edges.items()):
        if floor(user) < floor(owner):
            fail('%s uses %s of %s' % (user, ', '.join(sorted(symbols)), owner))
            found += 1
    # the server has headers in a folder access/, too
    for path in sorted(glob.glob(root + '/**/*.[chly]', recursive=True)):
        name = os.path.relpath(path, root)
        with open(path, encoding='utf-8') as file:
            for header in re.findall(r'^#include "(\w+/\w+\.h)"', file.read(), flags=re.M):
                if os.path.exists(os.path.join(root, header)) and floor(name) < floor(header):
                    fail('%s includes %s' % (name, header))
                    found += 1
    print('%d edges, %d upwards' % (len(edges), found))

def cycles():
    """Strongly connected components of the files of one floor."""
    targets = collections.defaultdict(set)
    for user, owner in edges:
        if os.path.dirname(user) == os.path.dirname(owner):
            targets[user].add(owner)

    def reach(start):
        seen, todo = set(), [start]
        while todo:
            for target in targets[todo.pop()]:
                if target not in seen:
                    seen.add(target)
                    todo.append(target)
        return seen

    reached = {name: reach(name) for name in list(targets)}
    components = {frozenset(o for o in reached[n] if n in reached.get(o, ())) for n in reached if n in reached[n]}
    listed = {frozenset(names) for names in CYCLES}
    for component in components - listed:
        fail('cycle: ' + ' '.join(sorted(component)))
        for user in sorted(component):
            for owner in sorted(targets[user] & component):
                print('    %s -> %s: %s' % (user, owner, ' '.join(sorted(edges[user, owner]))))
    for component in listed - components:
        fail('no longer a cycle: ' + ' '.join(sorted(component)))

def home():
    everywhere = set().union(*(s for s in used.values()))
    for symbol, owner in sorted(defined.items()):
        if symbol not in everywhere and not ENTRY.fullmatch(symbol):
            fail('%s of %s is used only there, or nowhere: make it static, or delete it' % (symbol, owner))

def prototypes():
    """foo_bar.c is declared by foo_bar.h, foo.h or foo_int.h of its floor."""
    for path in sorted(glob.glob(root + '/**/*.h', recursive=True)):
        if generated(path):
            continue
        header = os.path.relpath(path, root)[:-2]
        noun = re.sub(r'_int$', '', header)
        with open(path, encoding='utf-8') as file:
            text = re.sub(r'/\*.*?\*/', '', file.read(), flags=re.S)
        for symbol in re.findall(r'^extern\b[^;{]*?\b(\w+)(?:\s*\(|\s*;|\[)', text, flags=re.M):
            owner = defined.get(symbol)
            if owner is None:
                fail('%s.h declares %s, which is nowhere' % (header, symbol))
            elif not (owner + '_').startswith(noun + '_'):
                fail('%s.h declares %s of %s' % (header, symbol, owner))

def sizes():
    functions = []
    for path in sorted(p for p in glob.glob(root + '/**/*.[chly]', recursive=True) if not generated(p)):
        with open(path, encoding='utf-8') as file:
            lines = file.read().split('\n')
        if len(lines) > 1001:
            fail('%s has %d lines' % (path, len(lines) - 1))
        start = None
        for i, line in enumerate(lines):
            if line == '{':
                start = i
            elif line == '}' and start is not None:
                head = next((l for l in reversed(lines[max(start - 8, 0):start]) if re.match(r'\w+\(', l)), lines[start - 1])
                functions.append((i - start + 1, path, head.split('(')[0]))
                start = None
    for length, path, name in functions:
        if length > 120:
            fail('%s() in %s has %d lines' % (name, path, length))
    if len(functions) < 100:
        fail('only %d functions found' % len(functions))
    if '--longest' in sys.argv:
        for length, path, name in sorted(functions, reverse=True)[:10]:
            print('%4d %s %s()' % (length, path, name))

{'upwards': upwards, 'cycles': cycles, 'home': home, 'prototypes': prototypes, 'sizes': sizes}[question]()
sys.exit(failed)
PYTHON
}

# what the map names is there, and it names every floor
map() {
    local name bad=0
    while read -r name; do
        case $name in
            *'()') grep -rqE "^${name%'()'}\(" src --include='*.[ch]' && continue ;;
            *.c | *.sh) find src test -name "${name##*/}" | grep -q . && continue ;;
            */) [ -d "src/$name" ] && continue ;;
        esac
        echo "src/README.md names $name"
        bad=1
    done < <(grep -oE '`(orch_\w+\(\)|orchestration_\w+\(\)|[a-z_/]+\.(c|sh)|[a-z]+/)`' src/README.md | tr -d '`' | sort -u)
    diff <(grep -oE '^\| `[a-z]+/' src/README.md | tr -d '|` ' | sort) <(ls -d src/*/ | sed 's/^src.//' | sort) || bad=1
    return $bad
}

# planted FILE SOURCE QUESTION PATTERN: a copy of the tree with that file is refused, by
# that line
planted() {
    local copy found
    copy=$(mktemp -d)
    cp -a src/. "$copy"
    printf '%s\n' "$2" >"$copy/$1.c"
    gcc -c "$copy/$1.c" -I"$copy" -I"$("${PG_CONFIG:-pg_config}" --includedir-server)" -o "$copy/$1.o" 2>&1
    found=$(graph "$copy" "$3")
    rm -rf "$copy"
    echo "$found"
    grep -q "$4" <<<"$found"
}

check 'no file uses a floor above its own' graph src upwards
check 'no cycle between files of a floor but those listed' graph src cycles
check 'extern symbols are used by another file' graph src home
check 'extern symbols are declared in the header of their file' graph src prototypes
check 'files of at most 1,000 lines, functions of at most 120' graph src sizes
check 'all names in the map exist' map
check 'an edge upwards is found' planted base/planted \
    'void orch_run_planted(void); extern int orch_engine_end_step(void); void orch_run_planted(void) { orch_engine_end_step(); }' \
    upwards '^base/planted uses orch_engine_end_step of engine/'
check 'a header of a floor above is found' planted base/planted '#include "engine/notify.h"' \
    upwards '^base/planted.c includes engine/notify.h'
check 'a function used only at home is found' planted base/planted \
    'void orch_planted(void); void orch_planted(void) { }' home '^orch_planted of base/planted'
