#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""index_cli.py VEIL_INDEX [--long]: veil-index from outside: what it builds is recomputed from its input, what it refuses it names,
and whoever kills it leaves a whole index behind."""
import array
import json
import math
import os
import random
import resource
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAM = None
LONG = False
ROWS, DIM = 700, 24
NO_RECORD = 0xffffffff


def make_rows(rows=ROWS, dim=DIM, seed=1):
    rng = random.Random(seed)
    middles = [[rng.gauss(0, 1) for _ in range(dim)] for _ in range(9)]
    return [array.array('f', [m + 0.7 * rng.gauss(0, 1) for m in middles[i % 9]]) for i in range(rows)]


def fvecs(rows):
    return b''.join(struct.pack('<i', len(r)) + array.array('f', r).tobytes() for r in rows)


def npy(rows):
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({len(rows)}, {len(rows[0])}), }}\n".encode()
    return b'\x93NUMPY\x01\x00' + struct.pack('<H', len(header)) + header + b''.join(r.tobytes() for r in rows)


def jsonl(rows, name=lambda i: f'n{i}'):
    return ''.join(json.dumps({'id': i, 'vector': list(r), 'name': name(i)}) + '\n' for i, r in enumerate(rows)).encode()


def unit(row):
    norm = math.sqrt(sum(x * x for x in row))
    return [x / norm for x in row]


class Version:
    """The version in force, read by the book (docs/index-format.md)."""

    def __init__(self, directory):
        with open(os.path.join(directory, 'current'), encoding='ascii') as f:
            self.path = os.path.join(directory, f.read().strip())
        self.manifest = m = json.loads(self.read('manifest.json'))
        codebook = self.read('codebook.bin')
        assert codebook[:8] == b'VEILCBK1' and struct.unpack('<II', codebook[8:16]) == (m['shards'], m['dim'])
        values = struct.unpack(f'<{m["shards"] * m["dim"]}f', codebook[16:])
        self.centroids = [values[i:i + m['dim']] for i in range(0, len(values), m['dim'])]
        self.shards = [self.shard(i) for i in range(m['shards'])]

    def read(self, name):
        with open(os.path.join(self.path, name), 'rb') as f:
            return f.read()

    def shard(self, i):
        """[(record, name, row)] of the rows in use."""
        m, used = self.manifest, self.manifest['shard'][i]['used']
        rows, labels = self.read(f'shard-{i:05}.bin'), self.read(f'labels-{i:05}.bin')
        assert rows[:24] == b'VEILSHD1' + struct.pack('<IIII', i, m['rows'], m['dim'], used)
        assert labels[:24] == b'VEILLBL1' + struct.pack('<IIII', i, m['rows'], m['label_bytes'], used)
        rows, labels, width = rows[64:], labels[64:], m['label_bytes']
        assert rows[used * m['dim']:] == bytes((m['rows'] - used) * m['dim'])
        assert labels[used * width:] == (b'\xff' * 4 + bytes(width - 4)) * (m['rows'] - used)
        return [(struct.unpack_from('<I', labels, r * width)[0],
                 labels[r * width + 4:(r + 1) * width].rstrip(b'\0').decode(),
                 array.array('b', rows[r * m['dim']:(r + 1) * m['dim']])) for r in range(used)]


class Cli(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)

    def path(self, name):
        return os.path.join(self.directory.name, name)

    def write(self, name, data):
        with open(self.path(name), 'wb') as f:
            f.write(data)
        return self.path(name)

    def run_program(self, *args, **more):
        return subprocess.run([PROGRAM, *args], capture_output=True, text=True, timeout=300, check=False, **more)

    def build(self, source, output, *args):
        r = self.run_program('build', '--input', source, '--output', self.path(output), '--json', *args)
        self.assertEqual(r.returncode, 0, r.stderr)
        return json.loads(r.stdout)

    def verify(self, output):
        return self.run_program('verify', self.path(output))

    def refused(self, status, words, *args):
        r = self.run_program(*args)
        self.assertEqual(r.returncode, status, r.stdout + r.stderr)
        for word in words:
            self.assertIn(word, r.stderr)
        self.assertEqual(r.stdout, '')
        self.assertEqual(r.stderr.count('\n'), 1)

    def check_content(self, rows, output, names, closure, copies):
        version = Version(self.path(output))
        m = version.manifest
        units = [unit(r) for r in rows]
        scale = 127 / max(abs(x) for r in units for x in r)
        self.assertAlmostEqual(m['scale'], scale, delta=1e-4 * scale)
        where = {}
        for s, shard in enumerate(version.shards):
            for record, name, row in shard:
                where.setdefault(record, []).append(s)
                self.assertEqual(name, names(record).encode()[:m['label_bytes'] - 4].decode(errors='ignore'))
                for got, want in zip(row, units[record]):
                    self.assertLess(abs(got - want * m['scale']), 0.501)
                self.assertLessEqual(sum(x * x for x in row), m['row_norm'] ** 2)
        self.assertEqual(sorted(where), list(range(len(rows))))
        for record, shards in where.items():
            self.assertLessEqual(len(shards), copies)
            self.assertEqual(len(set(shards)), len(shards))
            far = [math.dist(units[record], c) for c in version.centroids]
            if far.index(min(far)) in shards:
                for s in shards:
                    self.assertLessEqual(far[s], closure * min(far) * 1.0001)

    def test_what_is_built_follows_from_the_input(self):
        rows = make_rows()
        source = self.write('a.fvecs', fvecs(rows))
        names = self.write('names.tsv', ''.join(f'{i}\tré{i} of many\n' for i in range(ROWS)).encode())
        for args, closure, copies, replication in (
                (('--shards', '9'), 1.1, 8, 2), (('--shards', '9', '--replication', '1'), 1.1, 8, 1),
                (('--shards', '30', '--closure=1.5', '--max-copies', '3', '--label-bytes=24'), 1.5, 3, 2)):
            report = self.build(source, 'index', '--names', names, *args)
            self.check_content(rows, 'index', lambda i: f'ré{i} of many', closure, copies)
            self.assertEqual(self.verify('index').returncode, 0)
            self.assertEqual((report['rows'], report['dim']), (ROWS, DIM))
            self.assertLessEqual(report['rows_stored'], replication * ROWS)
            stored = report['rows_per_shard'] * report['shards']
            self.assertLessEqual(stored, max(replication, 1.1) * ROWS + report['shards'])
            self.assertEqual(stored, report['rows_on_disk'])
            self.assertLessEqual(stored, 1.1 * report['rows_stored'])
            info = json.loads(self.run_program('info', self.path('index'), '--json').stdout)
            self.assertEqual({k: report[k] for k in info}, info)
        text = self.run_program('info', self.path('index')).stdout
        self.assertIn('700 of dimension 24', text)

    def test_all_forms_of_input_give_the_same_index_whatever_the_threads(self):
        rows = make_rows()
        ids = [self.build(self.write('a' + end, data), end[1:], '--name', 'x', '--shards', '5', '--threads', threads)['id']
               for end, data, threads in (('.fvecs', fvecs(rows), '1'), ('.npy', npy(rows), '3'),
                                          ('.jsonl', jsonl(rows, lambda i: ''), '2'))]
        self.assertEqual(len(set(ids)), 1)
        other = self.build(self.path('a.npy'), 'npy', '--name', 'x', '--shards', '5', '--seed', '2')['id']
        self.assertNotEqual(other, ids[0])

    def test_defaults(self):
        report = self.build(self.write('a.fvecs', fvecs(make_rows())), 'one')
        self.assertEqual((report['shards'], report['rows_per_shard'], report['padding']), (1, ROWS, 0))
        self.assertEqual((report['label_bytes'], report['params'], report['name']), (16, 'search_n2048_q28', 'a.fvecs'))
        rng = random.Random(3)
        many = array.array('b', (rng.randrange(-99, 99) for _ in range(8000 * 128)))
        header = b"{'descr': '|i1', 'fortran_order': False, 'shape': (8000, 128), }\n"
        many = b'\x93NUMPY\x01\x00' + struct.pack('<H', len(header)) + header + many.tobytes()
        report = self.build(self.write('b.npy', many), 'many')
        self.assertEqual((report['shards'], report['terms']), (4, 16))
        self.assertLessEqual(report['rows_per_shard'], 4096)
        self.assertLessEqual(report['query_bytes'], 96 << 10)
        report = self.build(self.path('b.npy'), 'exact', '--params', 'search_n2048_q38_exact', '--label-bytes', '0')
        self.assertEqual((report['label_bytes'], report['terms']), (0, 16))
        self.assertGreater(report['scale'], 300)  # less than 127 / max, so that scores decode
        self.assertFalse([f for f in os.listdir(self.path('exact') + '/v' + report['id'][:16]) if f.startswith('labels')])
        self.assertEqual(self.verify('exact').returncode, 0)

    def test_bad_rows_are_named_and_the_old_version_stays(self):
        rows = make_rows(50)
        report = self.build(self.write('good.fvecs', fvecs(rows)), 'index')

        def bad(at, row):
            return rows[:at] + [row] + rows[at + 1:]
        lines = jsonl(rows).splitlines(True)
        for name, data, words in (
                ('nan.fvecs', fvecs(bad(17, array.array('f', [math.nan] * DIM))), ('row 17', 'NaN')),
                ('inf.npy', npy(bad(3, array.array('f', [math.inf] * DIM))), ('row 3', 'infinite')),
                ('zero.fvecs', fvecs(bad(49, array.array('f', [0] * DIM))), ('row 49', 'zero')),
                ('dim.fvecs', fvecs(bad(20, array.array('f', [1] * (DIM + 1)))), ('row 20', 'dimension 25')),
                ('cut.fvecs', fvecs(rows)[:-1], ('row 49', 'truncated')),
                ('empty.fvecs', b'', ('empty', 'no rows')),
                ('empty.jsonl', b'', ('empty', 'no rows')),
                ('dim.jsonl', b''.join(lines[:5]) + b'{"id": "x", "vector": [1]}\n', ('row 5 (line 6)', 'dimension 1')),
                ('twice.jsonl', b''.join(lines + lines[7:8]), ('row 50 (line 51)', '"7"', 'row 7 (line 8)')),
                ('more.npy', npy(rows) + b'x', ('1 bytes follow the last row',)),
                ('missing.npy', None, ('No such file',)),
                ('what.txt', b'1 2 3\n', ('unknown ending',))):
            if data is not None:
                self.write(name, data)
            for output in ('index', 'fresh'):
                self.refused(1, (name, *words), 'build', '--input', self.path(name), '--output', self.path(output))
        self.assertFalse(os.path.exists(self.path('fresh')))
        self.assertEqual(json.loads(self.run_program('info', self.path('index'), '--json').stdout)['id'], report['id'])

    def test_nonsense_options_are_named(self):
        source = self.write('a.fvecs', fvecs(make_rows(50)))
        base = ('build', '--input', source, '--output', self.path('index'))
        for option, *values in (('--shards', '0', '-1', 'x', '1.5', '1048577', '99999999999999999999'),
                                ('--terms', '0', '4097'), ('--params', 'nothing', ''),
                                ('--replication', '0.9', 'nan', 'inf', '-2', '17'), ('--closure', '0.99', 'x', '1e9'),
                                ('--max-copies', '0', '9'), ('--label-bytes', '1', '3', '25', '-4'), ('--seed', '-1', 'x'),
                                ('--keep', '65', '-1'), ('--memory', '0', '-1', '1', 'x', '1.5G', '1P', '2T', '5MB', 'G', '9' * 16), ('--threads', '0', '257'), ('--name', 'a\x1bb', 'n' * 128)):
            for value in values:
                self.refused(2, (option,), *base, option, value)
        self.refused(2, ('1..1048576',), *base, '--shards', '0')
        self.refused(2, ('--colour',), *base, '--colour', 'red')
        self.refused(2, ('stray',), *base, 'stray')
        self.refused(2, ('--seed', 'needs a value'), *base, '--seed')
        self.refused(2, ('--json',), *base, '--json=yes')
        self.refused(2, ('--input',), 'build', '--output', self.path('index'))
        self.refused(2, ('--output',), 'build', '--input', source)
        self.refused(2, ('--names', '--label-bytes'), *base, '--names', source, '--label-bytes', '4')
        self.refused(2, ('nonsense',), 'nonsense')
        self.refused(2, ('directory',), 'info')
        self.refused(2, ('--json',), 'verify', self.path('index'), '--json')
        self.refused(1, ('--shards 51', '50 rows'), *base, '--shards', '51')
        self.refused(1, ('--terms 25',), *base, '--terms', '25')
        self.refused(1, ('insecure',), *base, '--params', 'insecure_search_n64_q28')
        self.assertFalse(os.path.exists(self.path('index')))
        self.assertEqual(self.run_program().returncode, 2)
        for command in ((), ('build',), ('info',), ('verify',)):
            r = self.run_program(*command, '--help')
            self.assertEqual((r.returncode, r.stderr), (0, ''))
            self.assertIn('veil-index', r.stdout)
            self.assertEqual(self.run_program(*command, '-h').stdout, r.stdout)

    def test_verify_and_info_name_the_broken_file(self):
        self.build(self.write('a.fvecs', fvecs(make_rows(60))), 'index', '--shards', '2')
        version = Version(self.path('index')).path
        for name in os.listdir(version):
            file = os.path.join(version, name)
            with open(file, 'rb') as f:
                whole = f.read()
            middle = len(whole) // 2
            for broken in (whole[:middle] + bytes([whole[middle] ^ 4]) + whole[middle + 1:], whole[:-1], whole + b'\0', b'', None):
                os.remove(file)
                if broken is not None:
                    with open(file, 'wb') as f:
                        f.write(broken)
                for command in ('verify', 'info'):
                    self.refused(1, (name,), command, self.path('index'))
                with open(file, 'wb') as f:
                    f.write(whole)
            self.assertEqual(self.verify('index').returncode, 0)
        self.refused(1, ('no index',), 'verify', self.directory.name)
        self.assertEqual(self.verify('nowhere').stderr.count('nowhere'), 1)
        self.refused(1, ('nowhere',), 'info', self.path('nowhere'))

    def test_output_that_cannot_be_written_is_an_error(self):
        self.build(self.write('a.fvecs', fvecs(make_rows(50))), 'index')
        for args in (('info', self.path('index')), ('info', self.path('index'), '--json'), ('verify', self.path('index')),
                     ('--help',), ('build', '--help'), ('--version',)):
            with self.subTest(args=args), open('/dev/full', 'w', encoding='ascii') as full:
                r = subprocess.run([PROGRAM, *args], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
                self.assertEqual(r.returncode, 1)
                self.assertIn('could not all be written', r.stderr)

    def test_a_directory_of_other_things_is_left_alone(self):
        source = self.write('a.fvecs', fvecs(make_rows(50)))
        self.refused(1, (self.directory.name, 'a.fvecs'), 'build', '--input', source, '--output', self.directory.name)
        self.assertEqual(os.listdir(self.directory.name), ['a.fvecs'])

    def test_a_full_disk_is_told_and_the_old_version_stays(self):
        rows = make_rows(2000)
        small = self.write('small.fvecs', fvecs(rows[:50]))
        large = self.write('large.fvecs', fvecs(rows))
        report = self.build(small, 'index')

        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))
        r = self.run_program('build', '--input', large, '--output', self.path('index'), preexec_fn=limit)
        self.assertEqual(r.returncode, 1)
        self.assertIn('shard-00000.bin: File too large', r.stderr)
        self.assertEqual(json.loads(self.run_program('info', self.path('index'), '--json').stdout)['id'], report['id'])
        self.assertFalse(os.path.exists(self.path('index/building')))

    def test_a_killed_build_leaves_the_old_or_the_new_version(self):
        rng = random.Random()
        rows = make_rows(3000)
        sources = [self.write(f'{i}.fvecs', fvecs(rows[i * 1000:])) for i in (0, 1)]
        ids = [self.build(s, 'index', '--shards', '20')['id'] for s in sources]
        start = time.monotonic()
        self.build(sources[0], 'index', '--shards', '20')
        took = time.monotonic() - start
        seen = {0: 0, 1: 0}
        for i in range(60 if LONG else 12):
            child = subprocess.Popen([PROGRAM, 'build', '--input', sources[(i + 1) % 2], '--shards', '20', '--output',
                                      self.path('index'), '--json'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(rng.random() * took * 1.1)
            child.kill()
            child.wait()
            r = self.verify('index')
            self.assertEqual(r.returncode, 0, r.stderr)
            now = json.loads(self.run_program('info', self.path('index'), '--json').stdout)['id']
            self.assertIn(now, ids)
            seen[ids.index(now) != i % 2] += 1
            self.assertEqual(self.build(sources[(i + 1) % 2], 'index', '--shards', '20')['id'], ids[(i + 1) % 2])
            left = sorted(os.listdir(self.path('index')))
            self.assertEqual(left, ['current', 'lock', 'previous'] + sorted('v' + i[:16] for i in ids))
        print(f'# kills: the old version {seen[0]} times, the new one {seen[1]} times', file=sys.stderr)

    @unittest.skipUnless('--long' in sys.argv, 'long')
    def test_a_hundred_thousand_rows(self):
        header = b"{'descr': '|i1', 'fortran_order': False, 'shape': (100000, 128), }\n"
        data = b'\x93NUMPY\x01\x00' + struct.pack('<H', len(header)) + header + random.Random(5).randbytes(12800000)
        start = time.monotonic()
        report = self.build(self.write('a.npy', data), 'index', '--threads', '1')
        self.assertLess(time.monotonic() - start, 120)
        self.assertLessEqual(report['rows_per_shard'], 4096)
        self.assertEqual(self.verify('index').returncode, 0)


if __name__ == '__main__':
    PROGRAM = os.path.abspath(sys.argv[1])
    LONG = '--long' in sys.argv
    unittest.main(argv=sys.argv[:1], verbosity=1)
