#!/usr/bin/env python3
"""links.py: prints each relative link of the pages for readers that leads nowhere: no such file, or no heading of
that anchor.  Exit status 1 if there is one."""
import glob
import os
import re
import sys

PAGES = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'src/README.md', *sorted(
    glob.glob('doc/**/*.md', recursive=True) + glob.glob('examples/**/*.md', recursive=True))]
FENCED = re.compile(r'^( *)(```+).*?^\1\2 *$', re.M | re.S)
CODE = re.compile(r'`[^`\n]*`')
LINK = re.compile(r'\[[^\]]*\]\(([^)\s]+)\)|(?:src|href)="([^"]+)"')
HEADING = re.compile(r'^#+ +(.*?) *#*$', re.M)


def prose(path):
    with open(path, encoding='utf-8') as file:
        return FENCED.sub('', file.read())


def anchors(path):
    """The anchors of the headings of a page, as GitHub makes them."""
    names = []
    for heading in HEADING.findall(prose(path)):
        heading = re.sub(r'\[([^\]]*)\]\([^)]*\)', r'\1', heading).replace('`', '').lower()
        name = re.sub(r'[^\w\- ]', '', heading).replace(' ', '-')
        names.append(name if name not in names else f'{name}-{names.count(name)}')
    return names


def dead(page):
    for link in (one or other for one, other in LINK.findall(CODE.sub('', prose(page)))):
        if re.match(r'\w+:', link):
            continue
        path, _, anchor = link.partition('#')
        path = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
        if not os.path.exists(path):
            yield link
        elif anchor and (not path.endswith('.md') or anchor not in anchors(path)):
            yield link


def main():
    found = [f'{page}: {link}' for page in PAGES if os.path.exists(page) for link in dead(page)]
    print('\n'.join(found))
    return bool(found)


if __name__ == '__main__':
    sys.exit(main())
