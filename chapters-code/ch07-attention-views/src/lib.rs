//! Chapter 7: views of attention, as HTML that works with no network.
//!
//! The three views of Python's bertviz 1.4.1, with the same data ([`HeadView`],
//! [`ModelView`], [`NeuronView`]). Each is one self-contained fragment: it works in the
//! book, in a notebook's cell ([`HeadView::evcxr_display`]) and as a file
//! ([`HeadView::save`]).
//!
//! ```
//! use attention_views::{HeadView, Stack};
//!
//! let tokens = ["[CLS]", "o", "gato", "[SEP]", "a", "gata", "[SEP]"];
//! let attentions = Stack::new([12, 12, 7, 7], vec![1.0 / 7.0; 12 * 12 * 7 * 7])?;
//! let starter = 4; // where sentence B begins
//! let view = HeadView::new(&attentions, &tokens)?
//!     .sentence_b_start(starter)
//!     .heads([8])
//!     .layer(0);
//! let html = view.html()?;
//! assert!(html.contains("data-attention-view"));
//! # Ok::<(), attention_views::ViewError>(())
//! ```
//!
//! With the feature `bert` (on by default), chapter 5's attentions are taken as they are,
//! and `bert::OpenModel` gives the queries and keys of any BERT. With the feature
//! `transformer` (also on), [`EncoderDecoder`] takes the records of chapter 2's Transformer.

#[cfg(feature = "bert")]
pub mod bert;
mod error;
mod html;
mod numbers;
mod options;
mod panes;
mod picture;
mod stack;
#[cfg(feature = "transformer")]
mod transformer;
mod views;

pub use error::{Result, ViewError};
pub use options::{Language, Theme};
pub use panes::{EncoderDecoder, Filter};
pub use stack::{Layer, Stack, ToLayer, ToStack};
pub use views::{HeadView, ModelView, NeuronView};
