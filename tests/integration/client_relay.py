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
import time
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


class Signed(Case):
    def serve(self, *options):
        return self.world.serve(*options)

    def test_the_object_is_the_same_for_all_and_the_file_of_a_key_is_its_owners(self):
        with self.serve() as server:
            one = server.request('GET', '/v1/signed', User_Agent='a')
            self.assertEqual((one.status, one.headers['Content-Type']), (200, 'application/octet-stream'))
            with open(self.world.signed, 'rb') as f:
                self.assertEqual(one.body, f.read())
        self.assertEqual(os.stat(self.world.key).st_mode & 0o777, 0o600)
        self.assertIn('never replaced', index_tool('new-signing-key', self.world.key, good=False).stderr)
        os.chmod(self.world.key, 0o640)
        self.assertIn('may be read by others', self.world.sign(good=False, output=self.world.path('no')).stderr)
        os.chmod(self.world.key, 0o600)

    def test_of_programs_that_make_one_key_at_once_one_makes_it_and_what_is_left_over_is_told(self):
        path = self.world.path('raced')
        makers = [subprocess.Popen([VEIL_INDEX, 'new-signing-key', path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                  for _ in range(8)]
        said = [m.communicate(timeout=60)[1] for m in makers]
        self.assertEqual(sorted(m.returncode for m in makers), [0] + 7 * [1], said)
        self.assertLessEqual({'raced', 'raced.pub'}, set(os.listdir(self.world.folder)))
        self.world.sign(keys=[path], output=self.world.path('by-raced'))
        left = self.world.path('by-raced.new')
        open(left, 'w', encoding='ascii').close()
        self.assertIn('if none is running, remove it', self.world.sign(good=False, output=self.world.path('by-raced')).stderr)
        os.remove(left)
        os.mkdir(self.world.path('half.pub.new'))
        self.assertIn('remove it', index_tool('new-signing-key', self.world.path('half'), good=False).stderr)
        os.rmdir(self.world.path('half.pub.new'))
        index_tool('new-signing-key', self.world.path('half'))  # not stopped by a half of the first try

    def test_another_operators_key_a_changed_object_and_other_keys_of_the_gateway_are_refused(self):
        stranger = self.world.new_key(f'stranger-{time.monotonic_ns()}')
        with self.serve() as server, Relay(server.address) as relay:
            self.expect(relay, INPUT, 'signed by none of the keys', posts=0, trust=stranger + '.pub')
            with open(self.world.signed, 'rb') as f:
                good = f.read()
            for change in (good[:-1], good + b'\0', good[:50] + bytes([good[50] ^ 1]) + good[51:], b'', b'x' * 9000):
                relay.answers['/v1/signed'] = lambda *_, c=change: (200, 'application/octet-stream', c)
                self.expect(relay, REPLY, '', posts=0)
            relay.answers['/v1/signed'] = lambda *_: (404, 'text/plain', b'none\n')
            self.expect(relay, REPLY, '404', posts=0)
            del relay.answers['/v1/signed']
            with open(self.world.path('published'), 'rb') as f:
                keys = f.read()
            relay.answers['/.well-known/ohttp-gateway'] = lambda *_: (200, ohttp.KEYS_TYPE, keys[:6] + bytes([keys[6] ^ 1]) + keys[7:])
            self.expect(relay, REPLY, 'no key that came for the gateway', posts=0)
            other = keys[:6] + bytes([keys[6] ^ 1]) + keys[7:]
            relay.answers['/.well-known/ohttp-gateway'] = lambda *_: (200, ohttp.KEYS_TYPE, other + keys)
            self.expect(relay, OK, '')
            relay.answers['/.well-known/ohttp-gateway'] = lambda *_: (200, ohttp.KEYS_TYPE, keys + b'\0\1')
            self.expect(relay, REPLY, 'whole list is refused', posts=0)

    def test_post_quantum_keys_that_are_signed_cannot_be_left_out(self):
        strong = bytes([9, 0x64, 0x7a]) + bytes(1216) + bytes([0, 4, 0, 1, 0, 1])
        strong = len(strong).to_bytes(2, 'big') + strong
        mine = World(name='mine')
        classic = Path(mine.path('published')).read_bytes()
        Path(mine.path('published')).write_bytes(classic + strong)
        self.assertIn('names 2 keys of the gateway', mine.sign().stdout)
        trust = mine.key + '.pub'
        with mine.serve() as server, Relay(server.address) as relay:
            self.expect(relay, INPUT, 'shows none of them', posts=0, trust=trust)
            self.expect(relay, OK, '', '--kem-policy', 'classic', trust=trust)
            relay.answers['/.well-known/ohttp-gateway'] = lambda *_: (200, ohttp.KEYS_TYPE, classic + strong)
            self.assertNotIn('shows none', self.ask(relay, trust=trust).stderr)

    def test_old_and_double_configurations_are_refused_and_so_is_one_out_of_date(self):
        later, twin, old = (self.world.path(n) for n in ('later', 'twin', 'old'))
        now = int(time.time())
        self.world.sign('--sequence', str(now + 1000), output=later)
        self.world.sign('--sequence', str(now + 1000), '--days', '31', output=twin)
        self.world.sign('--sequence', str(now + 2000), '--from', str(now - 3 * 86400), '--days', '2', output=old)
        shown = {}

        def show(name):
            with open(name, 'rb') as f:
                shown['body'] = f.read()

        with self.serve() as server, Relay(server.address) as relay:
            relay.answers['/v1/signed'] = lambda *_: (200, 'application/octet-stream', shown['body'])
            for name, status, words in ((self.world.signed, OK, ''), (later, OK, ''), (later, OK, ''),
                                        (self.world.signed, REPLY, 'an old one is being shown'),
                                        (twin, REPLY, 'clients are being told apart'), (old, REPLY, 'out of date')):
                show(name)
                self.expect(relay, status, words, **({} if status == OK else {'posts': 0}))
            state = next(os.path.join(self.state, n) for n in os.listdir(self.state) if n.endswith('.state'))
            show(later)
            with open(state, 'a', encoding='ascii') as f:
                f.write('x')
            self.expect(relay, REPLY, 'is damaged', posts=0)

    def test_an_index_that_is_not_signed_is_not_used(self):
        other = World(name='other', seed=7)
        with Server(other.index, '--gateway-keys', self.world.keys) as server, Relay(server.address) as relay:
            relay.answers['/v1/signed'] = lambda *_: (200, 'application/octet-stream', Path(self.world.signed).read_bytes())
            self.expect(relay, REPLY, 'no object of that hash', posts=1)
        with other.serve() as server:
            direct = ('search', '--direct', '--server', 'http://' + server.address, '--vector', self.vector, '--state', self.state)
            self.assertEqual(self.veil(*direct, '--trust', other.key + '.pub').returncode, OK)
            self.assertEqual(self.veil(*direct, '--trust', self.world.key + '.pub').returncode, INPUT)

    def test_a_key_is_changed_while_both_sign(self):
        new = self.world.new_key(f'new-{time.monotonic_ns()}')
        both, after = self.world.path('both'), self.world.path('after')
        now = int(time.time())
        self.world.sign('--sequence', str(now + 10), keys=[self.world.key, new], output=both)
        self.world.sign('--sequence', str(now + 20), keys=[new], output=after)
        shown = {}
        with self.serve() as server, Relay(server.address) as relay:
            relay.answers['/v1/signed'] = lambda *_: (200, 'application/octet-stream', Path(shown['name']).read_bytes())
            shown['name'] = both
            self.expect(relay, OK, '')  # learns of the new key from the old one
            shown['name'] = after
            self.expect(relay, OK, '')
            shown['name'] = self.world.signed
            self.expect(relay, INPUT, 'signed by none', posts=0)  # the old key signs alone again: too late
            self.state = tempfile.mkdtemp(dir=SCRATCH)
            shown['name'] = after
            self.expect(relay, INPUT, 'get the new trust file', posts=0)  # who missed the overlap
            self.expect(relay, OK, '', trust=new + '.pub')

    def test_veild_shows_only_what_fits_and_takes_a_new_one_on_reload(self):
        other = World(name='other', seed=7)
        with self.assertRaisesRegex(AssertionError, 'not of the index'):
            Server(self.world.index, '--gateway-keys', self.world.keys, '--signed-config', other.signed)
        with self.assertRaisesRegex(AssertionError, 'names no key'):
            self.world_with_keys_of(other)
        with self.assertRaisesRegex(AssertionError, 'No such file'):
            Server(self.world.index, '--signed-config', self.world.path('nothing'))
        mine = World(name='mine')
        with mine.serve() as server:
            first = server.request('GET', '/v1/signed').body
            mine.sign()
            server.process.send_signal(1)
            until = time.monotonic() + 10
            while server.request('GET', '/v1/signed').body == first and time.monotonic() < until:
                time.sleep(0.02)
            self.assertNotEqual(server.request('GET', '/v1/signed').body, first)
            with open(mine.signed, 'wb') as f:
                f.write(b'x')
            failed = server.metric('veil_reloads_total{result="failed"}')
            server.process.send_signal(1)
            server.wait_for('veil_reloads_total{result="failed"}', lambda n: n == failed + 1)
            self.assertGreater(len(server.request('GET', '/v1/signed').body), 100)

    def test_veild_refuses_what_clients_of_the_one_before_would_refuse_and_keeps_that(self):
        mine = World(name='mine')
        now = int(time.time())
        mine.sign('--sequence', str(now + 1000))
        with mine.serve() as server:
            shown = Path(mine.signed).read_bytes()
            reloads = [server.metric(f'veil_reloads_total{{result="{r}"}}') for r in ('failed', 'ok')]
            for more, words in ((('--sequence', str(now + 999)), f'number {now + 999}, and {now + 1000} has been shown'),
                                (('--sequence', str(now + 1000), '--days', '31'), 'sign it again with a larger one')):
                mine.sign(*more)
                server.process.send_signal(1)
                reloads[0] += 1
                server.wait_for('veil_reloads_total{result="failed"}', lambda n: n == reloads[0])
                self.assertEqual(server.request('GET', '/v1/signed').body, shown)
                self.assertIn(words, Path(server.log.name).read_text(encoding='utf-8'))
            Path(mine.signed).write_bytes(shown)
            server.process.send_signal(1)
            server.wait_for('veil_reloads_total{result="ok"}', lambda n: n == reloads[1] + 1)

    def test_veild_refuses_a_host_that_its_gateway_does_not_serve(self):
        with self.assertRaisesRegex(AssertionError, 'the host veil.test, which is not --gateway-authority'):
            self.serve('--gateway-authority', 'other.test')
        with self.serve('--gateway-authority', 'VEIL.test') as server:
            self.assertEqual(server.request('GET', '/v1/signed').status, 200)

    def world_with_keys_of(self, other):
        return Server(self.world.index, '--gateway-keys', other.keys, '--signed-config', self.world.signed)

    def test_the_dates_of_clients_do_not_stand_out_and_a_gateway_that_refuses_one_is_asked_once_more(self):
        keys = tempfile.mkdtemp(dir=SCRATCH)  # without a memory of another --gateway-date-seconds
        shutil.copy(os.path.join(self.world.keys, '1.key'), keys)
        with Server(self.world.index, '--gateway-keys', keys, '--signed-config', self.world.signed, '--gateway-date-seconds',
                    '5') as server, Relay(server.address) as relay:
            result = self.ask(relay)  # the next full minute is further than 5 seconds for most of a minute
            self.assertEqual(result.returncode, OK, result.stderr)
            posts = len(relay.posts())
            self.assertIn(posts, range(3, 7))
            self.assertEqual(server.metric('veil_gateway_requests_total{result="date"}'), posts - 3)
            self.assertEqual(len({p['body'][7:39] for p in relay.posts()}), posts)


if __name__ == '__main__':
    unittest.main(argv=[sys.argv[0]], verbosity=2)
