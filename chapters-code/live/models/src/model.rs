//! The models that are open.

use std::cell::RefCell;
use std::error::Error;

use attention_views::bert::OpenModel;
use bert_attention::{MaskedModel, Pretrained};
use hub::ModelFolder;
use sentiment::SentimentPipeline;

use crate::said;

/// A browser's worker has one thread.
#[derive(Default)]
struct Open {
    bert: Option<Pretrained>,
    inside: Option<OpenModel>,
    masked: Option<MaskedModel>,
    sentiment: Option<SentimentPipeline>,
    gpt: Option<generation::Pretrained>,
}

thread_local! {
    static OPEN: RefCell<Open> = RefCell::default();
}

/// Opens a folder's model: each chapter's own kind, by its name.
pub fn open(name: &str) -> Result<(), String> {
    let folder = ModelFolder::open(name).map_err(said)?;
    OPEN.with_borrow_mut(|open| {
        match name {
            "bertinho" => open.bert = Some(Pretrained::load(&folder).map_err(said)?),
            "bertinho-sentiment" => {
                open.sentiment = Some(SentimentPipeline::load(&folder).map_err(said)?);
            }
            "papagaio" => {
                open.gpt = Some(generation::Pretrained::load(&folder).map_err(said)?);
            }
            _ => return Err(format!("no page asks for {name}")),
        }
        Ok(())
    })
}

fn none(name: &str) -> String {
    format!("{name} is not open")
}

/// Asks chapter 5's BERT.
pub fn bert<R>(
    ask: impl FnOnce(&Pretrained) -> Result<R, String>,
) -> Result<R, String> {
    OPEN.with_borrow(|open| {
        let masked = open.masked.as_ref().map(|masked| &masked.model);
        ask(masked.or(open.bert.as_ref()).ok_or_else(|| none("bertinho"))?)
    })
}

/// A model made of bertinho's folder, which is opened when first asked.
fn opened<M, E: Error>(
    place: &mut Option<M>,
    load: impl FnOnce(&ModelFolder) -> Result<M, E>,
) -> Result<&M, String> {
    if place.is_none() {
        let folder = ModelFolder::open("bertinho").map_err(said)?;
        *place = Some(load(&folder).map_err(said)?);
    }
    place.as_ref().ok_or_else(|| none("bertinho"))
}

/// Asks the same model with its queries and keys given out.
pub fn inside<R>(
    ask: impl FnOnce(&OpenModel) -> Result<R, String>,
) -> Result<R, String> {
    OPEN.with_borrow_mut(|open| ask(opened(&mut open.inside, OpenModel::load)?))
}

/// Asks the same model for hidden tokens.
pub fn masked<R>(
    ask: impl FnOnce(&MaskedModel) -> Result<R, String>,
) -> Result<R, String> {
    OPEN.with_borrow_mut(|open| {
        let masked = opened(&mut open.masked, MaskedModel::load)?;
        open.bert = None; // the other has it inside
        ask(masked)
    })
}

/// Asks chapter 4's classifier.
pub fn sentiment<R>(
    ask: impl FnOnce(&SentimentPipeline) -> Result<R, String>,
) -> Result<R, String> {
    OPEN.with_borrow(|open| {
        ask(open.sentiment.as_ref().ok_or_else(|| none("bertinho-sentiment"))?)
    })
}

/// Asks chapter 9's model.
pub fn gpt<R>(
    ask: impl FnOnce(&generation::Pretrained) -> Result<R, String>,
) -> Result<R, String> {
    OPEN.with_borrow(|open| ask(open.gpt.as_ref().ok_or_else(|| none("papagaio"))?))
}
