//! A page's prose as Jupyter reads it.
//!
//! Jupyter's Markdown has no heading attributes, footnotes, admonitions or definition lists,
//! names headings by a rule of its own, and takes what stands between two dollar signs for a
//! formula. So mdBook's own parser says what the prose means; what Jupyter would read in
//! another way is written so that it can't, or refused, and all else stays as it is.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use base64::prelude::{BASE64_STANDARD, Engine};
use mdbook_markdown::pulldown_cmark::{Event, LinkType, Tag, TagEnd};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::check::site::{is_elsewhere, is_state};
use crate::figure;
use crate::include::normalize;
use crate::markdown;
use crate::math;
use crate::page::Located;
use crate::references;
use crate::workspace::{Chapter, Language, Workspace, forward};

/// What nbconvert leaves as it is in a heading's name, but for the dollar sign, which would
/// begin a formula.
const FRAGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'?')
    .remove(b'/')
    .remove(b':')
    .remove(b'@')
    .remove(b'!')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=');

/// Stands between two blocks, so that neither goes on in the other.
const SEPARATOR: &str = "\n\n<!-- -->\n\n";

/// The notebook that prose is written for.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// Where pages and drawings are.
    pub workspace: &'a Workspace,
    /// Whose page it is.
    pub chapter: &'a Chapter,
    /// The edition.
    pub language: Language,
}

impl Place<'_> {
    /// The prose of each block, captions and questions too, cut before its headings. Other
    /// blocks have none.
    ///
    /// # Errors
    ///
    /// With the page's line: what Jupyter has no form for, a formula that `KaTeX` refuses,
    /// an image that can't be read.
    pub fn prose(&self, blocks: &[Located]) -> Result<Vec<Vec<String>>> {
        let (source, ranges) = joined(blocks);
        let mut writer = Writer::new(*self, &source);
        for index in 0..writer.events.len() {
            writer.rewrite(index).with_context(|| {
                let start = writer.events[index].1.start;
                let inside = ranges.iter().position(|range| start < range.end);
                let block = inside.unwrap_or(ranges.len() - 1);
                let above = &source[ranges[block].start.min(start)..start];
                let line = blocks[block].line + above.matches('\n').count();
                format!("{}:{line}", self.chapter.page().display())
            })?;
        }
        writer.edits.sort_by_key(|(range, _)| range.start);
        Ok(ranges.iter().map(|range| writer.pieces(range)).collect())
    }

    /// The title of a fold, which is HTML and no Markdown.
    ///
    /// # Errors
    ///
    /// If it is more than a line, or `KaTeX` refuses a formula.
    pub fn title(&self, text: &str) -> Result<String> {
        let words = |words: &str| words.replace('$', SHIELDED_DOLLAR);
        math::line_to_html(text, words, |tex| Ok(figure::escape(&dollars(tex, false)?)))
    }

    /// Where a link or image of the page leads from the notebook; none for a link to a figure or
    /// a formula, which has no name there, or one that sets a view or a live element of the page: Jupyter
    /// keeps addresses to itself.
    fn address(
        &self,
        outline: &Outline,
        to: &str,
        is_image: bool,
    ) -> Result<Option<String>> {
        if let Some(id) = to.strip_prefix('#') {
            if ["fig-", "eq-"].iter().any(|kind| id.starts_with(kind)) || is_state(id) {
                return Ok(None);
            }
            let name = outline.headings.get(id);
            return Ok(Some(name.map_or(to.to_owned(), |name| format!("#{name}"))));
        }
        if is_elsewhere(to) || to.starts_with('/') {
            return Ok(Some(to.to_owned()));
        }
        let (path, part) = to.split_at(to.find('#').unwrap_or(to.len()));
        let page = self.chapter.page();
        let path = normalize(&page.with_file_name(path));
        if is_image {
            return Ok(Some(self.data_address(&path)?));
        }
        let key = part.trim_start_matches('#');
        if let Some(work) = references::address_of(self.workspace, &path, key)? {
            return Ok(Some(work));
        }
        Ok(match self.workspace.chapter(&path) {
            Some(chapter) if chapter == *self.chapter && !part.is_empty() => {
                self.address(outline, part, false)?
            }
            Some(chapter) => Some(format!("{}.ipynb", chapter.name)),
            None => {
                let up = self.language.notebooks_to_root();
                Some(format!("{up}/{}{part}", forward(&path)))
            }
        })
    }

    /// An image as its own address. Jupyter shows SVG from a data address, but neither from
    /// an attachment nor, in a notebook opened alone, from a file beside it.
    fn data_address(&self, path: &Path) -> Result<String> {
        let extension = path.extension().and_then(|extension| extension.to_str());
        let kind = match extension {
            Some("svg") => "svg+xml",
            Some("jpg" | "jpeg") => "jpeg",
            Some(kind @ ("png" | "gif" | "webp")) => kind,
            _ => bail!(
                "{}: an image for a notebook is .svg, .png, .jpg, .gif or .webp",
                path.display()
            ),
        };
        let bytes = match kind {
            // Lines end as everywhere.
            "svg+xml" => {
                figure::in_language(&self.workspace.read(path)?, self.language)
                    .into_bytes()
            }
            _ => fs::read(self.workspace.root.join(path))
                .with_context(|| format!("cannot read {}", path.display()))?,
        };
        Ok(format!("data:image/{kind};base64,{}", BASE64_STANDARD.encode(bytes)))
    }
}

/// A dollar sign alone in its element: MathJax looks for the end of a formula in one element
/// only, and JupyterLab does not find the sign in the source.
const SHIELDED_DOLLAR: &str = "<span>&#36;</span>";
/// A backslash that begins neither `\(` nor `\begin{…}`.
const SHIELDED_BACKSLASH: &str = "<span>&#92;</span>";

/// The prose of a page as one text, and where in it each block's is.
fn joined(blocks: &[Located]) -> (String, Vec<Range<usize>>) {
    let mut source = String::new();
    let ranges = blocks
        .iter()
        .map(|located| {
            let start = source.len();
            source += located.block.prose().unwrap_or_default();
            let range = start..source.len();
            source += SEPARATOR;
            range
        })
        .collect();
    (source, ranges)
}

/// A formula in Jupyter's form. The bars of a formula in a table are words: a table's cell
/// ends at a bar.
fn dollars(tex: &str, in_table: bool) -> Result<String> {
    let mut tex = tex.trim().to_owned();
    if in_table {
        tex = tex.replace("\\|", "\\Vert ").replace('|', "\\vert ");
    }
    math::html(&tex, false)?; // Jupyter would show a bad formula in red
    ensure!(
        !tex.contains("\\begin{") && !tex.replace("\\$", "").contains('$'),
        "{tex:?} has an environment or a dollar sign, which Jupyter can't read in a sentence: \
         give it a ```math block"
    );
    Ok(format!("${tex}$"))
}

/// What must be known of a whole page before a part of it can be written.
struct Outline {
    /// Where formulas are, with their dollar signs.
    formulas: Vec<Range<usize>>,
    /// The number of each footnote that the text refers to.
    footnotes: HashMap<String, usize>,
    /// What Jupyter calls a heading (as part of an address), by what mdBook calls it.
    headings: HashMap<String, String>,
}

impl Outline {
    fn new(source: &str, events: &[(Event<'_>, Range<usize>)]) -> Self {
        let formulas = math::formulas(source).into_iter();
        let formulas = formulas.map(|formula| formula.range).collect();
        let mut outline =
            Self { formulas, footnotes: HashMap::new(), headings: HashMap::new() };
        let mut used = HashSet::new();
        let mut heading: Option<(Option<String>, String)> = None;
        for (event, _) in events {
            match event {
                Event::Start(Tag::Heading { id, .. }) => {
                    heading =
                        Some((id.as_ref().map(ToString::to_string), String::new()));
                }
                Event::End(TagEnd::Heading(_)) => {
                    let (id, text) = heading.take().unwrap_or_default();
                    let id = id.unwrap_or_else(|| unique(mdbook_id(&text), &mut used));
                    let name = text.trim().replace(' ', "-");
                    let name = utf8_percent_encode(&name, FRAGMENT).to_string();
                    outline.headings.entry(id).or_insert(name);
                }
                Event::FootnoteReference(name) => {
                    let next = outline.footnotes.len() + 1;
                    outline.footnotes.entry(name.to_string()).or_insert(next);
                }
                Event::Code(words) | Event::Text(words) => {
                    if let Some((_, text)) = &mut heading {
                        text.push_str(words);
                    }
                }
                _ => {}
            }
        }
        outline
    }

    fn is_delimiter(&self, place: usize) -> bool {
        let mut formulas = self.formulas.iter();
        formulas.any(|formula| formula.start == place || formula.end == place + 1)
    }
}

/// Whether a link is its address alone: `<https://…>`.
fn is_bare(link: LinkType) -> bool {
    matches!(link, LinkType::Autolink | LinkType::Email)
}

/// The name that mdBook gives to a heading; it keeps the function to itself.
fn mdbook_id(heading: &str) -> String {
    let heading = heading.trim().to_lowercase();
    let letters = heading.chars().filter_map(|c| match c {
        c if c.is_alphanumeric() || c == '_' || c == '-' => Some(c),
        c => c.is_whitespace().then_some('-'),
    });
    letters.collect()
}

/// The name with a number, if another heading has it already.
fn unique(id: String, used: &mut HashSet<String>) -> String {
    let numbered = (1..).map(|number| format!("{id}-{number}"));
    let mut names = std::iter::once(id.clone()).chain(numbered);
    names.find(|name| used.insert(name.clone())).unwrap_or(id)
}

/// Prose on its way into a notebook: the changes to its text.
struct Writer<'a> {
    place: Place<'a>,
    source: &'a str,
    events: Vec<(Event<'a>, Range<usize>)>,
    outline: Outline,
    /// What replaces a range of the text.
    edits: Vec<(Range<usize>, String)>,
    /// Where headings begin that are in no list or quotation.
    cuts: Vec<usize>,
    /// The events that opened what is open.
    open: Vec<usize>,
}

impl<'a> Writer<'a> {
    fn new(place: Place<'a>, source: &'a str) -> Self {
        let events: Vec<_> = markdown::events(source).collect();
        let outline = Outline::new(source, &events);
        let (edits, cuts, open) = Default::default();
        Self { place, source, events, outline, edits, cuts, open }
    }

    /// Changes what Jupyter would read in another way.
    fn rewrite(&mut self, index: usize) -> Result<()> {
        let (event, range) = self.events[index].clone();
        match event {
            Event::Start(tag) => {
                self.begin(index, &tag, &range)?;
                self.open.push(index);
            }
            Event::End(_) => {
                if let Some(start) = self.open.pop() {
                    let inner = self.events[index - 1].1.clone();
                    let inner =
                        if index - 1 == start { range.start } else { inner.end };
                    self.end(start, &range, inner)?;
                }
            }
            Event::Text(text) => self.plain(&text, &range)?,
            Event::Code(tex) => {
                let whole = range.start.wrapping_sub(1)..range.end + 1;
                if self.outline.formulas.contains(&whole) {
                    let in_table = self.is_in(|tag| matches!(tag, Tag::Table(_)));
                    self.edits.push((whole, dollars(&tex, in_table)?));
                }
            }
            Event::Html(html) => ensure!(
                !html.contains('$'),
                "a dollar sign in raw HTML begins a formula in Jupyter: write \
                 {SHIELDED_DOLLAR} there"
            ),
            Event::InlineHtml(html) if html.contains('$') => {
                self.edits.push((range, html.replace('$', "&#36;")));
            }
            Event::FootnoteReference(name) => {
                let number = self.outline.footnotes[name.as_ref()];
                self.edits.push((range, format!("<sup>{number}</sup>")));
            }
            _ => {}
        }
        Ok(())
    }

    fn is_in(&self, wanted: impl Fn(&Tag<'_>) -> bool) -> bool {
        self.open.iter().any(|&index| match &self.events[index].0 {
            Event::Start(tag) => wanted(tag),
            _ => false,
        })
    }

    fn begin(
        &mut self,
        index: usize,
        tag: &Tag<'_>,
        range: &Range<usize>,
    ) -> Result<()> {
        match tag {
            Tag::Heading { .. } if self.open.is_empty() => self.cuts.push(range.start),
            Tag::BlockQuote(Some(_)) => bail!(
                "an admonition, which Jupyter does not have: write {{{{#tip}}}} … \
                 {{{{#endtip}}}}"
            ),
            Tag::DefinitionList => bail!(
                "a definition list (a line that begins with a colon), which Jupyter does not \
                 have: write a list or a table"
            ),
            Tag::FootnoteDefinition(name) => self.footnote(index, name, range)?,
            Tag::Strikethrough if !self.source[range.clone()].starts_with("~~") => {
                for end in [range.start, range.end - 1] {
                    self.edits.push((end..end + 1, "~~".to_owned()));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// A footnote stays where it is, in Jupyter as a paragraph that begins with its number.
    fn footnote(
        &mut self,
        index: usize,
        name: &str,
        range: &Range<usize>,
    ) -> Result<()> {
        let Some(number) = self.outline.footnotes.get(name) else {
            bail!("nothing refers to the footnote [^{name}]");
        };
        let inside = &self.events[index + 1..];
        let ends = |event: &Event<'_>| *event == Event::End(TagEnd::Paragraph);
        let end = inside.iter().position(|(event, _)| ends(event));
        let after = end.and_then(|end| inside.get(end + 1));
        ensure!(
            inside[0].0 == Event::Start(Tag::Paragraph)
                && after.is_some_and(|(event, _)| matches!(
                    event,
                    Event::End(TagEnd::FootnoteDefinition)
                )),
            "the footnote [^{name}] is not one paragraph: Jupyter has no other form"
        );
        let apart = self.source[..range.start].ends_with("\n\n");
        let apart = if apart || range.start == 0 { "" } else { "\n" };
        let text = format!("{apart}<sup>{number}</sup> ");
        self.edits.push((range.start..inside[0].1.start, text));
        Ok(())
    }

    /// What began with the event `start` ends; what is in it ends at `inner`.
    fn end(&mut self, start: usize, range: &Range<usize>, inner: usize) -> Result<()> {
        let Event::Start(tag) = self.events[start].0.clone() else {
            return Ok(());
        };
        match tag {
            Tag::Heading { id, classes, attrs, .. } => {
                let has_attributes =
                    id.is_some() || !(classes.is_empty() && attrs.is_empty());
                let rest = &self.source[inner..range.end];
                let braces = rest.find('{').zip(rest.find('}'));
                if let (true, Some((open, close))) = (has_attributes, braces) {
                    let blank = rest[..open].trim_end().len();
                    self.edits.push((inner + blank..inner + close + 1, String::new()));
                }
            }
            Tag::Link { link_type, dest_url, title, .. } if !is_bare(link_type) => {
                let address = self.place.address(&self.outline, &dest_url, false)?;
                if let Some(address) = address {
                    let same = address == dest_url.as_ref();
                    let inline = link_type == LinkType::Inline && same;
                    // The parser leaves the brackets of `[a][]` out.
                    let more = self.source[range.end..].starts_with("[]");
                    let more = more && link_type == LinkType::Collapsed;
                    let end = range.end + if more { 2 } else { 0 };
                    self.lead(inline, &address, &title, inner..end);
                } else {
                    self.edits.push((range.start..range.start + 1, String::new()));
                    self.edits.push((inner..range.end, String::new()));
                }
            }
            Tag::Image { dest_url, title, .. } => {
                let address = self.place.address(&self.outline, &dest_url, true)?;
                let address = address.unwrap_or_default();
                self.lead(false, &address, &title, inner..range.end);
            }
            _ => {}
        }
        Ok(())
    }

    /// Gives a link its address, in place of the `](…)` or `][…]` at its end.
    fn lead(&mut self, is_as_written: bool, to: &str, title: &str, end: Range<usize>) {
        if is_as_written && !to.contains('$') && !title.contains('$') {
            return;
        }
        let mut text = format!("](<{to}>");
        if !to.contains([' ', '(', ')', '<']) {
            text = format!("]({to}");
        }
        text = text.replace('$', "%24");
        if !title.is_empty() {
            let title = figure::escape(title).replace('$', "&#36;");
            text += &[" \"", &title, "\""].concat();
        }
        self.edits.push((end, text + ")"));
    }

    /// Shields the dollar signs and backslashes of words.
    fn plain(&mut self, text: &str, range: &Range<usize>) -> Result<()> {
        let is_code = |tag: &Tag<'_>| matches!(tag, Tag::CodeBlock(_));
        let is_address = |tag: &Tag<'_>| matches!(tag, Tag::Link { link_type, .. } if is_bare(*link_type));
        if !text.contains(['$', '\\']) || self.is_in(is_code) {
            return Ok(());
        }
        ensure!(
            !self.is_in(is_address),
            "{text} has a dollar sign: write [words](address)"
        );
        let in_image = self.is_in(|tag| matches!(tag, Tag::Image { .. }));
        let shield = |sign: &str| match (sign, in_image) {
            ("$", false) => SHIELDED_DOLLAR,
            ("$", true) => "&#36;",
            (_, false) => SHIELDED_BACKSLASH,
            (_, true) => "&#92;",
        };
        if self.source[range.clone()] != *text {
            self.edits.push((range.clone(), shield(text).to_owned())); // `&dollar;`
            return Ok(());
        }
        for (offset, sign) in text.match_indices(['$', '\\']) {
            let place = range.start + offset;
            if self.outline.is_delimiter(place) {
                continue;
            }
            let escaped = offset == 0 && markdown::is_escaped(self.source, place);
            let whole = place - usize::from(escaped)..place + 1;
            self.edits.push((whole, shield(sign).to_owned()));
        }
        Ok(())
    }

    /// A part of the text as changed, cut before its headings.
    fn pieces(&self, part: &Range<usize>) -> Vec<String> {
        let cuts = self.cuts.iter().filter(|cut| part.contains(cut)).copied();
        let ends = cuts.chain([part.end]);
        let mut start = part.start;
        ends.map(|end| {
            let piece = self.changed(&(start..end));
            start = end;
            piece.trim_matches('\n').to_owned()
        })
        .collect()
    }

    fn changed(&self, part: &Range<usize>) -> String {
        let (mut text, mut done) = (String::new(), part.start);
        for (range, instead) in &self.edits {
            if part.start <= range.start && range.end <= part.end {
                text += &self.source[done..range.start];
                text += instead;
                done = range.end;
            }
        }
        text + &self.source[done..part.end]
    }
}
