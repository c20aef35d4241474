//! A test binary's tests again, under each of this machine's instruction sets:
//! `#[path = "../../../tests/support/sets.rs"] mod sets;` in a chapter's own `tests/`.
#![allow(missing_docs, reason = "tests have no readers of docs")]

use std::process::Command;

use kernels::{ISA_VARIABLE, Isa};

/// Runs this program's tests whose names have `part` once more for each set but the fastest,
/// with which they have run. A process keeps one set, so each has a process of its own; and if
/// a set was asked for (as in those), the tests have run with that one alone.
#[track_caller]
pub fn again_under_the_slower_ones(part: &str) {
    if std::env::var_os(ISA_VARIABLE).is_some_and(|set| !set.is_empty()) {
        return;
    }
    let program = std::env::current_exe().expect("a test has a path");
    let mut slower = Isa::available();
    slower.pop();
    for set in slower {
        let run =
            Command::new(&program).arg(part).env(ISA_VARIABLE, set.name()).output();
        let run = run.expect("the test starts");
        let said = [run.stdout, run.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(run.status.success(), "{set}:\n{said}");
    }
}
