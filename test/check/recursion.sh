#!/bin/bash
# recursion.sh: no function recurses without a check of the stack depth.
#
# Documents, types and trees come from users and may be of any depth.  The compiler writes the
# call graph (-fcallgraph-info); without the functions that call check_stack_depth() the graph must
# have no cycle.  Calls through pointers are listed in indirect_calls below; an unlisted one fails,
# too.
. test/check/lib.sh.inc

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# graph SOURCE FOLDER: compile all of it, unoptimized and so without inlining
graph() {
    mkdir -p "$2" || return 1
    # shellcheck disable=SC2016
    find "$1" -name '*.c' -print0 | xargs -0 -P 2 -n 8 sh -c '
        source=$1; out=$2; shift 2
        for file; do
            object=$out/$(printf %s "${file#"$source"/}" | tr / _)
            # shellcheck disable=SC2046
            gcc -O0 -w -S -fcallgraph-info -I"$source" \
                -I"$(${PG_CONFIG:-pg_config} --includedir-server)" -I"$(${PG_CONFIG:-pg_config} --includedir)" \
                $(xml2-config --cflags 2>/dev/null || echo -I/usr/include/libxml2) -D_GNU_SOURCE \
                -DORCHESTRATION_VERSION="\"0\"" "$file" -o "${object%.c}.s" || exit 255
        done' sh "$1" "$2" && [ -n "$(find "$2" -name '*.ci')" ]
}

# unguarded FOLDER: cycles of functions without a check, and unknown pointers
unguarded() {
    python3 - "$1" <<'PYTHON'
import glob, re, sys

# the functions that call through a pointer, with patterns of their possible callees; none for
# functions of the server and for those that cannot lead back
indirect_calls = {
    'orch_condition_operand_value': ['resolve', 'resolve_lookup', 'resolve_by_text'],
    'resolve_lookup': ['resolve'],
    'orch_formula_node_value': ['formula_.*'],
    'chain_value': ['formula_.*'],
    'formula_angle': [],        # sin() and its like
    'parse_nested': ['parse_or', 'parse_factor'],
    'parse_reference': ['resolve_reference'],
    'report': ['report_problem'],
    'orch_definition_walk_set': ['check_output', 'walk_operand', 'visit_read', 'visit_operand'],
    'set_reads': ['reads_record', 'refreshes'],
    'walk_list': ['check_output', 'walk_operand'],
    'walk_inputs': ['check_output', 'walk_operand'],
    'orch_definition_walk_graph': ['node_read', 'leave_node', 'report_circle', 'step_before', 'report_entry_cycle',
                                   'decision_behind', 'report_decision_loop', 'formula_referred_to', 'leave_formula',
                                   'report_formula_circle'],
    'circle_text': ['step_name', 'decision_name'],
    'write_section': ['write_action', 'write_permission', 'write_person'],
    'orch_definition_walk': ['check_output', 'walk_operand'],
    'walk_operand': ['note_reader', 'put_missing'], 'walk_fields': ['note_reader', 'put_missing'],
    'warn_of_readers': ['readers_of'],
    'write_section': ['write_action', 'write_person', 'write_permission'],
    'orch_record_select': ['is_wanted'],
    'in_subtransaction': ['save_one', 'delete_one', 'do_.*'],
    'orch_multi_insert': ['fill_row'],
    'orch_work_item_lock': ['orch_access_require_.*'], 'enter_run': ['orch_access_require_.*'],
    'write_messages': ['note_written'],
    'orch_action_call': [],     # a function of SQL: the server checks
    'insert_one_by_one': ['fill_row'],
    'gather_stage': ['has_fault_path'], 'orch_cascade_go_on': ['orch_engine_go_on'],
    'cursor_names': [],         # pg_cursor() of the server
    'refuse_access': [], 'refuse_utility': [],  # hooks: the server checks
    'assume_size': [], 'assume_statistics': [], 'tell_committed_prepared': [],
    'at_xact_event': ['at_xact_end', 'forget_frames', 'before_commit', 'before_prepare'],
    'at_subxact_event': ['at_subxact_end', 'frames_at_subxact_end'],
    'request_areas': ['.*_size'], 'orch_shared_attach': ['.*_size', 'fill_.*'], 'start_areas': [],
    'orch_notify_queued': ['note_queued'], 'write_messages': ['note_written'],
    'orch_report_table': ['write_(line|person|version)', 'orch_report_cells'], 'check_plan': [], 'selectivity': [],
    'qunique': [], 'table_.*': [], 'Exec.*': [],
}

edges, indirect = {}, set()
for name in glob.glob(sys.argv[1] + '/*.ci'):
    for line in open(name):
        match = re.match(r'edge: \{ sourcename: "([^"]*)" targetname: "([^"]*)"', line)
        if match and match[2] == '__indirect_call':
            indirect.add(match[1])
        elif match:
            edges.setdefault(match[1], set()).add(match[2])

def short(name):
    return name.rsplit(':', 1)[-1]

functions = set(edges) | {t for targets in edges.values() for t in targets}
failed = False
for caller in sorted(indirect):
    patterns = [p for name, p in indirect_calls.items() if re.fullmatch(name, short(caller))]
    if not patterns:
        print(caller + ' calls through a pointer: name what can be called in test/check/recursion.sh')
        failed = True
    for pattern in [p for found in patterns for p in found]:
        edges.setdefault(caller, set()).update(f for f in functions if re.fullmatch(pattern, short(f)))

# Tarjan's strongly connected components of the functions without a check
guarded = {f for f, targets in edges.items() if 'check_stack_depth' in targets}
number, low, stack, on_stack, todo = {}, {}, [], set(), []

def targets_of(function):
    return iter(sorted(t for t in edges.get(function, ()) if t not in guarded))

for start in sorted(f for f in edges if f not in guarded):
    if start in number:
        continue
    number[start] = low[start] = len(number)
    stack.append(start)
    on_stack.add(start)
    todo.append((start, targets_of(start)))
    while todo:
        function, rest = todo[-1]
        target = next(rest, None)
        if target is None:
            todo.pop()
            if todo:
                low[todo[-1][0]] = min(low[todo[-1][0]], low[function])
            if low[function] == number[function]:
                component = []
                while not component or component[-1] != function:
                    component.append(stack.pop())
                    on_stack.discard(component[-1])
                if len(component) > 1 or function in edges.get(function, ()):
                    print('recursion without check_stack_depth(): ' + ', '.join(map(short, reversed(component))))
                    failed = True
        elif target not in number:
            number[target] = low[target] = len(number)
            stack.append(target)
            on_stack.add(target)
            todo.append((target, targets_of(target)))
        elif target in on_stack:
            low[function] = min(low[function], number[target])
recursive = len(guarded)
if recursive < 10:
    print('only %d functions check the stack: the graph cannot be right' % recursive)
    failed = True
sys.exit(failed)
PYTHON
}

no_recursion() {
    graph src "$work/graph" && unguarded "$work/graph"
}

# planted NAME: the check finds and names this recursion, added to the graph of the sources
planted() {
    local found
    cat >"$work/planted.c" <<'C'
typedef int (*Callback) (int);
static int twice(int n) { return n < 2 ? n : twice(n - 1) + twice(n - 2); }
static int pong(int n);
static int ping(int n) { return pong(n - 1); }
static int pong(int n) { return n == 0 ? 0 : ping(n); }
static int formula_planted(int n) { return n; }
int chain_value(Callback c, int n) { return c(n); }
int use(Callback c);
int use(Callback c) { return c(twice(1) + ping(1) + formula_planted(1)); }
C
    mkdir -p "$work/planted" && cp "$work"/graph/*.ci "$work/planted" || return 1
    gcc -O0 -w -S -fcallgraph-info "$work/planted.c" -o "$work/planted/planted.s" || return 1
    found=$(unguarded "$work/planted")
    echo "$found"
    grep -q "$1" <<<"$found"
}

check 'every recursion checks the stack depth' no_recursion
check 'a function that calls itself is found' planted ': twice$'
check 'two functions that call each other are found' planted ': \(ping, pong\|pong, ping\)$'
check 'a call through an unknown pointer is found' planted '^use calls through a pointer'
