//! YAML with the line of every value.

use saphyr::{LoadableYamlNode as _, MarkedYaml, Scalar, YamlData};

use super::Unreadable;

/// A value with its line.
pub type Node<'y> = MarkedYaml<'y>;

/// The file's documents.
pub fn documents(text: &str) -> Result<Vec<Node<'_>>, Unreadable> {
    MarkedYaml::load_from_str(text).map_err(|error| Unreadable {
        code: "bad-line",
        message: format!("it is not YAML: {}", error.info()),
        place: Some((error.marker().line(), error.marker().col() + 1)),
        help: "the file must be readable by the tool that it is for",
    })
}

/// The line a value begins on, from 1.
pub fn line(node: &Node<'_>) -> usize {
    node.span.start.line()
}

/// The members of a mapping whose keys are texts.
pub fn members<'n, 'y>(node: &'n Node<'y>) -> Vec<(String, &'n Node<'y>)> {
    let YamlData::Mapping(mapping) = &node.data else {
        return Vec::new();
    };
    mapping
        .iter()
        .filter_map(|(key, value)| Some((text(key)?, value)))
        .collect()
}

/// A member of a mapping.
pub fn member<'n, 'y>(node: &'n Node<'y>, name: &str) -> Option<&'n Node<'y>> {
    members(node)
        .into_iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value)
}

/// The items of a list; nothing for anything else.
pub fn items<'n, 'y>(node: &'n Node<'y>) -> &'n [Node<'y>] {
    match &node.data {
        YamlData::Sequence(items) => items,
        _ => &[],
    }
}

/// A scalar as text.
pub fn text(node: &Node<'_>) -> Option<String> {
    match &node.data {
        YamlData::Value(Scalar::String(text)) => Some(text.to_string()),
        YamlData::Value(Scalar::Integer(n)) => Some(n.to_string()),
        YamlData::Value(Scalar::FloatingPoint(n)) => Some(n.to_string()),
        YamlData::Value(Scalar::Boolean(b)) => Some(b.to_string()),
        _ => None,
    }
}

/// Every value of a key of that name, at any depth, in the order of the file.
pub fn everywhere<'n, 'y>(node: &'n Node<'y>, name: &str, found: &mut Vec<&'n Node<'y>>) {
    for (key, value) in members(node) {
        if key == name {
            found.push(value);
        } else {
            everywhere(value, name, found);
        }
    }
    for item in items(node) {
        everywhere(item, name, found);
    }
}
