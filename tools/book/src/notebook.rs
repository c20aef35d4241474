//! Notebooks: made from a page, read back as the frozen record of its outputs.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};
use jupyter_protocol::media::MediaType;
use nbformat::v4::{
    Cell as NbCell, CellId, CellMetadata, KernelSpec, LanguageInfo, Metadata,
};
use nbformat::v4::{Notebook, Output};
use serde_json::{Value, json};

use crate::cells;
use crate::figure;
use crate::i18n;
use crate::jupyter::Place;
use crate::markdown;
use crate::math;
use crate::page::{self, Block, Located};
use crate::render::Words;
use crate::workspace::{Chapter, Language, Workspace};

/// Id of the first code cell, the one that brings in the crates.
pub const SETUP: &str = "setup";

/// Id of the cell that installs the kernel on Colab.
pub const INSTALL: &str = "install";

/// What a cell printed and drew, by cell id.
pub type Outputs = HashMap<String, Vec<Output>>;

/// Makes a chapter's notebook in a language from its page's blocks (already
/// translated).
///
/// # Errors
///
/// If a manifest, a source or an image can't be read.
pub fn build(
    workspace: &Workspace,
    chapter: &Chapter,
    language: Language,
    blocks: &[Located],
    outputs: &Outputs,
) -> Result<Notebook> {
    let place = Place { workspace, chapter, language };
    let prose = place.prose(blocks)?;
    let mut cells = Vec::new();
    let mut writer = Markdown { place, cells: Vec::new() };
    let mut count = 0;
    let mut code_cell = |id: &str, code: &str, varies: bool| {
        count += 1;
        let outputs = outputs_in(outputs.get(id), language);
        code_cell(id, code, count, outputs, varies)
    };
    let mut before_first_code = true;
    for (located, prose) in blocks.iter().zip(&prose) {
        let Block::Cell(cell) = &located.block else {
            writer.push(located, prose)?;
            continue;
        };
        cells.append(&mut writer.finish(&cell.id)?);
        if before_first_code {
            if let Some(address) = &workspace.repository {
                cells.push(code_cell(INSTALL, &install_code(address), false)?);
            }
            let setup = setup_code(workspace, chapter, language)?;
            cells.push(code_cell(SETUP, &setup, false)?);
            before_first_code = false;
        }
        cells.push(code_cell(&cell.id, &cells::as_run(&cell.code), cell.varies)?);
    }
    cells.append(&mut writer.finish("end")?);
    Ok(Notebook {
        metadata: metadata(
            &workspace.sources_hash(chapter)?,
            workspace.notebook_arithmetic(chapter)?.as_deref(),
        ),
        nbformat: 4,
        nbformat_minor: 5,
        cells,
    })
}

fn metadata(sources: &str, arithmetic: Option<&str>) -> Metadata {
    let mut book = json!({ "sources": sources });
    if let Some(arithmetic) = arithmetic {
        book["arithmetic"] = arithmetic.into();
    }
    Metadata {
        kernelspec: Some(KernelSpec {
            display_name: "Rust".into(),
            name: "rust".into(),
            language: Some("rust".into()),
            additional: HashMap::new(),
        }),
        language_info: Some(LanguageInfo {
            name: "rust".into(),
            version: None,
            codemirror_mode: None,
            additional: HashMap::from([("file_extension".into(), json!(".rs"))]),
        }),
        authors: None,
        additional: HashMap::from([("book".into(), book)]),
    }
}

/// The notebook's first code cell: the one crate that gives the cells all others, and the setting
/// by which they link against its library.
///
/// # Errors
///
/// If a manifest can't be read.
pub fn setup_code(
    workspace: &Workspace,
    chapter: &Chapter,
    language: Language,
) -> Result<String> {
    let mut crates = workspace.notebook_crates(chapter)?;
    crates.sort();
    let candle = workspace.needs_candle(chapter)?;
    Ok(setup(language.notebooks_to_root(), candle, &crates.join(", ")))
}

/// A setup cell: `up` leads to the root, `crates` are what the cells name.
#[must_use]
pub fn setup(up: &str, candle: bool, crates: &str) -> String {
    let features = if candle { ", features = [\"candle\"]" } else { "" };
    format!(
        ":opt 0\n\
         :build_env RUSTFLAGS=-Cprefer-dynamic --cfg notebook_cell\n\
         :dep notebook = {{ path = \"{up}/tools/notebook\"{features} }}\n\
         use notebook::{{{crates}}};"
    )
}

/// A cell that Colab's Python runs (it installs the Rust kernel there) and that Rust
/// skips: to Python the first and last lines are comments, to Rust all three are one
/// disabled constant.
fn install_code(address: &str) -> String {
    let script = "binder/colab.sh";
    format!(
        "#[cfg(any())] const COLAB: &str = r#\"\n\
         !git clone --depth 1 {address} book && bash book/{script}\n\
         # \"#;"
    )
}

/// The tag of a cell whose figures are the processor's.
pub const VARIES: &str = "varies";

fn code_cell(
    id: &str,
    code: &str,
    count: i32,
    outputs: Vec<Output>,
    varies: bool,
) -> Result<NbCell> {
    let tags = varies.then(|| vec![VARIES.to_owned()]);
    Ok(NbCell::Code {
        id: cell_id(id)?,
        metadata: CellMetadata { tags, ..CellMetadata::default() },
        execution_count: Some(count),
        source: lines(code),
        outputs,
    })
}

fn cell_id(id: &str) -> Result<CellId> {
    CellId::new(id).map_err(|error| anyhow!("{error}: {id:?}"))
}

fn lines(text: &str) -> Vec<String> {
    text.split_inclusive('\n').map(str::to_owned).collect()
}

/// Gathers prose into Markdown cells, a new one at each heading.
struct Markdown<'a> {
    place: Place<'a>,
    cells: Vec<String>,
}

impl Markdown<'_> {
    /// Adds a block, whose prose is cut at its headings.
    fn push(&mut self, located: &Located, prose: &[String]) -> Result<()> {
        let page = self.place.chapter.page().display();
        let at = || format!("{page}:{}", located.line);
        match &located.block {
            Block::Markdown(_) => {
                for (i, piece) in prose.iter().enumerate() {
                    if i > 0 {
                        self.start_cell();
                    }
                    self.append(piece);
                }
            }
            Block::Code(page::Listing { language, code, .. }) => {
                self.append(&markdown::code_block(language, code));
            }
            Block::Math(formula) => {
                let tex = formula.numbered();
                // Jupyter would show a bad formula in red.
                math::html(&tex, true).with_context(at)?;
                self.append(&format!("$$\n{tex}\n$$"));
            }
            Block::Caption(caption) => {
                let (figure, number) = (self.words().figure, &caption.number);
                self.append(&format!("**{figure} {number}.** {}", prose.concat()));
            }
            Block::Details(title) => self.fold(title).with_context(at)?,
            Block::EndDetails | Block::EndChoice => self.append("</details>"),
            Block::Tip | Block::EndTip | Block::EndQuestion => self.append("---"),
            Block::Question(_) => {
                let title = self.words().question;
                self.append(&format!("---\n\n**{title}.** {}", prose.concat()));
            }
            Block::Choice(choice) => {
                self.fold(&choice.text).with_context(at)?;
                if choice.right {
                    self.append(&format!("**{}**", self.words().right));
                }
            }
            Block::References
            | Block::Times
            | Block::Published
            | Block::EndPublished => bail!(
                "{}: a notebook has no form for this part: put it on a page without one",
                at()
            ),
            Block::Cell(_) | Block::Alt(_) | Block::Live(_) => {}
        }
        Ok(())
    }

    fn words(&self) -> Words {
        Words::of(self.place.language)
    }

    /// Begins a fold.
    fn fold(&mut self, title: &str) -> Result<()> {
        let title = self.place.title(title)?;
        self.append(&format!("<details>\n<summary>{title}</summary>\n"));
        Ok(())
    }

    fn start_cell(&mut self) {
        self.cells.push(String::new());
    }

    fn start_cell_if_none(&mut self) {
        if self.cells.is_empty() {
            self.start_cell();
        }
    }

    fn append(&mut self, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        self.start_cell_if_none();
        if let Some(cell) = self.cells.last_mut() {
            if !cell.is_empty() {
                cell.push_str("\n\n");
            }
            cell.push_str(text.trim_matches('\n'));
        }
    }

    /// The cells gathered so far, named after the code cell that follows.
    fn finish(&mut self, before: &str) -> Result<Vec<NbCell>> {
        let texts = std::mem::take(&mut self.cells);
        let numbered = texts.iter().filter(|text| !text.is_empty()).zip(1..);
        numbered
            .map(|(text, number)| {
                Ok(NbCell::Markdown {
                    id: cell_id(&format!("text-{before}-{number}"))?,
                    metadata: CellMetadata::default(),
                    source: lines(text),
                    attachments: None,
                })
            })
            .collect()
    }
}

/// Reads a notebook of nbformat 4; an older minor version, or cells without ids, are brought
/// up to 4.5.
///
/// # Errors
///
/// If the file can't be read or is no notebook of that format.
pub fn read(path: &Path) -> Result<Notebook> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("cannot read {}", path.display()))?;
    parse(&text).with_context(|| format!("cannot read {}", path.display()))
}

/// Reads a notebook from its JSON; otherwise as [`read`].
///
/// # Errors
///
/// If it is no notebook of nbformat 4.
pub fn parse(text: &str) -> Result<Notebook> {
    let mut json: Value = serde_json::from_str(text).context("this is not JSON")?;
    let version = |key: &str| json[key].as_i64();
    let Some(major) = version("nbformat") else {
        bail!("no notebook: it does not say of which `nbformat` it is");
    };
    let minor = version("nbformat_minor").unwrap_or(0);
    ensure!(
        major == 4 && (0..=5).contains(&minor),
        "a notebook of nbformat {major}.{minor}, and this tool reads 4.0 to 4.5: Jupyter \
         converts it (jupyter nbconvert --to notebook)"
    );
    name_cells(&mut json);
    json["nbformat_minor"] = 5.into();
    serde_json::from_value(json).context("this is no notebook of nbformat 4")
}

/// Gives each cell without an id, which nbformat has since 4.5, the one that Colab keeps in
/// its metadata, or one after its place. (The crate `nbformat` would draw them at random.)
fn name_cells(notebook: &mut Value) {
    let cells = notebook.get_mut("cells").and_then(Value::as_array_mut);
    let Some(cells) = cells else { return };
    let id = |cell: &Value| cell.get("id")?.as_str().map(str::to_owned);
    let mut taken: HashSet<String> = cells.iter().filter_map(id).collect();
    for (cell, place) in cells.iter_mut().zip(1..) {
        let kept = cell.get("metadata").and_then(|data| data.get("id")?.as_str());
        let kept = kept.filter(|id| CellId::new(id).is_ok()).map(str::to_owned);
        let places = (0..).map(|more| format!("cell-{place}{}", "-".repeat(more)));
        if let (None, Some(fields)) = (id(cell), cell.as_object_mut()) {
            let id = kept.into_iter().chain(places).find(|id| taken.insert(id.clone()));
            fields.insert("id".to_owned(), id.into());
        }
    }
}

/// Writes a notebook, whole or not at all.
///
/// # Errors
///
/// If it can't be written.
pub fn write(notebook: &Notebook, path: &Path) -> Result<()> {
    let text = to_text(notebook)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)
        .with_context(|| format!("cannot make {}", folder.display()))?;
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644)); // not a secret
    let mut file = builder
        .tempfile_in(folder)
        .with_context(|| format!("cannot write in {}", folder.display()))?;
    std::io::Write::write_all(&mut file, text.as_bytes())?;
    file.persist(path).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(())
}

/// The text of a notebook file: sorted keys, one space of indentation, as Jupyter
/// writes it.
///
/// # Errors
///
/// If the notebook can't be expressed as JSON.
pub fn to_text(notebook: &Notebook) -> Result<String> {
    let value = sorted(serde_json::to_value(notebook)?);
    let mut bytes = Vec::new();
    let indent = serde_json::ser::PrettyFormatter::with_indent(b" ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, indent);
    serde::Serialize::serialize(&value, &mut serializer)?;
    bytes.push(b'\n');
    Ok(String::from_utf8(bytes)?)
}

/// The same JSON with every object's keys in order.
fn sorted(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        Value::Object(map) => {
            let mut pairs: Vec<(String, Value)> = map.into_iter().collect();
            pairs.sort_by(|a, b| a.0.cmp(&b.0));
            pairs.into_iter().map(|(k, v)| (k, sorted(v))).collect()
        }
        other => other,
    }
}

/// The code cells of a notebook: id, code, outputs.
pub fn code_cells(
    notebook: &Notebook,
) -> impl Iterator<Item = (&str, String, &[Output])> {
    notebook.cells.iter().filter_map(|cell| match cell {
        NbCell::Code { id, source, outputs, .. } => {
            Some((id.as_str(), source.concat(), outputs.as_slice()))
        }
        _ => None,
    })
}

/// The outputs of a notebook's cells.
#[must_use]
pub fn outputs(notebook: &Notebook) -> Outputs {
    code_cells(notebook)
        .map(|(id, _, outputs)| (id.to_owned(), outputs.to_vec()))
        .collect()
}

/// A cell's outputs with their figures in one language.
#[must_use]
pub fn outputs_in(outputs: Option<&Vec<Output>>, language: Language) -> Vec<Output> {
    let mut outputs = outputs.cloned().unwrap_or_default();
    for output in &mut outputs {
        let forms = match output {
            Output::DisplayData(display) => &mut display.data.content,
            Output::ExecuteResult(result) => &mut result.data.content,
            Output::Stream { .. } | Output::Error(_) => continue,
        };
        for form in forms {
            if let MediaType::Svg(drawn) | MediaType::Html(drawn) = form {
                *drawn = figure::in_language(drawn, language);
            }
        }
    }
    outputs
}

/// The recorded outputs of a chapter, if its page and crates still give them.
///
/// # Errors
///
/// If they lag behind: then only an execution can renew them.
pub fn fresh_outputs(workspace: &Workspace, chapter: &Chapter) -> Result<Outputs> {
    let blocks = i18n::blocks(workspace, chapter, Language::Portuguese)?;
    let stale = stale(workspace, chapter, &blocks)?;
    ensure!(stale.is_empty(), "{}", stale.join("\n"));
    recorded_outputs(workspace, chapter)
}

/// The outputs in a chapter's notebook, whatever the page and crates have become; none
/// while there is no notebook.
///
/// # Errors
///
/// If the notebook can't be read.
pub fn recorded_outputs(workspace: &Workspace, chapter: &Chapter) -> Result<Outputs> {
    let path = workspace.root.join(chapter.notebook(Language::Portuguese));
    if !path.exists() {
        return Ok(Outputs::new());
    }
    Ok(outputs(&read(&path)?))
}

/// Everything in which a chapter's committed notebooks lag behind its page and crates;
/// one message each, with file and line.
///
/// # Errors
///
/// If the page or a source can't be read. A notebook that is missing or broken is a
/// finding.
pub fn stale(
    workspace: &Workspace,
    chapter: &Chapter,
    blocks: &[Located],
) -> Result<Vec<String>> {
    let remedy = format!("run `cargo book notebooks {}`", chapter.short());
    let path = chapter.notebook(Language::Portuguese);
    let notebook = match read(&workspace.root.join(&path)) {
        Ok(notebook) => notebook,
        Err(error) => return Ok(vec![format!("{error:#}: {remedy}")]),
    };
    let mut findings = Vec::new();
    let recorded = notebook.metadata.additional.get("book");
    let recorded = recorded.and_then(|book| book.get("sources")?.as_str());
    if recorded != Some(workspace.sources_hash(chapter)?.as_str()) {
        findings.push(format!(
            "{}: the outputs come from other sources than those in {} and the crates it uses: {remedy}",
            path.display(),
            chapter.crate_folder().display()
        ));
    }
    findings.extend(stale_cells(workspace, chapter, blocks, &notebook, &remedy)?);
    Ok(findings)
}

fn stale_cells(
    workspace: &Workspace,
    chapter: &Chapter,
    blocks: &[Located],
    notebook: &Notebook,
    remedy: &str,
) -> Result<Vec<String>> {
    let (page, path) = (chapter.page(), chapter.notebook(Language::Portuguese));
    let at = |line: usize| format!("{}:{line}", page.display());
    let recorded: HashMap<String, String> =
        code_cells(notebook).map(|(id, code, _)| (id.to_owned(), code)).collect();
    let mut findings = Vec::new();
    for (line, cell) in page::cells(blocks) {
        match recorded.get(&cell.id) {
            Some(code) if *code == cells::as_run(&cell.code) => {}
            Some(_) => findings.push(format!(
                "{}: cell {:?} differs from the one in {}: {remedy}",
                at(line),
                cell.id,
                path.display()
            )),
            None => findings.push(format!(
                "{}: {} has no cell {:?}: {remedy}",
                at(line),
                path.display(),
                cell.id
            )),
        }
    }
    let setup = setup_code(workspace, chapter, Language::Portuguese)?;
    if recorded.get(SETUP) != Some(&setup) {
        findings.push(format!(
            "{}: its setup cell is out of date: {remedy}",
            path.display()
        ));
    }
    let on_page = |id: &str| page::cells(blocks).any(|(_, cell)| cell.id == id);
    let mut ids: Vec<&String> = recorded.keys().collect();
    ids.sort();
    for id in ids.into_iter().filter(|id| ![SETUP, INSTALL].contains(&id.as_str())) {
        if !on_page(id) {
            findings.push(format!(
                "{}: cell {id:?} is no longer on {}: {remedy}",
                path.display(),
                page.display()
            ));
        }
    }
    Ok(findings)
}

/// Both editions' notebook files, as they should be, for a chapter with the given
/// outputs.
///
/// # Errors
///
/// If a page or catalog can't be read, or a page can't be cut into blocks.
pub fn editions(
    workspace: &Workspace,
    chapter: &Chapter,
    outputs: &Outputs,
) -> Result<Vec<(PathBuf, Notebook)>> {
    let mut files = Vec::new();
    for language in Language::ALL {
        let blocks = i18n::blocks(workspace, chapter, language)?;
        let built = build(workspace, chapter, language, &blocks, outputs);
        let notebook = built.map_err(|error| match language {
            Language::Portuguese => error,
            Language::English => i18n::blame(workspace, chapter.page(), error),
        })?;
        files.push((chapter.notebook(language), notebook));
    }
    Ok(files)
}

/// Joins neighboring pieces of the same stream, which the kernel sends as they come.
#[must_use]
pub fn tidy(outputs: Vec<Output>) -> Vec<Output> {
    let mut merged: Vec<Output> = Vec::new();
    for output in outputs {
        if let (
            Some(Output::Stream { name, text }),
            Output::Stream { name: next, text: more },
        ) = (merged.last_mut(), &output)
            && name == next
        {
            text.0.push_str(&more.0);
        } else {
            merged.push(output);
        }
    }
    merged
}

/// Whether an output is the `()` that evcxr shows for a cell without a value.
#[must_use]
pub fn is_unit(output: &Output) -> bool {
    match output {
        Output::ExecuteResult(result) => {
            result.data.content == [MediaType::Plain("()".to_owned())]
        }
        _ => false,
    }
}
