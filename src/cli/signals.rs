//! The signals that stop a long-running command, and the one that reloads the configuration.

use super::CliError;
use std::sync::Arc;
use tokio::sync::Notify;

/// Ends at SIGTERM or SIGINT. Listens from the call on, so that a signal during a start is not lost.
#[cfg(unix)]
pub(super) fn stop() -> Result<impl Future<Output = ()>, CliError> {
    use tokio::signal::unix::SignalKind;
    let mut terminate = listen(SignalKind::terminate())?;
    let mut interrupt = listen(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Like [`stop`]; until then each SIGHUP notifies `reload`.
#[cfg(unix)]
pub(super) fn stop_or_reload(reload: Arc<Notify>) -> Result<impl Future<Output = ()>, CliError> {
    let mut hangup = listen(tokio::signal::unix::SignalKind::hangup())?;
    let stop = stop()?;
    Ok(async move {
        tokio::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => break,
                Some(()) = hangup.recv() => reload.notify_one(),
            }
        }
    })
}

#[cfg(unix)]
fn listen(kind: tokio::signal::unix::SignalKind) -> Result<tokio::signal::unix::Signal, CliError> {
    tokio::signal::unix::signal(kind)
        .map_err(|error| CliError::Failed(format!("cannot listen for signals: {error}")))
}

/// Ends at an interrupt.
#[cfg(not(unix))]
pub(super) fn stop() -> Result<impl Future<Output = ()>, CliError> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}

/// Like [`stop`]; there is no reload signal.
#[cfg(not(unix))]
pub(super) fn stop_or_reload(_reload: Arc<Notify>) -> Result<impl Future<Output = ()>, CliError> {
    stop()
}
