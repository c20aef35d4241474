//! Chromium, which prints a page of HTML, and the little of its PDFs that is read here: on which
//! page each part is that a link leads to.

use std::collections::HashMap;
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};
use regex::Regex;

/// The page, from 1, of each name that a link leads to.
pub type Pages = HashMap<String, usize>;

const NAMES: [&str; 4] =
    ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// A browser to print with.
pub struct Chromium {
    program: PathBuf,
}

/// The browser that `CHROME` names, or the first on the `PATH`, if there is one.
///
/// # Errors
///
/// If there is no such file as `CHROME` names.
pub fn chromium() -> Result<Option<Chromium>> {
    if let Some(program) = env::var_os("CHROME").map(PathBuf::from) {
        ensure!(
            program.is_file(),
            "CHROME={}: there is no such file",
            program.display()
        );
        return Ok(Some(Chromium { program }));
    }
    let folders = env::var_os("PATH").unwrap_or_default();
    let mut programs = env::split_paths(&folders)
        .flat_map(|folder| NAMES.map(|name| folder.join(name)));
    Ok(programs.find(|path| path.is_file()).map(|program| Chromium { program }))
}

impl Chromium {
    /// Prints a page into a file; `tagged` is what a screen reader needs, and takes longer.
    ///
    /// # Errors
    ///
    /// With what the browser said.
    pub fn print(&self, page: &Path, pdf: &Path, tagged: bool) -> Result<()> {
        let mut into = OsString::from("--print-to-pdf=");
        into.push(pdf);
        let structure = if tagged {
            "--generate-pdf-document-outline"
        } else {
            "--disable-pdf-tagging"
        };
        let options = [into, "--no-pdf-header-footer".into(), structure.into()];
        self.run(&options, &address(page, ""))?;
        ensure!(pdf.is_file(), "Chromium has printed nothing into {}", pdf.display());
        Ok(())
    }

    /// What is wider than a page, as the page itself measures it.
    ///
    /// # Errors
    ///
    /// If the page says nothing.
    pub fn measure(&self, page: &Path) -> Result<Vec<String>> {
        // Fonts come in their own time, which is over when all have come.
        let options = ["--dump-dom".into(), "--virtual-time-budget=10000".into()];
        let dumped = self.run(&options, &address(page, "#measure"))?;
        let text = String::from_utf8_lossy(&dumped.stdout);
        let report = text
            .split_once("MEASURED")
            .and_then(|(_, report)| Some(report.split_once("END")?.0.to_owned()));
        let report = report
            .with_context(|| format!("Chromium measured nothing: {}", said(&dumped)))?;
        Ok(report.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect())
    }

    fn run(&self, options: &[OsString], address: &str) -> Result<Output> {
        let profile =
            tempfile::tempdir().context("cannot make a folder for Chromium")?;
        let mut data = OsString::from("--user-data-dir=");
        data.push(profile.path());
        let mut command = Command::new(&self.program);
        command
            .args(["--headless=new", "--disable-gpu", "--no-first-run"])
            .args(["--disable-dev-shm-usage", "--disable-background-networking"])
            .arg(data)
            .args(options)
            .arg(address);
        if is_root() {
            command.arg("--no-sandbox"); // the sandbox refuses root
        }
        let output = command
            .output()
            .with_context(|| format!("cannot run {}", self.program.display()))?;
        let (program, status) = (self.program.display(), output.status);
        ensure!(status.success(), "{program}: {status}: {}", said(&output));
        Ok(output)
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).trim().to_owned()
}

fn address(page: &Path, fragment: &str) -> String {
    let path = page.to_string_lossy().replace('\\', "/");
    let path = percent_encoding::utf8_percent_encode(&path, PATH_SET).to_string();
    format!("file://{}{path}{fragment}", if path.starts_with('/') { "" } else { "/" })
}

/// What a path may not have in an address.
const PATH_SET: &percent_encoding::AsciiSet =
    &percent_encoding::CONTROLS.add(b' ').add(b'#').add(b'?').add(b'%').add(b'"');

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|id| id.stdout.trim_ascii() == b"0")
}

/// On which page each name of a PDF is. Chromium writes its objects one by one, uncompressed, and
/// says at the end where each is; no other program's PDF need be read.
///
/// # Errors
///
/// If the PDF is not built as Chromium builds it.
pub fn pages(pdf: &[u8]) -> Result<Pages> {
    let objects = Objects::of(pdf)?;
    let root = objects.text(reference(&objects.trailer, "/Root")?)?;
    let mut order = Vec::new();
    objects.leaves(reference(&root, "/Pages")?, &mut order)?;
    let number: HashMap<usize, usize> =
        order.into_iter().enumerate().map(|(i, object)| (object, i + 1)).collect();
    let place = Regex::new(r"/(\S+) \[(\d+) 0 R /XYZ")?;
    let names = objects.text(reference(&root, "/Dests")?)?;
    let mut pages = Pages::new();
    for found in place.captures_iter(&names) {
        let page = number.get(&found[2].parse()?);
        let page = page.with_context(|| format!("{:?} is on no page", &found[1]))?;
        pages.insert(found[1].to_owned(), *page);
    }
    ensure!(!pages.is_empty(), "no names in it");
    Ok(pages)
}

/// The objects of a PDF.
struct Objects<'a> {
    /// From each one's beginning on to the end of the file.
    starts: Vec<&'a [u8]>,
    trailer: String,
}

impl<'a> Objects<'a> {
    fn of(pdf: &'a [u8]) -> Result<Self> {
        let tail = &pdf[pdf.len().saturating_sub(1024)..];
        let tail = String::from_utf8_lossy(tail);
        let (_, start) = tail.rsplit_once("startxref").context("no startxref")?;
        let start: usize = start.split_whitespace().next().unwrap_or("").parse()?;
        let table = pdf.get(start..).context("startxref leads out of the file")?;
        let table = String::from_utf8_lossy(table);
        let (table, trailer) =
            table.split_once("trailer").context("no table of objects")?;
        let mut starts = Vec::new();
        for entry in table.lines().skip(2) {
            // below "xref" and "0 COUNT"
            let offset = entry.split(' ').next().unwrap_or_default();
            let object = pdf.get(offset.parse::<usize>()?..);
            starts.push(object.context("an object out of the file")?);
        }
        Ok(Self { starts, trailer: trailer.to_owned() })
    }

    /// An object's text up to its end, or to the bytes of its stream.
    fn text(&self, number: usize) -> Result<String> {
        let object = self.starts.get(number);
        let object = object.with_context(|| format!("no object {number}"))?;
        let find = |object: &[u8], mark: &[u8]| {
            object.windows(mark.len()).position(|at| at == mark)
        };
        let end = find(object, b"endobj").context("an object without an end")?;
        let end = find(&object[..end], b"stream").unwrap_or(end);
        Ok(String::from_utf8_lossy(&object[..end]).into_owned())
    }

    /// The pages below a node, in their order.
    fn leaves(&self, node: usize, pages: &mut Vec<usize>) -> Result<()> {
        let text = self.text(node)?;
        let Some((_, kids)) = text.split_once("/Kids [") else {
            pages.push(node);
            return Ok(());
        };
        let (kids, _) = kids.split_once(']').context("/Kids without an end")?;
        for kid in kids.split(" 0 R").map(str::trim).filter(|kid| !kid.is_empty()) {
            self.leaves(kid.parse()?, pages)?;
        }
        Ok(())
    }
}

/// The number of the object that a key refers to.
fn reference(object: &str, key: &str) -> Result<usize> {
    let found = object.split_once(&format!("{key} "));
    let number = found.and_then(|(_, rest)| rest.split(' ').next()?.parse().ok());
    number.with_context(|| format!("no {key} in {:?}", object.trim()))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    /// A PDF of these objects, numbered from 1; the last is its root.
    fn pdf(objects: &[&str]) -> Vec<u8> {
        let mut text = "%PDF-1.4\n".to_owned();
        let mut table = "0000000000 65535 f \n".to_owned();
        for (i, object) in objects.iter().enumerate() {
            writeln!(table, "{:010} 00000 n ", text.len()).unwrap();
            writeln!(text, "{} 0 obj\n{object}\nendobj", i + 1).unwrap();
        }
        let (count, start) = (objects.len(), text.len());
        let trailer = format!("trailer\n<</Size {} /Root {count} 0 R>>", count + 1);
        writeln!(text, "xref\n0 {}\n{table}{trailer}", count + 1).unwrap();
        writeln!(text, "startxref\n{start}\n%%EOF").unwrap();
        text.into_bytes()
    }

    #[test]
    fn the_page_of_each_name_is_found() {
        let pdf = pdf(&[
            "<</Type /Page /Parent 4 0 R>>",
            "<</Type /Page /Parent 5 0 R>>",
            "<</Length 9>> stream\n/Kids [7]\nendstream",
            "<</Type /Pages /Count 2 /Kids [1 0 R\n7 0 R]>>",
            "<</Type /Pages /Count 3 /Kids [2 0 R 4 0 R]>>",
            "<</t1 [2 0 R /XYZ 6 7.5 0]\n/t2 [7 0 R /XYZ 6 7 0]\n/t3 [1 0 R /XYZ 0 0 0]>>",
            "<</Type /Page>>",
            "<</Type /Catalog /Pages 5 0 R\n/Dests 6 0 R>>",
        ]);
        let pages = pages(&pdf).unwrap();
        let expected = [("t1", 1), ("t2", 3), ("t3", 2)];
        assert_eq!(pages, expected.map(|(name, page)| (name.to_owned(), page)).into());
    }

    #[test]
    fn a_pdf_of_another_kind_is_refused() {
        for text in ["", "startxref\n99\n%%EOF", "xref\nstartxref\n0\n%%EOF"] {
            assert!(pages(text.as_bytes()).is_err(), "{text}");
        }
    }
}
