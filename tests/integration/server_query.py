# SPDX-License-Identifier: Apache-2.0
"""Every shard looks the same from outside; every malformed query gets a 4xx with a reason."""
import hashlib
import os
import random
import unittest

from veild import Index, Server, field, main, make_index, parse, post, status_of


class Query(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(make_index('small', shards=7)).__enter__()
        cls.index = Index(cls.server)

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()

    def setUp(self):
        self.session = self.server.session()

    def tearDown(self):
        self.session.__exit__()
        self.assert_alive()

    def assert_alive(self):
        self.assertEqual(self.server.request('POST', '/v1/query', self.index.query()).status, 200)

    def refused(self, body, status, word):
        reply = self.session.request('POST', '/v1/query', body)
        if reply.headers.get('Connection') == 'close':
            self.session.__exit__()
            self.session = self.server.session()
        self.assertEqual(reply.status, status, reply.body)
        self.assertEqual(reply.headers['Content-Type'], 'text/plain; charset=utf-8')
        self.assertIn(word, reply.body.decode())
        self.assertEqual(reply.body.count(b'\n'), 1)

    def test_every_shard_has_requests_and_replies_of_one_length(self):
        sizes = set()
        for shard in range(self.index.shards):
            body = self.index.query(shard=shard)
            request = post(body, headers=[f'Content-Length: {len(body)}', 'Connection: close'])
            reply = self.server.raw(request)
            self.assertEqual(status_of(reply), 200)
            sizes.add((len(request), len(reply)))
            self.assertEqual(len(reply.split(b'\r\n\r\n', 1)[1]), self.index.reply_bytes)
        self.assertEqual(len(sizes), 1, sizes)
        self.assertEqual(len(body), self.index.query_bytes)

    def test_replies_carry_the_index_and_the_labels_and_are_never_encoded_or_cached(self):
        reply = self.session.request('POST', '/v1/query', self.index.query(), Accept_Encoding='gzip, br')
        self.assertNotIn('Content-Encoding', reply.headers)
        self.assertNotIn('ETag', reply.headers)
        self.assertEqual(reply.headers['Cache-Control'], 'no-store')
        self.assertRegex(reply.headers['Veil-Server-Us'], '^[0-9]{10}$')
        fields = parse(reply.body)
        self.assertEqual(fields[1], self.index.version)
        self.assertEqual(fields[2], self.index.id)
        self.assertEqual(len(fields[4]), self.index.rows * self.index.label_bytes)

    def test_the_same_query_gets_the_same_reply(self):
        # A zero at least every eighth bit: no residue of 23 bits comes near q.
        ciphertexts = bytes(random.Random(1).randrange(128) for _ in range(self.index.ciphertext_bytes))
        body = self.index.query(ciphertexts=ciphertexts)
        replies = {self.session.request('POST', '/v1/query', body).body for _ in range(5)}
        self.assertEqual(len(replies), 1)

    def test_a_query_cut_at_any_byte_is_refused(self):
        body = self.index.query()
        step = 1 if os.environ.get('VEIL_TEST_LONG') else 7
        cuts = set(range(0, 200)) | set(range(200, len(body), step)) | set(range(len(body) - 50, len(body)))
        for cut in sorted(cuts):
            self.refused(body[:cut], 400, 'Query')

    def test_a_query_that_is_too_long_is_refused(self):
        body = self.index.query()
        self.refused(body + b'\0', 413, 'more than')
        self.refused(body + bytes(5_000_000), 413, 'more than')

    def test_another_protocol_version_or_index_is_gone(self):
        body = self.index.query()
        self.refused(body.replace(field(1, self.index.version), field(1, 2), 1), 410, 'protocol version 2')
        self.refused(body.replace(self.index.id, bytes(32), 1), 410, '/v1/config')

    def test_a_shard_out_of_range_is_not_found(self):
        for shard in (self.index.shards, 2**31, 2**32 - 2):
            self.refused(self.index.query(shard=shard), 404, f'no shard {shard}')

    def test_one_query_of_all_shards_gets_the_reply_of_each_in_one_size(self):
        def ciphertexts(shard):
            reply = self.session.request('POST', '/v1/query', self.index.query(shard=shard))
            self.assertEqual(reply.status, 200)
            return reply.body

        each = b''.join(ciphertexts(shard) for shard in range(self.index.shards))
        self.assertEqual(len(each), self.index.shards * self.index.reply_bytes)
        self.assertEqual(ciphertexts(2**32 - 1), each)
        limit = len(each)
        for size, status in ((limit, 200), (limit - 1, 404)):
            with Server(make_index('small', shards=7), '--all-shards-limit', str(size)) as server:
                reply = server.request('POST', '/v1/query', self.index.query(shard=2**32 - 1))
                self.assertEqual(reply.status, status, reply.body)
        self.assertIn('too large', reply.body.decode())
        broken = self.index.query(shard=2**32 - 1, ciphertexts=b'\xff' * self.index.ciphertext_bytes)
        self.refused(broken, 400, 'residue')

    def test_a_residue_of_q_or_more_is_refused(self):
        size = self.index.ciphertext_bytes
        self.refused(self.index.query(ciphertexts=b'\xff' * size), 400, 'residue')
        for at in (0, 23 * 100, size - 3):  # eight residues are 23 bytes; three bytes of ones begin or end with one
            bad = bytearray(size)
            bad[at:at + 3] = b'\xff\xff\xff'
            self.refused(self.index.query(ciphertexts=bytes(bad)), 400, 'residue')

    def test_a_missing_unknown_double_or_mis_sized_field_is_refused(self):
        fields = self.index.fields()
        for i in range(5):
            self.refused(b''.join(field(n, v) for n, v in fields[:i] + fields[i + 1:]), 400, 'missing')
        short = self.index.fields(ciphertexts=bytes(self.index.ciphertext_bytes - 10))
        self.refused(b''.join(field(n, v) for n, v in [*short, (9, 1)]), 400, 'unknown field 9')
        self.refused(b''.join(field(n, v) for n, v in [*short, (3, 1)]), 400, 'twice')
        self.refused(b''.join(field(n, v) for n, v in short), 400, 'ciphertexts has')
        for i, name in ((1, 'index_id'), (3, 'seed')):
            other = list(fields)
            other[i] = (other[i][0], bytes(31))
            self.refused(b''.join(field(n, v) for n, v in other), 400, name)
        self.refused(field(99, 1) * 1500, 400, 'Query')

    def test_random_bytes_are_refused(self):
        seed = int(os.environ.get('VEIL_TEST_SEED', random.randrange(2**32)))
        rng = random.Random(seed)
        for _ in range(300):
            size = rng.choice([1, 2, 5, 50, 1000, self.index.query_bytes])
            reply = self.session.request('POST', '/v1/query', rng.randbytes(size))
            self.assertIn(reply.status, (400, 410), f'VEIL_TEST_SEED={seed}')
            self.assertGreater(len(reply.body), 10)

    def test_random_changes_of_a_query_get_an_answer_or_a_reason(self):
        seed = int(os.environ.get('VEIL_TEST_SEED', random.randrange(2**32)))
        rng = random.Random(seed)
        for _ in range(300):
            body = bytearray(self.index.query())
            for _ in range(rng.randrange(1, 4)):
                body[rng.randrange(rng.choice([90, len(body)]))] = rng.randrange(256)
            reply = self.session.request('POST', '/v1/query', bytes(body))
            self.assertIn(reply.status, (200, 400, 404, 410), f'VEIL_TEST_SEED={seed}')
            self.assertGreater(len(reply.body), 10)

    def test_the_codebook_is_an_object_by_its_hash(self):
        name = self.index.codebook_hash.hex()
        reply = self.session.request('GET', '/v1/object/' + name, If_None_Match='*')
        self.assertEqual(reply.status, 200)
        self.assertEqual(hashlib.sha256(reply.body).digest(), self.index.codebook_hash)
        self.assertEqual(len(reply.body), self.index.codebook_bytes)
        self.assertNotIn('ETag', reply.headers)
        for other in (name[:-1], name + '0', '0' * 64, name.upper(), '', 'a' * 5000):
            if other != name:
                self.assertEqual(self.server.request('GET', '/v1/object/' + other).status, 404, other)

    def test_the_configuration_is_the_same_for_everybody(self):
        bodies = {self.server.request('GET', '/v1/config').body for _ in range(3)}
        self.assertEqual(len(bodies), 1)


main()
