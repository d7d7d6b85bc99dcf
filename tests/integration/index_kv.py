#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""index_kv.py VEIL_INDEX KILLS: collections from outside: what is built and changed, what is refused and by which name, and what
whoever kills a builder leaves behind."""
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAM, KILLS = None, 0


def rows(count, size=20):
    return ''.join(f'key {i}\t{str(i) * size}'[:size + 10] + '\n' for i in range(count))


class Kv(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = directory.name

    def path(self, *names):
        return os.path.join(self.directory, *names)

    def write(self, name, text):
        with open(self.path(name), 'wb') as f:
            f.write(text if isinstance(text, bytes) else text.encode())
        return self.path(name)

    def run_it(self, *args):
        return subprocess.run([PROGRAM, *args], capture_output=True, text=True, timeout=300, check=False)

    def build(self, source, *args, command='build-kv'):
        r = self.run_it(command, '--input', source, '--output', self.path('c'), '--json', *args)
        self.assertEqual(r.returncode, 0, r.stderr)
        return json.loads(r.stdout)

    def refused(self, *args, says, code=1):
        r = self.run_it(*args)
        self.assertEqual(r.returncode, code, r.stdout + r.stderr)
        self.assertEqual(r.stdout, '')
        self.assertIn(says, r.stderr)

    def version(self):
        with open(self.path('c', 'current'), encoding='ascii') as f:
            return self.path('c', f.read().strip())

    def test_a_collection_is_built_changed_and_described(self):
        source = self.write('a.tsv', rows(500))
        built = self.build(source)
        self.assertEqual((built['kind'], built['access'], built['records'], built['epoch']), ('kv', 'key', 500, 1))
        self.assertEqual(built['class'][0]['chunks'], 1)
        changed = self.build(self.write('u.jsonl', '{"key": "key 1", "value": "x"}\n{"key": "key 2", "gone": true}\n'),
                             command='update-kv')
        self.assertEqual((changed['base_epoch'], changed['epoch'], changed['changes']), (1, 2, 2))
        before = self.path('c', 'v' + built['id'][:16])
        for name in ('table-00-00000.bin', 'material-00-00000.bin', 'static-00.bin'):  # of the base: the same files
            self.assertTrue(os.path.samefile(os.path.join(before, name), os.path.join(self.version(), name)), name)
        told = json.loads(self.run_it('info', self.path('c'), '--json').stdout)
        self.assertEqual(told, {key: changed[key] for key in told})
        self.assertIn('asked by key', self.run_it('info', self.path('c')).stdout)
        self.assertIn('is whole: 2 tables, 500 records', self.run_it('verify', self.path('c')).stdout)
        again = self.build(source)
        self.assertEqual((again['base_epoch'], again['epoch']), (3, 3))

    def test_classes_numbers_and_long_values(self):
        big = self.write('big.jsonl', json.dumps({'key': 'k', 'value': 'x' * (1 << 20)}) + '\n' +
                         json.dumps({'key': 'j', 'value': 'y'}) + '\n')
        built = self.build(big, '--classes', '16,1048576/256', '--no-delta')
        self.assertEqual([(c['value_bytes'], c['chunks'], 'delta' in c) for c in built['class']],
                         [(16, 1, False), (1 << 20, 256, False)])
        built = self.build(self.write('n.tsv', 'one\ntwo\nthree\n'), '--number', '--keys', '3')
        self.assertEqual((built['access'], built['records'], built['keys']), ('number', 3, 3))
        self.build(self.write('u.tsv', '2\tTHREE\n'), command='update-kv')
        for key in '3', '02', '00', '-1', '2 ', '':
            self.refused('update-kv', '--input', self.write('v.tsv', f'{key}\tx\n'), '--output', self.path('c'),
                         says='line 1: key "%s": not the number of a record' % key if key else 'line 1')

    def test_what_cannot_be_is_refused_and_named(self):
        source, out = self.write('a.tsv', rows(40)), self.path('c')
        for args, says, code in (
                (('build-kv', '--output', out), '--input FILE is missing', 2),
                (('build-kv', '--input', source, '--output', out, '--classes', '20,10'), '--classes 20,10', 2),
                (('build-kv', '--input', source, '--output', out, '--keys', '65'), '--keys 65', 2),
                (('build-kv', '--input', source, '--output', out, '--shards', '6'), 'no such option', 2),
                (('update-kv', '--input', source, '--output', out, '--classes', '6'), 'no such option', 2),
                (('build-kv', '--input', source, '--output', out, '--memory', '40M'), 'needs', 1),
                (('build-kv', '--input', source, '--output', out, '--classes', '8'), 'key "key 0": its value has', 1),
                (('build-kv', '--input', self.path('none.tsv'), '--output', out), 'none.tsv', 1),
                (('build-kv', '--input', self.write('e.tsv', ''), '--output', out), 'e.tsv: empty', 1),
                (('build-kv', '--input', self.write('d.tsv', 'k\tv\nk\tv\n'), '--output', out), 'line 2: key "k"', 1),
                (('build-kv', '--input', self.write('x.mdb', 'no database'), '--output', out), 'x.mdb', 1),
                (('update-kv', '--input', source, '--output', out), 'no collection in it', 1)):
            if code == 2 and '--classes' in args and 'update-kv' not in args:
                code = 1
            self.refused(*args, says=says, code=code)
            self.assertFalse(os.path.exists(self.path('c', 'current')))
        self.build(source, '--no-delta')
        self.refused('update-kv', '--input', source, '--output', out, says='built with --no-delta')

    def test_changes_end_where_a_row_is_full(self):
        source = self.write('a.jsonl', json.dumps({'key': 'k', 'value': 'x' * 3000}) + '\n')
        before = self.build(source)['id']
        many = self.write('u.tsv', ''.join(f'other {i}\t{i}\n' for i in range(3000)))
        self.refused('update-kv', '--input', many, '--output', self.path('c'), says='build the collection anew')
        self.assertEqual(json.loads(self.run_it('info', self.path('c'), '--json').stdout)['id'], before)
        self.assertNotIn('building', os.listdir(self.path('c')))

    def test_lmdb_is_read(self):
        if not shutil.which('mdb_load'):
            self.skipTest('no mdb_load')
        dump = 'VERSION=3\nformat=bytevalue\ntype=btree\nHEADER=END\n' + ''.join(
            f' {f"key {i}".encode().hex()}\n {(f"value {i}" * 3).encode().hex()}\n' for i in sorted(range(300), key=str)) + 'DATA=END\n'
        subprocess.run(['mdb_load', '-n', self.path('a.mdb')], input=dump, text=True, check=True)
        built = self.build(self.path('a.mdb'))
        tsv = self.write('a.tsv', ''.join(f'key {i}\t{f"value {i}" * 3}\n' for i in sorted(range(300), key=str)))
        self.assertEqual(built['records'], 300)
        shutil.rmtree(self.path('c'))
        self.assertEqual(self.build(tsv, '--name', 'a.mdb')['id'], built['id'])

    def hashes(self):
        result = {}
        for name in os.listdir(self.version()):
            with open(os.path.join(self.version(), name), 'rb') as f:
                result[name] = hashlib.sha256(f.read()).hexdigest()
        return result

    def test_builds_and_updates_that_are_killed_leave_the_version_in_force_whole(self):
        rng = random.Random()
        source = self.write('a.tsv', rows(9000, 200))
        start = time.monotonic()
        self.build(source)
        took = time.monotonic() - start
        for i in range(KILLS):
            command, what = (('build-kv', source) if i % 2 else
                             ('update-kv', self.write('u.tsv', f'key {i}\tchanged {i}\nnew {i}\tvalue\n')))
            before = self.hashes()
            with subprocess.Popen([PROGRAM, command, '--input', what, '--output', self.path('c')], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL) as child:
                time.sleep(rng.uniform(0, took))
                child.send_signal(signal.SIGKILL)
            r = self.run_it('verify', self.path('c'))
            self.assertEqual(r.returncode, 0, r.stderr)
            if not os.path.exists(self.path('c', 'building')):
                continue
            self.assertEqual(self.hashes(), before)  # cut off: what was in force still is
        self.build(self.write('u.tsv', 'last\tone\n'), command='update-kv')
        self.assertNotIn('building', os.listdir(self.path('c')))


if __name__ == '__main__':
    PROGRAM, KILLS = sys.argv[1], int(sys.argv[2])
    unittest.main(argv=sys.argv[:1], verbosity=2)
