//! What another processor may print, and what it may not: every kind of mistake that the
//! comparison of notebooks is there to find, made in a chapter that computes in f32.

use std::io::{Read, Write};

use base64::prelude::{BASE64_STANDARD, Engine};
use bert_attention::{Attentions, Pretrained};
use book::compare::{self, Agreement};
use book::notebook;
use book::workspace::{Language, Workspace};
use figures::Heatmap;
use hub::{HubOptions, Truncate};
use jupyter_protocol::media::MediaType;
use nbformat::v4::{Cell, Notebook, Output};
use ndarray::{Array2, Axis, array};
use serde_json::Value;

/// The chapters that compute in f32 and print four decimals; chapter 7 draws.
const F32_CHAPTERS: [&str; 4] = ["ch04", "ch05", "ch06", "ch08"];

fn recorded(chapter: &str) -> Notebook {
    let workspace = Workspace::at(&book_tests::root()).unwrap();
    let chapter = workspace.select(&[chapter.to_owned()]).unwrap().remove(0);
    notebook::read(&workspace.root.join(chapter.notebook(Language::Portuguese)))
        .unwrap()
}

/// A copy of the notebook, with `change` made to the outputs of the cell called `id`.
fn changed(
    notebook: &Notebook,
    id: &str,
    change: impl FnOnce(&mut Vec<Output>),
) -> Notebook {
    let mut copy = notebook.clone();
    let cell = copy.cells.iter_mut().find_map(|cell| match cell {
        Cell::Code { id: name, outputs, .. } if name.as_str() == id => Some(outputs),
        _ => None,
    });
    change(cell.unwrap_or_else(|| panic!("no cell {id:?}")));
    copy
}

/// A drawn output's forms.
fn forms(output: &mut Output) -> &mut Vec<MediaType> {
    match output {
        Output::ExecuteResult(result) => &mut result.data.content,
        Output::DisplayData(display) => &mut display.data.content,
        other => panic!("nothing drawn: {other:?}"),
    }
}

#[track_caller]
fn refused(expected: &Notebook, actual: &Notebook, why: &str) {
    let error = match compare::notebooks(expected, actual) {
        Ok(agreement) => panic!("not noticed: {agreement}"),
        Err(error) => format!("{error:#}"),
    };
    assert!(error.contains(why), "{error}");
}

/// Chapter 5's notebook with its first map drawn again from `map`.
fn with_first_head(
    record: &Notebook,
    attentions: &Attentions,
    map: &Array2<f64>,
) -> Notebook {
    let drawn = Heatmap::new(map)
        .row_labels(&attentions.tokens)
        .column_labels(&attentions.tokens)
        .annotate(false)
        .range(0.0, 1.0)
        .title(("Camada 0, head 0", "Layer 0, head 0"))
        .draw()
        .unwrap();
    redrawn(record, "first_head", |_| drawn.svg().trim_end().to_owned())
}

fn attentions() -> Attentions {
    let folder = hub::resolve("bertinho", &HubOptions::from_env()).unwrap();
    let model = Pretrained::load(&folder).unwrap();
    let text = "O gato sentou no tapete e o cachorro correu.";
    Attentions::of(&model, text, None, Truncate::Error).unwrap()
}

/// The notebook with the drawing of the cell called `id` changed.
fn redrawn(record: &Notebook, id: &str, change: impl Fn(&str) -> String) -> Notebook {
    changed(record, id, |outputs| {
        for form in outputs.iter_mut().flat_map(forms) {
            if let MediaType::Svg(svg) = form {
                *svg = change(svg);
            }
        }
    })
}

/// softmax(factor · scores), from softmax(scores).
fn rescaled(weights: &Array2<f64>, factor: f64) -> Array2<f64> {
    let powers = weights.mapv(|weight| weight.powf(factor));
    let sums = powers.sum_axis(Axis(1)).insert_axis(Axis(1));
    powers / sums
}

#[test]
fn a_map_of_other_attentions_is_refused_and_the_same_map_is_not() {
    let (record, attentions) = (recorded("ch05"), attentions());
    let map = attentions.head(0, 0).unwrap();
    let drawn = |map: &Array2<f64>| with_first_head(&record, &attentions, map);
    compare::notebooks(&record, &drawn(&map)).unwrap();
    // What rounding does.
    compare::notebooks(&record, &drawn(&map.mapv(|weight| weight * (1.0 + 1e-6))))
        .unwrap();

    let d_k = 16.0_f64; // the scale √d_k, with d_k taken for d_k + 4
    let scaled = rescaled(&map, (d_k / (d_k + 4.0)).sqrt());
    refused(&record, &drawn(&scaled), "cell \"first_head\"");
    refused(&record, &drawn(&attentions.head(0, 1).unwrap()), "cell \"first_head\"");
    let mut exchanged = map.clone();
    for mut row in exchanged.rows_mut() {
        row.swap(2, 3);
    }
    refused(&record, &drawn(&exchanged), "cell \"first_head\"");
}

/// Where the first number with four decimals stands in a text, from the digit before its
/// point to its last.
fn number_with_four_decimals(text: &str) -> Option<std::ops::Range<usize>> {
    let bytes = text.as_bytes();
    let digit = |i: usize| bytes.get(i).is_some_and(u8::is_ascii_digit);
    let (dot, _) = text.match_indices('.').find(|&(dot, _)| {
        dot > 0 && digit(dot - 1) && (1..=4).all(|i| digit(dot + i)) && !digit(dot + 5)
    })?;
    Some(dot - 1..dot + 5)
}

#[test]
fn a_line_through_other_points_is_refused() {
    let record = recorded("ch05");
    // Four units of its coordinates are a pixel; a line of data has the width 8.
    let lower = |units: u32| {
        redrawn(&record, "layers", |svg| {
            let (before, line) = svg.split_once("stroke-width=\"8\"").unwrap();
            let (style, line) = line.split_once(',').unwrap(); // "… points="303" and "1051 410,398 …"
            let (y, line) = line.split_once(' ').unwrap();
            let y = y.parse::<u32>().unwrap() + units;
            format!("{before}stroke-width=\"8\"{style},{y} {line}")
        })
    };
    compare::notebooks(&record, &lower(3)).unwrap();
    refused(&record, &lower(20), "cell \"layers\"");
}

#[test]
fn another_picture_within_a_picture_is_refused() {
    let record = recorded("ch05");
    let exchanged = redrawn(&record, "all_heads", |svg| {
        let start = "data:image/png;base64,";
        let mut parts: Vec<&str> = svg.split(start).collect();
        let picture = |part: &str| part.find('"').unwrap();
        let [(first, behind), (other, _)] =
            [1, 8].map(|i| parts[i].split_at(picture(parts[i])));
        assert_ne!(first, other);
        let put = format!("{other}{behind}");
        parts[1] = &put;
        parts.join(start)
    });
    refused(&record, &exchanged, "other colors");
}

#[test]
fn a_number_off_by_a_thousandth_is_refused_and_its_last_digit_is_not() {
    for chapter in F32_CHAPTERS {
        let record = recorded(chapter);
        let mut tried = 0;
        for (id, _, outputs) in notebook::code_cells(&record) {
            let printed = outputs.iter().position(|output| match output {
                Output::Stream { text, .. } => {
                    number_with_four_decimals(&text.0).is_some()
                }
                _ => false,
            });
            let Some(index) = printed.filter(|_| !varies(&record, id)) else {
                continue;
            };
            let off_by = |apart: f64| {
                changed(&record, id, |outputs| {
                    if let Output::Stream { text, .. } = &mut outputs[index] {
                        let place = number_with_four_decimals(&text.0).unwrap();
                        let number: f64 = text.0[place.clone()].parse().unwrap();
                        text.0.replace_range(place, &format!("{:.4}", number + apart));
                    }
                })
            };
            refused(&record, &off_by(0.001), "more than F32 explains");
            compare::notebooks(&record, &off_by(0.0001)).unwrap();
            tried += 1;
        }
        assert!(tried > 0, "{chapter}: no number to try");
    }
}

/// Chapter 1's notebook with a cell that has drawn a map called `title`.
fn with_title(record: &Notebook, title: impl Into<figures::Text>) -> Notebook {
    let map = Heatmap::new(&array![[0.5]]).title(title).draw().unwrap();
    changed(record, "heatmap", |outputs| {
        *forms(&mut outputs[0]) = vec![MediaType::Svg(map.svg().trim_end().to_owned())];
    })
}

#[test]
fn a_record_in_one_language_agrees_with_an_execution_in_both() {
    let record = recorded("ch01");
    let executed = with_title(&record, ("Pesos", "Weights"));
    for language in Language::ALL {
        let in_language = changed(&executed, "heatmap", |outputs| {
            *outputs = notebook::outputs_in(Some(outputs), language);
        });
        compare::notebooks(&in_language, &executed).unwrap();
        compare::notebooks(&executed, &in_language).unwrap();
        let other = with_title(&record, ("Pesos", "Weight"));
        refused(&in_language, &other, "Weights");
        refused(&in_language, &with_title(&record, ("Peso", "Weights")), "Peso");
        refused(&in_language, &with_title(&record, "Pesos"), "attributes");
    }
}

fn varies(notebook: &Notebook, id: &str) -> bool {
    notebook.cells.iter().any(|cell| match cell {
        Cell::Code { id: name, metadata, .. } => {
            name.as_str() == id
                && metadata.tags.as_ref().is_some_and(|tags| !tags.is_empty())
        }
        _ => false,
    })
}

fn one_output(arithmetic: &str, text: &str) -> Notebook {
    let output =
        serde_json::json!({"output_type": "stream", "name": "stdout", "text": [text]});
    serde_json::from_value(serde_json::json!({
        "cells": [{
            "cell_type": "code", "id": "cell", "metadata": {}, "execution_count": 1,
            "source": [], "outputs": [output],
        }],
        "metadata": {"book": {"arithmetic": arithmetic}}, "nbformat": 4, "nbformat_minor": 5,
    }))
    .unwrap()
}

fn texts(arithmetic: &str, expected: &str, found: &str) -> anyhow::Result<Agreement> {
    compare::notebooks(
        &one_output(arithmetic, expected),
        &one_output(arithmetic, found),
    )
}

#[test]
fn words_counts_and_ranks_are_equal_and_numbers_as_close_as_their_arithmetic() {
    let agree = [
        ("weight 0.1298", "weight 0.1299"),
        ("weight 0.129810060", "weight 0.129810059"),
        ("3.2e-7", "3.3e-7"),
        ("[-0.0000,  0.5]", "[0.0000, 0.5]"),
        ("12345.678", "12345.9"),
        ("(0, 1)", "(0, 0.9999)"),
        ("(0, 1.1)", "(0, 1.099)"),
    ];
    for (expected, found) in agree {
        let agreement = texts("f32", expected, found).unwrap();
        assert!(agreement.largest.is_some(), "{expected}, {found}");
        assert!(texts("f64", expected, found).is_err() || expected.contains("-0."));
    }
    texts("f64", "1.562632534579", "1.562632534580").unwrap();
    let differ = [
        ("weight 0.1298", "weight 0.1300"),
        ("weight 0.129810", "weight 0.129821"),
        ("head 8", "head 9"),
        ("head 8·8", "head 8·9"),
        ("99 of 100", "98 of 100"),
        ("gato", "cachorro"),
        ("f32", "f64"),
        ("a 0.5\nb 0.5", "a 0.5"),
        ("a 0.5", "a 0.5\nb 0.5"),
        ("a 0.5", "a 0.5 0.5"),
        ("0.5", "-0.5"),
        ("0.5", "NaN"),
        ("1.0", "2"),
        ("(0, 0.6)", "(0, 0.601)"),
        ("(0, 0.55)", "(0, 0.5)"),
    ];
    for (expected, found) in differ {
        assert!(texts("f32", expected, found).is_err(), "{expected}, {found}");
    }
}

/// A view with its first stack of weights changed.
fn with_stack(record: &Notebook, cell: &str, change: impl Fn(&mut Value)) -> Notebook {
    changed(record, cell, |outputs| {
        for form in outputs.iter_mut().flat_map(forms) {
            let MediaType::Html(html) = form else { continue };
            let (start, end) = ("<script type=\"application/json\">", "</script>");
            let from = html.find(start).unwrap() + start.len();
            let to = from + html[from..].find(end).unwrap();
            let mut json: Value = serde_json::from_str(&html[from..to]).unwrap();
            change(&mut json["stacks"][0]["weights"]);
            html.replace_range(from..to, &json.to_string());
        }
    })
}

/// The first stack of weights in a view, with `change` made to its numbers.
fn with_weights(
    record: &Notebook,
    cell: &str,
    change: impl Fn(&mut Vec<f32>),
) -> Notebook {
    with_stack(record, cell, |weights| {
        let mut values = unpacked(weights["data"].as_str().unwrap());
        change(&mut values);
        weights["data"] =
            packed(&values.into_iter().map(f32::to_be_bytes).collect::<Vec<_>>())
                .into();
    })
}

/// The first stack of weights in a view rounded, as large ones are, and raised by some steps.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "weights are from 0 to 1"
)]
fn rounded(record: &Notebook, cell: &str, steps: u16) -> Notebook {
    with_stack(record, cell, |weights| {
        let values = unpacked(weights["data"].as_str().unwrap()).into_iter();
        let step =
            |value: f32| ((value * 65535.0).round() as u16).saturating_add(steps);
        weights["kind"] = "u16".into();
        weights["data"] =
            packed(&values.map(|value| step(value).to_be_bytes()).collect::<Vec<_>>())
                .into();
    })
}

fn unpacked(data: &str) -> Vec<f32> {
    let mut bytes = Vec::new();
    let packed = BASE64_STANDARD.decode(data).unwrap();
    flate2::read::ZlibDecoder::new(&*packed).read_to_end(&mut bytes).unwrap();
    let count = bytes.len() / 4;
    let value =
        |i| f32::from_be_bytes([0, 1, 2, 3].map(|plane| bytes[plane * count + i]));
    (0..count).map(value).collect()
}

/// Numbers' bytes in planes.
fn packed<const N: usize>(numbers: &[[u8; N]]) -> String {
    let planes: Vec<u8> = (0..N)
        .flat_map(|plane| numbers.iter().map(move |bytes| bytes[plane]))
        .collect();
    let mut encoder =
        flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&planes).unwrap();
    BASE64_STANDARD.encode(encoder.finish().unwrap())
}

#[test]
fn a_view_of_other_weights_is_refused() {
    let record = recorded("ch07");
    let view = notebook::code_cells(&record)
        .find(|(_, _, outputs)| {
            outputs.iter().any(|output| {
                let text = serde_json::to_string(output).unwrap();
                text.contains("attention-view")
            })
        })
        .map(|(id, ..)| id.to_owned())
        .unwrap();
    let with = |change: &dyn Fn(&mut Vec<f32>)| with_weights(&record, &view, change);
    compare::notebooks(&record, &with(&|_| ())).unwrap();
    let rounding =
        |values: &mut Vec<f32>| values.iter_mut().for_each(|x| *x *= 1.000_001);
    compare::notebooks(&record, &with(&rounding)).unwrap();
    refused(&record, &with(&|values| values[7] += 0.001), "became");
    refused(&record, &with(&|values| values.swap(1, 2)), "became");
    let head = |values: &mut Vec<f32>| {
        let half = values.len() / 2;
        values.rotate_left(half);
    };
    refused(&record, &with(&head), "became");
    // Of a rounded stack, a step is what rounding does.
    let rounded = |steps| rounded(&record, &view, steps);
    compare::notebooks(&rounded(0), &rounded(1)).unwrap();
    refused(&rounded(0), &rounded(40), "became");
}
