"""A tiny shop window: answers every request on port 8080, and stops when it is asked to (SIGTERM)."""

import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from greeting import greeting


class Window(BaseHTTPRequestHandler):
    def do_GET(self):
        body = greeting(self.path).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    ThreadingHTTPServer(("0.0.0.0", 8080), Window).serve_forever()
