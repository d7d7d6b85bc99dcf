#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""emoji.py LIBRARY SOURCE FOLDER [--every N] [SET=DRAWINGS=VECTORS ...]: every drawing that tests/data/emoji was made from, as the library
LIBRARY (libveil.so) embeds it, against the vector on record for it: cosine at least 0.9999. The drawings come by npm, into FOLDER, once;
where they cannot be had: exit status 77 (skipped). --every N: only each Nth. SET=DRAWINGS=VECTORS: another folder of PNG files,
named as emoji-datasource does, and its .fvecs or .npy."""
import ctypes
import json
import math
import os
import struct
import subprocess
import sys

LEAST = 0.9999
SKIPPED = 77
DIM = 128
SETS = ('google', 'twitter')
VERSION = '16.0.0'


def install(folder):
    """The packages' folder, by name from npm if it is not there."""
    packages = [f'emoji-datasource-{name}@{VERSION}' for name in SETS]
    done = os.path.join(folder, 'complete')
    if not os.path.exists(done):
        os.makedirs(folder, exist_ok=True)
        try:
            subprocess.run(['npm', 'install', '--prefix', folder, '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', *packages],
                           check=True, timeout=600, stdout=subprocess.DEVNULL)
        except (OSError, subprocess.SubprocessError) as error:
            print(f'skipped: npm gives no drawings: {error}', file=sys.stderr)
            sys.exit(SKIPPED)
        with open(done, 'w', encoding='ascii'):
            pass
    return os.path.join(folder, 'node_modules')


def read_vectors(path):
    with open(path, 'rb') as f:
        data = f.read()
    if path.endswith('.fvecs'):
        size = 4 + 4 * DIM
        return [struct.unpack_from(f'<{DIM}f', data, at + 4) for at in range(0, len(data), size)]
    at = 10 + struct.unpack_from('<H', data, 8)[0]
    kind, size = ('e', 2) if b"'<f2'" in data[:at] else ('f', 4)
    return [struct.unpack_from(f'<{DIM}{kind}', data, i) for i in range(at, len(data), DIM * size)]


def cosine(a, b):
    return sum(x * y for x, y in zip(a, b)) / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))


class Embedder:
    def __init__(self, library):
        self.veil = ctypes.CDLL(library)
        self.error = ctypes.create_string_buffer(4096)  # struct veil_error: a text
        self.handle = ctypes.c_void_p()
        if self.veil.veil_embedder_create(ctypes.byref(self.handle), self.error):
            sys.exit(self.error.value.decode())

    def embed(self, path):
        vector = (ctypes.c_float * DIM)()
        if self.veil.veil_embedder_embed_file(self.handle, vector, DIM, path.encode(), self.error):
            sys.exit(self.error.value.decode())
        return vector


def compare(embedder, rows, drawings, vectors):
    found = []
    for row, image in rows:
        path = os.path.join(drawings, image)
        if os.path.exists(path):
            found.append((cosine(embedder.embed(path), vectors[row]), image))
    return found


def main():
    arguments = sys.argv[1:]
    every = 1
    if '--every' in arguments:
        at = arguments.index('--every')
        every = int(arguments[at + 1])
        del arguments[at:at + 2]
    library, source, folder, *more = arguments
    emoji = os.path.join(source, 'tests/data/emoji')
    modules = install(folder)
    with open(os.path.join(modules, 'emoji-datasource-google/emoji.json'), encoding='utf-8') as f:
        images = {entry['short_name']: entry['image'] for entry in json.load(f)}
    with open(os.path.join(emoji, 'labels.tsv'), encoding='utf-8') as f:
        rows = [line.split('\t') for line in f.read().splitlines()[1:]]
    rows = [(int(row[0]), images[row[1]]) for row in rows][::every]
    sets = [(name, os.path.join(modules, f'emoji-datasource-{name}/img/{name}/64'), os.path.join(emoji, name + '.npy'))
            for name in SETS] + [tuple(text.split('=')) for text in more]
    embedder = Embedder(library)
    bad = 0
    for name, drawings, vectors in sets:
        found = compare(embedder, rows, drawings, read_vectors(vectors))
        if not found:
            sys.exit(f'{name}: no drawing in {drawings}')
        least, image = min(found)
        below = sum(value < LEAST for value, _ in found)
        print(f'{name}: {len(found)} of {len(rows)} drawings, cosine at least {least:.6f} ({image}), '
              f'mean {sum(value for value, _ in found) / len(found):.7f}, {below} below {LEAST}')
        bad += below + (len(found) < len(rows) and name in SETS)
    sys.exit(bad > 0)


if __name__ == '__main__':
    main()
