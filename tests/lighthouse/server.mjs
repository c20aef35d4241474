// The site on loopback, compressed, as static hosts serve it.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

const TYPES = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ipynb': 'application/json',
  '.js': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.woff2': 'font/woff2',
};
const COMPRESSED = ['.png', '.woff2'];

const compress = promisify(gzip);

// Answers with a file below the site's folder.
async function answer(site, request, response) {
  const path = decodeURIComponent(new URL(request.url, 'http://localhost').pathname);
  const name = normalize(path.endsWith('/') ? `${path}index.html` : path);
  const file = await readFile(join(site, name)).catch(() => null);
  const body = file ?? await readFile(join(site, '404.html'));
  const kind = file === null ? '.html' : extname(name);
  const plain = COMPRESSED.includes(kind);
  response.writeHead(file === null ? 404 : 200, {
    'Content-Type': TYPES[kind] ?? 'application/octet-stream',
    'Cache-Control': 'max-age=600',
    ...(plain ? {} : { 'Content-Encoding': 'gzip' }),
  });
  response.end(plain ? body : await compress(body));
}

// Serves a folder on a free port of this machine.
export function serve(site) {
  const server = createServer((request, response) => {
    answer(site, request, response).catch(error => {
      response.writeHead(500).end(String(error));
    });
  });
  return new Promise(resolve => {
    server.listen(0, '127.0.0.1', () => {
      resolve({ server, address: `http://127.0.0.1:${server.address().port}/` });
    });
  });
}
