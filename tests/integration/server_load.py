#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A minute of good and bad requests at once: every good one is answered right or told to come back, memory does not
grow, and the server stops cleanly."""
import os
import random
import threading
import time
import unittest

from veild import Index, Server, main, make_index, post, read_all, status_of

SECONDS = float(os.environ.get('VEIL_LOAD_SECONDS', '60'))
THREADS = 12


def resident_kib(server):
    with open(f'/proc/{server.process.pid}/status', encoding='ascii') as f:
        return next(int(line.split()[1]) for line in f if line.startswith('VmRSS'))


class Load(unittest.TestCase):
    def good(self, server, index, want, rng, until):
        with server.session() as c:
            while time.monotonic() < until:
                shard = rng.randrange(index.shards)
                reply = c.request('POST', '/v1/query', index.query(shard=shard))
                with self.lock:
                    self.counts[reply.status] = self.counts.get(reply.status, 0) + 1
                    if reply.status not in (200, 503) or reply.status == 200 and reply.body != want[shard]:
                        self.wrong.append((reply.status, shard))

    def bad(self, server, index, rng, until):
        whole = index.query()
        while time.monotonic() < until:
            body = bytearray(whole[:rng.randrange(len(whole))])
            for _ in range(rng.randrange(3)):
                if body:
                    body[rng.randrange(len(body))] = rng.randrange(256)
            request = post(bytes(body), headers=[f'Content-Length: {len(body)}', 'Connection: close'])
            try:
                with server.connect() as s:
                    s.sendall(request[:rng.randrange(1, len(request))] if rng.random() < 0.3 else request)
                    s.shutdown(1)
                    status = status_of(read_all(s))
            except OSError:
                status = None  # it may hang up on us
            with self.lock:
                self.refused += 1
                if status is not None and not 400 <= status < 500 and status != 503:
                    self.wrong.append((status, bytes(body[:40])))

    def run_for(self, server, index, want, seconds):
        until = time.monotonic() + seconds
        seed = random.randrange(1 << 32)
        print('seed', seed)
        threads = [threading.Thread(target=self.good, args=(server, index, want, random.Random(seed + i), until))
                   if i % 3 else
                   threading.Thread(target=self.bad, args=(server, index, random.Random(seed + i), until))
                   for i in range(THREADS)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()

    def test_good_and_bad_requests_at_once(self):
        self.lock, self.counts, self.refused, self.wrong = threading.Lock(), {}, 0, []
        with Server(make_index('load', shards=8, rows=2000), '--io-threads', '2', '--queue', '16') as server:
            index = Index(server)
            want = [server.request('POST', '/v1/query', index.query(shard=i)).body for i in range(index.shards)]
            self.run_for(server, index, want, SECONDS / 4)
            before = resident_kib(server)
            self.run_for(server, index, want, SECONDS * 3 / 4)
            grown = resident_kib(server) - before
            print(self.counts, 'bad:', self.refused, 'grown:', grown, 'KiB')
            self.assertEqual(self.wrong[:5], [])
            self.assertGreater(self.counts.get(200, 0), 10 * SECONDS)
            self.assertGreater(self.refused, 5 * SECONDS)
            self.assertLess(grown, 16 * 1024)
            self.assertEqual(server.request('GET', '/v1/config').status, 200)
            server.process.terminate()
            self.assertEqual(server.process.wait(30), 0)


if __name__ == '__main__':
    main()
