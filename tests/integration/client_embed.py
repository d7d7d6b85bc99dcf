#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""client_embed.py BUILD SOURCE no|yes: `veil embed` and `veil search --image` on real drawings and on PNG files of every kind, good
and bad, that are made here; with `no`, what a build without image embedding says."""
import json
import math
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import zlib

BUILD = SOURCE = None
HAVE = True
OK, INPUT, USAGE, SERVER, REPLY = range(5)
SIDE = 40
DRAWING = 'tests/data/images/pizza.png'
COLOURS = [(200, 30, 40), (20, 90, 210), (30, 160, 60), (250, 220, 0)]


def veil(*arguments):
    start = time.monotonic()
    result = subprocess.run([os.path.join(BUILD, 'client/cli/veil'), *arguments], capture_output=True, text=True, timeout=60,
                            check=False)
    result.elapsed = time.monotonic() - start
    return result


def cosine(a, b):
    return sum(x * y for x, y in zip(a, b)) / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))


def chunk(kind, body):
    return struct.pack('>I', len(body)) + kind + body + struct.pack('>I', zlib.crc32(kind + body))


def png(depth, colour, rows, extra=b'', width=SIDE, height=SIDE, late=b''):
    """rows: each line's bytes; extra: chunks before the picture, late: behind it."""
    data = zlib.compress(b''.join(b'\0' + row for row in rows))
    head = chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, depth, colour, 0, 0, 0))
    return b'\x89PNG\r\n\x1a\n' + head + extra + chunk(b'IDAT', data) + late + chunk(b'IEND', b'')


def kind(x, y):
    """Which of COLOURS is there: an L, so that each turn differs, of two colours."""
    return (x * 4 // SIDE + y // 13) % 3 if x < SIDE // 2 or y > SIDE // 2 else 3


def picture(pixel):
    return [b''.join(pixel(x, y) for x in range(SIDE)) for y in range(SIDE)]


def rgb(x, y):
    return bytes(COLOURS[kind(x, y)])


PLAIN = png(8, 2, picture(rgb))


class Case(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()

    def tearDown(self):
        self.directory.cleanup()

    def path(self, name, data=None):
        path = os.path.join(self.directory.name, name)
        if data is not None:
            with open(path, 'wb') as f:
                f.write(data)
        return path

    def vector(self, data):
        path = self.path('picture', data)
        result = veil('embed', path, '--json')
        self.assertEqual(result.returncode, OK, result.stderr)
        out = json.loads(result.stdout)
        self.assertEqual((out['image'], out['dim'], len(out['vector'])), (path, 128, 128))
        return out['vector']

    def same(self, data, as_data=PLAIN, least=0.99999):
        self.assertGreater(cosine(self.vector(data), self.vector(as_data)), least)

    def refused(self, data, *words):
        result = veil('embed', self.path('picture', data))
        self.assertEqual((result.returncode, result.stdout), (INPUT, ''), result.stderr)
        self.assertIn('picture ', result.stderr)
        for word in words:
            self.assertIn(word, result.stderr)
        self.assertLess(result.elapsed, 20)


class Kinds(Case):
    """One picture in every form that PNG has gives one vector."""

    def test_sixteen_bits(self):
        self.same(png(16, 2, picture(lambda x, y: b''.join(bytes((c, c)) for c in rgb(x, y)))))

    def test_palette_and_its_transparent_entry(self):
        palette = chunk(b'PLTE', bytes(sum(COLOURS, ())))
        self.same(png(8, 3, picture(lambda x, y: bytes([kind(x, y)])), palette))
        clear = chunk(b'tRNS', b'\xff\xff\xff\0')
        white = png(8, 2, picture(lambda x, y: b'\xff' * 3 if kind(x, y) == 3 else rgb(x, y)))
        self.same(png(8, 3, picture(lambda x, y: bytes([kind(x, y)])), palette + clear), white)
        self.assertLess(cosine(self.vector(white), self.vector(PLAIN)), 0.999)

    def test_alpha_is_on_white(self):
        def faded(x, y):
            return rgb(x, y) + b'\x80'

        def mixed(x, y):
            return bytes(round(c * 128 / 255 + 127) for c in rgb(x, y))
        self.same(png(8, 6, picture(faded)), png(8, 2, picture(mixed)), 0.9999)

    def test_grey_with_and_without_alpha_and_of_one_bit(self):
        grey = png(8, 2, picture(lambda x, y: bytes([60 * kind(x, y)] * 3)))
        self.same(png(8, 0, picture(lambda x, y: bytes([60 * kind(x, y)]))), grey)
        self.same(png(8, 4, picture(lambda x, y: bytes([60 * kind(x, y), 255]))), grey)
        self.same(png(16, 0, picture(lambda x, y: bytes([60 * kind(x, y)] * 2))), grey)
        rows = [bytes(sum((kind(x + i, y) == 0) << (7 - i) for i in range(8)) for x in range(0, SIDE, 8)) for y in range(SIDE)]
        self.same(png(1, 0, rows), png(8, 2, picture(lambda x, y: (b'\xff' if kind(x, y) == 0 else b'\0') * 3)))

    def test_exif_turns_it(self):
        def exif(orientation):
            return chunk(b'eXIf', b'MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01' + struct.pack('>HHI', orientation, 0, 0))
        # As stored, 6 has its row 0 at the right: what is shown at (x, y) was stored at (y, SIDE - 1 - x).
        stored = picture(lambda x, y: rgb(SIDE - 1 - y, x))
        self.same(png(8, 2, stored, exif(6)))
        self.same(png(8, 2, stored, late=exif(6)))
        self.assertLess(cosine(self.vector(png(8, 2, stored)), self.vector(PLAIN)), 0.99)

    def test_a_frame_of_white_changes_nothing(self):
        white = b'\xff' * 270
        rows = [white] * 7 + [b'\xff' * 27 + row + b'\xff' * 123 for row in picture(rgb)] + [white] * 3
        self.same(png(8, 2, rows, width=90, height=50))


class Bad(Case):
    """A sentence that begins with the file's name, status 1, no output, at once."""

    def test_cut_off_or_damaged(self):
        for size in (0, 1, 7, 8, 20, 33, 45, len(PLAIN) // 2, len(PLAIN) - 20):
            self.refused(PLAIN[:size])
        for at in (18, 20, len(PLAIN) // 2):
            self.refused(PLAIN[:at] + bytes([PLAIN[at] ^ 0x55]) + PLAIN[at + 1:], 'damaged PNG')

    def test_a_head_that_claims_too_much(self):
        for width, height in ((100000, 100000), (40001, 1000), (1000000, 41)):
            self.refused(png(8, 2, [b''], width=width, height=height), f'{width} x {height} pixels', '40 million')
        self.refused(png(8, 2, [b''], width=2 ** 31 - 1, height=2 ** 31 - 1))
        self.refused(png(8, 2, [b''], width=0))

    def test_too_many_bytes(self):
        self.refused(PLAIN + bytes(32 << 20), '32 MiB')

    def test_animated(self):
        self.refused(png(8, 2, picture(rgb), chunk(b'acTL', struct.pack('>II', 2, 0))), 'animated')
        self.same(png(8, 2, picture(rgb), chunk(b'acTL', struct.pack('>II', 1, 0))))
        self.refused(b'GIF89a' + bytes(100), 'is a GIF')

    def test_nothing_to_see(self):
        self.refused(png(8, 2, picture(lambda x, y: b'\xff' * 3)), 'all white')
        self.refused(png(8, 6, picture(lambda x, y: b'\0' * 4)), 'all white')

    def test_not_a_picture_or_not_there(self):
        self.refused(b'once upon a time', 'no PNG, JPEG or WebP')
        pipe, loop = self.path('pipe'), self.path('loop')
        os.mkfifo(pipe)
        os.symlink(loop, loop)
        for path in ('/', self.path('nowhere.png'), pipe, loop):
            result = veil('embed', path)
            self.assertEqual(result.returncode, INPUT)
            self.assertIn(path, result.stderr)
            self.assertLess(result.elapsed, 20)

    def test_a_large_picture_is_embedded_within_seconds(self):
        start = time.monotonic()
        self.vector(png(8, 2, [bytes(3 * 6300)] * 6300, width=6300, height=6300))
        self.assertLess(time.monotonic() - start, 40)


class Command(Case):
    def test_the_four_outputs_hold_the_same_numbers(self):
        image = os.path.join(SOURCE, DRAWING)
        numbers = [float(x) for x in veil('embed', image).stdout.split()]
        self.assertEqual(len(numbers), 128)
        self.assertAlmostEqual(sum(x * x for x in numbers), 1, delta=1e-6)
        self.assertEqual(json.loads(veil('embed', '--json', image).stdout)['vector'], numbers)
        exact = struct.pack('<128f', *numbers)
        for name, head in (('x.fvecs', b'\x80\0\0\0'), ('x.npy', b'\x93NUMPY\x01\0\x76\0')):
            result = veil('embed', image, '--output', self.path(name))
            self.assertEqual((result.returncode, result.stdout), (OK, ''), result.stderr)
            with open(self.path(name), 'rb') as f:
                data = f.read()
            self.assertTrue(data.startswith(head))
            self.assertEqual(data[-512:], exact)
            self.assertEqual(len(data), {'x.fvecs': 516, 'x.npy': 640}[name])

    def test_a_pipe_is_read_to_its_end(self):
        with open(os.path.join(SOURCE, DRAWING), 'rb') as f:
            data = f.read()
        ends = os.pipe()
        command = [os.path.join(BUILD, 'client/cli/veil'), 'embed', f'/dev/fd/{ends[0]}']
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, pass_fds=ends[:1]) as child:
            for half in (data[:1000], data[1000:]):
                time.sleep(0.3)
                os.write(ends[1], half)
            os.close(ends[1])
            self.assertEqual(child.communicate(timeout=60)[0], veil('embed', os.path.join(SOURCE, DRAWING)).stdout)
            os.close(ends[0])

    def test_help_and_a_name_that_json_cannot_say(self):
        self.assertEqual(veil('embed', '-h').stdout, veil('embed', '--help').stdout)
        self.assertIn('IMAGE', veil('embed', '-h').stdout)
        name = os.fsencode(self.path('x')) + b'\xff.png'
        shutil.copy(os.path.join(SOURCE, DRAWING), name)
        out = json.loads(veil('embed', '--json', name).stdout)
        self.assertEqual((out['image'], out['dim']), (None, 128))

    def test_wrong_use(self):
        image = os.path.join(SOURCE, DRAWING)
        for arguments in ([], [image, image], [image, '--json', '--output', 'x.npy'], [image, '--output', 'x.txt'],
                          [image, '--bogus'], [image, '--output']):
            result = veil('embed', *arguments)
            self.assertEqual((result.returncode, result.stdout), (USAGE, ''), arguments)
        for arguments in (['--image', image, '--vector', 'x.npy'], ['--image', image, '--row', '1'], []):
            result = veil('search', '--direct', '--server', 'http://127.0.0.1:9', *arguments)
            self.assertEqual((result.returncode, result.stdout), (USAGE, ''), arguments)
        self.assertEqual(veil('embed', image, '--output', '/nowhere/x.npy').returncode, INPUT)
        self.assertEqual(veil('search', '--direct', '--server', 'http://127.0.0.1:9', '--image', image).returncode, SERVER)
        self.assertEqual(veil('search', '--direct', '--server', 'http://127.0.0.1:9', '--image', '/nowhere').returncode, INPUT)

    def test_the_demo_finds_what_a_drawing_shows(self):
        demo = os.path.join(SOURCE, 'client/demo/run.sh')
        result = subprocess.run([demo, BUILD, '--image', DRAWING], capture_output=True, text=True, timeout=100, check=False,
                                cwd=SOURCE)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertRegex(result.stdout, r'\n  1\.  0\.[67]\d{3}  SLICE OF PIZZA\n  2\.')
        image = os.path.join(SOURCE, 'tests/data/images/lemon.png')
        result = subprocess.run([demo, BUILD, '--image', image, '--json'], capture_output=True, text=True, timeout=100,
                                check=False)
        out = json.loads(result.stdout)
        self.assertEqual((out['image'], out['results'][0]['name'], len(out['results'])), (image, 'LEMON', 5))
        result = subprocess.run([demo, BUILD, '--image', '/nowhere.png'], capture_output=True, text=True, timeout=100, check=False)
        self.assertEqual((result.returncode, result.stdout), (1, ''))
        self.assertIn('/nowhere.png', result.stderr)


class Without(Case):
    def test_it_says_what_to_install(self):
        image = os.path.join(SOURCE, DRAWING)
        for arguments in (['embed', image], ['search', '--direct', '--server', 'http://127.0.0.1:9', '--image', image]):
            result = veil(*arguments)
            self.assertEqual((result.returncode, result.stdout), (INPUT, ''))
            self.assertIn('this build has no image embedding: install libopencv-dnn-dev', result.stderr)


if __name__ == '__main__':
    HAVE = sys.argv.pop(3) == 'yes'
    SOURCE = os.path.abspath(sys.argv.pop(2))
    BUILD = os.path.abspath(sys.argv.pop(1))
    if HAVE:
        del Without
    else:
        del Kinds, Bad, Command
    unittest.main()
