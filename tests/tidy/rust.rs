//! Rust source, as far as the rules need it: what is code, comment, literal.

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Code,
    Comment,
    Literal,
}

/// The text with everything blanked that is not of this kind; lines stay.
pub(crate) fn only(kind: Kind, text: &str) -> String {
    let kinds = kinds(text);
    let keep = |(at, c)| if c == '\n' || kinds[at] == kind { c } else { ' ' };
    text.char_indices().map(keep).collect()
}

/// The kind of every byte. Character literals count as code.
fn kinds(text: &str) -> Vec<Kind> {
    let mut kinds = Vec::with_capacity(text.len());
    let mut rest = text;
    let mut before = ' ';
    while let Some(first) = rest.chars().next() {
        // `br"…"` is raw too; any other `r` after a letter ends a name.
        let starts_word = before == 'b' || !before.is_alphanumeric() && before != '_';
        let is_character =
            rest.starts_with("'\\") || rest.starts_with('\'') && rest.chars().nth(2) == Some('\'');
        let (kind, len) = if rest.starts_with("//") {
            (Kind::Comment, rest.find('\n').unwrap_or(rest.len()))
        } else if rest.starts_with("/*") {
            (Kind::Comment, rest.find("*/").map_or(rest.len(), |end| end + 2))
        } else if first == '"' {
            (Kind::Literal, closed(rest, '"'))
        } else if let Some(len) = raw(rest).filter(|_| starts_word) {
            (Kind::Literal, len)
        } else if is_character {
            (Kind::Code, closed(rest, '\''))
        } else {
            (Kind::Code, first.len_utf8())
        };
        kinds.resize(kinds.len() + len, kind);
        rest = rest.split_at(len).1;
        before = first;
    }
    kinds
}

/// The length of the raw string literal at the start of the text, if it is one.
fn raw(text: &str) -> Option<usize> {
    let (hashes, rest) = text.strip_prefix('r')?.split_once('"')?;
    let end = format!("\"{hashes}");
    let inner = rest.find(&end).filter(|_| hashes.chars().all(|c| c == '#'))?;
    Some(1 + end.len() + inner + end.len())
}

/// The length of a literal, with both of its quotes.
fn closed(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if c == quote && !escaped {
            return at + 1;
        }
        escaped = c == '\\' && !escaped;
    }
    text.len()
}

/// Identifiers, `::`, and every other character but spaces.
pub(crate) fn tokens(code: &str) -> Vec<&str> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut tokens = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let len = match first {
            c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            _ if rest.starts_with("::") => 2,
            c => c.len_utf8(),
        };
        let (token, tail) = rest.split_at(len);
        tokens.push(token);
        rest = tail.trim_start();
    }
    tokens
}
