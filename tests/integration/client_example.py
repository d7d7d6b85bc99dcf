#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""client_example.py BUILD SOURCE: the programs at the top of veil/client.h and veil/bfv.h compile as C17 and as C++17 against the
installed tree, by pkg-config alone; the one finds things, the other computes. Those of examples/ do as C17."""
import json
import os
import re
import subprocess
import sys
import tempfile

import fake_server as fake

EXAMPLES = {'bfv_inner_product': '0 140 280 420\n', 'bfv_sum_of_slots': '5050 5050\n', 'bfv_two_parties': '1 8 21\n'}


def run(*command, **kwargs):
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, **kwargs)
    if result.returncode:
        sys.exit(f'{" ".join(command)}: status {result.returncode}\n{result.stdout}{result.stderr}')
    return result.stdout


def example(header):
    lines = [line[len(' *     '):].rstrip() for line in header.splitlines() if re.match(r' \*( {5}|$)', line)]
    return '\n'.join(lines) + '\n'


def read_example(source, name):
    with open(os.path.join(source, 'include/veil', name), encoding='ascii') as f:
        program = example(f.read())
    if 'int main' not in program:
        sys.exit(f'no example in veil/{name}')
    return program


def build_example(program, top, name, language, flags):
    compiler, standard, ending = language
    with open(os.path.join(top, name + ending), 'w', encoding='ascii') as f:
        f.write(program)
    binary = os.path.join(top, f'{name}-{standard}')
    run(compiler, f'-std={standard}', '-pedantic', '-Wall', '-Wextra', '-Werror', f.name, '-o', binary, *flags)
    return binary


def main():
    build, source = map(os.path.abspath, sys.argv[1:3])
    program, circuit = read_example(source, 'client.h'), read_example(source, 'bfv.h')
    with tempfile.TemporaryDirectory() as top, fake.FakeServer() as server:
        run('meson', 'install', '--no-rebuild', '--quiet', '-C', build, '--destdir', os.path.join(top, 'root'))
        root = os.path.join(top, 'root')
        pc = next(d for d, _, files in os.walk(root) if 'veil.pc' in files)
        env = {**os.environ, 'PKG_CONFIG_PATH': pc, 'PKG_CONFIG_SYSROOT_DIR': root}
        flags = run('pkg-config', '--cflags', '--libs', 'veil', env=env).split()
        libraries = next(f[2:] for f in flags if f.startswith('-L'))
        vector = os.path.join(top, 'vector.json')
        with open(vector, 'w', encoding='ascii') as f:
            json.dump([1.0] * fake.DIM, f)
        env = {**os.environ, 'LD_LIBRARY_PATH': libraries}
        for language in (('cc', 'c17', '.c'), ('c++', 'c++17', '.cc')):
            standard = language[1]
            out = run(build_example(circuit, top, 'sum', language, flags), env=env)
            if out != '300\n':
                sys.exit(f'{standard}: not 300: {out}')
            out = run(build_example(program, top, 'ask', language, flags), server.url, vector, env=env)
            if not re.fullmatch(r'(?: \d\. +\d+  thing +-?\d\.\d{4}\n){5}', out):
                sys.exit(f'{standard}: not five results:\n{out}')
        files = {name[:-2] for name in os.listdir(os.path.join(source, 'examples')) if name.endswith('.c')}
        if files != EXAMPLES.keys():
            sys.exit(f'examples/ has {sorted(files)}, the test knows {sorted(EXAMPLES)}')
        for name, want in EXAMPLES.items():
            with open(os.path.join(source, 'examples', name + '.c'), encoding='ascii') as f:
                out = run(build_example(f.read(), top, name, ('cc', 'c17', '.c'), flags), env=env)
            if out != want:
                sys.exit(f'{name}: {out!r}, not {want!r}')


if __name__ == '__main__':
    main()
