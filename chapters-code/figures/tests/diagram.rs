//! The diagram, seen from outside.

use figures::{Diagram, Figure, FigureError};

/// x leads to q, k and v; k to kᵀ; q and kᵀ to scores; scores and v to z.
fn attention() -> Diagram {
    let names = ["x", "q", "k", "v", "k_t", "scores", "z"];
    let edges = [(0, 1), (0, 2), (0, 3), (2, 4), (1, 5), (4, 5), (5, 6), (3, 6)];
    let nodes = names.iter().fold(Diagram::new(), |d, name| d.node([*name, "(n, d)"]));
    edges.iter().fold(nodes, |d, &(from, to)| d.edge(from, to)).title("Attention")
}

/// Where the figure writes `text`: the middle of it.
fn place(figure: &Figure, text: &str) -> (f64, f64) {
    let svg = figure.svg();
    let end =
        svg.find(&format!(">{text}</text>")).unwrap_or_else(|| panic!("no {text}"));
    let tag = &svg[svg[..end].rfind("<text").unwrap()..end];
    let number = |name: &str| -> f64 {
        let start = tag.find(&format!(" {name}=\"")).unwrap() + name.len() + 3;
        tag[start..].split('"').next().unwrap().parse().unwrap()
    };
    (number("x"), number("y"))
}

#[test]
fn each_box_stands_below_what_leads_to_it() {
    let figure = attention().draw().unwrap();
    let y = |name| place(&figure, name).1;
    let arrows = "x q, x v, k k_t, q scores, scores z, v z";
    for (above, below) in arrows.split(", ").filter_map(|arrow| arrow.split_once(' ')) {
        assert!(y(above) < y(below), "{above} isn't above {below}");
    }
    assert!((y("q") - y("k")).abs() < 0.01, "q and k stand side by side");
}

#[test]
fn boxes_side_by_side_do_not_overlap() {
    let figure = attention().draw().unwrap();
    let mut xs = ["q", "k", "v"].map(|name| place(&figure, name).0);
    xs.sort_by(f64::total_cmp);
    assert!(xs[1] - xs[0] > 50.0 && xs[2] - xs[1] > 50.0, "{xs:?}");
}

#[test]
fn a_screen_reader_hears_the_arrows() {
    let figure = attention().draw().unwrap();
    assert!(figure.svg().contains("k_t (n, d) → scores (n, d)"));
}

#[test]
fn text_is_escaped_and_the_same_input_gives_the_same_bytes() {
    let draw = || Diagram::new().node(["<b> & \"c\""]).draw().unwrap();
    assert!(draw().svg().contains("&lt;b&gt; &amp;"));
    assert_eq!(draw().svg(), draw().svg());
}

#[test]
fn arrows_that_lead_nowhere_or_in_a_circle_are_refused() {
    assert!(matches!(Diagram::new().draw(), Err(FigureError::Empty { .. })));
    let two = || Diagram::new().node(["a"]).node(["b"]);
    for diagram in [two().edge(0, 2), two().edge(1, 1), two().edge(0, 1).edge(1, 0)] {
        let error = diagram.draw().unwrap_err();
        assert!(matches!(error, FigureError::Edge { nodes: 2, .. }), "{error}");
    }
}
