# SPDX-License-Identifier: Apache-2.0
"""The gateway of veild. What is refused in the open, what only inside; what is seen twice; keys that come and go.
The lines of rfc9458 go on from those of tests/unit/ohttp."""
import io
import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import ohttp
from ohttp import AES128, CHACHA20, KEYS_TYPE, P256, PROBLEM, REPLY_TYPE, SHA256, XWING, Client, ids, split_keys, write_key
from veild import SCRATCH, VEILD, Index, Server, make_index, read_reply, status_of

LONG = '--long' in sys.argv


def key_folder():
    return tempfile.mkdtemp(dir=SCRATCH)


def get_keys(server):
    reply = server.request('GET', '/.well-known/ohttp-gateway')
    assert reply.status == 200, reply.body
    return reply.body


class Gateway(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = key_folder()
        write_key(folder, 7, -60, 1000)
        write_key(folder, 9, -60, 1000, kem=P256)
        cls.server = Server(make_index('small'), '--gateway-keys', folder, '--gateway-authority', 'veil.test').__enter__()
        cls.index, cls.keys, cls.client = Index(cls.server), get_keys(cls.server), Client()

    @classmethod
    def tearDownClass(cls):
        cls.client.__exit__()
        cls.server.__exit__()

    def post(self, sealed, **headers):
        return self.server.request('POST', '/gateway', sealed, Content_Type=ohttp.TYPE, **headers)

    def exchange(self, message, keys=None, **suite):
        """What came inside; the outside is checked."""
        return self.inside(self.post(self.client.seal(keys or self.keys, message, **suite)))

    def inside(self, reply):
        self.assertEqual(reply.status, 200, reply.body)
        self.assertLessEqual(set(reply.headers), {'Content-Type', 'Content-Length', 'Cache-Control', 'Date', 'Connection'})
        self.assertEqual(reply.headers['Content-Type'], REPLY_TYPE)
        self.assertEqual(len(reply.body), 48 + ohttp.padded(self.index.reply_bytes))
        return self.client.open(reply.body)

    def query(self, **changes):
        return ohttp.request('POST', '/v1/query', self.index.query(**changes), size=self.index.query_bytes,
                             content_type='application/x-protobuf')

    def test_the_routes_answer_inside_as_they_do_outside(self):
        self.assertEqual(self.exchange(ohttp.request()).body, self.server.request('GET', '/v1/config').body)
        name = '/v1/object/' + self.index.codebook_hash.hex()
        r = self.exchange(ohttp.request(path=name))
        self.assertEqual((r.status, r.body), (200, self.server.request('GET', name).body))
        r = self.exchange(self.query(shard=1))
        self.assertEqual((r.status, r.headers['content-type']), (200, 'application/x-protobuf'))
        self.assertEqual(r.body, self.server.request('POST', '/v1/query', self.index.query(shard=1)).body)
        self.assertRegex(r.headers['veil-server-us'], '^[0-9]{10}$')

    def test_rfc9458_line_1_keys_are_published_alike_for_all_and_without_conditions(self):
        reply = self.server.request('GET', '/.well-known/ohttp-gateway', If_None_Match='*', User_Agent='a')
        self.assertEqual((reply.status, reply.headers['Content-Type']), (200, KEYS_TYPE))
        self.assertNotIn('ETag', reply.headers)
        self.assertEqual(reply.body, self.keys)
        one, other = split_keys(self.keys)
        self.assertEqual(one[2:5] + one[-10:], bytes([7, 0, 32]) + bytes([0, 8, 0, 1, 0, 1, 0, 1, 0, 3]))
        self.assertEqual((len(one), other[2:5], len(other)), (2 + 3 + 32 + 10, bytes([9, 0, 16]), 2 + 3 + 65 + 10))

    def test_every_suite_has_replies_of_one_size(self):
        for keys in split_keys(self.keys):
            for aead in AES128, CHACHA20:
                self.assertEqual(self.exchange(ohttp.request(), keys, aead=aead).status, 200)

    def test_rfc9458_line_6_another_key_kem_or_suite_is_told_in_the_open(self):
        sealed = self.client.seal(self.keys, ohttp.request())
        said = set()
        for at, value in ((0, 8), (0, 9), (1, 1), (2, 16), (4, 2), (6, 2), (6, 9)):
            changed = bytearray(sealed)
            changed[at] = value
            reply = self.post(bytes(changed))
            self.assertEqual((reply.status, reply.headers['Content-Type']), (400, 'application/problem+json'))
            said.add(reply.body)
        self.assertEqual(len(said), 1)
        self.assertIn((PROBLEM + 'ohttp-key').encode(), said.pop())

    def test_rfc9458_line_7_what_cannot_be_opened_gets_the_same_answer_whatever_the_reason(self):
        sealed = self.client.seal(self.keys, ohttp.request())
        bad = [sealed[:n] for n in (0, 1, 6, 7, 7 + 31, 7 + 32, 7 + 32 + 15, len(sealed) - 1)]
        bad += [sealed[:7] + bytes(32) + sealed[39:], sealed[:6] + b'\3' + sealed[7:], sealed + b'\0']
        for at in (7, 38, 39, len(sealed) - 1):
            bad.append(sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1:])
        said = set()
        for b in bad:
            reply = self.post(b)
            reply.headers.pop('Date')
            said.add((reply.status, reply.body, tuple(sorted(reply.headers.items()))))
        self.assertEqual(len(said), 1, said)
        self.assertEqual(said.pop()[0], 422)
        self.assertEqual(self.exchange(ohttp.request()).status, 200)

    def test_rfc9458_line_8_and_9_later_errors_are_told_inside_only_at_the_one_size(self):
        wrong = self.query(shard=99)
        for message, status in (
                (b'', 400), (b'\1\2', 400), (b'\0' * 50, 400), (ohttp.request()[:40], 400), (ohttp.request() + b'x', 400),
                (ohttp.request(path='/v1/config?x'), 400), (ohttp.request(scheme='javascript'), 400),
                (ohttp.request(authority='other.test'), 403), (ohttp.request(path='/gateway'), 403),
                (ohttp.request(path='/metrics'), 403), (ohttp.request(path='/.well-known/ohttp-gateway'), 403),
                (ohttp.request(path='/v1/object/00'), 404), (ohttp.request('POST'), 405), (ohttp.request('CONNECT'), 405),
                (ohttp.request('POST', '/v1/query', b'x'), 415), (wrong, 404),
                (ohttp.request('POST', '/v1/query', b'x', content_type='application/x-protobuf'), 400),
                (ohttp.request('POST', '/v1/query', self.index.query() + b'x', content_type='application/x-protobuf'), 413)):
            self.assertEqual(self.exchange(message).status, status, message[:99])
        self.assertEqual(self.exchange(ohttp.request('POST')).headers['allow'], 'GET')

    def test_rfc9458_line_10_expectations_inside_are_not_met(self):
        self.assertEqual(self.exchange(ohttp.request(expect='100-continue')).status, 417)

    def test_rfc9458_line_11_other_media_types_and_methods_are_refused(self):
        sealed = self.client.seal(self.keys, ohttp.request())
        for kind in ('message/ohttp-chunked-req', 'application/octet-stream', ohttp.TYPE + '; a=b'):
            self.assertEqual(self.server.request('POST', '/gateway', sealed, Content_Type=kind).status, 415)
        self.assertEqual(self.server.request('GET', '/gateway').status, 405)
        self.assertEqual(self.server.request('POST', '/.well-known/ohttp-gateway', b'x').status, 405)
        self.assertEqual(self.post(bytes(5_000_000)).status, 413)
        self.assertEqual(self.inside(self.post(sealed)).status, 200)

    def test_rfc9458_line_14_a_date_outside_the_window_is_told_inside_with_the_right_one(self):
        for when, good in ((-298, True), (298, True), (-302, False), (302, False), (None, False)):
            r = self.exchange(ohttp.request(when=when))
            if good:
                self.assertEqual(r.status, 200, when)
            else:
                self.assertEqual((r.status, r.headers['content-type']), (400, 'application/problem+json'))
                self.assertIn((PROBLEM + 'date').encode(), r.body)
                self.assertEqual(self.exchange(ohttp.request(when=None, date=r.headers['date'])).status, 200)
        for form in ('yesterday', ohttp.date()[:-3] + 'CET', '0' + ohttp.date(), 'Sun, 99 Nov 1994 08:49:37 GMT', '9' * 99):
            self.assertEqual(self.exchange(ohttp.request(when=None, date=form)).status, 400, form)

    def test_rfc9458_line_15_the_same_bytes_are_answered_once_and_a_new_try_again(self):
        message = ohttp.request()
        sealed = self.client.seal(self.keys, message)
        before = self.server.metric('veil_gateway_requests_total{result="replayed"}')
        first, again = self.post(sealed), self.post(sealed)
        self.assertEqual(len(first.body), len(again.body))
        self.assertEqual(self.client.open(again.body).status, 409)
        self.assertEqual(self.exchange(message).status, 200)
        self.assertEqual(self.server.metric('veil_gateway_requests_total{result="replayed"}'), before + 1)

    def test_a_race_of_replays_has_one_winner(self):
        before = self.server.metric('veil_gateway_requests_total{result="replayed"}')
        sealed, out = self.client.seal(self.keys, ohttp.request()), []
        threads = [threading.Thread(target=lambda: out.append(self.post(sealed).body)) for _ in range(16)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(len({len(b) for b in out}), 1)
        self.assertEqual(self.server.metric('veil_gateway_requests_total{result="replayed"}'), before + 15)


    def test_rfc9458_line_13_the_only_target_is_veild_whatever_a_request_inside_says(self):
        for message, status in (
                (ohttp.request(path='http://other.test/v1/config'), 400), (ohttp.request(path='//other.test/v1/config'), 403),
                (ohttp.request(path='*'), 400), (ohttp.request(path=''), 400), (ohttp.request(path='/v1/../metrics'), 403),
                (ohttp.request(path='/v1/%63onfig'), 400), (ohttp.request(path='/v1/config#x'), 400),
                (ohttp.request(path='/v1/config\0'), 400), (ohttp.request(path='/v1/config HTTP/1.1\r\nX: y'), 400),
                (ohttp.request(path='/v1/object/' + 'a' * 5000), 404), (ohttp.request('CONNECT', authority='other.test:443'), 403),
                (ohttp.request('TRACE'), 405), (ohttp.request('G E T'), 400), (ohttp.request('get'), 405),
                (ohttp.request(authority=''), 400), (ohttp.request(authority='', host='veil.test'), 200),
                (ohttp.request(authority='a@veil.test'), 400), (ohttp.request(authority='veil.test:80'), 403),
                (ohttp.request(host='other.test'), 400), (ohttp.request(host='VEIL.test'), 200),
                (ohttp.request(x_forwarded_for='1.2.3.4', forwarded='for=1', via='1.1 a', cookie='a=b'), 200)):
            self.assertEqual(self.exchange(message).status, status, message[:99])

    def test_nothing_is_smuggled_inside(self):
        query = dict(content=self.index.query(), content_type='application/x-protobuf')
        for fields, status in (
                ({'content_length': '5'}, (200, 400)), ({'transfer_encoding': 'chunked'}, (200, 400)),
                ({'connection': 'close'}, (200, 400)), ({'upgrade': 'h2c'}, (200, 400)), ({'a': 'b\r\nContent-Length: 0'}, (400,)),
                ({'a': ' b'}, (400,)), ({'A': 'b'}, (400,)), ({'a b': 'c'}, (400,)), ({':path': '/metrics'}, (400,)),
                ({'': 'a'}, (400,)), ({'a': 'b\0'}, (400,)), ({f'f{i}': 'x' for i in range(70)}, (400,))):
            r = self.exchange(ohttp.request('POST', '/v1/query', **query, **fields))
            self.assertIn(r.status, status, fields)
            if r.status == 200:  # one whole answer, as without the field
                self.assertEqual(r.body, self.exchange(self.query()).body)
        smuggled = b'POST /v1/query HTTP/1.1\r\nHost: veil.test\r\n\r\n'
        r = self.exchange(ohttp.request('POST', '/v1/query', self.index.query() + smuggled, content_type='application/x-protobuf'))
        self.assertIn(r.status, (400, 413))

    def test_what_comes_around_a_request_is_refused_in_the_open(self):
        sealed = self.client.seal(self.keys, ohttp.request())
        head = f'POST /gateway HTTP/1.1\r\nHost: a\r\nContent-Type: {ohttp.TYPE}\r\n'.encode()
        size = b'Content-Length: %d\r\n' % len(sealed)
        for raw, status in (
                (head + size + size + b'\r\n' + sealed, 400), (head + size + b'Transfer-Encoding: chunked\r\n\r\n' + sealed, 400),
                (head + b'Content-Length : 5\r\n\r\n' + sealed, 400), (head + b'Content-Length: 99999999999\r\n\r\n', 413),
                (head + f'Content-Type: {ohttp.TYPE}\r\n'.encode() + size + b'\r\n' + sealed, 400),
                (b'GET' + head[4:] + b'\r\n', 405), (head + b'Transfer-Encoding: gzip\r\n\r\n', 400)):
            with self.server.connect() as s:
                s.sendall(raw)
                self.assertEqual(status_of(read_reply(s)), status, raw[:200])
        with self.server.connect() as s:  # in chunks of HTTP/1.1, which may come in pieces of any size
            s.sendall(head + b'Transfer-Encoding: chunked\r\n\r\n')
            for i in range(0, len(sealed), 97):
                piece = sealed[i:i + 97]
                s.sendall(b'%x\r\n' % len(piece) + piece + b'\r\n')
            s.sendall(b'0\r\n\r\n')
            raw = read_reply(s)
        self.assertEqual(status_of(raw), 200)
        self.assertEqual(self.client.open(raw.partition(b'\r\n\r\n')[2]).status, 200)
        with self.server.connect() as s:  # cut off: no answer, and no harm
            s.sendall(head + size + b'\r\n' + sealed[:50])
        self.assertEqual(self.exchange(ohttp.request()).status, 200)

    def test_rfc9458_line_4_no_two_replies_share_nonce_or_bytes(self):
        sealed = self.client.seal(self.keys, ohttp.request())
        replies = [self.post(sealed).body for _ in range(20)]  # one key of enc and exporter, so the nonces must differ
        self.assertEqual(len({r[:16] for r in replies}), 20)
        self.assertEqual(len({r[i:i + 16] for r in replies for i in range(16, len(r) - 15, 4096)}), 20 * len(range(16, len(replies[0]) - 15, 4096)))


class Starting(unittest.TestCase):
    def start(self, *options, keys=None):
        folder = key_folder()
        for i, (begins, ends) in enumerate(keys or [(-60, 1000)]):
            write_key(folder, i, begins, ends)
        return Server(make_index('small'), '--gateway-keys', folder, *options), folder

    def ask(self, server, client, message=None, keys=None):
        reply = server.request('POST', '/gateway', client.seal(keys or get_keys(server), message or ohttp.request()),
                               Content_Type=ohttp.TYPE)
        return client.open(reply.body) if reply.status == 200 else reply

    def fail_to_start(self, folder):
        p = subprocess.run([VEILD, '--index', make_index('small'), '--listen', '127.0.0.1:0', '--admin', 'off',
                            '--gateway-keys', folder], stderr=subprocess.PIPE, text=True, timeout=20)
        self.assertEqual(p.returncode, 1)
        return p


class Options(Starting):
    def test_a_full_replay_set_is_busy_never_open(self):
        server, _ = self.start('--gateway-replays', '16')
        with server, Client() as client:
            statuses = [self.ask(server, client).status for _ in range(20)]
            self.assertEqual(statuses, [200] * 16 + [503] * 4)

    def test_rfc9458_line_15_what_was_answered_before_a_restart_is_not_answered_after_it(self):
        server, folder = self.start()
        with Client() as client:
            sealed = []
            for end in (signal.SIGKILL, signal.SIGTERM, None):
                with server:
                    keys = get_keys(server)
                    for i, old in enumerate(sealed):
                        r = server.request('POST', '/gateway', old, Content_Type=ohttp.TYPE)
                        self.assertEqual((r.status, len(r.body)), (200, size))
                        self.assertEqual(server.metric('veil_gateway_requests_total{result="replayed"}'), i + 1)
                    self.assertEqual(self.ask(server, client, keys=keys).status, 200)  # no time is lost
                    for ahead in (0, 290):
                        sealed.append(client.seal(keys, ohttp.request(when=ahead)))
                        r = server.request('POST', '/gateway', sealed[-1], Content_Type=ohttp.TYPE)
                        self.assertEqual(client.open(r.body).status, 200)
                        size = len(r.body)
                    if end:
                        server.process.send_signal(end)
                        server.process.wait(20)
                if end:
                    server = Server(make_index('small'), '--gateway-keys', folder)
            self.assertEqual(stat.S_IMODE(os.stat(os.path.join(folder, '000.seen')).st_mode), 0o600)

    def test_what_was_answered_is_kept_or_veild_does_not_start(self):
        folder = key_folder()
        write_key(folder, 5, -60, 1000)
        os.mkdir(os.path.join(folder, '005.seen'))
        p = self.fail_to_start(folder)
        self.assertIn('005.seen', p.stderr)

    def test_replies_wait_for_the_deadline_and_hide_the_time(self):
        server, _ = self.start('--reply-deadline-ms', '300')
        with server, Client() as client:
            index, keys = Index(server), get_keys(server)
            for message in (ohttp.request(), b'x', ohttp.request('POST', '/v1/query', index.query(),
                                                                 content_type='application/x-protobuf')):
                start = time.monotonic()
                r = self.ask(server, client, message, keys)
                self.assertGreaterEqual(time.monotonic() - start, 0.295)
                self.assertNotIn('veil-server-us', r.headers)
            sealed = client.seal(keys, ohttp.request())
            for change, status in ((0, 400), (len(sealed) - 1, 422)):  # another key; what cannot be opened
                spoilt = bytearray(sealed)
                spoilt[change] ^= 1
                start = time.monotonic()
                r = server.request('POST', '/gateway', bytes(spoilt), Content_Type=ohttp.TYPE)
                self.assertEqual(r.status, status)
                self.assertGreaterEqual(time.monotonic() - start, 0.295)
        server, _ = self.start('--hide-timing')
        with server, Client() as client:
            r = self.ask(server, client, ohttp.request('POST', '/v1/query', Index(server).query(),
                                                       content_type='application/x-protobuf'))
            self.assertEqual((r.status, 'veil-server-us' in r.headers), (200, False))

    def test_without_a_gateway_there_is_none(self):
        with Server(make_index('small')) as server:
            self.assertEqual(server.request('GET', '/.well-known/ohttp-gateway').status, 404)
            self.assertEqual(server.request('POST', '/gateway', b'x', Content_Type=ohttp.TYPE).status, 404)

    def test_bad_keys_are_refused_by_name(self):
        for change, word in ((lambda p: os.chmod(p, 0o640), 'chmod 600'), (lambda p: os.truncate(p, 30), 'not a gateway key'),
                             (lambda p: os.truncate(p, os.stat(p).st_size - 5), 'private key'),
                             (lambda p: write_key(os.path.dirname(p), 5, -9, 9, name='b.key'), 'identifier'),
                             (lambda p: write_key(os.path.dirname(p), 6, -9, 9, kem=0x30), 'KEM 0x0030'),
                             (os.unlink, 'new-gateway-key')):
            folder = key_folder()
            change(write_key(folder, 5, -60, 1000))
            p = self.fail_to_start(folder)
            self.assertIn(word, p.stderr)
            self.assertIn(folder, p.stderr)

    def test_rfc9180_line_6_x_wing_is_offered_first_where_it_is_built_and_refused_by_name_elsewhere(self):
        folder = os.path.join(key_folder(), 'new')
        made = subprocess.run([VEILD, '--new-gateway-key', folder, '--gateway-kem', 'xwing'], stderr=subprocess.PIPE, text=True)
        if made.returncode:
            self.assertIn("gateway-kem 'xwing' is none that this build has", made.stderr)
            folder = key_folder()
            write_key(folder, 5, -60, 1000, kem=XWING)
            self.assertIn('no KEM 0x647a', self.fail_to_start(folder).stderr)
            return
        print('X-Wing', file=sys.stderr)
        write_key(folder, 200, -1000, 1000)  # X25519 stands behind it, as the older one
        with Server(make_index('small'), '--gateway-keys', folder) as server, Client() as client:
            size = 48 + ohttp.padded(Index(server).reply_bytes)
            keys = get_keys(server)
            self.assertEqual([k[3:5] for k in split_keys(keys)], [b'\x64\x7a', b'\0\x20'])
            self.assertEqual(len(split_keys(keys)[0]), 2 + 3 + 1216 + 10)
            for k in split_keys(keys):
                for aead in AES128, CHACHA20:
                    sealed = client.seal(k, ohttp.request(), aead=aead)
                    reply = server.request('POST', '/gateway', sealed, Content_Type=ohttp.TYPE)
                    self.assertEqual((reply.status, len(reply.body)), (200, size))
                    self.assertEqual(client.open(reply.body).status, 200)
            sealed = client.seal(keys, ohttp.request())
            said = set()
            for at in (7, 7 + 1087, 7 + 1088, 7 + 1119, 7 + 1120, len(sealed) - 1):  # both halves of enc, ciphertext, tag
                bad = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1:]
                reply = server.request('POST', '/gateway', bad, Content_Type=ohttp.TYPE)
                said.add((reply.status, reply.body))
            for cut in (7, 8, 7 + 1119, 7 + 1120, 7 + 1120 + 15):
                reply = server.request('POST', '/gateway', sealed[:cut], Content_Type=ohttp.TYPE)
                said.add((reply.status, reply.body))
            self.assertEqual([status for status, _ in said], [422])
            self.assertEqual(server.request('POST', '/gateway', sealed, Content_Type=ohttp.TYPE).status, 200)
            self.assertEqual(client.open(server.request('POST', '/gateway', sealed, Content_Type=ohttp.TYPE).body).status, 409)

    def test_new_keys_follow_one_another_and_are_for_their_owner_only(self):
        folder = os.path.join(key_folder(), 'new')
        made = [subprocess.run([VEILD, '--new-gateway-key', folder, '--gateway-key-days', '2'], stdout=subprocess.PIPE,
                               check=True, text=True).stdout.strip() for _ in range(2)]
        texts = [dict(line.rsplit(' ', 1) for line in Path(p).read_text().splitlines()) for p in made]
        self.assertEqual([os.stat(p).st_mode & 0o777 for p in made], [0o600] * 2)
        self.assertEqual(int(texts[0]['not-after']) - int(texts[0]['not-before']), 2 * 86400)
        self.assertEqual(texts[0]['not-after'], texts[1]['not-before'])
        with Server(make_index('small'), '--gateway-keys', folder) as one, \
                Server(make_index('small'), '--gateway-keys', folder) as other:
            self.assertEqual(ids(get_keys(one)), [1, 2])
            self.assertEqual(get_keys(one), get_keys(other))

    def test_rfc9458_line_15_what_was_seen_stays_seen_across_a_reload(self):
        server, folder = self.start()
        with server, Client() as client:
            sealed = client.seal(get_keys(server), ohttp.request())
            for answer in (200, 409):
                self.assertEqual(server.request('POST', '/gateway', sealed, Content_Type=ohttp.TYPE).status, 200)
                self.assertEqual(server.metric('veil_gateway_requests_total{result="replayed"}'), answer == 409)
                write_key(folder, 50, 5, 9)
                server.process.send_signal(signal.SIGHUP)
                server.wait_for('veil_reloads_total{result="ok"}', lambda n: n >= 1)
                self.assertEqual(ids(get_keys(server)), [0, 50])

    def test_a_reload_of_bad_keys_changes_nothing(self):
        server, folder = self.start()
        with server, Client() as client:
            before = get_keys(server)
            os.chmod(write_key(folder, 99, 0, 9), 0o644)
            server.process.send_signal(signal.SIGHUP)
            server.wait_for('veil_reloads_total{result="failed"}', lambda n: n == 1)
            self.assertEqual(get_keys(server), before)
            self.assertEqual(self.ask(server, client).status, 200)


class Retiring(Starting):
    def test_rfc9458_line_16_a_key_is_next_active_retiring_over(self):
        server, folder = self.start('--gateway-grace-seconds', '1', keys=[(-60, 2), (2, 1000)])
        with server, Client() as client:
            ends = os.stat(folder).st_mtime + 2
            before = get_keys(server)
            old, new = split_keys(before)
            self.assertEqual(ids(before), [0, 1])
            self.assertEqual([self.ask(server, client, keys=k).status for k in (old, new)], [200, 200])
            while ids(get_keys(server)) == [0, 1]:
                self.assertLess(time.time(), ends + 5)
                time.sleep(0.02)
            self.assertEqual(get_keys(server), new)
            self.assertEqual(self.ask(server, client, keys=old).status, 200)  # retiring
            while (r := self.ask(server, client, keys=old)).status == 200:
                self.assertLess(time.time(), ends + 10)
                time.sleep(0.02)
            self.assertIn(b'#ohttp-key', r.body)


class Rotating(Starting):
    def test_keys_rotate_every_second_under_load_and_no_request_fails(self):
        total, workers = (100_000, 4) if LONG else (200, 2)
        server, folder = self.start('--gateway-grace-seconds', '5', keys=[(-1, 2), (1, 4)])
        done, failed, stop = [0] * workers, [], threading.Event()

        def rotate():
            number = 2
            while not stop.wait(1):
                write_key(folder, number % 256, 1, 4, name='new')
                os.rename(os.path.join(folder, 'new'), os.path.join(folder, f'{number % 256:03}.key'))
                server.process.send_signal(signal.SIGHUP)
                number += 1

        def load(i):
            with Client() as client, server.session() as session:
                while done[i] < total // workers or number_of_keys() < 3:
                    if done[i] % 10 == 0:
                        keys = session.request('GET', '/.well-known/ohttp-gateway').body
                        seen.add(ids(keys)[0])
                    reply = session.request('POST', '/gateway', client.seal(keys, ohttp.request()), Content_Type=ohttp.TYPE)
                    if reply.status != 200 or client.open(reply.body).status != 200:
                        failed.append((reply.status, reply.body[:200]))
                        return
                    done[i] += 1

        seen = set()
        number_of_keys = lambda: len(seen)
        with server:
            threads = [threading.Thread(target=load, args=(i,)) for i in range(workers)]
            rotation = threading.Thread(target=rotate)
            for t in [*threads, rotation]:
                t.start()
            for t in threads:
                t.join()
            stop.set()
            rotation.join()
            self.assertEqual(failed, [])
            self.assertGreaterEqual(sum(done), total // workers * workers)
            self.assertGreaterEqual(len(seen), 3)
            print(f'{sum(done)} requests through {len(seen)} keys', file=sys.stderr)


def run(case):
    out = io.StringIO()
    result = unittest.TextTestRunner(out, verbosity=2).run(unittest.defaultTestLoader.loadTestsFromTestCase(case))
    return out.getvalue(), result.wasSuccessful()


make_index('small')
with ThreadPoolExecutor() as pool:  # some of them mostly wait
    outcomes = list(pool.map(run, [Rotating] if LONG else [Rotating, Retiring, Gateway, Options]))
print(*(text for text, _ in outcomes), sep='', file=sys.stderr)
sys.exit(not all(good for _, good in outcomes))
