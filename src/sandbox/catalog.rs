//! The sandbox's company: three shops, the platforms they are reviewed on, and what is odd about some of them.

use serde_json::{Value, json};

/// How a platform rates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    /// 1 to 5, mostly invited: few are unhappy.
    Five,
    /// 1 to 5, anyone may write: more are unhappy.
    OpenFive,
    /// 1 to 10.
    Ten,
    /// Recommended or not.
    YesNo,
    /// Positive, neutral, negative.
    Feedback,
}

/// A platform.
#[derive(Debug)]
pub(super) struct Platform {
    pub(super) uuid: &'static str,
    pub(super) name: &'static str,
    pub(super) scale: Scale,
}

/// A place reviews come from.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) uuid: &'static str,
    pub(super) name: &'static str,
    pub(super) platform: &'static Platform,
    /// Indexes into [`WEBSITES`].
    pub(super) websites: &'static [usize],
    /// The language most write in here.
    pub(super) language: &'static str,
    /// How often reviews come from here, among all sources.
    pub(super) weight: u32,
}

/// The company's uuid.
pub(super) const COMPANY: &str = "c0a1e5ce-0000-4000-8000-000000000001";

/// Uuids and names of the websites.
pub(super) const WEBSITES: [(&str, &str); 3] = [
    ("3eb51e00-0000-4000-8000-000000000001", "Shop NL"),
    ("3eb51e00-0000-4000-8000-000000000002", "Shop DE"),
    ("3eb51e00-0000-4000-8000-000000000003", "Shop UK"),
];

macro_rules! platforms {
    ($($id:ident = $number:literal, $name:literal, $scale:ident;)*) => {
        $(static $id: Platform = Platform {
            uuid: concat!("91a7f0a0-0000-4000-8000-0000000000", $number),
            name: $name,
            scale: Scale::$scale,
        };)*
        /// Every platform.
        pub(super) static PLATFORMS: &[&Platform] = &[$(&$id,)*];
    };
}

platforms! {
    GOOGLE = "01", "Google", OpenFive;
    TRUSTPILOT = "02", "Trustpilot", OpenFive;
    KIYOH = "03", "Kiyoh", Ten;
    WEBWINKELKEUR = "04", "WebwinkelKeur", Ten;
    FACEBOOK = "05", "Facebook", YesNo;
    EBAY = "06", "eBay", Feedback;
    TRUSTED_SHOPS = "07", "Trusted Shops", Five;
    FEEDBACK_COMPANY = "08", "Feedback Company", Ten;
    ETSY = "09", "Etsy", Five;
    STAMPED = "10", "Stamped", Five;
    EKOMI = "11", "eKomi", Five;
}

macro_rules! sources {
    ($($number:literal, $name:literal, $platform:ident, $websites:expr, $language:literal, $weight:literal;)*) => {
        /// Every source.
        pub(super) static SOURCES: &[Source] = &[$(Source {
            uuid: concat!("50a2ce00-0000-4000-8000-0000000000", $number),
            name: $name,
            platform: &$platform,
            websites: &$websites,
            language: $language,
            weight: $weight,
        },)*];
    };
}

sources! {
    "01", "Google Shop NL", GOOGLE, [0], "nl", 22;
    "02", "Kiyoh Shop NL", KIYOH, [0], "nl", 16;
    "03", "WebwinkelKeur Shop NL", WEBWINKELKEUR, [0], "nl", 12;
    "04", "Feedback Company Shop NL", FEEDBACK_COMPANY, [0], "nl", 5;
    "05", "Facebook Shop NL", FACEBOOK, [0], "nl", 4;
    "06", "Google Shop DE", GOOGLE, [1], "de", 10;
    "07", "Trusted Shops Shop DE", TRUSTED_SHOPS, [1], "de", 7;
    "08", "eBay Shop DE", EBAY, [1], "de", 4;
    "09", "eKomi Shop DE", EKOMI, [1], "de", 2;
    "10", "Google Shop UK", GOOGLE, [2], "en", 8;
    "11", "Trustpilot Shop UK", TRUSTPILOT, [2], "en", 7;
    "12", "eBay Shop UK", EBAY, [2], "en", 2;
    "13", "Etsy", ETSY, [2], "en", 1;
    "14", "Stamped", STAMPED, [2], "en", 1;
    // Shown on every website, and on none.
    "15", "Trustpilot", TRUSTPILOT, [0, 1, 2], "en", 4;
    "16", "Google Outlet", GOOGLE, [], "nl", 1;
}

const CREATED: &str = "2022-06-30T12:34:56.000000Z";

/// The websites as the API lists them.
pub(super) fn websites() -> Vec<String> {
    let website = |(index, (uuid, name)): (usize, &(&str, &str))| {
        json!({
            "uuid": uuid, "name": name, "company_uuid": COMPANY, "logo_url": null, "details": null,
            "avg_ratings": 4.4, "review_count": 1200 + index * 311, "source_count": 5,
            "best_rating": 5, "worst_rating": 0, "is_active": 1,
            "score_summary": [
                {"label": "Excellent", "percentage": 71, "count": 852}, {"label": "Very good", "percentage": 13, "count": 156},
                {"label": "Average", "percentage": 5, "count": 60}, {"label": "Poor", "percentage": 3, "count": 36},
                {"label": "Terrible", "percentage": 8, "count": 96},
            ],
            "created_at": CREATED, "updated_at": CREATED,
        })
        .to_string()
    };
    WEBSITES.iter().enumerate().map(website).collect()
}

/// The platforms as the API lists them.
pub(super) fn platforms() -> Vec<String> {
    let platform = |platform: &&Platform| {
        json!({
            "uuid": platform.uuid, "name": platform.name, "imageUrl": null, "iconUrl": null, "is_active": true,
            "created_at": CREATED, "updated_at": CREATED,
        })
        .to_string()
    };
    PLATFORMS.iter().map(platform).collect()
}

/// The sources as the API lists them; `last` and `next` are when they are read.
pub(super) fn sources(last: &str, next: &str) -> Vec<String> {
    let source = |source: &Source| {
        let slug = source.name.to_lowercase().replace(' ', "-");
        let websites: Vec<&str> = source.websites.iter().map(|index| WEBSITES[*index].0).collect();
        let all = json!(websites);
        json!({
            "uuid": source.uuid, "name": source.name, "logo": null, "company_uuid": COMPANY,
            "platform_uuid": source.platform.uuid,
            // The list of the shared source comes as a text, as some do.
            "website_uuids": if websites.len() > 1 { Value::String(all.to_string()) } else { all },
            "url": format!("https://reviews.example/{slug}"),
            "review_link": format!("https://reviews.example/{slug}/write"),
            "total_reviews": 400 + slug.len() * 37, "overview_summary": {"avg_rating": 4.4},
            "last_sync_at": last, "next_sync_at": next, "created_at": CREATED, "updated_at": CREATED,
        })
        .to_string()
    };
    SOURCES.iter().map(source).collect()
}

/// Sources that only a hostile sandbox lists.
pub(super) fn odd_sources() -> Vec<String> {
    let website = WEBSITES[0].0;
    let many: Vec<String> = (0..9).map(|n| format!("3eb51e00-0000-4000-8000-0000000001{n:02}")).collect();
    let odd = |uuid: &str, name: Value, websites: Value, link: &str| {
        json!({"uuid": uuid, "name": name, "website_uuids": websites, "review_link": link, "url": null,
            "platform_uuid": GOOGLE.uuid, "company_uuid": COMPANY, "last_sync_at": "soon", "next_sync_at": 0})
        .to_string()
    };
    vec![
        odd("odd-null-name", Value::Null, json!(null), "http://reviews.example/plain"),
        odd("odd-many-websites", json!("Many"), json!(many), "https://bücher.example/"),
        odd("odd-inactive", json!("<b>Old</b> & co"), json!(website), "javascript:alert(1)"),
        odd(
            "odd-long-link",
            json!(12),
            json!("[broken"),
            &format!("https://reviews.example/{}", "a".repeat(2000)),
        ),
        r#"{"uuid":"odd-number","name":"Big","total_reviews":1e999,"logo":"\uD83D"}"#.into(),
        r#"{"name":"no uuid"}"#.into(),
        "null".into(),
    ]
}
