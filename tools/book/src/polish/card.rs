//! The picture that is shown where a chapter's address is shared: the chapter's title beside a
//! map of attention. The map is an ornament: what attends in it are the title's first letters.

use std::fs;
use std::path::Path;

use ab_glyph::{Font, FontRef, ScaleFont, point};
use anyhow::{Context, Result};
use dejavu::sans_condensed;

use self::canvas::{Canvas, HEIGHT, Letters, WIDTH, width};
use crate::address::Address;
use crate::edition::Edition;
use crate::figure::escape;
use crate::volume::cover::{ACCENT, PAPER, SOFT, WHITE, wrapped};
use crate::volume::{Words, label, name_of};

mod canvas;

/// Where the pictures are, in an edition's folder.
const FOLDER: &str = "cards";

/// Around all of it.
const MARGIN: usize = 72;

/// The map's rows, from one to the next, and how much of that is between them.
const CELLS: usize = 8;
const PITCH: usize = 50;
const GAP: usize = 6;

/// Where texts are: how far down, and how high. They are as wide as the map lets them be.
const LABEL: (f32, f32) = (72.0, 50.0);
const TITLE: (f32, f32) = (138.0, 352.0);
const BOOK: (f32, f32) = (514.0, 44.0);
const ACROSS: f32 = (WIDTH - 2 * MARGIN - (CELLS + 1) * PITCH) as f32;

/// No line is higher.
const HIGHEST: u8 = 112;

/// viridis in even steps, from the low end.
const VIRIDIS: [u32; 8] = [
    0x44_0154, 0x46_327e, 0x36_5c8d, 0x27_7f8e, 0x1f_a187, 0x4a_c16d, 0xa0_da39,
    0xfd_e725,
];

/// Draws the picture of a chapter's or an appendix's page, and makes the tags that name it; other
/// pages have none.
///
/// # Errors
///
/// If the title is too long for the picture, or the file can't be written.
pub fn tags(
    edition: &Edition,
    address: &Address,
    page: &Path,
    title: &str,
) -> Result<Option<String>> {
    let name = name_of(page);
    let book = &edition.title.title;
    let Some(label) = label(&name, &Words::of(edition.language)) else {
        return Ok(None);
    };
    let file = Path::new(FOLDER).join(format!("{name}.png"));
    let path = edition.folder.join(&file);
    let png = picture(book, &label, title)?;
    fs::create_dir_all(edition.folder.join(FOLDER))
        .and_then(|()| fs::write(&path, png))
        .with_context(|| format!("cannot write {}", path.display()))?;
    let at = escape(&address.page(edition.language, &file, false));
    let words = escape(&format!("{book}. {label}: {title}"));
    Ok(Some(format!(
        "\n<meta property=\"og:image\" content=\"{at}\">\n\
         <meta property=\"og:image:width\" content=\"{WIDTH}\">\n\
         <meta property=\"og:image:height\" content=\"{HEIGHT}\">\n\
         <meta property=\"og:image:alt\" content=\"{words}\">"
    )))
}

/// The picture as a PNG.
fn picture(book: &str, label: &str, title: &str) -> Result<Vec<u8>> {
    let font = |font| FontRef::try_from_slice(font).context("not a font");
    let plain = font(sans_condensed::regular())?;
    let bold = font(sans_condensed::bold())?;
    let mut canvas = Canvas::new();
    let texts = [(title, TITLE, &bold), (book, BOOK, &plain), (label, LABEL, &plain)];
    for (ink, (text, (top, height), font)) in (0..).zip(texts) {
        let (letters, lines) = fitted(text, height, font)?;
        let mut at = point(MARGIN as f32, top);
        for line in lines {
            canvas.write(&line, at, &letters, ink);
            at.y += letters.height();
        }
    }
    draw_map(&mut canvas, title);
    canvas.png(PAPER, &[&[WHITE, SOFT, ACCENT], VIRIDIS.as_slice()].concat())
}

/// A text's lines, all of which fit, in letters as large as they can be; it has fewer lines where
/// that costs little.
fn fitted<'a>(
    text: &str,
    height: f32,
    font: &'a FontRef<'a>,
) -> Result<(Letters<'a>, Vec<String>)> {
    let fitting = (2..=HIGHEST).step_by(2).filter_map(|size| {
        let letters = font.as_scaled(f32::from(size));
        let fits = |line: &str| width(line, &letters) <= ACROSS;
        let lines = wrapped(text, fits);
        let all = lines.len() as f32 * f32::from(size) <= height
            && lines.iter().all(|line| fits(line));
        let worth = 100 * usize::from(size).pow(2) / lines.len().max(1);
        all.then_some((worth, letters, lines))
    });
    let best = fitting.max_by_key(|(worth, ..)| *worth);
    let (_, letters, lines) =
        best.with_context(|| format!("too long for a card: {text:?}"))?;
    Ok((letters, lines))
}

/// The map, on the right: it ends where the book's title stands.
fn draw_map(canvas: &mut Canvas, title: &str) {
    let side = CELLS * PITCH - GAP;
    let (x, y) = (WIDTH - MARGIN - side, HEIGHT - MARGIN - PITCH / 6 - side);
    for (row, weights) in (0..).zip(attention(title)) {
        for (column, weight) in (0..).zip(weights) {
            let at = (x + column * PITCH, y + row * PITCH);
            canvas.square(at, PITCH - GAP, 8.0, 3 + step(weight));
        }
    }
}

/// Which of the steps of [`VIRIDIS`] a weight has, on the scale of the figures' `root_scale`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn step(weight: f64) -> u8 {
    (weight.sqrt() * (VIRIDIS.len() - 1) as f64).round() as u8 // of 0 to 1
}

/// A causal softmax over the title's first letters, from the start again where they are few: a
/// letter's key is an angle, and its query the same a little further.
fn attention(title: &str) -> Vec<Vec<f64>> {
    let letters = title.chars().filter(|c| c.is_alphabetic());
    let letters = letters.flat_map(char::to_lowercase).map(u32::from).map(f64::from);
    let letters: Vec<f64> = letters.cycle().take(CELLS).collect();
    let score = |query: f64, key: f64| -> f64 {
        [1.0, 2.0, 3.0].map(|turn| (turn * (query - key + 0.7)).cos()).iter().sum()
    };
    let row = |(last, query): (usize, &f64)| {
        let raised = letters[..=last].iter().map(|key| score(*query, *key).exp());
        let raised: Vec<f64> = raised.collect();
        let sum: f64 = raised.iter().sum();
        raised.iter().map(|one| one / sum).collect()
    };
    letters.iter().enumerate().map(row).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::path::PathBuf;

    use regex::Regex;

    use super::*;
    use crate::edition::Title;
    use crate::polish::head::with_card;
    use crate::workspace::{Language, Workspace};

    const PAGES: [&str; 3] = ["preface.html", "ch03-a.html", "a1-b.html"];

    /// The heads of [`PAGES`] in a language, in an edition that stands in this folder.
    fn heads(
        folder: &Path,
        language: Language,
        address: Option<&Address>,
    ) -> [String; 3] {
        let edition = Edition {
            folder: folder.join(language.folder()),
            language,
            title: Title { title: "A & B".into(), ..Title::default() },
            pages: PAGES.map(PathBuf::from).to_vec(),
        };
        let html = "<head><meta name=\"description\" content=\"\"></head>\
                    <main><h1 id=\"t\">O que olham \"heads\"</h1></main>";
        PAGES.map(|page| with_card(html, &edition, address, Path::new(page)).unwrap())
    }

    #[test]
    fn a_chapter_s_tags_name_a_picture_that_is_there() {
        let site = tempfile::tempdir().unwrap();
        let address = Address::of("https://github.com/ana/book");
        let image =
            Regex::new(r#""og:image" content="https://ana.github.io/book/([^"]+)""#);
        let image = image.unwrap();
        for (language, chapter) in
            [(Language::Portuguese, "Capítulo"), (Language::English, "Chapter")]
        {
            let [preface, heads @ ..] = heads(site.path(), language, address.as_ref());
            assert!(
                preface.contains("content=\"summary\"")
                    && !preface.contains("og:image")
            );
            for head in &heads {
                let file = site.path().join(&image.captures(head).unwrap()[1]);
                let bytes = fs::read(file).unwrap();
                assert!(bytes.len() < 60_000, "{} bytes", bytes.len());
                let mut picture =
                    png::Decoder::new(Cursor::new(bytes)).read_info().unwrap();
                let mut pixels = vec![0; picture.output_buffer_size().unwrap()];
                let frame = picture.next_frame(&mut pixels).unwrap();
                assert_eq!((frame.width, frame.height), (1200, 630));
                for part in [
                    "content=\"summary_large_image\"",
                    "\"og:image:width\" content=\"1200\"",
                    "\"og:image:height\" content=\"630\"",
                ] {
                    assert!(head.contains(part), "{part} in {head}");
                }
            }
            let words = format!(
                "content=\"A &amp; B. {chapter} 3: O que olham &quot;heads&quot;\""
            );
            assert!(heads[0].contains(&words), "{words} in {}", heads[0]);
        }
    }

    #[test]
    fn a_site_without_an_address_has_no_pictures() {
        let site = tempfile::tempdir().unwrap();
        for language in Language::ALL {
            for head in heads(site.path(), language, None) {
                assert!(
                    !head.contains("og:image") && head.contains("content=\"summary\"")
                );
            }
        }
        assert_eq!(fs::read_dir(site.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_text_stays_in_its_room() {
        let font = FontRef::try_from_slice(sans_condensed::bold()).unwrap();
        let long = "Treinar, do primeiro passo ao inversor ".repeat(8);
        let word = "x".repeat(200);
        for text in ["Um produto rápido", &long, &word, ""] {
            for (top, height) in [LABEL, TITLE, BOOK] {
                let (letters, lines) = fitted(text, height, &font).unwrap();
                for line in &lines {
                    assert!(width(line, &letters) <= ACROSS, "{line:?}");
                }
                let down = lines.len() as f32 * letters.height();
                assert!(down <= height && top + down <= 630.0, "{text:?}: {down}");
                let words: Vec<_> = text.split_whitespace().collect();
                assert_eq!(lines.join(" "), words.join(" "), "nothing is cut");
            }
        }
        let (letters, _) = fitted("Um", TITLE.1, &font).unwrap();
        assert!((letters.height() - f32::from(HIGHEST)).abs() < 0.01);
        let (_, lines) = fitted("As derivadas, uma por uma", TITLE.1, &font).unwrap();
        assert_eq!(lines, ["As derivadas,", "uma por uma"]); // in larger letters they are three
        let endless = fitted(&"x".repeat(2_000), TITLE.1, &font).unwrap_err();
        assert!(endless.to_string().starts_with("too long for a card"), "{endless}");
    }

    #[test]
    fn letters_attend_to_themselves_and_those_before() {
        for title in ["Gerar, do próximo token", "BERT"] {
            let rows = attention(title);
            let lengths: Vec<usize> = rows.iter().map(Vec::len).collect();
            assert_eq!(lengths, (1..=8).collect::<Vec<_>>());
            for row in &rows {
                assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{row:?}");
            }
        }
        assert!(attention("1 + 1").is_empty());
        assert_eq!([0.0, 1.0].map(step), [0, 7]);
    }

    /// The figures' crate is a chapter's business, and is read here as a file only.
    #[test]
    fn the_map_has_the_figures_colors() {
        let file = Path::new("chapters-code/figures/src/viridis.rs");
        let source = Workspace::find().unwrap().read(file).unwrap();
        let color = Regex::new(r"\[ *(\d+), *(\d+), *(\d+)\]").unwrap();
        let channels = color.captures_iter(&source).map(|found| found.extract::<3>().1);
        let colors: Vec<u32> = channels
            .map(|rgb| {
                rgb.iter().fold(0, |all, one| all * 256 + one.parse::<u32>().unwrap())
            })
            .collect();
        let even = (0..8).map(|step| colors[(step * 256 / 7).min(255)]);
        assert_eq!(even.collect::<Vec<_>>(), VIRIDIS);
    }
}
