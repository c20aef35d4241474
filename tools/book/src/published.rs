//! What only a published book says: the parts of a page between `{{#published}}` and
//! `{{#endpublished}}`, whose links `repository:issues` lead into the public repository. While
//! `repository` in the root `Cargo.toml` is unset, the page is without them.

use crate::page::{Block, Located};

/// How a link into the repository begins.
const LINK: &str = "](repository:";

/// A page's blocks as readers get them, given the repository's address.
#[must_use]
pub fn blocks(blocks: Vec<Located>, repository: Option<&str>) -> Vec<Located> {
    let mut inside = false;
    let mut kept = Vec::new();
    for mut located in blocks {
        match &mut located.block {
            Block::Published => inside = true,
            Block::EndPublished => inside = false,
            block => match (inside, repository) {
                (false, _) => kept.push(located),
                (true, None) => {}
                (true, Some(address)) => {
                    if let Block::Markdown(text) = block {
                        *text = text.replace(LINK, &format!("]({address}/"));
                    }
                    kept.push(located);
                }
            },
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(repository: Option<&str>) -> Vec<String> {
        let prose = |text: &str| Block::Markdown(text.to_owned());
        let parts = [
            prose("a"),
            Block::Published,
            prose("[b](repository:issues/new)"),
            Block::EndPublished,
            prose("c"),
        ];
        let parts = parts.into_iter().map(|block| Located { line: 1, block });
        let kept = blocks(parts.collect(), repository).into_iter();
        kept.map(|located| match located.block {
            Block::Markdown(text) => text,
            other => format!("{other:?}"),
        })
        .collect()
    }

    #[test]
    fn a_part_for_a_published_book_waits_for_its_address() {
        assert_eq!(page(None), ["a", "c"]);
        let address = "https://github.com/someone/book";
        let link = "[b](https://github.com/someone/book/issues/new)";
        assert_eq!(page(Some(address)), ["a", link, "c"]);
    }
}
