//! How comments cite an RFC whose text is in `docs/rfc`:
//!
//! - A reference reads `RFC 7644 section 3.5.2`, with `sections 2, 6 and 7`
//!   for several. A section with that heading must exist.
//! - A quotation is a Markdown block quote that ends with its reference in
//!   parentheses; what is left out is marked `[...]`:
//!
//!   ```text
//!   /// > Attribute names are case insensitive [...] (RFC 7643 section 2.1)
//!   ```
//!
//! - A short one may stand in the text, in double quotes with the reference
//!   right after it: `"never" (RFC 7643 section 7)`.
//!
//! A quotation must occur word for word in that section or one below it; line
//! and page breaks do not count, and neither does a backslash, with which
//! rustdoc wants brackets escaped.

use crate::rust::{Kind, only};
use crate::{OWN_PATH, files, hold, rust_files};
use std::collections::BTreeMap;

/// The RFCs under `docs/rfc`, by number.
type Rfcs = BTreeMap<String, Rfc>;
/// Section numbers and their own texts, subsections apart.
type Rfc = Vec<(String, String)>;

/// Every reference names a section that exists.
fn references(rfcs: &Rfcs, path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    if path.starts_with(OWN_PATH) {
        return found;
    }
    let text = [prose(&comment_lines(text)), only(Kind::Literal, text)].join(" ");
    // Two words more, so that every real one has two after it.
    let words: Vec<&str> = text.split_whitespace().chain(["", ""]).collect();
    for at in 0..words.len() {
        let [word, number, section, rest @ ..] = &words[at..] else { break };
        let bare = number.trim_matches(|c: char| !c.is_ascii_digit());
        let Some(rfc) = rfcs.get(bare).filter(|_| word.ends_with("RFC")) else { continue };
        if at > 2 && words[at - 1] == "of" && words[at - 3].to_lowercase().starts_with("section") {
            found.push(format!("write `RFC {bare} section {}`", words[at - 2]));
        }
        let numbers = numbers(section, rest);
        let unknown = numbers.iter().filter(|number| !rfc.iter().any(|(own, _)| own == *number));
        found.extend(unknown.map(|number| format!("RFC {bare} has no section {number}")));
    }
    found
}

/// The section numbers that follow `section` or `sections`.
fn numbers<'t>(section: &str, words: &[&'t str]) -> Vec<&'t str> {
    let is_plural = section == "sections";
    let mut numbers = Vec::new();
    let mut is_open = is_plural || section == "section";
    for word in words {
        let number = word.trim_matches(|c: char| !c.is_ascii_digit());
        if is_plural && ["and", "or"].contains(word) {
            is_open = true;
        } else if is_open && !number.is_empty() {
            numbers.push(number);
            is_open = is_plural && word.ends_with(',');
            if !word.ends_with(|c: char| c == ',' || c.is_ascii_digit()) {
                break;
            }
        } else {
            break;
        }
    }
    numbers
}

/// Every quotation is verbatim.
fn quotations(rfcs: &Rfcs, path: &str, text: &str) -> Vec<String> {
    if path.starts_with(OWN_PATH) {
        return Vec::new();
    }
    let mut quoted: Vec<(String, String)> = Vec::new();
    let lines = comment_lines(text);
    for block in lines.split(|line| !line.starts_with('>')).filter(|block| !block.is_empty()) {
        let block = prose(block);
        let (quote, reference) = block.rsplit_once("(RFC ").unwrap_or((&block, ""));
        quoted.push((quote.into(), reference.into()));
    }
    let unquoted: Vec<_> = lines.into_iter().filter(|line| !line.starts_with('>')).collect();
    let prose = prose(&unquoted);
    for (at, _) in prose.match_indices("\" (RFC ") {
        let (before, after) = prose.split_at(at);
        let quote = before.rsplit('"').next().unwrap_or_default();
        quoted.push((quote.into(), after.replacen("\" (RFC ", "", 1)));
    }
    let wrong = quoted.iter().filter(|(quote, reference)| !is_verbatim(rfcs, quote, reference));
    wrong.map(|(quote, _)| format!("not found as cited: {}", normal(quote))).collect()
}

fn is_verbatim(rfcs: &Rfcs, quote: &str, reference: &str) -> bool {
    let words: Vec<&str> = reference.split_whitespace().collect();
    let [rfc, section, rest @ ..] = words.as_slice() else { return false };
    let numbers = numbers(section, rest);
    let (Some(rfc), [number]) = (rfcs.get(*rfc), numbers.as_slice()) else { return false };
    let is_below = |own: &str| own == *number || own.starts_with(&format!("{number}."));
    let own = rfc.iter().filter(|(own, _)| is_below(own)).map(|(_, text)| text.as_str());
    let section = normal(&own.collect::<Vec<_>>().join(" "));
    let mut rest = section.as_str();
    !normal(quote).is_empty()
        && normal(&quote.replace('\\', "")).split("[...]").all(|part| {
            let after = rest.split_once(part.trim()).map(|(_, after)| after);
            rest = after.unwrap_or_default();
            after.is_some()
        })
}

fn rfcs() -> Rfcs {
    let number = |path: &str| path.chars().filter(char::is_ascii_digit).collect();
    files("docs/rfc", "txt").iter().map(|(path, text)| (number(path), sections(text))).collect()
}

fn sections(text: &str) -> Rfc {
    let mut sections = vec![(String::new(), String::new())];
    for line in text.lines().map(|line| line.trim_start_matches('\u{c}')) {
        let is_page_break =
            !line.starts_with(' ') && line.ends_with(']') && line.contains("[Page ")
                || line.starts_with("RFC ") && line.contains("    ");
        let heading = line.split_once(".  ").map(|(number, _)| number);
        if let Some(number) =
            heading.filter(|number| number.starts_with(|c| char::is_ascii_digit(&c)))
        {
            sections.push((number.to_owned(), String::new()));
        } else if !is_page_break {
            let own = &mut sections.last_mut().unwrap().1;
            own.push_str(line);
            own.push('\n');
        }
    }
    sections
}

/// One space between words, and none where the RFC breaks a word at a hyphen.
fn normal(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace("- ", "-")
}

/// The lines of all comments, without their slashes.
fn comment_lines(text: &str) -> Vec<String> {
    let comments = only(Kind::Comment, text);
    let bare = |line: &str| line.trim().trim_start_matches(['/', '!']).trim().to_owned();
    comments.lines().map(bare).collect()
}

/// The lines as running text.
fn prose(lines: &[String]) -> String {
    lines.iter().map(|line| line.trim_start_matches('>')).collect::<Vec<_>>().join(" ")
}

#[test]
fn references_name_sections_and_quotations_are_verbatim() {
    let rfcs = rfcs();
    hold(&rust_files(), |path, text| references(&rfcs, path, text));
    hold(&rust_files(), |path, text| quotations(&rfcs, path, text));
}

#[test]
fn wrong_references_are_found() {
    let rfcs = rfcs();
    let finds = |text| references(&rfcs, "a.rs", text).len();
    assert_eq!(finds("// See RFC 7644\n// section 3.99."), 1);
    assert_eq!(finds("const A: &str = \"RFC 7643 section 12\";"), 1);
    assert_eq!(finds("/// (RFC 7643 sections 2, 66 and 77) and 88"), 2);
    assert_eq!(finds("// section 3.5 of RFC 7644"), 1);
    assert_eq!(
        finds("// RFC 7643 sections 2, 6 and 7; RFC 9865 section 4's; RFC 1 section 99."),
        0
    );
}

#[test]
fn altered_quotations_are_found() {
    let rfcs = rfcs();
    let finds = |text: &str| quotations(&rfcs, "a.rs", text).len();
    let kept = "/// > Attribute names are case insensitive and are often\n/// > \"camel-cased\"";
    assert_eq!(finds(&format!("{kept} (RFC 7643 section 2.1)")), 0);
    assert_eq!(finds(&format!("{kept} \\[...\\] SCIM resources (RFC 7643 section 2)")), 0);
    assert_eq!(finds(&format!("{kept} [...] Attribute names are (RFC 7643 section 2.1)")), 1);
    assert_eq!(finds(&format!("{kept} (RFC 7643 section 2.2)")), 1);
    assert_eq!(finds(kept), 1);
    assert_eq!(finds("// > Attribute names are insensitive (RFC 7643 section 2.1)"), 1);
    // Across a page break.
    assert_eq!(finds("// > service provider root endpoint); e.g., (RFC 7643 section 2.3.7)"), 0);
    assert_eq!(finds("// it is \"case exact\" (RFC 7643 section 2.3.6),"), 0);
    assert_eq!(finds("// it is \"case vague\" (RFC 7643 section 2.3.6),"), 1);
}
