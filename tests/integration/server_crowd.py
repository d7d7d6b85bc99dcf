# SPDX-License-Identifier: Apache-2.0
"""10,000 connections that send one byte a second, from many loopback addresses: a fast client does not notice, and
memory stays below the stated bound.

Usage: server_crowd.py VEILD MAKE_INDEX [VEIL_RELAY]: with a relay, it is the relay that they crowd, half of them with bodies."""
import multiprocessing
import os
import resource
import socket
import sys
import time
import unittest

from veild import Index, Server, main, make_index

RELAY = sys.argv[3] if len(sys.argv) > 3 else None
if RELAY:
    from relay import Gateway, Relay

CONNECTIONS = int(os.environ.get('VEIL_CROWD', '10000'))
BOUND = 65536 if RELAY else 36864  # bytes a connection, docs/operating.md
ROUNDS = 600
PAUSE_S = 0.02  # so that the rounds outlast --receive-timeout-ms: connections are cut and come again


def crowd(host, port, ready, stop):
    """Opens the connections; each then sends a byte a second, and is opened anew when the server has cut it."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    heads = [b'POST /v1/query HTTP/1.1\r\nHost: veil.test\r\nX-Slow: ' + b'a' * 1000]
    if RELAY:  # the second comes whole, its body does not
        heads.append(b'POST /veil HTTP/1.1\r\nHost: r\r\nContent-Type: message/ohttp-req\r\nContent-Length: 100000\r\n\r\n' + bytes(1000))
    sockets, sent = [None] * CONNECTIONS, [0] * CONNECTIONS

    def connect(i):
        s = socket.socket()
        s.setsockopt(socket.IPPROTO_IP, getattr(socket, 'IP_BIND_ADDRESS_NO_PORT', 24), 1)
        s.bind((f'127.0.0.{2 + i % 40}', 0))
        s.settimeout(20)
        s.connect((host, port))
        s.setblocking(False)
        sockets[i], sent[i] = s, 0
        if i % len(heads):
            sent[i] = s.send(heads[1][:-990])

    for i in range(CONNECTIONS):
        connect(i)
    ready.set()
    steps = 50
    while not stop.is_set():
        for step in range(steps):
            until = time.monotonic() + 1 / steps
            for i in range(step, CONNECTIONS, steps):
                try:
                    sockets[i].send(heads[i % len(heads)][sent[i]:sent[i] + 1])
                    sent[i] += 1
                except OSError:
                    sockets[i].close()
                    connect(i)
            time.sleep(max(0, until - time.monotonic()))
    for s in sockets:
        s.close()


def memory(server):
    with open(f'/proc/{server.process.pid}/status', encoding='ascii') as f:
        return next(int(line.split()[1]) * 1024 for line in f if line.startswith('VmRSS'))


class Crowd(unittest.TestCase):
    def latency(self, server, body):
        times = []
        for _ in range(ROUNDS):
            start = time.monotonic()
            if RELAY:
                reply = server.post(body, Connection='close')
            else:
                reply = server.request('POST', '/v1/query', body, Connection='close')
            times.append(time.monotonic() - start)
            time.sleep(PAUSE_S)
            self.assertEqual(reply.status, 200)
        times.sort()
        return times[len(times) // 2], times[len(times) * 95 // 100]

    def server(self, *options):
        if not RELAY:
            return Server(make_index('crowd', shards=4, rows=4096, terms=16, dim=128), *options)
        gateway = Gateway()
        self.addCleanup(gateway.close)
        return Relay(RELAY, [('/veil', f'http://127.0.0.1:{gateway.port}/gateway')], '--mix', 'off', '--rate', '1000000',
                     '--burst', '1000000', '--body-memory', '512M', *options)

    def run_crowd(self, *options):
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        if hard < CONNECTIONS + 100:
            self.skipTest(f'only {hard} open files are allowed')
        with self.server(*options) as server:
            body = bytes(100000) if RELAY else Index(server).query()
            self.latency(server, body)
            idle, before = self.latency(server, body), memory(server)
            ready, stop = multiprocessing.Event(), multiprocessing.Event()
            host, port = server.address.rsplit(':', 1)
            p = multiprocessing.Process(target=crowd, args=(host, int(port), ready, stop), daemon=True)
            p.start()
            self.assertTrue(ready.wait(120))
            time.sleep(2)
            busy, after = self.latency(server, body), memory(server)
            count = server.metric('veil_connections_open')
            stop.set()
            p.join(20)
            p.kill()
            cut = server.metric('veil_deadlines_total')
            print(f'{count:.0f} open; median {idle[0] * 1e3:.2f} -> {busy[0] * 1e3:.2f} ms, '
                  f'p95 {idle[1] * 1e3:.2f} -> {busy[1] * 1e3:.2f} ms, '
                  f'{(after - before) / max(count, 1) / 1024:.1f} KiB a connection, {cut:.0f} cut')
            self.assertLess(busy[0], 2 * idle[0])
            self.assertLess(after - before, count * BOUND)
            return count

    def test_with_room_for_all(self):
        self.assertGreater(self.run_crowd('--connections', str(CONNECTIONS + 1000)), 0.9 * CONNECTIONS)

    def test_with_room_for_half_the_oldest_that_dawdle_make_way(self):
        self.assertLess(self.run_crowd('--connections', str(CONNECTIONS // 2)), 0.6 * CONNECTIONS)


sys.argv[3:4] = []
main()
