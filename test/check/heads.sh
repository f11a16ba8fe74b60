#!/bin/bash
# heads.sh: comments and messages keep the form of the project.
#
# Above the body of each SQL-callable C function stands a comment that begins with its
# signature, as this database has it, and names the errors ("Raises") and the source of the
# behaviour ("Source:": the contract, or ours).  A signature copied from another function, or
# older than its SQL, is found.
#
# The second part searches all sources for phrases that make a reader guess the subject.
. test/check/lib.sh.inc

# C symbol, name and arguments of each function of the extension
signatures() {
    psql -qXAt -F '|' <<'SQL'
SELECT p.prosrc, p.pronamespace::regnamespace || '.' || p.proname, pg_get_function_identity_arguments(p.oid)
  FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
 WHERE l.lanname = 'c' AND p.pronamespace IN ('orchestration'::regnamespace, 'orchestration_internal'::regnamespace);
SQL
}

# heads ROOT: the functions under ROOT whose head lacks something
heads() {
    python3 - "$1" "$(signatures)" <<'PYTHON'
import glob, re, sys

root, listing = sys.argv[1:]
declared = {}
for line in listing.splitlines():
    symbol, name, arguments = line.split('|')
    declared.setdefault(symbol, []).append((name, arguments))
found, failed = 0, False

def fail(path, symbol, text):
    global failed
    print('%s: %s() %s' % (path, symbol, text))
    failed = True

def plain(arguments):
    """The IN arguments in one spelling."""
    arguments = arguments.replace('timestamp with time zone', 'timestamptz')
    return ', '.join(a for a in (' '.join(a.split()) for a in arguments.split(',')) if not a.startswith('OUT '))

for path in sorted(glob.glob(root + '/**/*.c', recursive=True)):
    with open(path, encoding='utf-8') as file:
        text = file.read()
    for symbol in re.findall(r'^PG_FUNCTION_INFO_V1\((\w+)\);', text, flags=re.M):
        found += 1
        body = re.search(r'(?P<head>/\*(?:(?!\*/).)*\*/\n)?Datum\n%s\(PG_FUNCTION_ARGS\)\n\{' % symbol, text, flags=re.S)
        if body is None:
            fail(path, symbol, 'has no body of the usual form')
            continue
        if body['head'] is None:
            fail(path, symbol, 'has no comment directly above it')
            continue
        head = re.sub(r'\s*\n \*\s*', ' ', body['head'])
        signature = re.match(r'/\* (orchestration(?:_internal)?\.\w+)\((.*?)\) returns \w', head)
        if signature is None:
            fail(path, symbol, 'does not begin with its signature')
        elif (signature[1], plain(signature[2])) not in [(n, plain(a)) for n, a in declared.get(symbol, [])]:
            fail(path, symbol, 'is %s(%s) in its comment, but %s in SQL' % (
                signature[1], plain(signature[2]),
                ' or '.join('%s(%s)' % (n, plain(a)) for n, a in declared.get(symbol, [])) or 'nothing'))
        if not re.search(r'\bRaises\b', head):
            fail(path, symbol, 'does not name its errors (Raises)')
        if not re.search(r'\bSource: *\w', head):
            fail(path, symbol, 'does not name its source (Source:)')
if found < 100 and root == 'src':
    print('only %d functions found' % found)
    failed = True
sys.exit(failed)
PYTHON
}

# phrases PATH...: where a phrase of the list stands in a comment, a message or a name of a test
phrases() {
    python3 - "$@" <<'PYTHON'
import glob, os, re, sys

# A blank stands for any white space and the beginning of the next line of a comment.
# WORDS: some words of one sentence.
PHRASES = [
    r"(?:some|any|no|every)body else's",            # another user's
    r"(?:any|no|every)body else",                   # another session, no other session
    r"(?:him|her)self",
    r"[Ww]ho WORDS,? (?:he|she)",                   # who polls ... he: the client that polls
    r"(?:he|she) who",
    r"[Ww]hoever",
    r"[Ww]hat (?:is|are|was|were) WORDS (?:is|are|was|were|may|must|can)",
    r"(?:is|are) no longer what",
    r"(?:it|was|is) so already",
    r"it was tried",
    r"(?:is|are|was|were)(?: not)? told",           # say how the actor learns it
    r"of others",                                   # of other users, of other sessions
    r"(?:that|when|while|if|where|until) (?:somebody|nobody)",
    r"under way may",
]
SUFFIXES = ('.c', '.h', '.sql', '.sh', '.inc', '.spec', '.pl', '.py', '.pm')
GAP = r'\s+(?:(?:\*|#|--)\s+)?'
words = r"(?:[\w()-]+(?:'\w+)? ){0,8}?[\w()-]+"
patterns = [re.compile(r'\b(?:%s)\b' % p.replace('WORDS', words).replace(' ', GAP)) for p in PHRASES]
files, failed = 0, False
for root in sys.argv[1:]:
    for path in sorted(glob.glob(root + '/**/*', recursive=True)):
        # not the contract, which is quoted, and not this list
        if not path.endswith(SUFFIXES) or '/contract/' in path or path.endswith('check/heads.sh'):
            continue
        files += 1
        with open(path, encoding='utf-8') as file:
            text = file.read()
        for pattern in patterns:
            for match in pattern.finditer(text):
                print('%s:%d: "%s"' % (path, text.count('\n', 0, match.start()) + 1,
                                       re.sub(GAP, ' ', match[0])))
                failed = True
if files < 1:
    print('no files')
    failed = True
sys.exit(failed)
PYTHON
}

# planted CHECK PATTERN: of a folder that contains the file on standard input, CHECK says PATTERN
planted() {
    local folder found
    folder=$(mktemp -d)
    cat >"$folder/planted.c"
    found=$("$1" "$folder")
    rm -rf "$folder"
    echo "$found"
    grep -qE "$2" <<<"$found"
}

check 'each SQL-callable function has its signature, Raises and Source above it' heads src
check 'no phrase that makes a reader guess the subject' phrases src sql/parts test bench
check 'a function without a comment is found' planted heads 'has no comment' <<'C'
/*
 * orchestration.new_id() returns uuid
 * Raises: none.  Source: ours.
 */

PG_FUNCTION_INFO_V1(orchestration_new_id);

Datum
orchestration_new_id(PG_FUNCTION_ARGS)
{
C
check 'a wrong signature is found' planted heads 'is orchestration_internal.is_user\(id uuid\) in its comment, but orchestration_internal.is_user\(\) in SQL' <<'C'
PG_FUNCTION_INFO_V1(orchestration_is_user);

/*
 * orchestration_internal.is_user(id uuid) returns boolean
 * Raises: none.  Source: ours.
 */
Datum
orchestration_is_user(PG_FUNCTION_ARGS)
{
C
check 'a head without Raises is found' planted heads 'Raises' <<'C'
PG_FUNCTION_INFO_V1(orchestration_is_user);

/*
 * orchestration_internal.is_user() returns boolean
 * Source: ours.
 */
Datum
orchestration_is_user(PG_FUNCTION_ARGS)
{
C
check 'a phrase over two lines is found' planted phrases ':2: "what is stored here is"' <<'C'
/*
 * Here what is
 * stored here is a comment.
 */
C
