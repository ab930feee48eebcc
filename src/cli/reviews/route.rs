//! `reviews route`: re-runs the current rules on reviews in the database.

use super::super::consent::Consent;
use super::super::destinations::targets;
use super::super::output::{self, counted};
use super::super::state::State;
use super::super::subject::Names;
use super::super::{CliError, Context};
use super::select::{BATCH, Refused, Which};
use crate::app::build_plans;
use crate::clock::Clock;
use crate::config::Settings;
use crate::domain::{Change, Timestamp};
use crate::intake::{Intake, Plan};
use crate::rules::condition::Truth;
use crate::rules::{Candidate, RuleExplanation, explain};
use crate::store::{DeliveryFilter, DeliveryRow, ReviewRow, ReviewState};
use clap::Args;
use serde_json::json;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

#[derive(Debug, Args)]
pub(in crate::cli) struct Route {
    #[command(flatten)]
    which: Which,
    /// Only show what would be sent
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    consent: Consent,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A review on which the rules were run.
struct Routed {
    row: ReviewRow,
    /// The deliveries it created.
    deliveries: Vec<DeliveryRow>,
    /// Why there are none.
    why: Option<String>,
}

pub(super) async fn run(context: &Context, args: Route) -> Result<(), CliError> {
    let settings = context.load()?.settings;
    let state = match args.dry_run {
        true => State::copy(&settings).await?,
        false => State::read(&settings).await?,
    };
    let selected = args.which.select(&settings, &state).await?;
    if selected.by_filter && selected.rows.is_empty() && !args.json {
        return Err(CliError::Failed("no matching reviews; nothing was changed".into()));
    }
    if selected.by_filter && selected.rows.len() > 1 && !args.dry_run {
        let count = counted(selected.rows.len() as u64, "review", "reviews");
        args.consent.to(&format!("re-run the rules on {count}"))?;
    }
    let names = Names::of(&settings, &state, selected.rows.iter().map(|row| row.account.as_str())).await?;
    let mut refused = selected.refused;
    let mut by_account: BTreeMap<String, Vec<ReviewRow>> = BTreeMap::new();
    for row in selected.rows {
        match obstacle(&row, &settings, &names) {
            Some(why) => refused.push(Refused::of(&row, why)),
            None => by_account.entry(row.account.clone()).or_default().push(row),
        }
    }
    let plans = build_plans(&settings, &targets(&settings)?);
    let mut routed = Vec::new();
    for (account, rows) in by_account {
        if let Some(plan) = plans.get(&account) {
            routed.extend(route(&state, &account, plan, &names, rows).await?);
        }
    }
    print(&args, &state, &routed, &refused)?;
    if routed.is_empty() { Err(CliError::Reported) } else { Ok(()) }
}

/// Why the rules cannot be run on it.
fn obstacle(row: &ReviewRow, settings: &Settings, names: &Names) -> Option<String> {
    let why = match row.state {
        ReviewState::Held => "held until the names of its account are loaded; it is routed then",
        ReviewState::Settling => "waiting for `settle`; it is routed then",
        ReviewState::Malformed => "it has no usable uuid, so it is kept but never routed",
        ReviewState::Expired => "its retention has expired; only a tombstone is left",
        ReviewState::Forgotten => "it was forgotten and is never delivered again",
        ReviewState::Matched | ReviewState::Unmatched | ReviewState::Remembered => {
            return match (settings.accounts.contains_key(&row.account), names.has(&row.account)) {
                (false, _) => Some(format!("its account `{}` is not in the configuration", row.account)),
                (true, false) => Some(format!(
                    "the names of account `{}` have not been loaded yet, and rules need them; the first successful \
                     poll of `review-bridge run` loads them",
                    row.account
                )),
                (true, true) => None,
            };
        }
    };
    Some(why.into())
}

async fn route(
    state: &State,
    account: &str,
    plan: &Arc<Plan>,
    names: &Names,
    rows: Vec<ReviewRow>,
) -> Result<Vec<Routed>, CliError> {
    let Some((catalog, _)) = state.store.catalog(account).await? else { return Ok(Vec::new()) };
    let now = Clock::System.now();
    let intake = Intake { account, plan, catalog: Some(&catalog), baseline: false, now };
    let known = newest(state, 1).await?.first().map_or(0, |row| row.id);
    for batch in rows.chunks(BATCH) {
        let ids: Vec<i64> = batch.iter().map(|row| row.id).collect();
        intake.route_again(&*state.store, &ids).await?;
    }
    let mut made: HashMap<String, Vec<DeliveryRow>> = HashMap::new();
    for row in created_since(state, known).await?.into_iter().filter(|row| row.account == account) {
        made.entry(row.uuid.clone()).or_default().push(row);
    }
    let mut routed = Vec::new();
    for row in rows {
        let deliveries = made.remove(&row.uuid).unwrap_or_default();
        let why = match deliveries.is_empty() {
            true => Some(why_nothing(state, &row, plan, names, now).await?),
            false => None,
        };
        routed.push(Routed { row, deliveries, why });
    }
    Ok(routed)
}

async fn newest(state: &State, limit: u32) -> Result<Vec<DeliveryRow>, CliError> {
    let filter = DeliveryFilter { limit, ..DeliveryFilter::default() };
    Ok(state.store.list_deliveries(&filter).await?)
}

/// The deliveries with numbers beyond `known`, in order.
async fn created_since(state: &State, known: i64) -> Result<Vec<DeliveryRow>, CliError> {
    let mut limit: u32 = 256;
    loop {
        let mut rows = newest(state, limit).await?;
        let complete = rows.len() < limit as usize || rows.last().is_some_and(|row| row.id <= known);
        if complete {
            rows.retain(|row| row.id > known);
            rows.reverse();
            return Ok(rows);
        }
        limit = limit.saturating_mul(4);
    }
}

/// Why the current rules create nothing new for a review.
async fn why_nothing(
    state: &State,
    row: &ReviewRow,
    plan: &Plan,
    names: &Names,
    now: Timestamp,
) -> Result<String, CliError> {
    let Some(review) = &row.review else { return Ok("its text is no longer stored".into()) };
    if row.first_seen_at.min(now).plus(plan.policy.settle) > now {
        return Ok("the current `settle` time has not passed yet".into());
    }
    let newest = state.store.list_revisions(row.id).await?.pop();
    let change = newest.as_ref().map_or(Change::New, |newest| newest.change);
    let subject = names.subject(review, change, newest.and_then(|newest| newest.previous));
    let explained = explain(&plan.rules, Candidate { subject: &subject, now });
    let mut to: Vec<&str> = Vec::new();
    for name in explained.iter().filter(|rule| rule.matched).flat_map(|rule| &rule.to) {
        if !to.contains(&name.as_str()) {
            to.push(name);
        }
    }
    if to.is_empty() {
        let obstacles: Vec<String> = explained.iter().map(obstacle_of).collect();
        return Ok(format!("matches no rule: {}", obstacles.join("; ")));
    }
    Ok(format!("already has deliveries to {}; see `review-bridge reviews show {}`", to.join(", "), row.uuid))
}

fn obstacle_of(rule: &RuleExplanation) -> String {
    let why = rule.obstacle().map(|condition| {
        let excluded = if condition.negated { "excluded: " } else { "" };
        let unsure = if condition.truth == Truth::Unknown { "undecided: " } else { "" };
        format!("{excluded}{unsure}{}", condition.because)
    });
    format!("`{}`: {}", rule.rule, why.unwrap_or_else(|| "skipped".into()))
}

fn print(args: &Route, state: &State, routed: &[Routed], refused: &[Refused]) -> Result<(), CliError> {
    if args.json {
        let one = |routed: &Routed| {
            json!({
                "account": routed.row.account,
                "uuid": routed.row.uuid,
                "deliveries": routed.deliveries.iter().map(super::super::deliveries::to_json).collect::<Vec<_>>(),
                "why": routed.why,
            })
        };
        return output::json(&json!({
            "action": "route",
            "dry_run": args.dry_run,
            "reviews": routed.iter().map(one).collect::<Vec<_>>(),
            "refused": refused.iter().map(Refused::to_json).collect::<Vec<_>>(),
            "running": state.owner.is_some(),
        }));
    }
    for routed in routed {
        for delivery in &routed.deliveries {
            let rules: Vec<&str> = delivery.rules.iter().map(|hit| hit.rule.as_str()).collect();
            let to = super::super::deliveries::to(delivery);
            output::line(&format!("{} -> {to} (rules: {})", routed.row.uuid, rules.join(", ")));
        }
        if let Some(why) = &routed.why {
            output::line(&format!("{}: {why}", routed.row.uuid));
        }
    }
    for refused in refused {
        output::line(&refused.text());
    }
    let created: usize = routed.iter().map(|routed| routed.deliveries.len()).sum();
    let count = counted(created as u64, "delivery", "deliveries");
    let rest = match (args.dry_run, state.owner.is_some()) {
        (true, _) => "would be created; nothing was changed",
        (false, true) if created == 0 => "created",
        (false, true) => "created; the running bridge sends what is due",
        (false, false) if created == 0 => "created",
        (false, false) => "created; they will be sent when `review-bridge run` is started (not running now)",
    };
    output::line(&format!("{count} {rest}"));
    Ok(())
}
