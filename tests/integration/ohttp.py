# SPDX-License-Identifier: Apache-2.0
"""A client of veild's gateway: binary HTTP here, sealing by tests/interop/peer.c."""
import os
import subprocess
import sys
import time

PEER = sys.argv[3]
TYPE, REPLY_TYPE, KEYS_TYPE = 'message/ohttp-req', 'message/ohttp-res', 'application/ohttp-keys'
X25519, P256, XWING = 0x20, 0x10, 0x647a
SHA256, AES128, CHACHA20 = 1, 1, 3
PROBLEM = 'https://iana.org/assignments/http-problem-types#'


# --- keys ---

def write_key(folder, number, begins, ends, kem=X25519, name=None, private=None):
    """A key file; times in seconds from now."""
    now = int(time.time())
    path = os.path.join(folder, name or f'{number:03}.key')
    private = private or '00' + os.urandom(31).hex()
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 'w') as f:
        f.write(f'veil gateway key 1\nid {number}\nkem 0x{kem:04x}\nnot-before {now + begins}\n'
                f'not-after {now + ends}\nprivate {private}\n')
    return path


def split_keys(body):
    """application/ohttp-keys: each configuration with its length, as it stands there."""
    out = []
    while body:
        size = int.from_bytes(body[:2], 'big') + 2
        out.append(body[:size])
        body = body[size:]
    return out


def ids(body):
    return [one[2] for one in split_keys(body)]


# --- binary HTTP, RFC 9292 ---

def number(n):
    if n < 64:
        return bytes([n])
    return (n | 0x4000).to_bytes(2, 'big') if n < 16384 else (n | 0x80000000).to_bytes(4, 'big')


def text(data):
    data = data if isinstance(data, bytes) else data.encode()
    return number(len(data)) + data


def date(seconds=0):
    return time.strftime('%a, %d %b %Y %H:%M:%S GMT', time.gmtime(time.time() + seconds))


def padded(content):
    size, step = content + 512, 128
    while size > 8 * step:
        step *= 2
    return (size + step - 1) // step * step


def request(method='GET', path='/v1/config', content=b'', scheme='https', authority='veil.test', size=None, when=0,
            **fields):
    """A message; `when` None: without Date."""
    fields = {k.replace('_', '-'): v for k, v in fields.items()}
    if when is not None:
        fields.setdefault('date', date(when))
    head = b''.join(text(k) + text(v) for k, v in fields.items())
    m = b'\0' + text(method) + text(scheme) + text(authority) + text(path) + text(head) + text(content)
    return m + bytes(max(0, padded(size or 0) - len(m)))


class Response:
    def __init__(self, m):
        self.at, self.m = 0, m
        assert self.take() == 1
        self.status = self.take()
        head = self.bytes()
        self.body = self.bytes()
        assert not any(m[self.at:])
        self.headers = {}
        self.at, self.m = 0, head
        while self.at < len(head):
            name, value = self.bytes().decode(), self.bytes().decode()
            self.headers[name] = value

    def take(self):
        width = 1 << (self.m[self.at] >> 6)
        n = int.from_bytes(self.m[self.at:self.at + width], 'big') & ((1 << (8 * width - 2)) - 1)
        self.at += width
        return n

    def bytes(self):
        size = self.take()
        self.at += size
        return self.m[self.at - size:self.at]


class Client:
    """One exchange at a time."""

    def __init__(self):
        self.peer = subprocess.Popen([PEER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.peer.stdin.close()
        self.peer.wait(20)
        self.peer.stdout.close()

    def ask(self, *words):
        self.peer.stdin.write(' '.join(map(str, words)) + '\n')
        self.peer.stdin.flush()
        return self.peer.stdout.readline().strip()

    def seal(self, keys, message, kdf=SHA256, aead=AES128):
        """To the first of the keys."""
        return bytes.fromhex(self.ask('wrap', kdf, aead, keys.hex(), message.hex()))

    def open(self, sealed):
        said = self.ask('unwrap', sealed.hex())
        assert not said.startswith('refused'), said
        return Response(bytes.fromhex(said))
