//! What `[smtp]` and e-mail destinations accept, default to and refuse.

use super::super::settings::Tls;
use super::*;

pub fn server(smtp: &str) -> Arc<Server> {
    let dict: figment::value::Dict =
        figment::Figment::from(Toml::string(&format!("[smtp]\nhost = \"mail.example\"\n{smtp}")))
            .extract()
            .unwrap();
    let source = Source {
        folder: PathBuf::from("."),
        file: "config.toml".into(),
        environment: Vec::new(),
        problems: Problems::default(),
    };
    match Smtp::read(&Table::new("", &dict, &source)) {
        Smtp::Set(server) => server,
        other => panic!("{other:?}: {:?}", source.problems.into_vec()),
    }
}

#[test]
fn the_port_goes_by_the_encryption() {
    for (smtp, tls, port) in [
        ("", Tls::StartTls, 587),
        ("tls = \"starttls\"", Tls::StartTls, 587),
        ("tls = \"implicit\"", Tls::Implicit, 465),
        ("tls = \"none\"", Tls::None, 25),
        ("tls = \"none\"\nport = 2525", Tls::None, 2525),
    ] {
        let server = server(smtp);
        assert_eq!((server.tls, server.port), (tls, port), "{smtp}");
    }
}

#[test]
fn recipients_are_told_apart_without_their_case() {
    // J15
    let text = "[smtp]\nhost = \"mail.example\"\n[support]\ntype = \"email\"\nfrom = \"a@shop.example\"\n\
                to = [\"Owner@shop.example\", \"Owner@SHOP.example\", \"owner@shop.example\", \"The other <x@shop.example>\"]";
    assert_eq!(make(text).recipients(), ["owner@shop.example", "x@shop.example"]);
    let (settings, _) = read_toml(text);
    let common = settings.unwrap().common;
    assert_eq!(common.rate_limit, Rate::per_second(10));
}

#[test]
fn every_mistake_is_told_at_once_and_no_secret_with_it() {
    let smtp = "[smtp]\nhost = \"mail.example\"\nfrom = \"a@shop.example\"\n";
    let support = "[support]\ntype = \"email\"\nto = [\"a@shop.example\"]\n";
    for (text, expected) in [
        (support.to_owned(), "support.type: is `email`, which needs a table [smtp]"),
        (format!("{smtp}[support]\ntype = \"email\"\n"), "support.to: is missing"),
        (format!("{smtp}[support]\ntype = \"email\"\nto = []"), "support.to: is empty"),
        (format!("{smtp}[support]\ntype = \"email\"\nto = \"a@shop.example\""), "support.to: is not a list"),
        (
            format!("{smtp}[support]\ntype = \"email\"\nto = [\"a@x.example\", \"b\"]"),
            "support.to: item 2 is not",
        ),
        (format!("[smtp]\nhost = \"mail.example\"\n{support}"), "support.from: is missing"),
        (format!("{smtp}{support}from = \"x\""), "support.from: is not an address"),
        (format!("{smtp}{support}from = \"jürgen@shop.example\""), "support.from: is not an address"),
        (
            format!("{smtp}{support}reply_to = \"a\\r\\nBcc: x@y.example\""),
            "support.reply_to: is not an address",
        ),
        (format!("{smtp}{support}webhook_url = \"x\""), "support.webhook_url: unknown key"),
        (format!("[smtp]\nfrom = \"a@shop.example\"\n{support}"), "smtp.host: is missing"),
        (format!("[smtp]\nhost = \"mail example\"\n{support}"), "smtp.host: is not a valid server name"),
        (format!("{smtp}port = 70000\n{support}"), "smtp.port: is not in range"),
        (format!("{smtp}tls = \"yes\"\n{support}"), "smtp.tls: unknown value `yes`"),
        (format!("{smtp}username = \"x\"\n{support}"), "smtp.password: is missing"),
        (format!("{smtp}password = \"hunter2\"\n{support}"), "smtp.username: is missing"),
        (
            format!("{smtp}username = \"x\"\npassword_file = \"/nowhere\"\n{support}"),
            "smtp.password_file: the file",
        ),
        (
            format!("{smtp}tls = \"none\"\nusername = \"x\"\npassword = \"hunter2\"\n{support}"),
            "smtp.tls: would send the password",
        ),
        (format!("{smtp}ca_file = \"Cargo.toml\"\n{support}"), "smtp.ca_file: "),
        (format!("{smtp}from_name = \"x\"\n{support}"), "smtp.from_name: unknown key"),
        (format!("{smtp}helo = \"my bridge\"\n{support}"), "smtp.helo: is not a host name"),
        (format!("{smtp}helo = \"192.0.2.1\"\n{support}"), "smtp.helo: is not a host name"),
        (format!("{smtp}helo = \"[mail]\"\n{support}"), "smtp.helo: is not a host name"),
        (format!("{smtp}helo = \"\"\n{support}"), "smtp.helo: is not a host name"),
        (format!("{smtp}helo = \"a\\r\\nMAIL\"\n{support}"), "smtp.helo: is not a host name"),
        // J11: what could not be written as the sender of a message is refused here.
        (format!("{smtp}{support}from = \"\\\"a b\\\"@shop.example\""), "support.from: is not an address"),
        (format!("smtp = 1\n{support}"), "smtp: is not a table"),
    ] {
        let (_, problems) = read_toml(&text);
        let all: Vec<String> =
            problems.iter().map(|problem| format!("{}: {}", problem.path, problem.what)).collect();
        assert!(all.iter().any(|problem| problem.contains(expected)), "{text}: {all:?}");
        assert!(problems.iter().all(|problem| !problem.to_string().contains("hunter2")), "{problems:?}");
    }
    let open = "[smtp]\nhost = \"localhost\"\ntls = \"none\"\nusername = \"x\"\npassword = \"y\"\nfrom = \"a@shop.example\"\n";
    assert!(read_toml(&format!("{open}{support}")).1.is_empty(), "nothing leaves this machine");
}
