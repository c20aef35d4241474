//! The loop: a round for each save.

use std::convert::Infallible;

use anyhow::Result;

/// Runs a round for each change. What changes during a round gives that round up and begins
/// another: a verdict is never of what is no longer there.
///
/// # Errors
///
/// When `changed` or a round fails; it ends in no other way.
pub async fn rounds(
    mut changed: impl AsyncFnMut() -> Result<()>,
    mut round: impl AsyncFnMut() -> Result<()>,
) -> Result<Infallible> {
    loop {
        changed().await?;
        loop {
            tokio::select! {
                done = round() => {
                    done?;
                    break;
                }
                change = changed() => change?,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;
    use tokio::sync::mpsc;

    use super::*;

    /// Changes come from a channel; each round says that it began and waits to be told to end.
    #[tokio::test]
    async fn a_round_is_run_for_each_change_and_given_up_for_a_newer_one() {
        let (change, mut changes) = mpsc::unbounded_channel::<()>();
        let (tell, mut told) = mpsc::unbounded_channel::<(&str, usize)>();
        let (end, mut ends) = mpsc::unbounded_channel::<()>();
        let mut count = 0;
        let watched = rounds(
            async || changes.recv().await.context("no more changes"),
            async || {
                count += 1;
                let number = count;
                tell.send(("began", number))?;
                ends.recv().await.context("no more ends")?;
                tell.send(("ended", number))?;
                Ok(())
            },
        );
        let reader = async move {
            change.send(()).unwrap();
            assert_eq!(told.recv().await, Some(("began", 1)), "a change, a round");
            change.send(()).unwrap(); // while the first has not ended
            assert_eq!(
                told.recv().await,
                Some(("began", 2)),
                "and no verdict of the first"
            );
            for number in [2, 3] {
                end.send(()).unwrap();
                assert_eq!(told.recv().await, Some(("ended", number)));
                change.send(()).unwrap();
                assert_eq!(told.recv().await, Some(("began", number + 1)));
            }
        };
        let (ended, ()) = tokio::join!(watched, reader);
        let error = ended.unwrap_err().to_string();
        assert!(error.starts_with("no more"), "{error}");
    }
}
