"""The Hub's cache is one cache: what chapters-code/hub downloads, Python's huggingface_hub
finds, and the reverse. Both download from a server on loopback that speaks the Hub's protocol.

    python tests/reference/models_hub.py

Needs huggingface_hub (requirements.txt) and cargo. Prints what it checked; fails if it doesn't hold.
"""

import hashlib
import http.server
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAME = "someone/tiny-bert"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
FILES = {
    "config.json": b'{"model_type": "bert"}',
    "tokenizer.json": b"{}",
    "model.safetensors": bytes(range(256)) * 4096,
}
LARGE = {hashlib.sha256(data).hexdigest(): data
         for name, data in FILES.items() if name.endswith(".safetensors")}


def git_hash(data):
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def tree():
    files = []
    for name, data in FILES.items():
        file = dict(type="file", path=name, size=len(data), oid=git_hash(data))
        sha256 = hashlib.sha256(data).hexdigest()
        if sha256 in LARGE:
            file["lfs"] = dict(oid=sha256, size=len(data), pointerSize=134)
        files.append(file)
    return files


class Hub(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen = []

    def log_message(self, *_):
        pass

    def reply(self, status, headers, body=b""):
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def do_GET(self):
        self.seen.append((self.command, self.path))
        parts = self.path.split("?")[0].strip("/").split("/")
        if parts[:3] == ["api", "models", "someone"]:
            siblings = [dict(rfilename=name) for name in FILES]
            info = dict(id=NAME, modelId=NAME, sha=COMMIT, siblings=siblings, tags=[])
            body = tree() if "tree" in parts else info
            return self.reply(200, {"Content-Type": "application/json"}, json.dumps(body).encode())
        if parts[0] == "large":
            return self.reply(200, {}, LARGE[parts[1]])
        data = FILES.get(parts[-1])
        if data is None:
            return self.reply(404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT})
        sha256 = hashlib.sha256(data).hexdigest()
        if sha256 in LARGE:
            # On another host, as on the Hub.
            storage = f"http://localhost:{self.server.server_port}/large/{sha256}"
            return self.reply(302, {
                "Location": storage, "X-Linked-ETag": f'"{sha256}"',
                "X-Linked-Size": str(len(data)), "X-Repo-Commit": COMMIT})
        self.reply(200, {"ETag": f'"{git_hash(data)}"', "X-Repo-Commit": COMMIT}, data)

    do_HEAD = do_GET


def ours(environment, *flags):
    command = ["cargo", "run", "-q", "-p", "hub", "--example", "resolve", "--", NAME, *flags]
    return subprocess.run(command, cwd=ROOT, env=environment, check=True, text=True,
                          stdout=subprocess.PIPE).stdout.strip()


def python(environment, **options):
    """In a process of its own: huggingface_hub reads the environment once, when imported."""
    code = f"import huggingface_hub as h; print(h.snapshot_download({NAME!r}, **{options!r}))"
    return subprocess.run([sys.executable, "-c", code], env=environment, check=True, text=True,
                          stdout=subprocess.PIPE).stdout.strip()


def layout(home):
    """Every file and link of a repository's cache but locks and notes of what isn't there."""
    root = pathlib.Path(home) / "hub" / "models--someone--tiny-bert"
    entries = {path.relative_to(root): os.readlink(path) if path.is_symlink()
               else path.read_bytes() for path in root.rglob("*") if not path.is_dir()}
    return {str(name): entry for name, entry in entries.items() if name.parts[0] != ".no_exist"}


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = {key: value for key, value in os.environ.items() if not key.startswith("HF_")}
    base |= dict(HF_ENDPOINT=f"http://127.0.0.1:{server.server_port}", HF_HUB_DISABLE_XET="1",
                 HF_HUB_DISABLE_TELEMETRY="1", HF_HUB_DISABLE_PROGRESS_BARS="1")
    with tempfile.TemporaryDirectory() as a, tempfile.TemporaryDirectory() as b:
        first, second = base | dict(HF_HOME=a), base | dict(HF_HOME=b)
        path = ours(first)
        assert python(first, local_files_only=True) == path
        Hub.seen.clear()
        assert python(first) == path
        fetched = [request for request in Hub.seen
                   if request[0] == "GET" and "/api/" not in request[1]]
        assert not fetched, fetched
        print("Python finds what we downloaded, and downloads nothing again")
        path = python(second)
        Hub.seen.clear()
        assert ours(second, "--offline") == path and not Hub.seen
        assert ours(second) == path
        assert all(method == "HEAD" for method, _ in Hub.seen), Hub.seen
        print("we find what Python downloaded, and download nothing again")
        assert layout(a) == layout(b), (layout(a).keys(), layout(b).keys())
        print("both caches are the same, file by file")


if __name__ == "__main__":
    main()
