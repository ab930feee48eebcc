//! The gallery of docs/gallery.md: what every kind of destination sends, drawn by a page. docs/gallery/make.sh runs
//! this with a folder for the page and the text, and takes the pictures.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod stories;

use review_bridge::config;
use review_bridge::destination::email::Mail;
use review_bridge::destination::{Destination, Kind, TABLE, templates};
use review_bridge::presentation::{Own, View};
use review_bridge::template::Renderer;
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use stories::{Story, stories};

const FROM: &str = "Lumen reviews <reviews@lumen.example>";
const TO: &str = "support@lumen.example";
/// The kind whose messages are pages of their own.
const EMAIL: &str = "email";

fn main() {
    let folder = PathBuf::from(std::env::args().nth(1).expect("the folder to write to"));
    let renderer = templates(None).unwrap();
    let kinds: Vec<&Kind> = TABLE.iter().copied().filter(|kind| is_shown(kind)).collect();
    let pictures: Vec<Value> = kinds.iter().flat_map(|kind| pictures(kind, &renderer)).collect();
    std::fs::write(folder.join("gallery.html"), page(&kinds, &pictures)).unwrap();
    std::fs::write(folder.join("gallery.md"), document(&kinds)).unwrap();
}

/// Whether people read what it is sent.
fn is_shown(kind: &Kind) -> bool {
    kind.format.is_some()
}

/// What is to be drawn for a kind.
fn pictures(kind: &Kind, renderer: &Arc<Renderer>) -> Vec<Value> {
    let destination = destination(kind, renderer);
    let picture = |story: &Story| {
        let name = format!("{}-{}", kind.name, story.name);
        let at = story.message.now.as_millis();
        if kind.name == EMAIL {
            let mail = Mail::of(renderer, &story.message, &view());
            let content = json!({"from": FROM, "to": TO, "subject": mail.subject, "html": mail.html});
            return json!({"name": name, "kind": EMAIL, "at": at, "content": content});
        }
        let payload = destination.render(&story.message);
        assert_eq!(payload.fallback, None, "{name}");
        let body: Value = serde_json::from_str(&payload.body).unwrap();
        json!({"name": name, "kind": kind.name, "at": at, "content": {"body": body}})
    };
    let mut pictures: Vec<Value> = stories().iter().map(picture).collect();
    if kind.name == EMAIL {
        let mut narrow = pictures[0].clone();
        (narrow["name"], narrow["kind"]) = ("email-narrow".into(), "telephone".into());
        pictures.push(narrow);
    }
    pictures
}

/// What shops have set, as far as it is seen.
fn view() -> View {
    let zone = jiff::tz::TimeZone::get("Europe/Amsterdam").unwrap();
    View {
        destination: "support".into(),
        zone,
        show_email: false,
        mention: None,
        template: None,
        own: Own::default(),
    }
}

/// A destination of that kind, made as a configuration makes it.
fn destination(kind: &Kind, renderer: &Arc<Renderer>) -> Arc<dyn Destination> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    // Nobody is pinged in a picture.
    let own = kind.fixture.config(kind.fixture.url);
    let own: String =
        own.lines().filter(|line| !line.starts_with("mention")).map(|line| format!("{line}\n")).collect();
    let toml = format!(
        "accounts.main.token = \"t\"\nsmtp = {{ host = \"127.0.0.1\", port = 25, tls = \"none\", from = \"{FROM}\" }}\n\
         rules = [{{ name = \"all\", to = [\"support\"] }}]\n\
         [destinations.support]\ntype = \"{}\"\ntimezone = \"Europe/Amsterdam\"\n{own}\n",
        kind.name
    );
    let loaded = config::read(toml.into(), Path::new(".")).unwrap_or_else(|failure| panic!("{failure}"));
    let settings = &loaded.settings.destinations["support"];
    settings.make.make("support", &settings.common, renderer.clone()).unwrap()
}

/// The page that draws `pictures`: all of them, or the one that its address names behind `#`.
fn page(kinds: &[&Kind], pictures: &[Value]) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = |path: &str| format!("file://{}", root.join(path).display());
    let scripts = [
        "target/oracles/web/node_modules/adaptivecards/dist/adaptivecards.min.js",
        "target/oracles/web/node_modules/markdown-it/dist/markdown-it.min.js",
        "templates/web/draw.js",
        "docs/gallery/markup.js",
    ];
    let linked = |path: &str| format!("<script src=\"{}\"></script>\n", file(path));
    let mut scripts: String = scripts.map(linked).concat();
    scripts.extend(kinds.iter().map(|kind| format!("<script>\n{}</script>\n", kind.fixture.draw)));
    scripts.push_str(&linked("docs/gallery/gallery.js"));
    // In JSON an escape says the same as the character.
    let pictures = json!(pictures).to_string().replace('<', "\\u003c");
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Gallery</title>\n\
         <link rel=\"stylesheet\" href=\"{}\">\n<body>\n\
         <script type=\"application/json\" id=\"pictures\">{pictures}</script>\n{scripts}</body>\n</html>\n",
        file("docs/gallery/gallery.css")
    )
}

/// The document that shows the pictures.
fn document(kinds: &[&Kind]) -> String {
    let mut text = String::from(
        "# Gallery\n\nOne message of every kind, as each kind of destination shows it. The shop and its customers are \
         invented;\nthe messages are built from the built-in templates, which you can\n[replace](templates.md). \
         `just gallery` regenerates this page and its pictures.\n",
    );
    for kind in kinds {
        let title = kind.title;
        let summary = kind.summary;
        write!(text, "\n## {title}\n\nSends to {summary}. {}\n", kind.fixture.drawn_by).unwrap();
        for Story { name, caption, .. } in stories() {
            let file = format!("gallery/{}-{name}.png", kind.name);
            write!(text, "\n{caption}.\n\n![{title}: {caption}]({file})\n").unwrap();
        }
        if kind.name == EMAIL {
            let caption = "The bad review on a phone, in light and dark mode";
            write!(text, "\n{caption}.\n\n![{title}: {caption}](gallery/email-narrow.png)\n").unwrap();
        }
    }
    text
}
