//! The settings of an account that concern the API: its address, the credentials, the budget, and the paths.

use super::Endpoint;
use super::address::{is_loopback, is_relative_path};
use crate::settings::units::parse_size;
use crate::settings::{Secret, Table};
use url::Url;

/// Where the API is unless `base_url` says otherwise.
pub const DEFAULT_BASE_URL: &str = "https://app.shopreviews.com/api/v1";
/// Requests a minute unless `requests_per_minute` says otherwise: half of the throttle that the API shows.
pub const DEFAULT_REQUESTS_PER_MINUTE: u32 = 30;
/// Bytes read of one page unless `max_page_bytes` says otherwise: 128 MiB.
pub const DEFAULT_MAX_PAGE_BYTES: u64 = 128 * 1024 * 1024;

/// How to reach one account of the API.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The base URL, without query or fragment.
    pub base_url: Url,
    /// The credentials.
    pub credentials: Credentials,
    /// The paths below the base URL.
    pub endpoints: Endpoints,
    /// The maximum of requests in any minute.
    pub requests_per_minute: u32,
    /// The maximum of bytes read of one page, after decompression.
    pub max_page_bytes: u64,
    /// Whether plain http is allowed beyond loopback.
    pub allow_http: bool,
}

/// The credentials.
#[derive(Clone, Debug, PartialEq)]
pub enum Credentials {
    /// A token of the dashboard.
    Token(Secret),
    /// A login, whose token is kept in memory only.
    Login {
        /// The user's address.
        email: String,
        /// The user's password.
        password: Secret,
    },
}

impl Settings {
    /// Reads the keys of an account's table that are the API's, and the table `endpoints`. What is wrong is
    /// recorded there; `None` where something is. The caller finishes `table`, which holds more keys.
    pub fn read(table: &Table<'_>) -> Option<Self> {
        let allow_http = table.boolean("allow_http");
        let base_url = read_base_url(table, allow_http.unwrap_or(false));
        let credentials = read_credentials(table);
        let endpoints = Endpoints::read(table);
        let requests = table.integer("requests_per_minute", 1..=10_000_000);
        let bytes = read_page_bytes(table);
        // A key that is present and answered nothing was wrong, and is reported already.
        let sound = |key: &str, read: bool| read || !table.has(key);
        if !sound("allow_http", allow_http.is_some())
            || !sound("requests_per_minute", requests.is_some())
            || !sound("max_page_bytes", bytes.is_some())
        {
            return None;
        }
        Some(Self {
            base_url: base_url?,
            credentials: credentials?,
            endpoints: endpoints?,
            requests_per_minute: requests
                .and_then(|count| u32::try_from(count).ok())
                .unwrap_or(DEFAULT_REQUESTS_PER_MINUTE),
            max_page_bytes: bytes.unwrap_or(DEFAULT_MAX_PAGE_BYTES),
            allow_http: allow_http.unwrap_or(false),
        })
    }
}

/// `"128MiB"`, or a number of bytes.
fn read_page_bytes(table: &Table<'_>) -> Option<u64> {
    let text = table.text_or_number("max_page_bytes")?;
    let bytes = parse_size(&text).or_else(|| text.trim().parse().ok());
    let bytes = bytes.filter(|bytes| (1024..=1 << 32).contains(bytes));
    if bytes.is_none() {
        table.problem(
            "max_page_bytes",
            "is not a size from 1 KiB to 4 GiB",
            "write max_page_bytes = \"128MiB\"",
        );
    }
    bytes
}

fn read_base_url(table: &Table<'_>, allow_http: bool) -> Option<Url> {
    let text = match table.text("base_url") {
        Some(text) => text,
        None if table.has("base_url") => return None,
        None => DEFAULT_BASE_URL.to_owned(),
    };
    match parse_base_url(&text, allow_http) {
        Ok(url) => Some(url),
        Err((what, hint)) => {
            table.problem("base_url", what, hint);
            None
        }
    }
}

fn parse_base_url(text: &str, allow_http: bool) -> Result<Url, (&'static str, String)> {
    let example = || format!("write base_url = \"{DEFAULT_BASE_URL}\"");
    let url = Url::parse(text.trim()).map_err(|_| ("is not a URL", example()))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Err(("is not an https URL", example()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(("contains a user name or password", "set token, or email and password, instead".into()));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(("has a query or a fragment", example()));
    }
    if url.scheme() == "http" && !allow_http && !is_loopback(&url) {
        let hint = "write https://, or set allow_http = true if the token may be sent unencrypted";
        return Err(("is not encrypted", hint.into()));
    }
    Ok(url)
}

fn read_credentials(table: &Table<'_>) -> Option<Credentials> {
    let has = |key: &str| table.has(key) || table.has(&format!("{key}_file"));
    let (with_token, with_login) = (has("token"), table.has("email") || has("password"));
    let token = table.secret("token");
    let email = table.text("email");
    let password = table.secret("password");
    match (with_token, with_login) {
        (true, true) => {
            let key = if table.has("token") { "token" } else { "token_file" };
            table.problem(
                key,
                "is set together with a login",
                "keep either the token, or email and password",
            );
            None
        }
        (true, false) => token.map(Credentials::Token),
        (false, true) => {
            let email = email.filter(|email| !email.trim().is_empty());
            if email.is_none() {
                table.problem(
                    "email",
                    "is missing",
                    "set it to the address of the user that logs in: email = \"…\"",
                );
            }
            if !has("password") {
                table.problem("password", "is missing", "set password_file to a file that contains it");
            }
            Some(Credentials::Login { email: email?.trim().to_owned(), password: password? })
        }
        (false, false) => {
            let hint = "generate one in the ShopReviews dashboard (`Generate API token`) and set token_file \
                        to a file that contains it; or set email and password";
            table.problem("token", "is missing", hint);
            None
        }
    }
}

/// The paths of the endpoints below the base URL, by endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints(Vec<String>);

impl Default for Endpoints {
    fn default() -> Self {
        Self(Endpoint::ALL.iter().map(|endpoint| endpoint.default_path().to_owned()).collect())
    }
}

impl Endpoints {
    /// The path of `endpoint`, which may hold its placeholder.
    pub fn path(&self, endpoint: Endpoint) -> &str {
        self.0.get(endpoint as usize).map_or_else(|| endpoint.default_path(), String::as_str)
    }

    /// These paths with that of `endpoint` replaced; an unfit path is answered with what is wrong with it.
    pub fn with(mut self, endpoint: Endpoint, path: &str) -> Result<Self, &'static str> {
        check_path(endpoint, path)?;
        if let Some(slot) = self.0.get_mut(endpoint as usize) {
            path.clone_into(slot);
        }
        Ok(self)
    }

    fn read(account: &Table<'_>) -> Option<Self> {
        let mut endpoints = Self::default();
        let Some(table) = account.table("endpoints") else {
            return (!account.has("endpoints")).then_some(endpoints);
        };
        let mut sound = true;
        for endpoint in Endpoint::ALL {
            let Some(path) = table.text(endpoint.key()) else {
                sound &= !table.has(endpoint.key());
                continue;
            };
            endpoints = match endpoints.clone().with(*endpoint, &path) {
                Ok(endpoints) => endpoints,
                Err(what) => {
                    sound = false;
                    let hint = format!("write {} = \"{}\"", endpoint.key(), endpoint.default_path());
                    table.problem(endpoint.key(), what, hint);
                    endpoints
                }
            };
        }
        table.finish();
        sound.then_some(endpoints)
    }
}

fn check_path(endpoint: Endpoint, path: &str) -> Result<(), &'static str> {
    let (allowed, required) = endpoint.placeholder().unwrap_or(("", false));
    if required && !path.contains(allowed) {
        return Err("is missing its placeholder");
    }
    let rest = if allowed.is_empty() { path.to_owned() } else { path.replacen(allowed, "x", 1) };
    if rest.contains(['{', '}']) {
        return Err("contains an unknown placeholder");
    }
    if !is_relative_path(&rest) {
        return Err("must be a path below the base URL, without a leading `/` and without `..`");
    }
    Ok(())
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
