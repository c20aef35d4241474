// The site, with today's live elements laid over it, and the peer on loopback: all in memory and already
// compressed, so that no time of ours is measured with theirs.

import { readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { gzipSync } from 'node:zlib';

const TYPES = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.mjs': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.woff2': 'font/woff2',
};
const PLAIN = ['.onnx', '.png', '.safetensors', '.woff2']; // what compressing makes little smaller

const isFile = path => statSync(path, { throwIfNoEntry: false })?.isFile();

// Places are `[prefix, folder]`: the first one that has what is asked for answers.
function find(places, path) {
  for (const [prefix, folder] of places) {
    const file = path.startsWith(prefix) && join(folder, normalize(path.slice(prefix.length)));
    if (file && isFile(file)) return file;
  }
  return undefined;
}

function load(file) {
  const raw = readFileSync(file);
  const plain = PLAIN.includes(extname(file));
  return {
    raw: raw.length,
    body: plain ? raw : gzipSync(raw, { level: 9 }),
    headers: {
      'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream',
      'Cache-Control': 'max-age=600',
      ...(plain ? {} : { 'Content-Encoding': 'gzip' }),
    },
  };
}

// Serves the places on a free port of this machine; `fetched` hears what was asked for and how large it is.
export function serve(places, fetched) {
  const kept = new Map();
  const found = path => {
    if (!kept.has(path)) {
      const file = find(places, path);
      kept.set(path, file && load(file));
    }
    return kept.get(path);
  };
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url, 'http://localhost').pathname);
    const file = found(path);
    if (file === undefined) {
      response.writeHead(404).end();
      return;
    }
    fetched({ path, raw: file.raw, sent: file.body.length });
    response.writeHead(200, { ...file.headers, 'Content-Length': file.body.length });
    response.end(file.body);
  });
  return new Promise(resolve => {
    server.listen(0, '127.0.0.1', () => {
      resolve({ server, address: `http://127.0.0.1:${server.address().port}/` });
    });
  });
}
