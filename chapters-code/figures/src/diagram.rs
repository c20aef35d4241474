//! The diagram: boxes from top to bottom, arrows between them.

use crate::error::FigureError;
use crate::figure::Figure;
use crate::frame::{Caption, LINE, PAD, TEXT_SIZE, TICK_SIZE, TITLE_SIZE, widest};
use crate::scene::{Area, Ink, Label, Mark, Scene};
use crate::text::{Language, Text};

/// Between the text of a box and its border.
const INSIDE: f64 = 8.0;
/// Between boxes side by side.
const BESIDE: f64 = 22.0;
/// Between a row of boxes and the next: an arrow.
const BETWEEN: f64 = 30.0;
/// A line that passes by boxes takes so much room.
const PASSING: f64 = 8.0;
const TIP: f64 = 5.0;
/// Times that boxes are moved toward those that they are joined with.
const SWEEPS: usize = 12;

/// Boxes with lines of text in them, the first line bold, and arrows from one to another:
/// the graph of a network, of a program. Each box stands below all that lead to it.
///
/// ```
/// use figures::Diagram;
///
/// let figure = Diagram::new()
///     .title("Attention")
///     .node(["x", "(n, d)"])
///     .node(["scores", "(n, n)"])
///     .edge(0, 1)
///     .draw()?;
/// assert!(figure.svg().contains("scores"));
/// # Ok::<(), figures::FigureError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Diagram {
    caption: Caption,
    nodes: Vec<Vec<Text>>,
    edges: Vec<(usize, usize)>,
}

impl Diagram {
    /// A diagram with no boxes.
    pub fn new() -> Self {
        Self::default()
    }

    caption_setter!();

    /// Adds a box with these lines of text. Boxes are counted from 0.
    #[must_use]
    pub fn node<L: IntoIterator<Item: Into<Text>>>(mut self, lines: L) -> Self {
        self.nodes.push(lines.into_iter().map(Into::into).collect());
        self
    }

    /// Adds an arrow between two boxes.
    #[must_use]
    pub fn edge(mut self, from: usize, to: usize) -> Self {
        self.edges.push((from, to));
        self
    }

    /// Draws the diagram.
    ///
    /// # Errors
    ///
    /// - [`FigureError::Empty`]: there are no boxes.
    /// - [`FigureError::Edge`]: an arrow from or to a box that there isn't, or arrows in a
    ///   circle.
    /// - [`FigureError::Draw`]: the drawing library failed.
    pub fn draw(&self) -> Result<Figure, FigureError> {
        if self.nodes.is_empty() {
            return Err(FigureError::Empty { rows: 0, columns: 0 });
        }
        let ranks = self.ranks()?;
        let scene = Layout::new(self, &ranks).scene();
        let description = Text::both(|language| self.describe(language));
        self.caption.figure(scene, ("Diagrama", "Diagram").into(), description)
    }

    /// How many boxes are above each at most.
    fn ranks(&self) -> Result<Vec<usize>, FigureError> {
        let count = self.nodes.len();
        for &(from, to) in &self.edges {
            if from >= count || to >= count || from == to {
                return Err(FigureError::Edge { from, to, nodes: count });
            }
        }
        let mut ranks = vec![0; count];
        for _ in 0..count {
            let mut changed = None;
            for &(from, to) in &self.edges {
                if ranks[to] <= ranks[from] {
                    ranks[to] = ranks[from] + 1;
                    changed = Some((from, to));
                }
            }
            match changed {
                None => return Ok(ranks),
                Some((from, to)) if ranks[to] >= count => {
                    return Err(FigureError::Edge { from, to, nodes: count });
                }
                Some(_) => {}
            }
        }
        Ok(ranks)
    }

    fn describe(&self, language: Language) -> String {
        let name = |i: usize| {
            let lines = self.nodes[i].iter().map(|line| line.in_language(language));
            lines.collect::<Vec<_>>().join(" ")
        };
        let text = |i: usize| {
            let to: Vec<String> = self
                .edges
                .iter()
                .filter(|(from, _)| *from == i)
                .map(|&(_, to)| name(to))
                .collect();
            if to.is_empty() {
                return name(i);
            }
            format!("{} → {}", name(i), to.join(", "))
        };
        (0..self.nodes.len()).map(text).collect::<Vec<_>>().join("; ")
    }
}

/// A box, or a place where an arrow passes by boxes.
struct Item {
    node: Option<usize>,
    rank: usize,
    x: f64,
    width: f64,
    /// Items joined with it in the rows above and below.
    above: Vec<usize>,
    below: Vec<usize>,
}

struct Layout<'a> {
    diagram: &'a Diagram,
    items: Vec<Item>,
    /// Items of each row, from the left.
    rows: Vec<Vec<usize>>,
}

impl<'a> Layout<'a> {
    fn new(diagram: &'a Diagram, ranks: &[usize]) -> Self {
        let mut items: Vec<Item> = Vec::new();
        for (node, lines) in diagram.nodes.iter().enumerate() {
            let width = box_width(lines);
            items.push(Item::new(Some(node), ranks[node], width));
        }
        for &(from, to) in &diagram.edges {
            let mut last = from;
            for rank in ranks[from] + 1..ranks[to] {
                items.push(Item::new(None, rank, PASSING));
                let passing = items.len() - 1;
                join(&mut items, last, passing);
                last = passing;
            }
            join(&mut items, last, to);
        }
        let mut rows = vec![Vec::new(); ranks.iter().max().map_or(0, |rank| rank + 1)];
        for (i, item) in items.iter().enumerate() {
            rows[item.rank].push(i);
        }
        let mut layout = Self { diagram, items, rows };
        layout.place();
        layout
    }

    /// Moves each item toward those that it is joined with, one row after another, down
    /// and up again, and keeps those of a row apart.
    fn place(&mut self) {
        for row in 0..self.rows.len() {
            self.spread(row);
        }
        for sweep in 0..SWEEPS {
            let down = sweep % 2 == 0;
            for i in 0..self.rows.len() {
                let row = if down { i } else { self.rows.len() - 1 - i };
                for item in self.rows[row].clone() {
                    let Item { above, below, x, .. } = &self.items[item];
                    let joined = if down { above } else { below };
                    let sum: f64 =
                        joined.iter().map(|&other| self.items[other].x).sum();
                    let n = joined.len() as f64;
                    self.items[item].x = if joined.is_empty() { *x } else { sum / n };
                }
                self.spread(row);
            }
        }
        self.straighten();
    }

    /// Lets arrows that pass by boxes go straight down from where they start, where they have
    /// room.
    fn straighten(&mut self) {
        for row in self.rows.clone() {
            for &item in &row {
                let Item { node, width, ref above, .. } = self.items[item];
                let (None, Some(&from)) = (node, above.first()) else { continue };
                let x = self.items[from].x;
                let clear = |&other: &usize| {
                    let Item { x: beside, width: wide, .. } = self.items[other];
                    other == item || (x - beside).abs() >= (width + wide) / 2.0
                };
                if row.iter().all(clear) {
                    self.items[item].x = x;
                }
            }
        }
    }

    /// Moves the items of a row apart until none overlap, their middle where it was.
    fn spread(&mut self, row: usize) {
        let mut row = self.rows[row].clone();
        row.sort_by(|&a, &b| self.items[a].x.total_cmp(&self.items[b].x));
        let middle = |items: &[Item]| {
            row.iter().map(|&i| items[i].x).sum::<f64>() / row.len().max(1) as f64
        };
        let before = middle(&self.items);
        let mut least = f64::NEG_INFINITY;
        for &i in &row {
            let item = &mut self.items[i];
            item.x = item.x.max(least + item.width / 2.0);
            least = item.x + item.width / 2.0 + BESIDE;
        }
        let shift = before - middle(&self.items);
        for &i in &row {
            self.items[i].x += shift;
        }
    }

    fn scene(&self) -> Scene {
        let edge = |item: &Item, sign: f64| item.x + sign * item.width / 2.0;
        let left = self.items.iter().map(|i| edge(i, -1.0)).fold(f64::MAX, f64::min);
        let right = self.items.iter().map(|i| edge(i, 1.0)).fold(f64::MIN, f64::max);
        let heading = self.diagram.caption.heading(TITLE_SIZE, right - left);
        let width = (right - left).max(heading.width()) + 2.0 * PAD;
        let shift = (width - (right - left)) / 2.0 - left;
        let heights: Vec<f64> = self.rows.iter().map(|row| self.height(row)).collect();
        let mut tops = vec![heading.bottom()];
        for height in &heights {
            tops.push(tops[tops.len() - 1] + height + BETWEEN);
        }
        let mut scene = Scene::new(width, tops[tops.len() - 1] - BETWEEN + PAD);
        heading.draw(&mut scene, width / 2.0, width);
        let place = |i: usize| {
            let Item { x, rank, .. } = self.items[i];
            (x + shift, tops[rank], heights[rank])
        };
        for (i, item) in self.items.iter().enumerate() {
            for &below in &item.below {
                self.draw_arrow(&mut scene, (i, place(i)), (below, place(below)));
            }
        }
        for (i, item) in self.items.iter().enumerate() {
            if let Some(node) = item.node {
                let (x, y, height) = place(i);
                let area =
                    Area { x: x - item.width / 2.0, y, width: item.width, height };
                draw_box(&mut scene, area, &self.diagram.nodes[node]);
            }
        }
        scene
    }

    fn height(&self, row: &[usize]) -> f64 {
        let lines = row.iter().filter_map(|&i| self.items[i].node);
        let most = lines.map(|node| self.diagram.nodes[node].len()).max().unwrap_or(0);
        most as f64 * TEXT_SIZE * LINE + INSIDE
    }

    /// From an item to one of the next row; `(x, top, height)` of each.
    fn draw_arrow(
        &self,
        scene: &mut Scene,
        (from, (x, top, height)): (usize, (f64, f64, f64)),
        (to, (x_to, y_to, _)): (usize, (f64, f64, f64)),
    ) {
        let ink = Ink::Faint(0.6);
        // Where an arrow passes by boxes, it goes straight down.
        let start = if self.items[from].node.is_some() { top + height } else { top };
        let mut line = vec![(x, start), (x, top + height)];
        let arrives = self.items[to].node.is_some();
        line.push((x_to, if arrives { y_to - TIP } else { y_to }));
        scene.add(Mark::Path(line, 1.3, ink));
        if arrives {
            let tip = vec![
                (x_to, y_to),
                (x_to - TIP * 0.7, y_to - TIP * 1.5),
                (x_to + TIP * 0.7, y_to - TIP * 1.5),
            ];
            scene.add(Mark::Polygon(tip, ink));
        }
    }
}

impl Item {
    fn new(node: Option<usize>, rank: usize, width: f64) -> Self {
        Self { node, rank, x: 0.0, width, above: Vec::new(), below: Vec::new() }
    }
}

fn join(items: &mut [Item], above: usize, below: usize) {
    items[above].below.push(below);
    items[below].above.push(above);
}

fn box_width(lines: &[Text]) -> f64 {
    let (first, others) = (lines.iter().take(1), lines.iter().skip(1));
    widest(first, TEXT_SIZE, true).max(widest(others, TICK_SIZE, false)) + 2.0 * INSIDE
}

fn draw_box(scene: &mut Scene, area: Area, lines: &[Text]) {
    let Area { x, y, width, height } = area;
    scene.add(Mark::Rect(area, Ink::Page));
    scene.add(Mark::Rect(area, Ink::Faint(0.07)));
    let corners =
        vec![(x, y), (x + width, y), (x + width, y + height), (x, y + height), (x, y)];
    scene.add(Mark::Path(corners, 1.0, Ink::Faint(0.6)));
    let (middle, center) = area.middle();
    let step = TEXT_SIZE * LINE;
    for (i, line) in lines.iter().enumerate() {
        let y = center + (i as f64 - (lines.len() as f64 - 1.0) / 2.0) * step;
        let label = match i {
            0 => Label::new(line, (middle, y), TEXT_SIZE).bold(),
            _ => Label::new(line, (middle, y), TICK_SIZE),
        };
        scene.label(label);
    }
}
