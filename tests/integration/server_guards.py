# SPDX-License-Identifier: Apache-2.0
"""Heads that HTTP parsers read in different ways are refused and nothing behind them is executed; who is too slow is cut."""
import os
import time
import unittest

from veild import SCRATCH, Index, Server, main, make_index, post, read_all, status_of

# What an attacker would smuggle: if it were executed there would be a second reply.
HIDDEN = b'GET /v1/config HTTP/1.1\r\nHost: veil.test\r\n\r\n'


class Guards(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(make_index('small'), '--receive-timeout-ms', '3000').__enter__()
        cls.index = Index(cls.server)

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()

    def tearDown(self):
        self.assertEqual(self.server.request('POST', '/v1/query', self.index.query()).status, 200)

    def refused(self, data, status, words=b''):
        reply = self.server.raw(data)
        self.assertEqual(status_of(reply), status, reply)
        self.assertIn(b'connection: close', reply.lower())
        self.assertEqual(reply.count(b'HTTP/1.1 '), 1, 'a second request was executed')
        self.assertIn(words, reply)

    def length(self, size=44):
        return f'Content-Length: {size}'

    def test_content_length_beside_transfer_encoding(self):
        self.refused(post(b'0\r\n\r\n' + HIDDEN, headers=[self.length(), 'Transfer-Encoding: chunked']), 400, b'both')
        self.refused(post(b'0\r\n\r\n' + HIDDEN, headers=['Transfer-Encoding: chunked', self.length()]), 400, b'both')

    def test_repeated_fields(self):
        self.refused(post(HIDDEN, headers=[self.length(0), self.length(len(HIDDEN))]), 400, b'twice')
        self.refused(post(HIDDEN, headers=[self.length(len(HIDDEN)), self.length(len(HIDDEN))]), 400, b'twice')
        for line in ('Content-Type: text/plain', 'Host: other.test', 'host: veil.test'):
            self.refused(post(HIDDEN, headers=[self.length(), line]), 400, b'twice')
        self.refused(post(HIDDEN, headers=[self.length(), 'Authorization: a', 'Authorization: b']), 400, b'twice')
        two = ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked']
        self.refused(post(b'0\r\n\r\n' + HIDDEN, headers=two), 400, b'twice')

    def test_a_space_before_the_colon(self):
        self.refused(post(HIDDEN, headers=[f'Content-Length : {len(HIDDEN)}']), 400, b'token')
        self.refused(post(HIDDEN, headers=['Transfer-Encoding : chunked', self.length()]), 400, b'token')

    def test_a_length_that_is_not_a_number(self):
        for bad in ('+5', '-1', '0x10', '5,5', '5 5', '', '99999999999999999999'):
            with self.subTest(bad):
                reply = self.server.raw(post(HIDDEN, headers=[f'Content-Length: {bad}']))
                self.assertIn(status_of(reply), (400, 413), reply)  # some the library refuses by itself
                self.assertNotIn(b'200 OK', reply)

    def test_transfer_encodings_other_than_chunked(self):
        for bad in ('gzip', 'gzip, chunked', 'xchunked', 'identity', 'chunked, chunked', '"chunked"'):
            with self.subTest(bad):
                self.refused(post(b'0\r\n\r\n' + HIDDEN, headers=[f'Transfer-Encoding: {bad}']), 400, b'chunked')

    def test_chunked_in_http_1_0(self):
        data = post(b'0\r\n\r\n', headers=['Transfer-Encoding: chunked']).replace(b'HTTP/1.1', b'HTTP/1.0', 1)
        self.assertEqual(status_of(self.server.raw(data)), 400)

    def test_a_folded_line_of_the_framing(self):
        for folded in ('Transfer-Encoding:\r\n\tchunked', 'Transfer-Encoding: chunked\r\n x', 'Content-Length: 4\r\n 4',
                       'Content-Length:\r\n 44'):
            with self.subTest(folded):
                self.refused(post(HIDDEN, headers=[folded, self.length(len(HIDDEN))]), 400, b'folded')

    def test_unprintable_names_and_values(self):
        for line in ('X\x01Y: a', 'X: a\x01b', 'X: \xe9', 'X(Y): a', 'X@Y: a'):
            with self.subTest(line):
                self.refused(post(HIDDEN, headers=[line, self.length()]), 400)

    def test_paths_with_escapes_or_queries(self):
        for path in ('/v1/config%00', '/v1%2fconfig', '/v1/config%', '/v1/config?x=1', '/v1/config;x',
                     'http://veil.test/v1/config', '*', 'veil.test:80', '/v1/config#x', '/v1/\\config'):
            with self.subTest(path):
                reply = self.server.raw(f'GET {path} HTTP/1.1\r\nHost: veil.test\r\n\r\n'.encode() + HIDDEN)
                self.assertEqual(status_of(reply), 400, reply)
                self.assertEqual(reply.count(b'HTTP/1.1 '), 1)

    def test_no_host(self):
        self.assertEqual(status_of(self.server.raw(b'GET /v1/config HTTP/1.1\r\n\r\n')), 400)

    def test_methods(self):
        for method, path, status in (('HEAD', '/v1/config', 405), ('PUT', '/v1/query', 405), ('GET', '/v1/query', 405),
                                     ('POST', '/v1/config', 405), ('OPTIONS', '/v1/query', 405),
                                     ('TRACE', '/', 404), ('BREW', '/v1/config', 405), ('GET', '/', 404),
                                     ('GET', '/metrics', 404), ('GET', '/v1/config/', 404), ('GET', '//v1/config', 404)):
            with self.subTest(method + path):
                reply = self.server.raw(f'{method} {path} HTTP/1.1\r\nHost: veil.test\r\n\r\n'.encode())
                self.assertEqual(status_of(reply), status, reply)
                self.assertEqual(b'\nAllow: ' in reply, status == 405)

    def test_other_protocols(self):
        reply = self.server.raw(b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
        self.assertIn(status_of(reply), (400, 505), reply)
        reply = self.server.raw(b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n')
        self.assertNotIn(b'200 OK', reply)
        self.assertNotIn(b'200 OK', self.server.raw(b'GET /v1/config\r\n\r\n'))

    def test_media_types_and_encodings(self):
        body = self.index.query()
        size = [f'Content-Length: {len(body)}']
        for kind in ('text/plain', 'application/x-protobuf; charset=utf-8', 'application/x-www-form-urlencoded', ''):
            data = post(body, headers=size).replace(b'application/x-protobuf', kind.encode(), 1)
            self.refused(data, 415, b'Content-Type')
        self.refused(post(body, headers=[*size, 'Content-Encoding: gzip']), 415, b'Content-Encoding')

    def test_a_body_where_none_is_expected_and_none_where_one_is(self):
        data = b'GET /v1/config HTTP/1.1\r\nHost: veil.test\r\nContent-Length: %d\r\n\r\n' % len(HIDDEN) + HIDDEN
        self.refused(data, 400)
        self.refused(post(HIDDEN), 411)

    def test_a_head_that_is_too_large(self):
        reply = self.server.raw(post(b'', headers=['X: ' + 'a' * 100000]))
        self.assertIn(status_of(reply), (400, 413, 431, 500), reply[:200])

    def test_expect_100_is_answered_by_the_error_alone(self):
        reply = self.server.raw(post(b'', headers=['Content-Length: 9999999', 'Expect: 100-continue']))
        self.assertEqual(status_of(reply), 413)
        self.assertNotIn(b'100 Continue', reply)

    def test_expect_100_of_a_good_query_continues(self):
        body = self.index.query()
        with self.server.connect() as s:
            s.sendall(post(b'', headers=[f'Content-Length: {len(body)}', 'Expect: 100-continue', 'Connection: close']))
            self.assertIn(b'100 Continue', s.recv(1000))
            s.sendall(body)
            self.assertEqual(status_of(read_all(s)), 200)

    def test_a_chunked_query_is_answered_and_one_above_the_limit_is_refused(self):
        body = self.index.query()
        head = ['Transfer-Encoding: chunked', 'Connection: close']
        pieces = b''.join(b'%x\r\n%s\r\n' % (len(p), p) for p in (body[i:i + 999] for i in range(0, len(body), 999)))
        self.assertEqual(status_of(self.server.raw(post(pieces + b'0\r\n\r\n', headers=head))), 200)
        more = b'%x\r\n%s\r\n' % (3_000_000, bytes(3_000_000))
        reply = self.server.raw(post(pieces + more + b'0\r\n\r\n' + HIDDEN, headers=head[:1]))
        self.assertEqual(status_of(reply), 413, reply[:200])
        self.assertEqual(reply.count(b'HTTP/1.1 '), 1)

    def test_pipelined_good_requests_are_all_answered(self):
        last = HIDDEN.replace(b'\r\n\r\n', b'\r\nConnection: close\r\n\r\n')
        self.assertEqual(self.server.raw(HIDDEN * 4 + last).count(b'HTTP/1.1 200 OK'), 5)


class Slow(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(make_index('small'), '--receive-timeout-ms', '1200').__enter__()
        cls.index = Index(cls.server)

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()

    def drip(self, data, pause=0.05):
        """Seconds until the server hangs up on a client that sends byte after byte."""
        start = time.monotonic()
        with self.server.connect() as s:
            try:
                for i in range(len(data)):
                    s.sendall(data[i:i + 1])
                    time.sleep(pause)
                    if time.monotonic() - start > 10:
                        break
            except OSError:
                pass
            return time.monotonic() - start

    def test_who_sends_the_head_byte_by_byte_is_cut(self):
        self.assertLess(self.drip(post(b'', headers=['X: ' + 'a' * 400])), 6)
        self.assertGreaterEqual(self.server.metric('veil_deadlines_total'), 1)

    def test_who_sends_the_body_byte_by_byte_is_cut(self):
        body = self.index.query()
        with self.server.connect() as s:
            s.sendall(post(body[:100], headers=[f'Content-Length: {len(body)}']))
            start = time.monotonic()
            try:
                for i in range(100, len(body)):
                    s.sendall(body[i:i + 1])
                    time.sleep(0.05)
                    if time.monotonic() - start > 10:
                        break
            except OSError:
                pass
            self.assertLess(time.monotonic() - start, 6)

    def test_who_sends_nothing_is_cut(self):
        start = time.monotonic()
        with self.server.connect() as s:
            self.assertEqual(read_all(s), b'')
        self.assertLess(time.monotonic() - start, 6)

    def test_who_does_not_take_its_reply_is_cut(self):
        path = os.path.join(SCRATCH, 'slow-reader')
        index_path = make_index('large-reply', shards=1, rows=40000)
        with Server(index_path, '--total-timeout-ms', '700', listen='unix:' + path) as server:
            index = Index(server)
            with server.connect() as s:  # a socket whose buffers do not grow
                s.sendall(post(index.query(), headers=[f'Content-Length: {index.query_bytes}']))
                server.wait_for('veil_deadlines_total', lambda n: n == 1)
                server.wait_for('veil_connections_open', lambda n: n == 0)
                self.assertLess(len(read_all(s)), index.reply_bytes)

    def test_who_is_served_in_time_is_not_cut(self):
        with self.server.session() as c:
            for _ in range(4):
                self.assertEqual(c.request('POST', '/v1/query', self.index.query()).status, 200)
                time.sleep(0.4)


main()
