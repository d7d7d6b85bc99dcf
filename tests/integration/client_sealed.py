#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""client_sealed.py BUILD SOURCE: an index of kind sealed, from veil-index to the client: what it finds, what the server sees, what
the server refuses."""
import json
import os
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

BUILD = SOURCE = None


def program(path):
    return os.path.join(BUILD, path)


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


class Sealed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory()
        cls.data = os.path.join(SOURCE, 'tests/data/emoji')
        cls.google, cls.twitter = (os.path.join(cls.data, f'{name}.npy') for name in ('google', 'twitter'))
        cls.url, cls.servers, cls.info = {}, [], {}
        for shards in (1, 9):
            cls.start(str(shards), '--kind', 'sealed', '--shards', str(shards))
        cls.start('plain')
        cls.start('eight', '--shards', '8')

    @classmethod
    def start(cls, name, *options):
        index, port = (os.path.join(cls.directory.name, name + end) for end in ('', '.port'))
        built = run(program('server/build/veil-index'), 'build', '--input', cls.google, '--output', index, '--json', *options)
        assert built.returncode == 0, built.stderr
        cls.info[name] = json.loads(built.stdout)
        cls.servers.append(subprocess.Popen(
            [program('server/search/veild'), '--index', index, '--listen', '127.0.0.1:0', '--admin', 'off', '--port-file', port,
             '--lame-duck-ms', '0'], stderr=subprocess.DEVNULL))
        deadline = time.monotonic() + 60
        while not (os.path.exists(port) and os.path.getsize(port)):
            assert cls.servers[-1].poll() is None and time.monotonic() < deadline, 'veild did not start'
            time.sleep(0.02)
        with open(port, encoding='ascii') as f:
            cls.url[name] = 'http://' + f.readline().strip()

    @classmethod
    def tearDownClass(cls):
        for server in cls.servers:
            server.terminate()
            assert server.wait(30) == 0
        cls.directory.cleanup()

    def search(self, name, row, *options):
        return run(program('client/cli/veil'), 'search', '--direct', '--server', self.url[name], '--vector', self.twitter,
                   '--row', str(row), '--json', *options)

    def test_held_out_classes_are_found_as_often_as_by_an_exact_search_over_all(self):
        step = '1' if os.environ.get('VEIL_TEST_LONG') else '4'
        done = run(program('tests/integration/sealed_recall'), self.url['1'], self.google, self.twitter,
                   os.path.join(self.data, 'labels.tsv'), step, 'sealed')
        self.assertEqual(done.returncode, 0, done.stderr)
        first, ten, exact_first, exact_ten = map(float, done.stdout.split())
        print(f'R@1 {first} (exact {exact_first}), R@10 {ten} (exact {exact_ten})', file=sys.stderr)
        self.assertGreater(exact_first, 0.6)
        # One of the 239 rows of the short run is 0.0042.
        self.assertGreaterEqual(first, exact_first - (0.006 if step == '1' else 0.0085))
        self.assertGreaterEqual(ten, exact_ten - (0.003 if step == '1' else 0.0045))

    def test_sealed_search_finds_what_a_search_of_the_same_shard_finds(self):
        for name in ('1', '9'):
            for row in (0, 77, 1500):
                sealed, fast = (json.loads(self.search(name, row, '--mode', mode).stdout) for mode in ('sealed', 'fast'))
                cosines = {hit['record']: hit['cosine'] for hit in fast['results']}
                shared = [hit for hit in sealed['results'] if hit['record'] in cosines]
                self.assertGreaterEqual(len(shared), 9)
                for hit in shared:
                    self.assertAlmostEqual(hit['cosine'], cosines[hit['record']], delta=0.004)
                self.assertEqual(sealed['cost']['shards'], [])
                self.assertEqual(len(fast['cost']['shards']), 1)

    def test_it_is_the_default_where_the_index_has_it_and_refused_where_not(self):
        self.assertEqual(json.loads(self.search('9', 3).stdout)['cost']['shards'], [])
        self.assertEqual(json.loads(self.search('plain', 3).stdout)['cost']['shards'], [0])
        refused = self.search('plain', 3, '--mode', 'sealed')
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn('no sealed search', refused.stderr)
        self.assertIn('there are fast, slow, auto and sealed', self.search('9', 3, '--mode', 'other').stderr)

    def test_auto_shows_the_same_requests_whatever_the_margin_and_drops_only_what_it_does_not_need(self):
        traces, needed = set(), set()
        for row in range(0, 400, 25):
            auto, slow, fast = (json.loads(self.search('eight', row, '--mode', mode).stdout) for mode in ('auto', 'slow', 'fast'))
            self.assertEqual(auto['cost']['shards'], slow['cost']['shards'])
            self.assertEqual((len(slow['cost']['shards']), slow['cost']['requests_needed'], len(fast['cost']['shards'])), (4, 4, 1))
            needed.add(auto['cost']['requests_needed'])
            traces |= {(cost['bytes_up'], cost['bytes_down']) for cost in (auto['cost'], slow['cost'])}
            same = fast if auto['cost']['requests_needed'] == 1 else slow
            found, expected = ({hit['record']: hit['cosine'] for hit in answer['results']} for answer in (auto, same))
            shared = found.keys() & expected.keys()
            self.assertGreaterEqual(len(shared), 6)
            for record in shared:
                self.assertAlmostEqual(found[record], expected[record], delta=0.01)
        self.assertEqual(needed, {1, 4})
        self.assertEqual(len(traces), 1)

    def test_more_shards_find_no_less_and_auto_nearly_as_much(self):
        found = {}
        for mode in ('fast', 'slow', 'auto'):
            done = run(program('tests/integration/sealed_recall'), self.url['eight'], self.google, self.twitter,
                       os.path.join(self.data, 'labels.tsv'), '4', mode)
            self.assertEqual(done.returncode, 0, done.stderr)
            found[mode] = [float(number) for number in done.stdout.split()]
        print(found, file=sys.stderr)
        # A row of the 239 is 0.0042. The noise of the encryption decides between drawings that are as near: three or four of them.
        for k in (0, 1):
            self.assertGreaterEqual(found['slow'][k], found['fast'][k])
            self.assertGreaterEqual(found['auto'][k], found['slow'][k] - 0.022)

    def test_the_plan_is_told_without_building(self):
        index = program('server/build/veil-index')
        done = run(index, 'build', '--kind', 'sealed', '--plan', '--input', self.google)
        self.assertEqual(done.returncode, 0, done.stderr)
        shapes = [line.split() for line in done.stdout.splitlines() if line.split()[-1][:2] in ('0.', '1.')]
        chosen = [shape[1:] for shape in shapes if shape[0] == '*']
        self.assertEqual([shape[0] for shape in chosen], ['1'])  # all rows fit in one pack: nothing is to be gained
        self.assertGreater(len(shapes), 3)
        self.assertEqual(int(chosen[0][2]), 2048 * (24 + 106 + 29) // 8)
        self.assertNotEqual(run(index, 'build', '--plan', '--input', self.google).returncode, 0)
        refused = run(index, 'build', '--kind', 'sealed', '--plan', '--shards', '513', '--input', self.google)
        self.assertIn('at most 512', refused.stderr)

    def test_info_and_verify_know_the_kind(self):
        index = program('server/build/veil-index')
        for name, bytes_ in (('1', 40704), ('9', 40704), ('plain', None)):
            directory = os.path.join(self.directory.name, name)
            told = json.loads(run(index, 'info', directory, '--json').stdout)
            self.assertEqual((told['kind'], told.get('sealed_bytes')), ('sealed' if bytes_ else 'nn', bytes_))
            self.assertEqual(run(index, 'verify', directory).returncode, 0)
            told = json.loads(run(program('client/cli/veil'), 'info', '--direct', '--server', self.url[name], '--json').stdout)
            self.assertEqual(told['sealed'], bytes_ is not None)
            if bytes_:
                # what travels, frames aside
                self.assertAlmostEqual(told['sealed_query_bytes'] + told['sealed_reply_bytes'] + told['sealed_static_bytes'],
                                       bytes_, delta=100)
                self.assertLess(told['sealed_error'], 0.0025)

    def test_every_search_has_one_size(self):
        sizes = {(cost['bytes_up'], cost['bytes_down']) for row in (0, 5, 900)
                 for cost in [json.loads(self.search('9', row).stdout)['cost']]}
        self.assertEqual(len(sizes), 1)
        self.assertLess(sum(sizes.pop()), 112000)

    def post(self, name, body):
        request = urllib.request.Request(self.url[name] + '/v1/sealed', body, {'Content-Type': 'application/x-protobuf'})
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:
                return reply.status, reply.read()
        except urllib.error.HTTPError as e:
            return e.code, e.read()

    def message(self, name, version=1, index=None, size=None):
        if size is None:
            size = 2048 * (3 + (2 * 35 + 36) / 8)
        size = int(size)
        length, n = b'', size
        while n > 127:
            length, n = length + bytes([n & 127 | 128]), n >> 7
        index = bytes.fromhex(self.info[name]['id']) if index is None else index
        return (b'\x0d' + version.to_bytes(4, 'little') + b'\x12\x20' + index + b'\x1a' + length + bytes([n]) + bytes(size))

    def test_any_bytes_of_the_right_size_are_answered_by_one_size_and_all_else_refused(self):
        good = self.message('1')
        status, reply = self.post('1', good)
        self.assertEqual(status, 200)
        self.assertEqual(len(reply), len(self.post('1', good[:-1000] + os.urandom(1000))[1]))
        for body, want in ((good[:-1], 400), (good[:40], 400), (good[:20], 400), (b'\x0d', 400), (good + b'\0', (400, 413)),
                           (self.message('1', index=bytes(32)), 410), (self.message('1', version=2), 410),
                           (self.message('1', size=1000), 400)):
            status, reason = self.post('1', body)
            self.assertIn(status, want if isinstance(want, tuple) else (want,), reason)
            self.assertEqual(reason.count(b'\n'), 1)
        self.assertEqual(self.post('plain', self.message('plain'))[0], 404)
        self.assertEqual(self.post('1', good)[0], 200)


if __name__ == '__main__':
    BUILD, SOURCE = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1])
