# SPDX-License-Identifier: Apache-2.0
"""A server that says what a test wants, on a socket of its own: it speaks just enough of docs/wire.md, written down a second
time. Each connection's requests are kept as they came."""
import hashlib
import os
import socket
import struct
import threading

from protobuf import field

N, UPLOAD_BITS, C1_BITS, C0_BITS = 2048, 23, 16, 12  # params/search_n2048_q28.params
DIM, ROWS, TERMS, SHARDS, LABEL_BYTES = 32, 128, 4, 3, 16
CHUNK = DIM // TERMS
REPLIES = -(-ROWS // (N // CHUNK))
CIPHERTEXTS = TERMS * (N * UPLOAD_BITS // 8)
REPLY_CIPHERTEXTS = REPLIES * (N * C1_BITS // 8 + N // CHUNK * C0_BITS // 8)
INDEX_ID = bytes(range(32))
MESSAGE = 'application/x-protobuf'
OBJECT = 'application/octet-stream'


def message(*values):
    return b''.join(field(i + 1, v) for i, v in enumerate(values))


def codebook():
    rows = [[1.0 if j == i else 0.0 for j in range(DIM)] for i in range(SHARDS)]
    return b'VEILCBK1' + struct.pack('<II', SHARDS, DIM) + b''.join(struct.pack(f'<{DIM}f', *r) for r in rows)


def query(shard=0, seed=bytes(32), ciphertexts=bytes(CIPHERTEXTS)):
    return message(1, INDEX_ID, shard, seed, ciphertexts)


def label(record, name):
    return struct.pack('<I', record) + name[:LABEL_BYTES - 4].ljust(LABEL_BYTES - 4, b'\0')


def reply(index_id=INDEX_ID, name=b'thing', version=1):
    labels = b''.join(label(i, name) for i in range(ROWS - 8)) + label(0xffffffff, b'') * 8
    return message(version, index_id, os.urandom(REPLY_CIPHERTEXTS), labels)


def config(version=1, params=b'search_n2048_q28', query_bytes=len(query()), reply_bytes=len(reply()), book=codebook()):
    return message(version, INDEX_ID, b'fake', params, DIM, ROWS, TERMS, 120, 118.5, SHARDS, LABEL_BYTES, ('q', 120),
                   hashlib.sha256(book).digest(), len(book), query_bytes, reply_bytes)


def http(body=b'', status='200 OK', media=MESSAGE, length=None, headers=()):
    lines = [f'HTTP/1.1 {status}', f'Content-Length: {len(body) if length is None else length}', *headers]
    if media:
        lines.append(f'Content-Type: {media}')
    return '\r\n'.join(lines).encode() + b'\r\n\r\n' + body


def chunked(body, piece=1000):
    head = f'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: {MESSAGE}\r\n\r\n'.encode()
    pieces = [body[i:i + piece] for i in range(0, len(body), piece)]
    return head + b''.join(b'%x\r\n%s\r\n' % (len(p), p) for p in pieces) + b'0\r\n\r\n'


class Request:
    def __init__(self, head, body):
        lines = head.decode('latin-1').split('\r\n')
        self.line = lines[0]
        self.headers = dict(line.split(': ', 1) for line in lines[1:])
        self.body = body


class FakeServer:
    """answers: path prefix -> bytes, or a function that is given the connection after the request was read."""

    def __init__(self, answers=None, path=None):
        honest = {'/v1/config': lambda c: c.sendall(http(config())),
                  '/v1/object/': lambda c: c.sendall(http(codebook(), media=OBJECT)),
                  '/v1/query': lambda c: c.sendall(http(reply()))}
        self.answers = {**honest, **(answers or {})}
        self.connections = []
        if path:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.bind(path)
            self.url = f'unix:{path}'
        else:
            self.socket = socket.socket()
            self.socket.bind(('127.0.0.1', 0))
            self.url = f'http://127.0.0.1:{self.socket.getsockname()[1]}'
        self.socket.listen(16)
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.serve)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join()

    def requests(self, path=''):
        return [r for c in self.connections for r in c if r.line.split(' ')[1].startswith(path)]

    def serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            connection.settimeout(10)
            self.connections.append([])
            threading.Thread(target=self.talk, args=(connection, self.connections[-1]), daemon=True).start()

    def talk(self, connection, requests):
        with connection:
            try:
                data = b''
                while True:  # as many requests as the client sends on one connection
                    while b'\r\n\r\n' not in data:
                        got = connection.recv(65536)
                        if not got:
                            return
                        data += got
                    head, data = data.split(b'\r\n\r\n', 1)
                    request = Request(head, b'')
                    size = int(request.headers.get('Content-Length', 0))
                    while len(data) < size:
                        data += connection.recv(65536)
                    request.body, data = data[:size], data[size:]
                    requests.append(request)
                    if self.answer(connection, request):
                        return
            except OSError:
                pass

    def answer(self, connection, request):
        path = request.line.split(' ')[1]
        answer = next(a for prefix, a in self.answers.items() if path.startswith(prefix))
        return answer(connection) if callable(answer) else connection.sendall(answer)
