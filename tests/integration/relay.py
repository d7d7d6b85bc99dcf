# SPDX-License-Identifier: Apache-2.0
"""A gateway that counts and can misbehave, and a veil-relay before it."""
import os
import signal
import socket
import socketserver
import subprocess
import tempfile
import threading
import time

from veild import SCRATCH, Server, read_reply

TYPE, REPLY_TYPE = 'message/ohttp-req', 'message/ohttp-res'


class Gateway:
    """Notes the bytes of every request that arrives whole; `answer(head, body)` gives the reply's bytes, None cuts the
    connection."""

    def __init__(self, answer=None):
        self.requests, self.begun, self.lock = [], 0, threading.Lock()
        self.answer = answer or (lambda head, body: reply(body[::-1]))
        outer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                try:
                    outer.serve(self.request)
                except OSError:
                    pass  # the relay had enough

        class Many(socketserver.ThreadingTCPServer):
            daemon_threads, request_queue_size, allow_reuse_address = True, 128, True

        self.server = Many(('127.0.0.1', 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def serve(self, s):
        data = b''
        while True:
            while b'\r\n\r\n' not in data:
                piece = s.recv(65536)
                if not piece:
                    return
                data += piece
            head, _, data = data.partition(b'\r\n\r\n')
            with self.lock:
                self.begun += 1
            size = int(next((l.split(b':')[1] for l in head.split(b'\r\n') if l.lower().startswith(b'content-length:')), 0))
            while len(data) < size:
                piece = s.recv(65536)
                if not piece:
                    return
                data += piece
            body, data = data[:size], data[size:]
            with self.lock:
                self.requests.append((head.decode(), body))
            out = self.answer(head.decode(), body)
            if out is None:
                s.shutdown(socket.SHUT_RDWR)
                return
            s.sendall(out)

    def bodies(self):
        with self.lock:
            return [body for _, body in self.requests]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def reply(body, status='200 OK', kind=REPLY_TYPE, extra=''):
    return (f'HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nSet-Cookie: a=b\r\n'
            f'Location: /x\r\nServer: y\r\n{extra}\r\n').encode() + body


class Relay(Server):
    """A veil-relay with its own ports; `gateways` are (path, URL[, pin])."""

    def __init__(self, program, gateways, *options, listen='127.0.0.1:0', **process):
        self.ports = tempfile.mktemp(dir=SCRATCH)
        with open(self.ports + '.map', 'w') as f:
            f.writelines(' '.join(g) + '\n' for g in gateways)
        self.log = open(self.ports + '.log', 'w+')
        self.process = subprocess.Popen(
            [program, '--gateways', self.ports + '.map', '--listen', listen, '--admin', '127.0.0.1:0', '--port-file',
             self.ports, '--lame-duck-ms', '0', *options], stderr=self.log, **process)
        until = time.monotonic() + 20
        while not os.path.exists(self.ports):
            if self.process.poll() is not None or time.monotonic() > until:
                self.process.kill()
                raise AssertionError('veil-relay did not start: ' + self.text())
            time.sleep(0.01)
        with open(self.ports) as f:
            self.address, self.admin = f.read().split()

    def post(self, body, path='/veil', **headers):
        return self.request('POST', path, body, **{'Content_Type': TYPE, **headers})

    def post_from(self, address, body, path='/veil'):
        """From another loopback address: the status and the reply's bytes, None and what came if it was cut."""
        host, port = self.address.rsplit(':', 1)
        with socket.socket() as s:
            s.bind((address, 0))
            s.settimeout(60)
            s.connect((host, int(port)))
            s.sendall(f'POST {path} HTTP/1.1\r\nHost: r\r\nContent-Type: {TYPE}\r\nContent-Length: {len(body)}\r\n\r\n'
                      .encode() + body)
            raw = read_reply(s)
        head, _, out = raw.partition(b'\r\n\r\n')
        return (int(head.split()[1]) if head else None), out

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
