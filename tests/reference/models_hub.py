"""The Hub's cache is one cache: what chapters-code/hub downloads, Python's huggingface_hub
finds, and the reverse, also where one of the two was killed. Both download from a server on
loopback that speaks the Hub's protocol, and both read the same environment.

    python tests/reference/models_hub.py

Needs huggingface_hub (requirements.txt) and cargo. Prints what it checked; fails if it doesn't hold.
"""

import contextlib
import hashlib
import http.server
import json
import os
import pathlib
import signal
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
    # Set: a large file stops in its middle, and `stopped` says so.
    stop, stopped = threading.Event(), threading.Event()

    def log_message(self, *_):
        pass

    def reply(self, status, headers, body=b""):
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET" and self.stop.is_set() and len(body) > 1 << 19:
            self.wfile.write(body[:1 << 19])
            self.wfile.flush()
            self.stopped.set()
            with contextlib.suppress(ConnectionError):
                self.rfile.read(1)  # until the client is gone
        elif self.command == "GET":
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


def start_ours(environment, *arguments):
    command = ["cargo", "run", "-q", "--example", "resolve", "--", *arguments]
    return subprocess.Popen(command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE,
                            start_new_session=True)


def start_python(environment, code):
    """In a process of its own: huggingface_hub reads the environment once, when imported."""
    return subprocess.Popen([sys.executable, "-c", f"import huggingface_hub as h; {code}"],
                            env=environment, text=True, stdout=subprocess.PIPE,
                            start_new_session=True)


def output(process):
    text = process.communicate()[0]
    assert process.returncode == 0, process.args
    return text.removesuffix("\n")


def ours(environment, *flags):
    return output(start_ours(environment, NAME, *flags))


def download(**options):
    return f"print(h.snapshot_download({NAME!r}, **{options!r}))"


def python(environment, **options):
    return output(start_python(environment, download(**options)))


def kill_halfway(start, *arguments):
    """Kills a download, its children and all, when half of the large file has been sent."""
    Hub.stopped.clear()
    Hub.stop.set()
    process = start(*arguments)
    assert Hub.stopped.wait(300)
    while len(parts(arguments[0]["HF_HOME"])) != 1:  # Python fetches small files beside it
        assert process.poll() is None
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    Hub.stop.clear()


def root(home):
    return pathlib.Path(home) / "hub" / "models--someone--tiny-bert"


def parts(home):
    return sorted((root(home) / "blobs").glob("*.incomplete"))


def layout(home):
    """Every file and link of a repository's cache but locks and notes of what isn't there."""
    entries = {path.relative_to(root(home)): os.readlink(path) if path.is_symlink()
               else path.read_bytes() for path in root(home).rglob("*") if not path.is_dir()}
    return {str(name): entry for name, entry in entries.items() if name.parts[0] != ".no_exist"}


def both_ways(base):
    with tempfile.TemporaryDirectory() as a, tempfile.TemporaryDirectory() as b:
        first, second = base | dict(HF_HOME=a), base | dict(HF_HOME=b)
        path = ours(first)
        # Without trees/COMMIT.json, Python takes the snapshot for whole.
        assert not (root(a) / "trees").exists()
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
        assert f"trees/{COMMIT}.json" in layout(b)
        print("both caches are the same, file by file")
        (root(b) / "refs/main").write_text(COMMIT + "\n")
        assert ours(second, "--offline") == path
        code = f"print(h.try_to_load_from_cache({NAME!r}, 'config.json'))"
        assert output(start_python(second, code)) == "None"
        print("a newline at the end of refs/main hides a snapshot from Python, not from us")


def killed(base):
    """What a killed download leaves: the other resolves the model all the same."""
    sha256, = LARGE
    with tempfile.TemporaryDirectory() as a, tempfile.TemporaryDirectory() as b:
        first, second = base | dict(HF_HOME=a), base | dict(HF_HOME=b)
        kill_halfway(start_ours, first, NAME)
        part, = parts(a)
        assert part.name == f"{sha256}.incomplete", part
        path = python(first)
        assert parts(a) == [part]
        assert ours(first) == path and not parts(a)
        print("what we left when killed, Python minds not, and we remove")
        kill_halfway(start_python, second, download())
        part, = parts(b)
        # A file of eight hexadecimal digits more for each process.
        assert part.name.removeprefix(sha256 + ".").index(".incomplete") == 8, part
        assert ours(second) == python(second) and parts(b) == [part]
        code = "print(len(h.scan_cache_dir().incomplete_files))"
        assert output(start_python(second, code)) == "1"
        print("what Python left when killed, it neither resumes nor removes; nor do we")


def shared_store(base):
    """Python keeps what it downloads by Xet once for all repositories, and links a blob there."""
    sha256, = LARGE
    with tempfile.TemporaryDirectory() as home:
        environment = base | dict(HF_HOME=home)
        path = python(environment)
        blob, xet_hash = root(home) / "blobs" / sha256, "ab" * 32
        code = f"""from huggingface_hub.utils._shared_blobs import publish_blob_to_shared_store as p
print(p(blob_path={str(blob)!r}, xet_hash={xet_hash!r}, cache_dir=h.constants.HF_HUB_CACHE,
        expected_size={len(LARGE[sha256])}, replace_existing=False))"""
        assert output(start_python(environment, "pass\n" + code)) == "True"
        assert os.readlink(blob) == f"../../blobs/ab/{xet_hash}"
        assert ours(environment, "--offline") == path
        (pathlib.Path(path) / "model.safetensors").unlink()
        Hub.seen.clear()
        assert ours(environment) == path and blob.is_symlink()
        assert all(method == "HEAD" for method, _ in Hub.seen), Hub.seen
        print("what Python keeps in its store of all repositories is not downloaded again")


def environments():
    """The variables, and the cache, address, mode and token that both make of them."""
    token = tempfile.NamedTemporaryFile("w", suffix="-token")
    token.write(" hf_of_the_file\n")
    token.flush()
    inherited = {key: os.environ[key] for key in ("PATH", "CARGO_HOME", "RUSTUP_HOME",
                 "CARGO_TARGET_DIR", "PYENV_VERSION") if key in os.environ}
    home = os.path.expanduser("~")
    inherited |= dict(HOME=home, CARGO_HOME=inherited.get("CARGO_HOME", f"{home}/.cargo"),
                      RUSTUP_HOME=inherited.get("RUSTUP_HOME", f"{home}/.rustup"),
                      SCRATCH="/scratch", EMPTY="", TILDE="~", NESTED="$SCRATCH/n",
                      FOLDER=os.path.dirname(token.name))
    cases = [{}]
    cases += [{name: value} for name in ("HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE",
                                         "XDG_CACHE_HOME", "HF_TOKEN_PATH")
              for value in ("~", "~/x", "$SCRATCH/x", "${SCRATCH}/x", "$NOWHERE/x", "/a/~/b",
                            "~nobody-of-that-name/x", "/a$$/${}/${SCRATCH", "/$SCRATCHÉ$É",
                            "/x/$EMPTY/y", "$TILDE/x", "$NESTED")
              if (name, value) != ("HF_TOKEN_PATH", "~")]  # no file: an error in Python
    cases += [{"HF_TOKEN_PATH": "$FOLDER/" + os.path.basename(token.name)} | more for more in (
        {}, {"HF_TOKEN": "hf_x"}, {"HF_TOKEN": " hf_\r\nx\n"}, {"HF_TOKEN": ""},
        {"HUGGING_FACE_HUB_TOKEN": "hf_older"}, {"HF_HUB_DISABLE_IMPLICIT_TOKEN": "0"})]
    cases += [{"HF_HUB_OFFLINE": offline, "TRANSFORMERS_OFFLINE": older}
              for offline in ("0", "1", "1 ", "on", "yes", "True", "2", "")
              for older in ("", "1")]
    cases += [{"HF_ENDPOINT": address} for address in ("hf-mirror.com", "https://m/a//")]
    for case in cases:
        environment = inherited | case
        code = ("from huggingface_hub import constants as c; "
                "print(c.HF_HUB_CACHE, c.ENDPOINT, str(c.HF_HUB_OFFLINE).lower(),"
                " h.get_token() or '', sep='\\n')")
        found, expected = output(start_ours(environment, "--environment")), output(
            start_python(environment, code))
        assert found == expected, (case, found, expected)
    print(f"{len(cases)} environments are read alike")


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = {key: value for key, value in os.environ.items() if not key.startswith("HF_")}
    base |= dict(HF_ENDPOINT=f"http://127.0.0.1:{server.server_port}", HF_HUB_DISABLE_XET="1",
                 HF_HUB_DISABLE_TELEMETRY="1", HF_HUB_DISABLE_PROGRESS_BARS="1")
    both_ways(base)
    killed(base)
    shared_store(base)
    environments()


if __name__ == "__main__":
    main()
