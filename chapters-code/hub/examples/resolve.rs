//! Prints the folder of a model, downloading it if need be:
//! `cargo run -p hub --example resolve -- NAME [--offline]`.

use hub::{HubOptions, Result, resolve};

fn main() -> std::process::ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let found = match arguments.as_slice() {
        [name] => folder(name, &HubOptions::from_env()),
        [name, flag] if flag == "--offline" => {
            folder(name, &HubOptions { offline: true, ..HubOptions::from_env() })
        }
        _ => {
            eprintln!("usage: resolve NAME [--offline]");
            return 2.into();
        }
    };
    match found {
        Ok(path) => println!("{path}"),
        Err(error) => {
            eprintln!("error: {error}");
            return 1.into();
        }
    }
    0.into()
}

fn folder(name: &str, options: &HubOptions) -> Result<String> {
    Ok(resolve(name, options)?.path.display().to_string())
}
