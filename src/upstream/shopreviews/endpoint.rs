//! The API's 17 endpoints: their names, the settings that hold their paths, and the paths by default.
//!
//! The defaults are those of the official client where it shows them; others are assumed, which is why each
//! can be set.

macro_rules! endpoints {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $setting:literal, $path:literal;)*) => {
        /// An endpoint of the API.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Endpoint { $($(#[$doc])* $variant,)* }

        impl Endpoint {
            /// Every endpoint, in the order of the API's page.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name in commands: `unread-reviews`.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The setting of an account that holds its path: `endpoints.unread_reviews`.
            pub fn setting(self) -> &'static str {
                match self { $(Self::$variant => $setting,)* }
            }

            /// Its path below the base URL unless the setting says otherwise.
            pub fn default_path(self) -> &'static str {
                match self { $(Self::$variant => $path,)* }
            }
        }
    };
}

endpoints! {
    /// User Login.
    Login = "login", "endpoints.login", "login";
    /// Forgot Password.
    ForgotPassword = "forgot-password", "endpoints.forgot_password", "forgot-password";
    /// Register a User.
    Register = "register", "endpoints.register", "register";
    /// Generate OAuth Url.
    OauthUrl = "oauth-url", "endpoints.oauth_url", "oauth/url";
    /// Approve OAuth Request.
    OauthApprove = "oauth-approve", "endpoints.oauth_approve", "oauth/approve";
    /// Exchange Code for Access Token.
    OauthExchange = "oauth-exchange", "endpoints.oauth_exchange", "oauth/code-exchange/{code}";
    /// List Reviews.
    Reviews = "reviews", "endpoints.reviews", "reviews";
    /// List Websites.
    Websites = "websites", "endpoints.websites", "websites";
    /// List Sources.
    Sources = "sources", "endpoints.sources", "sources";
    /// List System Reviews.
    SystemReviews = "system-reviews", "endpoints.system_reviews", "system-reviews";
    /// Get Review.
    Review = "review", "endpoints.review", "reviews/{uuid}";
    /// Get Unread Reviews by a User.
    UnreadReviews = "unread-reviews", "endpoints.unread_reviews", "reviews/unread";
    /// Mark Unread Reviews as Read.
    MarkReviewRead = "mark-review-read", "endpoints.mark_review_read", "reviews/{uuid}/read";
    /// Get Current User Details.
    User = "user", "endpoints.user", "user";
    /// Get Rating Overview.
    RatingOverview = "rating-overview", "endpoints.rating_overview", "rating-overview";
    /// Get Company Details.
    Company = "company", "endpoints.company", "company";
    /// List Platform.
    Platforms = "platforms", "endpoints.platforms", "platforms";
}

impl Endpoint {
    /// Its key in the table `endpoints`: `unread_reviews`.
    pub fn key(self) -> &'static str {
        self.setting().trim_start_matches("endpoints.")
    }

    /// The placeholder its path may hold, and whether it must.
    pub fn placeholder(self) -> Option<(&'static str, bool)> {
        match self {
            Self::Review => Some(("{uuid}", true)),
            // Without it the uuid goes in the body: which of the two the API wants is not documented.
            Self::MarkReviewRead => Some(("{uuid}", false)),
            Self::OauthExchange => Some(("{code}", true)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_the_names_with_underscores() {
        assert_eq!(Endpoint::ALL.len(), 17);
        for endpoint in Endpoint::ALL {
            assert_eq!(endpoint.key(), endpoint.name().replace('-', "_"));
        }
    }
}
