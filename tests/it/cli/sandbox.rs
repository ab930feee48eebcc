//! `sandbox`: the walk-through of somebody who tries the bridge out.

use super::{CONFIG, Place};
use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Stdio};

/// A sandbox of its own, ended with the test.
struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Running {
    fn start(place: &Place, arguments: &[&str]) -> Self {
        let mut command = place.command(&[&["sandbox", "--listen", "127.0.0.1:0"][..], arguments].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// The configuration that it prints.
    fn config(&mut self) -> String {
        let lines = self.lines.by_ref().map(Result::unwrap);
        let config =
            lines.skip_while(|line| !line.starts_with("[accounts")).take_while(|line| !line.is_empty());
        config.collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn the_configuration_it_prints_works_and_what_arrives_is_shown() {
    let place = Place::new("");
    let quick = ["--requests-per-minute", "1000000"];
    let mut sandbox =
        Running::start(&place, &[&["--every", "0s", "--reviews", "40", "--hostile"][..], &quick].concat());
    let config = sandbox.config();
    assert_eq!(config.lines().count(), 12, "{config}");
    let rest = "requests_per_minute = 100000\n[destinations.support]\nrate_limit = '1000/s'\n";
    let config = config.replace("[destinations.support]\n", rest);
    std::fs::write(place.folder.path().join("config.toml"), config).unwrap();
    let out = place.run(&["run", "--once"]).await.ok().out;
    assert!(!out.starts_with("0 new"), "{out}");
    let listed = place.run(&["deliveries", "list", "--state", "delivered", "--json"]).await.ok().json();
    let delivered = listed.as_array().unwrap().len();
    assert!(delivered > 0);
    for _ in 0..delivered {
        let line = sandbox.lines.next().unwrap().unwrap();
        assert!(line.starts_with("slack/support  "), "{line}");
        assert!(!line.chars().any(review_bridge::domain::text::is_unsafe), "{line:?}");
    }
}

#[tokio::test]
async fn it_serves_this_machine_only() {
    let place = Place::new(CONFIG);
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:80"] {
        let text = place.fails(2, &["sandbox", "--listen", address]).await;
        assert!(text.contains("listens on this machine only"), "{text}");
    }
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let text = place.fails(1, &["sandbox", "--listen", &address]).await;
    assert!(text.contains("address already in use") && text.contains("choose another port"), "{text}");
    for wrong in [["--every", "soon"], ["--page-size", "0"], ["--listen", "localhost"]] {
        place.fails(2, &["sandbox", wrong[0], wrong[1]]).await;
    }
}
