//! Where one document ends and the next begins: by lines, before anything is parsed.

use super::Dialect;

/// The byte range of one document's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chunk {
    pub(super) start: u32,
    pub(super) end: u32,
    /// Whether the range is one JSON value.
    pub(super) json: bool,
}

impl Chunk {
    fn new(start: usize, end: usize) -> Self {
        Self { start: offset(start), end: offset(end), json: false }
    }

    pub(super) fn text(self, text: &str) -> &str {
        text.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// The chunks that could be told apart, and the separator line that is not one.
pub(super) type InvalidSeparator = Box<(Vec<Chunk>, Chunk)>;

/// Splits a text into documents as the readers of `dialect` do.
///
/// kubectl: `YAMLReader.Read` of apimachinery's `pkg/util/yaml`, and JSON values one after the
/// other where the text starts with a brace. kustomize: `splitDocuments` of kyaml's
/// `kio/byteio_reader.go`.
pub(super) fn split(text: &str, dialect: Dialect) -> Result<Vec<Chunk>, InvalidSeparator> {
    // kustomize reads JSON as the YAML that it nearly is.
    if dialect == Dialect::Kubectl
        && let Some(chunks) = json(text)
    {
        return Ok(chunks);
    }
    let mut chunks = Vec::new();
    let mut start = 0;
    let mut at = 0;
    let mut invalid = None;
    for line in text.split_inclusive('\n') {
        let (line_start, line_end) = (at, at + line.len());
        at = line_end;
        let Some(rest) = line.strip_prefix("---") else { continue };
        // kyaml looks for a line break before and after the dashes.
        if dialect == Dialect::Kustomize && (line_start == start || !line.ends_with('\n')) {
            continue;
        }
        let rest = rest.trim();
        if !rest.is_empty() && !rest.starts_with('#') {
            // The dashes that open a text are the parser's to read: `---{}` fails there.
            invalid.get_or_insert(Chunk::new(line_start, line_start + line.trim_end().len()));
        }
        if line_start > start {
            chunks.push(Chunk::new(start, line_start));
            start = line_end;
        }
    }
    chunks.push(Chunk::new(start, text.len()));
    match invalid {
        Some(separator) => Err(Box::new((chunks, separator))),
        None => Ok(chunks),
    }
}

/// Returns the JSON values of a text that holds nothing else.
fn json(text: &str) -> Option<Vec<Chunk>> {
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    if !body.trim_start().starts_with(['{', '[']) {
        return None;
    }
    let before = text.len() - body.len();
    let mut values = serde_json::Deserializer::from_str(body).into_iter::<serde::de::IgnoredAny>();
    let mut chunks = Vec::new();
    let mut start = 0;
    while let Some(value) = values.next() {
        value.ok()?;
        let end = values.byte_offset();
        let chunk = Chunk::new(before + start, before + end);
        chunks.push(Chunk { json: true, ..chunk });
        start = end;
    }
    Some(chunks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str, dialect: Dialect) -> Vec<&str> {
        split(text, dialect).unwrap().into_iter().map(|chunk| chunk.text(text)).collect()
    }

    #[test]
    fn lines_of_dashes_separate() {
        for dialect in [Dialect::Kubectl, Dialect::Kustomize] {
            assert_eq!(texts("a: 1\n---\nb: 2\n", dialect), ["a: 1\n", "b: 2\n"]);
            assert_eq!(texts("a: 1\r\n--- # next\r\nb: 2", dialect), ["a: 1\r\n", "b: 2"]);
        }
    }

    #[test]
    fn the_first_separator_belongs_to_the_document() {
        assert_eq!(texts("---\na: 1\n---\nb: 2\n", Dialect::Kubectl), ["---\na: 1\n", "b: 2\n"]);
    }

    #[test]
    fn json_values_may_follow_each_other() {
        let text = "{\"a\": 1}\n{\"b\": 2}\n";
        assert_eq!(texts(text, Dialect::Kubectl), ["{\"a\": 1}", "\n{\"b\": 2}"]);
    }

    #[test]
    fn text_after_the_dashes_is_refused() {
        let (chunks, separator) = *split("a: 1\n--- b\nc: 2\n", Dialect::Kubectl).unwrap_err();
        assert_eq!((separator.start, separator.end), (5, 10));
        assert_eq!(chunks.len(), 2);
    }
}
