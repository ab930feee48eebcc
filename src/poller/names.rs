//! The names of an account: loaded when they are due, and when a review names something unknown.

use super::*;

/// How often names are loaded again.
pub const NAMES_INTERVAL: Duration = Duration::from_secs(15 * 60);
/// The least time between two loads of names because of an unknown uuid.
const NAMES_ON_DEMAND: Duration = Duration::from_secs(60);
/// The least time between two attempts to load names that have never loaded.
const NAMES_AT_FIRST: Duration = Duration::from_secs(10);

impl Poller {
    pub(super) async fn load_names_when_due(&mut self, now: Timestamp) -> Result<Option<Tick>, StoreError> {
        let due = self.names_at.is_none_or(|at| now >= at.plus(NAMES_INTERVAL) || now < at);
        // Until they have loaded once, every review waits for them.
        let pause = if self.catalog.is_some() { NAMES_ON_DEMAND } else { NAMES_AT_FIRST };
        let tried = self.names_tried_at.is_some_and(|at| now >= at && now < at.plus(pause));
        if !due || tried {
            return Ok(None);
        }
        self.load_names(now).await
    }

    /// Loads the names. Where they cannot be loaded the old ones remain, and the poll goes on: it will report
    /// what is wrong, and reviews are held until names have loaded once.
    pub(super) async fn load_names(&mut self, now: Timestamp) -> Result<Option<Tick>, StoreError> {
        match self.upstream.catalog().await {
            Ok(mut catalog) => {
                self.names_tried_at = Some(now);
                if let Some(before) = &self.catalog {
                    catalog.succeed(before);
                }
                self.store.save_catalog(&self.account, &catalog, now).await?;
                self.names_at = Some(now);
                self.catalog = Some(Arc::new(catalog));
                Ok(Some(Tick::Again))
            }
            Err(UpstreamError { kind: ErrorKind::State(failure), .. }) => Err(StoreError::Budget(failure)),
            Err(error) => match pause_of(&error) {
                Some(until) => Ok(Some(self.wait_for_budget(&error.kind, until, now))),
                None => {
                    self.names_tried_at = Some(now);
                    tracing::warn!(error = %error, "the names of sources, websites and platforms could not be loaded");
                    Ok(None)
                }
            },
        }
    }

    /// Whether `items` name something that is not known, and it is worth loading for.
    pub(super) fn wants_names(&self, items: &[Item], now: Timestamp) -> bool {
        let Some(catalog) = &self.catalog else { return false };
        let tried = self.names_tried_at.is_some_and(|at| now >= at && now < at.plus(NAMES_ON_DEMAND));
        !tried
            && items.iter().any(|item| match item {
                Item::Review(review) => !catalog.knows(review),
                Item::Malformed(_) => false,
            })
    }
}
