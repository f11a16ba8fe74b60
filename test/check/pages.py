#!/usr/bin/env python3
"""pages.py: executes the examples of the pages as a reader pastes them into psql, and compares all output.

    test/throwaway.sh test/check/pages.py [--write] [PAGE...]

A page is README.md or a Markdown file of doc/ or examples/ that has a block ```sql.

* Its blocks ```sql are executed from first to last in one psql (`psql -qX`, errors do not stop it), in a
  folder that looks like the top of the repository and may be written to.
* A block ```text that follows with nothing but white space (and a comment `mask`) between is what psql
  prints for it, errors included.  A block ```sql without one prints nothing.
* All other blocks (```sh, ```python, a ```text elsewhere) are not executed.
* Comments, which readers do not see:
  <!-- after: tutorial.md -->   The page goes on where that one ends: same database, same psql.  The path is
                                relative to the page.  Without it the page begins in a database of its own
                                in which the extension was created.
  <!-- database: empty -->      ... in which it was not.
  <!-- mask: REGEX -->          In the block ```text that follows, and in what was printed, what matches
                                counts as equal.  For ids and times it is not needed (see MASKS).
* Roles that a page makes are dropped after it.

--write puts what was printed into the pages, where it differs: read the diff before it is committed.
Prints one line of TAP a page.
"""
import difflib
import glob
import os
import re
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TEMPLATE = 'pages_template'
DATABASE = 'pages'
FENCE = re.compile(r'^( *)(```+)(\w*)[^\n]*\n(.*?)^\1\2 *$\n?', re.M | re.S)
COMMENT = re.compile(r'<!-- (\w+): (.*?) -->')
# what differs from one run to the next
MASKS = [(re.compile(pattern), name) for pattern, name in (
    (r'\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b', 'ID'),
    (r'\b20\d\d-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d(:?\d\d)?)?', 'TIME'),
    (r'\b20\d\d-\d\d-\d\d\b', 'DATE'),
    (r'\b(\d\d:)+\d\d\.\d+\b', 'TIME'),
    (r'\b\d+(\.\d+)? m?s\b', 'DURATION'))]


class Block:
    """A block ```sql of a page, and what the page shows for it."""

    def __init__(self, text, match, after):
        self.sql = unindented(match)
        self.indent = match.group(1)
        self.end = match.end()
        self.masks = list(MASKS)
        between = text[match.end():after.start()] if after else ''
        comments = COMMENT.findall(between)
        is_output = after and after.group(3) == 'text' and not COMMENT.sub('', between).strip() \
            and all(kind == 'mask' for kind, _ in comments)
        self.output = unindented(after) if is_output else None
        self.output_span = after.span() if is_output else None
        if is_output:
            self.masks += [(re.compile(pattern), 'MASKED') for _, pattern in comments]

    def masked(self, output):
        """The lines without what may differ.  Where something was masked, widths may differ, too."""
        lines = [line.rstrip() for line in output.strip('\n').split('\n')]
        found = False
        for pattern, name in self.masks:
            for i, line in enumerate(lines):
                lines[i] = pattern.sub(name, line)
                found = found or name != 'ID' and lines[i] != line
        return [re.sub(r' +', ' ', re.sub(r'--+', '--', line)).rstrip() for line in lines] if found else lines


def unindented(match):
    """The text of a block; that of a block in a list is indented."""
    return re.sub('^' + match.group(1), '', match.group(4), flags=re.M)


class Page:
    """A page: its text, its blocks, the page that it goes on from."""

    def __init__(self, name):
        self.name = name
        with open(os.path.join(TOP, name), encoding='utf-8') as file:
            self.text = file.read()
        fences = list(FENCE.finditer(self.text))
        self.blocks = [Block(self.text, fence, after) for fence, after in zip(fences, fences[1:] + [None])
                       if fence.group(3) == 'sql']
        prose = FENCE.sub('', self.text)
        comments = dict(COMMENT.findall(prose))
        self.after = os.path.normpath(os.path.join(os.path.dirname(name), comments['after'])) if 'after' in comments else None
        self.template = 'template0' if comments.get('database') == 'empty' else TEMPLATE


def run(page, pages):
    """What psql prints for each block of the page."""
    chain = [page]
    while chain[0].after:
        if chain[0].after not in pages or pages[chain[0].after] in chain:
            raise ValueError(f'{chain[0].name} goes on after {chain[0].after}, which is no such page')
        chain.insert(0, pages[chain[0].after])
    script = ''.join(block.sql for before in chain[:-1] for block in before.blocks)
    for i, block in enumerate(page.blocks):
        script += f'\\echo =BLOCK {i}=\n{block.sql}'
    script += '\\echo =BLOCK end=\n'
    psql('template1', f'DROP DATABASE IF EXISTS {DATABASE}', f'CREATE DATABASE {DATABASE} TEMPLATE {chain[0].template}')
    roles = set(psql('template1', 'SELECT rolname FROM pg_roles').split('\n'))
    try:
        printed = in_folder(script)
    finally:
        made = [role for role in psql('template1', 'SELECT rolname FROM pg_roles').split('\n') if role not in roles]
        psql('template1', f'DROP DATABASE {DATABASE} WITH (FORCE)',
             *[f'{command} "{role}"' for command in ('DROP OWNED BY', 'DROP ROLE') for role in made])
    parts = re.split(r'^=BLOCK (?:\d+|end)=\n', printed, flags=re.M)
    if len(parts) != len(page.blocks) + 2:
        raise ValueError(f'psql ended early:\n{parts[-1]}')
    return parts[1:-1]


def in_folder(script):
    """What psql prints for the script, in a folder with links to what is in the repository."""
    with tempfile.TemporaryDirectory() as folder:
        for entry in os.listdir(TOP):
            os.symlink(os.path.join(TOP, entry), os.path.join(folder, entry))
        done = subprocess.run(['psql', '-qX', '-d', DATABASE], input=script, text=True, encoding='utf-8', cwd=folder,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, check=False)
    return done.stdout


def psql(database, *commands):
    """Executes commands one by one, and returns what the last printed."""
    done = subprocess.run(['psql', '-qXAt', '-v', 'ON_ERROR_STOP=1', '-d', database]
                          + [word for command in commands for word in ('-c', command)],
                          text=True, encoding='utf-8', capture_output=True, check=False,
                          env={**os.environ, 'PGOPTIONS': '-c client_min_messages=warning'})
    if done.returncode:
        raise ValueError(done.stderr)
    return done.stdout.strip('\n')


def differences(page, printed):
    """What differs from what the page shows, block by block."""
    for block, output in zip(page.blocks, printed):
        want, got = block.masked(block.output or ''), block.masked(output)
        if want != got:
            yield from difflib.unified_diff(want, got, f'{page.name}, after: {block.sql.splitlines()[0]}', 'printed', lineterm='')


def rewritten(page, printed):
    """The text of the page with what was printed, where it differs from what the page shows."""
    text = page.text
    for block, output in reversed(list(zip(page.blocks, printed))):
        if block.masked(block.output or '') == block.masked(output):
            continue
        lines = [line.rstrip() for line in output.rstrip('\n').split('\n')]
        new = ''.join((block.indent + line).rstrip() + '\n' for line in ['```text', *lines, '```'] if line or len(lines) > 1) \
            if output.strip() else ''
        start, end = block.output_span or (block.end, block.end)
        text = text[:start] + new + text[end:]
    return text


def main():
    names = [os.path.relpath(name, TOP) for name in sys.argv[1:] if name != '--write']
    os.chdir(TOP)
    pages = {page.name: page for page in map(Page, ['README.md', *sorted(
        glob.glob('doc/**/*.md', recursive=True) + glob.glob('examples/**/*.md', recursive=True))])}
    unknown = [name for name in names if name not in pages]
    if unknown:
        sys.exit(f'no such page: {", ".join(unknown)}')
    chosen = [page for page in pages.values() if page.blocks and (not names or page.name in names)]
    psql('template1', f'DROP DATABASE IF EXISTS {TEMPLATE}', f'CREATE DATABASE {TEMPLATE} TEMPLATE template0')
    if any(page.after or page.template == TEMPLATE for page in chosen):
        psql(TEMPLATE, 'CREATE EXTENSION orchestration')
    failed = False
    for page in chosen:
        try:
            printed = run(page, pages)
            lines = list(differences(page, printed))
            if lines and '--write' in sys.argv:
                with open(page.name, 'w', encoding='utf-8') as file:
                    file.write(rewritten(page, printed))
        except (ValueError, subprocess.TimeoutExpired) as error:
            lines = str(error).split('\n')
        failed = failed or bool(lines)
        print(f'{"not ok" if lines else "ok"} - {page.name} prints what it shows', *[f'# {line}' for line in lines], sep='\n', flush=True)
    psql('template1', f'DROP DATABASE {TEMPLATE}')
    return failed


if __name__ == '__main__':
    sys.exit(main())
