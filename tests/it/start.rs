//! The start: what answers before all of it is done.

use crate::harness::*;
use review_bridge::app::App;
use review_bridge::config::load;
use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Asks until it is answered with 200.
async fn healthy(address: SocketAddr) {
    loop {
        if let Ok(mut stream) = TcpStream::connect(address).await {
            stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn health_is_served_while_the_start_still_works_on_the_state() {
    let bench = Bench::new().await;
    bench.once().await;
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let none: [(String, String); 0] = [];
    let mut settings = load(Some(&bench.write_config()), none, bench.folder.path()).unwrap().settings;
    settings.http.listen = Some(address);

    let options = SqliteConnectOptions::new().filename(bench.state());
    let mut other = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    let mut start = Box::pin(App::build(settings, bench.clock.clone()));
    tokio::select! {
        _ = &mut start => panic!("the start did not wait for the state"),
        () = healthy(address) => {}
    }
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    let app = start.await.unwrap();
    assert_eq!(app.addr(), Some(address));
    healthy(address).await;
    app.close().await;
    let ended = async {
        while TcpStream::connect(address).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), ended).await.expect("it ends with the bridge");
}
