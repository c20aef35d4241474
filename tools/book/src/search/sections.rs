//! The sections of a built page, as one reads them.

use std::sync::LazyLock;

use ego_tree::NodeRef;
use scraper::node::Element;
use scraper::{Html, Node, Selector};

/// From a heading to the next one.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Section {
    /// The heading's id.
    pub anchor: String,
    /// The heading.
    pub title: String,
    /// Its sentences.
    pub prose: String,
    /// Its listings, and what they print.
    pub code: String,
}

impl Section {
    /// What a result quotes.
    pub fn texts(&self) -> [&str; 2] {
        [&self.prose, &self.code]
    }
}

/// The sections of a page of mdBook.
pub fn sections(html: &str) -> Vec<Section> {
    static MAIN: LazyLock<Selector> =
        LazyLock::new(|| Selector::parse("main").expect("a valid selector"));
    let page = Html::parse_document(html);
    let mut sections = Vec::new();
    for main in page.select(&MAIN) {
        read(*main, Part::Prose, &mut sections);
    }
    for section in &mut sections {
        for text in [&mut section.title, &mut section.prose, &mut section.code] {
            *text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        }
    }
    sections
}

/// A part of a section.
#[derive(Clone, Copy)]
enum Part {
    Title,
    Prose,
    Code,
}

/// Adds what stands in an element to the last of the sections, or to new ones.
fn read(node: NodeRef<Node>, part: Part, sections: &mut Vec<Section>) {
    match node.value() {
        Node::Text(text) => write(text, part, sections),
        Node::Element(element) if !is_passed_over(element) => {
            let part = part_of(element, part);
            if let (Part::Title, Some(id)) = (part, element.attr("id")) {
                sections.push(Section { anchor: id.to_owned(), ..Section::default() });
            }
            for child in node.children() {
                read(child, part, sections);
            }
            if !is_inline(element) {
                write(" ", part, sections);
            }
        }
        _ => {}
    }
}

fn write(text: &str, part: Part, sections: &mut [Section]) {
    let Some(section) = sections.last_mut() else {
        return; // above the first heading there are no sentences
    };
    match part {
        Part::Title => section.title.push_str(text),
        Part::Prose => section.prose.push_str(text),
        Part::Code => section.code.push_str(text),
    }
}

/// A heading deeper than these belongs to its section, as in mdBook's table of contents.
fn part_of(element: &Element, around: Part) -> Part {
    let code = |class| ["cell-output", "listing-file"].contains(&class);
    match element.name() {
        "h1" | "h2" | "h3" if element.attr("id").is_some() => Part::Title,
        "pre" => Part::Code,
        _ if element.classes().any(code) => Part::Code,
        _ => around,
    }
}

/// What holds no text, or text that no line can quote: a formula in a sentence is read in its
/// `MathML`, a displayed one is not.
fn is_passed_over(element: &Element) -> bool {
    const NAMES: [&str; 7] =
        ["annotation", "button", "script", "style", "svg", "template", "noscript"];
    let class = |class| ["formula", "katex-html", "lives", "terms"].contains(&class);
    NAMES.contains(&element.name()) || element.classes().any(class)
}

/// Whether what follows an element is the same line, perhaps the same word.
fn is_inline(element: &Element) -> bool {
    const NAMES: [&str; 10] =
        ["a", "abbr", "code", "em", "i", "kbd", "span", "strong", "sub", "sup"];
    const FORMULA: [&str; 16] = [
        "math",
        "semantics",
        "mi",
        "mn",
        "mo",
        "mrow",
        "msub",
        "msup",
        "msubsup",
        "mtext",
        "mover",
        "munder",
        "mspace",
        "mstyle",
        "msqrt",
        "mfrac",
    ];
    NAMES.contains(&element.name()) || FORMULA.contains(&element.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read_by_its_headings() {
        let html = r##"<body><nav>Menu</nav><main>
            <h1 id="t"><a class="header" href="#t">O <em>título</em></a></h1>
            <nav class="lives"><a href="x">Notebook</a></nav>
            <p>Uma <strong>frase</strong>, e
               <span class="katex"><span class="katex-mathml"><math><semantics><mrow>
               <msub><mi>d</mi><mi>k</mi></msub></mrow><annotation>d_k</annotation></semantics>
               </math></span><span class="katex-html">dk</span></span>.</p><p>Outra.</p>
            <h2 id="s-1">1. Mais</h2>
            <pre><code>let a &lt; 1;</code><button>Copiar</button></pre>
            <div class="cell-output" data-label="saída">0.5</div>
            <figure><svg><text>eixo</text></svg><figcaption>A legenda</figcaption></figure>
            <script>let x;</script><div class="formula">Q K</div>
            <h4 id="deep">Fundo</h4>
            </main></body>"##;
        let section = |anchor: &str, title: &str, prose: &str, code: &str| Section {
            anchor: anchor.to_owned(),
            title: title.to_owned(),
            prose: prose.to_owned(),
            code: code.to_owned(),
        };
        let expected = [
            section("t", "O título", "Uma frase, e dk . Outra.", ""),
            section("s-1", "1. Mais", "A legenda Fundo", "let a < 1; 0.5"),
        ];
        assert_eq!(sections(html), expected);
    }
}
