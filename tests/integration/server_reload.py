# SPDX-License-Identifier: Apache-2.0
"""SIGHUP: another version takes over, the one before is served on, a broken one changes nothing."""
import hashlib
import os
import random
import signal
import sys
import threading
import unittest

from veild import Index, Server, main, make_index

LONG = '--long' in sys.argv
if LONG:
    sys.argv.remove('--long')
QUERIES, EVERY_S = (100_000, 1.0) if LONG else (5_000, 0.05)
CLIENTS = 4
VERSION_KEYS = 'veil_reloads_total{result="ok"}', 'veil_reloads_total{result="failed"}'


def current(path):
    with open(os.path.join(path, 'current'), encoding='ascii') as f:
        return f.read()


def put_in_force(path, version):
    with open(os.path.join(path, 'aside'), 'w', encoding='ascii') as f:
        f.write(version)
    os.rename(os.path.join(path, 'aside'), os.path.join(path, 'current'))


def two_versions(name, **changes):
    """An index with two versions: its path and their names."""
    path = make_index(name, seed=1)
    first = current(path)
    make_index(name, again=True, **{'seed': 2, **changes})
    second = current(path)
    put_in_force(path, first)
    return path, first, second


class Reload(unittest.TestCase):
    def reload(self, server, ok=1, failed=0):
        have = [server.metric(k) for k in VERSION_KEYS]
        server.process.send_signal(signal.SIGHUP)
        for key, n, more in zip(VERSION_KEYS, have, (ok, failed)):
            server.wait_for(key, lambda v, want=n + more: v == want)

    def ask(self, server, index, shard=0):
        return server.request('POST', '/v1/query', index.query(shard=shard))

    def test_the_new_version_takes_over_and_the_one_before_is_served_on(self):
        path, _, second = two_versions('over', shards=5, rows=700)
        with Server(path) as server:
            old = Index(server)
            want = self.ask(server, old, 2).body
            put_in_force(path, second)
            self.reload(server)
            server.wait_for('veil_previous_served', lambda n: n == 1)
            new = Index(server)
            self.assertNotEqual(new.id, old.id)
            self.assertEqual((new.shards, new.rows), (5, 700))
            self.assertEqual(self.ask(server, new, 4).status, 200)
            self.assertEqual(len(self.ask(server, new, 4).body), new.reply_bytes)
            self.assertEqual(self.ask(server, old, 2).body, want)
            self.assertEqual(self.ask(server, old, 4).status, 404)
            for index in (old, new):
                reply = server.request('GET', '/v1/object/' + index.codebook_hash.hex())
                self.assertEqual(hashlib.sha256(reply.body).digest(), index.codebook_hash)

    def test_versions_may_differ_in_the_size_of_their_messages(self):
        path, first, second = two_versions('sizes', rows=3000, terms=8)
        with Server(path) as server:
            small = Index(server)
            want = self.ask(server, small).body
            put_in_force(path, second)
            self.reload(server)
            large = Index(server)
            self.assertGreater(large.query_bytes, small.query_bytes)
            self.assertGreater(large.reply_bytes, small.reply_bytes)
            for _ in range(3):
                self.assertEqual(self.ask(server, large).status, 200)
                self.assertEqual(self.ask(server, small).body, want)
            put_in_force(path, first)
            self.reload(server)
            self.assertEqual(self.ask(server, large).status, 200)
            self.assertEqual(self.ask(server, small).body, want)

    def test_the_version_before_is_given_up_when_its_time_is_over(self):
        path, _, second = two_versions('epoch')
        with Server(path, '--previous-seconds', '2') as server:
            old = Index(server)
            put_in_force(path, second)
            self.reload(server)
            self.assertEqual(self.ask(server, old).status, 200)
            server.wait_for('veil_previous_served', lambda n: n == 0)
            reply = self.ask(server, old)
            self.assertEqual(reply.status, 410)
            self.assertIn(b'/v1/config', reply.body)
            self.assertEqual(server.request('GET', '/v1/object/' + old.codebook_hash.hex()).status, 404)
            self.assertEqual(self.ask(server, Index(server)).status, 200)

    def test_what_cannot_be_opened_changes_nothing_and_is_told(self):
        path, first, second = two_versions('broken')
        shard = os.path.join(path, second.strip(), 'shard-00001.bin')
        with Server(path) as server:
            index = Index(server)
            want = self.ask(server, index).body
            with open(shard, 'r+b') as f:
                f.seek(5000)
                byte = f.read(1)[0]
                f.seek(5000)
                f.write(bytes([byte ^ 1]))
            put_in_force(path, second)
            self.reload(server, ok=0, failed=1)
            self.assertIn('shard-00001.bin: corrupt', server.text())
            put_in_force(path, 'v0123456789abcdef\n')
            self.reload(server, ok=0, failed=1)
            put_in_force(path, 'nonsense\n')
            self.reload(server, ok=0, failed=1)
            self.assertEqual(server.text().count('not reloaded'), 3)
            self.assertEqual(Index(server).id, index.id)
            self.assertEqual(self.ask(server, index).body, want)
            self.assertEqual(server.ask_admin('/ready')[0], 200)
            put_in_force(path, first)
            self.reload(server)
            self.assertIn('served already', server.text())
            with open(shard, 'r+b') as f:
                f.seek(5000)
                f.write(bytes([byte]))
            put_in_force(path, second)
            self.reload(server)
            self.assertNotEqual(Index(server).id, index.id)

    def client(self, server, want, count, rng, ciphertexts):
        index = None
        with server.session() as c:
            for i in range(count):
                if i % 50 == 0:
                    index = Index(c)
                shard = rng.randrange(index.shards)
                reply = c.request('POST', '/v1/query', index.query(shard=shard, ciphertexts=ciphertexts))
                with self.lock:
                    self.asked[index.id] = self.asked.get(index.id, 0) + 1
                    if reply.status != 200 or reply.body != want[index.id][shard]:
                        self.wrong.append((reply.status, index.id.hex(), shard))

    def test_no_query_is_lost_or_mixed_while_versions_alternate(self):
        self.lock, self.asked, self.wrong, done = threading.Lock(), {}, [], threading.Event()
        path, *names = two_versions('alternate')
        seed = int(os.environ.get('VEIL_TEST_SEED', random.randrange(2**32)))
        print('VEIL_TEST_SEED', seed)
        with Server(path) as server:
            want, hangups = {}, 0
            size = Index(server).ciphertext_bytes
            ciphertexts = bytes(random.Random(seed).randrange(128) for _ in range(size))
            for name in reversed(names):
                put_in_force(path, name)
                server.process.send_signal(signal.SIGHUP)
                server.wait_for(VERSION_KEYS[0], lambda n, past=len(want): n > past)
                index = Index(server)
                want[index.id] = [server.request('POST', '/v1/query', index.query(
                    shard=i, ciphertexts=ciphertexts)).body for i in range(index.shards)]
            (a, b) = want.values()
            self.assertTrue(all(x != y for x, y in zip(a, b)))
            threads = [threading.Thread(target=self.client, args=(
                server, want, QUERIES // CLIENTS, random.Random(seed + i), ciphertexts)) for i in range(CLIENTS)]
            for t in threads:
                t.start()
            while any(t.is_alive() for t in threads):
                hangups += 1
                put_in_force(path, names[hangups % 2])
                server.process.send_signal(signal.SIGHUP)
                done.wait(EVERY_S)
            print(f'{sum(self.asked.values())} queries, {hangups} times SIGHUP')
            self.assertEqual(self.wrong[:5], [])
            self.assertEqual(sum(self.asked.values()), QUERIES)
            self.assertEqual(len(self.asked), 2)
            self.assertGreater(min(self.asked.values()), QUERIES // 10)
            self.assertGreater(server.metric(VERSION_KEYS[0]), hangups * 0.8)
            self.assertEqual(server.metric(VERSION_KEYS[1]), 0)


main()
