#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""index_large.py VEIL_INDEX MAKE_VECTORS ROWS [--sanitized]: an index of ROWS x 128 within its time and memory, checked, and its
rows compared with the input; what does not fit into the memory is refused by name."""
import array
import json
import math
import os
import pty
import random
import struct
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAM, MAKE_VECTORS, ROWS = None, None, 0
SANITIZED = '--sanitized' in sys.argv  # the sanitizers' own memory is beyond any bound
DIM = 128
MIB = 1 << 20


class Large(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.directory.cleanup)
        cls.input = cls.path('a.npy')
        subprocess.run([MAKE_VECTORS, cls.input, str(ROWS), str(DIM)], check=True)

    @classmethod
    def path(cls, name):
        return os.path.join(cls.directory.name, name)

    def build(self, output, *args):
        """The report, what was said, and the peak of resident memory as the kernel counted it."""
        with open(self.path('report'), 'w+', encoding='utf-8') as out, open(self.path('said'), 'w+', encoding='utf-8') as said:
            child = subprocess.Popen([PROGRAM, 'build', '--input', self.input, '--output', self.path(output), '--json', *args],
                                     stdout=out, stderr=said)
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            for f in (out, said):
                f.seek(0)
            words = said.read()
            self.assertEqual(child.returncode, 0, words)
            return json.loads(out.read()), words, usage.ru_maxrss * 1024

    def refused(self, words, *args):
        r = subprocess.run([PROGRAM, 'build', '--input', self.input, '--output', self.path('none'), *args], capture_output=True,
                           text=True, timeout=600, check=False)
        self.assertEqual((r.returncode, r.stdout), (1, ''))
        for word in words:
            self.assertIn(word, r.stderr)
        self.assertFalse(os.path.exists(self.path('none')))
        return r.stderr

    def check_rows(self, report, output, shards):
        """Every row in use is the record that its label names, quantised."""
        version = os.path.join(self.path(output), 'v' + report['id'][:16])
        with open(os.path.join(version, 'manifest.json'), encoding='utf-8') as f:
            manifest = json.load(f)
        with open(self.input, 'rb') as source:
            for s in shards:
                with open(os.path.join(version, f'shard-{s:05}.bin'), 'rb') as f:
                    rows = f.read()[64:]
                with open(os.path.join(version, f'labels-{s:05}.bin'), 'rb') as f:
                    labels = f.read()[64:]
                for i in range(0, manifest['shard'][s]['used'], 7):
                    record = struct.unpack_from('<I', labels, i * manifest['label_bytes'])[0]
                    source.seek(128 + record * DIM)
                    vector = array.array('b', source.read(DIM))
                    factor = report['scale'] / math.sqrt(sum(x * x for x in vector))
                    for x, y in zip(vector, array.array('b', rows[i * DIM:(i + 1) * DIM])):
                        self.assertAlmostEqual(x * factor, y, delta=0.5001)

    def test_within_time_and_memory(self):
        limit = max(48, ROWS * 256 // 1000000) * MIB
        start = time.monotonic()
        report, said, peak = self.build('index', '--memory', f'{limit // MIB}M', '--threads', '2')
        took = time.monotonic() - start
        print(f'# {ROWS} rows: {took:.0f} s, {peak / MIB:.0f} of {limit / MIB:.0f} MiB; {report}', file=sys.stderr)
        self.assertLess(took, 900)
        self.assertEqual(report['rows'], ROWS)
        self.assertLessEqual(report['memory_planned_bytes'], limit)
        if not SANITIZED:
            self.assertLessEqual(peak, limit)
            self.assertLessEqual(report['memory_peak_bytes'], peak)
            self.assertGreater(report['memory_peak_bytes'], 2 * MIB)
        self.assertEqual(list(report['phase_seconds']), ['reading', 'clustering', 'assigning', 'writing', 'checking'])
        self.assertAlmostEqual(sum(report['phase_seconds'].values()), report['seconds'], delta=0.05)
        self.assertGreaterEqual(report['rows_stored'], ROWS)
        self.assertLessEqual(report['rows_stored'], 2 * ROWS)
        self.assertEqual(report['rows_on_disk'], report['shards'] * report['rows_per_shard'])
        self.assertLessEqual(report['rows_on_disk'], 1.1 * report['rows_stored'])
        self.assertNotIn('\r', said)  # no bar in a file
        if took > 20:
            self.assertIn('%, about', said)
        start = time.monotonic()
        r = subprocess.run([PROGRAM, 'verify', self.path('index')], capture_output=True, text=True, timeout=600, check=False)
        self.assertEqual(r.returncode, 0, r.stderr)
        print(f'# verified in {time.monotonic() - start:.2f} s', file=sys.stderr)
        self.check_rows(report, 'index', random.Random().sample(range(report['shards']), min(6, report['shards'])))

    def test_what_does_not_fit_is_refused_by_name_before_anything_is_written(self):
        self.refused(('--memory', 'any build needs'), '--memory', '1M')
        few = self.refused(('--memory', f'{ROWS} rows', 'at least'), '--memory', '17M', '--threads', '1', '--shards', '30')
        least = int(few.split('at least ')[1].split('M')[0])
        self.refused(('at least',), '--memory', f'{least - 1}M', '--threads', '1', '--shards', '30')
        if ROWS > 100000:
            return
        report, _, peak = self.build('small', '--memory', f'{least}M', '--threads', '1', '--shards', '30')
        whole, _, _ = self.build('whole', '--threads', '1', '--shards', '30')
        self.assertLess(report['rows_sampled'] + report['candidates'], whole['rows_sampled'] + whole['candidates'])
        if not SANITIZED:
            self.assertLessEqual(peak, least * MIB)
        self.check_rows(report, 'small', range(30))

    @unittest.skipIf('1000000' in sys.argv, 'short')
    def test_json_lines_and_names_are_held_within_the_memory(self):
        lines, names = self.path('b.jsonl'), self.path('names')
        rng = random.Random(1)
        with open(lines, 'w', encoding='utf-8') as f:
            for i in range(8000):
                f.write(json.dumps({'id': i, 'vector': [rng.randrange(-99, 99) for _ in range(256)]}) + '\n')
        self.refused(('b.jsonl: row', 'held in memory', '.npy'), '--input', lines, '--memory', '20M', '--threads', '1')
        report, _, peak = self.build('lines', '--input', lines, '--memory', '48M', '--threads', '1')
        self.assertEqual(report['rows'], 8000)
        if not SANITIZED:
            self.assertLessEqual(peak, 48 * MIB)
        with open(names, 'w', encoding='utf-8') as f:
            for i in range(ROWS):
                f.write(f'{i}\t{"x" * 500}\n')
        self.refused(('names: line', 'held in memory'), '--names', names, '--memory', '24M', '--threads', '1')

    @unittest.skipIf('1000000' in sys.argv, 'short')
    def test_on_a_terminal_there_is_a_bar(self):
        main, other = pty.openpty()
        child = subprocess.Popen([PROGRAM, 'build', '--input', self.input, '--output', self.path('bar'), '--shards', '100'],
                                 stdout=subprocess.DEVNULL, stderr=other)
        os.close(other)
        shown = b''
        try:
            while part := os.read(main, 4096):
                shown += part
        except OSError:  # the other end is closed
            pass
        os.close(main)
        self.assertEqual(child.wait(), 0)
        self.assertRegex(shown.decode(), r'\r(clustering|assigning|writing) +\[#* *\] +\d+%, about (\d+ min )?\d+ s left')


if __name__ == '__main__':
    PROGRAM, MAKE_VECTORS, ROWS = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), int(sys.argv[3])
    unittest.main(argv=sys.argv[:1], verbosity=1)
