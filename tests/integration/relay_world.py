# SPDX-License-Identifier: Apache-2.0
"""An operator with a server, its keys and what is signed, and a client that asks it through a relay: for client_relay.py, whose
arguments it reads."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

from ohttp import write_key
from veild import SCRATCH, Server, make_index

VEIL, VEIL_INDEX, VEIL_RELAY = map(os.path.abspath, sys.argv[4:7])


def index_tool(*arguments, good=True):
    result = subprocess.run([VEIL_INDEX, *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert (result.returncode == 0) == good, result.stderr
    return result


class World:
    """An operator, their server and their signing key."""

    def __init__(self, **index):
        self.folder = tempfile.mkdtemp(dir=SCRATCH)
        self.keys = os.path.join(self.folder, 'gateway')
        os.mkdir(self.keys, 0o700)
        write_key(self.keys, 1, -60, 1000, name='1.key')
        self.index = make_index(index.pop('name', 'small'), **index)
        self.signed = self.path('signed')
        self.key = self.new_key('signing')
        self.publish()
        self.sign()

    def path(self, name):
        return os.path.join(self.folder, name)

    def new_key(self, name):
        index_tool('new-signing-key', self.path(name))
        return self.path(name)

    def publish(self):
        """What the gateway publishes: veild says it before there is anything signed."""
        with Server(self.index, '--gateway-keys', self.keys) as server:
            with open(self.path('published'), 'wb') as f:
                f.write(server.request('GET', '/.well-known/ohttp-gateway').body)

    def sign(self, *more, keys=None, good=True, output=None):
        given = [a for k in keys or [self.key] for a in ('--key', k)]
        return index_tool('sign', self.index, *given, '--gateway-keys', self.path('published'), '--authority', 'veil.test',
                          '--output', output or self.signed, *more, good=good)

    def serve(self, *options):
        return Server(self.index, '--gateway-keys', self.keys, '--signed-config', self.signed, *options)


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.vector = cls.world.path('vector.json')
        with open(cls.vector, 'w', encoding='ascii') as f:
            json.dump([0.5, 0.4, 0.3] + [0.01] * 29, f)

    def setUp(self):
        self.state = tempfile.mkdtemp(dir=SCRATCH)

    def veil(self, *arguments, env=None, cwd=None):
        return subprocess.run([VEIL, *arguments], capture_output=True, text=True, timeout=60, check=False, cwd=cwd,
                              env={**os.environ, **(env or {})})

    def ask(self, relay, *more, trust=None, env=None, vector=None):
        return self.veil('search', '--relay', relay.url, '--trust', trust or self.world.key + '.pub', '--state', self.state,
                         '--vector', vector or self.vector, '--json', *more, env=env)

    def expect(self, relay, status, words, *more, posts=None, **options):
        before = len(relay.posts())
        result = self.ask(relay, *more, **options)
        self.assertEqual(result.returncode, status, result.stderr)
        self.assertIn(words, result.stderr)
        if posts is not None:
            self.assertEqual(len(relay.posts()) - before, posts)
        return result
