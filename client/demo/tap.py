#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tap.py PORT-FILE LOG HOST:PORT: stands before a server on loopback, passes every connection on, and at SIGTERM writes to LOG what
that server saw: of each HTTP message where it came from, its first line, fields, size and first bytes. A JSON line a request."""
import json
import os
import signal
import socket
import sys
import threading

WORDS = (b'/v1/query', b'veil.example')  # of what is inside sealed requests: they must not be found outside


class Connection:
    def __init__(self, client, peer, target):
        self.peer, self.sent, self.received = peer, bytearray(), bytearray()
        self.server = socket.create_connection(target)
        for source, sink, kept in ((client, self.server, self.sent), (self.server, client, self.received)):
            threading.Thread(target=self.pump, args=(source, sink, kept), daemon=True).start()

    @staticmethod
    def pump(source, sink, kept):
        try:
            while data := source.recv(65536):
                kept += data
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # one of the two has gone: what came before it is kept


def messages(stream):
    """(first line, fields, body) of each HTTP/1.1 message in the bytes; bodies are of Content-Length here."""
    while b'\r\n\r\n' in stream:
        head, _, stream = stream.partition(b'\r\n\r\n')
        first, *lines = head.decode('latin-1').split('\r\n')
        fields = dict(line.split(': ', 1) for line in lines if ': ' in line)
        size = int({k.lower(): v for k, v in fields.items()}.get('content-length', 0))
        yield first, fields, stream[:size]
        stream = stream[size:]


def seen(connection):
    requests, replies = messages(bytes(connection.sent)), messages(bytes(connection.received))
    for (line, fields, body), (status, _, reply) in zip(requests, replies):
        yield {'from': '%s:%d' % connection.peer, 'request': line.rsplit(' ', 1)[0], 'fields': fields, 'bytes': len(body),
               'begins': body[:12].hex(' '), 'readable': any(w in body for w in WORDS), 'status': int(status.split(' ')[1]),
               'reply_bytes': len(reply)}


def main():
    port_file, log, target = sys.argv[1:]
    host, port = target.rsplit(':', 1)
    connections = []

    def end(*_):
        with open(log, 'w', encoding='utf-8') as f:
            f.writelines(json.dumps(one) + '\n' for c in connections for one in seen(c))
        os._exit(0)

    signal.signal(signal.SIGTERM, end)
    with socket.create_server(('127.0.0.1', 0)) as listener:
        with open(port_file + '.new', 'w', encoding='ascii') as f:
            f.write('127.0.0.1:%d\n' % listener.getsockname()[1])
        os.rename(port_file + '.new', port_file)
        while True:
            client, peer = listener.accept()
            connections.append(Connection(client, peer, (host, int(port))))


if __name__ == '__main__':
    main()
