//! What both benches of this appendix say of the machine, and where they leave what they
//! measured.

use std::error::Error;
use std::fs;
use std::path::PathBuf;

/// The processor's name, where Linux tells it, or else its architecture; and the vector
/// instructions that ndarray's products use on it.
pub fn machine() -> String {
    let file = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = file.lines().find_map(|line| line.strip_prefix("model name"));
    let name = name.map(|name| name.trim_start_matches([' ', '\t', ':']).to_owned());
    let name = name.unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    format!("{name}, {}", instructions())
}

#[cfg(target_arch = "x86_64")]
fn instructions() -> &'static str {
    if is_x86_feature_detected!("avx512f") {
        "AVX-512"
    } else if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        "AVX2"
    } else {
        "SSE2"
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn instructions() -> &'static str {
    if cfg!(target_arch = "aarch64") { "NEON" } else { "no vectors" }
}

/// Where cargo builds: the folder above this program's `release/deps`.
pub fn target_directory() -> Result<PathBuf, Box<dyn Error>> {
    let program = std::env::current_exe()?;
    let target =
        program.ancestors().nth(3).ok_or("this program is not in a target folder")?;
    Ok(target.to_owned())
}
