//! What each account's API answers: the token, and each endpoint in use.

use super::super::endpoints::{IN_USE, Standing, standing};
use super::super::output::{ago, ahead, counted};
use super::super::state::State;
use super::report::Report;
use crate::app::build_upstream;
use crate::clock::{Clock, rfc3339};
use crate::config::Settings;
use crate::domain::{Catalog, Timestamp};
use crate::store::{AccountRecord, EndpointRecord};
use crate::upstream::{Credentials, Endpoint, ErrorKind, Item, Page, Upstream, UpstreamError};
use std::time::Duration;

/// The longest wait for the request budget.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long ahead the end of a token is told.
const TOKEN_WARNING: Duration = Duration::from_secs(7 * 86_400);
/// The endpoints that give names, in the order they are asked.
const NAMES: [Endpoint; 3] = [Endpoint::Sources, Endpoint::Websites, Endpoint::Platforms];

/// What was found of an account, and its names.
pub(super) type Asked = (Report, Option<Catalog>);

/// An account that was not asked, for a reason.
pub(super) fn not_asked(name: &str, why: &str) -> Asked {
    let mut report = Report::default();
    report.unverified(&format!("account {name}"), &format!("the API was not asked: {why}"), "");
    (report, None)
}

/// An account as the state remembers it.
pub(super) async fn remembered(settings: &Settings, name: &str, state: &State) -> Asked {
    let (mut report, _) = not_asked(name, "--offline");
    let own = settings.accounts.get(name);
    match recall(name, state).await {
        Ok((record, seen)) => {
            for endpoint in IN_USE {
                let known = standing(endpoint, own, &record, &seen);
                if known != Standing::Unverified || endpoint == Endpoint::MarkReviewRead {
                    endpoint_row(&mut report, name, endpoint, known);
                }
            }
        }
        Err(why) => report.failed(&format!("account {name}"), &why, ""),
    }
    (report, None)
}

async fn recall(name: &str, state: &State) -> Result<(AccountRecord, Vec<EndpointRecord>), String> {
    let record = state.store.account(name).await.map_err(|error| error.to_string())?;
    let seen = state.store.endpoints(name).await.map_err(|error| error.to_string())?;
    Ok((record, seen))
}

/// Asks the API of an account: the first page of the unread list, and all names.
pub(super) async fn ask(settings: &Settings, name: &str, state: &State) -> Asked {
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
                    report.unverified(&what(name, endpoint), "was not asked after that", "");
                }
                None
            }
        }
    };
    match recall(name, state).await {
        Ok((record, seen)) => {
            let known = standing(Endpoint::MarkReviewRead, settings.accounts.get(name), &record, &seen);
            endpoint_row(&mut report, name, Endpoint::MarkReviewRead, known);
        }
        Err(why) => report.failed(&what(name, Endpoint::MarkReviewRead), &why, ""),
    }
    (report, catalog)
}

/// Calls once more where the budget, or a pause the API asked for, is over soon.
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
            let detail = format!("is accepted, and expires {}", ago(Some(at), now));
            report.warn(credentials, &detail, "generate a new one in the ShopReviews dashboard");
        }
        Some(at) => report.ok(credentials, &format!("is accepted; expires {}", ago(Some(at), now))),
        None => report.ok(credentials, "is accepted"),
    }
}

fn listing_row(report: &mut Report, name: &str, page: &Page) {
    let malformed = page.items.iter().filter(|item| matches!(item, Item::Malformed(_))).count();
    let first = counted(page.items.len() as u64, "review", "reviews");
    let in_all = page.total.map(|total| format!(", {total} in all")).unwrap_or_default();
    let detail = format!("{first} on the first page{in_all}");
    match malformed {
        0 => report.ok(&what(name, Endpoint::UnreadReviews), &detail),
        some => report.warn(
            &what(name, Endpoint::UnreadReviews),
            &format!("{detail}; {some} without a usable uuid"),
            "these are kept and listed by `review-bridge reviews list --state malformed`, and never routed",
        ),
    }
}

/// Reports that the unread list could not be read; whether there is a point in asking for more.
fn first_failed(report: &mut Report, name: &str, credentials: &str, error: &UpstreamError) -> bool {
    let unread = what(name, Endpoint::UnreadReviews);
    match error.kind {
        ErrorKind::Budget(until) | ErrorKind::RateLimited(until) => {
            report.unverified(credentials, "was not tried", "");
            report.unverified(&unread, &spent(until), "check again then");
            false
        }
        ErrorKind::Unauthenticated => {
            let hint = match credentials.ends_with("login") {
                true => format!("correct `accounts.{name}.email` and `accounts.{name}.password`"),
                false => format!(
                    "generate one in the ShopReviews dashboard (Generate API token) and put it where \
                     `accounts.{name}.token_file` or `token` says"
                ),
            };
            report.failed(credentials, &error.detail, &hint);
            report.unverified(&unread, "cannot be asked without", "");
            false
        }
        ErrorKind::Unreachable | ErrorKind::TimedOut => {
            report.unverified(credentials, "was not tried", "");
            let hint =
                format!("see whether `accounts.{name}.base_url` is right and this machine may connect to it");
            report.failed(&unread, &error.detail, &hint);
            false
        }
        _ => {
            report.unverified(credentials, "the answer does not say", "");
            report.failed(&unread, &error.detail, "");
            true
        }
    }
}

fn spent(until: Timestamp) -> String {
    match ahead(until, Clock::System.now()) {
        Some(until) => format!("the request budget is spent until {}", rfc3339(until)),
        None => "the request budget is spent".into(),
    }
}

/// Asks for all names, and reports each endpoint that gives some.
async fn names(report: &mut Report, name: &str, upstream: &dyn Upstream) -> Option<Catalog> {
    match patiently(|| upstream.catalog()).await {
        Ok(catalog) => {
            let counts = [catalog.sources.len(), catalog.websites.len(), catalog.platforms.len()];
            for (endpoint, count) in NAMES.into_iter().zip(counts) {
                report.ok(&what(name, endpoint), &format!("verified, {count} of them"));
            }
            Some(catalog)
        }
        Err(error) => {
            let paused = match error.kind {
                ErrorKind::Budget(until) | ErrorKind::RateLimited(until) => Some(until),
                _ => None,
            };
            // They are asked in this order: before the one that failed all went well.
            let failed = NAMES
                .iter()
                .position(|endpoint| error.detail.starts_with(&format!("{} of `", endpoint.name())));
            for (index, endpoint) in NAMES.into_iter().enumerate() {
                match (paused, failed) {
                    (Some(until), _) => {
                        report.unverified(&what(name, endpoint), &spent(until), "check again then")
                    }
                    (None, Some(failed)) if index < failed => report.ok(&what(name, endpoint), "verified"),
                    (None, Some(failed)) if index > failed => {
                        report.unverified(&what(name, endpoint), "was not asked after that", "");
                    }
                    (None, _) => report.failed(&what(name, endpoint), &error.detail, ""),
                }
            }
            None
        }
    }
}

/// An endpoint by what the state knows of it.
fn endpoint_row(report: &mut Report, name: &str, endpoint: Endpoint, standing: Standing) {
    let what = what(name, endpoint);
    match standing {
        Standing::Verified => report.ok(&what, "verified: it has worked with this setting"),
        Standing::Unused => report.ok(&what, "is not used (`mark_read = \"never\"`)"),
        Standing::Failed(error) => {
            let hint = format!("correct `accounts.{name}.endpoints.{}`", endpoint.key());
            report.failed(&what, &error, &hint);
        }
        Standing::Unverified => report.unverified(
            &what,
            "has not been used yet: the first review that is marked proves it",
            "nothing to do now; should it fail, `status` and the operator's notice say so, and no mark is lost",
        ),
    }
}
