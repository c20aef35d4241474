//! Whether two runs of a notebook printed and drew the same.
//!
//! A sum differs in its last bits from one processor to the next, as its vectors are
//! wider or fuse a product with a sum, and so do exponentials from one system to the
//! next. So the words, the counts and the shapes of the pictures must be equal, and the
//! numbers as close as their arithmetic can promise.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::Read;
use std::sync::LazyLock;

use anyhow::{Context, Result, bail, ensure};
use base64::prelude::{BASE64_STANDARD, Engine};
use ego_tree::NodeRef;
use flate2::read::ZlibDecoder;
use jupyter_protocol::media::Media;
use nbformat::v4::{Cell, Notebook, Output};
use regex::Regex;
use scraper::node::{Element, Node};
use serde_json::Value;

use crate::figure;
use crate::notebook::{self, INSTALL, SETUP, VARIES};
use crate::workspace::Language;

/// How far apart two weights in a view's data may be, however small they are: chapter
/// 5's tolerance beside transformers.
const WEIGHT: f64 = 2e-6;
/// How far apart two colors may be in each of red, green and blue, from 0 to 255: the
/// steepest step of viridis' 256. Where it is flat, that is several steps.
const COLOR: u8 = 3;

/// What a chapter computes in.
#[derive(Debug, Clone, Copy)]
enum Arithmetic {
    F64,
    F32,
}

impl Arithmetic {
    /// How far apart two results may be, as a share of the larger one.
    fn relative(self) -> f64 {
        match self {
            Self::F64 => 1e-12,
            Self::F32 => 2e-5,
        }
    }

    /// How far apart two numbers may be: in f32, by one unit of the last printed place,
    /// too, since a result beside the middle of two may be rounded either way.
    fn limit(self, larger: f64, unit: f64) -> f64 {
        let relative = self.relative() * larger;
        match self {
            Self::F64 => relative,
            Self::F32 => relative.max(unit),
        }
    }
}

/// What two runs that agree have in common.
#[derive(Debug, Default)]
pub struct Agreement {
    /// How many cells were compared.
    pub cells: usize,
    /// The two printed numbers that are furthest apart, if any differ.
    pub largest: Option<Difference>,
}

/// A number that the two runs print differently.
#[derive(Debug)]
pub struct Difference {
    /// The cell's id.
    pub cell: String,
    /// As it was recorded.
    pub expected: String,
    /// As it came out.
    pub found: String,
    /// Their distance as a share of the larger one.
    pub relative: f64,
}

impl fmt::Display for Agreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.largest {
            None => write!(f, "the outputs of {} cells are equal", self.cells),
            Some(Difference { cell, expected, found, relative }) => write!(
                f,
                "the outputs of {} cells agree; furthest apart are {expected} and {found} \
                 ({relative:.1e}) of cell {cell:?}",
                self.cells
            ),
        }
    }
}

/// Checks that two notebooks printed and drew the same, cell by cell (the setup cell
/// apart). Of cells that vary, the words and the kinds of output count, but not the
/// figures.
///
/// # Errors
///
/// The first cell that differs, and where.
pub fn notebooks(expected: &Notebook, actual: &Notebook) -> Result<Agreement> {
    let mut found: BTreeMap<&str, &[Output]> = cells(actual).collect();
    let mut judge = Judge::new(expected);
    for (id, outputs) in cells(expected) {
        let Some(actual) = found.remove(id) else { bail!("cell {id:?} is gone") };
        judge.begin(id);
        judge
            .outputs(&pieces(outputs)?, &pieces(actual)?)
            .with_context(|| other_outputs(id))?;
    }
    ensure!(judge.agreement.cells > 0, "there is no cell to compare");
    ensure!(found.is_empty(), "there are other cells: {:?}", found.keys());
    Ok(judge.agreement)
}

/// Checks that a walkthrough printed and drew what its chapter's notebook records. What
/// the kernel wrote to standard error is not part of it.
///
/// # Errors
///
/// The first cell that differs, and where.
pub fn walkthrough(expected: &Notebook, printed: &str) -> Result<Agreement> {
    let mut found = printed_pieces(printed).into_iter();
    let mut judge = Judge::new(expected);
    for (id, outputs) in cells(expected) {
        let wanted = pieces(outputs)?;
        let mut wanted: Vec<Piece> =
            wanted.into_iter().filter(|piece| piece.kind != "stderr").collect();
        let mut actual: Vec<Piece> = found.by_ref().take(wanted.len()).collect();
        // The kernel sends a cell's lines and figures by ways of their own.
        for pieces in [&mut wanted, &mut actual] {
            pieces.sort_by_key(|piece| !piece.is_text());
        }
        judge.begin(id);
        judge.outputs(&wanted, &actual).with_context(|| other_outputs(id))?;
    }
    ensure!(judge.agreement.cells > 0, "there is no cell to compare");
    if let Some(more) = found.next() {
        bail!("the walkthrough goes on where the notebook ends: {}", more.content);
    }
    Ok(judge.agreement)
}

fn other_outputs(id: &str) -> String {
    format!("cell {id:?} gives other outputs")
}

/// The cells to compare, in order, with their outputs.
fn cells(notebook: &Notebook) -> impl Iterator<Item = (&str, &[Output])> {
    notebook::code_cells(notebook)
        .map(|(id, _, outputs)| (id, outputs))
        .filter(|(id, _)| ![SETUP, INSTALL].contains(id))
}

/// A line that was printed, or one form of something drawn.
#[derive(Debug, PartialEq)]
struct Piece {
    /// `stdout`, `stderr`, or a MIME type.
    kind: String,
    content: String,
}

impl Piece {
    fn new(kind: &str, content: &str) -> Self {
        Self { kind: kind.to_owned(), content: content.to_owned() }
    }

    fn is_text(&self) -> bool {
        !self.kind.contains('/')
    }
}

/// Outputs, line by line and form by form.
fn pieces(outputs: &[Output]) -> Result<Vec<Piece>> {
    let mut pieces = Vec::new();
    for output in notebook::tidy(outputs.to_vec()) {
        match &output {
            Output::Stream { name, text } => {
                pieces.extend(text.0.lines().map(|line| Piece::new(name, line)));
            }
            Output::DisplayData(display) => pieces.extend(forms(&display.data)?),
            Output::ExecuteResult(result) => pieces.extend(forms(&result.data)?),
            Output::Error(error) => {
                pieces.push(Piece::new("error", &format!("{error:?}")));
            }
        }
    }
    Ok(pieces)
}

/// The forms of something drawn, by their MIME types (a notebook's are in any order).
fn forms(media: &Media) -> Result<Vec<Piece>> {
    let Value::Object(forms) = serde_json::to_value(media)? else {
        bail!("an output without a type: {media:?}");
    };
    let sorted: BTreeMap<String, Value> = forms.into_iter().collect();
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Array(lines) => lines.iter().filter_map(Value::as_str).collect(),
        other => other.to_string(),
    };
    Ok(sorted.iter().map(|(kind, value)| Piece::new(kind, &text(value))).collect())
}

/// What a program printed, as the kernel would read it: lines, and the forms of its
/// figures, which print the SVG before the HTML.
fn printed_pieces(printed: &str) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut lines = printed.lines();
    while let Some(line) = lines.next() {
        let Some(kind) = line.strip_prefix("EVCXR_BEGIN_CONTENT ") else {
            pieces.push(Piece::new("stdout", line));
            continue;
        };
        let content: Vec<&str> =
            lines.by_ref().take_while(|line| *line != "EVCXR_END_CONTENT").collect();
        pieces.push(Piece::new(kind, &content.join("\n")));
    }
    pieces
}

/// Compares, and remembers what it saw.
struct Judge<'a> {
    arithmetic: Arithmetic,
    varying: BTreeSet<&'a str>,
    cell: String,
    varies: bool,
    agreement: Agreement,
}

impl<'a> Judge<'a> {
    fn new(expected: &'a Notebook) -> Self {
        Self {
            arithmetic: arithmetic(expected),
            varying: varying(expected).collect(),
            cell: String::new(),
            varies: false,
            agreement: Agreement::default(),
        }
    }

    fn begin(&mut self, cell: &str) {
        cell.clone_into(&mut self.cell);
        self.varies = self.varying.contains(cell);
        self.agreement.cells += 1;
    }

    fn outputs(&mut self, expected: &[Piece], found: &[Piece]) -> Result<()> {
        for (wanted, found) in expected.iter().zip(found) {
            same("output", &wanted.kind, &found.kind)?;
            self.piece(wanted, found)?;
        }
        let more = |pieces: &[Piece], others: &[Piece]| {
            pieces.get(others.len()).map_or("nothing more".to_owned(), |piece| {
                format!("{} {:?}", piece.kind, beginning(&piece.content))
            })
        };
        ensure!(
            expected.len() == found.len(),
            "expected: {}\nfound: {}",
            more(expected, found),
            more(found, expected)
        );
        Ok(())
    }

    fn piece(&mut self, expected: &Piece, found: &Piece) -> Result<()> {
        let (wanted, found) = (&expected.content, &found.content);
        match expected.kind.as_str() {
            _ if self.varies && expected.is_text() => {
                same("words", &without_numbers(wanted), &without_numbers(found))
            }
            _ if self.varies => Ok(()), // drawn from figures that are the processor's
            _ if expected.is_text() => self.text(wanted, found),
            "image/svg+xml" | "text/html" => self.markup(wanted, found),
            _ => same("output", wanted, found),
        }
    }

    /// Words equal, numbers close.
    fn text(&mut self, expected: &str, found: &str) -> Result<()> {
        let apart = || format!("expected: {expected}\nfound: {found}");
        let [wanted, actual] = [expected, found].map(tokens);
        ensure!(wanted.len() == actual.len(), "{}", apart());
        for (wanted, actual) in wanted.into_iter().zip(actual) {
            if wanted == actual {
                continue;
            }
            let relative = close(self.arithmetic, wanted, actual)
                .with_context(|| format!("{wanted} became {actual}\n{}", apart()))?;
            self.remember(wanted, actual, relative);
        }
        Ok(())
    }

    fn remember(&mut self, expected: &str, found: &str, relative: f64) {
        let largest = self.agreement.largest.as_ref();
        if largest.is_none_or(|largest| relative > largest.relative) {
            let [expected, found] = [expected, found].map(str::to_owned);
            let cell = self.cell.clone();
            self.agreement.largest =
                Some(Difference { cell, expected, found, relative });
        }
    }

    /// SVG or HTML: the same elements, with attributes and texts that agree.
    fn markup(&mut self, expected: &str, found: &str) -> Result<()> {
        let [wanted, actual] = [expected, found].map(|drawn| {
            // A record has a language; what has just been executed has both.
            let drawn = figure::in_language(drawn, Language::Portuguese);
            scraper::Html::parse_fragment(&drawn)
        });
        let mut pairs = vec![(wanted.tree.root(), actual.tree.root(), 1.0)];
        while let Some((wanted, actual, mut pixel)) = pairs.pop() {
            if is_picture_of_view(&wanted) {
                continue;
            }
            match (wanted.value(), actual.value()) {
                (Node::Element(wanted), Node::Element(actual)) => {
                    pixel = units_per_pixel(wanted).unwrap_or(pixel);
                    self.element(wanted, actual, pixel)?;
                }
                (Node::Text(wanted), Node::Text(actual)) => {
                    self.content(wanted, actual)?;
                }
                (wanted, actual) => same("kind of node", &kind(wanted), &kind(actual))?,
            }
            let (wanted, actual) = (wanted.children(), actual.children());
            let counts = [wanted.clone().count(), actual.clone().count()];
            same("number of parts", &counts[0].to_string(), &counts[1].to_string())?;
            pairs.extend(wanted.zip(actual).map(|(a, b)| (a, b, pixel)));
        }
        Ok(())
    }

    fn element(
        &mut self,
        expected: &Element,
        found: &Element,
        pixel: f64,
    ) -> Result<()> {
        same("element", expected.name(), found.name())?;
        let [wanted, actual] = [expected, found]
            .map(|element| element.attrs().collect::<BTreeMap<&str, &str>>());
        let names = |of: &BTreeMap<&str, &str>| format!("{:?}", of.keys());
        same("attributes", &names(&wanted), &names(&actual))?;
        for (name, wanted) in wanted {
            let found = actual[name];
            self.attribute(name, wanted, found, pixel)
                .with_context(|| format!("<{}>'s {name}", expected.name()))?;
        }
        Ok(())
    }

    fn attribute(
        &mut self,
        name: &str,
        expected: &str,
        found: &str,
        pixel: f64,
    ) -> Result<()> {
        match name {
            _ if expected == found => Ok(()),
            // the hash of the content
            "id" | "aria-labelledby" | "data-attention-view" => Ok(()),
            "x" | "y" | "width" | "height" | "cx" | "cy" | "r" | "d" | "points"
            | "transform" | "viewBox" => coordinates(expected, found, pixel),
            "fill" | "stroke" => colors(expected, found),
            "src" | "href" => self.embedded(expected, found),
            "alt" | "title" | "aria-label" | "data-en" => self.text(expected, found),
            _ => same("value", expected, found),
        }
    }

    /// The text of an element; of a view's data, the numbers in it.
    fn content(&mut self, expected: &str, found: &str) -> Result<()> {
        if expected == found {
            return Ok(());
        }
        match [expected, found].map(serde_json::from_str::<Value>) {
            [Ok(wanted @ Value::Object(_)), Ok(actual)] => self.json(&wanted, &actual),
            _ => self.text(expected, found),
        }
    }

    fn json(&mut self, expected: &Value, found: &Value) -> Result<()> {
        match (expected, found) {
            (Value::Object(wanted), Value::Object(actual)) => {
                if let (Some(wanted), Some(actual)) = (packed(wanted), packed(actual)) {
                    return weights(self.arithmetic, &wanted?, &actual?);
                }
                let names = |of: &serde_json::Map<String, Value>| {
                    format!("{:?}", of.keys().collect::<BTreeSet<_>>())
                };
                same("keys", &names(wanted), &names(actual))?;
                wanted
                    .iter()
                    .try_for_each(|(key, value)| self.json(value, &actual[key]))
            }
            (Value::Array(wanted), Value::Array(actual)) => {
                let counts = [wanted, actual].map(|list| list.len().to_string());
                same("number of items", &counts[0], &counts[1])?;
                wanted.iter().zip(actual).try_for_each(|(a, b)| self.json(a, b))
            }
            (Value::Number(wanted), Value::Number(actual)) => {
                let [x, y] = [wanted, actual].map(|n| n.as_f64().unwrap_or(f64::NAN));
                let limit = self.arithmetic.limit(x.abs().max(y.abs()), 0.0);
                ensure!((x - y).abs() <= limit, "{x} became {y}");
                Ok(())
            }
            _ => same("value", &expected.to_string(), &found.to_string()),
        }
    }

    /// A picture within the picture.
    fn embedded(&mut self, expected: &str, found: &str) -> Result<()> {
        for (kind, svg) in
            [("data:image/svg+xml;base64,", true), ("data:image/png;base64,", false)]
        {
            let [wanted, actual] =
                [expected, found].map(|address| address.strip_prefix(kind));
            let (Some(wanted), Some(actual)) = (wanted, actual) else { continue };
            let [wanted, actual] =
                [wanted, actual].map(|data| BASE64_STANDARD.decode(data));
            let (wanted, actual) = (wanted?, actual?);
            return if svg {
                self.markup(str::from_utf8(&wanted)?, str::from_utf8(&actual)?)
            } else {
                pixels(&wanted, &actual)
            };
        }
        same("address", expected, found)
    }
}

/// What a chapter computes in, as its notebook says.
fn arithmetic(notebook: &Notebook) -> Arithmetic {
    let book = notebook.metadata.additional.get("book");
    match book.and_then(|book| book.get("arithmetic")?.as_str()) {
        Some("f32") => Arithmetic::F32,
        _ => Arithmetic::F64,
    }
}

/// The cells whose figures are the processor's.
fn varying(notebook: &Notebook) -> impl Iterator<Item = &str> {
    notebook.cells.iter().filter_map(|cell| match cell {
        Cell::Code { id, metadata, .. } => {
            let tags = metadata.tags.as_deref().unwrap_or_default();
            tags.iter().any(|tag| tag == VARIES).then(|| id.as_str())
        }
        _ => None,
    })
}

fn same(what: &str, expected: &str, found: &str) -> Result<()> {
    ensure!(
        expected == found,
        "other {what}\nexpected: {}\nfound: {}",
        beginning(expected),
        beginning(found)
    );
    Ok(())
}

/// As much of a text as a message holds.
fn beginning(text: &str) -> String {
    const MOST: usize = 2000;
    let short: String = text.chars().take(MOST).collect();
    if short.len() < text.len() { short + " …" } else { short }
}

fn kind(node: &Node) -> String {
    match node {
        Node::Element(element) => element.name().to_owned(),
        Node::Text(_) => "text".to_owned(),
        other => format!("{other:?}"),
    }
}

/// A text with `#` for each number, and for the spaces that align it.
fn without_numbers(text: &str) -> String {
    let mut words = Vec::new();
    for word in text.split_whitespace() {
        let number = word.contains(|c: char| c.is_ascii_digit());
        words.push(if number { "#" } else { word });
    }
    words.join(" ")
}

/// Words (`f32` is one), numbers with their signs, and every other character.
static TOKEN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"[\p{L}_][\p{L}\p{N}_]*|[-+−]?\d+(?:\.\d+)?(?:e[-+]?\d+)?|\S")
        .expect("the expression is well formed")
});

fn tokens(text: &str) -> Vec<&str> {
    TOKEN.find_iter(text).map(|token| token.as_str()).collect()
}

/// How far apart two numbers are, as a share of the larger one, if that is near enough.
/// Whole numbers count, rank or name something, and have to be equal.
fn close(arithmetic: Arithmetic, expected: &str, found: &str) -> Result<f64> {
    let [a, b] = [expected, found].map(|token| token.replace('−', "-"));
    let fraction = |text: &str| text.contains(['.', 'e']);
    ensure!(fraction(&a) || fraction(&b), "no number that may differ");
    let (x, y): (f64, f64) = (a.parse()?, b.parse()?);
    let (apart, larger) = ((x - y).abs(), x.abs().max(y.abs()));
    let (unit, other) = (unit(&a)?, unit(&b)?);
    let unit = if unit.total_cmp(&other).is_eq() {
        unit
    } else {
        // Written with as few digits as they need, of the four that are read out.
        10_f64.powf(larger.log10().floor() - 3.0)
    };
    let unit = unit * (1.0 + 1e-9);
    ensure!(
        apart <= arithmetic.limit(larger, unit),
        "{apart:.1e} apart, which is more than {arithmetic:?} explains"
    );
    Ok(if larger > 0.0 { apart / larger } else { 0.0 })
}

/// The value of a number's last place: 0.01 for `3.14`, 1e-6 for `3.1e-5`.
fn unit(number: &str) -> Result<f64> {
    let (digits, power) = number.split_once('e').unwrap_or((number, "0"));
    let decimals = digits.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let power: i32 = power.parse()?;
    Ok(10_f64.powi(power - i32::try_from(decimals)?))
}

/// The units of an SVG's own coordinates that make a pixel, if the element is an SVG.
fn units_per_pixel(element: &Element) -> Option<f64> {
    let view = element.attr("viewBox")?.split_whitespace().nth(2)?;
    let (units, pixels): (f64, f64) =
        (view.parse().ok()?, element.attr("width")?.parse().ok()?);
    Some(units / pixels)
}

/// The letters of a path's commands and of a transformation, and the numbers between.
static COORDINATE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"[A-Za-z]+|[-+]?\d+(?:\.\d+)?|[^\s,]").expect("it is well formed")
});

/// Two lists of coordinates, each within a pixel.
fn coordinates(expected: &str, found: &str, pixel: f64) -> Result<()> {
    let [wanted, actual] = [expected, found].map(|text| -> Vec<&str> {
        COORDINATE.find_iter(text).map(|token| token.as_str()).collect()
    });
    let apart = || format!("expected: {expected}\nfound: {found}");
    ensure!(wanted.len() == actual.len(), "{}", apart());
    for (wanted, actual) in wanted.iter().zip(&actual) {
        match [wanted, actual].map(|token| token.parse::<f64>()) {
            [Ok(x), Ok(y)] => ensure!((x - y).abs() <= pixel, "{}", apart()),
            _ => same("command", wanted, actual)?,
        }
    }
    Ok(())
}

/// Whether a node is the still picture of a view. It is drawn from the weights beside it,
/// in levels, so it may differ by a level where they differ in the last bit.
fn is_picture_of_view(node: &NodeRef<'_, Node>) -> bool {
    let is_image = node.value().as_element().is_some_and(|it| it.name() == "img");
    let parent = node.parent();
    let above = parent.as_ref().and_then(|parent| parent.value().as_element());
    is_image && above.is_some_and(|it| it.attr("data-attention-view").is_some())
}

/// Two colors, each channel within a step of the scale; black and white are one, for a
/// number in a cell has the one that is better read on the cell's color.
fn colors(expected: &str, found: &str) -> Result<()> {
    let inks = ["#000000", "#ffffff"];
    if inks.contains(&expected) && inks.contains(&found) {
        return Ok(());
    }
    let channels = |text: &str| -> Option<[u8; 3]> {
        let number = u32::from_str_radix(text.strip_prefix('#')?, 16).ok()?;
        let [_, red, green, blue] = number.to_be_bytes();
        (text.len() == 7).then_some([red, green, blue])
    };
    match [expected, found].map(channels) {
        [Some(wanted), Some(actual)] => all_near(&wanted, &actual),
        _ => same("color", expected, found),
    }
}

fn all_near(expected: &[u8], found: &[u8]) -> Result<()> {
    let near = expected.iter().zip(found).all(|(a, b)| a.abs_diff(*b) <= COLOR);
    ensure!(near && expected.len() == found.len(), "other colors");
    Ok(())
}

/// Two PNGs of one size, each pixel within a step of the scale.
fn pixels(expected: &[u8], found: &[u8]) -> Result<()> {
    let decode = |file: &[u8]| -> Result<(u32, u32, Vec<u8>)> {
        let mut decoder = png::Decoder::new(std::io::Cursor::new(file));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info()?;
        let size = reader.output_buffer_size().context("a picture too large")?;
        let mut bytes = vec![0; size];
        let frame = reader.next_frame(&mut bytes)?;
        bytes.truncate(frame.buffer_size());
        Ok((frame.width, frame.height, bytes))
    };
    let ((width, height, wanted), (w, h, actual)) = (decode(expected)?, decode(found)?);
    same("size", &format!("{width} × {height}"), &format!("{w} × {h}"))?;
    all_near(&wanted, &actual)
}

/// The numbers of a view's stack, if `object` is one: what chapter 7's `numbers.rs` packs.
fn packed(
    object: &serde_json::Map<String, Value>,
) -> Option<Result<(String, Vec<f64>)>> {
    let data = object.get("data")?.as_str()?;
    let (shape, kind) = (object.get("shape")?, object.get("kind")?.as_str()?);
    let stack = unpack(kind, data).map(|values| (format!("{kind} {shape}"), values));
    Some(stack)
}

/// Bytes in planes: the most significant byte of every number first.
fn unpack(kind: &str, data: &str) -> Result<Vec<f64>> {
    let mut bytes = Vec::new();
    ZlibDecoder::new(&*BASE64_STANDARD.decode(data)?).read_to_end(&mut bytes)?;
    let planes = match kind {
        "f32" => 4,
        "u16" => 2,
        other => bail!("weights as {other:?}"),
    };
    ensure!(bytes.len().is_multiple_of(planes), "{} bytes of {kind}", bytes.len());
    let count = bytes.len() / planes;
    let byte = |plane: usize, i: usize| bytes[plane * count + i];
    let value = |i: usize| match kind {
        "f32" => f32::from_be_bytes([0, 1, 2, 3].map(|plane| byte(plane, i))).into(),
        _ => {
            f64::from(u16::from_be_bytes([0, 1].map(|plane| byte(plane, i)))) / 65535.0
        }
    };
    Ok((0..count).map(value).collect())
}

fn weights(
    arithmetic: Arithmetic,
    (shape, expected): &(String, Vec<f64>),
    (found_shape, found): &(String, Vec<f64>),
) -> Result<()> {
    same("shape", shape, found_shape)?;
    // A rounded weight may be rounded either way.
    let step = if shape.starts_with("u16") { 1.0 / 65535.0 } else { 0.0 };
    let counts = [expected.len().to_string(), found.len().to_string()];
    same("number of weights", &counts[0], &counts[1])?;
    for (i, (a, b)) in expected.iter().zip(found).enumerate() {
        let limit =
            arithmetic.limit(a.abs().max(b.abs()), WEIGHT) + step * (1.0 + 1e-9);
        ensure!((a - b).abs() <= limit, "number {i}: {a} became {b}");
    }
    Ok(())
}
