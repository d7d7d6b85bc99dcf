# SPDX-License-Identifier: Apache-2.0
"""Start, overload, stop."""
import glob
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import threading
import time
import unittest

from veild import SCRATCH, VEILD, Index, Server, main, make_index, post, read_all, read_reply, status_of


def run(*args):
    """A veild that must not start: status and what it says."""
    p = subprocess.run([VEILD, *args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20, text=True)
    return p.returncode, p.stdout


class Start(unittest.TestCase):
    def refused(self, words, *args, status=2):
        code, text = run(*args)
        self.assertEqual(code, status, text)
        self.assertIn(words, text.splitlines()[-1])

    def test_unknown_options_are_named(self):
        self.refused("'--frob'", '--frob', '1')
        self.refused("'extra'", 'extra')
        self.refused('--queue needs a value', '--queue')
        self.refused('queue', '--queue', 'many')
        self.refused('queue', '--queue=0')
        self.refused('--index', '--workers', '1')
        self.refused('log-level', '--index', 'x', '--log-level', 'loud')

    def test_unknown_keys_of_a_file_are_named(self):
        path = os.path.join(SCRATCH, 'veild.conf')
        for text, words in (('frob = 1\n', "'frob'"), ('[a]\nqueue = 1\n', '[a]'), ('queue = x\n', 'queue'),
                            ('queue = 4\nnonsense\n', ':2'), ('hide-timing = maybe\n', 'hide-timing')):
            with open(path, 'w') as f:
                f.write(text)
            self.refused(words, '--config', path, '--index', 'x')
        self.refused('none.conf', '--config', os.path.join(SCRATCH, 'none.conf'))
        self.refused('Is a directory', '--config', SCRATCH, '--index', 'x')

    def test_flags_override_the_file(self):
        path = os.path.join(SCRATCH, 'good.conf')
        with open(path, 'w') as f:
            f.write('# a comment\nworkers = 1\nhide-timing = true\nlisten = 127.0.0.1:1\n')
        with Server(make_index('small'), '--config', path) as server:
            self.assertIn('1 workers', server.text())
            reply = server.request('POST', '/v1/query', Index(server).query())
            self.assertNotIn('Veil-Server-Us', reply.headers)

    def test_timing_is_told_unless_hidden(self):
        with Server(make_index('small')) as server:
            self.assertIn('Veil-Server-Us', server.request('POST', '/v1/query', Index(server).query()).headers)
        with Server(make_index('small'), '--hide-timing') as server:
            self.assertNotIn('Veil-Server-Us', server.request('POST', '/v1/query', Index(server).query()).headers)

    def test_help_that_cannot_be_written_is_an_error(self):
        for option in ('--help', '--version'):
            with open('/dev/full', 'w', encoding='ascii') as full:
                p = subprocess.run([VEILD, option], stdout=full, stderr=subprocess.PIPE, timeout=20, text=True, check=False)
            self.assertEqual((p.returncode, p.stderr), (1, 'veild: the output could not all be written\n'))

    def test_help_lists_every_option(self):
        code, text = run('--help')
        self.assertEqual(code, 0)
        for name in ('index', 'listen', 'admin', 'workers', 'queue', 'config', 'receive-timeout-ms'):
            self.assertIn('--' + name, text)

    def test_addresses_that_are_not_loopback_are_refused(self):
        for address in ('0.0.0.0:0', '192.0.2.1:80', '[::]:80', 'localhost:80', '127.0.0.1', '127.0.0.1:99999', 'unix:',
                        'unix:' + 'x' * 200):
            self.refused(address, '--index', make_index('small'), '--listen', address, status=1)

    def test_a_port_in_use_is_named(self):
        with socket.create_server(('127.0.0.1', 0)) as s:
            address = '127.0.0.1:%d' % s.getsockname()[1]
            self.refused(address, '--index', make_index('small'), '--listen', address, status=1)

    def test_a_damaged_index_is_refused_by_file_name(self):
        good = make_index('small')
        self.refused('nowhere', '--index', os.path.join(SCRATCH, 'nowhere'), status=1)
        for pattern in ('manifest.json', 'codebook.bin', 'shard-00001.bin', 'labels-00000.bin'):
            for change in ('flip', 'cut'):
                bad = os.path.join(SCRATCH, 'bad')
                shutil.rmtree(bad, ignore_errors=True)
                shutil.copytree(good, bad)
                path, = glob.glob(bad + '/v*/' + pattern)
                os.chmod(path, 0o600)
                with open(path, 'rb') as f:
                    data = bytearray(f.read())
                data[len(data) // 2] ^= 1
                with open(path, 'wb') as f:
                    f.write(data if change == 'flip' else data[:-1])
                code, text = run('--index', bad, '--listen', '127.0.0.1:0')
                self.assertEqual(code, 1, text)
                self.assertIn(pattern, text)

    def test_a_unix_socket_serves_and_is_removed(self):
        path = os.path.join(SCRATCH, 'sock')
        with Server(make_index('small'), listen='unix:' + path) as server:
            self.assertEqual(server.request('POST', '/v1/query', Index(server).query()).status, 200)
            self.refused(path, '--index', make_index('small'), '--listen', 'unix:' + path, status=1)
            self.assertEqual(server.request('GET', '/v1/config').status, 200)
        self.assertFalse(os.path.exists(path))

    def test_a_unix_socket_that_a_dead_server_left_is_replaced(self):
        path = os.path.join(SCRATCH, 'stale')
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(path)
        with Server(make_index('small'), listen='unix:' + path) as server:
            self.assertEqual(server.request('GET', '/v1/config').status, 200)

    def test_the_server_lacks_every_function_that_touches_a_secret(self):
        symbols = subprocess.run(['nm', VEILD], check=True, stdout=subprocess.PIPE, text=True).stdout
        self.assertIn('nn_answer', symbols)
        self.assertNotIn('secret_', symbols)


class Unit(unittest.TestCase):
    """veild.service, with the program where it was built."""
    @classmethod
    def setUpClass(cls):
        with open(os.path.join(os.path.dirname(VEILD), '..', 'veild.service'), encoding='ascii') as f:
            text = f.read()
        cls.command = re.search('^ExecStart=(.*)$', text, re.M)[1].split()
        cls.path = os.path.join(SCRATCH, 'veild.service')
        with open(cls.path, 'w', encoding='ascii') as f:
            f.write(text.replace(cls.command[0], os.path.abspath(VEILD)))

    def analyze(self, *args):
        p = subprocess.run(['systemd-analyze', *args, self.path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                           timeout=20, check=False)
        self.assertEqual(p.returncode, 0, p.stdout)
        return p.stdout

    @unittest.skipUnless(shutil.which('systemd-analyze'), 'no systemd')
    def test_systemd_takes_it_and_finds_it_well_enclosed(self):
        self.assertEqual(self.analyze('verify', '--man=no'), '')
        self.analyze('security', '--offline=yes', '--threshold=15', '--no-pager')

    def test_its_options_are_known(self):
        code, text = run(*self.command[1:])
        self.assertEqual((code, 'veild.conf' in text), (2, True), text)


class Overload(unittest.TestCase):
    def test_a_full_queue_answers_503_with_retry_after_and_recovers(self):
        with Server(make_index('slow', shards=1, rows=40000, label_bytes=0), '--workers', '1', '--queue', '1') as server:
            index = Index(server)
            body = index.query()
            sockets = []
            for _ in range(40):
                s = server.connect()
                s.sendall(post(body[:-1], headers=[f'Content-Length: {len(body)}', 'Connection: close']))
                sockets.append(s)
            for s in sockets:
                s.sendall(body[-1:])
            replies = [read_all(s) for s in sockets]
            for s in sockets:
                s.close()
            busy = [r for r in replies if status_of(r) == 503]
            self.assertEqual(len(busy) + sum(status_of(r) == 200 for r in replies), 40)
            self.assertTrue(busy)
            self.assertLess(len(busy), 40)
            self.assertTrue(all(b'\r\nRetry-After: ' in r for r in busy))
            self.assertEqual(server.metric('veil_queue_full_total'), len(busy))
            self.assertEqual(server.request('POST', '/v1/query', body).status, 200)

    def test_connections_that_say_nothing_make_way_for_one_that_asks(self):
        with Server(make_index('small'), '--connections', '8', '--receive-timeout-ms', '60000') as server:
            body = Index(server).query()
            server.wait_for('veil_connections_open', lambda n: n == 0)
            silent = [server.connect() for _ in range(8)]
            server.wait_for('veil_connections_open', lambda n: n == 8)
            start = time.monotonic()
            self.assertEqual(server.request('POST', '/v1/query', body).status, 200)
            self.assertLess(time.monotonic() - start, 10)
            self.assertEqual(silent[0].recv(1), b'')
            silent[7].settimeout(0.1)
            with self.assertRaises(TimeoutError):
                silent[7].recv(1)
            for s in silent:
                s.close()

    def test_connections_between_two_requests_make_way_too_and_those_with_one_do_not(self):
        with Server(make_index('small'), '--connections', '4', '--receive-timeout-ms', '60000') as server:
            body = Index(server).query()
            request = post(body, headers=[f'Content-Length: {len(body)}'])
            server.wait_for('veil_connections_open', lambda n: n == 0)
            used = [server.connect() for _ in range(4)]
            for s in used:
                s.sendall(request)
                self.assertEqual(status_of(read_reply(s)), 200)
            used[0].sendall(request[:-1])
            server.wait_for('veil_requests_total', lambda n: n == 6)
            for _ in range(3):
                self.assertEqual(server.request('POST', '/v1/query', body).status, 200)
            self.assertEqual(used[1].recv(1), b'')
            used[0].sendall(request[-1:])
            self.assertEqual(status_of(read_reply(used[0])), 200)
            for s in used:
                s.close()

    def test_no_more_connections_are_taken_than_files_may_be_open(self):
        def few():
            resource.setrlimit(resource.RLIMIT_NOFILE, (100, 300))
        with Server(make_index('small'), '--receive-timeout-ms', '60000', preexec_fn=few) as server:
            self.assertIn('only 300 files may be open: 44 connections', server.text())
            body = Index(server).query()
            silent = [server.connect() for _ in range(400)]
            start = time.monotonic()
            self.assertEqual(server.request('POST', '/v1/query', body).status, 200)
            self.assertLess(time.monotonic() - start, 10)
            for s in silent:
                s.close()
        with self.assertRaisesRegex(AssertionError, 'only 200 files may be open, 257 are needed'):
            Server(make_index('small'), preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200)))

    def test_bodies_have_a_memory_limit(self):
        with Server(make_index('small'), '--body-memory-mb', '1') as server:
            index = Index(server)
            body = index.query()
            room = 1024 * 1024 // (index.query_bytes + 128)
            sockets = []
            for _ in range(room + 8):
                s = server.connect()
                s.sendall(post(body[:100], headers=[f'Content-Length: {len(body)}', 'Connection: close']))
                sockets.append(s)
            server.wait_for('veil_requests_total', lambda n: n >= room + 9)  # and one for the configuration
            extra = server.raw(post(body[:100], headers=[f'Content-Length: {len(body)}']))
            self.assertEqual(status_of(extra), 503)
            for s in sockets:
                s.close()
            server.wait_for('veil_connections_open', lambda n: n == 0)
            self.assertEqual(server.request('POST', '/v1/query', body).status, 200)

    def test_many_clients_at_once_all_get_the_right_answer(self):
        with Server(make_index('small'), '--io-threads', '2') as server:
            index = Index(server)
            want = [server.request('POST', '/v1/query', index.query(shard=i)).body for i in range(index.shards)]
            wrong = []

            def client(number):
                with server.session() as c:
                    for i in range(50):
                        shard = (number + i) % index.shards
                        if c.request('POST', '/v1/query', index.query(shard=shard)).body != want[shard]:
                            wrong.append(shard)
            threads = [threading.Thread(target=client, args=(i,)) for i in range(8)]
            for t in threads:
                t.start()
            for t in threads:
                t.join()
            self.assertEqual(wrong, [])
            self.assertEqual(server.metric('veil_queries_total'), 400 + index.shards)
            self.assertEqual(server.metric('veil_compute_seconds_count'), 400 + index.shards)


class Stop(unittest.TestCase):
    def test_sigterm_finishes_what_is_under_way_and_exits_0(self):
        server = self.enterContext(Server(make_index('small')))
        body = Index(server).query()
        with server.connect() as s:
            s.sendall(post(body[:-1], headers=[f'Content-Length: {len(body)}']))
            server.wait_for('veil_requests_total', lambda n: n >= 2)
            server.process.send_signal(signal.SIGTERM)
            server.wait_for('veil_ready', lambda n: n == 0)
            time.sleep(0.3)
            self.assertIsNone(server.process.poll(), 'it did not wait for the query')
            with self.assertRaises(OSError):
                server.connect()
            s.sendall(body[-1:])
            reply = read_all(s)
        self.assertEqual(status_of(reply), 200)
        self.assertIn(b'Connection: close', reply)
        self.assertEqual(server.process.wait(10), 0)
        self.assertIn('stopped', server.text())

    def test_ready_fails_while_clients_are_still_served_and_a_second_signal_hurries(self):
        server = self.enterContext(Server(make_index('small'), '--lame-duck-ms', '60000'))
        self.assertEqual(server.ask_admin('/live')[0], 200)
        self.assertEqual(server.ask_admin('/ready')[0], 200)
        server.process.send_signal(signal.SIGTERM)
        server.wait_for('veil_ready', lambda n: n == 0)
        self.assertEqual(server.ask_admin('/live')[0], 200)
        self.assertEqual(server.ask_admin('/ready')[0], 503)
        self.assertEqual(server.request('GET', '/v1/config').status, 200)
        server.process.send_signal(signal.SIGTERM)
        self.assertEqual(server.process.wait(10), 0)

    def test_stopping_under_load_answers_every_query_of_a_connection_that_was_made(self):
        server = self.enterContext(Server(make_index('small'), '--io-threads', '2'))
        index = Index(server)
        body, bad, good, late = index.query(), [], [], []

        def client(keep):
            while True:
                try:
                    s = server.connect()
                except OSError:
                    return
                with s:
                    closed = False
                    while not closed:
                        since = time.monotonic()
                        s.sendall(post(body, headers=[f'Content-Length: {len(body)}', *([] if keep else ['Connection: close'])]))
                        waited = time.monotonic() - since
                        reply = read_reply(s)
                        if reply.startswith(b'HTTP/1.1 200') and len(reply) > index.reply_bytes:
                            good.append(1)
                        else:  # only who let half a second pass may find the connection closed
                            (late if not reply and waited > 0.4 else bad).append(reply[:100])
                        closed = not reply or b'Connection: close' in reply[:500]
        threads = [threading.Thread(target=client, args=(i % 2,)) for i in range(6)]
        for t in threads:
            t.start()
        server.wait_for('veil_queries_total', lambda n: n > 40)
        server.process.send_signal(signal.SIGTERM)
        self.assertEqual(server.process.wait(20), 0)
        for t in threads:
            t.join()
        self.assertEqual(bad, [])
        self.assertGreater(len(good), 40)
        self.assertLess(len(late), len(threads))

    def test_connections_that_say_nothing_yet_may_still_ask_when_the_end_is_near(self):
        server = self.enterContext(Server(make_index('small')))
        body = Index(server).query()
        request = post(body, headers=[f'Content-Length: {len(body)}'])
        with server.connect() as new, server.connect() as used:
            used.sendall(request)
            self.assertEqual(status_of(read_reply(used)), 200)
            server.wait_for('veil_connections_open', lambda n: n == 2)
            server.process.send_signal(signal.SIGTERM)
            server.wait_for('veil_ready', lambda n: n == 0)
            time.sleep(0.1)
            for s in new, used:
                s.sendall(request)
            for s in new, used:
                reply = read_all(s)
                self.assertEqual(status_of(reply), 200)
                self.assertIn(b'Connection: close', reply)
            self.assertEqual(server.process.wait(10), 0)

    def test_connections_that_nobody_has_accepted_yet_are_served_before_the_end(self):
        for listen in ('127.0.0.1:0', 'unix:' + os.path.join(SCRATCH, 'waiting')):
            server = self.enterContext(Server(make_index('small'), listen=listen))
            body = Index(server).query()
            request = post(body, headers=[f'Content-Length: {len(body)}'])
            server.wait_for('veil_connections_open', lambda n: n == 0)
            server.process.send_signal(signal.SIGSTOP)
            sockets = [server.connect() for _ in range(20)]
            for s in sockets:
                s.sendall(request)
            server.process.send_signal(signal.SIGTERM)
            server.process.send_signal(signal.SIGCONT)
            self.assertEqual([status_of(read_all(s)) for s in sockets], [200] * 20, listen)
            for s in sockets:
                s.close()
            self.assertEqual(server.process.wait(10), 0)

    def test_what_follows_the_last_reply_does_not_harm_it(self):
        server = self.enterContext(Server(make_index('small', rows=3000)))
        body = Index(server).query()
        request = post(body, headers=[f'Content-Length: {len(body)}'])
        with server.connect() as s:
            s.sendall(request[:-1])
            server.wait_for('veil_requests_total', lambda n: n >= 2)
            server.process.send_signal(signal.SIGTERM)
            server.wait_for('veil_ready', lambda n: n == 0)
            time.sleep(0.1)
            s.sendall(request[-1:] + request * 40)
            time.sleep(0.3)
            reply = read_all(s)
            self.assertEqual((status_of(reply), reply.count(b'HTTP/1.1 ')), (200, 1))
            self.assertEqual(len(reply.split(b'\r\n\r\n', 1)[1]), int(reply.split(b'Content-Length: ')[1].split(b'\r')[0]))
        self.assertEqual(server.process.wait(10), 0)

    def test_a_reload_does_not_hold_up_the_end(self):
        server = self.enterContext(Server(make_index('small')))
        server.process.send_signal(signal.SIGSTOP)  # both signals will be there when it goes on, SIGHUP first
        server.process.send_signal(signal.SIGHUP)
        server.process.send_signal(signal.SIGTERM)
        server.process.send_signal(signal.SIGCONT)
        self.assertEqual(server.process.wait(10), 0)
        self.assertRegex(server.text(), 'not reloaded.*told to stop after 0 of 3 shards')

    def test_a_start_does_not_hold_up_the_end(self):
        ports = os.path.join(SCRATCH, 'never')

        def stop_at_once():
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
            os.kill(os.getpid(), signal.SIGTERM)
        p = subprocess.run([VEILD, '--index', make_index('small'), '--listen', '127.0.0.1:0', '--admin', 'off', '--port-file', ports],
                           stderr=subprocess.PIPE, text=True, timeout=20, check=False, preexec_fn=stop_at_once)
        self.assertEqual(p.returncode, 0)
        self.assertIn('stopped before it served', p.stderr)
        self.assertFalse(os.path.exists(ports))

    def test_a_client_that_stays_silent_does_not_hold_up_the_end(self):
        server = self.enterContext(Server(make_index('small')))
        with server.connect(), server.connect():
            server.wait_for('veil_connections_open', lambda n: n == 2)
            server.process.send_signal(signal.SIGTERM)
            self.assertEqual(server.process.wait(8), 0)

    def test_the_end_of_an_idle_connection_is_seen_as_such_by_its_client(self):
        for stop in (False, True):
            server = self.enterContext(Server(make_index('small'), '--receive-timeout-ms', '60000' if stop else '300'))
            body = Index(server).query()
            with server.connect() as s:
                s.sendall(post(body, headers=[f'Content-Length: {len(body)}']))
                self.assertEqual(status_of(read_reply(s)), 200)
                if stop:
                    server.process.send_signal(signal.SIGTERM)
                self.assertEqual(s.recv(1), b'')  # not reset


main()
