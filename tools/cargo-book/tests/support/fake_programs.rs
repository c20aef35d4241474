//! Stands in for cargo, Python, JupyterLab and the Rust kernel in the test of `cargo book
//! lab`: does in an instant what they would do, writes down how it was called, and fails
//! where a file in the folder `FAKE` says so. Which program it is, its name tells.

use std::fs::{self, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::exit;

fn main() -> io::Result<()> {
    let mut arguments = std::env::args();
    let own = PathBuf::from(arguments.next().unwrap_or_default());
    let name = own.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let arguments: Vec<String> = arguments.collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut calls = OpenOptions::new().create(true).append(true).open(fake("calls"))?;
    writeln!(calls, "{name} {}", words.join(" "))?;
    match (name.as_str(), words.as_slice()) {
        ("cargo", ["install", "--list"]) => {
            print!("{}", said("cargo-list").unwrap_or_default());
            Ok(())
        }
        ("cargo", ["install", ..]) => cargo_install(),
        ("cargo", ["binstall", ..]) => {
            fail("binstall");
            cargo_install()
        }
        ("cargo", ["rustc", options @ ..]) => cargo_rustc(options),
        ("evcxr_jupyter", ["--install"]) => register(&own),
        ("evcxr_jupyter", _) => exit(3),
        ("python3", ["-c", _]) => {
            println!("{}", said("python-version").unwrap_or_else(|| "3.11".into()));
            Ok(())
        }
        ("python3", ["-m", "venv", "--clear", folder]) => make_venv(Path::new(folder)),
        ("python", ["-m", "pip", "install", ..]) => pip(&own),
        ("jupyter-lab", ["--version"]) => {
            println!("{}", said("jupyter-version").unwrap_or_else(|| "4.5.0".into()));
            Ok(())
        }
        ("jupyter-lab", options) => serve(options),
        _ => {
            Err(io::Error::other(format!("{name} called in an unknown way: {words:?}")))
        }
    }
}

/// A file in the folder that the test and this program share.
fn fake(name: &str) -> PathBuf {
    Path::new(&std::env::var_os("FAKE").expect("FAKE is set")).join(name)
}

fn said(name: &str) -> Option<String> {
    fs::read_to_string(fake(name)).ok()
}

/// Hangs, or fails as cargo does with what is said, if a file of that name says so.
fn fail(name: &str) {
    match said(name).as_deref() {
        Some("hangs") => loop {
            std::thread::park();
        },
        Some(error) => {
            eprintln!("{error}");
            exit(101);
        }
        None => {}
    }
}

fn link(to: &Path) -> io::Result<()> {
    fs::create_dir_all(to.parent().expect("a folder"))?;
    let _ = fs::remove_file(to);
    let own = std::env::current_exe()?;
    #[cfg(unix)]
    return std::os::unix::fs::symlink(own, to);
    #[cfg(not(unix))]
    return fs::copy(own, to).map(drop);
}

fn cargo_install() -> io::Result<()> {
    eprint!("    Building [==>    ] 1/3: serde\r    Building [====>  ] 2/3: zeromq\r");
    fail("cargo-install");
    let home =
        PathBuf::from(std::env::var_os("CARGO_HOME").expect("CARGO_HOME is set"));
    fs::write(fake("cargo-list"), "evcxr_jupyter v0.22.0:\n    evcxr_jupyter\n")?;
    link(&home.join("bin/evcxr_jupyter"))
}

/// Compiles the library of the folder after `--target-dir`.
fn cargo_rustc(options: &[&str]) -> io::Result<()> {
    let target = options.iter().skip_while(|option| **option != "--target-dir").nth(1);
    let target = Path::new(target.expect("a folder"));
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    fail(&format!("rustc-{name}"));
    fs::create_dir_all(target.join("debug"))?;
    let library = format!("debug/libbook_prelude{}", std::env::consts::DLL_SUFFIX);
    fs::write(target.join(library), "")
}

fn register(own: &Path) -> io::Result<()> {
    let path = std::env::var_os("JUPYTER_PATH").expect("JUPYTER_PATH is set");
    let folder = Path::new(&path).join("kernels/rust");
    fs::create_dir_all(&folder)?;
    let spec =
        format!("{{\"argv\": [{:?}, \"--control_file\"]}}", own.display().to_string());
    fs::write(folder.join("kernel.json"), spec)
}

fn make_venv(folder: &Path) -> io::Result<()> {
    if let Some(error) = said("venv") {
        println!("{error}"); // where Python writes it
        exit(1);
    }
    let _ = fs::remove_dir_all(folder);
    link(&folder.join("bin/python"))
}

fn pip(own: &Path) -> io::Result<()> {
    println!("Collecting jupyterlab==4.6.6 (from -r requirements.txt)");
    if let Some(error) = said("pip") {
        eprintln!("{error}");
        exit(1);
    }
    println!("Installing collected packages: a, b, jupyterlab");
    link(&own.with_file_name("jupyter-lab"))
}

/// Answers on the given port. `/end/N` ends it with the exit code N.
fn serve(options: &[&str]) -> io::Result<()> {
    if let Some(error) = said("jupyter") {
        eprintln!("{error}");
        exit(7);
    }
    let port =
        options.iter().find_map(|option| option.strip_prefix("--ServerApp.port="));
    let port: u16 = port.and_then(|port| port.parse().ok()).expect("a port");
    for stream in TcpListener::bind(("127.0.0.1", port))?.incoming() {
        let mut stream = stream?;
        let mut lines =
            BufReader::new(stream.try_clone()?).lines().map_while(Result::ok);
        let request = lines.next().unwrap_or_default();
        lines.take_while(|line| !line.is_empty()).for_each(drop);
        let answer = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"version\": \"2\"}";
        stream.write_all(answer.as_bytes())?;
        if let Some(code) = request.strip_prefix("GET /end/") {
            eprintln!("the server ends");
            exit(
                code.split(' ').next().and_then(|code| code.parse().ok()).unwrap_or(99),
            );
        }
    }
    Ok(())
}
