#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""client_search.py BUILD SOURCE: real drawings, indexed by veil-index, served by veild, searched by the SDK and the CLI; every score
of every row is compared with plain arithmetic (compare_search.c)."""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

BUILD = SOURCE = None
BFV = 'n_8192_logq_3x36_logt_22'
PARAMS = ('search_n2048_q28', 'search_n2048_q38_exact', BFV)


def _varint(n):
    return bytes([n]) if n < 128 else bytes([n & 127 | 128]) + _varint(n >> 7)


def program(path):
    return os.path.join(BUILD, path)


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


class Search(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory()
        data = os.path.join(SOURCE, 'tests/data/emoji')
        cls.google, cls.twitter = (os.path.join(data, f'{name}.npy') for name in ('google', 'twitter'))
        names = os.path.join(cls.directory.name, 'names.tsv')
        with open(os.path.join(data, 'labels.tsv'), encoding='utf-8') as f, open(names, 'w', encoding='utf-8') as out:
            rows = [line.rstrip('\n').split('\t') for line in f][1:]
            out.writelines(f'{row}\t{name}\n' for row, name, *_ in rows)
        cls.names = [name for _, name, *_ in rows]
        cls.index, cls.url, cls.servers = {}, {}, []
        for params in PARAMS:
            cls.index[params] = os.path.join(cls.directory.name, params)
            port = os.path.join(cls.directory.name, params + '.port')
            subprocess.run([program('server/build/veil-index'), 'build', '--input', cls.google, '--names', names, '--output',
                            cls.index[params], '--shards', '8',
                            *(['--kind', 'bfv'] if params == BFV else ['--params', params])], check=True, capture_output=True)
            cls.servers.append(subprocess.Popen(
                [program('server/search/veild'), '--index', cls.index[params], '--listen', '127.0.0.1:0', '--admin', 'off',
                 '--port-file', port, '--lame-duck-ms', '0'], stderr=subprocess.DEVNULL))
            deadline = time.monotonic() + 20
            while not (os.path.exists(port) and os.path.getsize(port)):
                assert cls.servers[-1].poll() is None and time.monotonic() < deadline, 'veild did not start'
                time.sleep(0.02)
            with open(port, encoding='ascii') as f:
                cls.url[params] = 'http://' + f.readline().strip()

    @classmethod
    def tearDownClass(cls):
        for server in cls.servers:
            server.send_signal(signal.SIGTERM)
            assert server.wait(20) == 0
        cls.directory.cleanup()

    def test_every_score_and_the_whole_order_are_those_of_plain_arithmetic(self):
        for params in PARAMS:
            for probes, queries in ((1, 100), (3, 30), (8, 5)):
                if params == BFV:  # a key is made for each query
                    queries = (queries + 4) // 5
                with self.subTest(params=params, probes=probes):
                    result = run(program('tests/integration/compare_search'), self.index[params], self.url[params],
                                 self.twitter, str(queries), str(probes))
                    self.assertEqual(result.returncode, 0, result.stderr)
                    self.assertIn(f'{queries} queries', result.stdout)

    def test_a_drawing_of_the_database_finds_itself_by_name(self):
        for params in PARAMS:
            for row in (0, 800, 1910):
                result = run(program('client/cli/veil'), 'search', '--direct', '--server', self.url[params], '--vector', self.google,
                             '--row', str(row), '--top', '3', '--json')
                self.assertEqual(result.returncode, 0, result.stderr)
                out = json.loads(result.stdout)
                self.assertEqual([r['rank'] for r in out['results']], [1, 2, 3])
                best = out['results'][0]
                self.assertEqual((best['record'], best['name']), (row, self.names[row][:12]))
                self.assertAlmostEqual(best['cosine'], 1, delta=0.01)
                self.assertGreater(out['cost']['server_us'], 0)

    def test_only_the_engine_that_is_asked_for_is_used(self):
        def search(params, engine):
            return run(program('client/cli/veil'), 'search', '--direct', '--server', self.url[params], '--vector', self.google,
                       '--row', '5', '--json', '--engine', engine)
        for params, engine, other in ((PARAMS[0], 'nn', 'bfv'), (BFV, 'bfv', 'nn')):
            result = search(params, engine)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertEqual(json.loads(result.stdout)['results'][0]['record'], 5)
            result = search(params, other)
            self.assertNotEqual(result.returncode, 0)
            self.assertIn(f'of kind {engine}', result.stderr)
        self.assertIn('neither nn nor bfv', search(BFV, 'both').stderr)
        result = run(program('server/build/veil-index'), 'build', '--kind', 'bfv', '--params', PARAMS[0], '--input', self.google,
                     '--output', os.path.join(self.directory.name, 'none'))
        self.assertEqual(result.returncode, 2)
        self.assertIn('is for kind nn', result.stderr)

    def test_a_malformed_query_of_kind_bfv_is_refused_by_name(self):
        def field(number, data, wire=2):
            return bytes([number << 3 | wire]) + (_varint(len(data)) if wire == 2 else b'') + data
        info = json.loads(run(program('server/build/veil-index'), 'info', self.index[BFV], '--json').stdout)
        self.assertEqual(info['kind'], 'bfv')
        head = field(1, b'\1\0\0\0', 5) + field(2, bytes.fromhex(info['id'])) + field(3, bytes(4), 5)
        size = info['query_bytes']
        tail = field(4, bytes(32)) + field(5, bytes(size))
        good, every = head + tail, head[:-4] + b'\xff' * 4 + tail
        length = {}
        for body, status, word in (
                (good, 200, ''), (every, 200, ''),
                (head + field(4, bytes(32)) + field(5, b'\xff' * size), 400, 'residue'),
                (head + field(4, bytes(32)) + field(5, bytes(size - 1)), 400, 'ciphertexts'),
                (head + field(4, bytes(31)) + field(5, bytes(size)), 400, 'seed'),
                (good[:-1], 400, 'Query')):
            request = urllib.request.Request(self.url[BFV] + '/v1/query', body, {'Content-Type': 'application/x-protobuf'})
            try:
                with urllib.request.urlopen(request, timeout=60) as reply:
                    got, text = reply.status, ''
                    length[body] = len(reply.read())
            except urllib.error.HTTPError as error:
                got, text = error.code, error.read().decode()
            self.assertEqual(got, status, text)
            self.assertIn(word, text)
        self.assertEqual(length[every], info['shards'] * length[good])

    def test_the_sizes_are_the_same_whatever_is_asked(self):
        costs = set()
        shards = set()
        for row in range(0, 1911, 91):
            out = json.loads(run(program('client/cli/veil'), 'search', '--direct', '--server', self.url[PARAMS[0]], '--vector',
                                 self.google, '--row', str(row), '--json').stdout)
            shards.add(out['cost']['shards'][0])
            costs.add((out['cost']['bytes_up'], out['cost']['bytes_down']))
        self.assertGreater(len(shards), 3)
        self.assertEqual(len(costs), 1)


if __name__ == '__main__':
    SOURCE = os.path.abspath(sys.argv.pop(2))
    BUILD = os.path.abspath(sys.argv.pop(1))
    unittest.main()
