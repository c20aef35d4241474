//! Listings in color, when the book is built.
//!
//! syntect finds what the words of a listing are; the classes are those of highlight.js, which
//! mdBook's styles give their colors, in each theme.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use anyhow::{Context, Result};
use regex::{Captures, Regex};
use syntect::easy::ScopeRegionIterator;
use syntect::parsing::{ParseState, Scope, ScopeStack, SyntaxReference, SyntaxSet};
use syntect::util::LinesWithEndings;

use crate::figure::escape;

/// What a scope is called in the styles, from the one that says least.
const CLASSES: [(&str, &str); 28] = [
    ("comment", "comment"),
    ("constant", "literal"),
    ("constant.character", "string"),
    ("constant.numeric", "number"),
    ("constant.other", ""),
    ("constant.other.placeholder", "string"),
    ("entity.name.class", "title"),
    ("entity.name.enum", "title"),
    ("entity.name.function", "title"),
    ("entity.name.macro", "title"),
    ("entity.name.struct", "title"),
    ("entity.name.table", "section"),
    ("entity.name.trait", "title"),
    ("keyword", "keyword"),
    ("keyword.operator", "operator"),
    ("meta.annotation", "meta"),
    ("punctuation.definition.variable", ""),
    ("storage", "keyword"),
    ("storage.modifier.lifetime", "symbol"),
    ("storage.type.core", "built_in"),
    ("string", "string"),
    ("support.function", ""),
    ("support.function.builtin", "built_in"),
    ("support.macro", "built_in"),
    ("support.type", "built_in"),
    ("support.type.property-name", "attr"),
    ("variable.language", "keyword"),
    ("variable.other", ""),
];

/// Types of Rust that its grammar takes for keywords, as `let` is one.
const TYPES: [&str; 17] = [
    "bool", "char", "f32", "f64", "i128", "i16", "i32", "i64", "i8", "isize", "str",
    "u128", "u16", "u32", "u64", "u8", "usize",
];

static SYNTAXES: LazyLock<SyntaxSet> = LazyLock::new(two_face::syntax::extra_newlines);

static SCOPES: LazyLock<Vec<(Scope, &str)>> = LazyLock::new(|| {
    let scope = |name| Scope::new(name).expect("a valid scope");
    CLASSES.iter().rev().map(|(name, class)| (scope(name), *class)).collect()
});

/// A page whose listings are in color, as far as their languages are known.
///
/// # Errors
///
/// If a grammar fails.
pub fn listings(html: &str) -> Result<String> {
    static LISTING: LazyLock<Regex> = LazyLock::new(|| {
        let pattern =
            r#"<pre><code(?: class="(language-([a-z]+)[^"]*)")?>([^<]*)</code></pre>"#;
        Regex::new(pattern).expect("a valid pattern")
    });
    let mut failure = None;
    let colored = LISTING.replace_all(html, |listing: &Captures<'_>| {
        let text = unescaped(&listing[3]);
        let language = listing.get(2).and_then(|name| syntax(name.as_str()));
        let code = match language.map(|syntax| colored(&text, syntax)) {
            Some(Ok(code)) => code,
            Some(Err(error)) => {
                failure = Some(error);
                String::new()
            }
            None => escape(&text),
        };
        let classes = listing.get(1).map_or("", |classes| classes.as_str());
        let classes = format!("{classes} hljs");
        let classes = classes.trim_start();
        format!("<pre><code class=\"{classes}\">{code}</code></pre>")
    });
    failure.map_or(Ok(colored.into_owned()), Err)
}

/// The grammar of a fence's language.
fn syntax(language: &str) -> Option<&'static SyntaxReference> {
    let name = if language == "console" { "bash" } else { language };
    SYNTAXES.find_syntax_by_token(name)
}

/// What `escape` and mdBook have escaped.
#[must_use]
pub fn unescaped(html: &str) -> String {
    let mut text = html.to_owned();
    for (reference, character) in [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("&amp;", "&"),
    ] {
        text = text.replace(reference, character);
    }
    text
}

/// Code as HTML. Each listing is in both editions, and again where all pages are one: it is
/// colored once.
fn colored(code: &str, syntax: &SyntaxReference) -> Result<String> {
    static DONE: LazyLock<Mutex<HashMap<String, String>>> =
        LazyLock::new(Mutex::default);
    let done = || DONE.lock().unwrap_or_else(PoisonError::into_inner);
    let key = format!("{}\n{code}", syntax.name);
    if let Some(known) = done().get(&key) {
        return Ok(known.clone());
    }
    let html = spans(code, syntax)?;
    done().insert(key, html.clone());
    Ok(html)
}

/// Code with a span around each run of a class.
fn spans(code: &str, syntax: &SyntaxReference) -> Result<String> {
    let mut state = ParseState::new(syntax);
    let mut stack = ScopeStack::new();
    let mut runs: Vec<(&str, String)> = Vec::new();
    for line in LinesWithEndings::from(code) {
        let operations = state.parse_line(line, &SYNTAXES);
        let operations =
            operations.with_context(|| format!("no color for {line:?}"))?;
        for (text, operation) in ScopeRegionIterator::new(&operations, line) {
            stack.apply(operation)?;
            if text.is_empty() {
                continue;
            }
            let class = class(&stack, text);
            match runs.last_mut() {
                Some((last, run)) if *last == class => run.push_str(text),
                _ => runs.push((class, text.to_owned())),
            }
        }
    }
    let spans = runs.iter().map(|(class, text)| {
        let text = escape(text);
        if class.is_empty() || text.trim().is_empty() {
            text
        } else {
            format!("<span class=\"hljs-{class}\">{text}</span>")
        }
    });
    Ok(spans.collect())
}

/// What a text is, by the innermost of its scopes that says something.
fn class(stack: &ScopeStack, text: &str) -> &'static str {
    let known = stack.as_slice().iter().rev().find_map(|scope| {
        let mut names = SCOPES.iter().filter(|(name, _)| name.is_prefix_of(*scope));
        names.next().map(|(_, class)| *class)
    });
    let word = text.trim();
    match known.unwrap_or_default() {
        "keyword" if TYPES.contains(&word) => "built_in",
        "operator" if word.starts_with(char::is_alphabetic) => "keyword", // `as`, `and`
        "operator" => "",
        class => class,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_has_its_colors() {
        let page = |language: &str, code: &str| {
            let code = escape(code);
            format!("a<pre><code class=\"language-{language}\">{code}</code></pre>b")
        };
        let tag = Regex::new("<[^>]*>").unwrap();
        for (language, code, spans) in [
            (
                "rust",
                "pub fn f<'a>(a: &'a f64) -> Vec<u8> {\n    // é\n    self.g(\"<\", 1.5, true)\n}\n",
                &[
                    "keyword\">pub",
                    "title\">f<",
                    "built_in\">f64",
                    "comment\">// é",
                    "string\">&quot;&lt;&quot;",
                    "number\">1.5",
                    "literal\">true",
                ][..],
            ),
            (
                "python",
                "def f(a):\n    return a and len(a)  # b\n",
                &[
                    "keyword\">def",
                    "title\">f",
                    "keyword\">and",
                    "built_in\">len",
                    "comment\"># b",
                ],
            ),
            ("console", "cargo test # all\n", &["comment\"># all"]),
            (
                "toml",
                "[a]\nb = \"c\" # d\n",
                &["string\">&quot;c&quot;", "comment\"># d"],
            ),
            ("json", "{\"a\": [1.5, true]}\n", &["number\">1.5", "literal\">true"]),
        ] {
            let html = listings(&page(language, code)).unwrap();
            for span in spans {
                let span = format!("<span class=\"hljs-{span}");
                assert!(html.contains(&span), "{span} in {html}");
            }
            let text = tag.replace_all(&html, "").into_owned();
            assert_eq!(unescaped(&text), format!("a{code}b"));
        }
    }

    #[test]
    fn what_has_no_grammar_stays_as_it_is() {
        let code = "<pre><code class=\"language-nothing\">let &amp;</code></pre>";
        let expected = "<pre>\
                        <code class=\"language-nothing hljs\">let &amp;</code></pre>";
        assert_eq!(listings(code).unwrap(), expected);
        for other in ["<code>a</code>", "<pre class=\"cell-output\">a</pre>"] {
            assert_eq!(listings(other).unwrap(), other);
        }
    }
}
