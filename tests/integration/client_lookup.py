#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""client_lookup.py BUILD SOURCE: a collection, from veil-index build-kv to veil lookup: what comes back, what the server sees, what
both refuse."""
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

BUILD = SOURCE = None
TYPE = {'Content-Type': 'application/x-protobuf'}


def program(path):
    return os.path.join(BUILD, path)


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


class Lookup(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory()
        cls.collection, cls.index = (os.path.join(cls.directory.name, name) for name in ('c', 'i'))
        # Prefixes, one of the other: 70, 701, 7012 ..., and values of two size classes.
        cls.values = {str(n): f'place {n} ' + 'x' * (n % 60) for n in (*range(10, 100), *range(100, 300), 70123, 701234)}
        cls.values['odd'] = 'a\x1b[2J\u009bb'
        cls.make('a.jsonl', ''.join(json.dumps({'key': k, 'value': v}) + '\n' for k, v in cls.values.items()), 'build-kv', '--keys', '5')
        built = run(program('server/build/veil-index'), 'build', '--input', os.path.join(SOURCE, 'tests/data/emoji/google.npy'),
                    '--output', cls.index)
        assert built.returncode == 0, built.stderr
        cls.servers = []
        cls.url = cls.start('one', '--collection', cls.collection)
        cls.plain = cls.start('none')

    @classmethod
    def make(cls, name, text, command, *options):
        path = os.path.join(cls.directory.name, name)
        with open(path, 'w', encoding='utf-8') as f:
            f.write(text)
        r = run(program('server/build/veil-index'), command, '--input', path, '--output', cls.collection, '--json', *options)
        assert r.returncode == 0, r.stderr
        return json.loads(r.stdout)

    @classmethod
    def start(cls, name, *options):
        port = os.path.join(cls.directory.name, name + '.port')
        cls.servers.append(subprocess.Popen(
            [program('server/search/veild'), '--index', cls.index, '--listen', '127.0.0.1:0', '--admin', 'off', '--port-file',
             port, '--lame-duck-ms', '0', *options], stderr=subprocess.DEVNULL))
        deadline = time.monotonic() + 60
        while not (os.path.exists(port) and os.path.getsize(port)):
            assert cls.servers[-1].poll() is None and time.monotonic() < deadline, 'veild did not start'
            time.sleep(0.02)
        with open(port, encoding='ascii') as f:
            return 'http://' + f.readline().strip()

    @classmethod
    def tearDownClass(cls):
        for server in cls.servers:
            server.terminate()
            assert server.wait(30) == 0
        cls.directory.cleanup()

    def lookup(self, *args):
        r = run(program('client/cli/veil'), 'lookup', '--direct', '--server', self.url, '--json', *args)
        self.assertEqual(r.returncode, 0, r.stderr)
        return json.loads(r.stdout)

    def refused(self, *args, says, code, url=None):
        r = run(program('client/cli/veil'), 'lookup', '--direct', '--server', url or self.url, *args)
        self.assertEqual((r.returncode, r.stdout), (code, ''), r.stderr)
        self.assertIn(says, r.stderr)

    def post(self, body, path='/v1/retrieve', url=None):
        try:
            with urllib.request.urlopen(urllib.request.Request((url or self.url) + path, data=body, headers=TYPE), timeout=60) as r:
                return r.status, r.read()
        except urllib.error.HTTPError as e:
            return e.code, e.read()

    def test_keys_come_back_and_absent_ones_look_the_same_from_outside(self):
        sizes = set()
        for _ in range(4):
            keys = random.sample(sorted(self.values), random.randint(1, 5))
            keys[-1:] = [f'absent {random.randint(0, 9)}']
            answer = self.lookup(*keys)
            for key, got in zip(keys, answer['values']):
                self.assertEqual((got['key'], got.get('value')), (key, self.values.get(key)))
            sizes.add((answer['cost']['bytes_up'], answer['cost']['bytes_down']))
        self.assertEqual(len(sizes), 1)

    def test_the_longest_prefix_that_is_there(self):
        for key, want in (('7012345', '701234'), ('701239', '70123'), ('2999', '299'), ('9999', '99')):
            got = self.lookup('--prefix', '2-6', key)['values']
            self.assertEqual([(v['key'], v.get('value')) for v in got], [(want, self.values[want])])
        self.assertEqual(self.lookup('--prefix', '2,3', '0000')['values'], [{'key': '000', 'found': False}])

    def test_people_read_a_value_a_line_and_the_costs(self):
        r = run(program('client/cli/veil'), 'lookup', '--direct', '--server', self.url, '70123', 'nobody')
        self.assertEqual(r.returncode, 0, r.stderr)
        lines = r.stdout.splitlines()
        self.assertEqual(lines[:2], ['70123  ' + self.values['70123'], 'nobody  is not there'])
        self.assertIn('bytes up', lines[-1])

    def test_a_key_that_is_no_text_and_a_value_that_a_terminal_would_act_on(self):
        got = self.lookup(b'caf\xc3', '70')['values']
        self.assertEqual(got[0], {'key_hex': '636166c3', 'found': False})
        r = run(program('client/cli/veil'), 'lookup', '--direct', '--server', self.url, 'odd')
        self.assertEqual(r.stdout.splitlines()[0], 'odd  a?[2J?b', r.stdout)

    def test_what_is_refused_names_why(self):
        self.refused(*'abcdef', says='has 5 keys at most, not 6', code=1)
        self.refused('k' * 1025, says='key 0 has 1025 bytes', code=1)
        self.refused('--prefix', '3-2', 'a', says='--prefix 3-2: not lengths', code=2)
        self.refused('--prefix', '4-6', 'abc', says='shorter than 4', code=1)
        self.refused(says='needs a KEY', code=2)
        self.refused('a', says='no collection is served here', code=4, url=self.plain)

    def test_the_server_refuses_what_is_not_a_request(self):
        size = self.lookup('70')['cost']['bytes_up']
        self.assertEqual(self.post(b'')[0], 400)
        self.assertEqual(self.post(b'\0' * 100)[0], 400)
        status, why = self.post(b'\x0d\1\0\0\0\x12\x20' + b'\7' * 32 + b'\x1a\0')
        self.assertEqual(status, 400, why)
        self.assertEqual(self.post(b'\0' * (size + 1000000))[0], 413)
        with urllib.request.urlopen(self.url + '/v1/collection', timeout=60) as r:
            config = r.read()
            self.assertIsNone(r.headers['ETag'])
        head = b'\x0d\1\0\0\0\x12\x20' + config[7:39]
        self.assertEqual(self.post(head + b'\x1a\1\0')[0], 400, 'a payload of another size')
        # Every byte string of the right size is a request, and gets an answer of the one size.
        tail = next(bytes([0x1a, n & 127 | 128, n >> 7 & 127 | 128, n >> 14]) for n in range(size) if len(head) + 4 + n == size)
        status, reply = self.post(head + tail + random.randbytes(size - len(head) - 4))
        self.assertEqual((status, len(reply)), (200, self.lookup('70')['cost']['bytes_down']))
        other = b'\x0d\1\0\0\0\x12\x20' + b'\7' * 32
        status, why = self.post(other + tail + bytes(size - len(head) - 4))
        self.assertEqual(status, 410)
        self.assertIn(b'fetch /v1/collection again', why)

    def test_zz_an_update_is_served_after_sighup(self):
        self.make('b.jsonl', '{"key": "70", "value": "changed"}\n{"key": "71", "gone": true}\n', 'update-kv')
        self.assertEqual(self.lookup('70')['values'][0]['value'], self.values['70'])
        self.servers[0].send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 60
        while self.lookup('70')['values'][0]['value'] != 'changed':
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)
        self.assertEqual([v['found'] for v in self.lookup('71', '72')['values']], [False, True])


if __name__ == '__main__':
    BUILD, SOURCE = sys.argv[1:3]
    del sys.argv[1:3]
    unittest.main()
