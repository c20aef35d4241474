//! Every exercise as shipped fails, and says what to do: `todo!("exercise N: …")`.

#[path = "../../chapters-code/exercises/tests/checks/mod.rs"]
mod checks;

use book_tests::refusal;
use checks::ch01 as check;
use stubs::ch01;

#[track_caller]
fn assert_todo(exercise: &str, check: impl FnOnce()) {
    let message = refusal(check);
    let start = format!("not yet implemented: {exercise}: ");
    assert!(message.starts_with(&start), "{message}");
    assert!(message.len() > start.len() + 20, "no hint in {message:?}");
}

#[test]
fn every_stub_of_ch01_fails_with_its_hint() {
    assert_todo("exercise 1", || check::softmax(ch01::softmax));
    assert_todo("exercise 2", || check::scaled_scores(ch01::scaled_scores));
    assert_todo("exercise 3", || check::attention(ch01::attention));
    assert_todo("exercise 4", || check::score_variances(ch01::score_variances));
    assert_todo("exercise 5", || {
        check::softmax_with_temperature(ch01::softmax_with_temperature);
    });
    assert_todo("exercise 6", || check::unshuffle(ch01::unshuffle));
}

/// A new exercise can't be forgotten here: there is a check for each `todo!`.
#[test]
fn there_are_as_many_stubs_as_checks() {
    let folder = book_tests::root().join("chapters-code/exercises");
    let count = |file: &str, what: &str| {
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        text.matches(what).count()
    };
    let stubs = count("src/ch01.rs", "todo!(\"exercise ");
    assert_eq!(stubs, count("tests/ch01.rs", "#[test]"));
    assert_eq!(stubs, 6, "assert the new one above, too");
}
