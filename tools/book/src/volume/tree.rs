//! A page's HTML as a tree that can be cut, moved and written again, as XHTML.

use pulldown_cmark_escape::escape_html;
use scraper::{ElementRef, Node as Parsed};

/// A part of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// A tag with what it holds.
    Element(Element),
    /// The words between two tags.
    Text(String),
}

/// A tag with what it holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Element {
    /// The tag's name, as it is written.
    pub name: String,
    /// Its attributes, in the order in which they are written.
    pub attributes: Vec<(String, String)>,
    /// What it holds.
    pub children: Vec<Node>,
}

/// HTML's elements without an end tag.
const VOID: [&str; 7] = ["br", "col", "hr", "img", "input", "meta", "wbr"];

/// Where foreign elements come from, which XML wants to know.
const NAMESPACES: [(&str, &str); 2] = [
    ("svg", "http://www.w3.org/2000/svg"),
    ("math", "http://www.w3.org/1998/Math/MathML"),
];

impl Node {
    /// The element, if it is one.
    #[must_use]
    pub fn element(&self) -> Option<&Element> {
        match self {
            Self::Element(element) => Some(element),
            Self::Text(_) => None,
        }
    }

    /// A part that is words alone.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }
}

impl From<Element> for Node {
    fn from(element: Element) -> Self {
        Self::Element(element)
    }
}

impl Element {
    /// An element of this name, with a class unless it is empty.
    #[must_use]
    pub fn new(name: &str, class: &str, children: Vec<Node>) -> Self {
        let mut element = Self { name: name.to_owned(), children, ..Self::default() };
        if !class.is_empty() {
            element.set("class", class);
        }
        element
    }

    /// An element that holds words alone.
    #[must_use]
    pub fn of_text(name: &str, class: &str, text: &str) -> Self {
        Self::new(name, class, vec![Node::text(text)])
    }

    /// A link.
    #[must_use]
    pub fn link(href: &str, children: Vec<Node>) -> Self {
        Self::new("a", "", children).with("href", href)
    }

    /// The same with an attribute.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.set(name, value);
        self
    }

    /// The value of an attribute.
    #[must_use]
    pub fn attr(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(attribute, _)| attribute == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Gives an attribute its value, new or in place of another.
    pub fn set(&mut self, name: &str, value: &str) {
        match self.attributes.iter_mut().find(|(attribute, _)| attribute == name) {
            Some((_, old)) => value.clone_into(old),
            None => self.attributes.push((name.to_owned(), value.to_owned())),
        }
    }

    /// Whether it has a class.
    #[must_use]
    pub fn has_class(&self, class: &str) -> bool {
        let classes = self.attr("class").unwrap_or_default();
        classes.split_ascii_whitespace().any(|one| one == class)
    }

    /// The level of a heading, 1 to 6.
    #[must_use]
    pub fn heading(&self) -> Option<u8> {
        let level = self.name.strip_prefix('h')?.parse().ok()?;
        (1..=6).contains(&level).then_some(level)
    }

    /// The first element inside it, or itself, that is as wanted.
    pub fn find(&self, wanted: &dyn Fn(&Self) -> bool) -> Option<&Self> {
        if wanted(self) {
            return Some(self);
        }
        find(&self.children, wanted)
    }
}

/// The first element that is as wanted.
pub fn find<'a>(
    nodes: &'a [Node],
    wanted: &dyn Fn(&Element) -> bool,
) -> Option<&'a Element> {
    nodes.iter().filter_map(Node::element).find_map(|element| element.find(wanted))
}

/// Calls a function with every element, outer ones first.
pub fn visit<'a>(nodes: &'a [Node], look: &mut dyn FnMut(&'a Element)) {
    for element in nodes.iter().filter_map(Node::element) {
        look(element);
        visit(&element.children, look);
    }
}

/// Puts in every element's place what a function makes of it, inner ones first.
pub fn rewrite(
    nodes: Vec<Node>,
    change: &mut dyn FnMut(Element) -> Vec<Node>,
) -> Vec<Node> {
    let mut rewritten = Vec::with_capacity(nodes.len());
    for node in nodes {
        match node {
            Node::Text(_) => rewritten.push(node),
            Node::Element(mut element) => {
                element.children = rewrite(element.children, change);
                rewritten.extend(change(element));
            }
        }
    }
    rewritten
}

/// The words in some nodes.
#[must_use]
pub fn text(nodes: &[Node]) -> String {
    let texts = nodes.iter().map(|node| match node {
        Node::Text(text) => text.clone(),
        Node::Element(element) => self::text(&element.children),
    });
    texts.collect()
}

/// What an element of a parsed page holds; comments are none of it.
#[must_use]
pub fn read(element: ElementRef<'_>) -> Vec<Node> {
    let mut nodes = Vec::new();
    for child in element.children() {
        match child.value() {
            Parsed::Text(text) => nodes.push(Node::text(&**text)),
            Parsed::Element(parsed) => {
                let attributes = parsed.attrs.iter().map(|(name, value)| {
                    let local = name.local.to_string();
                    let prefix = name.prefix.as_deref().filter(|it| !it.is_empty());
                    let name = match prefix {
                        Some(prefix) => format!("{prefix}:{local}"),
                        None => local,
                    };
                    (name, value.to_string())
                });
                nodes.push(Node::Element(Element {
                    name: parsed.name().to_owned(),
                    attributes: attributes.collect(),
                    children: ElementRef::wrap(child).map(read).unwrap_or_default(),
                }));
            }
            _ => {}
        }
    }
    nodes
}

/// Writes nodes so that a parser of XML reads them as one of HTML does.
#[must_use]
pub fn write(nodes: &[Node]) -> String {
    let mut text = String::new();
    for node in nodes {
        write_node(node, &mut text);
    }
    text
}

fn write_node(node: &Node, text: &mut String) {
    let element = match node {
        Node::Text(words) => return text.push_str(&escaped(words)),
        Node::Element(element) => element,
    };
    let name = &element.name;
    text.extend(["<", name]);
    for (attribute, value) in &element.attributes {
        text.extend([" ", attribute, "=\"", &escaped(value), "\""]);
    }
    if let Some((_, space)) = NAMESPACES.iter().find(|(of, _)| of == name)
        && element.attr("xmlns").is_none()
    {
        text.extend([" xmlns=\"", space, "\""]);
    }
    if VOID.contains(&name.as_str()) {
        return text.push_str("/>");
    }
    text.push('>');
    for child in &element.children {
        write_node(child, text);
    }
    text.extend(["</", name, ">"]);
}

/// Text for an element or an attribute; what XML has no place for becomes U+FFFD.
#[must_use]
pub fn escaped(text: &str) -> String {
    let control = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    let text = text
        .replace(|c| control(c) || matches!(c, '\u{fffe}' | '\u{ffff}'), "\u{fffd}");
    let mut escaped = String::with_capacity(text.len());
    let _ = escape_html(&mut escaped, &text); // a String takes all
    escaped
}

#[cfg(test)]
mod tests {
    use scraper::Html;

    use super::*;

    fn parsed(html: &str) -> Vec<Node> {
        read(Html::parse_fragment(html).root_element())
    }

    #[test]
    fn a_page_is_written_as_xml() {
        let html = "<p class=a>b &lt; c<br>d<!-- e --></p><svg viewBox=\"0 0 1 1\" \
                    xmlns=\"http://www.w3.org/2000/svg\"><use xlink:href=\"#f\"/></svg><img alt='\"'><a></a>\u{1}";
        let xml = "<p class=\"a\">b &lt; c<br/>d</p><svg viewBox=\"0 0 1 1\" \
                   xmlns=\"http://www.w3.org/2000/svg\"><use xlink:href=\"#f\"></use></svg>\
                   <img alt=\"&quot;\"/><a></a>\u{fffd}";
        assert_eq!(write(&parsed(html)), xml);
    }

    #[test]
    fn what_stands_inside_is_rewritten_first() {
        let nodes = parsed("<div><b>a</b><i>b</i></div>");
        let unwrapped = rewrite(nodes, &mut |element| match element.name.as_str() {
            "b" => element.children,
            "i" => Vec::new(),
            _ => vec![element.into()],
        });
        assert_eq!(write(&unwrapped), "<div>a</div>");
    }
}
