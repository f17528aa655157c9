//! What a policy says is wrong, read strictly: a misspelt key is a defect of the policy.

use crate::document::FieldPath;
use crate::engine::rego::Value;
use crate::rule::Severity;

/// One element of `deny`: `{"msg": …, "path": […], "help": …, "severity": …}`.
#[derive(Debug, PartialEq)]
pub(super) struct Violation {
    pub(super) message: String,
    pub(super) path: FieldPath,
    pub(super) help: Option<String>,
    pub(super) severity: Option<Severity>,
}

impl Violation {
    /// Reads a violation; the error completes the sentence "a violation …".
    pub(super) fn read(value: &Value) -> Result<Self, String> {
        let Some(keys) = value.keys() else {
            return Err(format!("is no object but {}", value.type_name()));
        };
        if let Some(key) =
            keys.iter().find(|key| !["msg", "path", "help", "severity"].contains(&key.as_str()))
        {
            return Err(format!("has the unknown key `{key}`"));
        }
        let message = text(value, "msg")?.ok_or("has no `msg`")?;
        if message.trim().is_empty() {
            return Err("has an empty `msg`".to_owned());
        }
        let severity = match text(value, "severity")? {
            Some(name) => Some(name.parse().map_err(|()| "has a `severity` that is none")?),
            None => None,
        };
        Ok(Self { message, path: path(value)?, help: text(value, "help")?, severity })
    }
}

fn text(value: &Value, key: &str) -> Result<Option<String>, String> {
    match value.get(key) {
        None => Ok(None),
        Some(value) => match value.as_str() {
            Some(text) => Ok(Some(text.to_owned())),
            None => Err(format!("has a `{key}` that is no string but {}", value.type_name())),
        },
    }
}

fn path(value: &Value) -> Result<FieldPath, String> {
    let mut path = FieldPath::root();
    let Some(steps) = value.get("path") else {
        return Ok(path);
    };
    let wrong = || "has a `path` that is no list of keys and indices".to_owned();
    for step in steps.items().ok_or_else(wrong)? {
        match (step.as_str(), step.as_index()) {
            (Some(key), _) => path.push_key(key),
            (None, Some(index)) => path.push_index(index),
            (None, None) => return Err(wrong()),
        }
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_violation_is_read_with_all_its_parts() {
        let value = Value::object([
            ("msg", Value::string("it is wrong")),
            ("help", Value::string("mend it")),
            ("severity", Value::string("low")),
        ]);
        let violation = Violation {
            message: "it is wrong".to_owned(),
            path: FieldPath::root(),
            help: Some("mend it".to_owned()),
            severity: Some(Severity::Low),
        };
        assert_eq!(Violation::read(&value), Ok(violation));
    }

    #[test]
    fn a_violation_of_the_wrong_shape_says_what_is_wrong() {
        let read = |key, value| {
            Violation::read(&Value::object([("msg", Value::string("m")), (key, value)]))
        };
        let object = || Value::object([]);
        assert_eq!(Violation::read(&Value::string("m")), Err("is no object but string".into()));
        assert_eq!(Violation::read(&object()), Err("has no `msg`".into()));
        assert_eq!(read("msg", object()), Err("has a `msg` that is no string but object".into()));
        assert_eq!(read("msg", Value::string(" ")), Err("has an empty `msg`".into()));
        assert_eq!(read("paht", object()), Err("has the unknown key `paht`".into()));
        let path = Err("has a `path` that is no list of keys and indices".into());
        assert_eq!(read("path", Value::string("spec")), path);
        let severity = Err("has a `severity` that is none".into());
        assert_eq!(read("severity", Value::string("bad")), severity);
    }
}
