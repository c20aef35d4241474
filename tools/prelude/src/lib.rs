//! The crates that the notebooks' cells name. `tools/notebook` compiles them into one dynamic
//! library and gives them to the cells.

pub use {
    attention_cost, derivations, fast_kernels, self_attention, whole_transformer,
};
pub use {figures, kernels, libm, ndarray};

#[cfg(feature = "candle")]
pub use {
    attention_views, bert_attention, bertinho, candle_core, generation, hub,
    keras_block, sentiment, tokenizers, training,
};
