# SPDX-License-Identifier: Apache-2.0
"""Starts veild on a small index and speaks to it: plain sockets, so that a test decides every byte.

Usage of a test program: server_x.py VEILD MAKE_INDEX [unittest arguments]
"""
import atexit
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

from protobuf import field, parse

VEILD, MAKE_INDEX = sys.argv[1:3]
TYPE = 'application/x-protobuf'
Q = 268369921
UPLOAD_BITS = 23
SCRATCH = tempfile.mkdtemp(prefix='veil-test-')
atexit.register(shutil.rmtree, SCRATCH, ignore_errors=True)


def cpu_s(process):
    """Processor time that it has taken so far."""
    with open(f'/proc/{process.pid}/stat', encoding='ascii') as f:
        fields = f.read().rsplit(')', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def make_index(name, shards=3, rows=300, label_bytes=16, again=False, seed=1, terms=2, dim=32, sealed=None):
    """With `again` a new version in an index that is there."""
    path = os.path.join(SCRATCH, name)
    if again or not os.path.exists(path):
        subprocess.run([MAKE_INDEX, path, *map(str, (shards, rows, label_bytes, seed, terms, dim)), *([sealed] if sealed else [])], check=True)
    return path


class Server:
    """A veild with its own ports; use as a context."""

    def __init__(self, index, *options, listen='127.0.0.1:0', **process):
        self.ports = tempfile.mktemp(dir=SCRATCH)
        self.log = open(self.ports + '.log', 'w+')
        self.process = subprocess.Popen(
            [VEILD, '--index', index, '--listen', listen, '--admin', '127.0.0.1:0', '--port-file', self.ports,
             '--lame-duck-ms', '0', *options], stderr=self.log, **process)
        until = time.monotonic() + 20
        while not os.path.exists(self.ports):
            if self.process.poll() is not None or time.monotonic() > until:
                self.process.kill()
                raise AssertionError('veild did not start: ' + self.text())
            time.sleep(0.01)
        with open(self.ports) as f:
            self.address, self.admin = f.read().split()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                raise
        self.log.close()

    def text(self):
        self.log.seek(0)
        return self.log.read()

    def connect(self, timeout=10):
        if self.address.startswith('unix:'):
            s = socket.socket(socket.AF_UNIX)
            s.settimeout(timeout)
            s.connect(self.address[5:])
            return s
        host, port = self.address.rsplit(':', 1)
        s = socket.create_connection((host, int(port)), timeout=timeout)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return s

    def raw(self, data, timeout=10):
        """Sends bytes, reads to the end of the connection. The server must close or the test hangs up after it."""
        with self.connect(timeout) as s:
            s.sendall(data)
            return read_all(s)

    def session(self):
        return Session(self.connect())

    def request(self, method, path, body=None, **headers):
        with self.session() as c:
            return c.request(method, path, body, **headers)

    def ask_admin(self, path):
        c = http.client.HTTPConnection(*self.admin.split(':'), timeout=10)
        c.request('GET', path)
        r = c.getresponse()
        text = r.read().decode()
        c.close()
        return r.status, text

    def metric(self, name):
        for line in self.ask_admin('/metrics')[1].splitlines():
            if line.startswith(name + ' '):
                return float(line.split()[-1])
        raise AssertionError('no metric ' + name)


    def wait_for(self, metric, good):
        """Until the metric is as wanted: sleeping a fixed time would fail on a busy machine."""
        until = time.monotonic() + 20
        while not good(self.metric(metric)):
            if time.monotonic() > until:
                raise AssertionError(f'{metric} stays {self.metric(metric)}')
            time.sleep(0.02)


class Session:
    """One connection with requests one after another."""

    def __init__(self, sock):
        self.c = http.client.HTTPConnection('veil.test')
        self.c.sock = sock

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.c.close()

    def request(self, method, path, body=None, **headers):
        headers = {k.replace('_', '-'): v for k, v in headers.items()}
        if body is not None:
            headers.setdefault('Content-Type', TYPE)
        self.c.request(method, path, body, headers)
        r = self.c.getresponse()
        return Reply(r.status, dict(r.getheaders()), r.read())


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body


def receive(s):
    """What came next; nothing at the end of the connection, however it came."""
    try:
        return s.recv(65536)
    except ConnectionResetError:
        return b''


def read_all(s):
    data = b''
    while piece := receive(s):
        data += piece
    return data


def read_reply(s):
    """One reply, head and body, of a connection that may go on; less if it ends before."""
    data, size = b'', None
    while (size is None or len(data) < size) and (piece := receive(s)):
        data += piece
        head, found, _ = data.partition(b'\r\n\r\n')
        if found:
            size = len(head) + 4 + int(head.split(b'Content-Length: ')[1].split(b'\r')[0])
    return data


class Index:
    """What GET /v1/config says."""

    def __init__(self, server):
        reply = server.request('GET', '/v1/config')
        assert reply.status == 200, reply.status
        f = parse(reply.body)
        (self.version, self.id, self.name, self.params, self.dim, self.rows) = (f[i] for i in range(1, 7))
        (self.shards, self.label_bytes, self.records, self.codebook_hash) = (f[i] for i in range(10, 14))
        (self.codebook_bytes, self.query_bytes, self.reply_bytes) = (f[i] for i in range(14, 17))
        empty = sum(len(field(i, v)) for i, v in [(1, 0), (2, bytes(32)), (3, 0), (4, bytes(32))])
        self.ciphertext_bytes = self.query_bytes - empty - 4  # tag and three bytes of length
        while len(field(5, bytes(self.ciphertext_bytes))) + empty != self.query_bytes:
            self.ciphertext_bytes += 1

    def fields(self, shard=0, ciphertexts=None):
        """A valid query: every number of packed bits below q stands for a ciphertext."""
        return [(1, self.version), (2, self.id), (3, shard), (4, bytes(range(32))),
                (5, bytes(self.ciphertext_bytes) if ciphertexts is None else ciphertexts)]

    def query(self, **changes):
        return b''.join(field(n, v) for n, v in self.fields(**changes))


def post(body, path='/v1/query', headers=()):
    """The bytes of a request."""
    lines = [f'POST {path} HTTP/1.1', 'Host: veil.test', f'Content-Type: {TYPE}', *headers]
    return '\r\n'.join(lines).encode() + b'\r\n\r\n' + body


def status_of(raw):
    return int(raw.split(b' ', 2)[1]) if raw.startswith(b'HTTP/1.1 ') else None


def main():
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
