//! Every exercise as shipped fails, and says what to do: `todo!("exercise N: …")`.

#[path = "../../chapters-code/exercises/tests/checks/mod.rs"]
mod checks;

use std::collections::BTreeSet;
use std::fs;

use book_tests::refusal;

#[track_caller]
fn assert_todo(exercise: &str, check: impl FnOnce()) {
    let message = refusal(check);
    let start = format!("not yet implemented: {exercise}: ");
    assert!(message.starts_with(&start), "{message}");
    assert!(message.len() > start.len() + 20, "no hint in {message:?}");
}

#[test]
fn every_stub_of_a2_fails_with_its_hint() {
    use checks::a2 as check;
    use stubs::a2;

    assert_todo("exercise 1", || check::sigmoid_backward(a2::sigmoid_backward));
    assert_todo("exercise 2", || {
        check::rms_residual_backward(a2::rms_residual_backward);
    });
    assert_todo("exercise 3", || check::causal_backward(a2::causal_backward));
}

#[test]
fn every_stub_of_ch01_fails_with_its_hint() {
    use checks::ch01 as check;
    use stubs::ch01;

    assert_todo("exercise 1", || check::softmax(ch01::softmax));
    assert_todo("exercise 2", || check::previous_word(ch01::previous_word));
    assert_todo("exercise 3", || check::diagnose(ch01::diagnose));
    assert_todo("exercise 4", || check::score_variances(ch01::score_variances));
    assert_todo("exercise 5", || {
        check::softmax_with_temperature(ch01::softmax_with_temperature);
    });
    assert_todo("exercise 6", || check::unshuffle(ch01::unshuffle));
}

#[test]
fn every_stub_of_ch02_fails_with_its_hint() {
    use checks::ch02 as check;
    use stubs::ch02;

    assert_todo("exercise 1", || check::split_heads(ch02::split_heads));
    assert_todo("exercise 2", || check::grouped_query(ch02::grouped_query));
    assert_todo("exercise 3", || check::attend_next(ch02::attend_next));
    assert_todo("exercise 4", || check::hide_padding(ch02::hide_padding));
    assert_todo("exercise 5", || check::tells_order(ch02::tells_order));
    assert_todo("exercise 6", || check::rotate(ch02::rotate));
    assert_todo("exercise 7", || check::layer_norm(ch02::layer_norm));
    assert_todo("exercise 8", || check::beam(ch02::beam));
    assert_todo("exercise 9", || check::top_k(ch02::top_k));
}

#[test]
fn every_stub_of_ch03_fails_with_its_hint() {
    use checks::ch03 as check;
    use stubs::ch03;

    assert_todo("exercise 1", || check::wrong_derivatives(ch03::wrong_derivatives));
    assert_todo("exercise 2", || check::descend(ch03::descend));
    assert_todo("exercise 3", || check::logistic_gradient(ch03::logistic_gradient));
    assert_todo("exercise 4", || check::adamw_step(ch03::adamw_step));
    assert_todo("exercise 5", || check::learning_rate(ch03::learning_rate));
    assert_todo("exercise 6", || check::clip(ch03::clip));
    assert_todo("exercise 7", || check::masked_gradient(ch03::masked_gradient));
    assert_todo("exercise 8", || check::smoothed_loss(ch03::smoothed_loss));
}

#[test]
fn every_stub_of_ch04_fails_with_its_hint() {
    use checks::ch04 as check;
    use stubs::ch04;

    assert_todo("exercise 1", || check::fewest_pieces(ch04::fewest_pieces));
    assert_todo("exercise 2", || check::leaks(ch04::leaks));
    assert_todo("exercise 3", || check::mean_pool(ch04::mean_pool));
    assert_todo("exercise 4", || check::temperature(ch04::temperature));
    assert_todo("exercise 5", || check::covering_pair(ch04::covering_pair));
    assert_todo("exercise 6", || check::sign_flips(ch04::sign_flips));
}

#[test]
fn every_stub_of_ch05_fails_with_its_hint() {
    use checks::ch05 as check;
    use stubs::ch05;

    assert_todo("exercise 1", || check::sharpest_head(ch05::sharpest_head));
    assert_todo("exercise 2", || check::top_key_across(ch05::top_key_across));
    assert_todo("exercise 3", || check::without_special(ch05::without_special));
    assert_todo("exercise 4", || check::reads_gender(ch05::reads_gender));
    assert_todo("exercise 5", || check::held_out(ch05::held_out));
    assert_todo("exercise 6", || check::find_flaw(ch05::find_flaw));
}

#[test]
fn every_stub_of_ch06_fails_with_its_hint() {
    use checks::ch06 as check;
    use stubs::ch06;

    assert_todo("exercise 1", || check::count_params(ch06::count_params));
    assert_todo("exercise 2", || check::matmul_shape(ch06::matmul_shape));
    assert_todo("exercise 3", || check::attention_shape(ch06::attention_shape));
    assert_todo("exercise 4", || check::softmax_axis(ch06::softmax_axis));
    assert_todo("exercise 5", || check::grouped_attention(ch06::grouped_attention));
    assert_todo("exercise 6", || check::pointer_by_hand(ch06::pointer_by_hand));
}

#[test]
fn every_stub_of_ch07_fails_with_its_hint() {
    use checks::ch07 as check;
    use stubs::ch07;

    assert_todo("exercise 1", || check::look(ch07::look));
    assert_todo("exercise 2", || check::hover(ch07::hover));
    assert_todo("exercise 3", || check::prettify(ch07::prettify));
    assert_todo("exercise 4", || check::json_in_script(ch07::json_in_script));
    assert_todo("exercise 5", || check::moved(ch07::moved));
    assert_todo("exercise 6", || check::top_pairs(ch07::top_pairs));
    assert_todo("exercise 7", || check::least_weight(ch07::least_weight));
    assert_todo("exercise 8", || check::added(ch07::added));
}

#[test]
fn every_stub_of_ch08_fails_with_its_hint() {
    use checks::ch08 as check;
    use stubs::ch08;

    assert_todo("exercise 1", || check::asked_words(ch08::asked_words));
    assert_todo("exercise 2", || check::best_trial(ch08::best_trial));
    assert_todo("exercise 3", || check::gained_beside(ch08::gained_beside));
    assert_todo("exercise 4", || check::best_pair(ch08::best_pair));
    assert_todo("exercise 5", || check::merge(ch08::merge));
    assert_todo("exercise 6", || check::leaks(ch08::leaks));
}

#[test]
fn every_stub_of_ch09_fails_with_its_hint() {
    use checks::ch09 as check;
    use stubs::ch09;

    assert_todo("exercise 1", || check::visible(ch09::visible));
    assert_todo("exercise 2", || check::attend_new(ch09::attend_new));
    assert_todo("exercise 3", || check::top_p(ch09::top_p));
    assert_todo("exercise 4", || check::tempered(ch09::tempered));
    assert_todo("exercise 5", || check::perplexity(ch09::perplexity));
    assert_todo("exercise 6", || check::best_text(ch09::best_text));
    assert_todo("exercise 7", || check::induction_score(ch09::induction_score));
    assert_todo("exercise 8", || check::induction_circuit(ch09::induction_circuit));
}

#[test]
fn every_stub_of_a1_fails_with_its_hint() {
    use checks::a1 as check;
    use stubs::a1;

    assert_todo("exercise 1", || check::absorb(a1::absorb));
    assert_todo("exercise 2", || check::exponent(a1::exponent));
}

#[test]
fn every_stub_of_a3_fails_with_its_hint() {
    use checks::a3 as check;
    use stubs::a3;

    assert_todo("exercise 1", || check::pack(a3::pack));
    assert_todo("exercise 2", || check::tile(a3::tile));
    assert_todo("exercise 3", || check::tallest(a3::tallest));
    assert_todo("exercise 4", || check::enough_rows(a3::enough_rows));
    assert_todo("exercise 5", || check::shares(a3::shares));
}

/// The chapters and appendices above, with how many stubs each has there.
const ASSERTED: [(&str, usize); 12] = [
    ("ch01", 6),
    ("ch02", 9),
    ("ch03", 8),
    ("ch04", 6),
    ("ch05", 6),
    ("ch06", 6),
    ("ch07", 8),
    ("ch08", 6),
    ("ch09", 8),
    ("a1", 2),
    ("a2", 3),
    ("a3", 5),
];

/// A new exercise can't be forgotten: each `todo!` has a test, for the reader's answer
/// and the solution, wrong answers that its check must catch, and an assertion above.
#[test]
fn every_stub_has_its_checks() {
    let root = book_tests::root();
    let read = |file: String| fs::read_to_string(root.join(file)).unwrap();
    let sources = fs::read_dir(root.join("chapters-code/exercises/src")).unwrap();
    let names = sources.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let chapters: BTreeSet<_> = names.filter(|name| name != "lib.rs").collect();
    let asserted = ASSERTED.map(|(chapter, _)| format!("{chapter}.rs"));
    assert_eq!(chapters, asserted.into(), "assert the new chapter's stubs above");

    let solutions = read("chapters-code/solutions/Cargo.toml".into());
    for (chapter, count) in ASSERTED {
        let stubs = read(format!("chapters-code/exercises/src/{chapter}.rs"));
        let tests = read(format!("chapters-code/exercises/tests/{chapter}.rs"));
        let wrong = read(format!("tests/tests/exercises/{chapter}.rs"));
        let found = stubs.matches("\"exercise ").count();
        assert_eq!(found, count, "assert {chapter}'s new stub above");
        let found = tests.matches(&format!("{chapter}_")).count();
        assert_eq!(found, count, "{chapter}'s tests");
        for exercise in 1..=count {
            let test = format!("{chapter}_{exercise}_");
            assert!(tests.contains(&test), "no {test}");
            assert!(wrong.contains(&format!("fn {test}wrong_")), "no {test}wrong_");
        }
        let answers = read(format!("chapters-code/solutions/src/{chapter}.rs"));
        assert_eq!(imports(&stubs), imports(&answers), "{chapter}: answers are pasted");
        let path = format!("path = \"../exercises/tests/{chapter}.rs\"");
        assert!(solutions.contains(&path), "the solutions' tests don't have {path}");
    }
}

/// The lines of a file's imports, which come first.
fn imports(source: &str) -> Vec<&str> {
    let lines = source.lines().skip_while(|line| !line.starts_with("use "));
    let lines = lines.take_while(|line| !line.starts_with("//"));
    lines.filter(|line| !line.is_empty()).collect()
}
