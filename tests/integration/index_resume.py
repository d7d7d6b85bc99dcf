#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""index_resume.py VEIL_INDEX MAKE_VECTORS KILLS: a build is killed again and again, goes on, and ends in the same bytes as one that
nobody disturbed; what a dead build left is used only where it is whole and of the same input and options."""
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAM, MAKE_VECTORS, KILLS = None, None, 0
ROWS, DIM, SHARDS = 1200, 16, 48
RECORD, HEAD = 72, 40  # of the list of whole shards (lib/store/unfinished.h)


class Resume(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.directory.cleanup)
        cls.input = cls.path('a.npy')
        subprocess.run([MAKE_VECTORS, cls.input, str(ROWS), str(DIM)], check=True)
        start = time.monotonic()
        cls.want = {seed: cls.finish(f'whole{seed}', seed)[0]['id'] for seed in (1, 2)}
        cls.took = (time.monotonic() - start) / 2

    @classmethod
    def path(cls, *names):
        return os.path.join(cls.directory.name, *names)

    @classmethod
    def command(cls, output, seed):
        return [PROGRAM, 'build', '--input', cls.input, '--output', cls.path(output), '--shards', str(SHARDS), '--seed', str(seed),
                '--keep', '0', '--json']

    @classmethod
    def finish(cls, output, seed):
        r = subprocess.run(cls.command(output, seed), capture_output=True, text=True, timeout=300, check=False)
        if r.returncode != 0:
            raise AssertionError(r.stderr)
        return json.loads(r.stdout), r.stderr

    def start(self, output, seed):
        return subprocess.Popen(self.command(output, seed), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def end(self, child):
        child.send_signal(signal.SIGKILL)
        child.wait()

    def left_behind(self, output, seed, whole_shards):
        """Kills a build when its clusters, or that many shards, have reached the disk."""
        plan, shards = self.path(output, 'building', 'plan'), self.path(output, 'building', 'shards')
        for _ in range(20):
            child = self.start(output, seed)
            while child.poll() is None:
                if os.path.exists(plan if whole_shards == 0 else shards) and (
                        whole_shards == 0 or os.path.getsize(shards) >= HEAD + whole_shards * RECORD):
                    break
                time.sleep(0.0005)
            self.end(child)
            if os.path.exists(plan):
                return
            subprocess.run(['rm', '-r', self.path(output)], check=True)
        self.fail('it was never caught at work')

    def is_right(self, output, seed, report):
        """One version, the bytes of an undisturbed build, and nothing else."""
        self.assertEqual(report['id'], self.want[seed])
        version = 'v' + report['id'][:16]
        self.assertEqual(sorted(os.listdir(self.path(output))), ['current', 'lock', 'previous', version])

        def content(directory):
            result = {}
            for name in sorted(os.listdir(self.path(directory, version))):
                with open(self.path(directory, version, name), 'rb') as f:
                    result[name] = hashlib.sha256(f.read()).digest()
            return result
        self.assertEqual(content(output), content(f'whole{seed}'))

    def test_clusters_are_taken_over(self):
        self.left_behind('clusters', 1, 0)
        report, said = self.finish('clusters', 1)
        self.assertTrue(report['resumed'])
        self.assertIn('going on with an interrupted build', said)
        self.is_right('clusters', 1, report)
        report, said = self.finish('clusters', 1)  # nothing is left of it
        self.assertEqual((report['resumed'], report['shards_reused']), (False, 0))
        self.assertNotIn('interrupted', said)

    def test_whole_shards_are_taken_over(self):
        self.left_behind('shards', 1, 5)
        report, said = self.finish('shards', 1)
        self.assertGreaterEqual(report['shards_reused'], 5)
        self.assertIn(f"{report['shards_reused']} of {SHARDS} shards are there", said)
        self.is_right('shards', 1, report)

    def test_another_build_starts_afresh_and_says_so(self):
        self.left_behind('other', 1, 3)
        report, said = self.finish('other', 2)
        self.assertIn('another input or other options', said)
        self.assertFalse(report['resumed'])
        self.assertEqual(report['shards_reused'], 0)
        self.is_right('other', 2, report)

    def test_damaged_leftovers_are_not_believed(self):
        def flip(at):
            return lambda data: data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]
        for name, change, resumed in (
                ('plan', flip(10), False), ('plan', flip(60), False), ('plan', lambda d: d[:-1], False), ('plan', lambda d: b'', False),
                ('codebook.bin', flip(100), False), ('codebook.bin', None, False), ('shard-00000.bin', flip(70), True),
                ('shard-00000.bin', lambda d: d[:-1], True), ('shard-00000.bin', None, True), ('labels-00001.bin', flip(64), True),
                ('labels-00001.bin', None, True), ('shards', lambda d: d[:-5], True), ('shards', flip(20), True),
                ('shards', flip(HEAD), True), ('shards', flip(HEAD + 5), True), ('shards', lambda d: d + b'x' * 71, True),
                ('shards', lambda d: d + b'\xff' * RECORD, True), ('shards', None, True)):
            self.left_behind('damaged', 1, 4)
            file = self.path('damaged', 'building', name)
            with open(file, 'rb') as f:
                data = f.read()
            os.remove(file)
            if change:
                with open(file, 'wb') as f:
                    f.write(change(data))
            report, said = self.finish('damaged', 1)
            self.assertEqual(report['resumed'], resumed, (name, said))
            self.is_right('damaged', 1, report)
            subprocess.run(['rm', '-r', self.path('damaged')], check=True)

    def test_killed_at_random_instants(self):
        rng, seed, resumed, reused, ended = random.Random(), 1, 0, 0, 0
        self.finish('killed', 2)
        for i in range(KILLS):
            child = self.start('killed', seed)
            time.sleep(rng.random() * self.took * 1.1)
            self.end(child)
            ended += child.returncode == 0
            r = subprocess.run([PROGRAM, 'verify', self.path('killed')], capture_output=True, text=True, check=False)
            self.assertEqual(r.returncode, 0, r.stderr)
            with open(self.path('killed', 'current'), encoding='ascii') as f:
                self.assertIn(f.read().strip(), ['v' + id[:16] for id in self.want.values()])
            if rng.random() < 0.5 and i < KILLS - 1:
                continue  # and kill it again where it goes on
            report, _ = self.finish('killed', seed)
            resumed += report['resumed']
            reused += report['shards_reused'] > 0
            self.is_right('killed', seed, report)
            seed = 3 - seed
        print(f'# {KILLS} kills: {ended} came too late; {resumed} builds went on with clusters, {reused} with shards', file=sys.stderr)


if __name__ == '__main__':
    PROGRAM, MAKE_VECTORS, KILLS = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), int(sys.argv[3])
    unittest.main(argv=sys.argv[:1], verbosity=1)
