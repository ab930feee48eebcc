//! `reviews route`: the rules of today, run again on reviews in state.

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
    /// Only say what would be sent
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
    /// What was made of it.
    deliveries: Vec<DeliveryRow>,
    /// Why nothing was.
    why: Option<String>,
}

pub(super) async fn run(context: &Context, asked: Route) -> Result<(), CliError> {
    let settings = context.load()?.settings;
    let state = match asked.dry_run {
        true => State::copy(&settings).await?,
        false => State::read(&settings).await?,
    };
    let selected = asked.which.select(&settings, &state).await?;
    if selected.alike && selected.rows.is_empty() && !asked.json {
        return Err(CliError::Failed("no review is like that; nothing was done".into()));
    }
    if selected.alike && selected.rows.len() > 1 && !asked.dry_run {
        let count = counted(selected.rows.len() as u64, "review", "reviews");
        asked.consent.to(&format!("the rules would be run again on {count}"))?;
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
    print(&asked, &state, &routed, &refused)?;
    if routed.is_empty() { Err(CliError::Said) } else { Ok(()) }
}

/// Why no rule can be run on it.
fn obstacle(row: &ReviewRow, settings: &Settings, names: &Names) -> Option<String> {
    let why = match row.state {
        ReviewState::Held => "it waits until the names of its account have loaded, and is routed then",
        ReviewState::Settling => "it waits for `settle`, and is routed then",
        ReviewState::Malformed => "it has no usable uuid: it is kept, and never routed",
        ReviewState::Expired => "its retention is over: only a tombstone is left",
        ReviewState::Forgotten => "it was forgotten, and is never told again",
        ReviewState::Matched | ReviewState::Unmatched | ReviewState::Remembered => {
            return match (settings.accounts.contains_key(&row.account), names.has(&row.account)) {
                (false, _) => Some(format!("its account `{}` is not in the configuration", row.account)),
                (true, false) => Some(format!(
                    "the names of account `{}` have not loaded yet, and no rule can be run without them: the first \
                     good poll of `review-bridge run` loads them",
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
    for row in made_since(state, known).await?.into_iter().filter(|row| row.account == account) {
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
async fn made_since(state: &State, known: i64) -> Result<Vec<DeliveryRow>, CliError> {
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

/// Why the rules of today make nothing more of a review.
async fn why_nothing(
    state: &State,
    row: &ReviewRow,
    plan: &Plan,
    names: &Names,
    now: Timestamp,
) -> Result<String, CliError> {
    let Some(review) = &row.review else { return Ok("its text is gone".into()) };
    if row.first_seen_at.min(now).plus(plan.policy.settle) > now {
        return Ok("it is within `settle` of today".into());
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
        return Ok(format!("no rule wants it told: {}", obstacles.join("; ")));
    }
    Ok(format!(
        "it has its deliveries to {} already; `review-bridge reviews show {}` shows them",
        to.join(", "),
        row.uuid
    ))
}

fn obstacle_of(rule: &RuleExplanation) -> String {
    let why = rule.obstacle().map(|condition| {
        let excluded = if condition.negated { "excluded: " } else { "" };
        let unsure = if condition.truth == Truth::Unknown { "cannot be sure: " } else { "" };
        format!("{excluded}{unsure}{}", condition.because)
    });
    format!("`{}`: {}", rule.rule, why.unwrap_or_else(|| "not looked at".into()))
}

fn print(asked: &Route, state: &State, routed: &[Routed], refused: &[Refused]) -> Result<(), CliError> {
    if asked.json {
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
            "dry_run": asked.dry_run,
            "reviews": routed.iter().map(one).collect::<Vec<_>>(),
            "refused": refused.iter().map(Refused::to_json).collect::<Vec<_>>(),
            "running": state.owner.is_some(),
        }));
    }
    for routed in routed {
        for made in &routed.deliveries {
            let rules: Vec<&str> = made.rules.iter().map(|hit| hit.rule.as_str()).collect();
            let to = super::super::deliveries::to(made);
            output::line(&format!("{} -> {to}  by {}", routed.row.uuid, rules.join(", ")));
        }
        if let Some(why) = &routed.why {
            output::line(&format!("{}: {why}", routed.row.uuid));
        }
    }
    for refused in refused {
        output::line(&refused.text());
    }
    let made: usize = routed.iter().map(|routed| routed.deliveries.len()).sum();
    let made = counted(made as u64, "delivery", "deliveries");
    let rest = match (asked.dry_run, state.owner.is_some()) {
        (true, _) => "would be made; nothing was changed",
        (false, true) => "made; the bridge that runs sends what is due",
        (false, false) => "made; the next `review-bridge run` sends what is due: none runs now",
    };
    output::line(&format!("{made} {rest}"));
    Ok(())
}
