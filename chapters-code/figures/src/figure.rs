//! A drawn picture and the formats that it comes in.

use std::path::Path;

use base64::prelude::{BASE64_STANDARD, Engine};

use crate::error::FigureError;
use crate::scene::Scene;
use crate::text::{Language, Text};
use crate::{bitmap, svg};

/// The environment variable that evcxr sets for the code it runs.
const EVCXR: &str = "EVCXR_IS_RUNTIME";

/// Where [`Figure::show`] leaves its files, from the current folder.
const FOLDER: &str = "target/figures";

/// A drawn picture, in both of the book's languages. It owns everything it shows, so that a
/// notebook can keep it between cells.
#[derive(Clone, Debug)]
pub struct Figure {
    svg: String,
    scene: Scene,
    title: Text,
    description: Text,
}

impl Figure {
    /// The extensions of the formats that [`Figure::save`] writes.
    pub const FORMATS: &'static [&'static str] = &["svg", "png"];

    /// Finishes `scene` into a figure called `title`, described by `description`.
    pub(crate) fn new(
        scene: Scene,
        title: Text,
        description: Text,
    ) -> Result<Self, FigureError> {
        let svg = svg::document(&scene, &title, &description)?;
        Ok(Self { svg, scene, title, description })
    }

    /// The same picture with its texts in one language.
    ///
    /// # Errors
    ///
    /// [`FigureError::Draw`] when a picture within it can't be encoded.
    pub fn in_language(&self, language: Language) -> Result<Self, FigureError> {
        let text = |text: &Text| text.in_language(language).into();
        let scene = self.scene.clone().in_language(language);
        Self::new(scene, text(&self.title), text(&self.description))
    }

    /// The SVG document: it scales with the page, takes the page's text color, and
    /// holds real text. Where the two languages differ it has both, and shows Portuguese to
    /// a reader whose programs speak it and English to all others.
    pub fn svg(&self) -> &str {
        &self.svg
    }

    /// The same picture as a PNG on white, with two pixels to each SVG unit; it speaks
    /// Portuguese unless [`Figure::in_language`] has made it speak English.
    ///
    /// # Errors
    ///
    /// [`FigureError::Draw`] when the drawing backend or the encoder fails.
    pub fn png(&self) -> Result<Vec<u8>, FigureError> {
        bitmap::png(&self.scene)
    }

    /// Writes the figure to `path`, as an SVG (in both languages) or a PNG (in Portuguese, see
    /// [`Figure::png`]) by its extension, in any case.
    ///
    /// # Errors
    ///
    /// [`FigureError::UnknownFormat`] for another extension, [`FigureError::Save`] when
    /// the file can't be written, and those of [`Figure::png`].
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), FigureError> {
        let path = path.as_ref();
        let bytes = match extension(path).as_str() {
            "svg" => self.svg.clone().into_bytes(),
            "png" => self.png()?,
            _ => return Err(FigureError::UnknownFormat { path: path.into() }),
        };
        std::fs::write(path, bytes).map_err(|source| FigureError::save(path, source))
    }

    /// Prints the figure the way evcxr's Jupyter kernel reads rich output: as SVG, and as
    /// HTML that holds the same SVG in an `<img>`, which Jupyter shows in a notebook that
    /// it does not trust yet (one just cloned).
    ///
    /// evcxr calls this for a figure that is the last expression of a cell.
    pub fn evcxr_display(&self) {
        let svg = self.svg.trim_end();
        println!("EVCXR_BEGIN_CONTENT image/svg+xml\n{svg}\nEVCXR_END_CONTENT");
        let html = self.html();
        println!("EVCXR_BEGIN_CONTENT text/html\n{html}\nEVCXR_END_CONTENT");
    }

    /// The figure as one `<img>` element that carries its SVG. What it says to those who
    /// can't see it is in Portuguese, with the English beside it for the book's notebooks.
    fn html(&self) -> String {
        let data = BASE64_STANDARD.encode(self.svg.trim_end());
        let alt = Text::both(|it| {
            let [title, rest] =
                [&self.title, &self.description].map(|text| text.in_language(it));
            svg::escape(&format!("{title}. {rest}"))
        });
        let english = match alt.common() {
            Some(_) => String::new(),
            None => format!(" data-en=\"{}\"", alt.in_language(Language::English)),
        };
        let alt = alt.in_language(Language::Portuguese);
        format!("<img alt=\"{alt}\"{english} src=\"data:image/svg+xml;base64,{data}\">")
    }

    /// Shows the figure: in a notebook under its cell; elsewhere as a file in
    /// `target/figures` (from the current folder) named after the English title, whose path
    /// is printed.
    pub fn show(&self) -> Result<(), FigureError> {
        if std::env::var_os(EVCXR).is_some() {
            self.evcxr_display();
            return Ok(());
        }
        let folder = Path::new(FOLDER);
        std::fs::create_dir_all(folder)
            .map_err(|source| FigureError::save(folder, source))?;
        let path = folder.join(format!(
            "{}.svg",
            file_name(self.title.in_language(Language::English))
        ));
        self.save(&path)?;
        println!("{}", path.display());
        Ok(())
    }
}

/// The extension of `path` in lower case, or nothing.
fn extension(path: &Path) -> String {
    let extension = path.extension().unwrap_or_default();
    extension.to_string_lossy().to_lowercase()
}

/// `title` as a file name: letters and digits in lower case, hyphens for the rest, 60
/// characters at most.
fn file_name(title: &str) -> String {
    let letters = title.to_lowercase();
    let words: Vec<&str> = letters
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let name: String = words.join("-").chars().take(60).collect();
    match name.trim_end_matches('-') {
        "" => "figure".to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heatmap::Heatmap;

    #[test]
    fn the_html_is_an_image_of_the_same_svg_with_words() {
        let figure = Heatmap::new(&ndarray::array![[0.5]])
            .title("\"<b>\" & 'c'")
            .draw()
            .unwrap();
        let html = figure.html();
        let alt = "<img alt=\"&quot;&lt;b&gt;&quot; &amp; &apos;c&apos;. 0: 0 0.50\" src=\"data:";
        assert!(html.starts_with(alt), "{html}");
        let data = html.split("base64,").nth(1).unwrap().trim_end_matches("\">");
        let decoded = BASE64_STANDARD.decode(data).unwrap();
        assert_eq!(String::from_utf8(decoded).unwrap(), figure.svg().trim_end());
    }

    #[test]
    fn titles_become_file_names() {
        let cases = [
            ("Attention weights", "attention-weights"),
            ("Camada 0, cabeça 8", "camada-0-cabeça-8"),
            ("../../etc/passwd", "etc-passwd"),
            ("", "figure"),
            ("%?", "figure"),
        ];
        for (title, name) in cases {
            assert_eq!(file_name(title), name);
        }
    }
}
