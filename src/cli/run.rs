//! `run`: the daemon; `run --once`: one round; `run --once --dry-run`: a preview of it.

use super::output::{self, counted};
use super::{CliError, Context, signals};
use crate::app::{App, AppError, Once, Reload, Waiting};
use crate::clock::Clock;
use crate::config::{Loaded, LogFormat, Reading};
use crate::domain::Timestamp;
use crate::domain::text::one_line;
use crate::store::{DeliveryFilter, DeliveryRow, ReviewFilter};
use crate::telemetry;
use clap::Args;
use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Poll once, send and mark what is due, then exit: 1 if a poll, an attempt or a mark failed
    #[arg(long)]
    once: bool,
    /// With --once: only show what would be sent; nothing is sent, marked or stored
    #[arg(long, requires = "once")]
    dry_run: bool,
}

pub(super) async fn run(context: &Context, arguments: Arguments) -> Result<(), CliError> {
    let loader = context.loader()?;
    let Reading { result, contents } = loader.read();
    let loaded = result?;
    let log = &loaded.settings.log;
    let colour = std::io::stderr().is_terminal() && !crate::config::no_color();
    let level = telemetry::start(&log.level, log.format == LogFormat::Json, colour);
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    tracing::debug!(file = ?loaded.file, "configuration loaded");
    match (arguments.once, arguments.dry_run) {
        (true, true) => dry_run(loaded).await,
        (true, false) => once(loaded).await,
        (false, _) => {
            let reload = Reload {
                read: Box::new(move || loader.read()),
                contents,
                shown: crate::config::show(&loaded),
                requested: Arc::default(),
                set_level: Box::new(move |text| level.set(text)),
            };
            daemon(loaded, reload).await
        }
    }
}

async fn daemon(loaded: Loaded, reload: Reload) -> Result<(), CliError> {
    // Registered before anything starts, so that a signal during the start is not lost.
    let stopped = signals::stop_or_reload(reload.requested.clone())?;
    let stop = async {
        stopped.await;
        tracing::info!("shutting down: waiting up to 8 s for sends in flight");
    };
    let state = loaded.settings.state.path.clone();
    let app = App::build(loaded.settings, Clock::System).await.map_err(with_path(&state))?;
    if let Some(warning) = crate::app::durability_warning(&state) {
        tracing::warn!("{warning}");
    }
    match app.addr() {
        Some(addr) => {
            tracing::info!(health = %format!("http://{addr}/healthz"), "review-bridge {} started", env!("CARGO_PKG_VERSION"))
        }
        None => tracing::info!("review-bridge {} started", env!("CARGO_PKG_VERSION")),
    }
    app.run(stop, Some(reload)).await.map_err(with_path(&state))?;
    tracing::info!("stopped");
    Ok(())
}

async fn once(mut loaded: Loaded) -> Result<(), CliError> {
    loaded.settings.http.listen = None;
    let state = loaded.settings.state.path.clone();
    let mut app = App::build(loaded.settings, Clock::System).await.map_err(with_path(&state))?;
    let once = app.run_once().await.map_err(with_path(&state))?;
    app.close().await;
    summary(&once);
    if once.is_fine() { Ok(()) } else { Err(CliError::Reported) }
}

/// Adds the path of the database to its errors.
fn with_path(state: &Path) -> impl Fn(AppError) -> AppError {
    move |error| match error {
        AppError::Store(error) => AppError::Store(error.of(state)),
        other => other,
    }
}

fn summary(once: &Once) {
    let intake = &once.intake;
    output::line(&format!(
        "{} new, {} edited, {} unmatched, {} remembered, {} held or settling; {} delivered, {}, {}",
        intake.new,
        intake.edited,
        intake.unmatched,
        intake.remembered,
        intake.waiting,
        once.delivered,
        counted(once.failed_attempts, "failed attempt", "failed attempts"),
        waiting(&once.waiting)
    ));
    print_failed_polls(once);
    if once.failed_marks > 0 {
        let reviews = counted(once.failed_marks, "review", "reviews");
        output::line(&format!("marking {reviews} read failed; it will be retried"));
    }
}

/// `50 waiting (praise: connection refused)`.
fn waiting(waiting: &[Waiting]) -> String {
    let total: u64 = waiting.iter().map(|one| one.count).sum();
    let named = |one: &Waiting| match (&one.why, waiting) {
        (why, [_]) => format!("{}: {}", one.destination, why.as_deref().unwrap_or("not due yet")),
        (Some(why), _) => format!("{} for {}: {why}", one.count, one.destination),
        (None, _) => format!("{} for {}: not due yet", one.count, one.destination),
    };
    let reasons: Vec<String> = waiting.iter().map(|one| one_line(&named(one), 200)).collect();
    if reasons.is_empty() { "0 waiting".into() } else { format!("{total} waiting ({})", reasons.join("; ")) }
}

fn print_failed_polls(once: &Once) {
    for (account, error) in &once.failed_polls {
        output::line(&format!("polling account `{account}` failed: {error}"));
    }
}

/// Polls on a temporary copy of the database.
async fn dry_run(loaded: Loaded) -> Result<(), CliError> {
    let started = Clock::System.now();
    let mut dry = App::build_dry(loaded.settings, Clock::System).await?;
    let once = dry.app.poll_only().await?;
    let app = &dry.app;
    let mut rows = created_since(app, started).await?;
    rows.reverse();
    for row in &rows {
        let filter = ReviewFilter {
            account: Some(row.account.clone()),
            uuid: Some(row.uuid.clone()),
            limit: 1,
            ..ReviewFilter::default()
        };
        let found = app.store().list_reviews(&filter).await?;
        let text = found.first().and_then(|found| found.review.as_ref());
        let text = text.and_then(|review| review.text.clone()).unwrap_or_else(|| "(no text)".into());
        output::line(&would_send(row, &text));
    }
    output::line(&format!(
        "would send {} and then mark the reviews read; {} unmatched, {} remembered, {} held or settling",
        counted(rows.len() as u64, "delivery", "deliveries"),
        once.intake.unmatched,
        once.intake.remembered,
        once.intake.waiting
    ));
    print_failed_polls(&once);
    dry.app.close().await;
    if once.is_fine() { Ok(()) } else { Err(CliError::Reported) }
}

/// The deliveries created since then, the newest first, without reading all there are.
async fn created_since(app: &App, since: Timestamp) -> Result<Vec<DeliveryRow>, CliError> {
    let mut limit = 256_u32;
    loop {
        let filter = DeliveryFilter { limit, ..DeliveryFilter::default() };
        let mut rows = app.store().list_deliveries(&filter).await?;
        let whole = rows.len() < limit as usize || rows.last().is_some_and(|row| row.created_at < since);
        if whole {
            rows.retain(|row| row.created_at >= since);
            return Ok(rows);
        }
        limit = limit.saturating_mul(8);
    }
}

fn would_send(row: &DeliveryRow, text: &str) -> String {
    let rules: Vec<&str> = row.rules.iter().map(|hit| hit.rule.as_str()).collect();
    let recipient = if row.recipient.is_empty() { String::new() } else { format!(" ({})", row.recipient) };
    format!(
        "{} -> {}{recipient} (rules: {}): {}",
        one_line(&row.uuid, 60),
        row.destination,
        rules.join(", "),
        one_line(text, 80)
    )
}
