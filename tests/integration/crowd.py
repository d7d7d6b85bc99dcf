#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""crowd.py VEILD MAKE_INDEX OHTTP_PEER VEIL VEIL_INDEX VEIL_RELAY CROWD_CLIENTS [--attack EPOCHS | --clients N]: the crowd, through
veil-relay and veild. --attack: what relay and gateway see of a question beside fakes; --clients: all at once, counted by the
relay itself.

A statistical check fails if two runs, independent of each other, both have a p-value below 0.001: a right program fails one check
once in a million runs."""
import json
import math
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from collections import Counter

from client_relay import VEIL, VEIL_INDEX, VEIL_RELAY, World
from fake_relay import Relay as FakeRelay
from relay import Relay
from veild import SCRATCH, cpu_s, make_index

CROWD_CLIENTS = os.path.abspath(sys.argv[7])
LIMIT = 0.001


def clients(*arguments, **options):
    result = subprocess.run([CROWD_CLIENTS, *map(str, arguments)], capture_output=True, check=False, **options)
    assert result.returncode == 0, result.stderr[-2000:]
    return result.stdout


# --- p-values ---

def chi_tail(x, freedom):
    """P[chi-square >= x]: the incomplete gamma function by its series, or by its continued fraction (DLMF 8.7.1, 8.9.2)."""
    a, x = freedom / 2, x / 2
    front = math.exp(-x + a * math.log(x) - math.lgamma(a)) if x > 0 else 0
    if x < a + 1:
        term = total = 1 / a
        n = a
        while term > total * 1e-16:
            n += 1
            term *= x / n
            total += term
        return 1 - total * front
    b, c, d = x + 1 - a, 1e300, 1 / (x + 1 - a)
    h = d
    for i in range(1, 10000):
        an = -i * (i - a)
        b += 2
        d, c = 1 / (an * d + b), b + an / c
        h *= d * c
        if abs(d * c - 1) < 1e-14:
            break
    return h * front


def chi_alike(one, other):
    """Are two rows of counts of one law? Bins in which both together have less than 20 are taken together."""
    rows, kept = [0, 0], []
    for a, b in zip(one, other):
        rows = [rows[0] + a, rows[1] + b]
        if sum(rows) >= 20:
            kept.append(rows)
            rows = [0, 0]
    if kept:
        kept[-1] = [kept[-1][0] + rows[0], kept[-1][1] + rows[1]]
    if len(kept) < 2:
        return 1.0
    n = [sum(k[i] for k in kept) for i in (0, 1)]
    x = sum((k[i] - sum(k) * n[i] / sum(n)) ** 2 / (sum(k) * n[i] / sum(n)) for k in kept for i in (0, 1))
    return chi_tail(x, len(kept) - 1)


def ks_alike(one, other):
    """Kolmogorov and Smirnov's two-sample test, by the limit law."""
    values = sorted([(x, 0) for x in one] + [(x, 1) for x in other])
    seen, largest = [0, 0], 0.0
    for i, (x, which) in enumerate(values):
        seen[which] += 1
        if i + 1 == len(values) or values[i + 1][0] != x:
            largest = max(largest, abs(seen[0] / len(one) - seen[1] / len(other)))
    root = math.sqrt(len(one) * len(other) / (len(one) + len(other)))
    z = (root + 0.12 + 0.11 / root) * largest
    return min(1.0, max(0.0, 2 * sum((-1) ** (k - 1) * math.exp(-2 * k * k * z * z) for k in range(1, 101)))) if z > 0.2 else 1.0


class CrowdWorld(World):
    """An operator, a relay, and who trusts them."""

    def __init__(self, **index):
        self.kind = index.pop('kind', None)
        super().__init__(**index)
        self.relay_key, self.trust = self.path('relay.key'), self.path('trust')
        public = subprocess.run([VEIL_RELAY, '--new-attestation-key', self.relay_key], capture_output=True, text=True, check=True)
        with open(self.key + '.pub', encoding='ascii') as operator, open(self.trust, 'w', encoding='ascii') as f:
            f.write(operator.read() + 'relay ' + public.stdout.split()[-1] + '\n')

    def publish(self):
        if self.kind:  # before anything is signed: another index in place of the first one
            vectors, self.index = self.path('vectors.jsonl'), self.path('index')
            with open(vectors, 'w', encoding='ascii') as f:
                for i in range(60):
                    f.write(json.dumps({'id': i, 'vector': [math.sin(i * 31 + j * j) for j in range(32)]}) + '\n')
            subprocess.run([VEIL_INDEX, 'build', '--input', vectors, '--output', self.index, '--shards', '3', '--kind', self.kind],
                           check=True, capture_output=True)
        super().publish()

    def attestation(self, users, seconds, path='/veil'):
        return clients('attest', self.relay_key, path, users, seconds)

    def relay(self, server, *options):
        return Relay(VEIL_RELAY, [('/veil', f'http://{server.address}/gateway')], '--rate', '1000000', '--burst', '1000000', *options)

    def budget(self, name, *options):
        path = self.path(name)
        subprocess.run([VEIL, 'privacy', '--budget', path, '--new', '--a-day', '1000', '--ever', '1000', *options], check=True,
                       capture_output=True)
        return path


class Front(FakeRelay):
    """Before a veil-relay: shows an attestation that the relay's key has signed, without the 99 epochs that it takes to count."""

    def __init__(self, relay, attestation):
        super().__init__(relay.address)
        self.answers['/attestation'] = lambda *_: attestation and (200, 'application/vnd.veil.attestation', attestation)

    def forward(self, method, path, kind=None, body=None):
        return super().forward(method, '/veil' + path.replace('/gateway', '', 1) if path == '/gateway' else '/veil' + path, kind, body)


class Crowd(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = CrowdWorld(name='crowd', shards=5, rows=100)
        cls.server = cls.world.serve().__enter__()
        cls.relay = cls.world.relay(cls.server, '--mix', 'batch 4 100', '--mix-clients', '2').__enter__()
        cls.vector = cls.world.path('vector.json')
        with open(cls.vector, 'w', encoding='ascii') as f:
            json.dump([0.5, 0.4, 0.3] + [0.01] * 29, f)

    @classmethod
    def tearDownClass(cls):
        cls.relay.__exit__()
        cls.server.__exit__()

    def agent(self, front, budget, **options):
        path = tempfile.mktemp(dir=SCRATCH)
        process = subprocess.Popen([VEIL, 'agent', '--relay', front.url, '--trust', self.world.trust, '--state',
                                    self.world.path('state'), '--budget', budget, '--socket', path, '--epoch', '1'],
                                   stderr=subprocess.PIPE, text=True, **options)
        until = time.monotonic() + 30
        while not os.path.exists(path):
            self.assertIsNone(process.poll())
            self.assertLess(time.monotonic(), until)
            time.sleep(0.01)
        return process, path

    def ask(self, path, *more):
        return subprocess.run([VEIL, 'search', f'--agent={path}', '--vector', self.vector, *more], capture_output=True, text=True,
                              timeout=60, check=False)

    def test_an_agent_hides_among_fakes_what_it_is_asked_and_charges_it(self):
        budget = self.world.budget('hidden', '--eps', '4', '--delta', '0.01')
        plain = subprocess.run([VEIL, 'search', '--direct', '--server', 'http://' + self.server.address, '--vector', self.vector,
                                '--json'], capture_output=True, text=True, check=True)
        with Front(self.relay, self.world.attestation(100, 1)) as front:
            process, path = self.agent(front, budget)
            shown = self.ask(path, '--json')
            self.assertEqual(shown.returncode, 0, shown.stderr)
            self.assertIn('in a crowd', shown.stderr)
            shown, plain = json.loads(shown.stdout), json.loads(plain.stdout)
            self.assertEqual((shown['mode'], shown['index']), ('crowd', plain['index']))
            self.assertEqual(shown['results'][0]['record'], plain['results'][0]['record'])
            self.assertEqual(shown['cost']['shards'], plain['cost']['shards'])
            self.assertIn(' cost: ', ' ' + self.ask(path).stdout.replace('\n', ' '))
            refused = self.ask(path, '--probes', '2')
            self.assertEqual((refused.returncode, 'the budget has 1' in refused.stderr), (1, True), refused.stderr)
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(path)
                s.sendall(b'{"vector": 1}')
                s.shutdown(socket.SHUT_WR)
                self.assertEqual(json.loads(s.recv(65536))['exit'], 1)
            self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
            again = subprocess.run([VEIL, 'agent', '--relay', front.url, '--trust', self.world.trust, '--state',
                                    self.world.path('state'), '--budget', budget, '--socket', path], capture_output=True, text=True,
                                   timeout=60, check=False)
            self.assertEqual(again.returncode, 3, again.stderr)
            process.send_signal(signal.SIGTERM)
            self.assertIn('hidden among 100 clients', process.communicate(timeout=60)[1])
            self.assertEqual(process.returncode, 0)
            self.assertFalse(os.path.exists(path))
            spent = json.loads(subprocess.run([VEIL, 'privacy', '--budget', budget, '--json'], capture_output=True, check=True).stdout)
            self.assertEqual(spent['ever'], 2)
            posts = [p for p in front.posts() if p['line'] == 'POST /veil']
            self.assertEqual(len({len(p['body']) for p in posts}), 1)
            self.assertEqual(len({p['body'][7:39] for p in posts}), len(posts), 'no key of a request comes twice')
        self.assertEqual(self.ask(path).returncode, 3)

    def test_without_an_attestation_an_agent_asks_all_shards_and_is_never_silent(self):
        budget = self.world.budget('alone')
        with Front(self.relay, None) as front:
            process, path = self.agent(front, budget)
            shown = self.ask(path, '--json')
            self.assertEqual(shown.returncode, 0, shown.stderr)
            self.assertEqual(json.loads(shown.stdout)['cost']['shards'], list(range(5)))
            now = self.ask(path, '--json', '--now')
            self.assertIn(now.returncode, (0, 3), now.stderr)  # this epoch may have had its question
            until, posts = time.monotonic() + 30, len(front.posts())
            while len(front.posts()) == posts:
                self.assertLess(time.monotonic(), until, 'no question, and nothing is sent')
                time.sleep(0.02)
            process.send_signal(signal.SIGTERM)
            self.assertIn('every request asks all shards', process.communicate(timeout=60)[1])
            spent = json.loads(subprocess.run([VEIL, 'privacy', '--budget', budget, '--json'], capture_output=True, check=True).stdout)
            self.assertEqual(spent['ever'], 0)

    def test_peers_that_dribble_or_take_all_files_stop_neither_an_agent_nor_its_end(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))

        with Front(self.relay, None) as front:
            process, path = self.agent(front, self.world.budget('beset'), preexec_fn=limit)
            peers = []
            for _ in range(60):  # more than it has files for
                peers.append(socket.socket(socket.AF_UNIX))
                peers[-1].connect(path)
            before, start = cpu_s(process), time.monotonic()
            time.sleep(1.5)
            self.assertLess(cpu_s(process) - before, 0.5 * (time.monotonic() - start), 'it asks again and again')
            for peer in peers[1:]:
                peer.close()
            self.assertEqual(self.ask(path).returncode, 0)
            done = threading.Event()

            def dribble():
                while not done.wait(0.3):
                    try:
                        peers[0].sendall(b' ')
                    except OSError:
                        return

            thread = threading.Thread(target=dribble)
            thread.start()
            process.send_signal(signal.SIGTERM)
            try:
                process.communicate(timeout=60)
            finally:
                process.kill()
                done.set()
                thread.join()
                peers[0].close()
            self.assertEqual(process.returncode, 0)

    def test_a_sealed_index_without_an_attestation_is_asked_by_sealed_search(self):
        world = CrowdWorld(name='sealed', kind='sealed')
        budget = world.budget('sealed')
        with world.serve() as server, world.relay(server, '--mix', 'off') as relay, Front(relay, None) as front:
            self.world, before = world, self.world
            process, path = self.agent(front, budget)
            self.world = before
            shown = self.ask(path, '--json')
            self.assertEqual(shown.returncode, 0, shown.stderr)
            shown = json.loads(shown.stdout)
            plain = subprocess.run([VEIL, 'search', '--direct', '--server', 'http://' + server.address, '--vector', self.vector,
                                    '--mode', 'sealed', '--json'], capture_output=True, text=True, check=True)
            self.assertEqual(shown['results'][0]['record'], json.loads(plain.stdout)['results'][0]['record'])
            self.assertEqual(shown['cost']['shards'], [])
            posts = len(front.posts())
            until = time.monotonic() + 30
            while len(front.posts()) == posts:
                self.assertLess(time.monotonic(), until, 'no question, and nothing is sent')
                time.sleep(0.02)
            process.send_signal(signal.SIGTERM)
            self.assertIn('every request is a sealed search', process.communicate(timeout=60)[1])
            # queries have one size, which is not that of a configuration fetched through the relay
            sizes = Counter((len(p['body']), len(p['reply'])) for p in front.posts()[-2:])
            self.assertEqual(len(sizes), 1, sizes)

    def test_eight_clients_get_their_answers_and_the_counts_of_shards_are_as_planned(self):
        with Front(self.relay, self.world.attestation(100, 1)) as front:
            port = front.url.split(':')[2].split('/')[0]
            check_run(self, self.world, port, 8, 2, 2, 4, 0.01, users=100, shards=5)

    def test_what_relay_and_gateway_see_does_not_tell_a_question_from_a_fake(self):
        check_attack(self, self.world, self.server, 150)


# --- clients at once ---

def check_run(test, world, port, count, epoch, questions, eps, delta, users, shards, started=None):
    folder = tempfile.mkdtemp(dir=SCRATCH)
    process = subprocess.Popen([CROWD_CLIENTS, 'run', str(port), '/veil', world.trust, folder, str(count), str(epoch), str(questions),
                                str(eps), str(delta)], stdout=subprocess.PIPE, text=True)
    seen, total, asked, late, real, used = Counter(), {}, 0, [], Counter(), set()
    for line in process.stdout:
        f = line.split()
        if f[0] == 'epoch':
            test.assertEqual(f[4], '3', line)  # hidden
            used.add((int(f[6]), int(f[8])))
            if started:
                started(int(f[1]))
        elif f[0] == 'question':
            asked += f[3] != '-1'
            test.assertNotEqual(f[3], '-1', line)
            real[int(f[3])] += 1
            late.append(float(f[5]))
        elif f[0] == 'shard':
            seen[int(f[1])] = int(f[2])
        else:
            total = dict(zip(f[::2], map(int, f[1::2])))
    process.stdout.close()
    test.assertEqual(process.wait(60), 0)
    test.assertEqual(asked, count * questions)
    test.assertTrue(all(0 < u[1] == min(u[0], 1000000) for u in used), used)
    if users:
        test.assertEqual(used, {(users, users)})
    test.assertEqual(total['all'], 0)
    test.assertEqual(sum(seen.values()), total['requests'], 'as many as were told, each once')
    plan = json.loads(subprocess.run([VEIL, 'privacy', '--plan', '--eps', str(eps), '--delta', str(delta), '--json'], capture_output=True,
                                     check=True).stdout)
    smallest = min(u[1] for u in used)
    # Noise of a shard: `hidden` shares of NB(r, p). The rest of the constant count is uniform over the shards.
    noise = plan['fakes_per_shard'] * total['hidden'] / smallest
    variance = noise / (1 - plan['p'])
    fill = (total['requests'] - asked) / shards - noise
    x = 0
    for shard in range(shards):
        mean = (total['requests'] - asked) / shards + real[shard]
        x += (seen[shard] - mean) ** 2 / (variance + max(fill, 0))
    tail = chi_tail(x, shards - 1)
    print(f'{count} clients, {total["hidden"]} epochs of theirs, users {sorted(used)}, {total["requests"]} requests, {asked} questions '
          f'answered, the last {max(late):.3f} s after the end of its epoch, shards {sorted(seen.items())}, chi-square {x:.1f}, '
          f'p {tail:.4f}', flush=True)
    # Both tails at a millionth: counts of compound laws are not quite normal.
    test.assertTrue(1e-6 < tail < 1 - 1e-6, tail)
    return late


class Clients(unittest.TestCase):
    """--clients N: a relay that counts them itself."""

    def test_all_questions_are_answered_in_their_epoch(self):
        count, epoch = int(sys.argv[sys.argv.index('--clients') + 1]), 30
        world = CrowdWorld(name='clients', shards=20, rows=100)
        knocking, stop = threading.Event(), threading.Event()
        with world.serve('--connections', '8192') as server, world.relay(
                server, '--mix', 'batch 16 1000', '--epoch-seconds', '1', '--attestation-key', world.relay_key, '--upstream-connections',
                '64') as relay:
            knocker = threading.Thread(target=self.knock, args=(relay, count, knocking, stop))
            knocker.start()
            try:
                users = self.await_users(relay)
                begun = set()

                def started(number):
                    begun.add(number)
                    if len(begun) == count:
                        stop.set()

                late = check_run(self, world, relay.address.split(':')[1], count, epoch, 2, 0.8, 1e-6, users=None, shards=20,
                                 started=started)
            finally:
                stop.set()
                knocker.join()
            self.assertGreaterEqual(users, 64)
            self.assertLess(max(late), epoch, 'before the next epoch is over')

    def knock(self, relay, count, _, stop):
        """Until there are real ones: requests from the addresses of all clients, twice in each second, for the relay to count."""
        host, port = relay.address.split(':')
        request = b'POST /veil HTTP/1.1\r\nHost: r\r\nContent-Type: message/ohttp-req\r\nContent-Length: 8\r\n\r\nknocking'
        opened = []
        while not stop.is_set():
            begin = time.monotonic()
            for i in range(count):
                s = socket.socket()
                s.bind((f'127.0.{1 + i // 250}.{1 + i % 250}', 0))
                s.connect((host, int(port)))
                s.sendall(request)
                opened.append((begin, s))
            while opened and opened[0][0] < begin - 4:
                opened.pop(0)[1].close()
            time.sleep(max(0, 0.5 - (time.monotonic() - begin)))
        for _, s in opened:
            s.close()

    def await_users(self, relay):
        """The relay needs 99 epochs of a second; one that was missed in the beginning must leave the window."""
        until = time.monotonic() + 600
        while time.monotonic() < until:
            reply = relay.request('GET', '/veil/attestation')
            if reply.status == 200 and int.from_bytes(reply.body[24:32], 'little') >= 64:
                return int.from_bytes(reply.body[24:32], 'little')
            time.sleep(1)
        raise AssertionError('the relay attests no crowd')


# --- attack ---

def attack(world, relay, epochs, seed):
    out = clients('attack', relay.address.split(':')[1], '/veil', world.trust, tempfile.mkdtemp(dir=SCRATCH), epochs, 100, 4, 0.01, seed)
    rows = [line.split() for line in out.decode().splitlines()]
    real, fake = [r for r in rows if r[0] == '0'], [r for r in rows if r[0] == '1']
    assert len(real) == epochs and len(fake) > epochs
    assert len({r[9] for r in rows}) == len(rows), 'a seed came twice'

    def categories(column):
        names = sorted({r[column] for r in rows})
        return chi_alike(*([Counter(r[column] for r in some)[n] for n in names] for some in (real, fake)))

    def residues(first):
        return chi_alike(*([sum(int(r[first + i]) for r in some) for i in range(16)] for some in (real, fake)))

    def each(first):
        return ks_alike(*([sum((int(r[first + i]) - sum(map(int, r[first:first + 16])) / 16) ** 2 for i in range(16)) for r in some]
                          for some in (real, fake)))

    most = max(int(r[2]) for r in rows) + 1
    return {'size outside': categories(4), 'head outside': categories(5), 'size inside': categories(6), 'head inside': categories(7),
            'instant': ks_alike([int(r[3]) for r in real], [int(r[3]) for r in fake]),
            'order': chi_alike(*([Counter(int(r[2]) for r in some)[i] for i in range(most)] for some in (real, fake))),
            'high bits of residues': residues(10), 'low bits of residues': residues(26),
            'high bits of one request': each(10), 'low bits of one request': each(26),
            'shard': categories(8)}, len(rows)


def check_attack(test, world, server, epochs):
    with world.relay(server, '--mix', 'off') as relay:
        first, requests = attack(world, relay, epochs, 1)
        shard = first.pop('shard')
        print(f'{epochs} epochs, {requests} requests; p-values: ' + ', '.join(f'{k} {p:.3f}' for k, p in first.items()) +
              f'; shard {shard:.2g}', flush=True)
        # The questions all go to one shard: this is what noise hides, and not what one request looks like. The attack sees it.
        test.assertLess(shard, LIMIT, 'an attack that sees nothing proves nothing')
        low = {k for k, p in first.items() if p < LIMIT}
        if low:
            again, _ = attack(world, relay, epochs, 2)
            print({k: again[k] for k in low}, flush=True)
            test.assertEqual({k for k in low if again[k] < LIMIT}, set())


class Attack(unittest.TestCase):
    def test_what_relay_and_gateway_see_does_not_tell_a_question_from_a_fake(self):
        world = CrowdWorld(name='attack', shards=5, rows=100)
        with world.serve() as server:
            check_attack(self, world, server, int(sys.argv[sys.argv.index('--attack') + 1]))


if __name__ == '__main__':
    CASES = Attack if '--attack' in sys.argv else Clients if '--clients' in sys.argv else Crowd
    unittest.main(argv=[sys.argv[0], CASES.__name__] + [a for a in sys.argv[8:] if a.startswith('Crowd.')], verbosity=2)
