//! Notebooks as they come: of older formats, of other programs, broken.

use book::page::{Block, Caption, Cell, Located};
use book::workspace::{Language, Workspace};
use book::{compare, notebook, render};
use nbformat::v4::Notebook;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// A notebook with a cell and an output of each kind.
fn sample() -> Value {
    let svg = "<svg viewBox=\"0 0 1 1\"><path d=\"M0 0L1 1\" fill=\"#00ff00\"/></svg>";
    let view =
        "<div><script type=\"application/json\">{\"attn\": [0.5]}</script></div>";
    json!({
        "cells": [
            {"cell_type": "markdown", "id": "text", "metadata": {}, "source": ["# T\n", "a"]},
            {"cell_type": "code", "id": "sum", "metadata": {"tags": ["varies"]},
             "execution_count": 1, "source": "1 + 1", "outputs": [
                {"output_type": "stream", "name": "stdout", "text": ["loss 0.5\n"]},
                {"output_type": "execute_result", "execution_count": 1, "metadata": {},
                 "data": {"text/plain": ["2"]}}]},
            {"cell_type": "code", "id": "figure", "metadata": {"id": "other"},
             "execution_count": null, "source": ["draw()"], "outputs": [
                {"output_type": "display_data", "metadata": {},
                 "data": {"image/svg+xml": [svg], "text/html": view, "image/png": "AAAA"}},
                {"output_type": "error", "ename": "E", "evalue": "e", "traceback": ["t"]}]},
            {"cell_type": "raw", "id": "raw", "metadata": {}, "source": []},
        ],
        "metadata": {"kernelspec": {"display_name": "Rust", "name": "rust"},
                     "book": {"sources": "0", "arithmetic": "f32"}},
        "nbformat": 4, "nbformat_minor": 5,
    })
}

fn ids(notebook: &Notebook) -> Vec<&str> {
    notebook.cells.iter().map(|cell| cell.id().as_str()).collect()
}

/// Before 4.5 cells have no ids: Colab keeps them in the metadata, VS Code nowhere.
#[test]
fn notebooks_of_older_minor_versions_are_brought_up_to_date() {
    for minor in 0..=5 {
        let mut old = sample();
        old["nbformat_minor"] = minor.into();
        for cell in old["cells"].as_array_mut().unwrap() {
            cell.as_object_mut().unwrap().remove("id");
        }
        let read = notebook::parse(&old.to_string()).unwrap();
        assert_eq!(ids(&read), ["cell-1", "cell-2", "other", "cell-4"], "4.{minor}");
        assert_eq!(read.nbformat_minor, 5);
        let again = notebook::parse(&notebook::to_text(&read).unwrap()).unwrap();
        assert_eq!(ids(&read), ids(&again));
        assert_eq!(compare::notebooks(&read, &again).unwrap().cells, 2);
    }
}

/// An id that is there stays, and one that is taken is not given again.
#[test]
fn only_cells_without_an_id_are_given_one() {
    let mut some = sample();
    some["cells"][0]["id"] = "cell-2".into();
    some["cells"][1].as_object_mut().unwrap().remove("id");
    some["cells"][2]["metadata"]["id"] = "ignored".into();
    some["cells"][3]["metadata"]["id"] = "not an id".into();
    some["cells"][3].as_object_mut().unwrap().remove("id");
    let read = notebook::parse(&some.to_string()).unwrap();
    assert_eq!(ids(&read), ["cell-2", "cell-2-", "figure", "cell-4"]);
}

#[test]
fn a_notebook_that_can_t_be_read_says_what_it_is() {
    let of = |major: Value, minor: Value| {
        let mut notebook = sample();
        notebook["nbformat"] = major;
        notebook["nbformat_minor"] = minor;
        notebook.to_string()
    };
    let mut twice = sample();
    twice["cells"][1]["id"] = "text".into();
    for (text, problem) in [
        (
            of(3.into(), 0.into()),
            "a notebook of nbformat 3.0, and this tool reads 4.0 to 4.5",
        ),
        (of(4.into(), 6.into()), "a notebook of nbformat 4.6"),
        (of(5.into(), 0.into()), "a notebook of nbformat 5.0"),
        (of(4_294_967_300_u64.into(), 5.into()), "a notebook of nbformat 4294967300.5"),
        (of("4".into(), 5.into()), "no notebook: it does not say"),
        ("[1]".to_owned(), "no notebook: it does not say"),
        ("{".to_owned(), "this is not JSON"),
        (
            "{\"nbformat\": 4}".to_owned(),
            "this is no notebook of nbformat 4: missing field",
        ),
        (twice.to_string(), "this is no notebook of nbformat 4: Duplicate"),
    ] {
        let error = format!("{:#}", notebook::parse(&text).unwrap_err());
        assert!(error.starts_with(problem), "{error}");
    }
}

/// JSON in which the words of notebooks are common.
fn any_json() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "cells",
        "id",
        "metadata",
        "source",
        "outputs",
        "output_type",
        "data",
        "text",
        "name",
        "nbformat",
        "nbformat_minor",
        "cell_type",
        "code",
        "stream",
        "text/plain",
        "image/svg+xml",
        "application/json",
        "tags",
        "varies",
        "4",
        "",
    ]);
    let word = word.prop_map(str::to_owned);
    let text = prop_oneof![word.clone(), any::<String>()];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        let object = prop::collection::vec((text.clone(), inner.clone()), 0..4);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::from),
            object.prop_map(|pairs| Value::from(
                pairs.into_iter().collect::<Map<_, _>>()
            )),
        ]
    })
}

/// The JSON pointers of a value and of all inside it.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    let mut inside = |key: &str, value| {
        let key = key.replace('~', "~0").replace('/', "~1");
        pointers(value, &format!("{at}/{key}"), found);
    };
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(i, item)| inside(&i.to_string(), item));
        }
        Value::Object(fields) => {
            fields.iter().for_each(|(key, field)| inside(key, field));
        }
        _ => {}
    }
}

/// Puts another value in the place of one inside, or takes it out.
fn change(value: &mut Value, place: prop::sample::Index, new: Option<Value>) {
    let mut places = Vec::new();
    pointers(value, "", &mut places);
    let pointer = place.get(&places);
    if let Some(new) = new {
        *value.pointer_mut(pointer).unwrap() = new;
        return;
    }
    let Some((parent, key)) = pointer.rsplit_once('/') else { return };
    match value.pointer_mut(parent).unwrap() {
        Value::Array(items) => drop(items.remove(key.parse().unwrap())),
        Value::Object(fields) => {
            fields.remove(&key.replace("~1", "/").replace("~0", "~"));
        }
        _ => unreachable!("only these have values inside"),
    }
}

/// A notebook in which some values are others, or gone.
fn any_notebook() -> impl Strategy<Value = String> {
    let change_to = (any::<prop::sample::Index>(), prop::option::of(any_json()));
    let changes = prop::collection::vec(change_to, 0..6);
    let end = prop::option::weighted(0.1, any::<prop::sample::Index>());
    (changes, end).prop_map(|(changes, end)| {
        let mut notebook = sample();
        for (place, new) in changes {
            change(&mut notebook, place, new);
        }
        let text = notebook.to_string();
        match end {
            None => text,
            Some(end) => text.chars().take(end.index(text.len())).collect(), // cut short
        }
    })
}

/// A page with the cells of the sample.
fn page() -> Vec<Located> {
    let cell = |id: &str| Cell {
        id: id.into(),
        code: "draw()".into(),
        file: "chapters-code/a/examples/walkthrough.rs".into(),
        draws: false,
        fails: false,
        varies: false,
    };
    let blocks = [
        Block::Cell(cell("sum")),
        Block::Cell(cell("figure")),
        Block::Caption(Caption { text: "A".into(), ..Caption::default() }),
        Block::Alt("B".into()),
    ];
    blocks.into_iter().zip(1..).map(|(block, line)| Located { line, block }).collect()
}

proptest! {
    /// Whatever a file holds, it is read or refused: the same notebook after a round trip, and
    /// no panic in what compares and shows it.
    #[test]
    fn any_json_is_read_or_refused(text in any_notebook()) {
        let Ok(read) = notebook::parse(&text) else { return Ok(()) };
        let written = notebook::to_text(&read).unwrap();
        let again = notebook::parse(&written).unwrap();
        prop_assert_eq!(&written, &notebook::to_text(&again).unwrap());
        let expected = notebook::parse(&sample().to_string()).unwrap();
        let _ = compare::notebooks(&expected, &read); // they may differ
        let _ = compare::notebooks(&read, &again);
        let workspace = Workspace::at(&book_tests::root()).unwrap();
        let outputs = notebook::outputs(&read);
        let _ = render::page(&workspace, Language::English, "src/a.md", &page(), &outputs);
    }
}
