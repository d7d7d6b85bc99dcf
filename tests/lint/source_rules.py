# SPDX-License-Identifier: Apache-2.0
"""Rules about the text of the tree. A rule takes a Tree and yields one sentence for each offence."""
import re

CODE = ('.c', '.h', '.cpp')
SCRIPTS = ('.py', '.sh')
BODY = '_body.h'  # code that a .c file includes once for each width
MAX_LINES = 500
MAX_HEADER_LINES = 200

# A third-party header has owner files; a prefix ending in / is a folder.
OWNERS = {
    'microhttpd.h': ['server/kit/http'],
    'curl/': ['client/sdk/transport_http.c', 'server/relay/forward.c'],
    'openssl/': ['lib/base/hash.c', 'lib/base/rng.c', 'lib/base/drbg.c', 'lib/ohttp/crypto.c',
                 'tests/unit/base/test_drbg.c'],
    'sodium': ['lib/base/'],
    'valgrind/': ['lib/base/ct.c', 'tests/ctime/'],
    'sanitizer/': ['lib/base/ct.c', 'tests/ctime/'],
    'protobuf-c/': ['lib/wire/'],
    'jansson.h': ['lib/store/manifest', 'lib/index/jsonl.c', 'lib/index/pairs_jsonl.c', 'client/cli/output', 'client/cli/agent.c',
                  'client/demo/', 'server/build/report', 'tests/'],
    'lmdb.h': ['lib/index/pairs_lmdb.c'],
    'ini.h': ['server/kit/config.c'],
    'opencv2/': ['client/sdk/embed_opencv.cpp'],
    'onnxruntime': ['client/sdk/embed_onnxruntime.c'],
    'png.h': ['client/sdk/image_png.c', 'tests/'],
    'turbojpeg.h': ['client/sdk/image_jpeg.c', 'tests/'],
    'webp/': ['client/sdk/image_webp.c', 'tests/'],
    'immintrin.h': ['lib/kernels/', 'lib/base/cpu.c', 'tests/bench/'],
    'simde/': ['tests/'],
    'criterion/': ['tests/'],
}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+([<"])([^>"]+)[>"]', re.M)


def read_layers(tree):
    """lib/LAYERS: {layer: set of the layers it may include}."""
    layers = {}
    for line in tree.text('lib/LAYERS').splitlines():
        line = line.split('#')[0]
        if ':' in line:
            name, allowed = line.split(':')
            layers[name.strip()] = set(allowed.split())
    return layers


def layer_of(path):
    parts = path.split('/')
    if parts[0] == 'lib' and len(parts) > 2:
        return parts[1]
    return parts[0] if parts[0] in ('server', 'client') else None


def owned(path, owners):
    return any(path.startswith(o) for o in owners)


def layers(tree):
    """Dependencies point down: lib/LAYERS, and one owner for each third-party header."""
    allowed = read_layers(tree)
    for path in tree.files(*CODE):
        here = layer_of(path)
        if path.startswith('lib/') and here not in allowed:
            yield f'{path}: lib/LAYERS has no layer "{here}"'
            continue
        for match in INCLUDE.finditer(tree.text(path)):
            name = match[2]
            for prefix, owners in OWNERS.items():
                if name.startswith(prefix) and not owned(path, owners):
                    yield f'{path}: only {", ".join(owners)} may include {name}'
            if match[1] == '"' and here:
                yield from check_include(path, here, name, allowed)


def check_include(path, here, name, allowed):
    target = name.split('/')[0] if '/' in name else None
    if path.startswith('client/cli/') and target in allowed:
        yield f'{path}: client/cli uses include/veil only, not {name}'
    elif path.startswith('lib/') and target is None and not name.endswith('.pb-c.h'):  # generated
        yield f'{path}: name the layer in #include "{name}"'
    elif target in ('tests', 'support', 'bench') or {here, target} == {'server', 'client'}:
        yield f'{path}: {here} may not include {name}'
    elif target in allowed and target != here and target not in allowed[here]:
        yield f'{path}: {here} may not include {name} (lib/LAYERS)'


def size(tree):
    """No file above 500 lines, no header above 200: split it by noun."""
    for path in tree.files(*CODE, *SCRIPTS):
        lines = tree.text(path).count('\n')
        limit = MAX_HEADER_LINES if path.endswith('.h') and not path.endswith(BODY) else MAX_LINES
        if lines > limit:
            yield f'{path}: {lines} lines, limit {limit}'


# What the compiler cannot refuse (lib/base/banned.h does the rest): where, what, why.
BANNED = [
    ('lib/', r'#\s*include\s*<(pthread|threads|stdatomic|signal)\.h>', 'lib/ starts no thread and takes no lock'),
    ('lib/', r'\b(printf|puts|putchar|perror|exit|_exit)\s*\(', 'lib/ returns a status and prints nothing'),
    ('lib/secret/', r'\b(memcmp|qsort|rand_r)\s*\(', 'takes another time for other secrets: see base/ct.h'),
    ('', r'\b(system|popen|setjmp|longjmp|scanf|vfork)\s*\(', 'banned everywhere'),
    ('', r'\b(TODO|FIXME|XXX|HACK)\b', 'finish it or file an issue'),
    ('', r'\btypedef\s+(struct|union|enum)\b', 'structs, unions and enums keep their tag'),
]


def without_comments(text):
    blank = lambda m: re.sub(r'[^\n]', ' ', m[0])
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', blank, text, flags=re.S)


def banned(tree):
    """Functions, headers and words that do not belong."""
    for path in tree.files(*CODE):
        whole = tree.text(path)
        code = without_comments(whole)
        for where, pattern, why in BANNED:
            if not path.startswith(where) or path == 'lib/base/require.c':
                continue
            for match in re.finditer(pattern, whole if 'TODO' in pattern else code):
                line = whole.count('\n', 0, match.start()) + 1
                yield f'{path}:{line}: {match[0].strip()}: {why}'
    if '-include' not in tree.text('meson.build') or 'banned.h' not in tree.text('meson.build'):
        yield 'meson.build: lib/base/banned.h is not forced into every file'


def spdx(tree):
    """Every source file says its licence in its first two lines."""
    for path in tree.files(*CODE, *SCRIPTS, 'dev', '.ci/run', '.proto', '.def'):
        if 'SPDX-License-Identifier: Apache-2.0' not in ''.join(tree.text(path).splitlines(True)[:2]):
            yield f'{path}: no SPDX line'


MACHINE = re.compile(r'(?<![\w./])/(?:work|home|Users|root)/\w|/tmp/(?:wt|land)\b')
HOSTS = re.compile(r'\b(?:(?:deb|security)\.debian\.org|registry\.npmjs\.org|pypi\.org|files\.pythonhosted\.org|'
                   r'proxy\.golang\.org|crates\.io|repo1\.maven\.org)\b')


def machine(tree):
    """No path of somebody's machine, no registry host."""
    for path in tree.files():
        if path.startswith('tests/lint/') or not tree.is_text(path):
            continue
        for number, line in enumerate(tree.text(path).splitlines(), 1):
            if MACHINE.search(line) or HOSTS.search(line):
                yield f'{path}:{number}: a path or host of one machine: {line.strip()[:80]}'


FIGURE = re.compile(r'\d\s?(?:us|µs|ms|GB/s|MB/s|Gcoef/s|queries/s)\b')
COMMAND = re.compile(r'\./dev \w|\bbuild/')


def figures(tree):
    """A measured figure in README.md or docs/performance.md stands in a section that shows its command."""
    for path in ('README.md', 'docs/performance.md'):
        if not tree.has(path):
            continue
        for section in re.split(r'^(?=#+ )', tree.text(path), flags=re.M):
            if FIGURE.search(section) and not COMMAND.search(section):
                yield f'{path}: "{section.splitlines()[0]}" has figures and no command that gives them'


RULES = [layers, size, banned, spdx, machine, figures]
