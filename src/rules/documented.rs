//! Platforms whose scale their own documentation states, each with where.

/// A platform with a scale that is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Documented {
    /// Its name.
    pub name: &'static str,
    /// The top of its scale.
    pub top: f64,
    /// Where it says so.
    pub source: &'static str,
}

const fn platform(name: &'static str, top: f64, source: &'static str) -> Documented {
    Documented { name, top, source }
}

/// Every platform whose scale is documented.
pub static PLATFORMS: &[Documented] = &[
    platform("Kiyoh", 10.0, "https://www.kiyoh.com/en/information-for-consumer/"),
    // The same company, system and scores as Kiyoh.
    platform("Klantenvertellen", 10.0, "https://www.kiyoh.com/en/information-for-consumer/"),
    platform("WebwinkelKeur", 10.0, "https://dashboard.webwinkelkeur.nl/pages/api"),
    // WebwinkelKeur outside the Netherlands.
    platform("Valued Shops", 10.0, "https://dashboard.webwinkelkeur.nl/pages/api"),
    platform("Feedback Company", 10.0, "https://www.feedbackcompany.com/guidelines/"),
    platform(
        "Booking.com",
        10.0,
        "https://partner.booking.com/en-gb/help/guest-reviews/how-my-guest-review-score-generated",
    ),
    platform(
        "Google",
        5.0,
        "https://developers.google.com/my-business/reference/rest/v4/accounts.locations.reviews",
    ),
    platform(
        "Trustpilot",
        5.0,
        "https://support.trustpilot.com/hc/en-us/articles/201748936-TrustScore-Questions-and-Answers",
    ),
    platform("Facebook", 5.0, "https://developers.facebook.com/docs/graph-api/reference/recommendation/"),
    platform("Trusted Shops", 5.0, "http://www.trustedshops.eu/merchants/service.html"),
    platform(
        "Feefo",
        5.0,
        "https://support.feefo.com/support/solutions/articles/8000097326-reviews-api-response",
    ),
    platform("Yelp", 5.0, "https://docs.developer.yelp.com/reference/v3_business_reviews"),
    platform("Tripadvisor", 5.0, "https://tripadvisor-content-api.readme.io/reference/getlocationreviews"),
    platform("Etsy", 5.0, "https://developers.etsy.com/documentation/reference"),
    platform("Judge.me", 5.0, "https://judge.me/api/docs"),
    platform("App Store", 5.0, "https://developer.apple.com/documentation/appstoreconnectapi/customerreview"),
];

/// The documented platform that `name` means, if it is one: `Kiyoh`, `kiyoh.nl`, `The Feedback Company`,
/// `Google Reviews`.
pub fn documented(name: &str) -> Option<&'static Documented> {
    let words = words(name);
    let words = words.strip_prefix(&["the".to_owned()]).unwrap_or(&words);
    let beginnings: Vec<String> = (1..=words.len()).map(|count| words[..count].concat()).collect();
    PLATFORMS.iter().find(|platform| {
        let letters = platform.name.bytes().filter(u8::is_ascii_alphanumeric);
        let wanted = letters.map(|letter| letter.to_ascii_lowercase());
        beginnings.iter().any(|beginning| wanted.clone().eq(beginning.bytes()))
    })
}

fn words(name: &str) -> Vec<String> {
    let key = crate::spelling::key(name);
    key.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_platform_is_known_by_its_name_however_it_is_written() {
        let top = |name: &str| documented(name).map(|platform| platform.top);
        for ten in [
            "Kiyoh",
            "KiyOh",
            "kiyoh.nl",
            "Kiyoh (NL)",
            "Klantenvertellen.nl",
            "WebwinkelKeur",
            "Webwinkel Keur",
            "Feedback Company",
            "FeedbackCompany",
            "The Feedback Company",
            "Booking.com",
            "ValuedShops",
        ] {
            assert_eq!(top(ten), Some(10.0), "{ten}");
        }
        for five in ["Google", "Google Reviews", "TrustedShops", "Trusted&nbsp;Shops", "Facebook", "Etsy"] {
            assert_eq!(top(five), Some(5.0), "{five}");
        }
        for unknown in ["", "Kiyo", "Googlenaut", "Booking", "eBay", "My Kiyoh", "The"] {
            assert_eq!(top(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn each_says_where_it_is_documented() {
        for (index, platform) in PLATFORMS.iter().enumerate() {
            assert!(platform.source.starts_with("http"), "{}", platform.name);
            assert_eq!(documented(platform.name), Some(platform));
            assert!(PLATFORMS[..index].iter().all(|other| other.name != platform.name));
        }
    }
}
