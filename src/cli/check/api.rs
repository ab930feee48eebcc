//! Checks each account's API: the credentials, and each endpoint in use.

use super::super::endpoints::{EndpointStatus, IN_USE, status_of};
use super::super::output::{ago, counted};
use super::super::state::State;
use super::report::Report;
use crate::app::build_upstream;
use crate::clock::Clock;
use crate::config::Settings;
use crate::domain::{Catalog, Timestamp};
use crate::store::{AccountRecord, EndpointRecord, StoreError};
use crate::upstream::{Credentials, Endpoint, ErrorKind, Item, Page, Upstream, UpstreamError};
use std::time::Duration;

/// What is said of endpoints that were not called because another failed.
const SKIPPED: &str = "skipped after the failure above";
/// What to do when no request can be made now.
const CHECK_AGAIN: &str = "run `review-bridge check` again then";
/// The longest wait for the request budget.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long before a token expires `check` warns.
const TOKEN_WARNING: Duration = Duration::from_secs(7 * 86_400);
/// The endpoints that list names, in the order they are called.
const NAMES: [Endpoint; 3] = [Endpoint::Sources, Endpoint::Websites, Endpoint::Platforms];

/// The results for an account, and its names.
pub(super) type Checked = (Report, Option<Catalog>);

/// An account that was not checked, and why.
pub(super) fn skipped(name: &str, why: &str) -> Checked {
    let mut report = Report::default();
    report.unverified(&format!("account {name}"), why, "");
    (report, None)
}

/// An account according to the database.
pub(super) async fn from_database(settings: &Settings, name: &str, state: &State) -> Checked {
    let (mut report, _) = skipped(name, "API skipped (--offline)");
    let own = settings.accounts.get(name);
    match recall(name, state).await {
        Ok((record, seen)) => {
            for endpoint in IN_USE {
                let known = status_of(endpoint, own, &record, &seen);
                if known != EndpointStatus::Unverified || endpoint == Endpoint::MarkReviewRead {
                    endpoint_row(&mut report, name, endpoint, known);
                }
            }
        }
        Err(error) => report.failed(&format!("account {name}"), &error.to_string(), ""),
    }
    (report, None)
}

async fn recall(name: &str, state: &State) -> Result<(AccountRecord, Vec<EndpointRecord>), StoreError> {
    Ok((state.store.account(name).await?, state.store.endpoints(name).await?))
}

/// Calls the API of an account: the first page of the unread list, and all names.
pub(super) async fn check(settings: &Settings, name: &str, state: &State) -> Checked {
    let mut report = Report::default();
    let upstream = match build_upstream(settings, name, &state.store, &state.store, &Clock::System) {
        Ok((upstream, _)) => upstream,
        Err(error) => {
            report.failed(&format!("account {name}"), &error.to_string(), "");
            return (report, None);
        }
    };
    let login = settings
        .accounts
        .get(name)
        .is_some_and(|own| matches!(own.upstream.credentials, Credentials::Login { .. }));
    let credentials = format!("account {name}: {}", if login { "login" } else { "token" });
    let first = patiently(|| upstream.unread_page(None)).await;
    let catalog = match first {
        Ok(page) => {
            token_row(&mut report, &credentials, upstream.as_ref());
            listing_row(&mut report, name, &page);
            names(&mut report, name, upstream.as_ref()).await
        }
        Err(error) => {
            let goes_on = first_failed(&mut report, name, &credentials, &error);
            if goes_on {
                names(&mut report, name, upstream.as_ref()).await
            } else {
                for endpoint in NAMES {
                    report.unverified(&what(name, endpoint), SKIPPED, "");
                }
                None
            }
        }
    };
    match recall(name, state).await {
        Ok((record, seen)) => {
            let known = status_of(Endpoint::MarkReviewRead, settings.accounts.get(name), &record, &seen);
            endpoint_row(&mut report, name, Endpoint::MarkReviewRead, known);
        }
        Err(error) => report.failed(&what(name, Endpoint::MarkReviewRead), &error.to_string(), ""),
    }
    (report, catalog)
}

/// Calls again if the request budget is free, or the rate limit over, soon.
async fn patiently<T, F: Future<Output = Result<T, UpstreamError>>>(
    call: impl Fn() -> F,
) -> Result<T, UpstreamError> {
    let result = call().await;
    let Err(ErrorKind::Budget(until) | ErrorKind::RateLimited(until)) =
        result.as_ref().map_err(|e| e.kind.clone())
    else {
        return result;
    };
    let wait = until.since(Clock::System.now());
    if wait > PATIENCE {
        return result;
    }
    tokio::time::sleep(wait).await;
    call().await
}

fn what(name: &str, endpoint: Endpoint) -> String {
    format!("account {name}: {}", endpoint.name())
}

fn token_row(report: &mut Report, credentials: &str, upstream: &dyn Upstream) {
    let now = Clock::System.now();
    match upstream.token_expires_at() {
        Some(at) if at <= now.plus(TOKEN_WARNING) && !credentials.ends_with("login") => {
            let detail = format!("accepted, but expires {}", ago(Some(at), now));
            report.warn(credentials, &detail, "generate a new one in the ShopReviews dashboard");
        }
        Some(at) => report.ok(credentials, &format!("accepted; expires {}", ago(Some(at), now))),
        None => report.ok(credentials, "accepted"),
    }
}

fn listing_row(report: &mut Report, name: &str, page: &Page) {
    let malformed = page.items.iter().filter(|item| matches!(item, Item::Malformed(_))).count();
    let first = counted(page.items.len() as u64, "review", "reviews");
    let in_total = page.total.map(|total| format!(", {total} in total")).unwrap_or_default();
    let detail = format!("{first} on the first page{in_total}");
    match malformed {
        0 => report.ok(&what(name, Endpoint::UnreadReviews), &detail),
        some => report.warn(
            &what(name, Endpoint::UnreadReviews),
            &format!("{detail}; {some} without a usable uuid"),
            "they are kept but never routed; see `review-bridge reviews list --state malformed`",
        ),
    }
}

/// Reports that the unread list could not be read; returns whether calling other endpoints makes sense.
fn first_failed(report: &mut Report, name: &str, credentials: &str, error: &UpstreamError) -> bool {
    let unread = what(name, Endpoint::UnreadReviews);
    match error.kind {
        ErrorKind::Budget(until) | ErrorKind::RateLimited(until) => {
            report.unverified(credentials, "not checked", "");
            report.unverified(&unread, &next_request(&error.kind, until), CHECK_AGAIN);
            false
        }
        ErrorKind::Unauthenticated => {
            let hint = match credentials.ends_with("login") {
                true => format!("correct `accounts.{name}.email` and `accounts.{name}.password`"),
                false => format!(
                    "generate a token in the ShopReviews dashboard (Generate API token) and set it in \
                     `accounts.{name}.token` or the file of `accounts.{name}.token_file`"
                ),
            };
            report.failed(credentials, &error.detail, &hint);
            report.unverified(&unread, "skipped: needs valid credentials", "");
            false
        }
        ErrorKind::Unreachable | ErrorKind::TimedOut => {
            report.unverified(credentials, "not checked", "");
            let hint = format!("check `accounts.{name}.base_url`, and that this machine can connect to it");
            report.failed(&unread, &error.detail, &hint);
            false
        }
        _ => {
            report.unverified(credentials, "unknown: the API failed for another reason", "");
            report.failed(&unread, &error.detail, "");
            true
        }
    }
}

/// Why no request can be made now, and when one can.
fn next_request(kind: &ErrorKind, until: Timestamp) -> String {
    let why = match kind {
        ErrorKind::RateLimited(_) => "rate limited by the API",
        _ => "request budget used up",
    };
    format!("{why}; next request {}", ago(Some(until), Clock::System.now()))
}

/// Loads all names, and reports each endpoint that lists them.
async fn names(report: &mut Report, name: &str, upstream: &dyn Upstream) -> Option<Catalog> {
    match patiently(|| upstream.catalog()).await {
        Ok(catalog) => {
            let counts = [catalog.sources.len(), catalog.websites.len(), catalog.platforms.len()];
            for (endpoint, count) in NAMES.into_iter().zip(counts) {
                report.ok(&what(name, endpoint), &format!("verified; {count} found"));
            }
            Some(catalog)
        }
        Err(error) => {
            let paused = match error.kind {
                ErrorKind::Budget(until) | ErrorKind::RateLimited(until) => Some(until),
                _ => None,
            };
            // They are called in this order: those before the one that failed succeeded.
            let failed = NAMES
                .iter()
                .position(|endpoint| error.detail.starts_with(&format!("{} of `", endpoint.name())));
            for (index, endpoint) in NAMES.into_iter().enumerate() {
                match (paused, failed) {
                    (Some(until), _) => report.unverified(
                        &what(name, endpoint),
                        &next_request(&error.kind, until),
                        CHECK_AGAIN,
                    ),
                    (None, Some(failed)) if index < failed => report.ok(&what(name, endpoint), "verified"),
                    (None, Some(failed)) if index > failed => {
                        report.unverified(&what(name, endpoint), SKIPPED, "");
                    }
                    (None, _) => report.failed(&what(name, endpoint), &error.detail, ""),
                }
            }
            None
        }
    }
}

/// An endpoint according to the database.
fn endpoint_row(report: &mut Report, name: &str, endpoint: Endpoint, status: EndpointStatus) {
    let what = what(name, endpoint);
    match status {
        EndpointStatus::Verified => report.ok(&what, "verified: has worked with this setting"),
        EndpointStatus::Unused => report.ok(&what, "not used (`mark_read = \"never\"`)"),
        EndpointStatus::Failed(error) => {
            let hint = format!("correct `accounts.{name}.endpoints.{}`", endpoint.key());
            report.failed(&what, &error, &hint);
        }
        EndpointStatus::Unverified => report.unverified(
            &what,
            "not used yet; the first review marked read verifies it",
            "nothing to do: if it fails, `status` and an operator notice say so, and no mark is lost",
        ),
    }
}
