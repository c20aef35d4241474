// ONNX Runtime Web in a worker, as worker.js is ours: asked {ids}, answers {numbers}, the maps of all
// heads in one array, or {failed}. The model comes while the module does.

import * as ort from '/ort/ort.wasm.bundle.min.mjs';

ort.env.wasm.numThreads = 1;

const model = fetch('/onnx/bertinho.onnx').then(response => response.arrayBuffer());
const session = model.then(bytes => ort.InferenceSession.create(bytes, { executionProviders: ['wasm'] }));

function inputs(ids) {
  const tensor = numbers => new ort.Tensor('int64', BigInt64Array.from(numbers, BigInt), [1, ids.length]);
  return {
    input_ids: tensor(ids),
    attention_mask: tensor(ids.map(() => 1)),
    token_type_ids: tensor(ids.map(() => 0)),
  };
}

// [layers, heads, n, n], one layer after another.
function joined(layers) {
  const numbers = new Float32Array(layers.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const layer of layers) {
    numbers.set(layer, at);
    at += layer.length;
  }
  return numbers;
}

async function answer(ids) {
  const opened = await session;
  const found = await opened.run(inputs(ids));
  const numbers = joined(opened.outputNames.map(name => found[name].data));
  opened.outputNames.forEach(name => found[name].dispose());
  return numbers;
}

onmessage = async ({ data }) => {
  try {
    const numbers = await answer(data.ids);
    postMessage({ numbers }, [numbers.buffer]);
  } catch (error) {
    postMessage({ failed: String(error) });
  }
};
