// Runs a module of the book beside the page, so that typing never waits for it. Asked by engine.js:
// {id, module, call, request, model}; answers {id, json, numbers}, {id, got, all} on the way, or {id, failed, what}.

const modules = new Map();
const models = new Map();

class Failure extends Error {
  constructor(what, message = '') {
    super(message);
    this.what = what;
  }
}

// Once for each; what failed is tried again when it is asked for again.
function once(kept, name, begin) {
  if (!kept.has(name)) {
    const begun = begin();
    begun.catch(() => kept.delete(name));
    kept.set(name, begun);
  }
  return kept.get(name);
}

async function load(name) {
  try {
    const module = await import(`./${name}.js`);
    const { memory } = await module.default({ module_or_path: new URL(`./${name}_bg.wasm`, import.meta.url) });
    return { ...module, memory };
  } catch (error) {
    throw new Failure('module', error.message);
  }
}

const cacheName = 'attention-in-rust-models';

// The browser's cache, where there is one and it has room: it is a convenience, never needed.
async function cached(address) {
  try {
    return await (await caches.open(cacheName)).match(address);
  } catch {
    return undefined;
  }
}

async function keep(address, bytes) {
  try {
    await (await caches.open(cacheName)).put(address, new Response(bytes));
  } catch {
    // full, or not to be had: it is fetched anew next time
  }
}

async function read(response, came) {
  const reader = response.body.getReader();
  const parts = [];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    came(value.length);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

// SHA-256 in hexadecimal: the browser's, or the module's where a page isn't secure enough for the browser's.
async function hash(bytes, loading) {
  if (globalThis.crypto?.subtle === undefined) return (await loading).sha256(bytes);
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return [...digest].map(byte => byte.toString(16).padStart(2, '0')).join('');
}

async function fetched(address, came) {
  try {
    const response = await fetch(address);
    if (!response.ok) throw new Error(`${address}: ${response.status}`);
    return await read(response, came);
  } catch (error) {
    throw new Failure('download', error.message);
  }
}

// A file of a model, verified: from the cache, else from where the book is.
async function file(loading, folder, { name, bytes, sha256 }, came) {
  const address = new URL(`./${folder}/${name}?${sha256.slice(0, 16)}`, import.meta.url).href;
  const whole = async found => found.length === bytes && await hash(found, loading) === sha256;
  const known = await cached(address);
  if (known) {
    const found = new Uint8Array(await known.arrayBuffer());
    if (await whole(found)) {
      came(found.length);
      return found;
    }
  }
  const found = await fetched(address, came);
  if (!await whole(found)) throw new Failure('damaged', name);
  keep(address, found);
  return found;
}

// Brings a model's files, all at once and beside the module, and opens it.
async function open(loading, folder, progress) {
  const list = JSON.parse(new TextDecoder().decode(await fetched(new URL(`./${folder}/files.json`, import.meta.url).href, () => {})));
  const all = list.reduce((sum, { bytes }) => sum + bytes, 0);
  let got = 0;
  const files = await Promise.all(list.map(entry => file(loading, folder, entry, more => progress(got += more, all))));
  const module = await loading;
  list.forEach(({ name }, i) => module.put(`${folder}/${name}`, files[i]));
  try {
    module.open(folder);
  } catch (error) {
    throw new Failure('damaged', String(error));
  }
}

// What a function answered, in the page's memory; the module's is free again.
function taken(answer) {
  const { json, numbers } = answer;
  answer.free();
  return { json, numbers };
}

async function answer({ id, module: name, call, request, model }) {
  const loading = once(modules, name, () => load(name));
  if (model) {
    const progress = (got, all) => postMessage({ id, got, all });
    await once(models, model, () => open(loading, model, progress));
  }
  const module = await loading;
  try {
    const { json, numbers } = taken(module.call(call, JSON.stringify(request)));
    return { json, numbers, memory: module.memory.buffer.byteLength };
  } catch (error) {
    if (typeof error === 'string') throw new Failure('refused', error);
    throw new Failure('stopped', error.message); // out of memory, or a fault of ours: start anew
  }
}

onmessage = async ({ data }) => {
  try {
    const { json, numbers, memory } = await answer(data);
    postMessage({ id: data.id, json, numbers, memory }, [numbers.buffer]);
  } catch (error) {
    postMessage({ id: data.id, failed: error.what ?? 'stopped', message: error.message ?? String(error) });
  }
};
