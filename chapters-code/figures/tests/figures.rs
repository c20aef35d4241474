//! What every figure promises, seen from outside.

use std::error::Error;

use base64::prelude::{BASE64_STANDARD, Engine};
use figures::{
    BarChart, Diagram, Figure, FigureError, Heatmap, HeatmapGrid, Language, LineChart,
    viridis,
};
use ndarray::{Array2, Array3, array};
use proptest::prelude::*;

type Checked = Result<(), Box<dyn Error>>;

const WORDS: [&str; 3] = ["pense", "sobre", "máquinas"];

fn weights() -> Array2<f64> {
    array![[0.2842, 0.2585, 0.4573], [0.3675, 0.2034, 0.4291], [0.3366, 0.1638, 0.4996]]
}

fn small() -> Heatmap {
    Heatmap::new(&weights()).row_labels(WORDS).column_labels(WORDS).title("Pesos")
}

fn eight_heads() -> HeatmapGrid {
    let weights = weights().insert_axis(ndarray::Axis(0));
    let heads = weights.broadcast((8, 3, 3)).map(|heads| heads.to_owned());
    HeatmapGrid::new(&heads.unwrap_or_default())
        .row_labels(WORDS)
        .column_labels(WORDS)
        .panel_titles((0..8).map(|head| format!("head {head}")))
        .range(0.0, 1.0)
        .title("Heads")
}

/// The rectangles after the page's.
fn rects(figure: &Figure) -> impl Iterator<Item = &str> {
    figure.svg().lines().filter(|line| line.starts_with("<rect ")).skip(1)
}

/// The colors of the first `count` cells.
fn fills(figure: &Figure, count: usize) -> Vec<&str> {
    rects(figure).take(count).filter_map(|cell| attribute(cell, "fill")).collect()
}

/// How often the figure writes `text`.
fn written(figure: &Figure, text: &str) -> usize {
    figure.svg().matches(&format!(">{text}</text>")).count()
}

/// Width, height and pixels (red, green, blue) of each image within an SVG.
fn images(figure: &Figure) -> Result<Vec<Image>, Box<dyn Error>> {
    let tags = figure.svg().lines().filter(|line| line.starts_with("<image "));
    let read = |tag: &str| {
        let data = attribute(tag, "href").and_then(|href| href.split(',').nth(1));
        let bytes = BASE64_STANDARD.decode(data.unwrap_or_default())?;
        let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info()?;
        let mut pixels = vec![0; reader.output_buffer_size().unwrap_or_default()];
        let info = reader.next_frame(&mut pixels)?;
        let pixels = pixels.as_chunks().0.to_vec();
        Ok(Image { size: (info.width, info.height), pixels })
    };
    tags.map(read).collect()
}

struct Image {
    size: (u32, u32),
    pixels: Vec<[u8; 3]>,
}

/// Width and height that a PNG's header gives.
fn png_size(png: &[u8]) -> (u32, u32) {
    assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
    let number = |at: usize| {
        u32::from_be_bytes([png[at], png[at + 1], png[at + 2], png[at + 3]])
    };
    (number(16), number(20))
}

/// The value of the first `name="…"` in `text`.
fn attribute<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let start = text.find(&format!(" {name}=\""))? + name.len() + 3;
    text[start..].split('"').next()
}

fn svg_size(figure: &Figure) -> (u32, u32) {
    let number = |name| attribute(figure.svg(), name)?.parse().ok();
    (number("width").unwrap_or(0), number("height").unwrap_or(0))
}

/// A document without raw text problems: tags are balanced and nothing is left unescaped.
fn assert_well_formed(svg: &str) {
    let mut open: Vec<&str> = Vec::new();
    for piece in svg.split('<').skip(1) {
        let (tag, text) =
            piece.split_once('>').unwrap_or_else(|| panic!("unclosed: {piece}"));
        assert_eq!(tag.matches('"').count() % 2, 0, "quotes of {tag}");
        assert!(!text.contains('>'), "raw > in {text}");
        for reference in text.split('&').skip(1) {
            let known = ["lt;", "gt;", "amp;", "quot;", "apos;"];
            assert!(
                known.iter().any(|name| reference.starts_with(name)),
                "&{reference}"
            );
        }
        assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
        } else if !tag.ends_with('/') {
            open.push(tag.split(' ').next().unwrap_or_default());
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

/// A figure smaller than this, in SVG units and bytes, whose PNG has twice as many pixels.
fn assert_drawn(
    figure: &Figure,
    (widest, highest): (u32, u32),
    bytes: usize,
) -> Checked {
    assert_well_formed(figure.svg());
    assert!(figure.svg().len() < bytes, "{} bytes", figure.svg().len());
    let (width, height) = svg_size(figure);
    assert!(width < widest && height < highest, "{width} × {height}");
    assert_eq!(png_size(&figure.png()?), (2 * width, 2 * height));
    Ok(())
}

#[test]
fn small_heatmap_is_complete_and_compact() -> Checked {
    let figure = small().draw()?;
    assert_drawn(&figure, (521, 521), 12_000)?;
    let svg = figure.svg();
    assert!(svg_size(&figure).0 >= 420, "{:?}", svg_size(&figure));
    for text in ["Query", "Key", "Pesos", "máquinas", "0.28", "0.16", "0.50"] {
        assert!(svg.contains(&format!(">{text}</text>")), "{text}");
    }
    let first = svg.split_once('>').map_or("", |(_, rest)| rest).trim_start();
    assert!(first.starts_with("<title id=\"figure-"), "{first}");
    assert!(
        svg.contains("pense: pense 0.28, sobre 0.26, máquinas 0.46; sobre: pense 0.37")
    );
    Ok(())
}

#[test]
fn ids_are_named_by_the_root_and_differ_between_figures() -> Checked {
    let figures =
        [small().draw()?, small().digits(3).draw()?, small().title("Outros").draw()?];
    let names: Vec<&str> = figures
        .iter()
        .filter_map(|figure| attribute(figure.svg(), "aria-labelledby"))
        .collect();
    for (name, figure) in names.iter().zip(&figures) {
        for id in name.split(' ') {
            assert!(figure.svg().contains(&format!(" id=\"{id}\"")), "{id}");
        }
    }
    assert!(names[0] != names[1] && names[1] != names[2] && names[0] != names[2]);
    Ok(())
}

#[test]
fn the_page_decides_the_colors_of_text() -> Checked {
    let chart = LineChart::new().title("t").x_title("x").y_title("y");
    let chart = chart.series("s", &[(1.0, 2.0)]);
    let bars = BarChart::new(WORDS).series("s", &[1.0, -2.0, 0.5]).draw()?;
    let grid = eight_heads().draw()?;
    for figure in [small().annotate(false).draw()?, chart.draw()?, bars, grid] {
        let svg = figure.svg();
        for color in [
            "color:var(--fg, var(--jp-content-font-color1, #1f2328))",
            "style=\"fill:var(--bg, var(--jp-layout-color0, #ffffff))\"",
        ] {
            assert!(svg.contains(color), "{color}");
        }
        for text in svg.split("<text ").skip(1) {
            assert!(text.contains("fill=\"currentColor\""), "{text}");
        }
    }
    Ok(())
}

/// The same figure of each kind, with its texts in two languages, or one.
fn spoken(
    say: fn(&'static str, &'static str) -> figures::Text,
) -> [Result<Figure, FigureError>; 5] {
    let points = [(1.0, 2.0), (2.0, 3.0)];
    let map = || {
        Heatmap::new(&weights())
            .row_labels([say("um", "one"), "q".into(), "k".into()])
            .row_title(say("linha", "row"))
            .column_title(say("coluna", "column"))
            .title(say("Um mapa de calor & mais", "A heatmap & more"))
    };
    let line = LineChart::new()
        .title(say("Curvas", "Curves"))
        .x_title(say("época", "epoch"))
        .y_title("loss")
        .series(say("treino", "training"), &points)
        .dashed_series(say("acaso", "chance"), &points);
    let bars = BarChart::new([say("um", "one"), say("dois", "two")])
        .series(say("peso", "weight"), &[1.0, 2.0]);
    let boxes =
        Diagram::new().title("x").node([say("entrada", "input"), "(n, d)".into()]);
    let grid = HeatmapGrid::of([map(), map()])
        .panel_titles([say("antes", "before"), say("depois", "after")])
        .grid_row_titles([say("camada 0", "layer 0")]);
    [map().draw(), grid.draw(), line.draw(), bars.draw(), boxes.draw()]
}

#[test]
fn a_figure_speaks_two_languages() -> Checked {
    let both = spoken(|portuguese, english| (portuguese, english).into());
    let portuguese = spoken(|portuguese, _| portuguese.into());
    let english = spoken(|_, english| english.into());
    for ((both, portuguese), english) in both.into_iter().zip(portuguese).zip(english) {
        let both = both?;
        assert_well_formed(both.svg());
        assert!(both.svg().contains("</text></switch>"), "{}", both.svg());
        for (language, one) in
            [(Language::Portuguese, portuguese?), (Language::English, english?)]
        {
            let chosen = both.in_language(language)?;
            let words = |figure: &Figure| {
                let texts = figure
                    .svg()
                    .split('>')
                    .filter_map(|tag| tag.strip_suffix("</text"));
                texts.map(str::to_owned).collect::<Vec<_>>()
            };
            // There is room for both languages, so the places may differ.
            assert_eq!(words(&chosen), words(&one));
            let about = |figure: &Figure| {
                let lines = figure.svg().lines().skip(1).take(2);
                lines
                    .filter_map(|line| Some(line.split_once('>')?.1.to_owned()))
                    .collect::<Vec<_>>()
            };
            assert_eq!(about(&chosen), about(&one));
            assert!(svg_size(&one).0 <= svg_size(&both).0);
        }
        let as_it_is = both.in_language(Language::Portuguese)?.png()?;
        assert_eq!(both.png()?, as_it_is, "a picture speaks Portuguese");
    }
    Ok(())
}

#[test]
fn no_text_is_smaller_than_nine_pixels_on_a_telephone() -> Checked {
    let tokens: Vec<String> = (0..16).map(|i| format!("##tok{i}")).collect();
    let map = |n: usize| {
        Heatmap::new(&Array2::from_shape_fn((n, n), |(i, j)| (i + j) as f64 / 64.0))
            .row_labels(&tokens[..n])
            .column_labels(&tokens[..n])
            .title("Um título que não cabe numa linha só, de tão comprido que ele é")
    };
    let points: Vec<(f64, f64)> =
        (0..13_000).step_by(500).map(|x| (x.into(), 1e-3)).collect();
    let chart = |names: [&str; 3]| {
        let chart = LineChart::new().title("t").x_title("step").y_title("loss");
        names.iter().fold(chart, |chart, name| chart.series(*name, &points)).draw()
    };
    let heads = Array3::from_shape_fn((5, 12, 12), |(i, j, k)| (i * j + k) as f64);
    let figures = [
        small().draw()?,
        map(9).draw()?,
        map(16).annotate(false).draw()?,
        Heatmap::new(&Array2::zeros((64, 64))).draw()?,
        Heatmap::new(&Array2::from_elem((12, 12), 1.5)).digits(1).draw()?,
        eight_heads().draw()?,
        HeatmapGrid::new(&heads).columns(2).row_title("layer").draw()?,
        HeatmapGrid::new(&Array3::zeros((144, 12, 12)))
            .grid_row_titles((0..12).map(|layer| layer.to_string()))
            .grid_column_titles((0..12).map(|head| head.to_string()))
            .title("144")
            .draw()?,
        chart(["treino", "validação", "acaso"])?,
        chart(["334 palavras: guardadas", "84 palavras: guardadas", "acaso"])?,
        BarChart::new(WORDS)
            .series("peso", &[0.1, 0.2, 0.4])
            .series("mudança", &[1.0; 3])
            .draw()?,
    ];
    for figure in figures {
        let width = f64::from(svg_size(&figure).0);
        let texts = figure.svg().lines().filter(|line| line.starts_with("<text "));
        for text in texts {
            let size = number(text, "font-size") / 4.0 * (360.0 / width).min(1.0);
            assert!(size >= 8.995, "{size} pixels on a page of 400: {text}");
        }
    }
    Ok(())
}

#[test]
fn colors_part_at_zero_and_roots_tell_small_numbers_apart() -> Checked {
    let map = Heatmap::new(&array![[0.0, 0.5], [-0.25, -0.5]]).diverging();
    let figure = map.clone().draw()?;
    let colors = fills(&figure, 4);
    assert_eq!(colors[0], "#e8e8e6");
    assert_eq!([colors[1], colors[3]], ["#a44c1d", "#2e69b2"]);
    // One side longer than the other: zero stays gray.
    assert_eq!(fills(&map.clone().range(-0.5, 2.0).draw()?, 1), ["#e8e8e6"]);
    let grid = HeatmapGrid::of([map.clone(), map]).draw()?;
    assert_eq!(fills(&grid, 8)[4..], colors);
    let shares = Heatmap::new(&array![[0.0, 0.25, 1.0]]).range(0.0, 1.0).root_scale();
    assert_eq!(fills(&shares.draw()?, 3), ["#440154", "#21918c", "#fde725"]);
    Ok(())
}

#[test]
fn same_input_same_bytes() -> Checked {
    let (one, two) = (small().draw()?, small().draw()?);
    assert_eq!(one.svg(), two.svg());
    assert_eq!(one.png()?, two.png()?);
    Ok(())
}

#[test]
fn numbers_read_on_every_cell() -> Checked {
    let values = Array2::from_shape_fn((16, 16), |(i, j)| (i * 16 + j) as f64 / 255.0);
    let map = Heatmap::new(&values).row_labels([""; 16]).column_labels([""; 16]);
    let figure = map.annotate(true).draw()?;
    let lines: Vec<&str> = figure.svg().lines().collect();
    let mut cells = 0;
    for pair in lines.windows(2) {
        if let (Some(cell), Some(text)) =
            (attribute(pair[0], "fill"), attribute(pair[1], "fill"))
            && pair[0].starts_with("<rect ")
            && pair[1].starts_with("<text ")
            && text != "currentColor"
        {
            assert!(contrast(rgb(cell)?, rgb(text)?) >= 4.5, "{text} on {cell}");
            cells += 1;
        }
    }
    assert_eq!(cells, 256);
    Ok(())
}

fn rgb(hex: &str) -> Result<[f64; 3], Box<dyn Error>> {
    let channel = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).map(f64::from);
    Ok([channel(1)?, channel(3)?, channel(5)?])
}

fn contrast(a: [f64; 3], b: [f64; 3]) -> f64 {
    let linear = |c: f64| {
        let c = c / 255.0;
        if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
    };
    let bright = |c: [f64; 3]| {
        0.05 + 0.2126 * linear(c[0]) + 0.7152 * linear(c[1]) + 0.0722 * linear(c[2])
    };
    bright(a).max(bright(b)) / bright(a).min(bright(b))
}

#[test]
fn row_0_is_on_top_and_colors_are_viridis() -> Checked {
    let figure =
        Heatmap::new(&array![[0.0, 1.0], [0.5, 0.25]]).range(0.0, 1.0).draw()?;
    assert_eq!(fills(&figure, 4), ["#440154", "#fde725", "#21918c", "#3b528b"]);
    let y: Vec<f64> = rects(&figure).map(|cell| number(cell, "y")).collect();
    assert!(y[0].total_cmp(&y[1]).is_eq() && y[0] < y[2]);
    assert_eq!(viridis(0.75), [0x5e, 0xc9, 0x62]);
    Ok(())
}

#[test]
fn labels_are_escaped_and_kept_to_their_line() -> Checked {
    let labels = ["<b>&\"'", "a\nb\u{0}\u{1b}", "]]>--><!--"];
    let figure = Heatmap::new(&weights())
        .row_labels(labels)
        .column_labels(labels)
        .title("<script>alert('1')</script> & \"more\"")
        .row_title("<&>")
        .draw()?;
    assert_well_formed(figure.svg());
    assert!(!figure.svg().contains("<script"));
    let series =
        LineChart::new().series("<&\">", &[(1.0, 2.0)]).title("a < b").draw()?;
    assert_well_formed(series.svg());
    Ok(())
}

#[test]
fn wrong_input_is_named() {
    let none: [&str; 0] = [];
    let map = |value: f64| Heatmap::new(&array![[0.0, value]]);
    let chart = |points: &[(f64, f64)]| LineChart::new().series("s", points);
    let bars = |values: &[f64]| BarChart::new(WORDS).series("a", values);
    let heads = eight_heads;
    let none_of = |shape| HeatmapGrid::new(&Array3::zeros(shape));
    let nan = "panel 1 (counted from 0): the value at row 0, column 1 (counted from 0) is NaN";
    let log = "point 1 (counted from 0) of the series \"s\" has x = 0";
    let rows = heads().columns(3).grid_row_titles(["a", "b"]);
    let cases = [
        (Heatmap::new(&Array2::zeros((0, 3))).draw(), "0 × 3"),
        (Heatmap::new(&Array2::zeros((3, 0))).draw(), "3 × 0"),
        (small().row_labels(["a", "b"]).draw(), "3 rows but 2 labels"),
        (small().column_labels(none).draw(), "3 columns but 0 labels"),
        (map(f64::NAN).draw(), "row 0, column 1 (counted from 0) is NaN"),
        (map(f64::INFINITY).draw(), "is inf"),
        (map(f64::NEG_INFINITY).draw(), "is -inf"),
        (map(1.0).range(1.0, 1.0).draw(), "1 to 1"),
        (map(1.0).range(1.0, 0.0).draw(), "1 to 0"),
        (map(1.0).range(f64::NAN, 1.0).draw(), "NaN to 1"),
        (map(1.0).range(0.0, f64::INFINITY).draw(), "0 to inf"),
        (none_of((0, 3, 3)).draw(), "no panels"),
        (HeatmapGrid::of([]).draw(), "no panels"),
        (none_of((2, 0, 3)).draw(), "panel 0"),
        (none_of((2, 0, 3)).draw(), "0 × 3"),
        (heads().row_labels(["a", "b"]).draw(), "3 rows but 2 labels"),
        (heads().panel_titles(["a"]).draw(), "8 panels but 1 titles"),
        (rows.draw(), "3 rows of panels but 2 titles"),
        (
            heads().grid_column_titles(["a"; 5]).draw(),
            "4 columns of panels but 5 titles",
        ),
        (heads().range(1.0, 0.0).draw(), "1 to 0"),
        (HeatmapGrid::of([map(1.0), map(f64::NAN)]).draw(), nan),
        (HeatmapGrid::of([map(1.0), map(f64::INFINITY)]).draw(), "is inf"),
        (HeatmapGrid::of([map(1.0).range(2.0, 1.0)]).draw(), "2 to 1"),
        (LineChart::new().draw(), "no series"),
        (chart(&[]).draw(), "\"s\" has no points"),
        (chart(&[(0.0, f64::NAN)]).draw(), "is (0, NaN)"),
        (chart(&[(1.0, 1.0), (0.0, 1.0)]).log_x().draw(), log),
        (chart(&[(1.0, -1.0)]).log_y().draw(), "y = -1"),
        (BarChart::new(WORDS).draw(), "no series"),
        (bars(&[1.0]).draw(), "1 values for 3 labels"),
        (bars(&[1.0, f64::NAN, 2.0]).draw(), "value 1"),
        (bars(&[1.0, f64::NAN, 2.0]).draw(), "NaN"),
        (BarChart::new(none).series("a", &[]).draw(), "no points"),
    ];
    for (result, expected) in cases {
        let message = result.map_or_else(|error| error.to_string(), |_| "drawn".into());
        assert!(message.contains(expected), "{message:?} without {expected:?}");
    }
}

#[test]
fn awful_matrices_are_drawn() -> Checked {
    let long = &*"palavra".repeat(300);
    let one = || Heatmap::new(&array![[0.3]]);
    let maps = [
        Heatmap::new(&array![[0.0]]),
        Heatmap::new(&array![[f64::MAX, f64::MIN]]),
        Heatmap::new(&array![[f64::MAX]]),
        Heatmap::new(&array![[f64::MIN_POSITIVE, 0.0, -0.0, 5e-324]]).digits(99),
        Heatmap::new(&Array2::ones((4, 4))),
        Heatmap::new(&array![[1e15, 1e15 + 1.0]]).annotate(true).digits(15),
        Heatmap::new(&array![[0.3], [0.4]]).row_labels([long, ""]).title(long),
        one().title(long.replace('l', " ")).row_title(long).column_title(""),
        one().row_title("").column_title("").row_labels([""]).column_labels([""]),
        Heatmap::new(&array![[0.3, 0.2]]).column_labels(["日本語", "🙂\u{200d}🙂"]),
        Heatmap::new(&Array2::zeros((1, 64))).annotate(true),
        Heatmap::new(&Array2::zeros((3000, 2))),
        Heatmap::new(&Array2::zeros((2, 3000))).column_labels(vec!["t"; 3000]),
        Heatmap::new(&Array2::zeros((65, 1))).row_labels(vec![long; 65]).annotate(true),
    ];
    for map in maps {
        assert_drawn(&map.draw()?, (2400, 2400), usize::MAX)?;
    }
    Ok(())
}

#[test]
fn awful_grids_and_bars_are_drawn() -> Checked {
    let long = &*"palavra".repeat(300);
    let zeros = |shape| HeatmapGrid::new(&Array3::zeros(shape));
    let grids = [
        zeros((1, 1, 1)),
        zeros((144, 1, 1)).columns(0),
        zeros((7, 2, 900)).annotate(true),
        zeros((7, 900, 2)).columns(99),
        zeros((5, 30, 30)).annotate(true).digits(99),
        zeros((9, 2, 2)).row_labels([long; 2]).column_labels([long; 2]).columns(2),
        zeros((3, 2, 2)).grid_row_titles([long]).grid_column_titles(["", "🙂", long]),
        zeros((4, 2, 2)).panel_titles([long; 4]).title(long).row_title(long),
        HeatmapGrid::of([
            Heatmap::new(&array![[f64::MAX, f64::MIN]]),
            Heatmap::new(&Array2::zeros((100, 1))).row_title("").annotate(true),
            Heatmap::new(&array![[0.0]]).row_labels(["<a>"]).title("]]>&"),
        ]),
    ];
    for grid in grids {
        assert_drawn(&grid.draw()?, (2400, 6200), usize::MAX)?;
    }
    let many: Vec<String> = (0..1000).map(|i| i.to_string()).collect();
    let bars = [
        BarChart::new([long, "<b>&\"'"]).title(long).series(long, &[1e-300, -1e300]),
        BarChart::new([""]).series("", &[0.0]),
        BarChart::new([""]).series("a", &[f64::MAX]).series("b", &[f64::MIN]),
        BarChart::new(&many).series("many", &vec![1.0; 1000]),
    ];
    for bars in bars {
        assert_drawn(&bars.draw()?, (1000, 2600), usize::MAX)?;
    }
    Ok(())
}

#[test]
fn five_hundred_tokens_fit() -> Checked {
    // Neighbors that differ: the hardest to compress.
    let noise =
        |(i, j): (usize, usize)| ((i * 7919 + j * 104_729) % 1009) as f64 / 1009.0;
    let labels: Vec<String> = (0..512).map(|i| format!("##token{i}")).collect();
    let values = Array2::from_shape_fn((512, 512), noise);
    let figure =
        Heatmap::new(&values).row_labels(&labels).column_labels(&labels).draw()?;
    assert_drawn(&figure, (10_000, 10_000), 1_500_000)?;
    assert!(figure.svg().contains("<image "));
    assert_eq!(written(&figure, "0.50"), 0);
    Ok(())
}

#[test]
fn numbers_show_where_they_fit() -> Checked {
    let has_numbers =
        |map: Heatmap| map.draw().map(|figure| figure.svg().contains(">0.25</text>"));
    let square = |n| Heatmap::new(&Array2::from_elem((n, n), 0.25)).range(-1.0, 1.0);
    assert!(has_numbers(square(9))?);
    assert!(!has_numbers(square(12))?, "they would be too small to read");
    assert!(has_numbers(square(17).annotate(true))?);
    assert!(!has_numbers(square(3).annotate(false))?);
    Ok(())
}

#[test]
fn heads_share_labels_and_scale() -> Checked {
    let figure = eight_heads().draw()?;
    assert_drawn(&figure, (601, 401), 20_000)?;
    let (width, height) = svg_size(&figure);
    for head in 0..8 {
        assert_eq!(written(&figure, &format!("head {head}")), 1);
    }
    // 4 × 2 panels: labels at the left of 2 and under 4.
    assert_eq!(written(&figure, "máquinas"), 6);
    for once in ["Query", "Key", "Heads", "0.0", "1.0"] {
        assert_eq!(written(&figure, once), 1, "{once}");
    }
    assert_eq!(written(&figure, "0.28"), 0);
    let numbers = eight_heads().annotate(true).draw()?;
    assert_eq!(written(&numbers, "0.28"), 8);
    let narrow = eight_heads().columns(2).draw()?;
    assert_eq!(written(&narrow, "máquinas"), 6);
    assert!(svg_size(&narrow).0 < width && svg_size(&narrow).1 > height);
    assert!(figure.svg().contains("head 7: 3 × 3: 0.16 … 0.50"));
    Ok(())
}

#[test]
fn panels_of_differing_shapes_have_their_own_labels() -> Checked {
    let (source, target) = (["o", "gato"], ["the", "cat", "."]);
    let map = |values: Array2<f64>| Heatmap::new(&values);
    let panels = [
        map(array![[0.0, 0.5], [0.25, 0.0]]).row_labels(source).column_labels(source),
        map(Array2::zeros((3, 3))).row_labels(target).column_labels(target),
        map(Array2::ones((3, 2))).row_labels(target).column_labels(source),
    ];
    let titles = ["encoder", "decoder", "cross"];
    let panels = panels.into_iter().zip(titles).map(|(map, title)| map.title(title));
    let grid = HeatmapGrid::of(panels);
    let figure = grid.draw()?;
    for title in titles {
        assert_eq!(written(&figure, title), 1);
    }
    assert_eq!((written(&figure, "gato"), written(&figure, "cat")), (3, 3));
    // The scale goes from the least to the greatest value of all panels.
    let fills = fills(&figure, 4 + 9 + 6);
    assert_eq!(fills[..4], ["#440154", "#21918c", "#3b528b", "#440154"]);
    assert_eq!(fills[4..13], ["#440154"; 9]);
    assert_eq!(fills[13..], ["#fde725"; 6]);
    let text = "encoder: o: o 0.00, gato 0.50; gato: o 0.25, gato 0.00; decoder: the: ";
    assert!(figure.svg().contains(text));
    Ok(())
}

#[test]
fn all_heads_of_bert_fit() -> Checked {
    let value = |(head, i, j): (usize, usize, usize)| {
        ((head * 7919 + i * 104_729 + j * 31) % 1009) as f64 / 1009.0
    };
    let values = Array3::from_shape_fn((144, 12, 12), value);
    let labels: Vec<String> = (0..12).map(|i| format!("##token{i}")).collect();
    let grid = HeatmapGrid::new(&values)
        .row_labels(&labels)
        .column_labels(&labels)
        .grid_row_titles((0..12).map(|layer| format!("layer {layer}")))
        .grid_column_titles((0..12).map(|head| format!("h{head}")))
        .range(0.0, 1.0);
    let figure = grid.draw()?;
    assert_drawn(&figure, (751, 10_000), 140_000)?;
    for index in 0..12 {
        assert_eq!(written(&figure, &format!("layer {index}")), 1);
        assert_eq!(written(&figure, &format!("h{index}")), 1);
    }
    assert!(!figure.svg().contains("##token"));
    let images = images(&figure)?;
    assert_eq!(images.len(), 144);
    for (image, panel) in images.iter().zip(values.outer_iter()) {
        assert_eq!(image.size, (12, 12));
        let colors: Vec<[u8; 3]> = panel.iter().map(|value| viridis(*value)).collect();
        assert_eq!(image.pixels, colors);
    }
    let long = HeatmapGrid::new(&Array3::from_shape_fn((144, 128, 128), value));
    assert_drawn(&long.draw()?, (751, 10_000), 300_000)
}

#[test]
fn a_large_matrix_is_one_small_image_with_its_axes_counted() -> Checked {
    let angle = |(p, i): (usize, usize)| p as f64 / 10_000_f64.powf(i as f64 / 128.0);
    let values = Array2::from_shape_fn((64, 128), |place| angle(place).sin());
    let figure = Heatmap::new(&values).range(-1.0, 1.0).draw()?;
    assert!(figure.svg().len() < 40_000, "{} bytes", figure.svg().len());
    let images = images(&figure)?;
    assert_eq!(images.len(), 1);
    assert_eq!(images[0].size, (128, 64));
    let color = |value: &f64| viridis(f64::midpoint(*value, 1.0));
    assert_eq!(images[0].pixels, values.iter().map(color).collect::<Vec<_>>());
    for (tick, times) in [("0", 2), ("60", 2), ("120", 1), ("-1.0", 1)] {
        assert_eq!(written(&figure, tick), times, "{tick}");
    }
    Ok(())
}

#[test]
fn every_text_of_a_grid_is_inside_it_and_off_the_cells() -> Checked {
    let words = ["subconjunto", "ontem", "a"];
    let labeled = |columns| {
        let heads = Array3::from_shape_fn((8, 3, 3), |(h, i, j)| (h + i * j) as f64);
        HeatmapGrid::new(&heads)
            .row_labels(words)
            .column_labels(words)
            .columns(columns)
            .draw()
    };
    for columns in 1..=8 {
        let figure = labeled(columns)?;
        let (width, height) = svg_size(&figure);
        let place = |cell| ["x", "y", "width", "height"].map(|name| number(cell, name));
        let cells: Vec<[f64; 4]> = rects(&figure).map(place).collect();
        let texts = figure.svg().lines().filter(|line| line.starts_with("<text "));
        for (x, y) in texts.flat_map(points) {
            assert!((0.0..4.0 * f64::from(width)).contains(&x), "{x} of {width}");
            assert!((0.0..4.0 * f64::from(height)).contains(&y), "{y} of {height}");
            for [left, top, w, h] in &cells {
                let inside =
                    (*left..left + w).contains(&x) && (*top..top + h).contains(&y);
                assert!(!inside, "{columns} columns: a text at {x}, {y} is on a cell");
            }
        }
    }
    Ok(())
}

fn number(tag: &str, name: &str) -> f64 {
    attribute(tag, name).and_then(|text| text.parse().ok()).unwrap_or(f64::NAN)
}

/// Points along the text of a tag, from its anchor to about its start if it is anchored
/// at its end.
fn points(line: &str) -> Vec<(f64, f64)> {
    let text = line.split(['<', '>']).nth(2).unwrap_or_default();
    let length = text.chars().count() as f64 * number(line, "font-size") * 0.55;
    let turn = attribute(line, "transform").unwrap_or_default();
    let (right, down) = match attribute(line, "text-anchor") {
        Some("end") if turn.starts_with("rotate(-45") => (-0.7, 0.7),
        Some("end") if turn.starts_with("rotate(-90") => (0.0, 1.0),
        Some("end") => (-1.0, 0.0),
        _ => (0.0, 0.0),
    };
    let (x, y) = (number(line, "x"), number(line, "y"));
    let at = |part: i32| length * f64::from(part) / 20.0;
    (0..=20).map(|part| (x + right * at(part), y + down * at(part))).collect()
}

#[test]
fn dashed_lines_have_dashes_for_markers_and_ticks_are_given() -> Checked {
    let points = [(16.0, 1e-6), (256.0, 1e-3), (4096.0, 1.0)];
    let chart = LineChart::new().series("one", &points).log_x().log_y();
    let plain = chart.clone().series("two", &points).draw()?;
    let figure = chart
        .dashed_series("n²", &points)
        .series("two", &points)
        .x_ticks(&[1.0, 16.0, 256.0, 4096.0, f64::NAN])
        .draw()?;
    assert_well_formed(figure.svg());
    assert!(written(&figure, "n²") == 1 && figure.svg().contains("n²: (16, 1e-6)"));
    for shape in ["<circle ", "<polygon "] {
        let count = |figure: &Figure| figure.svg().matches(shape).count();
        assert_eq!(count(&figure), count(&plain), "{shape}");
    }
    let dashes = figure.svg().matches("opacity=\"0.65\"").count();
    assert!((20..80).contains(&dashes), "{dashes} dashes");
    for (tick, times) in [("1", 1), ("16", 1), ("256", 1), ("4096", 1), ("1000", 0)] {
        assert_eq!(written(&figure, tick), times, "{tick}");
    }
    Ok(())
}

#[test]
fn charts_show_their_series() -> Checked {
    let chart = LineChart::new()
        .title("Tempo")
        .series("candle", &[(16.0, 57.0), (128.0, 275.0), (512.0, 1340.0)])
        .series("PyTorch", &[(16.0, 38.0), (128.0, 110.0), (512.0, 480.0)])
        .log_x();
    let figure = chart.draw()?;
    assert_drawn(&figure, (10_000, 10_000), usize::MAX)?;
    let svg = figure.svg();
    assert!(svg.contains(">candle</text>") && svg.contains(">PyTorch</text>"));
    assert_eq!(svg.matches("<circle ").count(), 4, "three points and a legend");
    assert_eq!(svg.matches("<polygon ").count(), 4);
    assert!(svg.contains("candle: (16, 57) … (512, 1340); PyTorch: "));
    Ok(())
}

#[test]
fn saves_by_extension() -> Checked {
    let folder = tempfile::tempdir()?;
    let figure = small().draw()?;
    figure.save(folder.path().join("a.svg"))?;
    figure.save(folder.path().join("b.PNG"))?;
    assert_eq!(std::fs::read_to_string(folder.path().join("a.svg"))?, figure.svg());
    assert_eq!(std::fs::read(folder.path().join("b.PNG"))?, figure.png()?);
    for (name, words) in [
        ("c.gif", [".svg", ".png"]),
        ("c", [".svg", ".png"]),
        ("no/c.svg", ["write", "no"]),
    ] {
        let path = folder.path().join(name);
        let message =
            figure.save(&path).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(message.contains(&path.display().to_string()), "{message}");
        assert!(words.iter().all(|word| message.contains(word)), "{message}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_heatmap_is_drawn(
        (rows, columns) in (1_usize..9, 1_usize..20),
        values in proptest::collection::vec(proptest::num::f64::NORMAL | proptest::num::f64::ZERO | proptest::num::f64::SUBNORMAL, 9 * 20),
        labels in proptest::collection::vec(any::<String>(), 20),
        title in any::<String>(),
        digits in 0_usize..30,
        annotate in any::<Option<bool>>(),
    ) {
        let values = Array2::from_shape_fn((rows, columns), |(i, j)| values[i * 20 + j]);
        let mut map = Heatmap::new(&values)
            .row_labels(&labels[..rows])
            .column_labels(&labels[..columns])
            .title(title)
            .digits(digits);
        if let Some(annotate) = annotate {
            map = map.annotate(annotate);
        }
        let figure = map.draw()?;
        assert_well_formed(figure.svg());
    }

    #[test]
    fn any_grid_is_drawn(
        shapes in proptest::collection::vec((1_usize..9, 1_usize..20), 1..20),
        value in proptest::num::f64::NORMAL | proptest::num::f64::ZERO,
        labels in proptest::collection::vec(any::<String>(), 20),
        columns in 0_usize..22,
        annotate in any::<bool>(),
    ) {
        let panels = shapes.iter().enumerate().map(|(index, (rows, columns))| {
            let map = Heatmap::new(&Array2::from_elem((*rows, *columns), value));
            if index % 2 == 0 { map } else { map.row_labels(&labels[..*rows]) }
        });
        let grid = HeatmapGrid::of(panels)
            .panel_titles(shapes.iter().zip(labels.iter().cycle()).map(|(_, label)| label))
            .columns(columns)
            .annotate(annotate);
        let figure = grid.draw()?;
        assert_well_formed(figure.svg());
    }

    #[test]
    fn any_chart_is_drawn(
        points in proptest::collection::vec((proptest::num::f64::NORMAL, proptest::num::f64::NORMAL), 1..50),
        name in any::<String>(),
        logs in any::<(bool, bool)>(),
    ) {
        let positive = |value: f64, log: bool| if log { value.abs() } else { value };
        let points: Vec<_> =
            points.into_iter().map(|(x, y)| (positive(x, logs.0), positive(y, logs.1))).collect();
        let mut chart = LineChart::new().series(&name, &points).series(&name, &points[..1]).dashed_series(name, &points);
        if logs.0 {
            chart = chart.log_x();
        }
        if logs.1 {
            chart = chart.log_y();
        }
        let figure = chart.draw()?;
        assert_well_formed(figure.svg());
    }
}

/// The bars of a chart, as x and width in pixels, in drawing order.
fn bars(figure: &Figure) -> Vec<(f64, f64)> {
    let place = |line| (number(line, "x") / 4.0, number(line, "width") / 4.0);
    rects(figure).map(place).collect()
}

#[test]
fn bars_start_at_zero_and_are_as_long_as_their_values() -> Checked {
    let chart = BarChart::new(WORDS)
        .title("Medidas")
        .series("weight", &[0.1, 0.2, 0.4])
        .series("change", &[-1.0, 0.0, 3.0]);
    let figure = chart.draw()?;
    // Wider, it is too small to read on a telephone.
    assert_drawn(&figure, (521, 10_000), usize::MAX)?;
    for once in ["Medidas", "weight", "change", "pense", "sobre", "máquinas"] {
        assert_eq!(written(&figure, once), 1, "{once}");
    }
    let bars = bars(&figure);
    assert_eq!(bars.len(), 6);
    let near = |a: f64, b: f64| (a - b).abs() <= 1.0;
    assert!(near(bars[1].1, 2.0 * bars[0].1) && near(bars[2].1, 4.0 * bars[0].1));
    assert!(near(bars[0].0, bars[2].0), "all start at zero");
    // Below zero a bar ends at zero, where the one above it starts.
    assert!(near(bars[3].0 + bars[3].1, bars[5].0) && near(bars[5].1, 3.0 * bars[3].1));
    assert!(bars[4].1 <= 0.5, "nothing for zero");
    assert!(bars[3].0 > bars[2].0 + bars[2].1, "the measures keep apart");
    let colors = ["#1f77b4", "#d55e00"].map(|c| figure.svg().matches(c).count());
    assert_eq!(colors, [5, 1], "one bar is below zero");
    assert!(figure.svg().contains("weight: pense 0.100, sobre 0.200, máquinas 0.400;"));
    Ok(())
}

/// x leads to q, k and v; k to kᵀ; q and kᵀ to scores; scores and v to z.
#[test]
fn a_diagram_shows_what_leads_to_what() -> Checked {
    let names = ["x", "q", "k", "v", "k_t", "scores", "z"];
    let edges = [(0, 1), (0, 2), (0, 3), (2, 4), (1, 5), (4, 5), (5, 6), (3, 6)];
    let nodes = names.iter().fold(Diagram::new(), |d, name| d.node([*name, "(n, d)"]));
    let figure = edges.iter().fold(nodes, |d, &(from, to)| d.edge(from, to)).draw()?;
    let place = |text: &str| {
        let text = format!(">{text}</text>");
        let line = figure.svg().lines().find(|line| line.contains(&text));
        ["x", "y"].map(|axis| number(line.unwrap_or_default(), axis))
    };
    for (from, to) in edges {
        let [above, below] = [from, to].map(|i| place(names[i])[1]);
        assert!(above < below, "{} isn't above {}", names[from], names[to]);
    }
    assert!((place("q")[1] - place("k")[1]).abs() < 0.01, "side by side");
    let mut xs = ["q", "k", "v"].map(|name| place(name)[0]);
    xs.sort_by(f64::total_cmp);
    assert!(xs[1] - xs[0] > 50.0 && xs[2] - xs[1] > 50.0, "{xs:?}");
    assert!(figure.svg().contains("k_t (n, d) → scores (n, d)"), "for a screen reader");
    let draw = || Diagram::new().node(["<b> & \"c\""]).draw();
    assert!(draw()?.svg().contains("&lt;b&gt; &amp;"));
    assert_eq!(draw()?.svg(), draw()?.svg());
    Ok(())
}

#[test]
fn arrows_that_lead_nowhere_or_in_a_circle_are_refused() {
    assert!(matches!(Diagram::new().draw(), Err(FigureError::Empty { .. })));
    let two = || Diagram::new().node(["a"]).node(["b"]);
    for diagram in [two().edge(0, 2), two().edge(1, 1), two().edge(0, 1).edge(1, 0)] {
        assert!(matches!(diagram.draw(), Err(FigureError::Edge { nodes: 2, .. })));
    }
}
