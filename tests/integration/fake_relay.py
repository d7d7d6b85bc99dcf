# SPDX-License-Identifier: Apache-2.0
"""A relay of Oblivious HTTP for tests: passes on what a relay passes on, and keeps what it saw. A test may have it answer
otherwise."""
import http.client
import http.server
import threading

FETCHED = ('/.well-known/ohttp-gateway', '/v1/signed')


class Relay:
    """answers: path below the relay's ('' for requests) -> function(handler, body) that returns (status, type, body), or None
    to go on as usual."""

    def __init__(self, gateway, path='/veil'):
        self.gateway, self.path, self.answers, self.seen = gateway, path, {}, []
        relay = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def do_GET(self):
                relay.handle(self)

            do_POST = do_GET

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.url = f'http://127.0.0.1:{self.server.server_port}{path}'
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def forward(self, method, path, kind=None, body=None):
        c = http.client.HTTPConnection(self.gateway, timeout=30)
        c.request(method, path, body, {'Content-Type': kind} if kind else {})
        r = c.getresponse()
        out = r.status, r.getheader('Content-Type'), r.read()
        c.close()
        return out

    def handle(self, h):
        body = h.rfile.read(int(h.headers.get('Content-Length', 0)))
        below = h.path[len(self.path):] if h.path.startswith(self.path) else None
        answer = self.answers.get(below)
        out = answer(h, body) if answer else None
        if out is None and h.command == 'POST' and below == '':
            out = self.forward('POST', '/gateway', h.headers['Content-Type'], body)
        elif out is None and h.command == 'GET' and below in FETCHED:
            out = self.forward('GET', below)
        status, kind, reply = out or (404, 'text/plain', b'no such path\n')
        self.seen.append({'line': f'{h.command} {h.path}', 'headers': list(h.headers.items()), 'body': body, 'status': status,
                          'reply': reply})
        h.send_response_only(status)
        if kind:
            h.send_header('Content-Type', kind)
        if status == 302:
            h.send_header('Location', f'http://{self.gateway}/v1/config')
        h.send_header('Content-Length', str(len(reply)))
        try:
            h.end_headers()
            h.wfile.write(reply)
        except OSError:
            pass  # the client had enough

    def posts(self):
        return [s for s in self.seen if s['line'].startswith('POST')]
