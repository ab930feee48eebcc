//! What the commands say of themselves, and the configuration's own.

use super::{CONFIG, Place};

#[tokio::test]
async fn every_command_explains_itself() {
    let place = Place::new(CONFIG);
    let all = place.run(&["--help"]).await.ok().out;
    for (command, said) in [
        (&["run"][..], "--dry-run"),
        (&["check"], "--offline"),
        (&["status"], "--account"),
        (&["explain"], "--reviewed-at"),
        (&["destinations"], "pause"),
        (&["destinations", "list"], "--json"),
        (&["destinations", "test"], "marked as a test"),
        (&["deliveries"], "list"),
        (&["deliveries", "list"], "superseded"),
        (&["deliveries", "show"], "--json"),
        (&["deliveries", "retry"], "--to"),
        (&["deliveries", "resend"], "<ID>"),
        (&["deliveries", "discard"], "--yes"),
        (&["reviews"], "show"),
        (&["reviews", "list"], "unmatched"),
        (&["reviews", "show"], "--account"),
        (&["reviews", "route"], "--dry-run"),
        (&["reviews", "mark-read"], "--remembered"),
        (&["reviews", "forget"], "--yes"),
        (&["config"], "init"),
        (&["sandbox"], "--hostile"),
        (&["preview"], "--digest"),
        (&["healthcheck"], "--address"),
    ] {
        let help = place.run(&[command, &["--help"]].concat()).await.ok().out;
        assert!(help.contains(said), "{command:?}: {help}");
        assert!(all.contains(command[0]), "{command:?}: {all}");
        assert!(help.lines().all(|line| line.chars().count() <= 100), "{command:?}: {help}");
    }
    // What a later version has is not offered.
    for later in ["simulate", "completions"] {
        assert!(!all.contains(later), "{later}: {all}");
    }
    assert!(place.run(&[]).await.ok().out.contains("Usage: review-bridge"));
    place.fails(2, &["staus"]).await;
}

#[tokio::test]
async fn the_configuration_is_shown_without_secrets_and_made_without_overwriting() {
    let place = Place::new(CONFIG);
    let out = place.run(&["config", "show"]).await.ok().out;
    assert!(out.contains("webhook_url = \"[redacted]\"") && out.contains("# default"), "{out}");
    let text = place.fails(1, &["config", "init"]).await;
    assert!(text.contains("already exists and was not overwritten"), "{text}");
    place.run(&["config", "init", "new.toml"]).await.ok();
    let new = place.folder.path().join("new.toml");
    // Whether its default port is free is the machine's affair.
    let starter = std::fs::read_to_string(&new).unwrap();
    std::fs::write(&new, format!("{starter}[http]\nlisten = \"\"\n")).unwrap();
    let out = place.run(&["--config", "new.toml", "check", "--offline"]).await.ok().out;
    assert!(out.contains("still has the placeholder from `config init`"), "{out}");
    let text = place.fails(2, &["--config", "none.toml", "status"]).await;
    assert!(text.contains("none.toml: cannot be read"), "{text}");
}
