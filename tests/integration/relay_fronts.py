# SPDX-License-Identifier: Apache-2.0
"""The front configurations of docs/operating.md, as they stand there, on loopback: nginx and HAProxy before veil-relay, both
before a gateway, with certificates both ways; heads that parsers read differently must never make two requests of one.
Usage: relay_fronts.py VEILD MAKE_INDEX VEIL_RELAY SOURCE. Skipped (77) without nginx, haproxy, openssl and curl."""
import base64
import hashlib
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import unittest

from relay import Gateway, Relay
from veild import SCRATCH, main, read_all, status_of

RELAY, SOURCE = sys.argv[3:5]
if not all(shutil.which(p) for p in ('nginx', 'haproxy', 'openssl', 'curl')):
    sys.exit(77)
FOLDER = tempfile.mkdtemp(dir=SCRATCH)
HIDDEN = b'POST /veil HTTP/1.1\r\nHost: r\r\nContent-Type: message/ohttp-req\r\nContent-Length: 6\r\n\r\nhidden'


def path(name):
    return os.path.join(FOLDER, name)


def openssl(*args):
    subprocess.run(['openssl', *args], check=True, capture_output=True, cwd=FOLDER)


def certificates():
    openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'ca.key', '-out',
            'ca.pem', '-subj', '/CN=test authority', '-days', '2')
    for name in ('gateway', 'relay'):
        with open(path(name + '.ext'), 'w') as f:
            f.write('subjectAltName=DNS:localhost,IP:127.0.0.1\n')
        openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', name + '.key', '-out',
                name + '.csr', '-subj', '/CN=' + name)
        openssl('x509', '-req', '-in', name + '.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-out',
                name + '.pem', '-days', '2', '-extfile', name + '.ext')
        with open(path(name + '-both.pem'), 'w') as f:
            for part in ('.pem', '.key'):
                with open(path(name + part)) as g:
                    f.write(g.read())


def pin_of(name):
    """Of the key in NAME.pem, as curl and `veil-relay --gateways` write it."""
    key = subprocess.run(f'openssl x509 -pubkey -noout -in {name}.pem | openssl pkey -pubin -outform der', shell=True, check=True,
                         capture_output=True, cwd=FOLDER).stdout
    return 'sha256//' + base64.b64encode(hashlib.sha256(key).digest()).decode()


def documented(name, port, back):
    """A configuration of docs/operating.md with the ports and files of this test."""
    with open(os.path.join(SOURCE, 'docs/operating.md'), encoding='utf-8') as f:
        text = re.search(rf'<!-- {name} -->\n\n((?:    .*\n|\n)+)', f.read())[1]
    text = re.sub(r'^    ', '', text, flags=re.M)
    text = text.replace('/etc/veil/relays-ca.pem', path('ca.pem')).replace('/etc/veil/', FOLDER + '/')
    text = text.replace('listen 443', f'listen 127.0.0.1:{port}').replace('bind :443', f'bind 127.0.0.1:{port}')
    return re.sub(r'(unix:|unix@)/run/[\w-]+/http', back, text)


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


class Front:
    def __init__(self, program, name, back):
        self.port = free_port()
        text, where = documented(f'{name}-{program}', self.port, back), path(f'{name}-{program}.conf')
        with open(where, 'w') as f:
            if program == 'nginx':
                who = 'user root; ' if os.geteuid() == 0 else ''  # else its workers could not reach the socket
                f.write(f'{who}pid {where}.pid; error_log stderr; daemon off; worker_processes 1; events {{}}\nhttp {{\n'
                        + ''.join(f'{k}_temp_path {where}.{k};\n' for k in
                                  ('client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi')) + text + '}\n')
            else:
                f.write('global\n    maxconn 200\ndefaults\n    timeout client 9s\n    timeout server 9s\n'
                        '    timeout connect 9s\n' + text)
        command = ['nginx', '-e', 'stderr', '-p', FOLDER, '-c', where] if program == 'nginx' else ['haproxy', '-db', '-f', where]
        self.log = open(where + '.log', 'w+')
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log)
        until = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(('127.0.0.1', self.port), timeout=1).close()
                return
            except OSError:
                if time.monotonic() > until or self.process.poll() is not None:
                    self.log.seek(0)
                    raise AssertionError(f'{program}: {self.log.read()}')
                time.sleep(0.05)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)
        self.log.close()

    def raw(self, data):
        context = ssl.create_default_context(cafile=path('ca.pem'))
        context.set_alpn_protocols(['http/1.1'])
        with socket.create_connection(('127.0.0.1', self.port), timeout=3) as s, \
                context.wrap_socket(s, server_hostname='localhost') as t:
            t.sendall(data)
            try:
                return read_all(t)
            except (TimeoutError, ssl.SSLError, socket.timeout):
                return b''

    def curl(self, *args):
        return subprocess.run(['curl', '-s', '--http2', '--cacert', path('ca.pem'), '-w', '\n%{http_code} %{http_version}',
                               '-X', 'POST', '-H', 'Content-Type: message/ohttp-req', '-H', 'Veil-Client: 192.0.2.200',
                               '-H', 'Cookie: a=b', *args, f'https://localhost:{self.port}/veil'],
                              capture_output=True, timeout=20, check=False).stdout


def smuggled():
    """ohttp.md 4.1: what a parser behind the front might read as two requests."""
    head = b'POST /veil HTTP/1.1\r\nHost: r\r\nContent-Type: message/ohttp-req\r\n'
    n = len(HIDDEN)
    yield b'length and chunked', head + b'Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n' % (n + 5) + HIDDEN
    yield b'two lengths', head + b'Content-Length: 1\r\nContent-Length: %d\r\n\r\nx' % (n + 1) + HIDDEN
    yield b'space before colon', head + b'Content-Length : %d\r\n\r\n' % n + HIDDEN
    for odd in (b'gzip, chunked', b'xchunked', b'identity', b'chunked, identity'):
        yield odd, head + b'Transfer-Encoding: %s\r\nContent-Length: 5\r\n\r\n0\r\n\r\n' % odd + HIDDEN
    yield b'folded', head + b'Transfer-Encoding:\r\n chunked\r\nContent-Length: %d\r\n\r\n' % n + HIDDEN
    yield b'bad length', head + b'Content-Length: +5\r\n\r\nabcde' + HIDDEN
    yield b'two hosts', head + b'Host: other\r\nContent-Length: %d\r\n\r\n' % n + HIDDEN
    yield b'NUL', head + b'X: a\0b\r\nContent-Length: %d\r\n\r\n' % n + HIDDEN


class Fronts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        certificates()

    def chain(self, relay_front, gateway_front):
        gateway = Gateway()
        with Front(gateway_front, 'gateway', f'127.0.0.1:{gateway.port}') as far, \
                Relay(RELAY, [('/veil', f'https://localhost:{far.port}/gateway')], '--mix', 'off', '--client-header',
                      'Veil-Client', '--upstream-ca', path('ca.pem'), '--upstream-cert', path('relay.pem'), '--upstream-key',
                      path('relay.key'), '--rate', '100', '--burst', '100', listen='unix:' + path('http')) as relay, \
                Front(relay_front, 'relay', ('unix:' if relay_front == 'nginx' else 'unix@') + path('http')) as near:
            self.through(gateway, near)
            for name, data in smuggled():
                with self.subTest(front=relay_front, case=name):
                    before = gateway.bodies()
                    answer = near.raw(data)
                    new = gateway.bodies()[len(before):]
                    self.assertNotIn(b'hidden', new, 'a second request was executed')
                    self.assertLessEqual(len(new), 1)
                    self.assertLessEqual(answer.count(b'HTTP/1.1 200'), 1)
            # Without a certificate nobody gets as far as the gateway.
            before = gateway.begun
            raw = subprocess.run(['curl', '-s', '--cacert', path('ca.pem'), '-o', '/dev/null', '-w', '%{http_code}', '-X', 'POST',
                                  '--data', 'x', f'https://localhost:{far.port}/gateway'], capture_output=True, check=False)
            self.assertIn(raw.stdout, (b'000', b'400'))
            self.assertEqual(gateway.begun, before)
            self.assertIn('"rate"} 0', relay.ask_admin('/metrics')[1])
        gateway.close()

    def through(self, gateway, near):
        with open(path('body'), 'wb') as f:
            f.write(os.urandom(100000))
        out = near.curl('--data-binary', '@' + path('body'))
        with open(path('body'), 'rb') as f:
            self.assertTrue(out == f.read()[::-1] + b'\n200 2', out[-300:])
        head = gateway.requests[-1][0].lower()
        for leak in ('cookie', 'veil-client', 'user-agent', 'forwarded', 'via'):
            self.assertNotIn('\r\n' + leak, head)
        with open(path('body'), 'wb') as f:
            f.write(bytes((1 << 20) + 1))
        out = near.curl('--data-binary', '@' + path('body'))
        self.assertTrue(out.endswith(b'413 2'), out[-300:])

    def upstream(self, port, body, *options, pin=()):
        """What a relay with a certificate authority for its gateway, and that pin for it, answers to one request."""
        with Relay(RELAY, [('/veil', f'https://localhost:{port}/gateway', *pin)], '--mix', 'off', *options) as relay:
            return relay.post(body)

    def test_a_gateway_has_the_key_of_its_pin_and_a_relay_a_certificate_or_nothing_is_sent(self):
        gateway = Gateway()
        ca = ('--upstream-ca', path('ca.pem'))
        own = ('--upstream-cert', path('relay.pem'), '--upstream-key', path('relay.key'))
        with Front('nginx', 'gateway', f'127.0.0.1:{gateway.port}') as far:
            good = self.upstream(far.port, b'right', *ca, *own, pin=[pin_of('gateway')])
            self.assertEqual((good.status, good.body), (200, b'thgir'))
            for name, options, pin in (('another key', (*ca, *own), [pin_of('relay')]),
                                       ('another authority', own, [pin_of('gateway')])):
                with self.subTest(name):
                    r = self.upstream(far.port, b'wrong', *options, pin=pin)
                    self.assertEqual(r.status, 502)
                    self.assertIn('tls_certificate_error', r.headers['Proxy-Status'])
            self.assertIn(self.upstream(far.port, b'nobody', *ca).status, (400, 502))  # its gateway knows only relays that it knows
            self.assertEqual(gateway.bodies(), [b'right'])
        gateway.close()

    def test_nginx_before_the_relay_haproxy_before_the_gateway(self):
        self.chain('nginx', 'haproxy')

    def test_haproxy_before_the_relay_nginx_before_the_gateway(self):
        self.chain('haproxy', 'nginx')


sys.argv[1:5] = sys.argv[1:3]
main()
