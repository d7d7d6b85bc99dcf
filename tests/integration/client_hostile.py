#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""client_hostile.py VEIL: what `veil` does when the server lies, breaks off, stalls or redirects, and that nothing ever leaves twice."""
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import fake_server as fake
from fake_server import FakeServer, http

VEIL = None
OK, INPUT, USAGE, SERVER, REPLY = range(5)


class Case(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.vector = os.path.join(self.directory.name, 'vector.json')
        with open(self.vector, 'w', encoding='ascii') as f:
            json.dump([0.5, 0.4, 0.3] + [0.01] * (fake.DIM - 3), f)

    def tearDown(self):
        self.directory.cleanup()

    def veil(self, *arguments, env=None):
        start = time.monotonic()
        result = subprocess.run([VEIL, *arguments], capture_output=True, text=True, timeout=60, check=False,
                                env={**os.environ, **(env or {})})
        self.elapsed = time.monotonic() - start
        return result

    def search(self, server, *more, env=None):
        return self.veil('search', '--direct', '--server', server.url, '--vector', self.vector, *more, env=env)

    def expect(self, answers, status, words, queries=1, more=()):
        """A search against a server with these answers ends so, and the server saw so many queries."""
        with FakeServer(answers) as server:
            result = self.search(server, *more)
            self.assertEqual(result.returncode, status, result.stderr)
            self.assertIn(words, result.stderr)
            self.assertEqual(len(server.requests('/v1/query')), queries)
            if status != OK:
                self.assertEqual(result.stdout, '')
            return server, result


class Honest(Case):
    def test_requests_hold_what_the_protocol_needs_and_nothing_else(self):
        with FakeServer() as server:
            for _ in range(2):
                self.assertEqual(self.search(server, '--probes', '3').returncode, OK)
            lines = [[r.line for r in c] for c in server.connections]
            book = f'GET /v1/object/{fake.hashlib.sha256(fake.codebook()).hexdigest()} HTTP/1.1'
            one = [['GET /v1/config HTTP/1.1'], [book]] + [['POST /v1/query HTTP/1.1']] * 3
            self.assertEqual(lines, one * 2, 'a connection for each request')
            queries = server.requests('/v1/query')
            for request in server.requests():
                expected = {'Host': server.url[7:]}
                if request in queries:
                    expected.update({'Content-Type': fake.MESSAGE, 'Content-Length': str(len(fake.query()))})
                self.assertEqual(request.headers, expected)
            start = len(fake.query()) - fake.CIPHERTEXTS - 4 - 32  # tag and length of the ciphertexts, the seed
            self.assertEqual(len({q.body[start:start + 32] for q in queries}), 6, 'a fresh seed each')
            self.assertEqual(len({q.body[-fake.CIPHERTEXTS:] for q in queries}), 6, 'fresh ciphertexts each')
            self.assertEqual({len(q.body) for q in queries}, {len(fake.query())})
            shards = [q.body[:start - 2] for q in queries]
            self.assertEqual([s[-4] for s in shards], [0, 1, 2] * 2, 'the nearest shards first')

    def test_results_and_costs_as_json(self):
        with FakeServer({'/v1/query': lambda c: c.sendall(http(fake.reply(), headers=['Veil-Server-Us: 1234']))}) as server:
            result = self.search(server, '--probes', '2', '--top', '7', '--json')
        self.assertEqual(result.returncode, OK)
        out = json.loads(result.stdout)
        self.assertEqual(list(out), ['mode', 'index', 'results', 'cost'])
        self.assertEqual(out['mode'], 'direct')
        self.assertEqual(out['index'], fake.INDEX_ID.hex())
        self.assertEqual([r['rank'] for r in out['results']], list(range(1, 8)))
        self.assertEqual(len({r['record'] for r in out['results']}), 7, 'a record is given once')
        self.assertTrue(all(r['name'] == 'thing' and r['shard'] in (0, 1) for r in out['results']))
        self.assertTrue(all(a['cosine'] >= b['cosine'] for a, b in zip(out['results'], out['results'][1:])))
        cost = out['cost']
        self.assertEqual(cost['shards'], [0, 1])
        self.assertEqual(cost['bytes_up'], 2 * len(fake.query()))
        self.assertEqual(cost['bytes_down'], 2 * len(fake.reply()))
        self.assertEqual(cost['server_us'], 2468)
        self.assertTrue(all(cost[k] > 0 for k in ('encrypt_us', 'network_us', 'decrypt_us')))

    def test_every_row_but_the_padding_is_given_for_people_with_a_cost_line_and_the_note(self):
        with FakeServer() as server:
            result = self.search(server, '--top', '4000000000')
        lines = result.stdout.splitlines()
        self.assertEqual(len(lines), 1 + fake.ROWS - 8 + 1)
        self.assertRegex(lines[0], r'^rank +record +cosine +name$')
        self.assertRegex(lines[1], r'^ +1 +\d+ +-?\d\.\d{4}  thing$')
        self.assertRegex(lines[-1], r'^cost: [\d.]+ KiB up, [\d.]+ KiB down; server time not told, client .* ms .*; shard 0$')
        self.assertIn('direct mode: the server sees your address', result.stderr)
        self.assertIn('shard 0 was asked', result.stderr)

    def test_a_unix_socket_serves_as_well(self):
        path = os.path.join(self.directory.name, 'socket')
        with FakeServer(path=path) as server:
            self.assertEqual(self.search(server).returncode, OK)
            self.assertEqual(len(server.requests('/v1/query')), 1)

    def test_a_proxy_of_the_environment_is_not_used(self):
        with FakeServer() as proxy, FakeServer() as server:
            env = {name: proxy.url for name in ('http_proxy', 'HTTP_PROXY', 'all_proxy', 'ALL_PROXY')}
            self.assertEqual(self.search(server, env=env).returncode, OK)
            self.assertEqual(proxy.connections, [])

    def test_names_cannot_steer_the_terminal(self):
        _, result = self.expect({'/v1/query': http(fake.reply(name=b'\x1b[2J\xff\n'))}, OK, 'note:')
        self.assertIn('?[2J??', result.stdout)
        self.assertNotIn('\x1b', result.stdout)

    def test_chunks_are_fine_when_the_sum_is(self):
        self.expect({'/v1/query': fake.chunked(fake.reply())}, OK, 'note:')

    def test_info_tells_what_is_served(self):
        with FakeServer() as server:
            out = json.loads(self.veil('info', '--direct', '--server', server.url, '--json').stdout)
            text = self.veil('info', '--direct', '--server', server.url).stdout
        self.assertEqual((out['name'], out['dim'], out['shards'], out['rows'], out['records']), ('fake', 32, 3, 128, 120))
        self.assertEqual((out['query_bytes'], out['reply_bytes']), (len(fake.query()), len(fake.reply())))
        self.assertFalse(out['exact'])
        self.assertIn('search_n2048_q28', text)


class Broken(Case):
    def test_a_query_whose_reply_never_comes_is_not_sent_again(self):
        self.expect({'/v1/query': lambda c: True}, SERVER, 'ask again')
        self.expect({'/v1/query': lambda c: c.sendall(http(fake.reply())[:500]) or True}, SERVER, 'broke off')

    def test_not_even_where_the_connection_was_kept_open(self):
        keep = ['Connection: keep-alive', 'Keep-Alive: timeout=60']
        server, _ = self.expect({'/v1/config': http(fake.config(), headers=keep),
                                 '/v1/object/': http(fake.codebook(), media=fake.OBJECT, headers=keep),
                                 '/v1/query': lambda c: True}, SERVER, 'broke off')
        self.assertEqual([len(c) for c in server.connections], [1, 1, 1])

    def test_redirects_are_not_followed(self):
        for code in (301, 302, 303, 307, 308):
            with self.subTest(code):
                answer = http(status=f'{code} Elsewhere', media=None, headers=['Location: /v1/query'])
                self.expect({'/v1/query': answer}, REPLY, 'redirects are not followed')
                self.expect({'/v1/config': answer}, REPLY, 'redirects are not followed', queries=0)

    def test_no_other_answer_makes_it_ask_again(self):
        for status, code, words in (('401 Unauthorized', REPLY, '401'), ('408 Request Timeout', SERVER, '408'),
                                    ('410 Gone', REPLY, 'another version'), ('413 Too Large', REPLY, '413'),
                                    ('417 Expectation Failed', REPLY, '417'), ('421 Misdirected', REPLY, '421'),
                                    ('425 Too Early', REPLY, '425'), ('404 Not Found', REPLY, '404'),
                                    ('500 Oops', SERVER, '500'), ('503 Busy', SERVER, 'busy')):
            with self.subTest(status):
                headers = ['Retry-After: 0', 'WWW-Authenticate: Basic realm="x"', 'Set-Cookie: a=b', 'Alt-Svc: h2=":1"']
                answer = http(b'because\n', status=status, media='text/plain; charset=utf-8', headers=headers)
                _, result = self.expect({'/v1/query': answer}, code, words)
                self.assertIn('(because)', result.stderr)

    def test_a_slow_server_meets_the_deadline(self):
        def trickle(connection):
            for byte in http(fake.reply()):
                connection.sendall(bytes([byte]))
                time.sleep(0.05)
        stop = threading.Event()
        for answer in (trickle, lambda c: stop.wait(10)):
            self.expect({'/v1/query': answer}, SERVER, '700 ms', more=('--timeout', '700'))
            self.assertLess(self.elapsed, 5)
        stop.set()

    def test_nobody_listening(self):
        with FakeServer() as server:
            pass
        result = self.search(server)
        self.assertEqual(result.returncode, SERVER)
        self.assertIn('is veild running there?', result.stderr)


class Lying(Case):
    def test_a_reply_of_another_size_is_refused(self):
        body = fake.reply()
        for name, answer in {
                'longer': http(body + b'\0'), 'shorter': http(body[:-1]), 'empty': http(b''),
                'longer in chunks': fake.chunked(body + b'\0'), 'shorter in chunks': fake.chunked(body[:-1])}.items():
            with self.subTest(name):
                self.expect({'/v1/query': answer}, REPLY, f'{len(body)}')

    def test_an_endless_reply_is_cut_off(self):
        def flood(head, piece):
            def send(connection):
                connection.sendall(head)
                while True:
                    connection.sendall(piece)
            return send
        chunks = flood(fake.chunked(b'')[:-5], b'8000\r\n' + bytes(0x8000) + b'\r\n')
        for answer in (chunks, flood(b'HTTP/1.1 200 OK\r\n\r\n', bytes(0x8000)), http(b'', length=1 << 40)):
            self.expect({'/v1/query': answer}, REPLY, 'larger than')
        self.expect({'/v1/config': chunks}, REPLY, 'larger than', queries=0)
        self.expect({'/v1/object/': chunks}, REPLY, 'larger than', queries=0)
        for head in (b'HTTP/1.1 200 OK\r\n', b''):
            self.expect({'/v1/query': flood(head, b'HTTP/1.1 100 Continue\r\n\r\n' if not head else b'X: y\r\n' * 100)},
                        REPLY, 'headers')

    def test_another_media_type_is_refused(self):
        for media in ('text/html', 'application/x-protobufs', None):
            self.expect({'/v1/query': http(fake.reply(), media=media)}, REPLY, 'media type')
        self.expect({'/v1/config': http(fake.config(), media='text/html')}, REPLY, 'media type', queries=0)

    def test_what_is_not_http_is_refused(self):
        for answer in (b'SSH-2.0-OpenSSH_9.2\r\n', bytes(100), b'\n' * 100, b'HTTP/9.9 200 OK\r\n\r\n'):
            self.expect({'/v1/config': lambda c, a=answer: c.sendall(a) or True}, REPLY, 'HTTP', queries=0)

    def test_a_reply_from_another_index_or_version_is_refused(self):
        self.expect({'/v1/query': http(fake.reply(index_id=bytes(32)))}, REPLY, 'another version of the index')
        self.expect({'/v1/query': http(fake.reply(version=2))}, REPLY, 'version')

    def test_random_bytes_of_the_right_size_are_refused(self):
        self.expect({'/v1/query': http(os.urandom(len(fake.reply())))}, REPLY, 'veil:')

    def test_a_configuration_that_does_not_agree_with_itself_is_refused(self):
        for name, config, words in (
                ('query', fake.config(query_bytes=len(fake.query()) + 1), 'size of a query'),
                ('reply', fake.config(reply_bytes=len(fake.reply()) - 1), 'size of a reply'),
                ('version', fake.config(version=2), 'version'),
                ('insecure', fake.config(params=b'insecure_search_n64_q28'), 'insecure'),
                ('codebook', fake.config(book=fake.codebook()[:-4]), 'size of the codebook'),
                ('empty', b'', 'veil:')):
            with self.subTest(name):
                self.expect({'/v1/config': http(config)}, REPLY, words, queries=0)

    def test_an_unknown_parameter_set_is_named(self):
        self.expect({'/v1/config': http(fake.config(params=b'future'))}, INPUT, 'future', queries=0)

    def test_a_codebook_with_another_hash_is_refused(self):
        book = bytearray(fake.codebook())
        book[-1] ^= 1
        self.expect({'/v1/object/': http(bytes(book), media=fake.OBJECT)}, REPLY, 'hash', queries=0)
        self.expect({'/v1/object/': http(bytes(book[:-1]), media=fake.OBJECT)}, REPLY, 'bytes', queries=0)


class Usage(Case):
    def test_wrong_use_is_told_and_nothing_is_sent(self):
        with FakeServer() as server:
            for arguments in ([], ['dance'], ['search'], ['search', '--direct', '--server', server.url],
                              ['search', '--vector', self.vector], ['search', '--bogus'], ['info'], ['info', 'x'],
                              ['search', '--direct', '--server', server.url, '--vector', self.vector, '--top', '0'],
                              ['search', '--direct', '--server', server.url, '--vector', self.vector, '--probes', '-1'],
                              ['search', '--direct', '--server', server.url, '--vector', self.vector, '--row', '1x'],
                              ['search', '--direct', '--server', server.url, '--vector', self.vector, 'more']):
                with self.subTest(arguments):
                    result = self.veil(*arguments)
                    self.assertEqual((result.returncode, result.stdout), (USAGE, ''))
                    self.assertTrue(result.stderr)
            self.assertEqual(server.connections, [])

    def test_help_and_version(self):
        for arguments in (['--help'], ['search', '--help'], ['info', '--help'], ['--version']):
            result = self.veil(*arguments)
            self.assertEqual((result.returncode, result.stderr), (OK, ''))
            self.assertIn('veil', result.stdout)

    def test_input_that_does_not_fit_is_named(self):
        with FakeServer() as server:
            with open(self.vector, 'w', encoding='ascii') as f:
                f.write('1 2 3')
            result = self.search(server)
            self.assertEqual(result.returncode, INPUT)
            self.assertIn('3 numbers and the index has 32', result.stderr)
            for more, words in ((('--row', '1'), 'no row 1'), (('--probes', '4'), '3 numbers')):
                result = self.search(server, *more)
                self.assertEqual(result.returncode, INPUT)
                self.assertIn(words, result.stderr)
            with open(self.vector, 'w', encoding='ascii') as f:
                f.write('1 ' * fake.DIM)
            result = self.search(server, '--probes', '4')
            self.assertEqual(result.returncode, INPUT)
            self.assertIn('1 to 3', result.stderr)
            self.assertEqual(server.requests('/v1/query'), [])

    def test_output_that_cannot_be_written_is_an_error(self):
        with FakeServer() as server, open('/dev/full', 'w', encoding='ascii') as full:
            result = subprocess.run([VEIL, 'search', '--direct', '--server', server.url, '--vector', self.vector], stdout=full,
                                    stderr=subprocess.PIPE, text=True, timeout=60, check=False)
        self.assertEqual(result.returncode, INPUT)
        self.assertIn('could not all be written', result.stderr)


if __name__ == '__main__':
    VEIL = os.path.abspath(sys.argv.pop(1))
    unittest.main()
