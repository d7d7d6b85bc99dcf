#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""client_doctor.py VEILD MAKE_INDEX OHTTP_PEER VEIL VEIL_INDEX VEIL_RELAY: `veil doctor` names the hop that fails."""
import json
import socket
import tempfile
import time
import unittest
from pathlib import Path

import ohttp
from fake_relay import Relay
from relay import Relay as VeilRelay
from relay_world import VEIL_RELAY, Case, World
from veild import SCRATCH, Server

OK, INPUT, USAGE, SERVER, REPLY = range(5)
CHECKS = ['connection', 'relay', 'signature', 'keys', 'key', 'index', 'query']


def unused_address():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return '127.0.0.1:%d' % s.getsockname()[1]


class Doctor(Case):
    def doctor(self, url, *more, trust=None):
        return self.veil('doctor', '--relay', url, '--trust', trust or self.world.key + '.pub', '--state', self.state, *more)

    def healthy(self, url):
        result = self.doctor(url, '--json')
        said = json.loads(result.stdout)
        self.assertEqual((result.returncode, result.stderr, said['ok']), (OK, '', True))
        self.assertEqual([c['check'] for c in said['checks']], CHECKS)
        for c in said['checks']:
            self.assertEqual((c['ok'], c['next']), (True, ''))
            self.assertGreater(c['ms'], 0)
        return said['checks']

    def sick(self, url, check, hop, status, words, advice, **options):
        """What fails is the last thing told, of that hop, with the reason and what to do; all before it is well."""
        result = self.doctor(url, '--json', **options)
        said = json.loads(result.stdout)
        self.assertEqual((result.returncode, said['ok']), (status, False), result.stdout)
        self.assertEqual([c['check'] for c in said['checks']], CHECKS[:CHECKS.index(check) + 1], result.stdout)
        self.assertEqual([c['ok'] for c in said['checks']], [True] * (len(said['checks']) - 1) + [False])
        last = said['checks'][-1]
        self.assertEqual(last['hop'], hop, last)
        self.assertIn(words, last['text'])
        self.assertIn(advice, last['next'])
        text = self.doctor(url, **options)
        self.assertEqual(text.returncode, status)
        self.assertEqual(text.stdout.count('FAILED'), 1)
        self.assertIn(f'FAILED {hop}', text.stdout)
        self.assertIn('next: ' + last['next'], text.stdout)

    def test_all_is_well_and_one_query_looks_for_nothing(self):
        with self.world.serve() as server, Relay(server.address) as relay:
            checks = self.healthy(relay.url)
            self.assertRegex(checks[-1]['text'], r'^shard \d+ of \d+')
            self.assertEqual(server.metric('veil_queries_total'), 1)
            shapes = {(len(p['body']), p['line']) for p in relay.posts()}
            self.assertEqual(len(shapes), 1)  # what is fetched and what is asked look alike
            text = self.doctor(relay.url).stdout.splitlines()
            self.assertEqual(sum(line.startswith('ok ') for line in text), len(CHECKS))
            with VeilRelay(VEIL_RELAY, [('/veil', 'http://' + server.address + '/gateway')]) as real:
                self.healthy('http://' + real.address + '/veil')

    def test_a_relay_that_is_not_there_or_at_another_path(self):
        self.sick('http://' + unused_address() + '/veil', 'connection', 'relay', SERVER, 'cannot connect', 'that the relay runs')
        with self.world.serve() as server, Relay(server.address) as relay:
            relay.answers['/v1/signed'] = lambda *_: (200, 'application/octet-stream', b'x' * 9000)
            self.sick(relay.url, 'relay', 'relay', REPLY, relay.url + '/v1/signed: the reply is larger', 'ask')
            del relay.answers['/v1/signed']
            self.sick(relay.url + 'x', 'relay', 'relay', REPLY, '404', "check the path in the relay's URL")

    def test_a_gateway_that_is_not_there_or_goes_away(self):
        gateway = 'http://' + unused_address() + '/gateway'
        with VeilRelay(VEIL_RELAY, [('/veil', gateway)]) as relay:
            self.sick('http://' + relay.address + '/veil', 'relay', 'gateway', SERVER, '502', 'whether veild runs')
        with self.world.serve() as server, Relay(server.address) as relay:
            relay.answers[''] = lambda *_: (502, 'text/plain', b'gone\n')
            self.sick(relay.url, 'index', 'gateway', SERVER, '502', 'whether veild runs')
            relay.answers[''] = lambda *_: (422, 'text/plain', b'the request cannot be opened\n')
            self.sick(relay.url, 'index', 'gateway', REPLY, 'could not open', 'ask again in a minute')
            relay.answers[''] = lambda *_: (429, 'text/plain', b'too many\n')
            self.sick(relay.url, 'index', 'relay', SERVER, '429', 'who runs the relay')

    def test_what_is_signed(self):
        stranger, now = self.world.new_key(f'stranger-{time.monotonic_ns()}'), int(time.time())
        old = self.world.path('old')
        self.world.sign('--from', str(now - 3 * 86400), '--days', '2', output=old)
        with self.world.serve() as server, Relay(server.address) as relay:
            self.sick(relay.url, 'signature', 'operator', INPUT, 'signed by none of the keys', 'trust file anew',
                      trust=stranger + '.pub')
            relay.answers['/v1/signed'] = lambda *_: (200, 'application/octet-stream', Path(old).read_bytes())
            self.sick(relay.url, 'signature', 'operator', REPLY, 'out of date', 'veil-index sign')
            del relay.answers['/v1/signed']
            keys = bytearray(Path(self.world.path('published')).read_bytes())
            keys[6] ^= 1
            relay.answers['/.well-known/ohttp-gateway'] = lambda *_: (200, ohttp.KEYS_TYPE, bytes(keys))
            self.sick(relay.url, 'key', 'gateway', REPLY, 'no key that came for the gateway', 'seal nothing')
            relay.answers['/.well-known/ohttp-gateway'] = lambda *_: (503, 'text/plain', b'busy\n')
            self.sick(relay.url, 'keys', 'relay', SERVER, '503', 'ask again later')

    def test_another_index_than_the_one_signed_and_a_query_that_gets_no_answer(self):
        other = World(name='other', seed=7)
        with Server(other.index, '--gateway-keys', self.world.keys) as server, Relay(server.address) as relay:
            relay.answers['/v1/signed'] = lambda *_: (200, 'application/octet-stream', Path(self.world.signed).read_bytes())
            self.sick(relay.url, 'index', 'server', REPLY, 'no object of that hash', "veild's log")
        with self.world.serve() as server, Relay(server.address) as relay:
            self.healthy(relay.url)
            fetches = len(relay.posts()) - 1
            for code, hop in ((504, 'gateway'), (503, 'relay'), (422, 'gateway')):
                seen = []  # per run of veil: `sick` runs it twice

                def answer(_, body, code=code, seen=seen):
                    seen.append(body)
                    return (code, 'text/plain', b'no\n') if len(seen) % (fetches + 1) == 0 else None

                relay.answers[''] = answer
                self.sick(relay.url, 'query', hop, REPLY if code == 422 else SERVER, str(code), '')

    def test_what_the_user_gave(self):
        url = 'http://' + unused_address()
        for arguments, words in ((['--direct', '--server', url], 'never shows the server your address'),
                                 (['--relay', url, '--direct'], 'never shows'), ([], 'needs --relay URL'),
                                 (['--relay', url, 'x'], 'no argument "x"')):
            result = self.veil('doctor', *arguments)
            self.assertEqual((result.returncode, result.stdout), (USAGE, ''))
            self.assertIn(words, result.stderr)
        empty = tempfile.mkdtemp(dir=SCRATCH)
        result = self.veil('doctor', '--relay', url, env={'HOME': empty, 'XDG_CONFIG_HOME': '', 'XDG_STATE_HOME': ''})
        self.assertEqual(result.returncode, INPUT)
        self.assertIn('nothing is trusted on first use', result.stderr)


if __name__ == '__main__':
    unittest.main(argv=['client_doctor'], verbosity=2)
