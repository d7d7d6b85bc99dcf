#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""lint.py RULE BUILD-DIR: one house rule over the source tree that holds this file. Exit 1 on offences."""
import os
import subprocess
import sys

import build_rules
import source_rules

RULES = {rule.__name__: rule for rule in source_rules.RULES + build_rules.RULES}


class Tree:
    """The files of a source tree: those that git knows or would add, or all outside build directories."""

    def __init__(self, root, build=None):
        self.root = os.path.abspath(root)
        self.build = build and os.path.abspath(build)
        self.names = sorted(self.list())
        self.texts = {}

    def list(self):
        git = subprocess.run(['git', '-C', self.root, 'ls-files', '-co', '--exclude-standard'],
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if git.returncode == 0 and git.stdout:
            return {n for n in git.stdout.splitlines() if os.path.isfile(os.path.join(self.root, n))}
        found = set()
        for folder, folders, names in os.walk(self.root):
            folders[:] = [f for f in folders if f != '.git' and not f.startswith('build')
                          or f == 'build' and os.path.basename(folder) == 'server']
            found |= {os.path.relpath(os.path.join(folder, n), self.root) for n in names}
        return found

    def files(self, *endings):
        return [n for n in self.names if n.endswith(endings)] if endings else self.names

    def has(self, name):
        return name in self.names

    def is_text(self, name):
        try:
            return '\0' not in self.text(name)
        except UnicodeDecodeError:
            return False

    def text(self, name):
        if name not in self.texts:
            with open(os.path.join(self.root, name), encoding='utf-8') as f:
                self.texts[name] = f.read()
        return self.texts[name]


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in RULES:
        sys.exit(f'usage: lint.py RULE BUILD-DIR; rules: {" ".join(RULES)}')
    rule = RULES[sys.argv[1]]
    tree = Tree(os.path.join(os.path.dirname(os.path.abspath(__file__)), '../..'), sys.argv[2])
    offences = list(rule(tree))
    for offence in offences:
        print(offence)
    if offences:
        sys.exit(f'{len(offences)} offences against: {rule.__doc__}')


if __name__ == '__main__':
    main()
