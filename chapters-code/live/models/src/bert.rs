//! Chapters 5 and 7: the attentions of the reader's sentence, and views of them.

use attention_views::{HeadView, Language, ModelView, NeuronView};
use bert_attention::Attentions;
use hub::Truncate;
use serde::{Deserialize, Serialize};

use crate::{model, said};

#[derive(Deserialize)]
pub struct Texts {
    text: String,
    pair: Option<String>,
}

/// `ch05-bert-attention --json`, but for the attentions, which are numbers apart.
#[derive(Serialize)]
pub struct Found {
    tokens: Vec<String>,
    sentence_b_start: Option<usize>,
    layers: usize,
    heads: usize,
}

/// The attentions of every head, `[layers, heads, n, n]`.
pub fn attentions(texts: &Texts) -> Result<(Found, Vec<f32>), String> {
    let found = model::bert(|model| {
        let pair = texts.pair.as_deref();
        Attentions::of(model, &texts.text, pair, Truncate::Error).map_err(said)
    })?;
    let heads = found.attentions.first().map_or(0, |layer| layer.dim().1);
    let layers = found.attentions.len();
    let mut numbers = Vec::with_capacity(layers * heads * found.tokens.len().pow(2));
    for layer in &found.attentions {
        match layer.as_slice() {
            Some(all) => numbers.extend_from_slice(all), // [1, heads, n, n]
            None => numbers.extend(layer.iter()),
        }
    }
    let Attentions { tokens, sentence_b_start, .. } = found;
    Ok((Found { tokens, sentence_b_start, layers, heads }, numbers))
}

#[derive(Deserialize)]
pub struct ViewRequest {
    kind: String,
    text: String,
    pair: Option<String>,
    language: String,
}

/// A view as chapter 7 makes it, in HTML.
pub fn view(request: &ViewRequest) -> Result<(String, Vec<f32>), String> {
    let ViewRequest { kind, text, pair, language } = request;
    let pair = pair.as_deref();
    let language =
        if language == "pt-BR" { Language::Portuguese } else { Language::English };
    if kind == "neuron" {
        let open = model::inside(|model| {
            model.open(text, pair, Truncate::Error).map_err(said)
        })?;
        let found = &open.attentions;
        let view = NeuronView::new(found, &open.queries, &open.keys, &found.tokens);
        let view = split(
            view.map_err(said)?,
            found.sentence_b_start,
            NeuronView::sentence_b_start,
        );
        return Ok((view.language(language).html().map_err(said)?, Vec::new()));
    }
    let found = model::bert(|model| {
        Attentions::of(model, text, pair, Truncate::Error).map_err(said)
    })?;
    let start = found.sentence_b_start;
    let html = if kind == "model" {
        let view = ModelView::new(&found, &found.tokens).map_err(said)?;
        split(view, start, ModelView::sentence_b_start).language(language).html()
    } else {
        let view = HeadView::new(&found, &found.tokens).map_err(said)?;
        split(view, start, HeadView::sentence_b_start).language(language).html()
    };
    Ok((html.map_err(said)?, Vec::new()))
}

/// Tells a view of a pair where the second sentence begins.
fn split<V>(view: V, start: Option<usize>, tell: fn(V, usize) -> V) -> V {
    match start {
        Some(start) => tell(view, start),
        None => view,
    }
}
