//! The signals that end a command which runs until it is told to stop.

use super::CliError;

/// Ends at SIGTERM or SIGINT. Listens from the call on, so that a signal during a start is not lost.
#[cfg(unix)]
pub(super) fn stop() -> Result<impl Future<Output = ()>, CliError> {
    use tokio::signal::unix::{SignalKind, signal};
    let failed = |error: std::io::Error| CliError::Failed(format!("cannot listen for signals: {error}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    // A reload is not in this version; without this, SIGHUP would end the process.
    let mut reload = signal(SignalKind::hangup()).map_err(failed)?;
    Ok(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
                _ = reload.recv() => tracing::warn!("reload on SIGHUP is not in this version: restart to apply changes"),
            }
        }
    })
}

/// Ends at an interrupt.
#[cfg(not(unix))]
pub(super) fn stop() -> Result<impl Future<Output = ()>, CliError> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
