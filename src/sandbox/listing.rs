//! The shapes that lists come in, and the pages they are cut into.

use serde_json::json;

/// How lists come: what the API does is not documented, so the fake can do all of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    /// `{"data": […], "links": {…}, "meta": {…}}`, page by page.
    #[default]
    Laravel,
    /// `{"data": […], "current_page", "last_page", "next_page_url", …}`.
    Top,
    /// The same below `data`.
    Nested,
    /// `{"data": […], "links": {"next": "…?cursor=…"}}`.
    Links,
    /// `{"data": […]}` page by page, without a word about other pages.
    Silent,
    /// `{"data": […]}`, everything in one page, `page` is ignored.
    Data,
    /// `[…]`, everything in one page, `page` is ignored.
    Bare,
}

impl Shape {
    /// Every shape.
    pub const ALL: [Self; 7] =
        [Self::Laravel, Self::Top, Self::Nested, Self::Links, Self::Silent, Self::Data, Self::Bare];
}

/// Which page of a list is requested.
#[derive(Clone, Debug)]
pub(super) struct PageRequest<'a> {
    /// From 1.
    pub(super) page: usize,
    /// Items before the page, for [`Shape::Links`].
    pub(super) cursor: usize,
    pub(super) page_size: usize,
    /// The address of the list, without a query.
    pub(super) address: &'a str,
}

/// The answer to a list of `items`, each the JSON text that is sent.
pub(super) fn answer(shape: Shape, items: &[String], request: &PageRequest<'_>) -> String {
    let size = request.page_size.max(1);
    let last = items.len().div_ceil(size).max(1);
    let start = match shape {
        Shape::Data | Shape::Bare => 0,
        Shape::Links => request.cursor,
        _ => request.page.saturating_sub(1).saturating_mul(size),
    };
    let whole = matches!(shape, Shape::Data | Shape::Bare);
    let shown = items.iter().skip(start).take(if whole { usize::MAX } else { size });
    let list = format!("[{}]", shown.map(String::as_str).collect::<Vec<_>>().join(","));
    let url = |page: usize| format!("{}?page={page}", request.address);
    let next = (request.page < last).then(|| url(request.page + 1));
    let meta = json!({
        "current_page": request.page, "last_page": last, "per_page": size, "total": items.len(),
        "path": request.address,
    });
    match shape {
        Shape::Bare => list,
        Shape::Data | Shape::Silent => format!(r#"{{"data":{list}}}"#),
        Shape::Laravel => {
            let links = json!({"first": url(1), "last": url(last), "prev": null, "next": next});
            format!(r#"{{"data":{list},"links":{links},"meta":{meta}}}"#)
        }
        Shape::Links => {
            let after = request.cursor + size;
            let next = (after < items.len()).then(|| format!("{}?cursor={after}", request.address));
            format!(r#"{{"data":{list},"links":{}}}"#, json!({"next": next}))
        }
        Shape::Top | Shape::Nested => {
            let page = format!(
                r#"{{"data":{list},"current_page":{},"last_page":{last},"per_page":{size},"total":{},"next_page_url":{}}}"#,
                request.page,
                items.len(),
                json!(next),
            );
            if shape == Shape::Top { page } else { format!(r#"{{"data":{page}}}"#) }
        }
    }
}
