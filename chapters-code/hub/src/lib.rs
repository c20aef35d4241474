//! Where weights come from: a folder on disk, a name that ships with the book, or the
//! Hugging Face Hub; everything validated before a model is built.
//!
//! ```no_run
//! use candle_core::DType;
//! use hub::{HubOptions, Truncate};
//!
//! let folder = hub::resolve("bert-base-uncased", &HubOptions::from_env())?;
//! let config = folder.config()?;
//! let tokenizer = folder.tokenizer()?;
//! let encoded = tokenizer.encode("the cat sat", None, Truncate::Error)?;
//! let word_embeddings = hub::load(&folder, DType::F32, |vb| {
//!     vb.get((config.vocab_size, config.hidden_size), "bert.embeddings.word_embeddings.weight")
//! })?;
//! # Ok::<(), hub::ModelError>(())
//! ```

mod arguments;
mod cache;
mod checkpoint;
mod config;
pub mod disk;
mod download;
mod error;
mod file;
mod folder;
mod http;
mod hub;
mod hub_error;
mod layout;
mod load;
mod parts;
mod remote;
mod repository;
mod rules;
pub mod settings;
mod tokenizer;

pub use arguments::{ModelArguments, ModelSource};
pub use checkpoint::Checkpoint;
pub use config::{Activation, Architecture, Config, ProblemType};
pub use error::{Mismatch, ModelError, Result, WrongShape};
pub use folder::{ModelFolder, resolve};
pub use hub::HubOptions;
pub use hub_error::HubError;
pub use layout::SHIPPED;
pub use load::{load, load_checkpoint};
pub use safetensors::tensor::{Dtype as StoredDType, TensorInfo};
pub use tokenizer::{CaseRule, Encoded, Tokenizer, Truncate};
