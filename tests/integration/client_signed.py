#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""client_signed.py VEILD MAKE_INDEX OHTTP_PEER VEIL VEIL_INDEX VEIL_RELAY: what an operator signs: shown alike to all, refused if it is old,
changed or somebody else's, and nothing else is used."""
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import ohttp
from fake_relay import Relay
from relay_world import VEIL, VEIL_INDEX, Case, World, index_tool
from veild import SCRATCH, Server

OK, INPUT, USAGE, SERVER, REPLY = range(5)


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
