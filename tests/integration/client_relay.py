#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""client_relay.py VEILD MAKE_INDEX OHTTP_PEER VEIL VEIL_INDEX VEIL_RELAY: `veil` through a relay: the answers are those of the direct mode,
the relay sees sealed bytes of one size, the server one client like another; what is not signed is not used. The lines of rfc9458
are those of the client."""
import json
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import ohttp
from fake_relay import Relay
from relay import Relay as VeilRelay
from relay_world import VEIL, VEIL_INDEX, VEIL_RELAY, Case, World, index_tool
from veild import SCRATCH, Server

OK, INPUT, USAGE, SERVER, REPLY = range(5)
PROBLEM_TYPE = 'application/problem+json'


class SealedSearch(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.world = World(name='sealed', sealed='sealed_n2048_q40')

    def test_a_sealed_search_goes_through_a_relay_and_looks_like_any_other_request(self):
        with self.world.serve() as server, Relay(server.address) as relay:
            replies = [json.loads(self.expect(relay, OK, 'sealed search', '--mode', 'sealed').stdout),
                       json.loads(self.expect(relay, OK, 'asked shard', '--mode', 'fast').stdout)]
            self.assertEqual(len({len(p['body']) for p in relay.posts()}), 1)
            posts = [p for p in relay.posts() if len(p['reply']) == len(relay.posts()[-1]['reply'])]
            self.assertGreaterEqual(len(posts), 2)
        self.assertEqual(replies[0]['cost']['shards'], [])
        self.assertEqual(replies[0]['results'][0]['record'], replies[1]['results'][0]['record'])


class Retrieval(Case):
    """A collection is asked through a relay, as its operator signed it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.collection, table = cls.world.path('collection'), cls.world.path('table.tsv')
        with open(table, 'w', encoding='ascii') as f:
            f.write(''.join(f'key {i}\tvalue {i}\n' for i in range(300)))
        index_tool('build-kv', '--input', table, '--output', cls.collection, '--keys', '2', '--no-delta')

    def lookup(self, relay, *keys):
        return self.veil('lookup', '--relay', relay.url, '--trust', self.world.key + '.pub', '--state', self.state, '--json', *keys)

    def test_a_lookup_goes_through_a_relay_if_the_operator_has_signed_the_collection(self):
        with Server(self.world.index, '--gateway-keys', self.world.keys, '--collection', self.collection) as server, Relay(server.address) as relay:
            with open(self.world.signed, 'rb') as f:
                signed = f.read()
            relay.answers['/v1/signed'] = lambda *_: (200, 'application/octet-stream', signed)
            refused = self.lookup(relay, 'key 7')
            self.assertEqual(refused.returncode, 4, refused.stderr)
            self.assertIn('is not one that its operator has signed', refused.stderr)
        self.world.sign('--collection', self.collection)
        with self.world.serve('--collection', self.collection) as server, Relay(server.address) as relay:
            sizes = set()
            for keys in (('key 7', 'key 299'), ('nobody',)):
                answer = json.loads(self.lookup(relay, *keys).stdout)
                self.assertEqual([v.get('value') for v in answer['values']],
                                 [k.replace('key', 'value') if 'key' in k else None for k in keys])
                sizes.add((answer['cost']['bytes_up'], answer['cost']['bytes_down']))
            self.assertEqual(len(sizes), 1)


class Through(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.world.serve().__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()

    def setUp(self):
        super().setUp()
        self.relay = Relay(self.server.address).__enter__()

    def tearDown(self):
        self.relay.__exit__()

    def test_the_answers_are_those_of_the_direct_mode(self):
        through = json.loads(self.expect(self.relay, OK, 'through a relay', '--probes', '3').stdout)
        direct = self.veil('search', '--direct', '--server', 'http://' + self.server.address, '--vector', self.vector,
                           '--probes', '3', '--json')
        self.assertIn('the server sees your address', direct.stderr)
        direct = json.loads(direct.stdout)
        self.assertEqual((through['mode'], direct['mode'], through['index']), ('relay', 'direct', direct['index']))
        self.assertEqual(through['cost']['shards'], direct['cost']['shards'])
        self.assertLess(max(abs(a['cosine'] - b['cosine']) for a, b in zip(through['results'], direct['results'])), 0.01)
        self.assertEqual(through['results'][0]['record'], direct['results'][0]['record'])
        posts = self.relay.posts()[-3:]
        self.assertEqual(through['cost']['bytes_up'], sum(len(p['body']) for p in posts))
        self.assertEqual(through['cost']['bytes_down'], sum(len(p['reply']) for p in posts))
        self.assertGreater(through['cost']['server_us'], 0)

    def test_veil_relay_carries_a_search(self):
        with VeilRelay(VEIL_RELAY, [('/veil', f'http://{self.server.address}/gateway')], '--mix', 'off') as relay:
            result = self.veil('search', '--relay', f'http://{relay.address}/veil', '--trust', self.world.key + '.pub',
                               '--state', self.state, '--vector', self.vector, '--probes', '3', '--json')
            self.assertEqual(result.returncode, OK, result.stderr)
            through = json.loads(result.stdout)
        recorded = json.loads(self.expect(self.relay, OK, '', '--probes', '3').stdout)
        self.assertEqual(through['cost']['shards'], recorded['cost']['shards'])
        self.assertEqual(through['results'][0]['record'], recorded['results'][0]['record'])

    def test_rfc9458_line_9_requests_to_the_relay_hold_a_type_and_a_length_and_nothing_else(self):
        env = {'http_proxy': 'http://127.0.0.1:9', 'ALL_PROXY': 'http://127.0.0.1:9'}
        self.expect(self.relay, OK, '', env=env)
        host = self.relay.url.split('/')[2]
        for seen in self.relay.seen:
            want = [('Host', host)]
            if seen['line'].startswith('POST'):
                want = sorted(want + [('Content-Type', 'message/ohttp-req'), ('Content-Length', str(len(seen['body'])))])
            self.assertEqual(sorted(seen['headers']), want)
        self.assertEqual([s['line'] for s in self.relay.seen],
                         ['GET /veil/v1/signed', 'GET /veil/.well-known/ohttp-gateway'] + ['POST /veil'] * 3)

    def test_rfc9458_line_9_the_relay_sees_one_size_for_hits_misses_and_errors(self):
        other = self.world.path('other.json')
        with open(other, 'w', encoding='ascii') as f:
            json.dump([-0.5] * 31 + [0.1], f)
        for vector in self.vector, other:
            self.expect(self.relay, OK, '', vector=vector)
        queries = [p for i, p in enumerate(self.relay.posts()) if i % 3 == 2]
        with ohttp.Client() as client:  # refused inside: the same from outside
            sealed = client.seal(Path(self.world.path('published')).read_bytes(), ohttp.request(path='/v1/object/00'))
            status, _, reply = self.relay.forward('POST', '/gateway', ohttp.TYPE, sealed)
        self.assertEqual({(p['status'], len(p['reply'])) for p in queries} | {(status, len(reply))},
                         {(200, len(queries[0]['reply']))})
        self.assertEqual(len({len(p['body']) for p in self.relay.posts()}), 1, 'every request, whatever it is for')

    def test_rfc9458_line_5_every_request_is_sealed_anew(self):
        for _ in range(3):
            self.expect(self.relay, OK, '')
        self.assertEqual(len({p['body'][7:39] for p in self.relay.posts()}), 9)

    def test_rfc9458_line_6_a_key_that_the_gateway_refuses_is_fetched_again_once_and_the_query_made_anew(self):
        refuse = (400, PROBLEM_TYPE, json.dumps({'type': ohttp.PROBLEM + 'ohttp-key'}).encode())
        seen = []

        def once(_, body):
            seen.append(body)
            return refuse if len(seen) == 3 else None

        self.relay.answers[''] = once
        self.expect(self.relay, OK, '', posts=4)
        self.assertEqual(len({b[7:39] for b in seen}), 4)
        fetched = [s['line'] for s in self.relay.seen if s['line'].startswith('GET')]
        self.assertEqual(len(fetched), 4, 'signed and keys, twice')
        self.relay.answers[''] = lambda *_: refuse
        self.expect(self.relay, REPLY, 'does not know the key', posts=2)
        self.relay.answers[''] = lambda *_: (401, 'text/plain', b'')
        self.expect(self.relay, REPLY, 'does not know the key', posts=2)

    def test_rfc9458_line_7_what_the_gateway_cannot_open_is_not_tried_again(self):
        self.relay.answers[''] = lambda h, body: self.relay.forward('POST', '/gateway', ohttp.TYPE, body[:-1] + bytes([body[-1] ^ 1]))
        self.expect(self.relay, REPLY, 'could not open', posts=1)

    def test_what_is_not_a_sealed_response_is_an_error_in_a_sentence(self):
        for answer, status, words in (((200, 'text/html', b'<html>'), REPLY, 'no sealed response'),
                                      ((200, ohttp.REPLY_TYPE, b''), REPLY, 'shorter'),
                                      ((200, ohttp.REPLY_TYPE, bytes(500)), REPLY, 'does not answer this request'),
                                      ((200, ohttp.REPLY_TYPE, bytes(10_000_000)), REPLY, 'larger'),
                                      ((302, None, b''), REPLY, 'redirects are not followed'),
                                      ((502, 'text/plain', b'no gateway\n'), SERVER, 'no gateway'),
                                      ((503, 'text/plain', b'full\n'), SERVER, 'busy'), ((404, None, b''), REPLY, '404'),
                                      ((504, None, b''), SERVER, 'ask again'), ((400, PROBLEM_TYPE, b'{}'), REPLY, '400')):
            with self.subTest(words):
                self.relay.answers[''] = lambda *_, a=answer: a
                self.expect(self.relay, status, words, posts=1)

    def test_a_response_to_another_request_is_refused(self):
        kept = []

        def swap(_, body):
            kept.append(self.relay.forward('POST', '/gateway', ohttp.TYPE, body))
            return kept[0]

        self.relay.answers[''] = swap
        self.expect(self.relay, REPLY, 'does not answer this request', posts=2)

    def test_rfc9458_line_17_a_relay_that_is_not_there_or_without_tls_elsewhere_is_told(self):
        for url, status, words in (('http://127.0.0.1:9/veil', SERVER, 'is the relay running there?'),
                                   ('http://relay.example/veil', INPUT, 'https://'), ('ftp://h', INPUT, 'https://host'),
                                   ('http://127.0.0.1.relay.invalid/veil', INPUT, 'https://'),
                                   ('http://127.relay.invalid/veil', INPUT, 'https://'),
                                   ('https://u@h/veil', INPUT, 'https://host'), ('https://h/?q', INPUT, 'https://host')):
            result = self.veil('search', '--relay', url, '--trust', self.world.key + '.pub', '--state', self.state, '--vector',
                               self.vector)
            self.assertEqual(result.returncode, status, result.stderr)
            self.assertIn(words, result.stderr)

    def test_no_address_is_shown_unless_direct_is_said_and_nothing_is_trusted_on_first_use(self):
        url = 'http://' + self.server.address
        for arguments, words in ((['--server', url], 'add --direct'), ([], 'needs --relay URL'),
                                 (['--relay', self.relay.url, '--server', url], 'no server is contacted'),
                                 (['--relay', self.relay.url, '--direct'], 'no server is contacted'),
                                 (['--direct', '--server', url, '--kem-policy', 'classic'], 'is for --relay')):
            result = self.veil('search', '--vector', self.vector, *arguments)
            self.assertEqual(result.returncode, USAGE)
            self.assertIn(words, result.stderr)
        empty = tempfile.mkdtemp(dir=SCRATCH)
        result = self.veil('search', '--vector', self.vector, '--relay', self.relay.url,
                           env={'HOME': empty, 'XDG_CONFIG_HOME': '', 'XDG_STATE_HOME': ''})
        self.assertEqual(result.returncode, INPUT)
        self.assertIn(empty + '/.config/veil/trust', result.stderr)
        self.assertIn('nothing is trusted on first use', result.stderr)
        self.assertEqual(self.relay.seen, [])

    def test_nothing_is_read_from_the_working_folder_and_a_state_has_a_name(self):
        here = tempfile.mkdtemp(dir=SCRATCH)
        os.makedirs(here + '/.config/veil')
        shutil.copy(self.world.key + '.pub', here + '/.config/veil/trust')
        nowhere = {'HOME': '', 'XDG_CONFIG_HOME': '', 'XDG_STATE_HOME': ''}
        for env, more in ((nowhere, ()), ({}, ('--trust', self.world.key + '.pub', '--state', '')),
                          ({}, ('--trust', self.world.key + '.pub', '--state', self.state + '/' + 5 * ('a' * 250 + '/')))):
            result = self.veil('info', '--relay', self.relay.url, *more, env=env, cwd=here)
            self.assertEqual(result.returncode, INPUT, result.stderr)
            self.assertIn('--state', result.stderr)
        self.assertEqual(self.relay.seen, [])

    def test_trust_and_state_have_places_of_their_own(self):
        home = tempfile.mkdtemp(dir=SCRATCH)
        os.makedirs(home + '/.config/veil')
        with open(self.world.key + '.pub', encoding='ascii') as f, open(home + '/.config/veil/trust', 'w', encoding='ascii') as out:
            out.write('# the operator\n' + f.read())
        result = self.veil('info', '--relay', self.relay.url, env={'HOME': home, 'XDG_CONFIG_HOME': '', 'XDG_STATE_HOME': ''})
        self.assertEqual(result.returncode, OK, result.stderr)
        made = os.listdir(home + '/.local/state/veil')
        self.assertEqual(len([n for n in made if n.endswith('.state')]), 1)
        self.assertEqual(os.stat(home + '/.local/state/veil').st_mode & 0o777, 0o700)

    def test_a_policy_holds_or_nothing_is_sent(self):
        result = self.ask(self.relay, '--kem-policy', 'require-pq')
        if result.returncode != OK:
            self.assertIn('require-pq', result.stderr)
            self.assertEqual(self.relay.posts(), [])
        self.expect(self.relay, OK, 'note: requests are sealed with classic keys')
        self.assertNotIn('classic keys', self.expect(self.relay, OK, '', '--kem-policy', 'classic').stderr)
        self.expect(self.relay, INPUT, 'no policy', '--kem-policy', 'best')


@unittest.skipUnless(shutil.which('openssl'), 'makes certificates')
class OverTls(Case):
    """The relay's certificate is by an authority of this test, `other` another one."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        new = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
        for name in 'authority', 'other':
            cls.openssl(*new, '-keyout', name + '.key', '-out', name + '.pem', '-subj', f'/CN={name}')
        cls.openssl(*new, '-keyout', 'relay.key', '-out', 'relay.pem', '-subj', '/CN=relay', '-CA', 'authority.pem', '-CAkey',
                    'authority.key', '-addext', 'subjectAltName=IP:127.0.0.1', '-addext', 'basicConstraints=CA:FALSE')
        cls.server = cls.world.serve().__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()

    @classmethod
    def openssl(cls, *arguments):
        subprocess.run(['openssl', *arguments], check=True, capture_output=True, cwd=cls.world.folder)

    def setUp(self):
        super().setUp()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.world.path('relay.pem'), self.world.path('relay.key'))

    def relay(self):
        relay = Relay(self.server.address)
        relay.server.socket = self.context.wrap_socket(relay.server.socket, server_side=True)
        relay.url = relay.url.replace('http:', 'https:')
        return relay

    def refused(self, relay, *more):
        self.expect(relay, SERVER, '', *more)
        self.assertEqual(relay.seen, [])

    def test_a_search_goes_through_a_relay_whose_certificate_is_right_and_no_other(self):
        with self.relay() as relay:
            self.expect(relay, OK, 'through a relay', '--ca', self.world.path('authority.pem'), posts=3)
            relay.seen.clear()
            self.refused(relay)  # the system does not know that authority
            self.refused(relay, '--ca', self.world.path('other.pem'))
            self.refused(relay, '--ca', self.world.path('nothing.pem'))
            relay.url = relay.url.replace('127.0.0.1', 'localhost')  # not the certificate's name
            self.refused(relay, '--ca', self.world.path('authority.pem'))

    def test_the_doctor_tells_of_the_certificate(self):
        with self.relay() as relay:
            for ca, status in (('authority.pem', OK), ('other.pem', SERVER)):
                result = self.veil('doctor', '--relay', relay.url, '--trust', self.world.key + '.pub', '--state', self.state,
                                   '--json', '--ca', self.world.path(ca))
                checks = json.loads(result.stdout)['checks']
                self.assertEqual((result.returncode, checks[0]['check'], checks[0]['ok']), (status, 'connection', status == OK))
            self.assertEqual((len(checks), checks[0]['hop']), (1, 'relay'))
            self.assertIn('cannot be verified', checks[0]['text'])
            self.assertIn('--ca FILE', checks[0]['next'])

    def test_less_than_tls_1_3_is_refused(self):
        self.context.maximum_version = ssl.TLSVersion.TLSv1_2
        with self.relay() as relay:
            self.refused(relay, '--ca', self.world.path('authority.pem'))

    def test_certificates_of_ca_take_the_place_of_the_systems(self):
        """Where the system's folder has that authority, in a name space of mounts."""
        os.mkdir(self.world.path('system'))
        shutil.copy(self.world.path('authority.pem'), self.world.path('system/authority.pem'))
        self.openssl('rehash', self.world.path('system'))
        mounted = ['unshare', '-rm', 'sh', '-c', 'mount --bind "$0" /etc/ssl/certs && exec "$@"', self.world.path('system')]
        if not shutil.which('unshare') or subprocess.run([*mounted, 'true'], check=False, capture_output=True).returncode:
            self.skipTest('no mounts here')
        with self.relay() as relay:
            result = subprocess.run([*mounted, VEIL, 'info', '--relay', relay.url, '--trust', self.world.key + '.pub', '--state',
                                     self.state, '--ca', self.world.path('other.pem')], capture_output=True, text=True,
                                    timeout=60, check=False)
            self.assertEqual((result.returncode, relay.seen), (SERVER, []), result.stderr)
            self.assertIn('cannot be verified', result.stderr)


if __name__ == '__main__':
    unittest.main(argv=[sys.argv[0]], verbosity=2)
