//! Cells whose reader would see something else than the page shows, because of how evcxr
//! runs them.
//!
//! It passes printed text on line by line: what has no newline comes out in a later cell.
//! It keeps the variables of a cell until it is killed, and so drops none: what a kept
//! writer has in its buffer is never written, and a kept temporary folder stays. It has to
//! know a kept variable's type, which it can find out by itself only where it sees the
//! sources of all that the cell calls. And it shows the value of a cell that ends in an
//! expression, even the `()` of a loop: there, a notebook's cell has a semicolon more than
//! the page ([`as_run`]).

use std::path::Path;

use anyhow::Result;
use syn::visit::{self, Visit};
use syn::{Block, Expr, Stmt};

use crate::page::{self, Cell};
use crate::workspace::Workspace;

/// Cells that print a line without its end, keep what has to be dropped or what evcxr can't
/// know the type of, or stand in another order than in their program.
///
/// # Errors
///
/// If a page or a source can't be read.
pub fn unfaithful(workspace: &Workspace) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    for chapter in workspace.chapters()? {
        let page = chapter.page();
        let blocks = page::parse(workspace, page, &workspace.read(page)?)?;
        let cells: Vec<(usize, &Cell)> = page::cells(&blocks).collect();
        let ids: Vec<&str> = cells.iter().map(|(_, cell)| cell.id.as_str()).collect();
        let program = chapter.crate_folder().join("examples/walkthrough.rs");
        let early = displaced(&ids, &workspace.read(&program)?);
        for (line, cell) in &cells {
            let mut faults = faults(&cell.code);
            if early.contains(&cell.id.as_str()) {
                faults.push(format!(
                    "stands in {} above the cell that the page has before it",
                    program.display()
                ));
            }
            let found =
                faults.iter().map(|fault| finding(page, *line, &cell.id, fault));
            findings.extend(found);
        }
    }
    Ok(findings)
}

/// The cells that a program has above the one before them.
fn displaced<'a>(ids: &[&'a str], program: &str) -> Vec<&'a str> {
    let place = |id: &&str| program.find(&format!("// ANCHOR: {id}\n"));
    let own: Vec<&str> = ids.iter().copied().filter(|id| place(id).is_some()).collect();
    let pairs = own.windows(2);
    pairs.filter(|pair| place(&pair[1]) < place(&pair[0])).map(|pair| pair[1]).collect()
}

fn finding(page: &Path, line: usize, id: &str, fault: &str) -> String {
    format!("{}:{line}: cell {id:?} {fault}", page.display())
}

/// A cell's code as the kernel gets it: a loop, a `match` or another block at its end is
/// closed by `;`, without which evcxr would show its `()`. (rustfmt takes such a semicolon
/// out of the crates' own code.)
#[must_use]
pub fn as_run(code: &str) -> String {
    let last = statements(code).and_then(|block| block.stmts.into_iter().last());
    match last {
        Some(Stmt::Expr(expr, None)) if ends_with_block(&expr) => format!("{code};"),
        _ => code.to_owned(),
    }
}

/// The statements of a cell; none if it is no Rust.
fn statements(code: &str) -> Option<Block> {
    syn::parse_str(&format!("{{{code}\n}}")).ok()
}

fn ends_with_block(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::Block(_)
            | Expr::ForLoop(_)
            | Expr::If(_)
            | Expr::Loop(_)
            | Expr::Match(_)
            | Expr::Unsafe(_)
            | Expr::While(_)
    )
}

/// What is wrong with a cell.
fn faults(code: &str) -> Vec<String> {
    let Some(block) = statements(code) else {
        return vec!["is not Rust that can be read".to_owned()];
    };
    let mut faults = Vec::new();
    if leaves_line_open(&block.stmts) {
        faults.push(
            "may end in a print! without a newline: evcxr would show the text below a later \
             cell; end it with println!"
                .to_owned(),
        );
    }
    for statement in &block.stmts {
        if let Some(name) = keeps(statement) {
            faults.push(format!(
                "keeps a {name}, which evcxr never drops: what it holds back is lost; use it \
                 and drop it in one block {{ … }}"
            ));
        }
        if let Stmt::Local(local) = statement
            && !is_declared(&local.pat)
        {
            faults.push(
                "keeps a value without its whole type, which evcxr can't always find out; write \
                 `let name: Type = …;`, a name at a time"
                    .to_owned(),
            );
        }
    }
    faults
}

/// Whether a `let` keeps one name with its whole type, or several of the language's own types.
fn is_declared(pattern: &syn::Pat) -> bool {
    let syn::Pat::Type(typed) = pattern else {
        return false;
    };
    let mut names = Names(Vec::new());
    names.visit_type(&typed.ty);
    let mut inferred = Inferred(false);
    inferred.visit_type(&typed.ty);
    let own = |name: &String| name.starts_with(|c: char| c.is_ascii_lowercase());
    !inferred.0 && (matches!(*typed.pat, syn::Pat::Ident(_)) || names.0.iter().all(own))
}

/// Whether a part of a type is left to the compiler.
struct Inferred(bool);

impl<'a> Visit<'a> for Inferred {
    fn visit_type_infer(&mut self, _: &'a syn::TypeInfer) {
        self.0 = true;
    }
}

/// Whether a line that was begun may still be open after these statements.
fn leaves_line_open(statements: &[Stmt]) -> bool {
    let mut prints = Prints { open: false };
    for statement in statements {
        prints.visit_stmt(statement);
    }
    prints.open
}

/// Follows what code prints: whether a line may be open.
struct Prints {
    open: bool,
}

impl Prints {
    /// Code that may run or not.
    fn maybe(&mut self, visit: impl FnOnce(&mut Self)) {
        let before = self.open;
        visit(self);
        self.open |= before;
    }
}

impl<'a> Visit<'a> for Prints {
    fn visit_macro(&mut self, call: &'a syn::Macro) {
        let name = call.path.segments.last().map(|segment| segment.ident.to_string());
        match name.as_deref() {
            Some("println") => self.open = false,
            Some("print") => self.open = !ends_line(call),
            _ => {}
        }
    }

    fn visit_expr_for_loop(&mut self, found: &'a syn::ExprForLoop) {
        self.maybe(|prints| prints.visit_block(&found.body));
    }

    fn visit_expr_while(&mut self, found: &'a syn::ExprWhile) {
        self.maybe(|prints| prints.visit_block(&found.body));
    }

    fn visit_expr_closure(&mut self, found: &'a syn::ExprClosure) {
        self.maybe(|prints| visit::visit_expr_closure(prints, found));
    }

    fn visit_expr_if(&mut self, found: &'a syn::ExprIf) {
        let before = self.open;
        self.visit_block(&found.then_branch);
        let then = std::mem::replace(&mut self.open, before);
        if let Some((_, otherwise)) = &found.else_branch {
            self.visit_expr(otherwise);
        }
        self.open |= then;
    }

    fn visit_expr_match(&mut self, found: &'a syn::ExprMatch) {
        let before = self.open;
        let mut any = found.arms.is_empty() && before;
        for arm in &found.arms {
            self.open = before;
            self.visit_arm(arm);
            any |= self.open;
        }
        self.open = any;
    }

    fn visit_item(&mut self, _: &'a syn::Item) {} // runs where it is called
}

/// Whether what a `print!` is given ends a line.
fn ends_line(call: &syn::Macro) -> bool {
    let format = call.tokens.clone().into_iter().next();
    format.is_some_and(|format| format.to_string().ends_with("\\n\""))
}

/// What has to be dropped to take effect.
const DROPPED: [&str; 7] = [
    "BufWriter",
    "GzEncoder",
    "LineWriter",
    "NamedTempFile",
    "TempDir",
    "ZlibEncoder",
    "tempdir",
];

/// The name of what a statement keeps, if that has to be dropped: as its type says, or, if
/// none is declared, its value.
fn keeps(statement: &Stmt) -> Option<String> {
    let Stmt::Local(local) = statement else {
        return None;
    };
    let mut names = Names(Vec::new());
    if let syn::Pat::Type(typed) = &local.pat {
        names.visit_type(&typed.ty);
    } else if let Some(init) = &local.init {
        names.visit_expr(&init.expr);
    }
    names.0.into_iter().find(|name| DROPPED.contains(&name.as_str()))
}

/// All names in a piece of code.
struct Names(Vec<String>);

impl<'a> Visit<'a> for Names {
    fn visit_ident(&mut self, name: &'a syn::Ident) {
        self.0.push(name.to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_that_ends_in_a_block_gets_a_semicolon_and_no_other() {
        for (code, closed) in [
            ("for i in 0..3 {\n    println!(\"{i}\");\n}", true),
            ("let a: u8 = 1;\nwhile a > 2 {}", true),
            ("if let Err(e) = f() {\n    println!(\"{e}\");\n}", true),
            ("match a {\n    _ => {}\n}", true),
            ("{\n    let b = 1;\n}", true),
            ("fn f() -> u8 {\n    for _ in 0..3 {}\n    1\n}", false),
            ("struct A {\n    b: u8,\n}\nimpl A {}", false),
            ("for i in a {}\nlet b: u8 = 1; // a comment", false),
            ("let a: u8 = { 1 };", false),
            ("a.show()?;", false),
            ("a.show()?", false), // a value to be seen
        ] {
            let expected = if closed { format!("{code};") } else { code.to_owned() };
            assert_eq!(as_run(code), expected);
        }
    }

    #[test]
    fn a_line_left_open_is_found() {
        for (code, open) in [
            ("print!(\"a\");", true),
            ("println!(\"a\");\nprint!(\"b {}\", 1);", true),
            ("for i in 0..3 {\n    print!(\"{i} \");\n}", true),
            ("print!(\"a\");\nif b {\n    println!();\n}", true),
            ("print!(\"a\");\nfor _ in c {\n    println!();\n}", true),
            ("a.iter().for_each(|b| print!(\"{b}\"));", true),
            ("match a {\n    1 => print!(\"b\"),\n    _ => println!(\"c\"),\n}", true),
            ("print!(\"a\\n\");", false),
            ("for i in 0..3 {\n    print!(\"{i} \");\n}\nprintln!();", false),
            (
                "for a in b {\n    for c in a {\n        print!(\"{c}\");\n    }\n    println!();\n}",
                false,
            ),
            (
                "print!(\"a\");\nif b { println!(\"c\"); } else { println!(\"d\"); }",
                false,
            ),
            ("fn f() {\n    print!(\"a\");\n}", false),
        ] {
            assert_eq!(!faults(code).is_empty(), open, "{code}");
        }
    }

    #[test]
    fn a_kept_value_that_has_to_be_dropped_is_found() {
        for (code, kept) in [
            ("let out: BufWriter<File> = BufWriter::new(File::create(\"a\")?);", true),
            ("let mut out: LineWriter<File> = std::io::LineWriter::new(file);", true),
            ("let folder: tempfile::TempDir = tempfile::tempdir()?;", true),
            ("{\n    let out = BufWriter::new(file);\n    write(out)?;\n}", false),
            ("let text: String = read(BufWriter::new(file))?;", false),
            ("let encoder: Encoder = Encoder::random(&mut random);", false),
        ] {
            assert_eq!(!faults(code).is_empty(), kept, "{code}");
        }
    }

    #[test]
    fn a_kept_value_without_its_type_is_found() {
        for (code, declared) in [
            ("let a: Array2<f64> = f()?;", true),
            ("let mut a: Vec<(u8, [f64; 3])> = f();", true),
            ("{\n    let a = f();\n}\nfor a in b {\n    let c = a;\n}", true),
            ("let a = f();", false),
            ("let a: Vec<_> = f();", false),
            ("let (a, b): (u8, u8) = f();", true),
            ("let (a, b): (Tensor, Tensor) = f();", false),
        ] {
            assert_eq!(faults(code).is_empty(), declared, "{code}");
        }
    }

    #[test]
    fn a_cell_that_runs_elsewhere_than_its_page_has_it_is_found() {
        let program =
            "// ANCHOR: a\n1\n// ANCHOR_END: a\n// ANCHOR: ab\n// ANCHOR: c\n";
        assert_eq!(displaced(&["a", "of_lib", "ab", "c"], program), [] as [&str; 0]);
        assert_eq!(displaced(&["ab", "of_lib", "a", "c"], program), ["a"]);
    }

    #[test]
    fn what_is_no_rust_is_said_to_be_none() {
        assert_eq!(faults("let a: u8 = ;"), ["is not Rust that can be read"]);
    }
}
