#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each lint is shown a tree that breaks its rule and must say so, and the same tree mended and must be silent."""
import os
import subprocess
import sys
import tempfile

import build_rules
from lint import RULES, Tree

SPDX = '/* SPDX-License-Identifier: Apache-2.0 */\n'
BASE = {
    'lib/LAYERS': 'base:\nring: base\nsecret: base ring\nserver: base ring\nclient: base ring secret\n',
    'meson.build': "add_project_arguments('-include', 'lib/base/banned.h')\n",
    '.clang-format': 'BasedOnStyle: LLVM\n',
}

# rule, file, text that breaks it, a word of the complaint, text that keeps it
CASES = [
    ('layers', 'lib/base/a.c', '#include "ring/poly.h"\n', 'base may not include', '#include "base/b.h"\n'),
    ('layers', 'server/search/a.c', '#include "secret/key.h"\n', 'server may not', '#include "ring/poly.h"\n'),
    ('layers', 'client/cli/a.c', '#include "ring/poly.h"\n', 'include/veil only', '#include "veil/client.h"\n'),
    ('layers', 'client/sdk/a.c', '#include "server/kit/x.h"\n', 'client may not', '#include "secret/key.h"\n'),
    ('layers', 'lib/ring/a.c', '#include "poly.h"\n', 'name the layer', '#include "ring/poly.h"\n'),
    ('layers', 'lib/new/a.c', '', 'no layer', None),
    ('layers', 'lib/ring/a.c', '#include <openssl/evp.h>\n', 'only lib/base/hash.c', '#include <stdint.h>\n'),
    ('layers', 'server/search/a.c', '  #  include <microhttpd.h>\n', 'only server/kit/http', ''),
    ('layers', 'client/sdk/a.cpp', '#include <opencv2/dnn.hpp>\n', 'only client/sdk/embed_opencv', ''),
    ('layers', 'client/sdk/a.c', '#include <onnxruntime_c_api.h>\n', 'only client/sdk/embed_onnxruntime', ''),
    ('size', 'lib/base/a.c', 'int a;\n' * 501, '501 lines', 'int a;\n' * 500),
    ('size', 'lib/base/a.h', 'int a;\n' * 201, 'limit 200', 'int a;\n' * 200),
    ('banned', 'lib/ring/a.c', '#include <pthread.h>\n', 'no thread', '/* #include <pthread.h> */\n'),
    ('banned', 'lib/ring/a.c', 'void f(void) { printf("x"); }\n', 'prints nothing', 'const char *s = "printf(";\n'),
    ('banned', 'lib/secret/a.c', 'int x = memcmp(a, b, 3);\n', 'another time', 'int x = ct_equal(a, b, 3);\n'),
    ('banned', 'client/cli/a.c', 'int x = system("ls");\n', 'banned everywhere', 'int x = file_system(1);\n'),
    ('banned', 'lib/ring/a.c', '/* TO' 'DO: more */\n', 'finish it', '/* done */\n'),
    ('banned', 'lib/ring/a.h', 'typedef struct x x;\n', 'keep their tag', 'struct x;\n'),
    ('banned', 'meson.build', "project('x')\n", 'not forced', BASE['meson.build']),
    ('spdx', 'lib/base/a.c', 'int a;\n', 'no SPDX', SPDX),
    ('machine', 'README.md', 'see /ho' 'me/me/veil\n', 'one machine', 'see https://example.org/home/me\n'),
    ('machine', '.ci/run', 'curl https://pypi' '.org/simple\n', 'one machine', 'curl http://127.0.0.1:1/\n'),
    ('figures', 'README.md', '# Fast\nanswers in 3 ms\n', 'no command', '# Fast\n`./dev bench nn`: 3 ms\n'),
    ('headers', 'lib/base/a.h', 'size_t f(void);\n', 'unknown type', '#include <stddef.h>\nsize_t f(void);\n'),
    ('headers', 'include/veil/a.h', 'void f(int class);\n', 'g++', 'void f(int kind);\n'),
    ('format', 'lib/base/a.c', 'int  a ;\n', 'not formatted', 'int a;\n'),
]


def plant(root, files):
    for name, text in files.items():
        path = os.path.join(root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w', encoding='utf-8') as f:
            f.write(text)


def offences(rule, files):
    with tempfile.TemporaryDirectory() as root:
        plant(root, files)
        return list(RULES[rule](Tree(root, root)))


def symbol_cases():
    """A library and a program that leak names, compiled here."""
    with tempfile.TemporaryDirectory() as root:
        plant(root, {**BASE, 'lib/ring/poly.c': 'int ring_a; int poly_b; int veil_c; int stray;\n',
                     'client/sdk/x.c': 'int veil_open; int ring_leak;\n',
                     'server/search/x.c': 'int secret_key_make(void) { return 0; }\nint main(void) { return 0; }\n'})
        for command in ('gcc -c lib/ring/poly.c -o poly.o', 'ar rc lib/ring/libring.a poly.o',
                        'gcc -shared -fPIC client/sdk/x.c -o client/sdk/libveil.so',
                        'gcc server/search/x.c -o server/search/veild'):
            subprocess.run(command.split(), cwd=root, check=True)
        tree = Tree(root, root)
        said = list(build_rules.symbols(tree)) + list(build_rules.secrets(tree))
    wanted = ['libveil.so exports ring_leak', 'lib/ring: stray', 'veild contains secret_key_make']
    failures = [f'symbols: nothing said of "{w}"' for w in wanted if not any(w in s for s in said)]
    if len(said) != len(wanted):
        failures.append(f'symbols: said too much: {said}')
    return failures


def main():
    failures = symbol_cases()
    for rule, name, bad, word, good in CASES:
        said = offences(rule, {**BASE, name: bad})
        if not any(word in s for s in said):
            failures.append(f'{rule}: {name}: {bad[:40]!r}: expected "{word}", heard {said}')
        if good is not None and offences(rule, {**BASE, name: good}):
            failures.append(f'{rule}: {name}: complains of {good[:40]!r}: {offences(rule, {**BASE, name: good})}')
    untested = set(RULES) - {c[0] for c in CASES} - {'symbols', 'secrets'}
    failures += [f'{rule}: no case' for rule in untested]
    for failure in failures:
        print(failure)
    print(f'{len(CASES) + 3} cases, {len(failures)} failures')
    sys.exit(bool(failures))


if __name__ == '__main__':
    main()
