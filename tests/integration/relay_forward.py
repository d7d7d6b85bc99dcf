# SPDX-License-Identifier: Apache-2.0
"""What veil-relay passes on and what not, how it fails, what it never sends twice, what it forgets.

Usage: relay_forward.py VEILD MAKE_INDEX VEIL_RELAY [unittest arguments]"""
import hashlib
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from relay import REPLY_TYPE, TYPE, Gateway, Relay, reply
from veild import SCRATCH, status_of

RELAY = sys.argv[3]
OFF = ('--mix', 'off', '--rate', '1000000', '--burst', '1000000')


class Forward(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gateway, cls.other = Gateway(), Gateway(lambda head, body: reply(b'other'))
        cls.relay = Relay(RELAY, [('/veil', f'http://127.0.0.1:{cls.gateway.port}/gateway'),
                                  ('/b', f'http://127.0.0.1:{cls.other.port}/gw')], *OFF, '--request-limit', '200000',
                          '--receive-timeout-ms', '3000').__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.relay.__exit__()
        cls.gateway.close()
        cls.other.close()

    def test_rfc9458_line_12_body_and_type_go_on_and_nothing_else(self):
        body = os.urandom(100000)
        r = self.relay.post(body, Cookie='a=b', User_Agent='me', X_Forwarded_For='9.9.9.9', Forwarded='for=1', Via='x',
                            Accept_Language='de', Authorization='x', Referer='y', Traceparent='z', Priority='u=1')
        self.assertEqual((r.status, r.body, r.headers['Content-Type']), (200, body[::-1], REPLY_TYPE))
        self.assertLessEqual(set(r.headers), {'Content-Type', 'Content-Length', 'Cache-Control', 'Date', 'Connection'})
        head, seen = self.gateway.requests[-1]
        self.assertEqual(seen, body)
        lines = head.split('\r\n')
        self.assertEqual(lines[0], 'POST /gateway HTTP/1.1')
        self.assertEqual({l.split(':')[0].lower() for l in lines[1:]}, {'host', 'content-type', 'content-length'})
        self.assertIn('Content-Type: ' + TYPE, lines)

    def test_rfc9458_line_13_nothing_steers_a_request_to_the_other_gateway(self):
        before, other = len(self.gateway.bodies()), len(self.other.bodies())
        for host in (f'127.0.0.1:{self.other.port}', 'other.example', 'b'):
            self.assertEqual(self.relay.post(b'x', Host=host, X_Forwarded_Host=host).status, 200)
        for target in (f'http://127.0.0.1:{self.other.port}/gw', '/veil?gateway=/b', '/veil/../b', '/veil%2fb', '/veil/b',
                       '//b', '/gw', f'127.0.0.1:{self.other.port}'):
            raw = self.relay.raw(f'POST {target} HTTP/1.1\r\nHost: x\r\nContent-Type: {TYPE}\r\nContent-Length: 1\r\n\r\nx'
                                 .encode())
            self.assertIn(status_of(raw), (400, 404), target)
        self.assertEqual((len(self.gateway.bodies()) - before, len(self.other.bodies()) - other), (3, 0))
        self.assertEqual(self.relay.post(b'x', path='/b').body, b'other')

    def test_what_is_no_request_is_refused_here(self):
        begun = self.gateway.begun
        for status, answer in ((405, self.relay.request('GET', '/veil')), (400, self.relay.post(b'')),
                               (415, self.relay.post(b'x', Content_Type='text/plain')),
                               (415, self.relay.post(b'x', Content_Encoding='gzip')),
                               (404, self.relay.post(b'x', path='/else')),
                               (404, self.relay.request('GET', '/veil/v1/object/' + 'A' * 64)),
                               (404, self.relay.request('GET', '/veil/v1/object/' + 'a' * 63)),
                               (404, self.relay.request('GET', '/veil/attestation'))):
            self.assertEqual(answer.status, status, answer.body)
        self.assertEqual(self.gateway.begun, begun)

    def test_limits_are_published_and_named(self):
        text = self.relay.request('GET', '/veil/limits').body.decode()
        self.assertIn('request_bytes 200000\n', text)
        self.assertIn('hold_ms 0\n', text)
        r = self.relay.post(bytes(200001))
        self.assertEqual(r.status, 413)
        self.assertIn(b'200000', r.body)
        chunked = b'POST /veil HTTP/1.1\r\nHost: r\r\nContent-Type: message/ohttp-req\r\nTransfer-Encoding: chunked\r\n\r\n'
        raw = self.relay.raw(chunked + b'30d41\r\n' + bytes(200001) + b'\r\n0\r\n\r\n')
        self.assertEqual(status_of(raw), 413)
        self.assertIn(b'200000', raw)
        self.assertEqual(self.relay.post(bytes(200000)).status, 200)
        raw = self.relay.raw(chunked.replace(b'Host: r', b'Host: r\r\nConnection: close') +
                             b'5\r\nabcde\r\n1\r\nf\r\n0\r\n\r\n')
        self.assertTrue(raw.endswith(b'fedcba'), raw)

    def test_keys_and_objects_come_through_and_an_object_must_have_its_hash(self):
        data = os.urandom(50000)
        name = hashlib.sha256(data).hexdigest()
        kept = self.gateway.answer
        self.gateway.answer = lambda head, body: reply(b'the keys', kind='application/ohttp-keys') \
            if '/.well-known/ohttp-gateway ' in head else reply(data, kind='application/octet-stream')
        try:
            r = self.relay.request('GET', '/veil/.well-known/ohttp-gateway', Cookie='a')
            self.assertEqual((r.status, r.body, r.headers['Content-Type']), (200, b'the keys', 'application/ohttp-keys'))
            self.assertEqual({l.split(':')[0] for l in self.gateway.requests[-1][0].split('\r\n')[1:]}, {'Host'})
            r = self.relay.request('GET', '/veil/v1/object/' + name)
            self.assertEqual((r.status, r.body), (200, data))
            self.assertTrue(self.gateway.requests[-1][0].startswith(f'GET /v1/object/{name} '))
            self.assertEqual(self.relay.request('GET', '/veil/v1/object/' + '0' * 64).status, 502)
        finally:
            self.gateway.answer = kept

    def test_the_gateways_own_refusals_pass_and_redirections_do_not(self):
        kept = self.gateway.answer
        try:
            for status, kind in (('400 Bad Request', 'application/problem+json'), ('422 X', 'text/plain'),
                                 ('503 Busy', 'text/plain')):
                self.gateway.answer = lambda head, body: reply(b'why', status, kind, 'Retry-After: 7\r\n')
                r = self.relay.post(b'x')
                self.assertEqual((r.status, r.headers['Content-Type'], r.body), (int(status[:3]), kind, b'why'))
                self.assertEqual(r.headers['Retry-After'], '7')
            for status in ('302 Found', '304 Not Modified'):
                self.gateway.answer = lambda head, body: reply(b'', status)
                r = self.relay.post(b'x')
                self.assertEqual((r.status, r.headers['Proxy-Status']), (502, 'veil-relay; error=http_protocol_error'))
        finally:
            self.gateway.answer = kept

    def test_neither_log_nor_metrics_name_a_client(self):
        self.relay.post_from('127.0.0.77', b'x')
        told = self.relay.text() + self.relay.ask_admin('/metrics')[1]
        self.assertNotIn('127.0.0.77', told)
        self.assertEqual(set(re.findall(r'127\.\d+\.\d+\.\d+', told)), {'127.0.0.1'})  # where it listens
        self.assertIn('veil_relay_batch_size_bucket', told)


class Failures(unittest.TestCase):
    def relay_to(self, gateway, *options):
        return Relay(RELAY, [('/veil', f'http://127.0.0.1:{gateway.port}/gateway')], *OFF, *options)

    def test_a_gateway_that_reads_and_closes_gets_each_request_once(self):
        cut = Gateway(lambda head, body: None if body[:3] == b'cut' else reply(body))
        with self.relay_to(cut) as relay:
            for i in range(30):  # on connections that have served before, where a client library would try again
                self.assertEqual(relay.post(b'warm%d' % i).status, 200)
                for body in (b'cut%d' % i, b'cut%d' % i + bytes(150000)):
                    r = relay.post(body)
                    self.assertEqual(r.status, 502)
                    self.assertIn('error=connection_terminated', r.headers['Proxy-Status'])
            bodies = cut.bodies()
            self.assertEqual(len(bodies), len(set(bodies)), 'something was sent twice')
            self.assertEqual(len(bodies), 90)
            self.assertEqual(relay.metric('veil_relay_forwarded_total{result="failed"}'), 60)
        cut.close()

    def test_no_gateway_502_and_a_silent_one_504_in_time(self):
        gateway = Gateway(lambda head, body: time.sleep(5))
        with self.relay_to(gateway, '--upstream-timeout-ms', '400') as relay:
            start = time.monotonic()
            r = relay.post(b'x')
            self.assertEqual((r.status, r.headers['Proxy-Status']), (504, 'veil-relay; error=connection_timeout'))
            self.assertLess(time.monotonic() - start, 3)
            self.assertEqual(len(gateway.bodies()), 1)
        gateway.close()
        with self.relay_to(gateway) as relay:
            r = relay.post(b'x')
            self.assertEqual((r.status, r.headers['Proxy-Status']), (502, 'veil-relay; error=connection_refused'))

    def test_a_gateway_killed_with_requests_in_flight_502_and_nothing_twice(self):
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'counting_gateway.py')
        seen = tempfile.mktemp(dir=SCRATCH)
        p = subprocess.Popen([sys.executable, '-B', script, seen], stdout=subprocess.PIPE, text=True)
        port = int(p.stdout.readline())
        results, lock = [], threading.Lock()

        def ask(n):
            for i in range(1000):
                r = relay.post(b'%d.%d.' % (n, i) + bytes(20000))
                with lock:
                    results.append((r.status, time.monotonic()))
                if r.status != 200:
                    return

        with Relay(RELAY, [('/veil', f'http://127.0.0.1:{port}/gateway')], *OFF) as relay:
            threads = [threading.Thread(target=ask, args=(n,)) for n in range(16)]
            for t in threads:
                t.start()
            time.sleep(0.7)
            p.kill()
            killed = time.monotonic()
            for t in threads:
                t.join(20)
            p.wait()
            p.stdout.close()
            self.assertEqual({status for status, _ in results}, {200, 502})
            self.assertEqual(sum(status == 502 for status, _ in results), 16)
            self.assertLess(max(when for _, when in results) - killed, 5)
        with open(seen) as f:
            names = f.read().split()
        self.assertEqual(len(names), len(set(names)), 'executed twice')
        self.assertGreater(len(names), 50)

    def test_a_relay_killed_leaves_an_error_and_no_second_request(self):
        gateway = Gateway(lambda head, body: time.sleep(1) or reply(body))
        with self.relay_to(gateway) as relay:
            statuses = []
            threads = [threading.Thread(target=lambda i=i: statuses.append(relay.post_from('127.0.0.1', b'%d' % i)[0]))
                       for i in range(8)]
            for t in threads:
                t.start()
            while len(gateway.bodies()) < 8:
                time.sleep(0.01)
            relay.kill()
            for t in threads:
                t.join(10)
            self.assertEqual(statuses, [None] * 8)
            time.sleep(0.3)
            self.assertEqual(sorted(gateway.bodies()), [b'%d' % i for i in range(8)])
        gateway.close()

    def test_a_reply_beyond_the_limit_is_502(self):
        gateway = Gateway(lambda head, body: reply(bytes(70000)))
        with self.relay_to(gateway, '--reply-limit', '60000') as relay:
            self.assertEqual(relay.post(b'x').status, 502)
        gateway.close()

    def test_stopping_answers_what_is_under_way(self):
        gateway = Gateway(lambda head, body: time.sleep(0.5) or reply(body))
        with self.relay_to(gateway) as relay:
            got = []
            t = threading.Thread(target=lambda: got.append(relay.post(b'last').status))
            t.start()
            while not gateway.bodies():
                time.sleep(0.01)
            relay.process.terminate()
            t.join(10)
            self.assertEqual((got, relay.process.wait(20)), ([200], 0))
        gateway.close()


class Bounds(unittest.TestCase):
    def setUp(self):
        self.gateway = Gateway()

    def tearDown(self):
        self.gateway.close()

    def relay(self, *options):
        return Relay(RELAY, [('/veil', f'http://127.0.0.1:{self.gateway.port}/gateway')], '--mix', 'off', *options)

    def test_a_client_above_its_rate_gets_429_and_others_do_not(self):
        with self.relay('--rate', '60', '--burst', '5') as relay:
            statuses = [relay.post_from('127.0.0.2', b'x')[0] for _ in range(8)]
            self.assertEqual(statuses[:5] + statuses[-1:], [200] * 5 + [429])
            self.assertEqual(relay.post_from('127.0.0.3', b'x')[0], 200)
            self.assertGreaterEqual(relay.metric('veil_relay_refused_total{reason="rate"}'), 2)

    def test_the_front_may_tell_the_client(self):
        with self.relay('--rate', '60', '--burst', '2', '--client-header', 'Veil-Client') as relay:
            for client in ('192.0.2.1', '2001:db8::1'):
                self.assertEqual([relay.post(b'x', Veil_Client=client).status for _ in range(3)], [200, 200, 429])
            self.assertEqual(relay.post(b'x', Veil_Client='2001:db8::2').status, 429)
            for wrong in ('', 'me', '192.0.2.1, 192.0.2.2'):
                self.assertEqual(relay.post(b'x', Veil_Client=wrong).status, 500)
            self.assertEqual(relay.post(b'x').status, 500)
            twice = b'POST /veil HTTP/1.1\r\nHost: r\r\nContent-Type: message/ohttp-req\r\nContent-Length: 1\r\n' \
                    b'Veil-Client: 192.0.2.8\r\nVeil-Client: 192.0.2.9\r\nConnection: close\r\n\r\nx'
            self.assertEqual(status_of(relay.raw(twice)), 500)

    def test_bodies_take_what_has_come_of_them_and_beyond_their_limit_503(self):
        head = b'POST /veil HTTP/1.1\r\nHost: r\r\nContent-Type: message/ohttp-req\r\nContent-Length: 1000000\r\n\r\n'
        with self.relay('--body-memory', '1M', '--receive-timeout-ms', '5000') as relay:
            slow = [relay.connect() for _ in range(50)]
            for s in slow:  # each announces a million bytes and brings a few
                s.sendall(head + bytes(100))
            relay.wait_for('veil_buffer_bytes', lambda n: n >= 50 * 16384)
            self.assertLessEqual(relay.metric('veil_buffer_bytes'), 51 * 16384)
            self.assertEqual(relay.post(bytes(60000)).status, 200)
            self.assertEqual(relay.post(bytes(600000)).status, 503)
            for s in slow:
                s.close()
            relay.wait_for('veil_buffer_bytes', lambda n: n < 1000000)

    def test_requests_wait_for_company_and_leave_shuffled(self):
        with Relay(RELAY, [('/veil', f'http://127.0.0.1:{self.gateway.port}/gateway')], '--mix', 'batch 8 15000',
                   '--mix-clients', '4', '--mix-keep', '0', '--upstream-connections', '1') as relay:
            done = []

            def ask(i):
                done.append((relay.post_from(f'127.0.0.{2 + i % 4}', b'%d' % i)[0]))

            threads = [threading.Thread(target=ask, args=(i,)) for i in range(8)]
            for t in threads[:7]:
                t.start()
                time.sleep(0.03)
            relay.wait_for('veil_relay_waiting', lambda n: n == 7)
            self.assertEqual((self.gateway.bodies(), done), ([], []))
            threads[7].start()
            for t in threads:
                t.join(10)
            self.assertEqual(done, [200] * 8)
            self.assertEqual(sorted(self.gateway.bodies()), [b'%d' % i for i in range(8)])
            self.assertEqual(relay.metric('veil_relay_batch_size_sum'), 8)
            self.assertEqual(relay.metric('veil_relay_batch_size_count'), 1)

    def test_options_that_make_no_sense_are_refused(self):
        for options in (['--mix', 'batch 5 20001'], ['--mix-keep', '51'], ['--upstream-cert', 'x'], ['--gateways', '/none'],
                        ['--attestation-key', '/none'], ['--listen', '0.0.0.0:0'], ['--bogus', '1']):
            with self.assertRaises(AssertionError):
                self.relay(*options)


class Holds(unittest.TestCase):
    def test_no_code_that_encrypts_homomorphically_and_no_hpke_is_linked(self):
        names = subprocess.run(['nm', RELAY], capture_output=True, text=True, check=True).stdout
        found = re.findall(r' ((?:hpke|kem_|bhttp|keyconfig|message_|ring_|rlwe_|bfv_|nn_|silent_|secret_|kernels_)\w*)$',
                           names, re.M)
        self.assertEqual([n for n in found if n != 'arena_init_secret'], [])
        self.assertIn('mix_release', names)
        libraries = subprocess.run(['readelf', '-d', RELAY], capture_output=True, text=True, check=True).stdout
        needed = set(re.findall(r'NEEDED.*\[(lib[\w-]+)', libraries))
        self.assertTrue(needed)
        self.assertLessEqual(needed - {'libasan', 'libubsan', 'libtsan', 'libgcc_s'},
                             {'libmicrohttpd', 'libcurl', 'libcrypto', 'libsodium', 'libinih', 'libc', 'libm', 'libpthread'})

    def test_the_attestation_is_signed_by_the_key_that_was_made(self):
        path = tempfile.mktemp(dir=SCRATCH)
        made = subprocess.run([RELAY, '--new-attestation-key', path], capture_output=True, text=True, check=True)
        self.assertRegex(made.stdout, r'^[0-9a-f]{64}\n$')
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        self.assertNotEqual(subprocess.run([RELAY, '--new-attestation-key', path], capture_output=True).returncode, 0)
        os.chmod(path, 0o644)
        with self.assertRaises(AssertionError):
            Relay(RELAY, [('/veil', 'https://g.example/g')], '--attestation-key', path)
        os.chmod(path, 0o600)
        with Relay(RELAY, [('/veil', 'https://g.example/g')], '--attestation-key', path) as relay:
            r = relay.request('GET', '/veil/attestation')
            self.assertEqual(r.status, 404)
            self.assertIn(b'99', r.body)


unittest.main(argv=[sys.argv[0], *sys.argv[4:]], verbosity=2)
