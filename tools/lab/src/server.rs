//! The JupyterLab server: started on loopback, followed until it ends.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{ExitCode, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use book::say;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStderr, Command};
use tokio::time::{Instant, interval, timeout};

use crate::jupyter::JupyterLab;
use crate::step::Step;
use crate::stop::Stop;

/// How long JupyterLab may take to answer.
const STARTUP: Duration = Duration::from_mins(3);

/// How long it may take to end when it is asked to.
const FAREWELL: Duration = Duration::from_secs(15);

/// Makes sure that a port is free on loopback; chooses one for 0.
///
/// # Errors
///
/// If it is taken.
pub fn port(wanted: u16) -> Result<u16> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, wanted));
    let bound = TcpListener::bind(address).and_then(|listener| listener.local_addr());
    let address = bound.with_context(|| {
        format!("cannot serve at {address}: choose another port with --port (0: any free one)")
    })?;
    Ok(address.port())
}

/// Starts JupyterLab on a folder, says where it is, and waits for its end. Its exit code
/// is given.
///
/// # Errors
///
/// If it can't be started, or ends or stays silent before it has answered.
pub async fn run(
    lab: &JupyterLab,
    folder: &Path,
    port: u16,
    open: bool,
    stop: &mut Stop,
) -> Result<ExitCode> {
    let step = Step::begin("JupyterLab")?;
    let token = uuid::Uuid::new_v4().simple().to_string();
    let mut child = command(lab, folder, port, open)
        .env("JUPYTER_TOKEN", &token) // not an argument: those are there for all to see
        .spawn()
        .with_context(|| format!("cannot start {}", lab.program.display()))?;
    let Some(stderr) = child.stderr.take() else {
        bail!("cannot read what JupyterLab says");
    };
    let mut said = BufReader::new(stderr).lines();
    let failure = tokio::select! {
        ready = timeout(STARTUP, answers(port)) => ready.err().map(|_| SILENT.to_owned()),
        () = pass_on(&mut said, |line| step.pass_on(line)) => Some(tokio::select! {
            how = ending(&mut child) => how?,
            () = stop.asked() => return end(&mut child, &mut said).await,
        }),
        () = stop.asked() => {
            return end(&mut child, &mut said).await;
        }
    };
    if let Some(how) = failure {
        bail!(
            "JupyterLab ({}) does not start ({how}): if what it says above does not help, \
             delete target/lab-venv and run this again",
            lab.program.display()
        );
    }
    step.end("JupyterLab answers")?;
    say(&format!(
        "JupyterLab is at http://127.0.0.1:{port}/lab?token={token}; Ctrl+C stops it"
    ))?;
    tokio::select! {
        () = pass_on(&mut said, |line| eprintln!("{line}")) => {
            Ok(code(child.wait().await?))
        }
        () = stop.asked() => end(&mut child, &mut said).await,
    }
}

/// What is said of a server that runs and does not answer.
const SILENT: &str = "no answer";

/// How a server that has closed its standard error ends: a moment later, as a rule.
async fn ending(child: &mut Child) -> Result<String> {
    match timeout(FAREWELL, child.wait()).await {
        Ok(status) => Ok(status?.to_string()),
        Err(_) => Ok(SILENT.to_owned()),
    }
}

fn command(lab: &JupyterLab, folder: &Path, port: u16, open: bool) -> Command {
    let mut command = Command::new(&lab.program);
    command
        .args(["--ServerApp.ip=127.0.0.1", "--ServerApp.port_retries=0"])
        .arg(format!("--ServerApp.port={port}"))
        .args(["--ServerApp.base_url=/", "--log-level=WARN"])
        // Nothing leaves the machine unasked: no news, no search for updates.
        .arg("--LabApp.news_url=None")
        .arg("--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate")
        .arg(format!("--ServerApp.root_dir={}", folder.display()))
        .current_dir(folder)
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    if !open {
        command.arg("--no-browser");
    }
    #[cfg(unix)]
    {
        // Ctrl+C is for us to hear; Jupyter would ask whether it is meant.
        command.process_group(0);
        if rustix::process::geteuid().is_root() {
            command.arg("--allow-root"); // it refuses otherwise, in a container, too
        }
    }
    command
}

/// Waits until the server answers with its version.
async fn answers(port: u16) {
    let mut tick = interval(Duration::from_millis(100));
    loop {
        tick.tick().await;
        if matches!(timeout(Duration::from_secs(2), ask(port)).await, Ok(Ok(true))) {
            return;
        }
    }
}

async fn ask(port: u16) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    let request = "GET /api HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer.starts_with("HTTP/1.1 200"))
}

/// Passes on each line until the server closes its standard error, by which it ends.
async fn pass_on(said: &mut Lines<BufReader<ChildStderr>>, write: impl Fn(&str)) {
    while let Ok(Some(line)) = said.next_line().await {
        write(&line);
    }
}

/// Asks the server to end its kernels and itself; insists if it does not.
async fn end(
    child: &mut Child,
    said: &mut Lines<BufReader<ChildStderr>>,
) -> Result<ExitCode> {
    let asked = Instant::now();
    #[cfg(unix)]
    if let Some(id) =
        child.id().and_then(|id| rustix::process::Pid::from_raw(id.cast_signed()))
    {
        let _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
    }
    let farewell = async {
        pass_on(said, |line| eprintln!("{line}")).await;
        child.wait().await
    };
    let Ok(status) = timeout(FAREWELL, farewell).await else {
        child.kill().await?;
        bail!("JupyterLab did not end within {FAREWELL:?} and was killed");
    };
    say(&format!("JupyterLab is stopped ({:.1} s)", asked.elapsed().as_secs_f64()))?;
    let status = status?;
    // Ended by our signal, without a code of its own: that is what was asked.
    Ok(if status.code().is_some() { code(status) } else { ExitCode::SUCCESS })
}

/// The exit code to pass on; 1 for an end by a signal.
fn code(status: ExitStatus) -> ExitCode {
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    ExitCode::from(code.unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_refused_and_0_gives_a_free_one() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let number = taken.local_addr().unwrap().port();
        let error = format!("{:#}", port(number).unwrap_err());
        assert!(
            error.contains(&number.to_string()) && error.contains("--port"),
            "{error}"
        );
        assert_ne!(port(0).unwrap(), 0);
    }
}
