# SPDX-License-Identifier: MIT OR Apache-2.0
"""A TCP proxy on a free loopback port that counts what passes, and lets it pass no faster than it is told to."""
import socket
import threading
import time

BLOCK = 16 << 10
# Little lies in between, so that what was counted has nearly arrived.
SOCKET_BUFFER = 64 << 10


class CountingProxy:
    """`up` is what clients sent, `down` what they were sent, in bytes, headers included."""

    def __init__(self, target, bytes_per_s=None):
        host, port = target.split(":")
        self.target = (host, int(port))
        self.bytes_per_s = bytes_per_s
        self.lock = threading.Lock()
        self.up = self.down = 0
        self.free_at = time.monotonic()
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BUFFER)
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(64)
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def counts(self):
        with self.lock:
            return self.up, self.down

    def close(self):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.socket()
            server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BUFFER)
            try:
                server.connect(self.target)
            except OSError:
                client.close()
                continue
            for one in (client, server):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BUFFER)
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._pump, args=(client, server, "up"), daemon=True).start()
            threading.Thread(target=self._pump, args=(server, client, "down"), daemon=True).start()

    def _wait(self, size):
        if not self.bytes_per_s:
            return
        with self.lock:
            self.free_at = max(self.free_at, time.monotonic() - 0.05) + size / self.bytes_per_s
            pause = self.free_at - time.monotonic()
        if pause > 0:
            time.sleep(pause)

    def _pump(self, source, target, direction):
        try:
            while True:
                block = source.recv(BLOCK)
                if not block:
                    break
                self._wait(len(block))
                target.sendall(block)
                with self.lock:
                    setattr(self, direction, getattr(self, direction) + len(block))
        except OSError:
            pass
        for one in (source, target):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
