//! Runs code through the real evcxr kernel, over the Jupyter protocol.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use jupyter_protocol::{
    ConnectionInfo, ExecuteRequest, ExecutionState, JupyterMessage,
    JupyterMessageContent, KernelInfoRequest, Stdio as StreamName, Transport,
};
use nbformat::v4::{DisplayData, ErrorOutput, ExecuteResult, MultilineString, Output};
use runtimelib::{ClientIoPubConnection, ClientShellConnection};
use tokio::process::{Child, Command};
use tokio::time::error::Elapsed;
use tokio::time::timeout;

use crate::notebook::tidy;
use crate::programs;

/// The release of `evcxr_jupyter` that the notebooks are made with.
pub const EVCXR_VERSION: &str = "0.22.0";

/// How long the kernel may take to come up.
const STARTUP: Duration = Duration::from_mins(1);

/// How long one cell may take (the first one compiles every crate).
const CELL: Duration = Duration::from_mins(20);

/// How long the kernel must be quiet after a cell for the next one to begin.
const QUIET: Duration = Duration::from_millis(250);

/// A running kernel. It dies with this value.
pub struct Kernel {
    child: Child,
    iopub: ClientIoPubConnection,
    shell: ClientShellConnection,
    /// What cells wrote to standard error: the request's id and the text. It comes by a
    /// way of its own, and may arrive when the next cell is already running.
    stderr: Vec<(String, String)>,
    version: String,
    _connection_file: tempfile::NamedTempFile,
    /// What the kernel compiles is deleted with it: killed, it can't do that itself.
    _scratch: tempfile::TempDir,
}

/// What one cell gave.
#[derive(Debug)]
pub struct Answer {
    /// Names the request.
    pub id: String,
    /// Standard output and figures, in order.
    pub outputs: Vec<Output>,
    /// A compile error or a panic, in the kernel's own words. What a failed `?` says is
    /// in [`Kernel::stderr_of`], once the kernel has settled.
    pub error: Option<String>,
    /// From the request to the kernel's being idle again.
    pub took: Duration,
}

impl Kernel {
    /// Starts the installed kernel in `folder`, from which its `:dep` paths are
    /// resolved.
    ///
    /// # Errors
    ///
    /// If evcxr is not installed (the message has the command that installs it) or does
    /// not answer.
    pub async fn start(folder: &Path) -> Result<Self> {
        Self::start_program(&find_evcxr()?, folder).await
    }

    /// Starts the kernel that is this program; otherwise as [`Kernel::start`].
    ///
    /// # Errors
    ///
    /// If it can't be started, ends at once, or does not answer.
    pub async fn start_program(program: &Path, folder: &Path) -> Result<Self> {
        let (connection, file) = connection().await?;
        let scratch =
            tempfile::tempdir().context("cannot make the kernel's temporary folder")?;
        let mut child = Command::new(program)
            .arg("--control_file")
            .arg(file.path())
            .env("EVCXR_TMPDIR", scratch.path())
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let (iopub, shell) = tokio::select! {
            connected = timeout(STARTUP, connect(&connection)) => connected.map_err(late)??,
            status = child.wait() => {
                bail!("{} ended at once: {}", program.display(), status?)
            }
        };
        let mut kernel = Self {
            child,
            iopub,
            shell,
            stderr: Vec::new(),
            version: String::new(),
            _connection_file: file,
            _scratch: scratch,
        };
        timeout(STARTUP, kernel.wait_until_heard()).await.map_err(late)??;
        Ok(kernel)
    }

    /// The release of `evcxr_jupyter`, by its own account.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Asks for the kernel's information until its answer is seen on both channels:
    /// only then does the subscription to its output stand.
    async fn wait_until_heard(&mut self) -> Result<()> {
        loop {
            let request = JupyterMessage::from(KernelInfoRequest {});
            self.shell.send(request).await?;
            if let JupyterMessageContent::KernelInfoReply(reply) =
                self.shell.read().await?.content
            {
                self.version = reply.implementation_version;
            }
            let heard = timeout(Duration::from_millis(500), self.iopub.read()).await;
            if matches!(heard, Ok(Ok(_))) {
                return Ok(());
            }
        }
    }

    /// Runs one cell.
    ///
    /// # Errors
    ///
    /// If the kernel dies or runs out of time. An error in the code is an [`Answer`].
    pub async fn run(&mut self, code: &str) -> Result<Answer> {
        let start = Instant::now();
        let request = JupyterMessage::from(ExecuteRequest::new(code.to_owned()));
        let id = request.header.msg_id.clone();
        self.shell.send(request).await?;
        let mut answer =
            Answer { id, outputs: Vec::new(), error: None, took: Duration::ZERO };
        let everything = async {
            loop {
                let message = self.iopub.read().await?;
                let parent = parent(&message);
                if let Some(text) = stderr(&message.content) {
                    self.stderr.push((parent, text));
                } else if parent == answer.id && answer.take(message.content) {
                    return anyhow::Ok(());
                }
            }
        };
        tokio::select! {
            done = timeout(CELL, everything) => {
                done.map_err(|_| anyhow!("the cell ran for {CELL:?} without an end"))??;
            }
            status = self.child.wait() => bail!("the evcxr kernel died: {}", status?),
        }
        self.listen_on(&mut answer).await?;
        answer.outputs = tidy(answer.outputs);
        answer.took = start.elapsed();
        Ok(answer)
    }

    /// Listens until the kernel has been quiet for [`QUIET`]. It passes standard error on
    /// as that of its newest request: what comes late must not find another one there. A
    /// last line of standard output may come late, too.
    async fn listen_on(&mut self, answer: &mut Answer) -> Result<()> {
        while let Ok(message) = timeout(QUIET, self.iopub.read()).await {
            let message = message?;
            let parent = parent(&message);
            if let Some(text) = stderr(&message.content) {
                self.stderr.push((parent, text));
            } else if parent == answer.id {
                answer.take(message.content);
            }
        }
        Ok(())
    }

    /// Waits until all that the cells wrote to standard error has arrived: writes a mark
    /// behind it, and waits for the mark.
    ///
    /// # Errors
    ///
    /// If the kernel dies, or the mark does not come.
    pub async fn settle(&mut self) -> Result<()> {
        let mark = uuid::Uuid::new_v4().to_string();
        self.run(&format!("eprintln!(\"{mark}\");")).await?;
        let arrives = async {
            while !self.stderr.iter().any(|(_, text)| text.contains(&mark)) {
                let message = self.iopub.read().await?;
                if let Some(text) = stderr(&message.content) {
                    self.stderr.push((parent(&message), text));
                }
            }
            anyhow::Ok(())
        };
        timeout(STARTUP, arrives).await.map_err(late)??;
        self.stderr.retain(|(_, text)| !text.contains(&mark));
        Ok(())
    }

    /// What a request wrote to standard error, if anything; complete after
    /// [`Kernel::settle`].
    pub fn stderr_of(&self, id: &str) -> Option<String> {
        let lines = self.stderr.iter().filter(|(request, _)| request == id);
        let text: String = lines.map(|(_, text)| text.as_str()).collect();
        (!text.is_empty()).then_some(text)
    }
}

/// The id of the request that a message answers.
fn parent(message: &JupyterMessage) -> String {
    let header = message.parent_header.as_ref();
    header.map(|header| header.msg_id.clone()).unwrap_or_default()
}

/// The text of a message, if it is standard error.
fn stderr(content: &JupyterMessageContent) -> Option<String> {
    match content {
        JupyterMessageContent::StreamContent(stream) => {
            matches!(stream.name, StreamName::Stderr).then(|| stream.text.clone())
        }
        _ => None,
    }
}

impl Answer {
    /// Takes one message in; true when the kernel is done with the cell.
    fn take(&mut self, content: JupyterMessageContent) -> bool {
        match content {
            JupyterMessageContent::StreamContent(stream) => {
                self.outputs.push(Output::Stream {
                    name: "stdout".into(),
                    text: MultilineString(stream.text),
                });
            }
            JupyterMessageContent::DisplayData(display) => {
                self.outputs.push(Output::DisplayData(DisplayData {
                    data: display.data,
                    metadata: display.metadata,
                }));
            }
            JupyterMessageContent::ExecuteResult(result) => {
                self.outputs.push(Output::ExecuteResult(ExecuteResult {
                    execution_count: result.execution_count,
                    data: result.data,
                    metadata: result.metadata,
                }));
            }
            JupyterMessageContent::ErrorOutput(error) => {
                let text = if error.traceback.is_empty() {
                    error.evalue.clone()
                } else {
                    error.traceback.join("\n")
                };
                self.add_error(&text);
                self.outputs.push(Output::Error(ErrorOutput {
                    ename: error.ename,
                    evalue: error.evalue,
                    traceback: error.traceback,
                }));
            }
            JupyterMessageContent::Status(status) => {
                return status.execution_state == ExecutionState::Idle;
            }
            _ => {}
        }
        false
    }

    fn add_error(&mut self, text: &str) {
        let all = self.error.get_or_insert_default();
        all.push_str(text);
        if !all.ends_with('\n') {
            all.push('\n');
        }
    }
}

fn late(_: Elapsed) -> anyhow::Error {
    anyhow!("the evcxr kernel did not answer within {STARTUP:?}")
}

/// Connects to a kernel that is coming up; waits until its sockets are there.
async fn connect(
    to: &ConnectionInfo,
) -> Result<(ClientIoPubConnection, ClientShellConnection)> {
    let session = uuid::Uuid::new_v4().to_string();
    let identity = runtimelib::peer_identity_for_session(&session)?;
    let iopub = runtimelib::create_client_iopub_connection(to, "", &session).await?;
    let shell = runtimelib::create_client_shell_connection_with_identity(
        to, &session, identity,
    )
    .await?;
    Ok((iopub, shell))
}

/// The kernel's program: where `cargo install` puts it (and `cargo book lab` our release,
/// whatever else is installed), or on the `PATH`.
///
/// # Errors
///
/// If there is none; the message has the command that installs it.
pub fn find_evcxr() -> Result<PathBuf> {
    let by_cargo = programs::cargo_bin()
        .map(|folder| programs::program_in(&folder, "evcxr_jupyter"))
        .filter(|file| file.is_file());
    by_cargo.or_else(|| programs::on_path("evcxr_jupyter").into_iter().next()).with_context(|| {
        format!(
            "the Rust kernel for Jupyter is not installed: `cargo book lab` installs it, and so does\n\n    \
             cargo install --locked evcxr_jupyter@{EVCXR_VERSION} && evcxr_jupyter --install\n\n\
             (about ten minutes)"
        )
    })
}

/// A connection on free loopback ports, with a key of its own, and the file that tells
/// the kernel.
async fn connection() -> Result<(ConnectionInfo, tempfile::NamedTempFile)> {
    let ports = runtimelib::peek_ports([127, 0, 0, 1].into(), 5).await?;
    let connection = ConnectionInfo {
        ip: "127.0.0.1".into(),
        transport: Transport::TCP,
        shell_port: ports[0],
        iopub_port: ports[1],
        stdin_port: ports[2],
        control_port: ports[3],
        hb_port: ports[4],
        key: uuid::Uuid::new_v4().to_string(),
        signature_scheme: "hmac-sha256".into(),
        kernel_name: Some("rust".into()),
    };
    let file = tempfile::Builder::new()
        .prefix("kernel-")
        .suffix(".json")
        .tempfile()
        .context("cannot make the kernel's connection file")?;
    serde_json::to_writer(&file, &connection)?;
    Ok((connection, file))
}
