# SPDX-License-Identifier: Apache-2.0
"""Rules that ask a tool: the compiler, nm, clang-format. They take a Tree; tree.build is the build directory."""
import glob
import os
import re
import subprocess

from source_rules import BODY

# Nouns of lib/base and the few nouns that a file shares with its neighbours; elsewhere <layer>_ or <file>_.
NOUNS = {
    'base': ['keystream_', 'reader_', 'writer_', 'wipe'],
}


def run(*command, **kwargs):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **kwargs)


def defined(nm_output):
    """The global symbols defined in the output of nm."""
    return re.findall(r'^[0-9a-f]+ [BDRTVW] (\S+)$', nm_output, re.M)


def bad_names(symbols, layer, stems):
    allowed = tuple([f'{layer}_', 'veil_'] + [f'{s}_' for s in stems] + NOUNS.get(layer, []))
    return [s for s in symbols if not s.startswith(allowed) and not s.startswith('__')]


def symbols(tree):
    """libveil.so exports veil_* only; internal names begin with their layer or file."""
    for path in glob.glob(f'{tree.build}/client/**/libveil.so*', recursive=True):
        if not path.endswith('.symbols') and not os.path.isdir(path):
            for name in defined(run('nm', '-D', '--defined-only', path).stdout):
                if not name.startswith('veil_'):
                    yield f'{os.path.basename(path)} exports {name}'
    for path in glob.glob(f'{tree.build}/lib/*/lib*.a'):
        layer = path.split('/')[-2]
        stems = [os.path.basename(p)[:-2] for p in tree.files('.c') if p.startswith(f'lib/{layer}/')]
        for name in bad_names(defined(run('nm', '-g', '--defined-only', path).stdout), layer, stems):
            yield f'lib/{layer}: {name} does not begin with its layer or file'


def secret_names(nm_output):
    return re.findall(r'\b(\w*secret_\w*)$', nm_output, re.M)


def secrets(tree):
    """The server's programs hold no code that touches a secret."""
    for program in glob.glob(f'{tree.build}/server/*/veil*'):
        if os.path.isfile(program) and os.access(program, os.X_OK):
            names = [n for n in secret_names(run('nm', program).stdout) if not n.startswith('arena_init_secret')]
            if names:
                yield f'{os.path.basename(program)} contains {", ".join(names[:5])}'


# A header for one instruction set needs its flags, as the files that include it do.
ISA_FLAGS = {'avx2': ['-mavx2'], 'avx512': ['-mavx512f', '-mavx512bw', '-mavx512dq', '-mavx512vl', '-mavx512ifma']}


def header_commands(tree, path):
    include = ['-Iinclude'] if path.startswith('include/') else [
        '-Iinclude', '-Ilib', '-Iserver', '-Iclient', '-Itests', f'-I{tree.build}/lib', f'-I{tree.build}/lib/wire']
    include += [flag for isa in ISA_FLAGS if isa in os.path.basename(path) for flag in ISA_FLAGS[isa]]
    flags = ['-Wall', '-Wextra', '-Werror', '-fsyntax-only', '-D_GNU_SOURCE', *include, '-include', path]
    yield ['gcc', '-std=gnu17', *flags, '-x', 'c', '/dev/null']
    if path.startswith('include/'):
        yield ['gcc', '-std=c17', '-pedantic', *flags, '-x', 'c', '/dev/null']
        yield ['g++', '-std=c++17', '-pedantic', *flags, '-x', 'c++', '/dev/null']


def first_error(output):
    return next((line for line in output.splitlines() if 'error:' in line), output[:200])


def headers(tree):
    """Each header compiles alone; those of include/veil as C17 and C++17 too."""
    for path in tree.files('.h'):
        if path.endswith(BODY):
            continue
        for command in header_commands(tree, path):
            result = run(*command, cwd=tree.root)
            if result.returncode:
                yield f'{path}: {" ".join(command[:2])}: {first_error(result.stdout)}'


def format(tree):
    """clang-format would change nothing."""
    paths = tree.files('.c', '.h', '.cpp')
    for start in range(0, len(paths), 40):
        result = run('clang-format', '--dry-run', '-Werror', *paths[start:start + 40], cwd=tree.root)
        for path in sorted(set(re.findall(r'^([^\s:]+):\d+:\d+: error', result.stdout, re.M))):
            yield f'{path}: not formatted (./dev fmt)'
        if result.returncode and 'error:' not in result.stdout:
            yield f'clang-format: {result.stdout[:200]}'


RULES = [symbols, secrets, headers, format]
