//! A receiver that answers by what it is sent: refuses what is too large, chokes on one message, hangs.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

/// How a receiver answers.
pub enum Reply {
    Status(u16),
    /// Never.
    Nothing,
}

type Answers = dyn Fn(&str) -> Reply + Send + Sync;

/// A server that answers by the body of each request.
#[derive(Clone)]
pub struct Receiver {
    answers: Arc<Answers>,
    requests: Arc<Mutex<Vec<(String, u16)>>>,
    url: Arc<str>,
}

impl Receiver {
    pub async fn start(answers: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).into();
        let receiver = Self { answers: Arc::new(answers), requests: Arc::default(), url };
        let router = Router::new().fallback(take).with_state(receiver.clone());
        tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
        receiver
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// The bodies that were accepted.
    pub fn accepted(&self) -> Vec<serde_json::Value> {
        let requests = self.requests.lock().unwrap();
        let fine = requests.iter().filter(|(_, status)| *status < 300);
        fine.map(|(body, _)| serde_json::from_str(body).unwrap()).collect()
    }

    /// How many requests were answered, however.
    pub fn answered(&self) -> usize {
        self.requests.lock().unwrap().len()
    }
}

async fn take(State(receiver): State<Receiver>, body: String) -> StatusCode {
    match (receiver.answers)(&body) {
        Reply::Status(status) => {
            receiver.requests.lock().unwrap().push((body, status));
            StatusCode::from_u16(status).unwrap()
        }
        Reply::Nothing => std::future::pending().await,
    }
}
