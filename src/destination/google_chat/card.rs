//! Makes a rendered message one that Google Chat takes: one card, no empty parts, links to http(s) only, and within its
//! limits. What a card may hold: <https://developers.google.com/workspace/chat/api/reference/rest/v1/cards>.

use super::limits::{MAX_BYTES, MAX_LINE, MAX_WIDGETS, SHORTER};
use super::markup::{cut_html, is_blank, tokenless};
use crate::domain::text::one_line;
use crate::presentation::safe_url;
use crate::presentation::words::{ZERO_WIDTH, cut_line, is_plain_address, thousands, unlinked};
use serde_json::{Map, Value, json};

/// Makes `payload` one that Google Chat takes, or says why that cannot be.
pub fn fit(payload: Value, context: &Value) -> Result<Value, String> {
    let emails = emails(context);
    let own_words = context.get("type").and_then(Value::as_str) == Some("operator");
    let mut payload = object(payload, "the message", &["text", "fallbackText", "cardsV2"])?;
    let blank = |value: &Value| value.as_str().is_some_and(|text| text.trim().is_empty());
    payload.retain(|_, value| !blank(value));
    if let Some(Value::String(text)) = payload.get_mut("fallbackText") {
        // What shows it may read it as it reads `text`.
        *text = tokenless(&unlinked(&cut_line(text, MAX_LINE)));
    }
    let Some(Value::Array(cards)) = payload.remove("cardsV2") else {
        return Err("has no list of `cardsV2`".into());
    };
    let Ok([card]) = <[Value; 1]>::try_from(cards) else {
        return Err("must have exactly one of `cardsV2`".into());
    };
    let mut holder = object(card, "an item of `cardsV2`", &["cardId", "card"])?;
    let card = fit_card(holder.remove("card").unwrap_or_default())?;
    holder.insert("card".into(), card);
    payload.insert("cardsV2".into(), json!([holder]));
    let payload = Value::Object(payload);
    let shorter = SHORTER.iter().map(|(limit, link)| {
        let mut shorter = payload.clone();
        each_text(&mut shorter, &|text| {
            let text = cut_html(text, *limit, *link);
            // Names of settings are there to be copied, and so are addresses.
            match own_words {
                true => text.replace(ZERO_WIDTH, ""),
                false => emails.iter().fold(text, |text, email| text.replace(&unlinked(email), email)),
            }
        });
        shorter
    });
    let whole = shorter.into_iter().find(|shorter| shorter.to_string().len() <= MAX_BYTES);
    whole.ok_or_else(|| "is larger than 24 KB, even with its texts cut".into())
}

/// The addresses of customers, which are only there where they are to be shown.
fn emails(context: &Value) -> Vec<&str> {
    let reviews = context.get("reviews").and_then(Value::as_array).into_iter().flatten();
    let emails = reviews.chain([context]).filter_map(|holder| holder.get("review")?.get("email")?.as_str());
    emails.filter(|email| is_plain_address(email)).collect()
}

/// The fields of an object that has no others than `known`: what is not known here may be read as other markup.
fn object(value: Value, what: &str, known: &[&str]) -> Result<Map<String, Value>, String> {
    let Value::Object(fields) = value else { return Err(format!("has no object where {what} should be")) };
    match fields.keys().find(|key| !known.contains(&key.as_str())) {
        None => Ok(fields),
        Some(key) => {
            let known = crate::settings::table::quoted(known);
            Err(format!("has the key `{}` in {what}; use only {known}", one_line(key, 60)))
        }
    }
}

fn fit_card(card: Value) -> Result<Value, String> {
    let mut card = object(card, "a card", &["header", "sections"])?;
    if let Some(header) = card.remove("header") {
        let mut header = object(header, "a header", &["title", "subtitle"])?;
        cut_lines(&mut header, MAX_LINE);
        if header.contains_key("title") {
            card.insert("header".into(), header.into());
        }
    }
    let Some(Value::Array(items)) = card.remove("sections") else {
        return Err("has a card without `sections`".into());
    };
    let mut sections = Vec::new();
    for item in items {
        let keys = ["header", "widgets", "collapsible", "uncollapsibleWidgetsCount"];
        let mut section = object(item, "a section", &keys)?;
        let Some(Value::Array(widgets)) = section.remove("widgets") else {
            return Err("has a section without `widgets`".into());
        };
        let widgets = widgets.into_iter().filter_map(|widget| fit_widget(widget).transpose());
        let widgets: Vec<Value> = widgets.collect::<Result<_, _>>()?;
        sections.push((section, widgets));
    }
    sections = limited(sections);
    if sections.is_empty() {
        return Err("has a card without content".into());
    }
    let section = |(mut section, widgets): (Map<String, Value>, Vec<Value>)| {
        section.insert("widgets".into(), widgets.into());
        Value::Object(section)
    };
    card.insert("sections".into(), sections.into_iter().map(section).collect());
    Ok(Value::Object(card))
}

/// What is left of a widget; `None` where that is nothing to read.
fn fit_widget(widget: Value) -> Result<Option<Value>, String> {
    let kinds = ["textParagraph", "decoratedText", "buttonList", "divider"];
    let widget = object(widget, "a widget", &kinds)?;
    let Some((kind, inner)) = widget.into_iter().next() else { return Ok(None) };
    let keys: &[&str] = match kind.as_str() {
        "textParagraph" => &["text", "maxLines"],
        "decoratedText" => &["topLabel", "text", "bottomLabel", "wrapText", "startIcon"],
        "buttonList" => &["buttons"],
        _ => &[],
    };
    let mut fields = object(inner, &format!("`{kind}`"), keys)?;
    let readable = match fields.remove("buttons") {
        Some(Value::Array(buttons)) => {
            let buttons = buttons.into_iter().filter_map(|button| fit_button(button).transpose());
            let buttons: Vec<Value> = buttons.collect::<Result<_, _>>()?;
            let some = !buttons.is_empty();
            fields.insert("buttons".into(), buttons.into());
            some
        }
        _ => {
            let text = fields.remove("text");
            cut_lines(&mut fields, MAX_LINE);
            let filled = text.filter(|text| !is_blank(text.as_str().unwrap_or_default()));
            let some = filled.is_some();
            fields.extend(filled.map(|text| ("text".to_owned(), text)));
            some || kind == "divider"
        }
    };
    Ok(readable.then(|| json!({kind: fields})))
}

/// A button that says something and leads to a web page.
fn fit_button(button: Value) -> Result<Option<Value>, String> {
    let mut button = object(button, "a button", &["text", "type", "onClick"])?;
    let click = object(button.remove("onClick").unwrap_or_default(), "`onClick`", &["openLink"])?;
    let link = click.get("openLink").and_then(|link| link.get("url")?.as_str()).and_then(safe_url);
    cut_lines(&mut button, 60);
    button.insert("onClick".into(), json!({"openLink": {"url": link}}));
    Ok((link.is_some() && button.contains_key("text")).then_some(Value::Object(button)))
}

/// Each text as one line of at most `limit` graphemes; empty ones go.
fn cut_lines(fields: &mut Map<String, Value>, limit: usize) {
    for value in fields.values_mut() {
        if let Value::String(text) = value {
            *text = cut_line(text, limit);
        }
    }
    fields.retain(|_, value| value.as_str() != Some(""));
}

/// Sections with something in them, of no more widgets than a card may have; the last says how many are missing.
fn limited(mut sections: Vec<(Map<String, Value>, Vec<Value>)>) -> Vec<(Map<String, Value>, Vec<Value>)> {
    let all: usize = sections.iter().map(|(_, widgets)| widgets.len()).sum();
    let mut room = if all > MAX_WIDGETS { MAX_WIDGETS - 1 } else { all };
    let more = all - room;
    for (_, widgets) in &mut sections {
        widgets.truncate(room);
        room -= widgets.len();
    }
    sections.retain(|(_, widgets)| !widgets.is_empty());
    if let Some((_, widgets)) = sections.last_mut().filter(|_| more > 0) {
        let text = format!("<i>… ({} more parts)</i>", thousands(more as u64));
        widgets.push(json!({"textParagraph": {"text": text}}));
    }
    sections
}

/// Changes every text that is HTML.
fn each_text(value: &mut Value, change: &impl Fn(&str) -> String) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| each_text(item, change)),
        Value::Object(fields) => {
            for (key, value) in fields {
                let holder = matches!(key.as_str(), "textParagraph" | "decoratedText");
                match value.get_mut("text") {
                    Some(Value::String(text)) if holder => *text = change(text),
                    _ => match value {
                        Value::String(text) if key == "header" => *text = change(text),
                        value => each_text(value, change),
                    },
                }
            }
        }
        _ => {}
    }
}
