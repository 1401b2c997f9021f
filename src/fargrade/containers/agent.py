"""What runs beside a task's containers in place of ECS's own agent: the address 169.254.170.2 and what answers there.

Plain Python without fargrade, since it runs in a container: `python -c SOURCE agent|task ARGUMENT`. On Fargate a
task's containers share one network interface, and 169.254.170.2 answers with the task role's credentials:
docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html.
"""

from __future__ import annotations

AGENT = r'''
import http.server, json, sys, threading


def be_the_agent(credentials):
    """Answer at 169.254.170.2: one path for the task's credentials, nothing else."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            found = credentials.get(self.path)
            refused = {"code": "InvalidIdInRequest", "message": "CredentialsV2Request: Credentials not found"}
            body = json.dumps(found or refused).encode()
            self.send_response(200 if found else 400)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("0.0.0.0", 80), Handler)
    print("ready", flush=True)
    server.serve_forever()


if sys.argv[1] == "agent":
    be_the_agent(json.loads(sys.argv[2]))
else:  # holds the task's network, which its containers share
    print("ready", flush=True)
    threading.Event().wait()
'''
