# SPDX-License-Identifier: Apache-2.0
"""--reply-deadline-ms: replies leave at a fixed time after their query arrived, hot or cold, good or bad."""
import signal
import subprocess
import threading
import time
import unittest

from veild import VEILD, Index, Server, main, make_index, post, read_all, status_of

DEADLINE_S = 0.4
LIMITED = '--connections', '64', '--workers', '1', '--body-memory-mb', '4', '--memory-limit', '44M'


class Deadline(unittest.TestCase):
    def ask(self, server, body):
        """Status and seconds from the last byte sent to the first received."""
        with server.connect() as s:
            s.sendall(post(body[:-1], headers=[f'Content-Length: {len(body)}', 'Connection: close']))
            time.sleep(0.05)  # the time counts from the end of the query, not from its head
            start = time.monotonic()
            s.sendall(body[-1:])
            first = s.recv(12)
            seconds = time.monotonic() - start
            reply = first + read_all(s)
            self.assertNotIn(b'Veil-Server-Us', reply)  # it would tell what the waiting hides
            return status_of(reply), seconds

    def test_hot_cold_and_bad_queries_get_their_reply_at_the_same_time(self):
        with Server(make_index('limited', shards=60, rows=8000), *LIMITED,
                    '--reply-deadline-ms', str(int(DEADLINE_S * 1000))) as server:
            index = Index(server)
            hot, cold = index.query(shard=0), [index.query(shard=i) for i in range(30, 42)]
            late = []
            for body, want in ([(hot, 200)] * 6 + [(b, 200) for b in cold] +
                               [(index.query(shard=99), 404), (hot.replace(index.id, bytes(32), 1), 410)]):
                before = server.metric('veil_replies_late_total')
                status, seconds = self.ask(server, body)
                self.assertEqual(status, want)
                self.assertGreaterEqual(seconds, DEADLINE_S - 0.005)
                if server.metric('veil_replies_late_total') == before:
                    late.append(seconds - DEADLINE_S)
            self.assertGreater(len(late), 10)
            late.sort()
            self.assertLess(late[len(late) // 2], DEADLINE_S / 4)
            self.assertGreater(server.metric('veil_cache_misses_total'), server.metric('veil_cache_hits_total') / 2)
            start = time.monotonic()
            Index(server)
            self.assertLess(time.monotonic() - start, DEADLINE_S)

    def test_many_at_once_all_wait_their_time_and_none_is_lost(self):
        with Server(make_index('small'), '--reply-deadline-ms', str(int(DEADLINE_S * 1000))) as server:
            body, out = Index(server).query(), []
            threads = [threading.Thread(target=lambda: out.append(self.ask(server, body))) for _ in range(40)]
            for t in threads:
                t.start()
            for t in threads:
                t.join()
            self.assertEqual([status for status, _ in out], [200] * 40)
            self.assertGreaterEqual(min(seconds for _, seconds in out), DEADLINE_S - 0.005)
            self.assertEqual(server.metric('veil_queries_total'), 40)

    def test_no_reply_leaves_early_though_more_wait_than_connections_are_planned_for(self):
        with Server(make_index('small'), '--connections', '2', '--reply-deadline-ms', '2000') as server:
            body = Index(server).query()
            request = post(body, headers=[f'Content-Length: {len(body)}', 'Connection: close'])
            sockets = []
            for n in range(1, 9):  # who waits for a reply does not make way
                sockets.append((server.connect(), time.monotonic()))
                sockets[-1][0].sendall(request)
                server.wait_for('veil_queries_total', lambda v, n=n: v == n)
            for s, start in sockets:
                self.assertEqual(status_of(s.recv(12) + b'   '), 200)
                self.assertGreaterEqual(time.monotonic() - start, 1.995)
                s.close()

    def test_a_reply_that_is_late_leaves_at_once_and_is_counted(self):
        with Server(make_index('slow', shards=1, rows=40000, label_bytes=0), '--reply-deadline-ms', '1') as server:
            body = Index(server).query()
            for n in range(1, 4):
                status, seconds = self.ask(server, body)
                self.assertEqual(status, 200)
                self.assertLess(seconds, 5)
                self.assertEqual(server.metric('veil_replies_late_total'), n)

    def test_stopping_waits_for_replies_that_wait(self):
        server = self.enterContext(Server(make_index('small'), '--reply-deadline-ms', '1500'))
        body = Index(server).query()
        with server.connect() as s:
            s.sendall(post(body, headers=[f'Content-Length: {len(body)}']))
            server.wait_for('veil_queries_total', lambda n: n == 1)
            server.process.send_signal(signal.SIGTERM)
            self.assertEqual(status_of(read_all(s)), 200)
        self.assertEqual(server.process.wait(10), 0)

    def test_replies_still_waiting_at_the_end_of_the_drain_leave_early(self):
        server = self.enterContext(Server(
            make_index('small'), '--reply-deadline-ms', '20000', '--drain-timeout-ms', '200'))
        body = Index(server).query()
        with server.connect(timeout=15) as s:
            s.sendall(post(body, headers=[f'Content-Length: {len(body)}']))
            server.wait_for('veil_queries_total', lambda n: n == 1)
            server.process.send_signal(signal.SIGTERM)
            self.assertEqual(server.process.wait(10), 0)

    def test_a_deadline_that_no_reply_could_meet_is_refused(self):
        p = subprocess.run([VEILD, '--index', 'x', '--reply-deadline-ms', '30000'], stderr=subprocess.PIPE, text=True,
                           timeout=20)
        self.assertEqual(p.returncode, 2)
        self.assertIn('reply-deadline-ms', p.stderr)


main()
