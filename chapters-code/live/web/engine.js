// The page's side of worker.js: questions in, answers out, one worker for all elements of a module.

const engines = new Map();

// The engine of a module: `live_ndarray` or `live_models`.
export function engine(module) {
  if (!engines.has(module)) engines.set(module, new Engine(module));
  return engines.get(module);
}

export class Refusal extends Error {
  constructor(what, message) {
    super(message);
    this.what = what;
  }
}

class Engine {
  constructor(module) {
    this.module = module;
    this.waiting = new Map();
    this.count = 0;
  }

  start() {
    this.worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
    this.worker.onmessage = ({ data }) => this.hear(data);
    this.worker.onerror = event => {
      event.preventDefault();
      this.stop('worker', event.message);
    };
  }

  // Asks a function of the module; `model` is one that it needs open, `progress` hears how much of it is
  // there. Gives `{json, numbers}`: what the function says, and its large arrays in one.
  ask(call, request, { model, progress } = {}) {
    if (!this.worker) this.start();
    const id = this.count++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject, progress });
      this.worker.postMessage({ id, module: this.module, call, request, model });
    });
  }

  hear({ id, json, numbers, memory, got, all, failed, message }) {
    const asked = this.waiting.get(id);
    if (asked === undefined) return;
    if (got !== undefined) {
      asked.progress?.(got, all);
      return;
    }
    this.waiting.delete(id);
    this.memory = memory ?? this.memory; // the module's, in bytes
    if (failed === undefined) asked.resolve({ json: JSON.parse(json), numbers });
    else asked.reject(new Refusal(failed, message));
    if (failed === 'stopped') this.stop('stopped', message);
  }

  // Ends the work at once; the next question starts a new worker.
  stop(what = 'canceled', message = '') {
    this.worker?.terminate();
    this.worker = undefined;
    const waiting = [...this.waiting.values()];
    this.waiting.clear();
    waiting.forEach(({ reject }) => reject(new Refusal(what, message)));
  }
}
