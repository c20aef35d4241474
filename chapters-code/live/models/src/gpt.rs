//! Chapter 9: what may come next, and where the heads look.

use generation::cache::Cache;
use generation::filter::probabilities;
use generation::{Filters, GenerationError, Pretrained};
use sentiment::{Batch, IndexOp};
use serde::{Deserialize, Serialize};

use crate::{model, said};

#[derive(Deserialize)]
pub struct Request {
    /// What the reader wrote.
    text: String,
    /// The tokens that were appended to it.
    appended: Vec<u32>,
    temperature: f32,
    top_k: Option<usize>,
    top_p: Option<f32>,
    /// How many of the likeliest to give.
    count: usize,
}

#[derive(Serialize)]
pub struct Next {
    tokens: Vec<String>,
    guesses: Vec<Guess>,
    layers: usize,
    heads: usize,
}

#[derive(Serialize)]
pub struct Guess {
    id: u32,
    token: String,
    probability: f64,
}

/// The likeliest next tokens, as the filters leave them, and how much the last token looks at each,
/// `[layers, heads, n]`.
pub fn next_token(request: &Request) -> Result<(Next, Vec<f32>), String> {
    model::gpt(|model| guess(model, request).map_err(said))
}

fn guess(
    model: &Pretrained,
    request: &Request,
) -> Result<(Next, Vec<f32>), GenerationError> {
    let Request { temperature, top_k, top_p, .. } = *request;
    let filters = Filters { temperature, top_k, top_p, ..Filters::default() };
    filters.validate()?;
    let mut ids = model.tokenizer.encode(&request.text)?;
    ids.extend(&request.appended);
    let batch = Batch::new(&[ids.clone()], None, None)?; // [1, n]
    let output = model.model.forward(&batch, &mut Cache::new())?;
    let last = output.last_hidden_state.i((.., ids.len() - 1))?; // [1, d_model]
    let mut logits = model.model.predict(&last)?.flatten_all()?.to_vec1()?; // [vocabulary]
    filters.apply(&mut logits, &ids);
    let mut order: Vec<(u32, f64)> = (0..).zip(probabilities(&logits)).collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1)); // stable: of equals, the first
    order.retain(|(_, probability)| *probability > 0.0);
    order.truncate(request.count);
    let chosen: Vec<u32> = order.iter().map(|(id, _)| *id).collect();
    let texts = model.tokenizer.tokens(&chosen)?;
    let guesses = order.iter().zip(texts).map(|(&(id, probability), token)| Guess {
        id,
        token,
        probability,
    });
    let mut looks = Vec::new();
    for weights in &output.attentions {
        looks.extend(
            weights.i((0, .., ids.len() - 1))?.flatten_all()?.to_vec1::<f32>()?,
        );
    }
    let next = Next {
        tokens: model.tokenizer.tokens(&ids)?,
        guesses: guesses.collect(),
        layers: model.config.n_layer,
        heads: model.config.n_head,
    };
    Ok((next, looks))
}
