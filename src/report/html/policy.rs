//! What the page may do: show itself. Its Content-Security-Policy names its own style and script by their hashes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// The policy for a page with this style, and this script if it has one.
pub fn policy(style: &str, script: Option<&str>) -> String {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text.as_bytes()));
    let script = script.map_or_else(String::new, |script| {
        format!("script-src 'sha256-{}'; ", hash(script))
    });
    format!(
        "default-src 'none'; style-src 'sha256-{}'; {script}img-src data:; base-uri 'none'; form-action 'none'",
        hash(style)
    )
}

/// Text that may stand inside `<script type="application/json">`: nothing in it ends the element.
pub fn inert(json: &str) -> String {
    json.replace('<', "\\u003c").replace('>', "\\u003e")
}

/// The page's icon as a data address: a disc in the verdict's colour.
pub fn icon(verdict: &str) -> String {
    let color = match verdict {
        "pass" => "%231d6b3f",
        "fail" => "%23b3261e",
        _ => "%238a5a00",
    };
    format!(
        "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Ccircle cx='8' cy='8' r='7' fill='{color}'/%3E%3C/svg%3E"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_the_standard() {
        // SHA-256 of nothing, FIPS 180-4.
        let policy = policy("", Some(""));
        assert_eq!(
            policy
                .matches("'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='")
                .count(),
            2
        );
    }

    #[test]
    fn data_cannot_end_its_element() {
        assert!(!inert("{\"a\":\"</script><!--\"}").contains('<'));
    }
}
