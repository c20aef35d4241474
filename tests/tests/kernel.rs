//! The real evcxr kernel: what it prints, and which cell it blames.

use book::kernel::Kernel;
use book::{cells, notebook};
use nbformat::v4::Output;

#[tokio::test]
async fn each_cell_gets_its_own_output_and_its_own_error() {
    let folder = tempfile::tempdir().unwrap();
    let mut kernel = Kernel::start(folder.path()).await.unwrap();

    let kept = kernel.run("let kept: i32 = 20 + 1;").await.unwrap();
    assert!(kept.error.is_none() && kept.outputs.is_empty(), "{kept:?}");

    let printed = kernel.run("println!(\"{kept}\"); println!(\"{kept}\");").await;
    let printed = printed.unwrap();
    match printed.outputs.as_slice() {
        [Output::Stream { name, text }] => {
            assert_eq!((name.as_str(), text.0.as_str()), ("stdout", "21\n21\n"));
        }
        other => panic!("{other:?}"),
    }

    let failed = kernel.run("let x: i32 = \"no number\".parse::<i32>()?;").await;
    let failed = failed.unwrap();
    let after = kernel.run("println!(\"after\");").await.unwrap();
    let wrong = kernel.run("let y: i32 = \"text\";").await.unwrap();
    let error = wrong.error.expect("a compile error");
    assert!(error.contains("mismatched types"), "{error}");

    kernel.settle().await.unwrap();
    let said = kernel.stderr_of(&failed.id).expect("what the `?` said");
    assert!(said.contains("invalid digit"), "{said}");
    for quiet in [&kept.id, &printed.id, &after.id] {
        assert_eq!(kernel.stderr_of(quiet), None);
    }
}

/// Why cells are written, checked and closed as they are: evcxr shows the `()` of a loop, and
/// keeps a line that was begun for a later cell.
#[tokio::test]
async fn the_end_of_a_cell_decides_what_its_reader_sees() {
    let folder = tempfile::tempdir().unwrap();
    let mut kernel = Kernel::start(folder.path()).await.unwrap();
    let code = "for i in 0..2 {\n    println!(\"{i}\");\n}";
    let bare = kernel.run(code).await.unwrap();
    assert!(bare.outputs.iter().any(notebook::is_unit), "{bare:?}");
    let closed = kernel.run(&cells::as_run(code)).await.unwrap();
    assert!(matches!(closed.outputs.as_slice(), [Output::Stream { .. }]), "{closed:?}");

    let begun = kernel.run("print!(\"a\");").await.unwrap();
    assert!(begun.outputs.is_empty(), "{begun:?}");
    let ended = kernel.run("println!(\"b\");").await.unwrap();
    match ended.outputs.as_slice() {
        [Output::Stream { text, .. }] => assert_eq!(text.0, "ab\n"),
        other => panic!("{other:?}"),
    }
}

/// A small book with the real `tools/notebook`, whose one crate has a function `one`.
struct Book(tempfile::TempDir);

impl Book {
    fn new() -> Self {
        let book = Self(tempfile::tempdir().unwrap());
        let members = "members = [\"chapters-code/ch01-good\", \"tools/prelude\"]";
        let shared = "ch01-good = { path = \"chapters-code/ch01-good\" }";
        book.write(
            "Cargo.toml",
            &format!("[workspace]\nresolver = \"3\"\n{members}\nexclude = [\"tools/notebook\"]\n\
                      [workspace.dependencies]\n{shared}\n"),
        );
        let package =
            |name: &str| format!("[package]\nname = \"{name}\"\nedition = \"2024\"\n");
        let own = package("ch01-good") + "[lib]\nname = \"good\"\n";
        book.write("chapters-code/ch01-good/Cargo.toml", &own);
        book.returns("1");
        let prelude = "[dependencies]\nch01-good.workspace = true\n";
        book.write("tools/prelude/Cargo.toml", &(package("book-prelude") + prelude));
        book.write("tools/prelude/src/lib.rs", "pub use good;\n");
        let view = package("ch01-good")
            + "[lib]\nname = \"good\"\npath = \"../../../../chapters-code/ch01-good/src/lib.rs\"\n";
        book.write("tools/notebook/view/ch01-good/Cargo.toml", &view);
        let view = package("book-prelude")
            + "[lib]\npath = \"../../../prelude/src/lib.rs\"\n[features]\ncandle = []\n\
               [dependencies]\nch01-good = { path = \"../ch01-good\" }\n";
        book.write("tools/notebook/view/book-prelude/Cargo.toml", &view);
        for file in ["Cargo.toml", "build.rs", "library.rs", "src/lib.rs"] {
            let path = format!("tools/notebook/{file}");
            let text = std::fs::read_to_string(book_tests::root().join(&path)).unwrap();
            book.write(&path, &text);
        }
        std::fs::create_dir(book.0.path().join("notebooks")).unwrap();
        book
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Edits the crate.
    fn returns(&self, body: &str) {
        let text = format!("pub fn one() -> i32 {{ {body} }}\n");
        self.write("chapters-code/ch01-good/src/lib.rs", &text);
    }

    async fn kernel(&self) -> Kernel {
        Kernel::start(&self.0.path().join("notebooks")).await.unwrap()
    }
}

/// Runs a notebook's first cell.
async fn set_up(kernel: &mut Kernel, candle: bool, crates: &str) {
    let answer = kernel.run(&notebook::setup("..", candle, crates)).await.unwrap();
    assert!(answer.error.is_none(), "{answer:?}");
}

/// What a cell prints.
async fn prints(kernel: &mut Kernel, code: &str) -> String {
    let answer = kernel.run(code).await.unwrap();
    match (&answer.error, answer.outputs.as_slice()) {
        (None, []) => String::new(),
        (None, [Output::Stream { text, .. }]) => text.0.clone(),
        _ => panic!("{answer:?}"),
    }
}

/// Two kernels that start at once compile once, and an edit of the crate counts from the next
/// cell on, in both.
#[tokio::test]
async fn kernels_share_what_they_compile_and_see_an_edit() {
    let book = Book::new();
    let (mut one, mut two) = tokio::join!(book.kernel(), book.kernel());
    tokio::join!(set_up(&mut one, false, "good"), set_up(&mut two, false, "good"));
    let cell = "println!(\"{}\", good::one());";
    assert_eq!(prints(&mut one, "let kept: i32 = good::one();").await, "");
    assert_eq!(prints(&mut two, cell).await, "1\n");

    book.returns("2");
    let cell_of_one = "println!(\"{kept} {}\", good::one());";
    let printed = tokio::join!(prints(&mut one, cell_of_one), prints(&mut two, cell));
    assert_eq!(printed, ("1 2\n".to_owned(), "2\n".to_owned()));

    book.returns("\"three\"");
    let answer = one.run(cell_of_one).await.unwrap();
    let error = answer.error.unwrap();
    assert!(
        error.contains("mismatched types") && error.contains("ch01-good"),
        "{error}"
    );
    book.returns("3");
    assert_eq!(prints(&mut one, cell_of_one).await, "1 3\n");

    // Edits don't fill the disk.
    for number in 4..9 {
        book.returns(&number.to_string());
        assert_eq!(prints(&mut two, cell).await, format!("{number}\n"));
    }
    let versions = book.0.path().join("target/notebook/ndarray/versions");
    assert_eq!(std::fs::read_dir(versions).unwrap().count(), 4);
    // The other kernel's is gone by now.
    assert_eq!(prints(&mut one, cell_of_one).await, "1 8\n");
}

/// The crate's build script waits, and so the kernel dies while it compiles.
#[cfg(unix)]
#[tokio::test]
async fn a_kernel_that_is_killed_while_it_compiles_leaves_nothing_half_done() {
    let book = Book::new();
    let gate = book.0.path().join("gate");
    let made = std::process::Command::new("mkfifo").arg(&gate).status().unwrap();
    assert!(made.success());
    let wait = format!("fn main() {{ std::fs::read({gate:?}).unwrap(); }}\n");
    book.write("chapters-code/ch01-good/build.rs", &wait);
    let mut kernel = book.kernel().await;
    let compiling =
        tokio::spawn(async move { set_up(&mut kernel, false, "good").await });
    let opened = gate.clone();
    // Opens when the build script reads.
    let open =
        tokio::task::spawn_blocking(move || std::fs::File::create(opened).unwrap());
    let open = open.await.unwrap();
    compiling.abort(); // drops the kernel, which kills it
    assert!(compiling.await.unwrap_err().is_cancelled());
    std::fs::remove_file(&gate).unwrap();
    std::fs::write(&gate, "").unwrap();
    drop(open);

    let mut kernel = book.kernel().await;
    set_up(&mut kernel, false, "good").await;
    assert_eq!(prints(&mut kernel, "println!(\"{}\", good::one());").await, "1\n");
}

/// A disk that fills up while the crates are compiled: the setup cell says so, and works once
/// there is space.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_is_told_and_forgotten() {
    let book = Book::new();
    let script =
        "fn main() -> std::io::Result<()> { std::fs::write(\"FILE\", \"1\") }\n";
    book.write(
        "chapters-code/ch01-good/build.rs",
        &script.replace("FILE", "/dev/full"),
    );
    let mut kernel = book.kernel().await;
    let setup = notebook::setup("..", false, "good");
    let error =
        kernel.run(&setup).await.unwrap().error.expect("no space for the script");
    assert!(error.contains("No space left on device"), "{error}");
    assert!(error.contains("the book's crates do not compile"), "{error}");

    book.write(
        "chapters-code/ch01-good/build.rs",
        &script.replace("FILE", "/dev/null"),
    );
    set_up(&mut kernel, false, "good").await;
    assert_eq!(prints(&mut kernel, "println!(\"{}\", good::one());").await, "1\n");
}

/// A process has one copy of candle: what one cell builds, another trains.
#[tokio::test]
async fn a_training_may_go_on_in_another_cell() {
    let mut kernel =
        Kernel::start(&book_tests::root().join("notebooks")).await.unwrap();
    set_up(&mut kernel, true, "candle_core").await;
    for (code, printed) in [
        ("use candle_core::{Device, Tensor, Var};", ""),
        ("let x: Var = Var::new(&[3f32], &Device::Cpu)?;", ""),
        ("let y: Tensor = x.sqr()?;", ""),
        ("let z: Tensor = (y.sqr()? + x.as_tensor())?;", ""),
        // d(x⁴ + x)/dx at 3
        (
            "println!(\"{:?}\", z.backward()?.get(&x).unwrap().to_vec1::<f32>()?);",
            "[109.0]\n",
        ),
    ] {
        assert_eq!(prints(&mut kernel, code).await, printed, "{code}");
    }
}

/// Once the library is there, so are links to the sources of the crates of others: evcxr finds
/// the types of kept values out.
#[cfg(unix)]
#[tokio::test]
async fn a_kept_value_needs_no_type_from_the_second_kernel_on() {
    let notebooks = book_tests::root().join("notebooks");
    let mut first = Kernel::start(&notebooks).await.unwrap();
    set_up(&mut first, true, "candle_core").await;
    let mut second = Kernel::start(&notebooks).await.unwrap();
    set_up(&mut second, true, "candle_core, ndarray, self_attention").await;
    for (code, printed) in [
        ("let x = candle_core::Tensor::new(3f32, &candle_core::Device::Cpu)?;", ""),
        ("let y = x.sqr()?;", ""),
        ("let scores = ndarray::array![[1.0, 1.0]];", ""),
        ("let weights = self_attention::softmax(&scores);", ""),
        ("println!(\"{} {weights}\", y.to_scalar::<f32>()?);", "9 [[0.5, 0.5]]\n"),
    ] {
        assert_eq!(prints(&mut second, code).await, printed, "{code}");
    }
}
