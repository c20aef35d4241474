//! The real evcxr kernel: what it prints, and which cell it blames.

use book::kernel::Kernel;
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
