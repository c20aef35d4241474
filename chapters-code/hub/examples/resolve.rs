//! Prints the folder of a model, downloading it if need be, or what the environment says of the
//! Hub: `cargo run --example resolve -- NAME [--offline]`, `cargo run --example resolve --
//! --environment`.

use hub::{HubOptions, Result, resolve};

fn main() -> std::process::ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let options = HubOptions::from_env();
    let found = match arguments.as_slice() {
        [flag] if flag == "--environment" => Ok(environment(&options)),
        [name] => folder(name, &options),
        [name, flag] if flag == "--offline" => {
            folder(name, &HubOptions { offline: true, ..options })
        }
        _ => {
            eprintln!("usage: resolve NAME [--offline] | resolve --environment");
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

/// The cache, the address, whether offline, the token, a line each.
fn environment(options: &HubOptions) -> String {
    let HubOptions { endpoint, cache, token, offline, .. } = options;
    let token = token.as_deref().unwrap_or_default();
    format!("{}\n{endpoint}\n{offline}\n{token}", cache.display())
}
