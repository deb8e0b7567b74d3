"""An HTTP proxy on loopback that can lose a connection in the middle of an upload."""

import socket
import socketserver
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

PIECE = 64 * 1024


class LossyProxy(socketserver.ThreadingTCPServer):
    """Relays each request over a connection of its own.

    Attributes
    ----------
    cut_after : int or None
        Bytes of a request after which its connection is lost. None: all arrive.
    """

    daemon_threads = True
    allow_reuse_address = True
    cut_after: int | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Relay(socketserver.StreamRequestHandler):
    server: LossyProxy

    def handle(self) -> None:
        method, url, version = self.rfile.readline().decode("latin-1").split(" ", 2)
        target = urlsplit(url)
        headers, length = [], 0
        while (line := self.rfile.readline()) not in {b"\r\n", b""}:
            name, _, value = line.decode("latin-1").partition(":")
            if name.lower() == "content-length":
                length = int(value)
            if name.lower() not in {"connection", "proxy-connection"}:
                headers.append(line)
        path = f"{target.path or '/'}{'?' + target.query if target.query else ''}"
        start = f"{method} {path} {version.strip()}\r\nConnection: close\r\n".encode("latin-1")
        with socket.create_connection((str(target.hostname), target.port or 80)) as upstream:
            upstream.sendall(start + b"".join(headers) + b"\r\n")
            if self._send_body(upstream, length):
                while piece := upstream.recv(PIECE):
                    self.wfile.write(piece)

    def _send_body(self, upstream: socket.socket, length: int) -> bool:
        sent = 0
        while sent < length:
            if self.server.cut_after is not None and sent >= self.server.cut_after:
                time.sleep(0.5)  # the browser reports its progress twenty times a second
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset
                self.connection.close()
                return False
            piece = self.rfile.read1(min(PIECE, length - sent))
            upstream.sendall(piece)
            sent += len(piece)
        return True

    def finish(self) -> None:
        if self.connection.fileno() >= 0:
            super().finish()


@contextmanager
def lossy_proxy() -> Iterator[LossyProxy]:
    """Run a proxy until the block ends."""
    with LossyProxy(("127.0.0.1", 0), _Relay) as proxy:
        proxy.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, PIECE)  # or all of an upload is under way at once
        thread = threading.Thread(target=proxy.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()
