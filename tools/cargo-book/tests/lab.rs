//! `cargo book lab` on machines that have more and less of what it needs: programs of our
//! own stand in for cargo, Python, JupyterLab and the kernel, in a home of their own.
#![cfg(unix)]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};

/// A machine: a home, a repository and a `PATH`, all in a temporary folder.
struct Machine {
    folder: tempfile::TempDir,
}

impl Machine {
    /// A machine with these programs on the `PATH`.
    fn with(programs: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let machine = Self { folder };
        for part in
            ["path", "home", "tmp", "fake", "book/po", "book/src", "book/notebooks/en"]
        {
            fs::create_dir_all(machine.at(part)).unwrap();
        }
        machine.write("book/book.toml", "");
        machine.write("book/Cargo.toml", "[workspace]\n");
        machine.write("book/src/SUMMARY.md", "# Sumário\n");
        for name in programs {
            machine.program(&format!("path/{name}"));
        }
        machine
    }

    /// A machine on which everything is installed.
    fn complete() -> Self {
        let machine = Self::with(&["cargo", "jupyter-lab"]);
        machine.kernel("0.22.0");
        let program = machine.at("home/.cargo/bin/evcxr_jupyter");
        machine.write(
            "home/jupyter/kernels/rust/kernel.json",
            &format!("{{\"argv\": [{:?}]}}", program.display().to_string()),
        );
        machine
    }

    /// Gives the book a chapter without candle and one with it.
    fn two_chapters(&self) {
        self.write("book/src/SUMMARY.md", "- [A](ch01-a.md)\n- [B](ch02-b.md)\n");
        for (name, dependency) in [("ch01-a", "ndarray"), ("ch02-b", "candle-core")] {
            self.write(&format!("book/src/{name}.md"), "# Page\n");
            let manifest = format!(
                "[package]\nname = \"{name}\"\n[dependencies]\n{dependency} = \"0.1\"\n"
            );
            self.write(&format!("book/chapters-code/{name}/Cargo.toml"), &manifest);
        }
    }

    /// Installs a kernel of that version.
    fn kernel(&self, version: &str) {
        self.program("home/.cargo/bin/evcxr_jupyter");
        self.write("fake/cargo-list", &format!("evcxr_jupyter v{version}:\n"));
    }

    fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.at(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn program(&self, path: &str) {
        let path = self.at(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(env!("CARGO_BIN_EXE_fake-programs"), path).unwrap();
    }

    fn lab(&self, options: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-book"));
        command
            .arg("lab")
            .args(options)
            .current_dir(self.at("book"))
            .env_clear()
            .env("PATH", self.at("path"))
            .env("HOME", self.at("home"))
            .env("TMPDIR", self.at("tmp"))
            .env("CARGO_HOME", self.at("home/.cargo"))
            .env("JUPYTER_DATA_DIR", self.at("home/jupyter"))
            .env("XDG_CACHE_HOME", self.at("home/.cache"))
            .env("FAKE", self.at("fake"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the command to an end that it finds by itself.
    fn ends(&self, options: &[&str]) -> Ended {
        Ended::of(self.lab(options).output().unwrap())
    }

    /// Runs the command until JupyterLab answers.
    fn starts(&self, options: &[&str]) -> Started {
        let mut all = vec!["--port", "0"];
        all.extend(options);
        let mut child = self.lab(&all).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut said = String::new();
        while !said.contains("JupyterLab is at ") {
            if stdout.read_line(&mut said).unwrap() == 0 {
                let ended = Ended::of(child.wait_with_output().unwrap());
                unreachable!("no start:\n{said}\n{}", ended.err);
            }
        }
        let port = said.split("http://127.0.0.1:").nth(1).unwrap();
        let port = port.split('/').next().unwrap().parse().unwrap();
        Started { child, stdout, said, port }
    }

    /// How the programs were called since this was last asked, with `~` for the machine.
    fn calls(&self) -> Vec<String> {
        let text = fs::read_to_string(self.at("fake/calls")).unwrap_or_default();
        let _ = fs::remove_file(self.at("fake/calls"));
        let folder = self.folder.path().display().to_string();
        text.lines().map(|line| line.replace(&folder, "~")).collect()
    }
}

struct Ended {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Ended {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Checks that the command failed with one line that says all of this.
    #[track_caller]
    fn fails_saying(&self, parts: &[&str]) {
        assert_eq!(self.code, Some(1), "{}", self.err);
        let errors: Vec<&str> =
            self.err.lines().filter(|line| line.starts_with("error")).collect();
        assert_eq!(errors.len(), 1, "{}", self.err);
        for part in parts {
            assert!(errors[0].contains(part), "no {part:?} in: {}", errors[0]);
        }
        assert!(!self.err.contains("panicked"), "{}", self.err);
    }
}

struct Started {
    child: Child,
    stdout: BufReader<ChildStdout>,
    said: String,
    port: u16,
}

impl Started {
    fn asks(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let request = format!("GET {path} HTTP/1.1\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn ends(mut self) -> Ended {
        let mut out = self.said;
        self.stdout.read_to_string(&mut out).unwrap();
        Ended { out, ..Ended::of(self.child.wait_with_output().unwrap()) }
    }

    /// Reads on until the command says so.
    fn says(&mut self, part: &str) {
        while !self.said.contains(part) {
            assert!(
                self.stdout.read_line(&mut self.said).unwrap() > 0,
                "{}",
                self.said
            );
        }
    }

    /// Lets JupyterLab end by itself.
    fn ends_with(self, code: i32) -> Ended {
        self.asks(&format!("/end/{code}"));
        self.ends()
    }
}

fn interrupt(child: &Child) {
    let id = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(id, Signal::INT).unwrap();
}

/// The options that every start gives JupyterLab, the port and the browser apart.
#[track_caller]
fn assert_serves(call: &str, folder: &str) {
    for part in [
        "jupyter-lab --ServerApp.ip=127.0.0.1 ",
        "--ServerApp.port_retries=0 ",
        &format!("--ServerApp.root_dir={folder} "),
    ] {
        assert!(format!("{call} ").contains(part), "no {part:?} in {call}");
    }
}

#[test]
fn a_bare_machine_gets_everything_and_the_second_start_nothing() {
    let machine = Machine::with(&["cargo", "python3"]);
    let ended = machine.starts(&["--no-open"]).ends_with(0);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let calls = machine.calls();
    let expected = [
        "cargo install --locked --force --target-dir ~/book/target/lab/evcxr evcxr_jupyter@0.22.0",
        "evcxr_jupyter --install",
        "python3 -c import sys; print('%d.%d' % sys.version_info[:2])",
        "python3 -m venv --clear ~/book/target/lab-venv",
        "python -m pip install --disable-pip-version-check --no-input --progress-bar off \
         --requirement ~/book/target/lab/requirements.txt",
    ];
    assert_eq!(calls[..5], expected);
    assert_serves(&calls[5], "~/book/notebooks");
    assert!(calls[5].contains(" --no-browser"), "{}", calls[5]);
    assert_eq!(calls.len(), 6, "{calls:?}");
    let requirements =
        fs::read_to_string(machine.at("book/target/lab/requirements.txt"));
    assert!(requirements.unwrap().contains("\njupyterlab==4."));
    assert!(machine.at("home/jupyter/kernels/rust/kernel.json").is_file());

    machine.starts(&[]).ends_with(0);
    let calls = machine.calls();
    assert_eq!(calls[0], "cargo install --list");
    assert_serves(&calls[1], "~/book/notebooks");
    assert!(!calls[1].contains("--no-browser"), "{}", calls[1]);
    assert_eq!(calls.len(), 2, "{calls:?}");

    assert_eq!(machine.ends(&["--check"]).code, Some(0));
}

/// Where the reader has `cargo binstall`, the kernel is not compiled, unless there is none.
#[test]
fn a_compiled_kernel_is_taken_where_there_is_one() {
    let downloads = "cargo binstall --no-confirm --force --strategies crate-meta-data \
                     evcxr_jupyter@0.22.0";
    let machine = Machine::with(&["cargo", "cargo-binstall", "jupyter-lab"]);
    machine.starts(&["--no-open"]).ends_with(0);
    let calls = machine.calls();
    assert_eq!(calls[0], downloads);
    assert!(
        !calls.iter().any(|call| call.starts_with("cargo install --locked")),
        "{calls:?}"
    );

    let machine = Machine::with(&["cargo", "cargo-binstall", "jupyter-lab"]);
    machine.write("fake/binstall", "error: no archive for this machine");
    let started = machine.starts(&["--no-open"]);
    assert!(started.said.contains("no archive for this machine"), "{}", started.said);
    started.ends_with(0);
    let calls = machine.calls();
    assert_eq!(calls[0], downloads);
    assert!(
        calls.iter().any(|call| call.starts_with("cargo install --locked")),
        "{calls:?}"
    );
}

#[test]
fn what_is_there_is_used_and_jupyterlab_s_exit_code_is_passed_on() {
    let machine = Machine::complete();
    let started = machine.starts(&["--lang", "en", "--no-browser"]);
    assert!(started.asks("/api").starts_with("HTTP/1.1 200"));
    assert!(started.said.contains("JupyterLab 4.5.0 is at"), "{}", started.said);
    let ended = started.ends_with(5);
    assert_eq!(ended.code, Some(5));
    assert!(ended.err.contains("the server ends"), "{}", ended.err);
    let calls = machine.calls();
    assert_eq!(calls[..2], ["cargo install --list", "jupyter-lab --version"]);
    assert_serves(&calls[2], "~/book/notebooks/en");
    assert_eq!(calls.len(), 3, "{calls:?}");
}

#[test]
fn the_token_is_not_among_the_arguments() {
    let machine = Machine::complete();
    let started = machine.starts(&["--no-open"]);
    let token = started.said.split("token=").nth(1).unwrap();
    let token = token.split(';').next().unwrap().to_owned();
    assert!(token.len() >= 32, "{token}");
    started.ends_with(0);
    assert!(!machine.calls().join("\n").contains(&token));
}

#[test]
fn another_release_of_the_kernel_is_named_and_replaced() {
    let machine = Machine::complete();
    machine.write("fake/cargo-list", "evcxr_jupyter v0.21.0:\n");
    let started = machine.starts(&["--no-open"]);
    assert!(started.said.contains("is of version 0.21.0"), "{}", started.said);
    assert!(started.said.contains("the notebooks need 0.22.0"), "{}", started.said);
    started.ends_with(0);
    assert!(machine.calls()[1].ends_with("evcxr_jupyter@0.22.0"));
}

#[test]
fn a_registration_of_another_program_is_replaced() {
    let machine = Machine::complete();
    let spec = "home/jupyter/kernels/rust/kernel.json";
    machine.write(spec, "{\"argv\": [\"/usr/bin/evcxr_jupyter\"]}");
    machine.starts(&["--no-open"]).ends_with(0);
    assert!(machine.calls().contains(&"evcxr_jupyter --install".to_owned()));
    let spec = fs::read_to_string(machine.at(spec)).unwrap();
    assert!(spec.contains("home/.cargo/bin/evcxr_jupyter"), "{spec}");
}

#[test]
fn an_older_jupyterlab_is_left_alone() {
    let machine = Machine::complete();
    machine.write("fake/jupyter-version", "3.6.8");
    machine.program("path/python3");
    machine.starts(&["--no-open"]).ends_with(0);
    let calls = machine.calls();
    assert!(
        calls.iter().any(|call| call.starts_with("python -m pip install")),
        "{calls:?}"
    );
}

#[test]
fn check_says_what_is_missing_and_touches_nothing() {
    let machine = Machine::with(&["cargo", "python3"]);
    let ended = machine.ends(&["--check"]);
    assert_eq!(ended.code, Some(1));
    let missing = ["evcxr_jupyter 0.22.0", "its registration", "JupyterLab 4."];
    for (line, part) in ended.out.lines().zip(missing) {
        assert!(line.starts_with("missing") && line.contains(part), "{line}");
    }
    assert_eq!(ended.out.lines().count(), 3, "{}", ended.out);
    assert_eq!(machine.calls(), Vec::<String>::new());
    assert_eq!(fs::read_dir(machine.at("home")).unwrap().count(), 0);
}

#[test]
fn a_failing_cargo_is_quoted_with_a_remedy() {
    let machine = Machine::with(&["cargo", "python3"]);
    machine.write(
        "fake/cargo-install",
        "error: linker `cc` not found\nerror: could not compile",
    );
    let ended = machine.ends(&["--port", "0"]);
    ended.fails_saying(&["linker `cc` not found", "install a C compiler", "cargo.log"]);
    let log = fs::read_to_string(machine.at("book/target/lab/cargo.log")).unwrap();
    assert!(log.contains("could not compile"), "{log}");
}

#[test]
fn a_failing_pip_is_quoted_and_the_next_start_begins_the_environment_again() {
    let machine = Machine::complete();
    fs::remove_file(machine.at("path/jupyter-lab")).unwrap();
    machine.program("path/python3");
    machine.write("fake/pip", "ERROR: No matching distribution found for jupyterlab");
    let ended = machine.ends(&["--port", "0"]);
    ended.fails_saying(&[
        "No matching distribution found",
        "is the network up",
        "pip.log",
    ]);
    assert!(
        ended.out.is_empty() || !ended.out.contains("is installed"),
        "{}",
        ended.out
    );
    machine.calls();

    fs::remove_file(machine.at("fake/pip")).unwrap();
    machine.starts(&["--no-open"]).ends_with(0);
    let calls = machine.calls();
    assert!(
        calls.iter().any(|call| call.starts_with("python3 -m venv --clear")),
        "{calls:?}"
    );
}

#[test]
fn an_environment_that_was_moved_is_made_again() {
    let machine = Machine::complete();
    fs::remove_file(machine.at("path/jupyter-lab")).unwrap();
    machine.program("path/python3");
    machine.starts(&["--no-open"]).ends_with(0);
    fs::rename(machine.at("book"), machine.at("moved")).unwrap();
    machine.calls();
    let ended =
        machine.lab(&["--check"]).current_dir(machine.at("moved")).output().unwrap();
    let ended = Ended::of(ended);
    assert_eq!(ended.code, Some(1));
    assert!(ended.out.contains("missing  JupyterLab"), "{}", ended.out);
}

#[test]
fn a_python_without_venv_gets_its_remedy() {
    let machine = Machine::complete();
    fs::remove_file(machine.at("path/jupyter-lab")).unwrap();
    machine.program("path/python3");
    machine.write(
        "fake/venv",
        "The virtual environment was not created successfully because ensurepip is not\n\
         available.  On Debian/Ubuntu systems, you need to install the python3-venv package.",
    );
    let ended = machine.ends(&["--port", "0"]);
    ended.fails_saying(&["`venv` module is missing", "run this again"]);
    #[cfg(not(target_os = "macos"))]
    ended.fails_saying(&["apt install python3 python3-venv", "dnf install python3"]);
}

#[test]
fn no_python_or_an_old_one_gets_its_remedy() {
    let machine = Machine::complete();
    fs::remove_file(machine.at("path/jupyter-lab")).unwrap();
    machine.ends(&["--port", "0"]).fails_saying(&["needs Python", "none on the PATH"]);

    machine.program("path/python3");
    machine.write("fake/python-version", "3.8");
    let ended = machine.ends(&["--port", "0"]);
    ended.fails_saying(&["needs Python 3.10 or later", "is 3.8", "run this again"]);
}

#[test]
fn a_jupyterlab_that_does_not_start_is_heard() {
    let machine = Machine::complete();
    machine.write("fake/jupyter", "ModuleNotFoundError: No module named 'jupyterlab'");
    let ended = machine.ends(&["--port", "0"]);
    ended.fails_saying(&["JupyterLab", "does not start", "exit status: 7"]);
    assert!(ended.err.contains("No module named 'jupyterlab'"), "{}", ended.err);
}

#[test]
fn a_kernel_that_does_not_start_is_an_error_that_can_be_passed_over() {
    let machine = Machine::complete();
    machine.write("book/src/ch01-a.md", "# A\n");
    machine.write(
        "book/chapters-code/ch01-a/Cargo.toml",
        "[package]\nname = \"ch01-a\"\n",
    );
    let cell = "{\"cell_type\": \"code\", \"id\": \"setup\", \"metadata\": {}, \"outputs\": [], \
                \"execution_count\": null, \"source\": [\"1\"]}";
    machine.write(
        "book/notebooks/ch01-a.ipynb",
        &format!("{{\"cells\": [{cell}], \"metadata\": {{}}, \"nbformat\": 4, \"nbformat_minor\": 5}}"),
    );
    let ended = machine.ends(&["--check"]);
    assert!(ended.out.contains("missing  the crates of ch01"), "{}", ended.out);
    machine.ends(&["--port", "0"]).fails_saying(&[
        "ended at once",
        "exit status: 3",
        "--no-warm",
    ]);
    machine.starts(&["--no-open", "--no-warm"]).ends_with(0);
}

/// The crates of the chapters without candle before JupyterLab opens, the others after.
#[test]
fn the_first_chapters_do_not_wait_for_candle() {
    let machine = Machine::complete();
    machine.two_chapters();
    let ended = machine.ends(&["--check"]);
    assert_eq!(ended.code, Some(1));
    for missing in ["missing  the crates of ch01\n", "missing  the crates of ch02\n"] {
        assert!(ended.out.contains(missing), "{}", ended.out);
    }
    machine.calls();

    machine.write("fake/rustc-candle", "hangs");
    let started = machine.starts(&["--no-open"]);
    assert!(
        started.said.contains("the crates of ch01 are compiled"),
        "{}",
        started.said
    );
    let ended = started.ends_with(0);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(ended.err.contains("the crates of ch02: compiling"), "{}", ended.err);
    assert!(!ended.out.contains("ch02"), "{}", ended.out);

    fs::remove_file(machine.at("fake/rustc-candle")).unwrap();
    machine.calls();
    let mut started = machine.starts(&["--no-open"]);
    started.says("the crates of ch02 are compiled");
    started.ends_with(0);
    let calls = machine.calls();
    let compiled = calls.iter().filter_map(|call| call.strip_prefix("cargo rustc "));
    let compiled: Vec<&str> =
        compiled.filter_map(|call| Some(call.split_once(" -- ")?.0)).collect();
    let expected = ["ndarray", "candle --features candle"].map(|end| {
        format!(
            "--lib --package book-prelude --crate-type dylib --target-dir \
             ~/book/target/notebook/{end}"
        )
    });
    assert_eq!(compiled, expected);
    assert_eq!(machine.ends(&["--check"]).code, Some(0));

    machine.calls();
    machine.starts(&["--no-open", "--no-warm"]).ends_with(0);
    assert!(!machine.calls().iter().any(|call| call.contains("rustc")));
}

/// A reader may be in the middle of an edit.
#[test]
fn crates_that_do_not_compile_are_told_of_and_jupyterlab_opens() {
    let machine = Machine::complete();
    machine.two_chapters();
    machine.write("fake/rustc-ndarray", "error[E0308]: mismatched types");
    let mut started = machine.starts(&["--no-open"]);
    started.says("the crates of ch02 are compiled");
    let ended = started.ends_with(0);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let warning = "warning: the crates of ch01 are not compiled: `cargo rustc` failed: \
                   error[E0308]: mismatched types";
    assert!(ended.err.contains(warning), "{}", ended.err);
}

#[test]
fn a_taken_port_is_refused_before_anything_is_installed() {
    let machine = Machine::with(&["cargo", "python3"]);
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    machine.ends(&["--port", &port]).fails_saying(&[&port, "--port"]);
    assert_eq!(machine.calls(), Vec::<String>::new());
}

#[test]
fn ctrl_c_stops_jupyterlab() {
    let machine = Machine::complete();
    let started = machine.starts(&["--no-open"]);
    let port = started.port;
    interrupt(&started.child);
    let ended = started.ends();
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    TcpListener::bind(("127.0.0.1", port)).expect("nobody serves there any more");
}

#[test]
fn ctrl_c_stops_an_installation_and_the_next_start_takes_it_up() {
    let machine = Machine::with(&["cargo", "jupyter-lab"]);
    machine.write("fake/cargo-install", "hangs");
    let mut child = machine.lab(&["--port", "0"]).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    assert!(line.contains("compiling"), "{line}");
    interrupt(&child);
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("goes on from here"), "{rest}");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    machine.calls();

    fs::remove_file(machine.at("fake/cargo-install")).unwrap();
    machine.starts(&["--no-open"]).ends_with(0);
    assert!(
        machine.calls()[0].starts_with("cargo install --locked --force --target-dir")
    );
}
