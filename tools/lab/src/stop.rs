//! The wish to stop: Ctrl+C, or another program's signal to end.

use anyhow::{Context, Result};

/// Hears the wish to stop from its making on.
#[cfg(unix)]
pub struct Stop([tokio::signal::unix::Signal; 3]);

#[cfg(unix)]
impl Stop {
    /// Begins to listen: from here on these signals no longer end the program themselves.
    ///
    /// # Errors
    ///
    /// If the system refuses.
    pub fn listen() -> Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let hear = |kind| signal(kind).context("cannot listen for Ctrl+C");
        Ok(Self([
            hear(SignalKind::interrupt())?,
            hear(SignalKind::terminate())?,
            hear(SignalKind::hangup())?,
        ]))
    }

    /// Waits for the wish.
    pub async fn asked(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

/// Hears the wish to stop.
#[cfg(windows)]
pub struct Stop(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Stop {
    /// Begins to listen: from here on Ctrl+C no longer ends the program itself.
    ///
    /// # Errors
    ///
    /// If the system refuses.
    pub fn listen() -> Result<Self> {
        Ok(Self(tokio::signal::windows::ctrl_c().context("cannot listen for Ctrl+C")?))
    }

    /// Waits for the wish.
    pub async fn asked(&mut self) {
        self.0.recv().await;
    }
}
