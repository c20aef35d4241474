//! The three views: what each shows first, and its data in bertviz's shape.

use std::borrow::Cow;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::error::{Result, ViewError};
use crate::html::{Data, Look, Picture};
use crate::options::{Language, Theme};
use crate::panes::{
    EncoderDecoder, Included, Pane, Panes, SelfAttention, Source, chosen, prettified,
    selected,
};
use crate::stack::Part;
use crate::stack::{Stack, ToStack};

/// evcxr sets this variable for the code of its cells.
const EVCXR: &str = "EVCXR_IS_RUNTIME";

/// All heads of a layer at once: a line from each token that looks to each that is looked
/// at, as dark as the weight; bertviz's `head_view`.
///
/// ```
/// use attention_views::{HeadView, Stack};
///
/// let tokens = ["o", "gato", "sentou"];
/// let attentions = Stack::new([1, 2, 3, 3], vec![1.0 / 3.0; 18])?; // 1 layer, 2 heads
/// let view = HeadView::new(&attentions, &tokens)?.heads([1]).layer(0);
/// assert!(view.html()?.starts_with("<div"));
/// # Ok::<(), attention_views::ViewError>(())
/// ```
#[derive(Debug, Clone)]
pub struct HeadView {
    source: Source,
    included: Included,
    layer: Option<usize>,
    heads: Option<Vec<usize>>,
    prettify_tokens: bool,
    look: Look,
}

/// Every head of every layer, small; one at a time large: bertviz's `model_view`.
#[derive(Debug, Clone)]
pub struct ModelView {
    source: Source,
    included: Included,
    prettify_tokens: bool,
    look: Look,
}

/// One head from the inside: the query of a token, the key of each token, their product
/// number by number, the scaled score and the softmax; bertviz's `neuron_view`.
#[derive(Debug, Clone)]
pub struct NeuronView {
    source: Source,
    queries: Stack,
    keys: Stack,
    included: Included,
    layer: Option<usize>,
    head: Option<usize>,
    causal: bool,
    look: Look,
}

impl HeadView {
    fn of(source: Source) -> Self {
        Self {
            source,
            included: Included::default(),
            layer: None,
            heads: None,
            prettify_tokens: true,
            look: Look::default(),
        }
    }

    /// The heads shown first; without this, all.
    #[must_use]
    pub fn heads(mut self, heads: impl IntoIterator<Item = usize>) -> Self {
        self.heads = Some(heads.into_iter().collect());
        self
    }

    /// bertviz's parameters: the JSON object in its page, without the name of its `<div>`.
    ///
    /// # Errors
    ///
    /// [`ViewError`] if what was asked for isn't there.
    pub fn bertviz_json(&self) -> Result<String> {
        let panes = self.checked()?;
        Ok(json(&HeadParams {
            attention: lists(&panes, self.prettify_tokens),
            default_filter: "0",
            layer: self.layer,
            heads: self.heads.as_deref(),
            include_layers: &panes.layers,
        }))
    }

    fn checked(&self) -> Result<Panes<'_>> {
        let panes = self.source.panes(&self.included)?;
        chosen("heads", "head", self.heads.as_deref(), panes.total_heads)?;
        self.first_layer(&panes)?;
        Ok(panes)
    }

    fn data(&self) -> Result<(Data<'_>, Picture)> {
        let panes = self.checked()?;
        let (layer, at) = self.first_layer(&panes)?;
        let heads = self.heads.clone().unwrap_or_else(|| panes.heads.clone());
        let picture = Picture::lines(&panes, at, &heads);
        let mut data = Data::new("head", panes, self.prettify_tokens);
        data.layer = Some(layer);
        data.visible.clone_from(&self.heads);
        Ok((data, picture))
    }
}

impl ModelView {
    fn of(source: Source) -> Self {
        let included = Included::default();
        Self { source, included, prettify_tokens: true, look: Look::default() }
    }

    /// The heads that the grid has; without this, all.
    #[must_use]
    pub fn include_heads(mut self, heads: impl IntoIterator<Item = usize>) -> Self {
        self.included.heads = Some(heads.into_iter().collect());
        self
    }

    /// As [`HeadView::bertviz_json`].
    pub fn bertviz_json(&self) -> Result<String> {
        let panes = self.source.panes(&self.included)?;
        Ok(json(&ModelParams {
            attention: lists(&panes, self.prettify_tokens),
            default_filter: "0",
            display_mode: self.look.theme.bertviz(),
            include_layers: &panes.layers,
            include_heads: &panes.heads,
            total_heads: panes.total_heads,
        }))
    }

    fn data(&self) -> Result<(Data<'_>, Picture)> {
        let panes = self.source.panes(&self.included)?;
        let picture = Picture::grid(&panes);
        Ok((Data::new("model", panes, self.prettify_tokens), picture))
    }
}

impl NeuronView {
    /// The attentions of a text, `[heads, n, n]` for each layer, and the queries and keys
    /// that they came from, `[heads, n, d_k]` for each layer.
    ///
    /// # Errors
    ///
    /// Those of [`HeadView::new`]; [`ViewError::Vectors`] if queries or keys don't fit.
    pub fn new<T: AsRef<str>>(
        attentions: &(impl ToStack + ?Sized),
        queries: &(impl ToStack + ?Sized),
        keys: &(impl ToStack + ?Sized),
        tokens: impl IntoIterator<Item = T>,
    ) -> Result<Self> {
        let attention = SelfAttention::new(attentions, tokens)?;
        let queries = queries.to_stack("queries")?;
        let keys = keys.to_stack("keys")?;
        let Stack { layers, heads, rows, .. } = attention.stack;
        let expected = [layers, heads, rows, queries.columns];
        for (what, stack) in [("queries", &queries), ("keys", &keys)] {
            if stack.shape() != expected {
                let (found, expected) =
                    (format!("{:?}", stack.shape()), format!("{expected:?}"));
                return Err(ViewError::Vectors { what, found, expected });
            }
        }
        Ok(Self {
            source: Source::One(attention),
            queries,
            keys,
            included: Included::default(),
            layer: None,
            head: None,
            causal: false,
            look: Look::default(),
        })
    }

    /// The head shown first; without this, head 0.
    #[must_use]
    pub fn head(mut self, head: usize) -> Self {
        self.head = Some(head);
        self
    }

    /// For a model that reads left to right, such as GPT: what comes after a token is
    /// hidden from it.
    #[must_use]
    pub fn causal(mut self, causal: bool) -> Self {
        self.causal = causal;
        self
    }

    /// As [`HeadView::bertviz_json`].
    pub fn bertviz_json(&self) -> Result<String> {
        let panes = self.checked()?;
        let (queries, keys) = self.vectors(&panes);
        Ok(json(&NeuronParams {
            attention: NeuronParts { panes: &panes, queries, keys },
            default_filter: "all",
            bidirectional: !self.causal,
            display_mode: self.look.theme.bertviz(),
            layer: self.layer,
            head: self.head,
        }))
    }

    fn checked(&self) -> Result<Panes<'_>> {
        let panes = self.source.panes(&self.included)?;
        if let (Some(layer), None) = (self.layer, &self.included.layers) {
            chosen("layer", "layer", Some(&[layer]), panes.layers.len())?;
        }
        chosen(
            "head",
            "head",
            self.head.as_ref().map(std::slice::from_ref),
            panes.total_heads,
        )?;
        self.first_layer(&panes)?;
        Ok(panes)
    }

    /// The queries and keys of the layers included.
    fn vectors(&self, panes: &Panes) -> (Cow<'_, Stack>, Cow<'_, Stack>) {
        let of = |stack| selected(stack, &panes.layers, &panes.heads);
        (of(&self.queries), of(&self.keys))
    }

    fn data(&self) -> Result<(Data<'_>, Picture)> {
        let panes = self.checked()?;
        let (layer, at) = self.first_layer(&panes)?;
        let head = self.head.unwrap_or(0);
        let picture = Picture::lines(&panes, at, &[head]);
        let vectors = self.vectors(&panes);
        let mut data = Data::new("neuron", panes, true);
        data.layer = Some(layer);
        data.visible = Some(vec![head]);
        data.causal = self.causal;
        data.vectors = Some(vectors);
        Ok((data, picture))
    }
}

/// What head view and neuron view share: they show one layer at a time.
macro_rules! layer_methods {
    ($view:ident) => {
        impl $view {
            /// The layer shown first, by its number in the model; without this, the first.
            #[must_use]
            pub fn layer(mut self, layer: usize) -> Self {
                self.layer = Some(layer);
                self
            }

            /// The layer shown first, and its place among those included.
            fn first_layer(&self, panes: &Panes) -> Result<(usize, usize)> {
                let layer = self.layer.unwrap_or(panes.layers[0]);
                let at = panes.layers.iter().position(|&included| included == layer);
                let included = || panes.layers.clone();
                let none = || ViewError::NotIncluded { layer, included: included() };
                Ok((layer, at.ok_or_else(none)?))
            }
        }
    };
}
layer_methods!(HeadView);
layer_methods!(NeuronView);

/// What head view and model view share.
macro_rules! grid_methods {
    ($view:ident) => {
        impl $view {
            /// The attentions of a text, or of a pair: for each layer `[heads, n, n]`, or
            /// `[1, heads, n, n]` as models give them; `n` tokens.
            ///
            /// # Errors
            ///
            /// [`ViewError`] if there is nothing, if the layers' shapes differ, if a weight is
            /// NaN, or if there are more or fewer tokens than positions.
            pub fn new<T: AsRef<str>>(
                attentions: &(impl ToStack + ?Sized),
                tokens: impl IntoIterator<Item = T>,
            ) -> Result<Self> {
                Ok(Self::of(Source::One(SelfAttention::new(attentions, tokens)?)))
            }

            /// The attentions of an encoder and a decoder, chosen in a menu.
            pub fn encoder_decoder(attentions: EncoderDecoder) -> Self {
                Self::of(Source::Two(attentions))
            }

            /// Whether to take away the marks that some tokenizers put on words (`Ġ`, `▁`,
            /// `</w>`); without this, they are taken away.
            #[must_use]
            pub fn prettify_tokens(mut self, prettify: bool) -> Self {
                self.prettify_tokens = prettify;
                self
            }
        }
    };
}
grid_methods!(HeadView);
grid_methods!(ModelView);

/// What all views share: how they look, and where they go.
macro_rules! view_methods {
    ($view:ident, $title:literal) => {
        impl $view {
            /// Where sentence B begins, if there is one: the index of its first token. The
            /// view's menu then has A → A, B → B, A → B and B → A. It has no effect on an
            /// encoder and a decoder.
            #[must_use]
            pub fn sentence_b_start(mut self, start: impl Into<Option<usize>>) -> Self {
                if let Source::One(attention) = &mut self.source {
                    attention.sentence_b_start = start.into();
                }
                self
            }

            /// The layers that the view has; without this, all.
            #[must_use]
            pub fn include_layers(
                mut self,
                layers: impl IntoIterator<Item = usize>,
            ) -> Self {
                self.included.layers = Some(layers.into_iter().collect());
                self
            }

            /// Light or dark; without this, as the page around it.
            #[must_use]
            pub fn theme(mut self, theme: Theme) -> Self {
                self.look.theme = theme;
                self
            }

            /// The language of the labels; without this, the page's.
            #[must_use]
            pub fn language(mut self, language: Language) -> Self {
                self.look.language = language;
                self
            }

            /// The view as one self-contained HTML fragment, which asks for nothing from
            /// the network.
            ///
            /// # Errors
            ///
            /// [`ViewError`] if what was asked for isn't there.
            pub fn html(&self) -> Result<String> {
                let (data, picture) = self.data()?;
                Ok(data.fragment(self.look, &picture))
            }

            /// The view as a page of its own.
            pub fn page(&self) -> Result<String> {
                Ok(crate::html::page($title, &self.html()?, self.look.language))
            }

            /// Writes the view to a file that any browser opens, with no network.
            ///
            /// # Errors
            ///
            /// Those of `html`; [`ViewError::Save`] if the file can't be written.
            pub fn save(&self, path: impl AsRef<std::path::Path>) -> Result<()> {
                let path = path.as_ref();
                std::fs::write(path, self.page()?)
                    .map_err(|source| ViewError::Save { path: path.into(), source })
            }

            /// Shows the view: below the cell in a notebook; elsewhere it is saved in
            /// `target/views/`, and the file's name is printed.
            pub fn show(&self) -> Result<()> {
                let html = self.html()?;
                if std::env::var_os(EVCXR).is_some() {
                    self.evcxr_display();
                    return Ok(());
                }
                crate::html::show($title, &html, self.look.language)
            }

            /// Shows the view in a notebook. evcxr calls this for a view that is the last
            /// expression of a cell.
            pub fn evcxr_display(&self) {
                match self.html() {
                    Ok(html) => println!(
                        "EVCXR_BEGIN_CONTENT text/html\n{html}\nEVCXR_END_CONTENT"
                    ),
                    Err(error) => println!("error: {error}"),
                }
            }
        }
    };
}
view_methods!(HeadView, "Head view");
view_methods!(ModelView, "Model view");
view_methods!(NeuronView, "Neuron view");

fn json(value: &impl Serialize) -> String {
    // Keys are strings and numbers are finite, so nothing can go wrong.
    serde_json::to_string(value).unwrap_or_default()
}

#[derive(Serialize)]
struct HeadParams<'a> {
    attention: Vec<NamedPart<'a>>,
    default_filter: &'static str,
    layer: Option<usize>,
    heads: Option<&'a [usize]>,
    include_layers: &'a [usize],
}

#[derive(Serialize)]
struct ModelParams<'a> {
    attention: Vec<NamedPart<'a>>,
    default_filter: &'static str,
    display_mode: &'static str,
    include_layers: &'a [usize],
    include_heads: &'a [usize],
    total_heads: usize,
}

#[derive(Serialize)]
struct NamedPart<'a> {
    name: Option<&'static str>,
    attn: Part<'a>,
    left_text: Vec<String>,
    right_text: Vec<String>,
}

fn lists<'a>(panes: &'a Panes, prettify: bool) -> Vec<NamedPart<'a>> {
    let part = |pane: &Pane| {
        let shown = &panes.stacks[pane.stack];
        let text = |tokens| if prettify { prettified(tokens) } else { tokens.to_vec() };
        NamedPart {
            name: pane.filter.name(),
            attn: shown.stack.part(pane.rows.clone(), pane.columns.clone()),
            left_text: text(&shown.left[pane.rows.clone()]),
            right_text: text(&shown.right[pane.columns.clone()]),
        }
    };
    panes.list.iter().map(part).collect()
}

#[derive(Serialize)]
struct NeuronParams<'a> {
    attention: NeuronParts<'a>,
    default_filter: &'static str,
    bidirectional: bool,
    display_mode: &'static str,
    layer: Option<usize>,
    head: Option<usize>,
}

struct NeuronParts<'a> {
    panes: &'a Panes<'a>,
    queries: Cow<'a, Stack>,
    keys: Cow<'a, Stack>,
}

#[derive(Serialize)]
struct NeuronPart<'a> {
    attn: Part<'a>,
    left_text: Vec<String>,
    right_text: Vec<String>,
    queries: Part<'a>,
    keys: Part<'a>,
}

impl Serialize for NeuronParts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { queries, keys, .. } = self;
        let width = 0..queries.columns;
        let mut map = serializer.serialize_map(Some(self.panes.list.len()))?;
        for pane in &self.panes.list {
            let shown = &self.panes.stacks[pane.stack];
            let (rows, columns) = (pane.rows.clone(), pane.columns.clone());
            let part = NeuronPart {
                attn: shown.stack.part(rows.clone(), columns.clone()),
                left_text: prettified(&shown.left[rows.clone()]),
                right_text: prettified(&shown.right[columns.clone()]),
                queries: queries.part(rows, width.clone()),
                keys: keys.part(columns, width.clone()),
            };
            map.serialize_entry(pane.filter.key(), &part)?;
        }
        map.end()
    }
}
