//! What is reached over TLS shares it: however many destinations there are, certificates are read once for each set of
//! trusted authorities.

use review_bridge::app::{build_targets, build_upstream};
use review_bridge::clock::Clock;
use review_bridge::config::{Loaded, load};
use review_bridge::store::SharedStore;
use review_bridge::store::sqlite::{Access, SqliteStore};
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

const WEBHOOKS: usize = 100;

fn loaded(folder: &Path, toml: &str) -> Loaded {
    let file = folder.join("config.toml");
    std::fs::write(&file, toml).unwrap();
    let none: [(String, String); 0] = [];
    load(Some(&file), none, folder).unwrap_or_else(|failure| panic!("{failure}"))
}

/// One account, and 100 webhooks below `scheme`.
fn config(scheme: &str) -> String {
    let mut toml = format!(
        "[accounts.main]\ntoken = \"0123456789abcdef0123\"\nbase_url = \"{scheme}://localhost/\"\n\
         [[rules]]\nname = \"all\"\nto = [\"hook0\"]\n"
    );
    for index in 0..WEBHOOKS {
        let host = if scheme == "https" { format!("hook{index}.example") } else { "127.0.0.1".to_owned() };
        write!(toml, "[destinations.hook{index}]\ntype = \"webhook\"\nurl = \"{scheme}://{host}/{index}\"\n")
            .unwrap();
    }
    toml
}

/// Builds all that calls elsewhere: how many TLS configurations and HTTP clients that made.
async fn made(folder: &Path, toml: &str) -> (usize, usize) {
    let settings = loaded(folder, toml).settings;
    assert_eq!(settings.outbound.made(), (0, 0), "reading a configuration makes nothing");
    let targets = build_targets(&settings).unwrap();
    assert!(targets.by_name.len() >= WEBHOOKS);
    let store: SharedStore =
        Arc::new(SqliteStore::open(&folder.join("state.db"), Access::Beside).await.unwrap());
    build_upstream(&settings, "main", &store, &store, &Clock::System).unwrap();
    settings.outbound.made()
}

#[tokio::test]
async fn certificates_are_read_once_for_each_set_of_trusted_authorities() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["one.pem", "other.pem"] {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        std::fs::write(folder.path().join(name), made.cert.pem()).unwrap();
    }
    let mut toml = config("https");
    toml += "[smtp]\nhost = \"mail.example\"\nfrom = \"reviews@shop.example\"\n\
             [destinations.owner]\ntype = \"email\"\nto = [\"owner@shop.example\"]\n";
    // All webhooks have one client; the API has one of its own, and one for what is sent again on a new connection.
    assert_eq!(made(folder.path(), &toml).await, (1, 3));
    for (name, file) in [("a", "one.pem"), ("b", "one.pem"), ("c", "other.pem")] {
        write!(
            toml,
            "[destinations.{name}]\ntype = \"webhook\"\nurl = \"https://{name}.example/\"\nca_file = \"{file}\"\n\
             [destinations.owner_{name}]\ntype = \"email\"\nto = [\"owner@shop.example\"]\nca_file = \"{file}\"\n"
        )
        .unwrap();
    }
    assert_eq!(made(folder.path(), &toml).await, (3, 5));
}

#[tokio::test]
async fn where_nothing_is_reached_over_tls_no_certificate_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut toml = config("http");
    toml += "[smtp]\nhost = \"localhost\"\ntls = \"none\"\nfrom = \"reviews@shop.example\"\n\
             [destinations.owner]\ntype = \"email\"\nto = [\"owner@shop.example\"]\n";
    assert_eq!(made(folder.path(), &toml).await, (0, 3));
}
