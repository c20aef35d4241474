//! The fragment: a picture for where scripts don't run, the data, the style, the script.

use std::borrow::Cow;
use std::fmt::Write;
use std::hash::Hasher;
use std::path::Path;

use base64::prelude::{BASE64_STANDARD, Engine};
use fnv::FnvHasher;
use serde::Serialize;

use crate::error::{Result, ViewError};
use crate::numbers::{Encoded, encode};
use crate::options::{Language, Theme};
use crate::panes::{Pane, Panes, prettified};
use crate::picture;
use crate::stack::Stack;

pub(crate) use crate::picture::Picture;

/// The parts of the script, in the order in which they are read.
const SCRIPT: [&str; 12] = [
    include_str!("web/words.js"),
    include_str!("web/data.js"),
    include_str!("web/colors.js"),
    include_str!("web/pen.js"),
    include_str!("web/parts.js"),
    include_str!("web/panel.js"),
    include_str!("web/lines.js"),
    include_str!("web/export.js"),
    include_str!("web/head.js"),
    include_str!("web/model.js"),
    include_str!("web/neuron.js"),
    include_str!("web/mount.js"),
];
const STYLE: &str = include_str!("web/view.css");
/// What stands below the picture, and is hidden with it as soon as the script runs.
const NOTE: [&str; 2] = [
    "Figura parada: ela responde com JavaScript ligado ou, no JupyterLab, num notebook em que você \
     confia (Ctrl+Shift+C, “Trust Notebook”) ou depois de executar a célula.",
    "A still picture: it answers with JavaScript on or, in JupyterLab, in a notebook that you trust \
     (Ctrl+Shift+C, “Trust Notebook”) or once the cell has run.",
];

/// How a view looks.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Look {
    pub theme: Theme,
    pub language: Language,
}

/// What the script reads.
#[derive(Debug, Serialize)]
pub(crate) struct Data<'a> {
    view: &'static str,
    /// Numbers and tokens.
    stacks: Vec<StackData>,
    /// The entries of the menu.
    panes: Vec<PaneData>,
    /// The model's numbers of the layers and heads in the stacks.
    layers: Vec<usize>,
    heads: Vec<usize>,
    /// The layer shown first.
    pub layer: Option<usize>,
    /// The heads shown first, if not all.
    pub visible: Option<Vec<usize>>,
    /// Whether a token can't see what comes after it.
    pub causal: bool,
    #[serde(skip)]
    pub vectors: Option<(Cow<'a, Stack>, Cow<'a, Stack>)>,
    queries: Option<Encoded>,
    keys: Option<Encoded>,
    theme: Option<&'static str>,
    language: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct StackData {
    weights: Encoded,
    left: Vec<String>,
    right: Vec<String>,
}

#[derive(Debug, Serialize)]
struct PaneData {
    filter: &'static str,
    stack: usize,
    rows: [usize; 2],
    columns: [usize; 2],
}

impl Data<'_> {
    pub fn new(view: &'static str, panes: Panes, prettify: bool) -> Self {
        let text = |tokens| if prettify { prettified(tokens) } else { tokens.to_vec() };
        let stacks = panes.stacks.iter().map(|shown| StackData {
            weights: encode(&shown.stack, true),
            left: text(&shown.left),
            right: text(&shown.right),
        });
        let pane = |Pane { filter, stack, rows, columns }: &Pane| PaneData {
            filter: filter.key(),
            stack: *stack,
            rows: [rows.start, rows.end],
            columns: [columns.start, columns.end],
        };
        Self {
            view,
            stacks: stacks.collect(),
            panes: panes.list.iter().map(pane).collect(),
            layers: panes.layers,
            heads: panes.heads,
            layer: None,
            visible: None,
            causal: false,
            vectors: None,
            queries: None,
            keys: None,
            theme: None,
            language: None,
        }
    }

    /// A name for the view (FNV-1a of what it is of: its kind, tokens, layers and heads),
    /// by which a page's links know it. Its numbers don't count: they differ in their last
    /// bits from one processor to another. Two of a name on a page are told apart by their
    /// order.
    fn identity(&self) -> String {
        let texts: Vec<_> =
            self.stacks.iter().map(|it| (&it.left, &it.right)).collect();
        let numbers = (&self.layers, &self.heads, self.layer, &self.visible);
        // Keys are strings and numbers are finite, so nothing can go wrong.
        let json = serde_json::to_string(&(self.view, texts, &self.panes, numbers));
        short_hash(&json.unwrap_or_default())
    }

    /// The whole fragment. It has no blank lines, so that Markdown leaves it whole.
    pub fn fragment(mut self, look: Look, picture: &Picture) -> String {
        self.theme = look.theme.key();
        self.language = look.language.code();
        if let Some((queries, keys)) = &self.vectors {
            self.queries = Some(encode(queries, false));
            self.keys = Some(encode(keys, false));
        }
        // Keys are strings and numbers are finite, so nothing can go wrong.
        let json = in_script(&serde_json::to_string(&self).unwrap_or_default());
        let id = self.identity();
        let image = BASE64_STANDARD.encode(&picture.svg);
        let [portuguese, english] =
            picture.alt.each_ref().map(|alt| picture::escape(alt));
        // On a page, the other language stands aside: `in_language` of the book's tool.
        let (alt, note) = match look.language {
            Language::English => (format!("\"{english}\""), format!(">{}", NOTE[1])),
            Language::Portuguese => {
                (format!("\"{portuguese}\""), format!(">{}", NOTE[0]))
            }
            Language::Page => (
                format!("\"{portuguese}\" data-en=\"{english}\""),
                format!(" data-en=\"{}\">{}", NOTE[1], NOTE[0]),
            ),
        };
        let style = without_blank_lines(STYLE);
        let script = SCRIPT.map(without_blank_lines).concat();
        let colors = picture::COLORS;
        format!(
            "<div class=\"attention-view\" data-attention-view=\"{id}\">\n\
             <img alt={alt} src=\"data:image/svg+xml;base64,{image}\">\n\
             <p><small{note}</small></p>\n\
             <script type=\"application/json\">{json}</script>\n\
             <script type=\"text/css\">\n{style}</script>\n\
             <script type=\"module\">\nconst COLORS = {colors}{script}</script>\n\
             </div>\n"
        )
    }
}

/// A page around a fragment: light or dark as the system is.
pub(crate) fn page(title: &str, fragment: &str, language: Language) -> String {
    let language =
        language.code().map_or(String::new(), |code| format!(" lang=\"{code}\""));
    format!(
        "<!DOCTYPE html>\n\
         <html{language}>\n\
         <head>\n\
         <meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <link rel=\"icon\" href=\"data:,\">\n\
         <title>{title}</title>\n\
         <style>:root {{ color-scheme: light dark; background: light-dark(#fff, #1b1b1f); \
         color: light-dark(#1c1c1c, #e6e6e6); }} body {{ margin: 1rem auto; padding: 0 1rem; \
         max-width: 80rem; font-family: system-ui, sans-serif; }} h1 {{ font-size: 1.25rem; \
         }}</style>\n\
         </head>\n\
         <body>\n\
         <main>\n\
         <h1>{title}</h1>\n\
         {fragment}\
         </main>\n\
         </body>\n\
         </html>\n"
    )
}

/// Saves a page in `target/views/` and prints the file's name.
pub(crate) fn show(title: &str, fragment: &str, language: Language) -> Result<()> {
    let folder = Path::new("target/views");
    let name = title.to_lowercase().replace(' ', "-");
    let path = folder.join(format!("{name}-{}.html", short_hash(fragment)));
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(&path, page(title, fragment, language)))
        .map_err(|source| ViewError::Save { path: path.clone(), source })?;
    println!("{}", path.display());
    Ok(())
}

// ANCHOR: in_script
/// JSON that may stand in a `<script>`: no token can end it, nor look like a comment.
fn in_script(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                // Writing to a String does not fail.
                let _ = write!(safe, "\\u{:04x}", u32::from(character));
            }
            other => safe.push(other),
        }
    }
    safe
}
// ANCHOR_END: in_script

/// Half of FNV-1a's bits, in hexadecimal.
fn short_hash(text: &str) -> String {
    let mut hasher = FnvHasher::default();
    hasher.write(text.as_bytes());
    format!("{:08x}", hasher.finish() >> 32)
}

/// Without blank lines, nor the marks of the parts that the book shows.
fn without_blank_lines(text: &str) -> String {
    let mark = |line: &str| line.trim_start().starts_with("// ANCHOR");
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !mark(line));
    lines.fold(String::with_capacity(text.len()), |all, line| all + line + "\n")
}
