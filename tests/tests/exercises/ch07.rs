//! Wrong answers to chapter 7's exercises.

use ndarray::{Array1, Array2, Array3, Axis};

use super::assert_caught;
use super::checks::ch07 as check;

/// The first name whose number is at least a half.
fn named(found: [(&'static str, f64); 4]) -> &'static str {
    found
        .into_iter()
        .find(|(_, share)| *share >= 0.5)
        .map_or("spread", |(name, _)| name)
}

/// The shares that each name asks for.
fn shares(weights: &Array2<f64>, start: usize) -> [(&'static str, f64); 4] {
    let n = weights.nrows();
    let largest = weights.sum_axis(Axis(0)).fold(0.0_f64, |a, &b| a.max(b));
    let sum = |of: &dyn Fn(usize, usize) -> bool| -> f64 {
        weights.indexed_iter().filter(|((i, j), _)| of(*i, *j)).map(|(_, w)| w).sum()
    };
    [
        ("fan", largest / n as f64),
        ("previous", sum(&|i, j| i == j + 1) / (n - 1) as f64),
        ("next", sum(&|i, j| j == i + 1) / (n - 1) as f64),
        ("across", sum(&|i, j| (i < start) != (j < start)) / n as f64),
    ]
}

#[test]
fn ch07_1_wrong_look() {
    check::look(|weights, start| named(shares(weights, start)));
    // Rows for columns: a row adds up to 1 in every head.
    assert_caught("its *column* is bright", || {
        check::look(|weights, start| named(shares(&weights.t().to_owned(), start)));
    });
    assert_caught("below the diagonal", || {
        check::look(|weights, start| {
            let [fan, previous, next, across] = shares(weights, start);
            named([fan, ("previous", next.1), ("next", previous.1), across])
        });
    });
    assert_caught("above the diagonal", || {
        check::look(|weights, start| {
            let [fan, previous, _, across] = shares(weights, start);
            named([fan, previous, ("next", 0.0), across])
        });
    });
    // From A to B alone.
    assert_caught("both directions count", || {
        check::look(|weights, start| {
            let [fan, previous, next, across] = shares(weights, start);
            named([fan, previous, next, (across.0, across.1 / 2.0)])
        });
    });
    // The diagonal taken for a neighbor.
    assert_caught("each token looks at itself", || {
        check::look(|weights, start| {
            let [fan, _, next, across] = shares(weights, start);
            let previous = weights.diag().sum().max(shares(weights, start)[1].1);
            named([fan, ("previous", previous), next, across])
        });
    });
    // The largest weight of all.
    assert_caught("no single one gets half", || {
        check::look(|weights, start| {
            let [fan, previous, next, across] = shares(weights, start);
            let two = weights.sum_axis(Axis(0));
            let mut two = two.to_vec();
            two.sort_by(|a, b| b.total_cmp(a));
            let both = (two[0] + two[1]) / weights.nrows() as f64;
            let crossing = across.1 > 0.6;
            let shifted = previous.1.max(next.1) > 0.5;
            let share = if crossing || shifted || both < 0.6 { fan.1 } else { both };
            named([("fan", share), previous, next, across])
        });
    });
    assert_caught("the mean is of n − 1", || {
        check::look(|weights, start| {
            let n = weights.nrows() as f64;
            let [fan, previous, next, across] = shares(weights, start);
            let fewer = (n - 1.0) / n;
            named([
                fan,
                (previous.0, previous.1 * fewer),
                (next.0, next.1 * fewer),
                across,
            ])
        });
    });
    assert_caught("the first that holds", || {
        check::look(|weights, start| {
            let [fan, previous, next, across] = shares(weights, start);
            named([previous, next, fan, across])
        });
    });
    assert_caught("half is enough", || {
        check::look(|weights, start| {
            let [fan, previous, next, across] = shares(weights, start);
            named([(fan.0, fan.1 - 1e-9), previous, next, across])
        });
    });
}

fn slices(attention: &Array3<f64>, left: bool, token: usize) -> Array2<f64> {
    let axis = if left { Axis(1) } else { Axis(2) };
    attention.index_axis(axis, token).t().to_owned()
}

#[test]
fn ch07_2_wrong_hover() {
    check::hover(slices);
    assert_caught("one of 3 that look", || {
        check::hover(|attention, left, token| slices(attention, !left, token));
    });
    assert_caught("[4, 2]", || {
        check::hover(|attention, left, token| {
            slices(attention, left, token).t().to_owned()
        });
    });
    assert_caught("[3, 2]", || {
        check::hover(|attention, _, token| slices(attention, true, token.min(2)));
    });
    assert_caught("nothing divided", || {
        check::hover(|attention, left, token| {
            let slices = slices(attention, left, token);
            let sums = slices.sum_axis(Axis(0));
            slices / sums
        });
    });
    // The mean of the heads, for each of them.
    assert_caught("a column of the answer for each head", || {
        check::hover(|attention, left, token| {
            let mut slices = slices(attention, left, token);
            for mut row in slices.rows_mut() {
                let mean = row.mean().unwrap();
                row.fill(mean);
            }
            slices
        });
    });
    // A reshape instead of a transposition.
    assert_caught("row 1 of each head", || {
        check::hover(|attention, left, token| {
            let slices = slices(attention, left, token);
            let shape = slices.dim();
            let rows: Vec<f64> = slices.t().iter().copied().collect();
            Array2::from_shape_vec(shape, rows).unwrap()
        });
    });
    assert_caught("column 3 of each head", || {
        check::hover(|attention, left, token| {
            slices(attention, left, if left { token } else { token - 1 })
        });
    });
}

#[test]
fn ch07_3_wrong_prettify() {
    let each = |change: fn(&str) -> String| {
        move |tokens: &[&str]| -> Vec<String> {
            tokens.iter().map(|token| change(token)).collect()
        }
    };
    check::prettify(each(|t| t.replace(['Ġ', '▁'], " ").replace("</w>", "")));
    assert_caught("it doesn't just go", || {
        check::prettify(each(|t| t.replace(['Ġ', '▁'], "").replace("</w>", "")));
    });
    assert_caught("it doesn't just go", || {
        check::prettify(each(|t| {
            t.replace(['Ġ', '▁'], " ").replace("</w>", "").trim().into()
        }));
    });
    assert_caught("becomes a space, too", || {
        check::prettify(each(|t| t.replace('Ġ', " ").replace("</w>", "")));
    });
    assert_caught("_ stays", || {
        check::prettify(each(|t| t.replace(['Ġ', '▁', '_'], " ").replace("</w>", "")));
    });
    assert_caught("without a space in its place", || {
        check::prettify(each(|t| t.replace(['Ġ', '▁'], " ").replace("</w>", " ")));
    });
    // Only at the token's beginning and end.
    assert_caught("more than once", || {
        check::prettify(each(|t| {
            let (start, rest) = match t.strip_prefix(['Ġ', '▁']) {
                Some(rest) => (" ", rest),
                None => ("", t),
            };
            format!("{start}{}", rest.strip_suffix("</w>").unwrap_or(rest))
        }));
    });
    assert_caught("## is none of them", || {
        check::prettify(each(|t| t.replace(['Ġ', '▁'], " ").replace("##", "")));
    });
    assert_caught("stays in the list", || {
        check::prettify(|tokens| {
            let pretty = tokens.iter().map(|t| t.replace(['Ġ', '▁'], " "));
            let pretty = pretty.map(|t| t.replace("</w>", ""));
            pretty.filter(|t| !t.trim().is_empty()).collect()
        });
    });
}

/// A JSON string whose characters `change` writes.
fn json(token: &str, change: impl Fn(char) -> Option<String>) -> String {
    let written = token.chars().map(|c| change(c).unwrap_or_else(|| c.to_string()));
    format!("\"{}\"", written.collect::<String>())
}

fn escaped(c: char) -> Option<String> {
    match c {
        '"' | '\\' => Some(format!("\\{c}")),
        '\0'..' ' | '<' | '>' | '&' => Some(format!("\\u{:04x}", u32::from(c))),
        _ => None,
    }
}

#[test]
fn ch07_4_wrong_json_in_script() {
    check::json_in_script(|token| json(token, escaped));
    // What JSON asks for, and no more: `</script>` ends the script.
    assert_caught("would end the script", || {
        check::json_in_script(|token| {
            json(token, |c| escaped(c).filter(|_| !"<>&".contains(c)))
        });
    });
    assert_caught("JavaScript doesn't read it", || {
        check::json_in_script(|token| {
            json(token, |c| match c {
                '<' => Some("&lt;".into()),
                '>' => Some("&gt;".into()),
                '&' => Some("&amp;".into()),
                _ => escaped(c),
            })
        });
    });
    assert_caught("in lower case", || {
        check::json_in_script(|token| {
            json(token, |c| {
                escaped(c).map(|e| e.replace("3c", "3C").replace("3e", "3E"))
            })
        });
    });
    // Only where a whole `</script>` stands.
    assert_caught("not only a whole </script>", || {
        check::json_in_script(|token| {
            if token.contains("</script>") {
                return json(token, escaped);
            }
            json(token, |c| escaped(c).filter(|_| !"<>&".contains(c)))
        });
    });
    assert_caught("would end the JSON string", || {
        check::json_in_script(|token| json(token, |c| escaped(c).filter(|_| c != '"')));
    });
    assert_caught("is not escaped again", || {
        check::json_in_script(|token| {
            let text = token.replace('"', "\\\"").replace('\\', "\\\\");
            json(&text, |c| escaped(c).filter(|_| c != '"' && c != '\\'))
        });
    });
    assert_caught("is a character like any other", || {
        check::json_in_script(|token| {
            json(token, |c| escaped(c).filter(|_| c != '\\'))
        });
    });
    assert_caught("can't hold a line break", || {
        check::json_in_script(|token| json(token, |c| escaped(c).filter(|_| c >= ' ')));
    });
    assert_caught("with four digits", || {
        check::json_in_script(|token| {
            json(token, |c| match c {
                '\n' => Some("\\u0a".into()),
                _ => escaped(c),
            })
        });
    });
    // Everything that isn't ASCII, too.
    assert_caught("accents and all", || {
        check::json_in_script(|token| {
            json(token, |c| {
                if c.is_ascii() {
                    return escaped(c);
                }
                Some(format!("\\u{:04x}", u32::from(c)))
            })
        });
    });
    assert_caught("stands between quotes", || {
        check::json_in_script(|token| json(token, escaped).trim_matches('"').into());
    });
}

/// Each row by its sum; with `safe`, a row of zeros as it is.
fn by_row(mut carried: Array2<f64>, safe: bool) -> Array2<f64> {
    for mut row in carried.rows_mut() {
        let sum = row.sum();
        if sum > 0.0 || !safe {
            row /= sum;
        }
    }
    carried
}

fn lengths(values: &Array2<f64>) -> Array1<f64> {
    values.mapv(|x| x * x).sum_axis(Axis(1)).sqrt()
}

#[test]
fn ch07_5_wrong_moved() {
    check::moved(|weights, values| by_row(weights * &lengths(values), true));
    assert_caught("is 5 long", || check::moved(|weights, _| weights.clone()));
    // The sum of the numbers; the square of the length; the sum of absolute values.
    assert_caught("the root of 3² + 4²", || {
        check::moved(|weights, values| {
            by_row(weights * &values.sum_axis(Axis(1)).abs(), true)
        });
    });
    assert_caught("the root of 3² + 4²", || {
        check::moved(|weights, values| {
            by_row(weights * &lengths(values).mapv(|x| x * x), true)
        });
    });
    assert_caught("the root of 3² + 4²", || {
        check::moved(|weights, values| {
            by_row(weights * &values.abs().sum_axis(Axis(1)), true)
        });
    });
    // No shares; shares of columns; of everything.
    assert_caught("as shares", || {
        check::moved(|weights, values| weights * &lengths(values));
    });
    assert_caught("a row of its own", || {
        check::moved(|weights, values| {
            let carried = (weights * &lengths(values)).t().to_owned();
            by_row(carried, true).t().to_owned()
        });
    });
    assert_caught("a row of its own", || {
        check::moved(|weights, values| {
            let carried = weights * &lengths(values);
            &carried / carried.sum()
        });
    });
    assert_caught("not 0 / 0", || {
        check::moved(|weights, values| by_row(weights * &lengths(values), false));
    });
}

type Places = Vec<(usize, usize, usize)>;

/// Places by weight, `order` of the weights and, in equals, of the places.
fn sorted(attention: &Array3<f64>, descending: bool, first: bool) -> Places {
    let mut places: Places = attention.indexed_iter().map(|(place, _)| place).collect();
    if !first {
        places.reverse();
    }
    places.sort_by(|&a, &b| {
        let order = attention[b].total_cmp(&attention[a]);
        if descending { order } else { order.reverse() }
    });
    places
}

#[test]
fn ch07_6_wrong_top_pairs() {
    let top = |attention: &Array3<f64>, count: usize| -> Places {
        sorted(attention, true, true).into_iter().take(count).collect()
    };
    check::top_pairs(top);
    assert_caught("the largest first", || {
        check::top_pairs(|attention, count| {
            sorted(attention, false, true).into_iter().take(count).collect()
        });
    });
    assert_caught("of equals the first", || {
        check::top_pairs(|attention, count| {
            sorted(attention, true, false).into_iter().take(count).collect()
        });
    });
    assert_caught("then who looks (the row)", || {
        check::top_pairs(|attention, count| {
            top(attention, count).into_iter().map(|(h, i, j)| (h, j, i)).collect()
        });
    });
    // The largest of each head.
    assert_caught("among all heads", || {
        check::top_pairs(|attention, count| {
            let heads = attention.len_of(Axis(0));
            let of_head = |head: usize| {
                let places = sorted(attention, true, true).into_iter();
                places.filter(move |place| place.0 == head).take(count.div_ceil(heads))
            };
            (0..heads).flat_map(of_head).take(count).collect()
        });
    });
    // One for each token that looks.
    assert_caught("among all heads", || {
        check::top_pairs(|attention, count| {
            let mut seen = Vec::new();
            let mut places = sorted(attention, true, true);
            places.retain(|place| {
                let new = !seen.contains(&place.1);
                seen.push(place.1);
                new
            });
            places.into_iter().take(count).collect()
        });
    });
    assert_caught("as many as asked for", || {
        check::top_pairs(|attention, count| top(attention, count.max(3)));
    });
    // The last place again and again.
    assert_caught("no more than 4", || {
        check::top_pairs(|attention, count| {
            let mut places = top(attention, count);
            if let Some(&last) = places.last() {
                places.resize(count, last);
            }
            places
        });
    });
}

/// From the largest weight down, the first at which `enough` of the sum of those so far,
/// of their number, and of the total.
fn until(weights: &Array2<f64>, enough: impl Fn(f64, usize, f64) -> bool) -> f64 {
    let mut sorted: Vec<f64> = weights.iter().copied().collect();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let (total, mut sum) = (weights.sum(), 0.0);
    for (place, &weight) in sorted.iter().enumerate() {
        sum += weight;
        if enough(sum, place + 1, total) {
            return weight;
        }
    }
    0.0
}

#[test]
fn ch07_7_wrong_least_weight() {
    check::least_weight(|weights, share| {
        until(weights, |sum, _, total| sum >= share * total)
    });
    assert_caught("not of the number of lines", || {
        check::least_weight(|weights, share| {
            let n = weights.len() as f64;
            until(weights, |_, count, _| count as f64 >= share * n)
        });
    });
    assert_caught("not of 1", || {
        check::least_weight(|weights, share| until(weights, |sum, _, _| sum >= share));
    });
    assert_caught("a line as heavy as the answer is kept", || {
        check::least_weight(|weights, share| {
            until(weights, |sum, _, total| sum > share * total)
        });
    });
    // The weight before: those lighter than it make up the rest.
    assert_caught("the share is of the attention", || {
        check::least_weight(|weights, share| {
            until(weights, |sum, _, total| sum > (1.0 - share) * total)
        });
    });
    // A share of the largest weight.
    assert_caught("expected 0.25", || {
        check::least_weight(|weights, share| {
            share * weights.iter().copied().fold(0.0, f64::max)
        });
    });
    // Always everything.
    assert_caught("lines of 0 carry none", || {
        check::least_weight(|weights, share| {
            if share >= 1.0 {
                return weights.iter().copied().fold(1.0, f64::min);
            }
            until(weights, |sum, _, total| sum >= share * total)
        });
    });
    // A grid of thresholds.
    assert_caught("without those of just", || {
        check::least_weight(|weights, share| {
            let exact = until(weights, |sum, _, total| sum >= share * total);
            (exact * 8.0).floor() / 8.0
        });
    });
}

/// The context's columns of each head times the output's rows of `rows`.
fn of_heads(
    context: &Array2<f64>,
    output: &Array2<f64>,
    heads: usize,
    columns: impl Fn(usize, usize) -> Vec<usize>,
) -> Array3<f64> {
    let (n, d_model) = context.dim();
    let mut added = Array3::zeros((heads, n, d_model));
    for (head, mut of_head) in added.outer_iter_mut().enumerate() {
        let columns = columns(head, d_model / heads);
        let found = context.select(Axis(1), &columns);
        of_head.assign(&found.dot(&output.select(Axis(0), &columns)));
    }
    added
}

#[test]
fn ch07_8_wrong_added() {
    let blocks = |head: usize, d_k: usize| (head * d_k..(head + 1) * d_k).collect();
    check::added(|context, output, heads| of_heads(context, output, heads, blocks));
    // The heads' columns in turns.
    assert_caught("the first two", || {
        check::added(|context, output, heads| {
            let turns = |head, d_k| (0..d_k).map(|i| i * heads + head).collect();
            of_heads(context, output, heads, turns)
        });
    });
    // The output's columns instead of its rows.
    assert_caught("rows of the output", || {
        check::added(|context, output, heads| {
            of_heads(context, &output.t().to_owned(), heads, blocks)
        });
    });
    // What is left without the head.
    assert_caught("the first two", || {
        check::added(|context, output, heads| {
            let all = context.dot(output);
            &all - &of_heads(context, output, heads, blocks)
        });
    });
    // A share of the whole for each head.
    assert_caught("the first two", || {
        check::added(|context, output, heads| {
            let all = context.dot(output) / heads as f64;
            ndarray::stack(Axis(0), &vec![all.view(); heads]).unwrap()
        });
    });
    // The output of one head, whatever their number.
    assert_caught("one head adds all", || {
        check::added(|context, output, heads| {
            let mut added = of_heads(context, output, heads, blocks);
            if heads == 1 {
                added.fill(0.0);
            }
            added
        });
    });
}
