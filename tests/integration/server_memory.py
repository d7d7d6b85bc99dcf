# SPDX-License-Identifier: Apache-2.0
"""--memory-limit: the same answers whatever stays transformed; queries of one shard are answered together."""
import random
import subprocess
import threading
import unittest

from veild import VEILD, Index, Server, main, make_index, parse, post, read_all, status_of

CONNECTIONS = '--connections', '64', '--workers', '2', '--body-memory-mb', '2'


def ciphertexts_of(index, seed):
    rng = random.Random(seed)
    return bytes(rng.randrange(128) for _ in range(index.ciphertext_bytes))


def sanitized():
    """A sanitizer's shadow is memory too."""
    with open(VEILD, 'rb') as f:
        program = f.read()
    return any(s in program for s in (b'__asan_init', b'__tsan_init', b'__msan_init'))


def resident(server, what):
    with open(f'/proc/{server.process.pid}/status', encoding='ascii') as f:
        return next(int(line.split()[1]) * 1024 for line in f if line.startswith(what + ':'))


class Limit(unittest.TestCase):
    def answers(self, server, index, ciphertexts):
        with server.session() as c:
            return [c.request('POST', '/v1/query', index.query(shard=i, ciphertexts=ciphertexts)).body
                    for i in range(index.shards)]

    def test_answers_are_the_same_at_any_limit_and_memory_stays_below_it(self):
        path = make_index('limited', shards=60, rows=8000)
        with Server(path, *CONNECTIONS) as server:
            index = Index(server)
            ciphertexts = ciphertexts_of(index, 1)
            want = self.answers(server, index, ciphertexts)
            self.assertEqual(len(set(want)), index.shards)
            self.assertEqual(server.metric('veil_cache_misses_total'), index.shards)
            self.assertEqual(server.metric('veil_cache_evictions_total'), 0)
            everything = server.metric('veil_cache_bytes')
        for limit in (40, 64):
            with Server(path, *CONNECTIONS, '--memory-limit', f'{limit}M') as server:
                for _ in range(2):
                    self.assertEqual(self.answers(server, index, ciphertexts), want)
                bound = server.metric('veil_cache_limit_bytes')
                self.assertLess(bound, everything)
                self.assertLessEqual(server.metric('veil_cache_bytes'), bound)
                self.assertGreater(server.metric('veil_cache_evictions_total'), index.shards / 2)
                if not sanitized():
                    self.assertLess(resident(server, 'VmRSS'), limit << 20)

    def test_what_was_used_last_stays(self):
        path = make_index('limited', shards=60, rows=8000)
        with Server(path, *CONNECTIONS, '--memory-limit', '48M') as server:
            index = Index(server)
            body = index.query(shard=7)
            for other in range(index.shards):
                self.assertEqual(server.request('POST', '/v1/query', index.query(shard=other)).status, 200)
                before = server.metric('veil_cache_hits_total') if other > 7 else None
                self.assertEqual(server.request('POST', '/v1/query', body).status, 200)
                if before is not None:
                    self.assertEqual(server.metric('veil_cache_hits_total'), before + 1)

    def test_a_limit_that_is_too_small_is_refused_with_one_that_is_not(self):
        path = make_index('limited', shards=60, rows=8000)

        def refused(limit):
            p = subprocess.run([VEILD, '--index', path, '--listen', '127.0.0.1:0', *CONNECTIONS, '--memory-limit', limit],
                               stderr=subprocess.PIPE, text=True, timeout=20)
            self.assertIn(p.returncode, (1, 2))
            return p.stderr
        need = refused('17M').split(' need ')[1].split('M')[0]
        with Server(path, *CONNECTIONS, '--memory-limit', need + 'M') as server:
            self.assertEqual(server.request('POST', '/v1/query', Index(server).query(shard=59)).status, 200)
        for bad in ('much', '12Q', '-1', '1.5', '0x10', '9999999T', '1MM'):
            self.assertIn('not a size', refused(bad))

    def test_many_threads_under_a_small_limit_get_the_right_answers(self):
        path = make_index('limited', shards=60, rows=8000)
        with Server(path, *CONNECTIONS, '--workers', '4', '--body-memory-mb', '8', '--memory-limit', '56M') as server:
            index = Index(server)
            ciphertexts = ciphertexts_of(index, 2)
            want = self.answers(server, index, ciphertexts)
            wrong = []

            def client(seed):
                rng = random.Random(seed)
                with server.session() as c:
                    for _ in range(60):
                        shard = rng.choice([rng.randrange(index.shards), 3, 4])
                        reply = c.request('POST', '/v1/query', index.query(shard=shard, ciphertexts=ciphertexts))
                        if reply.body != want[shard]:
                            wrong.append((reply.status, shard))
            threads = [threading.Thread(target=client, args=(seed,)) for seed in range(8)]
            for t in threads:
                t.start()
            for t in threads:
                t.join()
            self.assertEqual(wrong, [])
            self.assertLessEqual(server.metric('veil_cache_bytes'), server.metric('veil_cache_limit_bytes'))


class Together(unittest.TestCase):
    def send(self, server, bodies):
        """All at once: whole but for their last byte, then those bytes, so that they wait for each other."""
        sockets = [server.connect() for _ in bodies]
        for s, body in zip(sockets, bodies):
            s.sendall(post(body[:-1], headers=[f'Content-Length: {len(body)}', 'Connection: close']))
        server.wait_for('veil_requests_total', lambda n: n >= self.seen + len(bodies))
        self.seen += len(bodies)
        for s, body in zip(sockets, bodies):
            s.sendall(body[-1:])
        replies = [read_all(s) for s in sockets]
        for s in sockets:
            s.close()
        return replies

    def test_queries_that_wait_for_one_shard_are_answered_in_one_pass_each_its_own_answer(self):
        path = make_index('slow', shards=3, rows=40000, label_bytes=0)
        with Server(path, '--workers', '1') as server:
            index = Index(server)
            bodies = [index.query(shard=1, ciphertexts=ciphertexts_of(index, i)) for i in range(13)]
            want = [server.request('POST', '/v1/query', b).body for b in bodies]
            self.assertEqual(len(set(want)), 13)
            self.assertEqual(server.metric('veil_passes_total'), 13)
            self.seen = server.metric('veil_requests_total')
            replies = self.send(server, bodies)
            self.assertEqual([r.split(b'\r\n\r\n', 1)[1] for r in replies], want)
            passes = server.metric('veil_passes_total') - 13
            self.assertLess(passes, 9)  # 4 at best
            self.assertGreaterEqual(passes, 4)
            self.assertEqual(server.metric('veil_queries_total'), 26)

    def test_a_bad_query_among_those_that_wait_harms_only_itself(self):
        path = make_index('slow', shards=3, rows=40000, label_bytes=0)
        with Server(path, '--workers', '1') as server:
            index = Index(server)
            good = index.query(shard=1, ciphertexts=ciphertexts_of(index, 1))
            want = server.request('POST', '/v1/query', good).body
            beyond = index.query(shard=1, ciphertexts=b'\xff' * index.ciphertext_bytes)
            short = index.query(shard=1, ciphertexts=bytes(index.ciphertext_bytes - 1))
            elsewhere = index.query(shard=2)
            self.seen = server.metric('veil_requests_total')
            replies = self.send(server, [good, good, beyond, good, short, elsewhere, beyond, good, good])
            self.assertEqual([status_of(r) for r in replies], [200, 200, 400, 200, 400, 200, 400, 200, 200])
            for i in (0, 1, 3, 7, 8):
                self.assertEqual(replies[i].split(b'\r\n\r\n', 1)[1], want)
            self.assertEqual(len(parse(replies[5].split(b'\r\n\r\n', 1)[1])[2]), 32)
            for i in (2, 6):
                self.assertIn(b'residue', replies[i])


main()
